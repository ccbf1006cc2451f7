"""The examples of a policy, run through the same code as a scanned file: reading, redaction, views, facts, engine.

An example of a cluster is judged as an audit judges a snapshot, of which everything was read but what it says was not.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from auditor.collectors import manifests
from auditor.collectors.sources import Source, SourceKind, kind_of
from auditor.detection import engine as detecting
from auditor.detection import rules as detection
from auditor.facts import credentials, leaks, needs
from auditor.facts.estate import Estate, merge
from auditor.facts.extent import kind
from auditor.facts.leaks import Known
from auditor.model import ci, collection
from auditor.model.ci import Repository
from auditor.model.collection import Call, CallResult
from auditor.model.record import record
from auditor.model.resource import Origin, Resource
from auditor.model.sighting import CARD_NUMBER, Searched, Sighting, Where
from auditor.model.verdict import Outcome
from auditor.pipeline import clusters, judging, stores
from auditor.pipeline.assemble import JudgedSubject
from auditor.pipeline.clusters import Cluster
from auditor.pipeline.collected import Collected
from auditor.pipeline.judging import Judge
from auditor.pipeline.places import Places
from auditor.pipeline.sightings import joined, sighting
from auditor.policy.document import Example, Policy
from auditor.policy.engine import Engine, ParameterValue
from auditor.redaction.fingerprint import Fingerprinter
from auditor.workloads import Workloads

_WORST_FIRST = (Outcome.FAIL, Outcome.NOT_EVALUATED, Outcome.PASS, Outcome.NOT_APPLICABLE)


@record
class ExampleResult:
    """What became of one example."""

    policy_id: str
    example: str
    wanted: Outcome
    outcome: Outcome
    items: tuple[str, ...]
    """Stable names of the items that failed, sorted."""
    messages: tuple[str, ...]
    """Of the failures, or the reasons of what was not evaluated."""
    problem: str
    """What is wrong, or empty."""


def run(policies: Sequence[Policy], *, workloads: Workloads, now: datetime) -> Iterable[ExampleResult]:
    """Yield what became of each example of each policy, in their order."""
    for policy in policies:
        for example in policy.examples:
            yield run_one(policy, example, workloads=workloads, now=now)


def run_one(policy: Policy, example: Example, *, workloads: Workloads, now: datetime) -> ExampleResult:
    """Return what became of one example."""
    given: dict[str, ParameterValue] = {name: (value, "entity", "example") for name, value in example.params.items()}
    engine = Engine((policy,), {policy.id: given})
    judge = Judge(engine=engine, severities=(policy.severity,), workloads=workloads, now=now)
    sources = _sources(example) if not example.committed else _objects(example)
    reading = manifests.read(sources, workloads=workloads, fingerprint=Fingerprinter(b"examples" * 4).of)
    whole: tuple[str, ...] = ()
    if example.committed:
        judged = _leaked(example, reading.resources, judge, policy)
    elif example.cluster is None:
        judged = _in_files(reading.resources, judge, sources, example)
        # An object of an example lies in no repository.
        whole = () if _met(judged) or policy.absent_where else (policy.absent,)
    else:
        judged, whole = _on_cluster(reading.resources, example.cluster, judge, policy)
    outcome = _worst(judged, whole)
    failures = [finding for subject in judged for finding in subject.findings]
    items = tuple(sorted(finding.item for finding in failures))
    reasons = [entry.reason for subject in judged for entry in subject.judged.others if entry.reason] or [
        *filter(None, whole)
    ]
    return ExampleResult(
        policy_id=policy.id,
        example=example.name,
        wanted=example.outcome,
        outcome=outcome,
        items=items,
        messages=tuple(finding.message for finding in failures) or tuple(reasons),
        problem=_problem(example, outcome, items, reasons, gaps=[gap.detail for gap in reading.coverage.gaps]),
    )


def _sources(example: Example) -> list[Source]:
    sources = []
    for path, text in example.files:
        name, content = path.rpartition("/")[2], text.encode()
        kind = kind_of(name) or SourceKind.YAML
        sources.append(Source(file=path, kind=kind, size=len(content), content=content, ci=ci.recognise(path, name)))
    return sources or _objects(example)


def _objects(example: Example) -> list[Source]:
    # JSON documents one after the other are read like those of a pipe.
    content = "\n".join(json.dumps(item) for item in example.objects).encode()
    path = example.path or "example.json"
    return [Source(file=path, kind=SourceKind.JSON, size=len(content), content=content)] if example.objects else []


def _in_files(
    resources: Sequence[Resource], judge: Judge, sources: Sequence[Source], example: Example
) -> list[JudgedSubject]:
    """Return what was judged; files are all that a repository (a log, an image) holds."""
    whole = bool(example.files)
    estate = Estate()
    for resource in resources:
        estate.add(resource)
    estate = merge([estate])
    found = [Repository(folder=".")] if whole else []
    facts = [*judging.facts(estate), *judging.shared(estate), *judging.repositories(estate, found)]
    if whole:
        facts += _searched(sources, Where(example.where), judge.now)
    return judging.judge([*resources, *facts], estate, by=judge, places=Places(sources))


def _searched(sources: Sequence[Source], where: Where, now: datetime) -> list[Resource]:
    """Return the facts of a search for credentials in files, as they lie on disk."""
    found, titles = _found(sources, where)
    search = Searched(
        where=where,
        name=".",
        read=len(sources),
        bytes_read=0,
        found=len(found),
        complete=True,
        cards=sum(one.rule == CARD_NUMBER for one in found),
    )
    return [*credentials.credentials(found, titles=titles, now=now), *credentials.searches([search])]


def _found(
    sources: Sequence[Source], where: Where, date: datetime | None = None
) -> tuple[list[Sighting], dict[str, tuple[str, str]]]:
    """Return the credentials in the files of a repository, and what is looked for."""
    looked_for = detection.load()
    engine = detecting.Engine(looked_for, fingerprint=Fingerprinter(b"examples" * 4).of, every_line=True)
    found = joined(
        sighting(where, source.file, hit, commit="0" * 40 if date else "", date=date)
        for source in sources
        for hit in engine.scan(source.content or b"", path=source.file)
    )
    return found, {rule.id: (rule.title, rule.remediation) for rule in looked_for.rules.values()}


def _leaked(example: Example, resources: Sequence[Resource], judge: Judge, policy: Policy) -> list[JudgedSubject]:
    """Return what was judged of the history of a repository, beside a cluster of which its objects were read."""
    fingerprinter = Fingerprinter(b"examples" * 4)
    files = _sources(example)
    found, titles = _found(files, Where.HISTORY, datetime.fromisoformat(example.committed))
    wanted = {one.fingerprint for one in found}
    there = [] if example.cluster is None else [_collected(resources, example.cluster, judge, policy, stores.TYPES)]
    known = Known(
        titles,
        stores.held(
            [(source.file, source.content or b"") for source in files],
            wanted,
            workloads=judge.workloads,
            fingerprint=fingerprinter.of,
        ),
        stores.systems(there, wanted, key=fingerprinter.key_name),
        {},
    )
    return judging.judge(leaks.facts(leaks.leaks(found, known)), Estate(), by=judge, places=Places(()))


def _on_cluster(
    resources: Sequence[Resource], told: Mapping[str, Any], judge: Judge, policy: Policy
) -> tuple[list[JudgedSubject], tuple[str, ...]]:
    """Return what was judged, and what of the policy's question is open whatever was judged."""
    cluster = Cluster(_collected(resources, told, judge, policy), judge)
    subjects = [*cluster.subjects(), *(fact for _, fact in clusters.shared([cluster]))]
    judged = cluster.judge(subjects)
    absent = "" if _met(judged) else clusters.why_absent(policy, cluster)
    return judged, (*clusters.why_unread(policy, [cluster]), absent)


