"""From what the engine said about each subject to the results of each policy. Pure; the input's order is irrelevant."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from auditor.model.assessment import Subject
from auditor.model.judgement import Judged
from auditor.model.record import record
from auditor.model.verdict import Finding, Outcome, Parameter, PolicyResult, Severity, SubjectKind


@record
class JudgedSubject:
    """A subject with what the policies said, and the places of what failed."""

    subject: Subject
    judged: Judged
    findings: tuple[Finding, ...] = ()
    """Of all policies that fail here, with `subject` not yet set."""
    about: SubjectKind = SubjectKind.ANY
    """Whose account the subject is, where that is known: requirements differ for people and workloads."""


@record
class PolicyTerms:
    """What the results need to know of a policy, in the engine's order."""

    id: str
    parameters: tuple[Parameter, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    """Source (empty: the manifests) to why finding no subject of it leaves the policy's question open."""
    unread: tuple[str, ...] = ()
    """What of the policy's population was not read: what it would say there is open."""


def number(judged: Iterable[JudgedSubject]) -> tuple[tuple[Subject, ...], list[JudgedSubject], tuple[Finding, ...]]:
    """Return subjects and judgements in the order of subjects, and all findings with their subject's number."""
    ordered = sorted(judged, key=lambda entry: _order(entry.subject))
    findings = [replace(finding, subject=index) for index, entry in enumerate(ordered) for finding in entry.findings]
    return tuple(entry.subject for entry in ordered), ordered, tuple(sorted(findings, key=finding_order))


def results(
    ordered: Sequence[JudgedSubject], findings: Iterable[Finding], policies: Sequence[PolicyTerms]
) -> tuple[PolicyResult, ...]:
    """Return each policy's result.

    `findings` are those of `ordered`, after waivers: a subject has failed a policy when one of its findings still
    fails, and is waived when all are waived.
    """
    open_ = {(finding.subject, finding.policy_id) for finding in findings if finding.outcome is Outcome.FAIL}
    groups = [_Groups() for _ in policies]
    for index, entry in enumerate(ordered):
        source = entry.subject.source
        for policy in entry.judged.passed:
            groups[policy].passed.append(index)
            groups[policy].met.add(source)
        for policy, items in entry.judged.items:
            groups[policy].items += items
        for judgement in entry.judged.others:
            group = groups[judgement.policy]
            if judgement.outcome is not Outcome.NOT_APPLICABLE:
                group.met.add(source)
            match judgement.outcome:
                case Outcome.FAIL:
                    failed = (index, policies[judgement.policy].id) in open_
                    (group.failed if failed else group.waived).append(index)
                case Outcome.NOT_EVALUATED:
                    group.not_evaluated.append((index, judgement.reason))
                case Outcome.NOT_APPLICABLE:
                    group.not_applicable[judgement.reason] += 1
                case Outcome.PASS | Outcome.WAIVED:
                    raise AssertionError(f"{judgement.outcome} is not what an engine says here")
    return tuple(group.result(policy) for policy, group in zip(policies, groups, strict=True))


def finding_order(finding: Finding) -> tuple[int, str, tuple[str, int, int, str, str], str]:
    """Return the sort key of findings in an assessment: worst first, then policy and place."""
    place = finding.location
    where = (place.file, place.line or 0, place.column or 0, place.pointer, place.rendered_from)
    return (-finding.severity.rank, finding.policy_id, where, finding.item)


def worst(findings: Iterable[Finding]) -> Severity | None:
    """Return the highest severity among new failing findings, or `None`: known and waived ones do not count."""
    ranks = [finding.severity for finding in findings if finding.outcome is Outcome.FAIL and not finding.known]
    return max(ranks, key=lambda severity: severity.rank, default=None)


def counts(results_: Iterable[PolicyResult]) -> Mapping[Outcome, int]:
    """Return the number of verdicts (policy x subject) by outcome."""
    total: Counter[Outcome] = Counter(dict.fromkeys(Outcome, 0))
    for result in results_:
        total[Outcome.PASS] += len(result.passed)
        total[Outcome.FAIL] += len(result.failed)
        total[Outcome.WAIVED] += len(result.waived)
        total[Outcome.NOT_EVALUATED] += len(result.not_evaluated)
        total[Outcome.NOT_APPLICABLE] += sum(count for _, count in result.not_applicable)
    return total


@dataclass(slots=True)
class _Groups:
    passed: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    waived: list[int] = field(default_factory=list)
    not_evaluated: list[tuple[int, str]] = field(default_factory=list)
    not_applicable: Counter[str] = field(default_factory=Counter)
    items: int = 0
    met: set[str] = field(default_factory=set)
    """Sources of which a subject was judged."""

    def result(self, policy: PolicyTerms) -> PolicyResult:
        absent = [why for source, why in sorted(policy.absent.items()) if source not in self.met]
        whole = [(-1, why) for why in dict.fromkeys((*absent, *policy.unread))]
        return PolicyResult(
            policy_id=policy.id,
            passed=tuple(self.passed),
            failed=tuple(self.failed),
            waived=tuple(self.waived),
            not_evaluated=(*whole, *self.not_evaluated),
            not_applicable=tuple(sorted(self.not_applicable.items())),
            items=self.items,
            parameters=policy.parameters,
        )


def _order(subject: Subject) -> tuple[str, str, str, str, int, str]:
    location = subject.location
    return (subject.type, subject.namespace, subject.name, location.file, location.line or 0, location.pointer)
