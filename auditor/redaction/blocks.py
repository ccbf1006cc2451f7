"""Credentials whose name and value are tied by more than a separator: elements, flags, defaults, arguments.

`<password>x</password>`, `name: DB_PASS` / `value: x`, `--password x`, `["--password", "x"]`, `${DB_PASS:-x}`,
`env("DB_PASS", "x")`, `{{ .Values.password | default "x" }}`.
"""

import re
from collections.abc import Iterator

from auditor.model.resource import Confidence
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.notation import Notation
from auditor.redaction.pairs import COMMENT, is_login, login, verdict
from auditor.redaction.span import Span

_QUOTED_VALUE = r"""(?P<quote>["'])(?P<value>[^"'\n]{1,512})(?P=quote)"""
_ELEMENT = compile_(r"<(?P<key>[\w:.\-]{1,80})(?:[ \t][^<>\n]{0,120})?>(?P<value>[^<>\n]{1,1024})</")
_ENTRY = compile_(
    r"""<\w{1,40}[ \t][^<>\n]{0,80}?\b(?:key|name)=["'](?P<key>[\w.\-]{1,120})["'][^<>\n]{0,80}>
        (?P<value>[^<>\n]{1,1024})</""",
    re.VERBOSE,
)
NAME_VALUE = compile_(
    r"""(?:name(?<![\w\-]name)|key(?<![\w\-]key)|Name(?<![\w\-]Name)|Key(?<![\w\-]Key)|ParameterKey)["']?
        [ \t]*[:=][ \t]*(?:[&!][\w!\-]+[ \t]+)?["']?(?P<key>[\w.\-/\[\]\\:]{2,120})["']?
        [ \t]*,?(?:\s|\#[^\n]{0,200}\n){0,40}
        (?:["']?(?:type|Type|sensitive|secure|overwrite|slotSetting)["']?[ \t]*[:=][ \t]*["']?\w+["']?[ \t]*,?\s{0,40})?
        ["']?(?:[Vv]alue|ParameterValue)["']?[ \t]*[:=][ \t]*(?:[&!][\w!\-]+[ \t]+)?
        (?:\\"(?P<escaped>[^"\\\n]*)\\"|"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)'
        |(?P<plain>[^\s"',}<>|][^\n"',}<>]*)
        |(?:[|>][+\-\d]{0,3})?[ \t]*\r?\n(?P<indent>[ \t]+)(?P<block>[^\s\#\-"'{\[][^\n]*+)
         (?!\n(?P=indent)[ \t]*\S))""",
    re.VERBOSE,
)
_VALUE_NAME = compile_(
    r"""(?<![\w\-])(?P<at>["']?(?:[Vv]alue|ParameterValue)["']?)[ \t]*[:=][ \t]*(?:[&!][\w!\-]+[ \t]+)?
        (?:"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)'|(?P<plain>[^\s"',{}\[\]<>|&*!][^\n"',{}<>]*))
        [ \t]*(?P<between>,?(?:\s|\#[^\n]{0,200}\n){0,40})
        (?P<name>["']?(?:[Nn]ame|[Kk]ey|ParameterKey)["']?)[ \t]*[:=][ \t]*(?:[&!][\w!\-]+[ \t]+)?
        ["']?(?P<key>[\w.\-/]{2,120})["']?[ \t]*(?:\r?$|[,}\#])""",
    re.VERBOSE | re.MULTILINE,
)
"""The same pair in the other order, as serialisers that sort by length or by hand write it."""
_MEMBER_START = compile_(r"[ \t]*(?:-[ \t]+)*")
_NAMED_ELEMENT = compile_(
    r"""<(?P<tag>[\w\-]{0,24}name)>\s{0,80}(?P<key>[\w.\-]{2,120})\s{0,80}</(?P=tag)>\s{0,80}
        (?:<(?P<about>description|type|final)>[^<]{0,200}</(?P=about)>\s{0,80})?
        <(?P<holder>[\w\-]{0,24}value)>\s{0,80}(?P<value>[^<>\s][^<>\n]{0,1023}?)\s{0,80}</(?P=holder)>""",
    re.VERBOSE,
)
"""A property of Hadoop, a parameter of a servlet."""
_HELD_ELEMENT = compile_(
    r"""<\w{1,40}[ \t][^<>\n]{0,80}?\b(?:key|name)=["'](?P<key>[\w.\-]{1,120})["'][^<>\n]{0,80}>\s{0,80}
        <value>\s{0,80}(?P<value>[^<>\s][^<>\n]{0,1023}?)\s{0,80}</value>""",
    re.VERBOSE,
)
_VALUE_ELEMENT = compile_(
    r"""<(?P<key>[\w:.\-]{0,72}[pP]assword)>\s{0,80}<(?P<holder>[vV]alue)>\s{0,20}(?P<value>[^<>\s][^<>\n]{0,1023}?)\s{0,20}</(?P=holder)>""",
    re.VERBOSE,
)
"""`<AdministratorPassword><Value>x</Value>` of the setup of Windows."""
_OF_TYPE = compile_(
    r"""["']?\btype["']?[ \t]*:[ \t]*["']?(?P<key>password)["']?[ \t]*,?\s{1,80}["']?value["']?[ \t]*:[ \t]*
        (?:"(?P<double>[^"\n]{1,512})"|'(?P<single>[^'\n]{1,512})'|(?P<plain>[^\s"',{}\[\]&*!|>][^\s,{}]{0,511}))""",
    re.VERBOSE,
)
"""A user's credential in a realm of Keycloak."""
_FLAG = compile_(
    r"""(?<![\w\-])(?P<dashes>--?)(?P<key>[A-Za-z][\w.\-]{1,60})[ \t]+(?P<quote>["']?)
        (?P<value>[^\s"'\-|&;<>\\][^\s"'|&;]*)(?P=quote)""",
    re.VERBOSE,
)
_LISTED = compile_(
    r"""["']--?(?P<key>[A-Za-z][\w.\-]{1,60})["'][ \t]*,[ \t]*(?P<quote>["'])(?P<value>(?!--?[A-Za-z])[^"'\n]{1,512})
        (?P=quote)""",
    re.VERBOSE,
)
_ERLANG = compile_(r"""\{[ \t]*(?P<key>[a-z]\w{1,60})[ \t]*,[ \t]*(?:<<)?\"(?P<value>[^"\n]{1,512})\"(?:>>)?[ \t]*\}""")
"""`{default_pass, <<"x">>}` of RabbitMQ's old configuration."""
_ARGUMENTS = compile_(
    r"""\([ \t]*["'](?P<key>[\w.\-]{2,120})["'][ \t]*,[ \t]*""" + _QUOTED_VALUE + r"[ \t]*[,)]",
    re.VERBOSE,
)
_SETTING = compile_(r"\b(?i:define|put|putenv|set\w{0,20}|env|add\w{0,20}|with\w{0,20}|property|option)\Z")
_DEFAULT = compile_(
    r"""\$\{(?P<key>[A-Za-z_][\w.\-]{0,119}):[-=]?(?P<value>(?![+?]|\d{1,3}:\d{1,3}\})[^{}\n]{1,512})\}
        |\$\(env:(?P<env>[A-Za-z_]\w{0,119}):-(?P<else>[^()\n]{1,512})\)
        |\$\{(?P<shell>[A-Z_][A-Z0-9_]{0,119})-(?P<fallback>[^{}\n]{1,512})\}""",
    re.VERBOSE,
)
_DEFAULT_PARTS = (("key", "value"), ("env", "else"), ("shell", "fallback"))
_NEAR = 150
_LOOKED_UP = compile_(
    r"""[\[(][ \t]*(?P<env>["']env["'],[ \t]*)?["'](?P<key>[\w.\-]{2,120})["'][\])]?[ \t]*
        (?:,[ \t]*(?:default[ \t]*=[ \t]*)?|\|\|[ \t]*|\?[?:][ \t]*|\bor[ \t]+|\)?[ \t]*\|[ \t]*default\([ \t]*
        |\{[ \t]*)"""
    + _QUOTED_VALUE,
    re.VERBOSE,
)
_LOOK_UP = (
    "env(",
    "env[",
    "env.str(",
    "environ.get(",
    "config(",
    "property(",
    "ordefault(",
    "lookup(",
    "fetch(",
    "param(",
)
_LOOK_UP_OF_ANSIBLE = compile_(r"lookup\Z")
_LOOKING_UP = compile_(r"(?i:env(?:\.str)?|environ\.get|config|property|ordefault|fetch|param)\Z")
_TYPED = compile_(
    r"""(?<![\w.\-])(?P<key>[A-Za-z_$]\w{1,79})(?:[ \t]*:[ \t]*[&\w][\w.\[\]<>?|]{1,24}|[ \t]+[sS]tr(?:ing)?)
        [ \t]*=[ \t]*[bBrRuU]{0,2}"""
    + _QUOTED_VALUE,
    re.VERBOSE,
)
"""`password: str = "x"`, `param password string = 'x'`: the type stands between a name and its value."""
_IN_TEMPLATE = compile_(
    r"""(?<![\w.\-])(?P<key>[A-Za-z_][\w.\-]{1,119})["']?[ \t]*[:=][ \t]*["']?\{\{-?[ \t]*(?:(?:b64enc|quote)[ \t]+)?"""
    + _QUOTED_VALUE
    + r"[ \t]*(?:\||-?\}\})",
    re.VERBOSE,
)
"""`password: {{ "x" | b64enc }}`."""
_DEFAULT_IN_TEMPLATE = compile_(
    r"""(?<![\w.\-])(?P<key>[A-Za-z_][\w.\-]{1,119})["']?[ \t]*[:=][ \t]*["']?(?:\{\{|<%)[^{}\n]{1,200}?
        (?:\bdefault[ \t(]{1,3}(?:value=)?|\|\|[ \t]*)"""
    + _QUOTED_VALUE,
    re.VERBOSE,
)
"""`password: "{{ anything | default('x') }}"`, whatever the reference is called."""
_OR_ELSE = compile_(r"(?:\|\||\?\?)[ \t]*" + _QUOTED_VALUE)
_MEMBER = compile_(r"[\w$]\??\.(?P<key>[A-Za-z_]\w{1,80})[ \t]*\Z")
_PIPED = compile_(r"\|[ \t]*default[ \t]*\(?[ \t]*(?:value=)?" + _QUOTED_VALUE)
_PIPING = compile_(r"(?<![\w\"'])\.?(?P<key>[A-Za-z_$][\w.]{1,120})[ \t]*\Z")
_DEFAULTED = compile_(r"\bdefault[ \t]+\"(?P<value>[^\"\n]{1,512})\"[ \t]+[.$(]*(?P<key>[A-Za-z_][\w.]{1,120})")
_HELD = compile_(
    r"""\{[ \t]*(?:["']?[A-Za-z]{4,21}["']?[ \t]*[:=][ \t]*["']?[^"'{}\n,:=]{1,80}["']?,[ \t]*){0,4}
        ["']?(?i:value|default|defaultValue)["']?[ \t]*[:=][ \t]*"""
    + _QUOTED_VALUE,
    re.VERBOSE,
)
_HOLDER = compile_(r"(?P<key>[A-Za-z_][\w.\-]{1,120})[\"']?[ \t]*[:=][ \t]*\Z")
_SIGNATURE = compile_(r"[?&;]sig=(?P<value>[A-Za-z0-9%+/=_-]{20,200})")
_HELP = frozenset(
    {
        "string", "file", "path", "value", "and", "or", "to", "is", "as", "with", "for", "from", "in", "flag", "option",
        "parameter", "argument", "must", "not", "are", "flags", "options", "parameters", "arguments",
    }
)  # fmt: skip


