"""Goes on with a snapshot: what was read completely stays, everything else is asked again.

A list stays when it was read to its end, its file is still the one that the ledger knows, and no value fingerprint in
it was made by another key: fingerprints of two keys never agree, and in one source that would hide equal values.
Nothing is taken on trust from what was interrupted: files that no kept list accounts for are removed.
"""

import os
from collections.abc import Collection
from pathlib import Path

from auditor.model.collection import CallResult
from auditor.model.errors import InputError
from auditor.model.record import record
from auditor.snapshot.files import claim, writing
from auditor.snapshot.manifest import RESOURCES, UNFINISHED, Entry, Run, cleaned
from auditor.snapshot.reading import Snapshot, open_snapshot, stream
from auditor.snapshot.writing import Clock, Writer


@record
class Resumed:
    """A writer that goes on, and what it need not do again."""

    writer: Writer
    completed: frozenset[str]
    """Sources that were read to their end, with nothing left open."""
    kept: int
    """Lists that stay."""
    dropped: int
    """Lists that are asked again although they had begun or ended."""


def resume(folder: Path, *, run: Run, clock: Clock) -> Resumed:
    """Return what goes on with the snapshot in `folder`; `run` becomes its latest run.

    Raises `InputError` where there is no snapshot, nothing is left to do, the configuration is another one, or another
    process writes into it.
    """
    snapshot = open_snapshot(folder)
    _refuse(snapshot, run)
    claimed = claim(folder)
    completed = _completed(snapshot)
    kept = [entry for entry in snapshot.entries if entry.call.source in completed or _stays(snapshot, entry, run)]
    _remove_others(folder, {entry.file.path for entry in kept if entry.file})
    writer = Writer(
        folder,
        claimed=claimed,
        runs=(*snapshot.manifest.runs, cleaned(run)),
        clock=clock,
        sources=[source for source in snapshot.sources if source.name in completed],
        entries=kept,
    )
    return Resumed(writer=writer, completed=completed, kept=len(kept), dropped=len(snapshot.entries) - len(kept))


def _refuse(snapshot: Snapshot, run: Run) -> None:
    last = snapshot.manifest.runs[-1]
    if any(earlier.merged_from for earlier in snapshot.manifest.runs):
        raise InputError(
            f"{snapshot.path} was merged from several snapshots", hint="Resume the one that is partial, then merge."
        )
    if last.configuration_digest != run.configuration_digest:
        raise InputError(
            f"{snapshot.path} was begun with another configuration",
            hint="Give --config the file that it was begun with, or collect into a new folder.",
        )
    missing = sorted(set(last.sources) - set(run.sources))
    if missing:
        raise InputError(
            f"{snapshot.path} was begun with more sources: {', '.join(missing)}", hint="Leave --source out."
        )
    if _completed(snapshot) >= set(run.sources):
        raise InputError(
            f"{snapshot.path} is complete: every list was read", hint="Collect into a new folder to read again."
        )


def _completed(snapshot: Snapshot) -> frozenset[str]:
    open_ = {
        entry.call.source
        for entry in snapshot.entries
        if not entry.call.complete and entry.call.result is not CallResult.NOT_ASKED
    }
    return frozenset(source.name for source in snapshot.sources if source.name not in open_ and not source.failure)


def _stays(snapshot: Snapshot, entry: Entry, run: Run) -> bool:
    if not entry.call.complete:
        return False
    if entry.file is None:
        return True
    made_by = snapshot.manifest.runs[-1].fingerprint_key_id
    if entry.file.fingerprints and made_by != run.fingerprint_key_id:
        return False
    try:
        for _ in stream(snapshot.path / entry.file.path, entry.file):
            pass
    except InputError:
        # Cut by whatever ended the run: asked again, as if it had never been there.
        return False
    return True


def _remove_others(folder: Path, kept: Collection[str]) -> None:
    """Remove unfinished files and those of lists that are asked again; what we did not write stays."""
    for path in sorted((folder / RESOURCES).rglob("*")):
        ours = path.name.endswith((".jsonl.gz", UNFINISHED))
        if ours and path.relative_to(folder).as_posix() not in kept and not path.is_dir():
            with writing(path):
                os.unlink(path)  # noqa: PTH108 - also a link, which is not followed
