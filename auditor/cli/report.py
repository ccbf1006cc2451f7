"""`auditor report`: render a stored assessment again, in any format, without reading or judging anything."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli import assessments, options, output

_EXAMPLES = """
Examples:

  auditor report scan.json                          show it on the console

  auditor report scan.json --report html=audit.html --report pdf=audit.pdf

  auditor report scan.json -o markdown >> "$GITHUB_STEP_SUMMARY"

Exit codes: 0 rendered, whatever the assessment says; 2 wrong use or input; 4 internal error.
"""


def report(
    assessment: Annotated[
        Path, typer.Argument(metavar="ASSESSMENT", help="JSON report of an earlier run, or - for standard input.")
    ],
    format_: options.Format = "console",
    report_: options.Report = None,
    templates: options.Templates = None,
    show_all: options.ShowAll = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes.")] = False,
) -> None:
    """Render a stored assessment again."""
    targets = output.targets(format_, report_ or (), stdout_is_terminal=sys.stdout.isatty())
    stored = assessments.read(assessment)
    output.write(stored, targets, templates=templates, show_all=show_all)
    if not quiet:
        output.notes(stored, targets)


report.__doc__ = f"{report.__doc__}\n{_EXAMPLES}"
