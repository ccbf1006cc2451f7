"""`auditor scan` as its users meet it: exit codes, places, wrong input, pipes."""

import json
from pathlib import Path

import pytest

from tests.e2e.program import auditor

LITERAL = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  automountServiceAccountToken: false
  serviceAccountName: web
  containers:
    - name: web
      image: registry.example/web:1
      env:
        - name: DB_PASS
          value: hunter2
"""
CLEAN = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  automountServiceAccountToken: false
  serviceAccountName: web
  containers:
    - name: web
      image: registry.example/web:1
      env:
        - name: DB_PASSWORD_FILE
          value: /run/secrets/db
"""


def write(folder: Path, name: str, text: str | bytes) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_a_literal_password_fails_at_its_line_and_is_never_shown(tmp_path: Path) -> None:
    write(tmp_path, "deploy/web.yaml", LITERAL)
    done = auditor("scan", "deploy", cwd=tmp_path)
    assert done.code == 1
    assert "critical[K-SEC-01]" in done.out
    # The item, not the head of the document.
    assert "deploy/web.yaml:11:" in done.out or "deploy/web.yaml:12:" in done.out
    assert "DB_PASS" in done.out
    assert "hunter2" not in done.out + done.err
    assert "Traceback" not in done.err


def test_a_reference_to_a_file_is_no_finding(tmp_path: Path) -> None:
    write(tmp_path, "deploy/web.yaml", CLEAN)
    done = auditor("scan", "deploy", cwd=tmp_path)
    assert (done.code, "fail" in done.out) == (0, True), done.out
    assert "K-SEC-01" not in done.out


def test_standard_input_is_judged(tmp_path: Path) -> None:
    done = auditor("scan", "-", cwd=tmp_path, stdin=LITERAL.encode())
    assert done.code == 1
    assert "-:11:" in done.out or "-:12:" in done.out


def test_fail_on_decides_the_exit_code_and_not_the_report(tmp_path: Path) -> None:
    text = CLEAN.replace("value: /run/secrets/db", "valueFrom: {secretKeyRef: {name: db, key: password}}")
    write(tmp_path, "web.yaml", text)
    low = auditor("scan", ".", "--select", "K-SEC-02", cwd=tmp_path)
    assert "low[K-SEC-02]" in low.out
    assert low.code == 0
    assert auditor("scan", ".", "--select", "K-SEC-02", "--fail-on", "low", cwd=tmp_path).code == 1


def test_what_cannot_be_read_makes_the_run_incomplete(tmp_path: Path) -> None:
    """Law 2: never green without proof."""
    write(tmp_path, "good.yaml", CLEAN)
    write(tmp_path, "broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x\nspec: [\n")
    done = auditor("scan", ".", cwd=tmp_path)
    assert done.code == 3, done.out + done.err
    assert "broken.yaml" in done.out
    assert auditor("scan", ".", "--allow-incomplete", cwd=tmp_path).code == 0


