"""`auditor secrets hook`: install, uninstall, status. What git starts is `hook_run`."""

import os
import shutil
import sys
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.model.errors import InputError

if TYPE_CHECKING:
    from auditor.collectors.git.hooks import Hook

app = typer.Typer(
    no_args_is_help=True,
    help="Refuse credentials before they are committed, pushed or received. Installs git hooks; fails closed.",
    epilog="Examples:  auditor secrets hook install   |   auditor secrets hook install --type pre-push",
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Type(Enum):
    """Which hook of git."""

    COMMIT = "pre-commit"
    PUSH = "pre-push"
    RECEIVE = "pre-receive"


Repository = Annotated[
    Path, typer.Argument(metavar="[REPOSITORY]", help="A folder in the repository (default: here).", show_default=False)
]
OneType = Annotated[
    Type,
    typer.Option("--type", help="pre-commit: the index; pre-push: what goes out; pre-receive: what a server gets."),
]


@app.command(
    "install",
    epilog="Examples:  auditor secrets hook install   |   auditor secrets hook install --type pre-push ../shop",
)
def install(
    repository: Repository = Path(),
    type_: OneType = Type.COMMIT,
    tier: Annotated[
        int, typer.Option(min=1, max=2, help="1: documented token formats alone; 2: also literals under a name.")
    ] = 2,
    rules: Annotated[
        list[Path] | None, typer.Option(help="Folder with detection rules of your own, added to the library.")
    ] = None,
    rule_off: Annotated[list[str] | None, typer.Option(help="Do not look for this rule (id or glob).")] = None,
) -> None:
    """Install a hook; one that is there already is kept and runs first.

    Honours core.hooksPath, work trees and submodules. Where the program is not found, or git fails, or something
    cannot be read, the change is refused; `--no-verify` passes by on purpose.
    """
    from auditor.collectors.git import hooks  # noqa: PLC0415 - start-up: help needs none of it
    from auditor.detection import rules as detection  # noqa: PLC0415 - as above

    folders = [folder.resolve() for folder in rules or ()]
    # Told now rather than at each commit.
    detection.load(folders, off=rule_off or ())
    arguments = [
        *(["--tier", str(tier)] if tier != 2 else []),
        *(word for folder in folders for word in ("--rules", str(folder))),
        *(word for name in rule_off or () for word in ("--rule-off", name)),
    ]
    place = hooks.folder(repository, environ=os.environ)
    done = hooks.install(place, type_.value, program=_program(), arguments=arguments)
    typer.echo(f"installed {done.file}")
    if done.earlier is not None:
        typer.echo(f"{done.earlier} was there before and runs first")


@app.command("uninstall", epilog="Example:  auditor secrets hook uninstall --type pre-push")
def uninstall(repository: Repository = Path(), type_: OneType = Type.COMMIT) -> None:
    """Take a hook of ours away and put back what was there before."""
    from auditor.collectors.git import hooks  # noqa: PLC0415 - as above

    gone = hooks.uninstall(hooks.folder(repository, environ=os.environ), type_.value)
    if gone.state is hooks.State.ABSENT:
        typer.echo(f"there is no {gone.type} hook")
        return
    typer.echo(f"removed {gone.file}" + (", the one before it is back" if gone.earlier is not None else ""))


@app.command("status", epilog="Example:  auditor secrets hook status")
def status(repository: Repository = Path()) -> None:
    """Say which hooks are installed. Exit codes: 0 one is and works, 1 none, or one that does not work."""
    from auditor.collectors.git import hooks  # noqa: PLC0415 - as above

    place = hooks.folder(repository, environ=os.environ)
    found = [hooks.look(place, type_) for type_ in hooks.TYPES]
    typer.echo(f"hooks in {place}")
    for line in _lines(found):
        typer.echo(line)
    ours = [hook for hook in found if hook.state is hooks.State.OURS]
    raise typer.Exit(0 if ours and not any(hook.fault for hook in ours) else 1)


@app.command("run", hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context) -> None:
    """Judge a change for git. What a hook starts; it never comes this way (`cli/entry.py`)."""
    from auditor.cli import hook_run  # noqa: PLC0415 - as above

    raise typer.Exit(hook_run.main(context.args))


def _lines(found: "Iterable[Hook]") -> "Iterable[str]":
    from auditor.collectors.git.hooks import State  # noqa: PLC0415 - as above

    for hook in found:
        earlier = f", after {hook.earlier.name}" if hook.earlier is not None else ""
        match hook.state:
            case State.ABSENT:
                yield f"{hook.type:<12} not installed"
            case State.FOREIGN:
                yield f"{hook.type:<12} not installed; another hook is there"
            case State.OURS:
                yield f"{hook.type:<12} installed{earlier}" + (f", but {hook.fault}" if hook.fault else "")


def _program() -> str:
    """Return the program as the hook shall start it: by its absolute path, since a hook's PATH may be another."""
    for named in (sys.argv[0], shutil.which("auditor") or ""):
        path = os.path.abspath(named)  # noqa: PTH100 - a link to it stays one: it may be moved on by an upgrade
        if os.path.basename(path).startswith("auditor") and os.access(path, os.X_OK) and os.path.isfile(path):  # noqa: PTH113, PTH119 - as above
            return path
    raise InputError(
        "the program `auditor` was not found on PATH, so a hook could not start it",
        hint="Install it (pipx install auditor), or call it by its path.",
    )
