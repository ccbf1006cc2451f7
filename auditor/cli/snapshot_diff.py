"""The differences of two snapshots as lines for the terminal: coverage first, what is certain, what is not."""

from collections.abc import Iterator, Sequence

from auditor.reports.text import visible
from auditor.snapshot.differences import Coverage, Differences, Name, Objects, System
from auditor.snapshot.manifest import State
from auditor.snapshot.reading import Snapshot


def lines(old: Snapshot, new: Snapshot, found: Differences, *, few: int | None) -> Iterator[str]:
    """Yield what differs; of each group at most `few` entries, all where that is `None`."""
    for word, one in (("old", old), ("new", new)):
        partial = ", partial" if one.manifest.state is State.PARTIAL else ""
        yield f"{word}  {visible(str(one.path))}, {one.manifest.started:%Y-%m-%d %H:%M} UTC{partial}, {one.digest[:12]}"
    yield from _systems(found.systems)
    yield from _coverage(found.coverage, few)
    for objects in found.objects:
        if not objects.same:
            yield from _objects(objects, few)
    yield ""
    if not found.values_compared:
        yield "Values were not compared: the fingerprint keys of the two runs differ or were random."
    yield _closing(found)


def _systems(systems: Sequence[System]) -> Iterator[str]:
    if systems:
        yield "\nsystems:"
    for system in systems:
        what = "" if system.what == "source" else f" {system.what}"
        yield f"  {visible(system.source)}{what}: {_said(system.before)} -> {_said(system.after)}"
        if system.what == "identifier":
            yield "    another system answers to this name: what follows compares two different ones"


def _coverage(coverage: Sequence[Coverage], few: int | None) -> Iterator[str]:
    if coverage:
        yield "\nnot read to the end in both, so what it would hold is unknown:"
    for one in coverage[:few]:
        where = f" in {one.namespace}" if one.namespace else ""
        before, after = (said or "not asked at all" for said in (one.before, one.after))
        yield f"  {visible(one.source)} {visible(one.type)}{visible(where)}: {before} -> {after}"
    yield from _more(len(coverage), few)


def _objects(objects: Objects, few: int | None) -> Iterator[str]:
    yield f"\n{visible(objects.source)} {visible(objects.type)}:"
    for sign, words, names in (
        ("+", "added", objects.added),
        ("-", "removed", objects.removed),
        ("?", "perhaps added: its list was not read in the old one", objects.perhaps_added),
        ("?", "perhaps removed: its list was not read in the new one", objects.perhaps_removed),
    ):
        if names:
            yield f"  {words}: {len(names)}"
        yield from (f"  {sign} {_name(name)}" for name in names[:few])
        yield from _more(len(names), few)
    if objects.changed:
        yield f"  changed: {len(objects.changed)}"
    for changed in objects.changed[:few]:
        places = ", ".join(map(visible, changed.places[:few]))
        rest = f" and {len(changed.places) - few} more" if few is not None and len(changed.places) > few else ""
        yield f"  ~ {_name(changed.name)}  {places}{rest}"
    yield from _more(len(objects.changed), few)


def _closing(found: Differences) -> str:
    counts = {
        name: sum(len(getattr(one, name)) for one in found.objects)
        for name in ("added", "removed", "changed", "perhaps_added", "perhaps_removed")
    }
    return (
        f"{counts['added']} added, {counts['removed']} removed, {counts['changed']} changed, "
        f"{counts['perhaps_added'] + counts['perhaps_removed']} unknown, "
        f"{sum(one.unchanged for one in found.objects)} unchanged"
    )


def _name(name: Name) -> str:
    return visible("/".join(filter(None, name)))


def _more(count: int, few: int | None) -> Iterator[str]:
    if few is not None and count > few:
        yield f"    and {count - few} more (--all)"


def _said(text: str) -> str:
    return visible(text) or "unknown"
