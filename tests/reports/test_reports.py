"""What holds for every format; HTML and PDF have tests of their own beside these."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from auditor import reports
from auditor.model.assessment import Assessment
from auditor.model.errors import ConfigurationError
from tests.reports import plain, sample

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
TEXT_FORMATS = [name for name in reports.REPORTS if name not in {"html", "pdf"}]
WHOLE = [name for name in TEXT_FORMATS if name != "gitlab-secrets"]
"""Formats that hold every finding and name every gap; GitLab's own report on secrets holds those on credentials."""
HELPERS = {
    "console_page",
    "console_closing",
    "pdf_document",
    "pdf_findings",
    "pdf_requirements",
    "systems",
    "figures",
    "leaks",
    "json_text",
    "options",
    "sarif_tool",
    "templates",
    "text",
    "wording",
}
"""Modules of the package that several formats use."""


def test_each_module_of_the_package_is_a_format_or_a_known_helper() -> None:
    """Nothing registers itself: a module that is not in the table would be dead."""
    modules = {path.stem for path in (ROOT / "auditor" / "reports").glob("*.py")} - {"__init__"}
    assert modules == {report.module for report in reports.REPORTS.values()} | HELPERS


def test_a_format_without_text_says_that_it_is_binary() -> None:
    assert [name for name, report in reports.REPORTS.items() if report.binary] == ["pdf"]


@pytest.mark.parametrize("format_", TEXT_FORMATS)
def test_the_same_verdicts_in_any_order_give_the_same_bytes(format_: str) -> None:
    for whole in (sample.rich(), sample.leaked()):
        expected = reports.render(format_, whole)
        for seed in range(5):
            assert reports.render(format_, sample.shuffled(whole, seed)) == expected


@pytest.mark.parametrize("format_", TEXT_FORMATS)
@pytest.mark.parametrize("case", ["rich", "clean", "empty", "live", "leaked"])
def test_whole_output_is_the_golden_one(format_: str, case: str, request: pytest.FixtureRequest) -> None:
    """Renew with `--renew-goldens` and review the difference like code."""
    content = reports.render(format_, getattr(sample, case)())
    file = GOLDEN / f"{case}.{format_}{reports.REPORTS[format_].suffix}"
    if request.config.getoption("--renew-goldens"):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    # As text, so that a difference is shown by line.
    assert content.decode().splitlines() == file.read_bytes().decode().splitlines()


@pytest.mark.parametrize("format_", list(plain.RICH))
@pytest.mark.parametrize("case", ["rich", "clean", "empty", "live", "leaked"])
def test_pages_hold_what_the_golden_ones_hold(format_: str, case: str, request: pytest.FixtureRequest) -> None:
    """The HTML as its elements and texts, the PDF as the text of its pages: what a reader would miss is a line here."""
    said = plain.lines(format_, getattr(sample, case)())
    file = GOLDEN / f"{case}.{format_}{plain.RICH[format_]}"
    if request.config.getoption("--renew-goldens"):
        file.write_text(said)
    assert said.splitlines() == file.read_text().splitlines()


def test_every_format_has_golden_reports() -> None:
    assert set(TEXT_FORMATS) | set(plain.RICH) == set(reports.REPORTS)


@pytest.mark.parametrize("format_", ["console", "html", "pdf"])
def test_a_template_folder_that_is_none_is_an_error(format_: str, tmp_path: Path) -> None:
    """Also where the format has no template: who names a folder means that it be used."""
    with pytest.raises(ConfigurationError, match=r"the template folder .*nowhere is no folder"):
        reports.render(format_, sample.empty(), templates=tmp_path / "nowhere")


@pytest.mark.parametrize("format_", TEXT_FORMATS)
def test_no_character_that_a_terminal_or_viewer_acts_upon_gets_out(format_: str) -> None:
    """Escape sequences, C1 controls, direction overrides: all are in the sample's texts, none in any output."""
    for whole in (sample.rich(), sample.leaked()):
        text = reports.render(format_, whole, show_all=True).decode()
        allowed = "\r\n" if format_ == "csv" else "\n\t"
        assert not re.findall(f"(?![{allowed}])[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]", text)


@pytest.mark.parametrize("format_", TEXT_FORMATS)
def test_the_word_compliant_is_in_no_report(format_: str) -> None:
    """Law 6: only what was tested is said."""
    text = reports.render(format_, sample.rich(), show_all=True).decode().lower()
    assert not re.search(r"\bcomplian|\bin place\b", text)


@pytest.mark.parametrize("format_", WHOLE)
def test_it_is_said_that_something_was_not_read(format_: str) -> None:
    """A reader of any one report must learn that the run is incomplete."""
    text = reports.render(format_, sample.rich()).decode()
    # The rule ids of GitHub's variant and the names of files are in every format that knows gaps.
    assert "deploy/broken.yaml" in text


@pytest.fixture(scope="module")
def large() -> Assessment:
    return sample.large(20_000)


@pytest.mark.parametrize("format_", WHOLE)
def test_twenty_thousand_findings_are_rendered(format_: str, large: Assessment) -> None:
    text = reports.render(format_, large).decode()
    last = large.findings[0]
    # The worst finding is in every format, whatever is folded.
    assert last.message.split()[3] in text.replace("\\_", "_")


@pytest.mark.parametrize("format_", TEXT_FORMATS)
def test_plain_formats_load_no_table_library(format_: str) -> None:
    """Start-up is most of what a CI gate takes."""
    heavy = {"rich", "typst", "yaml", "jsonschema", "pydantic"} | (set() if format_ == "markdown" else {"jinja2"})
    program = (
        "import sys, json; from auditor import reports; from tests.reports import plain, sample; "
        f"reports.render({format_!r}, sample.rich(), colour=True); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    assert not heavy & set(json.loads(done.stdout))
