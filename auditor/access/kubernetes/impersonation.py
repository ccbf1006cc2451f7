"""Impersonation: whether a caller may act as somebody else, and what the cluster then lets that one do.

Before the request itself the API server asks whether the caller may impersonate the user, and each group, UID and extra
value, by name. Since 1.36 (constrained impersonation, on by default) it tries, in this order, a mode for the kubelet of
the caller's own node, one for kubelets, one for service accounts, one for other users, and last the verb `impersonate`
that always existed. A mode allows it if the caller may `impersonate:MODE` the target and `impersonate-on:MODE:VERB`
what the request is for. A user name is always needed: groups alone are refused.
Source: staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation/mode.go in kubernetes/kubernetes, 1.36.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from enum import StrEnum

from auditor.access.kubernetes.answers import Answer, Decision, Doubt, DoubtKind
from auditor.access.kubernetes.evaluator import Evaluator
from auditor.access.kubernetes.rbac import (
    ANONYMOUS,
    ANY,
    AUTHENTICATED,
    NODE_USER,
    NODES,
    SERVICE_ACCOUNTS,
    SUPERUSERS,
    UNAUTHENTICATED,
    Caller,
    Request,
    split_account,
)
from auditor.model.record import record

_CONSTRAINED_SINCE = 36
_AUTHENTICATION = "authentication.k8s.io"
_NODE = re.compile(re.escape(NODE_USER) + "([a-z0-9]([-a-z0-9.]*[a-z0-9])?)")
_MANY = 4
"""From so many groups or extra values on, a constrained mode first asks for all of them at once (`*`)."""


class Mode(StrEnum):
    """How the API server may let somebody be impersonated, in the order in which it tries."""

    ASSOCIATED_NODE = "associated-node"
    """By a service account, of the kubelet on whose node its token is bound."""
    ARBITRARY_NODE = "arbitrary-node"
    SERVICE_ACCOUNT = "serviceaccount"
    USER_INFO = "user-info"
    LEGACY = "impersonate"

    @property
    def verb(self) -> str:
        """The verb that is asked about the target."""
        return self.value if self is Mode.LEGACY else f"impersonate:{self.value}"


@record
class Target:
    """Who is to be impersonated, as the request's headers say it."""

    user: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def bare(self) -> bool:
        """Whether only the user name is set."""
        return not self.groups and not self.uid and not self.extra

    @property
    def node(self) -> str:
        """Name of the node whose kubelet it is; empty: it is none."""
        found = _NODE.fullmatch(self.user)
        return found[1] if found else ""


@record
class Impersonation:
    """Whether the target may be impersonated for a request, and by what."""

    answer: Answer
    mode: Mode | None = None
    """The first that allows it, or whose answer is open; `None` where none does."""
    checks: tuple[tuple[Request, Decision], ...] = ()
    """What was asked in that mode, in order. Without a mode: of the legacy one, up to the refusal."""
    becomes: tuple[Caller, ...] = ()
    """Whom the request may come from then. Two where two modes allow it and give different groups: the server begins
    with the mode that last let the caller through."""
    doubts: tuple[Doubt, ...] = ()


def impersonate(evaluator: Evaluator, caller: Caller, target: Target, request: Request) -> Impersonation:
    """Return whether `caller` may act as `target` for `request`. Whether the target may do it is another question.

    Raises `ValueError` for a target without a user name, which the API server refuses as a bad request.
    """
    if not target.user:
        raise ValueError("a target without a user name")
    tried = [_try(evaluator, caller, target, request, mode) for mode in _modes(target, caller)]
    for answer in (Answer.ALLOW, Answer.UNKNOWN):
        found = [one for one in tried if one.answer is answer]
        if found:
            return replace(found[0], becomes=tuple(dict.fromkeys(who for one in found for who in one.becomes)))
    return replace(tried[-1], mode=None)


def _modes(target: Target, caller: Caller) -> Iterator[Mode]:
    if target.bare and target.node:
        if split_account(caller.user) is not None:
            yield Mode.ASSOCIATED_NODE
        yield Mode.ARBITRARY_NODE
    elif target.bare and split_account(target.user) is not None:
        yield Mode.SERVICE_ACCOUNT
    if not target.node and split_account(target.user) is None:
        yield Mode.USER_INFO
    yield Mode.LEGACY


