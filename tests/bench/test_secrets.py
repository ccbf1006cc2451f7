"""The bench of `auditor secrets`: the same input each time, peers where they are, and every blob counted."""

import random
from pathlib import Path

import pytest

from bench import corpora, secrets
from tests.collectors.git.repositories import commit, new

CLEAN = "DB_PASSWORD=${DB_PASSWORD}\n"


def test_the_same_seed_gives_the_same_log_with_every_token_in_it() -> None:
    content, planted = corpora.log(size=100_000)
    assert (content, planted) == corpora.log(size=100_000)
    assert len(planted) > 3
    assert {*corpora.TOKEN.findall(content)} >= {*planted}


def test_a_file_that_a_hook_has_to_pass_holds_no_credential(tmp_path: Path) -> None:
    rng = random.Random(11)  # noqa: S311 - made-up text, not a key
    for number in range(40):
        name = corpora.put(tmp_path, number, rng, lines=300, plain=True)
        assert "_password = " not in (tmp_path / name).read_text()


def test_a_peer_is_named_by_its_variable_and_told_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("GITLEAKS", "KINGFISHER", "DETECT_SECRETS"):
        monkeypatch.delenv(name, raising=False)
    assert secrets._peers(gitleaks=["git"], kingfisher=["scan"]) == {}
    assert [line.partition(":")[0] for line in secrets._missing()] == ["gitleaks", "kingfisher", "detect-secrets-hook"]
    monkeypatch.setenv("KINGFISHER", "/opt/kingfisher")
    assert secrets._peers(gitleaks=["git"], kingfisher=["scan"]) == {"kingfisher": ["/opt/kingfisher", "scan"]}


def test_the_blobs_of_every_ref_are_counted_once_and_all_accounted_for(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": CLEAN, "b.env": CLEAN, "c.txt": "text\n", "d.bin": b"\0\1"})
    commit(repo, {"a.env": CLEAN + "B=1\n"})
    blobs, size = secrets._blobs(repo)
    assert (blobs, size) == (4, len(CLEAN) * 2 + 4 + len("text\n") + 2)
    command = [secrets._AUDITOR, "secrets", "scan", "--git", str(repo), "--no-cache"]
    assert secrets._accounted(command, blobs) == "every blob accounted for: 4 of 4, complete"
    assert "NOT COMPLETE" in secrets._accounted(command, blobs + 1)
    secrets._read(repo)
