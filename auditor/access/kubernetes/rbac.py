"""The comparisons of Kubernetes' RBAC authoriser: whom a request comes from, what it asks, and what one rule allows.

Transcribed from the authoriser's own (plugin/pkg/auth/authorizer/rbac, pkg/apis/rbac/v1 and
pkg/registry/rbac/validation in kubernetes/kubernetes, 1.36). Rules only add up: there is no deny and no order. All
comparisons are of whole, case-sensitive strings. They stand here once: the evaluator, the facts about grants and the
policies' function `grants` all use them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from auditor.model.record import record

ANY = "*"
SUPERUSERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = "system:anonymous"
SERVICE_ACCOUNTS = "system:serviceaccounts"
SERVICE_ACCOUNT_USER = "system:serviceaccount:"
NODES = "system:nodes"
NODE_USER = "system:node:"

_ACCOUNT = re.compile(
    re.escape(SERVICE_ACCOUNT_USER) + "([a-z0-9](?:[-a-z0-9]*[a-z0-9])?):([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)"
)


@record(kw_only=False)
class Caller:
    """Whom a request comes from, as authentication delivers it to the authorisers: the implicit groups are there."""

    user: str
    groups: frozenset[str] = frozenset()


@record
class Request:
    """What is asked of the API server: a verb on a resource, or on a path that is no resource."""

    verb: str
    """For a path the HTTP method in lower case."""
    api_group: str = ""
    """Core is `""`."""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    """Empty for cluster-scoped objects and for requests over all namespaces."""
    name: str = ""
    """Empty where the request carries none: `create`, `deletecollection`, `list` and `watch` without field selector."""
    url: str = ""
    """Path of a non-resource request; then all fields but the verb are empty."""

    def __post_init__(self) -> None:
        if bool(self.resource) == bool(self.url):
            raise ValueError("a request asks for a resource or for a path")

    @property
    def path(self) -> str:
        """What is asked for as rules write it: `pods`, `pods/exec`, or the path of a non-resource request."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource or self.url


def caller(user: str, groups: Iterable[str] = ()) -> Caller:
    """Return the caller of that user name, with the groups that authentication adds to `groups` by itself.

    A service account is in the groups of all accounts and of its namespace's, a kubelet in `system:nodes` (its
    certificate says so), everybody but `system:anonymous` in `system:authenticated`.
    """
    if user == ANONYMOUS:
        return Caller(user, frozenset({*groups, UNAUTHENTICATED}))
    implied = {AUTHENTICATED}
    account = split_account(user)
    if account is not None:
        implied |= {SERVICE_ACCOUNTS, f"{SERVICE_ACCOUNTS}:{account[0]}"}
    elif user.startswith(NODE_USER):
        implied.add(NODES)
    return Caller(user, frozenset({*groups, *implied}))


def account_user(namespace: str, name: str) -> str:
    """Return the user name of a service account's requests."""
    return f"{SERVICE_ACCOUNT_USER}{namespace}:{name}"


def split_account(user: str) -> tuple[str, str] | None:
    """Return namespace and name of the service account that `user` is, or `None`."""
    found = _ACCOUNT.fullmatch(user) if user.startswith(SERVICE_ACCOUNT_USER) else None
    return (found[1], found[2]) if found else None


def rule_allows(rule: Mapping[str, Any], verb: str, group: str, resource: str) -> bool:
    """Return whether `rule` allows `verb` on `resource` (`pods`, `pods/exec`) of an API group, for at least one name.

    Wildcards of the rule count, `resourceNames` does not. A wildcard in the question is a name like any other: only
    a rule with that wildcard allows it.
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


def name_allowed(rule: Mapping[str, Any], name: str) -> bool:
    """Return whether the `resourceNames` of `rule` let a request through that carries `name`.

    So no rule with names allows `create` or a plain `list`, which carry none (unless the list holds the empty text).
    """
    names = rule.get("resourceNames") or ()
    return not names or name in names


def url_allows(rule: Mapping[str, Any], verb: str, url: str) -> bool:
    """Return whether `rule` allows the HTTP method `verb` (lower case) on the non-resource path `url`."""
    verbs = rule.get("verbs") or ()
    if verb not in verbs and ANY not in verbs:
        return False
    return any(
        pattern == url or (pattern.endswith(ANY) and url.startswith(pattern.rstrip(ANY)))
        for pattern in texts(rule, "nonResourceURLs")
    )


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
