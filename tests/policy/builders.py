"""Policies and resources for the tests of the engine, made from text as a user writes it."""

from typing import Any

import yaml

from auditor.model.resource import Origin, Resource
from auditor.model.views import Views
from auditor.policy import document
from auditor.policy.document import Policy

_BASE: dict[str, Any] = {
    "id": "T-01",
    "name": "test",
    "title": "A test",
    "severity": "low",
    "applies_to": ["kubernetes/Pod"],
    "supports": [{"requirement": "soc2/CC6.1", "strength": "supporting"}],
    "expression": "true",
    "message_expression": '"no"',
    "rationale": "Because it is a test of the engine.",
    "remediation": "Do nothing at all.",
    "examples": [],
}


def policy(text: str = "{}", **fields: Any) -> Policy:
    """Return a policy with the keys in the YAML `text`, the rest filled in."""
    return document.parse(_BASE | (yaml.safe_load(text) or {}) | fields, file="T-01-test.yaml", digest="0" * 64)


def pod(body: str, *, type_: str = "kubernetes/Pod") -> Resource:
    """Return a resource with the YAML `body`."""
    return Resource(type=type_, name="p", namespace="n", body=yaml.safe_load(body), origin=Origin(file="p.yaml"))


def seen(resource: Resource, **variables: Any) -> Views:
    """Return views with `containers` of a Pod, and more variables."""
    containers = resource.body.get("spec", {}).get("containers", [])
    return Views(
        names=frozenset({"pod_spec"}),
        variables={"containers": containers, **variables},
        paths={"containers": tuple(("spec", "containers", index) for index in range(len(containers)))},
    )
