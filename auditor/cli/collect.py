"""`auditor collect`: live systems and exports into a snapshot, to be judged offline by `auditor audit`."""

import os
import random
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from auditor.cli import options, terminal
from auditor.cli.snapshot import Format, write
from auditor.configuration import Configuration
from auditor.model.errors import InputError
from auditor.model.settings import SourceSettings

_EXAMPLES = """
Examples:

  auditor collect -o estate/                          every source of auditor.yaml

  auditor collect -o estate/ --source prod            one of them

  auditor collect -o estate/ --resume                 go on where a run was interrupted

  auditor collect -o november/ --previous october/    record which snapshot came before

  auditor collect -o dump/ --from cluster-dump/       what `kubectl get -o json` wrote, or a support bundle

Exit codes: 0 all that was asked was read, 2 wrong use, bad input, or nothing collected, 3 something could not be read,
4 internal error, 130 interrupted (what was read is kept).
"""


def collect(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="SNAPSHOT", help="Folder to write; must not exist.")
    ],
    config: Annotated[
        Path | None, typer.Option(help="Configuration file (default: auditor.yaml here, if there is one).")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", metavar="NAME", help="Read only this source. Repeatable.")
    ] = None,
    from_: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="DIR", help="Read this export and no configured source. Repeatable."),
    ] = None,
    all_namespaces: Annotated[
        bool,
        typer.Option("--all-namespaces", help="The lists of --from are of all namespaces (-A, no selector): you know."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a partial snapshot: ask again what is not complete.")
    ] = False,
    previous: Annotated[
        Path | None, typer.Option(metavar="SNAPSHOT", help="The snapshot before this one: its digest is recorded.")
    ] = None,
    allow_incomplete: Annotated[
        bool, typer.Option("--allow-incomplete", help="Exit 0 instead of 3 when something could not be read.")
    ] = False,
    format_: Annotated[Format, typer.Option("--format", help="How to write what was collected.")] = Format.CONSOLE,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")] = False,
) -> None:
    """Read the configured systems into a snapshot."""
    settings = options.load(config)
    chosen = (
        _exports(from_, all_namespaces=all_namespaces)
        if from_
        else _sources(settings, source or (), output if resume else None)
    )
    if all_namespaces and not from_:
        raise InputError(
            "--all-namespaces is for --from", hint="Of an export in auditor.yaml say `all-namespaces: true` there."
        )
    if from_ and source:
        raise InputError("--from and --source exclude each other", hint="An export that is named needs no source.")
    from auditor.cli import operator  # noqa: PLC0415 - after wrong use has been refused
    from auditor.pipeline import collect as pipeline  # noqa: PLC0415
    from auditor.snapshot.manifest import MANIFEST  # noqa: PLC0415

    # A pod or a CI job is ended by this signal: what was read is kept then, too.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with terminal.Progress(quiet=quiet) as progress:
        try:
            snapshot = pipeline.collect(
                pipeline.Request(
                    folder=output,
                    sources=chosen,
                    connections=settings.connections,
                    resume=resume,
                    workloads=settings.workloads,
                    arguments=tuple(sys.argv[1:]),
                    operator=operator.operator(os.environ),
                    tool_digest=operator.program_digest(),
                    configuration_digest=settings.digest,
                    retention=settings.retention,
                    previous=previous,
                    fingerprint_key=options.fingerprint_key(),
                ),
                pipeline.Surroundings(
                    clock=lambda: datetime.now(UTC),
                    environ=os.environ,
                    jitter=random.random,
                    progress=progress.say,
                ),
            )
        except KeyboardInterrupt:
            if not (output / MANIFEST).is_file():
                raise
            # Asked twice: threads still wait for answers. What is on the disk says of itself that it is partial.
            terminal.note(f"left at once: {output} is partial")
            os._exit(_INTERRUPTED)
    write(snapshot, format_)
    raise typer.Exit(_close(snapshot, allow_incomplete=allow_incomplete, quiet=quiet))


collect.__doc__ = f"{collect.__doc__}\n{_EXAMPLES}"

_INTERRUPTED = 130


def _exports(folders: list[Path], *, all_namespaces: bool) -> tuple[SourceSettings, ...]:
    from auditor.pipeline import exported  # noqa: PLC0415 - start-up: only where an export is read

    return exported.sources(folders, all_namespaces=all_namespaces)


def _sources(settings: Configuration, names: list[str] | tuple[str, ...], resumed: Path | None) -> Any:
    known = {source.name: source for source in settings.sources}
    unknown = sorted(set(names) - known.keys())
    if unknown:
        listed = ", ".join(known) or "none"
        raise InputError(f"no source is called {', '.join(unknown)}", hint=f"auditor.yaml names {listed}.")
    if resumed is not None and not names:
        from auditor.snapshot.reading import open_snapshot  # noqa: PLC0415 - only to go on with one

        begun = open_snapshot(resumed).manifest.runs[-1].sources
        return tuple(source for source in settings.sources if source.name in begun)
    return tuple(source for source in settings.sources if not names or source.name in names)


def _close(snapshot: Any, *, allow_incomplete: bool, quiet: bool) -> int:
    """Say what is missing, and return the exit code."""
    from auditor.model.collection import CallResult  # noqa: PLC0415 - start-up
    from auditor.snapshot.manifest import State  # noqa: PLC0415

    if snapshot.manifest.state is State.PARTIAL:
        terminal.note(f"interrupted: {snapshot.path} is partial; `auditor collect -o {snapshot.path} --resume` goes on")
        return _INTERRUPTED
    failed = [source for source in snapshot.sources if source.failure]
    missing = [call for call in snapshot.calls if not call.complete and call.result is not CallResult.NOT_ASKED]
    if not failed and not missing:
        return 0
    if not quiet:
        parts = (
            [f"{len(missing)} list{'s' if len(missing) != 1 else ''} could not be read to the end"] if missing else []
        )
        parts += [f"nothing could be read of {', '.join(source.name for source in failed)}"] if failed else []
        terminal.note(f"incomplete: {' and '.join(parts)}")
        for source in failed:
            terminal.note(f"  {source.name}: {source.failure}")
    return 0 if allow_incomplete else 3
