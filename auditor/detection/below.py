"""Credentials on a line below the one that names them: parameters, defaults, arguments, secrets of Terraform.

Read by lines and indentation, not by a parser: templates and half-broken files hold secrets as well. Everything is
given in bytes from the start of what was handed in.
"""

import re
from collections.abc import Iterator

from auditor.detection.found import Found
from auditor.detection.literals import secret_value
from auditor.model.resource import Confidence, LiteralKind
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.spans import named

REACH = 3_000
"""Bytes behind the name in which its value may stand."""
SECRET_VALUE = "secret-value"  # noqa: S105 - the id of a rule
PRIVATE_KEY = "private-key"
_NEAR = 300
_LINES = 12
"""Lines below a name among which its value is looked for."""
_HEAD = compile_(
    r"^(?P<indent>[ \t]*(?:-[ \t]+)*)[\"']?(?P<key>[A-Za-z_][\w.\-]{1,119})[\"']?[ \t]*[:=][ \t]*"
    r"(?P<kind>[|>][+\-\d]*|\{|\[)?[ \t]*(?:#.*)?\r?$"
)
_FLAG = compile_(r"^[ \t]*(?:-[ \t]+)?[\"']?--?(?P<key>[A-Za-z][\w.\-]{1,60})[\"']?[ \t]*,?[ \t]*\r?$")
_CLIENT_LINE = compile_(
    r"^[ \t]*-[ \t]+[\"']?(?:/\S{1,60}/)?(?P<client>mysql|mysqladmin|mysqldump|mariadb|redis-cli)[\"']?\r?$"
)
_SHORT_OPTION = compile_(r"^[ \t]*-[ \t]+(?P<quote>[\"']?)-p(?P<value>[^\s\"'$]{1,128})(?P=quote)[ \t]*\r?$")
_OPTION_BEFORE = compile_(r"^[ \t]*-[ \t]+[\"']?-a[\"']?[ \t]*\r?$")
_KEYWORD_ARGUMENT = compile_(r"[ \t]*[A-Za-z_]\w*[ \t]?=[ \t]?[\"'\w\[{(]")
"""Of a call that tells what the flag is: `"--ask-pass", action="store_true"`."""
_CHILD = compile_(
    r"^[ \t]*[\"']?(?P<name>value|default|defaultValue|Default|Value|plain|plainText|plaintext|literal|clearText)[\"']?"
    r"[ \t]*[:=][ \t]*(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<plain>[^\s\"'#,{\[|>&*!][^\n#,]*?))[ \t]*,?"
    r"[ \t]*(?:#.*)?\r?$"
)
_ITEM = compile_(
    r"^[ \t]*(?:-[ \t]+)?(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<plain>[^\s\"'#,{\[|>&*!-][^\n#]*?))"
    r"[ \t]*,?[ \t]*(?:#.*)?\r?$"
)
_CLIENT = compile_(r"\"clientAuthenticatorType\"[ \t]*:[ \t]*\"client-secret\"|\"clientId\"[ \t]*:")
_CLIENT_SECRET = compile_(r"\"secret\"[ \t]*:[ \t]*\"(?P<value>[^\"\n]{4,512})\"")
"""Of a realm or a client of Keycloak, where the secret itself is called as a reference is elsewhere."""
_KEY_TYPE = compile_(r"\"[kK]ty\"[ \t]*:")
_PRIVATE_PART = compile_(r"\"[dD]\"[ \t]*:[ \t]*\"(?P<value>[A-Za-z0-9_\-]{40,1024})\"")
"""Of a JSON Web Key (RFC 7518, 6.2.2 and 6.3.2), which without it is a public one."""
_JAAS = compile_(r"LoginModule[ \t]+required")
_JAAS_USER = compile_(r"\buser_(?P<key>[\w.\-]{1,64})[ \t]*=[ \t]*\\?[\"'](?P<value>[^\"'\\\n]{1,512})")
"""Of the users whom a broker of Kafka lets in: `user_alice="secret"`."""
_VARIABLE = compile_(r"^[ \t]*variable[ \t]+\"?(?P<key>[\w\-]+)\"?[ \t]*\{")
_DEFAULT = compile_(r"\bdefault[ \t]*=[ \t]*\"(?P<value>[^\"\n]*)\"")
_DEFAULT_BLOCK = compile_(
    r"""^[ \t]*default[ \t]*=[ \t]*<<[\-~]?"?(?P<mark>\w+)"?\n[ \t]*(?P<value>[^\n]+)\n[ \t]*(?P=mark)\b""",
    re.MULTILINE,
)
_RESOURCE = compile_(r"^[ \t]*(?:resource[ \t]+\"(?P<type>\w+)\"|(?P<set>set_sensitive)\b)")
_ATTRIBUTE = compile_(
    r"""^[ \t]*["']?(?P<key>[\w.\-/]{1,120})["']?[ \t]*[=:][ \t]*"(?P<value>(?:[^"\\\n]|\\.)+)"[ \t]*,?[ \t]*
        (?:\#.*)?$""",
    re.MULTILINE | re.VERBOSE,
)
_HEREDOC = compile_(
    r"""^[ \t]*(?P<key>value|secret_string|secret_data)[ \t]*=[ \t]*<<[\-~]?"?(?P<mark>\w+)"?\n(?P<value>[^\n]+)\n
        [ \t]*(?P=mark)\b""",
    re.MULTILINE | re.VERBOSE,
)
_SECRET_ATTRIBUTES = frozenset(
    {"value", "secret_string", "secret_data", "plaintext_value", "value_wo", "secret_string_wo"}
)
_DATA = compile_(
    r"^[ \t]*(?:data|string_data|data_json|binary_data|data_wo)[ \t]*=[ \t]*(?:jsonencode\([ \t]*)?\{", re.MULTILINE
)
_SENSITIVE_TYPE = compile_(r"^[ \t]*type[ \t]*=[ \t]*\"SecureString\"", re.MULTILINE)
_PLURAL = ("passwords", "passphrases")


