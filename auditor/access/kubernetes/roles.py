"""Roles and their effective rules: the input's own, the built-in ones, and aggregation to a fixed point.

The controller overwrites the rules of a ClusterRole that has an `aggregationRule` with the union of the rules of every
other ClusterRole that any of its selectors matches. Manifests carry the rules empty and an export carries the result,
whose parts may stand outside the input: so the effective rules are what is written there and what is computed. On a
live cluster the authoriser reads what is stored, whatever the selectors say: there nothing is computed and nothing
filled in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from auditor.access.kubernetes.rbac import maps, texts
from auditor.model.record import record
from auditor.model.resource import Origin, Path, Resource

CLUSTER_ROLE = "ClusterRole"
ROLE = "Role"
TYPES = frozenset({f"kubernetes/{CLUSTER_ROLE}", f"kubernetes/{ROLE}"})
_FIELDS = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")


@record
class Role:
    """A Role or ClusterRole, of the input or built in."""

    kind: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    rules: tuple[tuple[Path, Mapping[str, list[str]]], ...]
    """Each rule, its five lists all there (`spelled`), with its path in the role's body."""
    selectors: tuple[Mapping[str, Any], ...] = ()
    """Of the `aggregationRule`."""
    aggregated: bool = False
    origin: Origin | None = None
    """`None`: built in."""

    @property
    def identity(self) -> tuple[str, str, str]:
        """Kind, namespace and name: overlays repeat it."""
        return self.kind, self.namespace, self.name


@record
class EffectiveRule:
    """One rule as it reaches whoever is bound."""

    content: Mapping[str, list[str]]
    """The five lists of the rule, all there."""
    role: Role
    """Where it stands."""
    path: Path
    """In the body of `role`."""
    aggregated_from: str = ""
    """Name of the ClusterRole that it was taken from; empty for the role's own."""
    overwritten: bool = False
    """Written in an aggregated role of a manifest and in no part of it that the input holds: the controller keeps it
    only if another role of the cluster carries it."""


@record
class Effective:
    """What a role gives."""

    role: Role
    rules: tuple[EffectiveRule, ...]
    parts: frozenset[tuple[str, str, str]]
    """Identities of the roles that were taken in."""
    unknown: str = ""


def read_role(resource: Resource) -> Role:
    """Return what matters of a Role or ClusterRole of the input."""
    body = resource.body
    metadata = body.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    kind = resource.type.removeprefix("kubernetes/")
    aggregation = body.get("aggregationRule") if kind == CLUSTER_ROLE else None
    return Role(
        kind=kind,
        namespace="" if kind == CLUSTER_ROLE else resource.namespace,
        name=resource.name,
        labels=labels if isinstance(labels, Mapping) else {},
        rules=tuple((("rules", position), spelled(rule)) for position, rule in maps(body, "rules")),
        selectors=tuple(item for _, item in maps(aggregation, "clusterRoleSelectors"))
        if isinstance(aggregation, Mapping)
        else (),
        aggregated=isinstance(aggregation, Mapping),
        origin=resource.origin,
    )


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return whether a label selector matches. The empty selector matches everything."""
    wanted = selector.get("matchLabels")
    if isinstance(wanted, Mapping) and any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(expression, labels) for _, expression in maps(selector, "matchExpressions"))


@dataclass(slots=True)
class RoleBook:
    """Every role that a binding of the input can mean."""

    roles: Sequence[Role]
    """Of the input."""
    built_in: Sequence[Role]
    """What stands in for roles that the input does not hold; empty for a live cluster."""
    live: bool = False
    """Whether the input is what a cluster's API server holds: then its rules are the truth as they are stored."""
    _found: dict[tuple[str, str, str], list[Role]] = field(default_factory=dict, init=False)
    _by_name: dict[tuple[str, str], list[Role]] = field(default_factory=dict, init=False)
    repeated: frozenset[tuple[str, str, str]] = field(default=frozenset(), init=False)
    """Identities that more than one role of the input has."""
    _cache: dict[tuple[int, str], Effective] = field(default_factory=dict, init=False)
    _selections: dict[int, tuple[tuple[str, str, str], ...]] = field(default_factory=dict, init=False)
    _unions: dict[tuple[int, ...], Effective] = field(default_factory=dict, init=False)
    _folders: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for role in self.roles:
            self._found.setdefault(role.identity, []).append(role)
            self._by_name.setdefault((role.kind, role.name), []).append(role)
        self.repeated = frozenset(identity for identity, same in self._found.items() if len(same) > 1)
        for role in self.built_in:
            # The input's own definition of a built-in role stands before ours.
            self._found.setdefault(role.identity, [role])
            self._by_name.setdefault((role.kind, role.name), [role])

    def find(self, kind: str, namespace: str, name: str, *, near: Origin) -> Role | None:
        """Return the role that a binding at `near` refers to, or `None`.

        Overlays repeat roles: of several, the one in the nearest folder. A Role without a namespace goes wherever its
        folder is applied, so a binding with a namespace may mean it, and a binding without one may mean a Role with.
        """
        if kind == CLUSTER_ROLE:
            return self._nearest(self._found.get((kind, "", name), ()), near)
        exact = self._found.get((kind, namespace, name)) or self._found.get((kind, "", name))
        if exact or namespace:
            return self._nearest(exact or (), near)
        return self._nearest(self._by_name.get((kind, name), ()), near)

    def effective(self, role: Role, *, near: Origin) -> Effective:
        """Return the rules that a binding at `near` to `role` gives, aggregation applied."""
        key = (id(role), near.file.rpartition("/")[0] if self.repeated and role.selectors else "")
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = self._compute(role, near)
        return found

    def _compute(self, role: Role, near: Origin) -> Effective:
        parts = self._parts(role, near)
        # Many folders see the same parts.
        chosen = (id(role), *map(id, parts))
        found = self._unions.get(chosen)
        if found is None:
            found = self._unions[chosen] = _stored(role, parts) if self.live else _union(role, parts)
        return found

    def _parts(self, role: Role, near: Origin) -> list[Role]:
        """Return the roles taken in, nested aggregation followed until nothing is added."""
        parts: list[Role] = []
        known = {role.identity}
        waiting = [role]
        while waiting:
            current = waiting.pop(0)
            for identity in self._selected(current):
                if identity in known:
                    continue
                same = self._found[identity]
                part = same[0] if len(same) == 1 else self._nearest(same, near)
                if part is not None and (len(same) == 1 or _any_selects(current, part)):
                    known.add(identity)
                    parts.append(part)
                    waiting.append(part)
        return parts

    def _selected(self, role: Role) -> tuple[tuple[str, str, str], ...]:
        """Return the identities of which some copy is selected."""
        if not role.selectors:
            return ()
        found = self._selections.get(id(role))
        if found is None:
            found = self._selections[id(role)] = tuple(
                identity
                for identity, same in self._found.items()
                if identity[0] == CLUSTER_ROLE and any(_any_selects(role, part) for part in same)
            )
        return found

    def _nearest(self, candidates: Sequence[Role], near: Origin) -> Role | None:
        if len(candidates) <= 1:
            return candidates[0] if candidates else None
        return max(candidates, key=lambda role: self._shared(role, near))

    def _shared(self, role: Role, near: Origin) -> tuple[int, int, str]:
        """Return how near a role is: shared folders, then few folders of its own; the file name breaks ties."""
        if role.origin is None:
            return -1, 0, ""
        shared = _common(self._parts_of(role.origin.file), self._parts_of(near.file))
        return shared, -len(self._parts_of(role.origin.file)), role.origin.file

    def _parts_of(self, file: str) -> tuple[str, ...]:
        found = self._folders.get(file)
        if found is None:
            found = self._folders[file] = PurePosixPath(file).parts
        return found


