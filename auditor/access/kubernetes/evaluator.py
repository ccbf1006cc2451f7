"""The evaluator: whether a cluster would allow a request, and the binding and rule that decide. Pure, no I/O.

It answers what the API server's authorisers would (SubjectAccessReview is the judge in the tests): members of
`system:masters` pass first, then the dialect's authorisers are asked in their order. RBAC reads ClusterRoleBindings
for every request, and RoleBindings of the request's namespace. Not seen here: admission, the escalation guards of the
storage layer, and what authentication makes of a certificate or token (a caller comes with its groups).

Bindings are indexed by whom they name, so that a decision costs the same however many there are.
"""

from collections.abc import Iterable, Iterator

from auditor.access.kubernetes import built_in
from auditor.access.kubernetes.answers import Answer, Decision, Doubt, DoubtKind, Grant, Unread, missing_role, nothing
from auditor.access.kubernetes.bindings import CLUSTER_ROLE_BINDING, ROLE_BINDING, Binding, Principal, read_binding
from auditor.access.kubernetes.bindings import TYPES as BINDINGS
from auditor.access.kubernetes.built_in import NodeLimit
from auditor.access.kubernetes.dialect import Authoriser, Dialect, is_node
from auditor.access.kubernetes.index import Entry, Held, Index, Rules
from auditor.access.kubernetes.rbac import SUPERUSERS, Caller, Request, split_account
from auditor.access.kubernetes.roles import TYPES as ROLES
from auditor.access.kubernetes.roles import Role, RoleBook, read_role
from auditor.model.resource import Origin, Resource

_NOWHERE = Origin(file="")
"""Where built-in bindings stand: near to no file."""