def test_the_rest_of_a_broken_input_is_still_judged(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", LITERAL + "---\nfoo: [\n")
    done = auditor("scan", ".", cwd=tmp_path)
    assert done.code == 1
    assert "K-SEC-01" in done.out


WRONG_USE = {
    "a path that is not there": (["scan", "nowhere"], "nowhere"),
    "an unknown format": (["scan", ".", "--format", "docx"], "docx"),
    "a report without a file": (["scan", ".", "--report", "html"], "names no file"),
    "a policy that does not exist": (["scan", ".", "--select", "K-NOPE-*"], "matches no policy"),
    "an unknown option": (["scan", ".", "--frobnicate"], "frobnicate"),
    "a configuration that is not there": (["scan", ".", "--config", "none.yaml"], "none.yaml"),
    "a missing waivers file": (["scan", ".", "--waivers", "none.yaml"], "none.yaml"),
    "a missing baseline": (["scan", ".", "--baseline", "none.json"], "none.json"),
    "a report in a folder that is not there": (["scan", ".", "--report", "html=no/x.html"], "does not exist"),
    "an unknown command": (["scam"], "scam"),
    "an unknown policy": (["policy", "show", "K-NOPE-01"], "K-NOPE-01"),
    "an unknown framework": (["frameworks", "show", "iso"], "iso"),
    "a report of something that is no assessment": (["report", "web.yaml"], "web.yaml"),
}


@pytest.mark.parametrize("case", WRONG_USE)
def test_wrong_use_is_refused_with_what_to_do_next(tmp_path: Path, case: str) -> None:
    arguments, words = WRONG_USE[case]
    write(tmp_path, "web.yaml", CLEAN)
    done = auditor(*arguments, cwd=tmp_path)
    assert done.code == 2, done.out + done.err
    assert words in done.err
    assert "Traceback" not in done.err
    assert "hint:" in done.err or "for help" in done.err


def test_a_run_that_found_nothing_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "notes.txt", "nothing")
    done = auditor("scan", ".", cwd=tmp_path)
    assert done.code == 2
    assert "nothing to judge" in done.err


def test_a_wrong_configuration_key_names_its_line(tmp_path: Path) -> None:
    write(tmp_path, "web.yaml", CLEAN)
    write(tmp_path, "auditor.yaml", "tags: [cde]\nfail_on: high\n")
    done = auditor("scan", ".", cwd=tmp_path)
    assert done.code == 2
    assert "auditor.yaml:2:1: unknown key `fail_on`" in done.err


def test_reports_go_to_files_and_standard_output_holds_one(tmp_path: Path) -> None:
    write(tmp_path, "web.yaml", LITERAL)
    done = auditor("scan", ".", "--format", "json", "--report", "sarif=out.sarif", cwd=tmp_path)
    assert json.loads(done.out)["findings"]
    assert json.loads((tmp_path / "out.sarif").read_text())["version"] == "2.1.0"
    assert "wrote sarif to out.sarif" in done.err


def test_the_answer_does_not_depend_on_how_many_processes_share_the_work(tmp_path: Path) -> None:
    for number in range(300):
        write(tmp_path, f"{number:03}.yaml", LITERAL.replace("name: web, ", f"name: web-{number}, "))
    key = {"AUDITOR_FINGERPRINT_KEY": "a key for this test only"}
    one, many = (
        json.loads(auditor("scan", ".", "--format", "json", "--jobs", jobs, cwd=tmp_path, env=key).out)
        for jobs in ("1", "3")
    )
    for answer in (one, many):
        del answer["run"]["started"]
    assert one == many
    assert len(one["findings"]) >= 300


def test_a_user_policy_runs_beside_the_library(tmp_path: Path) -> None:
    write(tmp_path, "web.yaml", CLEAN.replace("web:1", "web"))
    assert auditor("policy", "new", "ACME-01", "--out", "rules", cwd=tmp_path).code == 0
    done = auditor("scan", "web.yaml", "--policy", "rules", cwd=tmp_path)
    assert "medium[ACME-01]" in done.out
    assert done.code == 1


def test_severity_and_parameters_come_from_the_configuration(tmp_path: Path) -> None:
    write(tmp_path, "web.yaml", LITERAL)
    write(tmp_path, "auditor.yaml", "severity: {K-SEC-01: info}\nselect: [K-SEC-01]\n")
    done = auditor("scan", "web.yaml", cwd=tmp_path)
    assert "info[K-SEC-01]" in done.out
    assert done.code == 0


def test_version_answers_alone(tmp_path: Path) -> None:
    done = auditor("--version", cwd=tmp_path)
    assert done.code == 0
    assert done.out.startswith("auditor 0.")


@pytest.mark.parametrize("command", ["scan", "report", "baseline", "diff", "policy", "frameworks"])
def test_help_of_every_command_shows_an_example(tmp_path: Path, command: str) -> None:
    done = auditor(command, "--help", cwd=tmp_path)
    assert done.code == 0
    assert f"auditor {command}" in done.out
