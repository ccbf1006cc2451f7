"""Histories, ranges and the index, through the real git; and repositories that mean harm."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.collectors import searching
from auditor.collectors.git import history, population, staged
from auditor.collectors.git.command import GitFailedError, Repository
from auditor.collectors.git.objects import Blobs
from auditor.collectors.searching import Search
from auditor.detection import rules
from auditor.detection.engine import Engine
from auditor.model.errors import InputError
from tests.collectors.git.repositories import ENVIRONMENT, commit, git, new

ENGINE = Engine(rules.load().of_tier(2), fingerprint=lambda value: f"{len(value):032}")
LEAK = "DB_PASSWORD=hunter2\n"


def opened(folder: Path) -> Repository:
    return Repository(folder, environ=os.environ)


def search(folder: Path, revisions: tuple[str, ...] = population.ALL_REFS, *, unreachable: bool = False) -> Search:
    repository = opened(folder)
    scope = population.reached(repository, revisions, unreachable=unreachable)
    found = searching.search(Blobs(repository), scope.blobs, ENGINE)
    accounted = found.read + found.binary + len(found.too_large) + len(found.unreadable)
    assert accounted == len(scope.blobs), "every blob is accounted for"
    return found


def test_every_ref_and_every_merge_is_searched(tmp_path: Path) -> None:
    """A walk along patches misses what only a merge commit holds, and one along HEAD what other branches hold."""
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": "A=1\n"})
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, {"side.env": "SIDE_PASSWORD=gull-and-anchor\n"})
    git(repo, "checkout", "-q", "main")
    commit(repo, {"b.env": "B=1\n"})
    git(repo, "merge", "-q", "--no-ff", "--no-commit", "side")
    (repo / "merged.env").write_text("MERGE_PASSWORD=quay-heron-41\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "merge")
    git(repo, "checkout", "-q", "--orphan", "other")
    commit(repo, {"o.env": "ORPHAN_PASSWORD=tern-and-rope-7\n"})
    git(repo, "tag", "kept")
    git(repo, "checkout", "-q", "main")
    git(repo, "branch", "-q", "-D", "other")
    keys = {hit.key for hits in search(repo).hits.values() for hit in hits}
    assert keys == {"SIDE_PASSWORD", "MERGE_PASSWORD", "ORPHAN_PASSWORD"}


def test_unreachable_blobs_are_searched_on_demand_only(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": "A=1\n"})
    commit(repo, {"b.env": LEAK})
    git(repo, "reset", "-q", "--hard", "HEAD~1")
    assert not search(repo).hits
    assert len(search(repo, unreachable=True).hits) == 1


@pytest.mark.parametrize(("processors", "few"), [(1, 1_000), (3, 1), (8, 1), (2, 3)])
def test_a_blob_knows_its_paths_and_the_first_commit_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int, few: int
) -> None:
    """However many parts of the history are walked at the same time."""
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    monkeypatch.setattr(history, "_FEW_COMMITS", few)
    repo = new(tmp_path / "r")
    first = commit(repo, {"old/x.env": LEAK}, date="2021-05-06T07:08:09+0000")
    second = commit(repo, {"old/x.env": None, 'new/ü "q"\n.env': LEAK}, date="2022-01-01T00:00:00+0000")
    commit(repo, {"old/x.env": LEAK}, date="2023-01-01T00:00:00+0000")
    found = search(repo)
    (arrivals,) = history.arrivals(opened(repo), lambda id_, _: id_ in found.hits, population.ALL_REFS).values()
    assert [(a.path, a.commit) for a in arrivals] == [('new/ü "q"\n.env', second), ("old/x.env", first)]
    assert arrivals[1].date.isoformat() == "2021-05-06T07:08:09+00:00"
    (id_,) = found.hits
    assert sorted(history.in_head(opened(repo))[id_]) == ['new/ü "q"\n.env', "old/x.env"]


def test_the_index_before_and_after_the_first_commit(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    (repo / "a.env").write_text(LEAK)
    git(repo, "add", "a.env")
    (change,) = staged.staged(opened(repo))
    assert (change.path, change.olds) == ("a.env", ())
    commit(repo, {})
    (repo / "a.env").write_text(LEAK + "X=1\n")
    (repo / "link").symlink_to("a.env")
    git(repo, "add", "-A")
    change, link = staged.staged(opened(repo))
    assert len(change.olds) == 1
    assert change.new not in change.olds
    assert (link.path, link.olds) == ("link", ()), "the path that a link holds is a text like any other"
    assert not history.in_head(opened(new(tmp_path / "empty")))


def test_a_range_names_what_its_commits_change(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": LEAK})
    commit(repo, {"b.env": LEAK})
    last = commit(repo, {"a.env": LEAK + "Y=2\n"})
    assert [(c.path, c.commit == last) for c in history.changes(opened(repo), ["HEAD~2..HEAD"])] == [
        ("b.env", False),
        ("a.env", True),
    ]
    with pytest.raises(GitFailedError):
        population.reached(opened(repo), ["no-such-ref"])


def test_a_renamed_file_and_a_merge_bring_nothing_that_was_not_there(tmp_path: Path) -> None:
    """Whoever moves a file, or takes over a branch, did not write what stands in it."""
    repo = new(tmp_path / "r")
    text = "".join(f"LINE_{n}=1\n" for n in range(30))
    first = commit(repo, {"a.env": text + LEAK})
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, {"theirs.env": LEAK, "both.env": text})
    git(repo, "checkout", "-q", "main")
    git(repo, "mv", "a.env", "sub.env")
    (moved,) = staged.staged(opened(repo))
    assert (moved.path, moved.olds) == ("sub.env", (git(repo, "rev-parse", "HEAD:a.env").strip(),))
    commit(repo, {"both.env": text + "X=1\n"})
    git(repo, "merge", "-q", "--no-commit", "-s", "ours", "side")
    (repo / "both.env").write_text(text + "Y=1\n")
    (repo / "theirs.env").write_text(LEAK)
    git(repo, "add", "-A")
    (merged,) = staged.staged(opened(repo))
    assert (merged.path, len(merged.olds)) == ("both.env", 2)
    git(repo, "commit", "-q", "-m", "merge")
    changed = [(c.path, len(c.olds)) for c in history.changes(opened(repo), [f"{first}..main", "^side"])]
    assert changed == [("sub.env", 1), ("both.env", 0), ("both.env", 2)]


def test_missing_objects_are_named_and_nothing_is_fetched(tmp_path: Path) -> None:
    """A partial clone would fetch; the repository that it came from is gone, and git must not even try."""
    origin = new(tmp_path / "origin")
    commit(origin, {"a.env": LEAK, "b.txt": "text\n"})
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{origin}", "partial")
    repository = opened(tmp_path / "partial")
    scope = population.reached(repository)
    known = history.arrivals(repository, lambda id_, _: id_.decode() in scope.missing, population.ALL_REFS)
    assert sorted(a.path for paths in known.values() for a in paths) == ["a.env", "b.txt"]
    assert scope.blobs == ()
    assert not list((tmp_path / "partial/.git/objects").rglob("pack-*.pack"))[1:], "one pack: nothing came after it"


def test_a_shallow_clone_says_so(tmp_path: Path) -> None:
    origin = new(tmp_path / "origin")
    commit(origin, {"a.env": LEAK})
    commit(origin, {"b.env": "X=1\n"})
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{origin}", "shallow")
    assert opened(tmp_path / "shallow").shallow
    assert not opened(origin).shallow


def test_a_damaged_blob_is_unreadable_and_the_rest_is_read(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {f"{n}.env": f"N{n}_PASSWORD=gull-anchor-{n}\n" for n in range(20)})
    victim = git(repo, "rev-parse", "HEAD:7.env").decode().strip()
    stored = repo / ".git/objects" / victim[:2] / victim[2:]
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes()[:12] + b"\xff" * 9 + stored.read_bytes()[21:])
    found = search(repo)
    assert [item.path for item in found.unreadable] == ["7.env"]
    assert len(found.hits) == 19


def test_a_damaged_pack_ends_in_gaps_and_not_in_silence(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {f"{n}.txt": os.urandom(3000).hex() for n in range(40)})
    git(repo, "gc", "-q")
    (pack,) = (repo / ".git/objects/pack").glob("*.pack")
    content = bytearray(pack.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = b"\0" * 64
    pack.chmod(0o644)
    pack.write_bytes(content)
    try:
        found = search(repo)
    except GitFailedError:
        return
    assert found.unreadable


def test_a_large_blob_is_named_and_a_large_binary_is_counted(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"big.txt": "a line of text\n" * 100, "big.bin": b"\0" * 2000, "small.env": LEAK})
    repository = opened(repo)
    found = searching.search(Blobs(repository), population.reached(repository).blobs, ENGINE, largest=1000)
    assert [item.path for item in found.too_large] == ["big.txt"]
    assert (found.binary, found.read, len(found.hits)) == (1, 1, 1)


def test_processes_find_what_one_process_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {f"d{n}/x.env": f"P{n}_PASSWORD=gull-anchor-{n}\n" + "# text\n" * n for n in range(300)})
    repository = opened(repo)
    blobs = population.reached(repository).blobs
    alone = searching.search(Blobs(repository), blobs, ENGINE, jobs=1)
    monkeypatch.setattr(searching, "SMALL", 0)
    monkeypatch.setattr(searching, "_PIECE", 20_000)
    done: list[int] = []
    together = searching.search(Blobs(repository), blobs, ENGINE, jobs=2, progress=lambda count, _: done.append(count))
    assert together.hits == alone.hits
    assert (together.read, together.bytes_read, sum(done)) == (alone.read, alone.bytes_read, 300)
    assert len(done) > 5


def test_utf_16_is_text_and_other_binaries_are_counted(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.ini": "\ufeffpassword=gull-and-anchor\r\n".encode("utf-16-le"), "b.png": b"\x89PNG\0\0"})
    found = search(repo)
    assert (found.binary, [hit.key for hits in found.hits.values() for hit in hits]) == (1, ["password"])


def test_nothing_in_a_repository_is_ever_run(tmp_path: Path) -> None:
    """Whoever scans a repository trusts nothing in it: its configuration and attributes may name programs."""
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": LEAK, ".gitattributes": "*.env diff=evil filter=evil merge=evil\n"})
    commit(repo, {"a.env": LEAK + "B=1\n"})
    mark = tmp_path / "executed"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    evil.chmod(0o755)
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        (repo / ".git/hooks").mkdir(exist_ok=True)
        (repo / ".git/hooks" / hook).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (repo / ".git/hooks" / hook).chmod(0o755)
    programs = (
        "core.fsmonitor core.pager core.editor core.sshCommand core.alternateRefsCommand core.gitProxy diff.external"
        " diff.evil.textconv diff.evil.command filter.evil.smudge filter.evil.clean filter.evil.process gpg.program"
        " uploadpack.packObjectsHook"
    )
    settings = dict.fromkeys(programs.split(), str(evil)) | {
        "log.showSignature": "true",
        "pager.log": "true",
        "credential.helper": f"!{evil}",
        "alias.cat-file": f"!{evil}",
        "alias.log": f"!{evil}",
        "alias.rev-list": f"!{evil}",
        "remote.origin.url": f"ext::{evil}",
        "remote.origin.promisor": "true",
        "extensions.partialClone": "origin",
        "trace2.eventTarget": str(mark),
    }
    for name, value in settings.items():
        git(repo, "config", name, value)
    victim = git(repo, "-c", "core.fsmonitor=false", "rev-parse", "HEAD~1:a.env").decode().strip()
    (repo / ".git/objects" / victim[:2] / victim[2:]).unlink()
    mark.unlink(missing_ok=True)
    (repo / "a.env").write_text(LEAK + "C=1\n")
    repository = opened(repo)
    scope = population.reached(repository)
    found = searching.search(Blobs(repository), scope.blobs, ENGINE)
    history.arrivals(repository, lambda id_, _: id_ in found.hits, population.ALL_REFS)
    staged.staged(repository)
    history.in_head(repository)
    assert set(scope.missing) == {victim}
    assert not mark.exists()


@pytest.mark.parametrize("what", ["nothing", "file", "plain"])
def test_a_folder_that_is_no_repository_is_told(tmp_path: Path, what: str) -> None:
    target = tmp_path / what
    if what == "file":
        target.write_text("x")
    elif what == "plain":
        target.mkdir()
    with pytest.raises(InputError, match="is not in a git repository"):
        Repository(target, environ=ENVIRONMENT)


def test_variables_of_the_caller_do_not_lead_elsewhere(tmp_path: Path) -> None:
    """`GIT_DIR` in the environment of whoever scans must not replace the repository that was named."""
    other = new(tmp_path / "other")
    commit(other, {"a.env": LEAK})
    repo = new(tmp_path / "r")
    commit(repo, {"b.env": "X=1\n"})
    repository = Repository(repo, environ={**os.environ, "GIT_DIR": str(other / ".git")})
    assert [blob.path for blob in population.reached(repository).blobs] == ["b.env"]
    hook = Repository(tmp_path, environ={**os.environ, "GIT_DIR": str(other / ".git")}, in_hook=True)
    assert [blob.path for blob in population.reached(hook).blobs] == ["a.env"]


def test_git_is_needed_and_told_when_it_is_not_there() -> None:
    script = (
        "from auditor.collectors.git.command import Repository\nfrom auditor.model.errors import AuditorError\n"
        "try:\n    Repository('.', environ={'PATH': '/nonexistent'})\n"
        "except AuditorError as error:\n    print(error, '|', error.hint)\n"
    )
    environment = {"PATH": "/nonexistent", "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "`git` is not installed, and the history of a repository needs it | Install git.\n"
