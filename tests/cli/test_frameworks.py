"""`auditor frameworks`: catalogues, and which policies touch which requirement."""

import csv
import io
import json
from pathlib import Path

import pytest

from auditor.frameworks import catalogue
from auditor.policy import document
from tests.cli.running import run


def out(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run(["frameworks", *arguments]) == 0
    return capsys.readouterr().out


def test_list_names_frameworks_and_pinned_standards(capsys: pytest.CaptureFixture[str]) -> None:
    listed = out(capsys, "list")
    for name in ("soc2", "pci-dss-4.0.1", "nist-800-53r5", "cis-kubernetes-1.12"):
        assert name in listed


def test_show_gives_every_requirement_and_says_whose_it_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "show", "soc2")
    assert "Not affiliated" in " ".join(shown.split())
    (framework,) = catalogue.load(catalogue.built_in(), ["soc2"])
    for requirement in framework.requirements:
        assert f"\n{requirement.id} " in shown


def test_show_explains_one_requirement(capsys: pytest.CaptureFixture[str]) -> None:
    shown = " ".join(out(capsys, "show", "pci-dss-4.0.1", "8.6.2").split())
    for said in (
        "needs people",
        "applies only to interactive-login",
        "mandatory since 2025-03-31",
        "direct K-SEC-01, only with interactive-login",
    ):
        assert said in shown


def test_coverage_lists_each_requirement_once_touched_or_not(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(out(capsys, "coverage", "--format", "json"))
    frameworks = catalogue.load(catalogue.built_in())
    assert {f"{row['framework']}/{row['requirement']}" for row in rows} == catalogue.requirement_ids(frameworks)
    linked = {
        (link.requirement, policy.id, link.strength.value)
        for policy in document.load(document.built_in()).policies
        for link in policy.links
    }
    assert linked == {
        (f"{row['framework']}/{row['requirement']}", entry["id"], entry["strength"])
        for row in rows
        for entry in row["policies"]
    }, "a policy links a requirement that no catalogue has, or one is missing here"


def test_coverage_as_a_table_holds_untouched_requirements_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(out(capsys, "coverage", "--framework", "soc2", "-o", "csv"))))
    assert {row["framework"] for row in rows} == {"soc2"}
    (board,) = [row for row in rows if row["requirement"] == "CC1.2"]
    assert (board["policy"], board["needs people"]) == ("", "Charters, minutes and interviews with the board.")


def test_coverage_on_the_console_counts(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "coverage", "--framework", "pci-dss-4.0.1")
    assert "requirements touched by a policy" in shown
    assert "No policy touches (pci-dss-4.0.1):" in shown
    assert "8.6.2 " in shown


def test_policies_of_ones_own_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "new", "ACME-01", "--out", tmp_path]) == 0
    assert "ACME-01" in out(capsys, "coverage", "--policy", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "soc3"], "soc3: no such framework"),
        (["show", "soc2", "8.6.2"], "soc2 has no requirement 8.6.2"),
        (["coverage", "--framework", "iso"], "iso: no such framework"),
    ],
)
def test_a_wrong_name_is_told_with_a_hint(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["frameworks", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert " hint: " in error
