"""Credentials in many files or blobs: pieces of them handed to processes, and every one of them accounted for.

Each ends in exactly one of: read, binary, too large, unreadable. Nothing is left out in silence.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from auditor.collectors.magic import recognised
from auditor.detection.text import as_text
from auditor.detection.versions import UNRELATED, Descent, Versions

if TYPE_CHECKING:
    from auditor.collectors.archives import Member
    from auditor.detection.engine import Engine, Hit

LARGEST = 50_000_000
"""Bytes of a file beyond which it is not read but named."""
_PIECE = 96_000_000
"""Bytes of content that one task reads."""
MOST = 10_000
"""Finds of one content that are told one by one: a dump of tokens must not fill the memory."""
_EACH = 2_000
"""Bytes of content that the handling of one file costs as much as."""
_PACKED = (".gz", ".zst", ".bz2", ".xz")
SMALL = 16_000_000
"""Bytes in all below which no further process is worth its start."""


class Item(NamedTuple):
    """One content to search."""

    id: bytes
    """Blob id; of a file its path."""
    size: int
    path: str
    """Tells the notation; empty where it is not known."""
    stamp: bytes = b""
    """What tells this content of a file from any other it had or will have; a blob's id does."""


class Read(NamedTuple):
    """A content that was read."""

    position: int
    """Of its item."""
    content: bytes | None
    """`None` where it cannot be read."""
    descent: Descent = UNRELATED


