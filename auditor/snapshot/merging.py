"""Several snapshots into one, file by file, each against its digest; nothing is decoded and nothing is changed.

The merged snapshot names every run that it was made of, with the digest of the manifest that it came from.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from auditor.model.errors import InputError
from auditor.snapshot.files import append, open_for_owner, write_whole, writing
from auditor.snapshot.manifest import (
    LEDGER,
    MANIFEST,
    RESOURCES,
    UNFINISHED,
    FileRecord,
    Manifest,
    State,
    encode_manifest,
    ledger_record,
)
from auditor.snapshot.reading import Snapshot, open_snapshot

_CHUNK = 1024 * 1024


def merge(paths: Sequence[Path], into: Path) -> Manifest:
    """Write the snapshots in `paths` as one into the folder `into`, which must not exist, and return its manifest.

    Raises `InputError` where two have a source of the same name, where one was changed, or where `into` exists.
    """
    snapshots = [open_snapshot(path) for path in paths]
    _refuse_clashes(snapshots)
    unfinished = into.with_name(into.name + UNFINISHED)
    try:
        if into.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        unfinished.mkdir(mode=0o700)
    except OSError as error:
        raise InputError(
            f"{into} cannot be made: {error.strerror}", hint="Name a new folder inside one that exists."
        ) from error
    try:
        manifest = _write(snapshots, unfinished)
        with writing(into):
            unfinished.rename(into)
    except BaseException:
        # Half a merge is of no use: its parts are still there.
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return manifest


def _write(snapshots: Sequence[Snapshot], folder: Path) -> Manifest:
    partial = any(snapshot.manifest.state is State.PARTIAL for snapshot in snapshots)
    (folder / RESOURCES).mkdir(mode=0o700)
    records = [
        _copy(snapshot.path, folder, entry.file)
        for snapshot in snapshots
        for entry in snapshot.entries
        if entry.file is not None
    ]
    content, of_ledger = ledger_record(entry for snapshot in snapshots for entry in snapshot.entries)
    write_whole(folder / LEDGER, content)
    manifest = Manifest(
        state=State.PARTIAL if partial else State.COMPLETE,
        runs=tuple(
            replace(run, merged_from=snapshot.digest) for snapshot in snapshots for run in snapshot.manifest.runs
        ),
        sources=tuple(sorted((s for one in snapshots for s in one.sources), key=lambda source: source.name)),
        files=() if partial else tuple(sorted([of_ledger, *records], key=lambda record: record.path)),
    )
    write_whole(folder / MANIFEST, encode_manifest(manifest))
    return manifest


def _refuse_clashes(snapshots: Sequence[Snapshot]) -> None:
    seen: dict[str, Path] = {}
    for snapshot in snapshots:
        names = {entry.call.source for entry in snapshot.entries} | {source.name for source in snapshot.sources}
        for name in sorted(names):
            if name in seen:
                raise InputError(
                    f"{seen[name]} and {snapshot.path} both have a source {name}",
                    hint="A name stands for one system: rename one in auditor.yaml and collect it again. "
                    "Two snapshots of the same system are compared by `auditor snapshot diff`.",
                )
            seen[name] = snapshot.path


def _copy(source: Path, target: Path, record: FileRecord) -> FileRecord:
    """Copy one file and return its record. Raises `InputError` where it is not what the record says."""
    path = target / record.path
    hashed = hashlib.sha256()
    with writing(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle = open_for_owner(path, os.O_EXCL)
    try:
        with (source / record.path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                hashed.update(chunk)
                append(handle, path, chunk)
    except OSError as error:
        raise InputError(
            f"{source / record.path} cannot be read: {error.strerror}",
            hint="`auditor snapshot verify` names everything that is wrong.",
        ) from error
    finally:
        os.close(handle)
    if hashed.hexdigest() != record.sha256:
        raise InputError(
            f"{source / record.path} was changed: it is not the file that the ledger knows",
            hint="`auditor snapshot verify` names everything that is wrong.",
        )
    return record
