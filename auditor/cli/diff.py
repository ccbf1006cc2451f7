"""`auditor diff`: what changed between two stored assessments."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from auditor.assess import compare
from auditor.assess.compare import Change, Comparison, Listed
from auditor.cli import assessments, terminal
from auditor.model.assessment import Run
from auditor.model.coverage import Gap
from auditor.model.errors import InputError
from auditor.model.resource import Location
from auditor.model.verdict import Outcome, Severity
from auditor.reports import text

_EXAMPLES = """
Examples:

  auditor diff last-week.json today.json

  auditor diff main.json branch.json --fail-on-new high

  auditor diff old.json new.json --format json

A finding is fixed only where the new run looked and found its subject in order; what is no longer in the input, and
what nothing looked for, is told apart.

Exit codes: 0 compared; 1 a new failing finding at or above --fail-on-new, if that is given; 2 wrong use or input.
"""


class DiffFormat(StrEnum):
    """How the comparison is written."""

    CONSOLE = "console"
    JSON = "json"


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="JSON report of the earlier run.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="JSON report of the later run; one may be -.")],
    format_: Annotated[
        DiffFormat, typer.Option("--format", "-o", help="What goes to standard output.")
    ] = DiffFormat.CONSOLE,
    fail_on_new: Annotated[
        Severity | None,
        typer.Option(help="Exit 1 when a finding of this severity or worse is new or no longer waived."),
    ] = None,
) -> None:
    """Show what changed between two assessments."""
    if str(old) == str(new) == "-":
        raise InputError("both assessments are to come from standard input", hint="Name a file for one of them.")
    found = compare.compare(assessments.read(old), assessments.read(new))
    match format_:
        case DiffFormat.CONSOLE:
            written = terminal.clean("\n".join(_lines(found)) + "\n").encode("utf-8", "replace")
        case DiffFormat.JSON:
            written = json.dumps(_plain(found), indent=1).encode() + b"\n"
    terminal.put(written)
    if fail_on_new is not None and any(severity.rank >= fail_on_new.rank for severity in _newly_failing(found)):
        raise typer.Exit(1)


diff.__doc__ = f"{diff.__doc__}\n{_EXAMPLES}"


def _newly_failing(found: Comparison) -> Iterator[Severity]:
    candidates = (*found.appeared, *(turned.after for turned in found.turned))
    return (entry.finding.severity for entry in candidates if entry.finding.outcome is Outcome.FAIL)


def _lines(found: Comparison) -> Iterator[str]:
    yield f"old  {_run(found.old)}"
    yield f"new  {_run(found.new)}"
    yield from _findings("new", found.appeared)
    yield from _findings("fixed", found.fixed)
    yield from _findings("no longer in the input (not proof of a fix)", found.gone)
    yield from _findings("not looked for in the new run", found.unseen)
    waived = [turned.after for turned in found.turned if turned.after.finding.outcome is Outcome.WAIVED]
    yield from _findings("waived since", waived)
    ended = [turned.after for turned in found.turned if turned.after.finding.outcome is not Outcome.WAIVED]
    yield from _findings("no longer waived", ended)
    yield from _changes("requirements", found.requirements)
    yield from _changes("coverage", found.coverage)
    yield from _gaps("could not be read any more", found.gaps_opened)
    yield from _gaps("can be read again", found.gaps_closed)
    yield from _changes("population by policy", found.populations)
    yield from _changes("policies", found.policies)
    yield from _changes("run", found.inputs)
    yield ""
    if found.incomparable:
        yield (
            f"{found.incomparable} unchanged findings are about values that do not compare: the fingerprint keys of the"
            " two runs differ or were random"
        )
    yield (
        f"{len(found.appeared)} new, {len(found.fixed)} fixed, {len(found.gone)} no longer in the input, "
        f"{len(found.unseen)} not looked for, {found.unchanged} unchanged"
    )


def _run(run: Run) -> str:
    return f"{run.started:%Y-%m-%d %H:%M} UTC, auditor {_one_line(run.tool_version)}, input {run.input_digest[:12]}"


def _findings(title: str, entries: Sequence[Listed]) -> Iterator[str]:
    if not entries:
        return
    yield f"\n{title}: {len(entries)}"
    for entry in entries:
        finding = entry.finding
        status = " (waived)" if finding.outcome is Outcome.WAIVED else ""
        yield f"  {finding.severity.value}[{_one_line(finding.policy_id)}]{status}: {_one_line(finding.message)}"
        yield f"    --> {_place(finding.location)}  {_one_line(entry.subject_id)}"


def _changes(title: str, changes: Sequence[Change]) -> Iterator[str]:
    if changes:
        yield f"\n{title}:"
    for change in changes:
        before, after = (_one_line(said) or "none" for said in (change.before, change.after))
        yield f"  {_one_line(change.name)}: {before} -> {after}"


def _gaps(title: str, gaps: Sequence[Gap]) -> Iterator[str]:
    if gaps:
        yield f"\n{title}: {len(gaps)}"
    for gap in gaps:
        line = f":{gap.line}" if gap.line else ""
        yield f"  {_one_line(gap.file)}{line}: {gap.reason.value}"


def _place(location: Location) -> str:
    numbers = (location.line, location.column)
    return ":".join((_one_line(location.file), *(str(number) for number in numbers if number is not None)))


def _one_line(said: str) -> str:
    return text.visible(" ".join(said.split()))


def _plain(found: Comparison) -> dict[str, Any]:
    return {
        "diff_version": "1.0",
        "old": _plain_run(found.old),
        "new": _plain_run(found.new),
        "summary": {
            "new": len(found.appeared),
            "fixed": len(found.fixed),
            "gone": len(found.gone),
            "unseen": len(found.unseen),
            "turned": len(found.turned),
            "unchanged": found.unchanged,
            "incomparable": found.incomparable,
        },
        "findings": {
            "new": [_plain_finding(entry) for entry in found.appeared],
            "fixed": [_plain_finding(entry) for entry in found.fixed],
            "gone": [_plain_finding(entry) for entry in found.gone],
            "unseen": [_plain_finding(entry) for entry in found.unseen],
            "turned": [
                {"before": turned.before.finding.outcome.value, **_plain_finding(turned.after)}
                for turned in found.turned
            ],
        },
        "gaps": {
            "new": [asdict(gap) for gap in found.gaps_opened],
            "closed": [asdict(gap) for gap in found.gaps_closed],
        },
        **{
            name: [asdict(change) for change in changes]
            for name, changes in (
                ("coverage", found.coverage),
                ("populations", found.populations),
                ("requirements", found.requirements),
                ("policies", found.policies),
                ("run", found.inputs),
            )
        },
    }


def _plain_run(run: Run) -> dict[str, str]:
    return {
        "started": run.started.isoformat(),
        "tool_version": run.tool_version,
        "policy_pack_digest": run.policy_pack_digest,
        "input_digest": run.input_digest,
    }


def _plain_finding(entry: Listed) -> dict[str, Any]:
    finding = entry.finding
    return {
        "policy_id": finding.policy_id,
        "severity": finding.severity.value,
        "subject_id": entry.subject_id,
        "item": finding.item,
        "fingerprint": finding.fingerprint,
        "message": finding.message,
        "location": asdict(finding.location),
        "outcome": finding.outcome.value,
        "waiver_id": finding.waiver_id,
    }
