"""What a search for credentials gave: its sightings, its entry in the population, and what could not be read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from auditor.collectors import searching
from auditor.collectors.git import refs
from auditor.collectors.git.command import Repository
from auditor.collectors.searching import Item, Search
from auditor.detection.text import shown
from auditor.model.coverage import Coverage, Gap, GapReason
from auditor.model.sighting import Searched, Sighting, Where
from auditor.pipeline.leaking import Ground

BINARY = "binary"
ARCHIVE = "archive"
"""Encrypted, damaged, or of more than may be unpacked."""
_MISSING = "Fetch it (`git fetch --refetch`, a clone without --filter), or say --allow-incomplete."
_CLOSED = (
    "could not be read to its end: encrypted, damaged, or of more than may be unpacked. Look at it by hand; leave it"
    " out with --exclude, or say --allow-incomplete."
)
_LARGE = "Look at it by hand, or raise --largest."


@dataclass(slots=True)
class Found:
    """What one search gave."""

    sightings: list[Sighting]
    searched: Searched
    coverage: Coverage
    ground: Ground | None = None
    """Of files and histories: what leaked is followed up there."""


def result(
    where: Where,
    name: str,
    sightings: list[Sighting],
    search: Search,
    *,
    found: int,
    gaps: Sequence[Gap] = (),
    skipped: Mapping[str, int] = MappingProxyType({}),
    repository: Repository | None = None,
    ground: Ground | None = None,
) -> Found:
    """Return what one search gave. `found`: how many files or blobs there were."""
    passed_over = {
        **skipped,
        **({BINARY: search.binary} if search.binary else {}),
        **({ARCHIVE: search.archives} if search.archives else {}),
    }
    return Found(
        sightings,
        Searched(
            where=where,
            name=shown(name),
            read=search.read,
            bytes_read=search.bytes_read,
            found=len({sighting.fingerprint for sighting in sightings}),
            complete=not gaps,
            repository=refs.address(repository) if repository else "",
            head=refs.head(repository) if repository else "",
            remembered=search.remembered,
        ),
        Coverage(
            source=f"{where}: {shown(name)}",
            files_found=found,
            files_read=search.read,
            documents=search.read,
            resources=search.read,
            skipped=tuple(sorted(passed_over.items())),
            gaps=tuple(
                sorted(
                    (replace(gap, file=shown(gap.file)) for gap in gaps),
                    key=lambda gap: (gap.file, gap.reason, gap.detail),
                )
            ),
        ),
        ground,
    )


def gaps(search: Search) -> Iterator[Gap]:
    """Yield what a search passed over for its size, or could not read."""
    for item in search.too_large:
        detail = f"It has {item.size / 1e6:,.0f} MB. {_LARGE}"
        yield Gap(file=_place(item), reason=GapReason.TOO_LARGE, detail=detail)
    for item, more in search.crowded:
        detail = f"It holds more than {searching.MOST:,} credentials; {more:,} further places are not told one by one."
        yield Gap(file=_place(item), reason=GapReason.TOO_LARGE, detail=detail)
    for item in search.unreadable:
        yield Gap(
            file=_place(item), reason=GapReason.UNREADABLE, detail="It could not be read; check it and its permissions."
        )

    for item in search.closed:
        yield Gap(file=_place(item), reason=GapReason.UNREADABLE, detail=f"The archive {_CLOSED}")


def _place(item: Item) -> str:
    return item.path or f"object {item.id.decode('utf-8', 'surrogateescape')}"


def missing(paths: Mapping[str, str]) -> Iterator[Gap]:
    """Yield the objects that a repository lacks or cannot read: ids, each with a path where one is known."""
    for id_, path in paths.items():
        detail = f"The repository lacks object {id_[:12]}, or cannot read it. {_MISSING}"
        yield Gap(file=path or f"object {id_}", reason=GapReason.MISSING, detail=detail)


def shallow(repository: Repository) -> list[Gap]:
    """Return what a shallow clone leaves out."""
    if not repository.shallow:
        return []
    detail = "The clone is shallow, so older commits were not searched; run `git fetch --unshallow`."
    return [Gap(file=repository.folder, reason=GapReason.SHALLOW, detail=detail)]


def damaged(repository: Repository, packs: Iterable[str]) -> Iterator[Gap]:
    """Yield the packs in which something became something else."""
    for name in packs:
        detail = (
            f"The checksum of {name} is wrong, so what is in it cannot be relied upon. Run `git fsck`; clone it anew."
        )
        yield Gap(file=repository.folder, reason=GapReason.UNREADABLE, detail=detail)


def broken(repository: Repository) -> list[Gap]:
    """Return what a history hides of which trees or commits are missing or damaged."""
    detail = (
        "The history cannot be walked to its end: trees or commits of it are missing or damaged. All that is stored was"
        " searched, without dates; clone it without --filter, or run `git fsck`."
    )
    return [Gap(file=repository.folder, reason=GapReason.MISSING, detail=detail)]
