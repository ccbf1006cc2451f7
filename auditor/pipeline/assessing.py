"""From judged subjects to the assessment: waivers, the baseline, results of each policy, requirements."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from auditor import __version__
from auditor.assess import baseline as baselines
from auditor.assess import waivers as waiving
from auditor.frameworks import rollup
from auditor.model.assessment import Assessment, Run, Subject
from auditor.model.collection import Call, Source
from auditor.model.coverage import Coverage
from auditor.model.leaks import Leaks
from auditor.model.record import record
from auditor.model.verdict import Finding, SubjectKind
from auditor.pipeline import assemble
from auditor.pipeline.assemble import JudgedSubject, PolicyTerms
from auditor.pipeline.rules import Rules
from auditor.redaction.redactor import redact_text


@record
class Reached:
    """What judging reached, and of what input."""

    judged: Sequence[JudgedSubject]
    coverage: tuple[Coverage, ...]
    arguments: tuple[str, ...]
    """As the user gave them."""
    digests: Sequence[tuple[str, str]]
    """(name, SHA-256) of every file that was read."""
    key_id: str
    """Names the key of all value fingerprints; empty where they do not compare with those of another run."""
    sources: tuple[Source, ...] = ()
    calls: tuple[Call, ...] = ()
    absent: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Policy id to source (empty: the manifests) to what finding no subject there leaves open."""
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Policy id to what of its population was not read."""
    leaks: Callable[[Sequence[Finding], Sequence[Subject]], Leaks] | None = None
    """Makes the summary of a search for credentials, from the findings after waivers and their subjects."""


def assess(reached: Reached, rules: Rules, *, now: datetime) -> Assessment:
    """Return the assessment of what was reached; `now` is the time of the run."""
    subjects, ordered, findings = assemble.number(reached.judged)
    findings, waiver_uses = waiving.apply(findings, subjects, rules.waivers, today=now.date(), key_id=reached.key_id)
    baseline_use = None
    if rules.baseline is not None:
        findings, baseline_use = baselines.apply(
            findings, rules.baseline, key_id=reached.key_id, policies={policy.id for policy in rules.infos}
        )
    results = assemble.results(ordered, findings, _terms(reached, rules))
    settings = rules.configuration
    return Assessment(
        run=Run(
            tool_version=__version__,
            started=now,
            arguments=tuple(redact_text(path) for path in reached.arguments),
            policy_pack_digest=_digest((policy.id, policy.digest) for policy in rules.infos),
            input_digest=_digest(reached.digests),
            configuration_digest=settings.digest,
            fingerprint_key_id=reached.key_id,
            tags=settings.tags,
            deselected=rules.deselected,
        ),
        coverage=reached.coverage,
        sources=reached.sources,
        calls=reached.calls,
        subjects=subjects,
        policies=rules.infos,
        results=results,
        findings=findings,
        frameworks=rules.frameworks,
        requirements=rollup.roll_up(
            rules.frameworks,
            rules.infos,
            results,
            findings,
            conditions=settings.conditions,
            kinds={index: entry.about for index, entry in enumerate(ordered) if entry.about is not SubjectKind.ANY},
            gaps=sum(len(part.gaps) for part in reached.coverage),
        ),
        waivers=waiver_uses,
        baseline=baseline_use,
        leaks=reached.leaks(findings, subjects) if reached.leaks else None,
    )


def _terms(reached: Reached, rules: Rules) -> list[PolicyTerms]:
    return [
        PolicyTerms(
            id=policy.id,
            parameters=rules.judge.engine.parameters(index),
            absent=reached.absent.get(policy.id, {}),
            unread=reached.unread.get(policy.id, ()),
        )
        for index, policy in enumerate(rules.policies)
    ]


def _digest(entries: Iterable[tuple[str, str]]) -> str:
    lines = sorted(f"{name}\0{digest}\n" for name, digest in entries)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
