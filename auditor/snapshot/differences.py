"""What changed between two snapshots. Coverage comes first: what was not read in either is unknown, never removed.

Sources are compared by name, objects by source, type, namespace and name. An object that is in one snapshot only was
added or removed where the other one read the list that would hold it to its end; else nobody knows.

What Kubernetes writes by itself at every touch (`metadata.resourceVersion`, `metadata.generation`) is no change. Only
the places that differ are told, not the values. Memory grows with the names of one list and with what changed in it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

import orjson

from auditor.model.collection import Call, Source
from auditor.model.record import record
from auditor.model.resource import Literal, Resource, pointer
from auditor.snapshot.reading import Snapshot

Name = tuple[str, str]
"""Namespace and name."""

_TOUCHED = frozenset({"resourceVersion", "generation"})
"""Of `metadata`: written by the API server, and no change of the object."""
_OF_A_RUN = frozenset({"name", "started", "ended", "clock_offset_seconds", "fingerprint_key_id"})
"""Fields of a source that differ from run to run and say nothing of the system."""


@record
class Coverage:
    """One list that was not read to its end in both."""

    source: str
    type: str
    namespace: str
    before: str
    """How the list ended (`CallResult`); empty: it was not asked at all."""
    after: str


@record
class Changed:
    """One object that is in both."""

    name: Name
    places: tuple[str, ...]
    """JSON pointers into the body, and `literal POINTER` where another value was taken out."""


@record
class Objects:
    """What became of the objects of one type in one source."""

    source: str
    type: str
    added: tuple[Name, ...] = ()
    removed: tuple[Name, ...] = ()
    changed: tuple[Changed, ...] = ()
    perhaps_added: tuple[Name, ...] = ()
    """In the new one only, and the old one did not read its list: it may have been there."""
    perhaps_removed: tuple[Name, ...] = ()
    """In the old one only, and the new one did not read its list: it may be there still."""
    unchanged: int = 0

    @property
    def same(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.added or self.removed or self.changed or self.perhaps_added or self.perhaps_removed)


@record
class System:
    """One fact about a source that differs."""

    source: str
    what: str
    """Field of the source's record; `source` where one of the two lacks it as a whole."""
    before: str
    after: str


@record
class Differences:
    """Everything that differs, by source and type."""

    systems: tuple[System, ...]
    coverage: tuple[Coverage, ...]
    objects: tuple[Objects, ...]
    """One a source and type that either has, also where nothing changed."""
    values_compared: bool
    """Whether value fingerprints of all common sources were made by one key: else a changed value is not seen."""


def compare(old: Snapshot, new: Snapshot) -> Differences:
    """Return what changed from `old` to `new`. Raises `InputError` where one of them cannot be read."""
    before, after = ({source.name: source for source in snapshot.sources} for snapshot in (old, new))
    common = before.keys() & after.keys()
    kinds = sorted({(entry.call.source, entry.call.type) for entry in (*old.entries, *new.entries)})
    return Differences(
        systems=tuple(_systems(before, after)),
        coverage=tuple(_coverage(old.calls, new.calls)),
        objects=tuple(
            found
            for source, type_ in kinds
            if (found := _objects(old, new, source, type_, values=_one_key(source, before, after))) is not None
        ),
        values_compared=all(_one_key(name, before, after) for name in common),
    )


def _one_key(name: str, before: Mapping[str, Source], after: Mapping[str, Source]) -> bool:
    keys = {records[name].fingerprint_key_id for records in (before, after) if name in records}
    return len(keys) == 1 and "" not in keys


def _systems(before: Mapping[str, Source], after: Mapping[str, Source]) -> Iterator[System]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            words = ("there", "not there") if name in before else ("not there", "there")
            yield System(source=name, what="source", before=words[0], after=words[1])
            continue
        for field in fields(Source):
            one, two = getattr(before[name], field.name), getattr(after[name], field.name)
            if field.name not in _OF_A_RUN and one != two:
                yield System(source=name, what=field.name, before=_said(one), after=_said(two))


