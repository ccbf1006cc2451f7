"""How Kubernetes' RBAC authoriser decides: rules, bindings, subjects. A pure function of the snapshot.

Transcribed from the authoriser's own comparisons (plugin/pkg/auth/authorizer/rbac and pkg/apis/rbac/v1 in
kubernetes/kubernetes, 1.36). Rules only add up: there is no deny and no order, so the first match ends the evaluation.
All comparisons are of whole, case-sensitive strings. Not seen here: `system:masters` (it stands before the authoriser),
admission, the escalation guards of the storage layer, and other authorisers of the chain (Node, webhooks).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from auditor.model.resource import Resource

ANY = "*"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = "system:anonymous"
SERVICE_ACCOUNTS = "system:serviceaccounts"
SERVICE_ACCOUNT_USER = "system:serviceaccount:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request, as the authoriser sees it."""

    user: str
    groups: frozenset[str] = frozenset()
    """As authentication sets them, the implicit ones included (`user_question`, `service_account_question`)."""
    verb: str
    api_group: str = ""
    """Core is `""`."""
    resource: str
    subresource: str = ""
    namespace: str = ""
    """Empty for cluster-scoped objects and for requests over all namespaces."""
    name: str = ""
    """Empty where the request carries none: `create`, `deletecollection`, `list` and `watch` without field selector."""


class Answer(StrEnum):
    """Three-valued: what rests on a role that was not read is unknown, not denied."""

    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer and what decided it."""

    answer: Answer
    binding: Resource | None = None
    """The binding that allows, or whose role is missing; `None` for a denial."""
    rule: Mapping[str, Any] | None = None
    """The rule that allows, as it stands in its role."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A binding with the effective rules of its role (`auditor.access.kubernetes.roles`)."""

    binding: Resource
    rules: Sequence[Mapping[str, Any]]
    unknown: str = ""
    """Why the rules cannot be known; then `rules` is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All bindings of a cluster."""

    cluster: tuple[Bound, ...] = ()
    """ClusterRoleBindings: evaluated first, for every request."""
    namespaced: Mapping[str, tuple[Bound, ...]] = field(default_factory=dict)
    """RoleBindings by namespace."""


def decide(question: Question, snapshot: Snapshot) -> Decision:
    """Return the decision on `question`. Of several grants that allow, the first in evaluation order is named."""
    missing: Bound | None = None
    for bound in _in_order(question, snapshot):
        if not _binds(bound.binding, question):
            continue
        if bound.unknown:
            missing = missing or bound
            continue
        for rule in bound.rules:
            if matches(rule, question):
                return Decision(answer=Answer.ALLOW, binding=bound.binding, rule=rule)
    if missing is not None:
        return Decision(answer=Answer.UNKNOWN, binding=missing.binding, reason=missing.unknown)
    return Decision(answer=Answer.DENY, reason="no binding grants it")


def decide_exec(question: Question, snapshot: Snapshot, *, version: tuple[int, int] | None) -> Decision:
    """Return whether the principal may run a command in the pod that `question` names, on that Kubernetes version.

    Before 1.35 a WebSocket upgrade was authorised as `get`; since then the server also asks for `create`. Where only
    `get` is allowed and the version is not known, so is the answer.
    """

    def ask(verb: str) -> Decision:
        attributes = {"verb": verb, "api_group": "", "resource": "pods", "subresource": "exec"}
        return decide(
            Question(
                user=question.user,
                groups=question.groups,
                namespace=question.namespace,
                name=question.name,
                **attributes,
            ),
            snapshot,
        )

    by_create = ask("create")
    if by_create.answer is Answer.ALLOW or (version is not None and version >= (1, 35)):
        return by_create
    by_get = ask("get")
    if by_get.answer is not Answer.ALLOW:
        return by_create if by_create.answer is Answer.UNKNOWN else by_get
    if version is not None:
        return by_get
    reason = "`get` on pods/exec suffices before Kubernetes 1.35 only, and the version is not known"
    return Decision(answer=Answer.UNKNOWN, binding=by_get.binding, rule=by_get.rule, reason=reason)