def pairs_of_names(text: str, notation: Notation = Notation.DATA) -> Iterator[Span]:
    """Yield the credentials in `name: DB_PASSWORD` / `value: x`, which may stand on lines of their own."""
    for match in NAME_VALUE.finditer(text):
        group = match.lastgroup or "plain"
        if group == "block" and (match[group].endswith(":") or ": " in match[group]):
            continue  # a mapping below, no text
        quoted = group != "plain" or notation in {Notation.DATA, Notation.SHELL}
        if quoted or notation is Notation.UNKNOWN:
            key = match["key"].rstrip("\\")
            if is_login(key):
                yield from login(key, text, *match.span(group))
            yield from verdict(key, text, *match.span(group), quoted=quoted, notation=notation)
    yield from _values_first(text, notation)
    if "type" in text:
        for match in _OF_TYPE.finditer(text):
            yield from verdict("password", text, *match.span(match.lastgroup or "plain"), quoted=True)
    if "</" in text:
        yield from _each(_NAMED_ELEMENT, text)
        yield from _each(_HELD_ELEMENT, text)
        yield from _each(_VALUE_ELEMENT, text)


def _values_first(text: str, notation: Notation) -> Iterator[Span]:
    """Yield the credentials in `value: x` / `name: DB_PASSWORD`, members of one object."""
    for match in _VALUE_NAME.finditer(text):
        if "\n" in match["between"]:
            # On lines of their own they belong together where they begin at the same column.
            columns = {_column(text, match.start(part)) for part in ("at", "name")}
            if len(columns) > 1:
                continue
        elif "," not in match["between"]:
            continue
        group = next(name for name in ("double", "single", "plain") if match[name] is not None)
        quoted = group != "plain" or notation in {Notation.DATA, Notation.SHELL}
        if quoted or notation is Notation.UNKNOWN:
            yield from verdict(match["key"], text, *match.span(group), quoted=quoted, notation=notation)


