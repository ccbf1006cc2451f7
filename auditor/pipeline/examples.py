"""The examples of a policy, run through the same code as a scanned file: reading, redaction, views, facts, engine."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from auditor.collectors import manifests
from auditor.collectors.discovery import Source, SourceKind
from auditor.facts.estate import Estate, merge
from auditor.model.record import record
from auditor.model.verdict import Outcome
from auditor.pipeline import judging
from auditor.pipeline.assemble import JudgedSubject
from auditor.pipeline.judging import Judge, Places
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
    source = _source(example)
    reading = manifests.read((source,), workloads=workloads, fingerprint=Fingerprinter(b"examples" * 4).of)
    estate = Estate()
    for resource in reading.resources:
        estate.add(resource)
    estate = merge([estate])
    resources = [*reading.resources, *judging.facts(estate), *judging.shared(estate)]
    judged = judging.judge(resources, estate, by=judge, places=Places((source,)))
    outcome = _worst(judged, policy)
    failures = [finding for subject in judged for finding in subject.findings]
    items = tuple(sorted(finding.item for finding in failures))
    reasons = [entry.reason for subject in judged for entry in subject.judged.others if entry.reason]
    return ExampleResult(
        policy_id=policy.id,
        example=example.name,
        wanted=example.outcome,
        outcome=outcome,
        items=items,
        messages=tuple(finding.message for finding in failures) or tuple(reasons),
        problem=_problem(example, outcome, items, reasons, gaps=[gap.detail for gap in reading.coverage.gaps]),
    )


def _source(example: Example) -> Source:
    if example.file is not None:
        name, text = example.file
        kind = SourceKind.DOCKERFILE if not name.endswith((".yaml", ".yml", ".json")) else SourceKind.YAML
        content = text.encode()
    else:
        name, kind = example.path or "example.json", SourceKind.JSON
        # JSON documents one after the other are read like those of a pipe.
        content = "\n".join(json.dumps(item) for item in example.objects).encode()
    return Source(file=name, kind=kind, size=len(content), content=content)


def _worst(judged: Sequence[JudgedSubject], policy: Policy) -> Outcome:
    met = {entry.outcome for subject in judged for entry in subject.judged.others}
    if any(subject.judged.passed for subject in judged):
        met.add(Outcome.PASS)
    if not met:
        return Outcome.NOT_EVALUATED if policy.absent else Outcome.NOT_APPLICABLE
    return next(outcome for outcome in _WORST_FIRST if outcome in met)


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
