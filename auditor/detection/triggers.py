"""Where in a file a closer look is worth its price: the first stage, over all bytes at wire speed.

Each trigger is a necessary condition of what the second stage (`detection.engine`) could find on a line: it may fire on
what is nothing, and must never miss what is something. Hyperscan matches all of them at once in one pass; it reports
only where a match ends, which is enough to name the line. Where Hyperscan is not installed, or the input is small, the
same expressions run one by one in Python: slower, with the same lines.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

from auditor import prepared
from auditor.detection.cards import CARD_NUMBER, NEAR, TRADE
from auditor.detection.rules import Rule
from auditor.patterns import compile_

LONGEST_LINE = 8_192
"""Bytes of a line that are looked at together."""
_STEP = LONGEST_LINE // 2
_BETWEEN = (b"},{", b"}, {")
"""Of a longer line: what separates objects, where it is cut."""


class Look(Enum):
    """What the second stage reads where a trigger fired."""

    LINE = "line"
    PAIR = "pair"
    """A line with a name, and the value on one of the next two."""
    KEY_BLOCK = "key-block"
    SECRET_OBJECT = "secret-object"  # noqa: S105 - the name of a look
    BELOW = "below"
    """A name whose value stands on a line below: `variable "db_password" {` with its default, `- --password`."""

    # Members are single objects; the hash of `Enum` is Python, and a history asks for it millions of times.
    __hash__ = object.__hash__


class Trigger(NamedTuple):
    """One place that wants a closer look."""

    look: Look
    end: int
    """Offset just behind the last byte that matched."""
    what: str = ""
    """Id of the rule whose token it may be, `ASSIGNED` for a name with its value, empty for anything else."""


ASSIGNED = "="
"""Such a trigger ends three bytes behind the first of the value."""
_RUN = 32
"""Bytes of a run in which one trigger is enough: looks take in far more around it."""
_ASSIGNED_COUNT = 2
"""So many of `_STRUCTURE`, the first, are of that kind."""


_TAIL = r"[\w.\-]{0,32}"
"""Qualifiers behind the words: `_PROD_2`, `.value`."""
_LONG = (
    r"pass(?:w(?:or)?ds?|wd|wort|phrases?|codes?)|pswd|secrets?|token|credentials?|requirepass|masterauth"
    r"|erlang[-_.]?cookie|root[-_.]?token[-_.]?id|secret[-_.]?(?:id|string|data)|key[-_.]?base|redis[-_.]?auth"
    r"|(?:api|secret|private|(?:en|de)cryption|encrypt|enc|signing|sign|master|auth|account|shared|session|app|application"
    r"|ssh|hmac|jwt|admin|storage|crypt|crypto|cipher|aes|licen[sc]e|ingest|access|deploy|webhook|cookie|subscription"
    r"|maps|gossip|fernet|instrumentation|integration|sas|server|nonce|pre[-_]?shared|validation|logged[-_]?in)[-_.]?key"
    r"|(?:auth|in|nonce|hash|hashids|cookie|app|crypt)[-_.]?salt|rest_?user_?key|identity\.value"
)
_SHORT = r"pass|pwd|pw|pat|jwt|bearer|creds?|psk"
KEYS = (
    rf"(?:(?i:{_LONG}){_TAIL}"
    # Short words only where they end: `path` and `passed` hold them as well.
    rf"|(?i:{_SHORT})(?:[A-Z\d_.\-]{_TAIL})?)"
)
"""What a name that labels a credential ends with: wider than `redaction.names`, which a test holds."""
_ASSIGN = r"\\?[\"']?\]?[ \t]*(?:=>|[:?]=|=|:)[ \t]*"

_ELSE = r"(?:(?:,|\|\||\?[?:]|\bor\b|\{)[ \t]*(?:default[ \t]*=[ \t]*)?|\|[ \t]*default[ \t(]{0,3}(?:value=)?)"
"""Between a name and what stands where it has no value, or an argument beside it."""
_LOGIN = r"user[-_.]?info|user[-_.]?pwd|user[-_.]?pass|auth"
_CLIENTS = (
    "mongo|mongosh|mongodump|mongorestore|mongoimport|login|rabbitmqadmin|cqlsh|mcrcon|cypher-shell|beeline|twine|psexec"
    "|useradd|couchbase-cli|elasticsearch-users|nuget|x11vnc"
)
_WORDS = (
    "wpa_passphrase|nmcli|net[ \\t]use|net[ \\t]user|addprinc|secret_access_key|secret-string|smbclient|[ei][xm]pdp"
    "|createUser|com2sec|SecureString|mysqladmin|vault[ \\t]login|ngrok|initial-password|admin-password"
)
_KEYSTORES = r"openssl[ \t]+(?:enc|aes|passwd)|(?:store|key)pass(?:wd)?[\"', \t]"
_DIRECTIVES = r"requirepass|masterauth|auth[_-]pass[ \t]|rootpw|bindpw|sentinel-pass|insecure-password"
_SETTERS = "[pP]assw(?:or)?d|assphrase|Pwd|[sS]ecret|[sS]ecretKey|ApiKey|Token"
_CALLS = (
    r"[bB]asic_?[aA]uth|DigestAuth|[hH]ttpBasic|UsernamePassword\w{0,24}|NetworkCredential|PasswordAuthentication|Plain(?:Auth|Credentials|TextAuthProvider)"
    r"|authenticate|\.login|mysqli|onnect|PDO|getConnection|ManagerDataSource|auth[ \t]?[=:][ \t]?"
)
_VALUE_FIRST = (
    r"[vV]alue[\"']?[ \t]*[:=][ \t]*[^\s{}][^\n{}]{0,250}[\n,][ \t]*[\"']?(?:[nN]ame|[kK]ey|ParameterKey)[\"']?"
    rf"[ \t]*[:=][^\n]{{0,64}}?{KEYS}"
)
"""A pair in the other order."""
_ABOVE = rf"(?i:{_LONG}|{_SHORT})[\d_.\-]{{0,4}}(?i:prod|value|default|dev)?"
"""A name above its value, with few qualifiers: `secretKeyRef:` is no such name, and there are many."""
_RESOURCES = (
    "aws_ssm_parameter|aws_secretsmanager_secret_version|azurerm_key_vault_secret|google_secret_manager_secret_version"
    "|vault_generic_secret|vault_kv_secret|vault_kv_secret_v2|kubernetes_secret|kubernetes_secret_v1"
    "|github_actions_secret|github_actions_organization_secret|github_actions_environment_secret|github_dependabot_secret"
    "|nomad_variable|doppler_secret|digitalocean_app_secret|hcp_vault_secrets_secret"
)
"""Of Terraform: what makes a secret."""

_STRUCTURE: tuple[tuple[Look, str], ...] = (
    # What is written tighter than it need be costs: a word behind a bounded gap, or alternatives before one, took a
    # tenth of the whole pass each, where a wider pattern fires on few lines more. Measure before adding one.
    (Look.LINE, rf"{KEYS}{_ASSIGN}\\?[\"'][^\"'\n]{{3}}"),
    (Look.LINE, rf"{KEYS}{_ASSIGN}[^\s\"'`<(|>!#,;)\]}}][^\s]{{2}}"),
    # The shortest that anybody uses, and many do.
    (Look.LINE, r"(?i:password)[\"']?[ \t]*[:=>][ \t]*[\"']?sa[\"'<\s]"),
    # A default value behind a reference: `${DB_PASSWORD:-hunter2}`.
    (Look.LINE, rf"\$[{{(][\w.\-:]{{0,64}}{KEYS}[:\-][-=]?[^{{}}\n]"),
    (Look.LINE, rf"-[\w./\-]{{0,64}}{KEYS}[ \t]+[\"']?[^\s\"'\-|&;<>]"),
    (Look.LINE, rf"<[\w:.\-]{{0,64}}{KEYS}(?:[ \t][^<>\n]{{0,120}})?>[^<>\n]{{3}}"),
    # Lists of arguments, calls, and what stands where a reference finds nothing.
    (Look.LINE, rf"(?:{_SETTERS})\([ \t]*[bBrRuU@]{{0,2}}[\"'][^\"'\n]"),
    (Look.LINE, rf"(?:{_CALLS})\([ \t]*[\"'\w$]"),
    (Look.LINE, rf"(?:argument|option)\([ \t]*(?:[\"']-\w[\"'],[ \t]*)?[\"']--?[\w\-]{{0,64}}{KEYS}[\"'],"),
    (Look.LINE, rf"{KEYS}(?:[ \t]*:[ \t]*[&\w][\w.\[\]<>?|]{{1,24}}|[ \t]+[sS]tr(?:ing)?)[ \t]*=[ \t]*[\"'bBrR]"),
    (Look.LINE, rf"{KEYS}[\"'\])]{{0,3}}[ \t]*{_ELSE}(?:<<)?[\"'][^\"'\n]{{3}}"),
    (Look.LINE, rf"default[ \t]+\"[^\"\n]{{3,64}}\"[ \t]+[\w.$(]{{0,64}}{KEYS}"),
    (Look.LINE, rf"\b(?:key|name)=[\"'][\w.\-]{{0,64}}{KEYS}[\"'][^<>\n]{{0,80}}>[^<>\n]{{3}}"),
    # With the same words before it as the first two have: written otherwise it made the whole pass three times as slow.
    (Look.LINE, rf"{KEYS}{_ASSIGN}\{{[^}}\n]{{2}}"),
    (Look.LINE, rf"(?i:{_LOGIN}){_ASSIGN}[\"']?[\w.@+\-]{{1,64}}[:/][^\s/]{{3}}"),
    (Look.LINE, rf"(?:BOOTSTRAP|ADMIN|AUTH|BASIC|DEFAULT|API)_USERS?{_ASSIGN}[\"']?[\w.@+\-]{{1,64}}:[^\s/]{{3}}"),
    # What the automaton can take in one with the patterns above costs nothing; a bound of the blanks doubled its price.
    (
        Look.PAIR,
        rf"{KEYS}[\"'\]]{{0,2}},?\s*[\"']?(?:[vV]alue|ParameterValue|(?:type|sensitive|overwrite)[\"']?[ \t]*=|#)",
    ),
    (Look.PAIR, _VALUE_FIRST),
    (Look.PAIR, rf"name>\s*[\w.\-]{{0,64}}{KEYS}\s*</"),
    (Look.PAIR, rf"(?:key|name)=[\"'][\w.\-]{{0,64}}{KEYS}[\"'][^<>\n]{{0,80}}>\s*<value>"),
    (Look.PAIR, r"[pP]assword>\s*<[vV]alue>"),
    (Look.PAIR, rf"(?i:{_LOGIN})[\"']?,?\s*[\"']?[vV]alue[\"']?[ \t]*[:=][ \t]*[\"']?[\w.@+\-]{{1,64}}[:/]"),
    (Look.BELOW, rf"(?i:variable)[ \t]+\"?[\w\-]{{0,64}}{KEYS}\"?[ \t]*\{{"),
    (Look.BELOW, rf"{_ABOVE}[\"']?[ \t]*[:=][ \t]*[|>{{\[]?[+\-\d]?[ \t]*\r?\n"),
    (Look.BELOW, r"[ \"'/](?:mysql|mysqladmin|mysqldump|mariadb|redis-cli)[\"']?\r?\n"),
    (Look.BELOW, rf"-[\w.\-]{{0,64}}{_ABOVE}[\"']?[ \t]*,?[ \t]*\r?\n"),
    (Look.BELOW, rf"resource[ \t]+\"(?:{_RESOURCES})\""),
    (Look.BELOW, r"set_sensitive\b|\"client-secret\"|\"clientId\"[ \t]*:|LoginModule[ \t]+required|\"[kK]ty\"[ \t]*:"),
    (Look.LINE, r"://(?:[^\s:/@\"'<>\\?#]{0,128}|[^\n/@]{0,60}\}):[^\s/\"'<>`\\]{1,256}@[\w\[$<{%(\-]"),
    (Look.LINE, r"[\w.\-]:[^\s@:/\"']{1,128}@(?:tcp|udp|unix)\("),
    (Look.LINE, r"(?:[Bb]asic|[Bb]earer|BEARER|BASIC|Token)[ \t]+[A-Za-z0-9+/_~.\-]{8}"),
    (Look.LINE, r"[?&;]sig=[A-Za-z0-9%+/=_\-]{20}"),
    (Look.LINE, r"[ \t\"']-u[\"', \t=]{0,4}[A-Za-z_][\w.@\-]{0,63}:[^\s/]"),
    (Look.LINE, r"--(?:user|auth|basic)[\"', \t=]{1,4}[A-Za-z_][\w.@\-]{0,63}:[^\s/]"),
    (Look.LINE, r"[ \t\"']-[skifS]{1,4}u[\"', \t=]"),
    (Look.LINE, r"(?:mysql|mariadb)[\w\-]{0,12}\b[^\n|;&]{0,400}[ \t\"']-p[^\s]"),
    (Look.LINE, r"-u[\"']?[A-Za-z$][^\s]{0,64}[ \t]{1,4}-p[^\s]"),
    (Look.LINE, r"(?:-H|--header)[ \t=]{1,4}[\"'][\w\-]{0,40}[aA]uth:[ \t]*[^\s\"'$]"),
    (Look.LINE, r"redis-cli\b[^\n|;&]{0,400}[ \t\"']-a[\"', \t]"),
    (Look.LINE, r"sshpass[ \t]+-p"),
    (Look.LINE, rf"(?:{_CLIENTS})\b[^\n|;&]{{0,400}}[ \t]-p[ \t]"),
    (Look.LINE, r"(?:user|SETUSER)[ \t]+[\w.\-]{1,64}[ \t][^\n>]{0,64}[ \t]>[^\s\"']"),
    (Look.LINE, r"[pP]ass(?:word|wd|phrase)?[ \t]+[^\s=:;,(\[{&|<>][^\s;]{2,64}[ \t;\r]*(?:\n|$)"),
    (Look.LINE, r"_?auth[ \t]*=[ \t]*[\"']?[A-Za-z0-9+/]{8}"),
    (Look.LINE, r"(?:sqlcmd|ipmitool|zip|bcp|mosquitto_[ps]ub)[ \t](?:[^\n|;&]{0,400}[ \t])?-P"),
    # Programs that stand in few lines: the word alone costs less than a gap behind it.
    (
        Look.LINE,
        rf"(?:{_WORDS})[ \t]|snmp[wgbst]|http[ \t]-a|[ow]community|\b7za?[ \t]+[a-z][ \t]|kadmin|{_KEYSTORES}",
    ),
    (Look.LINE, r"[a-z\d]pw(?:[\"' \t\r\n]|$)"),
    (Look.LINE, r"(?:SetEnv|setenv|setx|_param|set[ \t]+-\w{1,3})[ \t]+\w"),
    (Look.LINE, r"ldap(?:search|add|modify|delete|whoami|passwd)\b[^\n|;&]{0,400}[ \t]-w"),
    (Look.LINE, r"(?:add_user|change_password)[ \t]+[^\s]{1,66}[ \t]+[^\s]"),
    (Look.LINE, r"htpasswd[ \t]+-[a-zA-Z]{0,6}b"),
    (Look.LINE, r"\|[ \t]*(?:\w+[ \t]+)?chpasswd"),
    (Look.LINE, r"-stdin\b|\|[ \t]*(?:sudo[ \t]+-S|(?:sudo[ \t]+)?passwd|kinit|gh[ \t]+auth)\b"),
    (Look.LINE, r"-pass(?:in|out|word)?[ \t]+[\"']?pass:"),
    (Look.LINE, rf"(?:{_DIRECTIVES})[ \t]*[\"']?[^\s\"'=:]"),
    (Look.LINE, r"mc[ \t]+(?:alias[ \t]+set|config[ \t]+host[ \t]+add)[ \t]"),
    (Look.LINE, r"sqlplus\b[^\n|;&]{0,100}?[\w$#]/[^\s/@]{1,64}[@ ]"),
    (Look.LINE, r"stats[ \t]auth[ \t]+[^\s:]{1,64}:"),
    (Look.LINE, r"login[ \t]+[^\s]{1,128}[ \t]{1,8}password[ \t]+[^\s]"),
    (Look.LINE, r"(?i)identified[ \t]+(?:with[ \t]+[\w'\"]+[ \t]+)?(?:by|as)[ \t]+(?:'[^'\n]|\"?[a-z])"),
    (Look.LINE, r"(?i)\bpassword(?:[ \t]for[ \t]|\(?[ \t]{0,8}=?[ \t]{0,8}N?'[^'\n])"),
    (Look.LINE, rf"ENV[ \t]+\w{{0,64}}{KEYS}[ \t]+[^\s=]"),
    (Look.LINE, r"\"auth\"[ \t]*:[ \t]*\"[A-Za-z0-9+/]{6}"),
    (Look.LINE, r"\"[dD]\"[ \t]*:[ \t]*\"[A-Za-z0-9_\-]{40}"),
    (Look.KEY_BLOCK, r"PRIVATE KEY(?: BLOCK)?-----"),
    (Look.LINE, r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{40}"),
    (Look.SECRET_OBJECT, r"[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?Secret[\"']?[ \t]*[\r\n,}]"),
)  # fmt: skip
_CARDS: tuple[tuple[Look, str], ...] = (
    (Look.LINE, rf"{TRADE}[^\n]{{0,{NEAR}}}[2-6]\d{{12}}"),
    (Look.LINE, rf"[2-6]\d{{12,18}}[^\d\n][^\n]{{0,{NEAR}}}{TRADE}"),
    (Look.LINE, r"\d{4}[ \-]\d{4}[ \-]\d{4}"),
    (Look.LINE, r"\d{4}[ \-]\d{6}[ \-]\d{4}"),
)
_RANDOM: tuple[tuple[Look, str], ...] = (
    (Look.LINE, r"[\"'= :][A-Za-z0-9+/_\-]{24}"),
    (Look.LINE, r"(?:^|[\s:=\"',;>\[({|])[2-6]\d{12}"),
)
"""For the third tier."""

_OPEN_END = compile_(r"(?<!\\)(\{(\d+),\d*\}|\+)\Z")
_OPTIONAL_END = compile_(r"(?:\\.|\[(?:\\.|[^\]\\])*\]|[^\\)\]])(?:\*|\?|\{0?,\d*\})\Z")
"""A class or a character that need not be there, behind everything else."""
_LARGE = compile_(r"\{(\d+),(\d+)\}")
_LARGEST = 300
"""From this upper bound of a repeat on, Hyperscan needs it open."""


class Triggers:
    """All triggers of a set of rules, as one automaton."""

    def __init__(self, rules: Mapping[str, Rule], *, prefilter: bool = True, every_line: bool = False) -> None:
        """`every_line`: fire everywhere, for inputs that are done before the automaton (0.1 s) would be loaded."""
        looks: list[Look] = []
        expressions: list[str] = []
        whats: list[str] = []
        for rule in rules.values():
            if rule.pattern:
                looks.append(Look.LINE)
                expressions.append(shortest(rule.pattern))
                whats.append(rule.id)
        cards = _CARDS if CARD_NUMBER in rules else ()
        structure = [*_STRUCTURE, *cards, *(_RANDOM if any(rule.tier == 3 for rule in rules.values()) else ())]
        for number, (look, expression) in enumerate(structure):
            looks.append(look)
            expressions.append(expression)
            whats.append(ASSIGNED if number < _ASSIGNED_COUNT else "")
        self._looks = tuple(looks)
        self._whats = tuple(whats)
        self.expressions = tuple(expressions)
        """Regular expressions, one a trigger."""
        self._every_line = every_line
        self._tokens = frozenset(what for what in whats if what not in {"", ASSIGNED})
        self._prefilter = prefilter and not every_line and _installed()

    @property
    def ready(self) -> bool:
        """Whether the automaton was prepared: then it is there in a few milliseconds."""
        return self._prefilter and _prepared_database(_opened(self.expressions)) is not None

    def tokens(self, found: Iterable[Trigger]) -> list[int] | None:
        """Return the ends of those triggers that a token set off, in order; `None` where they do not tell."""
        if self._every_line:
            return None
        return sorted([end for _, end, what in found if what in self._tokens])

    def find(self, content: bytes) -> list[Trigger]:
        """Return every place in `content` that wants a look. The same place may come more than once."""
        if self._every_line:
            return list(_everywhere(content))
        if not self._prefilter:
            return list(self._one_by_one(content))
        looks, whats, found = self._looks, self._whats, []
        last = [-1] * len(looks)
        kept = [-_RUN] * len(looks)

        def matched(number: int, _start: int, end: int, _flags: int, _context: Any) -> None:
            # A pattern with an open end matches again at each further byte: of such a run a few tell enough.
            if last[number] != end - 1 or end - kept[number] >= _RUN or whats[number] == ASSIGNED:
                found.append(Trigger(looks[number], end, whats[number]))
                kept[number] = end
            last[number] = end

        database(self.expressions).scan(content, match_event_handler=matched)
        return found

    def _one_by_one(self, content: bytes) -> Iterator[Trigger]:
        for look, what, expression in zip(self._looks, self._whats, self.expressions, strict=True):
            for match in _compiled(expression).finditer(content):
                yield Trigger(look, match.end(), what)


_KEY_MARK = compile_(rb"PRIVATE KEY(?: BLOCK)?-----")
_VALUE_LINE = compile_(rb"value", re.IGNORECASE)
_SECRET_KIND = compile_(rb"kind[\"']?[ \t]*:[ \t]*[\"']?Secret")
_BELOW_LINE = compile_(
    rb"variable[ \t]+\"|resource[ \t]+\"|set_sensitive|\"client-secret\"|\"clientId\"[ \t]*:|LoginModule[ \t]+required"
    rb"|\"kty\"[ \t]*:|[ \"'/](?:mysql|mysqladmin|mysqldump|mariadb|redis-cli)[\"']?(?=\r?\n)"
    # One look at each run of blanks, and of letters with a hyphen: a long line costs what it is long.
    rb"|[\w\"'][ \t]*[:=][ \t]*(?:(?:[|>{\[][+\-\d]?|[+\-\d])[ \t]*)?(?=\r?\n)"
    rb"|(?<![\w.\-])(?=[\w.]*-[\w.\-])[\w.\-]+[\"']?[ \t]*(?:,[ \t]*)?(?=\r?\n)",
    re.IGNORECASE,
)


def _everywhere(content: bytes) -> Iterator[Trigger]:
    """Yield a trigger for every line, and for every place that could need more than its line."""
    position = 0
    while position < len(content):
        end = content.find(b"\n", position)
        end = len(content) if end < 0 else end
        if end > position:
            for at in along(content, position, end):
                yield Trigger(Look.LINE, at)
        position = end + 1
    for look, pattern in (
        (Look.PAIR, _VALUE_LINE),
        (Look.KEY_BLOCK, _KEY_MARK),
        (Look.SECRET_OBJECT, _SECRET_KIND),
        (Look.BELOW, _BELOW_LINE),
    ):
        for match in pattern.finditer(content):
            yield Trigger(look, match.end())


def shortest(pattern: str) -> str:
    """Return a pattern that ends where the shortest match of `pattern` does: one report a match, not one a byte."""
    while (match := _OPTIONAL_END.search(pattern)) is not None:
        pattern = pattern[: match.start()]
    match = _OPEN_END.search(pattern)
    if match is None:
        return pattern
    return f"{pattern[: match.start()]}{{{match[2] or '1'}}}"


@cache
def _compiled(expression: str) -> re.Pattern[bytes]:
    return re.compile(expression.encode(), re.ASCII)


def serialised(expressions: tuple[str, ...]) -> tuple[tuple[str, ...], bytes]:
    """Return the expressions of an automaton and the automaton itself, to be kept with the installation."""
    import hyperscan  # noqa: PLC0415 - as below

    opened = _opened(expressions)
    return opened, hyperscan.dumpb(_compiled_database(opened))


@cache
def _installed() -> bool:
    try:
        import hyperscan  # noqa: F401, PLC0415 - as below
    except ImportError:
        return False
    return True


def runtime() -> str:
    """Return what names the library that reads an automaton; empty where it is not installed."""
    if not _installed():
        return ""
    import hyperscan  # noqa: PLC0415 - as below

    return f"hyperscan {getattr(hyperscan, '__version__', '')} {sys.platform}"


@cache
def database(expressions: tuple[str, ...]) -> Any:
    """Return the automaton: the one that was prepared, else compiled (0.3 s), once a process."""
    opened = _opened(expressions)
    database = _prepared_database(opened)
    return database if database is not None else _compiled_database(opened)


@cache
def _prepared_database(opened: tuple[str, ...]) -> Any:
    """Return the automaton that was prepared with the installation; `None` where there is none."""
    packed = prepared.automaton(opened, runtime=runtime())
    if packed is None:
        return None
    import hyperscan  # noqa: PLC0415 - only where much is read

    try:
        database = hyperscan.loadb(packed, hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)
    except hyperscan.HyperscanError:
        # Prepared on a processor of another kind: the library tells, and it is compiled here.
        return None
    return database


def _opened(expressions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the expressions with large repeats left open, which the library could not compile."""
    return tuple(_LARGE.sub(lambda m: f"{{{m[1]},}}" if int(m[2]) >= _LARGEST else m[0], text) for text in expressions)


