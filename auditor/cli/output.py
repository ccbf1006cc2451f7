"""Where reports go: one to standard output, any number to files; and what the exit code is."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from auditor import reports
from auditor.cli import terminal
from auditor.model.assessment import Assessment
from auditor.model.errors import InputError
from auditor.model.record import record
from auditor.model.verdict import Severity
from auditor.pipeline.assemble import worst


@record(kw_only=False)
class Target:
    """One report and where it goes; `None` is standard output."""

    format: str
    file: Path | None


def targets(format_: str, files: Sequence[str], *, stdout_is_terminal: bool) -> tuple[Target, ...]:
    """Return what is to be written. Raises `InputError` for an unknown format or a place that cannot take it."""
    _known(format_)
    if stdout_is_terminal and reports.REPORTS[format_].binary:
        raise InputError(f"{format_} is binary and standard output is a terminal", hint=f"Use --report {format_}=FILE.")
    found = [Target(format_, None)]
    for text in files:
        name, separator, file = text.partition("=")
        if not separator or not file:
            raise InputError(f"--report {text} names no file", hint="Write it as FORMAT=FILE, e.g. html=audit.html.")
        _known(name)
        path = Path(file)
        if path.is_dir() or not path.parent.is_dir():
            what = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
            raise InputError(f"--report {text}: the file {what}", hint="Name a file in a folder that exists.")
        found.append(Target(name, path))
    return tuple(found)


def write(assessment: Assessment, wanted: Sequence[Target], *, templates: Path | None, show_all: bool) -> None:
    """Render and write every report; files appear whole or not at all."""
    for target in wanted:
        content = reports.render(
            target.format,
            assessment,
            templates=templates,
            width=terminal.width(),
            colour=target.file is None and terminal.colour_wanted(sys.stdout),
            show_all=show_all,
        )
        if target.file is None:
            terminal.put(content)
        else:
            _write_whole(target.file, content)


def notes(assessment: Assessment, wanted: Sequence[Target], *, more: Sequence[str] = ()) -> None:
    """Say on standard error what was written and what a report in a file may hide."""
    for text in more:
        terminal.note(text)
    for target in wanted:
        if target.file is not None:
            terminal.note(f"wrote {target.format} to {target.file}")
    if not assessment.complete:
        gaps = sum(len(part.gaps) for part in assessment.coverage)
        terminal.note(f"incomplete: {gaps} thing{'s' if gaps != 1 else ''} in scope could not be read")


def exit_code(assessment: Assessment, *, fail_on: Severity, allow_incomplete: bool) -> int:
    """Return 1 for a new failing finding at or above `fail_on`, else 3 for an incomplete run, else 0."""
    highest = worst(assessment.findings)
    if highest is not None and highest.rank >= fail_on.rank:
        return 1
    return 0 if assessment.complete or allow_incomplete else 3


def _known(name: str) -> None:
    if name not in reports.REPORTS:
        raise InputError(f"{name} is not a report format", hint=f"Choose one of {', '.join(reports.REPORTS)}.")


def _write_whole(path: Path, content: bytes) -> None:
    import tempfile  # noqa: PLC0415 - start-up: only where a report goes to a file

    made = ""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            made = file.name
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(made).chmod(0o666 & ~umask)
        Path(made).replace(path)
    except OSError as error:
        if made:
            Path(made).unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written: {error.strerror}", hint="Name another file.") from error
