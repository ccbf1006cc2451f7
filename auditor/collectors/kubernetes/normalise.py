"""One object of the API to a resource: without credentials, without what nobody reads. Live answers and exports alike.

- Every object passes `detection.literals.take_out` before anything else holds it.
- Annotations that are a copy of the whole object (`last-applied-configuration` and its kin) lose their value, whatever
  was found in it; the key stays, since its presence is a finding of its own.
- `managedFields` go; of a Secret they give key names and the time of the last write first.
- A Secret never has `data`: its keys and their number are all that is kept of it. Of its annotations only those keep
  their value that say to whom it belongs and what made it: a copy that nobody can recognise may stand in any other.
- `status` goes, except for the fields that `kinds` names.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from auditor.collectors.documents import MAX_DEPTH
from auditor.collectors.kubernetes.kinds import SECRET, Kind
from auditor.detection.kinds import WITHOUT_VALUES
from auditor.detection.literals import take_out
from auditor.model.resource import REDACTED, Literal, Origin, Place, Resource
from auditor.workloads import Workloads

COPIES = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "kapp.k14s.io/original",
        "kapp.k14s.io/original-diff",
        "objectset.rio.cattle.io/applied",
        "banzaicloud.com/last-applied",
        "kopf.zalando.org/last-handled-configuration",
    }
)
"""Annotations in which tools keep a copy of the object as it was applied: of a Secret with its values."""

_LONGEST = 256
"""Characters of an annotation of a Secret that are kept: a name, a date, a URL. What is longer may be a copy."""
_NEEDED = re.compile(
    r"(?:[a-z0-9.-]+\.)?(?:kubernetes\.io|k8s\.io|cert-manager\.io|helm\.sh|argoproj\.io|fluxcd\.io)/.*"
    r"|(?:.*/)?(?:owner|owners|owned-by|team|squad|contact|maintainer|responsible)",
    re.IGNORECASE,
)
"""Keys of annotations of Secrets that are kept with their value: to whom it belongs, and what made it."""
_PLAIN = re.compile(r"true|false|\d{4}-\d{2}-\d{2}(?:[T ][0-9:.]+(?:Z|[+-]\d{2}:?\d{2})?)?")
"""Values that say nothing but a date, yes or no."""
_NONE = type(None)
_CONDITION = ("type", "status", "reason", "lastTransitionTime")


class MalformedError(Exception):
    """An object has not the shape that every API object has."""


class Normaliser:
    """Makes the resources of one source."""

    def __init__(self, *, workloads: Workloads, fingerprint: Callable[[str], str]) -> None:
        self._workloads = workloads
        self._fingerprint = fingerprint

    def resource(self, kind: Kind, type_: str, body: dict[str, Any], place: Callable[[str, str], Origin]) -> Resource:
        """Return `body` as a resource of `type_`; it is changed in place. Raises `MalformedError`.

        `place` says where the object of a namespace and name stands.
        """
        metadata, name, namespace = _named(body)
        managed = metadata.pop("managedFields", None)
        annotations = metadata.get("annotations")
        literals: tuple[Literal, ...] = ()
        if type_ == SECRET:
            if not all(isinstance(body.get(field), (dict, _NONE)) for field in ("data", "stringData")):
                raise MalformedError
            # While its values are there, if they are: a copy of one in an annotation goes with it.
            literals = tuple(one for one in self._literals(type_, body) if one.place is not Place.SECRET)
            body = _secret(body, managed)
            _blank(annotations)
        else:
            if "status" in body or kind.spec is not None:
                _trim(kind, body)
            if annotations or type_ not in WITHOUT_VALUES or metadata.get("labels"):
                literals = self._literals(type_, body)
        return Resource(
            type=type_, name=name, namespace=namespace, body=body, origin=place(namespace, name), literals=literals
        )

    def _literals(self, type_: str, body: dict[str, Any]) -> tuple[Literal, ...]:
        workload = self._workloads.of(type_)
        return take_out(type_, body, workload=workload, fingerprint=self._fingerprint, copies=COPIES)


def secret_of(name: str, type_: str, count: Any, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a Secret from a row of a table: the cells Name, Type and Data, and the object's metadata."""
    if metadata.get("name") != name:
        raise MalformedError
    number = str(count) if type(count) in {int, str} else ""
    keys = int(number) if number.isascii() and number.isdigit() else None
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": type_, "keyCount": keys}


