from hypothesis import given
from hypothesis import strategies as st

from auditor.model.resource import Location
from auditor.model.verdict import Outcome
from auditor.reports import figures
from tests.reports import sample


@given(st.integers(min_value=0))
def test_canonical_order_does_not_depend_on_the_order_that_came_in(seed: int) -> None:
    assert figures.canonical(sample.shuffled(sample.rich(), seed)) == figures.canonical(sample.rich())


def test_canonical_order_is_a_fixed_point() -> None:
    once = figures.canonical(sample.rich())
    assert figures.canonical(once) == once


def test_renumbered_subjects_keep_their_findings() -> None:
    before, after = sample.rich(), figures.canonical(sample.shuffled(sample.rich(), 7))
    assert {(finding.fingerprint, after.subjects[finding.subject].id) for finding in after.findings} == {
        (finding.fingerprint, before.subjects[finding.subject].id) for finding in before.findings
    }


def test_each_verdict_is_counted_once() -> None:
    """A policy that found nothing to judge although its answer is needed is one that was not evaluated."""
    assert figures.verdicts(sample.rich()) == {
        Outcome.PASS: 5,
        Outcome.FAIL: 8,
        Outcome.WAIVED: 1,
        Outcome.NOT_APPLICABLE: 4,
        Outcome.NOT_EVALUATED: 5,
    }


def test_each_finding_is_in_one_column_of_the_severity_table() -> None:
    findings = sample.rich().findings
    table = figures.severity_table(findings)
    assert sum(row.new + row.known + row.waived for row in table) == len(findings)
    assert [row.severity.value for row in table] == ["critical", "high", "medium", "low", "info"]


def test_blocks_show_the_worst_policy_first_and_its_new_findings_before_the_known() -> None:
    blocks = figures.blocks(sample.rich())
    assert [block.policy.id for block in blocks][:3] == ["K-RBAC-01", "K-ENC-01", "K-SEC-01"]
    credentials = blocks[2].findings
    assert [(finding.known, finding.outcome) for finding in credentials] == [
        (False, Outcome.FAIL),
        (True, Outcome.FAIL),
        (False, Outcome.WAIVED),
    ]


def test_requirements_stand_in_the_order_of_the_catalogue() -> None:
    rows = figures.requirement_matrix(figures.canonical(sample.shuffled(sample.rich(), 3)))
    pci = [row.requirement.id for row in rows if row.framework.id == "pci-dss-4.0.1"]
    assert pci == ["3.6.1", "7.2.5", "8.6.2", "12.10.7"], "12 after 8, not after 1"


def test_the_most_frequent_reason_comes_first() -> None:
    result = next(result for result in sample.rich().results if result.policy_id == "K-TOK-01")
    reasons = figures.open_reasons(result)
    assert reasons[0] == ("the ServiceAccount legacy is not in the input", 2)
    assert sum(count for _, count in reasons) == len(result.not_evaluated)


def test_a_place_says_only_what_is_known() -> None:
    assert figures.place(Location(file="a.yaml", line=3, column=5)) == "a.yaml:3:5"
    assert figures.place(Location(file="a.yaml", line=3)) == "a.yaml:3"
    assert figures.place(Location(file="a.yaml")) == "a.yaml"


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Cs"])))
def test_any_text_becomes_utf8(text: str) -> None:
    """A file name that is no UTF-8 reaches us with half characters in it."""
    assert len(figures.utf8(text).decode()) <= len(text)


def test_numbers_are_grouped_and_nouns_agree() -> None:
    assert figures.plural(1, "finding") == "1 finding"
    assert figures.plural(15_000, "policy", "policies") == "15,000 policies"
