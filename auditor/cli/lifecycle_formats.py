"""The to-do list of `auditor secrets lifecycle`: for a terminal, for a ticket, for a spreadsheet, for a program."""

import csv
import io
import textwrap
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from auditor.model.lifecycle import Case, Leak, Lifecycle, Spot, Step, StepState, Store
from auditor.model.verdict import Outcome
from auditor.reports import json_text, leaks
from auditor.reports.csv_report import cell
from auditor.reports.figures import plural, utf8
from auditor.reports.markdown import escape
from auditor.reports.text import visible

VERSION = "1.0"
"""Of the JSON form: a key may be added within a major version, none changes its meaning."""
_CASES, _SPOTS = 20, 5
"""Credentials, and places of each, that are shown unless all are wanted."""
_BOX = {StepState.OPEN: "[ ]", StepState.DONE: "[x]", StepState.UNKNOWN: "[?]"}
_STATE = {StepState.OPEN: "open", StepState.DONE: "done", StepState.UNKNOWN: "not known"}
_WIDTH = 100
COLUMNS = (
    "order", "severity", "what", "key", "rule", "value_fingerprint", "since", "detected", "places", "files",
    "still_there", "due", "overdue", "accepted_by", "accepted_until", "step", "to_do", "state", "why", "done_when",
    "owners",
)  # fmt: skip


def console(whole: Lifecycle, *, show_all: bool = False) -> bytes:
    """Return lines for a terminal, in UTF-8."""
    return utf8("".join(f"{line}\n" for line in _lines(whole, show_all=show_all)))


def _lines(whole: Lifecycle, *, show_all: bool) -> Iterator[str]:
    open_, accepted = _split(whole)
    shown = open_ if show_all or len(open_) <= _CASES + 1 else open_[:_CASES]
    for number, case in enumerate(shown, 1):
        yield from _case(number, case, show_all=show_all)
        yield ""
    if len(open_) > len(shown):
        yield from (f"... and {plural(len(open_) - len(shown), 'further credential')}; --all shows them", "")
    if accepted:
        yield f"Accepted: {plural(len(accepted), 'credential')}"
        for case in accepted:
            yield from _wrap(f"{title(case.leak)}, by {_accepted(case)}", first="  ")
        yield ""
    yield from _closing(whole)


def _case(number: int, case: Case, *, show_all: bool) -> Iterator[str]:
    leak = case.leak
    yield from _wrap(title(leak), first=f"{number}. {case.severity}{_late(case)}: ", rest="   ")
    yield from _wrap(f"{_dates(leak)}; value {leak.fingerprint}", first="   ")
    owners = tuple(dict.fromkeys(owner for spot in leak.spots for owner in spot.owners))
    if owners:
        yield from _wrap(", ".join(owners), first="   owners: ")
    spots = leak.spots if show_all or len(leak.spots) <= _SPOTS + 1 else leak.spots[:_SPOTS]
    for spot in spots:
        yield from _wrap(_spot(spot), first="   --> ")
    if len(leak.spots) > len(spots):
        yield f"   ... and {plural(len(leak.spots) - len(spots), 'further place')}"
    for step in case.steps:
        yield from _wrap(step.what, first=f"   {_BOX[step.state]} ")
        yield from _wrap(step.why, first=f"       {_STATE[step.state]}: ")
        yield from _wrap(step.proof, first="       done when: ")
        if step.owners and step.owners != owners:
            yield from _wrap(", ".join(step.owners), first="       owners: ")


def _late(case: Case) -> str:
    due = f" since {case.due.isoformat()}" if case.due else ""
    return f" OVERDUE{due}" if case.outcome is Outcome.FAIL else ""


