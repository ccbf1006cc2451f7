"""Everything that one principal holds, over all of its bindings: facts of type `fact/kubernetes-principal`.

A grant shows one binding. Whether somebody can both do a thing and approve it shows only over all of them. Principals
of the platform itself are left out: separating their duties is Kubernetes' business.
"""

from collections.abc import Iterable
from typing import Any

from auditor.facts.estate import Estate
from auditor.model.resource import Resource

TYPE = "fact/kubernetes-principal"


def principals(grants: Iterable[Resource], estate: Estate) -> list[Resource]:
    """Return one fact for each principal that `grants` name, sorted by its name."""
    held: dict[str, list[Resource]] = {}
    for grant in grants:
        principal = grant.body["principal"]
        if not grant.body["unbound"] and not principal["system"]:
            held.setdefault(principal["key"], []).append(grant)
    unread = estate.bindings_unread()
    return [_fact(held[key], unread) for key in sorted(held)]


def _fact(grants: list[Resource], unread: str) -> Resource:
    first = grants[0]
    body: dict[str, Any] = {
        "principal": first.body["principal"],
        "grants": [
            {
                "binding": grant.body["binding"],
                "role": grant.body["role"],
                "scope": grant.body["scope"],
                "namespace": grant.body["namespace"],
                # Duties are compared over the whole cluster, and what is granted in namespaces is most of it.
                "rules": grant.body["rules"] if grant.body["scope"] == "cluster" else [],
                "wildcard_verbs": grant.body["wildcard_verbs"],
            }
            for grant in grants
        ],
        "unread": unread or next((grant.body["unknown"] for grant in grants if grant.body["unknown"]), ""),
    }
    return Resource(
        type=TYPE,
        name=first.body["principal"]["key"],
        namespace=first.body["principal"]["namespace"],
        body=body,
        origin=first.origin,
        related=tuple(grant.related[0] for grant in grants),
    )