def too_deep(body: Any) -> bool:
    """Return whether maps and lists nest deeper than the search for credentials goes."""
    level = [body]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _named(body: Mapping[str, Any]) -> tuple[dict[str, Any], str, str]:
    """Return the metadata, the name and the namespace. Raises `MalformedError`.

    What has another shape than every API object is refused, since nobody would look into it for credentials.
    """
    metadata = body.get("metadata")
    if type(metadata) is not dict:
        raise MalformedError
    name, namespace = metadata.get("name"), metadata.get("namespace") or ""
    if type(name) is not str or not name or type(namespace) is not str:
        raise MalformedError
    if not (
        isinstance(metadata.get("annotations"), (dict, _NONE))
        and isinstance(metadata.get("labels"), (dict, _NONE))
        and isinstance(body.get("spec"), (dict, _NONE))
        and isinstance(body.get("status"), (dict, _NONE))
    ):
        raise MalformedError
    return metadata, name, namespace


def _secret(body: dict[str, Any], managed: Any) -> dict[str, Any]:
    """Return what is kept of a Secret: never `data` or `stringData`, whatever they hold."""
    names, written, managers = _written(managed)
    count = body.get("keyCount")
    if "data" in body or "stringData" in body:
        held = {*(body.get("data") or ()), *(body.get("stringData") or ())}
        names, count = {str(name) for name in held}, len(held)
    elif "keyCount" not in body:
        # A whole object without data has none.
        names, count = set(), 0
    kept: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": body["metadata"],
        "type": str(body.get("type") or "Opaque"),
        "keys": sorted(names) if len(names) == count else None,
        "keyCount": count,
        "lastWrite": written,
    }
    if managers is not None:
        kept["managers"] = managers
    if body.get("immutable") is True:
        kept["immutable"] = True
    return kept


def _written(managed: Any) -> tuple[set[str], str | None, list[str] | None]:
    """Return the names of a Secret's keys, when one was last written, and who writes them.

    As its managers recorded it; who writes is `None` where nothing was recorded at all.
    """
    if not isinstance(managed, list):
        return set(), None, None
    names: set[str] = set()
    times: list[str] = []
    managers: set[str] = set()
    for entry in managed:
        fields = entry.get("fieldsV1") if isinstance(entry, dict) else None
        data = fields.get("f:data") if isinstance(fields, dict) else None
        if isinstance(data, dict):
            names |= {key[2:] for key in data if key.startswith("f:")}
            managers.add(str(entry.get("manager") or ""))
            if isinstance(entry.get("time"), str):
                times.append(entry["time"])
    return names, max(times, default=None), sorted(managers)


def _trim(kind: Kind, body: dict[str, Any]) -> None:
    status = body.pop("status", None)
    if status and kind.status:
        kept = {name: status[name] for name in kind.status if name in status}
        conditions = kept.get("conditions")
        if conditions is not None:
            kept["conditions"] = [
                {name: condition[name] for name in _CONDITION if name in condition}
                for condition in (conditions if isinstance(conditions, list) else ())
                if isinstance(condition, dict)
            ]
        if kept:
            body["status"] = kept
    if kind.spec is not None and body.get("spec"):
        body["spec"] = {name: body["spec"][name] for name in kind.spec if name in body["spec"]}


def _blank(annotations: dict[str, Any] | None) -> None:
    """Take the value from every annotation of a Secret that nobody needs: a copy may stand there."""
    for name, value in (annotations or {}).items():
        if not isinstance(value, str) or _PLAIN.fullmatch(value):
            continue
        if len(value) > _LONGEST or not _NEEDED.fullmatch(name):
            annotations[name] = REDACTED  # type: ignore[index]  # it has entries
