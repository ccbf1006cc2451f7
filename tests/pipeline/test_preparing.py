"""The prepared library: all that a scan of the estate needs, the same bytes each time, and the same verdicts."""

import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

import auditor
from auditor import data, prepared, workloads
from auditor.configuration import Configuration
from auditor.model.assessment import Assessment
from auditor.pipeline import examples, scan
from auditor.policy import cel, document
from tests.e2e.program import ROOT

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def prepare(target: Path) -> bytes:
    subprocess.run([sys.executable, "-m", "auditor.pipeline.preparing", str(target)], check=True, cwd=ROOT)
    return target.read_bytes()


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return prepare(tmp_path_factory.mktemp("prepared") / "prepared.bin")


@pytest.fixture
def file(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the prepared library, which stands for the installation's."""
    path = tmp_path / "prepared.bin"
    path.write_bytes(content)
    monkeypatch.setattr(data, "prepared_name", lambda: str(path))
    prepared.forget()
    yield path
    prepared.forget()


def estate() -> Assessment:
    request = scan.Request(
        paths=(str(ROOT / "fixtures"),), configuration=Configuration(), jobs=1, fingerprint_key=b"k" * 32
    )
    return scan.scan(request, now=NOW, stdin=BytesIO(), progress=lambda _: None)


def test_a_scan_says_the_same_with_the_prepared_library_and_without(file: Path) -> None:
    with_it = estate()
    file.unlink()
    prepared.forget()
    assert estate() == with_it
    assert with_it.findings


@pytest.mark.usefixtures("file")
def test_a_scan_of_the_estate_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    found = prepared.program

    def noted(text: str, *, runtime: str) -> bytes | None:
        program = found(text, runtime=runtime)
        if program is None:
            asked.append(text)
        return program

    monkeypatch.setattr(prepared, "program", noted)
    estate()
    assert asked == []


@pytest.mark.usefixtures("file")
def test_what_looks_for_credentials_compiles_no_pattern() -> None:
    """All that those modules compile when they are imported was prepared, and is what `re` would have made."""
    names = [module.name for module in pkgutil.walk_packages(auditor.__path__, "auditor.")]
    modules = [name for name in names if name.startswith(("auditor.redaction", "auditor.detection"))]
    program = "import sys\nfrom auditor import data, patterns\n"
    program += f"data.prepared_name = lambda: {data.prepared_name()!r}\n"
    program += "import re\nmade = []\nkept = re.compile\n"
    program += "patterns.re.compile = lambda *given: made.append(given) or kept(*given)\n"
    program += "".join(f"import {name}\n" for name in modules)
    program += "asked = list(patterns._asked)\nprint(len(asked), len([one for one in made if one in asked]))\n"
    program += "print(all(patterns.compile_(*one) == kept(*one) for one in asked))\n"
    done = subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, capture_output=True, text=True)
    counts, same = done.stdout.splitlines()
    asked, compiled = map(int, counts.split())
    assert asked > 100
    assert (compiled, same) == (0, "True")


def test_every_example_says_the_same_with_prepared_programs(file: Path) -> None:
    table = workloads.load(data.policies() / "workloads.yaml")
    with_them = list(examples.run(document.load(document.built_in()).policies, workloads=table, now=NOW))
    file.unlink()
    prepared.forget()
    assert list(examples.run(document.load(document.built_in()).policies, workloads=table, now=NOW)) == with_them


@pytest.mark.usefixtures("file")
def test_every_yaml_file_of_the_library_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml_rs", None)
    for text in data.policies().rglob("*.yaml"):
        assert prepared.document(text.read_bytes()) is not None


def test_preparing_gives_the_same_bytes_in_every_process(content: bytes, tmp_path: Path) -> None:
    target = tmp_path / "deeper" / "prepared.bin"
    assert prepare(target) == content
    assert [entry.name for entry in target.parent.iterdir()] == ["prepared.bin"]


def test_the_runtime_is_known_by_its_release() -> None:
    assert cel.runtime().startswith("cel_expr_python-")
