"""`auditor baseline`: write the findings of a stored assessment as known, for `auditor scan --baseline`."""

from pathlib import Path
from typing import Annotated

import typer

from auditor.cli import assessments, terminal
from auditor.model.errors import InputError

_EXAMPLES = """
Examples:

  auditor scan deploy/ --report json=scan.json

  auditor baseline scan.json -o .auditor/baseline.json

  auditor scan deploy/ --baseline .auditor/baseline.json

Waived findings are left out: when their waiver ends, they fail again.
"""


def baseline(
    assessment: Annotated[
        Path, typer.Argument(metavar="ASSESSMENT", help="JSON report of a scan, or - for standard input.")
    ],
    out: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write (default: standard output).", metavar="FILE")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes.")] = False,
) -> None:
    """Write the findings of an assessment as known, so that only new ones fail."""
    stored = assessments.read(assessment)
    from auditor.assess import baseline as baselines  # noqa: PLC0415 - after wrong use has been refused

    content = baselines.write(stored)
    if out is None:
        terminal.put(content)
    else:
        _write(out, content)
        if not quiet:
            terminal.note(f"wrote {out}")
    if quiet:
        return
    if any(finding.value_fingerprint for finding in stored.findings) and not stored.run.fingerprint_key_id:
        terminal.note(
            "findings about a value will count as new: the fingerprint key was random for that run"
            " (set AUDITOR_FINGERPRINT_KEY and scan again)"
        )
    if not stored.complete:
        terminal.note("the assessment is incomplete: what could not be read is not in the baseline")


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", hint="Name another file.") from error


baseline.__doc__ = f"{baseline.__doc__}\n{_EXAMPLES}"
