import json
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from auditor import reports
from auditor.model import assessment as model
from auditor.model.collection import Call, CallResult, Identity, Source
from auditor.model.coverage import Coverage, Gap, GapReason
from auditor.model.framework import Automation, Framework, Requirement, RequirementResult
from auditor.model.leaks import LeakedRule, Leaks
from auditor.model.policy import Condition, Link, PolicyInfo, Strength
from auditor.model.resource import Location
from auditor.model.sighting import Searched, Where
from auditor.model.verdict import Finding, Outcome, Parameter, PolicyResult, Severity, SubjectKind
from tests.reports import sample

SCHEMA_FILE = Path(__file__).parents[2] / "policies" / "assessment.schema.json"
CLASSES = {
    "run": model.Run,
    "subject": model.Subject,
    "waiver": model.Waiver,
    "waiver_use": model.WaiverUse,
    "baseline_use": model.BaselineUse,
    "coverage": Coverage,
    "gap": Gap,
    "framework": Framework,
    "requirement": Requirement,
    "requirement_result": RequirementResult,
    "link": Link,
    "policy": PolicyInfo,
    "location": Location,
    "finding": Finding,
    "parameter": Parameter,
    "result": PolicyResult,
    "source": Source,
    "identity": Identity,
    "call": Call,
    "leaks": Leaks,
    "leaked_rule": LeakedRule,
    "searched": Searched,
}
ENUMS = {"outcome": Outcome, "severity": Severity, "strength": Strength, "condition": Condition}
DERIVED = {"finding": {"subject_id"}}


@cache
def schema() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return content


def rendered(whole: model.Assessment) -> Any:
    return json.loads(reports.render("json", whole))


def test_published_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("case", ["rich", "clean", "empty", "live", "leaked"])
def test_output_fits_the_published_schema(case: str) -> None:
    document = rendered(getattr(sample, case)())
    assert not list(Draft202012Validator(schema()).iter_errors(document))


def test_large_output_fits_the_published_schema() -> None:
    assert jsonschema_rs.validator_for(schema()).is_valid(rendered(sample.large(2_000)))


def test_schema_is_closed_everywhere() -> None:
    """A field that the schema does not know is a mistake, wherever it stands."""

    def objects(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, dict):
            inner = [found for value in node.values() for found in objects(value)]
            return [node, *inner] if "properties" in node and isinstance(node["properties"], dict) else inner
        return [found for value in node for found in objects(value)] if isinstance(node, list) else []

    found = objects(schema())
    assert len(found) > len(CLASSES)
    for node in found:
        assert node.get("additionalProperties") is False
        assert set(node["required"]) == set(node["properties"])


@pytest.mark.parametrize("name", CLASSES)
def test_schema_names_the_fields_of_the_model(name: str) -> None:
    """The reader goes by the model, so a field more or less in either place would be lost."""
    expected = {field.name for field in fields(CLASSES[name])} | DERIVED.get(name, set())
    assert set(schema()["$defs"][name]["properties"]) == expected


def test_schema_names_the_fields_of_the_assessment() -> None:
    expected = {field.name for field in fields(model.Assessment)} | {"schema_version", "summary"}
    assert set(schema()["properties"]) == expected


@pytest.mark.parametrize("name", ENUMS)
def test_schema_names_the_members_of_each_enumeration(name: str) -> None:
    assert schema()["$defs"][name]["enum"] == [member.value for member in ENUMS[name]]


def test_schema_names_the_members_of_enumerations_in_fields() -> None:
    definitions = schema()["$defs"]
    assert definitions["call"]["properties"]["result"]["enum"] == [member.value for member in CallResult]
    assert definitions["searched"]["properties"]["where"]["enum"] == [member.value for member in Where]
    assert definitions["gap"]["properties"]["reason"]["enum"] == [member.value for member in GapReason]
    assert definitions["finding"]["properties"]["about"]["enum"] == [member.value for member in SubjectKind]
    assert definitions["requirement"]["properties"]["automation"]["enum"] == [member.value for member in Automation]


def test_every_part_of_the_assessment_is_there() -> None:
    whole, document = sample.rich(), rendered(sample.rich())
    for part in ("coverage", "subjects", "policies", "results", "findings", "frameworks", "requirements", "waivers"):
        assert len(document[part]) == len(getattr(whole, part)) > 0
    live = rendered(sample.live())
    assert [source["name"] for source in live["sources"]] == ["dr", "prod"]
    assert len(live["calls"]) == len(sample.live().calls) > 0
    assert document["run"]["started"] == "2026-11-24T09:30:00Z"
    assert document["waivers"][0]["waiver"]["expires"] == "2027-01-31"


def test_a_finding_names_its_subject_for_people() -> None:
    document = rendered(sample.rich())
    for finding in document["findings"]:
        assert finding["subject_id"] == document["subjects"][finding["subject"]]["id"]


def test_hostile_text_comes_back_as_it_was() -> None:
    document = rendered(sample.rich())
    assert sample.HOSTILE in [finding["message"] for finding in document["findings"]]


def test_a_file_name_that_is_no_utf8_is_still_json() -> None:
    content = reports.render("json", sample.rich())
    assert "deploy/caf\N{REPLACEMENT CHARACTER}.yaml" in content.decode()


def test_each_entry_has_a_line_of_its_own() -> None:
    """A difference of two reports then names the entries that differ."""
    text = reports.render("json", sample.rich()).decode()
    lines = [line.rstrip(",") for line in text.splitlines()]
    for entry in rendered(sample.rich())["subjects"]:
        assert sum(line.startswith('{"') and json.loads(line) == entry for line in lines) == 1


def test_summary_counts_what_the_lists_hold() -> None:
    summary = rendered(sample.rich())["summary"]
    assert summary == {
        "complete": False,
        "verdicts": {"pass": 5, "fail": 8, "waived": 1, "not_applicable": 4, "not_evaluated": 5},
        "findings": {"critical": 1, "high": 1, "medium": 0, "low": 3, "info": 2},
        "known": 1,
        "waived": 1,
        "gaps": 5,
    }
