"""Options that several commands share, and the defaults that come from the folder and the environment."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor import configuration
from auditor.configuration import WAIVERS, Configuration
from auditor.model.errors import InputError
from auditor.model.verdict import Severity
from auditor.reports import REPORTS

if TYPE_CHECKING:
    from auditor.cli.base import Base

Format = Annotated[str, typer.Option("--format", "-o", help=f"What goes to standard output: {', '.join(REPORTS)}.")]
Report = Annotated[
    list[str] | None,
    typer.Option("--report", help="Also write FORMAT=FILE, for example html=audit.html. Repeatable."),
]
FailOn = Annotated[
    Severity | None, typer.Option("--fail-on", help="Lowest severity that fails the run (default: medium).")
]
AllowIncomplete = Annotated[
    bool, typer.Option("--allow-incomplete", help="Exit 0 instead of 3 when something could not be read.")
]
Select = Annotated[
    list[str] | None,
    typer.Option(help="Run only these: policy id or glob, tag:NAME, severity:LEVEL, framework:ID. Repeatable."),
]
Ignore = Annotated[list[str] | None, typer.Option(help="Leave these out, in the same words. Repeatable.")]
Policies = Annotated[
    list[Path] | None,
    typer.Option("--policy", help="Folder with policies of your own, added to the library. Repeatable."),
]
Config = Annotated[Path | None, typer.Option(help="Configuration file (default: auditor.yaml here, if there is one).")]
Waivers = Annotated[
    Path | None, typer.Option(help="Waivers file (default: .auditor/waivers.yaml here, if there is one).")
]
WaiversFrom = Annotated[
    str | None,
    typer.Option(
        "--waivers-from",
        metavar="REF",
        help="Judge by auditor.yaml, waivers and baseline as REF has them (the branch that a change goes to), so that "
        "a change cannot excuse itself.",
    ),
]
Baseline = Annotated[
    Path | None, typer.Option(help="Known findings, written by `auditor baseline`: shown, but they do not fail.")
]
Templates = Annotated[
    Path | None, typer.Option(help="Folder with report templates of your own, before the built-in ones.")
]
ShowAll = Annotated[bool, typer.Option("--all", help="Show every finding on the console; do not fold.")]
Jobs = Annotated[int, typer.Option(min=0, help="Worker processes; 0: as many as there are processors.")]


def terms(
    settings: Configuration,
    *,
    select: list[str] | None,
    ignore: list[str] | None,
    policy: list[Path] | None,
    waivers: Path | None,
    baseline: Path | None,
    jobs: int,
    base: "Base | None" = None,
) -> dict[str, Any]:
    """Return the fields of `auditor.pipeline.rules.Terms`: what was said on the command line and in `settings`."""
    return {
        "configuration": settings,
        "select": (*settings.select, *(select or ())),
        "ignore": (*settings.ignore, *(ignore or ())),
        "policy_folders": (*settings.policies, *(policy or ())),
        "waivers": base.waivers(waivers or settings.waivers) if base else waivers_file(waivers, settings),
        "baseline": base.baseline(baseline) if base else baseline,
        "jobs": jobs,
    }


def load(path: Path | None, *, base: "Base | None" = None) -> Configuration:
    """Return the configuration in `path`, else in `auditor.yaml` of this folder, else an empty one."""
    if base is not None:
        return base.configuration(path, home=home())
    if path is not None:
        return configuration.load(path, home=home())
    found = Path(configuration.FILE_NAME)
    return configuration.load(found, home=home()) if found.is_file() else Configuration()


def home() -> Path | None:
    """Return the user's home folder; `None` where there is none, as for a bare user id in a container."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def waivers_file(path: Path | None, settings: Configuration) -> Path | None:
    """Return the waivers file to read: the one named, else the configuration's, else the usual place."""
    for named in (path, settings.waivers):
        if named is not None:
            if not named.is_file():
                raise InputError(f"the waivers file {named} does not exist", hint="Check --waivers and auditor.yaml.")
            return named
    return WAIVERS if WAIVERS.is_file() else None


def base_of(ref: str | None) -> "Base | None":
    """Return what `--waivers-from` names. Raises `InputError` where it names no commit of this repository."""
    if ref is None:
        return None
    from auditor.cli.base import Base  # noqa: PLC0415 - only where a ref is named

    return Base(ref)


def fingerprint_key() -> bytes | None:
    """Return the key of value fingerprints from the environment or the key file, or `None` for a random one."""
    from auditor.redaction import fingerprint  # noqa: PLC0415 - only where values are met

    return fingerprint.load_key(os.environ, usual=Path(".auditor/fingerprint.key"))


def fail_on(given: Severity | None, settings: Configuration) -> Severity:
    """Return the lowest severity that fails a run."""
    return given or settings.fail_on or Severity.MEDIUM
