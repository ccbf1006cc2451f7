"""From verdicts to requirements: what the technical tests of a run say about each id, and what they leave open.

The outcome of a requirement is the worst of what its policies contribute, in the order fail, not evaluated, waived,
pass, not applicable. It never defaults to pass:

- A **direct** policy contributes its verdicts as they are: a failure means that a technical element is not met.
- A **supporting** policy is shown with its verdicts, but a requirement is not decided by it, in neither direction. Its
  failure makes the requirement not evaluated (a person has to weigh it), never failed and never passed; where no direct
  policy has a verdict, the requirement is not evaluated, since nothing tested the element itself.
- Pass needs at least one direct pass, and nothing open: one verdict that is not evaluated, or one thing in scope that
  could not be read, is enough to withhold it.
- A requirement that no policy of the run touches is untested, and says what it takes instead.

Conditions of a link and of the requirement add up. Declared false: the link does not apply. Not declared: its verdicts
count, and the condition is listed, so that a reader can say that it does not hold here. Whether a verdict is about a
person's account (PCI DSS 7.2.2) or a workload's (7.2.5) nobody declares: the subject decides. A failure carries its
kind; a pass does not, so passes of a policy that tests accounts of both kinds count only for subjects whose kind the
caller knows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from auditor.model.framework import Framework, Requirement, RequirementResult
from auditor.model.policy import Condition, Link, PolicyInfo, Strength
from auditor.model.verdict import Finding, Outcome, PolicyResult, SubjectKind

ORDER = (Outcome.FAIL, Outcome.NOT_EVALUATED, Outcome.WAIVED, Outcome.PASS, Outcome.NOT_APPLICABLE)
"""From worst to least: what outweighs what."""

_KINDS = {SubjectKind.USER: Condition.USER_ACCOUNT, SubjectKind.WORKLOAD: Condition.WORKLOAD_ACCOUNT}
_DECIDED_BY_SUBJECT = frozenset(_KINDS.values())


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome that outweighs the others; not applicable where there is none."""
    return min(outcomes, key=ORDER.index, default=Outcome.NOT_APPLICABLE)


def roll_up(
    frameworks: Sequence[Framework],
    policies: Sequence[PolicyInfo],
    results: Sequence[PolicyResult],
    findings: Sequence[Finding],
    *,
    conditions: Mapping[Condition, bool],
    kinds: Mapping[int, SubjectKind] | None = None,
    gaps: int = 0,
) -> tuple[RequirementResult, ...]:
    """Return the result of every requirement of `frameworks`, in their order.

    `conditions` holds what the user declared. `kinds` says whose account a subject (by index) is, where that is known.
    `gaps` counts what was in scope and could not be read.
    """
    run = _Run(frameworks, policies, results, findings, conditions=conditions, kinds=kinds or {})
    return tuple(
        _result(framework, requirement, run, gaps=gaps)
        for framework in frameworks
        for requirement in framework.requirements
    )


@dataclass(slots=True)
class _Tally:
    """What one policy says to one requirement through one link."""

    policy_id: str
    strength: Strength
    passed: int = 0
    failed: int = 0
    waived: int = 0
    open: list[str] = field(default_factory=list)
    """Reasons of the verdicts that are not evaluated, one for each."""
    undeclared: frozenset[Condition] = frozenset()
    excluded_by: tuple[Condition, ...] = ()
    """Conditions declared false: the link does not apply."""

    @property
    def outcome(self) -> Outcome:
        """The policy's own outcome here, whatever its strength."""
        said = {
            Outcome.FAIL: self.failed,
            Outcome.NOT_EVALUATED: len(self.open),
            Outcome.WAIVED: self.waived,
            Outcome.PASS: self.passed,
        }
        return worst(outcome for outcome, count in said.items() if count)

    @property
    def met(self) -> bool:
        """Whether the policy says anything here."""
        return self.outcome is not Outcome.NOT_APPLICABLE


