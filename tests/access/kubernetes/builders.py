"""Roles, bindings and evaluators for tests, in one line each."""

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.access.kubernetes.answers import Unread, nothing
from auditor.access.kubernetes.dialect import Authoriser, Dialect
from auditor.access.kubernetes.evaluator import Evaluator
from auditor.access.kubernetes.rbac import Caller, Request, caller
from auditor.model.resource import Origin, Resource

SECRETS = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["secrets"]}
RBAC_ALONE = Dialect(version=(1, 36), authorisers=(Authoriser.RBAC,))
ALICE = caller("alice", ["developers"])
TO_ALICE = {"kind": "User", "name": "alice"}


def rule(verbs: str, resources: str, names: str = "", groups: str = "") -> dict[str, list[str]]:
    """Return a rule; lists are separated by commas, and no group is the core group."""
    return {
        "verbs": verbs.split(","),
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
        "resourceNames": names.split(",") if names else [],
    }


def role(
    name: str,
    *rules: Mapping[str, Any],
    namespace: str = "",
    file: str = "rbac.yaml",
    labels: Mapping[str, str] | None = None,
    takes: Mapping[str, str] | None = None,
) -> Resource:
    """Return a Role where a namespace is named, else a ClusterRole; `takes` are the labels that it aggregates."""
    body: dict[str, Any] = {"metadata": {"name": name, "labels": dict(labels or {})}, "rules": list(rules)}
    if takes:
        body["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": dict(takes)}]}
    kind = "Role" if namespace else "ClusterRole"
    return Resource(type=f"kubernetes/{kind}", name=name, namespace=namespace, body=body, origin=Origin(file=file))


def binding(
    name: str,
    role_kind: str,
    role_name: str,
    subjects: Sequence[Mapping[str, str]],
    *,
    namespace: str = "",
    kind: str = "",
    file: str = "rbac.yaml",
) -> Resource:
    """Return a RoleBinding where a namespace is named, else a ClusterRoleBinding, unless `kind` says otherwise."""
    kind = kind or ("RoleBinding" if namespace else "ClusterRoleBinding")
    body = {"roleRef": {"kind": role_kind, "name": role_name}, "subjects": list(subjects)}
    return Resource(type=f"kubernetes/{kind}", name=name, namespace=namespace, body=body, origin=Origin(file=file))


def account(name: str, namespace: str = "") -> dict[str, str]:
    """Return a ServiceAccount as a subject."""
    found = {"kind": "ServiceAccount", "name": name}
    return found | {"namespace": namespace} if namespace else found


def group(name: str) -> dict[str, str]:
    """Return a Group as a subject."""
    return {"kind": "Group", "name": name}


def evaluator(
    *resources: Resource, live: bool = False, dialect: Dialect = RBAC_ALONE, unread: Unread = nothing
) -> Evaluator:
    """Return what judges these roles and bindings."""
    return Evaluator(resources, dialect=dialect, live=live, unread=unread)


def refused(type_: str = "", namespace: str | None = None) -> Unread:
    """Return that a list was refused: of one kind or of all, in one namespace or in all."""

    def unread(of_type: str, where: str | None) -> str:
        meant = not type_ or of_type == f"kubernetes/{type_}"
        return "refused" if meant and (namespace is None or where in {namespace, None}) else ""

    return unread


def bound(
    *rules: Mapping[str, Any], to: Mapping[str, str] | None = None, namespace: str = "", live: bool = True
) -> Evaluator:
    """Return a cluster in which one subject (alice) holds one ClusterRole with these rules, and nothing else is."""
    given = binding("b", "ClusterRole", "r", [to or TO_ALICE], namespace=namespace)
    return evaluator(role("r", *rules), given, live=live)


def request(verb: str, resource: str, **where: str) -> Request:
    """Return a request for `pods` or `pods/exec`, or for a path."""
    if resource.startswith("/"):
        return Request(verb=verb, url=resource)
    name, _, subresource = resource.partition("/")
    return Request(verb=verb, resource=name, subresource=subresource, **where)


def ask(evaluator_: Evaluator, verb: str, resource: str, *, who: Caller = ALICE, **where: str) -> str:
    """Return the answer in one word."""
    return evaluator_.decide(who, request(verb, resource, **where)).answer.value
