"""Contents read from a repository's packs directly: the pipe from git costs more than all that git itself does.

Formats: gitformat-pack(5), "pack-*.pack files have the following format" and "Version 2 pack-*.idx files". Nothing is
decided here: what a pack does not hold, and whatever is odd about one (damage, another version, an entry of a size that
nobody listed), is not given, and left to git.
"""

import hashlib
import mmap
import os
import struct
import sys
import types
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auditor.collectors.git.command import GitFailedError, Repository
from auditor.collectors.searching import Item
from auditor.detection.versions import Copy, Origin

_BLOB, _OFFSET_DELTA, _NAME_DELTA = 3, 6, 7
_INDEX = b"\xfftOc\0\0\0\2"
_LEAST = 12
"""Bytes before the first entry of a pack."""
_FANOUT = 256 * 4
_NAMES = len(_INDEX) + _FANOUT
"""Where the ids begin."""
_LARGE = 1 << 31
"""In the table of offsets: the rest of the number is a row of the table of large offsets."""
_KEPT = 96_000_000
"""Bytes of contents that are kept in each process, since others are told by their difference from them."""
_LARGEST = 200_000_000
"""Bytes of a content that others are told by; git reads what has a larger one."""
_WORTH = 128
"""So many times its difference a content must have for its copies to be looked at."""
_LEAST_COPY = 1_000
"""Bytes of a copy that is worth being told: its edges are searched anyway."""
_DEEPEST = 5_000
"""Contents that are told one by another; git writes 50, and 4,095 at most."""


class _OddError(Exception):
    """An entry is not what git writes."""


_Entry = tuple[int, int, int]
"""Of a blob: offset of what it differs from, -1 where it stands for itself; where its compressed bytes
begin; how many they become."""


class Packs:
    """The packs of a repository, in which `items` are looked for. Processes use it after their own fork."""

    def __init__(self, repository: Repository, items: Sequence[Item]) -> None:
        """Packs that cannot be read, and all of them without compiled code for deltas, are as good as none."""
        self._packs: list[_Pack] = []
        self._places: dict[bytes, tuple[_Pack, int]] = {}
        apply = _applied()
        folder = _folder(repository)
        if not items or apply is None or folder is None:
            return
        missing = {bytes.fromhex(item.id.decode()): item.id for item in items}
        width = len(items[0].id) // 2
        for file in sorted(folder.glob("*.idx")):
            # A pack that has just gone, or that nobody may read: git will tell.
            with suppress(OSError, ValueError, struct.error, _OddError):
                pack = _Pack(file, len(self._packs), width, apply)
                for id_, offset in pack.offsets(tuple(missing)):
                    self._places[missing.pop(id_)] = (pack, offset)
                self._packs.append(pack)

    def ordered(self, items: Sequence[Item]) -> list[Item]:
        """Return `items`, what is told by its difference from another right behind that one; the rest at the end."""
        known: dict[_Pack, dict[int, Item]] = {pack: {} for pack in self._packs}
        rest: list[Item] = []
        for item in items:
            place = self._places.get(item.id)
            if place is None:
                rest.append(item)
            else:
                known[place[0]][place[1]] = item
        families = [there[offset] for pack, there in known.items() for offset in pack.families(there)]
        return families + rest

    def content(self, item: Item) -> tuple[bytes, Origin] | None:
        """Return the content of `item`, and what of it is a copy of another; `None` where git must be asked."""
        place = self._places.get(item.id)
        if place is None:
            return None
        pack, offset = place
        try:
            content, origin = pack.content(offset)
        except (_OddError, IndexError, MemoryError):
            return None
        return (content, origin) if len(content) == item.size else None


def damaged_packs(repository: Repository) -> tuple[str, ...]:
    """Return the names of the packs whose checksum, which is behind all else, is wrong; of those that can be read.

    One bit is enough to make a blob a tree, of which git says nothing as long as nobody asks for that very object.
    """
    folder = _folder(repository)
    return tuple(file.name for file in sorted(folder.glob("*.pack")) if not _sound(file)) if folder else ()


