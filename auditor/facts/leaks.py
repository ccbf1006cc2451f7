"""Facts of credentials that leaked: one for each value, with what the stores that it belongs to show of a change since.

The period counts from when the credential is known to have leaked: from the baseline that holds it, else from its first
commit, at which whoever may read the repository could see it. What only looks random is no fact.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from auditor.facts import rotation
from auditor.facts.credentials import name
from auditor.facts.owners import CodeOwners
from auditor.facts.rotation import Held, System
from auditor.model.lifecycle import Leak, Spot, Store, StoreState
from auditor.model.record import field, record
from auditor.model.resource import Origin, Resource
from auditor.model.sighting import CARD_NUMBER, Sighting

FACT = "fact/leak"
_POSSIBLE = 3
_NOT_ASKED = "no snapshot of the systems that may use it was named (--snapshot)"
_NO_STORE = "no manifest says which Secret it belongs to, and nothing that was read holds the same value"


@record(kw_only=False)
class Known:
    """What is known of the leaked credentials beside where they stand."""

    titles: Mapping[str, tuple[str, str]]
    """What each rule looks for and what to do about one, by rule."""
    held: Mapping[str, Sequence[Held]]
    """Fingerprint to the objects that manifests of the repository define with it."""
    systems: Sequence[System]
    detected: Mapping[str, tuple[datetime, str]]
    """Fingerprint to a time at which it was known, and what says so."""
    owners: CodeOwners = field(default_factory=CodeOwners)


def leaks(sightings: Iterable[Sighting], known: Known) -> list[Leak]:
    """Return every credential, by name. Nobody can change a card number, so it is none."""
    groups: dict[str, list[Sighting]] = {}
    for one in sightings:
        if one.tier < _POSSIBLE and one.rule != CARD_NUMBER:
            groups.setdefault(one.fingerprint, []).append(one)
    found = [_leak(group, known) for group in groups.values()]
    return sorted(found, key=lambda leak: (leak.name, leak.since is None, leak.since or 0, leak.fingerprint))


def facts(found: Iterable[Leak]) -> list[Resource]:
    """Return one fact for each credential that leaked."""
    return [
        Resource(
            type=FACT,
            name=leak.name,
            body=_body(leak),
            origin=Origin(file=leak.spots[0].path, line=leak.spots[0].line),
        )
        for leak in found
    ]


def _leak(group: Sequence[Sighting], known: Known) -> Leak:
    ordered = sorted(group, key=lambda one: (one.in_head is False, one.path, one.line, one.key))
    best = min(ordered, key=lambda one: (one.tier, one.rule))
    since = min((one.date for one in group if one.date is not None), default=None)
    detected, by = known.detected.get(best.fingerprint) or (since, "its first commit" if since else "")
    held = known.held.get(best.fingerprint, ())
    stores = [store for system in known.systems for store in rotation.stores(best.fingerprint, held, system, detected)]
    title, remediation = known.titles[best.rule]
    return Leak(
        name=name(ordered[0]),
        rule=best.rule,
        title=title,
        tier=best.tier,
        remediation=remediation,
        fingerprint=best.fingerprint,
        length=best.length,
        masked=best.masked,
        spots=tuple(_spot(one, known.owners) for one in ordered),
        since=since,
        detected=detected,
        detected_by=by,
        stores=tuple(sorted(set(stores))),
        unknown=_unknown(stores, known.systems),
    )


def _spot(one: Sighting, owners: CodeOwners) -> Spot:
    return Spot(
        path=one.path,
        line=one.line,
        key=one.key,
        commit=one.commit,
        present=one.in_head,
        owners=owners.of(one.path),
    )


def _unknown(stores: Sequence[Store], systems: Sequence[System]) -> str:
    """Return why there may be stores that nobody sees."""
    if not systems:
        return _NOT_ASKED
    why = next((f"{system.name}: {system.incomparable}" for system in systems if system.incomparable), "")
    return why or ("" if stores else _NO_STORE)


def _body(leak: Leak) -> dict[str, Any]:
    return {
        "kind": "leak",
        "rule": leak.rule,
        "title": leak.title,
        "tier": leak.tier,
        "fingerprint": leak.fingerprint,
        "length": leak.length,
        "masked": leak.masked,
        "key": next((spot.key for spot in leak.spots if spot.key), ""),
        "places": len(leak.spots),
        "files": sorted({spot.path for spot in leak.spots}),
        "since": leak.since.date().isoformat() if leak.since else "",
        "detected": leak.detected.date().isoformat() if leak.detected else "",
        "detected_by": leak.detected_by,
        "stores": [
            {
                "source": store.source,
                "name": store.name,
                "state": store.state.value,
                "same": store.state in {StoreState.USED, StoreState.UNCHANGED},
                "proof": store.proof,
                "days": store.days,
            }
            for store in leak.stores
        ],
        "unknown": leak.unknown,
        "commit": leak.spots[0].commit,
        "in_head": leak.spots[0].present is not False,
        "head_known": leak.spots[0].present is not None,
    }
