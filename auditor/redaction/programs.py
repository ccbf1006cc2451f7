"""Programs and languages that take a password in a place of their own: `mysql -px`, `curl -u a:x`, `IDENTIFIED BY 'x'`.

Each is told by a word that its text holds, so a line without one costs nothing.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from auditor.model.resource import Confidence, LiteralKind
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.notation import Notation
from auditor.redaction.span import Span
from auditor.redaction.verdict import named


class _Program(NamedTuple):
    """One place in which some program takes a password."""

    needles: tuple[str, ...]
    """Of which its text holds at least one."""
    flags: tuple[str, ...]
    """And of these, where there are any."""
    name: str
    pattern: str
    """Verbose. Its `value` is the password; its `key`, where it has one, must label a credential."""


_CLIENTS = r"(?:mysql|mysqladmin|mysqldump|mysqlshow|mysqlcheck|mysqlimport|mariadb|mariadb-\w+)"
_NO_WORD = r"(?!rint[0f]?\b|ath\b|erm\b|rune\b|ort\b|assword\b|[a-z]+=)"
"""Behind `-p`: other options that begin like it, such as `-protocol=tcp` and the `-printf` of `find`."""
_LOGINS = (
    r"(?:mongo|mongosh|mongodump|mongorestore|mongoimport|rabbitmqadmin|cqlsh|mcrcon|cypher-shell|beeline|twine|psexec"
    r"|couchbase-cli|elasticsearch-users|useradd|nuget|kadmin|x11vnc"
    r"|(?:docker|podman|nerdctl|registry|helm|oc|argocd|az)[ \t]+login)"
)
_PROGRAMS = (
    _Program(
        ("curl", "wget", "http", "'-u'", '"-u"', "etcdctl"),
        ("-u", "su ", "ku ", "--auth", "--basic", "-a "),
        "user",
        r"""(?:-u(?<![\w\-]-u)|--user(?<![\w\-]--user)|\bhttps?[ \t]+-a|--auth|--basic|-[skifS]{1,4}u)
            (?:[\"'],?[ \t]*|[\"']?[ \t]+|=)?[\"']?[A-Za-z_][^\s:\"'${},/]{0,63}:(?P<value>[^\s\"'/:]{1,128})""",
    ),
    # A line of its own, behind a backslash: what program it belongs to stands above.
    _Program(
        ("-u ",),
        (),
        "user",
        r"""(?:^|\n)[ \t]+-u[ \t]+[\"']?[A-Za-z_][^\s:\"'${},/]{0,63}:
            (?!(?:root|nogroup|nobody|docker|users|wheel|staff|\d+)\b)(?P<value>[^\s\"'/:]{1,128})""",
    ),
    _Program(
        ("mysql", "mariadb"),
        ("-p",),
        "password",
        rf"""\b{_CLIENTS}\b[^\n|;&]{{0,400}}?(?:[ \t]|[\"'],[ \t]*[\"'])-p{_NO_WORD}
            (?P<value>[^\s\"'=\-][^\s\"']{{0,127}}|\"[^\"\n]{{1,128}}\"|'[^'\n]{{1,128}}')""",
    ),
    # The same options where the client is named elsewhere: `run_query "-h db -uroot -psecret"`.
    _Program(
        (" -p",),
        ("-u",),
        "password",
        rf"""(?<![\w\-])-u[\"']?[A-Za-z$][^\s\"']{{0,63}}[\"']?[ \t]{{1,4}}-p{_NO_WORD}(?!\d{{1,5}}(?:[:/\s\"']|$))
            (?P<value>[^\s\"'=\-][^\s\"']{{0,127}}|\"[^\"\n]{{1,128}}\"|'[^'\n]{{1,128}}')""",
    ),
    # A header of an application's own.
    _Program(
        ("uth:",),
        ("-H", "--header"),
        "password",
        r"""(?:-H|--header)[ \t=]{1,4}[\"'](?!Proxy)[\w\-]{0,40}[aA]uth:[ \t]*(?P<value>[^\s\"'$]{3,128})[\"']""",
    ),
    _Program(
        ("redis-cli",),
        ("-a",),
        "password",
        r"""\bredis-cli\b[^\n|;&]{0,400}?[ \t\"']-a(?:[\"'],[ \t]*|[ \t]+)[\"']?(?P<value>[^\s\"']{1,128})""",
    ),
    _Program(("sshpass",), (), "password", r"""\bsshpass[ \t]+-p[ \t]*[\"']?(?P<value>[^\s\"']{1,128})"""),
    _Program(
        (
            "mongo", "login", "rabbitmqadmin", "cqlsh", "mcrcon", "cypher-shell", "beeline", "twine", "psexec",
            "useradd",
            "couchbase-cli", "elasticsearch-users", "nuget", "x11vnc",
        ),
        ("-p",),
        "password",
        rf"""\b{_LOGINS}\b[^\n|;&]{{0,400}}?[ \t]-p[ \t]+[\"']?(?P<value>[^\s\"']{{1,128}})""",
    ),
    _Program(
        ("sqlcmd", "ipmitool", "zip", "bcp", "mosquitto_"),
        ("-P",),
        "password",
        r"""\b(?:sqlcmd|ipmitool|zip|unzip|bcp|mosquitto_pub|mosquitto_sub)\b[^\n|;&]{0,400}?[ \t]-P[ \t]*[\"']?
            (?P<value>[^\s\"']{1,128})""",
    ),
    _Program(
        ("7z", "kadmin", "openssl"),
        ("-p", "-w", "-k", "passwd"),
        "password",
        r"""\b(?:7za?[ \t]+[a-z][ \t][^\n|;&]{0,200}?-p|kadmin\b[^\n|;&]{0,200}?[ \t]-w[ \t]+
            |openssl[ \t]+(?:enc|aes-\d{3}-\w{3})\b[^\n|;&]{0,200}?[ \t]-k[ \t]+
            |openssl[ \t]+passwd[ \t]+(?:-\w+[ \t]+(?:salt[ \t]+)?){0,3})[\"']?
            (?P<value>[^\s\"'\-)][^\s\"')]{2,127})""",
    ),
    # A store of keys of Java: the password is that of the store, or of one key.
    _Program(
        ("storepass", "keypass"),
        (),
        "password",
        r"""-(?:src|dest)?(?:storepass|keypass)(?:wd)?(?:[\"'],[ \t]*|[ \t]+)[\"']?
            (?P<value>[^\s\"'\-][^\s\"']{2,127})""",
    ),
    # PowerShell.
    _Program(
        ("SecureString",),
        (),
        "password",
        r"""SecureString[ \t]+(?:-String[ \t]+|-AsPlainText[ \t]+|-Force[ \t]+){0,3}[\"']
            (?P<value>[^\"'\n]{3,128})[\"']""",
    ),
    # One word behind a command: what logs in, what sets a password.
    _Program(
        (
            "mysqladmin", "vault login", "ngrok", "set-initial-password", "reset-admin-password", "wpa_passphrase",
            "nmcli", "net user", "net use ", "addprinc",
        ),
        (),
        "password",
        r"""(?:\bmysqladmin\b[^\n|;&]{0,200}?[ \t]password[ \t]+
            |\bvault[ \t]+login[ \t]+(?:-no-print[ \t]+)?(?![a-z]+=)(?!-)
            |\bngrok[ \t]+(?:config[ \t]+add-)?authtoken[ \t]+|\bset-initial-password[ \t]+|\breset-admin-password[ \t]+
            |\bwpa_passphrase[ \t]+\S+[ \t]+|\bnmcli\b[^\n|;&]{0,200}?[ \t]password[ \t]+
            |\bnet[ \t]+user[ \t]+[\w.%\-]+[ \t]+(?![/*])|\bnet[ \t]+use[ \t]+\S+[ \t]+\\\\\S+[ \t]+(?![/*])
            |\baddprinc[ \t]+-pw[ \t]+)
            [\"']?(?P<value>[^\s\"'\\<>|;&()-][^\s\"'\\<>|;&()]{2,127})""",
    ),
    _Program(
        ("aws configure set", "SecureString", "secret-string"),
        ("secret_access_key", "--value", "secret-string"),
        "password",
        r"""(?:\baws_secret_access_key|--type[ \t=]+[\"']?SecureString\b[^\n|;&]{0,200}?[ \t]--value|--secret-string)
            [ \t=]+[\"']?(?P<value>[^\s\"'{$][^\s\"']{2,511})""",
    ),
    _Program(
        ("smbclient", "expdp", "impdp", "rman"),
        ("%", "/"),
        "password",
        r"""(?:\bsmbclient\b[^\n|;&]{0,200}?[ \t]-U[ \t]*[\"']?[\w.\-\\]{1,64}%|\b(?:expdp|impdp)[ \t]+[\"']?\w{1,64}/)
            (?P<value>[^\s\"'/@]{1,64})""",
    ),
    # Of SNMP: a community is a password, except the one that everybody knows.
    _Program(
        ("snmp", "community", "com2sec", "createUser"),
        (),
        "password",
        r"""(?:\bsnmp(?:walk|get|bulkwalk|set|getnext|trap)\b[^\n|;&]{0,200}?
            [ \t]-[AXc][ \t]*|(?:^|\n)[ \t]*(?:r[ow]community6?[ \t]+
            |com2sec6?[ \t]+\S+[ \t]+\S+[ \t]+|createUser[ \t]+\S+[ \t]+(?:MD5|SHA\S*)[ \t]+))
            [\"']?(?!public\b)(?P<value>[^\s\"'\-][^\s\"']{2,63})""",
    ),
    _Program(
        ("createUser",),
        ("AES", "DES"),
        "password",
        r"""\bcreateUser[ \t][^\n]{1,120}[ \t](?:AES|DES)\S*[ \t]+[\"']?(?P<value>[^\s\"']{3,63})""",
    ),
    # What a name of a user is made a password by: `register "peer0" "peer0pw"`.
    _Program(
        ("pw",),
        (),
        "password",
        r"""(?<![\w.\-])(?P<open>[\"']?)(?P<user>[A-Za-z]\w{2,40})(?P=open)[ \t]{1,4}[\"']?(?P<value>(?P=user)pw)
            (?=[\"'\s]|$)""",
    ),
    # The answer to a question of Debian's installer.
    _Program(
        ("pass",),
        (" password ",),
        "password",
        r"""/[\w.-]*pass(?:word)?[\w-]*[ \t]+(?:password|string)[ \t]+[\"']?(?P<value>[^\s\"']{1,128})""",
    ),
    _Program(
        ("ldap",),
        ("-w",),
        "password",
        r"""\bldap(?:search|add|modify|delete|whoami|passwd)\b[^\n|;&]{0,400}?[ \t]-w[ \t]*[\"']?
            (?P<value>[^\s\"']{1,128})""",
    ),
    _Program(
        ("rabbitmqctl",),
        (),
        "password",
        r"""\brabbitmqctl\b[^\n|;&]{0,80}?\b(?:add_user|change_password)[ \t]+[\"']?[\w.\-]{1,64}[\"']?[ \t]+[\"']?
            (?P<value>[^\s\"']{1,128})""",
    ),
    _Program(
        ("htpasswd",),
        (),
        "password",
        r"""\bhtpasswd[ \t]+-[a-zA-Z]{0,6}b[a-zA-Z]{0,6}(?:[ \t]+-\w+){0,4}[ \t]+(?:[^\s\"'\-]\S{0,200}[ \t]+)?
            [\"']?[\w.\-]{1,64}[\"']?[ \t]+[\"']?(?P<value>[^\s\"'|;&)]{1,128})""",
    ),
    _Program(
        ("chpasswd",),
        (),
        "password",
        r"""\b(?:echo|printf)[ \t]+(?:-\w+[ \t]+)?[\"']?[\w.\-]{1,64}:(?P<value>[^\s\"'|]{1,128})[\"']?[ \t]*
            \|[ \t]*(?:\w+[ \t]+)?chpasswd""",
    ),
    _Program(
        ("-stdin", "sudo -S", "passwd", "kinit", "with-token"),
        ("echo", "printf"),
        "password",
        r"""\b(?:echo|printf)[ \t]+(?:-\w+[ \t]+)?[\"']?
            (?P<value>[^\s\"'|\\]{3,128})(?:\\n[^\s\"'|]{0,128})?[\"']?[ \t]*
            \|[ \t]*(?:[^\n|]{0,200}--password-stdin
            |sudo[ \t]+-S|(?:sudo[ \t]+)?passwd\b|kinit\b|gh[ \t]+auth[ \t]+login)""",
    ),
    _Program(
        ("pass:",),
        (),
        "password",
        r"""(?:-pass(?:in|out)?|-password)[ \t]+[\"']?pass:[\"']?(?P<value>[^\s\"']{1,128})""",
    ),
    _Program(
        (
            "requirepass", "masterauth", "auth_pass", "rootpw", "bindpw", "auth-pass", "sentinel-pass",
            "insecure-password",
        ),
        (),
        "requirepass",
        r"""(?:(?:^|\n|-|[\"'])[ \t]*(?:requirepass|masterauth|auth_pass|rootpw(?:[ \t]+--plaintext)?|bindpw
            |sentinel[ \t]+(?:auth-pass[ \t]+[^\s{]{1,64}|sentinel-pass))|\buser[ \t]+\S{1,64}[ \t]+insecure-password)
            [ \t]+[\"']?(?P<value>[^\s\"'=:\-][^\s\"']{0,511})""",
    ),
    # A user of Redis: `user app on >hunter2 ~jobs:* +@read`.
    _Program(
        (" >",),
        ("user ", "SETUSER"),
        "password",
        r"""(?:(?:^|\n)[ \t]*user|\bSETUSER)[ \t]+[\w.\-]{1,64}[ \t]+
            (?:(?:on|off|reset|resetpass|~\S+|&\S+|\+\S+)[ \t]+){0,8}>
            (?P<value>[^\s\"']{1,128})""",
    ),
    # Of MinIO: a name for the server, its address, a user, the password.
    _Program(
        ("mc alias", "mc config"),
        (" set", " add"),
        "password",
        r"""\bmc[ \t]+(?:alias[ \t]+set|config[ \t]+host[ \t]+add)[ \t]+[\w\-]{1,64}[ \t]+[^\s{}]{1,200}
            [ \t]+[^\s{}]{1,128}[ \t]+[\"']?(?P<value>[^\s\"'|;&)]{1,128})""",
    ),
    _Program(
        ("sqlplus",),
        ("/",),
        "password",
        r"""\bsqlplus\b[^\n|;&]{0,100}?[ \t][\"']?[\w$\#]{1,64}/[\"']?
            (?P<value>[^\s\"'/@]{1,64})[\"']?(?:@|[ \t]+(?i:as)\b)""",
    ),
    _Program(
        ("stats auth",), (), "password", r"""\bstats[ ]auth[ \t]+[\w.\-]{1,64}:(?P<value>[^\s\"']{1,128})"""
    ),
    _Program(
        ("login",),
        ("password",),
        "password",
        r"""\b(?:machine\s{1,8}\S{1,128}|default)\s{1,8}login[ \t]+\S{1,128}\s{1,8}password[ \t]+
            (?P<value>[^\s\"']{1,128})""",
    ),
    _Program(
        ("dentified", "DENTIFIED", "PASSWORD", "password '"),
        ("'",),
        "password",
        r"""\b(?:(?i:IDENTIFIED[ \t]+(?:WITH[ \t]+[\w'\"]{1,40}[ \t]+)?BY)
            |(?i:(?:WITH|ENCRYPTED|USER|ROLE|LOGIN|SUPERUSER)\b(?!:)[^;'\n]{0,80}\bPASSWORD)|PASSWORD\(
            |(?i:SET[ \t]+PASSWORD[ \t]+FOR)[ \t]+[^\s=]{1,120}[ \t]*=|(?i:OPTIONS)[ \t]*\([^)\n]{0,200}?\bpassword)
            [ \t]*=?[ \t]*N?'(?P<value>[^'\n]{1,128})'""",
    ),
    # As Oracle writes it, without quotes.
    _Program(
        ("dentified", "DENTIFIED"),
        ("user", "USER", "ser", "GRANT", "rant", "CONNECT", "onnect"),
        "password",
        r"""\b(?i:(?:CREATE|ALTER)[ \t]+USER|(?:GRANT|LINK)\b[^;\n]{1,200}?[ \t]TO)[ \t]+[^\s;]{1,64}
            [ \t]+(?i:IDENTIFIED[ \t]+BY(?![ \t]+VALUES))[ \t]+\"?(?P<value>[A-Za-z][\w\#$]{2,127})\"?(?![\w(.])""",
    ),
    # The old form of a Dockerfile, without an equals sign, and how servers set variables.
    _Program(
        ("ENV ", "SetEnv ", "setenv ", "setx ", "_param ", "set -"),
        (),
        "",
        r"""(?:^|\n)[ \t]*(?:ENV|SetEnv|setenv|setx|fastcgi_param|uwsgi_param|set[ \t]+-\w{1,3})[ \t]+
            (?P<key>[A-Za-z_]\w{1,119})
            [ \t]+[\"']?(?P<value>[^\s\"'=;][^\s\"';]{0,511})[\"']?[ \t;]*(?:/[mM])?[ \t]*\\?(?:$|\n)""",
    ),
)  # fmt: skip


