"""For applications: credentials masked before they reach a log. A public API, held stable by the changelog.

    import logging
    from auditor.redact import RedactingFilter

    handler = logging.StreamHandler()
    handler.addFilter(RedactingFilter())

Nothing here raises into the application: a message that cannot be redacted is withheld, and a line says so instead.
Importing this costs next to nothing; the rules are read with the first message.
"""

import logging
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

__all__ = ["RedactingFilter", "redact", "structlog_processor"]

_STANDARD: Final = frozenset(
    {
        "args", "asctime", "created", "exc_info", "exc_text", "filename", "funcName", "levelname", "levelno", "lineno",
        "message", "module", "msecs", "msg", "name", "pathname", "process", "processName", "relativeCreated",
        "stack_info", "taskName", "thread", "threadName",
    }
)  # fmt: skip
"""What the library itself writes into a record; everything else an application put there."""
_DEEPEST: Final = 20
_MOST: Final = 10_000
_TOO_LARGE: Final = "[auditor: too large to be redacted, so it was withheld]"


def redact(text: str, *, tier: int = 2) -> str:
    """Return `text` with every credential in it masked.

    `tier`: 1 documented token formats; 2 also literals under a credential's name; 3 also what only looks random.
    """
    if not text:
        return text
    from auditor.detection.streams import mask  # noqa: PLC0415 - with the first message

    made = mask(tier=tier, every_line=True)
    content = text.encode("utf-8", "surrogatepass")
    cleaned = made.feed(content) + made.end()
    return cleaned.decode("utf-8", "surrogatepass") if made.counts.masked else text


class RedactingFilter(logging.Filter):
    """Masks credentials in a record: its message with the arguments, its traceback, and what `extra` put in.

    Add it to handlers: a filter of a logger does not see the records of the loggers below it. It lets every record
    pass. A record without a credential stays as it is, arguments and traceback included.
    """

    def __init__(self, name: str = "", *, tier: int = 2) -> None:
        super().__init__(name)
        self._tier = tier

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask what `record` holds; always lets it pass."""
        if not super().filter(record):
            # Of another logger than this filter is for: it is not ours to look at.
            return True
        try:
            self._clean(record)
        except Exception as error:  # noqa: BLE001 - logging must never break the application
            _withhold(record, error)
        return True

    def _clean(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        cleaned = redact(message, tier=self._tier)
        if cleaned != message:
            record.msg, record.args = cleaned, None
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            text = _traceback(record.exc_info)
            shown = redact(text, tier=self._tier)
            if shown != text:
                # Formatters that make the text again would show the value.
                record.exc_text, record.exc_info = shown, None
        if record.exc_text:
            record.exc_text = redact(record.exc_text, tier=self._tier)
        if record.stack_info:
            record.stack_info = redact(record.stack_info, tier=self._tier)
        walk = _Walk(self._tier)
        for key, value in list(record.__dict__.items()):
            if key not in _STANDARD:
                record.__dict__[key] = walk.value(key, value)


def structlog_processor(
    logger: Any, method_name: str, event_dict: MutableMapping[str, Any] | str | bytes
) -> MutableMapping[str, Any] | str | bytes:
    """Mask credentials in an event of structlog: put it last but for the renderer, or behind it.

    A traceback that holds a credential is replaced by its text (`exception`). An event that cannot be redacted is
    withheld, with its name and level kept.
    """
    del logger, method_name
    try:
        if isinstance(event_dict, str):
            return redact(event_dict)
        if isinstance(event_dict, bytes):
            return redact(event_dict.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        _event_traceback(event_dict)
        walk = _Walk(2)
        for key in list(event_dict):
            event_dict[key] = walk.value(str(key), event_dict[key])
    except Exception as error:  # noqa: BLE001 - as above
        return _withheld_event(event_dict, error)
    return event_dict


def _event_traceback(event: MutableMapping[str, Any]) -> None:
    given = event.get("exc_info")
    info: Any = given
    if isinstance(given, BaseException):
        info = (type(given), given, given.__traceback__)
    elif given and not isinstance(given, tuple):
        import sys  # noqa: PLC0415 - only for `exc_info=True`

        info = sys.exc_info()
    if isinstance(info, tuple) and info and info[0] is not None:
        text = _traceback(info)
        shown = redact(text)
        if shown != text:
            event["exception"] = shown
            del event["exc_info"]


def _withheld_event(
    event: MutableMapping[str, Any] | str | bytes, error: Exception
) -> MutableMapping[str, Any] | str | bytes:
    text = _withheld(error)
    if isinstance(event, str):
        return text
    if isinstance(event, bytes):
        return text.encode()
    kept = {key: event[key] for key in ("level", "timestamp") if isinstance(event.get(key), str)}
    event.clear()
    event.update(kept)
    event["event"] = text
    return event


class _Walk:
    """Masks values inside of values, up to a depth and a number, so that no object keeps an application waiting."""

    def __init__(self, tier: int) -> None:
        self._tier = tier
        self._left = _MOST

    def value(self, key: str, value: Any, depth: int = 0) -> Any:
        """Return `value`, which stands under the name `key`, masked; what holds no credential is the same object."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return _TOO_LARGE
        if value is None or isinstance(value, (bool, int, float, complex)):
            return value
        if isinstance(value, (str, bytes, bytearray)):
            return self._text(key, value)
        if isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return self._inside(key, value, depth)
        # Whatever a formatter would show of it.
        cleaned = redact(str(value), tier=self._tier)
        plain = cleaned == str(value) and redact(repr(value), tier=self._tier) == repr(value)
        return value if plain else cleaned

    def _text(self, key: str, value: str | bytes | bytearray) -> Any:
        if isinstance(value, str):
            return _named(key, value, self._tier)
        text = bytes(value).decode("utf-8", "surrogateescape")
        cleaned = _named(key, text, self._tier)
        return value if cleaned == text else cleaned.encode("utf-8", "surrogateescape")

    def _inside(self, key: str, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            new = {name: self.value(str(name), part, depth + 1) for name, part in value.items()}
            return value if all(part is value[name] for name, part in new.items()) else new
        made = [self.value(key, part, depth + 1) for part in value]
        if all(new is old for new, old in zip(made, value, strict=True)):
            return value
        return tuple(made) if isinstance(value, tuple) else made


def _named(key: str, text: str, tier: int) -> str:
    """Return a text masked by what it is, and by the name that it stands under."""
    cleaned = redact(text, tier=tier)
    if cleaned != text or tier < 2:
        return cleaned
    from auditor.detection.classify import examine  # noqa: PLC0415 - with the first message
    from auditor.model.resource import Confidence, LiteralKind, Place  # noqa: PLC0415 - as above
    from auditor.redaction.redactor import mask  # noqa: PLC0415 - as above

    found, spans = examine(key, text, place=Place.ENV, describe=False)
    if found.kind is not LiteralKind.CREDENTIAL or found.confidence is Confidence.POSSIBLE:
        return text
    return mask(text, [(span.start, span.end) for span in sorted(spans, key=lambda span: span.start)])


def _traceback(info: Any) -> str:
    return "".join(traceback.format_exception(*info)).rstrip("\n")


def _withheld(error: Exception) -> str:
    return f"[auditor: this message could not be redacted ({type(error).__name__}), so it was withheld]"


def _withhold(record: logging.LogRecord, error: Exception) -> None:
    """Leave nothing of the record but who wrote it, when and where."""
    record.msg, record.args = _withheld(error), None
    record.exc_info = record.exc_text = record.stack_info = None
    for key in [key for key in record.__dict__ if key not in _STANDARD]:
        record.__dict__[key] = "[withheld]"
