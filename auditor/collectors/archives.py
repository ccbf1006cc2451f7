"""Files inside of archives (zip, jar, tar, compressed or not), opened in memory and never written anywhere.

An archive is somebody else's: it may unpack to a million times its size, hold itself, or claim names such as
`../../etc/passwd`. So there is a budget for all that one archive may unpack to, archives inside of it included, and a
name is only ever shown. What is beyond the budget, encrypted or damaged is not read, which the caller counts.
"""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

from auditor.collectors.magic import recognised, tar, zipped
from auditor.collectors.unpacking import Unpacked, UnpackingError
from auditor.detection.text import as_text

_UNPACKED = 200_000_000
"""Bytes that an archive may unpack to, archives inside of it included."""
_MOST = 50_000
"""Members of an archive, the same."""
_DEEPEST = 4
_JOINER = "!/"
"""Between an archive and what is in it, as Java writes it: `app.jar!/config/app.properties`."""


class Member(NamedTuple):
    """One file in an archive."""

    path: str
    content: bytes
    binary: bool
    """Whether it is no text: only what needs no text around it is looked for."""


class Unread(Exception):  # noqa: N818 - no error of anybody: it stands for what was left out
    """Not all of an archive was read: it is damaged, encrypted, or beyond the budget."""


class Budget:
    """What one archive may still unpack to."""

    def __init__(self, size: int = _UNPACKED, members: int = _MOST) -> None:
        self.size = size
        self.members = members
        self.complete = True
        """Whether everything so far was read."""


def members(content: bytes, budget: Budget, *, prefix: str = "", depth: int = 0) -> Iterator[Member]:
    """Yield every file in an archive, and in the archives in it. What could not be read is noted in `budget`."""
    if depth > _DEEPEST:
        budget.complete = False
        return
    try:
        for path, inner in _members(content, budget):
            name = f"{prefix}{path}"
            if recognised(inner):
                yield from members(inner, budget, prefix=f"{name}{_JOINER}" if path else prefix, depth=depth + 1)
            else:
                text = as_text(inner)
                yield Member(name.rstrip(_JOINER), inner if text is None else text, text is None)
    except (
        Unread, UnpackingError, tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError,
        NotImplementedError, RuntimeError, MemoryError,
    ):  # fmt: skip
        # The libraries raise whatever a damaged archive makes them stumble over; `RuntimeError` for an encrypted one.
        budget.complete = False


def _members(content: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the files in an archive; of a compressed file itself, without a name."""
    if zipped(content):
        yield from _of_zip(content, budget)
    elif tar(content):
        yield from of_tar(io.BytesIO(content), budget)
    else:
        whole = _whole(content, budget)
        if tar(whole):
            yield from of_tar(io.BytesIO(whole), budget)
        else:
            yield "", whole


def _whole(content: bytes, budget: Budget) -> bytes:
    unpacked = Unpacked(io.BytesIO(content), limit=budget.size)
    parts: list[bytes] = []
    while part := unpacked.read(1 << 20):
        parts.append(part)
        budget.size -= len(part)
    if unpacked.over:
        raise Unread
    return b"".join(parts)


def _of_zip(content: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            _spend(budget, entry.file_size)
            with archive.open(entry) as file:
                # The size that a header claims need not be the one that comes.
                inner = file.read(entry.file_size + 1)
            if len(inner) > entry.file_size:
                raise Unread
            yield _shown(entry.filename), inner


def of_tar(file: IO[bytes], budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the files in a tar, read from its start to its end."""
    with tarfile.open(fileobj=file, mode="r|") as archive:
        for entry in archive:
            if not entry.isfile():
                continue
            _spend(budget, entry.size)
            inner = archive.extractfile(entry)
            if inner is not None:
                yield _shown(entry.name), inner.read()


def _spend(budget: Budget, size: int) -> None:
    budget.size -= size
    budget.members -= 1
    if budget.size < 0 or budget.members < 0:
        raise Unread


def _shown(name: str) -> str:
    return name.removeprefix("./")