def matches(rule: Mapping[str, Any], question: Question) -> bool:
    """Return whether one rule allows the request, wherever its role is bound."""
    resource = f"{question.resource}/{question.subresource}" if question.subresource else question.resource
    if not rule_allows(rule, question.verb, question.api_group, resource):
        return False
    names = texts(rule, "resourceNames")
    # An empty name is never in the list: no rule with names allows `create` or a plain `list`.
    return not names or (question.name != "" and question.name in names)


def rule_allows(rule: Mapping[str, Any], verb: str, group: str, resource: str) -> bool:
    """Return whether `rule` allows `verb` on `resource` (`pods`, `pods/exec`) of an API group, for at least one name.

    Wildcards of the rule count, `resourceNames` does not. The question itself holds no wildcard.
    """
    verbs = rule.get("verbs") or ()
    if verb not in verbs and ANY not in verbs:
        return False
    groups = rule.get("apiGroups") or ()
    if group not in groups and ANY not in groups:
        return False
    resources = rule.get("resources") or ()
    if resource in resources or ANY in resources:
        return True
    _, slash, subresource = resource.partition("/")
    # `*/exec` is that subresource of any resource; `pods/*` is no pattern and matches nothing.
    return slash != "" and f"*/{subresource}" in resources


def url_allows(rule: Mapping[str, Any], verb: str, url: str) -> bool:
    """Return whether `rule` allows the HTTP method `verb` (lower case) on the non-resource path `url`."""
    verbs = rule.get("verbs") or ()
    if verb not in verbs and ANY not in verbs:
        return False
    return any(
        pattern == url or (pattern.endswith(ANY) and url.startswith(pattern[:-1]))
        for pattern in texts(rule, "nonResourceURLs")
    )


def user_groups(*groups: str) -> frozenset[str]:
    """Return the groups of an authenticated user whose certificate or token claims `groups`."""
    return frozenset({*groups, AUTHENTICATED})


def service_account(namespace: str, name: str) -> tuple[str, frozenset[str]]:
    """Return the user name and the groups of a service account's requests."""
    groups = frozenset({AUTHENTICATED, SERVICE_ACCOUNTS, f"{SERVICE_ACCOUNTS}:{namespace}"})
    return f"{SERVICE_ACCOUNT_USER}{namespace}:{name}", groups


def anonymous() -> tuple[str, frozenset[str]]:
    """Return the user name and the groups of a request without credentials."""
    return ANONYMOUS, frozenset({UNAUTHENTICATED})


def subject_matches(subject: Mapping[str, Any], *, user: str, groups: frozenset[str], binding_namespace: str) -> bool:
    """Return whether a binding's subject names that user. `binding_namespace` is empty for a ClusterRoleBinding."""
    name = subject.get("name")
    match subject.get("kind"):
        case "User":
            return bool(name == user)
        case "Group":
            return name in groups
        case "ServiceAccount":
            namespace = subject.get("namespace") or binding_namespace
            # Without a namespace (only possible in a ClusterRoleBinding) it names nobody.
            return bool(namespace) and user == f"{SERVICE_ACCOUNT_USER}{namespace}:{name}"
        case _:
            return False


def texts(holder: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the strings of a list; nothing where it is missing or no list, which an API server would refuse."""
    found = holder.get(key)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list | tuple) else ()


def maps(holder: Mapping[str, Any], key: str) -> list[tuple[int, Mapping[str, Any]]]:
    """Return position and content of each map in a list; what is no map is passed over."""
    found = holder.get(key)
    if not isinstance(found, list | tuple):
        return []
    return [(position, item) for position, item in enumerate(found) if isinstance(item, Mapping)]


def _in_order(question: Question, snapshot: Snapshot) -> Iterator[Bound]:
    yield from snapshot.cluster
    if question.namespace:
        yield from snapshot.namespaced.get(question.namespace, ())


def _binds(binding: Resource, question: Question) -> bool:
    subjects: Iterable[tuple[int, Mapping[str, Any]]] = maps(binding.body, "subjects")
    return any(
        subject_matches(subject, user=question.user, groups=question.groups, binding_namespace=binding.namespace)
        for _, subject in subjects
    )
