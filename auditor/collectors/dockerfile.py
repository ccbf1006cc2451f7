"""Dockerfiles and Containerfiles to their instructions, as BuildKit reads them; nothing is expanded or fetched.

The format: https://docs.docker.com/reference/dockerfile/. Line continuations (with the `escape` directive), comments
between continued lines, heredocs, and the stages of a multi-stage build are understood.
"""

import re
from typing import Any

_DIRECTIVE = re.compile(r"#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(.+?)[ \t]*\Z")
_INSTRUCTION = re.compile(r"([A-Za-z]+)(?:[ \t]+(.*))?\Z", re.DOTALL)
_STAGE = re.compile(r"(?:--\S+\s+)*\S+\s+[Aa][Ss]\s+(\S+)\s*\Z")
_HEREDOC = re.compile(r"<<(-?)([\"']?)([A-Za-z_][A-Za-z0-9_]*)\2")
_WITH_HEREDOC = frozenset({"ADD", "COPY", "RUN"})


def parse(text: str) -> dict[str, Any]:
    """Return `{"instructions": [{"instruction", "arguments", "line", "stage"}, ...]}`.

    `line` counts from 1; `stage` is the name of the build stage, its number where it has none, and empty before the
    first `FROM`. `arguments` holds continued lines joined by a space, and the text of heredocs behind them.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    escape = _escape(lines)
    found: list[dict[str, Any]] = []
    stage, stages, position = "", 0, 0
    while position < len(lines):
        first = position
        logical, position = _logical(lines, position, escape)
        match = _INSTRUCTION.match(logical.strip())
        if match is None:
            continue
        instruction, arguments = match.group(1).upper(), (match.group(2) or "").strip()
        if instruction in _WITH_HEREDOC:
            bodies, position = _heredocs(lines, position, arguments)
            arguments = "\n".join([arguments, *bodies])
        if instruction == "FROM":
            named = _STAGE.match(arguments)
            stage = named.group(1) if named else str(stages)
            stages += 1
        found.append({"instruction": instruction, "arguments": arguments, "line": first + 1, "stage": stage})
    return {"instructions": found}


def _escape(lines: list[str]) -> str:
    """Return the character that continues a line. Directives stand before everything else, comments too."""
    for line in lines:
        directive = _DIRECTIVE.match(line)
        if directive is None:
            break
        if directive.group(1).lower() == "escape" and directive.group(2) in {"\\", "`"}:
            return directive.group(2)
    return "\\"


def _logical(lines: list[str], position: int, escape: str) -> tuple[str, int]:
    """Return the logical line that begins at `position`, and where the next one begins."""
    parts: list[str] = []
    while position < len(lines):
        line = lines[position]
        position += 1
        if line.lstrip().startswith("#"):
            if parts:
                # A comment between continued lines is left out, and the line goes on.
                continue
            return "", position
        stripped = line.rstrip()
        if stripped.endswith(escape):
            parts.append(stripped[: -len(escape)])
            continue
        if parts and not stripped:
            # Empty continuation lines are tolerated by every builder, with a warning.
            continue
        parts.append(stripped)
        break
    return " ".join(part.strip() for part in parts), position


def _heredocs(lines: list[str], position: int, arguments: str) -> tuple[list[str], int]:
    """Return the heredocs that `arguments` announce, and where the line behind the last one begins."""
    bodies = []
    for tabs, _, name in _HEREDOC.findall(arguments):
        body: list[str] = []
        while position < len(lines):
            line = lines[position].lstrip("\t") if tabs else lines[position]
            position += 1
            if line == name:
                break
            body.append(line)
        bodies.append("\n".join(body))
    return bodies, position
