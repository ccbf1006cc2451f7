"""A second run: faster, with the same verdicts, and with nothing in the cache that anybody could want."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.collectors.git.repositories import commit, new
from tests.e2e.program import PROGRAM, Done, auditor

VALUE = "gull-and-anchor-9"
LEAK = f"DB_PASSWORD={VALUE}\n"
KEY = "a key for these tests only, and long enough"


def scan(folder: Path, *arguments: str) -> Done:
    env = {"XDG_CACHE_HOME": str(folder.parent / "cache"), "AUDITOR_FINGERPRINT_KEY": KEY}
    return auditor("secrets", "scan", *arguments, cwd=folder, env=env)


def assessment(folder: Path, *arguments: str) -> tuple[dict[str, Any], int]:
    """Return the assessment without what tells one run from another, and how much was remembered."""
    found = json.loads(scan(folder, "--format", "json", *arguments).out)
    del found["run"]
    (searched,) = found["leaks"]["searched"]
    return found, searched.pop("remembered")


def tree(folder: Path) -> Path:
    place = folder / "tree"
    place.mkdir()
    for number in range(30):
        (place / f"{number}.txt").write_text(f"nothing {number}\n")
    (place / "binary").write_bytes(b"\0\1\2")
    (place / "leak.env").write_text(LEAK)
    # Files that changed just now are not remembered.
    time.sleep(2.1)
    return place


def test_a_tree_and_what_changed_in_it(tmp_path: Path) -> None:
    place = tree(tmp_path)
    first, known = assessment(place)
    assert known == 0
    second, known = assessment(place)
    assert (second, known) == (first, 30)
    assert assessment(place, "--no-cache") == (first, 0)
    (place / "7.txt").write_text(LEAK.replace("9", "7"))
    third, known = assessment(place)
    assert ([one["location"]["file"] for one in third["findings"]], known) == (["7.txt", "leak.env"], 29)


def test_what_is_remembered_holds_for_the_same_question_alone(tmp_path: Path) -> None:
    place = tree(tmp_path)
    (place / "random.py").write_text('seed = "q8Zt3LvP0xW7kYb5NcRm2JdHs9GeUaTf"\n')
    own = tmp_path / "rules"
    own.mkdir()
    (own / "nothing.yaml").write_text(
        "id: nothing\ntitle: The word\ntier: 2\ndocumentation: https://docs.example\npattern: nothing [0-9]{1,2}\n"
        "heads: [nothing]\nremediation: Take it out.\nexamples:\n  - {found: nothing 5}\n"
        "  - {passed_over: 'no thing', why: another word}\n"
    )
    assessment(place)
    assert assessment(place)[1] == 30
    assert "random.py:1" not in scan(place).out
    assert "random.py:1" in scan(place, "--tier", "3").out
    done = scan(place, "--rules", str(own), "--all")
    assert done.out.count("The word") >= 30, done.out + done.err
    assert assessment(place, "--rule-off", "named-credential")[1] == 0


def test_a_history_and_what_is_new_in_it(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {f"{number}.txt": f"nothing {number}\n" for number in range(20)} | {"leak.env": LEAK})
    first, known = assessment(repo, "--git", ".")
    assert known == 0
    second, known = assessment(repo, "--git", ".")
    assert (second, known) == (first, 20)
    commit(repo, {"new.env": LEAK.replace("9", "8"), "new.txt": "new\n"})
    third, known = assessment(repo, "--git", ".")
    assert ({one["location"]["file"] for one in third["findings"]}, known) == ({"leak.env", "new.env"}, 20)


def test_a_blob_that_is_missing_meanwhile_is_told_though_it_was_clean(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.txt": "nothing\n", "b.txt": "nothing else\n"})
    assert scan(repo, "--git", ".").code == 0
    blob = next(
        file for file in (repo / ".git/objects").glob("??/*") if b"blob" in _type(repo, file.parent.name + file.name)
    )
    blob.unlink()
    assert scan(repo, "--git", ".").code == 3


def _type(repo: Path, id_: str) -> bytes:
    return subprocess.run(["git", "-C", str(repo), "cat-file", "-t", id_], capture_output=True, check=True).stdout


def test_the_console_says_what_was_not_read_again(tmp_path: Path) -> None:
    place = tree(tmp_path)
    assert "known to be clean" not in scan(place).out
    assert "(30 known to be clean from an earlier run)" in " ".join(scan(place).out.split())


def test_a_cache_holds_no_value_no_fingerprint_and_no_name(tmp_path: Path) -> None:
    place = tree(tmp_path)
    (place / "sub-folder-of-ours").mkdir()
    (place / "sub-folder-of-ours" / "clean-file-of-ours.txt").write_text("some words of a clean file\n")
    repo = new(tmp_path / "r")
    commit(repo, {"a-file-of-ours.txt": "some words of a clean file\n", "leak.env": LEAK})
    (fingerprint,) = {one["value_fingerprint"] for one in assessment(place)[0]["findings"]}
    assessment(repo, "--git", ".")
    written = [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    assert len(written) == 2
    forbidden = (VALUE, fingerprint, "DB_PASSWORD", "of-ours", "words", "leak", KEY, str(tmp_path))
    for file in written:
        assert file.stat().st_mode & 0o777 == 0o600
        content = file.name.encode() + file.read_bytes()
        assert not [word for word in forbidden if word.encode() in content or word.encode().hex().encode() in content]
        assert bytes.fromhex(fingerprint) not in content


@pytest.mark.parametrize("damage", ["cut", "empty", "text"])
def test_a_damaged_cache_changes_nothing(damage: str, tmp_path: Path) -> None:
    place = tree(tmp_path)
    first, _ = assessment(place)
    (file,) = (tmp_path / "cache" / "auditor").iterdir()
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[:-9], "empty": b"", "text": b"{}"}[damage])
    assert assessment(place) == (first, 0)
    assert file.read_bytes() == whole, "written anew"


def test_runs_at_the_same_time_say_the_same(tmp_path: Path) -> None:
    place = tree(tmp_path)
    command = [str(PROGRAM), "secrets", "scan", "--format", "json"]
    env = {"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache"), "AUDITOR_FINGERPRINT_KEY": KEY}
    for _ in range(2):
        runs = [subprocess.Popen(command, cwd=place, env=env, stdout=subprocess.PIPE) for _ in range(4)]
        outputs = [json.loads(run.communicate(timeout=60)[0]) for run in runs]
        assert [[one["location"]["file"] for one in output["findings"]] for output in outputs] == [["leak.env"]] * 4
    assert assessment(place)[1] == 30


def test_the_hook_and_what_others_ask_write_none(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.txt": "nothing\n"})
    scan(repo, "--staged")
    scan(repo, "--range", "HEAD..HEAD")
    auditor("secrets", "hook", "run", "pre-commit", cwd=repo, env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert not (tmp_path / "cache").exists()
