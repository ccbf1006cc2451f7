"""`auditor baseline`: known findings of a stored assessment."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from auditor import reports
from auditor.assess import baseline
from auditor.model.assessment import Assessment
from auditor.model.coverage import Gap, GapReason
from tests.assess.builders import VALUE, assessment, finding
from tests.cli.running import run


def stored(folder: Path, whole: Assessment) -> Path:
    file = folder / "scan.json"
    file.write_bytes(reports.render("json", whole))
    return file


def test_it_writes_what_a_scan_can_be_compared_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / ".auditor" / "baseline.json"
    assert run(["baseline", stored(tmp_path, assessment(finding())), "-o", file]) == 0
    (found,), use = baseline.apply([finding()], baseline.load(file), key_id="")
    assert (found.known, use.known) == (True, 1)
    assert capsys.readouterr().err == f"wrote {file}\n"


def test_it_goes_to_standard_output_by_default(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["baseline", stored(tmp_path, assessment(finding()))]) == 0
    assert capfdbinary.readouterr().out == baseline.write(assessment(finding()))


def test_it_says_that_values_under_a_random_key_will_be_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stored(tmp_path, assessment(finding(value=VALUE)))
    assert run(["baseline", file, "-o", tmp_path / "b.json"]) == 0
    assert "the fingerprint key was random" in capsys.readouterr().err
    assert run(["baseline", file, "-o", tmp_path / "b.json", "-q"]) == 0
    assert capsys.readouterr().err == ""


def test_it_says_when_something_had_not_been_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = assessment(finding())
    gap = Gap(file="a.yaml", reason=GapReason.BROKEN_YAML)
    whole = replace(whole, coverage=(replace(whole.coverage[0], gaps=(gap,)),))
    assert run(["baseline", stored(tmp_path, whole), "-o", tmp_path / "b.json"]) == 0
    assert "incomplete" in capsys.readouterr().err


def test_a_baseline_is_no_assessment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "baseline.json"
    file.write_bytes(baseline.write(assessment()))
    assert json.loads(file.read_bytes())["findings"] == []
    assert run(["baseline", file]) == 2
    assert "states no schema_version" in capsys.readouterr().err


def test_a_place_that_cannot_take_it_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stored(tmp_path, assessment())
    assert run(["baseline", file, "-o", file / "b.json"]) == 2
    assert "cannot be written" in capsys.readouterr().err
