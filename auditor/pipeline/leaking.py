"""Credentials that leaked, with what repositories and snapshots say of them: owners, Secrets, detection, stores."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from auditor.assess.baseline import Baseline
from auditor.collectors.git import objects, refs
from auditor.collectors.git.command import Repository
from auditor.facts import leaks, owners
from auditor.facts.leaks import Known
from auditor.facts.owners import CodeOwners
from auditor.facts.rotation import System
from auditor.model.errors import InputError
from auditor.model.lifecycle import Leak
from auditor.model.record import field, record
from auditor.model.sighting import Sighting
from auditor.pipeline.rules import Rules
from auditor.redaction.fingerprint import Fingerprinter

_LARGEST = 5_000_000
"""Bytes of a manifest beyond which nobody looks for the Secret in it."""


@record
class Ground:
    """Where the files of sightings can be read again, and who owns them."""

    read: Callable[[Iterable[Sighting]], Iterator[tuple[str, bytes]]]
    """Yields path and content of each file, once."""
    owners_file: str = ""
    owners: CodeOwners = field(default_factory=CodeOwners)


def of_history(repository: Repository, head: str) -> Ground:
    """Return the blobs of a history, with the owners of the commit that is checked out."""

    def read(sightings: Iterable[Sighting]) -> Iterator[tuple[str, bytes]]:
        paths = {one.blob.encode(): one.path for one in sightings if one.blob}
        for position, content in objects.contents(repository, list(paths)):
            if content is not None and len(content) <= _LARGEST:
                yield list(paths.values())[position], content

    for place in owners.PLACES if head else ():
        content = _file(repository, head, place)
        if content is not None:
            return Ground(read=read, owners_file=place, owners=CodeOwners(content.decode("utf-8", "replace")))
    return Ground(read=read)


def _file(repository: Repository, commit: str, path: str) -> bytes | None:
    try:
        return refs.read(repository, commit, PurePosixPath(path), from_top=True)
    except InputError:
        # A link or a folder, which no forge reads as owners, either.
        return None


def of_files(paths: Sequence[str]) -> Ground:
    """Return files as they lie on disk, with the owners of the work tree that the first of `paths` lies in."""
    start = Path(paths[0]).absolute()
    top = next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)

    def read(sightings: Iterable[Sighting]) -> Iterator[tuple[str, bytes]]:
        for path in dict.fromkeys(one.path for one in sightings):
            try:
                if Path(path).stat().st_size <= _LARGEST:
                    yield path, Path(path).read_bytes()
            except OSError:
                # It was searched a moment ago; what it says of its Secret stays unknown.
                continue

    for place in owners.PLACES if top else ():
        file = Path(top or "", place)
        if file.is_file():
            inside = os.path.relpath(Path.cwd(), top)
            return Ground(
                read=read,
                owners_file=place,
                owners=_Below(file.read_text(encoding="utf-8", errors="replace"), inside),
            )
    return Ground(read=read)


class _Below(CodeOwners):
    """The owners of paths that count from a folder of the repository."""

    def __init__(self, text: str, folder: str) -> None:
        super().__init__(text)
        self._folder = folder

    def of(self, path: str) -> tuple[str, ...]:
        """Return the owners of a path from that folder."""
        return super().of(os.path.normpath(os.path.join(self._folder, path)))  # noqa: PTH118 - a text, not a file


@record
class Leaked:
    """What is known of the credentials that leaked."""

    leaks: tuple[Leak, ...] = ()
    owners_file: str = ""
    systems: tuple[System, ...] = ()
    digests: tuple[tuple[str, str], ...] = ()
    """(name, SHA-256) of each snapshot."""


def leaked(
    sightings: Sequence[Sighting],
    ground: Ground,
    *,
    snapshots: Sequence[Path],
    titles: dict[str, tuple[str, str]],
    by: Rules,
    fingerprinter: Fingerprinter,
) -> Leaked:
    """Return the credentials of `sightings` with what the snapshots show. Raises `InputError` as reading one does."""
    wanted = {one.fingerprint for one in sightings}
    systems: list[System] = []
    held = {}
    digests: list[tuple[str, str]] = []
    if snapshots:
        from auditor.pipeline import stores  # noqa: PLC0415 - reads manifests and snapshots
        from auditor.pipeline.collected import open_all  # noqa: PLC0415 - as above

        collected, digests = open_all(snapshots)
        systems = stores.systems(collected, wanted, key=fingerprinter.key_name)
        held = stores.held(ground.read(sightings), wanted, workloads=by.judge.workloads, fingerprint=fingerprinter.of)
    known = Known(titles, held, systems, _detected(by.baseline, fingerprinter.key_id), ground.owners)
    return Leaked(
        leaks=tuple(leaks.leaks(sightings, known)),
        owners_file=ground.owners_file,
        systems=tuple(systems),
        digests=tuple(digests),
    )


def _detected(baseline: Baseline | None, key_id: str) -> dict[str, tuple[datetime, str]]:
    """Return the values that a baseline knew, with its day: they compare where one key made both."""
    if baseline is None or not key_id or baseline.key_id != key_id:
        return {}
    day = datetime.fromisoformat(baseline.written).replace(tzinfo=UTC)
    return {entry.value: (day, f"the baseline {baseline.file}") for entry in baseline.entries if entry.value}
