"""Which steps look for secrets, and whether a finding fails the job."""

import pytest

from auditor import ci_tools
from auditor.facts.ci import scans
from tests.facts.ci.builders import GITLAB, WORKFLOW, definition, estate

TOOLS = ci_tools.load()


def of_step(step: str, *, hooks: str = "", env: str = "{}") -> list[tuple[str, str]]:
    files = {WORKFLOW: f"on: push\nenv: {env}\njobs:\n  a:\n    steps:\n      - {step}\n"}
    if hooks:
        files[".pre-commit-config.yaml"] = hooks
    built = estate(files)
    (job,) = definition(files).jobs
    return [(scan.tool, scan.blocking.value) for scan in scans.scans(job, built.definitions.hooks("."), TOOLS)]


@pytest.mark.parametrize(
    ("step", "tool", "blocking"),
    [
        ("uses: gitleaks/gitleaks-action@v2", "gitleaks", "yes"),
        ("{uses: gitleaks/gitleaks-action@v2, continue-on-error: true}", "gitleaks", "no"),
        ("uses: GitLeaks/Gitleaks-Action@v2", "gitleaks", "yes"),
        ("uses: trufflesecurity/trufflehog@main", "trufflehog", "yes"),
        ("uses: GitGuardian/ggshield-action@v1", "ggshield", "yes"),
        ("{uses: GitGuardian/ggshield-action@v1, with: {exit-zero: true}}", "ggshield", "no"),
        (
            "{uses: aquasecurity/trivy-action@0.28.0, with: {scan-type: fs, exit-code: '1', scanners: 'vuln,secret'}}",
            "trivy (secrets)",
            "yes",
        ),
        ("{uses: aquasecurity/trivy-action@0.28.0, with: {scan-type: fs}}", "trivy (secrets)", "no"),
        (
            "{uses: aquasecurity/trivy-action@0.28.0, with: {scan-type: fs, format: sarif}}",
            "trivy (secrets)",
            "unclear",
        ),
        ("{uses: reviewdog/action-gitleaks@v1}", "gitleaks through reviewdog", "no"),
        ("uses: super-linter/super-linter@v7", "super-linter (gitleaks)", "unclear"),
        ("{uses: super-linter/super-linter@v7, env: {VALIDATE_GITLEAKS: true}}", "super-linter (gitleaks)", "yes"),
        ("run: gitleaks detect --source . -v", "gitleaks", "yes"),
        ("run: ./gitleaks git", "gitleaks", "yes"),
        ("run: docker run -v $PWD:/r zricethezav/gitleaks:v8 detect --source=/r", "gitleaks", "yes"),
        ("run: gitleaks detect --exit-code 0", "gitleaks", "no"),
        ("run: gitleaks detect || true", "gitleaks", "no"),
        ("run: gitleaks detect || echo found", "gitleaks", "no"),
        ("run: gitleaks detect || exit 1", "gitleaks", "yes"),
        ("run: gitleaks detect | tee report", "gitleaks", "unclear"),
        ('run: "set -o pipefail\\ngitleaks detect | tee report"', "gitleaks", "yes"),
        ('run: "set +e\\ngitleaks detect"', "gitleaks", "unclear"),
        ("run: if gitleaks detect; then echo ok; fi", "gitleaks", "unclear"),
        ("run: trufflehog git file://. --only-verified --fail", "trufflehog", "yes"),
        ("run: trufflehog git file://. --only-verified", "trufflehog", "no"),
        ("run: trufflehog git file://. --json > report", "trufflehog", "unclear"),
        ("run: trufflehog --regex --entropy=False file://.", "trufflehog", "yes"),
        ("run: detect-secrets-hook --baseline .secrets.baseline $(git ls-files)", "detect-secrets", "yes"),
        ("run: detect-secrets scan", "detect-secrets (a new baseline)", "no"),
        ("run: ggshield secret scan ci", "ggshield", "yes"),
        ("run: ggshield --verbose secret scan ci --exit-zero", "ggshield", "no"),
        ("run: kingfisher scan .", "kingfisher", "yes"),
        ("run: git secrets --scan -r", "git-secrets", "yes"),
        ("run: talisman --scan", "talisman", "yes"),
        ("run: trivy fs --exit-code 1 .", "trivy (secrets)", "yes"),
        ("run: trivy fs --exit-code 1 --scanners vuln,secret .", "trivy (secrets)", "yes"),
        ("run: trivy repo .", "trivy (secrets)", "no"),
        ("run: npx secretlint '**/*'", "secretlint", "yes"),
        ("run: auditor secrets scan .", "auditor", "yes"),
        ("run: semgrep ci --config p/secrets", "semgrep (secrets)", "yes"),
        ("run: checkov -d . --quiet", "checkov (secrets)", "yes"),
        ("run: checkov -d . --framework secrets --soft-fail", "checkov (secrets)", "no"),
        ("uses: bridgecrewio/checkov-action@v12", "checkov (secrets)", "yes"),
        ("run: noseyparker scan --datastore np .", "noseyparker", "no"),
    ],
)
def test_a_scan_is_known_with_what_a_finding_does(step: str, tool: str, blocking: str) -> None:
    assert of_step(step) == [(tool, blocking)]


