"""Credentials as `name = value` on a line, in whatever notation: where the value ends, and whether it is one.

Bounded patterns, line by line: the time grows with the length of the text and nothing else.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from auditor.model.resource import Confidence, LiteralKind
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.notation import Notation
from auditor.redaction.span import Span
from auditor.redaction.verdict import named

WORDS = (
    "pass", "pwd", "secret", "token", "key", "auth", "cred", "cookie", "pw", "jwt", "_pat", "sig=", "psk", "info",
    "_user", "salt",
)  # fmt: skip
"""Without one of these no name in a text labels a credential; for lower-case text."""
_KEYWORD = compile_(
    r"(?:pass|pwd|pw\b|secret|token|key|auth|cred|cookie|jwt|pat\b|psk|user.?info|_users?|salt)[\w.\-]{0,120}"
    r"\\?[\"']?\]?[ \t]*(?:[:=]|\?=)"
)
"""One of them, with a separator behind the name that holds it; for lower-case text."""
_PAIR = compile_(
    r"(?<![\w.\-])(?<!\$\{)(?P<dashes>-{0,2})(?P<key>[A-Za-z_][\w.\-]{0,119})(?P<close>\\?[\"'])?\]?[ \t]*"
    r"(?P<separator>=>|[:?]=|=(?!=)|:(?![:/]))[ \t]*(?:(?:[bBrRuU]{1,2}|N)(?=[\"']))?"
)
"""Before a quote may stand how a program or SQL takes the text: `b'...'`, `N'...'`."""
_COMPARED = compile_(r"\[[ \t\[]|\btest\b|-eq\b|\(\(")
_IN_NAMES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_LONGEST_NAME = 120
_SHORTEST = 3
_LINE_HEAD = compile_(r"[ \t]*(?:[-*][ \t]+)*(?:export[ \t]+|set[ \t]+|ENV[ \t]+|ARG[ \t]+)?[\"']?-{0,2}")
_TAGS = compile_(r"(?:(?:&[\w\-]+|!!(?:str|binary)|!unsafe)[ \t]+)+|Sensitive\(")
"""Before a value: an anchor and the tag of a plain string in YAML, the type of Puppet that hides it."""
COMMENT = compile_(r"[ \t]*(?:#|//(?!\S+:_)|;|--[ \t]|<!--|\*[ \t]|/\*)")
_QUOTED = compile_(
    r"\\\"(?P<escaped>(?:[^\"\\]|\\(?!\"))*)\\\"|\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>(?:[^'\\]|\\.)*)'"
    r"|`(?P<back>[^`]*)`"
)
_WORD = compile_(r"[^\s;&,\"'<>|)}\]`]+")
_CONNECTION_WORD = compile_(r"[^\s;&\"'<>|`]+")
_SHELL_WORD = compile_(r"[^\s;&\"'|`]+")
_CUT = compile_(r"\\[nrt](?![A-Za-z])|\\[nrt]\Z|(?<!\()\)(?=[,.;]?\Z)")
"""An escaped line end in a text, and the end of a remark: `(username=x, password=y)`."""
_ENDS = compile_(r"[ \t]+[#;]|[ \t]+//")
_NAME = compile_(r"[A-Za-z_]+(?![\w\-.!$%*])")
_SEVERAL = compile_(r"[ \t\"'`]|[;&]\w+=")
_NEXT = compile_(r"[;&][A-Za-z_][\w.\-]{0,63}=")
"""Where the next pair of a line begins: `token=x;password=y`."""
_ENCLOSED = ("$(", '"', "'", "`", '\\"')
"""What begins like this has an end of its own."""
_CALL = compile_(
    r"[A-Za-z_][\w.]*\(.*|(?:await|new|lambda|function|return|async)\b.*"
    r"|[A-Za-z_]\w*(?:\??\.\w+)*\[(?:[^\[\]]*\].*|\Z)"
)
_SIGNS_IN_BRACKETS = compile_(r"\w\([^\w()]{1,3}\)\w")
"""`yourStrong(!)Password`."""
_BARE_WORDS = frozenset(
    {
        "str", "string", "String", "bytes", "int", "bool", "boolean", "object", "Any", "any", "None", "nil", "null",
        "self", "this", "undefined", "optional", "required",
    }
)  # fmt: skip
"""Types and words of programs, where a value would stand."""
_WORDS_OF_NAMES = compile_(r"[a-z]+(?:_[a-z]+)+")
_DOTTED = compile_(r"[A-Za-z_][\w]*(?:\??\.[A-Za-z_]\w*)+")
_IDENTIFIER = compile_(r"[A-Za-z][A-Za-z_.\-/]{0,60}")
_NEAR = 200
"""How far around a value its neighbours matter: keeps long lines linear."""
_STATES = frozenset(
    {
        "missing", "found", "not", "unknown", "invalid", "expired", "required", "none", "empty", "set", "unset",
        "denied", "failed", "ok", "valid", "wrong", "incorrect", "present", "absent", "a", "an", "the", "is", "and",
        "or", "to", "of", "in", "for", "must", "cannot", "can", "no", "only", "literal", "credential", "reference",
        "it", "this", "read", "never", "too",
    }
)  # fmt: skip
_LOGIN_NAME = compile_(r"(?i)(?:^|[._-])(?:user[._-]?info|basic[._-]?auth|user[._-]?pwd|user[._-]?pass|auth)$")
_LOGIN_OF = compile_(r"[A-Z][A-Z0-9_]*_(?:BOOTSTRAP|ADMIN|AUTH|BASIC|DEFAULT|API)_USERS?|[A-Z]+_BOOTSTRAP_USERS?")
_LOGIN = compile_(
    r"(?:\$\{\w+:-[\"']?)?(?P<user>[A-Za-z][\w.@+\-]{0,63})(?:(?<=neo4j)/|:)(?P<value>[^\s:/@\"'${}<>]{3,128})[\"']?\}?"
)
"""`basic.auth.user.info=alice:secret`."""


_PACKED_LOGIN = compile_(r"[A-Za-z0-9+/]{8,400}={0,2}")
"""Of npm: `_auth=` with user and password in base64."""
_DIGEST_OF = ("checksum/", "hash/", "checksum-", "sha256/")
"""`checksum/secret: 9f86...`."""
_DIGEST = compile_(r"[\"']?[0-9a-f]{32,128}(?![\w.\-])")


class _Place(NamedTuple):
    """A line, and how it is written."""

    text: str
    start: int
    end: int
    notation: Notation
    comment: bool


def pairs(text: str, lower: str, notation: Notation) -> Iterator[Span]:
    """Yield the credentials that stand behind a name and a separator; `lower` is the text in lower case."""
    position, place = 0, _Place(text, 0, -1, notation, comment=False)
    for hit in _KEYWORD.finditer(lower):
        if hit.start() < position:
            continue
        if hit.start() >= place.end:
            place = _line_around(text, hit.start(), hit.end(), notation)
        first = hit.start()
        while first > place.start and text[first - 1] in _IN_NAMES:
            first -= 1
        match = _PAIR.search(text, first, min(place.end, hit.end() + _NEAR))
        if match is None or match.start("key") > hit.start():
            continue
        position = match.end("key")
        end, found = _value_of(place, match)
        spans = tuple(found)
        # What is no credential can hold one and is looked into from its start: a line of several pairs.
        whole = spans or text.startswith(_ENCLOSED, match.end())
        position = max(position, end if whole else match.end())
        yield from spans


def _line_around(text: str, start: int, end: int, notation: Notation) -> _Place:
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    last = len(text) if last < 0 else last
    return _Place(text, first, last, notation, comment=COMMENT.match(text, first, last) is not None)


def _value_of(place: _Place, match: re.Match[str]) -> tuple[int, Iterable[Span]]:
    """Return where the value of a pair ends, as far as nothing in it need be looked at again, and what it is."""
    text, position = place.text, match.end()
    key = match["key"]
    if text[match.start() - 1 : match.start()] == "\\" and key[0] in "nrt":
        key = key[1:]  # the escape of a line end before it
    strength = _strength(match, key)
    logs_in = is_login(key)
    if strength <= Label.WEAK and not logs_in:
        return 0, ()
    if text[match.start() - 1 : match.start()] == "$" and not _assigned(place, match):
        return 0, ()
    tags = _TAGS.match(text, position, place.end)
    position = tags.end() if tags is not None else position
    quoted = _QUOTED.match(text, position, place.end)
    if quoted is not None:
        start, end = quoted.span(quoted.lastgroup or "double")
        position = quoted.end()
        code = place.notation is Notation.CODE
        known = code and not match["dashes"] and _names_a_key(key, text[start:end])
        if quoted.lastgroup == "back" or known or _closes(place, match, quoted) or _told(place, match):
            return position, ()
    else:
        start, end = (position, position) if _told(place, match) else _unquoted(place, match, position)
        position = max(position, end)
    if start >= end:
        return position, ()
    if logs_in and strength <= Label.WEAK:
        return 0, login(key, text, start, end)
    notation = place.notation
    if match["dashes"] and quoted is not None:
        notation = Notation.SHELL
    elif text[match.start() - 1 : match.start()] in {";", "?", "&"}:
        notation = Notation.DATA  # a connection string or a query, whatever stands around it
    setting = (
        strength is Label.SECRET and notation is Notation.DATA and match["separator"] == "=" and not match["close"]
    )
    found = verdict(
        key, text, start, end, quoted=quoted is not None, notation=notation, strength=strength, setting=setting
    )
    return position, found


def _closes(place: _Place, match: re.Match[str], quoted: re.Match[str]) -> bool:
    """Return whether the quote behind the separator ends a text: `"unexpected token =", ...`."""
    if place.notation not in {Notation.CODE, Notation.UNKNOWN} or match["close"] or quoted.lastgroup == "escaped":
        return False
    quote = place.text[quoted.start()]
    return place.text.count(quote, place.start, match.start()) % 2 == 1


def _assigned(place: _Place, match: re.Match[str]) -> bool:
    """Return whether `$password = "x"` gives a variable its value, as PHP, Perl, PowerShell and charts do."""
    quoted = match.string[match.end() : match.end() + 1] in {'"', "'"}
    if match["separator"] not in {"=", ":="} or match["close"] or not quoted:
        return False
    return place.notation is not Notation.SHELL or _COMPARED.search(place.text, place.start, match.start()) is None


def _told(place: _Place, match: re.Match[str]) -> bool:
    """Return whether a command line tells of a secret: `echo "Created secret: credentials"`."""
    if (
        place.notation is not Notation.SHELL
        or match["separator"] != ":"
        or match["close"]
        or not match["key"].isalpha()
    ):
        return False
    if _strength(match, match["key"]) is Label.PASSWORD and match.string[match.end() : match.end() + 1] in {'"', "'"}:
        return False  # `db.createUser({user: 'a', pwd: 'b'})`
    if match.string[match.end("key")] in {" ", "\t"}:
        return True
    blank = match.string[match.end() - 1 : match.end()] in {" ", "\t"}
    head = _LINE_HEAD.fullmatch(match.string, place.start, match.start("key")) is not None
    return blank and not head and label(match["key"]) < Label.PASSWORD


def _strength(match: re.Match[str], key: str) -> Label:
    strength = label(key)
    if (
        strength is not Label.NONE
        and match.string.endswith(_DIGEST_OF, 0, match.start("key"))
        and _DIGEST.match(match.string, match.end()) is not None
    ):
        return Label.NONE  # by which pods are replaced when their Secret changes
    if strength is Label.NONE and key.lower() == "pwd":
        # `Pwd=` of a connection string, `pwd: "x"` of the mongo shell; alone it is the shell's working folder.
        before = match.string[match.start() - 1 : match.start()]
        after = match.string[match.end() : match.end() + 1]
        if before in {";", "?", "&"} or (match["separator"] == ":" and after in {'"', "'"}):
            return Label.PASSWORD
        if before in {"", "\n"} and match["separator"] == "=" and after not in {"$", "`", "/", ".", "~"}:
            return Label.PASSWORD  # of a file of settings: a folder begins otherwise
    return strength


def _unquoted(place: _Place, match: re.Match[str], start: int) -> tuple[int, int]:
    """Return where the unquoted value at `start` ends: the line at its head, one word inside of it.

    Empty where the notation has no such values there.
    """
    text, notation = place.text, place.notation
    nothing = (start, start)
    before = text[match.start() - 1 : match.start()]
    tight = text[match.end("separator") : match.end("separator") + 1] not in {" ", "\t"}
    assignment = match["separator"] == "=" and tight and text[match.end("key")] == "="
    head = _LINE_HEAD.fullmatch(text, place.start, match.start("key")) is not None
    if _impossible(match, text, notation, assignment=assignment, tight=tight, head=head, before=before):
        return nothing
    prose = notation is Notation.PROSE or place.comment
    several = assignment and match["key"].isupper() and not _alone(text, start, place)
    if notation is Notation.SHELL or prose or not head or match["close"] or several:
        word = _word_pattern(place, before, start, assignment=assignment).match(text, start, place.end)
        if word is None:
            return nothing
        cut = _CUT.search(word[0])
        if cut is not None:
            return start, start + cut.start()
        rest = text[word.end() : min(place.end, word.end() + _NEAR)].strip(" \t.,;\"'->\\")
        if prose and match["separator"] == ":" and rest:
            return nothing
        return word.span()
    value = _ENDS.split(text[start : place.end], maxsplit=1)[0].rstrip(" \t\r,;")
    value = value[:-1].rstrip(" \t") if value.endswith(" \\") else value  # the line goes on
    following = _NEXT.search(value) if assignment else None
    return start, start + (len(value) if following is None else following.start())


def _alone(text: str, start: int, place: _Place) -> bool:
    """Return whether what follows is one word of a file of data, whatever it holds: of `- A_PASSWORD=x;y`."""
    return place.notation is Notation.DATA and _SEVERAL.search(text, start, place.end) is None


def _impossible(  # noqa: PLR0911 - an ordered list of evidence
    match: re.Match[str], text: str, notation: Notation, *, assignment: bool, tight: bool, head: bool, before: str
) -> bool:
    """Return whether no value can stand there without quotes."""
    if match["key"].removeprefix("n") in {"PASS", "Pass"} and match["separator"] == ":":
        # What a test says that went well.
        return notation not in {Notation.DATA, Notation.HCL} or not head
    if match["separator"] == "=>" and _NAME.match(text, match.end()) is not None:
        return True  # an argument of a call
    if match["separator"] == ":" and tight and "]" in match[0]:
        return True  # `input[type="password"]:focus`
    if match["separator"] == ":" and tight and (not head or before in {'"', "'"} or notation is not Notation.DATA):
        # `module.auth_token:factory`, `'a-secret:key'`: in no notation is that a name with its value.
        return match["close"] is None
    if "{{" in text[max(0, match.start() - _NEAR) : match.start()].rpartition("}}")[2].rpartition("\n")[2]:
        return True  # inside of an expression of a template
    match notation:
        case Notation.CODE:
            return not (assignment and (before in {";", "?", "&", '"', "'"} or _in_a_text(match, text, before)))
        case Notation.HCL:
            return not assignment and match["separator"] != ":"
        case Notation.SHELL:
            return False
        case _:
            # `os.environ["PGPASSWORD"] = password`
            return match["close"] is not None and match["separator"] == "=" and "]" in match[0]


def _in_a_text(match: re.Match[str], text: str, before: str) -> bool:
    """Return whether `NAME=value` stands inside of a program's text: `"docker run -e DB_PASSWORD=x"`."""
    if before != " " or not (match["key"].isupper() or label(match["key"]) is Label.PASSWORD):
        return False
    head = text[max(text.rfind("\n", 0, match.start()) + 1, match.start() - _NEAR) : match.start()]
    return head.count('"') % 2 == 1 or head.count("'") % 2 == 1


