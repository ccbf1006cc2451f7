"""Where credentials stand in a text: token formats, private keys, URLs, headers, and `name = value` in any notation.

One reader for every free text: a configuration file in a ConfigMap, a shell line in `args`, a message of our own. It
works line by line with bounded patterns, so its time grows with the length of the text and nothing else. What a value
under a credential's name is gets decided in `named`.
"""

import base64
import binascii
import re
from bisect import bisect
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote

from auditor.model.resource import Confidence, LiteralKind
from auditor.redaction.formats import tokens
from auditor.redaction.names import Label, label
from auditor.redaction.values import default_of, holds_key_material, looks_random, measure, nature


class Span(NamedTuple):
    """One credential in a text."""

    start: int
    end: int
    key: str
    """The name that stands beside it in the text; empty where the value speaks for itself."""
    rule: str
    confidence: Confidence


class Named(NamedTuple):
    """What a value under a name is."""

    kind: LiteralKind
    rule: str
    confidence: Confidence
    start: int = 0
    """Where in the value the credential starts: not at 0 where it is the default of `${NAME:-default}`."""
    end: int = 0


_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?P<body>(?:(?!-----)[\s\S]){0,20000})(?:-----END (?:"
    r"[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)?"
)
_PACKED_BLOCK = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,}={0,2}")
_URL_PASSWORD = re.compile(
    r"(?<![A-Za-z0-9+.\-])(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]{1,30})://(?P<user>[^\s:/@\"'<>\\?#]{0,128}):(?P<password>"
    r"[^\s/\"'<>`\\]{1,256})@(?=[\w\[$<{%(-])"
)
_DSN_PASSWORD = re.compile(r"(?<![\w.])[\w.\-]{1,64}:(?P<password>[^\s@:/\"']{1,128})@(?:tcp|udp|unix)\(")
_HEADER = re.compile(
    r"(?P<name>[Aa]uthorization[\"']?[ \t]*[:=,]?[ \t]*[\"']?)?\b(?P<scheme>[Bb]asic|[Bb]earer|BEARER|BASIC"
    r"|Token)[ \t]+(?P<value>[A-Za-z0-9+/_~.\-]{4,4096}={0,2})(?![A-Za-z0-9])"
)
_WORDS = (
    "pass", "pwd", "secret", "token", "key", "auth", "cred", "cookie", "pw", "jwt", "_pat", "sig=",
)  # fmt: skip
_KEYWORD = re.compile(r"pass|pwd|pw\b|secret|token|key|auth|cred|cookie|jwt|pat\b")
"""Without one of these no name labels a credential; applied to lower-case text."""
_PAIR = re.compile(
    r"(?<![\w.\-$])(?<!\$\{)(?P<dashes>-{0,2})(?P<key>[A-Za-z_][\w.\-]{0,119})(?P<close>\\?[\"'])?\]?[ \t]*"
    r"(?P<separator>=>|:=|=(?!=)|:(?![:/]))[ \t]*"
)
_LINE_HEAD = re.compile(r"[ \t]*(?:[-*][ \t]+)?(?:export[ \t]+|set[ \t]+|ENV[ \t]+|ARG[ \t]+)?[\"']?-{0,2}")
_QUOTED = re.compile(
    r"\\\"(?P<escaped>(?:[^\"\\]|\\(?!\"))*)\\\"|\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>(?:[^'\\]|\\.)*)'"
    r"|`(?P<back>[^`]*)`"
)
_WORD = re.compile(r"[^\s;&,\"'<>|)}\]`]+")
_CONNECTION_WORD = re.compile(r"[^\s;&\"'<>|`]+")
_SHELL_WORD = re.compile(r"[^\s;&\"'|`]+")
_ELEMENT = re.compile(r"<(?P<key>[\w:.\-]{1,80})(?:[ \t][^<>\n]{0,120})?>(?P<value>[^<>\n]{1,1024})</")
_NAME_VALUE = re.compile(
    r"[\"']?(?<![\w-])(?:name|key|Name|Key)[\"']?[ \t]*[:=][ \t]*[\"']?(?P<key>[\w.\-]{2,120})[\"']?[ \t]*,?\s{0,40}"
    r"[\"']?[Vv]alue[\"']?[ \t]*[:=][ \t]*"
    r"(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<plain>[^\s\"',}<>][^\n\"',}<>]*))"
)
_FLAG = re.compile(
    r"(?<![\w\-])--?(?P<key>[A-Za-z][\w\-]{1,60})[ \t]+(?P<quote>[\"']?)(?P<value>[^\s\"'\-|&;<>][^\s\"'|&;]*)"
    r"(?P=quote)"
)
_PROGRAMS: tuple[tuple[tuple[str, ...], str, str], ...] = tuple(
    (needles, name, "".join(pattern))
    for needles, name, *pattern in (
        (
            ("curl", "wget"),
            "user",
            r"\b(?:curl|wget)\b[^\n|;]{0,400}?[ \t](?:-u|--user)(?:[ \t]+",
            r"|=)?[\"']?[^\s:\"'$]{1,64}:(?P<value>[^\s\"']{1,128})",
        ),
        (
            ("mysql", "mariadb"),
            "password",
            r"\b(?:mysql|mysqladmin|mysqldump|mysqlshow|mariadb|mariadb-admin",
            r"|mariadb-dump)\b[^\n|;&]{0,400}?[ \t]-p(?P<value>[^\s\"']{1,128}|\"[^\"\n]{1,128}\"|'[^'\n]{1,128}')",
        ),
        (("redis-cli",), "password", r"\bredis-cli\b[^\n|;&]{0,400}?[ \t]-a[ \t]+[\"']?(?P<value>[^\s\"']{1,128})"),
        (("sshpass",), "password", r"\bsshpass[ \t]+-p[ \t]*[\"']?(?P<value>[^\s\"']{1,128})"),
        (
            ("mongo", "login", "rabbitmqadmin"),
            "password",
            r"\b(?:mongo|mongosh|mongodump|docker[ \t]+login|podman[ \t]+login|registry[ \t]+login",
            r"|rabbitmqadmin)\b[^\n|;&]{0,400}?[ \t]-p[ \t]+[\"']?(?P<value>[^\s\"']{1,128})",
        ),
        (
            ("chpasswd",),
            "password",
            r"\becho[ \t]+(?:-\w+[ \t]+)?[\"']?[\w.\-]{1,64}:(?P<value>[^\s\"'|]{1,128})[\"']?[ \t]*\|[ \t]*(?:\w+",
            r"[ \t]+)?chpasswd",
        ),
        (
            ("requirepass", "masterauth"),
            "requirepass",
            r"(?:^|\n)[ \t]*(?:requirepass|masterauth)[ \t]+[\"']?(?P<value>[^\s\"']{1,512})",
        ),
        (
            ("login",),
            "password",
            r"\b(?:machine\s{1,8}\S{1,128}|default)\s{1,8}login[ \t]+\S{1,128}\s{1,8}password[ \t]+(?P<value>",
            r"[^\s\"']{1,128})",
        ),
        (
            ("dentified", "DENTIFIED", "PASSWORD '", "password '"),
            "password",
            r"\b(?:(?i:IDENTIFIED[ \t]+(?:WITH[ \t]+\w+[ \t]+)?BY)|(?i:(?:WITH|ENCRYPTED|USER|ROLE|LOGIN",
            r"|SUPERUSER)\b[^;'\n]{0,80}\bPASSWORD))[ \t]+'(?P<value>[^'\n]{1,128})'",
        ),
    )
)
"""Programs and languages that take a password in a place of their own: (what their text holds, name, pattern)."""
_SIGNATURE = re.compile(r"[?&;]sig=(?P<value>[A-Za-z0-9%+/=_-]{20,200})")
_DEFAULT = re.compile(r"\$\{(?P<key>[A-Za-z_][\w.\-]{0,119}):[-=]?(?P<value>[^{}\n]{1,512})\}")
_TEMPLATED = re.compile(r"\$\{|\{\{|\$\(|<%|\$[A-Z_]{3,}|%\(")
_CALL = re.compile(r"[A-Za-z_][\w.]*\(.*|(?:await|new|lambda|function|return)\b.*|[A-Za-z_]\w*(?:\.\w+)*\[.*")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z_.\-/]{0,60}")
_ENVIRONMENT_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_TYPES = frozenset(
    {
        "str",
        "string",
        "String",
        "bytes",
        "int",
        "bool",
        "boolean",
        "object",
        "Any",
        "any",
        "None",
        "nil",
        "null",
        "self",
    }
)
_DOTTED = re.compile(r"[A-Za-z_][\w.]*")
_NEAR = 200
"""How far around a value its neighbours matter: keeps long lines linear."""
_SECRET_KEY = re.compile(r"secret[-_.]?key$", re.IGNORECASE)
_ACCESS_KEY = re.compile(r"(?<!secret)(?<!secret[-_.])access[-_.]?key$", re.IGNORECASE)
"""An access key without `secret` before it is a user's name to S3, and a secret to Azure, where it is long."""
_OBJECT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?")
_NO_TOKENS = frozenset(
    {
        "basic", "bearer", "jwt", "oauth", "oauth2", "oidc", "header", "query", "kubernetes", "k8s", "static",
        "file", "env", "local",
        "opaque", "internal", "manual", "automatic", "generated", "random", "client", "access", "refresh", "vault",
        "aws", "gcp",
        "azure", "cookie", "session", "self-signed", "strong", "weak", "standard", "plain", "prompt", "stdin",
    }
)  # fmt: skip
_STATES = frozenset(
    {
        "missing", "found", "not", "unknown", "invalid", "expired", "required", "none", "empty", "set", "unset",
        "denied", "failed",
        "ok", "valid", "wrong", "incorrect", "present", "absent", "a", "an", "the", "is", "and", "or", "to", "of",
        "in", "for", "must",
        "cannot", "can", "no", "only", "literal", "credential", "reference", "it", "this", "read", "never", "too",
    }
)  # fmt: skip


