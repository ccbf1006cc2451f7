"""A requirement says what its tests say, never more: no pass without proof, and no failure made to look better."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.frameworks.rollup import ORDER, roll_up, worst
from auditor.model.framework import Automation, Framework, Requirement, RequirementResult
from auditor.model.policy import Condition, Link, PolicyInfo, Strength
from auditor.model.resource import Location
from auditor.model.verdict import Finding, Outcome, PolicyResult, Severity, SubjectKind

DIRECT, SUPPORTING = Strength.DIRECT, Strength.SUPPORTING
USER, WORKLOAD = Condition.USER_ACCOUNT, Condition.WORKLOAD_ACCOUNT
KEYS, LOGIN = Condition.PROTECTS_ACCOUNT_DATA, Condition.INTERACTIVE_LOGIN


@dataclass(frozen=True, kw_only=True)
class Case:
    """One policy with its links and what it said."""

    policy: PolicyInfo
    result: PolicyResult
    findings: tuple[Finding, ...] = ()


def case(
    id_: str,
    *links: Link,
    passed: Sequence[int] = (),
    failed: Sequence[int] = (),
    waived: Sequence[int] = (),
    open_: Sequence[int] = (),
    about: Mapping[int, SubjectKind] = {},
) -> Case:
    def finding(index: int, outcome: Outcome) -> Finding:
        return Finding(
            policy_id=id_,
            subject=index,
            fingerprint=f"{index:032x}",
            message="wrong",
            location=Location(file="a.yaml"),
            severity=Severity.HIGH,
            about=about.get(index, SubjectKind.ANY),
            outcome=outcome,
            waiver_id="W-1" if outcome is Outcome.WAIVED else "",
        )

    return Case(
        policy=PolicyInfo(
            id=id_,
            name="fault",
            title="Fault",
            severity=Severity.HIGH,
            rationale="why",
            remediation="how",
            links=links or (link(),),
        ),
        result=PolicyResult(
            policy_id=id_,
            passed=tuple(passed),
            failed=tuple(failed),
            waived=tuple(waived),
            not_evaluated=tuple((index, "the ServiceAccount is not in the input") for index in open_),
        ),
        findings=(
            *(finding(index, Outcome.FAIL) for index in failed),
            *(finding(index, Outcome.WAIVED) for index in waived),
        ),
    )


def link(requirement: str = "1.1", strength: Strength = DIRECT, *conditions: Condition) -> Link:
    return Link(requirement=f"f/{requirement}", strength=strength, conditions=conditions)


def framework(*requirements: Requirement) -> Framework:
    return Framework(id="f", title="F", version="1", notice="Not theirs.", requirements=requirements)


def requirement(id_: str = "1.1", *conditions: Condition) -> Requirement:
    return Requirement(
        id=id_, paraphrase="Do it.", automation=Automation.PARTIAL, needs_people="Ask them.", conditions=conditions
    )


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was declared and known beside the verdicts."""

    conditions: Mapping[Condition, bool] = field(default_factory=dict)
    kinds: Mapping[int, SubjectKind] | None = None
    gaps: int = 0


def rolled(*cases: Case, of: Requirement | None = None, told: Told = Told()) -> RequirementResult:
    (result,) = roll_up(
        [framework(of or requirement())],
        [entry.policy for entry in cases],
        [entry.result for entry in cases],
        [finding for entry in cases for finding in entry.findings],
        conditions=told.conditions,
        kinds=told.kinds,
        gaps=told.gaps,
    )
    return result


def test_a_requirement_that_no_policy_touches_is_untested_and_says_what_it_takes() -> None:
    result = rolled(case("A", link("9.9"), passed=[0]))
    assert (result.outcome, result.untested, result.policies) == (Outcome.NOT_EVALUATED, True, ())
    assert result.reason == "No policy of this run touches it. Ask them."


