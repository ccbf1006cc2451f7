"""Passwords that are an argument of a call by their place: `SetBasicAuth("u", "x")`, `setPassword("x")`, a default.

Which calls take a login is a list, since nothing in the arguments tells: `add("alice", "bob")`.
"""

import re
from collections.abc import Iterator

from auditor.model.resource import Confidence, LiteralKind
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.pairs import verdict
from auditor.redaction.span import Span
from auditor.redaction.verdict import named

_TEXT = r"""[bBrRuU@]{0,2}["'](?P<value>[^"'\n]{1,512})["']"""
_USER = r"""["'][^"'\n]{0,128}["'][ \t]*,[ \t]*"""
_SETTER = compile_(
    r"""(?:\b(?:[sS]et|[wW]ith)_?(?P<key>\w{0,40}(?:[pP]assw(?:or)?d|[pP]assphrase|Pwd|Secret|SecretKey|ApiKey|Token))
        |(?:\.|->)(?P<built>password|passwd|passphrase|clientSecret|secretKey))\([ \t]*"""
    + _TEXT
    + r"""[ \t]*(?:\.toCharArray\(\)|\.getBytes\(\))?[ \t]*\)""",
    re.VERBOSE,
)
_LOGIN = compile_(
    r"""(?:(?:[bB]asic_?[aA]uth|DigestAuth|[hH]ttpBasic|UsernamePassword\w{0,24}|NetworkCredential|PasswordAuthentication
        |PlainAuth|PlainCredentials|PlainTextAuthProvider|authenticate)|(?<!\w)(?:smtp|ftp|imap|pop|mail|server|session|s|ftps|sftp|client)\.login
        |\bauth[ \t]?[=:][ \t]?)\([ \t]*"""
    + _USER
    + _TEXT,
    re.VERBOSE,
)
"""A user and a password."""
_SERVER = compile_(
    r"""\b(?:mysqli(?:_connect)?|PDO|pymysql\.connect|MySQLdb\.connect|getConnection|DriverManagerDataSource
        |dbConnect|pg\.connect)\([ \t]*(?:["'][^"'\n]{0,300}["']|[\w.$\[\]'"]{1,80})[ \t]*,[ \t]*"""
    + _USER
    + _TEXT,
    re.VERBOSE,
)
"""A server, a user and a password."""
_OPTION = compile_(
    r"""(?:argument|option)\([ \t]*(?:["']-\w["'],[ \t]*)?
        ["']--?(?P<key>[A-Za-z][\w\-]{1,60})["'],[^()\n]{0,200}?\bdefault[ \t]?=[ \t]?"""
    + _TEXT,
    re.VERBOSE,
)
"""`add_argument("--password", default="x")`."""
_FORM = frozenset({"password", "pass", "passwd", "pwd", "secret"})


def calls(text: str) -> Iterator[Span]:
    """Yield the passwords among the arguments of calls in `text`."""
    for match in _SETTER.finditer(text):
        key = match["key"] or match["built"]
        if label(key) >= Label.SECRET and not _names_a_field(match["value"]):
            yield from verdict(key, text, *match.span("value"), quoted=True)
    for pattern in (_LOGIN, _SERVER):
        for match in pattern.finditer(text):
            yield from _password(match)
    if "default" in text:
        for match in _OPTION.finditer(text):
            if label(match["key"]) >= Label.TOKEN:
                yield from verdict(match["key"], text, *match.span("value"), quoted=True)


def _password(match: re.Match[str]) -> Iterator[Span]:
    value = match["value"]
    if value.lower() in _FORM and ("user" in match[0].lower() or "login" in match[0].lower()):
        return  # `auth=("user", "password")`
    found = named(Label.PASSWORD, "password", value, structured=False)
    if found.kind is LiteralKind.CREDENTIAL and found.confidence is not Confidence.POSSIBLE:
        yield Span(match.start("value"), match.end("value"), "password", found.rule, found.confidence)


def _names_a_field(value: str) -> bool:
    """Return whether a text is the name under which a program keeps it: `setPasswordParameter("user_password")`."""
    return label(value) >= Label.SECRET and value.replace("_", "").replace("-", "").isalpha()