def named(  # noqa: PLR0911 - an ordered list of evidence
    strength: Label, key: str, value: str, *, structured: bool
) -> Named:
    """Return what `value` is under a name of that strength.

    `structured`: in nested configuration a word under `secretKey` or `apiKey` is as often the name of a key as the
    key itself, so plain names are references there.
    """
    plain = nature(value)
    if plain is not None:
        return Named(*plain, Confidence.LIKELY)
    fallback = default_of(value)
    if fallback is not None:
        return _default(strength, key, value, *fallback, structured=structured)
    text = value.strip()
    if _TEMPLATED.search(text):
        return Named(LiteralKind.REFERENCE, "templated", Confidence.LIKELY)
    if _ENVIRONMENT_NAME.fullmatch(text) and (label(text) >= Label.SECRET or (key and text.startswith(key))):
        return Named(LiteralKind.REFERENCE, "variable-name", Confidence.LIKELY)
    match strength:
        case Label.PASSWORD:
            return _password(text, structured=structured)
        case Label.TOKEN | Label.SECRET:
            return _machine_made(strength, key, text, structured=structured)
        case _:
            random = looks_random(text) and not measure(text)
            return (
                Named(LiteralKind.CREDENTIAL, "random-under-weak-name", Confidence.POSSIBLE, 0, len(value))
                if random
                else _PUBLIC
            )


