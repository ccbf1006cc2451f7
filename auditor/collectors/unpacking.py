"""Compressed streams, read piece by piece: gzip, zstd, bzip2 and xz, told by their first bytes.

Never a whole in memory, and whoever reads decides how much: a few bytes may unpack to a great many.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from auditor.collectors.magic import compression
from auditor.model.errors import InputError

_PIECE = 1 << 20
_SIP = 1 << 8
_DAMAGED = "its compressed data is damaged"
_ENDED_EARLY = "it ends in the middle of its compressed data"


class Readable(Protocol):
    """Whatever bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


class UnpackingError(Exception):
    """What is compressed is damaged. Its text is ours and quotes nothing."""


def pieces(file: Readable) -> Iterator[bytes]:
    """Yield what `file` holds, unpacked where it is compressed, in pieces of some MB at most.

    Raises `UnpackingError` where it is damaged or ends too early.
    """
    head = file.read(_PIECE)
    name = compression(head)
    if not name:
        while head:
            yield head
            head = file.read(_PIECE)
        return
    try:
        if name == "zstd":
            yield from _zstd(head, file)
        else:
            yield from _members(head, file, _MAKERS[name])
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnpackingError(_DAMAGED) from None


_MAKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


def _members(data: bytes, file: Readable, make: Callable[[], Any]) -> Iterator[bytes]:
    """Yield the content of one compressed member after the other: rotated logs are joined so."""
    while data:
        machine = make()
        while True:
            out = machine.decompress(data, _PIECE)
            if out:
                yield out
            if machine.eof:
                data = machine.unused_data or file.read(_PIECE)
                break
            # zlib keeps what it did not get to in `unconsumed_tail`, the others inside.
            data = getattr(machine, "unconsumed_tail", b"")
            if not data and getattr(machine, "needs_input", True) and len(out) != _PIECE:
                data = file.read(_PIECE)
                if not data:
                    raise UnpackingError(_ENDED_EARLY)
        if not data.strip(b"\0"):
            # Padding behind the last member.
            return


def _zstd(head: bytes, file: Readable) -> Iterator[bytes]:
    try:
        import zstandard  # noqa: PLC0415 - only where something is compressed with it
    except ImportError:
        raise InputError(
            "reading zstd needs the package `zstandard`", hint="Install it: pip install zstandard."
        ) from None
    try:
        machine = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        data = head
        while data or not machine.eof:
            if machine.eof:
                machine = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
            if not data:
                raise UnpackingError(_ENDED_EARLY)
            # Four bytes may unpack to 128 KB, so it gets few at a time.
            for start in range(0, len(data), _SIP):
                out = machine.decompress(data[start : start + _SIP])
                if out:
                    yield out
                if machine.eof:
                    data = machine.unused_data + data[start + _SIP :]
                    break
            else:
                data = b""
            data = data or file.read(_PIECE)
    except zstandard.ZstdError:
        raise UnpackingError(_DAMAGED) from None


class Unpacked:
    """A compressed or plain file as a stream of its content, at most `limit` bytes of it."""

    def __init__(self, file: Readable, *, limit: int) -> None:
        self._pieces = pieces(file)
        self._rest = b""
        self._left = limit
        self.over = False
        """Whether there was more than the limit."""

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer at the end or at the limit."""
        parts: list[bytes] = []
        while size > 0:
            if not self._rest:
                self._rest = next(self._pieces, b"")
                if not self._rest:
                    break
            part, self._rest = self._rest[:size], self._rest[size:]
            if len(part) > self._left:
                self.over, part = True, part[: self._left]
            self._left -= len(part)
            size -= len(part)
            parts.append(part)
            if self.over:
                break
        return b"".join(parts)


class Joined:
    """What was read already of a stream, and the rest of it."""

    def __init__(self, head: bytes, file: Readable) -> None:
        self._head = head
        self._file = file

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        if self._head:
            part, self._head = self._head[:size], self._head[size:]
            return part
        return self._file.read(size)
