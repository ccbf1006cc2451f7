"""`docs/commands.md`, written from the help of the program: `python -m tests.docs.commands` (`make docs`)."""

from collections.abc import Iterator
from typing import Any

import typer

from auditor.cli.main import application
from tests.e2e.program import ROOT

PAGE = ROOT / "docs" / "commands.md"
_WIDTH = 100


def page() -> str:
    """Return the page."""
    parts = ["# Commands", "Generated from the help of each command by `make docs`.", "## `auditor`"]
    root = typer.main.get_command(application([]))
    for index, (name, text) in enumerate(_helps(root, "auditor", None)):
        parts += [f"## `{name}`"] if index else []
        parts.append(f"```text\n{text}\n```")
    return "\n\n".join(parts) + "\n"


def names() -> list[str]:
    """Return every command as a user types it."""
    return [name for name, _ in _helps(typer.main.get_command(application([])), "auditor", None)]


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    # Typer's own copy of Click is not Click's types, so a group is told by what it has.
    context = command.context_class(
        command,
        info_name=name.rpartition(" ")[2],
        parent=parent,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        **command.context_settings,
    )
    yield name, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    for child, inner in getattr(command, "commands", {}).items():
        if inner.hidden:
            continue
        yield from _helps(inner, f"{name} {child}", context)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