def _closing(whole: Lifecycle) -> Iterator[str]:
    found = "; ".join(filter(None, (leaks.found(whole.leaks), leaks.state(whole.leaks))))
    yield from _wrap(found, first="leaks     ")
    for text in leaks.searched(whole.leaks):
        yield from _wrap(text, first="searched  ")
    for name, why in whole.systems:
        yield from _wrap(f"{name}: {why or 'compared by value and by name'}", first="systems   ")
    if not whole.systems:
        yield "systems   none: name snapshots with --snapshot"
    yield from _wrap(whole.owners_file or "no CODEOWNERS file", first="owners    ")
    if whole.max_days:
        yield from _wrap(whole.max_days, first="period    ")
    steps = [step for case in _split(whole)[0] for step in case.steps]
    counted = ", ".join(f"{sum(step.state is state for step in steps):,} {word}" for state, word in _STATE.items())
    overdue = sum(case.outcome is Outcome.FAIL for case in whole.cases)
    yield f"to do     {plural(len(steps), 'step')}: {counted}; {plural(overdue, 'credential')} overdue"


def markdown(whole: Lifecycle) -> bytes:
    """Return a list for a ticket, in UTF-8: one heading a credential, one task a step."""
    open_, accepted = _split(whole)
    text: list[str] = ["## Leaked credentials: what is to be done", ""]
    text += [f"{escape(leaks.found(whole.leaks))}. {escape(leaks.state(whole.leaks))}", ""]
    for number, case in enumerate(open_, 1):
        text += [f"### {number}. {escape(title(case.leak))} ({case.severity}{_late(case).lower()})", ""]
        text += [f"{escape(_dates(case.leak))}. Value `{case.leak.fingerprint}`.", ""]
        text += [*(f"- {escape(_spot(spot))}" for spot in case.leak.spots), ""]
        text += [*(_task(step) for step in case.steps), ""]
    if accepted:
        text += [
            "### Accepted",
            "",
            *(f"- {escape(title(case.leak))}, by {escape(_accepted(case))}" for case in accepted),
        ]
    return utf8("\n".join(text).rstrip() + "\n")


def _task(step: Step) -> str:
    box = "x" if step.state is StepState.DONE else " "
    owners = f"<br>Owners: {escape(', '.join(step.owners))}" if step.owners else ""
    why = f"{_STATE[step.state].capitalize()}: {escape(step.why)}"
    return f"- [{box}] {escape(step.what)}<br>{why}<br>Done when: {escape(step.proof)}{owners}"


