"""`auditor secrets scan --image`, and archives in a tree, by the installed program."""

import json
import os
from pathlib import Path

import pytest

from tests.collectors.git.repositories import commit, new
from tests.collectors.test_archives import TOKEN, tarred, zipped
from tests.collectors.test_images import LEAK, layout, saved
from tests.e2e.program import auditor

VALUES = ("gull-and-anchor-9", "heron-and-quay-7", "tern-and-rope-5", "buoy-and-mast-3", "oar-and-keel-8")


def test_an_image_is_judged_by_the_policy_on_images(tmp_path: Path) -> None:
    for files in (layout(), saved()):
        (tmp_path / "web.tar").write_bytes(tarred(files))
        done = auditor("secrets", "scan", "--image", "web.tar", "--format", "json", cwd=tmp_path)
        found = json.loads(done.out)["findings"]
        assert done.code == 1
        assert {entry["policy_id"] for entry in found} == {"K-SEC-07"}
        assert len(found) == 7
        assert any("history 2" in entry["message"] for entry in found)
        assert not [value for value in VALUES if value in done.out + done.err]


def test_a_token_in_a_program_of_a_layer_is_found(tmp_path: Path) -> None:
    """Compiled into a binary, in a jar in a layer, and in a layer that is one file and no tar."""
    compiled = b"\x7fELF\2\1\1\0" * 20 + TOKEN + b"\0" + LEAK + b"\0\0\1"
    layers = (tarred({"bin/app": compiled, "lib/app.jar": zipped({"App.class": compiled})}), b"\0\1" + compiled)
    (tmp_path / "web.tar").write_bytes(tarred(layout(*layers)))
    done = auditor("secrets", "scan", "--image", "web.tar", "--format", "json", cwd=tmp_path)
    told = [entry["message"] for entry in json.loads(done.out)["findings"] if "aws-access-key-id" in json.dumps(entry)]
    assert done.code == 1
    for place in ("bin/app", "lib/app.jar!/App.class", ": layer"):
        assert any(place in one for one in told), told
    assert len(told) == 3, done.out
    assert TOKEN.decode() not in done.out + done.err


def test_a_clean_image_passes_and_a_broken_one_does_not(tmp_path: Path) -> None:
    clean = saved((tarred({"etc/motd": b"welcome\n"}),))
    (config,) = [name for name in clean if name.endswith(".json") and name != "manifest.json"]
    clean[config] = b'{"config": {}}'
    (tmp_path / "web.tar").write_bytes(tarred(clean))
    done = auditor("secrets", "scan", "--image", "web.tar", "--format", "json", cwd=tmp_path)
    assert done.code == 0, done.err
    verdicts = {entry["policy_id"]: entry for entry in json.loads(done.out)["results"]}
    assert len(verdicts["K-SEC-07"]["passed"]) == 1
    del clean[next(name for name in clean if name.endswith("layer.tar"))]
    (tmp_path / "web.tar").write_bytes(tarred(clean))
    assert auditor("secrets", "scan", "--image", "web.tar", cwd=tmp_path).code == 3
    (tmp_path / "web.tar").write_bytes(b"text")
    assert auditor("secrets", "scan", "--image", "web.tar", cwd=tmp_path).code == 2


def test_what_only_looks_random_in_an_image_is_told_and_never_fails(tmp_path: Path) -> None:
    image = saved((tarred({"srv/seed.py": b'seed = "q8Zt3LvP0xW7kYb5NcRm2JdHs9GeUaTf"\n'}),))
    (config,) = [name for name in image if name.endswith(".json") and name != "manifest.json"]
    image[config] = b'{"config": {}}'
    (tmp_path / "web.tar").write_bytes(tarred(image))
    arguments = ("--image", "web.tar", "--tier", "3", "--fail-on", "info", "--format", "json")
    done = auditor("secrets", "scan", *arguments, cwd=tmp_path)
    assert done.code == 0, done.err
    (verdict,) = [entry for entry in json.loads(done.out)["results"] if entry["policy_id"] == "K-SEC-07"]
    ((_, reason),) = verdict["not_evaluated"]
    assert "srv/seed.py: Text that looks like a machine-made secret, 32 characters" in reason


