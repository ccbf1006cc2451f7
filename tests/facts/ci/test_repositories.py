"""What the definitions of a repository do together: its gates, and what was not read."""

from typing import Any

import pytest

from auditor.facts.ci.repositories import repositories
from auditor.model.ci import Repository
from tests.facts.ci.builders import GITLAB, WORKFLOW, estate, repository

SCAN = "{run: gitleaks git .}"


def gates(files: dict[str, str] | str, **more: Any) -> list[tuple[str, str]]:
    fact = repository({WORKFLOW: files} if isinstance(files, str) else files, **more)
    return [(gate["effect"], gate["why"]) for gate in fact.body["gates"]]


def workflow(on: str, jobs: str) -> str:
    return f"on: {on}\njobs: {{{jobs}}}"


@pytest.mark.parametrize(
    "on", ["pull_request", "push", "[merge_group]", "pull_request_target", "{push: {branches: ['**']}}"]
)
def test_a_scan_before_a_merge_gates(on: str) -> None:
    assert gates(workflow(on, f"a: {{steps: [{SCAN}]}}")) == [("gates", "")]


@pytest.mark.parametrize(
    ("on", "why"),
    [
        ("{schedule: [{cron: x}]}", "it runs only for a schedule, and no deployment waits for it"),
        ("workflow_dispatch", "it runs only for a person who starts it, and no deployment waits for it"),
        ("{push: {branches: [main]}}", "it runs only for a push to named branches, and no deployment waits for it"),
        ("{push: {tags: [v*]}}", "it runs only for a tag or release, and no deployment waits for it"),
        ("workflow_call", "it runs only for another pipeline, and no deployment waits for it"),
    ],
)
def test_a_scan_that_comes_too_late_is_none(on: str, why: str) -> None:
    assert gates(workflow(on, f"a: {{steps: [{SCAN}]}}")) == [("none", why)]


MAIN = "{push: {branches: [main]}}"
DEPLOY = "d: {needs: a, environment: production, steps: [{run: helm upgrade x .}]}"


def test_a_scan_that_every_deployment_waits_for_gates() -> None:
    assert gates(workflow(MAIN, f"a: {{steps: [{SCAN}]}}, {DEPLOY}")) == [("gates", "")]
    assert gates(workflow(MAIN, f"a: {{steps: [{SCAN}, {{run: kubectl apply -f .}}]}}")) == [("gates", "")]
    assert gates(
        workflow(MAIN, f"a: {{steps: [{SCAN}]}}, b: {{needs: a, steps: []}}, {DEPLOY.replace('a,', 'b,')}")
    ) == [("gates", "")]


def test_a_scan_that_a_deployment_does_not_wait_for_gates_nothing() -> None:
    late = "it runs only for a push to named branches, and no deployment waits for it"
    assert gates(workflow(MAIN, f"a: {{steps: [{SCAN}]}}, {DEPLOY.replace('needs: a,', '')}")) == [("none", late)]
    assert gates(workflow(MAIN, f"a: {{steps: [{{run: kubectl apply -f .}}, {SCAN}]}}")) == [("none", late)]
    files = {
        WORKFLOW: workflow(MAIN, f"a: {{steps: [{SCAN}]}}, {DEPLOY}"),
        ".github/workflows/other.yml": workflow(MAIN, "o: {steps: [{run: terraform apply}]}"),
    }
    other = (
        "it runs only for a push to named branches, and the deployment o of .github/workflows/other.yml does not wait"
    )
    assert gates(files) == [("none", other)]


def test_pages_and_previews_are_no_deployments() -> None:
    pages = "p: {environment: github-pages, steps: [{uses: actions/deploy-pages@v4}]}"
    assert gates(workflow(MAIN, f"a: {{steps: [{SCAN}]}}, {DEPLOY}, {pages}")) == [("gates", "")]
    files = {
        WORKFLOW: workflow(MAIN, f"a: {{steps: [{SCAN}]}}, {DEPLOY}"),
        ".github/workflows/preview.yml": workflow("pull_request", "o: {steps: [{run: helm upgrade x .}]}"),
    }
    assert gates(files) == [("gates", "")]


