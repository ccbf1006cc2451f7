"""An export as a source: files that somebody took from a cluster, read by the normalisers that live answers pass.

What a file can honestly claim, and no more, is in `claims`. A kind of which there is no file was not asked. Where the
list of definitions is there and does not have it, it is not served. What a support bundle says that it could not read
was not read. Values of Secrets are taken out as everything else is; that the files hold them is in the source's record.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import PurePath
from typing import Any

from auditor.collectors import dumps
from auditor.collectors.claims import Claims, Ledger, Listed
from auditor.collectors.dumps import Contents, Dumped
from auditor.collectors.kubernetes.cluster import SEEN, Cluster
from auditor.collectors.kubernetes.kinds import KINDS, POD, SECRET, How, Kind, by_resource, by_type
from auditor.collectors.kubernetes.normalise import MalformedError, Normaliser, too_deep
from auditor.collectors.kubernetes.owners import Owners
from auditor.collectors.sink import Sink
from auditor.model.collection import CallResult, Source
from auditor.model.errors import InputError, NothingCollectedError
from auditor.model.resource import Origin, Resource
from auditor.model.settings import ExportSource
from auditor.workloads import Workloads

_DECLARED = {"said by who made it": "all lists are of all namespaces"}


def collect(
    settings: ExportSource,
    *,
    name: str,
    tags: tuple[str, ...],
    sink: Sink,
    fingerprint: Callable[[str], str],
    workloads: Workloads,
    clock: Callable[[], datetime],
    progress: Callable[[str], None],
) -> None:
    """Read the export into `sink`, under `name`. Raises `InputError` where there is none to be read."""
    started = clock()
    if not settings.path.exists():
        raise InputError(f"there is no export at {settings.path}", hint="Check the path of the source.")
    contents = Contents()
    normaliser = Normaliser(workloads=workloads, fingerprint=fingerprint)
    export = _Export(name, normaliser, workloads, contents, declared=settings.all_namespaces)
    for dumped in dumps.read(settings.path, contents):
        export.take(dumped)
        progress(f"{name}: {contents.files} files, {export.objects} objects")
    if not export.objects and not contents.broken:
        raise NothingCollectedError(
            settings.path.as_posix(),
            hint="Name a folder with `kubectl get ... -o json` or -o yaml dumps, or a support bundle that is unpacked.",
        )
    export.write(sink, clock())
    sink.source(
        Source(
            name=name,
            plane="kubernetes",
            kind="export",
            endpoint=settings.path.as_posix(),
            identifier=export.cluster.uid,
            version=contents.version,
            provider=export.cluster.runs_it("", set()),
            tags=tags,
            scope={"namespaces": [], "secrets": "metadata", **(_DECLARED if settings.all_namespaces else {})},
            facts={
                "authorizers": None,
                "files": contents.files,
                "filesWithoutObjects": contents.skipped,
                "supportBundle": contents.bundle,
                "secretsWithValues": export.secrets_with_values,
            },
            started=started,
            ended=clock(),
        )
    )


class _Export:
    """What the files gave, by type."""

    def __init__(
        self, source: str, normaliser: Normaliser, workloads: Workloads, contents: Contents, *, declared: bool
    ) -> None:
        self._source = source
        self._normaliser = normaliser
        self._workloads = workloads
        self._contents = contents
        self._declared = declared
        self._kinds: dict[str, Kind] = {}
        self._claims: dict[str, Claims] = defaultdict(Claims)
        self.cluster = Cluster()
        self.objects = 0
        self.secrets_with_values = 0

    def take(self, dumped: Dumped) -> None:
        """Take one list, or an object."""
        kind = by_type(dumped.type) or self._yours(dumped.type)
        if not dumped.type and self._declared:
            # kubectl does not say of what an empty list is; whoever says that all was listed, named the file.
            kind = by_resource(PurePath(dumped.file).stem)
        if kind is None:
            return
        type_ = dumped.type or kind.type
        self._kinds[type_] = kind
        claims = self._claims[type_]
        claims.files[dumped.file] = None
        keys = [self._resource(kind, dumped, index, body, claims) for index, body in dumped.items]
        if not dumped.whole:
            return
        claims.versions.add(dumped.resource_version)
        if dumped.remaining is not None:
            claims.parts += 1
            claims.remaining = (claims.remaining or 0) + dumped.remaining
            return
        found = frozenset(key for key in keys if key is not None)
        claims.lists.append(Listed(file=dumped.file, document=dumped.document, answer=dumped.answer, keys=found))

    def write(self, sink: Sink, now: datetime) -> None:
        """Hand everything on, type by type; what is owned is folded into its owner, as of a live cluster."""
        ledger = Ledger(self._source, self._claims, self._kinds, self._contents, now, declared=self._declared)
        owners = Owners()
        kept: dict[str, list[Resource]] = {}
        for type_ in sorted(self._claims, key=self._round):
            found = [self._claims[type_].resources[key] for key in sorted(self._claims[type_].resources)]
            runs = self._round(type_) >= 0
            kept[type_] = [resource for resource in found if not (runs and owners.fold(resource))]
        calls = {type_: ledger.calls(type_, kept[type_]) for type_ in kept}
        counted = {call.namespace for call, _ in calls.get(POD, ()) if call.complete}
        for type_, several in calls.items():
            for call, resources in several:
                for resource in resources:
                    whole = not counted.isdisjoint({"", resource.namespace}) and self._round(type_) >= 0
                    sink.add(owners.counted(resource) if whole else resource)
                sink.call(call)
        for kind in KINDS:
            if kind.type not in calls:
                sink.call(ledger.absent(kind))
        for file, why in self._contents.broken:
            sink.call(ledger.bare("kubernetes/*", CallResult.UNREADABLE, f"{file}: {why}"))

    def _yours(self, type_: str) -> Kind | None:
        """Return a row for a kind that the user's configuration adds to the table of workloads."""
        if not type_ or self._workloads.of(type_) is None:
            return None
        _, _, name = type_.partition("/")
        return Kind(type=type_, group=name.partition(".")[2], plural=name.partition(".")[0].lower(), round=0, why="")

    def _resource(
        self, kind: Kind, dumped: Dumped, index: int, body: dict[str, Any], claims: Claims
    ) -> tuple[str, str] | None:
        """Take one object; return its namespace and name, `None` where it has none."""
        self.objects += 1
        prefix = ("items", index) if index >= 0 else ()
        origin = Origin(file=dumped.file, document=dumped.document, line=None, prefix=prefix, source=self._source)
        if kind.type == SECRET and (body.get("data") or body.get("stringData")):
            self.secrets_with_values += 1
        if kind.how is How.NAMES:
            metadata = body.get("metadata")
            name = metadata.get("name") if isinstance(metadata, dict) else None
            body = {key: body[key] for key in ("apiVersion", "kind")} | {"metadata": {"name": name}}
        try:
            resource = None if too_deep(body) else self._normaliser.resource(kind, dumped.type, body, lambda *_: origin)
        except MalformedError:
            resource = None
        if resource is None:
            claims.malformed += 1
            return None
        if resource.type in SEEN:
            self.cluster.see(resource)
        claims.resources.setdefault((resource.namespace, resource.name), resource)
        return resource.namespace, resource.name

    def _round(self, type_: str) -> int:
        number = self._kinds[type_].round
        return -1 if number is None else number
