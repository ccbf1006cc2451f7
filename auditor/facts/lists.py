"""Each list that was asked of a cluster as a fact of type `fact/kubernetes-list`: what came back, and how it ended."""

from collections.abc import Iterable
from typing import Any

from auditor.facts.extent import kind
from auditor.model.collection import Call
from auditor.model.resource import Origin, Resource

TYPE = "fact/kubernetes-list"


def lists(calls: Iterable[Call]) -> list[Resource]:
    """Return one fact for each call, in their order."""
    return [_fact(call) for call in calls]


def place(call: Call) -> str:
    """Return where the list stands: `kubernetes://prod/api/v1/secrets`; for one without a request, its type."""
    path = call.request.rpartition(" ")[2].partition("?")[0].lstrip("/")
    return f"kubernetes://{call.source}/{path or kind(call.type)}"


def _fact(call: Call) -> Resource:
    body: dict[str, Any] = {
        "kind": kind(call.type),
        "type": call.type,
        "namespace": call.namespace,
        "request": call.request,
        "result": call.result.value,
        "complete": call.complete,
        "reason": call.reason,
        "status": call.status if call.status is not None else 0,
        "pages": call.pages,
        "items": call.items,
        "kept": call.kept,
        "folded": call.folded,
        "remaining": call.remaining if call.remaining is not None else -1,
        "retries": call.retries,
    }
    return Resource(
        type=TYPE,
        name=kind(call.type),
        namespace=call.namespace,
        body=body,
        origin=Origin(file=place(call), line=None, source=call.source),
    )
