"""What every Kubernetes cluster has without being told: roles, bindings, principals of the platform, resources.

Data in `policies/dialects/`, held to a running API server by the tests. Read at the first question that needs it.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

from auditor import data, prepared
from auditor.access.kubernetes.bindings import CLUSTER_ROLE_BINDING, ROLE_BINDING, Binding, Principal, PrincipalKind
from auditor.access.kubernetes.rbac import Request
from auditor.access.kubernetes.roles import CLUSTER_ROLE, ROLE, Role, spelled
from auditor.model.record import record

_OWN = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
_SUBJECTS = (
    ("users", PrincipalKind.USER),
    ("groups", PrincipalKind.GROUP),
    ("accounts", PrincipalKind.SERVICE_ACCOUNT),
)
_CLUSTER_ROLES = ("rbac.authorization.k8s.io", "clusterroles")
_WITH_NAMESPACE = frozenset({("", "namespaces"), _CLUSTER_ROLES})
"""Cluster-scoped, and yet requests for them can carry a namespace: one for a namespace itself carries its name, and
`bind` on a ClusterRole is asked in the namespace of the binding."""


class NodeLimit(StrEnum):
    """How the Node authoriser limits what the rules of `system:node` give."""

    NAMED = "named"
    """To objects that the node's pods refer to, each by its name."""
    ALSO = "also"
    """To the kubelet's own node, and to what belongs to it."""
    BEYOND_RULES = "beyond_rules"
    """As before, and it allows what the rules do not name."""


@record
class ApiResource:
    """One kind of object as requests name it."""

    group: str
    plural: str
    namespaced: bool
    singular: str = ""
    short: tuple[str, ...] = ()
    subresources: frozenset[str] = frozenset()


@record
class BuiltIn:
    """What one version of Kubernetes ships."""

    version: str
    roles: tuple[Role, ...]
    role_identities: frozenset[tuple[str, str, str]]
    bindings: tuple[Binding, ...]
    principals: frozenset[Principal]
    """Of the platform, as far as they can be named one by one."""
    user_prefixes: tuple[str, ...]
    group_prefixes: tuple[str, ...]
    resources: tuple[ApiResource, ...]
    """In the order in which a name without a group is looked up."""
    cluster_scoped: Mapping[str, frozenset[str]]
    """API group to resources for which a request never carries a namespace."""
    by_node: Mapping[tuple[str, str], NodeLimit]
    """API group and resource on which the Node authoriser decides by the pods of the kubelet's node."""

    def bound_in_namespaces(self, request: Request) -> bool:
        """Return whether a RoleBinding can allow the request: whether it can carry a namespace."""
        if request.url:
            return False
        if (request.api_group, request.resource) == _CLUSTER_ROLES and request.verb != "bind":
            return False
        return request.resource not in self.cluster_scoped.get(request.api_group, ())

    def made(self, role: Role) -> bool:
        """Return whether the API server of a live cluster made that role itself: its label says so, and its name."""
        return role.identity in self.role_identities and _OWN.items() <= role.labels.items()

    def ships(self, principal: Principal) -> bool:
        """Return whether a principal belongs to the platform itself."""
        if principal in self.principals:
            return True
        match principal.kind:
            case PrincipalKind.USER:
                return principal.name.startswith(self.user_prefixes)
            case PrincipalKind.GROUP:
                return principal.name.startswith(self.group_prefixes)
            case PrincipalKind.SERVICE_ACCOUNT:
                return False