def shared_folders(left: Origin, right: Origin) -> int:
    """Return how many leading steps the paths of two files have in common."""
    return _common(PurePosixPath(left.file).parts, PurePosixPath(right.file).parts)


def identities(effective: Iterable[Effective]) -> set[tuple[str, str, str]]:
    """Return the identities of all roles that reach somebody: the bound ones and what they take in."""
    reached: set[tuple[str, str, str]] = set()
    for item in effective:
        reached.add(item.role.identity)
        reached |= item.parts
    return reached


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    shared = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        shared += 1
    return shared


_Same = tuple[tuple[str, ...], ...]
"""What makes two rules the same to the aggregation controller."""


def _same(content: Mapping[str, list[str]]) -> _Same:
    return tuple(tuple(content[name]) for name in _FIELDS)


def _stored(role: Role, parts: Sequence[Role]) -> Effective:
    """Return what a role of a live cluster gives, each rule with the part that it was taken from."""
    carried: dict[_Same, tuple[Role, Path]] = {}
    for part in parts:
        for path, content in part.rules:
            carried.setdefault(_same(content), (part, path))
    rules: list[EffectiveRule] = []
    for path, content in role.rules:
        part, place = carried.get(_same(content), (role, path))
        taken = part.name if part is not role else ""
        rules.append(EffectiveRule(content=content, role=part, path=place, aggregated_from=taken))
    return Effective(role=role, rules=tuple(rules), parts=frozenset(part.identity for part in parts))


def _union(role: Role, parts: Sequence[Role]) -> Effective:
    """Return what a role of manifests gives: what is written and what is computed."""
    # What an aggregated role itself says is overwritten, in a part as well; a role without selectors keeps its rules.
    carried = {_same(content) for part in parts if not part.aggregated for _, content in part.rules}
    rules: list[EffectiveRule] = []
    seen: set[_Same] = set()
    for part in (role, *parts):
        taken = part.name if part is not role else ""
        for path, content in part.rules:
            same = _same(content)
            if same not in seen:
                seen.add(same)
                overwritten = part.aggregated and same not in carried
                rules.append(
                    EffectiveRule(content=content, role=part, path=path, aggregated_from=taken, overwritten=overwritten)
                )
    unknown = ""
    if role.aggregated and not parts and not role.rules:
        unknown = f"ClusterRole {role.name} takes its rules from other roles, and none of those is in the input"
    return Effective(role=role, rules=tuple(rules), parts=frozenset(part.identity for part in parts), unknown=unknown)


def spelled(rule: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return a rule with its five lists all there."""
    return {name: list(texts(rule, name)) for name in _FIELDS}


def _any_selects(role: Role, part: Role) -> bool:
    return any(selects(selector, part.labels) for selector in role.selectors)


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression.get("key"), texts(expression, "values")
    there = key in labels
    match expression.get("operator"):
        case "In":
            return there and labels[str(key)] in values
        case "NotIn":
            return not there or labels[str(key)] not in values
        case "Exists":
            return there
        case "DoesNotExist":
            return not there
        case _:
            return False