def below(content: bytes, start: int, end: int) -> list[Found]:
    """Return the credentials that stand below the line from `start` to `end`, which names them."""
    text = content[start : max(end, start) + REACH].decode("utf-8", "surrogateescape")
    stop = text.find("\n")
    line, rest = (text, "") if stop < 0 else (text[:stop], text[stop + 1 :])
    base = len(text) - len(rest)
    found: Iterator[tuple[int, int, str, str]]
    if (match := _VARIABLE.match(line)) is not None:
        found = _of_variable(match, text, rest, base)
    elif (match := _RESOURCE.match(line)) is not None:
        found = _of_resource(match["type"] or "", text, line)
    elif _KEY_TYPE.search(line) is not None:
        found = _of_web_key(text, line, base)
    elif (login := _JAAS.search(line)) is not None:
        found = _of_jaas(text, login.end())
    elif _CLIENT.search(line) is not None:
        found = _of_client(rest, base)
    elif (match := _HEAD.match(line)) is not None:
        found = _of_key(match, rest, base)
    elif (match := _CLIENT_LINE.match(line)) is not None:
        found = _of_client_arguments(match["client"], rest, base)
    elif (match := _FLAG.match(line)) is not None:
        found = _of_flag(match["key"], rest, base)
    else:
        return []
    return [_measured(text, start_, end_, key, rule) for start_, end_, key, rule in found]


def _of_key(match: re.Match[str], rest: str, base: int) -> Iterator[tuple[int, int, str, str]]:
    """Yield what stands under `key:`, `key: |` and `"key": {`."""
    key, kind = match["key"], match["kind"] or ""
    indent = len(match["indent"])
    if kind[:1] in {"|", ">"}:
        block = list(_deeper(rest, indent))
        if len(block) == 1:
            offset, line = block[0]
            lead = len(line) - len(line.lstrip())
            yield from _judged(key, line.strip(), base + offset + lead)
    elif kind == "[" or (not kind and key.lower().endswith(_PLURAL)):
        for offset, line in _deeper(rest, indent - 1 if kind else indent):
            item = _ITEM.match(line)
            listed = kind == "[" or line.lstrip().startswith("- ")
            if item is None or not listed or ": " in line or line.endswith(":"):
                return
            group = item.lastgroup or "plain"
            yield from _judged(key.rstrip("s"), item[group], base + offset + item.start(group))
    elif kind == "{" and key == "credentials":
        yield from _of_client(rest, base)
    else:
        yield from _children(key, rest, base, indent=indent, end="")


def _of_client(rest: str, base: int) -> Iterator[tuple[int, int, str, str]]:
    stop = rest.find("}")
    match = _CLIENT_SECRET.search(rest, 0, stop if 0 <= stop < _NEAR else _NEAR)
    if match is not None:
        verdict = named(Label.PASSWORD, "secret", match["value"], structured=False)
        if verdict.kind is LiteralKind.CREDENTIAL:
            yield base + match.start("value"), base + match.end("value"), "secret", verdict.rule


def _of_web_key(text: str, line: str, base: int) -> Iterator[tuple[int, int, str, str]]:
    stop = text.find("}", base)
    for match in _PRIVATE_PART.finditer(text, 0, max(stop, len(line)) if stop >= 0 else len(text)):
        yield match.start("value"), match.end("value"), match[0][1], PRIVATE_KEY


def _of_jaas(text: str, start: int) -> Iterator[tuple[int, int, str, str]]:
    stop = text.find(";", start)
    for match in _JAAS_USER.finditer(text, start, stop if stop >= 0 else len(text)):
        yield from _judged("password", match["value"], match.start("value"))


