"""Who is bound to what: one fact for each binding and principal, one for each role that nobody holds.

The facts' shape is promised to policies in `docs/views.md`. Two readings are wider than the API server's, because the
input is files: a ServiceAccount without a namespace in a ClusterRoleBinding names nobody on a cluster (the API server
refuses it), but Kustomize and Helm fill the namespace in, so it is judged as a principal whose namespace is not known;
and a Role or RoleBinding without a namespace goes wherever it is applied (`RoleBook.find`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from auditor.access.kubernetes import built_in
from auditor.access.kubernetes.answers import Unread, missing_role, nothing
from auditor.access.kubernetes.bindings import TYPES as BINDINGS
from auditor.access.kubernetes.bindings import Binding, read_binding
from auditor.access.kubernetes.rbac import ANY
from auditor.access.kubernetes.roles import (
    CLUSTER_ROLE,
    Effective,
    EffectiveRule,
    Role,
    RoleBook,
    identities,
    read_role,
    shared_folders,
)
from auditor.access.kubernetes.roles import TYPES as ROLES
from auditor.model.record import record
from auditor.model.resource import Origin, Path, Resource

FACT = "fact/kubernetes-grant"

_Related = tuple[tuple[str, Origin, Path], ...]


@record
class _Reached:
    """What a role gives at one scope, shared by the facts of all its bindings there."""

    effective: Effective
    rules: list[dict[str, Any]]
    wildcard_verbs: list[str]
    """What they allow on every resource of every group."""
    related: _Related
    """Where the rules stand. In a fact they follow the binding's subject."""


@record
class _Given:
    """The role of a binding, and what it gives there."""

    role: dict[str, Any]
    """As the fact names it."""
    reached: _Reached | None
    unknown: str
    """Why nobody can say what it gives."""


def grants(resources: Iterable[Resource], *, live: bool = False, unread: Unread = nothing) -> list[Resource]:
    """Return the facts of the roles and bindings among `resources`, bindings in their order, then unbound roles.

    `live`: the resources are what a cluster's API server holds. Then no built-in role is filled in, the stored rules
    are the effective ones, and a role that is not there grants nothing, unless `unread` says that it may be there.
    """
    roles: list[Role] = []
    bindings: list[Binding] = []
    for resource in resources:
        if resource.type in BINDINGS:
            bindings.append(read_binding(resource))
        elif resource.type in ROLES:
            roles.append(read_role(resource))
    if not roles and not bindings:
        return []
    return _Grants(roles, bindings, live=live, unread=unread).facts()


class _Grants:
    def __init__(self, roles: Sequence[Role], bindings: Sequence[Binding], *, live: bool, unread: Unread) -> None:
        self._platform = built_in.load()
        self._live, self._unread = live, unread
        self._roles, self._bindings = roles, bindings
        self._book = RoleBook(roles=roles, built_in=() if live else self._platform.roles, live=live)
        self._reached: dict[tuple[int, bool], _Reached] = {}
        self._holders: dict[tuple[str, str, str], list[Binding]] = {}

    def facts(self) -> list[Resource]:
        facts: list[Resource] = []
        held: list[Effective] = []
        for binding in self._bindings:
            if not binding.principals:
                # A binding without principals gives nobody anything: its role counts as unbound.
                continue
            given = self._given(binding)
            if given.reached is not None:
                held.append(given.reached.effective)
                self._holders.setdefault(given.reached.effective.role.identity, []).append(binding)
            facts.extend(self._bound(binding, given))
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
            binding = max(holders, key=lambda holder: shared_folders(_origin(holder), origin))
            effective = self._book.effective(role, near=origin)
            given = _Given(
                role={"kind": role.kind, "name": role.name, "namespace": role.namespace, "built_in": False},
                reached=self._reach(effective, cluster=binding.cluster),
                unknown=effective.unknown,
            )
            facts.extend(self._bound(binding, given))
        return facts

    def _given(self, binding: Binding) -> _Given:
        kind, namespace, name = binding.role_kind, binding.role_namespace, binding.role_name
        near = _origin(binding)
        role = self._book.find(kind, namespace, name, near=near)
        described = {"kind": kind, "name": name, "namespace": namespace, "built_in": False}
        if role is None:
            unknown = missing_role(binding, live=self._live, unread=self._unread)
            return _Given(role=described, reached=None, unknown=unknown)
        described["built_in"] = self._is_built_in(role)
        effective = self._book.effective(role, near=near)
        reached = self._reach(effective, cluster=binding.cluster)
        return _Given(role=described, reached=reached, unknown=effective.unknown)

    def _bound(self, binding: Binding, given: _Given) -> Iterator[Resource]:
        for position, principal in binding.principals:
            described = {
                "kind": str(principal.kind),
                "name": principal.name,
                "namespace": principal.namespace,
                "system": self._platform.ships(principal),
                "open_ended": principal.open_ended,
                "key": principal.key,
            }
            yield _bound_fact(binding, position, described, given)

    def _is_built_in(self, role: Role) -> bool:
        return role.origin is None or (self._live and self._platform.made(role))

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
        return _Reached(effective=effective, rules=rules, wildcard_verbs=_wildcard_verbs(rules), related=tuple(related))

    def _without_inert(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rule as it works in a namespace: without URLs and without cluster-scoped resources."""
        scoped = self._platform.cluster_scoped
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
            # That a role of the platform is unbound was nobody's decision.
            if role.identity in reached or role.origin is None or self._is_built_in(role):
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


def _wildcard_verbs(rules: Iterable[Mapping[str, Any]]) -> list[str]:
    everything = (
        rule["verbs"]
        for rule in rules
        if ANY in rule["resources"] and ANY in rule["apiGroups"] and not rule["resourceNames"]
    )
    return sorted({verb for verbs in everything for verb in verbs})


def _contents(role: Role) -> str:
    return repr([content for _, content in role.rules])


def _where(rule: EffectiveRule) -> str:
    described = f"rule of {rule.role.kind} {rule.role.name}"
    return f"{described}, aggregated" if rule.aggregated_from else described


def _origin(binding: Binding) -> Origin:
    if binding.origin is None:
        raise ValueError(f"{binding.label} is built in: there is no fact about it")
    return binding.origin


def _bound_fact(binding: Binding, position: int, principal: dict[str, Any], given: _Given) -> Resource:
    origin, reached = _origin(binding), given.reached
    named = (f"{binding.kind} {binding.name} names {principal['key']}", origin, ("subjects", position))
    return Resource(
        type=FACT,
        name=f"{binding.kind}/{binding.name}:{principal['key']}",
        namespace=binding.namespace,
        origin=origin,
        related=(named, *(reached.related if reached else ())),
        body={
            "principal": principal,
            "binding": {"kind": binding.kind, "name": binding.name, "namespace": binding.namespace},
            "role": given.role,
            "scope": "cluster" if binding.cluster else "namespace",
            "namespace": binding.namespace,
            "unbound": False,
            "unknown": given.unknown,
            "rules": reached.rules if reached and not given.unknown else [],
            "wildcard_verbs": reached.wildcard_verbs if reached and not given.unknown else [],
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
            "wildcard_verbs": reached.wildcard_verbs,
        },
    )
