"""Logins of jobs, and whose code runs beside them."""

from typing import Any

import pytest

from tests.facts.ci.builders import GITLAB, WORKFLOW, seen


def logins(step: str, *, on: str = "push", job: str = "", env: str = "{}") -> list[dict[str, Any]]:
    text = f"on: {on}\npermissions: {{id-token: write}}\nenv: {env}\njobs:\n  a:\n    {job or 'name: a'}\n    steps:\n"
    found: list[dict[str, Any]] = seen(f"{text}      - {step}\n")["logins"]
    return found


AWS = "{uses: aws-actions/configure-aws-credentials@v4, with: {role-to-assume: 'arn:aws:iam::1:role/x'}}"


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        (AWS, ("aws", "oidc", "arn:aws:iam::1:role/x")),
        (
            AWS.replace("role-to-assume", "aws-secret-access-key: '${{ secrets.B }}', role-to-assume"),
            ("aws", "static-key", "arn:aws:iam::1:role/x"),
        ),
        ("{uses: azure/login@v2, with: {client-id: '${{ vars.ID }}'}}", ("azure", "oidc", "${{ vars.ID }}")),
        ("{uses: azure/login@v2, with: {creds: '${{ secrets.CREDS }}'}}", ("azure", "static-key", "")),
        (
            "{uses: google-github-actions/auth@v2, with: {workload_identity_provider: p, service_account: s}}",
            ("google", "oidc", "s"),
        ),
        (
            "{uses: google-github-actions/auth@v2, with: {credentials_json: '${{ secrets.G }}'}}",
            ("google", "static-key", ""),
        ),
        ("{uses: hashicorp/vault-action@v3, with: {method: jwt, role: ci}}", ("vault", "oidc", "ci")),
        ("{uses: hashicorp/vault-action@v3, with: {token: '${{ secrets.V }}'}}", ("vault", "static-key", "")),
        (
            "{run: aws sts assume-role-with-web-identity --role-arn arn:aws:iam::1:role/y --role-session-name z}",
            ("aws", "oidc", "arn:aws:iam::1:role/y"),
        ),
        ("{run: az login --service-principal -u me --federated-token $T}", ("azure", "oidc", "me")),
        ("{run: vault write -field=token auth/jwt/login role=ci jwt=$T}", ("vault", "oidc", "ci")),
        ("{run: x, env: {AWS_SECRET_ACCESS_KEY: '${{ secrets.K }}'}}", ("aws", "static-key", "")),
        ("{run: x, env: {AWS_SECRET_ACCESS_KEY: written-in-plain-7}}", ("aws", "static-key", "")),
        ("{run: x, env: {ARM_USE_OIDC: true, ARM_CLIENT_ID: me}}", ("azure", "oidc", "me")),
    ],
)
def test_a_login_is_known_with_its_way_and_identity(step: str, wanted: tuple[str, str, str]) -> None:
    (found,) = logins(step)
    assert (found["provider"], found["by"], found["identity"]) == wanted
    assert found["path"] == "/jobs/a/steps/0"


@pytest.mark.parametrize(
    "step",
    [
        "{uses: azure/login@v2, with: {auth-type: IDENTITY, client-id: x}}",
        "{uses: aws-actions/configure-aws-credentials@v4, with: {role-to-assume: r, web-identity-token-file: f}}",
        "{uses: aws-actions/configure-aws-credentials@v4, with: {aws-region: x}}",
        "{uses: hashicorp/vault-action@v3, with: {method: kubernetes, role: x}}",
        "{run: x, env: {AWS_SECRET_ACCESS_KEY: '${{ steps.login.outputs.key }}'}}",
        "{run: x, env: {AWS_SECRET_ACCESS_KEY: ''}}",
        "{uses: actions/checkout@v4}",
    ],
)
def test_what_is_no_login_with_a_token_or_a_stored_key_is_none(step: str) -> None:
    assert logins(step) == []


def test_a_key_in_the_variables_of_a_workflow_is_one_login_of_a_job() -> None:
    found = logins("{run: x}\n      - {run: y}", env="{AWS_SECRET_ACCESS_KEY: '${{ secrets.K }}'}")
    assert [(login["provider"], login["path"]) for login in found] == [("aws", "/jobs/a/steps/0")]


def test_tokens_of_gitlab_say_for_whom_they_are() -> None:
    text = "a: {script: x, id_tokens: {A: {aud: https://vault.example.com}, B: {aud: sts.amazonaws.com}, C: {aud: z}}}"
    found = [(login["provider"], login["path"]) for login in seen(text, GITLAB)["logins"]]
    assert found == [("vault", "/a/id_tokens/A"), ("aws", "/a/id_tokens/B"), ("other", "/a/id_tokens/C")]


