"""One object of the API to a resource: without credentials, without what nobody reads. Live answers and exports alike.

- Every object passes `detection.literals.take_out` before anything else holds it.
- Annotations that are a copy of the whole object (`last-applied-configuration` and its kin) lose their value, whatever
  was found in it; the key stays, since its presence is a finding of its own.
- `managedFields` go; of a Secret they give key names and the time of the last write first.
- A Secret never has `data`: its keys and their number are all that is kept of it.
- `status` goes, except for the fields that `kinds` names.
"""

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
_CONDITION = ("type", "status", "reason", "lastTransitionTime")


class MalformedError(Exception):
    """An object has not the shape that every API object has."""


class Normaliser:
    """Makes the resources of one source."""

    def __init__(self, *, workloads: Workloads, fingerprint: Callable[[str], str]) -> None:
        self._workloads = workloads
        self._fingerprint = fingerprint

    def resource(self, kind: Kind, type_: str, body: dict[str, Any], origin: Origin) -> Resource:
        """Return `body` as a resource of `type_`; it is changed in place. Raises `MalformedError`."""
        metadata = _metadata(body)
        managed = metadata.pop("managedFields", None)
        if type_ == SECRET:
            # Before anything of it is judged: a copy of a value in an annotation is swept as well.
            literals = self._literals(type_, body)
            literals = tuple(literal for literal in literals if literal.place is not Place.SECRET)
            body = _secret(body, managed)
        else:
            _trim(kind, body)
            literals = self._literals(type_, body)
        annotations = metadata.get("annotations")
        if annotations:
            _forget_copies(annotations, everything=type_ == SECRET)
        return Resource(
            type=type_,
            name=metadata["name"],
            namespace=metadata.get("namespace") or "",
            body=body,
            origin=origin,
            literals=literals,
        )

    def _literals(self, type_: str, body: dict[str, Any]) -> tuple[Literal, ...]:
        metadata = body["metadata"]
        if type_ in WITHOUT_VALUES and not metadata.get("annotations") and not metadata.get("labels"):
            return ()
        workload = self._workloads.of(type_)
        return take_out(type_, body, workload=workload, fingerprint=self._fingerprint)


def secret_of(name: str, type_: str, count: Any, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a Secret from a row of a table: the cells Name, Type and Data, and the object's metadata."""
    if metadata.get("name") != name:
        raise MalformedError
    keys = int(count) if isinstance(count, int) or (isinstance(count, str) and count.isdigit()) else None
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


def _metadata(body: Mapping[str, Any]) -> dict[str, Any]:
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        raise MalformedError
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not name or not (namespace is None or isinstance(namespace, str)):
        raise MalformedError
    # What is of another shape is not looked into for credentials.
    for part in (metadata.get("annotations"), metadata.get("labels"), body.get("spec"), body.get("status")):
        if part is not None and not isinstance(part, dict):
            raise MalformedError
    return metadata


def _secret(body: dict[str, Any], managed: Any) -> dict[str, Any]:
    """Return what is kept of a Secret: never `data` or `stringData`, whatever they hold."""
    names, written = _written(managed)
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
    if body.get("immutable") is True:
        kept["immutable"] = True
    return kept


def _written(managed: Any) -> tuple[set[str], str | None]:
    """Return the names of a Secret's keys, and when a value or key was last written, as its managers recorded it."""
    names: set[str] = set()
    times: list[str] = []
    for entry in managed if isinstance(managed, list) else ():
        fields = entry.get("fieldsV1") if isinstance(entry, dict) else None
        data = fields.get("f:data") if isinstance(fields, dict) else None
        if isinstance(data, dict):
            names |= {key[2:] for key in data if key.startswith("f:")}
            if isinstance(entry.get("time"), str):
                times.append(entry["time"])
    return names, max(times, default=None)


def _trim(kind: Kind, body: dict[str, Any]) -> None:
    status = body.pop("status", None)
    if status and kind.status:
        kept = {name: status[name] for name in kind.status if name in status}
        if "conditions" in kept:
            kept["conditions"] = [
                {name: condition[name] for name in _CONDITION if name in condition}
                for condition in kept["conditions"] or ()
                if isinstance(condition, dict)
            ]
        if kept:
            body["status"] = kept
    if kind.spec is not None and body.get("spec"):
        body["spec"] = {name: body["spec"][name] for name in kind.spec if name in body["spec"]}


def _forget_copies(annotations: dict[str, Any], *, everything: bool) -> None:
    """Take the value from annotations that copy an object; `everything`: from all that are long."""
    for name in COPIES.intersection(annotations):
        annotations[name] = REDACTED
    if everything:
        for name, value in annotations.items():
            if isinstance(value, str) and len(value) > _LONGEST:
                annotations[name] = REDACTED
