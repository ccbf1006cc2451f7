"""The table of what steps of a pipeline mean."""

import re
import time
from typing import Any

import pytest
import yaml

from auditor import ci_tools, data
from auditor.facts.ci.shape import command_lines

RAW: Any = yaml.safe_load((data.policies() / "ci-tools.yaml").read_text(encoding="utf-8"))


def test_every_scanner_can_be_met_and_is_met_by_one_name() -> None:
    names = [entry["name"] for entry in RAW["scanners"]]
    assert len(names) == len(set(names))
    for entry in RAW["scanners"]:
        assert entry.keys() & {"actions", "command", "templates", "hooks"}, entry["name"]
        assert not {"fails_with", "ignores"} & entry.keys() or entry.keys() & {"actions", "command"}


def test_actions_are_in_lower_case_and_without_a_version() -> None:
    """They are compared with what a workflow says in lower case, without what follows the `@`."""
    actions = [action for entry in RAW["scanners"] for action in entry.get("actions", ())]
    actions += [entry["action"] for entry in RAW["logins"]]
    actions += [*RAW["deploys"]["actions"], *RAW["hook_runners"]["actions"]]
    assert all(re.fullmatch(r"[a-z0-9_.-]+(/[a-z0-9_.-]+)+", action) for action in actions)


def test_hooks_look_at_files_or_at_what_is_staged() -> None:
    assert {what for entry in RAW["scanners"] for what in entry.get("hooks", {}).values()} <= {"files", "staged"}


def test_the_table_is_read_once() -> None:
    assert ci_tools.load() is ci_tools.load()


@pytest.mark.parametrize(
    ("line", "deploys"),
    [
        ("kubectl apply -f .", True),
        ("kubectl -n shop rollout restart deploy/web", True),
        ("helm upgrade --install web .", True),
        ("terraform -chdir=infra apply -auto-approve", True),
        ("aws ecs update-service --cluster c", True),
        ("kubectl get pods", False),
        ("helm lint .", False),
        ("terraform plan", False),
        ("docker build .", False),
    ],
)
def test_commands_that_deploy_are_known(line: str, deploys: bool) -> None:
    assert bool(ci_tools.load().deploy_command.search(line)) is deploys


@pytest.mark.parametrize(
    ("name", "deploys"),
    [("deploy-prod", True), ("Deploy", True), ("rollout", True), ("build", False), ("redeployed", False)],
)
def test_names_of_jobs_that_deploy_are_known(name: str, deploys: bool) -> None:
    assert bool(ci_tools.load().deploy_names.search(name)) is deploys


@pytest.mark.parametrize(
    "line",
    [
        "gitleaks version",
        "brew install gitleaks",
        "go install github.com/zricethezav/gitleaks/v8@latest",
        "curl -sSfL https://github.com/gitleaks/gitleaks/releases/download/v8/gitleaks.tar.gz | tar xz",
        "pip install detect-secrets trufflehog3",
        "docker pull zricethezav/gitleaks:latest",
        "trufflehog --version",
        "apt-get install -y git-secrets",
        "git secrets --install",
        "trivy image shop",
        "npm install secretlint@8",
        "ggshield auth login",
    ],
)
def test_a_command_that_only_gets_a_scanner_is_no_scan(line: str) -> None:
    tools = ci_tools.load()
    assert [scanner.name for scanner in tools.scanners if scanner.command.search(line)] == []


def test_no_pattern_takes_long() -> None:
    """Lines of scripts are not ours; what is longer than this is cut before it is looked at."""
    tools = ci_tools.load()
    parts = (
        "gitleaks -a=b ",
        "trivy --x y ",
        "kubectl -n x ",
        "${{ github.",
        "a/",
        "-",
        "secret ",
        "pre-commit run x ",
    )
    long = max(len(command_lines(part * 1000)[0]) for part in parts)
    assert long < 5000
    patterns = [scanner.command for scanner in tools.scanners]
    patterns += [tools.hook_command, tools.hints, tools.deploy_command, tools.foreign_text, tools.foreign_refs]
    for pattern in patterns:
        for part in parts:
            start = time.process_time()
            pattern.search((part * 1000)[:long])
            assert time.process_time() - start < 0.5, f"{pattern.pattern} on {part}"