class Evaluator:
    """The bindings and roles of one cluster, ready to be asked."""

    def __init__(
        self,
        resources: Iterable[Resource],
        *,
        dialect: Dialect | None = None,
        live: bool = False,
        unread: Unread = nothing,
    ) -> None:
        """Take in the roles and bindings among `resources`.

        `live`: they are all that a cluster's API server holds. Nothing is filled in, stored rules are the truth, and a
        role that is not there grants nothing. Otherwise they are manifests: the roles and bindings that every cluster
        has are added, aggregation is computed, and what rests on a role that is neither there nor built in is unknown.
        """
        self.dialect = dialect or Dialect()
        self.live = live
        self.unread = unread
        self.platform = built_in.load()
        roles, bindings = _sorted_out(resources)
        self.book = RoleBook(roles=roles, built_in=() if live else self.platform.roles, live=live)
        if not live:
            # The input's own definition of a built-in binding stands before ours.
            known = {item.identity for item in bindings}
            bindings += [item for item in self.platform.bindings if item.identity not in known]
        self.held: list[Held] = []
        """Every binding in the order of evaluation: ClusterRoleBindings first, each kind in the order of the input."""
        self._compiled: dict[int, Rules] = {}
        self._cluster = Index()
        self._namespaces: dict[str, Index] = {}
        self._anywhere = Index()
        """RoleBindings of manifests that name no namespace."""
        self._take_in(bindings)
        self._of_nodes: Rules | None = None

    def decide(self, caller: Caller, request: Request) -> Decision:
        """Return whether the cluster would allow `caller` the request.

        Of several bindings that allow it, the first in the order of evaluation is named.
        """
        if SUPERUSERS in caller.groups:
            return Decision(answer=Answer.ALLOW, by=f"{SUPERUSERS}, whose members pass before any authoriser is asked")
        doubts: list[Doubt] = []
        may_deny = False
        for authoriser in self.dialect.chain:
            decision = self._ask(authoriser, caller, request)
            if decision.answer is Answer.ALLOW:
                if not may_deny:
                    return decision
                return Decision(answer=Answer.UNKNOWN, grant=decision.grant, by=decision.by, doubts=_once(doubts))
            doubts += decision.doubts
            may_deny = may_deny or authoriser.may_deny
        return Decision(answer=Answer.UNKNOWN if doubts else Answer.DENY, doubts=_once(doubts))

    def grants(self, caller: Caller, request: Request) -> list[Grant]:
        """Return every binding and rule by which RBAC surely allows the request, in the order of evaluation."""
        return [
            held.grant(rule, principal, position)
            for held, principal, position in self._entries(caller, request)
            for rule in held.matching(request)
            if not rule.overwritten
        ]

    def naming(self, caller: Caller) -> list[Entry]:
        """Return every binding that names the caller, in whatever namespace, in the order of evaluation."""
        scopes = (self._cluster, *self._namespaces.values(), self._anywhere)
        return _ordered(entry for scope in scopes for named in scope.naming(caller) for entry in named)

    def groups(self, request: Request) -> list[str]:
        """Return every group that a binding names which counts for the request, sorted."""
        return sorted({group for scope in self._scopes(request) for group in scope.groups})

    def hidden(self, *namespaces: str | None) -> Iterator[Doubt]:
        """Yield what was not read and may hold a binding that counts, cluster-wide or in one of these namespaces.

        `None` is any namespace, and the empty one counts for nothing.
        """
        reasons = [self.unread(f"kubernetes/{CLUSTER_ROLE_BINDING}", "")]
        reasons += [self.unread(f"kubernetes/{ROLE_BINDING}", place) for place in namespaces if place != ""]
        for why in dict.fromkeys(filter(None, reasons)):
            yield Doubt(kind=DoubtKind.UNREAD, text=why)

    def _take_in(self, bindings: Iterable[Binding]) -> None:
        for binding in sorted(bindings, key=lambda item: not item.cluster):
            held = self._hold(binding, len(self.held))
            self.held.append(held)
            if binding.cluster:
                self._cluster.add(held)
            elif binding.namespace:
                self._namespaces.setdefault(binding.namespace, Index()).add(held)
            else:
                self._anywhere.add(held)

    def _hold(self, binding: Binding, order: int) -> Held:
        near = binding.origin or _NOWHERE
        role = self.book.find(binding.role_kind, binding.role_namespace, binding.role_name, near=near)
        if role is None:
            return Held(
                binding=binding,
                order=order,
                rules=None,
                doubt=missing_role(binding, live=self.live, unread=self.unread),
            )
        effective = self.book.effective(role, near=near)
        rules = self._compiled.get(id(effective))
        if rules is None:
            rules = self._compiled[id(effective)] = Rules(effective)
        return Held(binding=binding, order=order, rules=rules, doubt=effective.unknown)

    def _ask(self, authoriser: Authoriser, caller: Caller, request: Request) -> Decision:
        """Return what one authoriser says; where it has no opinion that is a denial."""
        match authoriser:
            case Authoriser.RBAC:
                grant = self._first(caller, request)
                if grant is not None:
                    return Decision(answer=Answer.ALLOW, grant=grant)
                return _open(self._doubts(caller, request))
            case Authoriser.NODE:
                return self.ask_node(request) if is_node(caller) else Decision(answer=Answer.DENY)
            case Authoriser.ALWAYS_ALLOW:
                return Decision(answer=Answer.ALLOW, by="the authoriser AlwaysAllow")
            case Authoriser.ALWAYS_DENY:
                return Decision(answer=Answer.DENY)
            case Authoriser.ABAC | Authoriser.WEBHOOK | Authoriser.EKS | Authoriser.AZURE | Authoriser.GCP:
                doubt = authoriser.doubt(caller)
                return _open([Doubt(kind=DoubtKind.AUTHORISER, text=doubt)] if doubt else [])

    def _scopes(self, request: Request) -> tuple[Index, ...]:
        inside = self._namespaces.get(request.namespace) if request.namespace else None
        return (self._cluster,) if inside is None else (self._cluster, inside)

    def _entries(self, caller: Caller, request: Request) -> list[Entry]:
        return _ordered(entry for scope in self._scopes(request) for named in scope.naming(caller) for entry in named)

    def _first(self, caller: Caller, request: Request) -> Grant | None:
        for scope in self._scopes(request):
            best: tuple[int, int, Grant] | None = None
            # A caller's groups have no order: what comes first decides, so that every run names the same binding.
            for named in scope.naming(caller):
                for held, principal, position in named.first:
                    if best is not None and (held.order, position) > best[:2]:
                        break
                    rule = next((rule for rule in held.matching(request) if not rule.overwritten), None)
                    if rule is not None:
                        best = (held.order, position, held.grant(rule, principal, position))
                        break
            if best is not None:
                return best[2]
        return None

    def _doubts(self, caller: Caller, request: Request) -> list[Doubt]:
        """Return why RBAC's refusal is not sure."""
        found = [
            doubt
            for held, principal, position in self._entries(caller, request)
            if (doubt := held.open(held.matching(request), principal, position)) is not None
        ]
        if not self.live:
            found += self._doubts_of_place(caller, request)
        return [*found, *self.hidden(request.namespace)]

    def _doubts_of_place(self, caller: Caller, request: Request) -> Iterator[Doubt]:
        """Yield the bindings of manifests that allow it if they are applied, or mean an account, where it is asked."""
        entries = [entry for named in self._anywhere.naming(caller) for entry in named] if request.namespace else []
        account = split_account(caller.user)
        if account is not None:
            scopes = (self._cluster, self._anywhere) if request.namespace else (self._cluster,)
            entries += [entry for scope in scopes for entry in scope.accounts.get(account[1], ())]
        for held, principal, position in _ordered(entries):
            if held.doubt or any(held.matching(request)):
                yield doubt_of_place(held.binding, principal, position)

    def ask_node(self, request: Request, *, any_name: bool = False) -> Decision:
        """Return what the Node authoriser says to a kubelet; `any_name`: the request may be for any object."""
        if self._of_nodes is None:
            role = next(role for role in self.platform.roles if role.name == "system:node")
            self._of_nodes = Rules(RoleBook(roles=(), built_in=(role,)).effective(role, near=_NOWHERE))
        ruled = bool(self._of_nodes.allowing(request))
        limit = self.platform.by_node.get((request.api_group, request.resource))
        if limit is None and ruled:
            return Decision(answer=Answer.ALLOW, by="the Node authoriser, which lets every kubelet do this")
        named = bool(request.name) or any_name
        if limit is NodeLimit.BEYOND_RULES or (ruled and (named or limit is NodeLimit.ALSO)):
            text = f"the Node authoriser lets a kubelet {request.verb} the {request.path} that belong to its own pods"
            return _open([Doubt(kind=DoubtKind.NODE, text=text)])
        return Decision(answer=Answer.DENY)


def doubt_of_place(binding: Binding, principal: Principal, position: int) -> Doubt:
    """Return what is open about a binding, or an account in it, that names no namespace."""
    if binding.cluster or binding.namespace:
        text = f"{principal.key} is named without a namespace"
    else:
        text = f"{binding.label} names no namespace, so it grants this where it is applied"
    return Doubt(kind=DoubtKind.NO_NAMESPACE, text=text, binding=binding, principal=principal, position=position)


def _sorted_out(resources: Iterable[Resource]) -> tuple[list[Role], list[Binding]]:
    roles: list[Role] = []
    bindings: list[Binding] = []
    for resource in resources:
        if resource.type in BINDINGS:
            bindings.append(read_binding(resource))
        elif resource.type in ROLES:
            roles.append(read_role(resource))
    return roles, bindings


def _open(doubts: list[Doubt]) -> Decision:
    return Decision(answer=Answer.UNKNOWN if doubts else Answer.DENY, doubts=tuple(doubts))


def _ordered(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry[0].order, entry[2]))


def _once(doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
    return tuple({(doubt.kind, doubt.text): doubt for doubt in reversed([*doubts])}.values())[::-1]
