"""Grants of one estate, with what its extent leaves open; and what the estate knows of the account that holds one.

How roles and bindings become grants is `auditor.access.kubernetes.grants`' business. Here stands only what a list that
was not read does to them: a role of a list that was not read may give anything, and a role that no binding names may be
bound by one that was not read.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auditor.access.kubernetes import grants as access
from auditor.facts.accounts import TYPE as ACCOUNT
from auditor.facts.accounts import find_account
from auditor.facts.estate import Estate
from auditor.facts.extent import EVERYWHERE, Extent
from auditor.model.resource import Resource

FACT = access.FACT
ROLE, CLUSTER_ROLE = "kubernetes/Role", "kubernetes/ClusterRole"
ROLE_BINDING, CLUSTER_ROLE_BINDING = "kubernetes/RoleBinding", "kubernetes/ClusterRoleBinding"
TYPES = (CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING)
"""What grants are made from."""


def grants(estate: Estate) -> list[Resource]:
    """Return the facts of every binding and of every role that nothing binds."""
    joined = [resource for type_ in TYPES for resource in estate.resources(type_)]
    extent = estate.extent
    if not extent.live:
        return access.grants(joined)
    facts = access.grants(joined, live=True, unread=extent.unread)
    return [_perhaps_bound(fact, extent) if fact.body["unbound"] else fact for fact in facts]


def holder(fact: Resource, estate: Estate) -> dict[str, str]:
    """Return the variable `holder`: whether the principal of a grant exists, as far as the input tells it."""
    principal: Mapping[str, Any] = fact.body["principal"]
    namespace, name = principal["namespace"], principal["name"]
    if principal["kind"] != "ServiceAccount":
        return {"exists": "unknown", "why": "who the users are, and which groups they are in, is not in the cluster"}
    if find_account(estate, namespace, name, near=fact.origin) is not None:
        return {"exists": "true", "why": ""}
    if not estate.extent.live:
        return {"exists": "unknown", "why": f"{principal['key']} is not in the input, and may be on the cluster"}
    unread = estate.extent.unread(ACCOUNT, namespace)
    return {"exists": "unknown" if unread else "false", "why": unread}


def _perhaps_bound(fact: Resource, extent: Extent) -> Resource:
    namespace = fact.namespace
    in_namespace = extent.unread(ROLE_BINDING, namespace or EVERYWHERE)
    why = in_namespace or ("" if namespace else extent.unread(CLUSTER_ROLE_BINDING, ""))
    return replace(fact, body={**fact.body, "unknown": why}) if why and not fact.body["unknown"] else fact
