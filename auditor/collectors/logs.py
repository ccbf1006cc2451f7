"""Log files of any size, searched record by record: plain, JSON lines, and what container runtimes write.

Docker's json-file wraps each line in JSON (https://docs.docker.com/engine/logging/drivers/json-file/), the runtimes of
Kubernetes put time, stream and a tag before it, `P` where the line goes on in the next record
(https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md). Both cut long lines into
records, so their parts are joined before anybody looks. Compressed files are read as they unpack, and nothing is held
but the lines that may still belong together.
"""

import re
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

from auditor.collectors.unpacking import pieces
from auditor.detection.engine import Engine, Hit

PATH = "record.log"
"""Tells the notation: a mixture of everything."""
_BLOCK = 1 << 20
_LONGEST = 1 << 20
"""Bytes of a record beyond which it is searched in parts."""
_OVERLAP = 1 << 13
_CONTEXT = 4
"""Records that are looked at again with the next ones: a name may stand above its value."""
_KEY = 1 << 15
"""Bytes that a private key may take before its end was seen."""
_CRI = re.compile(rb"\d{4}-\d\d-\d\dT[^ \n]{1,40} (stdout|stderr) ([PF])(?::[^ \n]*)? ")
_BEGIN = b"-----BEGIN "
_END = b"-----END "


class Record(NamedTuple):
    """One line as the application wrote it."""

    number: int
    """Of the line in the file at which it begins, from 1."""
    stream: str
    """`stdout` or `stderr` where the format tells, else empty."""
    text: bytes
    """Ends with a line feed."""


class Seen(NamedTuple):
    """A credential in a record."""

    record: Record
    hit: Hit


class Counts:
    """What was read of one file."""

    __slots__ = ("bytes_read", "records")

    def __init__(self) -> None:
        self.records = 0
        self.bytes_read = 0
        """Unpacked."""


def search(
    file: IO[bytes], engine: Engine, counts: Counts, *, told: Callable[[int], None] = lambda _: None
) -> Iterator[Seen]:
    """Yield every credential in a log, in order; `told` is called with the bytes that were read since the last call.

    Raises `OSError` and `UnpackingError` where it cannot be read to its end.
    """
    again: list[Record] = []
    held: list[Record] = []
    size = 0
    for record in records(file, counts, told=told):
        held.append(record)
        size += len(record.text)
        if size >= _BLOCK:
            whole = _before_open_key(held)
            yield from _in(again, held[:whole], engine)
            again, held = [*again, *held[:whole]][-_CONTEXT:], held[whole:]
            size = sum(len(record.text) for record in held)
    if held:
        yield from _in(again, held, engine)


def records(file: IO[bytes], counts: Counts, *, told: Callable[[int], None] = lambda _: None) -> Iterator[Record]:
    """Yield the records of a log; a runtime's parts of one line as one."""
    parts: dict[str, Record] = {}
    for number, line, whole in _lines(file, counts, told):
        stream, text, complete = _unwrapped(line) if whole else ("", line, True)
        begun = parts.pop(stream, None)
        if begun is not None:
            text = begun.text + text
        record = Record(begun.number if begun is not None else number, stream, text)
        if complete or len(text) > _LONGEST:
            yield record._replace(text=text.rstrip(b"\r\n") + b"\n")
        else:
            parts[stream] = record
    for record in sorted(parts.values()):
        yield record._replace(text=record.text + b"\n")


def _lines(file: IO[bytes], counts: Counts, told: Callable[[int], None]) -> Iterator[tuple[int, bytes, bool]]:
    """Yield number and bytes of each line, and whether it is whole; an endless one comes in parts that overlap."""
    rest = b""
    whole = True
    for piece in pieces(file):
        counts.bytes_read += len(piece)
        told(len(piece))
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            counts.records += 1
            yield counts.records, line, whole
            whole = True
        if len(rest) > _LONGEST:
            yield counts.records + 1, rest, False
            rest, whole = rest[-_OVERLAP:], False
    if rest:
        counts.records += 1
        yield counts.records, rest, whole


def _unwrapped(line: bytes) -> tuple[str, bytes, bool]:
    """Return stream and text of a line, and whether it ends there."""
    if line.startswith(b'{"log":'):
        return _docker(line)
    match = _CRI.match(line)
    if match is not None:
        return match[1].decode(), line[match.end() :], match[2] == b"F"
    return "", line, True


def _docker(line: bytes) -> tuple[str, bytes, bool]:
    import orjson  # noqa: PLC0415 - only for this format

    try:
        entry = orjson.loads(line)
        text, stream = entry["log"], entry.get("stream", "")
    except (ValueError, KeyError, AttributeError):
        return "", line, True
    if not isinstance(text, str) or not isinstance(stream, str):
        return "", line, True
    # A line that was cut has no line feed; one inside of it would be read as an end.
    content = text.removesuffix("\n").replace("\n", "\r").encode("utf-8", "surrogatepass")
    return stream, content, text.endswith("\n")


def _in(again: list[Record], held: list[Record], engine: Engine) -> Iterator[Seen]:
    """Yield what is found in `held`, with the records before them in sight."""
    before = sum(len(record.text) for record in again)
    content = b"".join(record.text for record in (*again, *held))
    hits = engine.scan(content, path=PATH)
    for hit in hits:
        if hit.end > before:
            yield Seen((*again, *held)[hit.line - 1], hit)


def _before_open_key(held: list[Record]) -> int:
    """Return how many records stand before a private key that began and has not ended; all where there is none."""
    size = 0
    for position in range(len(held) - 1, -1, -1):
        text = held[position].text
        size += len(text)
        if _END in text or size > _KEY:
            break
        if _BEGIN in text and b"PRIVATE KEY" in text:
            return position
    return len(held)
