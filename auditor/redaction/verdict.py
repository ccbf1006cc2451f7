"""What a value under a credential's name is: the credential itself, or a reference, a placeholder, a setting.

Weak passwords are credentials as well: entropy decides nothing here. What cannot be told apart from the name of an
object or of a key by its form is told apart by the name it stands under, and by how the name is written: an environment
variable holds the thing itself, a key of nested configuration as often its name.
"""

import re

from auditor.model.resource import Confidence, LiteralKind
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.span import Named
from auditor.redaction.values import default_of, looks_random, measure, nature, self_made_works, takes_effect

TEMPLATED = compile_(r"\$\{|\{\{|\$\(|<%|\$[A-Z_]{3,}|%\(")
_IDENTIFIER = compile_(r"[A-Za-z][A-Za-z_.\-/]{0,60}")
_ENVIRONMENT_NAME = compile_(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_CAPITALS = compile_(r"[A-Z]+(?:[_-][A-Z]+)+|[A-Z]{2,12}")
"""`MY_PASSWORD`, `FOO`: where a name stands for the value."""
_CAPITAL_WORD = compile_(
    r"(?!\w*(?:PASS|PWD|SECRET|TOKEN|KEY|USER|NAME|VALUE|ENV|FOO|BAR|YOUR|HERE|CRED|STR))[A-Z]{3,12}"
)
"""`HAHA`: as a password it is one, in whatever letters."""
_ENVIRONMENT_KEY = compile_(r"_?[A-Z][A-Z0-9_]*")
_SECRET_KEY = compile_(r"(?:^s|S)ecretKey$")
"""Written like this it is a field of Kubernetes that names a key; `secret_key` is a setting that holds one."""
_ACCESS_KEY = compile_(r"(?<!secret)(?<!secret[-_.])access[-_.]?key$", re.IGNORECASE)
"""An access key without `secret` before it is a user's name to S3, and a secret to Azure, where it is long."""
_OBJECT_NAME = compile_(r"[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?")
_OF_AN_OBJECT = compile_(
    r"(?:[a-z0-9]+[-.])+(?:secrets?|creds?|credentials?|certs?|certificates?|tls|ca|keystore|truststore|keytab|auth)"
)
"""`db-credentials`, `webhook-server-cert`: what Secret objects and files are called."""
_FOLDERS = compile_(r"[a-z][a-z_.\-]*(?:/[a-z][a-z_.\-]*){2,}")
_PARTS = compile_(r"[a-z]+(?::[a-z]+)+:?|[a-z]{3,}/[a-z]{3,}")
"""`pulumi:builtin:stack`, `elastic/admin`."""
_NAMES_OF_FIELDS = frozenset({"auth", "key", "salt", "cookie", "data", "username", "login"})
_WORDS = compile_(r"[a-z]+(?:[-.][a-z]+)+")
_CREDENTIALS = compile_(r"(?i)[\w.\-]*cred(?:ential)?s?")
_PARTED = compile_(r"[-./]|[a-z][A-Z]")
_NAMES_ITSELF = compile_(
    r"(?:[a-z0-9]+_)+api_key|(?:[a-z0-9]+[-./])*(?:token|secret|password|passwd|credentials?|(?:api|access)[-_]?key)"
    r"|[a-z]+(?:\d\d)?(?:[A-Z][a-z]+)*(?:Token|Secret|Password|Key|Credentials?)"
)
_SPEAKS = compile_(r"(?i)pass(?:word|phrase|wort|code)|token|secret|credential|\bkey\b|mot de passe|contrase")
_NO_TOKENS = frozenset(
    {
        "basic", "bearer", "jwt", "oauth", "oauth2", "oidc", "header", "query", "kubernetes", "k8s", "static", "file",
        "env", "local", "opaque", "internal", "manual", "automatic", "generated", "random", "client", "access",
        "refresh", "vault", "aws", "gcp", "azure", "cookie", "session", "self-signed", "strong", "weak", "standard",
        "plain", "prompt", "stdin", "this", "user_info", "sasl_inherit", "url", "no-check", "pass", "fail", "failed",
        "success", "censor", "remove", "mask", "valid", "invalid", "managedidentity", "development", "test",
        "production",
    }
)  # fmt: skip
_WORD = compile_(r"[\"'(\[]?(?:[\w/'\u2019-]+|\W+)[\"')\]]?[.,:;?!)]*")
_FEW_WORDS = 3
_LONG_WORDS = 6
_SHORTEST = 3
_SHORT = 8
_LETTERS = compile_(r"[A-Za-z][A-Za-z._-]*")
_SECRET = compile_(r"(?i)secret$")
"""A number is one as well: `ADMIN_SECRET=12345`; a token in digits is seldom more than a limit."""
_CIPHER_KEY = compile_(r"(?i)(?:encrypt(?:ion)?|crypt|crypto|cipher|aes|secret)[-_.]?key$")
_DIGITS_OF_A_KEY = 8
_NUMBERED = compile_(r"[a-z]+(?:[-._](?:[a-z]+|v?\d{1,4}))+")
"""`client-secret-v2`, `api-key-2024`."""
_MADE_UP = compile_(r"(?:my|some|test|super|very|not|demo|dev|default|our|the|this|a)(?:[A-Z]|-(?=[a-z]+-))")
_FIELDS = ("name", "config", "json", "url", "uri", "host", "cert", "key", "data", "value", "string", "endpoint", "id")
_PARTED_WORDS = compile_(r"[a-z][_-][a-z]")
_LETTER = compile_(r"\w")
_SWITCH_OF_NAMES = compile_(
    r"(?:files|compat|systemd|nis|sss|ldap|db|winbind)(?:[ \t]+(?:files|systemd|nis|sss|ldap|db|winbind))*"
)
"""`passwd: files ldap` of nsswitch.conf."""
_PASSES = frozenset(
    {"windowsPE", "offlineServicing", "generalize", "specialize", "auditSystem", "auditUser", "oobeSystem"}
)
"""`<settings pass="oobeSystem">`: when a step of the setup of Windows runs."""
_CAPTIONS = frozenset({"Password", "Passwort", "Passphrase", "Password:", "Passcode"})
"""What stands beside an entry field in a table of translations."""
_ESCAPED = compile_(r"(?:\\u[0-9A-Fa-f]{4}|[\s,.:;!?()])+")
"""Words in somebody's language, as properties of Java hold them."""
_ROUTE = compile_(r"(?:routes|applications|upstreams)(?:/\w+)*")
"""Where NGINX Unit passes a request to."""
_RESULTS = frozenset({"FAIL", "FAILED", "FAILURE", "ERROR", "SKIP", "SKIPPED", "WARN", "WARNING", "OK", "PASSED"})
_PUBLIC = Named(LiteralKind.PUBLIC, "plain", Confidence.LIKELY)


def named(  # noqa: C901, PLR0911 - an ordered list of evidence
    strength: Label, key: str, value: str, *, structured: bool
) -> Named:
    """Return what `value` is under a name of that strength.

    `structured`: in nested configuration a word under `secretKey` or `apiKey` is as often the name of a key as the
    key itself, so plain names are references there.
    """
    plain = nature(value)
    works = takes_effect(value) if strength is Label.PASSWORD else self_made_works(key, value)
    if plain is not None and not works:
        return Named(*plain, Confidence.LIKELY)
    fallback = default_of(value)
    if fallback is not None:
        return _default(strength, key, value, *fallback, structured=structured)
    text = value.strip()
    if (len(text) < _SHORTEST and not (text == "sa" and strength is Label.PASSWORD)) or not _LETTER.search(text):
        return _PUBLIC
    if TEMPLATED.search(text):
        return Named(LiteralKind.REFERENCE, "templated", Confidence.LIKELY)
    if _ESCAPED.fullmatch(text):
        return Named(LiteralKind.PUBLIC, "prose", Confidence.LIKELY)
    if not text.isascii() and not any(character.isdigit() for character in text):
        return Named(LiteralKind.PUBLIC, "prose", Confidence.LIKELY)  # a word in somebody's language
    if (_CAPITALS.fullmatch(text) and not (strength is Label.PASSWORD and _CAPITAL_WORD.fullmatch(text))) or (
        _ENVIRONMENT_NAME.fullmatch(text) and (label(text) >= Label.SECRET or (key and text.startswith(key)))
    ):
        return Named(LiteralKind.REFERENCE, "variable-name", Confidence.LIKELY)
    if " " in text and _SPEAKS.search(text) and _sentence(text):
        return Named(LiteralKind.PUBLIC, "prose", Confidence.LIKELY)
    match strength:
        case Label.PASSWORD:
            # `"PASS" if right else "FAIL"`
            tested = key.upper() == "PASS" and (text.upper() in _RESULTS or _ROUTE.fullmatch(text) is not None)
            return _PUBLIC if tested else _password(text, structured=structured)
        case Label.TOKEN | Label.SECRET:
            return _machine_made(strength, key, text, structured=structured)
        case _:
            random = looks_random(text) and not measure(text)
            return (
                Named(LiteralKind.CREDENTIAL, "random-under-weak-name", Confidence.POSSIBLE, 0, len(value))
                if random
                else _PUBLIC
            )


def _sentence(text: str, *, few: int = _FEW_WORDS) -> bool:
    """Return whether a text is of words, and not `!new compl&x password%`; whatever has more than `few` of them is."""
    words = text.split()
    return len(words) > few or all(_WORD.fullmatch(word) for word in words)


def _default(strength: Label, key: str, value: str, name: str, default: str, *, structured: bool) -> Named:
    strength = max(strength, label(name))
    if strength < Label.SECRET or not default:
        return Named(LiteralKind.REFERENCE, "reference", Confidence.LIKELY)
    inner = named(strength, key or name, default, structured=structured)
    if inner.kind is not LiteralKind.CREDENTIAL:
        return Named(LiteralKind.REFERENCE, "reference", Confidence.LIKELY)
    start = value.index(default, value.index(name) + len(name))
    return inner._replace(start=start, end=start + len(default))


def _password(text: str, *, structured: bool) -> Named:
    found = measure(text)
    if found and not (text.isdigit() and len(text) >= 3) and found not in {"uuid", "digest"}:
        return Named(LiteralKind.PUBLIC, found, Confidence.LIKELY)
    if text in _PASSES:
        return _PUBLIC
    if text.count(" ") >= (3 if structured else 7) or text in _CAPTIONS or _SWITCH_OF_NAMES.fullmatch(text):
        return Named(LiteralKind.PUBLIC, "prose", Confidence.LIKELY)
    return Named(LiteralKind.CREDENTIAL, "named-credential", Confidence.LIKELY, 0, len(text))


def _machine_made(strength: Label, key: str, text: str, *, structured: bool) -> Named:
    found = measure(text)
    counted = found == "number" and not (text.isdigit() and _keyed(key, len(text)))
    if counted or found in {"duration", "size", "version"}:
        return Named(LiteralKind.PUBLIC, found, Confidence.LIKELY)
    if len(text) < 4 or text.lower() in _NO_TOKENS:
        return _PUBLIC
    if len(text) < 16 and _ACCESS_KEY.search(key):
        return Named(LiteralKind.PUBLIC, "access-key-id", Confidence.LIKELY)
    if text.count(" ") >= 2 and _sentence(text, few=_LONG_WORDS):
        return Named(LiteralKind.PUBLIC, "prose", Confidence.LIKELY)
    if _names_something(strength, key, text, structured=structured and not _ENVIRONMENT_KEY.fullmatch(key)):
        return Named(LiteralKind.REFERENCE, "object-name", Confidence.LIKELY)
    return Named(LiteralKind.CREDENTIAL, "named-credential", Confidence.LIKELY, 0, len(text))


def _keyed(key: str, digits: int) -> bool:
    """Return whether a number of so many digits can be the secret that `key` names, and no limit."""
    return (digits > _SHORTEST and _SECRET.search(key) is not None) or (
        digits >= _DIGITS_OF_A_KEY and _CIPHER_KEY.search(key) is not None
    )


def _names_something(  # noqa: PLR0911 - as above
    strength: Label, key: str, text: str, *, structured: bool
) -> bool:
    """Return whether the text is the name of an object, a file or a key rather than a secret."""
    if _OF_AN_OBJECT.fullmatch(text) and (structured or strength is Label.SECRET or "-cert" in text or "-tls" in text):
        return True
    object_name = _OBJECT_NAME.fullmatch(text) is not None
    if _FOLDERS.fullmatch(text) or _PARTS.fullmatch(text):
        return True
    if text == "secret" and _SECRET.search(key) is not None:
        return False  # no object is called that
    if structured and (
        (
            (
                _NAMES_ITSELF.fullmatch(text)
                or (_IDENTIFIER.fullmatch(text) and _PARTED.search(text) and label(text) >= Label.SECRET)
            )
            and not _made_up(strength, key, text)
        )
        or text in _NAMES_OF_FIELDS
        or (
            _SECRET_KEY.search(key)
            and (
                (object_name and len(text) < _SHORT)
                or (_LETTERS.fullmatch(text) and not _one_word(text))
                or _NUMBERED.fullmatch(text)
            )
        )
        or (_PARTED_WORDS.search(text) and _joined(text) == _joined(key.rpartition(".")[2]))
        or (key.lower().endswith("key") and _WORDS.fullmatch(text) and not _MADE_UP.match(text))
    ):
        return True
    if strength is not Label.SECRET:
        return False
    if _CREDENTIALS.fullmatch(text):
        return True
    return object_name and (structured or "-" in text) and not measure(text)


def _made_up(strength: Label, key: str, text: str) -> bool:
    """Return whether `jwtSecret: someSecret` is the secret itself: names of objects have no capitals."""
    if not _SECRET.search(key) or text.islower() or _joined(text) == _joined(key.rpartition(".")[2]):
        return False
    return strength is Label.TOKEN or (key.lower() == "secret" and _MADE_UP.match(text) is not None)


def _one_word(text: str) -> bool:
    """Return whether `secretKey: minioadmin` is the key itself: one long word that no key or field is called by."""
    return (
        text.isalpha()
        and text.islower()
        and len(text) >= _SHORT
        and label(text) is Label.NONE
        and not text.endswith(_FIELDS)
    )


def _joined(name: str) -> str:
    """Return a name without what parts its words: the same for `license_key` and `licenseKey`."""
    return name.replace("_", "").replace("-", "").lower()
