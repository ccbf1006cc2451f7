"""`auditor diff`: what changed between two stored assessments."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from auditor import reports
from auditor.model.assessment import Assessment
from auditor.model.verdict import Outcome, Severity
from tests.assess.builders import assessment, finding
from tests.cli.running import run
from tests.reports import sample

WAIVED = replace(finding(item="w"), outcome=Outcome.WAIVED, waiver_id="W-1")


def stored(folder: Path, name: str, whole: Assessment) -> Path:
    file = folder / name
    file.write_bytes(reports.render("json", whole))
    return file


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """One finding stays, one is fixed, one is new, one is waived no longer."""
    old = assessment(finding(), finding(index=1), WAIVED)
    new = assessment(
        finding(), replace(finding("K-SEC-01", index=2), severity=Severity.MEDIUM), replace(finding(item="w"))
    )
    return stored(tmp_path, "old.json", old), stored(tmp_path, "new.json", new)


def test_the_console_shows_every_change_and_counts_at_the_end(
    pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", *pair]) == 0
    assert capsys.readouterr().out == (
        "old  2026-11-24 09:00 UTC, auditor 1.0, input 222222222222\n"
        "new  2026-11-24 09:00 UTC, auditor 1.0, input 222222222222\n"
        "\n"
        "new: 1\n"
        "  medium[K-SEC-01]: spec.containers[web].env[TOKEN] is not as it should be\n"
        "    --> web.yaml:7:3  kubernetes/Deployment:payments/web\n"
        "\n"
        "fixed: 1\n"
        "  high[K-SEC-02]: spec.containers[web].env[TOKEN] is not as it should be\n"
        "    --> cart.yaml:7:3  kubernetes/Deployment:shop/cart\n"
        "\n"
        "no longer waived: 1\n"
        "  high[K-SEC-02]: w is not as it should be\n"
        "    --> web.yaml:7:3  kubernetes/Deployment:shop/web\n"
        "\n"
        "1 new, 1 fixed, 0 no longer in the input, 0 not looked for, 2 unchanged\n"
    )


def test_json_holds_the_same(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", *pair, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["summary"] == {
        "new": 1,
        "fixed": 1,
        "gone": 0,
        "unseen": 0,
        "turned": 1,
        "unchanged": 2,
        "incomparable": 0,
    }
    assert told["findings"]["new"][0]["fingerprint"] == finding("K-SEC-01", index=2).fingerprint
    assert told["findings"]["new"][0]["location"]["line"] == 7
    assert (told["findings"]["turned"][0]["before"], told["findings"]["turned"][0]["outcome"]) == ("waived", "fail")


@pytest.mark.parametrize(("severity", "code"), [("critical", 0), ("high", 1), ("medium", 1), ("info", 1)])
def test_new_findings_and_ended_waivers_fail_a_gate_that_asks(
    pair: tuple[Path, Path], severity: str, code: int
) -> None:
    assert run(["diff", *pair, "--fail-on-new", severity]) == code


def test_nothing_new_fails_no_gate(pair: tuple[Path, Path]) -> None:
    assert run(["diff", pair[0], pair[0], "--fail-on-new", "info"]) == 0


def test_hostile_text_reaches_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A message is written by whoever wrote the manifest: it must not act upon a terminal nor forge a line."""
    whole = sample.rich()
    assert (
        run(["diff", stored(tmp_path, "old.json", replace(whole, findings=())), stored(tmp_path, "n.json", whole)]) == 0
    )
    shown = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\x00", "\u202e", "\u2028"} & set(shown)


def test_both_from_standard_input_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "-", "-"]) == 2
    assert "standard input" in capsys.readouterr().err