_PUBLIC = Named(LiteralKind.PUBLIC, "plain", Confidence.LIKELY)


def _default(strength: Label, key: str, value: str, name: str, default: str, *, structured: bool) -> Named:
    strength = max(strength, label(name))
    if strength < Label.SECRET or not default:
        return Named(LiteralKind.REFERENCE, "reference", Confidence.LIKELY)
    inner = named(strength, key, default, structured=structured)
    if inner.kind is not LiteralKind.CREDENTIAL:
        return Named(LiteralKind.REFERENCE, "reference", Confidence.LIKELY)
    start = value.index(default, value.index(name) + len(name))
    return inner._replace(start=start, end=start + len(default))


def _password(text: str, *, structured: bool) -> Named:
    found = measure(text)
    if found and not (text.isdigit() and len(text) >= 3) and found not in {"uuid", "digest"}:
        return Named(LiteralKind.PUBLIC, found, Confidence.LIKELY)
    if text.count(" ") >= (3 if structured else 7):
        return Named(LiteralKind.PUBLIC, "prose", Confidence.LIKELY)
    return Named(LiteralKind.CREDENTIAL, "named-credential", Confidence.LIKELY, 0, len(text))


def _machine_made(  # noqa: PLR0911 - an ordered list of evidence
    strength: Label, key: str, text: str, *, structured: bool
) -> Named:
    found = measure(text)
    if found in {"number", "duration", "size"}:
        return Named(LiteralKind.PUBLIC, found, Confidence.LIKELY)
    if len(text) < 4 or text.lower() in _NO_TOKENS:
        return _PUBLIC
    if len(text) < 16 and _ACCESS_KEY.search(key):
        return Named(LiteralKind.PUBLIC, "access-key-id", Confidence.LIKELY)
    if text.count(" ") >= 2:
        return Named(LiteralKind.PUBLIC, "prose", Confidence.LIKELY)
    if structured and _IDENTIFIER.fullmatch(text) and label(text) is not Label.NONE:
        return Named(LiteralKind.REFERENCE, "key-name", Confidence.LIKELY)
    if structured and _SECRET_KEY.search(key) and _OBJECT_NAME.fullmatch(text) and not any(c.isdigit() for c in text):
        return Named(LiteralKind.REFERENCE, "key-name", Confidence.LIKELY)
    if strength is Label.SECRET and _OBJECT_NAME.fullmatch(text) and (structured or "-" in text) and not found:
        return Named(LiteralKind.REFERENCE, "object-name", Confidence.LIKELY)
    return Named(LiteralKind.CREDENTIAL, "named-credential", Confidence.LIKELY, 0, len(text))


