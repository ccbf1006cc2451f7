"""From judgements to results: every subject in one group, in any order, and nothing passes that was not judged."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from auditor.model.assessment import Subject
from auditor.model.judgement import Judged, Judgement
from auditor.model.resource import Location
from auditor.model.verdict import Finding, Outcome, PolicyResult, Severity
from auditor.pipeline import assemble
from auditor.pipeline.assemble import JudgedSubject, PolicyTerms

TERMS = (PolicyTerms(id="P-0"), PolicyTerms(id="P-1", absent={"": "nothing of the kind was read"}))
OUTCOMES = (Outcome.PASS, Outcome.FAIL, Outcome.NOT_EVALUATED, Outcome.NOT_APPLICABLE)


def finding(policy: str, *, severity: Severity = Severity.HIGH, item: str = "i") -> Finding:
    return Finding(
        policy_id=policy, subject=-1, item=item, fingerprint="f" * 32, message="m", location=Location(file="a.yaml"),
        severity=severity,
    )  # fmt: skip


def subject(name: str, outcomes: tuple[Outcome | None, ...]) -> JudgedSubject:
    """Return a subject with one outcome for each policy; `None` where the policy does not look at it."""
    passed = tuple(index for index, outcome in enumerate(outcomes) if outcome is Outcome.PASS)
    others = tuple(
        Judgement(policy=index, outcome=outcome, reason="" if outcome is Outcome.FAIL else "because")
        for index, outcome in enumerate(outcomes)
        if outcome not in {None, Outcome.PASS}
        for outcome in (Outcome(outcome),)
    )
    return JudgedSubject(
        subject=Subject(id=f"k:{name}", type="k", namespace="", name=name, location=Location(file=f"{name}.yaml")),
        judged=Judged(passed=passed, others=others),
        findings=tuple(finding(f"P-{index}") for index, outcome in enumerate(outcomes) if outcome is Outcome.FAIL),
    )


def result(*subjects: JudgedSubject) -> tuple[PolicyResult, ...]:
    _, ordered, findings = assemble.number(subjects)
    return assemble.results(ordered, findings, TERMS)


one_or_none = st.one_of(st.none(), st.sampled_from(OUTCOMES))
populations = st.lists(st.tuples(one_or_none, one_or_none), max_size=8)


@given(populations)
def test_every_subject_stands_in_exactly_one_group_of_each_policy(population: list[tuple[Outcome | None, ...]]) -> None:
    results = result(*(subject(f"s{number}", outcomes) for number, outcomes in enumerate(population)))
    for index, of_policy in enumerate(results):
        wanted = [outcomes[index] for outcomes in population]
        assert len(of_policy.passed) == wanted.count(Outcome.PASS)
        assert len(of_policy.failed) == wanted.count(Outcome.FAIL)
        assert sum(count for _, count in of_policy.not_applicable) == wanted.count(Outcome.NOT_APPLICABLE)
        assert sum(1 for at, _ in of_policy.not_evaluated if at >= 0) == wanted.count(Outcome.NOT_EVALUATED)


@given(populations, st.randoms())
def test_the_order_of_the_input_is_irrelevant(population: list[tuple[Outcome | None, ...]], dice: object) -> None:
    subjects = [subject(f"s{number}", outcomes) for number, outcomes in enumerate(population)]
    shuffled = list(subjects)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert assemble.number(subjects) == assemble.number(shuffled)
    assert result(*subjects) == result(*shuffled)


def test_an_absence_stays_open_although_other_subjects_are_not_applicable() -> None:
    """A pod that is no API server does not answer what the API server's file would say."""
    _, open_ = result(subject("s", (Outcome.PASS, Outcome.NOT_APPLICABLE)))
    assert open_.not_evaluated == ((-1, "nothing of the kind was read"),)
    _, answered = result(subject("s", (Outcome.PASS, Outcome.PASS)))
    assert answered.not_evaluated == ()


def test_a_subject_is_waived_only_when_all_its_findings_are() -> None:
    two = replace(subject("s", (Outcome.FAIL, None)), findings=(finding("P-0", item="a"), finding("P-0", item="b")))
    _, ordered, findings = assemble.number([two])
    half = (replace(findings[0], outcome=Outcome.WAIVED, waiver_id="W"), findings[1])
    assert assemble.results(ordered, half, TERMS)[0].failed == (0,)
    both = tuple(replace(entry, outcome=Outcome.WAIVED, waiver_id="W") for entry in findings)
    of_policy = assemble.results(ordered, both, TERMS)[0]
    assert (of_policy.failed, of_policy.waived, of_policy.passed) == ((), (0,), ())


def test_known_and_waived_findings_do_not_decide_the_gate() -> None:
    assert assemble.worst([finding("P-0", severity=Severity.LOW)]) is Severity.LOW
    known = replace(finding("P-0", severity=Severity.CRITICAL), known=True)
    waived = replace(finding("P-0", severity=Severity.CRITICAL), outcome=Outcome.WAIVED, waiver_id="W")
    assert assemble.worst([known, waived]) is None
    assert assemble.worst([known, finding("P-1", severity=Severity.MEDIUM)]) is Severity.MEDIUM


def test_items_are_counted_over_all_subjects() -> None:
    """Of a population of one Deployment with forty variables the forty count, too."""
    subjects = [
        replace(entry, judged=replace(entry.judged, items=((0, number),)))
        for number, entry in enumerate(
            (subject("a", (Outcome.PASS, None)), subject("b", (Outcome.FAIL, None))), start=2
        )
    ]
    assert [of_policy.items for of_policy in result(*subjects)] == [5, 0]
