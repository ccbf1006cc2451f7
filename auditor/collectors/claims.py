"""What files that somebody took from a cluster prove of each kind: the ledger of an export.

A list speaks for the namespaces of its items. That it speaks for the whole cluster is claimed where

- the kind belongs to no namespace;
- it is an answer of the API as it came (its own kind of list, with a resourceVersion) and has items of several
  namespaces: the API gives those in one list only if the whole cluster was asked;
- it was asked for together with witnesses, objects that controllers keep in every namespace, and these are there for
  each namespace of a whole list of them: `kubectl get namespaces,serviceaccounts,secrets -A`. kubectl's own `List`
  proves nothing by itself, however many namespaces are in it: it prints one for `-A`, for several names and for files
  (`-f`), and tools join lists;
- every namespace of a whole list of them is spoken for;
- whoever made the export says so (`all-namespaces`), which the record of the source tells.

A list without what every cluster has is a part, whoever says what: it was cut by a name or a selector. Of kinds without
such an object that cannot be seen. An empty list speaks for the namespace that its file or folder is named after. A
list that says that more follows is a part. Objects that stand by themselves prove that they exist, and nothing else.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from auditor.collectors.dumps import Contents
from auditor.collectors.kubernetes.kinds import NAMESPACE, Kind
from auditor.model.collection import Call, CallResult
from auditor.model.resource import Resource

_SYSTEM = "kube-system"
_DEFINITION = "kubernetes/CustomResourceDefinition"
_EVERYWHERE = {"kubernetes/ServiceAccount": "default", "kubernetes/ConfigMap": "kube-root-ca.crt"}
"""Type to the name of an object that controllers of Kubernetes keep in every namespace."""
_ALWAYS = {
    NAMESPACE: (("", "default"), ("", "kube-public"), ("", _SYSTEM)),
    "kubernetes/ClusterRole": (("", "cluster-admin"),),
    "kubernetes/ClusterRoleBinding": (("", "cluster-admin"),),
    "kubernetes/Role": ((_SYSTEM, "extension-apiserver-authentication-reader"),),
    "kubernetes/RoleBinding": ((_SYSTEM, "system::extension-apiserver-authentication-reader"),),
    **{type_: ((_SYSTEM, name),) for type_, name in _EVERYWHERE.items()},
}
"""Type to namespace and name of objects that every cluster has: the API server and controllers keep them."""
_MORE = "add `kubectl get namespaces,serviceaccounts,{} -A -o json`."
_ALONE = f"The export has single objects of this kind and no list of them; {_MORE}"
_NONE = f"The export has no file of this kind; {_MORE}"
_PLACES = (
    f"The export does not prove that this kind was listed in all namespaces; {_MORE[:-1]}, or say `all-namespaces` if "
    "it was."
)
_PART = "The file holds a part of the list, and more follow ({}); dump without --limit and --chunk-size=0."
_LACKS = "The list lacks {}, which every cluster has, so it is a part: dump without names and selectors."
_UNREAD = "Who made the support bundle was {}; grant it there, or add `kubectl get {{}} -A -o json`."
_NOWHERE = f"An empty list does not say of which namespace it is; {_MORE}"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One list of one type."""

    file: str
    document: int
    """With the file: what was asked for together."""
    answer: bool
    """Whether the API wrote it, and not kubectl or a tool."""
    keys: frozenset[tuple[str, str]]
    """Namespace and name of its items."""

    @property
    def places(self) -> set[str]:
        """The namespaces of its items."""
        return {place for place, _ in self.keys}


@dataclass(slots=True)
class Claims:
    """What is known of one type."""

    resources: dict[tuple[str, str], Resource] = field(default_factory=dict)
    """By namespace and name: of an object that stands in several files the first counts."""
    files: dict[str, None] = field(default_factory=dict)
    malformed: int = 0
    lists: list[Listed] = field(default_factory=list)
    """Those that claim to be whole."""
    parts: int = 0
    """Lists that say that more follows."""
    remaining: int | None = None
    versions: set[str] = field(default_factory=set)


