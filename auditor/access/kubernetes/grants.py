"""Who is bound to what: one fact for each binding and principal, one for each role that nobody holds.

The facts' shape is promised to policies in `docs/views.md`. Two readings are wider than the API server's, because the
input is files: a ServiceAccount without a namespace in a ClusterRoleBinding names nobody on a cluster (the API server
refuses it), but Kustomize and Helm fill the namespace in, so it is judged as a principal whose namespace is not known;
and a Role or RoleBinding without a namespace goes wherever it is applied (`RoleBook.find`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.access.kubernetes import dialect
from auditor.access.kubernetes.rbac import (
    ANY,
    AUTHENTICATED,
    SERVICE_ACCOUNT_USER,
    SERVICE_ACCOUNTS,
    UNAUTHENTICATED,
    maps,
)
from auditor.access.kubernetes.roles import (
    CLUSTER_ROLE,
    ROLE,
    Effective,
    EffectiveRule,
    Role,
    RoleBook,
    identities,
    read_role,
    shared_folders,
)
from auditor.model.resource import Origin, Path, Resource

FACT = "fact/kubernetes-grant"
BINDINGS = frozenset({"kubernetes/RoleBinding", "kubernetes/ClusterRoleBinding"})
ROLES = frozenset({"kubernetes/Role", "kubernetes/ClusterRole"})

_Holder = tuple[Resource, list[tuple[int, dict[str, Any]]]]
"""A binding and its principals, each with its position among the subjects."""

_Related = tuple[tuple[str, Origin, Path], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """What a role gives at one scope, shared by the facts of all its bindings there."""

    effective: Effective
    rules: list[dict[str, Any]]
    related: _Related
    """Where the rules stand. In a fact they follow the binding's subject."""


def grants(resources: Iterable[Resource]) -> list[Resource]:
    """Return the facts of the roles and bindings among `resources`, bindings in their order, then unbound roles."""
    roles: list[Resource] = []
    bindings: list[Resource] = []
    for resource in resources:
        if resource.type in BINDINGS:
            bindings.append(resource)
        elif resource.type in ROLES:
            roles.append(resource)
    if not roles and not bindings:
        return []
    return _Grants(roles, bindings).facts()


