"""`auditor access`: manifests or snapshots in, one evaluator for each cluster out.

Manifests are one cluster, however many folders they come from. A snapshot holds one for each of its sources, and a name
of one cluster never means an object of another. What somebody took from a cluster (`exported` decides it) is read as
an export, with the claims that files can make. Of manifests only those files are parsed in which a role or binding can
stand; one that is broken and cannot hold any leaves nothing open.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from auditor import data, workloads
from auditor.access.kubernetes import bindings, dialect, roles
from auditor.access.kubernetes.dialect import Dialect
from auditor.access.kubernetes.evaluator import Evaluator
from auditor.collectors import discovery, manifests
from auditor.collectors.documents import RefusedError
from auditor.collectors.sources import Source
from auditor.facts.extent import of_source
from auditor.model.coverage import Gap
from auditor.model.errors import InputError
from auditor.model.record import record
from auditor.model.resource import Location, Origin, Resource
from auditor.model.resource import Path as Steps
from auditor.pipeline import exported
from auditor.pipeline.collected import Collected, open_all
from auditor.pipeline.places import Places
from auditor.redaction.fingerprint import Fingerprinter

TYPES = roles.TYPES | bindings.TYPES
"""What is read: all that RBAC decides by."""

_MARKS = (b"Role", b"kind: {{")
"""One of these stands in every file that can hold a role or binding."""

Progress = Callable[[str], None]
Locate = Callable[[Origin, Steps], Location]
"""Returns where an item of an object stands."""


@record
class Request:
    """What is to be read."""

    paths: tuple[str, ...]
    """Manifests as `auditor scan` takes them, or snapshots; not both."""
    live: bool = False
    """Whether manifests are all that a cluster holds, as `kubectl get -A -o yaml` writes it."""
    source: str = ""
    """Only this source of the snapshots."""
    dialect: Dialect | None = None
    """What the user says of the cluster; `None`: as far as it is known."""
    helm_values: tuple[Path, ...] = ()
    helm_set: tuple[str, ...] = ()
    render: bool = True
    honour_gitignore: bool = True
    exclude: tuple[str, ...] = ()


@record
class Cluster:
    """One cluster, ready to be asked."""

    name: str
    """Of the source; empty for manifests."""
    evaluator: Evaluator
    gaps: tuple[Gap, ...]
    """What could not be read and may hold a role or a binding."""
    groups_of: dict[str, tuple[str, ...]]
    """For hints: resources that rules name, with the API groups in which they do."""
    locate: Locate
    lacks: Callable[[str, str, str], bool] = lambda *_: False
    """Whether there surely is no object of that type, namespace and name; manifests never say so."""


def read(
    request: Request, *, clock: Callable[[], datetime], stdin: BinaryIO, progress: Progress
) -> tuple[Cluster, ...]:
    """Return the clusters of what `request` names, by name.

    Raises `InputError` for what cannot be read, for a mixture of snapshots and manifests, and where nothing was found
    that an answer could rest upon.
    """
    from auditor.snapshot.reading import is_snapshot  # noqa: PLC0415 - loads orjson; only some inputs need it

    snapshots = [path for path in map(Path, request.paths) if is_snapshot(path)]
    if not snapshots:
        if request.source:
            raise InputError(f"--source {request.source}: manifests have no sources", hint="Name a snapshot.")
        exports = () if request.live else exported.named(request.paths)
        if not exports:
            return (_of_manifests(request, stdin=stdin, progress=progress),)
        table = workloads.load(data.policies() / "workloads.yaml", ())
        parts = exported.read(
            exports, workloads=table, fingerprinter=Fingerprinter(None), clock=clock, progress=progress
        )
        return tuple(_of_source(part, request) for part in parts)
    if len(snapshots) < len(request.paths):
        raise InputError("snapshots and manifests are named together", hint="Ask about one after the other.")
    if request.live:
        raise InputError("--live is for manifests: a snapshot is of a live cluster", hint="Leave it out.")
    progress("reading the snapshot")
    collected, _ = open_all(snapshots)
    systems = [part for part in collected if part.source.plane == "kubernetes"]
    chosen = [part for part in systems if request.source in {"", part.source.name}]
    if not chosen:
        names = ", ".join(part.source.name for part in systems) or "no Kubernetes source"
        raise InputError(f"no source {request.source} in the snapshot", hint=f"It holds {names}.")
    return tuple(_of_source(part, request) for part in chosen)


def _of_manifests(request: Request, *, stdin: BinaryIO, progress: Progress) -> Cluster:
    """Return the cluster that manifests make."""
    progress("looking for manifests")
    found = discovery.discover(
        discovery.Request(
            paths=request.paths,
            render=request.render,
            honour_gitignore=request.honour_gitignore,
            exclude=request.exclude,
            helm_values=request.helm_values,
            helm_set=request.helm_set,
        ),
        stdin=stdin,
        progress=progress,
    )
    progress(f"reading {len(found.sources)} files")
    sources = [source for source in map(_worth_reading, found.sources) if source is not None]
    table = workloads.load(data.policies() / "workloads.yaml", ())
    reading = manifests.read(sources, workloads=table, fingerprint=Fingerprinter(None).of)
    resources = [resource for resource in reading.resources if resource.type in TYPES]
    gaps = tuple(sorted({*reading.coverage.gaps, *(gap for part in found.coverage for gap in part.gaps)}))
    if not resources and not gaps:
        raise InputError(
            f"no role and no binding was found in {', '.join(request.paths)}",
            hint="Name the manifests that hold the RBAC objects, or a snapshot.",
        )
    why = f"{len(gaps)} thing{'s' if len(gaps) > 1 else ''} in scope could not be read" if gaps else ""
    evaluator = Evaluator(resources, dialect=request.dialect, live=request.live, unread=lambda *_: why)
    places = Places(sources)
    return Cluster(
        name="",
        evaluator=evaluator,
        gaps=gaps,
        groups_of=_groups(resources),
        locate=lambda origin, steps: places.locate(origin, [steps])[0],
    )


def _worth_reading(source: Source) -> Source | None:
    """Return the source with its content, `None` where neither role nor binding can stand in it."""
    try:
        content = manifests.load(source)
    except RefusedError:
        # The reader says why.
        return source
    return replace(source, content=content) if any(mark in content for mark in _MARKS) else None


def _of_source(part: Collected, request: Request) -> Cluster:
    resources = list(part.read(TYPES))
    source = part.source
    own = dialect.of(version=source.version, authorisers=source.facts.get("authorizers"), provider=source.provider)
    asked = request.dialect or Dialect()
    return Cluster(
        name=source.name,
        evaluator=Evaluator(
            resources,
            dialect=Dialect(
                version=asked.version or own.version,
                authorisers=own.authorisers if asked.authorisers is None else asked.authorisers,
            ),
            live=True,
            unread=of_source(source, part.calls).unread,
        ),
        # What was not read of other kinds leaves nothing open here.
        gaps=tuple(sorted(part.gaps(TYPES))),
        groups_of=_groups(resources),
        locate=lambda origin, _: Location(file=origin.file, line=origin.line),
        lacks=_lacks(part),
    )


def _lacks(part: Collected) -> Callable[[str, str, str], bool]:
    extent = of_source(part.source, part.calls)

    def lacks(type_: str, namespace: str, name: str) -> bool:
        if extent.unread(type_, namespace):
            return False
        return not any((one.namespace, one.name) == (namespace, name) for one in part.read({type_}))

    return lacks


def _groups(resources: Sequence[Resource]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for resource, groups in _named(resources):
        found.setdefault(resource, set()).update(groups)
    return {resource: tuple(sorted(groups)) for resource, groups in found.items()}


def _named(resources: Sequence[Resource]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for resource in resources:
        if resource.type in roles.TYPES:
            for _, rule in roles.read_role(resource).rules:
                for name in rule["resources"]:
                    yield name.partition("/")[0].lower(), tuple(rule["apiGroups"])
