"""Answers of `auditor access` as plain data: everything that the console shows, and nothing folded."""

from collections.abc import Sequence
from typing import Any

from auditor.access.kubernetes.answers import Decision, Doubt, Grant
from auditor.access.kubernetes.bindings import Binding, Principal
from auditor.access.kubernetes.explaining import Explanation
from auditor.access.kubernetes.grants import label
from auditor.access.kubernetes.holders import BY_SELECTOR, Holder, Holders, Where
from auditor.access.kubernetes.impersonation import Impersonation
from auditor.access.kubernetes.rbac import Request
from auditor.access.kubernetes.roles import Role
from auditor.model.resource import Location, Origin
from auditor.model.resource import Path as Steps
from auditor.pipeline.access import Cluster

VERSION = "1.0"
"""Of this form: a key may be added within a major version, none changes its meaning."""


def holders(request: Request, where: Where, answers: Sequence[tuple[Cluster, Holders]]) -> dict[str, Any]:
    """Return the answer of `who-can`."""
    return {
        "schema_version": VERSION,
        "question": {**_request(request), "where": where.value},
        "clusters": [
            {
                **_cluster(cluster),
                "holders": [_holder(row, request, cluster) for row in found.rows],
                "unknown": [_doubt(doubt, cluster) for doubt in found.doubts],
            }
            for cluster, found in answers
        ],
    }


def explanations(answers: Sequence[tuple[Cluster, Explanation]]) -> dict[str, Any]:
    """Return the answer of `explain`."""
    first = answers[0][1]
    return {
        "schema_version": VERSION,
        "question": {
            **_request(first.request),
            "principal": _principal(first.asker.principal),
            "groups": sorted(first.asker.caller.groups),
            "as": {"user": first.target.user, "groups": list(first.target.groups)} if first.target else None,
        },
        "clusters": [{**_cluster(cluster), **_explanation(found, cluster)} for cluster, found in answers],
    }


def _explanation(found: Explanation, cluster: Cluster) -> dict[str, Any]:
    return {
        "answer": found.answer.value,
        "decision": _decision(found.decision, cluster),
        "grants": [_grant(grant, cluster) for grant in found.grants],
        "impersonation": _impersonation(found.impersonation, cluster) if found.impersonation else None,
        "nearest": [
            {
                "why": miss.text,
                "binding": _binding(miss.binding, miss.position, cluster),
                "rule": label(miss.rule.content) if miss.rule else "",
            }
            for miss in found.misses
        ],
        "memberships": [{"group": one.group, **_grant(one.grant, cluster)} for one in found.memberships],
        "entering": _decision(found.entering, cluster) if found.entering else None,
        "reservations": list(found.reservations),
    }


def _cluster(cluster: Cluster) -> dict[str, Any]:
    dialect = cluster.evaluator.dialect
    return {
        "source": cluster.name,
        "live": cluster.evaluator.live,
        "version": ".".join(map(str, dialect.version)) if dialect.version else None,
        "authorisers": None if dialect.authorisers is None else [one.value for one in dialect.authorisers],
        "gaps": [
            {"file": gap.file, "line": gap.line, "reason": gap.reason.value, "detail": gap.detail}
            for gap in cluster.gaps
        ],
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "verb": request.verb,
        "api_group": request.api_group,
        "resource": request.resource,
        "subresource": request.subresource,
        "namespace": request.namespace,
        "name": request.name,
        "url": request.url,
    }


def _holder(row: Holder, request: Request, cluster: Cluster) -> dict[str, Any]:
    scope = "unplaced" if row.unplaced else "namespace" if row.scope else "cluster"
    return {
        "principal": _principal(row.principal),
        "system": row.system,
        "scope": scope,
        "namespace": row.scope,
        "names": list(row.names),
        "by_field_selector": bool(row.names) and not request.name and request.verb in BY_SELECTOR,
        "grant": _grant(row.grant, cluster) if row.grant else None,
    }


def _decision(decision: Decision, cluster: Cluster) -> dict[str, Any]:
    return {
        "answer": decision.answer.value,
        "by": decision.by,
        "grant": _grant(decision.grant, cluster) if decision.grant else None,
        "unknown": [_doubt(doubt, cluster) for doubt in decision.doubts],
    }


def _impersonation(found: Impersonation, cluster: Cluster) -> dict[str, Any]:
    return {
        "answer": found.answer.value,
        "mode": found.mode.value if found.mode else None,
        "checks": [{**_request(asked), "decision": _decision(decision, cluster)} for asked, decision in found.checks],
        "becomes": [{"user": one.user, "groups": sorted(one.groups)} for one in found.becomes],
        "unknown": [_doubt(doubt, cluster) for doubt in found.doubts],
    }


def _grant(grant: Grant, cluster: Cluster) -> dict[str, Any]:
    rule = grant.rule
    return {
        "principal": _principal(grant.principal),
        "binding": _binding(grant.binding, grant.position, cluster),
        "role": {**_named(grant.role), "location": _location(grant.role.origin, (), cluster)},
        "rule": {
            "label": label(rule.content),
            "stands_in": _named(rule.role),
            "aggregated_from": rule.aggregated_from,
            "location": _location(rule.role.origin, rule.path, cluster),
        },
        "names": list(grant.names),
    }


def _binding(binding: Binding, position: int, cluster: Cluster) -> dict[str, Any]:
    return {
        "kind": binding.kind,
        "namespace": binding.namespace,
        "name": binding.name,
        "built_in": binding.origin is None,
        "location": _location(binding.origin, ("subjects", position), cluster),
    }


def _named(role: Role) -> dict[str, Any]:
    return {"kind": role.kind, "namespace": role.namespace, "name": role.name, "built_in": role.origin is None}


def _principal(principal: Principal) -> dict[str, Any]:
    return {
        "kind": principal.kind.value,
        "namespace": principal.namespace,
        "name": principal.name,
        "key": principal.key,
        "open_ended": principal.open_ended,
    }


def _doubt(doubt: Doubt, cluster: Cluster) -> dict[str, Any]:
    binding = doubt.binding
    return {
        "kind": doubt.kind.value,
        "why": doubt.text,
        "principal": _principal(doubt.principal) if doubt.principal else None,
        "binding": _binding(binding, doubt.position, cluster) if binding else None,
    }


def _location(origin: Origin | None, steps: Steps, cluster: Cluster) -> dict[str, Any] | None:
    if origin is None:
        return None
    found: Location = cluster.locate(origin, steps)
    return {"file": found.file, "line": found.line, "column": found.column, "rendered_from": found.rendered_from}
