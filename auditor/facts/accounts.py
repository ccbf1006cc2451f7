"""The ServiceAccount of a pod, and whether its token is mounted without being asked for.

A pod's own `automountServiceAccountToken` decides, else the account's, else true (Kubernetes, admission plug-in
`ServiceAccount`). Where the pod names an account that is not in the input, nobody can say.
"""

from typing import Any

from auditor.facts.estate import Estate
from auditor.facts.shapes import mapping, text, texts
from auditor.model.resource import Resource

DEFAULT = "default"


def service_account(resource: Resource, pod: dict[str, Any], estate: Estate, *, known: bool = True) -> dict[str, Any]:
    """Return the view `service_account`.

    `known` false: the kind does not say which account its pods run as unless it names one (a Tekton Task: the run
    decides). The name is then empty.
    """
    named = text(pod.get("serviceAccountName")) or text(pod.get("serviceAccount"))
    name = named or (DEFAULT if known else "")
    # Every namespace has an account `default`: one that lies elsewhere in the tree is another one.
    found = _find(resource, name, estate, strict=name == DEFAULT) if name else None
    namespace = resource.namespace or (found.namespace if found else "")
    body = mapping(found.body) if found else {}
    automount = body.get("automountServiceAccountToken")
    return {
        "name": name,
        "namespace": namespace,
        "explicit": bool(named),
        "found": found is not None,
        "automount": ("true" if automount else "false") if isinstance(automount, bool) else "unset",
        "annotations": texts(mapping(body.get("metadata")).get("annotations")),
        "bound": bool(name) and estate.is_bound(namespace, name, near=resource.origin),
    }


def automount(pod: dict[str, Any], account: dict[str, Any]) -> dict[str, str]:
    """Return the view `automount` of a pod that runs as `account` (the view `service_account`)."""
    own = pod.get("automountServiceAccountToken")
    if isinstance(own, bool):
        return {"value": "true" if own else "false", "by": "pod"}
    if account["automount"] != "unset":
        return {"value": account["automount"], "by": "service-account"}
    if account["found"] or account["name"] == DEFAULT:
        return {"value": "true", "by": "default"}
    return {"value": "unknown", "by": ""}


def _find(resource: Resource, name: str, estate: Estate, *, strict: bool) -> Resource | None:
    type_ = "kubernetes/ServiceAccount"
    return estate.find(type_, resource.namespace, name, near=resource.origin, strict=strict)
