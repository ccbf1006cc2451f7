"""The hooks, by the real git and the installed program: what a change adds is refused; no fault lets it pass."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cli import hook_run
from tests.collectors.git.repositories import ENVIRONMENT, commit, git, new
from tests.collectors.test_archives import zipped
from tests.e2e.program import PROGRAM, auditor

VALUE = "quay-heron-41"
LEAK = f"DB_PASSWORD={VALUE}\n"
KEY = "a key for these tests only"
PATH = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"


def tried(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run git as a user does, hooks included."""
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**ENVIRONMENT, "PATH": PATH, "LANG": "C.UTF-8", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def hooked(folder: Path, *arguments: str) -> Path:
    repo = new(folder)
    assert auditor("secrets", "hook", "install", *arguments, cwd=repo).code == 0
    return repo


def write(repo: Path, name: str, text: str) -> None:
    file = repo / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    git(repo, "add", "-A", "-f")


def test_a_commit_that_adds_a_credential_is_refused_with_advice_and_without_the_value(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "r")
    write(repo, "k8s/web.yaml", f"apiVersion: v1\nkind: Pod\nenv:\n  - name: DB_PASSWORD\n    value: {VALUE}\n")
    done = tried(repo, "commit", "-m", "x")
    assert done.returncode == 1
    assert "k8s/web.yaml:5:12: DB_PASSWORD" in done.stderr
    assert "secretKeyRef: {name: my-app, key: db-password}" in done.stderr
    assert "git commit --no-verify" in done.stderr
    assert VALUE not in done.stdout + done.stderr
    assert tried(repo, "log").returncode != 0, "nothing was committed"
    write(repo, "k8s/web.yaml", "env:\n  - name: DB_PASSWORD\n    valueFrom: {secretKeyRef: {name: a, key: b}}\n")
    assert tried(repo, "commit", "-m", "x").returncode == 0


def test_what_was_there_before_is_not_of_this_commit(tmp_path: Path) -> None:
    """A team that adopts the hook must be able to work on files that hold old credentials, and to move them."""
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": LEAK + "A=1\n" * 20})
    assert auditor("secrets", "hook", "install", cwd=repo).code == 0
    write(repo, "a.env", "# moved down\n" + LEAK + "A=1\n" * 21)
    assert tried(repo, "commit", "-m", "touched").returncode == 0
    git(repo, "mv", "a.env", "b.env")
    assert tried(repo, "commit", "-m", "moved").returncode == 0
    write(repo, "b.env", "# moved down\n" + LEAK.replace("41", "42") + "A=1\n" * 21)
    assert tried(repo, "commit", "-m", "another value on the same line").returncode == 1


def test_only_what_is_committed_is_judged(tmp_path: Path) -> None:
    """`git commit FILE` makes an index of its own; what lies beside it in the work tree is not of the commit."""
    repo = hooked(tmp_path / "r")
    write(repo, "clean.cfg", "text\n")
    (repo / "dirty.env").write_text(LEAK)
    assert tried(repo, "commit", "-m", "x").returncode == 0
    git(repo, "add", "dirty.env")
    (repo / "clean.cfg").write_text("more\n")
    assert tried(repo, "commit", "-m", "x", "clean.cfg").returncode == 0
    assert tried(repo, "commit", "-m", "x").returncode == 1
    git(repo, "rm", "-q", "--cached", "dirty.env")
    (repo / "clean.cfg").write_text(LEAK)
    assert tried(repo, "commit", "-a", "-m", "x").returncode == 1


def test_merging_a_branch_brings_nothing_new(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"c.txt": "base\n"})
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, {"old.env": LEAK, "c.txt": "theirs\n"})
    git(repo, "checkout", "-q", "main")
    commit(repo, {"c.txt": "ours\n"})
    assert auditor("secrets", "hook", "install", cwd=repo).code == 0
    assert tried(repo, "merge", "side").returncode == 1, "a conflict"
    write(repo, "c.txt", "both\n")
    write(repo, "own.env", "A_PASSWORD=gull-and-anchor-9\n")
    assert "own.env" in (refused := tried(repo, "commit", "-m", "merge")).stderr
    assert "old.env" not in refused.stderr
    git(repo, "rm", "-q", "-f", "own.env")
    assert tried(repo, "commit", "-m", "merge").returncode == 0