class _Run:
    """The verdicts of a run, arranged to be asked for by requirement."""

    def __init__(
        self,
        frameworks: Sequence[Framework],
        policies: Sequence[PolicyInfo],
        results: Sequence[PolicyResult],
        findings: Sequence[Finding],
        *,
        conditions: Mapping[Condition, bool],
        kinds: Mapping[int, SubjectKind],
    ) -> None:
        self._results = {result.policy_id: result for result in results}
        self._conditions = conditions
        self._kinds = kinds
        self._links: dict[str, list[tuple[str, Link]]] = {}
        self._one_kind: dict[str, bool] = {}
        of_requirement = {
            f"{framework.id}/{requirement.id}": requirement.conditions
            for framework in frameworks
            for requirement in framework.requirements
        }
        for policy in sorted(policies, key=lambda policy: policy.id):
            asked = {
                name for link in policy.links for name in (*link.conditions, *of_requirement.get(link.requirement, ()))
            }
            self._one_kind[policy.id] = len(asked & _DECIDED_BY_SUBJECT) == 1
            for link in sorted(policy.links):
                self._links.setdefault(link.requirement, []).append((policy.id, link))
        self._findings: dict[tuple[str, int], list[Finding]] = {}
        for finding in findings:
            self._findings.setdefault((finding.policy_id, finding.subject), []).append(finding)

    def tallies(self, framework_id: str, requirement: Requirement) -> list[_Tally]:
        links = self._links.get(f"{framework_id}/{requirement.id}", ())
        return [self._tally(policy_id, link, requirement) for policy_id, link in links]

    def _tally(self, policy_id: str, link: Link, requirement: Requirement) -> _Tally:
        asked = frozenset((*link.conditions, *requirement.conditions))
        declared = asked - _DECIDED_BY_SUBJECT
        excluded = tuple(sorted(name for name in declared if self._conditions.get(name) is False))
        if excluded:
            return _Tally(policy_id, link.strength, excluded_by=excluded)
        tally = _Tally(policy_id, link.strength, undeclared=declared - self._conditions.keys())
        result = self._results.get(policy_id)
        if result is None:
            tally.open.append("the policy has no result")
            return tally
        self._count(result, asked & _DECIDED_BY_SUBJECT, tally)
        return tally

    def _count(self, result: PolicyResult, kinds: AbstractSet[Condition], tally: _Tally) -> None:
        if not kinds or kinds == _DECIDED_BY_SUBJECT:
            tally.passed, tally.failed, tally.waived = len(result.passed), len(result.failed), len(result.waived)
            tally.open.extend(reason for _, reason in result.not_evaluated)
            return
        for index in result.passed:
            fits = self._fits(result.policy_id, index, kinds)
            tally.passed += fits is True
            if fits is None:
                tally.open.append("whether a subject that passes is a person's account or a workload's is not known")
        tally.open.extend(
            reason for index, reason in result.not_evaluated if self._fits(result.policy_id, index, kinds) is not False
        )
        for group, indexes in ((Outcome.FAIL, result.failed), (Outcome.WAIVED, result.waived)):
            for index in indexes:
                outcome = self._failing(result.policy_id, index, kinds, group)
                tally.failed += outcome is Outcome.FAIL
                tally.waived += outcome is Outcome.WAIVED

    def _fits(self, policy_id: str, index: int, kinds: AbstractSet[Condition]) -> bool | None:
        """Return whether a link for accounts of `kinds` is about the subject; `None` when nobody can tell."""
        kind = self._kinds.get(index)
        if kind is None:
            return True if self._one_kind[policy_id] else None
        return kind is SubjectKind.ANY or _KINDS[kind] in kinds

    def _failing(self, policy_id: str, index: int, kinds: AbstractSet[Condition], group: Outcome) -> Outcome:
        """Return how a subject that failed or is waived counts; not applicable: it fails for other accounts only."""
        known = self._findings.get((policy_id, index), ())
        if not known:
            return group
        return worst(
            finding.outcome for finding in known if finding.about is SubjectKind.ANY or _KINDS[finding.about] in kinds
        )