def as_csv(whole: Lifecycle) -> bytes:
    """Return one row a step (RFC 4180), in UTF-8; of an accepted credential one row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for number, case in enumerate(whole.cases, 1):
        row = _row(number, case)
        for place, step in enumerate(() if case.waivers else case.steps, 1):
            writer.writerow(
                row
                | {
                    "step": str(place),
                    "to_do": cell(step.what),
                    "state": _STATE[step.state],
                    "why": cell(step.why),
                    "done_when": cell(step.proof),
                    "owners": cell(", ".join(step.owners)),
                }
            )
        if case.waivers:
            writer.writerow(row)
    return utf8(text.getvalue())


def _row(number: int, case: Case) -> dict[str, str]:
    leak = case.leak
    return {
        "order": str(number),
        "severity": case.severity,
        "what": cell(leak.title),
        "key": cell(_key(leak)),
        "rule": leak.rule,
        "value_fingerprint": leak.fingerprint,
        "since": _day(leak.since),
        "detected": _day(leak.detected),
        "places": str(len(leak.spots)),
        "files": cell("; ".join(f"{spot.path}:{spot.line}" for spot in leak.spots)),
        "still_there": "yes" if any(spot.present is not False for spot in leak.spots) else "no",
        "due": case.due.isoformat() if case.due else "",
        "overdue": "yes" if case.outcome is Outcome.FAIL else "not proven",
        "accepted_by": cell(", ".join(case.waivers)),
        "accepted_until": case.until.isoformat() if case.until else "",
    }


def as_json(whole: Lifecycle) -> bytes:
    """Return everything, folded nowhere, as JSON in UTF-8."""
    summary = whole.leaks
    return json_text.dump(
        {
            "schema_version": VERSION,
            "run": {
                "tool_version": whole.tool_version,
                "started": _time(whole.started),
                "arguments": list(whole.arguments),
                "fingerprint_key_id": whole.fingerprint_key_id,
                "complete": whole.complete,
            },
            "summary": {
                "credentials": summary.credentials,
                "places": summary.places,
                "since": _time(summary.since),
                "present": summary.present,
                "historical": summary.historical,
                "accepted": sum(bool(case.waivers) for case in whole.cases),
                "overdue": sum(case.outcome is Outcome.FAIL for case in whole.cases),
                "searched": list(leaks.searched(summary)),
            },
            "period": whole.max_days,
            "owners_file": whole.owners_file,
            "systems": [{"name": name, "incomparable": why} for name, why in whole.systems],
            "credentials": [_plain(case) for case in whole.cases],
        },
        depth=4,
    )


def _plain(case: Case) -> dict[str, Any]:
    leak = case.leak
    return {
        "name": leak.name,
        "severity": case.severity.value,
        "rule": leak.rule,
        "title": leak.title,
        "tier": leak.tier,
        "key": _key(leak),
        "masked": leak.masked,
        "length": leak.length,
        "value_fingerprint": leak.fingerprint,
        "since": _time(leak.since),
        "detected": _time(leak.detected),
        "detected_by": leak.detected_by,
        "rotation": {
            "outcome": case.outcome.value,
            "reason": case.reason,
            "due": case.due.isoformat() if case.due else None,
        },
        "waivers": list(case.waivers),
        "accepted_until": case.until.isoformat() if case.until else None,
        "places": [_place(spot) for spot in leak.spots],
        "stores": [_store(store) for store in leak.stores],
        "steps": [
            {
                "to_do": step.what,
                "state": step.state.value,
                "why": step.why,
                "done_when": step.proof,
                "owners": list(step.owners),
            }
            for step in case.steps
        ],
    }


def _place(spot: Spot) -> dict[str, Any]:
    return {
        "path": spot.path,
        "line": spot.line,
        "key": spot.key,
        "commit": spot.commit,
        "present": spot.present,
        "owners": list(spot.owners),
    }


def _store(store: Store) -> dict[str, Any]:
    return {
        "source": store.source,
        "name": store.name,
        "state": store.state.value,
        "proof": store.proof,
        "days": store.days if store.days >= 0 else None,
        "owners": list(store.owners),
    }


def title(leak: Leak) -> str:
    """Return what leaked: `GitHub access token (ghp_***), 40 characters`."""
    key, masked = _key(leak), "" if leak.masked == "***" else f" ({leak.masked})"
    return f"{leak.title}{': ' + key if key else ''}{masked}, {leak.length} characters"


def _key(leak: Leak) -> str:
    return next((spot.key for spot in leak.spots if spot.key), "")


def _dates(leak: Leak) -> str:
    since = f" since {_day(leak.since)}" if leak.since else ", since when is not known"
    known = f", known since {_day(leak.detected)} by {leak.detected_by}" if leak.detected != leak.since else ""
    return f"In {plural(len(leak.spots), 'place')}{since}{known}"


def _spot(spot: Spot) -> str:
    key = f" ({spot.key})" if spot.key else ""
    gone = f", only in the history since commit {spot.commit[:12]}" if spot.present is False else ""
    return f"{spot.path}:{spot.line}{key}{gone}"


def _accepted(case: Case) -> str:
    until = f" until {case.until.isoformat()}" if case.until else ""
    return ", ".join(case.waivers) + until


def _split(whole: Lifecycle) -> tuple[list[Case], list[Case]]:
    return [case for case in whole.cases if not case.waivers], [case for case in whole.cases if case.waivers]


def _wrap(text: str, *, first: str, rest: str = "") -> list[str]:
    """Return `text` in lines; what follows the first stands below it."""
    clean = visible(" ".join(text.split()))
    return textwrap.wrap(
        clean,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest or " " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else ""


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


FORMATS: Mapping[str, Callable[[Lifecycle], bytes]] = {
    "console": console,
    "json": as_json,
    "markdown": markdown,
    "csv": as_csv,
}
"""Every format by its name."""
