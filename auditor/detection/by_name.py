"""Files whose name says what they hold: one credential and nothing else, or a list of them in a notation of its own.

`secrets/db_password`, `.vault_pass`, `.pgpass`, PgBouncer's `userlist.txt`, Postfix's `sasl_passwd`: nothing in such a
file tells that it is a password, and none of them is large. Everything is given in bytes from the start of the file.
"""

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache

from auditor.detection.found import Found
from auditor.model.resource import Confidence, LiteralKind
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.verdict import named

_LARGEST = 1_000_000
"""Bytes of a list that are read."""
_LONGEST = 512
"""Bytes of a file that is one password."""
_RULE = "named-credential"


class Holds(Enum):
    """What a file with such a name holds."""

    NOTHING = "nothing"
    """Nothing that its name tells."""
    ONE = "one"
    LOGIN = "login"
    """A user, and a password on the second line."""
    LIST = "list"
    PROPERTIES = "properties"


_ENDINGS = frozenset({"txt", "secret", "pass", "passwd", "password", "pw", "pwd", "token", "dat", "conf"})
_FOLDERS = frozenset({"secret", "secrets", ".secret", ".secrets", "credentials", "passwords"})
_LOGINS = compile_(r"(?:\S*[._-])?(?:auth|userpass|user-?pass|up|login|creds?|credentials?)(?:\.txt|\.conf|\.cfg)?")
_LISTS: dict[str, str] = {
    "pgpass": r"^[^\s:#]+:(?:\d+|\*):[^\s:]+:(?P<user>[^\s:]+):(?P<value>(?:[^\s\\]|\\.)+)[ \t]*\r?$",
    "userlist": r"^[ \t]*\"(?P<user>[^\"\n]{1,128})\"[ \t]+\"(?P<value>[^\"\n]{1,512})\"",
    "sasl_passwd": r"^[^\s#]\S*[ \t]+(?P<user>[^\s:]{1,128}):(?P<value>\S{1,512})[ \t]*\r?$",
    "netrc": r"^[ \t]*password[ \t]+(?P<value>\S{1,512})[ \t]*\r?$",
    "ipsec.secrets": r"^[^#\n]*:[ \t]*(?:PSK|EAP|XAUTH)[ \t]+\"(?P<value>[^\"\n]{1,512})\"",
    "chap-secrets": r"^[ \t]*[^\s#]\S*[ \t]+\S+[ \t]+\"?(?P<value>[^\s\"]{1,512})\"?(?:[ \t]+\S+)?[ \t]*\r?$",
}
"""By what the name of the file holds."""
_PROPERTIES = compile_(
    r"^[ \t]*(?P<key>[A-Za-z][\w.\-]{2,119})(?:[ \t]{1,80}|[ \t]{0,40}[=:]?[ \t]{0,40}\\\r?\n[ \t]{0,80})"
    r"(?P<value>[^\s=:\\][^\s]*)[ \t]*\r?$",
    re.MULTILINE,
)
"""What a file of Java has besides `key=value`: a blank for the separator, and a value on the next line."""


@lru_cache(maxsize=1 << 14)
def holds(path: str) -> Holds:
    """Return what the name of the file `path` tells of its content."""
    folder, _, name = path.rpartition("/")
    bare = name.lower()
    if bare.endswith(".properties"):
        return Holds.PROPERTIES
    if _list_of(bare) is not None:
        return Holds.LIST
    if "vpn" in path.lower() and _LOGINS.fullmatch(bare):
        return Holds.LOGIN
    stem, dot, ending = name.lstrip(".").rpartition(".")
    if dot and ending.lower() not in _ENDINGS:
        return Holds.NOTHING
    strength = label(stem or name.lstrip("."))
    least = Label.SECRET if folder.rpartition("/")[2].lower() in _FOLDERS else Label.TOKEN
    return Holds.ONE if strength >= least else Holds.NOTHING


def _list_of(name: str) -> str | None:
    for part, pattern in _LISTS.items():
        if name.lstrip("._").startswith(part) and name.rpartition(".")[2] not in {
            "md",
            "py",
            "sh",
            "go",
            "yaml",
            "yml",
        }:
            return pattern
    return None


def by_name(content: bytes, path: str) -> list[Found]:
    """Return the credentials that the name of the file `path` tells to be there."""
    kind = holds(path)
    if kind is Holds.NOTHING or len(content) > _LARGEST:
        return []
    text = content.decode("utf-8", "surrogateescape")
    return [_measured(text, *found) for found in _READERS[kind](text, path)]


def _one(text: str, path: str) -> Iterator[tuple[int, int, str]]:
    value = text.strip()
    if len(value) <= _LONGEST and value.count("\n") == 0 and value.count(" ") < 3:
        key = path.rpartition("/")[2]
        yield from _judged(label(key), key, text, text.find(value), len(value))


def _login(text: str, path: str) -> Iterator[tuple[int, int, str]]:
    lines = text.split()
    if len(lines) == 2 and len(text) <= _LONGEST and text.strip().count("\n") == 1:
        yield from _judged(Label.PASSWORD, path.rpartition("/")[2], text, text.rfind(lines[1]), len(lines[1]))


def _list(text: str, path: str) -> Iterator[tuple[int, int, str]]:
    pattern = _list_of(path.rpartition("/")[2].lower()) or r"(?!)"
    for match in compile_(pattern, re.MULTILINE).finditer(text):
        value = match["value"]
        yield from _judged(
            Label.PASSWORD, match.groupdict().get("user", "password"), text, match.start("value"), len(value)
        )


def _properties(text: str, _path: str) -> Iterator[tuple[int, int, str]]:
    for match in _PROPERTIES.finditer(text):
        key = match["key"]
        strength = label(key)
        if strength >= Label.TOKEN or (strength is Label.SECRET and "." in key):
            yield from _judged(strength, key, text, match.start("value"), len(match["value"]))


def _judged(strength: Label, key: str, text: str, start: int, length: int) -> Iterator[tuple[int, int, str]]:
    value = text[start : start + length]
    found = named(max(strength, Label.SECRET), key, value, structured=False)
    if found.kind is LiteralKind.CREDENTIAL and found.confidence is not Confidence.POSSIBLE:
        yield start + found.start, start + found.end, key


def _measured(text: str, start: int, end: int, key: str) -> Found:
    value = text[start:end]
    first = len(text[:start].encode("utf-8", "surrogateescape"))
    return Found(first, first + len(value.encode("utf-8", "surrogateescape")), key, _RULE, value)


_READERS = {Holds.ONE: _one, Holds.LOGIN: _login, Holds.LIST: _list, Holds.PROPERTIES: _properties}
