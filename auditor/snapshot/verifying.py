"""Holds a snapshot against its own records: nothing changed, nothing missing, nothing added, every list accounted for.

What this proves and what it does not: `docs/snapshot.md`. The manifest holds the digest of every other file, so whoever
knows the manifest's own digest from elsewhere (a signed evidence pack, a note) knows that the rest is unchanged. It
does not prove that the source told the truth, nor that everything was asked for: that is what the ledger is for.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from auditor.model.decoding import WrongError
from auditor.model.errors import InputError
from auditor.model.record import record
from auditor.snapshot import lines
from auditor.snapshot.manifest import (
    LEDGER,
    MANIFEST,
    UNFINISHED,
    Entry,
    FileRecord,
    Manifest,
    State,
    decode_ledger,
    decode_manifest,
    digest,
)
from auditor.snapshot.reading import Snapshot, is_safe, read_index, stream


@record(kw_only=False, order=True)
class Mistake:
    """One thing that is not as the records say."""

    path: str
    """Relative to the snapshot."""
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@record
class Verified:
    """What was held against each other, and what was wrong."""

    manifest: Manifest
    digest: str
    """SHA-256 of the manifest."""
    files: int
    records: int
    """Resources that were read."""
    bytes: int
    mistakes: tuple[Mistake, ...]


def verify(folder: Path) -> Verified:
    """Return what is wrong with the snapshot in `folder`.

    Raises `InputError` where there is none, or where it is of another major version: then nothing can be said of it.
    """
    content = read_index(folder, MANIFEST)
    manifest = decode_manifest(content, name=str(folder / MANIFEST))
    check = _Check(folder, manifest)
    check.ledger()
    for entry in check.entries:
        check.entry(entry)
    check.manifest_files()
    check.strays()
    check.sources()
    return Verified(
        manifest=manifest,
        digest=digest(content),
        files=len(check.known),
        records=check.records,
        bytes=check.bytes,
        mistakes=tuple(sorted(set(check.mistakes))),
    )


def changed(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the files of lists that are gone, or whose bytes are not those that the ledger knows.

    The quick part of `verify`, which also unpacks them and looks for what does not belong.
    """
    paths = []
    for entry in snapshot.lists():
        if entry.file is None:
            continue
        try:
            with (snapshot.path / entry.file.path).open("rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == entry.file.sha256
        except OSError:
            same = False
        if not same:
            paths.append(entry.file.path)
    return tuple(paths)


@dataclass(slots=True)
class _Check:
    folder: Path
    manifest: Manifest
    mistakes: list[Mistake] = field(default_factory=list)
    entries: tuple[Entry, ...] = ()
    known: set[str] = field(default_factory=lambda: {MANIFEST})
    """Paths of files that something accounts for."""
    records: int = 0
    bytes: int = 0

    @property
    def partial(self) -> bool:
        return self.manifest.state is State.PARTIAL

    def say(self, path: str, message: str) -> None:
        self.mistakes.append(Mistake(path, message))

    def ledger(self) -> None:
        """Read the ledger, and hold it against the manifest where that knows it."""
        self.known.add(LEDGER)
        try:
            content = read_index(self.folder, LEDGER)
            self.entries = decode_ledger(content, name=LEDGER, torn=self.partial)
        except InputError as error:
            self.say(LEDGER, str(error))
            return
        known = next((file for file in self.manifest.files if file.path == LEDGER), None)
        if known is None and not self.partial:
            self.say(MANIFEST, f"does not list {LEDGER}")
        elif known is not None:
            self._same(LEDGER, known.sha256, digest(content))
            self._same(LEDGER, str(known.records), str(len(self.entries)), what="lines")

    def entry(self, entry: Entry) -> None:
        """Hold one list against its file."""
        call, file = entry.call, entry.file
        name = f"{call.type} of {call.source}" + (f", namespace {call.namespace}" if call.namespace else "")
        if file is None:
            if call.kept:
                self.say(LEDGER, f"{name} kept {call.kept} objects and names no file")
            return
        if call.kept != file.records:
            self.say(LEDGER, f"{name} kept {call.kept} objects, and its file should hold {file.records}")
        if not is_safe(file.path):
            self.say(LEDGER, f"{name} names a file that no snapshot has")
            return
        if file.path in self.known:
            self.say(LEDGER, f"{name} names the file of another list, {file.path}")
            return
        self.known.add(file.path)
        self._file(entry, file)

    def _file(self, entry: Entry, file: FileRecord) -> None:
        path = self.folder / file.path
        found: Counter[str] = Counter()
        try:
            for number, line in enumerate(stream(path, file), 1):
                found["records"] += 1
                try:
                    resource = lines.decode(line)
                except WrongError as error:
                    self.say(file.path, f"line {number}: {error}")
                    continue
                if (resource.type, resource.origin.source) != (entry.call.type, entry.call.source):
                    self.say(file.path, f"line {number} belongs to another list")
                found["fingerprints"] += sum(1 for literal in resource.literals if literal.fingerprint)
            size = path.stat().st_size
        except (InputError, OSError) as error:
            self.say(file.path, str(error).replace(f"{path} ", "").replace(f"{path}: ", ""))
            return
        self.records += found["records"]
        self.bytes += size
        self._same(file.path, str(file.bytes), str(size), what="bytes")
        self._same(file.path, str(file.fingerprints), str(found["fingerprints"]), what="fingerprints")

    def manifest_files(self) -> None:
        """Hold the manifest's list of files against the ledger's."""
        if self.partial:
            return
        listed = {file.path: file for file in self.manifest.files}
        if len(listed) != len(self.manifest.files):
            self.say(MANIFEST, "lists a file twice")
        of_ledger = {entry.file.path: entry.file for entry in self.entries if entry.file}
        for path in sorted(listed.keys() - of_ledger.keys() - {LEDGER}):
            self.say(MANIFEST, f"lists {path}, which no list of the ledger accounts for")
        for path in sorted(of_ledger.keys() - listed.keys()):
            self.say(MANIFEST, f"does not list {path}, which the ledger names")
        for path in sorted(of_ledger.keys() & listed.keys()):
            if of_ledger[path] != listed[path]:
                self.say(MANIFEST, f"knows {path} otherwise than the ledger does")

    def strays(self) -> None:
        """Name what lies in the folder and nothing accounts for."""
        for path in self._below(self.folder):
            name = path.relative_to(self.folder).as_posix()
            if path.is_symlink():
                self.say(name, "is a link: a snapshot holds its files itself")
            elif name not in self.known and not (self.partial and name.endswith(UNFINISHED)):
                self.say(name, "nothing accounts for this file")

    def _below(self, folder: Path) -> Iterator[Path]:
        try:
            inside = sorted(folder.iterdir())
        except OSError as error:
            self.say(folder.relative_to(self.folder).as_posix(), f"cannot be read: {error.strerror}")
            return
        for path in inside:
            if path.is_dir() and not path.is_symlink():
                yield from self._below(path)
            else:
                yield path

    def sources(self) -> None:
        """Hold the sources that the runs were to read against those that the records speak of."""
        named = {name for run in self.manifest.runs for name in run.sources}
        recorded = [source.name for source in self.manifest.sources]
        for name in sorted({entry.call.source for entry in self.entries} - named):
            self.say(LEDGER, f"lists were asked of {name}, which no run was to read")
        for name in sorted(set(recorded) - named):
            self.say(MANIFEST, f"{name} is recorded, and no run was to read it")
        if len(set(recorded)) != len(recorded):
            self.say(MANIFEST, "records a source twice")
        if not self.partial:
            for name in sorted(named - set(recorded)):
                self.say(MANIFEST, f"says that it is complete, and has no record of {name}")

    def _same(self, path: str, expected: str, found: str, *, what: str = "SHA-256") -> None:
        if expected != found:
            self.say(path, f"was changed: {what} {found[:16]}, and the records say {expected[:16]}")
