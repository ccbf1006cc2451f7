"""What the JSON report wrote comes back exactly, and nothing else is taken for it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor import reports
from auditor.assess import stored
from auditor.model.assessment import Assessment
from auditor.model.errors import InputError
from auditor.model.verdict import Finding
from auditor.reports.figures import canonical
from tests.assess.builders import SUBJECTS, assessment, finding
from tests.reports import sample


def text(assessment_: Assessment) -> bytes:
    return reports.render("json", assessment_)


@pytest.mark.parametrize(
    "make", [sample.rich, sample.empty, sample.clean, sample.live, sample.leaked, lambda: sample.large(300)]
)
def test_a_report_comes_back_as_it_was_written(make: Any) -> None:
    first = text(make())
    again = stored.parse(first, name="scan.json")
    assert text(again) == first
    assert stored.parse(text(again), name="scan.json") == again


def test_an_assessment_in_the_reports_own_order_comes_back_equal() -> None:
    whole = canonical(sample.large(300))
    assert stored.parse(text(whole), name="scan.json") == whole


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FINDINGS = st.lists(
    st.builds(
        lambda policy, index, item, message, known: _with(
            finding(policy, index=index, item=item), message, known=known
        ),
        st.sampled_from(["K-SEC-01", "K-SEC-02"]),
        st.integers(0, len(SUBJECTS) - 1),
        TEXT,
        TEXT,
        st.booleans(),
    ),
    max_size=6,
)


def _with(entry: Finding, message: str, *, known: bool) -> Finding:
    return replace(entry, message=message, known=known, evidence=(("rule", message),))


@given(FINDINGS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_finding_survives_the_round_trip(findings: list[Finding]) -> None:
    whole = canonical(assessment(*findings))
    assert stored.parse(text(whole), name="scan.json") == whole


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(text(sample.rich())) | changes).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "scan.json is not JSON"),
        (b'{"run": 1,\n!', r"scan.json is not JSON \(line 2\)"),
        (b"\xff\xfe", "scan.json is not JSON"),
        (b"[" * 100_000, "scan.json is not JSON"),
        (b"[]", "states no schema_version"),
        (b"{}", "states no schema_version"),
        (b'{"schema_version": 1}', "states no schema_version"),
        (b'{"schema_version": "2.0"}', "another format than 1.2"),
        (b'{"schema_version": "1.0"}', "run is missing"),
        (changed(findings={}), "findings must be an array"),
        (changed(findings=[{}]), "findings.0.policy_id is missing"),
        (changed(subjects=[]), "findings names a subject that it lacks"),
    ],
)
def test_anything_else_is_refused_with_its_place(content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        stored.parse(content, name="scan.json")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("severity", "dreadful", "findings.0.severity must be one of info, low"),
        ("subject", "0", "findings.0.subject must be a whole number"),
        ("subject", True, "findings.0.subject must be a whole number"),
        ("subject", -1, "findings names a subject that it lacks"),
        ("known", 1, "findings.0.known must be true or false"),
        ("message", None, "findings.0.message must be text"),
        ("evidence", [["rule"]], "findings.0.evidence.0 must be an array of 2"),
        ("location", {"file": "a", "line": "7"}, "findings.0.location.line must be a whole number"),
    ],
)
def test_a_wrong_value_is_named_by_its_place_and_not_quoted(field: str, value: Any, told: str) -> None:
    findings = json.loads(text(sample.rich()))["findings"]
    findings[0][field] = value
    with pytest.raises(InputError, match=told) as caught:
        stored.parse(changed(findings=findings), name="scan.json")
    assert "dreadful" not in str(caught.value)


@pytest.mark.parametrize("moment", ["2026-11-24T09:30:00", "yesterday", 7])
def test_a_time_needs_a_zone(moment: Any) -> None:
    run = json.loads(text(sample.rich()))["run"] | {"started": moment}
    with pytest.raises(InputError, match=r"run\.started must"):
        stored.parse(changed(run=run), name="scan.json")


def test_what_a_later_minor_version_adds_is_passed_over() -> None:
    raw = json.loads(text(sample.rich()))
    raw |= {"schema_version": "1.9", "reach": [], "run": raw["run"] | {"operator": "ci"}}
    assert stored.parse(json.dumps(raw).encode(), name="scan.json") == stored.parse(text(sample.rich()), name="x")


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        stored.load(tmp_path / "scan.json")
    file = tmp_path / "empty.json"
    file.write_bytes(text(sample.empty()))
    assert stored.load(file) == sample.empty()
