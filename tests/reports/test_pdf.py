"""The auditor's document, read again by another library and judged by veraPDF."""

import io
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import Destination

from auditor import reports
from auditor.model.errors import ConfigurationError
from auditor.model.verdict import Outcome
from tests.reports import sample

ROOT = Path(__file__).parents[2]
VERAPDF = ROOT / ".cache/tools/bin/verapdf"


@cache
def rendered(which: str) -> bytes:
    return reports.render("pdf", getattr(sample, which)())


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def text(content: bytes) -> str:
    """Return the words of all pages, the places where a long one may break closed."""
    pages = "\n".join(page.extract_text() for page in read(content).pages)
    return " ".join(pages.replace("\u200b", "").split())


def squeezed(value: str) -> str:
    """Return `value` without any space: lines break where they must."""
    return "".join(value.replace("\u200b", "").split())


def titles(outline: list[Any]) -> list[str]:
    """Return the bookmarks at all levels."""
    found: list[str] = []
    for entry in outline:
        if isinstance(entry, Destination):
            found.append(str(entry.title))
        else:
            found.extend(titles(entry))
    return found


SECTIONS = (
    "Management summary",
    "Scope and boundaries",
    "Method",
    "Population and completeness",
    "Results by requirement",
    "Findings",
    "Waivers and baseline",
    "What was not evaluated",
    "Requirements without any policy",
    "Policy catalogue",
    "Glossary",
)


@pytest.mark.parametrize("which", ["rich", "clean", "empty", "live", "leaked"])
def test_sections_are_bookmarked_in_their_order(which: str) -> None:
    """Whatever the assessment holds: a section that has nothing to say says that."""
    found = [re.sub(r"^[0-9A-Z]+(\.\d+)* ", "", title) for title in titles(read(rendered(which)).outline)]
    assert [title for title in found if title in SECTIONS] == list(SECTIONS)


def test_table_of_contents_and_page_numbers_agree() -> None:
    reader = read(rendered("rich"))
    contents = reader.pages[1].extract_text()
    number = next(
        index
        for index, page in enumerate(reader.pages, 1)
        if page.extract_text().count("Management summary") and index > 2
    )
    assert re.search(rf"Management summary[ .]+{number}\b", contents)
    assert f"{number} / {len(reader.pages)}" in reader.pages[number - 1].extract_text()


def test_document_names_its_title_language_time_and_producer() -> None:
    reader = read(rendered("rich"))
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Secrets and access assessment"
    assert reader.metadata.author == "auditor 0.1.0"
    assert reader.metadata.creation_date == sample.NOW


def test_every_font_is_inside() -> None:
    for page in read(rendered("rich")).pages:
        for font in page["/Resources"].get("/Font", {}).values():
            (descendant,) = font.get_object()["/DescendantFonts"]
            descriptor = descendant.get_object()["/FontDescriptor"].get_object()
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


def test_same_assessment_in_any_order_gives_the_same_bytes() -> None:
    again = reports.render("pdf", sample.shuffled(sample.rich(), 1))
    assert again == rendered("rich")


def test_cover_says_what_was_tested_when_and_by_what() -> None:
    run = sample.rich().run
    cover = squeezed(read(rendered("rich")).pages[0].extract_text())
    assert "Thisisnotanauditopinion" in cover
    assert "24November2026,09:30UTC" in cover
    for value in (
        run.policy_pack_digest,
        run.input_digest,
        run.configuration_digest,
        run.fingerprint_key_id,
        *run.tags,
    ):
        assert value in cover
    assert "notcomplete:5gaps" in cover


def test_findings_show_message_place_and_fingerprint() -> None:
    whole = sample.rich()
    said = squeezed(text(rendered("rich")))
    for finding in whole.findings:
        assert finding.fingerprint[:12] in said
        assert finding.value_fingerprint[:12] in said
        if finding.location.file.isascii():
            assert squeezed(finding.location.file) in said
        if finding.outcome is Outcome.WAIVED:
            assert squeezed(f"Waived by {finding.waiver_id}.") in said


def test_requirement_has_conclusion_condition_and_what_needs_people() -> None:
    said = text(rendered("rich"))
    assert "Technical tests failed in 2 of 5 verdicts." in said
    squeezed_ = squeezed(said)
    assert squeezed("only for accounts that allow interactive login (whether that holds was not declared)") in squeezed_
    for framework in sample.rich().frameworks:
        for requirement in framework.requirements:
            for value in (requirement.paraphrase, requirement.needs_people):
                assert not value.isprintable() or squeezed(value) in squeezed_


@pytest.mark.parametrize("which", ["rich", "clean", "live"])
def test_requirement_is_never_called_met(which: str) -> None:
    said = text(rendered(which)).lower()
    assert "complian" not in said
    assert "in place" not in said


def test_population_gaps_thresholds_and_waivers_are_told() -> None:
    whole = sample.rich()
    said = squeezed(text(rendered("rich")))
    for part in whole.coverage:
        assert squeezed(part.source) in said
    for gap in (gap for part in whole.coverage for gap in part.gaps):
        assert gap.reason.value.replace("-", "") in said.replace("-", "")
    assert "30daystool-defaultamonthtoreact" in said
    for use in whole.waivers:
        for value in (use.waiver.approver, use.waiver.ticket, use.waiver.expires.isoformat()):
            assert squeezed(value) in said
    for id_, why in whole.run.deselected:
        assert squeezed(id_ + why) in said


