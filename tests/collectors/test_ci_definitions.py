"""CI definitions met in a tree: their types, what is no definition after all, their credentials and their lines."""

import base64
import json
from typing import Any

import pytest

from auditor.collectors import manifests, positions
from auditor.collectors.manifests import Reading
from auditor.collectors.sources import Source, SourceKind
from auditor.model import ci
from auditor.model.coverage import GapReason
from auditor.model.resource import LiteralKind, Origin
from tests.collectors.test_manifests import WORKLOADS

CANARY = "plover-and-wader-41"


def read(name: str, content: str) -> Reading:
    kind = SourceKind.JENKINSFILE if "Jenkinsfile" in name else SourceKind.YAML
    raw = content.encode()
    file = name.rpartition("/")[2]
    source = Source(file=name, kind=kind, size=len(raw), content=raw, ci=ci.recognise(name, file))
    return manifests.read([source], workloads=WORKLOADS, fingerprint=lambda _: "0" * 32)


WORKFLOW = f"""\
name: ci
on:
  push: {{branches: [main]}}
permissions: {{id-token: write}}
env:
  DB_PASSWORD: {CANARY}
  TOKEN: ${{{{ secrets.TOKEN }}}}
  TTL: 3600
jobs:
  test:
    services:
      db: {{image: postgres, env: {{POSTGRES_PASSWORD: {CANARY}}}}}
    secrets: inherit
    steps:
      - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567
        with: {{token: {CANARY}, ref: main}}
      - run: |
          curl -u admin:{CANARY} https://example.com
          echo {base64.b64encode(CANARY.encode()).decode()}
"""


def test_a_workflow_is_a_resource_and_its_on_is_called_on() -> None:
    """YAML 1.1 reads `on` as true, and so does Kubernetes."""
    (resource,) = read(".github/workflows/ci.yml", WORKFLOW).resources
    assert resource.id == "file/github-workflow:/.github/workflows/ci.yml"
    assert resource.body["on"] == {"push": {"branches": ["main"]}}
    assert "true" not in resource.body


@pytest.mark.parametrize(
    ("name", "content", "type_"),
    [
        (".github/workflows/ci.yml", "'on': push\njobs: {a: {}}", "file/github-workflow"),
        (".github/workflows/ci.yml", "on: [push]\njobs: {a: {}}", "file/github-workflow"),
        ("action.yml", "name: x\nruns: {using: composite, steps: []}", "file/github-action"),
        (".gitlab-ci.yml", "a: {script: !reference [.b, script]}", "file/gitlab-ci"),
        (".gitlab-ci.yml", "spec: {inputs: {}}\n---\na: {script: x}", "file/gitlab-ci"),
        ("Jenkinsfile", "node { sh 'x' }", "file/jenkinsfile"),
        (".pre-commit-config.yaml", "repos: []", "file/pre-commit"),
        (".circleci/config.yml", "anything: [", "file/other-ci"),
        ("azure-pipelines.yml", "trigger: [main]", "file/other-ci"),
    ],
)
def test_each_system_has_its_type(name: str, content: str, type_: str) -> None:
    reading = read(name, content)
    assert [resource.type for resource in reading.resources] == [type_]
    assert dict(reading.coverage.by_type) == {type_: 1}
    assert not reading.coverage.gaps


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".github/workflows/x.yml", "a: b"),
        (".github/workflows/x.yml", "on: push"),
        (".github/workflows/x.yml", "- a"),
        ("action.yml", "runs: {using: node20}"),
        ("action.yml", "title: [not an action"),
        (".pre-commit-config.yaml", "a: b"),
        (".gitlab-ci.yml", "spec: {inputs: {}}"),
    ],
)
def test_what_is_none_after_all_is_counted_and_no_gap(name: str, content: str) -> None:
    reading = read(name, content)
    assert dict(reading.coverage.skipped) == {"not a Kubernetes object": 1}
    assert not reading.resources
    assert not reading.coverage.gaps


def test_an_object_in_a_file_of_such_a_name_is_still_an_object() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
    assert [resource.id for resource in read(".gitlab-ci.yml", pod).resources] == ["kubernetes/Pod:/p"]
    assert [resource.id for resource in read(".buildkite/agent.yaml", pod).resources] == [
        "file/other-ci:/.buildkite/agent.yaml",
        "kubernetes/Pod:/p",
    ]