@pytest.mark.parametrize(
    ("job", "effect"),
    [
        (f"{{if: inputs.scan, steps: [{SCAN}]}}", "unclear"),
        ("{steps: [{run: gitleaks git ., if: env.SCAN == 'y'}]}", "unclear"),
        ("{steps: [{run: make secret-scan}]}", "unclear"),
        (f"{{if: github.event_name == 'schedule', steps: [{SCAN}]}}", "none"),
        (f"{{continue-on-error: true, steps: [{SCAN}]}}", "none"),
        (f"{{if: github.actor != 'renovate', steps: [{SCAN}]}}", "gates"),
    ],
)
def test_conditions_and_ignored_failures_count(job: str, effect: str) -> None:
    assert [found for found, _ in gates(workflow("pull_request", f"a: {job}"))] == [effect]


def test_a_scan_in_a_reusable_workflow_gates_through_its_caller() -> None:
    files = {
        WORKFLOW: workflow("pull_request", "a: {uses: ./.github/workflows/scan.yml}"),
        ".github/workflows/scan.yml": workflow("workflow_call", f"s: {{steps: [{SCAN}]}}"),
    }
    fact = repository(files)
    assert [(gate["effect"], gate["job"], gate["file"]) for gate in fact.body["gates"]] == [
        ("gates", "a / s", WORKFLOW),
        ("none", "s", ".github/workflows/scan.yml"),
    ]
    assert fact.origin.prefix == ("jobs", "a")


def test_gitlab_gates_in_merge_requests_branches_and_before_a_later_stage() -> None:
    assert gates({GITLAB: "a: {script: [gitleaks git .]}"}) == [("gates", "")]
    main = "rules: [{if: $CI_COMMIT_BRANCH == 'main'}]"
    deploy = f"d: {{stage: deploy, script: [kubectl apply -f .], environment: prod, {main}}}"
    assert gates({GITLAB: f"a: {{script: [gitleaks git .], {main}}}\n{deploy}"}) == [("gates", "")]
    assert gates({GITLAB: f"a: {{script: [gitleaks git .], {main}}}\n{deploy[:-1]}, needs: []}}"}) == [
        ("none", "it runs only for a push to named branches, and no deployment waits for it")
    ]
    assert gates({GITLAB: "a: {script: [gitleaks git .], allow_failure: true}"}) == [("none", "its failure is ignored")]


def test_gitlabs_own_template_reports_and_never_fails() -> None:
    files = {GITLAB: "include: [{template: Jobs/Secret-Detection.gitlab-ci.yml}]\na: {script: x}"}
    fact = repository(files)
    assert [(gate["tool"], gate["effect"]) for gate in fact.body["gates"]] == [("GitLab Secret Detection", "unclear")]
    assert fact.origin.prefix == ("include", 0)


def test_an_included_file_is_part_of_the_pipeline() -> None:
    files = {GITLAB: "include: ci/scan.yml\nb: {script: x}", "ci/scan.yml": "a: {script: [gitleaks git .]}"}
    fact = repository(files, included=("ci/scan.yml",))
    assert [(gate["effect"], gate["file"]) for gate in fact.body["gates"]] == [("gates", "ci/scan.yml")]
    assert fact.origin.file == "ci/scan.yml"
    assert [entry["file"] for entry in fact.body["definitions"]] == [GITLAB]


def test_jenkins_gates_what_it_deploys_and_leaves_the_rest_open() -> None:
    scan, deploy = "stage('Scan') { sh 'gitleaks git .' }", "stage('Deploy') { sh 'kubectl apply -f .' }"
    assert gates({"Jenkinsfile": f"node {{\n{scan}\n{deploy}\n}}"}) == [("gates", "")]
    started = "what starts it is not in the definition"
    assert gates({"Jenkinsfile": f"node {{\n{deploy}\n{scan}\n}}"}) == [("unclear", started)]
    assert gates({"Jenkinsfile": f"node {{\n{scan}\n}}"}) == [("unclear", started)]
    assert gates({"Jenkinsfile": "node { catchError { sh 'gitleaks git .' } }"}) == [("none", "its failure is ignored")]


RUN = """\
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {name: %s, annotations: {pipelinesascode.tekton.dev/on-event: "[%s]"}}
spec: {pipelineSpec: {tasks: [{name: a, taskRef: {name: gitleaks}}]}}
"""