def _sound(file: Path) -> bool:
    """Return whether a pack ends with the checksum of the rest, of either of the two kinds that git knows."""
    try:
        with (
            file.open("rb") as pack,
            mmap.mmap(pack.fileno(), 0, access=mmap.ACCESS_READ) as data,
            memoryview(data) as all_,
        ):
            return any(
                hashlib.new(name, all_[:-size], usedforsecurity=False).digest() == data[-size:]
                for name, size in (("sha1", 20), ("sha256", 32))
            )
    except (OSError, ValueError):
        # Nobody may read it, or it is empty: what it should hold is missing then.
        return True


def _folder(repository: Repository) -> Path | None:
    try:
        named = repository.run("rev-parse", "--git-path", "objects/pack").rstrip(b"\n")
    except GitFailedError:
        return None
    return Path(repository.folder, os.fsdecode(named))


_Apply = Callable[[bytes, bytes], list[bytes]]


def _applied() -> _Apply | None:
    """Return what applies a delta; `None` where it is not compiled, since git is faster then."""
    from dulwich.pack import apply_delta  # noqa: PLC0415 - start-up

    return apply_delta if isinstance(apply_delta, types.BuiltinFunctionType) else None


def _zlib() -> Any:
    """Return the module that inflates: the one written for processors of today where it is installed, twice as fast."""
    if find_spec("isal") is None:
        return zlib
    from isal import isal_zlib  # noqa: PLC0415 - start-up

    return isal_zlib


