"""Exports that are judged or asked at once, without a snapshot: `auditor scan DIR` and `auditor access ... DIR`.

Whether a path is an export is decided here alone. What is read then is what `auditor collect --from DIR` would write:
the same names, claims and gaps, kept in memory.
"""

import glob
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from auditor.collectors import dumps
from auditor.collectors.sources import STDIN
from auditor.model.collection import Call, Source
from auditor.model.errors import InputError
from auditor.model.resource import Resource
from auditor.model.settings import ExportSource, SourceSettings
from auditor.pipeline.collected import Collected, Read
from auditor.redaction.fingerprint import Fingerprinter
from auditor.workloads import Workloads


def named(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the exports that `paths` name, empty where they are manifests.

    Raises `InputError` where some are and some are not, and for several files: each would be a cluster of its own.
    """
    found = [path for name in paths for path in _expanded(name)]
    taken = tuple(path for path in found if path != STDIN and Path(path).exists() and dumps.recognised(Path(path)))
    if not taken:
        return ()
    written = next((path for path in found if path not in taken), None)
    if written is not None:
        raise InputError(
            f"{taken[0]} was taken from a cluster, and {written} was not",
            hint="What is in a cluster and what may be applied are judged apart: name one after the other.",
        )
    files = [path for path in taken if Path(path).is_file()]
    if len(files) > 1:
        raise InputError(
            f"{files[0]} and {files[1]} were taken from a cluster, and nothing says whether it was the same",
            hint="Name the folder that they lie in: it is one cluster.",
        )
    return taken


def _expanded(name: str) -> Sequence[str]:
    """Return what a pattern matches, as discovery does; anything else as it is."""
    if os.path.lexists(name) or not glob.has_magic(name):
        return (name,)
    return sorted(glob.glob(name, recursive=True)) or (name,)  # noqa: PTH207 - the user's own text, relative as it is


def sources(folders: Sequence[Path], *, all_namespaces: bool) -> tuple[SourceSettings, ...]:
    """Return a source for each export, named after its folder. Raises `InputError` for one that is not there.

    `all_namespaces`: as `ExportSource`.
    """
    for folder in folders:
        if not folder.exists():
            raise InputError(f"{folder} does not exist", hint="Check --from.")
    return tuple(
        SourceSettings(name=name, settings=ExportSource(path=folder, all_namespaces=all_namespaces))
        for name, folder in _named(folders).items()
    )


def _named(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the folders by names that a source can have, each its own."""
    found: dict[str, Path] = {}
    for folder in folders:
        stem = re.sub(r"[^a-z0-9.-]+", "-", folder.resolve().name.lower()).strip("-.")
        stem = (stem if stem[:1].isalpha() else f"export-{stem}".rstrip("-"))[:60]
        number = 1
        while (name := f"{stem}-{number}" if number > 1 else stem) in found:
            number += 1
        found[name] = folder
    return found


def read(
    paths: Sequence[str],
    *,
    workloads: Workloads,
    fingerprinter: Fingerprinter,
    clock: Callable[[], datetime],
    progress: Callable[[str], None],
) -> tuple[Collected, ...]:
    """Return what the exports hold, by name, as a snapshot of them would. Raises `InputError` for none to be read."""
    folders = sorted(_named([Path(path) for path in paths]).items())
    return tuple(
        read_one(
            ExportSource(path=folder),
            name=name,
            workloads=workloads,
            fingerprinter=fingerprinter,
            clock=clock,
            progress=progress,
        )
        for name, folder in folders
    )


def read_one(
    settings: ExportSource,
    *,
    name: str,
    workloads: Workloads,
    fingerprinter: Fingerprinter,
    clock: Callable[[], datetime],
    progress: Callable[[str], None],
) -> Collected:
    """Return what one export holds. Raises as `read`."""
    from auditor.collectors import exports  # noqa: PLC0415 - start-up: only some inputs need it

    kept = _Kept(fingerprinter.key_name)
    exports.collect(
        settings,
        name=name,
        tags=(),
        sink=kept,
        fingerprint=fingerprinter.of,
        workloads=workloads,
        clock=clock,
        progress=progress,
    )
    return kept.collected()


class _Kept:
    """A sink that keeps everything of one source."""

    def __init__(self, key_name: str) -> None:
        self._key_name = key_name
        self._resources: dict[str, list[Resource]] = {}
        self._calls: list[Call] = []
        self._source: Source | None = None

    def add(self, resource: Resource) -> None:
        self._resources.setdefault(resource.type, []).append(resource)

    def restart(self, source: str, type: str) -> None:  # noqa: A002 - as in the protocol
        raise AssertionError(f"files are read once: {source}, {type}")

    def call(self, call: Call) -> None:
        self._calls.append(call)

    def source(self, source: Source) -> None:
        self._source = replace(source, fingerprint_key_id=self._key_name)

    def done(self, source: str) -> frozenset[tuple[str, str]]:
        del source
        return frozenset()

    def stopping(self) -> bool:
        return False

    def collected(self) -> Collected:
        """Return what was kept. Raises `AssertionError` before the source has ended."""
        if self._source is None:
            raise AssertionError("an export was read without a record of it")
        calls = sorted(self._calls, key=lambda call: (call.type, call.namespace))
        return Collected(source=self._source, calls=tuple(calls), read=_reader(dict(sorted(self._resources.items()))))


def _reader(own: dict[str, list[Resource]]) -> Read:
    def resources(types: Collection[str] | None = None, /) -> list[Resource]:
        return [one for type_, found in own.items() if types is None or type_ in types for one in found]

    return resources
