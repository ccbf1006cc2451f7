"""One credential in several places: facts of type `fact/shared-value`.

Two credentials are the same when their keyed fingerprints are. Where a copy belongs is told, in this order, by the
labels of its object, the labels of its Namespace object, the name of its namespace, and the folder of its file
(`auditor.facts.environments`). Overlays repeat objects: the same object in the same environment is one copy, and what
a base holds is not counted beside the same object of an environment.
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


def copies(estate: Estate) -> list[Resource]:
    """Return one fact for each credential that stands in several places, sorted by name.

    `copies[].source` of a fact is the index into its `related`.
    """
    by_value: dict[str, list[Sighting]] = {}
    for sighting in estate.sightings:
        by_value.setdefault(sighting.fingerprint, []).append(sighting)
    shared = (seen for seen in by_value.values() if len(seen) > 1)
    labelled = {namespace.name: of_labels(namespace.body) for namespace in estate.resources("kubernetes/Namespace")}
    facts = (_fact(_distinct(_placed(seen, labelled))) for seen in shared)
    return sorted((fact for fact in facts if fact), key=lambda fact: fact.name)


def environment(sighting: Sighting, labelled: dict[str, str]) -> str:
    """Return where a copy belongs; `labelled` is what the labels of each Namespace object say."""
    known = (
        sighting.environment,
        labelled.get(sighting.namespace, UNKNOWN),
        of_name(sighting.namespace),
        of_file(sighting.origin.file),
    )
    return next((found for found in known if found != UNKNOWN), UNKNOWN)


def _placed(seen: Iterable[Sighting], labelled: dict[str, str]) -> list[_Copy]:
    placed = [(environment(sighting, labelled), sighting) for sighting in seen]
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


def _fact(distinct: Sequence[_Copy]) -> Resource | None:
    # Two keys of one object are no second place.
    if len({(place, sighting.subject) for place, sighting in distinct}) < 2:
        return None
    _, first = distinct[0]
    body: dict[str, Any] = {
        "fingerprint": first.fingerprint,
        "rule": first.rule,
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
