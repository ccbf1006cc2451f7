"""Bindings with their roles' rules, by whom they name. Rules are compiled once a role, not once a binding."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from auditor.access.kubernetes.answers import Doubt, DoubtKind, Grant
from auditor.access.kubernetes.bindings import Binding, Principal, PrincipalKind
from auditor.access.kubernetes.rbac import Caller, Request, name_allowed, rule_allows, url_allows
from auditor.access.kubernetes.roles import Effective, EffectiveRule

_REMEMBERED = 4_096
"""Questions whose matching rules one role keeps; more are forgotten together, so that memory stays bounded."""


class Rules:
    """A role's effective rules: which of them allow a verb on a resource, remembered."""

    __slots__ = ("_known", "effective")

    def __init__(self, effective: Effective) -> None:
        self.effective = effective
        self._known: dict[tuple[str, str, str], tuple[EffectiveRule, ...]] = {}

    def allowing(self, request: Request) -> tuple[EffectiveRule, ...]:
        """Return the rules that allow the request for at least one name."""
        key = (request.verb, request.api_group, request.path)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._search(request)
        return found

    def _search(self, request: Request) -> tuple[EffectiveRule, ...]:
        verb, group, path = request.verb, request.api_group, request.path
        if request.url:
            return tuple(rule for rule in self.effective.rules if url_allows(rule.content, verb, path))
        return tuple(rule for rule in self.effective.rules if rule_allows(rule.content, verb, group, path))


@dataclass(slots=True, eq=False)
class Held:
    """A binding with its role's rules, and its place in the order of evaluation."""

    binding: Binding
    order: int
    rules: Rules | None
    """`None`: there is no such role, as far as is known."""
    doubt: str = ""
    """Why the rules are not known, or not all of them."""

    def matching(self, request: Request) -> Iterator[EffectiveRule]:
        """Yield the rules that allow the request, wherever the binding stands."""
        if self.rules is not None:
            for rule in self.rules.allowing(request):
                if request.url or name_allowed(rule.content, request.name):
                    yield rule

    def grant(self, rule: EffectiveRule, principal: Principal, position: int) -> Grant:
        """Return the grant of one of its rules to one of its principals."""
        if self.rules is None:
            raise ValueError(f"{self.binding.label}: a role that is not there grants nothing")
        role = self.rules.effective.role
        return Grant(principal=principal, position=position, binding=self.binding, role=role, rule=rule)

    def open(self, rules: Iterable[EffectiveRule], principal: Principal, position: int) -> Doubt | None:
        """Return why it may give `principal` something although no certain rule does, `None` where it does not.

        `rules` are those of it that would allow it and are not certain.
        """
        overwritten = next(iter(rules), None)
        if self.doubt:
            kind, text = DoubtKind.ROLE_PARTS if self.rules else DoubtKind.MISSING_ROLE, self.doubt
        elif overwritten is not None:
            kind = DoubtKind.OVERWRITTEN_RULE
            text = (
                f"ClusterRole {overwritten.role.name} is aggregated: the controller keeps its own rules only if "
                "another role carries them, and none in the input does"
            )
        else:
            return None
        return Doubt(kind=kind, text=text, binding=self.binding, principal=principal, position=position)


Entry = tuple[Held, Principal, int]
"""A binding as it names one principal, with the position among the subjects."""


@dataclass(slots=True)
class Named:
    """The entries of one name in one index, in the order of evaluation."""

    first: list[Entry] = field(default_factory=list)
    """The first binding to each role: enough for a decision."""
    more: list[Entry] = field(default_factory=list)
    _roles: set[int] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Take in an entry that comes after all that are there."""
        rules = entry[0].rules
        if rules is None or id(rules) not in self._roles:
            self.first.append(entry)
            self._roles.add(id(rules))
        else:
            self.more.append(entry)

    def __iter__(self) -> Iterator[Entry]:
        yield from self.first
        yield from self.more


@dataclass(slots=True)
class Index:
    """The bindings of one scope, by whom they name."""

    users: dict[str, Named] = field(default_factory=dict)
    """By user name; service accounts by theirs."""
    groups: dict[str, Named] = field(default_factory=dict)
    accounts: dict[str, Named] = field(default_factory=dict)
    """Service accounts whose namespace is not known, by name."""

    def add(self, held: Held) -> None:
        """Take in a binding that comes after all that are there."""
        for position, principal in held.binding.principals:
            if principal.kind is PrincipalKind.GROUP:
                table, key = self.groups, principal.name
            elif user := principal.user:
                table, key = self.users, user
            else:
                table, key = self.accounts, principal.name
            table.setdefault(key, Named()).add((held, principal, position))

    def naming(self, caller: Caller) -> list[Named]:
        """Return what names the caller, by user name or by group, in no order."""
        found = [named] if (named := self.users.get(caller.user)) is not None else []
        if self.groups:
            found += [named for group in caller.groups if (named := self.groups.get(group)) is not None]
        return found