def test_everything_passed_is_a_pass_with_its_counts() -> None:
    result = rolled(case("A", passed=[0, 1]), case("B", passed=[2]))
    assert (result.outcome, result.passed, result.reason) == (Outcome.PASS, 3, "")
    assert result.policies == (("A", DIRECT, Outcome.PASS), ("B", DIRECT, Outcome.PASS))


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"passed": [0], "failed": [1], "open_": [2], "waived": [3]}, Outcome.FAIL),
        ({"passed": [0], "open_": [2], "waived": [3]}, Outcome.NOT_EVALUATED),
        ({"passed": [0], "waived": [3]}, Outcome.WAIVED),
        ({"passed": [0]}, Outcome.PASS),
        ({}, Outcome.NOT_APPLICABLE),
    ],
)
def test_the_worst_decides(said: dict[str, list[int]], outcome: Outcome) -> None:
    result = rolled(case("A", **said))  # type: ignore[arg-type]
    assert result.outcome is outcome
    assert bool(result.reason) is (outcome not in {Outcome.PASS, Outcome.FAIL})


def test_a_policy_that_found_nothing_although_its_answer_is_needed_is_open() -> None:
    """Index -1: the input holds no EncryptionConfiguration, so nobody knows."""
    result = rolled(case("A", open_=[-1]), case("B", passed=[0]))
    assert (result.outcome, result.not_evaluated) == (Outcome.NOT_EVALUATED, 1)
    assert "for example: the ServiceAccount is not in the input." in result.reason


def test_a_policy_without_a_result_is_open() -> None:
    (result,) = roll_up([framework(requirement())], [case("A").policy], [], [], conditions={})
    assert result.outcome is Outcome.NOT_EVALUATED


def test_a_supporting_failure_neither_fails_nor_passes_a_requirement() -> None:
    """It is related, but the requirement is not decided by it: a person has to weigh it."""
    result = rolled(case("A", passed=[0]), case("B", link("1.1", SUPPORTING), failed=[1]))
    assert (result.outcome, result.failed, result.passed) == (Outcome.NOT_EVALUATED, 1, 1)
    assert result.policies == (("A", DIRECT, Outcome.PASS), ("B", SUPPORTING, Outcome.FAIL))
    assert result.reason == "Related tests fail (B); they do not decide it, so a person has to weigh that."


def test_a_supporting_failure_does_not_hide_a_direct_one() -> None:
    result = rolled(case("A", failed=[0]), case("B", link("1.1", SUPPORTING), failed=[1]))
    assert result.outcome is Outcome.FAIL


@pytest.mark.parametrize("group", ["passed", "waived"])
def test_supporting_verdicts_alone_decide_nothing(group: str) -> None:
    result = rolled(case("B", link("1.1", SUPPORTING), **{group: [0]}), case("A"))  # type: ignore[arg-type]
    assert result.outcome is Outcome.NOT_EVALUATED
    assert result.reason == "Only related tests have verdicts (B); they do not decide it."


def test_what_could_not_be_read_withholds_a_pass() -> None:
    """A file that is broken may hold the one object that fails."""
    result = rolled(case("A", passed=[0]), told=Told(gaps=2))
    assert (result.outcome, result.reason) == (Outcome.NOT_EVALUATED, "2 things in scope could not be read.")
    assert rolled(case("A"), told=Told(gaps=1)).outcome is Outcome.NOT_EVALUATED
    assert rolled(case("A", failed=[0]), told=Told(gaps=1)).outcome is Outcome.FAIL


def test_a_condition_declared_false_takes_the_link_out() -> None:
    conditional = case("A", link("1.1", DIRECT, LOGIN), failed=[0])
    result = rolled(conditional, told=Told(conditions={LOGIN: False}))
    assert (result.outcome, result.failed, result.conditional) == (Outcome.NOT_APPLICABLE, 0, ())
    assert result.reason == "Declared not to hold here: interactive-login."
    assert rolled(conditional, told=Told(conditions={LOGIN: False}, gaps=1)).outcome is Outcome.NOT_APPLICABLE


def test_a_condition_declared_true_counts_without_remark() -> None:
    result = rolled(case("A", link("1.1", DIRECT, LOGIN), failed=[0]), told=Told(conditions={LOGIN: True}))
    assert (result.outcome, result.conditional) == (Outcome.FAIL, ())


def test_a_condition_not_declared_counts_and_is_listed() -> None:
    result = rolled(case("A", link("1.1", DIRECT, LOGIN), failed=[0]), case("B", link("1.1", DIRECT, KEYS)))
    assert (result.outcome, result.conditional) == (Outcome.FAIL, (LOGIN,)), (
        "B contributes nothing, so KEYS is not listed"
    )


