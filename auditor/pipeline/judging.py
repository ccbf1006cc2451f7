"""From resources to judged subjects with findings: views, the engine, and the place of each failure in its file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache

from auditor.assess.fingerprints import finding_fingerprint
from auditor.facts import copies, grants, principals
from auditor.facts.estate import Estate
from auditor.facts.views import views
from auditor.model.assessment import Subject
from auditor.model.ci import Repository
from auditor.model.judgement import Failure, Judged, Judgement
from auditor.model.record import record
from auditor.model.resource import Location, Resource, pointer
from auditor.model.verdict import Finding, Outcome, Severity, SubjectKind
from auditor.model.views import Views
from auditor.pipeline.assemble import JudgedSubject
from auditor.pipeline.places import Places
from auditor.policy.engine import Engine
from auditor.redaction.redactor import redact_text
from auditor.workloads import Workloads


@record(kw_only=False)
class Judge:
    """Everything that judging a resource needs beside the resource itself."""

    engine: Engine
    severities: Sequence[Severity]
    """Of the engine's policies, in their order."""
    workloads: Workloads
    now: datetime


def judge(resources: Iterable[Resource], estate: Estate, *, by: Judge, places: Places) -> list[JudgedSubject]:
    """Return what the policies say about each resource that any of them applies to."""
    subjects = []
    for resource in resources:
        seen = views(resource, estate, workloads=by.workloads, now=by.now)
        judged = by.engine.judge(resource, seen)
        if judged.passed or judged.others:
            findings = _findings(resource, judged, by=by, places=places)
            subjects.append(
                JudgedSubject(
                    subject=_subject(resource),
                    judged=_without_failures(judged) if findings else judged,
                    findings=findings,
                    about=_about(resource, seen),
                )
            )
    return subjects


def facts(estate: Estate) -> list[Resource]:
    """Return the facts that are derived from many resources of one estate: grants, and what each principal holds."""
    granted = grants.grants(estate)
    return [*granted, *principals.principals(granted, estate)]


def shared(*estates: Estate) -> list[Resource]:
    """Return the facts of values that stand in several places; the fingerprints of all `estates` have one key."""
    return copies.copies(*estates)


def repositories(estate: Estate, found: Sequence[Repository], missed: Iterable[str] = ()) -> list[Resource]:
    """Return the facts of the repositories that were walked; `missed` are files that could not even be opened."""
    if not found:
        return []
    from auditor.facts.ci.repositories import repositories as derive  # noqa: PLC0415 - start-up: only where one is met

    return derive(found, estate.definitions, [*estate.lost, *missed])


def _without_failures(judged: Judged) -> Judged:
    """Return `judged` without what has become findings: it may be on its way to another process."""
    others = tuple(_failed(entry.policy) if entry.failures else entry for entry in judged.others)
    return Judged(passed=judged.passed, others=others, items=judged.items)


@cache
def _failed(policy: int) -> Judgement:
    return Judgement(policy=policy, outcome=Outcome.FAIL)


_ACCOUNTS = {"User": SubjectKind.USER, "ServiceAccount": SubjectKind.WORKLOAD}
"""By kind of principal; a group may hold either."""


def _about(resource: Resource, seen: Views) -> SubjectKind:
    if resource.type == grants.FACT:
        return _ACCOUNTS.get(resource.body["principal"]["kind"], SubjectKind.ANY)
    return SubjectKind.WORKLOAD if "pod_spec" in seen.names else SubjectKind.ANY


def _subject(resource: Resource) -> Subject:
    return Subject(
        id=resource.id,
        type=resource.type,
        namespace=resource.namespace,
        name=resource.name,
        location=Location(
            file=resource.origin.file,
            line=resource.origin.line,
            pointer=pointer(resource.origin.prefix),
            rendered_from=resource.origin.rendered_from,
        ),
        source=resource.origin.source,
    )


def _findings(resource: Resource, judged: Judged, *, by: Judge, places: Places) -> tuple[Finding, ...]:
    failures = [
        (judgement.policy, failure)
        for judgement in judged.others
        if judgement.outcome is Outcome.FAIL
        for failure in judgement.failures
    ]
    if not failures:
        return ()
    own = places.locate(
        resource.origin,
        [failure.path if failure.source < 0 else () for _, failure in failures],
        [_line(resource, failure) for _, failure in failures],
    )
    related: dict[int, tuple[str, Location]] = {}
    for index in _told(resource, [failure for _, failure in failures]):
        what, origin, path = resource.related[index]
        related[index] = (what, places.locate(origin, [path])[0])
    return tuple(
        _finding(resource, failure, own[position], related, policy=by.engine.policies[policy].id, severity=severity)
        for position, (policy, failure) in enumerate(failures)
        for severity in (by.severities[policy],)
    )


def _line(resource: Resource, failure: Failure) -> int:
    """Return the line inside of the value that a failure is about, below 0 for the value as a whole."""
    if not failure.value_fingerprint:
        return -1
    return next(
        (
            literal.line
            for literal in resource.literals
            if literal.fingerprint == failure.value_fingerprint and literal.path == failure.path
        ),
        -1,
    )


def _told(resource: Resource, failures: Sequence[Failure]) -> list[int]:
    """Return which related objects the findings name: of a grant the binding and the rules that fail, else the first.

    A role has many rules, and those that are in order would hide the one that is not.
    """
    sources = {failure.source for failure in failures if 0 <= failure.source < len(resource.related)}
    return sorted({*sources, 0} if sources else range(min(_RELATED, len(resource.related))))


def _finding(
    resource: Resource,
    failure: Failure,
    location: Location,
    related: Mapping[int, tuple[str, Location]],
    *,
    policy: str,
    severity: Severity,
) -> Finding:
    beside = [entry for index, entry in related.items() if failure.source < 0 or index == 0]
    if failure.source in related:
        location = related[failure.source][1]
    return Finding(
        policy_id=policy,
        subject=-1,
        item=failure.item,
        fingerprint=finding_fingerprint(policy, resource.id, failure.item),
        value_fingerprint=failure.value_fingerprint,
        message=_clean(failure.message),
        location=location,
        related=tuple(entry for entry in beside if entry[1] != location),
        evidence=tuple((name, _clean(text)) for name, text in failure.evidence),
        severity=severity,
        about=failure.about,
    )


_clean = lru_cache(maxsize=65_536)(redact_text)
"""The last redaction of a text; many findings say the same of many objects."""

_RELATED = 8
"""Places beside the finding's own: more would hide the one that matters."""

Progress = Callable[[str], None]
