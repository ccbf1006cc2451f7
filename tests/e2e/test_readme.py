"""What a newcomer does: the README's commands, and a wheel installed into an empty environment."""

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from auditor import reports
from tests.e2e.program import ROOT

pytestmark = pytest.mark.xdist_group("install")


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert re.search(r"^make demo$", text, re.MULTILINE)
    assert re.search(r"^make test$", text, re.MULTILINE)


def test_make_demo_writes_every_report_and_leaves_the_checkout_clean(tmp_path: Path) -> None:
    before = _status()
    done = subprocess.run(
        ["make", "demo", f"OUT={tmp_path}"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    written = {file.name: file.stat().st_size for file in tmp_path.iterdir()}
    expected = {"audit.html", "audit.pdf", "audit.json", "audit.sarif", "audit-junit.xml", "audit.csv", "audit.md"}
    assert expected <= set(written)
    assert all(written.values())
    for name in expected:
        assert str(tmp_path / name) in done.stdout
    assert _status() == before


def _status() -> str:
    done = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program of the wheel, installed into an empty environment."""
    folder = tmp_path_factory.mktemp("wheel")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)],
        check=True, capture_output=True, timeout=300, env=environment,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    subprocess.run(
        [str(folder / "env" / "bin" / "pip"), "install", "--quiet", str(wheel)],
        check=True, capture_output=True, timeout=600, env=environment,
    )  # fmt: skip
    return folder / "env" / "bin" / "auditor"


def test_an_installed_program_works_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    """The policies and templates are in the wheel."""
    manifest = b"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a, image: b}]}\n"
    arguments = ["scan", "-"]
    for format_ in reports.REPORTS:
        arguments += ["--report", f"{format_}={tmp_path / format_}"]
    done = subprocess.run(
        [str(installed), *arguments], cwd=tmp_path, input=manifest, capture_output=True, check=False, timeout=120
    )
    assert done.returncode in {0, 1}, done.stderr.decode()
    assert {file.name for file in tmp_path.iterdir()} == set(reports.REPORTS)


def test_the_wheel_holds_the_program_and_its_data_alone(installed: Path) -> None:
    (wheel,) = installed.parent.parent.parent.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in held} == {"auditor"}
    assert "auditor/_data/prepared.bin" in held
    for folder, data in (("policies", "policies"), ("reports/templates", "templates")):
        shipped = {file.relative_to(ROOT / folder) for file in (ROOT / folder).rglob("*") if file.is_file()}
        packed = {Path(name).relative_to(f"auditor/_data/{data}") for name in held if f"/_data/{data}/" in name}
        assert packed == shipped


def test_an_installed_program_knows_its_library(installed: Path, tmp_path: Path) -> None:
    for arguments, words in ((["policy", "list"], "K-SEC-01"), (["frameworks", "list"], "soc2")):
        done = subprocess.run(
            [str(installed), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert words in done.stdout


def test_shell_completion_offers_the_commands(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(installed)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "_AUDITOR_COMPLETE": "complete_bash", "COMP_WORDS": "auditor ", "COMP_CWORD": "1"},
    )
    assert {"scan", "policy", "frameworks", "report", "diff", "baseline"} <= set(done.stdout.split())