@cache
def load() -> BuiltIn:
    """Return what the tables say that ship with the program."""
    roles, served, platform = (_table(name) for name in ("roles", "resources", "platform"))
    verbs = {f"${name}": list(group) for name, group in roles["verbs"].items()}
    bindings = tuple(_binding(raw) for raw in roles["bindings"])
    principals = platform["principals"]
    resources = _resources(served["served"], platform["unserved"])
    made = tuple(_role(raw, verbs) for raw in roles["roles"])
    return BuiltIn(
        version=roles["version"],
        roles=made,
        role_identities=frozenset(role.identity for role in made),
        bindings=bindings,
        principals=frozenset(
            principal
            for principal in (*_principals(principals), *(named for item in bindings for _, named in item.principals))
            if not principal.open_ended
        ),
        user_prefixes=tuple(principals["user_prefixes"]),
        group_prefixes=tuple(principals["group_prefixes"]),
        resources=resources,
        cluster_scoped=_cluster_scoped(resources),
        by_node={
            (group, name): NodeLimit(limit)
            for limit, groups in platform["by_node"].items()
            for group, names in groups.items()
            for name in names
        },
    )


def _table(name: str) -> Any:
    return prepared.document((data.policies() / "dialects" / f"kubernetes-{name}.yaml").read_bytes())


def _role(raw: Mapping[str, Any], verbs: Mapping[str, list[str]]) -> Role:
    namespace = raw.get("namespace", "")
    return Role(
        kind=ROLE if namespace else CLUSTER_ROLE,
        namespace=namespace,
        name=raw["name"],
        labels=_OWN | {f"{_AGGREGATE}{target}": "true" for target in raw.get("aggregate_to", ())},
        rules=tuple((("rules", position), _rule(rule, verbs)) for position, rule in enumerate(raw.get("rules", ()))),
        selectors=tuple({"matchLabels": {f"{_AGGREGATE}{target}": "true"}} for target in raw.get("aggregates", ())),
        aggregated="aggregates" in raw,
    )


def _rule(raw: Mapping[str, Any], verbs: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return a rule of the table (`{verbs: [$read], groups: [""], resources: [pods]}`) as a role holds it."""
    every: list[str] = []
    for verb in raw["verbs"]:
        every.extend(verbs.get(verb, [verb]))
    return spelled(
        {
            "verbs": every,
            "apiGroups": raw.get("groups", []),
            "resources": raw.get("resources", []),
            "resourceNames": raw.get("names", []),
            "nonResourceURLs": raw.get("urls", []),
        }
    )


def _binding(raw: Mapping[str, Any]) -> Binding:
    namespace = raw.get("namespace", "")
    return Binding(
        kind=ROLE_BINDING if namespace else CLUSTER_ROLE_BINDING,
        namespace=namespace,
        name=raw["name"],
        role_kind=ROLE if raw.get("in_namespace") else CLUSTER_ROLE,
        role_name=raw["role"],
        principals=tuple(enumerate(_principals(raw))),
    )


def _principals(raw: Mapping[str, Any]) -> list[Principal]:
    found = []
    for key, kind in _SUBJECTS:
        for name in raw.get(key, ()):
            namespace, _, own = name.partition("/") if kind is PrincipalKind.SERVICE_ACCOUNT else ("", "", name)
            found.append(Principal(kind, namespace, own))
    return found


def _resources(*tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> tuple[ApiResource, ...]:
    """Return what the tables name; a later one may add subresources to a resource of an earlier one."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for table in tables:
        for group, entries in table.items():
            for plural, entry in entries.items():
                known = found.setdefault((group, plural), {})
                below = [*known.get("subresources", ()), *entry.get("subresources", ())]
                known.update(entry, subresources=below)
    return tuple(
        ApiResource(
            group=group,
            plural=plural,
            namespaced=entry["namespaced"],
            singular=entry.get("singular", ""),
            short=tuple(entry.get("short", ())),
            subresources=frozenset(entry["subresources"]),
        )
        for (group, plural), entry in found.items()
    )


def _cluster_scoped(resources: Sequence[ApiResource]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for resource in resources:
        if not resource.namespaced and (resource.group, resource.plural) not in _WITH_NAMESPACE:
            found.setdefault(resource.group, set()).add(resource.plural)
    return {group: frozenset(names) for group, names in found.items()}
