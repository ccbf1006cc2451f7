"""What policies see of one resource beside its body, computed once for all of them. `docs/views.md` promises it.

Values are plain dicts, lists, texts, numbers and booleans. Nothing here judges, and no shape of input makes it fail:
what is not of the shape that Kubernetes would accept is absent.
"""

from datetime import datetime
from typing import Any

from auditor.facts import grants, secret, stores
from auditor.facts.estate import Estate
from auditor.facts.pod_spec import pod_spec
from auditor.model import ci
from auditor.model.ci import TRUST_TYPES
from auditor.model.resource import Literal, Resource, pointer
from auditor.model.stores import TYPES as STORE_TYPES
from auditor.model.views import Views
from auditor.workloads import Workloads

OBJECT = "object"
NAMELESS = "without a name"
"""Stands for the name of an object that has none, so that a sentence about it can be read."""

POD_SPEC = "pod_spec"
CONTROL_PLANE = "control_plane"
STORE = "store"
CI = "ci"
CI_TRUST = "ci_trust"

NAMES = frozenset({OBJECT, POD_SPEC, CONTROL_PLANE, STORE, CI, CI_TRUST})
"""Every view that `applies_to` of a policy can name."""

_NONE: frozenset[str] = frozenset()
_OBJECT = frozenset({OBJECT})
_WORKLOAD = frozenset({OBJECT, POD_SPEC})
_CONTROL_PLANE = frozenset({OBJECT, POD_SPEC, CONTROL_PLANE})
_STORE = frozenset({OBJECT, STORE})
_CI = frozenset({CI})
_CI_TRUST = frozenset({OBJECT, CI_TRUST})
_CI_TRUST_FILE = frozenset({CI_TRUST})


def views(resource: Resource, estate: Estate, *, workloads: Workloads, now: datetime) -> Views:
    """Return the views of `resource`; `now` (aware) decides ages, `estate` holds everything that was read."""
    type_ = resource.type
    variables: dict[str, Any] = {
        "subject": {
            "type": type_,
            "kind": type_.partition("/")[2].partition(".")[0],
            "name": resource.name or NAMELESS,
            "namespace": resource.namespace,
            "source": resource.origin.source,
        },
        "cluster": {"minor": estate.extent.minor, "provider": estate.extent.provider},
        "literals": [_literal(literal) for literal in resource.literals] if resource.literals else [],
    }
    workload = workloads.of(type_)
    if workload is not None:
        more, paths = pod_spec(resource, workload, estate)
        variables.update(more)
        names = _CONTROL_PLANE if variables["component"] else _WORKLOAD
        if type_ in ci.TEKTON:
            variables.update(_ci(resource, estate))
            names |= _CI
        return Views(names=names, variables=variables, paths=paths)
    if type_ == secret.TYPE:
        variables.update(secret.secret(resource, estate, now=now))
    elif type_ == grants.FACT:
        variables["holder"] = grants.holder(resource, estate)
    elif type_ in STORE_TYPES:
        variables.update(stores.store(resource))
        return Views(names=_STORE, variables=variables)
    elif type_ in ci.PIPELINES:
        variables.update(_ci(resource, estate))
        return Views(names=_CI, variables=variables)
    elif type_ in TRUST_TYPES:
        from auditor.facts.ci import trust  # noqa: PLC0415 - start-up: only where one is met

        variables.update(trust.trusts(resource))
        return Views(names=_CI_TRUST_FILE if type_ == ci.AWS_TRUST else _CI_TRUST, variables=variables)
    return Views(names=_OBJECT if type_.startswith("kubernetes/") else _NONE, variables=variables)


def _ci(resource: Resource, estate: Estate) -> dict[str, Any]:
    from auditor.facts.ci import view  # noqa: PLC0415 - start-up: only where one is met

    return view.view(resource, estate.definitions)


def _literal(literal: Literal) -> dict[str, Any]:
    return {
        "place": literal.place.value,
        "key": literal.key,
        "kind": literal.kind.value,
        "rule": literal.rule,
        "confidence": literal.confidence.value,
        "fingerprint": literal.fingerprint,
        "length": literal.length,
        "container": literal.container,
        "path": pointer(literal.path),
    }
