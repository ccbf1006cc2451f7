"""GitLab pipelines in the shape that all systems share."""

import pytest

from auditor.facts.ci.shape import Definition, Job
from tests.facts.ci.builders import GITLAB, definition


def pipeline(text: str, *included: str) -> Definition:
    files = {GITLAB: text} | {f"ci/{index}.yml": content for index, content in enumerate(included)}
    return definition(files, GITLAB, included=tuple(files)[1:])


def job(text: str, name: str = "a", *included: str) -> Job:
    return next(found for found in pipeline(text, *included).jobs if found.name == name)


def starts(found: Job) -> list[str]:
    return [start.name for _, start in found.starts]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a: {script: x}", ["BRANCH"]),
        ("a: {script: x, rules: [{if: $CI_PIPELINE_SOURCE == 'merge_request_event'}]}", ["MERGE"]),
        ("a: {script: x, rules: [{if: $CI_COMMIT_TAG, when: never}, {when: on_success}]}", ["BRANCH"]),
        ("a: {script: x, rules: [{when: never}]}", []),
        ("a: {script: x, rules: [{if: $CI_COMMIT_BRANCH == 'main', when: manual}]}", ["MANUAL"]),
        ("a: {script: x, rules: [{if: $CI_COMMIT_BRANCH == 'main', when: manual, allow_failure: false}]}", ["MAIN"]),
        ("a: {script: x, only: [merge_requests, main]}", ["MERGE", "MAIN"]),
        ("a: {script: x, only: {refs: [tags]}}", ["RELEASE"]),
        ("a: {script: x, except: [tags]}", ["BRANCH"]),
        ("a: {script: x, only: [/^release/]}", ["BRANCH"]),
        ("a: {script: x, when: never}", []),
        ("workflow: {rules: [{if: $CI_PIPELINE_SOURCE == 'merge_request_event'}]}\na: {script: x}", ["MERGE"]),
        (
            "workflow: {rules: [{if: $CI_COMMIT_BRANCH == 'main'}]}\na: {script: x, rules: [{if: $CI_COMMIT_BRANCH}]}",
            ["MAIN"],
        ),
        ("workflow: {rules: [{if: $X == 'y'}]}\na: {script: x}", ["BRANCH"]),
        (".a: {only: [tags]}\na: {extends: .a, script: x}", ["RELEASE"]),
        (".a: {only: [tags]}\n.b: {extends: .a}\na: {extends: [.b], script: x}", ["RELEASE"]),
    ],
)
def test_rules_say_for_what_a_job_runs(text: str, wanted: list[str]) -> None:
    assert starts(job(text)) == wanted
    assert not job(text).unsure


@pytest.mark.parametrize(
    "text",
    [
        "a: {script: x, rules: [{if: $SCAN == 'true'}]}",
        "a: {script: x, rules: [{changes: [src/*]}]}",
        "a: {script: x, only: {changes: [src/*]}}",
        "a: {script: x, only: {variables: [$SCAN]}}",
    ],
)
def test_a_condition_that_is_not_plain_leaves_it_open(text: str) -> None:
    assert job(text).unsure


def test_stages_and_needs_give_the_order() -> None:
    text = """\
stages: [scan, build, deploy]
a: {stage: scan, script: x}
b: {stage: build, script: x}
c: {stage: deploy, script: x}
d: {stage: deploy, script: x, needs: []}
e: {stage: deploy, script: x, needs: [{job: b}]}
f: {script: x, stage: .pre}
"""
    after = {found.name: set(found.after) for found in pipeline(text).jobs}
    assert after == {"a": {"f"}, "b": {"a", "f"}, "c": {"a", "b", "f"}, "d": set(), "e": {"a", "b", "f"}, "f": set()}


def test_includes_are_merged_and_a_job_stands_where_it_is_written_last() -> None:
    found = pipeline(
        "include: ['ci/0.yml', 'ci/1.yml']\nb: {allow_failure: true}\ndefault: {before_script: [setup]}",
        "a: {script: [one]}\nb: {script: [two]}",
        ".c: {script: [three]}\nc: {extends: .c}",
    )
    jobs = {entry.name: entry for entry in found.jobs}
    assert {name: entry.file for name, entry in jobs.items()} == {"a": "ci/0.yml", "b": GITLAB, "c": "ci/1.yml"}
    assert [step.commands for step in jobs["c"].steps] == [("setup",), ("three",)]
    assert jobs["b"].ignored
    assert found.unread == ()


def test_what_is_included_from_elsewhere_is_unread_but_for_templates() -> None:
    text = """\
include:
  - {project: acme/pipelines, file: /scan.yml}
  - {remote: "https://example.com/x.yml"}
  - {component: gitlab.com/acme/scan@1}
  - {template: Jobs/Build.gitlab-ci.yml}
  - {local: missing.yml}
  - https://example.com/y.yml
a: {trigger: acme/other}
"""
    found = pipeline(text)
    assert found.unread == (
        "the include of acme/pipelines",
        "the include of https://example.com/x.yml",
        "the include of gitlab.com/acme/scan@1",
        "the included file missing.yml",
        "the include of https://example.com/y.yml",
    )
    assert found.jobs[0].unread == ("the pipeline that its job a starts",)


def test_references_scripts_variables_and_tokens_are_read() -> None:
    text = """\
variables: {A: "1", B: {value: "2", description: x}}
.setup: {script: [prepare, [nested]]}
a:
  before_script: [!reference [.setup, script]]
  script: [run, "again # no comment"]
  after_script: [clean]
  variables: {C: 3}
  id_tokens: {T: {aud: [https://vault.example.com, x]}}
  environment: {name: prod}
  allow_failure: {exit_codes: [1]}
"""
    found = job(text)
    assert [(step.commands, step.ignored) for step in found.steps] == [
        (("prepare", "nested"), False),
        (("run", "again"), False),
        (("clean",), True),
    ]
    assert found.steps[0].env == {"A": "1", "B": "2", "C": "3"}
    assert found.audiences == (("https://vault.example.com x", ("a", "id_tokens", "T")),)
    assert (found.token, found.environment, found.ignored) == (True, "prod", True)


def test_a_job_that_waits_for_a_person_may_be_left_out() -> None:
    assert job("a: {script: x, when: manual}").ignored
    assert not job("a: {script: x, when: manual, allow_failure: false}").ignored


def test_an_environment_that_is_stopped_is_none() -> None:
    assert job("a: {script: x, environment: {name: prod, action: stop}}").environment == ""


def test_bases_that_extend_each_other_end() -> None:
    text = "\n".join(f".b{n}: {{extends: [.b{n + 1}, .b{n + 1}, .b{n + 2}]}}" for n in range(60))
    assert starts(job(f"{text}\n.b60: {{extends: .b0, only: [tags]}}\na: {{extends: .b0, script: x}}"))