class _Grants:
    def __init__(self, roles: Sequence[Resource], bindings: Sequence[Resource]) -> None:
        self._dialect = dialect.load()
        self._roles = tuple(read_role(resource) for resource in roles)
        self._bindings = bindings
        self._book = RoleBook(roles=self._roles, built_in=self._dialect.roles)
        self._reached: dict[tuple[int, bool], _Reached] = {}
        self._holders: dict[tuple[str, str, str], list[_Holder]] = {}

    def facts(self) -> list[Resource]:
        facts: list[Resource] = []
        held: list[Effective] = []
        for binding in self._bindings:
            principals = self._principals(binding)
            if not principals:
                # A binding without principals gives nobody anything: its role counts as unbound.
                continue
            reached, role, unknown = self._role_of(binding)
            if reached is not None:
                held.append(reached.effective)
                self._holders.setdefault(reached.effective.role.identity, []).append((binding, principals))
            facts.extend(
                _bound_fact(binding, position, principal, role, reached, unknown=unknown)
                for position, principal in principals
            )
        facts.extend(self._copies(held))
        facts.extend(self._unbound(held))
        return facts

    def _copies(self, held: Sequence[Effective]) -> list[Resource]:
        """Return facts of roles that an overlay defines anew for a binding that stands elsewhere, as in its base."""
        judged = {id(item.role) for item in held}
        repeated = self._book.repeated
        rules = {(item.role.identity, _contents(item.role)) for item in held if item.role.identity in repeated}
        facts: list[Resource] = []
        for role in self._roles:
            if role.origin is None or role.identity not in repeated or id(role) in judged:
                continue
            holders, same = self._holders.get(role.identity), (role.identity, _contents(role))
            if not holders or same in rules:
                continue
            rules.add(same)
            origin = role.origin
            binding, principals = max(holders, key=lambda holder: shared_folders(holder[0].origin, origin))
            effective = self._book.effective(role, near=origin)
            reached = self._reach(effective, cluster=binding.type == "kubernetes/ClusterRoleBinding")
            described = {"kind": role.kind, "name": role.name, "namespace": role.namespace, "built_in": False}
            facts.extend(
                _bound_fact(binding, position, principal, described, reached, unknown=effective.unknown)
                for position, principal in principals
            )
        return facts

    def _principals(self, binding: Resource) -> list[tuple[int, dict[str, Any]]]:
        """Return each principal once, with its position among the subjects."""
        found: dict[str, tuple[int, dict[str, Any]]] = {}
        for position, subject in maps(binding.body, "subjects"):
            principal = self._principal(subject, binding.namespace)
            if principal is not None:
                found.setdefault(principal["key"], (position, principal))
        return list(found.values())

    def _principal(self, subject: Mapping[str, Any], binding_namespace: str) -> dict[str, Any] | None:
        kind, name = subject.get("kind"), subject.get("name")
        if not isinstance(name, str) or not name or kind not in {"User", "Group", "ServiceAccount"}:
            return None
        namespace = ""
        if kind == "ServiceAccount":
            own = subject.get("namespace")
            namespace = own if isinstance(own, str) and own else binding_namespace
        elif kind == "User" and name.startswith(SERVICE_ACCOUNT_USER) and name.count(":") == 3:
            # The user name of a service account: the same principal, written the long way.
            kind = "ServiceAccount"
            _, _, namespace, name = name.split(":")
        where = f"{namespace}/{name}" if namespace else name
        return {
            "kind": kind,
            "name": name,
            "namespace": namespace,
            "system": self._dialect.ships(kind, namespace, name),
            "open_ended": kind == "Group" and _open_ended(name),
            "key": f"{kind} {where}",
        }

    def _role_of(self, binding: Resource) -> tuple[_Reached | None, dict[str, Any], str]:
        """Return what the binding's role gives, its name for the fact, and why that is not known."""
        reference = binding.body.get("roleRef")
        reference = reference if isinstance(reference, Mapping) else {}
        kind, name = str(reference.get("kind") or ""), str(reference.get("name") or "")
        namespace = binding.namespace if kind == ROLE else ""
        role = self._book.find(kind, namespace, name, near=binding.origin)
        described = {"kind": kind, "name": name, "namespace": namespace, "built_in": False}
        if role is None:
            return None, described, f"{kind or 'role'} {name} is neither in the input nor built into Kubernetes"
        described["built_in"] = role.origin is None
        effective = self._book.effective(role, near=binding.origin)
        reached = self._reach(effective, cluster=binding.type == "kubernetes/ClusterRoleBinding")
        return reached, described, effective.unknown

    def _reach(self, effective: Effective, *, cluster: bool) -> _Reached:
        key = (id(effective), cluster)
        reached = self._reached.get(key)
        if reached is None:
            reached = self._reached[key] = self._spell(effective, cluster=cluster)
        return reached

    def _spell(self, effective: Effective, *, cluster: bool) -> _Reached:
        rules: list[dict[str, Any]] = []
        related: list[tuple[str, Origin, Path]] = []
        for rule in effective.rules:
            content = dict(rule.content) if cluster else self._without_inert(rule.content)
            if not content["resources"] and not content["nonResourceURLs"]:
                continue
            source = 0
            if rule.role.origin is not None:
                related.append((_where(rule), rule.role.origin, rule.path))
                source = len(related)
            content |= {"aggregated_from": rule.aggregated_from, "source": source, "label": label(content)}
            rules.append(content)
        return _Reached(effective=effective, rules=rules, related=tuple(related))

    def _without_inert(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rule as it works in a namespace: without URLs and without cluster-scoped resources."""
        scoped = self._dialect.cluster_scoped
        groups = rule["apiGroups"]
        every = frozenset().union(*scoped.values()) if ANY in groups else frozenset()

        def inert(resource: str) -> bool:
            base = resource.partition("/")[0]
            return base in every or (bool(groups) and all(base in scoped.get(group, ()) for group in groups))

        return {
            **rule,
            "resources": [resource for resource in rule["resources"] if not inert(resource)],
            "nonResourceURLs": [],
        }

    def _unbound(self, held: Iterable[Effective]) -> list[Resource]:
        reached = identities(held)
        # A part of an aggregated role is judged there, whether that one is bound or stands here itself as unbound. Of
        # two that take in each other, the second is a part of the first.
        for role in self._roles:
            if role.aggregated and role.origin is not None and role.identity not in reached:
                reached |= self._book.effective(role, near=role.origin).parts
        facts: list[Resource] = []
        for role in self._roles:
            if role.identity in reached or role.origin is None:
                continue
            effective = self._book.effective(role, near=role.origin)
            facts.append(_unbound_fact(role, self._reach(effective, cluster=role.kind == CLUSTER_ROLE)))
        return facts


def label(rule: Mapping[str, Any]) -> str:
    """Return a name of a rule that reordering does not change: `get,list secrets`, `create jobs.batch`."""
    verbs = ",".join(sorted(set(rule["verbs"])))
    if rule["nonResourceURLs"]:
        return f"{verbs} {','.join(sorted(set(rule['nonResourceURLs'])))}"
    resources = ",".join(sorted(set(rule["resources"])))
    groups = sorted(set(rule["apiGroups"]))
    if len(groups) > 1:
        resources += ".{" + ",".join(group or '""' for group in groups) + "}"
    elif groups and groups[0]:
        resources += f".{groups[0]}"
    names = ",".join(sorted(set(rule["resourceNames"])))
    return f"{verbs} {resources} named {names}" if names else f"{verbs} {resources}"


def _contents(role: Role) -> str:
    return repr([content for _, content in role.rules])


def _where(rule: EffectiveRule) -> str:
    described = f"rule of {rule.role.kind} {rule.role.name}"
    return f"{described}, aggregated" if rule.aggregated_from else described


def _open_ended(group: str) -> bool:
    return group in {AUTHENTICATED, UNAUTHENTICATED, SERVICE_ACCOUNTS} or group.startswith(f"{SERVICE_ACCOUNTS}:")


def _bound_fact(
    binding: Resource,
    position: int,
    principal: dict[str, Any],
    role: dict[str, Any],
    reached: _Reached | None,
    *,
    unknown: str,
) -> Resource:
    kind = binding.type.removeprefix("kubernetes/")
    namespaced = kind == "RoleBinding"
    subject = (f"{kind} {binding.name} names {principal['key']}", binding.origin, ("subjects", position))
    return Resource(
        type=FACT,
        name=f"{kind}/{binding.name}:{principal['key']}",
        namespace=binding.namespace if namespaced else "",
        origin=binding.origin,
        related=(subject, *(reached.related if reached else ())),
        body={
            "principal": principal,
            "binding": {"kind": kind, "name": binding.name, "namespace": binding.namespace if namespaced else ""},
            "role": role,
            "scope": "namespace" if namespaced else "cluster",
            "namespace": binding.namespace if namespaced else "",
            "unbound": False,
            "unknown": unknown,
            "rules": reached.rules if reached and not unknown else [],
        },
    )


_NOBODY = {"kind": "", "name": "", "namespace": "", "system": False, "open_ended": False, "key": ""}


def _unbound_fact(role: Role, reached: _Reached) -> Resource:
    if role.origin is None:
        raise ValueError(f"{role.kind} {role.name} is built in: it is never reported as unbound")
    return Resource(
        type=FACT,
        name=f"{role.kind}/{role.name}:unbound",
        namespace=role.namespace,
        origin=role.origin,
        # The first place is the binding's in the other facts: here the role stands there, so that indexes agree.
        related=((f"{role.kind} {role.name}", role.origin, ()), *reached.related),
        body={
            "principal": dict(_NOBODY),
            "binding": {"kind": "", "name": "", "namespace": ""},
            "role": {"kind": role.kind, "name": role.name, "namespace": role.namespace, "built_in": False},
            "scope": "cluster" if role.kind == CLUSTER_ROLE else "namespace",
            "namespace": role.namespace,
            "unbound": True,
            "unknown": reached.effective.unknown,
            "rules": reached.rules,
        },
    )
