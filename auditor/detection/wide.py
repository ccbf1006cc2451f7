"""Streams in UTF-16: masked as what they say they are, and as the bytes that they may be all the same.

Two bytes at the beginning prove nothing: a broken log may begin with them. So no reading is chosen. What the one finds
is masked before the other looks, neither changes a byte of what it does not understand, and none is lost.
"""

import codecs
from typing import Final

from auditor.detection.stream import Counts, Mask

_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
HALVES: Final = (b"\xff", b"\xfe")
"""Half a mark: one more read tells."""
_HEAD: Final = 8_192
_FEWEST: Final = 8
"""Bytes that tell an encoding without its mark."""


def encoding_of(head: bytes) -> str:
    """Return the encoding of UTF-16 that a stream which begins with `head` may be in, "" for none.

    Without a byte order mark it is told by Latin letters, of which every second byte is NUL, and no other one.
    """
    mark = _MARKS.get(head[:2])
    if mark is not None:
        return mark
    sample = head[:_HEAD]
    nuls = sample.count(b"\0")
    if not nuls or len(sample) < _FEWEST:
        return ""
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        units = sample[first::2].count(b"\0")
        # Two in three, so that a few other letters do not hide it.
        if units == nuls and units * 3 > len(sample):
            return encoding
    return ""


def readable(head: bytes, encoding: str) -> bytes:
    """Return `head` as UTF-8 where all of it is in `encoding`, else as it is.

    In most scripts half of the bytes of UTF-16 look like control characters.
    """
    if not encoding:
        return head
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(head).encode()
    except UnicodeDecodeError:
        return head


class Wide:
    """One stream in UTF-16, with the interface of `Mask`."""

    def __init__(self, encoding: str, *, wide: Mask, plain: Mask) -> None:
        self.counts = Counts()
        self._encoding = encoding
        self._wide = wide
        self._plain = plain
        self._into = codecs.getincrementaldecoder(encoding)("surrogatepass")
        # A line without an end is passed on in parts that may end within a character.
        self._back = codecs.getincrementaldecoder("utf-8")("surrogatepass")

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their line."""
        return self._wide.held + self._plain.held

    def feed(self, chunk: bytes) -> bytes:
        """Return what can be passed on now that `chunk` has come."""
        self.counts.bytes_read += len(chunk)
        done = self._wide.feed(self._into.decode(chunk).encode("utf-8", "surrogatepass"))
        content = self._again(done)
        out = self._plain.feed(content)
        if self._plain.held == 1 and content.endswith(b"\n\0"):
            # The second byte of a line feed begins no line of its own.
            out += self._plain.end()
        self._count()
        return out

    def end(self) -> bytes:
        """Return what was held back, and half a character as it came."""
        half = self._into.getstate()[0]
        out = self._plain.feed(self._again(self._wide.end()) + half) + self._plain.end()
        self._count()
        return out

    def _count(self) -> None:
        self.counts.masked = self._wide.counts.masked + self._plain.counts.masked

    def _again(self, text: bytes) -> bytes:
        return self._back.decode(text).encode(self._encoding, "surrogatepass")
