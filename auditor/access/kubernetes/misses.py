"""Why a request is refused: the bindings that come nearest to allowing it, and what each of them lacks."""

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any

from auditor.access.kubernetes.answers import Grant
from auditor.access.kubernetes.bindings import Binding, Principal, PrincipalKind
from auditor.access.kubernetes.evaluator import Evaluator
from auditor.access.kubernetes.holders import BY_SELECTOR, NAMELESS
from auditor.access.kubernetes.index import Held
from auditor.access.kubernetes.rbac import (
    ANONYMOUS,
    Caller,
    Request,
    name_allowed,
    rule_allows,
    split_account,
    url_allows,
)
from auditor.access.kubernetes.roles import EffectiveRule
from auditor.model.record import record

_SHOWN = 5
"""More would hide the nearest."""


class Lack(IntEnum):
    """What keeps a rule from allowing a request; a lower value is nearer."""

    NOTHING = 0
    NAME = 1
    SCOPE = 2
    ROLE = 3
    """The role does not exist."""
    VERB = 4
    SUBRESOURCE = 5
    GROUP = 6


@record
class Miss:
    """One binding that names the caller and does not allow the request, with what it lacks."""

    lacks: tuple[Lack, ...]
    text: str
    """One clause: `RoleBinding pay/readers grants it, but only in namespace pay`, or
    `ClusterRoleBinding ops is limited to resourceNames a, b`."""
    binding: Binding
    position: int
    """Of the principal among the binding's subjects."""
    rule: EffectiveRule | None = None


@record
class Membership:
    """A group that would be allowed. Who is in it is not in the cluster."""

    group: str
    grant: Grant


def nearest(evaluator: Evaluator, caller: Caller, request: Request) -> tuple[Miss, ...]:
    """Return the nearest misses of a request that RBAC refuses, at most five, nearest first."""
    found = [
        miss for held, _, position in evaluator.naming(caller) for miss in _misses(held, position, request, evaluator)
    ]
    best: dict[str, Miss] = {}
    for miss in sorted(found, key=lambda miss: (sum(miss.lacks), miss.lacks)):
        best.setdefault(miss.binding.label, miss)
    return tuple(best.values())[:_SHOWN]


def memberships(evaluator: Evaluator, caller: Caller, request: Request) -> tuple[Membership, ...]:
    """Return the groups of people whose members are allowed the request, sorted, if the caller may be in any.

    The groups of a service account and of an anonymous caller are known, so there is nothing open about them.
    """
    if not caller.user or caller.user == ANONYMOUS or split_account(caller.user) is not None:
        return ()
    found = []
    for group in evaluator.groups(request):
        principal = Principal(PrincipalKind.GROUP, "", group)
        if group in caller.groups or principal.open_ended or evaluator.platform.ships(principal):
            continue
        grants = evaluator.grants(Caller("", frozenset({group})), request)
        if grants:
            found.append(Membership(group=group, grant=grants[0]))
    return tuple(found)


def _misses(held: Held, position: int, request: Request, evaluator: Evaluator) -> Iterator[Miss]:
    binding = held.binding
    scope = _scope(binding, request, evaluator)
    if held.rules is None and held.doubt:
        # Nobody knows what the role gives: that is a doubt, and no miss.
        return
    if held.rules is None:
        lacks: tuple[Lack, ...] = (Lack.ROLE,) if scope is None else (Lack.SCOPE, Lack.ROLE)
        text = f"{binding.label} refers to {binding.role_label}, which does not exist"
        yield Miss(lacks=lacks, text=text, binding=binding, position=position)
        return
    for rule in held.rules.effective.rules:
        found = _lack(rule.content, request)
        if found is None:
            continue
        kind, text = found
        lacks = tuple(lack for lack in (Lack.NOTHING if scope is None else Lack.SCOPE, kind) if lack)
        if scope is not None:
            text = f"{text}, and only {scope}" if kind else f"{text}, but only {scope}"
        if lacks:
            text = f"{binding.label} {text}"
            yield Miss(lacks=lacks, text=text, binding=binding, position=position, rule=rule)


def _scope(binding: Binding, request: Request, evaluator: Evaluator) -> str | None:
    """Return where alone a binding counts, if that is not where the request is."""
    if binding.cluster or (request.namespace and binding.namespace == request.namespace):
        return None
    where = f"in namespace {binding.namespace}" if binding.namespace else "in the namespace where it is applied"
    if request.url:
        return f"{where}, where no path is"
    if not evaluator.platform.bound_in_namespaces(request):
        return f"{where}, and {request.resource} belong to none"
    return where if request.namespace else f"{where}, while the request is for all"


def _lack(rule: Mapping[str, Any], request: Request) -> tuple[Lack, str] | None:
    """Return what keeps a rule from allowing the request, and what it does instead.

    `None`: the rule is about something else.
    """
    if request.url:
        return _url_lack(rule, request)
    verb, group, path = request.verb, request.api_group, request.path
    if rule_allows(rule, verb, group, path):
        return (Lack.NOTHING, "grants it") if name_allowed(rule, request.name) else (Lack.NAME, _names(rule, request))
    if any(rule_allows(rule, one, group, path) for one in rule["verbs"]):
        return Lack.VERB, f"grants {_list(rule['verbs'])} on {path}, not {verb}"
    if any(rule_allows(rule, verb, one, path) for one in rule["apiGroups"]):
        groups = _list([one or "core" for one in rule["apiGroups"]])
        return Lack.GROUP, f"grants it in API group {groups}, not in {group or 'core'}"
    return _subresource_lack(rule, request) if request.subresource else None


def _subresource_lack(rule: Mapping[str, Any], request: Request) -> tuple[Lack, str] | None:
    verb, group = request.verb, request.api_group
    if rule_allows(rule, verb, group, request.resource):
        return Lack.SUBRESOURCE, f"grants {verb} on {request.resource}, which does not include {request.path}"
    pattern = f"{request.resource}/*"
    if rule_allows(rule, verb, group, pattern):
        return Lack.SUBRESOURCE, f"names {pattern}, which is no pattern and matches nothing"
    return None


def _url_lack(rule: Mapping[str, Any], request: Request) -> tuple[Lack, str] | None:
    if url_allows(rule, request.verb, request.url):
        return Lack.NOTHING, "grants it"
    if any(url_allows(rule, one, request.url) for one in rule["verbs"]):
        return Lack.VERB, f"grants {_list(rule['verbs'])} on {request.url}, not {request.verb}"
    return None


def _names(rule: Mapping[str, Any], request: Request) -> str:
    limited = f"is limited to resourceNames {_list(rule['resourceNames'])}"
    if request.name:
        return limited
    if request.verb in BY_SELECTOR:
        return f"{limited}, so it allows {request.verb} only with the field selector metadata.name=NAME"
    if request.verb in NAMELESS:
        return f"{limited}, and a {request.verb} carries no name"
    return f"{limited}, and the request names none"


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
