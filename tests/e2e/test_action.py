"""The front doors of CI: the steps of `action.yml` run as GitHub runs them, and the pre-commit hooks' entries."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.collectors.git.repositories import git, new
from tests.e2e.program import PROGRAM, ROOT, auditor
from tests.e2e.test_scan import CLEAN, LITERAL, write

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
SCAN = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "scan")


def run_step(folder: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run the scan step in `folder` with the action's defaults and `inputs`; also return what it told GitHub."""
    given = {name: str(entry.get("default", "")) for name, entry in ACTION["inputs"].items()} | inputs
    own = folder / "runner"
    program = own / "auditor" / "bin"
    program.mkdir(parents=True)
    (program / "auditor").symlink_to(PROGRAM)
    environment = {
        **os.environ,
        "PATHS": given["paths"],
        "ARGS": given["args"],
        "FAIL_ON": given["fail-on"],
        "SARIF": given["sarif"],
        "HTML": given["html"],
        "AUDITOR": str(program / "auditor"),
        "RUNNER_TEMP": str(own),
        "GITHUB_OUTPUT": str(own / "output"),
        "GITHUB_STEP_SUMMARY": str(own / "summary"),
    }
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", SCAN["run"]],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done, (own / "output").read_text()


def test_the_step_knows_the_environment_that_the_action_gives_it() -> None:
    assert set(SCAN["env"]) == {"PATHS", "ARGS", "FAIL_ON", "SARIF", "HTML", "AUDITOR"}


def test_a_finding_annotates_the_line_and_fails_the_job(tmp_path: Path) -> None:
    write(tmp_path, "deploy/web.yaml", LITERAL)
    done, told = run_step(tmp_path, paths="deploy")
    assert done.returncode == 1, done.stderr
    assert "::error title=K-SEC-01 (critical),file=deploy/web.yaml,line=" in done.stdout
    assert "exit-code=1" in told
    (run,) = json.loads((tmp_path / "auditor.sarif").read_text())["runs"]
    assert {result["ruleId"] for result in run["results"]} >= {"K-SEC-01"}
    assert "K-SEC-01" in (tmp_path / "runner" / "summary").read_text()
    assert (tmp_path / "auditor.html").read_text().lower().startswith("<!doctype html>")
    assert "hunter2" not in done.stdout + done.stderr


def test_a_clean_tree_passes(tmp_path: Path) -> None:
    write(tmp_path, "deploy/web.yaml", CLEAN)
    done, told = run_step(tmp_path, paths="deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exit-code=0" in told


def test_inputs_are_text_and_never_code(tmp_path: Path) -> None:
    write(tmp_path, "web.yaml", CLEAN)
    run_step(tmp_path, paths="web.yaml $(touch$IFS'hacked')", args="; touch hacked")
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    "hook", yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()), ids=lambda hook: hook["id"]
)
def test_a_pre_commit_hook_refuses_a_literal_password(tmp_path: Path, hook: dict[str, str]) -> None:
    new(tmp_path)
    write(tmp_path, "deploy/web.yaml", LITERAL)
    git(tmp_path, "add", "-A")
    program, *arguments = shlex.split(hook["entry"])
    assert program == "auditor"
    files = [] if hook.get("pass_filenames") is False else ["deploy/web.yaml"]
    assert auditor(*arguments, *files, cwd=tmp_path).code == 1
    write(tmp_path, "deploy/web.yaml", CLEAN)
    git(tmp_path, "add", "-A")
    assert auditor(*arguments, *files, cwd=tmp_path).code == 0
