import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from jsonschema import Draft202012Validator

from auditor import reports
from auditor.model.assessment import Assessment
from tests.reports import sample

# GitLab publishes no schema for this; these are the rules of its documentation.
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def issues(whole: Assessment) -> Any:
    return json.loads(reports.render("gitlab", whole))


def only(found: Iterable[Any], **values: Any) -> Any:
    (one,) = [entry for entry in found if all(entry[name] == value for name, value in values.items())]
    return one


def test_output_keeps_gitlabs_rules() -> None:
    for case in (sample.rich(), sample.clean(), sample.empty()):
        assert not list(Draft202012Validator(SCHEMA).iter_errors(issues(case)))


def test_nothing_found_is_an_empty_array() -> None:
    assert issues(sample.clean()) == []


def test_severities_are_mapped_one_to_one_and_worst_first() -> None:
    found = [issue["severity"] for issue in issues(sample.large(20, policies=5))]
    assert list(dict.fromkeys(found)) == ["blocker", "critical", "major", "minor", "info"]


def test_fingerprints_are_unique_also_for_findings_that_share_one() -> None:
    """GitLab drops an issue whose fingerprint was there already."""
    whole = sample.rich()
    twin = replace(whole.findings[0], location=replace(whole.findings[0].location, line=99))
    found = [issue["fingerprint"] for issue in issues(replace(whole, findings=(*whole.findings, twin)))]
    assert len(found) == len(set(found))
    assert "01" * 16 in found, "the first keeps its own"


def test_waived_findings_are_left_out_and_gaps_are_in() -> None:
    found = issues(sample.rich())
    assert not [issue for issue in found if issue["location"]["path"] == "deploy/payments/legacy.yaml"]
    assert only(found, check_name="not-read", location={"path": "deploy/broken.yaml", "lines": {"begin": 7}})


def test_a_line_that_is_not_known_is_the_first() -> None:
    path = "charts/web/templates/web.yaml"
    assert only(issues(sample.rich()), location={"path": path, "lines": {"begin": 1}})