class Ledger:
    """What the files prove of each type."""

    def __init__(
        self,
        source: str,
        claims: Mapping[str, Claims],
        kinds: Mapping[str, Kind],
        contents: Contents,
        now: datetime,
        *,
        declared: bool,
    ) -> None:
        """Weigh `claims`; `declared`: whoever made the export says that its lists are of all namespaces."""
        self._source = source
        self._claims = claims
        self._kinds = kinds
        self._contents = contents
        self._now = now
        self._declared = declared
        spaces = claims.get(NAMESPACE)
        named = {name for _, name in spaces.resources} if spaces else set()
        self._known = frozenset(named | {space for one in claims.values() for space, _ in one.resources if space})
        """Namespaces that something in the export lies in, or that it lists."""
        whole = spaces is not None and spaces.remaining is None and not spaces.malformed and self._whole(NAMESPACE)
        self._all = frozenset(named) if whole else None
        """Every namespace of the cluster; `None`: the export does not say."""
        self._together: set[tuple[str, int]] = {
            (listed.file, listed.document)
            for type_ in _EVERYWHERE
            if type_ in claims
            for listed in claims[type_].lists
            if self._witnessed(type_, listed)
        }
        """What was asked for with a witness in every namespace."""

    def calls(self, type_: str, kept: list[Resource]) -> list[tuple[Call, list[Resource]]]:
        """Return the records of one type, each with the objects that belong to it."""
        claims, kind = self._claims[type_], self._kinds[type_]
        refused = _refusals(kind, self._contents)
        places = {place for listed in claims.lists for place in self._places(type_, listed)} - refused.keys()
        everywhere = self._whole(type_) or self._covered(kind, places)
        wrong = self._wrong(type_, refused, everywhere=everywhere, somewhere=bool(places))
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
        if definitions is not None and definitions.lists and definitions.remaining is None and _custom(kind):
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

    def _whole(self, type_: str) -> bool:
        """Return whether a list of the type is one of the whole cluster."""
        kind = self._kinds[type_]
        lists = [listed for listed in self._claims[type_].lists if not self._lacks(type_, listed)]
        if not kind.namespaced or self._declared:
            return bool(lists)
        return any(
            (listed.answer and len(listed.places) > 1) or (listed.file, listed.document) in self._together
            for listed in lists
        )

    def _lacks(self, type_: str, listed: Listed) -> str:
        """Return what a list of the whole cluster would have and this one has not; empty for nothing."""
        return next((name for place, name in _ALWAYS.get(type_, ()) if (place, name) not in listed.keys), "")

    def _witnessed(self, type_: str, listed: Listed) -> bool:
        """Return whether a list has the object that is in every namespace in each that there is."""
        name = _EVERYWHERE[type_]
        return self._all is not None and all((place, name) in listed.keys for place in self._all)

    def _places(self, type_: str, listed: Listed) -> Iterator[str]:
        """Yield the namespaces that a list speaks for."""
        if not self._kinds[type_].namespaced:
            return
        witness = _EVERYWHERE.get(type_, "")
        for place in listed.places:
            if not witness or (place, witness) in listed.keys:
                yield place
        if not listed.keys and (named := _space_of(listed.file, self._known)):
            yield named

    def _covered(self, kind: Kind, places: set[str]) -> bool:
        if self._contents.bundle and _custom(kind):
            # One file for each namespace that has an object: that the others have none is said by their lack.
            return True
        return kind.namespaced and bool(self._all) and places >= (self._all or frozenset())

    def _wrong(  # noqa: PLR0911 - one line for each fault
        self, type_: str, refused: dict[str, bool], *, everywhere: bool, somewhere: bool
    ) -> tuple[CallResult, str] | None:
        """Return why the whole is not known, `None` where it may be."""
        claims, kind = self._claims[type_], self._kinds[type_]
        if claims.malformed:
            return CallResult.UNREADABLE, f"Objects without the shape of one: {claims.malformed}; they were not kept."
        if claims.remaining is not None:
            return CallResult.CUT, _PART.format(claims.remaining or "the list does not say how many")
        if refused:
            return _refusal(refused, kind)
        if not claims.lists:
            return CallResult.NOT_ASKED, _ALONE.format(kind.resource)
        if not everywhere and (self._declared or not kind.namespaced):
            return CallResult.NOT_ASKED, _LACKS.format(self._lacks(type_, claims.lists[0]))
        if not everywhere and not somewhere and not any(listed.keys for listed in claims.lists):
            return CallResult.NOT_ASKED, _NOWHERE.format(kind.resource)
        return None

    def _call(self, type_: str, items: int, kept: int, result: CallResult, reason: str = "") -> Call:
        claims = self._claims[type_]
        return replace(
            self.bare(type_, result, reason),
            pages=len(claims.lists) + claims.parts,
            items=items,
            kept=kept,
            folded=items - kept,
            remaining=claims.remaining or (0 if result is CallResult.READ else None),
            resource_version=next(iter(claims.versions)) if len(claims.versions) == 1 else "",
            sha256=_digest(claims.files, self._contents),
        )


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
