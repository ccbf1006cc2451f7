"""Reads a snapshot as a stream. What was changed since it was written is refused, and named.

Whoever reads a list reads all of it against its digest: the objects come while the file is read, and at its end an
`InputError` says if the file was not the one that the ledger knows. Paths of the ledger that lead elsewhere are
refused, since a snapshot may come from others. Nothing is held open between two lists, so a forked child reads on its
own.
"""

import hashlib
import os
import re
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from auditor.model.collection import Call, Source
from auditor.model.decoding import WrongError
from auditor.model.errors import InputError
from auditor.model.record import record
from auditor.model.resource import Resource
from auditor.snapshot import lines
from auditor.snapshot.manifest import (
    LEDGER,
    MANIFEST,
    Entry,
    FileRecord,
    Manifest,
    State,
    decode_ledger,
    decode_manifest,
    digest,
)

_CHUNK = 64 * 1024
_UNPACKED = 256 * 1024
"""Bytes that are unpacked at once: a few bytes may unpack to anything."""
_LONGEST_LINE = 64 * 1024 * 1024
"""Bytes. No API server keeps an object of 2 MB; a line beyond this is an attack on whoever reads it."""
_LONGEST_INDEX = 512 * 1024 * 1024
"""Bytes of a manifest or a ledger."""
_PATH = re.compile(r"resources/[A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._@~-]*\.jsonl\.gz")
_HINT = "`auditor snapshot verify` names everything that is wrong."


def is_snapshot(path: Path) -> bool:
    """Return whether `path` looks like a snapshot: a folder with a manifest and a ledger."""
    return (path / MANIFEST).is_file() and (path / LEDGER).is_file()


def open_snapshot(path: Path) -> "Snapshot":
    """Return the snapshot in the folder `path`, its manifest and ledger read.

    Raises `InputError` where there is none, where it is of another major version, or where it was changed.
    """
    content = read_index(path, MANIFEST)
    manifest = decode_manifest(content, name=str(path / MANIFEST))
    ledger = read_index(path, LEDGER)
    partial = manifest.state is State.PARTIAL
    if not partial:
        known = next((file for file in manifest.files if file.path == LEDGER), None)
        if known is None or known.sha256 != digest(ledger):
            raise InputError(f"{path / LEDGER} is not the file that the manifest knows", hint=_HINT)
    entries = decode_ledger(ledger, name=str(path / LEDGER), torn=partial)
    for entry in entries:
        if entry.file is not None and not is_safe(entry.file.path):
            raise InputError(f"{path / LEDGER} names a file that no snapshot has", hint=_HINT)
    return Snapshot(
        path=path,
        manifest=manifest,
        digest=digest(content),
        entries=tuple(sorted(entries, key=lambda entry: entry.key)),
    )


@record
class Snapshot:
    """An open snapshot. Its resources are read from the disk each time they are asked for."""

    path: Path
    manifest: Manifest
    digest: str
    """SHA-256 of the manifest, which holds the digests of all the rest."""
    entries: tuple[Entry, ...]
    """The ledger, by source, type and namespace: every list with the file of what it gave."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The systems that were read, by name."""
        return self.manifest.sources

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every list that was asked, by source, type and namespace."""
        return tuple(entry.call for entry in self.entries)

    def lists(self, source: str | None = None, types: Collection[str] | None = None) -> tuple[Entry, ...]:
        """Return the entries of `source` and of `types` that have a file; of all where not given."""
        return tuple(
            entry
            for entry in self.entries
            if entry.file is not None
            and (source is None or entry.call.source == source)
            and (types is None or entry.call.type in types)
        )

    def resources(self, source: str | None = None, types: Collection[str] | None = None) -> Iterator[Resource]:
        """Yield the resources of `source` and of `types`, list by list, each in the order in which it was read.

        Raises `InputError` at the first line that is no resource, and at the end of a file that was changed.
        """
        for entry in self.lists(source, types):
            yield from self.read(entry)

    def read(self, entry: Entry) -> Iterator[Resource]:
        """Yield the resources of one list. Raises as `resources`."""
        if entry.file is None:
            return
        call = entry.call
        decode = lines.decode
        for number, line in enumerate(stream(self.path / entry.file.path, entry.file), 1):
            try:
                resource = decode(line)
            except WrongError as error:
                raise InputError(f"{self.path / entry.file.path}:{number}: {error}", hint=_HINT) from None
            if resource.type != call.type or resource.origin.source != call.source:
                raise InputError(f"{self.path / entry.file.path}:{number} belongs to another list", hint=_HINT)
            yield resource


def is_safe(path: str) -> bool:
    """Return whether `path` has the form of a list's file, so that it leads nowhere else."""
    return _PATH.fullmatch(path) is not None


def read_index(folder: Path, name: str) -> bytes:
    """Return the content of the manifest or the ledger. Raises `InputError` where it cannot be read."""
    path = folder / name
    try:
        if path.stat().st_size > _LONGEST_INDEX:
            raise InputError(f"{path} is too large for what it should be", hint=_HINT)
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        what = "does not exist" if not folder.exists() else f"is no snapshot: it has no {name}"
        raise InputError(f"{folder} {what}", hint="Write one with `auditor collect -o SNAPSHOT`.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint="Check who may read it.") from error


def stream(path: Path, known: FileRecord) -> Iterator[bytes]:
    """Yield the lines of the compressed file `path`, and hold it against its record.

    Raises `InputError` where it cannot be read, is no such file, or differs from the record.
    """
    hashed = hashlib.sha256()
    unpacker = zlib.decompressobj(wbits=31)
    count = 0
    rest: list[bytes] = []
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 - a handle that followed no link
            while chunk := file.read(_CHUNK):
                hashed.update(chunk)
                while chunk:
                    whole = _lines(rest, unpacker.decompress(chunk, _UNPACKED))
                    chunk = unpacker.unconsumed_tail
                    if sum(map(len, rest)) > _LONGEST_LINE:
                        raise InputError(f"{path} holds a line that is too long", hint=_HINT)
                    count += len(whole)
                    yield from whole
        whole = _lines(rest, unpacker.flush())
        count += len(whole)
        yield from whole
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error
    except zlib.error:
        raise InputError(f"{path} was changed: it is no compressed file any more", hint=_HINT) from None
    ended = unpacker.eof and not unpacker.unused_data and not any(rest)
    if not ended or count != known.records or hashed.hexdigest() != known.sha256:
        raise InputError(f"{path} was changed: it is not the file that the ledger knows", hint=_HINT)


def _lines(rest: list[bytes], more: bytes) -> list[bytes]:
    """Return the whole lines of `rest` and `more`, and leave what follows them in `rest`."""
    if b"\n" not in more:
        rest.append(more)
        return []
    *whole, last = b"".join((*rest, more)).split(b"\n")
    rest[:] = [last]
    return whole