def _column(text: str, at: int) -> int:
    """Return the column of a member of a mapping, -1 where it is not the first of its line."""
    start = text.rfind("\n", 0, at) + 1
    return at - start if _MEMBER_START.fullmatch(text, start, at) else -1


def blocks(text: str, lower: str, notation: Notation) -> Iterator[Span]:
    """Yield the credentials whose name and value stand in elements, flags, defaults and arguments."""
    if "</" in text:
        for pattern in (_ELEMENT, _ENTRY):
            yield from _each(pattern, text)
    if "alue" in text:
        yield from pairs_of_names(text, notation)
    if "${" in text or "$(env:" in text:
        for match in _DEFAULT.finditer(text):
            key, value = next(pair for pair in _DEFAULT_PARTS if match[pair[0]])
            yield from verdict(match[key], text, *match.span(value), quoted=True)
    if "-" in text:
        yield from _flags(text, notation)
    yield from _defaults(text, lower)
    yield from _in_notations(text, lower)
    if "sig=" in text:
        for match in _SIGNATURE.finditer(text):
            rule = "azure-shared-access-signature"
            yield Span(match.start("value"), match.end("value"), "sig", rule, Confidence.LIKELY)


def _defaults(text: str, lower: str) -> Iterator[Span]:
    """Yield literals that stand where a reference finds nothing, and arguments beside a name."""
    if '("' in text or "('" in text:
        yield from _behind(_ARGUMENTS, text, _SETTING)
    if any(word in lower for word in _LOOK_UP):
        for match in _LOOKED_UP.finditer(text):
            looks = _LOOKING_UP if match["env"] is None else _LOOK_UP_OF_ANSIBLE
            if looks.search(text, max(0, match.start() - _NEAR), match.start()) and label(match["key"]) >= Label.TOKEN:
                yield from verdict(match["key"], text, *match.span("value"), quoted=True)
    if "||" in text or "??" in text:
        yield from _behind(_OR_ELSE, text, _MEMBER)
    if "default" in text:
        yield from _behind(_PIPED, text, _PIPING)
        yield from _each(_DEFAULTED, text, least=Label.TOKEN)
    if "{" in text and ("value" in lower or "default" in lower):
        yield from _behind(_HELD, text, _HOLDER, least=Label.SECRET)


