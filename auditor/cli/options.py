"""Options that several commands share, and the defaults that come from the folder and the environment."""

import os
from pathlib import Path

import typer

from auditor import configuration
from auditor.configuration import Configuration
from auditor.model.errors import InputError
from auditor.model.verdict import Severity
from auditor.reports import REPORTS

Format = typer.Option(
    "--format",
    "-o",
    help=f"What goes to standard output: {', '.join(REPORTS)}.",
)
Report = typer.Option("--report", help="Also write FORMAT=FILE, for example html=audit.html. Repeatable.")


def load(path: Path | None) -> Configuration:
    """Return the configuration in `path`, else in `auditor.yaml` of this folder, else an empty one."""
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
    usual = Path(".auditor/waivers.yaml")
    return usual if usual.is_file() else None


def fingerprint_key() -> bytes | None:
    """Return the key of value fingerprints from the environment or the key file, or `None` for a random one."""
    from auditor.redaction import fingerprint  # noqa: PLC0415 - only where values are met

    return fingerprint.load_key(os.environ, usual=Path(".auditor/fingerprint.key"))


def fail_on(given: Severity | None, settings: Configuration) -> Severity:
    """Return the lowest severity that fails a run."""
    return given or settings.fail_on or Severity.MEDIUM
