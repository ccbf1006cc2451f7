"""The made-up estate, judged on a fixed day: what its owners read, whole."""

import re
import shutil
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from auditor import configuration, reports
from auditor.model.assessment import Assessment
from auditor.pipeline import scan as pipeline
from tests.e2e.program import ROOT
from tests.reports import plain

GOLDEN = Path(__file__).parent / "golden"
ESTATE = ROOT / "fixtures" / "estate"
FORMATS = ("console", "markdown", "junit", "gitlab", "github", "csv", "json")
# They change with every word of a policy, and the policies have goldens of their own: their pages.
_DIGEST = re.compile(rb"\b[0-9a-f]{64}\b")


@pytest.fixture
def assessment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Assessment:
    """Return what a scan says from inside the estate, as its owners start it; nothing of our repository is around."""
    monkeypatch.chdir(shutil.copytree(ESTATE, tmp_path / "estate"))
    settings = configuration.load(Path("auditor.yaml"))
    return pipeline.scan(
        pipeline.Request(
            paths=(".",),
            configuration=settings,
            waivers=settings.waivers,
            baseline=Path("baseline.json"),
            fingerprint_key=b"a key for this golden only",
            jobs=1,
        ),
        now=datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
        stdin=BytesIO(),
        progress=lambda _: None,
    )


@pytest.mark.parametrize("format_", FORMATS)
def test_the_estate_gives_the_golden_report(
    assessment: Assessment, format_: str, request: pytest.FixtureRequest
) -> None:
    """Renew with `make goldens` and review the difference like code."""
    content = _DIGEST.sub(b"<digest>", reports.render(format_, assessment))
    file = GOLDEN / f"estate.{format_}.{reports.REPORTS[format_].suffix.lstrip('.')}"
    if request.config.getoption("--renew-goldens"):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    # Bytes: a CSV file ends its lines in its own way.
    assert content.decode() == file.read_bytes().decode()


@pytest.mark.parametrize("format_", list(plain.RICH))
def test_the_estate_gives_the_golden_pages(
    assessment: Assessment, format_: str, request: pytest.FixtureRequest
) -> None:
    """What people open: elements and texts of the HTML, the text of each page of the PDF."""
    said = plain.without_policies(format_, plain.lines(format_, assessment))
    said = re.sub(r"(sha256:)?\b[0-9a-f]{64}\b", "<digest>", said)
    file = GOLDEN / f"estate.{format_}{plain.RICH[format_]}"
    if request.config.getoption("--renew-goldens"):
        file.write_text(said)
    assert said.splitlines() == file.read_text().splitlines()
