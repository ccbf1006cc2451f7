"""Who can do a thing: the question asked backwards, from a capability to every principal that holds it.

One row for each principal and binding. Groups are rows of their own and never expanded: who is in them is not in the
cluster, and those of all accounts grow by themselves.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from auditor.access.kubernetes.answers import Doubt, DoubtKind, Grant
from auditor.access.kubernetes.bindings import Binding, Principal, PrincipalKind
from auditor.access.kubernetes.dialect import Authoriser
from auditor.access.kubernetes.evaluator import Evaluator, doubt_of_place
from auditor.access.kubernetes.index import Held
from auditor.access.kubernetes.rbac import SUPERUSERS, Caller, Request, name_allowed
from auditor.access.kubernetes.roles import EffectiveRule
from auditor.model.record import record

NAMELESS = frozenset({"create", "deletecollection"})
"""Verbs whose requests carry no name, except on a subresource: a rule with `resourceNames` never allows them."""
BY_SELECTOR = frozenset({"list", "watch"})
"""Verbs whose requests carry a name only with the field selector `metadata.name=...`."""
_NAMESPACES = ("", "namespaces")
_SUPERUSERS = Principal(PrincipalKind.GROUP, "", SUPERUSERS)


class Where(StrEnum):
    """In which namespaces a capability is asked for."""

    ANYWHERE = "anywhere"
    """In at least one; each row says in which."""
    EVERYWHERE = "everywhere"
    """In all at once, as a list over all namespaces: only what is bound cluster-wide."""
    NAMESPACE = "namespace"
    """In the one that the request names."""


@record
class Holder:
    """One principal, and what gives it the capability."""

    principal: Principal
    scope: str
    """A namespace; empty: cluster-wide, or `unplaced`."""
    unplaced: bool = False
    """Through a RoleBinding of a manifest that names no namespace: the capability is there where it is applied."""
    grant: Grant | None
    """`None`: the superusers, whom no authoriser is asked about."""
    names: tuple[str, ...] = ()
    """The only object names for which it holds; empty: all."""
    system: bool = False
    """Whether the principal belongs to the platform itself."""


@record
class Holders:
    """Everybody who surely can, and why others may."""

    rows: tuple[Holder, ...]
    doubts: tuple[Doubt, ...]


def who_can(evaluator: Evaluator, request: Request, where: Where) -> Holders:
    """Return who can make `request`; with an empty name, for at least one object.

    `request.namespace` is the namespace of `Where.NAMESPACE`, and empty otherwise.
    """
    found = _Search(evaluator, request, where)
    found.rows.append(Holder(principal=_SUPERUSERS, scope="", grant=None, system=True))
    if Authoriser.RBAC in evaluator.dialect.chain:
        for held in evaluator.held:
            found.take(held)
        found.doubts += evaluator.hidden(None if where is Where.ANYWHERE else request.namespace)
    found.doubts += _beside(evaluator, request, where)
    return Holders(rows=tuple(sorted(found.rows, key=_order)), doubts=tuple(found.doubts))


_Limited = tuple[EffectiveRule, tuple[str, ...]]
"""A rule, and the only names for which it gives the request (empty: all)."""


class _Search:
    def __init__(self, evaluator: Evaluator, request: Request, where: Where) -> None:
        self._evaluator, self._request, self._where = evaluator, request, where
        self._bound = evaluator.platform.bound_in_namespaces(request)
        self.rows: list[Holder] = []
        self.doubts: list[Doubt] = []

    def take(self, held: Held) -> None:
        """Add what one binding gives to the rows, or to the doubts where that is not sure."""
        if not self._counts(held.binding):
            return
        limited = [
            (rule, limit)
            for rule in (held.rules.allowing(self._request) if held.rules else ())
            if (limit := _limit(rule, self._request, held.binding)) is not None
        ]
        certain = [(rule, limit) for rule, limit in limited if not rule.overwritten]
        for position, principal in held.binding.principals:
            if certain:
                self._row(held, certain, principal, position)
            elif (doubt := held.open((rule for rule, _ in limited), principal, position)) is not None:
                self.doubts.append(doubt)

    def _counts(self, binding: Binding) -> bool:
        """Return whether the authoriser would read the binding for the request."""
        if binding.cluster:
            return True
        if not self._bound or self._where is Where.EVERYWHERE:
            return False
        return self._where is Where.ANYWHERE or binding.namespace in {"", self._request.namespace}

    def _row(self, held: Held, certain: Sequence[_Limited], principal: Principal, position: int) -> None:
        binding = held.binding
        unplaced = not binding.cluster and not binding.namespace
        if self._evaluator.live and principal.kind is PrincipalKind.SERVICE_ACCOUNT and not principal.namespace:
            # On a cluster it names nobody.
            return
        if unplaced and self._where is Where.NAMESPACE:
            self.doubts.append(doubt_of_place(binding, principal, position))
            return
        rule, names = _widest(certain)
        row = Holder(
            principal=principal,
            scope=binding.namespace,
            unplaced=unplaced,
            grant=held.grant(rule, principal, position),
            names=names,
            system=self._evaluator.platform.ships(principal),
        )
        self.rows.append(row)


def _limit(rule: EffectiveRule, request: Request, binding: Binding) -> tuple[str, ...] | None:
    """Return the only names for which a rule that allows the verb gives the request: empty for all, `None` for none."""
    names = tuple(rule.content["resourceNames"])
    if request.url:
        return ()
    nameless = not request.subresource and request.verb in NAMELESS
    if (request.api_group, request.resource) == _NAMESPACES and binding.namespace:
        # A request for a namespace itself carries its name as namespace too, one for all of them carries none.
        own = binding.namespace
        unfit = nameless or (request.verb in BY_SELECTOR and not request.subresource) or request.name not in {"", own}
        return None if unfit or not name_allowed(rule.content, own) else (own,)
    if request.name:
        return names if name_allowed(rule.content, request.name) else None
    if not names or ("" in names and (nameless or request.verb in BY_SELECTOR)):
        return ()
    return None if nameless else names


def _widest(rules: Sequence[_Limited]) -> _Limited:
    """Return the first rule that is not limited, else the first with the names of all together."""
    for rule, names in rules:
        if not names:
            return rule, ()
    return rules[0][0], tuple(sorted({name for _, names in rules for name in names}))


def _beside(evaluator: Evaluator, request: Request, where: Where) -> Iterator[Doubt]:
    """Yield which other authorisers may allow it to others, or deny it to those that hold it."""
    for authoriser in evaluator.dialect.chain:
        if authoriser is Authoriser.NODE and where is Where.EVERYWHERE:
            # What belongs to a kubelet's pods is never all there is.
            continue
        if authoriser is Authoriser.NODE:
            yield from evaluator.ask_node(request, any_name=not request.name).doubts
        elif text := authoriser.doubt(Caller("")):
            yield Doubt(kind=DoubtKind.AUTHORISER, text=text)


def _order(row: Holder) -> tuple[bool, int, str, bool, str, str]:
    kind = (PrincipalKind.GROUP, PrincipalKind.USER, PrincipalKind.SERVICE_ACCOUNT).index(row.principal.kind)
    binding = row.grant.binding.label if row.grant else ""
    return not row.principal.open_ended, kind, row.principal.key, row.scope != "", row.scope, binding
