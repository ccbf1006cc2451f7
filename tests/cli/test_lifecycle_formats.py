"""The to-do list in its formats: the same content, folded on the console alone, and nothing that a reader acts upon."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from auditor.cli import lifecycle_formats as formats
from auditor.cli.lifecycle import FORMATS
from auditor.model.leaks import Leaks
from auditor.model.lifecycle import Case, Leak, Lifecycle, Spot, Step, StepState, Store, StoreState
from auditor.model.sighting import Searched, Where
from auditor.model.verdict import Outcome, Severity
from tests.reports.sample import HOSTILE

DAY = datetime(2021, 5, 6, tzinfo=UTC)


def case(number: int = 0, *, waived: bool = False, text: str = "a text", places: int = 2) -> Case:
    spots = tuple(Spot(path=f"{text}/{index}.env", line=3, key=text, commit="1a2b" * 10, present=bool(index),
                       owners=(text,)) for index in range(places))  # fmt: skip
    leak = Leak(
        name=f"{number:03}", rule="github-token", title=text, tier=1, remediation=text, fingerprint=f"{number:032x}",
        length=40, masked="ghp_***", spots=spots, since=DAY, detected=DAY.replace(year=2022),
        detected_by=f"the baseline {text}",
        stores=(Store(source=text, name=text, state=StoreState.USED, proof=text, days=3, owners=(text,)),),
    )  # fmt: skip
    steps = tuple(
        Step(what=f"{text} {state}", state=state, why=text, proof=text, owners=(f"{text}!",)) for state in StepState
    )
    return Case(
        leak=leak, severity=Severity.CRITICAL, outcome=Outcome.FAIL if number % 2 == 0 else Outcome.NOT_EVALUATED,
        reason=text, due=date(2022, 5, 13), waivers=("W-1",) if waived else (),
        until=date(2027, 1, 31) if waived else None, steps=steps,
    )  # fmt: skip


def whole(*cases: Case, text: str = "a text") -> Lifecycle:
    searched = Searched(where=Where.HISTORY, name=text, read=3, bytes_read=90, found=1, complete=True)
    leaks = Leaks(
        searched=(searched,), credentials=len(cases), places=9, files=9, commits=1, since=DAY, present=1, historical=0,
        unasked=0, waived=0, possible=0, rules=(),
    )  # fmt: skip
    return Lifecycle(
        tool_version="0.1.0", started=DAY, arguments=(text,), fingerprint_key_id="k", leaks=leaks, owners_file=text,
        systems=((text, ""), ("dr", text)), max_days="7 days (tool-default)", cases=cases, complete=True,
    )  # fmt: skip


def rendered(format_: str, of: Lifecycle) -> str:
    return formats.FORMATS[format_](of).decode()


def test_the_table_has_each_format_that_the_command_offers() -> None:
    assert tuple(formats.FORMATS) == FORMATS


@pytest.mark.parametrize("format_", FORMATS)
def test_texts_from_outside_stay_texts(format_: str) -> None:
    out = rendered(format_, whole(case(text=HOSTILE), case(1, text=HOSTILE, waived=True), text=HOSTILE))
    allowed = "\r\n" if format_ == "csv" else "\n"
    assert not re.findall(f"(?![{allowed}])[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]", out)
    if format_ == "markdown":
        assert "<script>" not in out
        assert "@team" not in out


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_list_gives_the_same_bytes_also_of_nothing(format_: str) -> None:
    assert rendered(format_, whole()) == rendered(format_, whole())
    assert rendered(format_, whole(case())) == rendered(format_, whole(case()))


def test_the_console_folds_and_counts_what_it_hides() -> None:
    many = whole(*(case(number, places=20) for number in range(30)))
    text = rendered("console", many)
    assert "... and 10 further credentials; --all shows them" in text
    assert "... and 15 further places" in text
    everything = formats.console(many, show_all=True).decode()
    assert "further" not in everything
    assert "to do     90 steps: 30 open, 30 done, 30 not known; 15 credentials overdue" in text


def test_the_console_says_state_proof_and_owners_of_each_step() -> None:
    text = rendered("console", whole(case()))
    assert "1. critical OVERDUE since 2022-05-13: a text: a text (ghp_***), 40 characters" in text
    assert "In 2 places since 2021-05-06, known since 2022-05-06 by the baseline a text" in text
    assert "--> a text/0.env:3 (a text), only in the history since commit 1a2b1a2b1a2b" in text
    for box in ("[ ] a text open", "[x] a text done", "[?] a text unknown"):
        assert box in text


def test_what_is_accepted_stands_apart_without_steps() -> None:
    text = rendered("console", whole(case(1), case(2, waived=True)))
    assert "Accepted: 1 credential" in text
    assert "by W-1 until 2027-01-31" in text
    assert text.count("[ ]") == 1


def test_json_holds_everything_and_nulls_for_what_is_not_known() -> None:
    leak = replace(case().leak, since=None, detected=None, detected_by="")
    given = replace(case(), leak=leak, due=None)
    (one,) = json.loads(rendered("json", whole(given)))["credentials"]
    assert (one["since"], one["detected"], one["rotation"]["due"]) == (None, None, None)
    assert [step["state"] for step in one["steps"]] == ["open", "done", "unknown"]
    assert one["stores"][0]["days"] == 3


def test_csv_has_a_row_for_each_step_and_one_for_what_is_accepted() -> None:
    rows = list(csv.DictReader(io.StringIO(rendered("csv", whole(case(), case(1, waived=True))))))
    assert [(row["order"], row["step"], row["accepted_by"]) for row in rows] == [
        ("1", "1", ""), ("1", "2", ""), ("1", "3", ""), ("2", "", "W-1"),
    ]  # fmt: skip
    assert {row["overdue"] for row in rows} == {"yes", "not proven"}
