"""`auditor report`: a stored assessment rendered again."""

import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from auditor import reports
from auditor.assess import stored
from tests.cli.running import run
from tests.reports import sample


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    file = tmp_path / "scan.json"
    file.write_bytes(reports.render("json", sample.rich()))
    return file


@pytest.mark.parametrize("format_", ["json", "markdown", "csv", "junit", "sarif"])
def test_a_stored_assessment_renders_as_its_own_run_would(scan: Path, tmp_path: Path, format_: str) -> None:
    file = tmp_path / "again"
    assert run(["report", scan, "--format", "console", "--report", f"{format_}={file}", "-q"]) == 0
    assert file.read_bytes() == reports.render(format_, stored.load(scan))


def test_json_comes_out_as_it_went_in(scan: Path, tmp_path: Path) -> None:
    assert run(["report", scan, "--report", f"json={tmp_path / 'copy.json'}", "-q"]) == 0
    assert (tmp_path / "copy.json").read_bytes() == scan.read_bytes()


def test_the_report_goes_to_standard_output_and_notes_do_not(
    scan: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["report", scan, "-o", "json"]) == 0
    written = capfdbinary.readouterr()
    assert written.out == scan.read_bytes()
    assert b"incomplete" in written.err


def test_an_assessment_may_come_through_a_pipe(
    scan: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(scan.read_bytes())))
    assert run(["report", "-", "-o", "json", "-q"]) == 0
    assert capfdbinary.readouterr().out == scan.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.json"], "error: missing.json cannot be read"),
        ([__file__], "is not JSON"),
        (["scan.json", "-o", "word"], "error: word is not a report format"),
        (["scan.json", "--report", "html"], "--report html names no file"),
    ],
)
def test_wrong_use_is_told_with_a_hint(
    arguments: list[str], told: str, scan: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scan.parent)
    assert run(["report", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert " hint: " in error
    assert "Traceback" not in error


def test_the_installed_program_renders_it_too(scan: Path) -> None:
    program = Path(sys.executable).with_name("auditor")
    done = subprocess.run([program, "report", scan, "-o", "json", "-q"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == scan.read_bytes()
