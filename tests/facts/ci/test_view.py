"""The view `ci`, as `docs/views.md` promises it."""

import pickle

from auditor.facts.views import views
from auditor.model.resource import parse_pointer
from tests.facts.builders import NOW, WORKLOADS
from tests.facts.ci.builders import GITLAB, WORKFLOW, estate, read, seen
from tests.facts.test_views import COMMON, PAGE, promised

TEXT = """\
on:
  push: {branches: [main], tags: [v*]}
  pull_request: {}
jobs:
  a:
    permissions: {id-token: write}
    steps: [{uses: gitleaks/gitleaks-action@v2}]
  b:
    needs: a
    if: github.ref == 'refs/heads/main'
    environment: production
    steps:
      - {uses: azure/login@v2, with: {client-id: x}}
      - {run: kubectl apply -f .}
"""


def test_the_page_and_the_program_name_the_same_variables() -> None:
    assert set(seen(TEXT)) == COMMON | promised("`ci`")
    trust = '{"Statement": [{"Action": "sts:AssumeRoleWithWebIdentity"}]}'
    built = estate({"t.json": trust})
    assert built.ci == []
    (resource,) = read({"t.json": trust})
    assert set(views(resource, built, workloads=WORKLOADS, now=NOW).variables) == COMMON | promised("`ci_trust`")


def test_a_workflow_in_the_view() -> None:
    found = seen(TEXT)
    assert found["system"] == "github"
    assert [(entry["event"], entry["start"], entry["path"]) for entry in found["triggers"]] == [
        ("push", "release", "/on/push"),
        ("push", "main", "/on/push"),
        ("pull_request", "merge", "/on/pull_request"),
    ]
    first, second = found["jobs"]
    assert (first["name"], first["token"], first["deploys"], first["events"]) == (
        "a",
        True,
        False,
        ["pull_request", "push"],
    )
    assert (second["after"], second["environment"], second["deploys"], second["events"]) == (
        ["a"],
        "production",
        True,
        ["push"],
    )
    assert [(scan["job"], scan["tool"], scan["blocking"]) for scan in found["scans"]] == [("a", "gitleaks", "yes")]
    assert [(login["job"], login["environment"]) for login in found["logins"]] == [("b", "production")]


def test_every_item_is_in_the_file_that_it_is_said_of() -> None:
    files = {GITLAB: "include: ci/a.yml\nb: {script: x}", "ci/a.yml": "a: {script: [gitleaks git .]}"}
    main, part = (seen(files, file, included=("ci/a.yml",)) for file in files)
    assert [job["name"] for job in main["jobs"]] == ["b"]
    assert [job["name"] for job in part["jobs"]] == ["a"]
    assert [scan["path"] for scan in part["scans"]] == ["/a"]
    assert (len(main["triggers"]), part["triggers"]) == (1, [])


def test_a_reusable_workflow_is_said_where_it_is_called() -> None:
    files = {
        WORKFLOW: "on: push\njobs: {a: {uses: ./.github/workflows/b.yml}}",
        ".github/workflows/b.yml": "on: workflow_call\njobs: {b: {steps: [{run: gitleaks git .}]}}",
    }
    assert [parse_pointer(scan["path"]) for scan in seen(files)["scans"]] == [("jobs", "a")]


def test_a_tekton_pipeline_has_both_views() -> None:
    spec = "{tasks: [{name: a, taskRef: {name: gitleaks}}]}"
    text = f"apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {{name: p}}\nspec: {spec}"
    built = estate({"p.yaml": text})
    (resource,) = built.ci
    found = views(resource, built, workloads=WORKLOADS, now=NOW)
    assert found.names == {"object", "pod_spec", "ci"}
    assert found.variables["system"] == "tekton"
    assert [scan["tool"] for scan in found.variables["scans"]] == ["gitleaks"]


def test_an_estate_that_travelled_gives_the_same_view() -> None:
    built = estate({WORKFLOW: TEXT})
    (resource,) = built.ci
    before = views(resource, built, workloads=WORKLOADS, now=NOW)
    travelled = pickle.loads(pickle.dumps(built))  # noqa: S301 - our own
    assert views(resource, travelled, workloads=WORKLOADS, now=NOW) == before


def test_the_page_names_every_word_of_the_view() -> None:
    from auditor.facts.ci.gates import Effect
    from auditor.facts.ci.logins import By
    from auditor.facts.ci.scans import Blocking
    from auditor.facts.ci.shape import Start
    from auditor.facts.ci.subjects import Kind

    words = [*Effect, *By, *Blocking, *Kind, *(start.name.lower() for start in Start)]
    assert [word for word in words if f"`{word}`" not in PAGE and f'`"{word}"`' not in PAGE] == []