def test_tekton_gates_where_the_repository_says_what_starts_it() -> None:
    assert gates({".tekton/pull.yaml": RUN % ("r", "pull_request")}) == [("gates", "")]
    assert gates({"deploy/pipeline.yaml": RUN % ("r", "pull_request")}) == []
    two = f"{RUN % ('r', 'push')}---\n{RUN % ('s', 'pull_request')}"
    fact = repository({".tekton/runs.yaml": two})
    assert [gate["effect"] for gate in fact.body["gates"]] == ["gates", "none"]
    assert (fact.origin.document, fact.origin.prefix) == (1, ("spec", "pipelineSpec", "tasks", 0))


def test_hooks_are_told_and_the_service_that_runs_them() -> None:
    hooks = "repos: [{repo: x, hooks: [{id: detect-secrets}]}]"
    assert repository({".pre-commit-config.yaml": hooks}).body["hooks"] == {
        "tools": ["detect-secrets"],
        "service": False,
    }
    assert repository({".pre-commit-config.yaml": f"ci: {{}}\n{hooks}"}).body["hooks"]["service"]
    staged = "ci: {}\nrepos: [{repo: x, hooks: [{id: gitleaks}]}]"
    assert repository({".pre-commit-config.yaml": staged}).body["hooks"] == {"tools": ["gitleaks"], "service": False}
    assert repository({WORKFLOW: workflow("push", "a: {steps: []}")}).body["hooks"] == {"tools": [], "service": False}


def test_what_may_hold_a_gate_and_is_not_read_is_listed() -> None:
    files = {
        WORKFLOW: workflow("push", "a: {uses: acme/p/.github/workflows/x.yml@v1}"),
        ".circleci/config.yml": "x",
        "tools/Jenkinsfile": "node { sh 'gitleaks git .' }",
        "examples/.github/workflows/x.yml": workflow("push", f"a: {{steps: [{SCAN}]}}"),
    }
    fact = repository(files, left_out=(".gitlab",), lost=(".github/workflows/broken.yml", "app/broken.yaml"))
    assert fact.body["unread"] == [
        ".github/workflows/broken.yml, which cannot be read",
        "tools/Jenkinsfile, if Jenkins runs it",
        ".gitlab, which is left out",
        ".circleci/config.yml (CircleCI)",
        "the reusable workflow acme/p/.github/workflows/x.yml@v1",
    ]
    assert fact.body["gates"] == []


def test_whether_anything_runs_for_changes_is_told() -> None:
    assert repository({WORKFLOW: workflow("push", "a: {steps: []}")}).body["runs_for_changes"] is True
    assert repository({WORKFLOW: workflow("issues", "a: {steps: []}")}).body["runs_for_changes"] is False
    assert repository({".pre-commit-config.yaml": "repos: []"}).body["runs_for_changes"] is False


def test_definitions_belong_to_the_innermost_repository() -> None:
    files = {
        f"{folder}.github/workflows/ci.yml": workflow("push", f"a: {{steps: [{SCAN}]}}") for folder in ("", "a/b/")
    }
    found = [Repository(folder="."), Repository(folder="a/b"), Repository(folder="c")]
    facts = repositories(found, estate(files).definitions, ())
    assert [(fact.name, len(fact.body["gates"])) for fact in facts] == [(".", 1), ("a/b", 1), ("c", 0)]
    assert facts[0].id == "fact/repository:/."


def test_a_finding_points_to_the_nearest_scan_or_to_where_one_belongs() -> None:
    files = {
        ".github/workflows/a.yml": workflow("{schedule: [{cron: x}]}", "a: {steps: []}"),
        ".github/workflows/b.yml": workflow("pull_request", "a: {steps: [{run: make}]}"),
    }
    fact = repository(files)
    assert (fact.origin.file, fact.origin.prefix) == (".github/workflows/b.yml", ())
    assert [what for what, _, _ in fact.related] == [
        "CI definition .github/workflows/b.yml",
        "CI definition .github/workflows/a.yml",
    ]
    files[".github/workflows/a.yml"] = workflow("{schedule: [{cron: x}]}", f"a: {{steps: [{{run: x}}, {SCAN}]}}")
    fact = repository(files)
    assert (fact.origin.file, fact.origin.prefix) == (".github/workflows/a.yml", ("jobs", "a", "steps", 1))
    assert repository({".pre-commit-config.yaml": "repos: []"}).origin.line is None


def test_the_order_of_the_input_does_not_matter() -> None:
    files = {f".github/workflows/{name}.yml": workflow("push", f"{name}: {{steps: [{SCAN}]}}") for name in "cab"}
    assert repository(files) == repository(dict(reversed(files.items())))