def _result(framework: Framework, requirement: Requirement, run: _Run, *, gaps: int) -> RequirementResult:
    tallies = run.tallies(framework.id, requirement)
    if not tallies:
        return RequirementResult(
            framework_id=framework.id,
            requirement_id=requirement.id,
            outcome=Outcome.NOT_EVALUATED,
            untested=True,
            reason=f"No policy of this run touches it. {requirement.needs_people}".strip(),
        )
    outcome = _outcome(tallies, gaps=gaps)
    return RequirementResult(
        framework_id=framework.id,
        requirement_id=requirement.id,
        outcome=outcome,
        conditional=tuple(sorted({name for tally in tallies if tally.met for name in tally.undeclared})),
        reason=" ".join(_reasons(outcome, tallies, gaps=gaps)),
        policies=tuple((tally.policy_id, tally.strength, tally.outcome) for tally in tallies),
        passed=sum(tally.passed for tally in tallies),
        failed=sum(tally.failed for tally in tallies),
        waived=sum(tally.waived for tally in tallies),
        not_evaluated=sum(len(tally.open) for tally in tallies),
    )


def _outcome(tallies: Sequence[_Tally], *, gaps: int) -> Outcome:
    direct = worst(tally.outcome for tally in tallies if tally.strength is Strength.DIRECT)
    related = worst(tally.outcome for tally in tallies if tally.strength is Strength.SUPPORTING)
    undecided = direct is Outcome.NOT_APPLICABLE and related is not Outcome.NOT_APPLICABLE
    if undecided or (related is Outcome.FAIL and direct is not Outcome.FAIL):
        return Outcome.NOT_EVALUATED
    outcome = worst((direct, related))
    read_all = not gaps or all(tally.excluded_by for tally in tallies)
    return outcome if read_all or outcome in {Outcome.FAIL, Outcome.WAIVED} else Outcome.NOT_EVALUATED


def _reasons(outcome: Outcome, tallies: Sequence[_Tally], *, gaps: int) -> Iterator[str]:
    """Yield sentences that say why the outcome is neither pass nor fail."""
    match outcome:
        case Outcome.NOT_EVALUATED:
            yield from _why_open(tallies, gaps=gaps)
        case Outcome.WAIVED:
            count = sum(tally.waived for tally in tallies)
            names = _ids(tally for tally in tallies if tally.waived)
            yield f"{_verdicts(count)} of {names} waived, and nothing else fails."
        case Outcome.NOT_APPLICABLE:
            excluded = sorted({name for tally in tallies for name in tally.excluded_by})
            if all(tally.excluded_by for tally in tallies):
                yield f"Declared not to hold here: {', '.join(excluded)}."
            else:
                yield f"The input holds nothing that {_ids(tallies)} would judge for it."
        case Outcome.PASS | Outcome.FAIL:
            return


def _why_open(tallies: Sequence[_Tally], *, gaps: int) -> Iterator[str]:
    open_ = [tally for tally in tallies if tally.open]
    if open_:
        count = sum(len(tally.open) for tally in open_)
        yield f"{_verdicts(count)} of {_ids(open_)} could not be reached, for example: {open_[0].open[0].rstrip('.')}."
    failing = [tally for tally in tallies if tally.failed]
    if failing:
        yield f"Related tests fail ({_ids(failing)}); they do not decide it, so a person has to weigh that."
    met = [tally for tally in tallies if tally.met]
    if met and not open_ and not failing and all(tally.strength is Strength.SUPPORTING for tally in met):
        yield f"Only related tests have verdicts ({_ids(met)}); they do not decide it."
    if gaps:
        yield f"{gaps} thing{'' if gaps == 1 else 's'} in scope could not be read."


def _verdicts(count: int) -> str:
    return f"{count} verdict{'' if count == 1 else 's'}"


def _ids(tallies: Iterable[_Tally]) -> str:
    names = sorted({tally.policy_id for tally in tallies})
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
