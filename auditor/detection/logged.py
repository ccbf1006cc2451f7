"""Credentials in what applications hand to a logger: text, and whatever text stands in.

Laws: a value is judged by what it is and by the name that it stands under, wherever that name is written: a key, the
first of a pair, a field, `{"name": ..., "value": ...}`, an option before it. What holds no credential is the same
object afterwards. A walk has an end, whatever refers to whatever: what lies beyond its limits is withheld, never
passed on.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

from auditor.detection import streams
from auditor.detection.classify import examine
from auditor.model.resource import REDACTED, Confidence, LiteralKind, Place
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.redactor import mask

_DEEPEST: Final = 20
_VALUES: Final = 10_000
_CHARACTERS: Final = 1_000_000
"""Of one record: a quarter of a second, and ten where every word of it is an escaped name."""
_TOO_LARGE: Final = "[auditor: too large to be redacted, so it was withheld]"
_ITSELF: Final = "[auditor: holds itself]"
_NAMES: Final = frozenset(
    {
        "name", "key", "k", "header", "field", "variable", "param", "parameter", "setting", "option",
        "id", "label", "type",
    }
)  # fmt: skip
"""Keys whose value is the name of what stands beside it."""
_VALUES_OF: Final = frozenset(
    {
        "value", "values", "val", "v", "default", "plain", "plaintext", "cleartext", "literal", "raw", "current",
        "old", "new", "previous", "before", "after", "from", "to", "original", "updated",
    }
)  # fmt: skip
"""Keys that say nothing by themselves: `{"password": {"value": ...}}`, `{"password": {"old": ..., "new": ...}}`."""
_WORDS: Final = compile_(r"[A-Z]?[a-z]+|[A-Z]+")
_LOGINS: Final = frozenset({"auth", "basicauth", "httpauth", "proxyauth", "credentials", "userinfo"})
"""Names of a user and a password, which clients of HTTP take as a pair."""
_COMMAND: Final = 40
"""Words of a command that are looked at."""
_LONGEST_NAME: Final = 128
_SHORTEST_TOKEN: Final = 20
_WORD: Final = compile_(r"[A-Za-z_]+")
_SCHEME: Final = compile_(r"\s*(?:[A-Za-z][A-Za-z0-9-]*\s+)?")
"""`Bearer ` before the credential of a header."""


class RedactionError(Exception):
    """The search itself failed: nothing of the record is known to be clean."""


def withheld(what: str, error: Exception) -> str:
    """Return what stands in place of something that cannot be redacted."""
    return f"[auditor: this {what} could not be redacted ({type(error).__name__}), so it was withheld]"


def masked(text: str, *, tier: int) -> str:
    """Return `text` with every credential in it masked. Raises `RedactionError`."""
    if not text:
        return text
    try:
        made = streams.mask(tier=tier, every_line=True)
        content = text.encode("utf-8", "surrogatepass")
        cleaned = made.feed(content) + made.end()
        return cleaned.decode("utf-8", "surrogatepass") if made.counts.masked else text
    except Exception as error:
        raise RedactionError(type(error).__name__) from error


def encoded(content: bytes, clean: Callable[[str], str]) -> bytes:
    """Return bytes cleaned as a text, bytes that are none of it as they came."""
    text = content.decode("utf-8", "surrogateescape")
    cleaned = clean(text)
    # What is passed on of the text has its odd bytes as surrogates still.
    return content if cleaned is text or cleaned == text else cleaned.encode("utf-8", "surrogateescape")


class Walk:
    """Masks the values of one record, up to a depth, a number and a length."""

    def __init__(self, tier: int) -> None:
        self._tier = tier
        self._left = _VALUES
        self._characters = _CHARACTERS
        self._path: set[int] = set()
        self._cyclic = self._apart = False

    def text(self, text: str) -> str:
        """Return `text` masked by its form alone. Raises `RedactionError`."""
        self._characters -= len(text)
        return _TOO_LARGE if self._characters < 0 else masked(text, tier=self._tier)

    def clean(self, name: str, value: Any) -> Any:
        """Return `value`, which stands under `name`, masked. Raises `RedactionError`."""
        self._cyclic = self._apart = False
        left = self._left
        cleaned = self._value((name,), value, 0)
        if self._cyclic and cleaned is not value:
            # A copy must not lead back to the original.
            self._left, self._apart = left, True
            cleaned = self._value((name,), value, 0)
        return cleaned

    def _value(self, names: tuple[str, ...], value: Any, depth: int) -> Any:
        self._left -= 1
        if depth > _DEEPEST or self._left < 0 or self._characters < 0:
            return _TOO_LARGE
        try:
            return self._judged(names, value, depth)
        except RedactionError:
            raise
        except Exception as error:  # noqa: BLE001 - its own methods fail; the rest of the record is worth having
            return withheld("value", error)

    def _judged(self, names: tuple[str, ...], value: Any, depth: int) -> Any:
        if value is None or isinstance(value, (bool, int, float, complex, str, bytes, bytearray)):
            return self._plain(names, value)
        if not isinstance(value, (Mapping, list, tuple, set, frozenset, deque)):
            return self._object(names, value, depth)
        if id(value) in self._path:
            self._cyclic = True
            return _ITSELF if self._apart else value
        self._path.add(id(value))
        try:
            return self._mapping(names, value, depth) if isinstance(value, Mapping) else self._row(names, value, depth)
        finally:
            self._path.discard(id(value))

    def _plain(self, names: tuple[str, ...], value: Any) -> Any:
        if isinstance(value, str):
            return self._named(names, value)
        if isinstance(value, (bytes, bytearray)):
            content = bytes(value)
            cleaned = encoded(content, lambda text: self._named(names, text))
            return value if cleaned is content else cleaned
        if isinstance(value, int) and not isinstance(value, bool) and any(label(n) is Label.PASSWORD for n in names):
            # Anything can be a password; a token is never a number.
            return value if self._named(names, str(value)) == str(value) else REDACTED
        return value

    def _object(self, names: tuple[str, ...], value: Any, depth: int) -> Any:
        """Return an object, or what it shows of itself where a credential is in that or in what it is made of."""
        shown, parts = str(value), _parts(value)
        made = [self._value((name,), part, depth + 1) for name, part in parts]
        if any(new is not part for new, (_, part) in zip(made, parts, strict=True)):
            fields = (f"{name}={new!r}" for new, (name, _) in zip(made, parts, strict=True))
            inside = ", ".join(map(repr, made[0]) if isinstance(value, BaseException) else fields)
            return self.text(f"{type(value).__name__}({inside})")
        cleaned = self._named(names, shown)
        if cleaned != shown:
            return cleaned
        written = repr(value)
        return value if written == shown or self.text(written) == written else shown

    def _mapping(self, names: tuple[str, ...], value: Mapping[Any, Any], depth: int) -> Any:
        # A list at once: another thread may add to it meanwhile.
        items = list(value.items())
        beside = tuple(_spelled(part) for key, part in items if _spelled(key).lower() in _NAMES and _spelled(part))
        made = [
            (self._key(key), self._value(_under(_spelled(key) or str(key), (*beside, *names)), part, depth + 1))
            for key, part in items
        ]
        same = all(new is key and cleaned is part for (new, cleaned), (key, part) in zip(made, items, strict=True))
        return value if same else _joined(made)

    def _key(self, key: Any) -> Any:
        if isinstance(key, bytes):
            return encoded(key, self.text)
        # A plain word is no pair, and too short for a token.
        if not isinstance(key, str) or (len(key) < _SHORTEST_TOKEN and key.isidentifier()):
            return key
        cleaned = self.text(key)
        return key if cleaned == key else cleaned

    def _row(self, names: tuple[str, ...], value: Iterable[Any], depth: int) -> Any:
        parts = list(value)
        pairs = isinstance(value, (list, tuple)) and all(isinstance(part, list) and len(part) == 2 for part in parts)
        made: list[Any] = []
        for part, under in zip(parts, _names_of(names, value, parts), strict=True):
            # A list of pairs as JSON has it; a tuple is one by itself.
            cleaned = self._value(under, tuple(part) if pairs else part, depth + 1)
            cleaned = part if pairs and _same(cleaned, part) else cleaned
            made.append(self._option(made, part) if cleaned is part and isinstance(part, str) else cleaned)
        if _same(made, parts):
            return value
        if isinstance(value, tuple):
            # One with names stays one.
            make: Callable[[list[Any]], Any] = getattr(type(value), "_make", tuple)
            return make(made)
        return made

    def _option(self, before: list[Any], part: str) -> str:
        """Return a word of a command masked by program and option: `["curl", "-u", "user:password"]`."""
        if len(before) < 2 or len(before) > _COMMAND or not all(isinstance(word, str) for word in before):
            return part
        if not before[-1].startswith("-") or part.startswith("-"):
            return part
        lead = " ".join([*before, ""])
        cleaned = self.text(lead + part)
        return cleaned.removeprefix(lead) if cleaned.startswith(lead) and cleaned != lead + part else part

    def _named(self, names: tuple[str, ...], text: str) -> str:
        """Return a text masked by what it is, and by the names that it stands under."""
        cleaned = self.text(text)
        if cleaned != text:
            return cleaned
        if self._tier >= 2:
            for name in names:
                cleaned = _by_name(name, text)
                if cleaned != text:
                    return cleaned
        return text


def _by_name(name: str, text: str) -> str:
    if not name:
        return text
    scheme = _SCHEME.match(text) if name.lower().endswith("authorization") else None
    # A header of HTTP, or its variable: its name labels nothing in the words of configurations.
    lead, name = (scheme.end(), "token") if scheme else (0, name)
    rest = text[lead:]
    try:
        found, spans = examine(name, rest, place=Place.ENV, describe=False)
    except Exception as error:
        raise RedactionError(type(error).__name__) from error
    if found.kind is not LiteralKind.CREDENTIAL or found.confidence is Confidence.POSSIBLE:
        return text
    return text[:lead] + mask(rest, [(span.start, span.end) for span in sorted(spans, key=lambda span: span.start)])


def _spelled(name: Any) -> str:
    """Return a name as text; none for what is no name."""
    if isinstance(name, (bytes, bytearray)):
        name = bytes(name).decode("utf-8", "replace")
    return name.strip() if isinstance(name, str) and len(name) <= _LONGEST_NAME else ""


def _under(name: str, above: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of what stands under `name`, which may say nothing beside those `above`."""
    words = _WORDS.findall(name)
    return above if words and all(word.lower() in _VALUES_OF for word in words) else (name,)


