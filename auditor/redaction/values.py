"""What a value is when its name says nothing: a reference, a path, a placeholder, ciphertext, a public value, or none.

`nature` answers for a whole value. It never says that a value is a credential: that takes a format, a place or a name.
"""

import re
from itertools import pairwise

from auditor.model.resource import REDACTED, LiteralKind
from auditor.patterns import compile_

_REFERENCE = compile_(
    r"""
    \$\{[^}:]*\} | \$\((?!env:\w+:-)[^)]*\)? .* | \$[A-Za-z_]\w*\$? | \$\d | \$[@*\#?] | %\w+% | %%\w
    | %\{[^}]*\} | %\([^)]*\)[sd]?
    | \{\{.*\}\} | <%.*%> | \#\{[^}]*\} | @[\w.]+@ | \$__(?:file|env|vault)\{[^}]*\} | __\w+__ | \$\{\{.*\}\}
    | \$ENV\{[^}]*\}
    | (?:vault|bao|openbao)(?:kv)?: (?!v\d+:) \S+ | ref\+[\w.+-]+://\S+ | secretref\+\S+
    | (?:op|akv|azkv|azurekeyvault|keyvault|awssm|aws-sm|awssecrets?|awssecretsmanager|aws-secretsmanager|awsps
       |awsssm|ssm|gcpsm|gcp-sm|gcpsecret|gsm|sm|secret|secrets|secretsmanager|secretmanager|k8s|kubernetes|env|file|conjur
       |doppler|bws|infisical|sops|berglas|crd|keyring|pass)://?\S*
    | (?:env|file|ssm|secretsmanager|sm|secretKeyRef|secret|configmap|keychain|resolve):[\w./\-:\#]+
    | arn:aws[\w-]*:\S+ | projects/[^/\s]+/secrets/\S+ | <path:[^>]+> | @Microsoft\.KeyVault\(.*\)
    | https://[\w-]+\.vault\.azure\.net/\S* | AVP\S*
    | !(?:[A-Z]\w*|vault|env\w*|secret\w*|include\w*|reference|file|ref|get|sops|var|encrypted\S*)\s.*
    | (?:var|local|data|module|each|self|random_password|random_string|env|secrets|values|params|inputs|process\.env
       |import\.meta\.env|os\.environ|os\.getenv|System\.getenv|ENV)
      \??[.\[(][\w.\[\]"'()-]+
    | (?:aws|azurerm|azuread|google|random|tls|vault|kubernetes|digitalocean|github|gitlab|oci|alicloud|cloudflare)_\w+
      (?:\.[\w*\[\]"-]+){2,}
    | \$[A-Za-z][\w-]*(?:[.:][\w-]+)+ | \(\([^()]*\)\) | \{%.*%\} | <<[^<>]*>> | %%\w+%%
    | \$\{\w+:[+?][^}]*\} | \$\{\w+:\ ?-?\d{1,3}:\d{1,3}\}\S* | [\#@]{2,}\w[^\n]*?[\#@]{2,} | Variables\.[\w.]+
    | \$\{(?:file|env|directory|dir|vault|securepass|sys|ssm|self|opt|param|cf|s3|custom|resolve|strimzi\w*
       |secret\w*:[^}:]*[:/]       |aws\w*:|azure\w*:|gcp\w*:)[^}]*\}
    | \\u0024\{[^}]*\} | [a-z_]\w*(?:\.[a-z_]\w*)+:[a-z_]\w*
    | \$[A-Za-z_]\w*(?:[-/][\w.\-]+)+ | \$\w+\{[^}]*\} | \$\$[A-Za-z_]+ | \#[A-Z]+(?:_[A-Z]+)+
    | (?:pass|env|file|fd|prompt): | %[sdvqr] | %\d\$s
    """,
    re.VERBOSE | re.DOTALL,
)
_DEFAULTED = compile_(
    r"\$\{(?P<name>[A-Za-z_][\w.\-]*|\d):[-=]?(?P<default>(?![+?]|\d{1,3}:\d{1,3}\})[^{}]*)\}"
    r"|\$\(env:(?P<env>[A-Za-z_]\w*):-(?P<else>[^()]*)\)"
)
"""Not `${NAME:+other}`, `${NAME:?message}`, `${NAME:0:16}`."""
_PLACEHOLDER = compile_(
    r"""
    [x*.\-_?\#~][x*.\-_?\#~\ :/]* | (?:[a-z]{2,5}[-_])?x{3,}\S* | \S*x{5,}\S* | \S*\*{3,}\S* | \*\*[^*]+\*\*
    | base64[-_]?encoded\S* | \S*\.\.\.+\S* | \S*\u2026\S*
    | change[-_ .]?(?:me|this|it[-_ ]now|in[-_ ]prod\w*|before\S*|please|required)\S*
    | please[-_ .]?(?:change|replace|set)\S* | \S*change[-_]?me\S*
    | to[-_ ]?be[-_ ]\w+ | tbd | to-?do\b.* | fixme\b.* | none | null | nil | undefined | n/?a | empty | unset
    | not[-_ ]?(?:set|used|needed|required|applicable|defined|available|found|configured|specified|known)
    | unused | ignored? | (?:dummy|fake)(?:[-_.\d]\S*|pass\w*|secret|token|key|value|user)?
    | placeholder\S* | \S*[-_]placeholder | sample | blank
    | example(?:[-_. ][a-z]+)* | \S*[-_.]example
    | (?:yyyy|zzzz|aaaa)y*z*a*
    | (?P<digit>[0-9a-z])(?P=digit){7}-(?:(?P=digit){4}-){3}(?P=digit){12}
    | 1{8}-2{4}-3{4}-4{4}-5{12} | 12345678-(?:1234|0987)-(?:1234|5678)-(?:1234|5678)-123456789012
    | long[-_ ]and[-_ ]random\S* | \S*random[-_ ]?(?:string|value)\S*
    | insert[A-Z]\S* | pick[-_]a[-_]\S+ | \S*if[-_]you[-_]see[-_]this\S*
    | _[A-Z][A-Z_]+_ | \S+[-_]field(?:[-_]name)? | [\w-]+[-_]key[-_]name
    | replac\w*[-_ .]?\S*(?:\ (?:me|this|with)\b.*)? | \S+[-_](?:goes[-_])?here | your[-_ .]?\S+.*
    | my(?:[-_](?:token|secret)|[-_]?(?:key|api[-_]?key)) | changeit
    | insert[-_ ]\S+.* | enter[-_ ]\S+.* | fill[-_ ]\S+.* | put[-_ ]\S+.* | add[-_ ]your\S*.*
    | set[-_ ](?:me|this|your|in|via|by|to)\b.* | set[-_]?me\S*
    | (?:will|must|should)[-_ ]be[-_ ].* | provide[-_ ]\S+ | override[-_ ]?\S* | redacted | \[?redacted\]? | masked
    | hidden | secret[-_ ]?value | (?:some|any)[-_ ]?(?:token|key|value|string)
    | <(?!path:)[^<>]*> | \[[^\[\]]*\] | \{[^{}":=]*\} | 0+
    | (?:token|key|string|str|value|text|type|bytes|object|mock)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TAKES_EFFECT = compile_(
    r"(?!your|please|<)(?:[a-z]{3,20}[-_])*[Cc]hange[-_]?(?:[Mm]e|[Ii]t)[^\s<>{}\[\]]{0,40}|default"
    r"|a-very-[a-z-]{3,40}|<?(?=\w*[\d!@#(])[Yy]our_?(?:[Ss]trong|[Pp]assword)[^\s<>]{0,30}>?"
    r"|my[-_]?(?:token|secret|key|api[-_]?key)|example(?:[-_.][a-z]+)?|[a-z_.-]{3,40}[-_.]example|(?:dummy|fake)[a-z\d_.-]{3,40}"
)
_SELF_MADE = compile_(
    r"(?:^|_)(?:SECRET_KEY|KEY_BASE|ENCRYPTION_KEY|MASTER_KEY|SIGNING_KEY|JWT_KEY)$"
    r"|(?:^|(?:JWT|APP|SESSION|COOKIE|NEXTAUTH|AUTH|ADMIN|TOKEN|WEBHOOK)_)SECRET$"
)
"""As variables of an environment are called; an API key or the secret of a client is somebody else's."""
_CHANGE_ME = compile_(r"(?i)change[-_]?(?:me|it)[\w!.-]{0,20}")
_ENCRYPTED = compile_(
    r"""
    ENC\[(?:AES|PKCS7|GPG|KMS)[^\]]*\] | ENC\([^()]+\) | \{cipher\}\S+ | (?:vault|bao):v\d+:[A-Za-z0-9+/=]+
    | \$ANSIBLE_VAULT;.*
    | -----BEGIN\ (?:AGE\ ENCRYPTED\ FILE|PGP\ MESSAGE)-----.* | AQICAH[A-Za-z0-9+/=]{50,} | \{ENC\}\S+ | !vault\ .*
    | kms:\S{40,} | Ag[A-Za-z0-9+/=]{300,} | \$ANSIBLE_VAULT
    """,
    re.VERBOSE | re.DOTALL,
)
_PATH = compile_(
    r"(?:~|\.{1,2}|%[\w.]+%|@)?/[\w.\-/@+%:~*$#]*|[A-Za-z]:\\[\w.\-\\ ]*|file:\S+"
    r"|[\w.-]+(?:/[\w.-]+)*/[\w.-]+\.[A-Za-z]\w{0,9}"
    r"|[\w-]+\.(?:pem|crt|cer|key|txt|json|ya?ml|conf|cfg|ini|env|jks|p12|pfx|properties|toml|xml|password|token"
    r"|secret|sh|py|sql|enc|dat)"
)
_SWITCH = compile_(
    r"true|false|yes|no|on|off|enabled?|disabled?|required|optional|auto|always|never|default|read|write|read-write"
    r"|admin-only|on_create|--[a-z][a-z\d-]*",
    re.IGNORECASE,
)
_NUMBER = compile_(r"[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?%?")
_DURATION = compile_(
    r"(?:\d+(?:\.\d+)?\s?(?:ns|us|µs|ms|s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?|y|years?))+"
    r"|P(?:\d+[YMWD])*(?:T(?:\d+[HMS])+)?",
    re.IGNORECASE,
)
_VERSION = compile_(
    r"""
    [\^~<>=v ]{0,3}\d+(?:\.(?:\d+|[xX*])){1,3}(?:[-+.][A-Za-z][\w.+\-]*)?
      (?:\ ?(?:\|\||-|,|<|>|\ )\ ?[\^~<>=v ]{0,3}\d+(?:\.(?:\d+|[xX*]))*(?:-[\w.]+)?)*
    | [\^~]\d+ | [<>]=?\ ?\d+ | (?:npm|workspace|link):\S+ | latest
    """,
    re.VERBOSE,
)
"""Of a package: `^2.0.0`, `>=1.2 <2`, `npm:name@1.0.0`."""
_COLOUR = compile_(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_EXPRESSION = compile_(
    r"\\(?:e|x1[bB]|033|u001[bB])\[.*|(?:~~|//|,,|\|\|)[a-z]{0,3}|\.[*+][^.]*|[^\d]*\.\*[^\d]*|.*(?:\[\^|\.\{\d|\[\w-\w[^\]]*\][*+{]|\\[()wdSsKbB]|\(\?:).*",
    re.DOTALL,
)
"""A regular expression: `s/password=.*/password=x/`."""
_ALGORITHM = compile_(
    r"(?i)(?:md5|sha-?\d{1,3}|s?sha-?\d{3}|bcrypt|scrypt|argon2\w{0,2}|pbkdf2\w*|scram-sha-\d{1,3}|blf-crypt|aes-?\d{3}\S{0,16}"
    r"|[hrep]s(?:256|384|512)|caching_sha2_password|mysql_native_password|sha256_password)(?::\d{1,2})?"
)
"""How passwords are kept, or what signs: `password_encryption: scram-sha-256`."""
_SIZE = compile_(r"\d+(?:\.\d+)?\s?(?:[KMGTP]i?B?|B|m)")
_HASH = compile_(
    r"\${1,2}(?:2[abxy]?|1|5|6|7|y|argon2\w*|apr1|scrypt|pbkdf2[\w-]*|bcrypt[\w-]*)\$\S+|\{(?:SSHA\d*|SHA\d*|CRYPT|MD5"
    r"|PBKDF2\S*)\}\S+|SCRAM-SHA-\d+\$\S+"
    r"|(?:sha(?:1|224|256|384|512)|md5)[:-][A-Za-z0-9+/=]{16,}|[^\s:]+:\$(?:2[aby]|apr1|5|6)\$\S+|[^\s:]+:\{SHA\}\S+"
    r"|hmac-sha\d+:[0-9a-f]{16,}|\$[PH]\$[./0-9A-Za-z]{31}|\*[0-9A-F]{40}|\{(?:bcrypt|pbkdf2|scrypt|sha256)\}\S+"
    r"|pbkdf2_sha256\$\S+|md5[0-9a-f]{32}|sha(?:1|256):[0-9a-f]{8,}:[0-9a-f]{40,}|argon2:\S+"
)
_UUID = compile_(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX_DIGEST = compile_(
    r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})", re.IGNORECASE
)
_URL = compile_(r"[A-Za-z][A-Za-z0-9+.-]*://\S*")
_TEMPLATED = compile_(r"\$\{|\{\{|\$\(")
_LONGEST = 4096
_HEX = compile_(r"[0-9a-f]{20,}|[0-9A-F]{20,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MANY = 8
_LONG = 16
_EXAMPLE_WORDS = compile_(
    r"(?i)pass|secret|token|example|sample|test|demo|my[-_]|your|abcdef|qwert|123456|foo|bar|dummy|fake|admin|user"
)
_VARIETY = 3
_BEGIN = compile_(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_MATERIAL = compile_(
    r"(?:[\s\"'`+,;|#/*>.-]|\\[nrt]|(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash)\b[^\n]{0,120}(?:\n|\\n))*"
    r"(?P<run>[A-Za-z0-9+/]{24})"
)
"""Base64 as it follows a marker: at once, behind line ends, comment signs, quotes, and the headers of RFC 1421."""
_KEY_BODY = compile_(r"(?:[A-Za-z0-9+/=\s\"'`,;|#>.\u2026*-]|\\[nrt])*")
_CUTS = ("..", "\u2026", "**")
"""What stands for the part that somebody left out."""
_PUBLIC_BLOCK = compile_(
    r"\s*(?:-----BEGIN\ (?:[A-Z0-9 ]*CERTIFICATE[A-Z ]*|[A-Z0-9 ]*PUBLIC\ KEY(?:\ BLOCK)?|DH\ PARAMETERS"
    r"|EC\ PARAMETERS|X509\ CRL)-----"
    r"|(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\w+|sk-\S+@openssh\.com)\ AAAA|age1[a-z0-9]{58}\s*$"
    r"|LS0tLS1CRUdJTiBDRVJU|LS0tLS1CRUdJTiBQVUJM)"
)
_DOCUMENTED = compile_(r"EXAMPLE(?:KEY)?\b|-EXAMPLE\d+\b")


def nature(value: str) -> tuple[LiteralKind, str] | None:  # noqa: C901, PLR0911, PLR0912 - one line a kind, in order
    """Return what the whole of `value` plainly is, with the rule that says so; `None` where it could be a secret."""
    text = value.strip()
    if not text or text == REDACTED:
        return LiteralKind.PLACEHOLDER, "empty" if not text else "redacted"
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
        if not text:
            return LiteralKind.PLACEHOLDER, "empty"
    first = text[0]
    if len(text) <= 200 and _PLACEHOLDER.fullmatch(text):
        return LiteralKind.PLACEHOLDER, "placeholder"
    if _ENCRYPTED.fullmatch(text):
        return LiteralKind.ENCRYPTED, "ciphertext"
    if first in "-sealL" and _PUBLIC_BLOCK.match(text) and "PRIVATE KEY" not in text:
        return LiteralKind.PUBLIC, "public-key"
    if text.startswith("-----BEGIN") and "PRIVATE KEY" in text and not holds_key_material(text):
        return LiteralKind.PLACEHOLDER, "placeholder"
    if len(text) > _LONGEST:
        # A file, not a value; patterns for values need not be linear in its length.
        return None
    if _REFERENCE.fullmatch(text):
        return LiteralKind.REFERENCE, "reference"
    if text.startswith(("{{", "${")) and ((text.endswith("}") and _only_references(text)) or "}" not in text):
        return LiteralKind.REFERENCE, "reference"  # or the first part of one, up to a quote inside of it
    if _HASH.fullmatch(text):
        return LiteralKind.PUBLIC, "hash"
    if _PATH.fullmatch(text) and not looks_random(text):
        return LiteralKind.PATH, "path"
    if _SWITCH.fullmatch(text):
        return LiteralKind.PUBLIC, "switch"
    if _ALGORITHM.fullmatch(text):
        return LiteralKind.PUBLIC, "algorithm"
    if first == "#" and _COLOUR.fullmatch(text):
        return LiteralKind.PUBLIC, "colour"
    if _EXPRESSION.fullmatch(text):
        return LiteralKind.PUBLIC, "expression"
    if _URL.fullmatch(text):
        return (LiteralKind.REFERENCE, "templated") if _TEMPLATED.search(text) else (LiteralKind.PUBLIC, "url")
    if _DOCUMENTED.search(text):
        return LiteralKind.PLACEHOLDER, "documented-example"
    return None


def takes_effect(value: str) -> bool:
    """Return whether a word that asks to be replaced is a password that works until somebody does: `changeme`."""
    return _TAKES_EFFECT.fullmatch(value.strip()) is not None


def self_made_works(key: str, value: str) -> bool:
    """Return whether `SECRET_KEY=changeme` works: what an application signs with, nobody else has to know."""
    return _SELF_MADE.search(key) is not None and _CHANGE_ME.fullmatch(value.strip()) is not None


def holds_key_material(text: str) -> bool:
    """Return whether base64 follows the marker in `text`, or begins it, as keys do: not `XXXX`, nor `MII...`."""
    marker = _BEGIN.search(text)
    match = _KEY_MATERIAL.match(text, marker.end() if marker else 0)
    if match is None or len(set(match["run"])) < _VARIETY:
        return False
    body = _KEY_BODY.match(text, match.start("run"))
    return body is None or not any(cut in body[0] for cut in _CUTS)


def measure(value: str) -> str:
    """Return `number`, `duration`, `size`, `version`, `uuid` or `digest` where the value is one, else an empty text."""
    text = value.strip()
    if text[:1].isdigit() or text[:1] in "+-P^~<>=vnwl":
        for rule, pattern in (("number", _NUMBER), ("duration", _DURATION), ("size", _SIZE), ("version", _VERSION)):
            if pattern.fullmatch(text):
                return rule
    if len(text) >= 32:
        if _UUID.fullmatch(text):
            return "uuid"
        if _HEX_DIGEST.fullmatch(text):
            return "digest"
    return ""


def default_of(value: str) -> tuple[str, str] | None:
    """Return name and default of `${NAME:-default}` (shell) or `${NAME:default}` (Spring), the whole value."""
    match = _DEFAULTED.fullmatch(value.strip())
    if match is None:
        return None
    return (match["name"], match["default"]) if match["name"] else (match["env"], match["else"])


def looks_random(text: str) -> bool:
    """Return whether a machine probably made `text`: long, of several character classes, without readable words."""
    if len(text) < 20 or " " in text:
        return False
    classes = sum((any(c.isdigit() for c in text), any(c.islower() for c in text), any(c.isupper() for c in text)))
    if classes < 3:
        return False
    changes = sum(1 for one, two in pairwise(text) if _class(one) != _class(two))
    return changes * 3 >= len(text)


def machine_made(text: str) -> bool:
    """Return whether nobody would write `text` as an example: random, or a long digest, without words and sequences."""
    if looks_random(text):
        return True
    if _HEX.fullmatch(text):
        return len(set(text)) >= _MANY
    if len(text) < _LONG or " " in text or _EXAMPLE_WORDS.search(text):
        return False
    digits = sum(character.isdigit() for character in text)
    changes = sum(1 for one, two in pairwise(text) if _class(one) != _class(two))
    return digits > 1 and changes * 4 >= len(text)


def _class(character: str) -> int:
    if character.isdigit():
        return 0
    return 1 if character.islower() else 2 if character.isupper() else 3


def _only_references(text: str) -> bool:
    rest = re.sub(r"\{\{.*?\}\}|\$\{[^{}:]*\}", "", text, flags=re.DOTALL)
    return not re.search(r"[A-Za-z0-9]{4,}", rest)