def test_a_condition_of_the_requirement_holds_for_every_link() -> None:
    """PCI DSS 3.7.4 is about keys that protect account data, also where a policy forgets to say so."""
    of = requirement("1.1", KEYS)
    assert rolled(case("A", failed=[0]), of=of).conditional == (KEYS,)
    assert rolled(case("A", failed=[0]), of=of, told=Told(conditions={KEYS: False})).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("about", "of", "outcome"),
    [
        (SubjectKind.WORKLOAD, USER, Outcome.NOT_APPLICABLE),
        (SubjectKind.USER, USER, Outcome.FAIL),
        (SubjectKind.ANY, USER, Outcome.FAIL),
        (SubjectKind.USER, WORKLOAD, Outcome.NOT_APPLICABLE),
        (SubjectKind.WORKLOAD, WORKLOAD, Outcome.FAIL),
    ],
)
def test_a_finding_counts_where_its_kind_of_account_is_meant(
    about: SubjectKind, of: Condition, outcome: Outcome
) -> None:
    """PCI DSS 7.2.2 is about people, 7.2.5 about applications and systems."""
    entry = case("A", link("1.1", DIRECT, of), failed=[0], about={0: about})
    assert rolled(entry).outcome is outcome
    assert rolled(case("A", failed=[0], about={0: about}), of=requirement("1.1", of)).outcome is outcome


def test_a_subject_whose_open_finding_is_about_others_counts_as_waived_here() -> None:
    entry = case("A", link("1.1", DIRECT, USER), failed=[0], about={0: SubjectKind.WORKLOAD})
    waived = replace(entry.findings[0], about=SubjectKind.USER, outcome=Outcome.WAIVED, waiver_id="W-1")
    result = rolled(replace(entry, findings=(*entry.findings, waived)))
    assert (result.outcome, result.waived, result.failed) == (Outcome.WAIVED, 1, 0)


def both(**said: Sequence[int]) -> Case:
    return case("A", link("1.1", DIRECT, USER), link("2.2", DIRECT, WORKLOAD), **said)  # type: ignore[arg-type]


def test_a_pass_of_unknown_kind_proves_nothing_about_people() -> None:
    """All that passed may be workloads."""
    result = rolled(both(passed=[0, 1]))
    assert (result.outcome, result.passed, result.not_evaluated) == (Outcome.NOT_EVALUATED, 0, 2)


def test_passes_of_known_kind_count_where_they_belong() -> None:
    told = Told(kinds={0: SubjectKind.USER, 1: SubjectKind.WORKLOAD, 2: SubjectKind.ANY})
    result = rolled(both(passed=[0, 1, 2]), told=told)
    assert (result.outcome, result.passed) == (Outcome.PASS, 2)
    assert rolled(both(passed=[1]), told=told).outcome is Outcome.NOT_APPLICABLE
    assert rolled(both(passed=[0], open_=[1]), told=told).outcome is Outcome.PASS
    assert rolled(both(passed=[0], open_=[2]), told=told).outcome is Outcome.NOT_EVALUATED


def test_a_policy_about_one_kind_of_account_alone_passes_for_it() -> None:
    """K-TOK-01 judges pods: what passes is a workload, and nobody has to say so."""
    assert rolled(case("A", link("1.1", DIRECT, WORKLOAD), passed=[0])).outcome is Outcome.PASS


def test_results_stand_in_the_order_of_the_catalogues() -> None:
    frameworks = [framework(requirement("2.2"), requirement("1.1")), replace(framework(requirement("1.1")), id="g")]
    results = roll_up(frameworks, [], [], [], conditions={})
    assert [(result.framework_id, result.requirement_id) for result in results] == [
        ("f", "2.2"),
        ("f", "1.1"),
        ("g", "1.1"),
    ]


LINKS = st.builds(
    lambda requirement, strength, conditions: link(requirement, strength, *sorted(conditions)),
    st.sampled_from(["1.1", "2.2"]),
    st.sampled_from(Strength),
    st.sets(st.sampled_from(Condition), max_size=2),
)
GROUPS = st.sampled_from(["passed", "failed", "waived", "open_"])
KINDS = st.dictionaries(st.integers(0, 7), st.sampled_from(SubjectKind))


