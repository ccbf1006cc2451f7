"""For applications: credentials masked before they reach a log. A public API, held stable by the changelog.

    import logging
    from auditor.redact import RedactingFilter

    handler = logging.StreamHandler()
    handler.addFilter(RedactingFilter())

Nothing here raises into the application: a message that cannot be redacted is withheld, and a line says so instead.
Importing this costs next to nothing; the rules are read with the first message.
"""

import copy
import logging
import traceback
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final, overload

if TYPE_CHECKING:
    from auditor.detection.logged import Walk

__all__ = ["RedactingFilter", "redact", "structlog_processor"]

_STANDARD: Final = frozenset(
    {
        "args", "asctime", "created", "exc_info", "exc_text", "filename", "funcName", "levelname", "levelno", "lineno",
        "message", "module", "msecs", "msg", "name", "pathname", "process", "processName", "relativeCreated",
        "stack_info", "taskName", "thread", "threadName",
    }
)  # fmt: skip
"""What the library itself writes into a record; everything else an application put there."""
_CHAIN: Final = 10
"""Errors behind an error that are looked into; the text of all of them is masked anyway."""


@overload
def redact(text: str, *, tier: int = 2) -> str: ...
@overload
def redact(text: bytes, *, tier: int = 2) -> bytes: ...
@overload
def redact(text: Any, *, tier: int = 2) -> Any: ...
def redact(text: Any, *, tier: int = 2) -> Any:
    """Return `text` with every credential in it masked; bytes as well, and any other value as `extra` is masked.

    `tier`: 1 documented token formats; 2 also literals under a credential's name; 3 also what only looks random.
    """
    from auditor.detection import logged  # noqa: PLC0415 - with the first message

    try:
        if isinstance(text, str):
            return logged.masked(text, tier=tier)
        if isinstance(text, bytes):
            return logged.encoded(text, lambda content: logged.masked(content, tier=tier))
        return logged.Walk(tier).clean("", text)
    except Exception as error:  # noqa: BLE001 - what logs must never break the application
        shown = _withheld(error)
        return shown.encode() if isinstance(text, bytes) else shown


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
        from auditor.detection.logged import Walk  # noqa: PLC0415 - with the first message

        walk = Walk(self._tier)
        _clean_message(record, walk)
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            text, shown = _tracebacks(record.exc_info, walk)
            if shown != text:
                # Formatters that make the text again would show the value.
                record.exc_text, record.exc_info = shown, None
        if record.exc_text:
            record.exc_text = walk.text(record.exc_text)
        if record.stack_info:
            record.stack_info = walk.text(record.stack_info)
        for key, value in list(record.__dict__.items()):
            if key not in _STANDARD:
                record.__dict__[key] = walk.clean(key, value)


def _clean_message(record: logging.LogRecord, walk: "Walk") -> None:
    if not isinstance(record.msg, str) and not record.args:
        # Formatters of JSON take a mapping for the message as it is.
        record.msg = walk.clean("", record.msg)
    message = record.getMessage()
    args = _clean_arguments(record.args, walk)
    cleaned = walk.text(message if args is record.args else str(record.msg) % args)
    if cleaned != message:
        record.msg, record.args = cleaned, None
    elif args is not record.args:
        # The message shows nothing of it; a formatter that writes the arguments would.
        record.args = args


def _clean_arguments(args: Any, walk: "Walk") -> Any:
    """Return arguments masked by the names in them; text by itself is masked where it stands in the message."""
    if isinstance(args, Mapping):
        return walk.clean("", args)
    if not isinstance(args, tuple):
        return args
    made = tuple(walk.clean("", part) if isinstance(part, (Mapping, list, tuple, set)) else part for part in args)
    return args if all(new is old for new, old in zip(made, args, strict=True)) else made


def structlog_processor(
    logger: Any, method_name: str, event_dict: MutableMapping[str, Any] | str | bytes
) -> MutableMapping[str, Any] | str | bytes:
    """Mask credentials in an event of structlog: put it last but for the renderer, or behind it.

    A traceback that holds a credential is replaced by its text (`exception`). An event that cannot be redacted is
    withheld, with its name and level kept.
    """
    del logger, method_name
    try:
        from auditor.detection.logged import Walk, encoded  # noqa: PLC0415 - with the first message

        walk = Walk(2)
        if isinstance(event_dict, str):
            return walk.text(event_dict)
        if isinstance(event_dict, bytes):
            return encoded(event_dict, walk.text)
        _event_traceback(event_dict, walk)
        for key in list(event_dict):
            event_dict[key] = _event_value(str(key), event_dict[key], walk)
    except Exception as error:  # noqa: BLE001 - as above
        return _withheld_event(event_dict, error)
    return event_dict


def _event_value(key: str, value: Any, walk: "Walk") -> Any:
    if not isinstance(value, logging.LogRecord):
        return walk.clean(key, value)
    # `ProcessorFormatter` puts the record beside the event, and its processors read from it.
    record = copy.copy(value)
    RedactingFilter().filter(record)
    return record


def _event_traceback(event: MutableMapping[str, Any], walk: "Walk") -> None:
    given = event.get("exc_info")
    info: Any = given
    if isinstance(given, BaseException):
        info = (type(given), given, given.__traceback__)
    elif given and not isinstance(given, tuple):
        import sys  # noqa: PLC0415 - only for `exc_info=True`

        info = sys.exc_info()
    if isinstance(info, tuple) and info and info[0] is not None:
        text, shown = _tracebacks(info, walk)
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


def _tracebacks(info: Any, walk: "Walk") -> tuple[str, str]:
    """Return a traceback as it is and masked; an error that is told by its arguments is masked by the names in them."""
    text = shown = "".join(traceback.format_exception(*info)).rstrip("\n")
    error = info[1]
    for _ in range(_CHAIN):
        if error is None:
            break
        cleaned = walk.clean("", error)
        if cleaned is not error:
            said = "".join(traceback.format_exception_only(error)).strip()
            kind = said.partition(":")[0]
            shown = shown.replace(said, f"{kind}: {str(cleaned).removeprefix(type(error).__name__)}")
        error = error.__cause__ or error.__context__
    return text, walk.text(shown)


def _withheld(error: Exception) -> str:
    from auditor.detection.logged import withheld  # noqa: PLC0415 - after it was loaded

    return withheld("message", error)


def _withhold(record: logging.LogRecord, error: Exception) -> None:
    """Leave nothing of the record but who wrote it, when and where."""
    record.msg, record.args = _withheld(error), None
    record.exc_info = record.exc_text = record.stack_info = None
    for key in [key for key in record.__dict__ if key not in _STANDARD]:
        record.__dict__[key] = "[withheld]"
