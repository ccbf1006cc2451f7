"""Credentials masked in a stream as it flows by: whole lines, as soon as they are there.

A read may end anywhere, also inside a token, so only what lies before the last line feed is judged and passed on. A
line without an end is judged in windows that overlap, and its last part waits for the rest. A private key covers many
lines: from its first to its last marker every line is masked.
"""

from dataclasses import dataclass

from auditor.detection.engine import Engine
from auditor.model.resource import REDACTED

LONGEST_LINE = 1 << 16
"""Bytes of a line that are waited for; of a longer one all but the last `_OVERLAP` bytes are passed on."""
_OVERLAP = 1 << 13
_MASK = REDACTED.encode()
_PATH = "stream.log"
_BEGIN = b"-----BEGIN "
_PRIVATE = b"PRIVATE KEY"
_END = b"-----END "
_KEY_LINES = 500
"""Lines after which a private key that never ended is taken for a text about one."""


@dataclass(slots=True)
class Counts:
    """What passed."""

    bytes_read: int = 0
    masked: int = 0


class Mask:
    """One stream. Feed it what was read; it gives back what may be passed on."""

    def __init__(self, engine: Engine) -> None:
        self.counts = Counts()
        self._engine = engine
        self._rest = b""
        self._key_lines = 0

    def feed(self, chunk: bytes) -> bytes:
        """Return what can be passed on now that `chunk` has come."""
        self.counts.bytes_read += len(chunk)
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._rest += chunk
            if len(self._rest) <= LONGEST_LINE:
                return b""
            return self._long_line()
        block, self._rest = self._rest + chunk[:end], chunk[end:]
        return self._clean(block)

    def end(self) -> bytes:
        """Return what was held back."""
        block, self._rest = self._rest, b""
        return self._clean(block) if block else b""

    def _long_line(self) -> bytes:
        """Pass on the part of an endless line that no later byte can change."""
        cleaned = self._places(self._rest)
        cut = len(self._rest) - _OVERLAP
        # A credential that reaches over the cut stays, whole, in what waits.
        cut = min([cut, *(start for start, end in cleaned if start < cut < end)])
        block, self._rest = self._rest[:cut], self._rest[cut:]
        return self._masked(block, [place for place in cleaned if place[1] <= cut])

    def _clean(self, block: bytes) -> bytes:
        if self._key_lines or (_BEGIN in block and _PRIVATE in block):
            return self._with_keys(block)
        places = self._places(block)
        return self._masked(block, places) if places else block

    def _places(self, block: bytes) -> list[tuple[int, int]]:
        found = self._engine.triggers(block)
        if not found:
            return []
        return [(hit.start, hit.end) for hit in self._engine.confirm(block, found, path=_PATH)]

    def _masked(self, block: bytes, places: list[tuple[int, int]]) -> bytes:
        parts: list[bytes] = []
        position = 0
        for start, end in places:
            parts += (block[position:start], _MASK)
            position = end
        parts.append(block[position:])
        self.counts.masked += len(places)
        return b"".join(parts)

    def _with_keys(self, block: bytes) -> bytes:
        """Mask private keys line by line, since their end may not have come yet; everything else as ever."""
        out: list[bytes] = []
        plain: list[bytes] = []
        for line in block.splitlines(keepends=True):
            if self._key_lines:
                self._key_lines = 0 if _END in line or self._key_lines > _KEY_LINES else self._key_lines + 1
                continue
            if _BEGIN in line and _PRIVATE in line and _END not in line:
                out.append(self._without_keys(b"".join(plain)))
                plain = []
                start = line.index(_BEGIN)
                out.append(line[:start] + _MASK + b"\n")
                self.counts.masked += 1
                self._key_lines = 1
            else:
                plain.append(line)
        out.append(self._without_keys(b"".join(plain)))
        return b"".join(out)

    def _without_keys(self, block: bytes) -> bytes:
        places = self._places(block) if block else []
        return self._masked(block, places) if places else block
