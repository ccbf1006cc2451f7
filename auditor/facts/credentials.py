"""Facts of credentials outside of API objects: one for each value under a name in a file, and one for each search.

A search is a fact of its own, so that one which found nothing is a pass with a population, and not silence.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from auditor.model.resource import Origin, Resource
from auditor.model.sighting import Searched, Sighting

FACT = "fact/credential"
SEARCH = "fact/credential-search"


def credentials(
    sightings: Sequence[Sighting], *, titles: Mapping[str, tuple[str, str]], now: datetime
) -> list[Resource]:
    """Return the facts, by place. `titles` gives what each rule looks for and what to do about one (by rule id).

    The name of a fact holds the path, the rule and the name beside the value, and no line or commit, so that it
    survives moves and rebases; the value's fingerprint tells two values apart.
    """
    copies: dict[tuple[str, str], set[str]] = {}
    for sighting in sightings:
        copies.setdefault((sighting.rule, sighting.fingerprint), set()).add(sighting.path)
    facts = [
        _credential(sighting, copies[sighting.rule, sighting.fingerprint], titles=titles, now=now)
        for sighting in sightings
    ]
    return sorted(facts, key=lambda fact: (fact.origin.file, fact.origin.line or 0, fact.name))


def searches(searched: Iterable[Searched]) -> list[Resource]:
    """Return one fact for each search."""
    return [
        Resource(
            type=SEARCH,
            name=f"{search.where}:{search.name}",
            body={
                "kind": "search",
                "where": search.where.value,
                "name": search.name,
                "read": search.read,
                "bytes": search.bytes_read,
                "found": search.found - (search.cards or 0),
                "cards": search.cards if search.cards is not None else -1,
                "complete": search.complete,
            },
            origin=Origin(file=search.name, line=None),
        )
        for search in searched
    ]


def name(sighting: Sighting) -> str:
    """Return the name of a sighting's fact."""
    return ":".join(filter(None, (sighting.path, sighting.inside, sighting.rule, sighting.key)))


def _credential(
    sighting: Sighting, copies: set[str], *, titles: Mapping[str, tuple[str, str]], now: datetime
) -> Resource:
    title, remediation = titles[sighting.rule]
    body: dict[str, Any] = {
        "kind": "credential",
        "where": sighting.where.value,
        "path": sighting.path,
        "inside": sighting.inside,
        "line": sighting.line,
        "rule": sighting.rule,
        "title": title,
        "remediation": remediation,
        "tier": sighting.tier,
        "key": sighting.key,
        "fingerprint": sighting.fingerprint,
        "length": sighting.length,
        "masked": sighting.masked,
        "times": sighting.times,
        "other_files": sorted(copies - {sighting.path}),
        "commit": sighting.commit,
        "since": sighting.date.date().isoformat() if sighting.date else "",
        "age_days": max((now - sighting.date).days, 0) if sighting.date else -1,
        "in_head": sighting.in_head is not False,
        "head_known": sighting.in_head is not None,
    }
    origin = Origin(file=sighting.path, line=sighting.line, column=sighting.column)
    return Resource(type=FACT, name=name(sighting), body=body, origin=origin)