_DIRECTIVE = compile_(
    r"""^[ \t]*(?P<key>[A-Za-z][\w.]{2,80}(?:password|Password|passwd|passphrase|[_.]pass))[ \t]+[\"']?
        (?P<value>[^\s\"'=:;,(\[{&|<>][^\s\"';(){}]{2,255})(?<!,)[\"']?[ \t]*\r?$""",
    re.VERBOSE | re.MULTILINE,
)
"""`remote_password hunter2` of a server: a compound name, a blank and one value. `password reset` is a sentence."""
_STATEMENT = compile_(
    r"""^[ \t]*(?P<key>[a-z]\w{0,60}?(?:password|passwd|passphrase)|password)[ \t]+(?P<quote>["'])
            (?P<value>[^"'\n]{3,255})(?P=quote)
        [ \t]*;?[ \t]*\r?$""",
    re.VERBOSE | re.MULTILINE,
)
"""`password 'hunter2'` of Chef, Groovy and the configuration of BIND and its kin."""
_SHOWS_THE_FORM = compile_(r"(?i)(?:-u|--user(?:name)?)[ \t=]{1,4}[\"']?(?:username|user|login)[\"']?[ \t]")
"""`oc login -u username -p password`."""


def programs(text: str) -> Iterator[Span]:
    """Yield the passwords that stand in the places that programs have for them."""
    for program in _PROGRAMS:
        # Plain loops: nearly every text passes here and holds none of the words.
        for needle in program.needles:
            if needle in text:
                if program.flags and not _holds(text, program.flags):
                    break
                for match in _compiled(program.pattern).finditer(text):
                    yield from _checked(match, program.name)
                break


