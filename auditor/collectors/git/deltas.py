"""Differences of git's packs: a content told by what of another one it copies, and what is new.

Format: gitformat-pack(5), "Deltified representation".
"""

import types
from collections.abc import Callable

from auditor.detection.versions import Copy

LARGEST = 200_000_000
"""Bytes of a content that others are told by; git reads what has a larger one."""
_LEAST_COPY = 1_000
"""Bytes of a copy that is worth being told: its edges are searched anyway."""

Apply = Callable[[bytes, bytes], list[bytes]]
"""Makes a content, in parts, of another one and a difference."""


class OddError(Exception):
    """Something is not what git writes."""


def compiled() -> Apply | None:
    """Return what applies a delta; `None` where it is not compiled, since git is faster then."""
    from dulwich.pack import apply_delta  # noqa: PLC0415 - start-up

    return apply_delta if isinstance(apply_delta, types.BuiltinFunctionType) else None


def applied(apply: Apply, base: bytes, delta: bytes) -> bytes:
    """Return the content that differs from `base` by `delta`. Raises `OddError`, `IndexError`, `MemoryError`."""
    source, at = _number(delta, 0)
    size, _ = _number(delta, at)
    if source != len(base) or size > LARGEST:
        raise OddError
    try:
        content = b"".join(apply(base, delta))
    except Exception as error:
        # Whatever it is that the library says of a damaged delta, git will say it better.
        raise OddError from error
    if len(content) != size:
        raise OddError
    return content


def copies(delta: bytes) -> list[Copy]:
    """Return what a delta copies, neighbours together; only what is long enough to matter.

    Raises `IndexError` for a delta that is cut off.
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
