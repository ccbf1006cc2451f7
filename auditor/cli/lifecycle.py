"""`auditor secrets lifecycle`: what must happen to the credentials that leaked."""

import gc
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli import options, terminal
from auditor.model.errors import InputError
from auditor.model.verdict import Outcome

FORMATS = ("console", "json", "markdown", "csv")
_EXAMPLES = """
Examples:

  auditor secrets lifecycle --git .                              what leaked, since when, and what is to be done

  auditor secrets lifecycle --git . --snapshot estate.snapshot   and what the systems show: still in use, not changed

  auditor secrets lifecycle --git . --format markdown            for a ticket

That a store was not written since can be proven; that a later write was a rotation cannot. So a step is done only where
what was read shows it, and each step says what proves it done. Values are compared with a snapshot where one
fingerprint key made both: set AUDITOR_FINGERPRINT_KEY as for the collection.

Exit codes: 0 nothing is proven to be overdue, 1 a credential was not changed within the period (L-GIT-02), 2 wrong use
or input, 3 something in scope could not be read, 4 internal error.
"""
_SELECTED = "tag:hard-coded-credential"


def lifecycle(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Files and folders (default: here).", show_default=False),
    ] = None,
    git: Annotated[Path | None, typer.Option("--git", help="Follow up the whole history of this repository.")] = None,
    snapshot: Annotated[
        list[Path] | None,
        typer.Option(help="Snapshot of systems that may use the credentials. Repeatable."),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", "-o", help=f"What goes to standard output: {', '.join(FORMATS)}.")
    ] = "console",
    tier: Annotated[
        int, typer.Option(min=1, max=2, help="1: documented token formats; 2: also literals under a credential's name.")
    ] = 2,
    rules: Annotated[
        list[Path] | None,
        typer.Option(help="Folder with detection rules of your own, added to the library. Repeatable."),
    ] = None,
    rule_off: Annotated[
        list[str] | None, typer.Option(help="Do not look for this rule (id or glob). Repeatable.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Leave out paths, as a .gitignore pattern. Repeatable.")
    ] = None,
    allow_incomplete: options.AllowIncomplete = False,
    config: options.Config = None,
    waivers: options.Waivers = None,
    waivers_from: options.WaiversFrom = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            help="Written by `auditor baseline`: what it holds is known since its day, from which the period counts."
        ),
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show every credential and place on the console.")] = False,
    jobs: options.Jobs = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")] = False,
) -> None:
    """Say what must happen to each credential that leaked, by whom, and what proves it done."""
    gc.disable()
    if format_ not in FORMATS:
        raise InputError(f"{format_} is no format of this list", hint=f"Choose one of {', '.join(FORMATS)}.")
    if git is not None and paths:
        raise InputError("a path was given beside --git", hint="Leave the path out.")
    from auditor.cli import lifecycle_formats as formats  # noqa: PLC0415 - start-up: help needs none of it
    from auditor.pipeline import lifecycle as pipeline  # noqa: PLC0415 - as above
    from auditor.pipeline.secrets import Mode, Request  # noqa: PLC0415 - as above

    base = options.base_of(waivers_from)
    settings = options.load(config, base=base)
    terms = options.terms(
        settings, select=None, ignore=None, policy=None, waivers=waivers, baseline=baseline, jobs=jobs, base=base
    )
    terms["select"] = (_SELECTED,)
    with terminal.Progress(quiet=quiet) as progress:
        whole = pipeline.lifecycle(
            Request(
                **terms,
                mode=Mode.FILES if git is None else Mode.HISTORY,
                paths=tuple(paths or (".",)) if git is None else (str(git),),
                environ=os.environ,
                tier=tier,
                rule_folders=tuple(rules or ()),
                rules_off=tuple(rule_off or ()),
                exclude=(*settings.exclude, *(exclude or ())),
                fingerprint_key=options.fingerprint_key(),
                snapshots=tuple(snapshot or ()),
                follow=True,
            ),
            now=datetime.now(UTC),
            stdin=sys.stdin.buffer,
            progress=progress.say,
        )
    terminal.put(formats.console(whole, show_all=show_all) if format_ == "console" else formats.FORMATS[format_](whole))
    if not quiet:
        for text in base.notes if base else ():
            terminal.note(text)
    if any(case.outcome is Outcome.FAIL for case in whole.cases):
        raise typer.Exit(1)
    raise typer.Exit(0 if whole.complete or allow_incomplete else 3)


lifecycle.__doc__ = f"{lifecycle.__doc__}\n{_EXAMPLES}"
