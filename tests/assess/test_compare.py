"""What changed between two runs; and that nothing is called fixed which nobody looked at."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.assess.compare import Change, Listed, compare
from auditor.model.coverage import Gap, GapReason
from auditor.model.framework import RequirementResult
from auditor.model.resource import Location
from auditor.model.verdict import Finding, Outcome, Parameter, Severity
from tests.assess.builders import OTHER_VALUE, SUBJECTS, VALUE, assessment, finding


def found(entries: Sequence[Listed]) -> list[Finding]:
    return [entry.finding for entry in entries]


def test_an_assessment_differs_in_nothing_from_itself() -> None:
    whole = assessment(finding(), finding("K-SEC-01", index=1))
    compared = compare(whole, whole)
    assert compared.unchanged == 2
    lists = (compared.appeared, compared.fixed, compared.gone, compared.unseen, compared.turned)
    changes = (compared.coverage, compared.populations, compared.requirements, compared.policies, compared.inputs)
    assert not any((*lists, *changes, compared.gaps_opened, compared.gaps_closed))


def test_new_and_fixed_findings_are_told_apart_from_moved_ones() -> None:
    moved = replace(finding(index=1), location=Location(file="elsewhere.yaml", line=99))
    compared = compare(assessment(finding(), finding(index=1)), assessment(moved, finding(index=2)))
    assert found(compared.appeared) == [finding(index=2)]
    assert found(compared.fixed) == [finding()]
    assert compared.unchanged == 1


def test_one_of_two_equal_findings_may_go() -> None:
    """The same object in two overlays, mended in one."""
    compared = compare(assessment(finding(), finding()), assessment(finding()))
    assert (compared.unchanged, len(compared.fixed)) == (1, 1)


def test_a_subject_that_left_the_input_is_gone_and_not_fixed() -> None:
    after = assessment()
    compared = compare(
        assessment(finding(index=2)),
        replace(after, subjects=SUBJECTS[:2], results=tuple(replace(part, passed=(0, 1)) for part in after.results)),
    )
    assert found(compared.gone) == [finding(index=2)]
    assert not compared.fixed
    assert compared.populations == (
        Change(name="K-SEC-01", before="3", after="2"),
        Change(name="K-SEC-02", before="3", after="2"),
    )


def test_a_subject_that_left_an_incomplete_input_may_be_in_what_was_not_read() -> None:
    gap = Gap(file="shop/web.yaml", reason=GapReason.BROKEN_YAML)
    whole = assessment()
    broken = replace(whole, coverage=(replace(whole.coverage[0], gaps=(gap,)),))
    fewer = replace(
        broken, subjects=SUBJECTS[:2], results=tuple(replace(part, passed=(0, 1)) for part in broken.results)
    )
    compared = compare(assessment(finding(index=2)), fewer)
    assert found(compared.unseen) == [finding(index=2)]
    assert compared.gaps_opened == (gap,)
    assert compare(broken, whole).gaps_closed == (gap,)


def test_a_policy_that_did_not_run_fixed_nothing() -> None:
    compared = compare(assessment(finding()), assessment(policies=("K-SEC-01",)))
    assert found(compared.unseen) == [finding()]
    assert compared.policies == (Change(name="K-SEC-02", before="run", after=""),)
    assert not compared.populations


def test_a_verdict_that_could_not_be_reached_fixed_nothing() -> None:
    after = assessment()
    open_ = replace(after.results[1], passed=(1, 2), not_evaluated=((0, "the account is not in the input"),))
    compared = compare(assessment(finding()), replace(after, results=(after.results[0], open_)))
    assert found(compared.unseen) == [finding()]


def test_a_waiver_that_came_or_went_is_no_new_finding() -> None:
    waived = replace(finding(), outcome=Outcome.WAIVED, waiver_id="W-1")
    compared = compare(assessment(waived), assessment(finding()))
    ((before, after),) = [(turned.before, turned.after) for turned in compared.turned]
    assert (before.finding, after.finding) == (waived, finding())
    assert (compared.unchanged, compared.appeared, compared.fixed) == (1, (), ())


def test_a_changed_value_is_a_new_finding_under_the_same_key() -> None:
    compared = compare(assessment(finding(value=VALUE), key="k"), assessment(finding(value=OTHER_VALUE), key="k"))
    assert (len(compared.appeared), len(compared.fixed), compared.unchanged) == (1, 1, 0)


@pytest.mark.parametrize("keys", [("", ""), ("k", ""), ("k", "l")])
def test_values_of_two_keys_are_not_compared(keys: tuple[str, str]) -> None:
    before, after = (
        assessment(finding(value=value), key=key) for value, key in zip((VALUE, OTHER_VALUE), keys, strict=True)
    )
    compared = compare(before, after)
    assert (compared.unchanged, compared.incomparable, compared.appeared) == (1, 1, ())


def test_requirements_rules_thresholds_and_inputs_that_changed_are_listed() -> None:
    def of(outcome: Outcome, severity: Severity, digest: str, days: str, *, untested: bool = False) -> object:
        whole = assessment()
        days_ = Parameter(name="max_days", value=days, unit="days", origin="entity", reference="policy 4.2")
        return replace(
            whole,
            policies=(replace(whole.policies[0], severity=severity, digest=digest), whole.policies[1]),
            results=(replace(whole.results[0], parameters=(days_,)), whole.results[1]),
            requirements=(
                RequirementResult(framework_id="soc2", requirement_id="CC6.1", outcome=outcome, untested=untested),
            ),
            run=replace(whole.run, tags=(digest,)),
        )

    old = of(Outcome.NOT_EVALUATED, Severity.LOW, "aaa", "90", untested=True)
    new = of(Outcome.PASS, Severity.HIGH, "bbb", "30")
    compared = compare(old, new)  # type: ignore[arg-type]
    assert compared.requirements == (Change(name="soc2/CC6.1", before="untested", after="pass"),)
    assert [(change.name, change.before, change.after) for change in compared.policies] == [
        ("K-SEC-01: max_days", "90 days (entity: policy 4.2)", "30 days (entity: policy 4.2)"),
        ("K-SEC-01: rule", "aaa", "bbb"),
        ("K-SEC-01: severity", "low", "high"),
    ]
    assert compared.inputs == (Change(name="scope tags", before="aaa", after="bbb"),)


FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(["K-SEC-01", "K-SEC-02"]),
        index=st.integers(0, 2),
        item=st.sampled_from(["a", "b"]),
        value=st.sampled_from(["", VALUE, OTHER_VALUE]),
    ),
    max_size=8,
)


@given(FINDINGS, FINDINGS, st.sampled_from(["", "k"]))
def test_every_finding_of_both_runs_is_accounted_for(old: list[Finding], new: list[Finding], key: str) -> None:
    compared = compare(assessment(*old, key=key), assessment(*new, key=key))
    assert len(compared.appeared) + compared.unchanged == len(new)
    assert len(compared.fixed) + len(compared.gone) + len(compared.unseen) + compared.unchanged == len(old)
    back = compare(assessment(*new, key=key), assessment(*old, key=key))
    assert found(back.appeared) == found(compared.fixed)
    assert back.unchanged == compared.unchanged