def _said(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _coverage(old: Iterable[Call], new: Iterable[Call]) -> Iterator[Coverage]:
    before, after = ({(call.source, call.type, call.namespace): call for call in calls} for calls in (old, new))
    for key in sorted(before.keys() | after.keys()):
        one, two = before.get(key), after.get(key)
        if not (one and one.complete and two and two.complete):
            source, type_, namespace = key
            yield Coverage(
                source=source,
                type=type_,
                namespace=namespace,
                before=one.result.value if one else "",
                after=two.result.value if two else "",
            )


class _Scopes:
    """Of one source and type: where a list was read to its end, so that what it lacks is not there."""

    def __init__(self, calls: Iterable[Call], source: str, type_: str) -> None:
        own = [call for call in calls if call.source == source and call.type == type_]
        complete = {call.namespace for call in own if call.complete}
        # Two records of one list are two attempts at it, or two parts of it: both must be whole.
        self._complete = complete - {call.namespace for call in own if not call.complete}

    def cover(self, name: Name) -> bool:
        return "" in self._complete or name[0] in self._complete


def _objects(old: Snapshot, new: Snapshot, source: str, type_: str, *, values: bool) -> Objects | None:
    lists = [snapshot.lists(source, {type_}) for snapshot in (old, new)]
    if not any(lists):
        return None
    contents = [[entry.file.content_sha256 for entry in entries if entry.file] for entries in lists]
    if contents[0] == contents[1]:
        count = sum(entry.file.records for entry in lists[0] if entry.file)
        return Objects(source=source, type=type_, unchanged=count)
    known = {_name(resource): _print(resource, values=values) for resource in old.resources(source, {type_})}
    added: set[Name] = set()
    met: set[Name] = set()
    later: dict[Name, Resource] = {}
    unchanged = 0
    for resource in new.resources(source, {type_}):
        name = _name(resource)
        met.add(name)
        before = known.get(name)
        if before is None:
            added.add(name)
        elif before == _print(resource, values=values):
            unchanged += 1
        else:
            later[name] = resource
    changed = [
        Changed(name=_name(resource), places=tuple(_places(resource, later[_name(resource)], values=values)))
        for resource in (old.resources(source, {type_}) if later else ())
        if _name(resource) in later
    ]
    gone = known.keys() - met
    was, now = (_Scopes(snapshot.calls, source, type_) for snapshot in (old, new))
    return Objects(
        source=source,
        type=type_,
        added=_sorted(name for name in added if was.cover(name)),
        removed=_sorted(name for name in gone if now.cover(name)),
        changed=tuple(sorted(changed, key=lambda entry: entry.name)),
        perhaps_added=_sorted(name for name in added if not was.cover(name)),
        perhaps_removed=_sorted(name for name in gone if not now.cover(name)),
        unchanged=unchanged,
    )


def _name(resource: Resource) -> Name:
    return (resource.namespace, resource.name)


def _sorted(names: Iterable[Name]) -> tuple[Name, ...]:
    return tuple(sorted(names))


def _print(resource: Resource, *, values: bool) -> bytes:
    """Return 16 bytes that are the same for the same content."""
    content = orjson.dumps([_content(resource), _literals(resource, values=values)], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=16).digest()


def _content(resource: Resource) -> Mapping[str, Any]:
    metadata = resource.body.get("metadata")
    if not isinstance(metadata, dict) or not _TOUCHED & metadata.keys():
        return resource.body
    return {**resource.body, "metadata": {key: entry for key, entry in metadata.items() if key not in _TOUCHED}}


def _literals(resource: Resource, *, values: bool) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for literal in resource.literals:
        found[pointer(literal.path)].append(_described(literal, values=values))
    return found


def _described(literal: Literal, *, values: bool) -> list[Any]:
    of_value = [literal.fingerprint, literal.length] if values else []
    return [literal.place, literal.key, literal.kind, literal.rule, literal.confidence, literal.container, *of_value]


def _places(old: Resource, new: Resource, *, values: bool) -> Iterator[str]:
    found = list(_walk(_content(old), _content(new), ""))
    yield from found
    before, after = _literals(old, values=values), _literals(new, values=values)
    for place in sorted(before.keys() | after.keys()):
        if before.get(place) != after.get(place) and place not in found:
            yield f"literal {place}"


def _walk(old: Any, new: Any, place: str) -> Iterator[str]:
    """Yield where two bodies differ, as deep as both have the same shape; a list of another length as a whole."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in _keys(old, new):
            inner = place + pointer((key,))
            if key not in old or key not in new:
                yield inner
            else:
                yield from _walk(old[key], new[key], inner)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, two) in enumerate(zip(old, new, strict=True)):
            yield from _walk(one, two, f"{place}/{index}")
    elif old != new or type(old) is not type(new):
        yield place


def _keys(old: Collection[str], new: Collection[str]) -> list[str]:
    return sorted({*old, *new})
