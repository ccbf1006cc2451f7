"""JSON as the API sends it, read fast. Faults are told without quoting a byte of it."""

from typing import Any


class NotJsonError(Exception):
    """What came is not JSON, or not of the shape that was asked for."""

    def __init__(self, *, ended: bool = False) -> None:
        super().__init__("not JSON")
        self.ended = ended
        """Whether it is JSON that stops too early."""


def parsed(content: bytes) -> Any:
    """Return the value. Raises `NotJsonError`."""
    import orjson  # noqa: PLC0415 - start-up: only where a cluster is read

    ended = not content
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        ended = ended or error.msg.startswith("unexpected end")
    # Out here, because an error that is being handled holds the whole text, and ours would hold that error.
    raise NotJsonError(ended=ended)


def mapping(value: Any) -> dict[str, Any]:
    """Return `value`. Raises `NotJsonError` where it is no map."""
    if not isinstance(value, dict):
        raise NotJsonError
    return value