def _in_notations(text: str, lower: str) -> Iterator[Span]:
    """Yield literals in templates, behind a type, and in terms of Erlang."""
    if "{{" in text or "<%" in text:
        yield from _each(_IN_TEMPLATE, text)
        yield from _each(_DEFAULT_IN_TEMPLATE, text)
    if "= " in text and ("str" in lower or ": " in text):
        for match in _TYPED.finditer(text):
            if label(match["key"]) >= Label.SECRET and not _names_itself(match["key"], match["value"]):
                yield from verdict(match["key"], text, *match.span("value"), quoted=True)
    if '"}' in text or ">>" in text:
        yield from _each(_ERLANG, text)


def _names_itself(key: str, value: str) -> bool:
    """Return whether `registryPassword string = 'registry-password'` is what the secret is called elsewhere."""
    return "-" in value and value.replace("-", "") == key.replace("_", "").lower()


def _behind(
    pattern: re.Pattern[str], text: str, before: re.Pattern[str], *, least: Label = Label.TOKEN
) -> Iterator[Span]:
    """Yield what `pattern` finds where `before` ends; the key is in either of them."""
    for match in pattern.finditer(text):
        head = before.search(text, max(0, match.start() - _NEAR), match.start())
        if head is not None:
            key = head["key"] if "key" in before.groupindex else match["key"]
            if label(key) >= least:
                yield from verdict(key, text, *match.span("value"), quoted=True)


def _each(pattern: re.Pattern[str], text: str, *, least: Label = Label.SECRET) -> Iterator[Span]:
    for match in pattern.finditer(text):
        if label(match["key"]) >= least:
            yield from verdict(match["key"], text, *match.span("value"), quoted=True)


def _flags(text: str, notation: Notation) -> Iterator[Span]:
    aside = text.find(" # ") if notation is Notation.DATA else -1
    for match in _FLAG.finditer(text, 0, aside if aside > 0 else len(text)):
        strength = label(match["key"])
        if strength < Label.TOKEN or match["value"].lower().rstrip(".,:)") in _HELP:
            continue
        if (
            notation in {Notation.CODE, Notation.UNKNOWN}
            and match["value"][:-1].isalpha()
            and match["value"][-1] in ",."
        ):
            continue  # the end of a sentence that speaks of the flag
        told = notation is Notation.SHELL or match["quote"] or not match["value"].isalpha()
        written = notation is Notation.DATA and strength is Label.PASSWORD
        if told or (written and COMMENT.match(text) is None):
            yield from verdict(match["key"], text, *match.span("value"), quoted=True, notation=Notation.SHELL)
    yield from _each(_LISTED, text)
