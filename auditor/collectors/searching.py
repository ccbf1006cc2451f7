"""Credentials in many files or blobs: pieces of them handed to processes, and every one of them accounted for.

Each ends in exactly one of: read, binary, too large, unreadable. Nothing is left out in silence.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from auditor.detection.text import as_text

if TYPE_CHECKING:
    from auditor.detection.engine import Engine, Hit

LARGEST = 50_000_000
"""Bytes of a file beyond which it is not read but named."""
_PIECE = 96_000_000
"""Bytes of content that one task reads."""
_EACH = 2_000
"""Bytes of content that the handling of one file costs as much as."""
_SMALL = 16_000_000
"""Bytes in all below which no further process is worth its start."""


class Item(NamedTuple):
    """One content to search."""

    id: bytes
    """Blob id; of a file its path."""
    size: int
    path: str
    """Tells the notation; empty where it is not known."""


class Reader(Protocol):
    """Where contents come from. Used by several processes, each after its own fork."""

    def contents(self, items: Sequence[Item]) -> Iterator[tuple[int, bytes | None]]:
        """Yield position and content of each of `items`; `None` where it cannot be read."""

    def head(self, item: Item) -> bytes:
        """Return the first bytes of an item that is too large to be read."""


class Search:
    """What became of a population."""

    __slots__ = ("binary", "bytes_read", "hits", "read", "too_large", "unreadable")

    def __init__(self, *, read: int = 0, bytes_read: int = 0, binary: int = 0) -> None:
        self.hits: dict[bytes, list[Hit]] = {}
        """By item id; items without a hit are not listed."""
        self.read = read
        self.bytes_read = bytes_read
        self.binary = binary
        self.too_large: list[Item] = []
        self.unreadable: list[Item] = []

    def add(self, other: "Search") -> None:
        """Take in what another part of the population became."""
        self.hits.update(other.hits)
        self.read += other.read
        self.bytes_read += other.bytes_read
        self.binary += other.binary
        self.too_large += other.too_large
        self.unreadable += other.unreadable


Progress = Callable[[int, int], None]
"""Called with the items and bytes that were done since the last call."""


def search(
    reader: Reader,
    items: Sequence[Item],
    engine: "Engine",
    *,
    jobs: int = 0,
    largest: int = LARGEST,
    progress: Progress = lambda _items, _bytes: None,
) -> Search:
    """Return the hits in `items` and what became of each; `jobs` 0 means as many processes as processors."""
    whole = Search()
    for item in items:
        if item.size > largest:
            if as_text(reader.head(item)) is None:
                whole.binary += 1
            else:
                whole.too_large.append(item)
    pieces = list(_pieces([item for item in items if item.size <= largest]))
    total = sum(item.size + _EACH for item in items)
    count = min(jobs or os.cpu_count() or 1, len(pieces))
    if count <= 1 or total < _SMALL or not hasattr(os, "fork"):
        parts: Iterator[Search] = (_piece(reader, piece, engine) for piece in pieces)
    else:
        parts = _in_processes(reader, pieces, engine, count)
    for part in parts:
        whole.add(part)
        progress(part.read + part.binary + len(part.unreadable), part.bytes_read)
    return whole


def _pieces(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield neighbours together, in pieces of about the same work, several for each process."""
    limit = min(_PIECE, max(1_000_000, sum(item.size + _EACH for item in items) // 8))
    piece: list[Item] = []
    size = 0
    for item in items:
        piece.append(item)
        size += item.size + _EACH
        if size >= limit:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _piece(reader: Reader, piece: Sequence[Item], engine: "Engine") -> Search:
    part = Search()
    for position, content in reader.contents(piece):
        item = piece[position]
        if content is None:
            part.unreadable.append(item)
            continue
        part.bytes_read += len(content)
        text = as_text(content)
        if text is None:
            part.binary += 1
            continue
        part.read += 1
        hits = engine.scan(text, path=item.path)
        if hits:
            part.hits[item.id] = hits
    return part


def _in_processes(reader: Reader, pieces: Sequence[Sequence[Item]], engine: "Engine", count: int) -> Iterator[Search]:
    import multiprocessing  # noqa: PLC0415 - start-up: small inputs need none

    # What this compiles every process inherits.
    engine.scan(b"warm = up")
    context = multiprocessing.get_context("fork")
    with context.Pool(count, initializer=_share, initargs=(reader, pieces, engine)) as pool:
        yield from pool.imap_unordered(_work, range(len(pieces)))


_shared: tuple[Reader, Sequence[Sequence[Item]], "Engine"] | None = None


def _share(reader: Reader, pieces: Sequence[Sequence[Item]], engine: "Engine") -> None:
    """Keep in a forked process what it shares with its parent."""
    global _shared  # noqa: PLW0603 - a pool hands nothing else to its tasks
    _shared = (reader, pieces, engine)


def _work(number: int) -> Search:
    if _shared is None:
        raise AssertionError("a worker was started without its share")
    reader, pieces, engine = _shared
    return _piece(reader, pieces[number], engine)