@pytest.mark.parametrize("form", ["layout", "saved"])
def test_what_stands_before_the_cut_of_an_image_is_searched_and_the_run_incomplete(form: str, tmp_path: Path) -> None:
    noise = os.urandom(40_000)
    layers = (tarred({"app/first.env": LEAK}), tarred({"app/noise.bin": noise, "app/last.env": LEAK}))
    files = saved(layers) if form == "saved" else layout(*layers)
    # The manifest stands at the end, as `docker save` writes it.
    ordered = dict(sorted(files.items(), key=lambda entry: entry[0] in {"manifest.json", "index.json", "repositories"}))
    whole = tarred(ordered)
    (tmp_path / "web.tar").write_bytes(whole)
    complete = auditor("secrets", "scan", "--image", "web.tar", "--format", "json", cwd=tmp_path)
    assert complete.code == 1
    (tmp_path / "web.tar").write_bytes(whole[: len(whole) - 30_000])
    done = auditor("secrets", "scan", "--image", "web.tar", "--format", "json", cwd=tmp_path)
    told = json.loads(done.out)
    assert "cut off or damaged" in json.dumps(told["coverage"])
    assert done.code == 1
    assert any("first.env" in entry["message"] + json.dumps(entry) for entry in told["findings"])


def test_archives_of_a_tree_are_opened_and_what_cannot_be_is_counted(tmp_path: Path) -> None:
    (tmp_path / "app.jar").write_bytes(zipped({"config/x.env": LEAK}))
    (tmp_path / "cut.zip").write_bytes(zipped({"x.env": LEAK})[:-20])
    done = auditor("secrets", "scan", "--format", "json", cwd=tmp_path)
    assessment = json.loads(done.out)
    assert [entry["location"]["file"] for entry in assessment["findings"]] == ["app.jar"]
    assert any("config/x.env" in subject["id"] for subject in assessment["subjects"])
    assert ["archive", 1] in [list(entry) for entry in assessment["coverage"][0]["skipped"]]


def test_archives_of_a_history_are_opened_and_say_since_when(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"lib/app.jar": zipped({"config/app.env": LEAK})}, date="2021-05-06T07:08:09+0000")
    commit(repo, {"lib/app.jar": None})
    done = auditor("secrets", "scan", "--git", ".", "--format", "json", cwd=repo)
    (finding,) = json.loads(done.out)["findings"]
    assert (done.code, finding["location"]["file"]) == (1, "lib/app.jar")
    assert "config/app.env" in finding["message"] + json.dumps(finding)
    assert finding["message"].endswith("since 2021-05-06, only in the history")


def test_an_archive_that_is_not_read_to_its_end_is_named_and_the_run_incomplete(tmp_path: Path) -> None:
    deep = LEAK
    for number in range(6):
        deep = zipped({f"{number}.zip" if number else "a.env": deep})
    (tmp_path / "deep.zip").write_bytes(deep)
    (tmp_path / "many.zip").write_bytes(zipped({f"{number}": b"" for number in range(50_100)} | {"z.env": LEAK}))
    (tmp_path / "cut.zip").write_bytes(zipped({"a.env": LEAK})[:-30])
    done = auditor("secrets", "scan", "--format", "json", cwd=tmp_path)
    (part,) = json.loads(done.out)["coverage"]
    assert (done.code, {gap["file"] for gap in part["gaps"]}) == (3, {"deep.zip", "many.zip", "cut.zip"})
    assert part["skipped"] == [["archive", 3]]
    (tmp_path / "a.txt").write_text("nothing\n")
    assert auditor("secrets", "scan", "--exclude", "*.zip", cwd=tmp_path).code == 0
