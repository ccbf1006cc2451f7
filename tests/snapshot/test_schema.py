"""`policies/snapshot.schema.json` says of each file what the writer writes, field by field."""

import gzip
import json
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from auditor import data
from auditor.model.collection import Call, CallResult, Identity, Source
from auditor.model.resource import Confidence, Literal, LiteralKind, Origin, Place, Resource
from auditor.snapshot.manifest import Entry, FileRecord, Manifest, Operator, Run, State
from tests.snapshot.builders import SECRET, call, estate, literal, resource, write

NOUNS = {
    "run": Run,
    "operator": Operator,
    "file": FileRecord,
    "entry": Entry,
    "source": Source,
    "identity": Identity,
    "call": Call,
    "origin": Origin,
    "literal": Literal,
}


@cache
def schema() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((data.policies() / "snapshot.schema.json").read_text())
    return content


def mistakes(definition: str, value: Any) -> list[str]:
    whole = schema() if not definition else {"$ref": f"#/$defs/{definition}", "$defs": schema()["$defs"]}
    return [error.message for error in jsonschema_rs.validator_for(whole, validate_formats=True).iter_errors(value)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    placed = replace(
        resource("kubernetes/ConfigMap", "c"),
        literals=(literal(), literal("")),
        origin=Origin(file="dump.yaml", document=1, line=4, prefix=("items", 2), rendered_from="x", source="prod"),
    )
    write(
        tmp_path / "s",
        {**estate(), "kubernetes/ConfigMap": [placed]},
        call(SECRET, result=CallResult.FORBIDDEN, status=403, remaining=None),
    )
    return tmp_path / "s"


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_every_file_is_what_the_schema_says(folder: Path) -> None:
    assert mistakes("", json.loads((folder / "manifest.json").read_text())) == []
    ledger = (folder / "calls.jsonl").read_text().splitlines()
    assert len(ledger) == 4
    assert [mistakes("entry", json.loads(line)) for line in ledger] == [[]] * 4
    lines = [line for path in folder.rglob("*.gz") for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert len(lines) == 7
    assert [mistakes("resource", json.loads(line)) for line in lines] == [[]] * 7


@pytest.mark.parametrize("name", NOUNS)
def test_a_definition_has_the_fields_of_its_noun(name: str) -> None:
    assert set(schema()["$defs"][name]["properties"]) == {entry.name for entry in fields(NOUNS[name])}


def test_the_manifest_and_a_resource_have_the_fields_of_theirs() -> None:
    assert set(schema()["properties"]) == {entry.name for entry in fields(Manifest)}
    of_facts = {"related", "digest"}
    assert set(schema()["$defs"]["resource"]["properties"]) == {entry.name for entry in fields(Resource)} - of_facts


def test_closed_lists_are_those_of_the_model() -> None:
    definitions = schema()["$defs"]
    for listed, enum in (
        (schema()["properties"]["state"], State),
        (definitions["call"]["properties"]["result"], CallResult),
        (definitions["literal"]["properties"]["place"], Place),
        (definitions["literal"]["properties"]["kind"], LiteralKind),
        (definitions["literal"]["properties"]["confidence"], Confidence),
    ):
        assert listed["enum"] == [member.value for member in enum]


def test_an_assessment_describes_sources_and_calls_in_the_same_words() -> None:
    other = json.loads((data.policies() / "assessment.schema.json").read_text())["$defs"]
    for name in ("source", "identity", "call", "time"):
        assert schema()["$defs"][name] == other[name], name


@pytest.mark.parametrize(
    ("definition", "change"),
    [
        ("", {"format": "other"}),
        ("", {"version": "2.0"}),
        ("", {"state": "done"}),
        ("", {"runs": []}),
        ("", {"more": 1}),
        ("entry", {"call": None}),
        ("entry", {"file": {"path": "/etc/passwd"}}),
        ("resource", {"body": []}),
        ("resource", {"literals": []}),
    ],
)
def test_the_schema_refuses_what_is_wrong(folder: Path, definition: str, change: dict[str, Any]) -> None:
    good = {
        "": (folder / "manifest.json").read_bytes(),
        "entry": (folder / "calls.jsonl").read_bytes().splitlines()[0],
        "resource": gzip.decompress((folder / "resources/prod/kubernetes_Role.jsonl.gz").read_bytes()).splitlines()[0],
    }[definition]
    assert mistakes(definition, json.loads(good) | change) != []


def test_every_property_is_described() -> None:
    for definition in (schema(), *schema()["$defs"].values()):
        for name, value in definition.get("properties", {}).items():
            assert "description" in value or "$ref" in value, name