def _children(key: str, rest: str, base: int, *, indent: int, end: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield the literal in a child called `value` or `default`; of the nearest level, in the next lines."""
    if label(key) < Label.SECRET:
        return
    if end and (stop := rest.find(end)) >= 0:
        rest = rest[:stop]
    level = -1
    for offset, line in _deeper(rest, indent):
        own = len(line) - len(line.lstrip())
        level = own if level < 0 else level
        child = _CHILD.match(line) if own == level else None
        if child is not None:
            group = child.lastgroup or "plain"
            if group == "plain" and end:
                return  # Terraform: a reference
            yield from _judged(key, child[group], base + offset + child.start(group))
            return


def _of_variable(match: re.Match[str], text: str, rest: str, base: int) -> Iterator[tuple[int, int, str, str]]:
    """Yield the default of a variable of Terraform: on its own line, below it, or as a block of text."""
    key = match["key"]
    if label(key) < Label.SECRET:
        return
    same = _DEFAULT.search(text, match.end(), base)
    stop = text.find("\n}", base)
    block = _DEFAULT_BLOCK.search(text, base, stop if stop >= 0 else len(text)) if same is None else None
    given = same or block
    if given is not None:
        yield from _judged(key, given["value"], given.start("value"))
    else:
        yield from _children(key, rest, base, indent=-1, end="\n}")


def _of_flag(key: str, rest: str, base: int) -> Iterator[tuple[int, int, str, str]]:
    """Yield the argument in the element behind `--password`."""
    if label(key) < Label.TOKEN:
        return
    for offset, line in _deeper(rest, -1):
        item = _ITEM.match(line)
        if (
            item is not None
            and ": " not in line
            and not line.endswith(":")
            and not line.lstrip("- \t\"'").startswith("-")
            and _KEYWORD_ARGUMENT.match(line) is None
        ):
            group = item.lastgroup or "plain"
            yield from _judged(key, item[group], base + offset + item.start(group))
        return


def _of_client_arguments(client: str, rest: str, base: int) -> Iterator[tuple[int, int, str, str]]:
    """Yield the password among the elements behind `- mysql`, which has no name: `- -psecret`."""
    expected = False
    for offset, line in _deeper(rest, -1):
        if not line.lstrip().startswith("- "):
            return
        if client == "redis-cli":
            item = _ITEM.match(line) if expected else None
            expected = _OPTION_BEFORE.match(line) is not None
            group = (item.lastgroup or "plain") if item is not None else ""
        else:
            item, group = _SHORT_OPTION.match(line), "value"
        if item is not None:
            yield from _judged("password", item[group], base + offset + item.start(group))
            return


def _of_resource(type_: str, text: str, line: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield the literals in a Terraform block that makes a secret."""
    stop = text.find("\n}") if type_ else text.find("}")
    body = text[: stop if stop >= 0 else len(text)]
    if type_ == "aws_ssm_parameter" and not _SENSITIVE_TYPE.search(body):
        return
    data = _DATA.search(body)
    data_end = body.find("\n  }", data.end()) if data is not None else -1
    for match in _ATTRIBUTE.finditer(body, len(line)):
        inside = data is not None and data.end() <= match.start() and (data_end < 0 or match.start() < data_end)
        if inside or match["key"] in _SECRET_ATTRIBUTES:
            yield from _opaque(match["key"], match["value"], match.start("value"))
    for match in _HEREDOC.finditer(body):
        yield from _opaque(match["key"], match["value"].strip(), match.start("value"))


def _opaque(key: str, value: str, start: int) -> Iterator[tuple[int, int, str, str]]:
    if "${" in value:
        return
    verdict = secret_value(key, value, docker=False)
    if verdict.kind is LiteralKind.CREDENTIAL and verdict.confidence is not Confidence.POSSIBLE:
        yield start, start + len(value), key, SECRET_VALUE


def _judged(key: str, value: str, start: int) -> Iterator[tuple[int, int, str, str]]:
    if label(key) < Label.SECRET or not value:
        return
    verdict = named(label(key), key, value, structured=True)
    if verdict.kind is LiteralKind.CREDENTIAL and verdict.confidence is not Confidence.POSSIBLE:
        yield start + verdict.start, start + verdict.end, key, verdict.rule


def _deeper(rest: str, indent: int) -> Iterator[tuple[int, str]]:
    """Yield offset and text of the lines of `rest` that are deeper than `indent`, until one is not."""
    offset = 0
    for _ in range(_LINES):
        if offset >= len(rest):
            return
        stop = rest.find("\n", offset)
        stop = len(rest) if stop < 0 else stop
        line = rest[offset:stop].rstrip("\r")
        bare = line.lstrip()
        if bare and not bare.startswith("#"):
            if len(line) - len(bare) <= indent:
                return
            yield offset, line
        offset = stop + 1


def _measured(text: str, start: int, end: int, key: str, rule: str) -> Found:
    value = text[start:end]
    first = len(text[:start].encode("utf-8", "surrogateescape"))
    return Found(first, first + len(value.encode("utf-8", "surrogateescape")), key, rule, value)
