"""The ServiceAccount of a pod, and whether its token is mounted without being asked for.

A pod's own `automountServiceAccountToken` decides, else the account's, else true (Kubernetes, admission plug-in
`ServiceAccount`). Where the pod names an account that is not in the input, nobody can say; and where the list that
would show the account or its bindings was not read, their absence says nothing.
"""

from typing import Any

from auditor.facts.estate import Estate
from auditor.facts.shapes import mapping, text, texts
from auditor.model.resource import Origin, Resource

TYPE = "kubernetes/ServiceAccount"
DEFAULT = "default"


def service_account(resource: Resource, pod: dict[str, Any], estate: Estate, *, known: bool = True) -> dict[str, Any]:
    """Return the view `service_account`.

    `known` false: the kind does not say which account its pods run as unless it names one (a Tekton Task: the run
    decides). The name is then empty.
    """
    named = text(pod.get("serviceAccountName")) or text(pod.get("serviceAccount"))
    name = named or (DEFAULT if known else "")
    found = find_account(estate, resource.namespace, name, near=resource.origin) if name else None
    namespace = resource.namespace or (found.namespace if found else "")
    body = mapping(found.body) if found else {}
    bound = bool(name) and estate.is_bound(namespace, name, near=resource.origin)
    automount = body.get("automountServiceAccountToken")
    return {
        "name": name,
        "namespace": namespace,
        "explicit": bool(named),
        "found": found is not None,
        "automount": ("true" if automount else "false") if isinstance(automount, bool) else "unset",
        "annotations": texts(mapping(body.get("metadata")).get("annotations")),
        "unread": "" if found or not name else estate.extent.unread(TYPE, namespace),
        "bound": bound,
        "bindings_unread": "" if bound or not name else estate.bindings_unread(),
    }


def automount(pod: dict[str, Any], account: dict[str, Any]) -> dict[str, str]:
    """Return the view `automount` of a pod that runs as `account` (the view `service_account`)."""
    own = pod.get("automountServiceAccountToken")
    if isinstance(own, bool):
        return {"value": "true" if own else "false", "by": "pod"}
    if account["automount"] != "unset":
        return {"value": account["automount"], "by": "service-account"}
    if account["found"] or (account["name"] == DEFAULT and not account["unread"]):
        return {"value": "true", "by": "default"}
    return {"value": "unknown", "by": ""}


def find_account(estate: Estate, namespace: str, name: str, *, near: Origin) -> Resource | None:
    """Return the account of that name that is meant at `near`, or `None`."""
    # Every namespace has an account `default`: one that lies elsewhere in the tree is another one.
    return estate.find(TYPE, namespace, name, near=near, strict=name == DEFAULT)
