"""One credential in several places: facts of type `fact/shared-value`.

Two credentials are the same when their keyed fingerprints are, and those compare under one key only. Where a copy
belongs is told, in this order, by the labels of its object, the labels of its Namespace object, the name of its
namespace, and the folder of its file or the name of its cluster (`auditor.facts.environments`). Overlays repeat
objects: the same object in the same environment is one copy, and what a base holds is not counted beside the same
object of an environment.

The values of a cluster's Secrets are never read, so there may always be further copies in them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from auditor.facts.environments import NON_PROD, PROD, UNKNOWN, of_file, of_labels, of_name
from auditor.facts.estate import Estate, Sighting
from auditor.model.resource import Resource, pointer

TYPE = "fact/shared-value"

_ORDER = {PROD: 0, NON_PROD: 1, UNKNOWN: 2}

_Copy = tuple[str, Sighting]
"""Environment, and where."""

_NAMESPACE = "kubernetes/Namespace"


def copies(*estates: Estate) -> list[Resource]:
    """Return one fact for each credential that stands in several places of `estates`, sorted by name.

    All fingerprints of `estates` are made with the same key. `copies[].source` of a fact is the index into its
    `related`.
    """
    by_value: dict[str, list[tuple[Sighting, _Estate]]] = {}
    for estate in map(_Estate, estates):
        for sighting in estate.whole.sightings:
            by_value.setdefault(sighting.fingerprint, []).append((sighting, estate))
    unread = next(filter(None, map(unseen, estates)), "")
    shared = (seen for seen in by_value.values() if len(seen) > 1)
    facts = (_fact(_distinct(_placed(seen)), unread) for seen in shared)
    return sorted((fact for fact in facts if fact), key=lambda fact: fact.name)


def unseen(estate: Estate) -> str:
    """Return why there may be copies of a value that no sighting shows."""
    source = estate.extent.source
    return f"{source}: the values of Secrets are not read from a cluster" if source else ""


class _Estate:
    """An estate, and what the labels of its Namespace objects say."""

    def __init__(self, whole: Estate) -> None:
        self.whole = whole
        self._labelled = {item.name: of_labels(item.body) for item in whole.resources(_NAMESPACE)}

    def environment(self, sighting: Sighting) -> str:
        """Return where a copy belongs."""
        extent = self.whole.extent
        if sighting.environment != UNKNOWN:
            return sighting.environment
        if sighting.namespace not in self._labelled and extent.unread(_NAMESPACE, ""):
            # Its labels would say it before its name does.
            return UNKNOWN
        known = (
            self._labelled.get(sighting.namespace, UNKNOWN),
            of_name(sighting.namespace),
            of_name(extent.source) if extent.live else of_file(sighting.origin.file),
        )
        return next((found for found in known if found != UNKNOWN), UNKNOWN)


def _placed(seen: Iterable[tuple[Sighting, _Estate]]) -> list[_Copy]:
    placed = [(estate.environment(sighting), sighting) for sighting, estate in seen]
    return sorted(
        placed, key=lambda copy: (_ORDER[copy[0]], copy[1].subject, pointer(copy[1].path), copy[1].origin.file)
    )


def _distinct(placed: Sequence[_Copy]) -> list[_Copy]:
    """Return `placed` without what is the same copy once more."""
    known = {sighting.subject for place, sighting in placed if place != UNKNOWN}
    distinct: dict[tuple[str, str, str], _Copy] = {}
    for place, sighting in placed:
        if place != UNKNOWN or sighting.subject not in known:
            distinct.setdefault((place, sighting.subject, pointer(sighting.path)), (place, sighting))
    return list(distinct.values())


def _fact(distinct: Sequence[_Copy], unread: str) -> Resource | None:
    # Two keys of one object are no second place.
    if len({(place, sighting.subject) for place, sighting in distinct}) < 2:
        return None
    _, first = distinct[0]
    body: dict[str, Any] = {
        "fingerprint": first.fingerprint,
        "rule": first.rule,
        "unread": unread,
        "copies": [
            {
                "environment": place,
                "subject": sighting.subject,
                "file": sighting.origin.file,
                "path_text": sighting.label,
                "source": index,
            }
            for index, (place, sighting) in enumerate(distinct)
        ],
    }
    return Resource(
        type=TYPE,
        # Free of the fingerprint, whose key may be another one tomorrow.
        name=f"{first.subject}#{pointer(first.path)}",
        body=body,
        origin=first.origin,
        related=tuple((sighting.subject, sighting.origin, sighting.path) for _, sighting in distinct),
    )