def directives(text: str, notation: Notation) -> Iterator[Span]:
    """Yield the passwords that stand behind a name and a blank, alone on their line."""
    if notation in {Notation.DATA, Notation.UNKNOWN}:
        for match in _DIRECTIVE.finditer(text):
            yield from _checked(match, "")
    if notation in {Notation.DATA, Notation.UNKNOWN, Notation.CODE}:
        for match in _STATEMENT.finditer(text):
            yield from _checked(match, "")


def _holds(text: str, words: tuple[str, ...]) -> bool:
    for word in words:  # noqa: SIM110 - a generator costs more than the search
        if word in text:
            return True
    return False


def _checked(match: re.Match[str], name: str) -> Iterator[Span]:
    start, end = match.span("value")
    value = match["value"]
    if value[0] in "\"'":
        start, end, value = start + 1, end - 1, value[1:-1]
    key = name or match["key"]
    strength, rule = (Label.PASSWORD, "command-line-password") if name else (label(key), "named-credential")
    if _SHOWS_THE_FORM.search(match[0]) and value.lower() in {"password", "pass", "passwd"}:
        return
    if not value or value[0] == "$" or strength < Label.SECRET or (name == "user" and value.isdigit()):
        return
    found = named(strength, key, value, structured=False)
    if found.kind is LiteralKind.CREDENTIAL and found.confidence is not Confidence.POSSIBLE:
        yield Span(start + found.start, start + found.end, key, rule, Confidence.LIKELY)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return `pattern`, compiled when a text first needs it: all at once would cost every start."""
    return compile_(pattern, re.VERBOSE)
