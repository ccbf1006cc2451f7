"""Manifests as a user writes them, made into resources without the reader (which is tested elsewhere)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import yaml

from auditor import data, workloads
from auditor.facts.estate import Estate, merge
from auditor.facts.views import views
from auditor.model.resource import Confidence, Literal, LiteralKind, Origin, Path, Place, Resource
from auditor.model.views import Views

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WORKLOADS = workloads.load(data.policies() / "workloads.yaml")

_BUILT_IN = ("", "apps", "batch")


def resource(text: str, *, file: str = "deploy/app.yaml", literals: Iterable[Literal] = ()) -> Resource:
    """Return the object of one manifest."""
    return _resource(yaml.safe_load(text), file, tuple(literals))


def resources(text: str, *, file: str = "deploy/app.yaml") -> list[Resource]:
    """Return the objects of a file with several documents."""
    return [_resource(body, file, ()) for body in yaml.safe_load_all(text)]


def estate(*members: Resource) -> Estate:
    """Return the estate of `members`, as it is after the workers' parts are merged."""
    built = Estate()
    for member in members:
        built.add(member)
    return merge([built])


def see(subject: Resource, *others: Resource) -> Views:
    """Return the views of `subject` in an estate with it and `others`."""
    return views(subject, estate(subject, *others), workloads=WORKLOADS, now=NOW)


def variables(text: str, *others: Resource, file: str = "deploy/app.yaml") -> dict[str, Any]:
    """Return the variables of the object in `text`, in an estate with `others`."""
    return dict(see(resource(text, file=file), *others).variables)


def pod(spec: str, *others: Resource, metadata: str = "{name: web, namespace: shop}") -> dict[str, Any]:
    """Return the variables of a Pod with that spec (YAML in flow style or indented by two)."""
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": yaml.safe_load(metadata), "spec": yaml.safe_load(spec)}
    return dict(see(_resource(body, "deploy/app.yaml", ()), *others).variables)


def credential(path: Path, *, fingerprint: str = "f" * 32, place: Place = Place.SECRET, **more: Any) -> Literal:
    """Return what the reader says of a credential that it took out at `path`."""
    fields: dict[str, Any] = {
        "path": path,
        "place": place,
        "key": str(path[-1]),
        "kind": LiteralKind.CREDENTIAL,
        "rule": "named-credential",
        "confidence": Confidence.LIKELY,
        "fingerprint": fingerprint,
        "length": 12,
    }
    return Literal(**(fields | more))


def _resource(body: dict[str, Any], file: str, literals: tuple[Literal, ...]) -> Resource:
    group = body["apiVersion"].rpartition("/")[0]
    suffix = "" if group in _BUILT_IN or group.endswith(".k8s.io") else f".{group}"
    metadata = body.get("metadata") or {}
    return Resource(
        type=f"kubernetes/{body['kind']}{suffix}",
        name=metadata.get("name", ""),
        namespace=metadata.get("namespace", ""),
        body=body,
        origin=Origin(file=file),
        literals=literals,
    )
