"""What people write into commits and tags is part of a history that whoever may read it has."""

import json
from pathlib import Path

import pytest

from tests.collectors.git.repositories import commit, git, new
from tests.e2e.program import auditor

TOKEN = "AKIA" + "QYLPMN5HFIQR7XYA"
OTHER = TOKEN[:-1] + "B"
FORMATS = ("console", "markdown", "html", "sarif", "sarif-github", "gitlab-secrets", "junit", "csv", "json")


def written(folder: Path) -> tuple[Path, str, str]:
    """Return a repository with a token in the message of a commit, twice, and another one in that of a tag."""
    repo = new(folder)
    start = commit(repo, {"a.txt": "text\n"})
    git(repo, "commit", "-q", "--allow-empty", "-m", f"deploy\n\nworks with {TOKEN}, password: hunter2")
    first = git(repo, "rev-parse", "HEAD").decode().strip()
    git(repo, "commit", "-q", "--allow-empty", "-m", f"again {TOKEN}")
    git(repo, "tag", "-a", "v1", "-m", f"release\n{OTHER}")
    return repo, start, first


def test_a_token_in_a_message_is_a_finding_of_its_first_commit(tmp_path: Path) -> None:
    repo, _, first = written(tmp_path / "r")
    done = auditor("secrets", "scan", "--git", ".", "--format", "json", cwd=repo)
    assert done.code == 1
    found = {one["location"]["file"]: one for one in json.loads(done.out)["findings"]}
    assert not any(entry["gaps"] for entry in json.loads(done.out)["coverage"])
    assert set(found) == {"commit message", "tag message"}, "a weak word in prose is an example"
    one = found["commit message"]
    assert (one["location"]["line"], dict(one["evidence"])["commit"]) == (3, first)
    assert found["tag message"]["location"]["line"] == 2
    assert TOKEN not in done.out + done.err


def test_a_range_answers_for_its_own_messages(tmp_path: Path) -> None:
    repo, start, first = written(tmp_path / "r")
    for ends, code in ((f"{start}..{first}", 1), (f"{first}..HEAD", 1), ("HEAD~0..HEAD", 0)):
        assert auditor("secrets", "scan", "--range", ends, cwd=repo).code == code, ends
    assert auditor("secrets", "scan", "--staged", cwd=repo).code == 0


def test_a_message_that_no_ref_reaches_is_searched_on_demand(tmp_path: Path) -> None:
    repo, start, _ = written(tmp_path / "r")
    git(repo, "reset", "-q", "--hard", start)
    git(repo, "tag", "-d", "v1")
    git(repo, "reflog", "expire", "--expire=now", "--all")
    assert auditor("secrets", "scan", "--git", ".", cwd=repo).code == 0
    assert auditor("secrets", "scan", "--git", ".", "--unreachable", cwd=repo).code == 1


@pytest.mark.parametrize("form", FORMATS)
def test_every_report_names_the_message_and_no_value(form: str, tmp_path: Path) -> None:
    repo, _, first = written(tmp_path / "r")
    done = auditor("secrets", "scan", "--git", ".", "--format", form, cwd=repo)
    assert done.code == 1, done.err
    assert TOKEN not in done.out + done.err
    if form != "sarif-github":
        assert "commit message" in done.out or "commit%20message" in done.out
        assert first[:12] in done.out or form in {"junit", "csv"}


def test_a_message_is_waived_as_a_file_is(tmp_path: Path) -> None:
    repo, _, _ = written(tmp_path / "r")
    key = {"AUDITOR_FINGERPRINT_KEY": "a key for these tests only"}
    done = auditor("secrets", "scan", "--git", ".", "--format", "json", cwd=repo, env=key)
    waivers = "waivers:\n"
    for number, one in enumerate(json.loads(done.out)["findings"]):
        waivers += f"""\
  - policy: L-GIT-01
    subject: "fact/credential:/{one["location"]["file"]}:*"
    value: {one["value_fingerprint"]}
    reason: Revoked on the day it was written, and the history cannot be rewritten.
    owner: platform@example.org
    approver: security@example.org
    ticket: SEC-{number}
    expires: 2027-03-31
"""
    (repo / ".auditor").mkdir()
    (repo / ".auditor/waivers.yaml").write_text(waivers)
    done = auditor("secrets", "scan", "--git", ".", cwd=repo, env=key)
    assert done.code == 0, done.out


def test_odd_commits_are_read(tmp_path: Path) -> None:
    """Without an author's line, with a NUL, in another encoding, and a tag of a tag."""
    repo, start, _ = written(tmp_path / "r")
    tree = git(repo, "rev-parse", "HEAD^{tree}").decode().strip()
    raw = (
        f"tree {tree}\nparent {start}\ncommitter x <x> 99999999999999999 +0000\nencoding ISO-8859-1\n\nn\0ul\n".encode()
    )
    raw += b"caf\xe9 " + OTHER[:-1].encode() + b"C\n"
    id_ = git(repo, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=raw).decode().strip()
    git(repo, "update-ref", "refs/heads/odd", id_)
    git(repo, "tag", "-a", "v2", "v1", "-m", f"tag of a tag {OTHER[:-1]}D")
    done = auditor("secrets", "scan", "--git", ".", "--format", "json", cwd=repo)
    assert done.code == 1, done.err
    assert len(json.loads(done.out)["findings"]) == 4
