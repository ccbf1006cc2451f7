"""Running a command in a pod, attaching to it, and forwarding its ports: one request, up to two questions.

Before Kubernetes 1.35 a WebSocket upgrade was authorised as `get` alone; since then the handler also asks for `create`
(pkg/registry/core/pod/rest/subresources.go, gate AuthorizePodWebsocketUpgradeCreatePermission).
"""

from dataclasses import replace

from auditor.access.kubernetes.answers import Answer, Decision, Doubt, DoubtKind
from auditor.access.kubernetes.evaluator import Evaluator
from auditor.access.kubernetes.rbac import Caller, Request

SUBRESOURCES = frozenset({"attach", "exec", "portforward"})
_ASKED_SINCE = 35
"""The minor version that asks for `create` too."""


def applies(request: Request) -> bool:
    """Return whether `request` is about one of these, as `get` or as `create`."""
    return (
        (request.api_group, request.resource) == ("", "pods")
        and request.subresource in SUBRESOURCES
        and request.verb in {"get", "create"}
    )


def decide(evaluator: Evaluator, caller: Caller, request: Request) -> Decision:
    """Return whether the caller could connect to the pod that `request` names, by whatever HTTP method.

    Where only `get` is allowed and the version is not known, neither is the answer.
    """
    by_create = evaluator.decide(caller, replace(request, verb="create"))
    asked = evaluator.dialect.at_least(_ASKED_SINCE)
    if by_create.answer is Answer.ALLOW or asked:
        return by_create
    by_get = evaluator.decide(caller, replace(request, verb="get"))
    if by_get.answer is not Answer.ALLOW:
        return by_create if by_create.answer is Answer.UNKNOWN else by_get
    if asked is False:
        return by_get
    text = f"`get` on pods/{request.subresource} is enough before Kubernetes 1.{_ASKED_SINCE} only"
    return Decision(answer=Answer.UNKNOWN, grant=by_get.grant, doubts=(Doubt(kind=DoubtKind.VERSION, text=text),))
