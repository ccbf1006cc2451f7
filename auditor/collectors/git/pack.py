"""One pack and its index, read without git.

Formats: gitformat-pack(5), "pack-*.pack files have the following format" and "Version 2 pack-*.idx files". Whatever is
odd about an entry (damage, another version) is an `OddError`.
"""

import mmap
import struct
import sys
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auditor.collectors.git.deltas import LARGEST, Apply, OddError, applied, copies
from auditor.detection.versions import Descent

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
_WORTH = 128
"""So many times its difference a content must have for its copies to be looked at."""
_DEEPEST = 5_000
"""Contents that are told one by another; git writes 50, and 4,095 at most."""


_Entry = tuple[int, int, int]
"""Of a blob: offset of what it differs from, -1 where it stands for itself; where its compressed bytes
begin; how many they become."""


def _zlib() -> Any:
    """Return the module that inflates: the one written for processors of today where it is installed, twice as fast."""
    if find_spec("isal") is None:
        return zlib
    from isal import isal_zlib  # noqa: PLC0415 - start-up

    return isal_zlib


class Pack:
    """One pack and its index."""

    def __init__(self, index: Path, number: int, width: int, apply: Apply) -> None:
        """Raise `OddError`, `OSError`, `ValueError` where it cannot be read.

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
            raise OddError
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
            raise OddError
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
                except (OddError, IndexError):
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

    def content(self, offset: int) -> tuple[bytes, Descent]:
        """Return the content at `offset`, and how it came to be. Raises `OddError`, `IndexError`, `MemoryError`."""
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
                raise OddError
        for at, entry in reversed(chain):
            delta = self._inflated(at, entry)
            content = applied(self._apply, content, delta)
            self._keep(at, content)
        name = (self._number, offset) if offset in self._bases else None
        if not chain or len(delta) * _WORTH > len(content):
            return content, Descent(name)
        return content, Descent(name, (self._number, chain[0][1][0]), copies(delta))

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
                raise OddError
            return offset - distance, at + 1, size
        if kind == _NAME_DELTA:
            return self._named(data[at : at + self._width]), at + self._width, size
        raise OddError

    def _named(self, id_: bytes) -> int:
        """Return the offset of the object `id_`, which is in the same pack."""
        row = bisect_left(range(self._count), id_, key=self._name)
        if row == self._count or self._name(row) != id_:
            raise OddError
        return self._all[row]

    def _name(self, row: int) -> bytes:
        return self._index[_NAMES + row * self._width : _NAMES + (row + 1) * self._width]

    def _inflated(self, offset: int, entry: _Entry) -> bytes:
        _, start, size = entry
        if size > LARGEST:
            raise OddError
        end = self._sorted[bisect_right(self._sorted, offset)]
        inflating = self._zlib.decompressobj()
        try:
            content: bytes = inflating.decompress(self._data[start:end], size + 1)
        except self._zlib.error as error:
            raise OddError from error
        if not inflating.eof or len(content) != size:
            raise OddError
        return content
