"""An export as a source: files that somebody took from a cluster, read by the normalisers that live answers pass.

What a file can honestly claim, and no more:

- A list whose items lie in several namespaces is a list of the whole cluster; one whose items lie in a single namespace
  says nothing of others. An empty list speaks for the namespace that its file or folder is named after, if there is
  such a namespace.
- A list that says itself that more follows (`continue`, `remainingItemCount`) is not complete.
- Objects that stand by themselves prove that they exist, and nothing of what else there is.
- A kind of which there is no file was not asked. Where the list of definitions is there and does not have it, it is not
  served. What a support bundle says that it could not read was not read.

A name with several claims keeps them all: where every namespace of a complete list of namespaces is covered, the whole
cluster is. Values of Secrets are taken out as everything else is; that the files hold them is in the source's record.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from auditor.collectors import dumps
from auditor.collectors.dumps import Contents, Dumped
from auditor.collectors.kubernetes.cluster import SEEN, Cluster
from auditor.collectors.kubernetes.kinds import KINDS, NAMESPACE, POD, SECRET, How, Kind, by_type
from auditor.collectors.kubernetes.normalise import MalformedError, Normaliser, too_deep
from auditor.collectors.kubernetes.owners import Owners
from auditor.collectors.sink import Sink
from auditor.model.collection import Call, CallResult, Source
from auditor.model.errors import InputError, NothingCollectedError
from auditor.model.resource import Origin, Resource
from auditor.model.settings import ExportSource
from auditor.workloads import Workloads

_DEFINITION = "kubernetes/CustomResourceDefinition"
_ALONE = "The export has single objects of this kind and no list of them; add `kubectl get {} -A -o json`."
_NONE = "The export has no file of this kind; add `kubectl get {} -A -o json`."
_PLACES = "The export lists this kind in some namespaces only; add `kubectl get {} -A -o json`."
_PART = "The file holds a part of the list, and more follow ({}); dump without --limit and --chunk-size=0."
_UNREAD = "Who made the support bundle was {}; grant it there, or add `kubectl get {{}} -A -o json`."
_NOWHERE = "An empty list does not say of which namespace it is; add `kubectl get {} -A -o json`."
_BUNDLE_NAMES = {
    "ingress": "ingresses",
    "network-policy": "networkpolicies",
    "storage-classes": "storageclasses",
    "pvs": "persistentvolumes",
    "custom-resource-definitions": "customresourcedefinitions",
    "validating-webhook-configurations": "validatingwebhookconfigurations",
    "mutating-webhook-configurations": "mutatingwebhookconfigurations",
}
"""Folders of a support bundle that are not called after the resource in them."""


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
    export = _Export(name, Normaliser(workloads=workloads, fingerprint=fingerprint), workloads, contents)
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
            scope={"namespaces": [], "secrets": "metadata"},
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


@dataclass(slots=True)
class _Claims:
    """What is known of one type."""

    resources: dict[tuple[str, str], Resource] = field(default_factory=dict)
    """By namespace and name: of an object that stands in several files the first counts."""
    files: dict[str, None] = field(default_factory=dict)
    malformed: int = 0
    lists: int = 0
    everywhere: bool = False
    places: set[str] = field(default_factory=set)
    empty: list[str] = field(default_factory=list)
    """Files with a list of no object."""
    remaining: int | None = None
    versions: set[str] = field(default_factory=set)


class _Export:
    """What the files gave, by type."""

    def __init__(self, source: str, normaliser: Normaliser, workloads: Workloads, contents: Contents) -> None:
        self._source = source
        self._normaliser = normaliser
        self._workloads = workloads
        self._contents = contents
        self._kinds: dict[str, Kind] = {}
        self._claims: dict[str, _Claims] = defaultdict(_Claims)
        self.cluster = Cluster()
        self.objects = 0
        self.secrets_with_values = 0

    def take(self, dumped: Dumped) -> None:
        """Take one list, or an object."""
        kind = by_type(dumped.type) or self._yours(dumped.type)
        if kind is None:
            return
        self._kinds[dumped.type] = kind
        claims = self._claims[dumped.type]
        claims.files[dumped.file] = None
        places = {self._resource(kind, dumped, index, body, claims) for index, body in dumped.items}
        if not dumped.whole:
            return
        claims.lists += 1
        claims.versions.add(dumped.resource_version)
        if dumped.remaining is not None:
            claims.remaining = (claims.remaining or 0) + dumped.remaining
        elif dumped.type == NAMESPACE:
            # Every cluster has that one, so a list without it is a part: a bundle lists the namespaces that it read.
            claims.everywhere = claims.everywhere or ("", "kube-system") in claims.resources
        elif not kind.namespaced or len(places) > 1:
            claims.everywhere = True
        elif places:
            claims.places |= places
        else:
            claims.empty.append(dumped.file)

    def write(self, sink: Sink, now: datetime) -> None:
        """Hand everything on, type by type; what is owned is folded into its owner, as of a live cluster."""
        ledger = _Ledger(self._source, self._claims, self._kinds, self._contents, now)
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

    def _resource(self, kind: Kind, dumped: Dumped, index: int, body: dict[str, Any], claims: _Claims) -> str:
        """Take one object; return its namespace."""
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
            return ""
        if resource.type in SEEN:
            self.cluster.see(resource)
        claims.resources.setdefault((resource.namespace, resource.name), resource)
        return resource.namespace

    def _round(self, type_: str) -> int:
        number = self._kinds[type_].round
        return -1 if number is None else number


class _Ledger:
    """What the files prove of each type."""

    def __init__(
        self,
        source: str,
        claims: Mapping[str, _Claims],
        kinds: Mapping[str, Kind],
        contents: Contents,
        now: datetime,
    ) -> None:
        self._source = source
        self._claims = claims
        self._kinds = kinds
        self._contents = contents
        self._now = now
        spaces = claims.get(NAMESPACE)
        named = {name for _, name in spaces.resources} if spaces else set()
        self._known = frozenset(named | {space for one in claims.values() for space, _ in one.resources if space})
        """Namespaces that something in the export lies in, or that it lists."""
        whole = spaces is not None and spaces.everywhere and spaces.remaining is None and not spaces.malformed
        self._all = frozenset(named) if whole else None
        """Every namespace of the cluster; `None`: the export does not say."""

    def calls(self, type_: str, kept: list[Resource]) -> list[tuple[Call, list[Resource]]]:
        """Return the records of one type, each with the objects that belong to it."""
        claims, kind = self._claims[type_], self._kinds[type_]
        refused = _refusals(kind, self._contents)
        places = claims.places | {space for file in claims.empty if (space := _space_of(file, self._known))}
        places = {place for place in places if place not in refused}
        everywhere = claims.everywhere or (self._all is not None and self._covered(kind, places))
        wrong = _wrong(claims, kind, refused, everywhere=everywhere, somewhere=bool(places))
        held = Counter(space for space, _ in claims.resources)
        if everywhere and wrong is None:
            read = self._call(type_, held.total(), len(kept), CallResult.READ)
            return [(read, kept)]
        calls, rest = [], list(kept)
        # A fault in one file says nothing of lists in others, but nobody can tell which those are.
        for place in sorted(places if claims.remaining is None and not claims.malformed else ()):
            own = [resource for resource in rest if resource.namespace == place]
            rest = [resource for resource in rest if resource.namespace != place]
            read = self._call(type_, held.pop(place, 0), len(own), CallResult.READ)
            calls.append((replace(read, namespace=place), own))
        result, reason = wrong or (CallResult.NOT_ASKED, _PLACES.format(kind.resource))
        return [*calls, (self._call(type_, held.total(), len(rest), result, reason), rest)]

    def absent(self, kind: Kind) -> Call:
        """Return the record of a kind of which the export has nothing."""
        refused = _refusals(kind, self._contents)
        if refused:
            return self.bare(kind.type, *_refusal(refused, kind))
        definitions = self._claims.get(_DEFINITION)
        if definitions is not None and definitions.everywhere and definitions.remaining is None and _custom(kind):
            names = {name for _, name in definitions.resources}
            if kind.resource not in names and not any(
                kind.plural == "*" and name.partition(".")[2] == kind.group for name in names
            ):
                reason = "The list of definitions in the export does not have this kind."
                return self.bare(kind.type, CallResult.NOT_SERVED, reason)
            if self._contents.bundle and self._all is not None:
                # A bundle asks for every custom resource, and writes a file where there is one.
                return self.bare(kind.type, CallResult.READ, "")
        return self.bare(kind.type, CallResult.NOT_ASKED, _NONE.format(kind.resource))

    def bare(self, type_: str, result: CallResult, reason: str) -> Call:
        """Return a record without objects."""
        return Call(
            source=self._source,
            type=type_,
            request="",
            result=result,
            reason=reason,
            started=self._now,
            ended=self._now,
        )

    def _covered(self, kind: Kind, places: set[str]) -> bool:
        if self._contents.bundle and _custom(kind):
            # One file for each namespace that has an object: that the others have none is said by their lack.
            return True
        return kind.namespaced and bool(self._all) and places >= (self._all or frozenset())

    def _call(self, type_: str, items: int, kept: int, result: CallResult, reason: str = "") -> Call:
        claims = self._claims[type_]
        return replace(
            self.bare(type_, result, reason),
            pages=claims.lists,
            items=items,
            kept=kept,
            folded=items - kept,
            remaining=claims.remaining or (0 if result is CallResult.READ else None),
            resource_version=next(iter(claims.versions)) if len(claims.versions) == 1 else "",
            sha256=_digest(claims.files, self._contents),
        )


def _wrong(
    claims: _Claims, kind: Kind, refused: dict[str, bool], *, everywhere: bool, somewhere: bool
) -> tuple[CallResult, str] | None:
    """Return why the whole is not known, `None` where it may be."""
    if claims.malformed:
        return CallResult.UNREADABLE, f"Objects without the shape of one: {claims.malformed}; they were not kept."
    if claims.remaining is not None:
        return CallResult.CUT, _PART.format(claims.remaining or "the list does not say how many")
    if refused:
        return _refusal(refused, kind)
    if not claims.lists:
        return CallResult.NOT_ASKED, _ALONE.format(kind.resource)
    if not everywhere and not somewhere and claims.empty:
        return CallResult.NOT_ASKED, _NOWHERE.format(kind.resource)
    return None


def _refusals(kind: Kind, contents: Contents) -> dict[str, bool]:
    """Return the namespaces (empty: all) in which a support bundle could not read the kind, and if it was refused."""
    found = {}
    for (what, namespace), forbidden in contents.refused.items():
        plural = _BUNDLE_NAMES.get(what, what)
        if plural in {kind.plural, kind.resource} and (plural == kind.resource or not _custom(kind)):
            found[namespace] = forbidden
    return found


def _custom(kind: Kind) -> bool:
    return "." in kind.type


def _refusal(refused: dict[str, bool], kind: Kind) -> tuple[CallResult, str]:
    forbidden = all(refused.values())
    why = "not allowed to read this kind" if forbidden else "not able to read this kind"
    result = CallResult.FORBIDDEN if forbidden else CallResult.SERVER_ERROR
    return result, _UNREAD.format(why).format(kind.resource)


def _space_of(file: str, known: frozenset[str]) -> str:
    """Return the namespace that an empty list is of: its file's or folder's name, where there is such a namespace."""
    *_, folder, name = ("", *file.split("/"))
    stem = name.rpartition(".")[0]
    return stem if stem in known else folder if folder in known else ""


def _digest(files: Iterable[str], contents: Contents) -> str:
    """Return the digest over the digests of the files, in order: they were not kept."""
    several = hashlib.sha256()
    for file in files:
        several.update(contents.digests[file].digest())
    return several.hexdigest()