def test_jenkins_holds_keys() -> None:
    text = "node { withAWS(credentials: 'x') { sh 'y' } }"
    assert [(login["provider"], login["by"]) for login in seen(text, "Jenkinsfile")["logins"]] == [
        ("aws", "static-key")
    ]
    text = "pipeline { environment { AWS_SECRET_ACCESS_KEY = credentials('k') }\n stage('a') { sh 'y' } }"
    assert [login["by"] for login in seen(text, "Jenkinsfile")["logins"]] == ["static-key"]


CHECKOUT = "{uses: actions/checkout@v4, with: {ref: '${{ github.event.pull_request.head.sha }}'}}"


def foreign(steps: str, on: str, *, job: str = "") -> tuple[str, str]:
    (found,) = logins(steps, on=on, job=job)
    return found["foreign_code"], found["guard"]


@pytest.mark.parametrize(
    ("steps", "on", "code"),
    [
        (f"{CHECKOUT}\n      - {AWS}", "pull_request_target", "checkout"),
        (f"{AWS}\n      - {{run: gh pr checkout 1}}", "issue_comment", "checkout"),
        (f"{AWS}\n      - {{uses: actions/checkout@v4}}\n      - {{run: make}}", "pull_request_target", ""),
        (f"{AWS}\n      - {CHECKOUT}", "pull_request_target", ""),
        (f"{CHECKOUT}\n      - {AWS}", "pull_request", ""),
        (f"{AWS}\n      - {{run: 'echo ${{{{ github.event.issue.title }}}}'}}", "issues", "text"),
        (f"{AWS}\n      - {{run: 'echo ${{{{ github.head_ref }}}}'}}", "pull_request_target", "text"),
        (f"{AWS}\n      - {{run: 'echo ${{{{ github.event.issue.number }}}}'}}", "issues", ""),
        (
            f"{AWS}\n      - {{uses: x/github-script@v7, with: {{script: '${{{{ github.event.comment.body }}}}'}}}}",
            "issue_comment",
            "text",
        ),
        (
            f"{AWS}\n      - {{run: 'echo \"$T\"', env: {{T: '${{{{ github.event.issue.title }}}}'}}}}",
            "issues",
            "",
        ),
    ],
)
def test_code_of_strangers_is_seen_where_they_can_start_the_job(steps: str, on: str, code: str) -> None:
    assert foreign(steps, on) == (code, "")


@pytest.mark.parametrize(
    ("job", "on", "guard"),
    [
        ("environment: preview", "pull_request_target", "environment"),
        ("if: github.event.pull_request.head.repo.full_name == github.repository", "pull_request_target", "condition"),
        ("if: contains(github.event.pull_request.labels.*.name, 'ok')", "pull_request_target", "condition"),
        ("if: github.event_name == 'pull_request_target'", "pull_request_target", ""),
        ("name: a", "workflow_run", "upstream"),
    ],
)
def test_what_stands_between_is_named(job: str, on: str, guard: str) -> None:
    steps = f"{CHECKOUT}\n      - {AWS}"
    steps = steps.replace("pull_request.head.sha", "workflow_run.head_sha") if on == "workflow_run" else steps
    assert foreign(steps, on, job=job) == ("checkout", guard)


def test_a_condition_that_keeps_strangers_events_out_keeps_their_code_out() -> None:
    (found,) = logins(
        f"{CHECKOUT}\n      - {AWS}", on="[pull_request_target, push]", job="if: github.event_name == 'push'"
    )
    assert (found["events"], found["open_events"], found["foreign_code"]) == (["push"], [], "")


def test_a_reusable_workflow_takes_the_events_of_its_caller() -> None:
    files = {
        WORKFLOW: (
            "on: pull_request_target\npermissions: {id-token: write}\njobs: {a: {uses: ./.github/workflows/b.yml}}"
        ),
        ".github/workflows/b.yml": f"on: workflow_call\njobs: {{b: {{steps: [{CHECKOUT}, {AWS}, {{run: make}}]}}}}",
    }
    (found,) = seen(files)["logins"]
    assert (found["job"], found["foreign_code"], found["path"]) == ("a / b", "checkout", "/jobs/a")
    (alone,) = seen(files, ".github/workflows/b.yml")["logins"]
    assert (alone["open_events"], alone["foreign_code"]) == ([], "")
