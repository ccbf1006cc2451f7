"""What a history tells of a credential: under which names, since which commit; and what in it cannot be read."""

import json
import random
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.collectors.git.repositories import commit, git, new
from tests.e2e.program import auditor

LEAK = "A_PASSWORD=gull-and-anchor-9\n"
WORKS = "DB_PASSWORD=changeme\n"


def scanned(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = auditor("secrets", "scan", "--format", "json", *arguments, cwd=folder)
    return done.code, json.loads(done.out)


def files(report: dict[str, Any]) -> set[str]:
    return {one["location"]["file"] for one in report["findings"]}


@pytest.mark.parametrize("files_first", [True, False])
@pytest.mark.parametrize(("real", "example"), [(".env", ".env.example"), ("src/use.py", "tests/use.py")])
def test_equal_contents_are_read_as_each_of_their_names_wants(
    tmp_path: Path, real: str, example: str, *, files_first: bool
) -> None:
    """Git stores them once: what is an example under one name is a credential that works under the other."""
    content = WORKS if real == ".env" else 'password = "hunter2"\n'
    repo = new(tmp_path / "r")
    start = commit(repo, {"z": "z\n"})
    for name in (real, example) if files_first else (example, real):
        commit(repo, {name: content})
    assert files(scanned(repo)[1]) == {real}
    assert files(scanned(repo, "--git", ".")[1]) == {real}
    assert files(scanned(repo, "--range", f"{start}..HEAD")[1]) == {real}
    git(repo, "reset", "-q", "--soft", start)
    assert files(scanned(repo, "--staged")[1]) == {real}
    git(repo, "rm", "-q", "-f", "--cached", real)
    assert scanned(repo, "--staged")[0] == 0


def test_a_moved_example_counts_from_the_move_on(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {".env.example": WORKS})
    moved = commit(repo, {".env.example": None, ".env": WORKS})
    commit(repo, {".env": None})
    ((one,),) = (scanned(repo, "--git", ".")[1]["findings"],)
    assert one["location"]["file"] == ".env"
    assert dict(one["evidence"])["commit"] == moved


def test_the_first_commit_is_that_of_the_history_whatever_the_clocks_said(tmp_path: Path) -> None:
    """A commit that was rebased keeps its author's date, which then lies before that of its parent."""
    repo = new(tmp_path / "r")
    commit(repo, {"z": "z\n"}, date="2020-01-01T00:00:00+0000")
    first = commit(repo, {"a.env": LEAK}, date="2022-01-10T00:00:00+0000")
    commit(repo, {"a.env": LEAK + "X=1\n"}, date="2022-01-05T00:00:00+0000")
    ((one,),) = (scanned(repo, "--git", ".")[1]["findings"],)
    assert dict(one["evidence"])["commit"] == first
    ((one,),) = (scanned(repo, "--range", "HEAD~2..HEAD")[1]["findings"],)
    assert dict(one["evidence"])["commit"] == first


def test_a_file_that_was_renamed_holds_it_no_more_and_its_new_name_does(tmp_path: Path) -> None:
    """Both names have one content, so whether it is there still is asked of the name and not of the content."""
    repo = new(tmp_path / "r")
    commit(repo, {"old.env": LEAK})
    commit(repo, {"old.env": None, "new.env": LEAK})
    found = {one["location"]["file"]: dict(one["evidence"]) for one in scanned(repo, "--git", ".")[1]["findings"]}
    assert {name: told["in HEAD"] for name, told in found.items()} == {"old.env": "no", "new.env": "yes"}


def test_what_is_there_still_is_shown_where_it_stands_today(tmp_path: Path) -> None:
    """Its line in the first commit would lead an editor to another one."""
    repo = new(tmp_path / "r")
    first = commit(repo, {"a.env": LEAK})
    commit(repo, {"a.env": f"# moved\n\n\n{LEAK}"})
    ((one,),) = (scanned(repo, "--git", ".")[1]["findings"],)
    assert (one["location"]["line"], dict(one["evidence"])["commit"]) == (4, first)


def loose(repo: Path, name: str) -> Path:
    id_ = git(repo, "rev-parse", f"HEAD:{name}").decode().strip()
    file = repo / ".git/objects" / id_[:2] / id_[2:]
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return file


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "garbage": lambda file: file.write_bytes(b"garbage"),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:9]),
    "gone": lambda file: file.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("arguments", [("--git", "."), ("--range", "HEAD~1..HEAD"), ("--git", ".", "--unreachable")])
def test_a_damaged_object_is_named_and_never_silent(tmp_path: Path, damage: str, arguments: tuple[str, ...]) -> None:
    """What a power loss leaves behind."""
    repo = new(tmp_path / "r")
    commit(repo, {"z": "z\n"})
    commit(repo, {"a.env": LEAK, "b.txt": "b\n"})
    DAMAGE[damage](loose(repo, "a.env"))
    code, report = scanned(repo, *arguments)
    assert code == 3
    assert "a.env" in {gap["file"] for gap in report["coverage"][0]["gaps"]}


def test_no_flipped_bit_of_a_pack_ends_in_a_green_run(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    for number in range(10):
        commit(repo, {"a.txt": "".join(f"{line} {number // 3}\n" for line in range(60)), f"{number}.txt": f"{number}"})
    commit(repo, {"a.env": LEAK})
    commit(repo, {"a.env": None})
    git(repo, "gc", "-q")
    (pack,) = (repo / ".git/objects/pack").glob("*.pack")
    pack.chmod(stat.S_IRUSR | stat.S_IWUSR)
    whole = pack.read_bytes()
    draw = random.Random(3)  # noqa: S311 - places, not secrets
    for _ in range(12):
        content = bytearray(whole)
        content[draw.randrange(12, len(content) - 20)] ^= 1 << draw.randrange(8)
        pack.write_bytes(content)
        done = auditor("secrets", "scan", "--git", ".", "--format", "json", cwd=repo)
        assert done.code in {1, 3}
        assert json.loads(done.out)["coverage"][0]["gaps"]


def test_a_pack_whose_checksum_is_wrong_is_named(tmp_path: Path) -> None:
    """Every object in it may still be given by git, and one of them may have become another."""
    repo = new(tmp_path / "r")
    commit(repo, {"z": "z\n"})
    git(repo, "gc", "-q")
    assert scanned(repo, "--git", ".")[0] == 0
    (pack,) = (repo / ".git/objects/pack").glob("*.pack")
    pack.chmod(stat.S_IRUSR | stat.S_IWUSR)
    pack.write_bytes(pack.read_bytes()[:-1] + bytes([pack.read_bytes()[-1] ^ 1]))
    code, report = scanned(repo, "--git", ".")
    assert code == 3
    assert pack.name in json.dumps(report["coverage"][0]["gaps"])


def test_of_two_packs_one_is_cut_off_and_the_other_is_searched(tmp_path: Path) -> None:
    """Refs that name what nobody can read are no wrong use: nobody named one."""
    repo = new(tmp_path / "r")
    commit(repo, {"z": "z\n" * 100})
    git(repo, "tag", "old")
    git(repo, "repack", "-d", "-q")
    (first,) = (repo / ".git/objects/pack").glob("*.pack")
    commit(repo, {"a.env": LEAK})
    git(repo, "repack", "-d", "-q")
    first.chmod(stat.S_IRUSR | stat.S_IWUSR)
    first.write_bytes(first.read_bytes()[:90])
    code, report = scanned(repo, "--git", ".")
    assert code == 1
    assert len(report["findings"]) == 1
    assert report["coverage"][0]["gaps"]
