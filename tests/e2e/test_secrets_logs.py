"""`auditor secrets scan --log` on files as they lie on a node."""

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from auditor.pipeline import secrets_logs
from tests.e2e.program import auditor

VALUE = "gull-and-anchor-9"
LINE = f"2026-11-25T20:11:12Z ERROR login failed user=bob password={VALUE}\n"


def findings(folder: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, list[dict[str, object]], str]:
    done = auditor("secrets", "scan", *arguments, "--format", "json", cwd=folder, stdin=stdin)
    assert VALUE not in done.out + done.err
    return done.code, json.loads(done.out)["findings"], done.err


def test_each_log_of_a_run_is_searched_and_its_findings_name_record_and_stream(tmp_path: Path) -> None:
    (tmp_path / "plain.log").write_text("INFO start\n" + LINE * 3)
    with gzip.open(tmp_path / "docker.log.gz", "wt") as file:
        file.write(json.dumps({"log": "INFO\n", "stream": "stdout", "time": "x"}) + "\n")
        file.write(json.dumps({"log": LINE, "stream": "stderr", "time": "x"}) + "\n")
    cri = f"2026-11-25T20:11:12.1Z stdout P x password={VALUE[:5]}\n2026-11-25T20:11:12.1Z stdout F {VALUE[5:]}\n"
    (tmp_path / "cri.log.zst").write_bytes(zstandard.compress(cri.encode()))
    logs = [word for name in ("plain.log", "docker.log.gz", "cri.log.zst") for word in ("--log", name)]
    code, found, _ = findings(tmp_path, *logs)
    assert code == 1
    assert {(entry["policy_id"], entry["severity"]) for entry in found} == {("L-LOG-01", "high")}
    places = {(entry["location"]["file"], entry["location"]["line"]) for entry in found}  # type: ignore[index]
    assert places == {("plain.log", 2), ("docker.log.gz", 2), ("cri.log.zst", 1)}
    texts = sorted(str(entry["message"]) for entry in found)
    assert ["3 times" in text for text in texts].count(True) == 1
    assert ["written to stderr" in text for text in texts].count(True) == 1


def test_standard_input_and_a_clean_log_pass(tmp_path: Path) -> None:
    assert findings(tmp_path, "--log", "-", stdin=LINE.encode())[0] == 1
    assert findings(tmp_path, "--log", "-", stdin=b"INFO start\n")[:2] == (0, [])


@pytest.mark.parametrize("cut", [5, 40])
def test_a_log_that_ends_too_early_makes_the_run_incomplete(cut: int, tmp_path: Path) -> None:
    packed = gzip.compress("".join(f"INFO {number}\n" for number in range(5000)).encode())
    (tmp_path / "a.log.gz").write_bytes(packed[:-cut])
    code, found, err = findings(tmp_path, "--log", "a.log.gz")
    assert (code, found) == (3, [])
    assert "incomplete" in err


def test_a_missing_log_is_wrong_use(tmp_path: Path) -> None:
    assert auditor("secrets", "scan", "--log", "no.log", cwd=tmp_path).code == 2
    assert auditor("secrets", "scan", "--log", "no.log", "--staged", cwd=tmp_path).code == 2


def test_a_log_of_tokens_that_change_is_told_up_to_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from auditor.detection import rules
    from auditor.detection.engine import Engine

    (tmp_path / "a.log").write_text("".join(f"x password=gull-and-anchor-{number}\n" for number in range(30)))
    monkeypatch.setattr(secrets_logs, "_MOST", 10)
    engine = Engine(rules.load().of_tier(2), fingerprint=lambda value: value)
    sightings, _, gaps = secrets_logs.search([str(tmp_path / "a.log")], engine, told=lambda _: None)
    assert len(sightings) == 10
    assert "20 further places" in gaps[0].detail


def test_what_only_looks_random_in_a_log_is_told_and_never_fails(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text('INFO start\nINFO seed "q8Zt3LvP0xW7kYb5NcRm2JdHs9GeUaTf"\n')
    done = auditor("secrets", "scan", "--log", "web.log", "--tier", "3", "--fail-on", "info", cwd=tmp_path)
    assert done.code == 0
    assert "web.log:2: Text that looks like a machine-made secret, 32 characters" in done.out
