"""What was collected of each system, as it is judged: its record, its ledger, and its resources list by list."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from auditor.facts.lists import place
from auditor.model.collection import Call, CallResult, Source
from auditor.model.coverage import Coverage, Gap, GapReason
from auditor.model.errors import InputError
from auditor.model.record import record
from auditor.model.resource import Resource

if TYPE_CHECKING:
    from auditor.snapshot.reading import Snapshot

_REASONS = {
    CallResult.NOT_ASKED: GapReason.NOT_ASKED,
    CallResult.FORBIDDEN: GapReason.FORBIDDEN,
    CallResult.UNAUTHENTICATED: GapReason.UNAUTHENTICATED,
    CallResult.VANISHED: GapReason.VANISHED,
    CallResult.THROTTLED: GapReason.THROTTLED,
    CallResult.SERVER_ERROR: GapReason.SERVER_ERROR,
    CallResult.TIMED_OUT: GapReason.TIMED_OUT,
    CallResult.CUT: GapReason.CUT,
    CallResult.EXPIRED: GapReason.EXPIRED,
    CallResult.INCONSISTENT: GapReason.INCONSISTENT,
    CallResult.UNREADABLE: GapReason.UNREADABLE_ANSWER,
    CallResult.INTERRUPTED: GapReason.INTERRUPTED,
}
"""Of every result that leaves a hole."""


FOLDED = "folded into their owners"
LEFT_OUT = "lists left out by the configuration"


class Read(Protocol):
    """Reads what was collected of one system."""

    def __call__(self, types: Collection[str] | None = None, /) -> Iterable[Resource]:
        """Return its resources, or those of some types."""


@record
class Collected:
    """One system, and what a collection brought of it."""

    source: Source
    calls: tuple[Call, ...]
    """Its own, by type and namespace."""
    read: Read
    """Reads its resources anew each time."""
    interrupted: bool = False
    """Whether the collection ended before it recorded the source."""

    @property
    def moment(self) -> datetime:
        """When the collection ended, by the clock of the source: ages and days left count from then."""
        return self.source.ended + timedelta(seconds=self.source.clock_offset_seconds or 0)

    def gaps(self, types: Collection[str] | None = None) -> Iterator[Gap]:
        """Yield what is missing, of `types` where they are given. What the end of the run cut off is told once."""
        whole = f"{self.source.plane}://{self.source.name}"
        if self.source.failure:
            yield Gap(file=whole, reason=GapReason.SOURCE_FAILED, detail=self.source.failure)
        if self.interrupted:
            detail = "The collection ended before this source did; go on with `auditor collect --resume`."
            yield Gap(file=whole, reason=GapReason.INTERRUPTED, detail=detail)
        wanted = (call for call in self.calls if types is None or call.type in types)
        holes = [call for call in wanted if not call.complete and not self._left_out(call)]
        cut = [call for call in holes if call.result is CallResult.INTERRUPTED]
        if len(cut) > 1:
            detail = f"The run was ended before {len(cut)} lists were read; go on with `auditor collect --resume`."
            yield Gap(file=whole, reason=GapReason.INTERRUPTED, detail=detail)
        for call in holes:
            if call.result is not CallResult.INTERRUPTED or len(cut) == 1:
                yield Gap(file=place(call), reason=_REASONS[call.result], detail=call.reason)

    def _left_out(self, call: Call) -> bool:
        """Return whether the user left the list out of scope: that is no gap, although what needs it stays open.

        Of an export nobody said so: its files just do not tell.
        """
        return call.result is CallResult.NOT_ASKED and self.source.kind == "live"

    @property
    def coverage(self) -> Coverage:
        """What was asked of it and what of that is missing. Its lists stand in the calls, not among the files."""
        by_type = Counter({call.type: 0 for call in self.calls if call.result is CallResult.READ})
        for call in self.calls:
            by_type[call.type] += call.kept
        folded = sum(call.folded for call in self.calls)
        left_out = sum(map(self._left_out, self.calls))
        return Coverage(
            source=f"{self.source.plane}: {self.source.name}",
            resources=sum(call.kept for call in self.calls),
            by_type=tuple(sorted((type_, count) for type_, count in by_type.items() if count)),
            skipped=tuple((what, count) for what, count in ((FOLDED, folded), (LEFT_OUT, left_out)) if count),
            gaps=tuple(sorted(self.gaps())),
        )


def open_all(paths: Sequence[Path]) -> tuple[list[Collected], list[tuple[str, str]]]:
    """Return every source of the snapshots, by name, and (name, SHA-256) of each snapshot.

    Raises `InputError` for what is no snapshot, and where two of them hold a source of the same name.
    """
    from auditor.snapshot.reading import is_snapshot, open_snapshot  # noqa: PLC0415 - loads orjson; only an audit needs it

    found: dict[str, tuple[Collected, Path]] = {}
    digests = []
    for path in paths:
        if not is_snapshot(path) and path.exists() and _is_export(path):
            raise InputError(
                f"{path} was taken from a cluster and is no snapshot",
                hint=f"`auditor scan {path}` judges it as it is; `auditor collect --from {path} -o SNAPSHOT` keeps it.",
            )
        snapshot = open_snapshot(path)
        digests.append((str(path), snapshot.digest))
        for collected in _sources(snapshot):
            name = collected.source.name
            if name in found:
                raise InputError(
                    f"the source {name} stands in {found[name][1]} and in {path}",
                    hint="Judge the two one after the other, and compare with `auditor diff`.",
                )
            found[name] = (collected, path)
    return [found[name][0] for name in sorted(found)], digests


def _is_export(path: Path) -> bool:
    from auditor.collectors import dumps  # noqa: PLC0415 - only for what is no snapshot

    return dumps.recognised(path)


def _sources(snapshot: "Snapshot") -> Iterator[Collected]:
    recorded = {source.name: source for source in snapshot.sources}
    for run in snapshot.manifest.runs:
        for name in run.sources:
            if name not in recorded:
                # Killed before its record was written; what its lists gave is there all the same.
                gone = Source(
                    name=name,
                    plane="kubernetes",
                    fingerprint_key_id=run.fingerprint_key_id,
                    started=run.started,
                    ended=run.ended or run.started,
                )
                yield _collected(snapshot, gone, interrupted=True)
                recorded[name] = gone
    for source in snapshot.sources:
        yield _collected(snapshot, source, interrupted=False)


def _collected(snapshot: "Snapshot", source: Source, *, interrupted: bool) -> Collected:
    return Collected(
        source=source,
        calls=tuple(call for call in snapshot.calls if call.source == source.name),
        read=lambda types=None: snapshot.resources(source.name, types),
        interrupted=interrupted,
    )
