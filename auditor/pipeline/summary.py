"""From places of credentials to credentials: the summary that says how many, where, since when, and what is left."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from auditor.facts import credentials
from auditor.model.assessment import Subject
from auditor.model.leaks import LeakedRule, Leaks
from auditor.model.sighting import Searched, Sighting, Where
from auditor.model.verdict import Finding, Outcome

POSSIBLE = 3
"""The tier of what only looks random."""

_Group = list[Sighting]
"""Every place of one value."""


def summary(
    sightings: Iterable[Sighting],
    searched: Sequence[Searched],
    findings: Sequence[Finding],
    subjects: Sequence[Subject],
    *,
    titles: Mapping[str, str],
) -> Leaks:
    """Return the summary. `titles` says what each rule looks for; `findings` are those of the run, after waivers."""
    sure, possible = _groups(sightings)
    waived, failing = _judged(findings, subjects)
    accepted = {
        value for value, group in sure.items() if {*map(_place, group)} & waived and not {*map(_place, group)} & failing
    }
    whole = [one for group in sure.values() for one in group]
    return Leaks(
        searched=tuple(sorted(searched, key=lambda part: (part.where, part.name))),
        credentials=len(sure),
        places=len(whole),
        files=len({one.path for one in whole}),
        commits=len({one.commit for one in whole if one.commit}),
        since=_since(whole),
        present=sum(map(_present, sure.values())),
        historical=sum(all(one.in_head is False for one in group) for group in sure.values()),
        unasked=sum(not _present(group) and any(one.in_head is None for one in group) for group in sure.values()),
        waived=len(accepted),
        possible=len(possible),
        rules=tuple(_rules(sure, titles, accepted)),
    )


def _groups(sightings: Iterable[Sighting]) -> tuple[dict[str, _Group], set[str]]:
    """Return the places of each value, and the values that only look random wherever they stand."""
    groups: dict[str, _Group] = {}
    looks: set[str] = set()
    for one in sightings:
        if one.tier < POSSIBLE:
            groups.setdefault(one.fingerprint, []).append(one)
        else:
            looks.add(one.fingerprint)
    return groups, looks - groups.keys()


def _judged(
    findings: Sequence[Finding], subjects: Sequence[Subject]
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return the places that a waiver accepts and those that still fail, as subject and value."""
    found: dict[Outcome, set[tuple[str, str]]] = {Outcome.WAIVED: set(), Outcome.FAIL: set()}
    for finding in findings:
        subject = subjects[finding.subject]
        if subject.type == credentials.FACT:
            found[finding.outcome].add((subject.name, finding.value_fingerprint))
    return found[Outcome.WAIVED], found[Outcome.FAIL]


def _place(sighting: Sighting) -> tuple[str, str]:
    return credentials.name(sighting), sighting.fingerprint


def _rules(sure: Mapping[str, _Group], titles: Mapping[str, str], accepted: set[str]) -> list[LeakedRule]:
    by_rule: dict[str, list[str]] = {}
    for value, group in sure.items():
        by_rule.setdefault(_rule(group), []).append(value)
    rules = [
        LeakedRule(
            rule=rule,
            title=titles.get(rule, rule),
            tier=min(one.tier for value in values for one in sure[value]),
            credentials=len(values),
            places=sum(len(sure[value]) for value in values),
            since=_since([one for value in values for one in sure[value]]),
            present=sum(_present(sure[value]) for value in values),
            waived=sum(value in accepted for value in values),
        )
        for rule, values in by_rule.items()
    ]
    return sorted(rules, key=lambda entry: (-entry.credentials, -entry.places, entry.rule))


def _rule(group: _Group) -> str:
    """Return the surest rule that found a value; of several the one that found it most often."""
    counted: dict[tuple[int, str], int] = {}
    for one in group:
        counted[one.tier, one.rule] = counted.get((one.tier, one.rule), 0) + 1
    return min(counted, key=lambda rule: (rule[0], -counted[rule], rule[1]))[1]


def _since(sightings: Iterable[Sighting]) -> datetime | None:
    return min((one.date for one in sightings if one.date is not None), default=None)


def _present(group: _Group) -> bool:
    return any(one.in_head or (one.in_head is None and one.where is not Where.CHANGE) for one in group)
