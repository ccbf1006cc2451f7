import csv
import io
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import reports
from auditor.model.assessment import Assessment
from auditor.reports import csv_report, figures
from tests.reports import sample


def rows(whole: Assessment, record: str = "") -> list[dict[str, str]]:
    table = csv.DictReader(io.StringIO(reports.render("csv", whole).decode(), newline=""), strict=True)
    return [row for row in table if record in {"", row["record"]}]


def test_it_is_one_table_with_the_same_columns_everywhere() -> None:
    for row in rows(sample.rich()):
        assert tuple(row) == csv_report.COLUMNS
        assert None not in row.values(), "no row is short"


def test_nothing_judged_is_a_header_alone() -> None:
    assert rows(sample.empty()) == []
    assert reports.render("csv", sample.empty()).startswith(b"record,policy_id,")


def test_each_finding_is_one_row_waived_and_known_ones_too() -> None:
    found = rows(sample.rich(), "finding")
    assert len(found) == len(sample.rich().findings)
    assert [row["waiver_id"] for row in found if row["outcome"] == "waived"] == ["W-2026-001"]
    assert [row["file"] for row in found if row["known"] == "yes"] == ["deploy/payments/db.yaml"]


def test_population_rows_add_up_to_the_verdicts() -> None:
    """The rows of a policy are its whole population, so an auditor can take a sample of it."""
    counted: Counter[str] = Counter()
    for row in rows(sample.rich(), "population"):
        # A policy that found nothing to judge counts as one verdict about nothing.
        counted[row["outcome"]] += int(row["count"]) or 1
    assert counted == {outcome.value: count for outcome, count in figures.verdicts(sample.rich()).items()}


def test_what_was_not_read_is_in_the_table() -> None:
    assert [row["file"] for row in rows(sample.rich(), "gap")][1] == "deploy/broken.yaml"


def test_no_cell_is_a_formula() -> None:
    for row in rows(sample.rich()):
        for value in row.values():
            assert not value.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert "'=cmd|' /C calc'!A0" in {row["message"] for row in rows(sample.rich())}


@given(st.text())
def test_no_text_becomes_a_formula_or_a_second_line(text: str) -> None:
    found = csv_report.cell(text)
    assert not found.startswith(csv_report._FORMULA)
    assert len(found.splitlines()) <= 1


@pytest.mark.parametrize("text", ["web", "payments/api", "a=b", "1-2"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert csv_report.cell(text) == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Cf", "Z"])))
def test_a_cell_comes_back_from_a_reader(text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow([csv_report.cell(text), "end"])
    (row,) = csv.reader(io.StringIO(file.getvalue(), newline=""), strict=True)
    assert row[0].removeprefix("'") == text.removeprefix("'")