@pytest.mark.parametrize("name", [".github/workflows/x.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml"])
def test_a_definition_that_cannot_be_parsed_is_a_gap_although_it_holds_expressions(name: str) -> None:
    (gap,) = read(name, "a: ${{ x }}\nb: [\n").coverage.gaps
    assert (gap.reason, gap.file) == (GapReason.BROKEN_YAML, name)


def test_a_template_of_a_project_is_no_definition_of_this_one() -> None:
    reading = read("{{cookiecutter.name}}/.github/workflows/x.yml", "{% if x %}\na: b\n{% endif %}")
    assert not reading.coverage.gaps


def test_credentials_are_gone_before_anything_holds_them() -> None:
    (resource,) = read(".github/workflows/ci.yml", WORKFLOW).resources
    text = json.dumps(resource.body)
    assert CANARY not in text
    assert base64.b64encode(CANARY.encode()).decode() not in text
    found = {
        (literal.place.value, literal.key) for literal in resource.literals if literal.kind is LiteralKind.CREDENTIAL
    }
    assert found == {("env", "DB_PASSWORD"), ("env", "POSTGRES_PASSWORD"), ("config", "token"), ("argument", "user")}
    assert resource.body["permissions"] == {"id-token": "write"}
    steps = resource.body["jobs"]["test"]["steps"]
    assert steps[0]["uses"].endswith("01234567")
    assert steps[0]["with"]["ref"] == "main"
    assert resource.body["env"]["TOKEN"] == "${{ secrets.TOKEN }}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".gitlab-ci.yml", f"variables: {{DB_PASSWORD: {CANARY}}}\na: {{script: [echo {CANARY}]}}"),
        (".gitlab-ci.yml", f"variables: {{DB_PASSWORD: {{value: {CANARY}, description: x}}}}"),
        (".gitlab-ci.yml", f"a: {{script: ['curl -u admin:{CANARY} https://example.com']}}"),
        (".gitlab-ci.yml", f"a: {{before_script: ['export API_TOKEN={CANARY}']}}"),
        ("action.yml", f"runs: {{using: composite, steps: [{{run: x, env: {{API_TOKEN: {CANARY}}}}}]}}"),
        ("Jenkinsfile", f"node {{ sh 'curl -u admin:{CANARY} https://example.com' }}"),
        ("Jenkinsfile", f"environment {{ DB_PASSWORD = '{CANARY}' }}\nnode {{ sh 'echo {CANARY}' }}"),
        ("Jenkinsfile", f"library 'https://ci:{CANARY}@git.example.com/lib'\nnode {{ sh 'x' }}"),
        ("Jenkinsfile", f"node {{ stage('curl -u admin:{CANARY} https://example.com') {{ sh 'x' }} }}"),
        (".circleci/config.yml", f"environment: {{DB_PASSWORD: {CANARY}}}"),
    ],
)
def test_no_definition_keeps_a_credential(name: str, content: str) -> None:
    (resource,) = read(name, content).resources
    assert CANARY not in json.dumps(resource.body)
    assert resource.type == "file/other-ci" or any(
        literal.kind is LiteralKind.CREDENTIAL and literal.length == len(CANARY) for literal in resource.literals
    )


def place(text: str, *path: Any) -> tuple[int | None, int | None]:
    (found,) = positions.locate(text.encode(), Origin(file="f"), [path], kind=SourceKind.YAML)
    return found


@pytest.mark.parametrize("key", ["on", "'on'", '"on"'])
def test_a_trigger_is_found_at_its_line_however_on_is_written(key: str) -> None:
    text = f"name: x\n{key}:\n  push:\n    branches: [main]\njobs: {{}}\n"
    assert place(text, "on", "push", "branches") == (4, 5)
    assert place(text, "jobs") == (5, 1)


def test_a_trust_policy_is_a_resource() -> None:
    statement = '{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity"}'
    raw = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'.encode()
    source = Source(file="iam/trust.json", kind=SourceKind.JSON, size=len(raw), content=raw)
    (resource,) = manifests.read([source], workloads=WORKLOADS, fingerprint=lambda _: "").resources
    assert resource.id == "file/aws-trust-policy:/iam/trust.json"
    other = raw.replace(b"AssumeRoleWithWebIdentity", b"AssumeRole")
    source = Source(file="iam/trust.json", kind=SourceKind.JSON, size=len(other), content=other)
    assert not manifests.read([source], workloads=WORKLOADS, fingerprint=lambda _: "").resources
