"""The files of a snapshot as they are written: whole or not at all, and for their owner alone (0700, 0600)."""

import contextlib
import fcntl
import hashlib
import os
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from auditor.model.errors import AuditorError, InputError
from auditor.model.resource import Resource
from auditor.snapshot import lines
from auditor.snapshot.manifest import UNFINISHED, FileRecord

_BUFFER = 128 * 1024
"""Bytes of lines that are compressed at once."""
_LEVEL = 1
"""Of deflate: level 6 makes files a seventh smaller and takes three times as long."""


class UnwritableError(AuditorError):
    """The snapshot cannot be written on: the disk is full, or somebody took it away."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror or 'unknown error'}",
            hint="Make room, then go on with `auditor collect --resume`.",
        )


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says against writing `path` into an `UnwritableError`."""
    try:
        yield
    except OSError as error:
        raise UnwritableError(path, error) from error


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file `path` by one with `content`; whoever reads meanwhile sees the old or the new one."""
    unfinished = path.with_name(path.name + UNFINISHED)
    with writing(path):
        handle = open_for_owner(unfinished, os.O_TRUNC)
        try:
            _write(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)
        unfinished.replace(path)


def open_for_owner(path: Path, flags: int) -> int:
    """Return a handle to write `path`, which nobody else can read. A link at its place is not followed."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)


def append(handle: int, path: Path, content: bytes) -> None:
    """Write `content` behind what the file has."""
    with writing(path):
        _write(handle, content)


def claim(folder: Path) -> int:
    """Return a handle that holds `folder` for this process until it is closed.

    Raises `InputError` where another process writes into it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise InputError(
            f"another process is writing {folder}", hint="Wait for it, or collect into another folder."
        ) from error
    return handle


class ListFile:
    """The file of one list: resources go in, compressed lines come out on the disk."""

    __slots__ = (
        "_buffer", "_bytes", "_compressor", "_content", "_digest", "_fingerprints", "_handle", "_size", "path",
        "records", "started",
    )  # fmt: skip

    def __init__(self, path: Path, *, started: datetime) -> None:
        self.path = path
        self.started = started
        with writing(path):
            self._handle = open_for_owner(path, os.O_EXCL)
        self._reset()

    def add(self, resource: Resource) -> None:
        """Write one resource."""
        line = lines.encode(resource)
        self._buffer.append(line)
        self._size += len(line)
        self.records += 1
        if resource.literals:
            self._fingerprints += sum(1 for literal in resource.literals if literal.fingerprint)
        if self._size >= _BUFFER:
            self._put()

    def restart(self) -> None:
        """Forget all that was written."""
        with writing(self.path):
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 0, os.SEEK_SET)
        self._reset()

    def close(self) -> None:
        """Write what is still held."""
        self._put(last=True)
        os.close(self._handle)

    def record(self, path: str) -> FileRecord:
        """Return what is to be known of the file, which is called `path` in the snapshot. After `close`."""
        return FileRecord(
            path=path,
            sha256=self._digest.hexdigest(),
            content_sha256=self._content.hexdigest(),
            bytes=self._bytes,
            records=self.records,
            fingerprints=self._fingerprints,
        )

    def _reset(self) -> None:
        self._buffer: list[bytes] = []
        self._size = self._bytes = self.records = self._fingerprints = 0
        self._digest = hashlib.sha256()
        self._content = hashlib.sha256()
        self._compressor = zlib.compressobj(_LEVEL, wbits=31)  # gzip, with no time and no name in its head

    def _put(self, *, last: bool = False) -> None:
        raw = lines.cleared(b"".join(self._buffer))
        self._buffer.clear()
        self._size = 0
        self._content.update(raw)
        packed = self._compressor.compress(raw)
        if last:
            packed += self._compressor.flush()
        self._digest.update(packed)
        self._bytes += len(packed)
        append(self._handle, self.path, packed)


def _write(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
