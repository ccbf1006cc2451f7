"""Whether a name labels a credential: `DB_PASSWORD`, `dbPassword`, `spring.datasource.password`, `--admin-password`.

The last component decides, and in it the last words: `PASSWORD_FILE`, `TOKEN_URL`, `secretName` and `AUTH_TYPE` name
something about a credential, not the credential. A name alone never makes a finding; the value has its say
(`redaction.values`).
"""

import re
from enum import IntEnum
from functools import lru_cache

from auditor.patterns import compile_


class Label(IntEnum):
    """How plainly a name labels a credential."""

    NONE = 0
    WEAK = 1
    """`key`, `auth`, `salt`: only a value that looks random makes it a credential, and then a possible one."""
    SECRET = 2
    """`secret`, `credentials`: in Kubernetes as often the name of a Secret object as the secret itself."""
    TOKEN = 3
    """`token`, `api_key`, `client_secret`: a value that some machine made up; never a number or a plain setting."""
    PASSWORD = 4
    """`password`, `passwd`, `pass`: anything can be one, also `admin` and `1234`."""


_HINT = compile_(
    r"pass|pwd|pw\b|pswd|secret|token|key|auth|cred|cookie|salt|bearer|pat\b|jwt|pin\b|mnemonic|psk|user_?-?\.?info",
    re.IGNORECASE,
)
_WORDS = compile_(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SEPARATORS = compile_(r"[./:\s\[\]'\"@]+")
_EXTENSIONS = frozenset({"txt", "conf", "cfg", "env", "file", "dat", "bin", "yaml", "yml", "json", "pem", "enc", "raw"})
_NOUNS = frozenset({"secret", "key"})
_LAST_PARTS = _EXTENSIONS | {"value", "default", "plain", "plaintext", "literal"}
"""Last components that say nothing: `password.value`, `password.txt`, and numbers: `db.password.0`."""
_QUALIFIERS = frozenset(
    {
        "b64", "base64", "value", "val", "plain", "plaintext", "cleartext", "prod", "production", "dev",
        "development", "staging",
        "test", "testing", "qa", "uat", "local", "old", "new", "current", "previous", "primary", "secondary", "default",
        "encoded", "override", "wo", "live", "sandbox", "rw", "ro",
    }
)  # fmt: skip
_PASSWORDS = frozenset(
    {
        "password", "passwords", "passwd", "pass", "passphrase", "passcode", "pw", "pswd", "passwort", "requirepass",
        "masterauth",
    }
)  # fmt: skip
_PASSWORD_ENDS = ("password", "passwd", "passphrase", "passcode")
_NEGATED = frozenset({"nopasswd", "nopassword", "nopass", "htpasswd"})
"""`NOPASSWD: ALL` of sudoers, `nopass` of Redis: that there is no password."""
_JOINED_PASS = compile_(
    r"\w{2,}(?:pass|pwd)|(?:db|root|admin|bind|my|mysql|pg|postgres|sql|redis|smtp|mail|ftp|ssh|ldap|user|app|proxy|vnc|wifi)pw"
)
_NO_JOINED = compile_(
    r"(?:by|com|encom|tres|sur|under|over|low|high|band|all|multi|one|first|second|single|two|proxy|fastcgi|old|ask)(?:pass|pwd)"
)
"""`bypass`, `compass`, `proxypass`: words that end like it."""
_NOT_A_PASS = frozenset(
    {"proxy", "fastcgi", "uwsgi", "grpc", "scgi", "memcached", "first", "second", "multi", "by", "low", "high", "band"}
)
_SETTINGS = frozenset(
    {
        "existing",
        "use",
        "enable",
        "disable",
        "generate",
        "require",
        "has",
        "is",
        "allow",
        "show",
        "external",
        "automount",
        "mount",
    }
)
_REFERENCES = frozenset(
    {
        "tls", "pull", "image", "ca", "cert", "certs", "certificate", "registry", "kube", "kubernetes", "k8s",
        "name", "ssl",
        "credentials", "credential", "creds", "password", "passwords", "user", "users", "docker", "dockerconfig",
        "ingress",
        "config", "existing", "external", "key", "vault", "target", "extra", "mounted", "from", "gossip",
    }
)  # fmt: skip
_OWNERS = frozenset(
    {
        "client", "jwt", "app", "application", "session", "cookie", "shared", "webhook", "signing", "consumer", "oauth",
        "hmac", "api", "token", "encryption", "oidc", "state", "nextauth", "access", "master", "otp", "totp", "channel",
        "sasl", "auth0", "hash", "inline", "encoder", "crypto", "admin", "rpc", "enroll", "enrollment", "registration",
        "replication", "join", "turn", "device", "csrf",
    }
)  # fmt: skip
_KEYED = frozenset(
    {
        "api", "secret", "private", "encryption", "encrypt", "enc", "signing", "sign", "master", "auth", "account",
        "shared", "session", "app", "application", "hmac", "jwt", "admin", "storage", "crypt", "crypto", "cipher",
        "aes",
        "license", "licence", "ingest", "access", "deploy", "webhook", "cookie", "subscription", "maps", "gossip",
        "fernet", "instrumentation", "integration", "sas", "psk", "decryption", "nonce", "preshared", "validation",
    }
)  # fmt: skip
_SALTED = frozenset({"auth", "in", "nonce", "hash", "token", "hashids", "secret", "cookie", "app", "crypt"})
"""`AUTH_SALT` of WordPress, `hash_salt` of Drupal: they sign sessions."""
_JOINED_KEY = compile_(r"(?:api|secret|private|encryption|signing|master|auth|account|shared|access)key")
_PAGES = frozenset(
    {
        "page", "pagination", "next", "previous", "continuation", "continue", "sync", "cancel", "cancellation", "max",
        "stop", "start", "starting", "csrf", "xsrf", "input", "output", "request", "idempotency", "idempotent", "lock",
        "unit", "resume", "cursor", "marker", "more", "pad", "eos", "bos", "unk", "mask", "position", "sequence",
        "fencing", "change", "upload", "task", "receipt", "forward", "backward", "skip", "no",
    }
)  # fmt: skip
"""`NextToken`, `idempotency_token`, `pad_token`: a place in a list, a call that is sent twice, a piece of text."""
_ONCE = frozenset({"ClientToken", "clientToken"})
"""What makes a call of AWS happen once."""
_NAMING = (["initial", "cluster", "token"], ["public", "key", "token"])
"""etcd's name of a cluster, and what names the author of a library of .NET."""
_BY_NAME = frozenset({"restuserkey"})
"""Of Heketi."""
_OF_DIRECTORIES = ("security.credentials", "security_credentials")
_ROLES = frozenset({"vault", "bao", "openbao", "approle", "role", "app"})
_WEAK = frozenset({"key", "keys", "auth", "cookie", "salt", "mnemonic", "pin", "authorization", "connectionstring"})


@lru_cache(maxsize=1 << 16)
def label(name: str) -> Label:
    """Return how plainly `name` labels a credential. Names are no secrets, so remembering them is safe."""
    if _HINT.search(name) is None:
        return Label.NONE
    words = _nouns(name)
    if not words:
        return Label.NONE
    last = words[-1]
    before = words[-2] if len(words) > 1 else ""
    if words[0] in _SETTINGS and len(words) > 1:
        return Label.NONE
    if (
        last in _PASSWORDS
        or last.endswith(_PASSWORD_ENDS)
        or (_JOINED_PASS.fullmatch(last) and not _NO_JOINED.fullmatch(last))
    ):
        negated = last in _NEGATED or (last == "pass" and before in _NOT_A_PASS)
        return Label.NONE if negated else Label.PASSWORD
    if last == "pwd":
        # `PWD` and `OLDPWD` are the shell's working folder.
        alone = name.lower() == "pwd" or before == "old"
        return Label.NONE if alone and name != "Pwd" else Label.PASSWORD
    return _machine_made(name, words, last, before)


def _nouns(name: str) -> list[str]:
    """Return the words of a name without the qualifiers behind them: `DB_PASSWORD_PROD_2`, `db_password_a`."""
    words = last_words(name)
    single = "\\" not in name  # the letter of `\n` is none
    while len(words) > 1 and (words[-1] in _QUALIFIERS or words[-1].isdigit() or (single and len(words[-1]) == 1)):
        words.pop()
    return [word for word in words if not word.isdigit()]


def _machine_made(name: str, words: list[str], last: str, before: str) -> Label:  # noqa: C901, PLR0911, PLR0912 - a line a noun
    if words[-3:] == ["root", "token", "id"] or name.lower().endswith(_OF_DIRECTORIES):
        return Label.PASSWORD  # Vault's development server, where people write any word; Java's way to a directory
    if name.lower().endswith("pass4symmkey"):
        return Label.PASSWORD  # of Splunk, where people write any word
    if name.endswith("client-secret"):
        return Label.PASSWORD  # of Spring; where it names an object it is written `clientSecret`
    if last in _BY_NAME or name.lower().endswith("auth.server.identity.value"):
        return Label.TOKEN
    if name.endswith("managerPasswordSecret"):
        return Label.PASSWORD  # of Jenkins' configuration as code
    if last.endswith("secret"):
        if last != "secret":
            return Label.TOKEN
        if words[-3:-1] in (["api", "key"], ["access", "key"]):
            return Label.TOKEN
        if name.lower().endswith("key_secret"):
            return Label.SECRET  # of a key that signs updates of DNS
        if before in _REFERENCES:
            return Label.NONE
        # `AUTH_SECRET` signs sessions, `auth_secret` names an object as often.
        return Label.TOKEN if before in _OWNERS or (before == "auth" and name.isupper()) else Label.SECRET
    if last.endswith("token") or last in {"bearer", "pat", "jwt"}:
        named = before in _PAGES or words[-3:] in _NAMING or name in _ONCE
        return Label.NONE if named else Label.TOKEN
    if last == "key" and before == "storage" and not {"azure", "account", "blob"}.intersection(words):
        return Label.WEAK  # of Azure; what browsers call a storage key is the name of an entry
    if (
        (last == "key" and before in _KEYED)
        or _JOINED_KEY.search(last)
        or words[-2:] in (["key", "base"], ["redis", "auth"])
        or (before, last) in {("erlang", "cookie"), ("secret", "string"), ("secret", "data")}
        or last == "psk"
        or (last == "salt" and before in _SALTED)
        or words[-3:] == ["logged", "in", "key"]
    ):
        return Label.TOKEN
    if last in {"credential", "credentials", "creds"}:
        return Label.SECRET
    if (before, last) == ("secret", "id"):
        # Of AppRole; elsewhere it is what a store calls the secret.
        return Label.SECRET if len(words) == 2 or words[-3] in _ROLES else Label.NONE
    return Label.WEAK if last in _WEAK else Label.NONE


def last_words(name: str) -> list[str]:
    """Return the words of the last component of `name`, in lower case: `spring.dataSource` gives `data`, `source`."""
    parts = [part for part in _SEPARATORS.split(name[-200:].strip(" -")) if part]
    while len(parts) > 1 and (parts[-1].lower() in _LAST_PARTS or parts[-1].isdigit()):
        parts.pop()
    if not parts:
        return []
    words = [word.lower() for word in _WORDS.findall(parts[-1])]
    if len(parts) > 1 and len(words) == 1 and words[0] in _NOUNS and "." in name:
        # `jwt.secret`, `api.key`: of `app.properties` the component before says whose it is.
        words = [word.lower() for word in _WORDS.findall(parts[-2])][-2:] + words
    return words