def _word_pattern(place: _Place, before: str, start: int, *, assignment: bool) -> re.Pattern[str]:
    shell = place.notation is Notation.SHELL
    if before in {";", "?", "&"}:
        return _CONNECTION_WORD
    if shell:
        return _SHELL_WORD if before in {"", " ", "\n"} else _WORD
    window = (max(place.start, start - _NEAR), min(place.end, start + _NEAR))
    return _CONNECTION_WORD if assignment and place.text.find(";", *window) >= 0 else _WORD


def is_login(key: str) -> bool:
    """Return whether user and password stand together under the name `key`."""
    return _LOGIN_NAME.search(key) is not None or _LOGIN_OF.fullmatch(key) is not None


def login(key: str, text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the password of `user:password` under the name of a login."""
    match = _LOGIN.fullmatch(text, start, end)
    packed = match is None and key.endswith("_auth") and _PACKED_LOGIN.fullmatch(text, start, end)
    if packed and _packs_a_login(text[start:end]):
        yield Span(start, end, key, "named-credential", Confidence.LIKELY)
    if match is None or match["value"].isdigit() or match["user"].lower() in {"system", "basic", "bearer"}:
        return
    found = named(Label.PASSWORD, key, match["value"], structured=True)
    if found.kind is LiteralKind.CREDENTIAL:
        yield Span(match.start("value"), match.end("value"), key, found.rule, found.confidence)


def _packs_a_login(packed: str) -> bool:
    import base64  # noqa: PLC0415 - start-up: few names want it
    import binascii  # noqa: PLC0415 - as above

    try:
        user, colon, password = base64.b64decode(packed, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return False
    return bool(user and colon and len(password) >= _SHORTEST and password.isprintable())


def verdict(
    key: str,
    text: str,
    start: int,
    end: int,
    *,
    quoted: bool,
    notation: Notation = Notation.UNKNOWN,
    strength: Label | None = None,
    setting: bool = False,
) -> Iterator[Span]:
    """Yield the value between `start` and `end` where it is a credential under the name `key`.

    `setting`: in `secret = x` of a file of settings stands the secret itself, in `secret: x` as often its name.
    """
    value = text[start:end]
    if len(value) > 4096:
        return
    called = _CALL.fullmatch(value) and not (notation is Notation.DATA and _SIGNS_IN_BRACKETS.search(value))
    if not quoted and (value[0] in "{[|>&*(!" or called or _is_code(key, value, notation)):
        return
    if notation is Notation.PROSE and not quoted and value.lower().strip(".,:;") in _STATES:
        return
    structured = notation is not Notation.SHELL and not setting
    found = named(label(key) if strength is None else strength, key, value, structured=structured)
    if found.kind is LiteralKind.CREDENTIAL and found.confidence is not Confidence.POSSIBLE:
        stripped = len(value) - len(value.lstrip())
        yield Span(start + stripped + found.start, start + stripped + found.end, key, found.rule, found.confidence)


def _is_code(key: str, value: str, notation: Notation) -> bool:
    """Return whether the unquoted `value` is program text: `token: str,`, `key=key`, `a.token`."""
    bare = value.rstrip(",;:)")
    if bare in _BARE_WORDS:
        return True
    loose = notation in {Notation.UNKNOWN, Notation.PROSE, Notation.HCL, Notation.CODE}
    if loose and bare.lower() == key.lower().rpartition(".")[2].strip("_"):
        return True
    if _DOTTED.fullmatch(bare) is None:
        return False
    return loose or label(bare.replace("?", "")) > Label.WEAK


_OF_A_DATABASE = compile_(
    r"(?i)(?:\A|_)(?:db|database|postgres(?:ql)?|pg|mysql|mariadb|mssql|mongo(?:db)?|redis|rabbitmq)_"
)
_COMMONEST = frozenset({"password", "passwd", "secret"})
"""`DB_PASSWORD = "password"` is no name of a field, as `CONF_PASSWORD = "password"` is."""


def _names_a_key(key: str, value: str) -> bool:
    """Return whether a program's text is the name of a credential, to look it up by: `TOKEN_HEADER = "x-api-token"`."""
    if key.endswith(("Key", "KEY")) and _WORDS_OF_NAMES.fullmatch(value):
        return True
    if _OF_A_DATABASE.search(key) is not None and value.lower() in _COMMONEST:
        return False
    return label(value) is not Label.NONE and _IDENTIFIER.fullmatch(value) is not None