def _compiled_database(opened: tuple[str, ...]) -> Any:
    import hyperscan  # noqa: PLC0415 - as above

    database = hyperscan.Database()
    database.compile(
        expressions=[text.encode() for text in opened],
        ids=list(range(len(opened))),
        elements=len(opened),
        flags=[0] * len(opened),
    )
    return database


def lines(content: bytes, triggers: Iterable[Trigger]) -> dict[Look, list[tuple[int, int]]]:
    """Return for each look the pieces (start, end) of `content` that its triggers want, once and in order.

    A piece is a line without its line feed. A longer line (a minified bundle, the index of a site) is cut between the
    objects of a list, and what is longer still on a grid from there that overlaps by half: pieces depend on the text
    around them alone, not on the triggers. So one that another version of the file holds as well, only further on in
    its line, is an equal piece.
    """
    found: dict[Look, dict[int, int]] = {}
    known: dict[Look, tuple[int, int]] = {}
    line = part = (0, -1)
    between = b""
    for look, at, _ in triggers:
        last = known.get(look)
        if last is not None and last[0] < at <= last[1]:
            continue
        # Looked for once a line and not once a trigger: a line may have megabytes, and a trigger on every byte.
        if not part[0] < at <= part[1]:
            if not line[0] < at <= line[1]:
                line = (content.rfind(b"\n", 0, at - 1) + 1, _place(content, b"\n", at - 1, len(content)))
                between = _between(content, *line)
            part = _part(content, at, line, between) if between else line
        start, end = part
        own = found.setdefault(look, {})
        if end - start <= LONGEST_LINE:
            known[look] = part
            own[start] = end
        else:
            number = (at - 1 - start) // _STEP
            known[look] = (start + number * _STEP, min(start + (number + 1) * _STEP, end))
            for begin in {max(number - 1, 0) * _STEP + start, number * _STEP + start}:
                own[begin] = min(begin + LONGEST_LINE, end)
    return {look: sorted(own.items()) for look, own in found.items()}


