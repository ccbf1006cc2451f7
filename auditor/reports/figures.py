"""The numbers that several reports show, and the one order in which they show things. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from auditor.model.assessment import Assessment, Subject, WaiverUse
from auditor.model.coverage import Coverage
from auditor.model.framework import Framework, Requirement, RequirementResult
from auditor.model.leaks import Leaks
from auditor.model.policy import PolicyInfo
from auditor.model.record import record
from auditor.model.resource import Location
from auditor.model.verdict import Finding, Outcome, Parameter, PolicyResult, Severity

WORST_FIRST: tuple[Severity, ...] = tuple(reversed(Severity))


@record
class SeverityRow:
    """Findings of one severity. Every finding counts in exactly one column."""

    severity: Severity
    new: int
    """Fail, and no baseline holds them."""
    known: int
    """Fail, and the baseline holds them."""
    waived: int


@record
class PolicyBlock:
    """A policy with all that was said about its population."""

    policy: PolicyInfo
    result: PolicyResult
    findings: tuple[Finding, ...]
    """New ones first, then known, then waived; by place within each."""

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that no waiver accepts."""
        return tuple(finding for finding in self.findings if finding.outcome is Outcome.FAIL)


@record
class RequirementRow:
    """One line of the requirement matrix."""

    framework: Framework
    requirement: Requirement
    result: RequirementResult


def canonical(assessment: Assessment) -> Assessment:
    """Return the same assessment with everything in its one order, whatever order it came in."""
    subjects, place = _ordered_subjects(assessment.subjects)
    results = [_ordered_result(result, place) for result in assessment.results]
    findings: Iterable[Finding] = assessment.findings
    if place is not None:
        findings = [replace(finding, subject=place[finding.subject]) for finding in findings]
    frameworks = tuple(sorted(assessment.frameworks, key=lambda framework: framework.id))
    return replace(
        assessment,
        coverage=tuple(sorted(map(_ordered_coverage, assessment.coverage), key=_coverage_key)),
        sources=tuple(sorted(assessment.sources, key=lambda source: source.name)),
        calls=tuple(sorted(assessment.calls, key=lambda call: (call.source, call.type, call.namespace, call.started))),
        subjects=subjects,
        policies=tuple(sorted(assessment.policies, key=lambda policy: policy.id)),
        results=tuple(sorted(results, key=lambda result: result.policy_id)),
        findings=tuple(sorted(findings, key=_finding_key)),
        frameworks=frameworks,
        requirements=_ordered_requirements(assessment.requirements, frameworks),
        waivers=tuple(sorted(assessment.waivers, key=_waiver_key)),
        leaks=_ordered_leaks(assessment.leaks),
    )


def verdicts(assessment: Assessment) -> Mapping[Outcome, int]:
    """Return the number of verdicts (policy x subject) by outcome, every outcome named.

    A policy that found nothing to judge although its answer is needed counts as one that was not evaluated.
    """
    total = dict.fromkeys(Outcome, 0)
    for result in assessment.results:
        total[Outcome.PASS] += len(result.passed)
        total[Outcome.FAIL] += len(result.failed)
        total[Outcome.WAIVED] += len(result.waived)
        total[Outcome.NOT_EVALUATED] += len(result.not_evaluated)
        total[Outcome.NOT_APPLICABLE] += not_applicable(result)
    return total


def not_applicable(result: PolicyResult) -> int:
    """Return how many subjects the policy does not apply to."""
    return sum(count for _, count in result.not_applicable)


def severity_table(findings: Iterable[Finding]) -> tuple[SeverityRow, ...]:
    """Return one row a severity, worst first, also for those without findings."""
    counted = Counter((finding.severity, finding.outcome, finding.known) for finding in findings)
    return tuple(
        SeverityRow(
            severity=severity,
            new=counted[severity, Outcome.FAIL, False],
            known=counted[severity, Outcome.FAIL, True],
            waived=counted[severity, Outcome.WAIVED, False] + counted[severity, Outcome.WAIVED, True],
        )
        for severity in WORST_FIRST
    )


def gaps(assessment: Assessment) -> int:
    """Return how many things in scope could not be read."""
    return sum(len(part.gaps) for part in assessment.coverage)


def blocks(assessment: Assessment) -> tuple[PolicyBlock, ...]:
    """Return each policy with its result and findings: worst severity first, then by id.

    A policy that a stored assessment names in a result or a finding but does not describe is left out: there is none.
    """
    results = {result.policy_id: result for result in assessment.results}
    found: dict[str, list[Finding]] = {}
    for finding in assessment.findings:
        found.setdefault(finding.policy_id, []).append(finding)
    return tuple(
        PolicyBlock(
            policy=policy,
            result=results.get(policy.id) or PolicyResult(policy_id=policy.id),
            findings=tuple(sorted(found.get(policy.id, ()), key=_state)),
        )
        for policy in sorted(assessment.policies, key=lambda policy: (-policy.severity.rank, policy.id))
    )