class Reader(Protocol):
    """Where contents come from. Used by several processes, each after its own fork."""

    def ordered(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return `items` in the order in which they are best read; called once, with all that will be."""

    def contents(self, items: Sequence[Item]) -> Iterator[Read]:
        """Yield each of `items`, in any order."""

    def head(self, item: Item) -> bytes:
        """Return the first bytes of an item that is too large to be read."""

    def settled(self, item: Item) -> bool:
        """Return whether what was read just now is what the item's stamp names, and will be for good."""


class Search:
    """What became of a population."""

    __slots__ = (
        "archives", "binary", "bytes_read", "clean", "clean_binaries", "closed", "crowded", "hits", "inside", "read",
        "remembered", "too_large", "unreadable",
    )  # fmt: skip

    def __init__(self, *, read: int = 0, bytes_read: int = 0, binary: int = 0) -> None:
        self.hits: dict[bytes, list[Hit]] = {}
        """By item id; items without a hit are not listed."""
        self.inside: dict[bytes, list[tuple[str, list[Hit]]]] = {}
        """By item id: what was found in the members of an archive, by their names."""
        self.archives = 0
        """Archives that were not read, or not to their end."""
        self.closed: list[Item] = []
        """Those: encrypted, damaged, or of more than may be unpacked."""
        self.read = read
        self.bytes_read = bytes_read
        self.binary = binary
        self.too_large: list[Item] = []
        self.crowded: list[tuple[Item, int]] = []
        """Those with more finds than are told, and how many more."""
        self.unreadable: list[Item] = []
        self.remembered = 0
        """Of those read: known to be clean from an earlier run."""
        self.clean: list[bytes] = []
        """Keys of the texts that can be remembered as clean (`judged.key`)."""
        self.clean_binaries: list[bytes] = []

    def add(self, other: "Search") -> None:
        """Take in what another part of the population became."""
        self.hits.update(other.hits)
        self.inside.update(other.inside)
        self.archives += other.archives
        self.closed += other.closed
        self.read += other.read
        self.bytes_read += other.bytes_read
        self.binary += other.binary
        self.too_large += other.too_large
        self.crowded += other.crowded
        self.unreadable += other.unreadable
        self.remembered += other.remembered
        self.clean += other.clean
        self.clean_binaries += other.clean_binaries


Progress = Callable[[int, int], None]
"""Called with the items and bytes that were done since the last call."""


def search(
    reader: Reader,
    items: Sequence[Item],
    engine: "Engine",
    *,
    jobs: int = 0,
    largest: int = LARGEST,
    archives: bool = False,
    remember: bool = False,
    progress: Progress = lambda _items, _bytes: None,
) -> Search:
    """Return the hits in `items` and what became of each; `jobs` 0 means as many processes as processors.

    `archives`: they are opened, instead of counted as binary. `remember`: what is clean is told by its key.
    """
    whole = Search()
    for item in items:
        if item.size > largest:
            head = reader.head(item)
            if archives and recognised(head):
                whole.archives += 1
                whole.closed.append(item)
            elif as_text(head) is None:
                whole.binary += 1
            else:
                whole.too_large.append(item)
    pieces = list(_pieces(reader.ordered([item for item in items if item.size <= largest])))
    share = _Share(reader, Versions(), pieces, engine, archives, remember)
    total = sum(item.size + _EACH for item in items)
    count = min(jobs or os.cpu_count() or 1, len(pieces))
    if count <= 1 or total < SMALL or not hasattr(os, "fork"):
        parts: Iterator[Search] = (_piece(share, piece) for piece in pieces)
    else:
        parts = _in_processes(share, count)
    for part in parts:
        whole.add(part)
        progress(part.read + part.binary + part.archives + len(part.unreadable), part.bytes_read)
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


def _piece(share: "_Share", piece: Sequence[Item]) -> Search:
    part = Search()
    engine = share.engine
    for position, content, descent in share.reader.contents(piece):
        item = piece[position]
        if content is None:
            part.unreadable.append(item)
            continue
        part.bytes_read += len(content)
        hits: list[Hit] = []
        if share.archives and recognised(content):
            clean = part.clean if _open(item, content, engine, part) else None
        elif (text := as_text(content)) is None:
            part.binary += 1
            hits = tokens(engine, content)
            clean = None if hits else part.clean_binaries
        else:
            part.read += 1
            # A text that was put into another encoding is a copy of nothing.
            found = share.versions.triggers(text, descent if text is content else UNRELATED, engine.triggers)
            hits = engine.confirm(text, found, path=item.path)
            clean = None if hits else part.clean
        if hits:
            part.hits[item.id] = hits[:MOST]
        if len(hits) > MOST:
            part.crowded.append((item, len(hits) - MOST))
        if clean is not None and share.remember and share.reader.settled(item):
            clean.append(_key(item))
    return part


def tokens(engine: "Engine", content: bytes) -> "list[Hit]":
    """Return the documented tokens in a binary content: their form needs no text around it."""
    return [hit for hit in engine.scan(content) if hit.tier == 1]


def _key(item: Item) -> bytes:
    from auditor.collectors import judged  # noqa: PLC0415 - start-up: a commit is never remembered

    return judged.key(item)


def _open(item: Item, content: bytes, engine: "Engine", part: Search) -> bool:
    """Search the texts in an archive; return whether it was read to its end and holds nothing."""
    found, complete = opened(content, engine, path=item.path)
    if found:
        part.inside[item.id], more = _first(found)
        if more:
            part.crowded.append((item, more))
    part.read += complete
    part.archives += not complete
    if not complete:
        part.closed.append(item)
    return complete and not found


def _first(found: "list[tuple[str, list[Hit]]]") -> "tuple[list[tuple[str, list[Hit]]], int]":
    """Return what is told of the members of an archive, and how many finds are not."""
    room, more = MOST, 0
    kept: list[tuple[str, list[Hit]]] = []
    for name, hits in found:
        if room:
            kept.append((name, hits[:room]))
        more += max(len(hits) - room, 0)
        room = max(room - len(hits), 0)
    return kept, more


def opened(content: bytes, engine: "Engine", *, path: str) -> "tuple[list[tuple[str, list[Hit]]], bool]":
    """Return what was found in the members of an archive, by their names, and whether it was read to its end."""
    from auditor.collectors import archives  # noqa: PLC0415 - only where there is one

    budget = archives.Budget()
    found = [
        (member.path, hits)
        for member in archives.members(content, budget)
        if (hits := _in_member(engine, member, member.path or _unpacked(path)))
    ]
    return found, budget.complete


def _in_member(engine: "Engine", member: "Member", path: str) -> "list[Hit]":
    return tokens(engine, member.content) if member.binary else engine.scan(member.content, path=path)


def _unpacked(path: str) -> str:
    """Return the name of what a compressed file holds."""
    return path.rpartition(".")[0] if path.endswith(_PACKED) else path


class _Share(NamedTuple):
    """What a forked process has of its parent's."""

    reader: Reader
    versions: Versions
    """Of its own in each process, and empty at first."""
    pieces: Sequence[Sequence[Item]]
    engine: "Engine"
    archives: bool
    remember: bool


def _in_processes(share: _Share, count: int) -> Iterator[Search]:
    import multiprocessing  # noqa: PLC0415 - start-up: small inputs need none

    # What this compiles every process inherits.
    share.engine.scan(b"warm = up")
    context = multiprocessing.get_context("fork")
    with context.Pool(count, initializer=_take, initargs=(share,)) as pool:
        yield from pool.imap_unordered(_work, range(len(share.pieces)))


_shared: _Share | None = None


def _take(share: _Share) -> None:
    """Keep in a forked process what it shares with its parent."""
    global _shared  # noqa: PLW0603 - a pool hands nothing else to its tasks
    _shared = share


def _work(number: int) -> Search:
    if _shared is None:
        raise AssertionError("a worker was started without its share")
    return _piece(_shared, _shared.pieces[number])
