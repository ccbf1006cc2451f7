"""`auditor audit`: judge stored snapshots, offline, with the policies and reports of `auditor scan`."""

import gc
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli import options, output, terminal

_EXAMPLES = """
Examples:

  auditor audit estate.snapshot             judge what `auditor collect` read

  auditor audit prod.snapshot dev.snapshot  several at once: values are compared across them

  auditor audit estate.snapshot --report html=audit.html --report pdf=audit.pdf

  auditor audit estate.snapshot --select 'K-RBAC-*' --fail-on high

Nothing is asked of any system: the same snapshot, policies, configuration and time give the same reports. A list that
could not be read leaves the verdicts that need it open, and the run incomplete.

Exit codes: 0 nothing failed at or above --fail-on, 1 something did, 2 wrong use or input, 3 something in scope could
not be read and nothing failed, 4 internal error.
"""


def audit(
    snapshots: Annotated[
        list[Path], typer.Argument(metavar="SNAPSHOT...", help="Folders that `auditor collect` wrote.")
    ],
    format_: options.Format = "console",
    report: options.Report = None,
    fail_on: options.FailOn = None,
    allow_incomplete: options.AllowIncomplete = False,
    select: options.Select = None,
    ignore: options.Ignore = None,
    policy: options.Policies = None,
    config: options.Config = None,
    waivers: options.Waivers = None,
    baseline: options.Baseline = None,
    templates: options.Templates = None,
    show_all: options.ShowAll = False,
    jobs: options.Jobs = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")] = False,
) -> None:
    """Judge stored snapshots of live systems."""
    # What is read stays until the end, so that looking for garbage meanwhile only costs time.
    gc.disable()
    settings = options.load(config)
    targets = output.targets(format_, report or (), stdout_is_terminal=sys.stdout.isatty())
    terms = options.terms(
        settings, select=select, ignore=ignore, policy=policy, waivers=waivers, baseline=baseline, jobs=jobs
    )
    with terminal.Progress(quiet=quiet) as progress:
        from auditor.pipeline import audit as pipeline  # noqa: PLC0415 - after wrong use has been refused

        request = pipeline.Request(**terms, snapshots=tuple(snapshots))
        assessment = pipeline.audit(request, now=datetime.now(UTC), progress=progress.say)
        progress.say("writing reports")
        output.write(assessment, targets, templates=templates, show_all=show_all)
    if not quiet:
        output.notes(assessment, targets)
    raise typer.Exit(
        output.exit_code(assessment, fail_on=options.fail_on(fail_on, settings), allow_incomplete=allow_incomplete)
    )


audit.__doc__ = f"{audit.__doc__}\n{_EXAMPLES}"