def requirement_matrix(assessment: Assessment) -> tuple[RequirementRow, ...]:
    """Return each requirement that has a result with its description, in the order of the catalogues."""
    known = {
        (framework.id, requirement.id): (framework, requirement)
        for framework in assessment.frameworks
        for requirement in framework.requirements
    }
    return tuple(
        RequirementRow(framework=pair[0], requirement=pair[1], result=result)
        for result in assessment.requirements
        if (pair := known.get((result.framework_id, result.requirement_id)))
    )


def open_reasons(result: PolicyResult) -> tuple[tuple[str, int], ...]:
    """Return why subjects could not be judged and how many for each reason, the most frequent first."""
    counted = Counter(reason for _, reason in result.not_evaluated)
    return tuple(sorted(counted.items(), key=lambda entry: (-entry[1], entry[0])))


def threshold(parameter: Parameter) -> str:
    """Return a threshold as it was used, with where it comes from: `max_days = 90 days (entity: our key policy)`."""
    unit = f" {parameter.unit}" if parameter.unit else ""
    reference = f": {parameter.reference}" if parameter.reference else ""
    return f"{parameter.name} = {parameter.value}{unit} ({parameter.origin}{reference})"


def place(location: Location) -> str:
    """Return `file:line:column` as far as it is known, the way editors and terminals link it."""
    text = location.file
    if location.line is not None:
        text += f":{location.line}"
        if location.column is not None:
            text += f":{location.column}"
    return text


def plural(count: int, noun: str, many: str = "") -> str:
    """Return `1 finding`, `15,000 findings`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def link(references: Iterable[str]) -> str:
    """Return the first web address among `references`, or an empty text."""
    return next((text for text in references if text.startswith("https://")), "")


def utf8(text: str) -> bytes:
    """Return `text` in UTF-8. Half characters (a file name that is no UTF-8) become the replacement character."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _state(finding: Finding) -> int:
    if finding.outcome is Outcome.WAIVED:
        return 2
    return 1 if finding.known else 0


def _ordered_subjects(subjects: Sequence[Subject]) -> tuple[tuple[Subject, ...], Mapping[int, int] | None]:
    """Return the subjects in order, and each one's new position unless all stand where they stood."""
    keys = [_subject_key(subject) for subject in subjects]
    order = sorted(range(len(subjects)), key=keys.__getitem__)
    if all(old == new for new, old in enumerate(order)):
        return tuple(subjects), None
    return tuple(subjects[old] for old in order), {old: new for new, old in enumerate(order)} | {-1: -1}


def _ordered_result(result: PolicyResult, place_of: Mapping[int, int] | None) -> PolicyResult:
    def moved(indexes: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(indexes if place_of is None else map(place_of.__getitem__, indexes)))

    return replace(
        result,
        passed=moved(result.passed),
        failed=moved(result.failed),
        waived=moved(result.waived),
        not_evaluated=tuple(
            sorted((index if place_of is None else place_of[index], why) for index, why in result.not_evaluated)
        ),
        not_applicable=tuple(sorted(result.not_applicable)),
        parameters=tuple(sorted(result.parameters, key=lambda parameter: parameter.name)),
    )


def _ordered_leaks(found: Leaks | None) -> Leaks | None:
    if found is None:
        return None
    return replace(
        found,
        searched=tuple(sorted(found.searched, key=lambda part: (part.where, part.name))),
        rules=tuple(sorted(found.rules, key=lambda entry: (-entry.credentials, -entry.places, entry.rule))),
    )


def _ordered_coverage(part: Coverage) -> Coverage:
    ordered = sorted(part.gaps, key=lambda gap: (gap.file, gap.line or 0, gap.reason, gap.detail))
    return replace(part, by_type=tuple(sorted(part.by_type)), skipped=tuple(sorted(part.skipped)), gaps=tuple(ordered))


def _ordered_requirements(
    results: Sequence[RequirementResult], frameworks: Sequence[Framework]
) -> tuple[RequirementResult, ...]:
    rank = {
        (framework.id, requirement.id): number
        for framework in frameworks
        for number, requirement in enumerate(framework.requirements)
    }

    def key(result: RequirementResult) -> tuple[str, int, str]:
        return (
            result.framework_id,
            rank.get((result.framework_id, result.requirement_id), len(rank)),
            result.requirement_id,
        )

    return tuple(sorted(results, key=key))


def _subject_key(subject: Subject) -> tuple[object, ...]:
    return (subject.type, subject.namespace, subject.name, subject.id, *_location_key(subject.location))


def _location_key(location: Location) -> tuple[object, ...]:
    # Unknown lines sort first; `None` does not compare with numbers.
    return (location.file, location.line or 0, location.column or 0, location.pointer, location.rendered_from)


def _finding_key(finding: Finding) -> tuple[object, ...]:
    return (
        -finding.severity.rank,
        finding.policy_id,
        *_location_key(finding.location),
        finding.item,
        finding.subject,
        finding.fingerprint,
        finding.message,
    )


def _coverage_key(part: Coverage) -> tuple[object, ...]:
    return (part.source, part.files_found, part.files_read, part.documents, part.resources)


def _waiver_key(use: WaiverUse) -> tuple[object, ...]:
    return (use.waiver.id, *_location_key(use.waiver.location))