def _try(evaluator: Evaluator, caller: Caller, target: Target, request: Request, mode: Mode) -> Impersonation:
    constrained = mode is not Mode.LEGACY
    served = evaluator.dialect.at_least(_CONSTRAINED_SINCE) if constrained else True
    if served is False or (constrained and not _fit(target)):
        return Impersonation(answer=Answer.DENY, mode=mode)
    checks: list[tuple[Request, Decision]] = []
    doubts: list[Doubt] = []
    for asked in _questions(evaluator, caller, target, request, mode):
        decision = evaluator.decide(caller, asked)
        checks.append((asked, decision))
        if decision.answer is Answer.DENY:
            return Impersonation(answer=Answer.DENY, mode=mode, checks=tuple(checks))
        doubts += decision.doubts
    if served is None:
        text = f"constrained impersonation is there from Kubernetes 1.{_CONSTRAINED_SINCE} on"
        doubts.append(Doubt(kind=DoubtKind.VERSION, text=text))
    if mode is Mode.ASSOCIATED_NODE:
        text = f"it holds while the caller's token is bound to node {target.node}"
        doubts.append(Doubt(kind=DoubtKind.NODE, text=text))
    return Impersonation(
        answer=Answer.UNKNOWN if doubts else Answer.ALLOW,
        mode=mode,
        checks=tuple(checks),
        becomes=(_becomes(target, constrained=constrained),),
        doubts=tuple(doubts),
    )


def _fit(target: Target) -> bool:
    """Return whether a constrained mode takes the target: it never gives the superusers, and nothing empty."""
    values = [value for key, values in target.extra.items() for value in (key, *(values or ("",)))]
    return SUPERUSERS not in target.groups and "" not in target.groups and "" not in values


def _questions(evaluator: Evaluator, caller: Caller, target: Target, request: Request, mode: Mode) -> Iterator[Request]:
    """Yield what the server asks, one after the other, until one is refused."""
    constrained = mode is not Mode.LEGACY
    if constrained:
        yield replace(request, verb=f"impersonate-on:{mode.value}:{request.verb}")
    yield _user_question(target, mode)
    if target.uid:
        yield Request(verb=mode.verb, api_group=_AUTHENTICATION, resource="uids", name=target.uid)
    group = Request(verb=mode.verb, api_group=_AUTHENTICATION if constrained else "", resource="groups")
    yield from _each(evaluator, caller, [replace(group, name=name) for name in target.groups], group, mode)
    values = [(key, value) for key, values in sorted(target.extra.items()) for value in values]
    extra = Request(verb=mode.verb, api_group=_AUTHENTICATION, resource="userextras")
    asked = [replace(extra, subresource=key, name=value) for key, value in values]
    yield from _each(evaluator, caller, asked, replace(extra, subresource=ANY), mode)


def _each(
    evaluator: Evaluator, caller: Caller, asked: Sequence[Request], every: Request, mode: Mode
) -> Iterator[Request]:
    if mode is not Mode.LEGACY and len(asked) >= _MANY:
        at_once = replace(every, name=ANY)
        if evaluator.decide(caller, at_once).answer is Answer.ALLOW:
            yield at_once
            return
    yield from asked


def _user_question(target: Target, mode: Mode) -> Request:
    group = "" if mode is Mode.LEGACY else _AUTHENTICATION
    account = split_account(target.user)
    if account is not None:
        namespace, name = account
        return Request(verb=mode.verb, api_group=group, resource="serviceaccounts", namespace=namespace, name=name)
    if mode is not Mode.LEGACY and target.node:
        # In the mode of the own node the answer has to hold for every node.
        name = ANY if mode is Mode.ASSOCIATED_NODE else target.node
        return Request(verb=mode.verb, api_group=group, resource="nodes", name=name)
    return Request(verb=mode.verb, api_group=group, resource="users", name=target.user)


def _becomes(target: Target, *, constrained: bool) -> Caller:
    """Return the caller that the request comes from: groups are those that were asked for, or those of an account."""
    groups = set(target.groups)
    account = split_account(target.user)
    if account is not None and not groups:
        groups = {SERVICE_ACCOUNTS, f"{SERVICE_ACCOUNTS}:{account[0]}"}
    if constrained and target.node:
        groups = {NODES}
    if target.user == ANONYMOUS:
        groups.add(UNAUTHENTICATED)
    elif UNAUTHENTICATED not in groups:
        groups.add(AUTHENTICATED)
    return Caller(target.user, frozenset(groups))