@pytest.mark.parametrize(
    "step",
    [
        "run: echo gitleaks detect",
        "run: trivy image acme/shop",
        "run: trivy fs --scanners vuln .",
        "run: checkov -d . --framework terraform",
        "run: pip install checkov",
        "{uses: bridgecrewio/checkov-action@v12, with: {framework: terraform}}",
        "run: make test",
        "{uses: aquasecurity/trivy-action@0.28.0, with: {image-ref: acme/shop}}",
        "{uses: aquasecurity/trivy-action@0.28.0, with: {scan-type: fs, scanners: vuln}}",
        "{uses: actions/checkout@v4, with: {token: x}}",
        "{run: kubectl create secret generic x}",
        '{run: "# gitleaks detect\\nmake"}',
    ],
)
def test_what_is_no_scan_is_none(step: str) -> None:
    assert of_step(step) == []


@pytest.mark.parametrize(
    "step",
    [
        "run: make secret-scan",
        "run: ./ci/check-secrets.sh",
        "run: npm run scan:secrets",
        "{name: Scan for secrets, run: ./ci.sh}",
        "uses: acme/secret-scan-action@v1",
        "run: pip install gitleaks-wrapper",
    ],
)
def test_a_name_that_promises_a_scan_leaves_it_open(step: str) -> None:
    assert [blocking for _, blocking in of_step(step)] == ["unclear"]


def test_a_failure_that_a_later_step_looks_at_leaves_it_open() -> None:
    step = "{id: leaks, uses: gitleaks/gitleaks-action@v2, continue-on-error: true}\n      - {%s}"
    assert of_step(step % "if: steps.leaks.outcome == 'failure', run: exit 1") == [("gitleaks", "unclear")]
    assert of_step(step % "if: steps.other.outcome == 'failure', run: exit 1") == [("gitleaks", "no")]


HOOKS = "repos: [{repo: x, hooks: [{id: black}, {id: %s}]}]"


@pytest.mark.parametrize(
    ("hook", "wanted"),
    [
        ("detect-secrets", [("detect-secrets", "yes")]),
        ("gitleaks", [("gitleaks", "no")]),
        ("black", []),
        ("detect-secrets, stages: [manual]", []),
        ("leaks, language: system, entry: gitleaks dir .", [("gitleaks", "yes")]),
        ("leaks, language: system, entry: gitleaks protect --staged", [("gitleaks", "no")]),
        ("leaks, language: system, entry: gitleaks, args: [git, --staged]", [("gitleaks", "no")]),
    ],
)
def test_hooks_that_look_at_staged_changes_do_nothing_in_a_pipeline(hook: str, wanted: list[tuple[str, str]]) -> None:
    """`gitleaks git --staged` has nothing to look at where nothing is staged, and succeeds."""
    assert of_step("run: pre-commit run --all-files", hooks=HOOKS % hook) == wanted
    assert of_step("uses: pre-commit/action@v3.0.1", hooks=HOOKS % hook) == wanted


def test_a_hook_that_is_skipped_or_not_chosen_does_not_run() -> None:
    hooks = HOOKS % "detect-secrets"
    assert of_step("run: pre-commit run -a", hooks=hooks, env="{SKIP: 'black,detect-secrets'}") == []
    assert of_step("run: pre-commit run black --all-files", hooks=hooks) == []
    assert of_step("run: prek run detect-secrets --all-files || true", hooks=hooks) == [("detect-secrets", "no")]
    assert of_step("run: pre-commit run --all-files") == []


def test_a_job_whose_failure_is_allowed_blocks_nothing() -> None:
    (job,) = definition("a: {script: [gitleaks git .], allow_failure: true}", GITLAB).jobs
    assert [(scan.tool, scan.blocking.value) for scan in scans.scans(job, None, TOOLS)] == [("gitleaks", "no")]
