"""Facts of credentials outside of API objects: one for each value, file and name, however often it stands there."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from auditor.model.resource import Origin, Resource
from auditor.model.sighting import Sighting

FACT = "fact/credential"


def credentials(
    sightings: Iterable[Sighting], *, titles: Mapping[str, tuple[str, str]], now: datetime
) -> list[Resource]:
    """Return the facts, by place. `titles` gives what each rule looks for and what to do about one (by rule id).

    The name of a fact holds the path, the rule and the name beside the value, and no line or commit, so that it
    survives moves and rebases; the value's fingerprint tells two values apart.
    """
    groups: dict[tuple[str, str, str, str, str], list[Sighting]] = {}
    copies: dict[tuple[str, str], set[str]] = {}
    for sighting in sightings:
        groups.setdefault(
            (sighting.where, sighting.path, sighting.rule, sighting.key, sighting.fingerprint), []
        ).append(sighting)
        copies.setdefault((sighting.rule, sighting.fingerprint), set()).add(sighting.path)
    facts = [
        _fact(sorted(group), copies[group[0].rule, group[0].fingerprint], titles=titles, now=now)
        for group in groups.values()
    ]
    return sorted(facts, key=lambda fact: (fact.origin.file, fact.origin.line or 0, fact.name))


def _fact(group: list[Sighting], copies: set[str], *, titles: Mapping[str, tuple[str, str]], now: datetime) -> Resource:
    # Where it stands today is where a person goes first; else where it came in.
    shown = next((sighting for sighting in group if sighting.in_head), group[0])
    dated = sorted((sighting.date, sighting.commit) for sighting in group if sighting.date is not None)
    first = dated[0] if dated else None
    title, remediation = titles[shown.rule]
    body: dict[str, Any] = {
        "where": shown.where.value,
        "path": shown.path,
        "inside": shown.inside,
        "line": shown.line,
        "rule": shown.rule,
        "title": title,
        "remediation": remediation,
        "tier": shown.tier,
        "key": shown.key,
        "fingerprint": shown.fingerprint,
        "length": shown.length,
        "masked": shown.masked,
        "times": len(group),
        "other_files": sorted(copies - {shown.path}),
        "commit": first[1] if first else "",
        "since": first[0].date().isoformat() if first else "",
        "age_days": max((now - first[0]).days, 0) if first else -1,
        "in_head": any(sighting.in_head for sighting in group),
        "head_known": all(sighting.in_head is not None for sighting in group),
    }
    name = ":".join(filter(None, (shown.path, shown.inside, shown.rule, shown.key)))
    return Resource(type=FACT, name=name, body=body, origin=Origin(file=shown.path, line=shown.line))