def test_text_of_others_is_never_read_as_markup() -> None:
    """Typst's own signs and functions in a message stay the characters that they are."""
    nasty = '#panic("x") #read("/etc/passwd") *b* _i_ $x^2$ `raw` <label> @ref = heading // comment /* open \\ #{1+1}'
    whole = sample.rich()
    findings = tuple(replace(finding, message=nasty) for finding in whole.findings)
    assert squeezed(nasty) in squeezed(text(reports.render("pdf", replace(whole, findings=findings))))


def test_code_in_a_sentence_is_set_as_code_and_an_odd_backtick_stays() -> None:
    whole = sample.rich()
    policies = tuple(replace(policy, rationale="use `a*b` here", remediation="5` of") for policy in whole.policies)
    said = text(reports.render("pdf", replace(whole, policies=policies)))
    assert "use a*b here" in said
    assert "5` of" in said


def test_what_the_fonts_cannot_print_is_named_instead() -> None:
    """A missing glyph is an error in PDF/A; an auditor must still see that something stood there."""
    said = text(rendered("rich"))
    assert "\\u{65E5}" in said
    assert "\\u{202E}" in said
    assert "Ünïcode" in said


@pytest.mark.parametrize(
    "value", [sample.LONG, "x" * 20_000, "\n\n\t\n", "e\u0301" * 300, "".join(map(chr, range(32, 0x3000, 7)))]
)
def test_any_text_can_be_laid_out(value: str) -> None:
    whole = sample.rich()
    findings = (replace(whole.findings[0], message=value, item=value),)
    assert read(reports.render("pdf", replace(whole, findings=findings))).pages


def test_three_thousand_findings_are_all_there() -> None:
    whole = sample.large(3_000)
    assert len({finding.item for finding in whole.findings}) == 3_000
    said = squeezed(text(reports.render("pdf", whole)))
    assert all(finding.item in said for finding in whole.findings)


def test_what_thousands_of_findings_leave_out_is_counted() -> None:
    """A document of a thousand pages is read by nobody; its numbers still agree with the CSV and the JSON report."""
    whole = sample.large(8_000)
    content = reports.render("pdf", whole)
    said = text(content)
    listed = sum(squeezed(said).count(f"{word}:spec.template") for word in {s.name for s in whole.subjects})
    left_out = sum(int(count.replace(",", "")) for count in re.findall(r"And ([\d,]+) further findings", said))
    assert listed + left_out == 8_000
    assert 2_900 <= listed <= 3_100
    assert "the CSV and JSON reports list every one" in said
    assert len(read(content).pages) < 300


def test_document_of_the_fixture_estate_is_short_enough_to_be_read() -> None:
    """58 policies on 51 objects, against two frameworks: more than half of the pages are requirements and rules."""
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "scan", ".", "--quiet", "--baseline", "baseline.json", "--format", "pdf"],
        cwd=ROOT / "fixtures" / "estate", capture_output=True, check=False,
    )  # fmt: skip
    assert len(read(done.stdout).pages) <= 40


def test_own_template_and_what_stands_beside_it_replace_ours(tmp_path: Path) -> None:
    (tmp_path / "report.typ").write_text(
        '#set document(title: "Own")\n#set text(lang: "en")\n#import "part.typ": hello\n'
        '= #hello #json("report.json").tool_version\n'
    )
    (tmp_path / "part.typ").write_text('#let hello = "Our house"\n')
    content = reports.render("pdf", sample.rich(), templates=tmp_path)
    assert text(content) == "Our house 0.1.0"


def test_folder_without_a_typst_template_leaves_ours(tmp_path: Path) -> None:
    assert reports.render("pdf", sample.rich(), templates=tmp_path) == rendered("rich")


def test_wrong_template_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "report.typ").write_text("#nowhere")
    with pytest.raises(ConfigurationError, match="unknown variable: nowhere") as caught:
        reports.render("pdf", sample.rich(), templates=tmp_path)
    assert "report.typ" in caught.value.hint


def validated(content: bytes, flavour: str, folder: Path) -> str:
    if not VERAPDF.is_file() or not shutil.which("java"):
        pytest.skip("needs veraPDF and Java: tests/tools/verapdf.sh")
    file = folder / "report.pdf"
    file.write_bytes(content)
    done = subprocess.run(
        [VERAPDF, "--format", "text", "-v", "--flavour", flavour, file], capture_output=True, text=True, check=False
    )
    return done.stdout.replace(f" {file}", "").strip()


@pytest.mark.needs("verapdf")
@pytest.mark.parametrize("flavour", ["2a", "ua1"])
@pytest.mark.parametrize("which", ["rich", "empty"])
def test_verapdf_finds_the_document_conforming(which: str, flavour: str, tmp_path: Path) -> None:
    """PDF/A-2a (ISO 19005-2) for the archive, PDF/UA-1 (ISO 14289-1) for screen readers."""
    assert validated(rendered(which), flavour, tmp_path) == f"PASS {flavour}"
