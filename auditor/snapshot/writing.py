"""Writes a snapshot while it is being read: it satisfies the `Sink` of the collectors.

- One list, one file. It has a name that ends in `.part` until its `call` comes; then it gets its own name, and the
  ledger a line. So whatever stops the program, each list is there whole, with its digest, or is not there.
- The manifest says `partial` from the first moment to the last, and is replaced as a whole.
- Memory: a buffer of some 100 kB for each list that is open.
- Threads: lists of different types may be written at the same time. Encoding holds the interpreter's lock;
  compression, digests and the disk do not.
"""

import os
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from auditor.model.collection import Call, CallResult, Source
from auditor.model.errors import InputError
from auditor.model.resource import Resource
from auditor.snapshot.files import ListFile, append, claim, open_for_owner, write_whole, writing
from auditor.snapshot.manifest import (
    LEDGER,
    MANIFEST,
    RESOURCES,
    UNFINISHED,
    Entry,
    FileRecord,
    Manifest,
    Run,
    State,
    cleaned,
    encode_entry,
    encode_manifest,
    ledger_record,
)

Clock = Callable[[], datetime]

_LONGEST_NAME = 160
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
_INTERRUPTED = "The run ended before this list did; `auditor collect --resume` goes on with it."


def create(folder: Path, *, run: Run, clock: Clock) -> "Writer":
    """Return the writer of a new snapshot in `folder`, which must not exist, or be empty.

    Raises `InputError` where it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(
                f"{folder} exists and is not empty",
                hint="Name another folder; `auditor collect --resume` goes on with a partial snapshot.",
            )
        folder.chmod(0o700)
        claimed = claim(folder)
        (folder / RESOURCES).mkdir(mode=0o700)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made: {error.strerror}", hint="Name a folder inside one that exists."
        ) from error
    return Writer(folder, claimed=claimed, runs=(cleaned(run),), clock=clock)


def remove(folder: Path) -> None:
    """Take away a snapshot without any list that has ended. Raises `UnwritableError`."""
    with writing(folder):
        (folder / LEDGER).unlink()
        (folder / MANIFEST).unlink()
        (folder / RESOURCES).rmdir()
    # The user may have made it, and may not be allowed to remove it.
    with suppress(OSError):
        folder.rmdir()


class Writer:
    """One snapshot that is being written. `create` or `resuming.resume` makes it, `finish` ends it."""

    def __init__(
        self,
        folder: Path,
        *,
        claimed: int,
        runs: tuple[Run, ...],
        clock: Clock,
        sources: Iterable[Source] = (),
        entries: Iterable[Entry] = (),
    ) -> None:
        """Go on from `sources` and `entries`, whose files are there; `claimed` is the handle that `claim` gave."""
        self.folder = folder
        self._claimed = claimed
        self._runs = runs
        self._clock = clock
        self._sources = {source.name: source for source in sources}
        self._entries = list(entries)
        self._names = {entry.file.path.casefold() for entry in self._entries if entry.file}
        self._done: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for entry in self._entries:
            self._done[entry.call.source].add((entry.call.type, entry.call.namespace))
        self._open: dict[tuple[str, str], ListFile] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._write_manifest(State.PARTIAL)
        write_whole(folder / LEDGER, ledger_record(self._entries)[0])
        with writing(folder / LEDGER):
            self._ledger = open_for_owner(folder / LEDGER, os.O_APPEND)

    # The sink

    def add(self, resource: Resource) -> None:
        """Take one object of the list that is open for its source and type."""
        key = (resource.origin.source, resource.type)
        file = self._open.get(key)
        if file is None:
            file = self._begin(key)
        file.add(resource)

    def restart(self, source: str, type: str) -> None:  # noqa: A002 - the noun of the model
        """Forget what was added since the last `call` of that source and type."""
        file = self._open.get((source, type))
        if file is not None:
            file.restart()

    def call(self, call: Call) -> None:
        """End the list of `call`. Its `kept` is set to what was added: nobody else knows it better."""
        self._end(call, self._open.pop((call.source, call.type), None))

    def source(self, source: Source) -> None:
        """Take the record of a whole source."""
        named = replace(cleaned(source), fingerprint_key_id=self._runs[-1].fingerprint_key_id)
        with self._lock:
            self._sources[source.name] = named
            self._write_manifest(State.PARTIAL)

    def done(self, source: str) -> frozenset[tuple[str, str]]:
        """Return the lists (type, namespace) of `source` that an earlier run completed."""
        return frozenset(self._done.get(source, ()))

    def stopping(self) -> bool:
        """Return whether `stop` was called."""
        return self._stopping.is_set()

    # For who composes the run

    def stop(self) -> None:
        """Ask the collectors to end, from any thread."""
        self._stopping.set()

    def finish(self) -> Manifest:
        """End the run and return the manifest. Lists that nobody ended are interrupted, and the snapshot partial."""
        now = self._clock()
        for source, type_ in sorted(self._open):
            self._interrupt(source, type_, now)
        self._runs = (*self._runs[:-1], replace(self._runs[-1], ended=now))
        os.close(self._ledger)
        self._entries.sort(key=lambda entry: entry.key)
        content, record = ledger_record(self._entries)
        write_whole(self.folder / LEDGER, content)
        state = self._state()
        files = (record, *(entry.file for entry in self._entries if entry.file))
        manifest = self._write_manifest(state, files if state is State.COMPLETE else ())
        os.close(self._claimed)
        return manifest

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The ledger so far, that of earlier runs included."""
        with self._lock:
            return tuple(self._entries)

    def _state(self) -> State:
        ended = self._sources.keys() >= set(self._runs[-1].sources)
        cut = any(entry.call.result is CallResult.INTERRUPTED for entry in self._entries)
        return State.COMPLETE if ended and not cut and not self.stopping() else State.PARTIAL

    # Files

    def _begin(self, key: tuple[str, str]) -> ListFile:
        source, type_ = map(_safe, key)
        folder = self.folder / RESOURCES / source
        with self._lock, writing(folder):
            folder.mkdir(mode=0o700, exist_ok=True)
            file = ListFile(folder / self._unused(source, type_, UNFINISHED), started=self._clock())
            self._open[key] = file
        return file

    def _interrupt(self, source: str, type_: str, now: datetime) -> None:
        file = self._open.pop((source, type_))
        call = Call(
            source=source,
            type=type_,
            request="",
            result=CallResult.INTERRUPTED,
            reason=_INTERRUPTED,
            items=file.records,
            started=file.started,
            ended=now,
        )
        self._end(call, file)

    def _end(self, call: Call, file: ListFile | None) -> None:
        call = cleaned(replace(call, kept=file.records if file else 0))
        if file is not None:
            file.close()
        with self._lock:
            entry = Entry(call=call, file=self._named(file, call) if file else None)
            self._entries.append(entry)
            append(self._ledger, self.folder / LEDGER, encode_entry(entry))

    def _named(self, file: ListFile, call: Call) -> FileRecord | None:
        """Give the file its own name; one without any resource goes."""
        with writing(file.path):
            if not file.records:
                file.path.unlink()
                return None
            place = f"@{_safe(call.namespace)}" if call.namespace else ""
            name = self._unused(file.path.parent.name, _safe(call.type) + place, ".jsonl.gz")
            file.path.rename(file.path.with_name(name))
        return file.record(f"{RESOURCES}/{file.path.parent.name}/{name}")

    def _unused(self, source: str, stem: str, suffix: str) -> str:
        """Return a name that no other list has, also where names do not tell capitals apart; remember it."""
        number = 0
        while True:
            number += 1
            name = f"{stem[:_LONGEST_NAME]}{f'~{number}' if number > 1 else ''}{suffix}"
            path = f"{RESOURCES}/{source}/{name}".casefold()
            if path not in self._names:
                self._names.add(path)
                return name

    def _write_manifest(self, state: State, files: Iterable[FileRecord] = ()) -> Manifest:
        manifest = Manifest(
            state=state,
            runs=self._runs,
            sources=tuple(source for _, source in sorted(self._sources.items())),
            files=tuple(sorted(files, key=lambda record: record.path)),
        )
        write_whole(self.folder / MANIFEST, encode_manifest(manifest))
        return manifest


def _safe(text: str) -> str:
    """Return `text` as a name of a file that no system minds; the ledger tells what it stands for."""
    return _UNSAFE.sub("_", text).lstrip(".") or "_"