def _names_of(names: tuple[str, ...], value: Iterable[Any], parts: list[Any]) -> list[tuple[str, ...]]:
    """Return the names that the parts of a row stand under: its own, and the one that a part before tells."""
    fields = getattr(type(value), "_fields", ()) if isinstance(value, tuple) else ()
    if fields and len(fields) == len(parts):
        return [_under(str(field), names) for field in fields]
    told = [names] * len(parts)
    if not isinstance(value, (list, tuple)):
        return told
    if len(parts) == 2 and any(name.lower().replace("_", "") in _LOGINS for name in names):
        return [names, ("password",)]
    for number, (before, part) in enumerate(pairwise(parts), start=1):
        name = _spelled(before)
        if not name:
            continue
        # Two words in a list are as likely two names.
        pair = len(parts) == 2 and (isinstance(value, tuple) or not _WORD.fullmatch(_spelled(part)))
        if pair or name.startswith("-") or name.lower().endswith("authorization"):
            told[number] = (name, *names)
    return told


def _joined(items: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return a plain mapping, with all that stood under a name which may come again, as headers do."""
    made: dict[Any, Any] = {}
    many: dict[Any, list[Any]] = {}
    for key, part in items:
        if key in made:
            made[key] = many.setdefault(key, [made[key]])
            many[key].append(part)
        else:
            made[key] = part
    return made


def _parts(value: Any) -> list[tuple[str, Any]]:
    """Return what a plain object is made of, which formatters write whatever it shows; of an error its arguments."""
    if isinstance(value, BaseException):
        # A sentence alone is what it shows.
        sentence = len(value.args) == 1 and isinstance(value.args[0], str)
        return [] if sentence else [("", value.args)]
    kind = type(value)
    if hasattr(kind, "__dataclass_fields__"):
        fields = list(kind.__dataclass_fields__)
    else:
        fields = [field.name for field in getattr(kind, "__attrs_attrs__", ())]
    return [(field, getattr(value, field, None)) for field in fields]


def _same(made: Any, parts: Any) -> bool:
    return len(made) == len(parts) and all(new is old for new, old in zip(made, parts, strict=True))