def _collected(
    resources: Sequence[Resource],
    told: Mapping[str, Any],
    judge: Judge,
    policy: Policy,
    more: frozenset[str] = frozenset(),
) -> Collected:
    """Return the cluster of an example, read as far as it says; `more` are types that were asked for, too."""
    unread = told.get("unread", {})
    asked = needs.asked(policy.applies_to, judge.workloads) | more
    types = asked | {resource.type for resource in resources} | unread.keys()
    calls = tuple(
        Call(
            source=_CLUSTER,
            type=type_,
            request=f"GET /{kind(type_)}",
            result=CallResult(unread.get(type_, CallResult.READ)),
            started=judge.now,
            ended=judge.now,
        )
        for type_ in sorted(types)
    )
    system = collection.Source(
        name=_CLUSTER,
        plane="kubernetes",
        version=told.get("version", ""),
        provider=told.get("provider", ""),
        fingerprint_key_id=Fingerprinter(b"examples" * 4).key_name,
        started=judge.now,
        ended=judge.now,
    )
    there = [replace(resource, origin=_place(resource)) for resource in resources]
    return Collected(source=system, calls=calls, read=lambda _=None: there)


_CLUSTER = "example"


def _place(resource: Resource) -> Origin:
    place = f"kubernetes://{_CLUSTER}/{kind(resource.type)}/{resource.namespace}/{resource.name}"
    return Origin(file=place, line=None, source=_CLUSTER)


def _met(judged: Sequence[JudgedSubject]) -> set[Outcome]:
    met = {entry.outcome for subject in judged for entry in subject.judged.others}
    return met | {Outcome.PASS} if any(subject.judged.passed for subject in judged) else met


def _worst(judged: Sequence[JudgedSubject], whole: Sequence[str]) -> Outcome:
    """Return the worst outcome. `whole`: what is open of the policy's question, whatever was judged."""
    met = _met(judged) | ({Outcome.NOT_EVALUATED} if any(whole) else set())
    return next((outcome for outcome in _WORST_FIRST if outcome in met), Outcome.NOT_APPLICABLE)


def _problem(
    example: Example, outcome: Outcome, items: Sequence[str], reasons: Sequence[str], *, gaps: Sequence[str]
) -> str:
    if gaps:
        return f"the example cannot be read: {gaps[0]}"
    if outcome is not example.outcome:
        why = f" ({reasons[0]})" if reasons else ""
        return f"it should {_verb(example.outcome)}, and the policy says {outcome}{why}"
    if example.items is not None and tuple(sorted(example.items)) != tuple(items):
        return f"other items fail: {', '.join(items) or 'none'}"
    return ""


def _verb(outcome: Outcome) -> str:
    return f"be {outcome}" if outcome in {Outcome.NOT_APPLICABLE, Outcome.NOT_EVALUATED} else str(outcome)
