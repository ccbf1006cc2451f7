"""The estate as a person wants to see it first: what was read of each source, and what was not.

Computed from the records alone (sources and calls), so that a report which knows only an assessment can draw it, too.
"""

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum

from auditor.model.collection import Call, CallResult, Source
from auditor.model.record import record


class Reading(StrEnum):
    """What became of a kind in one source: the worst of its lists, in this order from good to bad."""

    READ = "read"
    NOT_SERVED = "not-served"
    """The source has no such kind, so nothing is missing."""
    NOT_ASKED = "not-asked"
    PARTLY = "partly"
    """Some of its lists, or a part of one, are missing."""
    NOT_READ = "not-read"


@record
class Kind:
    """One resource type in one source."""

    type: str
    reading: Reading
    kept: int
    """Objects in the snapshot."""
    folded: int
    lists: int
    complete: int
    """Of the lists: those that were read to their end, or that the source does not serve."""
    holes: tuple[Call, ...] = ()
    """Lists that are not complete."""


@record
class Estate:
    """One source with its kinds, by type."""

    name: str
    plane: str
    source: Source | None
    """`None`: the run ended before the source did, so nothing is known of it but its lists."""
    kinds: tuple[Kind, ...]

    @property
    def kept(self) -> int:
        """Objects in the snapshot."""
        return sum(kind.kept for kind in self.kinds)

    def with_reading(self, *readings: Reading) -> tuple[Kind, ...]:
        """Return the kinds with one of `readings`, the most frequent first."""
        return tuple(
            sorted((kind for kind in self.kinds if kind.reading in readings), key=lambda kind: (-kind.kept, kind.type))
        )

    @property
    def complete(self) -> bool:
        """Whether nothing that was asked is missing."""
        return (
            self.source is not None
            and not self.source.failure
            and not self.with_reading(Reading.PARTLY, Reading.NOT_READ)
        )


def picture(sources: Iterable[Source], calls: Iterable[Call], names: Iterable[str] = ()) -> tuple[Estate, ...]:
    """Return each source by plane and name; `names` are further ones that were to be read."""
    known = {source.name: source for source in sources}
    by_source: dict[str, dict[str, list[Call]]] = defaultdict(lambda: defaultdict(list))
    for call in calls:
        by_source[call.source][call.type].append(call)
    estates = []
    for name in {*known, *by_source, *names}:
        own = by_source[name]
        source = known.get(name)
        plane = source.plane if source else next((type_.partition("/")[0] for type_ in own), "")
        kinds = tuple(_kind(type_, own[type_]) for type_ in sorted(own))
        estates.append(Estate(name=name, plane=plane, source=source, kinds=kinds))
    return tuple(sorted(estates, key=lambda estate: (estate.plane, estate.name)))


def _kind(type_: str, calls: list[Call]) -> Kind:
    holes = tuple(call for call in calls if not call.complete)
    kept = sum(call.kept for call in calls)
    return Kind(
        type=type_,
        reading=_reading(calls, holes, kept),
        kept=kept,
        folded=sum(call.folded for call in calls),
        lists=len(calls),
        complete=len(calls) - len(holes),
        holes=holes,
    )


def _reading(calls: list[Call], holes: tuple[Call, ...], kept: int) -> Reading:
    if not holes:
        served = any(call.result is CallResult.READ for call in calls)
        return Reading.READ if served else Reading.NOT_SERVED
    if all(call.result is CallResult.NOT_ASKED for call in calls):
        return Reading.NOT_ASKED
    return Reading.PARTLY if kept or len(holes) < len(calls) else Reading.NOT_READ
