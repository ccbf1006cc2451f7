"""Card numbers: a policy of their own in whatever is searched, and no digit of one in whatever is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.detection.cards import luhn
from auditor.reports import REPORTS
from tests.collectors.git.repositories import commit, git, new
from tests.e2e.program import auditor

KEY = {"AUDITOR_FINGERPRINT_KEY": "a key for these tests only, and long enough"}
NUMBER = next(number for digit in range(10) if luhn(number := f"453957876362148{digit}"))
"""Made here, so that it stands in no file of ours."""
LINE = f"INFO charged card={NUMBER} amount=12.50\n"
TOKENS = "INFO charged card=tok_visa amount=12.50\n"


def judged(folder: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, dict[str, str], dict[str, Any]]:
    """Return the exit code, the outcome of each policy that judged something, and the assessment."""
    done = auditor("secrets", "scan", *arguments, "--format", "json", cwd=folder, stdin=stdin, env=KEY)
    assert NUMBER[:6] not in done.out + done.err
    assert NUMBER[-4:] not in done.out + done.err
    whole = json.loads(done.out)
    outcomes = {
        entry["policy_id"]: outcome
        for entry in whole["results"]
        for outcome in ("failed", "not_evaluated", "passed")
        if entry[outcome] and not (outcome == "passed" and entry["failed"])
    }
    return done.code, outcomes, whole


def test_a_file_with_a_card_number_and_no_credential(tmp_path: Path) -> None:
    (tmp_path / "pay.log").write_text(LINE)
    code, outcomes, whole = judged(tmp_path)
    assert (code, outcomes) == (1, {"L-PAN-01": "failed", "L-GIT-01": "passed"})
    (finding,) = whole["findings"]
    assert finding["message"] == "Payment card number (Visa ***), 16 digits"
    assert (whole["leaks"]["searched"][0]["cards"], whole["leaks"]["searched"][0]["found"]) == (1, 1)


def test_a_log_is_judged_by_both_policies(tmp_path: Path) -> None:
    text = LINE * 3 + "login failed password=gull-and-anchor-9\n"
    code, outcomes, whole = judged(tmp_path, "--log", "-", stdin=text.encode())
    assert (code, outcomes) == (1, {"L-PAN-01": "failed", "L-LOG-01": "failed"})
    assert [one["message"] for one in whole["findings"] if one["policy_id"] == "L-PAN-01"] == [
        "Payment card number (Visa ***), 16 digits, 3 times"
    ]


def test_the_history_says_since_when_and_no_rotation_is_asked_of_a_number(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.log": LINE}, date="2021-05-06T07:08:09+0000")
    commit(repo, {"a.log": TOKENS}, date="2021-05-07T07:08:09+0000")
    code, outcomes, whole = judged(repo, "--git", ".")
    assert (code, outcomes) == (1, {"L-PAN-01": "failed", "L-GIT-01": "passed"})
    assert whole["findings"][0]["message"].endswith("since 2021-05-06, only in the history")
    done = auditor("secrets", "lifecycle", "--git", ".", "--format", "json", cwd=repo, env=KEY)
    assert json.loads(done.out)["credentials"] == []
    assert "1 card number in 1 place" in auditor("secrets", "lifecycle", "--git", ".", cwd=repo, env=KEY).out


@pytest.mark.parametrize("arguments", [("--tier", "1"), ("--rule-off", "card-number")])
def test_where_nobody_looked_nothing_passes(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "pay.log").write_text(LINE)
    _, outcomes, whole = judged(tmp_path, *arguments)
    assert outcomes == {"L-PAN-01": "not_evaluated", "L-GIT-01": "passed"}
    assert whole["leaks"]["searched"][0]["cards"] is None


def test_a_clean_tree_passes_and_digits_alone_are_left_to_a_person(tmp_path: Path) -> None:
    (tmp_path / "pay.log").write_text(TOKENS)
    assert judged(tmp_path)[1] == {"L-PAN-01": "passed", "L-GIT-01": "passed"}
    (tmp_path / "numbers.txt").write_text(f"a {NUMBER}\n")
    assert judged(tmp_path, "--tier", "3")[:2] == (0, {"L-PAN-01": "not_evaluated", "L-GIT-01": "passed"})


def test_the_hook_refuses_one_and_shows_no_digit(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.log": TOKENS})
    (repo / "a.log").write_text(LINE)
    git(repo, "add", "a.log")
    done = auditor("secrets", "hook", "run", "pre-commit", cwd=repo, env=KEY)
    assert done.code == 1
    assert "card-number, Visa ***, 16 digits" in done.err
    assert NUMBER[:6] not in done.err
    assert "for a card number" in done.err


def test_no_report_shows_a_digit(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    grouped = " ".join(NUMBER[start : start + 4] for start in range(0, 16, 4))
    commit(repo, {"a.log": LINE, "b.txt": f"paid with {grouped} today\n"})
    files = [f"--report={name}={tmp_path}/out.{name}" for name in REPORTS]
    done = auditor("secrets", "scan", "--git", ".", *files, cwd=repo, env=KEY)
    assert done.code == 1
    for name in REPORTS:
        content = (tmp_path / f"out.{name}").read_bytes()
        assert not any(part.encode() in content for part in (NUMBER, grouped, NUMBER[:6], NUMBER[-6:])), name
