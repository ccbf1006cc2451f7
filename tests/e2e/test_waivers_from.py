"""`--waivers-from REF`: a change is judged by what the branch that it goes to says, never by what it brings itself."""

import json
from pathlib import Path

import pytest

from tests.collectors.git.repositories import commit, git, new
from tests.e2e.program import Done, auditor

KEY = {"AUDITOR_FINGERPRINT_KEY": "a key for these tests only, and long enough"}
LEAK = "DB_PASSWORD=gull-and-anchor-9\n"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: example/web
      env: [{name: DB_PASSWORD, value: gull-and-anchor-9}]
"""
SECRETS = ("secrets", "scan", "--since", "main")
SCAN = ("scan", "deploy", "--select", "K-SEC-01", "--fail-on", "low")


def run(folder: Path, *arguments: str) -> Done:
    return auditor(*arguments, cwd=folder, env=KEY)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Make a repository whose branch `change` adds two leaks to a clean `main`."""
    made = new(tmp_path / "r")
    commit(made, {"README": "x\n"})
    git(made, "checkout", "-q", "-b", "change")
    commit(made, {"x.env": LEAK, "deploy/pod.yaml": POD})
    return made


def waivers(folder: Path, command: tuple[str, ...]) -> str:
    """Return a waiver of everything that `command` finds."""
    found = json.loads(run(folder, *command, "--format", "json").out)["findings"]
    assert found
    return "waivers:\n" + "".join(
        f"  - policy: {one['policy_id']}\n    subject: '*'\n    reason: a test account\n    owner: Ada\n"
        f"    approver: Bob\n    ticket: T-1\n    expires: 2999-12-31\n    value: {one['value_fingerprint']}\n"
        for one in {one["value_fingerprint"]: one for one in found}.values()
    )


@pytest.mark.parametrize("command", [SECRETS, SCAN])
def test_a_change_cannot_waive_itself(repo: Path, command: tuple[str, ...]) -> None:
    commit(repo, {".auditor/waivers.yaml": waivers(repo, command)})
    assert run(repo, *command).code == 0, "without a ref the work tree counts"
    done = run(repo, *command, "--waivers-from", "main")
    assert done.code == 1
    assert ".auditor/waivers.yaml is not at main: it does not count until it is merged there" in done.err


@pytest.mark.parametrize("command", [SECRETS, SCAN])
def test_what_the_branch_says_holds_also_where_the_change_takes_it_away(repo: Path, command: tuple[str, ...]) -> None:
    text = waivers(repo, command)
    git(repo, "checkout", "-q", "main")
    commit(repo, {".auditor/waivers.yaml": text})
    git(repo, "checkout", "-q", "change")
    assert run(repo, *command).code == 1
    done = run(repo, *command, "--waivers-from", "main", "--format", "json")
    assert done.code == 0
    (use,) = json.loads(done.out)["waivers"]
    assert use["waiver"]["location"]["file"] == "main:.auditor/waivers.yaml"


@pytest.mark.parametrize(
    "settings",
    [
        "ignore: ['*']\n",
        "severity: {L-GIT-01: info, K-SEC-01: info}\n",
        "fail-on: critical\nseverity: {L-GIT-01: low, K-SEC-01: low}\n",
        "waivers: mine.yaml\n",
        "exclude: ['*']\n",
    ],
)
@pytest.mark.parametrize("command", [SECRETS, SCAN])
def test_a_change_cannot_set_its_own_rules(repo: Path, command: tuple[str, ...], settings: str) -> None:
    commit(repo, {"mine.yaml": waivers(repo, command), "auditor.yaml": settings})
    done = run(repo, *command, "--waivers-from", "main")
    assert done.code == 1
    assert "auditor.yaml is not at main" in done.err


def test_a_change_cannot_bring_its_own_baseline(repo: Path) -> None:
    (repo.parent / "all.json").write_text(run(repo, *SECRETS, "--format", "json").out)
    known = auditor("baseline", "../all.json", cwd=repo).out
    commit(repo, {"known.json": known})
    assert run(repo, *SECRETS, "--baseline", "known.json").code == 0
    done = run(repo, *SECRETS, "--baseline", "known.json", "--waivers-from", "main")
    assert done.code == 2
    assert "the baseline file known.json does not exist at main" in done.err
    git(repo, "checkout", "-q", "main")
    commit(repo, {"known.json": known})
    git(repo, "checkout", "-q", "change")
    assert run(repo, *SECRETS, "--baseline", "known.json", "--waivers-from", "main").code == 0


def test_the_files_of_a_subfolder_are_those_of_that_folder(repo: Path) -> None:
    text = waivers(repo, SECRETS)
    git(repo, "checkout", "-q", "main")
    commit(repo, {"sub/.auditor/waivers.yaml": text, "sub/x": "1"})
    git(repo, "checkout", "-q", "change")
    commit(repo, {"sub/y": "1"})
    assert run(repo / "sub", *SECRETS, "--waivers-from", "main").code == 0


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["--waivers-from", "origin/nope"], "origin/nope is no commit of .", "git fetch"),
        (
            ["--waivers-from", "main", "--waivers", "mine.yaml"],
            "the waivers file mine.yaml does not exist at main",
            "once it is merged there",
        ),
        (
            ["--waivers-from", "main", "--config", "own.yaml"],
            "the configuration file own.yaml does not exist at main",
            "Check --config",
        ),
        (["--waivers-from", "main", "--waivers", "../mine.yaml"], "../mine.yaml lies outside of the repository", ""),
    ],
)
@pytest.mark.parametrize("command", [SECRETS, SCAN])
def test_what_the_ref_lacks_is_told(
    repo: Path, command: tuple[str, ...], arguments: list[str], said: str, hint: str
) -> None:
    (repo / "mine.yaml").write_text("waivers: []\n")
    (repo / "own.yaml").write_text("ignore: ['*']\n")
    done = run(repo, *command, *arguments)
    assert done.code == 2
    assert said in done.err
    assert hint in done.err
    assert "Traceback" not in done.err


def test_without_a_repository_it_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text(LEAK)
    done = run(tmp_path, "secrets", "scan", "--waivers-from", "main")
    assert done.code == 2
    assert "is not in a git repository" in done.err


def test_a_mistake_in_the_branchs_waivers_names_the_branch(repo: Path) -> None:
    git(repo, "checkout", "-q", "main")
    commit(repo, {".auditor/waivers.yaml": "waivers:\n  - policy: L-GIT-01\n"})
    git(repo, "checkout", "-q", "change")
    done = run(repo, *SECRETS, "--waivers-from", "main")
    assert done.code == 2
    assert "main:.auditor/waivers.yaml:2:" in done.err


def test_a_branch_without_waivers_waives_nothing_and_says_so(repo: Path) -> None:
    done = run(repo, *SECRETS, "--waivers-from", "main")
    assert done.code == 1
    assert "main has no .auditor/waivers.yaml, so nothing is waived" in done.err
    assert "nothing is waived" not in run(repo, *SECRETS, "--waivers-from", "main", "-q").err
