"""GitHub workflows in the shape that all systems share."""

import pytest

from auditor.facts.ci.shape import Start
from tests.facts.ci.builders import WORKFLOW, definition, job


def starts(on: str) -> list[tuple[str, str]]:
    return [(event, start.name) for event, start in definition(f"on: {on}\njobs: {{a: {{steps: []}}}}").starts]


@pytest.mark.parametrize(
    ("on", "wanted"),
    [
        ("push", [("push", "BRANCH")]),
        ("[push, pull_request]", [("push", "BRANCH"), ("pull_request", "MERGE")]),
        ("{push: null}", [("push", "BRANCH")]),
        ("{push: {branches: [main]}}", [("push", "MAIN")]),
        ("{push: {branches: ['release/*']}}", [("push", "MAIN")]),
        ("{push: {branches: ['**']}}", [("push", "BRANCH")]),
        ("{push: {branches: [main, 'feature/**']}}", [("push", "BRANCH")]),
        ("{push: {branches-ignore: [main]}}", [("push", "BRANCH")]),
        ("{push: {tags: ['v*']}}", [("push", "RELEASE")]),
        ("{push: {branches: [main], tags: ['v*']}}", [("push", "RELEASE"), ("push", "MAIN")]),
        ("{pull_request: {branches: [main]}}", [("pull_request", "MERGE")]),
        ("{pull_request: {types: [closed]}}", [("pull_request", "MAIN")]),
        ("{merge_group: {}}", [("merge_group", "MERGE")]),
        ("{schedule: [{cron: '0 0 * * *'}]}", [("schedule", "SCHEDULE")]),
        ("{workflow_dispatch: {}, workflow_call: {}}", [("workflow_dispatch", "MANUAL"), ("workflow_call", "CALLED")]),
        ("{release: {types: [published]}}", [("release", "RELEASE")]),
        ("issue_comment", [("issue_comment", "EVENT")]),
    ],
)
def test_events_say_for_what_a_workflow_runs(on: str, wanted: list[tuple[str, str]]) -> None:
    assert starts(on) == wanted


@pytest.mark.parametrize(
    ("on", "unsure"),
    [
        ("{pull_request: {paths: ['docs/**']}}", True),
        ("{pull_request: {types: [labeled]}}", True),
        ("{pull_request: {types: [opened, labeled]}}", False),
        ("{pull_request: {paths: [x]}, push: {}}", False),
        ("{pull_request: {paths-ignore: ['**.md']}}", False),
    ],
)
def test_a_trigger_that_takes_only_some_changes_leaves_it_open(on: str, unsure: bool) -> None:
    assert bool(job(f"on: {on}\njobs: {{a: {{steps: []}}}}", "a").unsure) is unsure


def test_a_job_knows_its_rights_order_environment_and_steps() -> None:
    text = """\
on: push
env: {A: "1"}
permissions: {contents: read}
jobs:
  a: {steps: []}
  b: {needs: a, steps: []}
  c:
    needs: [b]
    permissions: {id-token: write}
    environment: {name: production, url: x}
    continue-on-error: true
    env: {B: "2"}
    steps:
      - {name: x, id: do, uses: Acme/Do-It@v1, with: {count: 3, fast: true}, if: always(), continue-on-error: true}
      - run: |
          # a comment
          one \\
            --two # why
          echo "a # b"
"""
    found = job(text, "c")
    assert found.after == {"a", "b"}
    assert (found.token, found.environment, found.ignored) == (True, "production", True)
    first, second = found.steps
    assert (first.uses, first.inputs, first.ignored, first.id) == (
        "acme/do-it",
        {"count": "3", "fast": "true"},
        True,
        "do",
    )
    assert second.commands == ("one    --two", 'echo "a # b"')
    assert second.env == {"A": "1", "B": "2"}
    assert second.path == ("jobs", "c", "steps", 1)
    assert job(text, "a").token is False


def test_rights_of_the_workflow_hold_for_jobs_that_say_nothing() -> None:
    text = "on: push\npermissions: write-all\njobs: {a: {steps: []}, b: {permissions: {}, steps: []}}"
    assert [found.token for found in definition(text).jobs] == [True, False]


def test_a_reusable_workflow_is_read_in_the_place_of_its_call() -> None:
    files = {
        WORKFLOW: """\
on: pull_request
jobs:
  build: {steps: []}
  scan: {needs: build, uses: ./.github/workflows/scan.yml}
  deploy: {needs: scan, steps: []}
""",
        ".github/workflows/scan.yml": """\
on: workflow_call
jobs:
  leaks: {steps: [{run: gitleaks git .}]}
  more: {needs: leaks, uses: ./.github/workflows/ci.yml}
""",
    }
    jobs = {found.name: found for found in definition(files).jobs}
    inner = jobs["scan / leaks"]
    assert inner.starts == (("pull_request", Start.MERGE),)
    assert inner.after == {"build"}
    assert inner.file == ".github/workflows/scan.yml"
    assert inner.at == ("jobs", "scan")
    assert {"scan", "scan / leaks", "scan / more"} <= jobs["deploy"].after


def test_a_composite_action_is_read_in_the_place_of_its_step() -> None:
    files = {
        WORKFLOW: "on: push\njobs: {a: {steps: [{uses: ./.github/actions/scan, if: github.event_name == 'push'}]}}",
        ".github/actions/scan/action.yml": "runs: {using: composite, steps: [{run: gitleaks git ., shell: bash}]}",
    }
    (found,) = definition(files).jobs
    assert [step.commands for step in found.steps] == [(), ("gitleaks git .",)]
    assert found.steps[1].path == ("jobs", "a", "steps", 0)
    assert found.steps[1].condition == "(github.event_name == 'push')"


def test_actions_that_call_themselves_end() -> None:
    action = "runs: {using: composite, steps: [{uses: ./a}, {uses: ./a}]}"
    files = {WORKFLOW: "on: push\njobs: {a: {steps: [{uses: ./a}]}}", "a/action.yml": action}
    assert len(definition(files).jobs[0].steps) < 100


def test_a_workflow_of_another_repository_is_listed_as_unread() -> None:
    text = "on: push\njobs: {a: {uses: acme/pipelines/.github/workflows/scan.yml@v1}}"
    assert job(text, "a").unread == ("the reusable workflow acme/pipelines/.github/workflows/scan.yml@v1",)