def along(content: bytes, start: int, end: int) -> Iterator[int]:
    """Yield the ends of triggers that want all of the line between `start` and `end`, whatever its length."""
    yield from range(start + _STEP, end, _STEP)
    between = _between(content, start, end)
    place = content.find(between, start, end) if between else -1
    while place >= 0:
        # The last byte of one part, and the first of the next.
        yield from (place + 1, place + 2)
        place = content.find(between, place + 1, end)
    yield end


def _between(content: bytes, start: int, end: int) -> bytes:
    """Return what stands between the objects of a list on the line; nothing on a line that is not cut."""
    if end - start <= LONGEST_LINE:
        return b""
    return next((text for text in _BETWEEN if content.find(text, start, end) >= 0), b"")


def _part(content: bytes, at: int, line: tuple[int, int], between: bytes) -> tuple[int, int]:
    """Return the part of a long line that the byte before `at` is in, from a comma to the brace before the next."""
    start, end = line
    first = content.rfind(between, start, at - 2 + len(between))
    return (start if first < 0 else first + 1), min(_place(content, between, at - 1, end) + 1, end)


def _place(content: bytes, what: bytes, start: int, end: int) -> int:
    """Return where `what` begins between `start` and `end`; `end` where it does not."""
    place = content.find(what, start, end)
    return end if place < 0 else place