def test_a_hook_that_was_there_is_kept_runs_first_and_comes_back(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    earlier = repo / ".git/hooks/pre-commit"
    earlier.parent.mkdir(exist_ok=True)
    earlier.write_text("#!/bin/sh\necho earlier >>ran\n[ ! -e stop ]\n")
    earlier.chmod(0o755)
    before = earlier.read_bytes()
    done = auditor("secrets", "hook", "install", cwd=repo)
    assert (done.code, "was there before and runs first" in done.out) == (0, True)
    assert auditor("secrets", "hook", "install", cwd=repo).code == 0, "twice is once"
    git(repo, "commit", "-q", "--allow-empty", "--no-verify", "-m", "x")
    write(repo, "a.txt", "text\n")
    assert tried(repo, "commit", "-m", "x").returncode == 0
    assert (repo / "ran").read_text() == "earlier\n"
    (repo / "stop").touch()
    assert tried(repo, "commit", "--allow-empty", "-m", "x").returncode == 1
    (repo / "stop").unlink()
    write(repo, "a.env", LEAK)
    assert tried(repo, "commit", "-m", "x").returncode == 1
    assert auditor("secrets", "hook", "uninstall", cwd=repo).code == 0
    assert earlier.read_bytes() == before
    assert not list(earlier.parent.glob("*auditor*"))


@pytest.mark.parametrize("type_", ["pre-push", "pre-receive"])
def test_an_earlier_hook_gets_the_refs_as_well(type_: str, tmp_path: Path) -> None:
    target = new(tmp_path / "to")
    git(target, "config", "receive.denyCurrentBranch", "ignore")
    source = new(tmp_path / "from")
    commit(source, {"a.txt": "text\n"})
    place = source if type_ == "pre-push" else target
    earlier = place / f".git/hooks/{type_}"
    earlier.parent.mkdir(exist_ok=True)
    earlier.write_text(f"#!/bin/sh\ncat >>{tmp_path}/lines\n")
    earlier.chmod(0o755)
    assert auditor("secrets", "hook", "install", "--type", type_, cwd=place).code == 0
    assert tried(source, "push", str(target), "main").returncode == 0
    assert "refs/heads/main" in (tmp_path / "lines").read_text()


def test_status_tells_what_is_installed_and_whether_it_works(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    assert auditor("secrets", "hook", "status", cwd=repo).code == 1
    assert auditor("secrets", "hook", "install", cwd=repo).code == 0
    done = auditor("secrets", "hook", "status", cwd=repo)
    assert (done.code, "pre-commit   installed\n" in done.out) == (0, True)
    hook = repo / ".git/hooks/pre-commit"
    hook.write_text(hook.read_text().replace(str(PROGRAM), "/nowhere/auditor"))
    done = auditor("secrets", "hook", "status", cwd=repo)
    assert (done.code, "its program /nowhere/auditor is not there" in done.out) == (1, True)
    hook.chmod(0o644)
    assert "cannot be executed" in auditor("secrets", "hook", "status", cwd=repo).out
    hook.write_text("#!/bin/sh\n")
    assert "another hook is there" in auditor("secrets", "hook", "status", cwd=repo).out
    assert auditor("secrets", "hook", "uninstall", cwd=repo).code == 2
    assert auditor("secrets", "hook", "install", cwd=repo).code == 2, "a hook that git passes over is no hook to chain"
    assert auditor("secrets", "hook", "status", cwd=tmp_path).code == 2


def test_work_trees_submodules_and_a_folder_of_hooks_of_ones_own(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "r")
    commit_ = ["commit", "-q", "-m", "x"]
    write(repo, "a.txt", "text\n")
    assert tried(repo, *commit_).returncode == 0
    git(repo, "worktree", "add", "-q", str(tmp_path / "beside"))
    write(tmp_path / "beside", "a.env", LEAK)
    assert tried(tmp_path / "beside", *commit_).returncode == 1
    assert auditor("secrets", "hook", "status", cwd=tmp_path / "beside").code == 0

    outer = new(tmp_path / "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo), "inner")
    assert auditor("secrets", "hook", "install", cwd=outer / "inner").code == 0
    write(outer / "inner", "b.env", LEAK)
    assert tried(outer / "inner", *commit_).returncode == 1
    assert tried(outer, *commit_).returncode == 0, "the outer repository has no hook"

    own = new(tmp_path / "own")
    git(own, "config", "core.hooksPath", "ci/hooks")
    (own / "sub").mkdir()
    assert auditor("secrets", "hook", "install", cwd=own / "sub").code == 0
    assert (own / "ci/hooks/pre-commit").exists()
    write(own, "a.env", LEAK)
    assert tried(own, *commit_).returncode == 1


def test_without_the_program_the_commit_is_refused(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "r")
    hook = repo / ".git/hooks/pre-commit"
    hook.write_text(hook.read_text().replace(str(PROGRAM), str(tmp_path / "gone")))
    write(repo, "a.txt", "text\n")
    done = tried(repo, "commit", "-m", "x", PATH="/usr/bin:/bin")
    assert done.returncode == 1
    assert "the program was not found" in done.stderr
    assert "--no-verify" in done.stderr


def test_an_object_that_cannot_be_read_refuses_the_commit(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "r")
    write(repo, "a.txt", "text\n")
    id_ = git(repo, "rev-parse", ":a.txt").decode().strip()
    stored = repo / ".git/objects" / id_[:2] / id_[2:]
    stored.chmod(0o644)
    content = stored.read_bytes()
    stored.write_bytes(content[:8] + b"\xff\xff" + content[10:])
    done = tried(repo, "commit", "-m", "x")
    assert (done.returncode, "refused" in done.stderr) == (1, True)
    stored.unlink()
    assert "the repository lacks object" in tried(repo, "commit", "-m", "x").stderr


def test_a_text_over_the_limit_refuses_and_a_binary_does_not(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "r")
    write(repo, "a.bin", "\0" * 51_000_000)
    assert tried(repo, "commit", "-m", "x").returncode == 0
    write(repo, "a.txt", "text\n" * 10_200_000)
    done = tried(repo, "commit", "-m", "x")
    assert (done.returncode, "a.txt: it has more than 50 MB" in done.stderr) == (1, True)


def test_a_waiver_holds_for_its_value_rule_and_paths_alone(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "r")
    write(repo, "deploy/a.env", LEAK)
    keyed = {"AUDITOR_FINGERPRINT_KEY": KEY}
    shown = tried(repo, "commit", "-m", "x", **keyed).stderr
    fingerprint = shown.partition("fingerprint ")[2][:32]
    waiver = f"""\
waivers:
  - policy: L-GIT-01
    subject: fact/credential:/deploy/*:named-credential:*
    value: {fingerprint}
    reason: A made-up value for the demo stack.
    owner: team@example.com
    approver: security@example.com
    ticket: SEC-1
    expires: 2199-01-01
"""
    (repo / ".auditor").mkdir()
    (repo / ".auditor/waivers.yaml").write_text(waiver)
    assert tried(repo, "commit", "-m", "x").returncode == 1, "without the key no value can be recognised"
    write(repo, "elsewhere.env", LEAK)
    refused = tried(repo, "commit", "-m", "x", **keyed).stderr
    assert ("elsewhere.env" in refused, "deploy/a.env" in refused, "Waived already: 1" in refused) == (
        True,
        False,
        True,
    )
    git(repo, "rm", "-q", "-f", "elsewhere.env")
    assert tried(repo, "commit", "-m", "x", **keyed).returncode == 0
    write(repo, "deploy/a.env", LEAK.replace("41", "42"))
    assert tried(repo, "commit", "-m", "x", **keyed).returncode == 1, "another value is not waived"
    git(repo, "reset", "-q", "--hard")
    write(repo, "deploy/b.env", LEAK + LEAK.replace("41", "42"))
    beside = tried(repo, "commit", "-m", "x", **keyed)
    assert (beside.returncode, "adds 1 credential." in beside.stderr) == (1, True), "nor one beside that which is"
    (repo / ".auditor/waivers.yaml").write_text("waivers: 3\n")
    assert "cannot be judged" in tried(repo, "commit", "-m", "x", **keyed).stderr


def test_a_name_with_a_line_feed_and_control_codes_stays_a_name(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "r")
    write(repo, "a\nok: \x1b[2Jx.env", LEAK)
    done = tried(repo, "commit", "-m", "x")
    assert done.returncode == 1
    assert "\x1b" not in done.stderr


def pushing(tmp_path: Path, *, bare_hook: bool = False) -> tuple[Path, Path]:
    bare = tmp_path / "origin.git"
    bare.mkdir()
    git(bare, "init", "-q", "--bare")
    repo = new(tmp_path / "r")
    commit(repo, {"a.txt": "text\n"})
    git(repo, "remote", "add", "origin", str(bare))
    git(repo, "push", "-q", "origin", "main")
    place, type_ = (bare, "pre-receive") if bare_hook else (repo, "pre-push")
    assert auditor("secrets", "hook", "install", "--type", type_, cwd=place).code == 0
    return repo, bare


@pytest.mark.parametrize("server", [False, True], ids=["pre-push", "pre-receive"])
def test_a_push_is_refused_for_what_its_commits_add(server: bool, tmp_path: Path) -> None:
    """Also for what a later commit of the same push takes away again: it would be in the history."""
    repo, _ = pushing(tmp_path, bare_hook=server)
    commit(repo, {"a.env": LEAK})
    added = git(repo, "rev-parse", "HEAD").decode()[:12]
    commit(repo, {"a.env": None})
    done = tried(repo, "push", "origin", "main")
    assert done.returncode == 1
    assert "a.env:1:13: DB_PASSWORD" in done.stderr
    assert f"commit {added}" in done.stderr
    assert VALUE not in done.stdout + done.stderr
    assert tried(repo, "push", "origin", "main:refs/heads/other").returncode == 1, "a new branch"
    git(repo, "reset", "-q", "--hard", "HEAD~2")
    commit(repo, {"b.txt": "text\n"})
    assert tried(repo, "push", "origin", "main:refs/heads/fine").returncode == 0
    assert tried(repo, "push", "origin", ":fine").returncode == 0, "a deletion brings nothing"
    git(repo, "tag", "-a", "-m", "x", "v1")
    assert tried(repo, "push", "origin", "v1").returncode == 0


@pytest.mark.parametrize("server", [False, True], ids=["pre-push", "pre-receive"])
def test_a_ref_to_a_blob_or_a_tree_is_searched_as_well(server: bool, tmp_path: Path) -> None:
    repo, _ = pushing(tmp_path, bare_hook=server)
    blob = git(repo, "hash-object", "-w", "--stdin", stdin=LEAK.encode()).decode().strip()
    tree = git(repo, "mktree", stdin=f"100644 blob {blob}\tx.env\n".encode()).decode().strip()
    for id_ in (blob, tree):
        git(repo, "tag", "-f", "odd", id_)
        done = tried(repo, "push", "origin", "odd")
        assert (done.returncode, "DB_PASSWORD" in done.stderr) == (1, True), done.stderr


TOKEN = "AKIA" + "QYLPMN5HFIQR7XYA"


@pytest.mark.parametrize("server", [False, True], ids=["pre-push", "pre-receive"])
def test_a_message_is_pushed_and_kept_as_a_file_is(server: bool, tmp_path: Path) -> None:
    """Whoever may read the repository reads its messages, and nobody looks for a credential there."""
    repo, _ = pushing(tmp_path, bare_hook=server)
    git(repo, "commit", "-q", "--allow-empty", "-m", f"deploy\n\nworks with {TOKEN} only")
    git(repo, "commit", "-q", "--allow-empty", "-m", "nothing to see")
    done = tried(repo, "push", "origin", "main")
    assert done.returncode == 1
    shown = done.stderr.replace("remote: ", "")
    assert "commit message:3:12: " in shown
    assert git(repo, "rev-parse", "--short=12", "HEAD~1").decode().strip() in shown
    assert "git rebase -i" in shown
    assert TOKEN not in done.stderr
    git(repo, "reset", "-q", "--hard", "HEAD~2")
    git(repo, "tag", "-a", "v1", "-m", f"release\n{TOKEN}")
    done = tried(repo, "push", "origin", "v1")
    assert (done.returncode, "tag message, v1:2:1: " in done.stderr) == (1, True)
    git(repo, "tag", "-f", "-a", "v1", "-m", "release\n\npassword: see the vault, or say hunter2")
    assert tried(repo, "push", "origin", "v1").returncode == 0


@pytest.mark.parametrize("server", [False, True], ids=["pre-push", "pre-receive"])
def test_what_is_there_since_before_the_hook_blocks_no_later_push(server: bool, tmp_path: Path) -> None:
    """Pushed by its address, a remote has no name by which to know its branches: only what git says that it has."""
    repo, bare = pushing(tmp_path, bare_hook=server)
    before = (bare / "hooks/pre-receive").rename(tmp_path / "aside") if server else None
    commit(repo, {"old.env": LEAK})
    assert tried(repo, "push", "--no-verify", str(bare), "main").returncode == 0
    if before is not None:
        before.rename(bare / "hooks/pre-receive")
    commit(repo, {"new.txt": "nothing to see\n"})
    done = tried(repo, "push", str(bare), "main")
    assert done.returncode == 0, done.stderr


def test_what_the_remote_has_already_is_not_pushed_again(tmp_path: Path) -> None:
    """Merging a main branch with old credentials into one's own must not block its push."""
    repo, bare = pushing(tmp_path)
    git(tmp_path, "clone", "-q", str(bare), "colleague")
    commit(tmp_path / "colleague", {"old.env": LEAK})
    git(tmp_path / "colleague", "push", "-q", "origin", "main")
    git(repo, "checkout", "-q", "-b", "feature")
    commit(repo, {"b.txt": "text\n"})
    git(repo, "fetch", "-q", "origin")
    git(repo, "merge", "-q", "--no-edit", "origin/main")
    assert tried(repo, "push", "origin", "feature").returncode == 0


def test_a_server_takes_its_waivers_from_the_branch_that_is_there(tmp_path: Path) -> None:
    """What is pushed must not excuse itself."""
    repo, bare = pushing(tmp_path, bare_hook=True)
    hook = bare / "hooks/pre-receive"
    hook.write_text(hook.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\nexport AUDITOR_FINGERPRINT_KEY='{KEY}'\n"))
    commit(repo, {"a.env": LEAK})
    fingerprint = tried(repo, "push", "origin", "main").stderr.partition("fingerprint ")[2].split(")")[0].strip()
    fingerprint = fingerprint.replace("\n", "").replace("remote: ", "")[:32]
    waiver = (
        "waivers: [{policy: L-GIT-01, subject: 'fact/credential:/*', reason: r, owner: a, approver: b, ticket: t,"
        f" expires: 2199-01-01, value: {fingerprint}}}]\n"
    )
    git(repo, "reset", "-q", "--hard", "HEAD~1")
    commit(repo, {"a.env": LEAK, ".auditor/waivers.yaml": waiver})
    assert tried(repo, "push", "origin", "main").returncode == 1
    git(repo, "reset", "-q", "--hard", "HEAD~1")
    commit(repo, {".auditor/waivers.yaml": waiver})
    assert tried(repo, "push", "origin", "main").returncode == 0
    commit(repo, {"a.env": LEAK})
    assert tried(repo, "push", "origin", "main").returncode == 0


def test_many_files_are_searched_as_few_are(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "r")
    for number in range(620):
        (repo / f"f{number}.txt").write_text(f"text {number}\n")
    write(repo, "a.env", LEAK)
    done = tried(repo, "commit", "-m", "x")
    assert (done.returncode, "a.env:1:13" in done.stderr) == (1, True)


@pytest.mark.parametrize("others", [0, 600])
def test_one_content_under_two_names_is_judged_by_each(others: int, tmp_path: Path) -> None:
    """`.env.example` may hold what is an example there; the same file copied to `.env` takes effect."""
    repo = hooked(tmp_path / "r")
    for number in range(others):
        (repo / f"f{number}.txt").write_text(f"text {number}\n")
    for name in (".env", ".env.example", "copy/.env.example", "z/.env"):
        write(repo, name, "DB_PASSWORD=changeme\n")
    done = tried(repo, "commit", "-m", "x")
    assert done.returncode == 1
    assert "adds 2 credentials" in done.stderr
    assert "  .env:1:13" in done.stderr
    assert "  z/.env:1:13" in done.stderr
    (repo / ".env").unlink()
    (repo / "z/.env").unlink()
    git(repo, "add", "-A")
    assert tried(repo, "commit", "-m", "x").returncode == 0


def test_a_clean_commit_starts_git_twice_and_loads_little(tmp_path: Path) -> None:
    """The whole process has a tenth of a second, and each of these takes a part of it."""
    repo = new(tmp_path / "r")
    commit(repo, {"a.txt": "text\n"})
    write(repo, "b.txt", "more text\n" * 2_000)
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho run >>{tmp_path}/count\nPATH={os.environ["PATH"]} exec git "$@"\n')
    shim.chmod(0o755)
    program = "import sys\nfrom auditor.cli.hook_run import main\ncode = main(['pre-commit'])\n"
    program += "print(code, sorted({'subprocess', 'datetime', 'inspect', 'typer'} & sys.modules.keys()))\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=repo,
        env={**ENVIRONMENT, "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("0 []\n", "")
    assert (tmp_path / "count").read_text().split() == ["run", "run"]


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(closed: str, tmp_path: Path) -> None:
    """Whoever starts git may have closed its streams: the pipes to it then have their numbers."""
    repo = new(tmp_path / "r")
    write(repo, "a.env", LEAK)
    done = subprocess.run(["sh", "-c", f"{PROGRAM} secrets hook run pre-commit {closed}"], cwd=repo, check=False)
    assert done.returncode == 1
    write(repo, "a.env", "A=1\n")
    done = subprocess.run(["sh", "-c", f"{PROGRAM} secrets hook run pre-commit {closed}"], cwd=repo, check=False)
    assert done.returncode == 0


def test_without_git_the_commit_is_refused(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    done = auditor("secrets", "hook", "run", "pre-commit", cwd=repo, env={"PATH": str(tmp_path)})
    assert done.code == 1
    assert "`git` is not installed" in done.err


def test_a_rule_can_be_switched_off_and_ones_own_added(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    assert auditor("secrets", "hook", "install", "--rule-off", "no-such-rule", cwd=repo).code == 2
    assert auditor("secrets", "hook", "install", "--rule-off", "named-credential", cwd=repo).code == 0
    write(repo, "a.env", LEAK)
    assert tried(repo, "commit", "-m", "x").returncode == 0


@pytest.mark.parametrize(
    "arguments", [[], ["post-commit"], ["pre-commit", "--tier", "3"], ["pre-commit", "--rules"], ["pre-push", "x", "y"]]
)
def test_a_wrong_call_refuses(arguments: list[str], tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    done = auditor("secrets", "hook", "run", *arguments, cwd=repo, stdin=b"not what git says\n")
    assert done.code == 1
    assert "refused" in done.err


def test_a_bug_refuses_and_prints_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_request: object, **_given: object) -> None:
        raise KeyError(LEAK)

    monkeypatch.chdir(new(tmp_path / "r"))
    monkeypatch.setattr("auditor.pipeline.hook.judge", broken)
    assert hook_run.main(["pre-commit"]) == 1
    told = capsys.readouterr().err
    assert "internal error: KeyError at test_hook.py" in told
    assert VALUE not in told


def test_the_framework_pre_commit_has_an_entry() -> None:
    import yaml

    from tests.e2e.program import ROOT

    hooks = {entry["id"]: entry for entry in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    entry = hooks["auditor-secrets"]
    assert (entry["entry"], entry["pass_filenames"]) == ("auditor secrets hook run pre-commit", False)


def test_the_framework_pre_commit_may_name_a_range(tmp_path: Path) -> None:
    """`pre-commit run --from-ref A --to-ref B` in a pipeline, where nothing is staged, must not pass for nothing."""
    repo = new(tmp_path / "r")
    first = commit(repo, {"a.txt": "text\n"})
    commit(repo, {"a.env": LEAK})
    last = commit(repo, {"a.env": None})
    ends = {"PRE_COMMIT_FROM_REF": first, "PRE_COMMIT_TO_REF": last}
    done = auditor("secrets", "hook", "run", "pre-commit", cwd=repo, env=ends)
    assert (done.code, "a.env:1:13: DB_PASSWORD" in done.err) == (1, True)
    assert auditor("secrets", "hook", "run", "pre-commit", cwd=repo).code == 0
    assert auditor("secrets", "hook", "run", "pre-commit", cwd=repo, env={**ends, _FROM: last}).code == 0
    for odd in ("no-such-ref", "--all", f"{first}:a.txt"):
        done = auditor("secrets", "hook", "run", "pre-commit", cwd=repo, env={**ends, _FROM: odd})
        assert (done.code, "is no commit of" in done.err) == (1, True), odd
    write(repo, "b.env", LEAK)
    done = auditor("secrets", "hook", "run", "pre-commit", cwd=repo, env={**ends, _FROM: last})
    assert (done.code, "b.env:1:13" in done.err) == (1, True), "what is staged counts all the same"


_FROM = "PRE_COMMIT_FROM_REF"


def test_what_an_archive_a_link_and_a_binary_file_add_is_refused_as_well(tmp_path: Path) -> None:
    """What a later search of the history would find must not pass here in silence."""
    repo = new(tmp_path / "r")
    commit(repo, {"old.zip": zipped({"q.env": LEAK.encode()})})
    (repo / "new.zip").write_bytes(zipped({"q.env": LEAK.replace("9", "8").encode()}))
    (repo / "old.zip").write_bytes(zipped({"q.env": LEAK.encode(), "more.txt": b"x"}))
    (repo / "link").symlink_to("postgres://app:gull-and-anchor-7@db.internal/x")
    (repo / "one-nul.txt").write_bytes(b"a=1\n\0\n" + LEAK.replace("9", "6").encode())
    token = b"AKIA" + b"QYLPMN5HFIQR7XYA"
    (repo / "binary.bin").write_bytes(b"\1\2\0\3" * 50 + b"\n" + token + b"\n")
    (repo / "utf16.reg").write_bytes(LEAK.replace("9", "5").encode("utf-16-le"))
    git(repo, "add", "-A")
    done = auditor("secrets", "hook", "run", "pre-commit", cwd=repo)
    assert done.code == 1
    assert "adds 5 credentials" in done.err, done.err
    for place in ("new.zip, q.env:1", "link:1", "one-nul.txt:3", "binary.bin:2", "utf16.reg:1"):
        assert place in done.err
    assert "old.zip" not in done.err
    staged = auditor("secrets", "scan", "--staged", "--format", "json", cwd=repo)
    assert len(json.loads(staged.out)["findings"]) == 5
