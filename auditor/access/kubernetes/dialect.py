"""What every Kubernetes cluster has without being told: roles, principals of the platform, cluster-scoped resources.

Data in `policies/dialects/kubernetes-roles.yaml`, in our own words after the API server's bootstrap policy. Read at the
first question that needs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from auditor import data
from auditor.access.kubernetes.roles import CLUSTER_ROLE, ROLE, Role, spelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What one version of Kubernetes ships."""

    version: str
    roles: tuple[Role, ...]
    users: frozenset[str]
    user_prefixes: tuple[str, ...]
    groups: frozenset[str]
    group_prefixes: tuple[str, ...]
    service_accounts: frozenset[tuple[str, str]]
    """(namespace, name)."""
    cluster_scoped: Mapping[str, frozenset[str]]
    """API group to resources for which a request never carries a namespace."""

    def ships(self, kind: str, namespace: str, name: str) -> bool:
        """Return whether a principal belongs to the platform itself."""
        match kind:
            case "User":
                return name in self.users or name.startswith(self.user_prefixes)
            case "Group":
                return name in self.groups or name.startswith(self.group_prefixes)
            case _:
                return (namespace, name) in self.service_accounts


@cache
def load() -> Dialect:
    """Return the dialect of the table that ships with the program."""
    import yaml_rs  # noqa: PLC0415 - start-up: only an input with bindings needs it

    text = (data.policies() / "dialects" / "kubernetes-roles.yaml").read_text(encoding="utf-8")
    table: Any = yaml_rs.loads(text, parse_datetime=False)
    verbs = {f"${name}": list(group) for name, group in table["verbs"].items()}
    principals = table["principals"]
    return Dialect(
        version=table["version"],
        roles=tuple(_role(raw, verbs) for raw in table["roles"]),
        users=frozenset(principals["users"]),
        user_prefixes=tuple(principals["user_prefixes"]),
        groups=frozenset(principals["groups"]),
        group_prefixes=tuple(principals["group_prefixes"]),
        service_accounts=frozenset(
            (namespace, name) for namespace, names in principals["service_accounts"].items() for name in names
        ),
        cluster_scoped={group: frozenset(names) for group, names in table["cluster_scoped"].items()},
    )


def _role(raw: Mapping[str, Any], verbs: Mapping[str, list[str]]) -> Role:
    namespace = raw.get("namespace", "")
    labels = raw.get("aggregate_to", [])
    return Role(
        kind=ROLE if namespace else CLUSTER_ROLE,
        namespace=namespace,
        name=raw["name"],
        labels={f"rbac.authorization.k8s.io/aggregate-to-{target}": "true" for target in labels},
        rules=tuple((("rules", position), _rule(rule, verbs)) for position, rule in enumerate(raw.get("rules", []))),
        selectors=tuple(
            {"matchLabels": {f"rbac.authorization.k8s.io/aggregate-to-{target}": "true"}}
            for target in raw.get("aggregates", [])
        ),
        aggregated=bool(raw.get("aggregates")),
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
