"""What a ref names: real repositories, read as objects."""

import os
from pathlib import Path

import pytest

from auditor.collectors.git import refs
from auditor.collectors.git.command import Repository
from auditor.model.errors import InputError
from tests.collectors.git.repositories import commit, git, new


def opened(folder: Path) -> Repository:
    return Repository(folder, environ=os.environ)


def test_a_file_is_read_as_the_commit_has_it(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    first = commit(repo, {"sub/a.txt": "old\n"})
    commit(repo, {"sub/a.txt": "new\n"})
    (repo / "sub/a.txt").write_text("uncommitted\n")
    assert refs.read(opened(repo), first, Path("sub/a.txt")) == b"old\n"
    assert refs.read(opened(repo / "sub"), first, Path("a.txt")) == b"old\n", "paths count from the folder"
    assert refs.read(opened(repo / "sub"), first, Path("../sub/a.txt")) == b"old\n"
    assert refs.read(opened(repo), first, repo / "sub/a.txt") == b"old\n"
    assert refs.read(opened(repo), first, Path("sub/b.txt")) is None
    assert refs.read(opened(repo), first, Path("sub/*.txt")) is None, "a name is no pattern"


def test_a_bare_repository_has_files_as_well(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    id_ = commit(repo, {"a.txt": "x"})
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    assert refs.read(opened(tmp_path / "bare.git"), id_, Path("a.txt")) == b"x"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    (repo / "waivers.yaml").symlink_to("/etc/passwd")
    id_ = commit(repo, {"a.txt": "x"})
    with pytest.raises(InputError, match=r"waivers\.yaml is no file in commit"):
        refs.read(opened(repo), id_, Path("waivers.yaml"))
    with pytest.raises(InputError, match="lies outside of the repository"):
        refs.read(opened(repo), id_, Path("../other/a.txt"))


def test_a_ref_names_a_commit_or_is_told(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    assert refs.head(opened(repo)) == ""
    id_ = commit(repo, {"a.txt": "x"})
    git(repo, "tag", "-a", "-m", "t", "v1")
    assert refs.head(opened(repo)) == refs.commit(opened(repo), "v1") == refs.commit(opened(repo), "main") == id_
    for wrong in ("nope", "origin/main", "--all", "HEAD:a.txt", ""):
        with pytest.raises(InputError, match="is no commit of") as raised:
            refs.commit(opened(repo), wrong)
        assert "git fetch" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://user:gull-and-anchor-9@git.example:8443/a/b", "https://git.example:8443/a/b"),
        ("https://git.example/a?private_token=gull-and-anchor-9#x", "https://git.example/a"),
        ("git@github.com:a/b.git", "ssh://github.com/a/b.git"),
        ("ssh://git@host:22/a", "ssh://host:22/a"),
        ("../elsewhere", ""),
        ("/srv/git/a.git", ""),
        ("C:\\git\\a", ""),
        ("ext::sh -c touch% /tmp/x", ""),
    ],
)
def test_the_address_has_no_login_and_is_one_that_others_can_use(tmp_path: Path, url: str, address: str) -> None:
    repo = new(tmp_path / "r")
    assert refs.address(opened(repo)) == ""
    git(repo, "config", "remote.origin.url", url)
    assert refs.address(opened(repo)) == address
