"""GitLab's report of secret detection, held to what version 15.0.7 of its schema demands of the parts that we write.

https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/blob/v15.0.7/dist/secret-detection-report-format.json
"""

import json
from typing import Any

import jsonschema
import pytest

from auditor import reports
from tests.reports import sample

_TEXT = {"type": "string", "minLength": 1}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}


def _object(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object that has all of these, and none that we did not look up."""
    return {
        "type": "object", "additionalProperties": False, "required": list(properties), "properties": properties
    }  # fmt: skip


_PROGRAM = _object(id=_TEXT, name=_TEXT, vendor=_object(name=_TEXT), version=_TEXT)
SCHEMA = _object(
    version={"const": "15.0.7"},
    scan=_object(
        analyzer=_PROGRAM,
        scanner=_PROGRAM,
        type={"const": "secret_detection"},
        start_time=_TIME,
        end_time=_TIME,
        status={"enum": ["success", "failure"]},
    ),
    vulnerabilities={
        "type": "array",
        "items": _object(
            id=_TEXT,
            category={"const": "secret_detection"},
            name={"type": "string", "minLength": 1, "maxLength": 255},
            description={"type": "string", "maxLength": 1048576},
            severity={"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
            location=_object(
                file={"type": "string"}, start_line={"type": "number", "minimum": 1}, commit=_object(sha=_TEXT)
            ),
            identifiers={"type": "array", "minItems": 1, "items": _object(type=_TEXT, name=_TEXT, value=_TEXT)},
        ),
    },
)


@pytest.mark.parametrize("make", ["leaked", "rich", "clean"])
def test_the_report_is_what_the_schema_demands(make: str) -> None:
    told = json.loads(reports.render("gitlab-secrets", getattr(sample, make)()))
    jsonschema.validate(told, SCHEMA)
    ids = [entry["id"] for entry in told["vulnerabilities"]]
    assert len(ids) == len(set(ids))
    assert bool(ids) == (make == "leaked")


def test_each_vulnerability_names_the_commit_in_which_it_stands() -> None:
    told = json.loads(reports.render("gitlab-secrets", sample.leaked()))
    places = {(one["location"]["file"], one["location"]["commit"]["sha"]) for one in told["vulnerabilities"]}
    assert ("old.env", "0f" * 20) in places
