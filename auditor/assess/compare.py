"""What changed between two assessments: findings, coverage, populations, requirements, policies.

- Findings are matched as in a baseline: by policy, subject and item, counted, and by the value where both assessments
  used the same fingerprint key. Values of different keys are not compared: such findings count as unchanged, and the
  number of those that nobody could compare is told.
- A finding is called fixed only where the new assessment looked: its policy ran, and gave an answer for the subject.
  Where the subject is no longer in the input it is gone; where nothing looked, it is unseen. Neither is proof of a fix.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from auditor.model.assessment import Assessment, Run
from auditor.model.coverage import Gap
from auditor.model.record import record
from auditor.model.verdict import Finding, Outcome, Parameter, PolicyResult


@record
class Listed:
    """A finding with the name of its subject, since indexes of two assessments do not agree."""

    finding: Finding
    subject_id: str


@record
class Turned:
    """A finding of both assessments that is waived in one of them only."""

    before: Listed
    after: Listed


@record(order=True)
class Change:
    """Something that has another value than before, as a person reads it; empty where there was or is none."""

    name: str
    before: str
    after: str


@record
class Comparison:
    """Everything that differs, and how much does not."""

    old: Run
    new: Run
    appeared: tuple[Listed, ...]
    """New findings, in the order of the new assessment."""
    fixed: tuple[Listed, ...]
    """Findings of the old assessment whose subject the new one judged and found in order."""
    gone: tuple[Listed, ...]
    """... whose subject is no longer in the input."""
    unseen: tuple[Listed, ...]
    """... for which nothing looked: the policy did not run or could not be evaluated on the subject."""
    turned: tuple[Turned, ...]
    unchanged: int
    incomparable: int
    """Of the unchanged: about values under different fingerprint keys."""
    coverage: tuple[Change, ...]
    """Sources, and what was read of them."""
    gaps_opened: tuple[Gap, ...]
    gaps_closed: tuple[Gap, ...]
    populations: tuple[Change, ...]
    """Subjects judged by each policy that ran both times."""
    requirements: tuple[Change, ...]
    """Outcomes of requirements (`soc2/CC6.1`)."""
    policies: tuple[Change, ...]
    """Policies that came or went, and changes of rule, severity and parameters."""
    inputs: tuple[Change, ...]
    """Tool, digests, key and scope tags of the runs."""


def compare(old: Assessment, new: Assessment) -> Comparison:
    """Return what changed from `old` to `new`. Lists are sorted: the same assessments give the same comparison."""
    matched = _match(old, new)
    looked = _Looked(new)
    lost: dict[str, list[Listed]] = {"fixed": [], "gone": [], "unseen": []}
    for listed in matched.lost:
        lost[looked.what_became_of(listed)].append(listed)
    shared = {policy.id for policy in old.policies} & {policy.id for policy in new.policies}
    old_gaps, new_gaps = (Counter(gap for part in side.coverage for gap in part.gaps) for side in (old, new))
    return Comparison(
        old=old.run,
        new=new.run,
        appeared=tuple(matched.appeared),
        fixed=tuple(lost["fixed"]),
        gone=tuple(lost["gone"]),
        unseen=tuple(lost["unseen"]),
        turned=tuple(matched.turned),
        unchanged=matched.unchanged,
        incomparable=matched.incomparable,
        coverage=_changes(_coverage(old), _coverage(new)),
        gaps_opened=_sorted_gaps(new_gaps - old_gaps),
        gaps_closed=_sorted_gaps(old_gaps - new_gaps),
        populations=_changes(_populations(old, shared), _populations(new, shared)),
        requirements=_changes(_requirements(old), _requirements(new)),
        policies=_changes(_policies(old, shared), _policies(new, shared)),
        inputs=_changes(_inputs(old.run), _inputs(new.run)),
    )


@dataclass(slots=True)
class _Matched:
    appeared: list[Listed]
    lost: list[Listed]
    turned: list[Turned]
    unchanged: int = 0
    incomparable: int = 0


def _match(old: Assessment, new: Assessment) -> _Matched:
    same_key = bool(new.run.fingerprint_key_id) and new.run.fingerprint_key_id == old.run.fingerprint_key_id

    def key(finding: Finding) -> tuple[str, str]:
        if same_key:
            return (finding.fingerprint, finding.value_fingerprint)
        return (finding.fingerprint, "value" if finding.value_fingerprint else "")

    waiting: defaultdict[tuple[str, str], deque[Listed]] = defaultdict(deque)
    before_all = _listed(old)
    for listed in before_all:
        waiting[key(listed.finding)].append(listed)
    matched = _Matched([], [], [])
    for listed in _listed(new):
        candidates = waiting.get(key(listed.finding))
        if not candidates:
            matched.appeared.append(listed)
            continue
        before = _take(candidates, listed.finding.outcome)
        matched.unchanged += 1
        matched.incomparable += bool(listed.finding.value_fingerprint) and not same_key
        if before.finding.outcome is not listed.finding.outcome:
            matched.turned.append(Turned(before=before, after=listed))
    left = {id(listed) for candidates in waiting.values() for listed in candidates}
    matched.lost.extend(listed for listed in before_all if id(listed) in left)
    return matched


def _listed(assessment: Assessment) -> list[Listed]:
    return [
        Listed(finding=finding, subject_id=assessment.subjects[finding.subject].id) for finding in assessment.findings
    ]


def _take(candidates: deque[Listed], outcome: Outcome) -> Listed:
    """Remove and return one of the equal findings, if possible one with the same outcome."""
    for position, candidate in enumerate(candidates):
        if candidate.finding.outcome is outcome:
            del candidates[position]
            return candidate
    return candidates.popleft()


class _Looked:
    """What the new assessment looked at."""

    def __init__(self, assessment: Assessment) -> None:
        self._ids = [subject.id for subject in assessment.subjects]
        self._present = frozenset(self._ids)
        self._complete = assessment.complete
        self._results = {result.policy_id: result for result in assessment.results}
        self._open: dict[str, frozenset[str]] = {}

    def what_became_of(self, listed: Listed) -> str:
        result = self._results.get(listed.finding.policy_id)
        if result is None:
            return "unseen"
        if listed.subject_id not in self._present:
            # What could not be read may still hold it.
            return "gone" if self._complete else "unseen"
        return "unseen" if listed.subject_id in self._not_evaluated(result) else "fixed"

    def _not_evaluated(self, result: PolicyResult) -> frozenset[str]:
        known = self._open.get(result.policy_id)
        if known is None:
            known = frozenset(self._ids[index] for index, _ in result.not_evaluated if index >= 0)
            self._open[result.policy_id] = known
        return known


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    return tuple(
        Change(name=name, before=old.get(name, ""), after=new.get(name, ""))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _coverage(assessment: Assessment) -> Mapping[str, str]:
    return {
        part.source: (
            f"{part.files_read} of {part.files_found} files read, {part.documents} documents, "
            f"{part.resources} resources"
        )
        for part in assessment.coverage
    }


def _sorted_gaps(gaps: Counter[Gap]) -> tuple[Gap, ...]:
    return tuple(sorted(gaps.elements(), key=lambda gap: (gap.file, gap.line or 0, gap.reason, gap.detail)))


def _populations(assessment: Assessment, shared: AbstractSet[str]) -> Mapping[str, str]:
    return {result.policy_id: str(result.population) for result in assessment.results if result.policy_id in shared}


def _requirements(assessment: Assessment) -> Mapping[str, str]:
    return {
        f"{result.framework_id}/{result.requirement_id}": "untested" if result.untested else _words(result.outcome)
        for result in assessment.requirements
    }


def _policies(assessment: Assessment, shared: AbstractSet[str]) -> Mapping[str, str]:
    """Return each policy that ran, and for those that ran both times what they were run with."""
    said = {policy.id: "run" for policy in assessment.policies}
    for policy in assessment.policies:
        if policy.id in shared:
            said[f"{policy.id}: severity"] = policy.severity.value
            said[f"{policy.id}: rule"] = policy.digest[:12]
    for result in assessment.results:
        if result.policy_id in shared:
            said.update({f"{result.policy_id}: {entry.name}": _parameter(entry) for entry in result.parameters})
    return said


def _parameter(entry: Parameter) -> str:
    value = f"{entry.value} {entry.unit}".rstrip()
    return f"{value} ({entry.origin}{': ' + entry.reference if entry.reference else ''})"


def _inputs(run: Run) -> Mapping[str, str]:
    return {
        "tool version": run.tool_version,
        "arguments": " ".join(run.arguments),
        "policy pack": run.policy_pack_digest[:12],
        "input": run.input_digest[:12],
        "configuration": run.configuration_digest[:12],
        "fingerprint key": run.fingerprint_key_id,
        "scope tags": ", ".join(run.tags),
    }


def _words(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")
