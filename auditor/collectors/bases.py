"""Where an item of what Kustomize rendered is written: the line of a base or a patch, not the overlay that used it.

Kustomize says nothing about it, so it is found again: the object of the same kind and name among the files that
rendering reads, the item by the names of what it stands in, and only where the value there is the one that was
rendered. What a transformer made (another image, a generated name) is then nobody's, and stays with the overlay.
"""

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from auditor.collectors import documents, positions, render
from auditor.collectors.documents import RefusedError
from auditor.collectors.positions import Place
from auditor.collectors.sources import SourceKind, kind_of
from auditor.model.record import record
from auditor.model.resource import Origin, Path

_LARGEST = 10_000_000
"""Bytes of a file that is looked at."""


@record(kw_only=False)
class _Written:
    """An object as it is written in a file."""

    file: str
    origin: Origin
    body: dict[str, Any]


def locate(folder: str, content: bytes, origin: Origin, paths: Sequence[Path]) -> list[tuple[str, Place] | None]:
    """Return file, line and column of each of `paths` in the object of `origin`, or `None` where that is not known.

    `content` is what the Kustomize folder rendered to.
    """
    rendered = object_of(content, origin)
    if rendered is None:
        return [None] * len(paths)
    candidates = _candidates(rendered, _written(folder))
    return [_place(path, rendered, candidates) for path in paths]


def object_of(content: bytes, origin: Origin) -> dict[str, Any] | None:
    """Return the object of `origin` in what was rendered, `None` where it is not there."""
    try:
        chunks = _documents(content)
        value: Any = chunks[origin.document] if origin.document < len(chunks) else None
    except RefusedError:
        return None
    for step in origin.prefix:
        value = _step(value, step)
    return value if isinstance(value, dict) else None


@lru_cache(maxsize=2)
def _documents(content: bytes) -> tuple[Any, ...]:
    text = documents.text(content)
    return tuple(documents.parse(text[chunk.start : chunk.end]) for chunk in documents.split(text))


@lru_cache(maxsize=8)
def _written(folder: str) -> tuple[_Written, ...]:
    """Return every object in the files that rendering `folder` reads, in the order of the files."""
    found: list[_Written] = []
    for file in sorted(render.covered(folder)):
        if os.path.basename(file) in render.KUSTOMIZATION_NAMES or kind_of(file) is not SourceKind.YAML:  # noqa: PTH119 - strings, as in discovery
            continue
        try:
            with open(file, "rb") as opened:  # noqa: PTH123 - as above
                content = opened.read(_LARGEST)
            bodies = _documents(content)
        except (OSError, RefusedError):
            # Kustomize read it: whatever is wrong with it for us, the finding stands, at the overlay.
            continue
        for number, body in enumerate(bodies):
            found += [
                _Written(file, Origin(file=file, document=number, line=1, prefix=prefix), entry)
                for prefix, entry in _entries(body)
            ]
    return tuple(found)


def _entries(body: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    items = body.get("items") if isinstance(body, dict) else None
    if isinstance(items, list) and str(body.get("kind", "")).endswith("List"):
        yield from ((("items", index), item) for index, item in enumerate(items) if isinstance(item, dict))
    elif isinstance(body, dict):
        yield (), body


def _candidates(rendered: dict[str, Any], written: Sequence[_Written]) -> list[_Written]:
    """Return the objects of the rendered one's kind with its name, or with the name that a prefix or suffix changed."""
    name = _name(rendered)
    alike = [entry for entry in written if entry.body.get("kind") == rendered.get("kind")]
    same = [entry for entry in alike if _name(entry.body) == name]
    if same:
        return same
    inside = [entry for entry in alike if _name(entry.body) and _name(entry.body) in name]
    longest = max((len(_name(entry.body)) for entry in inside), default=0)
    return [entry for entry in inside if len(_name(entry.body)) == longest]


def _name(body: dict[str, Any]) -> str:
    metadata = body.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def _place(path: Path, rendered: dict[str, Any], candidates: Sequence[_Written]) -> tuple[str, Place] | None:
    """Return where the item is written; what is missing everywhere stands where most of its way is there."""
    best: tuple[bool, int, int, _Written, Path] | None = None
    changed = False
    for entry in candidates:
        way, equal = _way(path, rendered, entry.body)
        complete = len(way) == len(path)
        if complete and not equal:
            changed = True  # a patch says otherwise, or a transformer: what was rendered is not this
            continue
        rank = (complete, len(way), len(entry.body))
        if best is None or rank > best[:3]:
            best = (*rank, entry, way)
    if best is None or (changed and not best[0]):
        return None
    entry, way = best[3], best[4]
    try:
        with open(entry.file, "rb") as opened:  # noqa: PTH123 - as above
            content = opened.read(_LARGEST)
    except OSError:
        return None
    (place,) = positions.locate(content, entry.origin, [way], kind=SourceKind.YAML)
    return entry.file, place


def _way(path: Path, rendered: Any, written: Any) -> tuple[Path, bool]:
    """Return the path in the written object as far as it is there, and whether what stands at its end is the same.

    Kustomize merges lists by the names of their elements, so an element is the one with that name.
    """
    way: list[str | int] = []
    for step in path:
        wanted = _step(rendered, step)
        own = _element(wanted, written) if isinstance(step, int) else step
        if own is None or _step(written, own) is None:
            return tuple(way), False
        way.append(own)
        rendered, written = wanted, _step(written, own)
    # A collection holds what was patched into it as well: its place is that of the written one.
    return tuple(way), isinstance(rendered, dict | list) or rendered == written


def _step(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return None


def _element(wanted: Any, written: Any) -> int | None:
    if not isinstance(written, list):
        return None
    key = wanted.get("name") if isinstance(wanted, dict) else None
    for index, entry in enumerate(written):
        if entry == wanted or (key is not None and isinstance(entry, dict) and entry.get("name") == key):
            return index
    return None
