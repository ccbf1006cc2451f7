"""`auditor snapshot`: what a collection wrote, looked at, verified, compared and merged."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from auditor.cli import terminal
from auditor.model.errors import InputError

app = typer.Typer(
    help="Snapshots of live systems: show, verify, diff, merge.",
    no_args_is_help=True,
    epilog="Examples:  auditor snapshot show estate/   |   auditor snapshot diff october/ november/ --format json",
)

_Folder = Annotated[Path, typer.Argument(metavar="SNAPSHOT", help="A folder that `auditor collect` wrote.")]
_FEW = 20
"""How many objects of one kind are listed unless all are wanted."""
_NAMED = 3
"""How many files that were changed are named."""


class Format(StrEnum):
    """How an answer is written."""

    CONSOLE = "console"
    JSON = "json"


_Format = Annotated[Format, typer.Option("--format", help="How to write it.")]


@app.command()
def show(
    snapshot: _Folder,
    show_all: Annotated[bool, typer.Option("--all", help="Name every kind; do not fold.")] = False,
    format_: _Format = Format.CONSOLE,
) -> None:
    """Draw what was read and what was not.

    Planes, sources, scopes, how many objects of each kind, and each list that was refused, cut or not asked.

    Example:  auditor snapshot show estate/

    Exit codes: 0 drawn, 1 drawn, and a file is not the one that was written, 2 there is no snapshot, or it is of
    another format. The files are held against their digests; `verify` looks at more.
    """
    from auditor.snapshot import verifying  # noqa: PLC0415 - after wrong use has been refused
    from auditor.snapshot.reading import open_snapshot  # noqa: PLC0415

    opened = open_snapshot(snapshot)
    changed = verifying.changed(opened)
    write(opened, format_, show_all=show_all, changed=changed)
    raise typer.Exit(1 if changed else 0)


@app.command()
def verify(
    snapshot: _Folder,
    sha256: Annotated[
        str, typer.Option(help="Digest of the manifest, as you noted it when the snapshot was written.")
    ] = "",
    format_: _Format = Format.CONSOLE,
) -> None:
    """Say whether a snapshot is what was written.

    Digests, counts, a list for every file and a file for every list, and nothing that does not belong. What that
    proves and what it does not: docs/snapshot.md.

    Example:  auditor snapshot verify estate/ --sha256 3f5a...

    Exit codes: 0 it is, 1 it is not, 2 there is no snapshot, or it is of another format.
    """
    from auditor.snapshot import verifying  # noqa: PLC0415 - after wrong use has been refused

    noted = sha256.strip().lower().removeprefix("sha256:")
    if noted and (len(noted) != 64 or not set(noted) <= set("0123456789abcdef")):
        raise InputError(
            "--sha256 is no SHA-256: 64 hexadecimal digits", hint="`auditor collect` prints it when it ends."
        )
    found = verifying.verify(snapshot)
    mistakes = list(found.mistakes)
    if noted and noted != found.digest:
        mistakes.insert(0, verifying.Mistake("manifest.json", "is not the one whose digest you noted"))
    match format_:
        case Format.CONSOLE:
            _say(_verified(snapshot, found, mistakes, noted=bool(noted)))
        case Format.JSON:
            _json(
                {
                    "path": str(snapshot),
                    "digest": found.digest,
                    "state": found.manifest.state,
                    "files": found.files,
                    "records": found.records,
                    "bytes": found.bytes,
                    "mistakes": [asdict(mistake) for mistake in mistakes],
                }
            )
    raise typer.Exit(1 if mistakes else 0)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The earlier snapshot.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The later one.")],
    show_all: Annotated[bool, typer.Option("--all", help="List every object; do not fold.")] = False,
    format_: _Format = Format.CONSOLE,
) -> None:
    """Show what changed between two snapshots.

    Coverage comes first: an object whose list was not read in one of them is unknown, never added or removed.

    Example:  auditor snapshot diff october/ november/
    """
    from auditor.snapshot import differences  # noqa: PLC0415 - after wrong use has been refused
    from auditor.snapshot.reading import open_snapshot  # noqa: PLC0415

    before, after = open_snapshot(old), open_snapshot(new)
    found = differences.compare(before, after)
    match format_:
        case Format.CONSOLE:
            from auditor.cli import snapshot_diff  # noqa: PLC0415 - only for this format

            _say(snapshot_diff.lines(before, after, found, few=None if show_all else _FEW))
        case Format.JSON:
            _json({"diff_version": "1.0", "old": _head(before), "new": _head(after), **asdict(found)})


@app.command()
def merge(
    snapshots: Annotated[list[Path], typer.Argument(metavar="SNAPSHOT...", help="Snapshots of different systems.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to; must not exist.")],
    format_: _Format = Format.CONSOLE,
) -> None:
    """Make one snapshot of several.

    Each keeps its runs and digests. Two systems must not have one name.

    Example:  auditor snapshot merge prod/ staging/ -o estate/
    """
    from auditor.snapshot import merging  # noqa: PLC0415 - after wrong use has been refused
    from auditor.snapshot.reading import open_snapshot  # noqa: PLC0415

    if len(snapshots) < 2:
        raise InputError("one snapshot is nothing to merge", hint="Name two or more: auditor snapshot merge A B -o C.")
    merging.merge(snapshots, output)
    write(open_snapshot(output), format_)


def write(opened: Any, format_: Format, *, show_all: bool = False, changed: Sequence[str] = ()) -> None:
    """Write what an open snapshot holds to standard output; `changed` are files that are not as they were written."""
    match format_:
        case Format.CONSOLE:
            from auditor.cli import estate  # noqa: PLC0415 - only for this format

            colour = terminal.colour_wanted(sys.stdout)
            lines = estate.lines(opened, width=terminal.width(), colour=colour, show_all=show_all)
            _say((*_changed(opened.path, changed), *lines))
        case Format.JSON:
            lists = [asdict(entry) for entry in opened.entries]
            told = {"path": str(opened.path), "digest": opened.digest, "changed": changed}
            _json({**told, **asdict(opened.manifest), "lists": lists})


def _changed(snapshot: Path, changed: Sequence[str]) -> Iterator[str]:
    """Say of a snapshot that was changed that the picture is of what was written."""
    if changed:
        files = f"{len(changed)} file{'s are' if len(changed) > 1 else ' is'}"
        yield f"{snapshot} was changed: {files} not as written ({', '.join(changed[:_NAMED])})."
        yield "What follows is what was written. `auditor snapshot verify` names everything that is wrong."
        yield ""


def _verified(snapshot: Path, found: Any, mistakes: Sequence[Any], *, noted: bool) -> Iterator[str]:
    from auditor.reports.text import visible  # noqa: PLC0415 - only for this format

    for mistake in mistakes:
        yield visible(str(mistake))
    count = f"{found.files:,} files, {found.records:,} objects"
    if mistakes:
        yield f"{snapshot}: {len(mistakes)} thing{'s' if len(mistakes) != 1 else ''} wrong; {count} were looked at"
        return
    yield f"{snapshot}: as it was written ({_ENDS[found.manifest.state.value]}); {count}"
    yield f"manifest sha256 {found.digest}"
    if not noted:
        yield "Whoever can change all of a snapshot can change its digests, too: hold this digest against one you kept."


_ENDS = {"complete": "the run came to its end", "partial": "partial: the run did not come to its end"}
"""What the state of a manifest says: of holes, `show` knows."""


def _head(opened: Any) -> dict[str, Any]:
    manifest = opened.manifest
    return {
        "path": str(opened.path),
        "digest": opened.digest,
        "state": manifest.state,
        "started": manifest.started,
        "ended": manifest.ended,
    }


def _say(lines: Iterable[str]) -> None:
    from auditor.redaction.redactor import redact_text  # noqa: PLC0415 - only when something is said

    terminal.put("".join(f"{redact_text(line)}\n" for line in lines).encode("utf-8", "replace"))


def _json(content: Any) -> None:
    from auditor.reports.json_text import tame  # noqa: PLC0415 - only for this format
    from auditor.snapshot.manifest import clean, plain  # noqa: PLC0415

    terminal.put(tame(json.dumps(clean(plain(content)), indent=1, ensure_ascii=False)).encode() + b"\n")