@st.composite
def cases(draw: st.DrawFn) -> list[Case]:
    made = []
    for number in range(draw(st.integers(0, 4))):
        groups: dict[str, list[int]] = {"passed": [], "failed": [], "waived": [], "open_": []}
        for index in range(draw(st.integers(0, 5))):
            groups[draw(GROUPS)].append(index)
        links = draw(st.lists(LINKS, min_size=1, max_size=3))
        made.append(case(f"P-{number}", *links, about=draw(KINDS), **groups))
    return made


TOLD = st.builds(
    Told,
    conditions=st.dictionaries(st.sampled_from([KEYS, LOGIN, Condition.SERVICE_PROVIDER]), st.booleans()),
    kinds=st.none() | KINDS,
    gaps=st.integers(0, 1),
)
CATALOGUE = [framework(requirement("1.1"), requirement("2.2", KEYS), requirement("3.3"))]


def all_rolled(entries: Sequence[Case], told: Told) -> tuple[RequirementResult, ...]:
    return roll_up(
        CATALOGUE,
        [entry.policy for entry in entries],
        [entry.result for entry in entries],
        [finding for entry in entries for finding in entry.findings],
        conditions=told.conditions,
        kinds=told.kinds,
        gaps=told.gaps,
    )


@given(cases(), TOLD, st.integers())
def test_order_means_nothing(entries: list[Case], told: Told, seed: int) -> None:
    source = random.Random(seed)  # noqa: S311 - an order, not a secret
    mixed = [
        replace(entry, findings=tuple(source.sample(entry.findings, len(entry.findings))))
        for entry in source.sample(entries, len(entries))
    ]
    assert all_rolled(mixed, told) == all_rolled(entries, told)


@given(cases(), TOLD)
def test_no_pass_holds_anything_open_and_each_has_a_direct_proof(entries: list[Case], told: Told) -> None:
    for result in all_rolled(entries, told):
        if result.outcome is Outcome.PASS:
            assert result.not_evaluated == result.failed == result.waived == 0
            assert not told.gaps
            assert (DIRECT, Outcome.PASS) in {(strength, outcome) for _, strength, outcome in result.policies}


@given(cases(), TOLD)
def test_whatever_is_neither_passed_nor_failed_says_why(entries: list[Case], told: Told) -> None:
    for result in all_rolled(entries, told):
        assert result.reason or result.outcome in {Outcome.PASS, Outcome.FAIL}
        assert result.untested is (not result.policies)


@given(cases().filter(bool), TOLD, st.data())
def test_a_further_failure_never_improves_an_outcome(entries: list[Case], told: Told, data: st.DataObject) -> None:
    chosen = data.draw(st.integers(0, len(entries) - 1))
    entry = entries[chosen]
    about = data.draw(st.sampled_from(SubjectKind))
    failing = case(entry.policy.id, *entry.policy.links, failed=[99], about={99: about})
    worse = replace(
        entry,
        result=replace(entry.result, failed=(*entry.result.failed, 99)),
        findings=(*entry.findings, *failing.findings),
    )
    before, after = all_rolled(entries, told), all_rolled([*entries[:chosen], worse, *entries[chosen + 1 :]], told)
    for one, other in zip(before, after, strict=True):
        assert _badness(other) >= _badness(one)


@given(cases(), TOLD, st.data())
def test_a_further_open_verdict_never_leaves_a_pass(entries: list[Case], told: Told, data: st.DataObject) -> None:
    strength = data.draw(st.sampled_from(Strength))
    open_ = case("Z", link("1.1", strength), open_=[0])
    result = all_rolled([*entries, open_], told)[0]
    assert result.outcome in {Outcome.FAIL, Outcome.NOT_EVALUATED}


def _badness(result: RequirementResult) -> int:
    return len(ORDER) - ORDER.index(result.outcome)


@given(st.lists(st.sampled_from(Outcome)))
def test_worst_is_the_first_of_the_order(outcomes: list[Outcome]) -> None:
    assert worst(outcomes) is next((entry for entry in ORDER if entry in outcomes), Outcome.NOT_APPLICABLE)
    assert set(ORDER) == set(Outcome)
