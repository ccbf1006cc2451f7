"""Where credentials stand in a text: token formats, private keys, URLs, headers, and what stands under a name.

One reader for every free text: a configuration file in a ConfigMap, a shell line in `args`, a message of our own. It
works with bounded patterns, so its time grows with the length of the text and nothing else. `redaction.pairs`,
`blocks` and `programs` know where a name has its value; what a value is gets decided in `redaction.verdict`.
"""

import base64
import binascii
import re
from bisect import bisect
from collections.abc import Iterator

from auditor.model.resource import Confidence
from auditor.patterns import compile_
from auditor.redaction.blocks import blocks, pairs_of_names
from auditor.redaction.calls import calls
from auditor.redaction.formats import tokens
from auditor.redaction.notation import Notation
from auditor.redaction.pairs import WORDS, pairs
from auditor.redaction.programs import directives, programs
from auditor.redaction.span import Named, Span
from auditor.redaction.values import holds_key_material, nature, takes_effect
from auditor.redaction.verdict import TEMPLATED, named

__all__ = ["Named", "Span", "certain", "decoded", "named", "pairs_of_names", "private_keys", "spans"]

_PRIVATE_KEY = compile_(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?P<body>(?:(?!-----)[\s\S]){0,20000})(?:-----END (?:"
    r"[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)?"
)
_PACKED_BLOCK = compile_(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,}={0,2}")
_WEB_KEY = compile_(r"\"[dD]\"[ \t]*:[ \t]*\"(?P<value>[A-Za-z0-9_\-]{40,1024})\"")
"""The private part of a JSON Web Key, where its type stands on the same line (`detection.below` reads more lines)."""
_URL_PASSWORD = compile_(
    r"(?:(?<![A-Za-z0-9+.\-])|(?<=:-))(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]{1,30})://(?P<user>(?:\{\{[^{}\n]{1,60}\}\}|\$\{[^{}\n]{1,60}\}"
    r"|[^\s:/@\"'<>\\?#]){0,128}):(?P<password>"
    r"[^\s/\"'<>`\\]{1,256})@(?=(?P<host>[\w\[$<{%(-][\w.\-]{0,80}))"
)
_OF_COORDINATES = frozenset({"maven", "mvn"})
"""Schemes whose colons part group, name and version."""
_DSN_PASSWORD = compile_(r"(?<![\w.])(?P<user>[\w.\-]{1,64}):(?P<password>[^\s@:/\"']{1,128})@(?:tcp|udp|unix)\(")
_HEADER = compile_(
    r"(?P<scheme>[Bb]asic|[Bb]earer|BEARER|BASIC|Token)[ \t]+(?P<value>[A-Za-z0-9+/_~.\-]{4,4096}={0,2})(?![A-Za-z0-9])"
)
_HEADER_NAME = compile_(r"[Aa]uthorization[\"']?[ \t]*[:=,]?[ \t]*[\"']?\Z")
_SCHEMES = ("asic", "earer", "EARER", "ASIC", "Token")
_REPEATED = compile_(r"([A-Za-z0-9])\1{9}")
_DOCUMENTED_LOGINS = frozenset(
    {"user:password", "username:password", "user:pass", "aladdin:open sesame", "test:123\u00a3"}
)
"""Of RFC 7617, and what shows the form."""
_WORDS_FOR_PASSWORDS = frozenset({"pass", "password", "passwd", "pwd", "secret", "pw", "mypassword", "userpassword"})
_WORDS_FOR_USERS = frozenset({"user", "username", "login", "name", "userid", "uname", "db_user", "dbuser", "your_user"})
_WORDS_FOR_HOSTS = frozenset({"host", "hostname", "server", "servername", "address", "ip", "example.com", "domain"})
"""What stands in a URL that shows its form: `postgresql://login:password@hostname:port/dbname`."""


def certain(text: str, *, formats: bool = True) -> list[Span]:
    """Return token formats and private keys in `text`: what no name is needed for.

    `formats`: unset where it is known that `text` holds no token.
    """
    found = [
        Span(start, end, "", rule, Confidence.CERTAIN)
        for start, end, rule in (tokens(text) if formats else ())
        if not _documented(text[start:end], rule)
    ]
    if "PRIVATE KEY" in text:
        found += private_keys(text)
    if '"kty"' in text or '"Kty"' in text:
        found += [
            Span(*match.span("value"), match[0][1], "private-key", Confidence.CERTAIN)
            for match in _WEB_KEY.finditer(text)
        ]
    if "LS0tLS1CRUdJTi" in text:
        found += [
            Span(match.start(), match.end(), "", "private-key", Confidence.CERTAIN)
            for match in _PACKED_BLOCK.finditer(text)
            if "PRIVATE KEY" in (text_of_key := decoded(match[0][: len(match[0]) // 4 * 4]))
            and holds_key_material(text_of_key)
        ]
    return found


def _documented(token: str, rule: str) -> bool:
    """Return whether a token is one that documentation shows: it opens nothing, and everybody copies it."""
    if "EXAMPLE" in token or _REPEATED.search(token):
        return True
    # The token of jwt.io and the one of RFC 7519.
    return rule == "jwt" and token.split(".")[1].startswith(("eyJzdWIiOiIxMjM0NTY3ODkw", "eyJpc3MiOiJqb2Ui"))


def private_keys(text: str, *, before: int | None = None) -> Iterator[Span]:
    """Yield the private keys in `text`, from marker to marker, that hold key material and begin ahead of `before`."""
    for match in _PRIVATE_KEY.finditer(text):
        if before is not None and match.start() >= before:
            return
        if holds_key_material(match["body"]):
            yield Span(match.start(), match.end(), "", "private-key", Confidence.CERTAIN)


def spans(text: str, notation: Notation = Notation.UNKNOWN, *, formats: bool = True) -> list[Span]:
    """Return every credential in `text`, in order and without overlaps; `formats` as for `certain`."""
    found = certain(text, formats=formats)
    prose = notation is Notation.PROSE
    if "@" in text:
        found += _urls(text)
    if any(scheme in text for scheme in _SCHEMES):
        found += _headers(text)
    lower = _lower(text)
    if _names_something(lower):
        found += pairs(text, lower, notation)
        found += () if prose else blocks(text, lower, notation)
    if not prose and "(" in text and ('"' in text or "'" in text):
        found += calls(text)
    if not prose and (" " in text):
        found += programs(text)
        if "pass" in lower or "Pass" in text:
            found += directives(text, notation)
    return _disjoint(found)


def _names_something(lower: str) -> bool:
    # A plain loop: nearly every text passes here and holds none of the words.
    for word in WORDS:  # noqa: SIM110 - twice as fast as `any`
        if word in lower:
            return True
    return False


def decoded(packed: str) -> str:
    """Return the text in base64 `packed`, or the empty text where there is none."""
    try:
        return base64.b64decode(packed, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""


def _disjoint(found: list[Span]) -> list[Span]:
    """Return `found` in order; of two that overlap the surer, then the earlier, then the longer stays."""
    if len(found) < 2:
        return found
    kept: list[Span] = []
    for span in sorted(found, key=lambda s: (s.confidence is not Confidence.CERTAIN, s.start, s.start - s.end)):
        place = bisect(kept, span.start, key=lambda other: other.start)
        free_before = place == 0 or kept[place - 1].end <= span.start
        if free_before and (place == len(kept) or kept[place].start >= span.end):
            kept.insert(place, span)
    return kept


def _urls(text: str) -> Iterator[Span]:
    for match in _URL_PASSWORD.finditer(text):
        plain = _unquoted(match["password"])
        if (
            match["scheme"] in _OF_COORDINATES
            or _shows_the_form(match)
            or (nature(plain) is not None and not takes_effect(plain))
            or TEMPLATED.search(plain)
        ):
            continue
        yield Span(match.start("password"), match.end("password"), "", "url-password", Confidence.LIKELY)
    for match in _DSN_PASSWORD.finditer(text):
        form = match["user"].lower() in _WORDS_FOR_USERS and match["password"].lower() in _WORDS_FOR_PASSWORDS
        if nature(match["password"]) is None and not form and not TEMPLATED.search(match["password"]):
            yield Span(match.start("password"), match.end("password"), "", "url-password", Confidence.LIKELY)


def _shows_the_form(match: re.Match[str]) -> bool:
    """Return whether a URL says where user and password go, in words or capitals, and holds none."""
    user, password, host = match["user"], _unquoted(match["password"]), match["host"]
    if "{" in user and "}" not in user:
        return True  # `redis://${PASSWORD:-}@host`: the colon belongs to the reference
    if password.lower() in _WORDS_FOR_PASSWORDS:
        return user.lower() in _WORDS_FOR_USERS or host.lower() in _WORDS_FOR_HOSTS
    return password.isupper() and "PASS" in password and not any(c.isdigit() for c in password)


def _unquoted(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote  # noqa: PLC0415 - start-up: few addresses need it

    return unquote(text)


def _headers(text: str) -> Iterator[Span]:
    for match in _HEADER.finditer(text):
        value = match["value"]
        before = text[match.start() - 1 : match.start()]
        if before.isalnum() or before == "_":
            continue
        if match["scheme"].lower() == "basic":
            real = ":" in decoded(value).strip(":") and decoded(value).lower() not in _DOCUMENTED_LOGINS
        else:
            named_so = _HEADER_NAME.search(text, max(0, match.start() - 40), match.start()) is not None
            long_enough = len(value) >= (8 if named_so else 20)
            real = long_enough and any(c.isdigit() for c in value) and nature(value) is None
        if real:
            yield Span(
                match.start("value"), match.end("value"), match["scheme"], "authorization-header", Confidence.LIKELY
            )


def _lower(text: str) -> str:
    """Return `text` in lower case with every character in its place, which `str.lower` does not promise."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if c.isascii() else c for c in text)
