"""Paths to items, and their stable names: positions replaced by what people call the element.

A name survives moved lines and reordered lists, so fingerprints, waivers and baselines can rest on it:
`spec.template.spec.containers[web].env[DB_PASSWORD]`.
"""

from collections.abc import Mapping
from typing import Any

from auditor.model.resource import REDACTED, Path

_LABELS = ("name", "key", "mountPath", "path", "host")
"""Fields that tell list elements apart, in this order."""

_LONGEST = 80
"""Characters of a text that can stand for an element."""


def resolve(body: Any, pointer: str) -> Path:
    """Return the path of a JSON pointer in `body`: a step of digits is a position only where a list stands."""
    path: list[str | int] = []
    node = body
    for raw in pointer.split("/")[1:]:
        step: str | int = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and isinstance(step, str) and step.isdigit():
            step = int(step)
        path.append(step)
        node = child(node, step)
    return tuple(path)


def child(node: Any, step: str | int) -> Any:
    """Return what stands at `step` in `node`, or `None`."""
    if isinstance(node, Mapping):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


def follow(body: Any, path: Path) -> Any:
    """Return what stands at `path`, or `None`."""
    for step in path:
        body = child(body, step)
    return body


def name(body: Any, path: Path) -> str:
    """Return the stable name of the item at `path`; an element without a label of its own keeps its position."""
    text = ""
    node = body
    for step in path:
        node = child(node, step)
        if isinstance(step, int):
            text += f"[{_label(node, step)}]"
        elif "." in step or "[" in step:
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def _label(element: Any, position: int) -> str:
    if isinstance(element, Mapping):
        for field in _LABELS:
            label = element.get(field)
            if isinstance(label, str) and label:
                return label
    if isinstance(element, str):
        # A flag without its value: the value is gone, and would not be stable anyway.
        if "\n" in element:
            # A whole file as an element: its text is no name.
            return str(position)
        text = element.partition(REDACTED)[0].rstrip("=: ")
        if text and len(text) <= _LONGEST:
            return text
    return str(position)
