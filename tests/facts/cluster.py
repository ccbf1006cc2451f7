"""Objects of a cluster, and how far the cluster was read."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import yaml

from auditor.facts.estate import Estate, merge
from auditor.facts.extent import Extent, of_calls
from auditor.facts.views import views
from auditor.model.collection import Call, CallResult
from auditor.model.resource import Literal, Origin, Resource
from tests.facts.builders import NOW, WORKLOADS, resource

SOURCE = "prod"
_THEN = datetime(2026, 11, 24, 11, tzinfo=UTC)


def call(type_: str, result: CallResult = CallResult.READ, *, namespace: str = "", **more: Any) -> Call:
    """Return the record of one list of the cluster."""
    given: dict[str, Any] = {"source": SOURCE, "request": "GET /apis/x", "started": _THEN, "ended": _THEN} | more
    return Call(type=type_, result=result, namespace=namespace, **given)


def read(*types: str, but: Iterable[Call] = ()) -> Extent:
    """Return the extent of a cluster of which `types` were read everywhere; what `but` says comes instead."""
    instead = tuple(but)
    told = {entry.type for entry in instead}
    return of_calls(SOURCE, (*(call(type_) for type_ in types if type_ not in told), *instead))


def live(text: str, *, literals: Iterable[Literal] = ()) -> Resource:
    """Return one object as a collector yields it."""
    found = resource(text, literals=literals)
    kind = found.type.partition("/")[2]
    place = f"kubernetes://{SOURCE}/x/namespaces/{found.namespace}/{kind}/{found.name}"
    return replace(found, origin=Origin(file=place, line=None, source=SOURCE))


def estate(extent: Extent, *members: Resource) -> Estate:
    """Return the estate of a cluster, as it is after the workers' parts are merged."""
    built = Estate(extent)
    for member in members:
        built.add(member)
    return merge([built])


def variables(extent: Extent, text: str, *others: Resource) -> dict[str, Any]:
    """Return the variables of the object in `text`, on a cluster with `others`."""
    subject = live(text)
    whole = estate(extent, subject, *others)
    return dict(views(subject, whole, workloads=WORKLOADS, now=NOW).variables)


def pod(extent: Extent, spec: str, *others: Resource) -> dict[str, Any]:
    """Return the variables of Pod shop/web with that spec."""
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}
    return variables(extent, yaml.safe_dump(body | {"spec": yaml.safe_load(spec)}), *others)