def certain(text: str) -> list[Span]:
    """Return token formats and private keys in `text`: what no name is needed for."""
    found = [
        Span(start, end, "", rule, Confidence.CERTAIN)
        for start, end, rule in tokens(text)
        if "EXAMPLE" not in text[start:end]
    ]
    if "PRIVATE KEY" in text:
        found += private_keys(text)
    if "LS0tLS1CRUdJTi" in text:
        found += [
            Span(match.start(), match.end(), "", "private-key", Confidence.CERTAIN)
            for match in _PACKED_BLOCK.finditer(text)
            if "PRIVATE KEY" in decoded(match[0][: len(match[0]) // 4 * 4])
        ]
    return found


def private_keys(text: str) -> list[Span]:
    """Return the private keys in `text`, from marker to marker, that hold key material."""
    return [
        Span(match.start(), match.end(), "", "private-key", Confidence.CERTAIN)
        for match in _PRIVATE_KEY.finditer(text)
        if holds_key_material(match["body"])
    ]


def pairs_of_names(text: str) -> list[Span]:
    """Return the credentials in `name: DB_PASSWORD` / `value: x`, which may stand on lines of their own."""
    return [
        span
        for match in _NAME_VALUE.finditer(text)
        for span in _verdict(match["key"], text, *match.span(match.lastgroup or "plain"), quoted=True)
    ]


def spans(text: str, *, shell: bool = False, prose: bool = False, code: bool = False) -> list[Span]:
    """Return every credential in `text`, in order and without overlaps.

    `shell`: the text is a command line, so `--password x` counts whatever x looks like. `prose`: the text is a message
    for people, so `token: missing` is not a credential. `code`: it is a program, whose literals stand in quotes, and
    where a text that names a credential is a key to look it up by.
    """
    found = certain(text)
    if "@" in text:
        found += _urls(text)
    if _HEADER_HINT.search(text):
        found += _headers(text)
    lower = _lower(text)
    if any(word in lower for word in _WORDS):
        found += _pairs(text, lower, shell=shell, prose=prose, code=code)
        found += () if prose else _blocks(text, shell=shell)
    if not prose and (" " in text):
        found += _programs(text)
    return _disjoint(found)


_HEADER_HINT = re.compile(r"[Bb]asic[ \t]|[Bb]earer[ \t]|BEARER|BASIC|Token[ \t]")


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
        user, password = match["user"].lower(), match["password"]
        plain = unquote(password)
        documentation = user in {"user", "username"} and plain.lower() in {"pass", "password", "passwd", "pwd"}
        if documentation or nature(plain) is not None or _TEMPLATED.search(plain):
            continue
        yield Span(match.start("password"), match.end("password"), "", "url-password", Confidence.LIKELY)
    for match in _DSN_PASSWORD.finditer(text):
        if nature(match["password"]) is None:
            yield Span(match.start("password"), match.end("password"), "", "url-password", Confidence.LIKELY)


def _headers(text: str) -> Iterator[Span]:
    for match in _HEADER.finditer(text):
        value = match["value"]
        if match["scheme"].lower() == "basic":
            real = ":" in decoded(value)
        else:
            real = (
                nature(value) is None and any(c.isdigit() for c in value) and len(value) >= (8 if match["name"] else 20)
            )
        if real:
            yield Span(
                match.start("value"), match.end("value"), match["scheme"], "authorization-header", Confidence.LIKELY
            )


def _lower(text: str) -> str:
    """Return `text` in lower case with every character in its place, which `str.lower` does not promise."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if c.isascii() else c for c in text)


def _pairs(text: str, lower: str, *, shell: bool, prose: bool, code: bool) -> Iterator[Span]:
    line_end = -1
    for hit in _KEYWORD.finditer(lower):
        if hit.start() < line_end:
            continue
        line_start = text.rfind("\n", 0, hit.start()) + 1
        line_end = text.find("\n", hit.end())
        if line_end < 0:
            line_end = len(text)
        yield from _line(text, line_start, line_end, shell=shell, prose=prose, code=code)


def _blocks(text: str, *, shell: bool) -> Iterator[Span]:
    """Yield credentials whose name and value are tied by more than a separator: elements, flags, defaults."""
    for needle, pattern in (("</", _ELEMENT), ("alue", _NAME_VALUE), ("${", _DEFAULT)):
        if needle in text:
            for match in pattern.finditer(text):
                group = match.lastgroup or "value"
                yield from _verdict(match["key"], text, match.start(group), match.end(group), quoted=True)
    if "-" in text:
        for match in _FLAG.finditer(text):
            strength = label(match["key"])
            if strength >= Label.TOKEN and (shell or not match["value"].isalpha()):
                yield from _verdict(match["key"], text, match.start("value"), match.end("value"), quoted=True)
    if "sig=" in text:
        for match in _SIGNATURE.finditer(text):
            rule = "azure-shared-access-signature"
            yield Span(match.start("value"), match.end("value"), "sig", rule, Confidence.LIKELY)


def _line(text: str, line_start: int, line_end: int, *, shell: bool, prose: bool, code: bool) -> Iterator[Span]:
    position = line_start
    while (match := _PAIR.search(text, position, line_end)) is not None:
        position = match.end()
        key = match["key"]
        strength = label(key)
        if (
            strength is Label.NONE
            and key.lower() == "pwd"
            and text[match.start() - 1 : match.start()] in {";", "?", "&"}
        ):
            strength = Label.PASSWORD
        if strength <= Label.WEAK:
            continue
        quoted = _QUOTED.match(text, position, line_end)
        if quoted is not None:
            group = quoted.lastgroup or "double"
            start, end = quoted.span(group)
            position = quoted.end()
            if group == "back" or (code and _names_a_key(text[start:end])):
                continue
        elif code:
            continue
        else:
            start, end = _unquoted(text, match, line_start, line_end, shell=shell, prose=prose)
            position = max(position, end)
        if start < end:
            yield from _verdict(key, text, start, end, quoted=quoted is not None, prose=prose, strength=strength)


def _unquoted(
    text: str, match: re.Match[str], line_start: int, line_end: int, *, shell: bool, prose: bool
) -> tuple[int, int]:
    """Return where the unquoted value after `match` starts and ends: the line at its head, one word inside of it."""
    start = match.end()
    at_head = _LINE_HEAD.fullmatch(text, line_start, match.start("key")) is not None
    assignment = match["separator"] == "=" and text[match.end("key") : start] == "="
    if shell or prose or not at_head or match["close"] or (assignment and match["key"].isupper()):
        before = text[match.start() - 1 : match.start()]
        pattern = _SHELL_WORD if shell and before in {"", " ", "\n"} else _WORD
        if before in {";", "?", "&"} or (
            assignment
            and text.find(";", max(line_start, start - _NEAR), min(line_end, start + _NEAR)) >= 0
            and not shell
        ):
            pattern = _CONNECTION_WORD
        word = pattern.match(text, start, line_end)
        if word is None:
            return start, start
        if (
            prose
            and match["separator"] == ":"
            and text[word.end() : min(line_end, word.end() + _NEAR)].strip(" \t.,;\"'")
        ):
            return start, start
        return word.span()
    value = text[start:line_end]
    value = re.split(r"[ \t]+[#;]|[ \t]+//", value, maxsplit=1)[0].rstrip(" \t\r,;")
    return start, start + len(value)


def _verdict(
    key: str, text: str, start: int, end: int, *, quoted: bool, prose: bool = False, strength: Label | None = None
) -> Iterator[Span]:
    value = text[start:end]
    if len(value) > 4096:
        return
    if not quoted and (value[0] in "{[|>&*(!" or _CALL.fullmatch(value)):
        return
    if not quoted and _is_code(key, value):
        return
    if prose and not quoted and value.lower().strip(".,:;") in _STATES:
        return
    found = named(label(key) if strength is None else strength, key, value, structured=True)
    if found.kind is LiteralKind.CREDENTIAL and found.confidence is not Confidence.POSSIBLE:
        stripped = len(value) - len(value.lstrip())
        yield Span(start + stripped + found.start, start + stripped + found.end, key, found.rule, found.confidence)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return `pattern`, compiled when a text first needs it: all at once would cost every start."""
    return re.compile(pattern)


def _is_code(key: str, value: str) -> bool:
    """Return whether the unquoted `value` is program text: `token: str,`, `key=key`, `a.token`."""
    bare = value.rstrip(",;:)")
    if bare in _TYPES or bare == key:
        return True
    return "." in bare and label(bare) > Label.WEAK and _DOTTED.fullmatch(bare) is not None


def _names_a_key(value: str) -> bool:
    """Return whether a program's text is the name of a credential, to look it up by: `TOKEN_HEADER = "x-api-token"`."""
    return label(value) is not Label.NONE and _IDENTIFIER.fullmatch(value) is not None


def _programs(text: str) -> Iterator[Span]:
    for needles, name, pattern in _PROGRAMS:
        if not any(needle in text for needle in needles):
            continue
        for match in _compiled(pattern).finditer(text):
            start, end = match.span("value")
            value = match["value"]
            if value[0] in "\"'":
                start, end, value = start + 1, end - 1, value[1:-1]
            if value and nature(value) is None and not _TEMPLATED.search(value) and not value.startswith("$"):
                yield Span(start, end, name, "command-line-password", Confidence.LIKELY)
