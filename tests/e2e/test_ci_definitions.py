"""CI definitions through the program: what fails where, what stays open, and that folders of manifests do not fail."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import auditor
from tests.e2e.test_scan import CLEAN, write

BOTH = ("--select", "F-ID-04", "--select", "L-CI-01")
TEST = "on: pull_request\njobs:\n  test:\n    steps:\n      - run: make test\n"
NIGHTLY = """\
on:
  schedule: [{cron: "17 3 * * *"}]
jobs:
  leaks:
    steps:
      - uses: actions/checkout@v4
      - run: gitleaks git .
"""
PREVIEW = """\
on: pull_request_target
permissions: {id-token: write}
jobs:
  preview:
    steps:
      - uses: actions/checkout@v4
        with: {ref: "${{ github.event.pull_request.head.sha }}"}
      - uses: aws-actions/configure-aws-credentials@v4
        with: {role-to-assume: "arn:aws:iam::111122223333:role/preview"}
      - run: make
"""


def scan(folder: Path, *arguments: str, paths: tuple[str, ...] = (".",)) -> tuple[int, Any]:
    done = auditor("scan", *paths, "--format", "json", *arguments, cwd=folder)
    return done.code, json.loads(done.out)


def verdicts(assessment: Any, policy: str) -> dict[str, list[Any]]:
    (result,) = (entry for entry in assessment["results"] if entry["policy_id"] == policy)
    return {key: result[key] for key in ("passed", "failed", "not_evaluated", "not_applicable")}


def test_a_finding_stands_at_the_step_that_it_is_about(tmp_path: Path) -> None:
    for name, text in {"ci": TEST, "nightly": NIGHTLY, "preview": PREVIEW}.items():
        write(tmp_path, f".github/workflows/{name}.yml", text)
    code, assessment = scan(tmp_path, *BOTH)
    found = {
        finding["policy_id"]: (finding["location"]["file"], finding["location"]["line"], finding["item"])
        for finding in assessment["findings"]
    }
    assert code == 1
    assert found == {
        "F-ID-04": (".github/workflows/preview.yml", 8, "jobs.preview.steps[1]"),
        "L-CI-01": (".github/workflows/nightly.yml", 7, ""),
    }
    beside = {where["file"] for entry in assessment["findings"] for _, where in entry["related"]}
    assert ".github/workflows/ci.yml" in beside


def test_a_jenkinsfile_has_lines(tmp_path: Path) -> None:
    text = "node {\n  stage('a') {\n    catchError { sh 'gitleaks git .' }\n  }\n}\n"
    write(tmp_path, "Jenkinsfile", text)
    _, assessment = scan(tmp_path, *BOTH)
    ((file, line),) = [(entry["location"]["file"], entry["location"]["line"]) for entry in assessment["findings"]]
    assert (file, line) == ("Jenkinsfile", 3)


def test_nobody_asks_a_folder_in_no_repository_what_stands_before_its_merges(tmp_path: Path) -> None:
    """There is no merge: no verdict is open, and none passes either."""
    write(tmp_path, "deploy/web.yaml", CLEAN)
    for paths in ((".",), ("deploy",), ("deploy/web.yaml",)):
        code, assessment = scan(tmp_path, "--select", "L-CI-01", paths=paths)
        assert code == 0
        assert not any(verdicts(assessment, "L-CI-01").values())
        assert "pass" not in {requirement["outcome"] for requirement in assessment["requirements"]}


def test_a_folder_of_manifests_never_fails_for_lack_of_a_gate(tmp_path: Path) -> None:
    write(tmp_path, ".git/config", "")
    write(tmp_path, "deploy/web.yaml", CLEAN)
    for paths in (("deploy",), ("deploy/web.yaml",)):
        code, assessment = scan(tmp_path, "--select", "L-CI-01", paths=paths)
        found = verdicts(assessment, "L-CI-01")
        assert (code, found["failed"]) == (0, [])
        ((index, reason),) = found["not_evaluated"]
        assert index == -1
        assert "name the root of the repository" in reason


def test_a_part_of_a_repository_and_single_files_leave_the_gate_open(tmp_path: Path) -> None:
    """A hook hands over the files that were changed: that none of them holds a gate says nothing."""
    write(tmp_path, ".git/config", "")
    write(tmp_path, "deploy/web.yaml", CLEAN)
    write(tmp_path, ".github/workflows/ci.yml", TEST)
    for paths in (("deploy",), (".github",), (".github/workflows/ci.yml", "deploy/web.yaml")):
        code, assessment = scan(tmp_path, "--select", "L-CI-01", paths=paths)
        assert (code, verdicts(assessment, "L-CI-01")["failed"]) == (0, [])
    code, _ = scan(tmp_path, "--select", "L-CI-01")
    assert code == 1


def test_what_is_left_out_may_hold_the_gate(tmp_path: Path) -> None:
    write(tmp_path, ".github/workflows/ci.yml", TEST)
    write(tmp_path, ".github/workflows/leaks.yml", NIGHTLY.replace('schedule: [{cron: "17 3 * * *"}]', "pull_request:"))
    assert scan(tmp_path, "--select", "L-CI-01")[0] == 0
    code, assessment = scan(tmp_path, "--select", "L-CI-01", "--exclude", "leaks.yml")
    ((_, reason),) = verdicts(assessment, "L-CI-01")["not_evaluated"]
    assert code == 0
    assert ".github/workflows/leaks.yml, which is left out" in reason


def test_a_definition_that_cannot_be_read_is_a_gap_and_leaves_the_gate_open(tmp_path: Path) -> None:
    write(tmp_path, ".github/workflows/ci.yml", TEST)
    write(tmp_path, ".github/workflows/leaks.yml", "on: [\n${{ x }}\n")
    code, assessment = scan(tmp_path, "--select", "L-CI-01")
    ((_, reason),) = verdicts(assessment, "L-CI-01")["not_evaluated"]
    assert code == 3
    assert "which cannot be read" in reason
    assert [gap["file"] for part in assessment["coverage"] for gap in part["gaps"]] == [".github/workflows/leaks.yml"]


def test_dividing_the_work_changes_nothing(tmp_path: Path) -> None:
    """What one process read calls what another one did."""
    write(tmp_path, ".github/workflows/ci.yml", "on: pull_request\njobs: {a: {uses: ./.github/workflows/z.yml}}\n")
    write(tmp_path, ".github/workflows/z.yml", "on: workflow_call\njobs: {a: {steps: [{run: gitleaks git .}]}}\n")
    write(tmp_path, ".github/workflows/p.yml", PREVIEW)
    for index in range(400):
        write(tmp_path, f"deploy/{index}.yaml", CLEAN.replace("name: web,", f"name: web-{index},") + "#" * 3000 + "\n")
    reports = [scan(tmp_path, "--jobs", jobs, *BOTH)[1] for jobs in ("1", "4")]
    for report in reports:
        report["run"].pop("started")
        report["run"].pop("fingerprint_key_id", None)
    assert reports[0] == reports[1]
    assert verdicts(reports[0], "L-CI-01")["passed"]


CANARY = "plover-and-wader-41"
PACKED = base64.b64encode(CANARY.encode()).decode()
PLANTED = {
    ".github/workflows/ci.yml": (
        f"on: pull_request_target\nenv: {{DB_PASSWORD: {CANARY}}}\npermissions: {{id-token: write}}\njobs:\n  a:\n"
        "    steps:\n"
        f"      - {{uses: azure/login@v2, with: {{client-id: x, password: {CANARY}}}}}\n"
        f"      - {{name: 'gitleaks {CANARY}', run: 'gh pr checkout 1; curl -u admin:{CANARY} https://example.com'}}\n"
        f"      - {{run: 'echo {CANARY} | base64; echo {PACKED}; gitleaks git . || true'}}\n"
    ),
    ".gitlab-ci.yml": f"variables: {{API_TOKEN: {CANARY}}}\na: {{script: ['echo {CANARY}', gitleaks git . || true]}}\n",
    "Jenkinsfile": (
        f"library 'https://ci:{CANARY}@git.example.com/lib'\nenvironment {{ DB_PASSWORD = '{CANARY}' }}\n"
        f"node {{ sh 'gitleaks git . --token {CANARY} || true' }}\n"
    ),
}


@pytest.mark.parametrize("format_", ["console", "json", "sarif", "junit", "html", "markdown", "csv"])
def test_no_report_shows_a_credential_of_a_definition(tmp_path: Path, format_: str) -> None:
    for name, text in PLANTED.items():
        write(tmp_path, name, text)
    done = auditor("scan", ".", "--format", format_, cwd=tmp_path)
    assert done.code == 1
    for form in (CANARY, PACKED):
        assert form not in done.out + done.err
