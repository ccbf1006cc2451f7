"""Where an item of what Helm rendered is written in its template: the line that names it, if exactly one does.

A template is text until it is rendered, so there is no path to follow. What a template writes out are names: of
variables, keys and containers. The innermost name on the way to an item that stands on one line alone, in the one part
of the template that makes an object of this kind, is where a person has to look. Anything less certain stays without a
line.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from auditor.collectors.positions import Place
from auditor.model.resource import Path

_UNKNOWN: Place = (None, None)
_MARKER = re.compile(r"^---[ \t]*(?:#.*)?$", re.MULTILINE)
_NAMES = ("name", "key", "mountPath")


def locate(template: str, rendered: Any, paths: Sequence[Path]) -> list[Place]:
    """Return line and column of each of `paths` of the rendered object in the text of its template."""
    part = _part(template, rendered)
    if part is None:
        return [_UNKNOWN] * len(paths)
    start, text = part
    lines = text.split("\n")
    first = template.count("\n", 0, start)
    return [_place(lines, first, rendered, path) for path in paths]


def _part(template: str, rendered: Any) -> tuple[int, str] | None:
    """Return where the part begins that makes objects of this kind, and its text; `None` where several or none do."""
    kind = rendered.get("kind") if isinstance(rendered, dict) else None
    if not isinstance(kind, str):
        return None
    starts = [0, *(match.end() + 1 for match in _MARKER.finditer(template))]
    ends = [*(match.start() for match in _MARKER.finditer(template)), len(template)]
    of_kind = re.compile(rf"^kind:[ \t]*[\"']?{re.escape(kind)}[\"']?[ \t]*\r?$", re.MULTILINE)
    found = [(at, template[at:end]) for at, end in zip(starts, ends, strict=True) if of_kind.search(template, at, end)]
    return found[0] if len(found) == 1 and len(of_kind.findall(found[0][1])) == 1 else None


def _place(lines: Sequence[str], first: int, rendered: Any, path: Path) -> Place:
    for pattern in _anchors(rendered, path):
        found = [(number, match) for number, line in enumerate(lines) if (match := pattern.match(line))]
        if len(found) == 1:
            number, match = found[0]
            return first + number + 1, match.start(1) + 1
    return _UNKNOWN


def _anchors(rendered: Any, path: Path) -> Iterator[re.Pattern[str]]:
    """Yield how each step on the way would be written, from the item itself outwards; last the object's kind."""
    patterns = []
    node: Any = rendered
    before: str | int = ""
    for step in path:
        node, before, element = _child(node, step), step, isinstance(before, int)
        if isinstance(step, str):
            # A field of a list's element (`value`) is written once for many of them, or for another: its name is not.
            patterns += [] if element else [_key(step)]
        elif isinstance(node, dict):
            patterns += [_entry(label, node[label]) for label in _NAMES if isinstance(node.get(label), str)][:1]
        elif isinstance(node, str) and node:
            patterns.append(re.compile(rf"\s*-\s+(?=[\"']?{re.escape(node)}[\"']?\s*$)()"))
    yield from reversed(patterns)
    yield _entry("kind", str(rendered["kind"]))


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


def _key(name: str) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:-\s+)?()[\"']?{re.escape(name)}[\"']?\s*:(?:\s|$)")


def _entry(label: str, value: str) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:-\s+)?(){label}:\s*[\"']?{re.escape(value)}[\"']?\s*(?:#.*)?$")