class _Pack:
    """One pack and its index."""

    def __init__(self, index: Path, number: int, width: int, apply: _Apply) -> None:
        """Raise `_OddError`, `OSError`, `ValueError` where it cannot be read.

        `number` names it; `width`: bytes of an id.
        """
        self._number = number
        self._apply = apply
        self._zlib = _zlib()
        self._width = width
        self._index = index.read_bytes()
        with index.with_suffix(".pack").open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if not self._index.startswith(_INDEX) or self._data[:4] != b"PACK" or len(self._data) < _LEAST + width:
            raise _OddError
        self._count = struct.unpack_from(">I", self._index, _NAMES - 4)[0]
        self._all = self._offsets()
        self._sorted = array("Q", sorted(self._all))
        self._sorted.append(len(self._data) - width)
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._held = 0
        self._bases: frozenset[int] = frozenset()

    def _offsets(self) -> "array[int]":
        """Return the offset of each object, in the order of the ids."""
        begin = _NAMES + self._count * (self._width + 4)
        offsets = array("I", self._index[begin : begin + self._count * 4])
        if offsets.itemsize != 4 or len(offsets) != self._count:
            raise _OddError
        if sys.byteorder == "little":
            offsets.byteswap()
        large = begin + self._count * 4
        return array(
            "Q",
            (
                offset if offset < _LARGE else struct.unpack_from(">Q", self._index, large + (offset - _LARGE) * 8)[0]
                for offset in offsets
            ),
        )

    def offsets(self, wanted: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
        """Yield each of the ids `wanted` that the pack holds, with its offset."""
        width = self._width
        names = range(_NAMES, _NAMES + self._count * width, width)
        known = dict(zip((self._index[name : name + width] for name in names), self._all, strict=True))
        for id_ in wanted:
            offset = known.get(id_)
            if offset is not None:
                yield id_, offset

    def families(self, wanted: Collection[int]) -> list[int]:
        """Return the offsets `wanted` so that each follows what it differs from, and learn which others need."""
        asked = frozenset(wanted)
        children: dict[int, list[int]] = {}
        seen: set[int] = set()
        for offset in sorted(wanted):
            at = offset
            while at >= 0 and at not in seen:
                seen.add(at)
                try:
                    base = self._entry(at)[0]
                except (_OddError, IndexError):
                    base = -1
                children.setdefault(base, []).append(at)
                at = base
        self._bases = frozenset(children)
        ordered: list[int] = []
        stack = children.pop(-1, [])[::-1]
        while stack:
            at = stack.pop()
            if at in asked:
                ordered.append(at)
            stack += reversed(children.pop(at, ()))
        # Whatever hangs together in a circle is left, and asked for nevertheless.
        return ordered + sorted(asked.difference(ordered))

    def content(self, offset: int) -> tuple[bytes, Origin]:
        """Return the content at `offset`, and how it came to be. Raises `_OddError`, `IndexError`, `MemoryError`."""
        chain: list[tuple[int, _Entry]] = []
        at = offset
        delta = content = b""
        while True:
            kept = self._kept.get(at)
            if kept is not None:
                self._kept.move_to_end(at)
                content = kept
                break
            entry = self._entry(at)
            if entry[0] < 0:
                content = self._inflated(at, entry)
                self._keep(at, content)
                break
            chain.append((at, entry))
            at = entry[0]
            if len(chain) > _DEEPEST:
                raise _OddError
        for at, entry in reversed(chain):
            delta = self._inflated(at, entry)
            content = self._applied(content, delta)
            self._keep(at, content)
        name = (self._number, offset) if offset in self._bases else None
        if not chain or len(delta) * _WORTH > len(content):
            return content, Origin(name)
        return content, Origin(name, (self._number, chain[0][1][0]), copies(delta))

    def _keep(self, offset: int, content: bytes) -> None:
        if offset not in self._bases or offset in self._kept:
            return
        self._kept[offset] = content
        self._held += len(content)
        while self._held > _KEPT:
            _, gone = self._kept.popitem(last=False)
            self._held -= len(gone)

    def _entry(self, offset: int) -> _Entry:
        """Return what the entry at `offset` says of itself."""
        data = self._data
        at = offset
        byte = data[at]
        kind, size, shift = (byte >> 4) & 7, byte & 15, 4
        while byte & 0x80:
            at += 1
            byte = data[at]
            size |= (byte & 0x7F) << shift
            shift += 7
        at += 1
        if kind == _BLOB:
            return -1, at, size
        if kind == _OFFSET_DELTA:
            byte = data[at]
            distance = byte & 0x7F
            while byte & 0x80:
                at += 1
                byte = data[at]
                distance = ((distance + 1) << 7) | (byte & 0x7F)
            if not 0 < distance <= offset:
                raise _OddError
            return offset - distance, at + 1, size
        if kind == _NAME_DELTA:
            return self._named(data[at : at + self._width]), at + self._width, size
        raise _OddError

    def _named(self, id_: bytes) -> int:
        """Return the offset of the object `id_`, which is in the same pack."""
        row = bisect_left(range(self._count), id_, key=self._name)
        if row == self._count or self._name(row) != id_:
            raise _OddError
        return self._all[row]

    def _name(self, row: int) -> bytes:
        return self._index[_NAMES + row * self._width : _NAMES + (row + 1) * self._width]

    def _inflated(self, offset: int, entry: _Entry) -> bytes:
        _, start, size = entry
        if size > _LARGEST:
            raise _OddError
        end = self._sorted[bisect_right(self._sorted, offset)]
        inflating = self._zlib.decompressobj()
        try:
            content: bytes = inflating.decompress(self._data[start:end], size + 1)
        except self._zlib.error as error:
            raise _OddError from error
        if not inflating.eof or len(content) != size:
            raise _OddError
        return content

    def _applied(self, base: bytes, delta: bytes) -> bytes:
        source, at = _number(delta, 0)
        size, _ = _number(delta, at)
        if source != len(base) or size > _LARGEST:
            raise _OddError
        try:
            content = b"".join(self._apply(base, delta))
        except Exception as error:
            # Whatever it is that the library says of a damaged delta, git will say it better.
            raise _OddError from error
        if len(content) != size:
            raise _OddError
        return content


def copies(delta: bytes) -> list[Copy]:
    """Return what a delta copies, neighbours together; only what is long enough to matter.

    gitformat-pack(5), "Deltified representation". Raises `IndexError` for a delta that is cut off.
    """
    _, at = _number(delta, 0)
    _, at = _number(delta, at)
    found: list[Copy] = []
    target = 0
    while at < len(delta):
        code = delta[at]
        at += 1
        if not code & 0x80:
            at += code
            target += code
            continue
        offset = size = 0
        for bit in range(4):
            if code & (1 << bit):
                offset |= delta[at] << (8 * bit)
                at += 1
        for bit in range(3):
            if code & (0x10 << bit):
                size |= delta[at] << (8 * bit)
                at += 1
        size = size or 0x10000
        if found and found[-1].source + found[-1].length == offset and found[-1].target + found[-1].length == target:
            found[-1] = Copy(found[-1].source, found[-1].target, found[-1].length + size)
        else:
            found.append(Copy(offset, target, size))
        target += size
    return [one for one in found if one.length >= _LEAST_COPY]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at`, seven bits a byte, and where it ends."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return number, at
