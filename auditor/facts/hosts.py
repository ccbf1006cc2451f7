"""Which host names an Ingress or a Gateway serves with which TLS Secret."""

from collections.abc import Iterable

from auditor.facts.shapes import dig, elements, mapping, maps, text
from auditor.model.resource import Resource

INGRESS = "kubernetes/Ingress"
GATEWAY = "kubernetes/Gateway"
"""As a cluster serves them."""

_INGRESSES = frozenset({INGRESS, "kubernetes/Ingress.extensions"})
_GATEWAYS = frozenset({GATEWAY, "kubernetes/Gateway.gateway.networking.k8s.io"})

TYPES = _INGRESSES | _GATEWAYS
"""Every type that serves hosts."""


def served_by(resource: Resource) -> Iterable[tuple[str, str, str]]:
    """Return (namespace, Secret, host) for each host that `resource` serves with a Secret it names."""
    spec = mapping(mapping(resource.body).get("spec"))
    return _of_ingress(resource, spec) if resource.type in _INGRESSES else _of_gateway(resource, spec)


def _of_ingress(resource: Resource, spec: dict[str, object]) -> Iterable[tuple[str, str, str]]:
    for _, entry in maps(spec.get("tls")):
        secret = text(entry.get("secretName"))
        # Without hosts of its own, an entry is for every host of the rules.
        hosts = elements(entry.get("hosts")) or [rule.get("host") for _, rule in maps(spec.get("rules"))]
        for host in filter(None, map(text, hosts)):
            if secret:
                yield resource.namespace, secret, host


def _of_gateway(resource: Resource, spec: dict[str, object]) -> Iterable[tuple[str, str, str]]:
    for _, listener in maps(spec.get("listeners")):
        host = text(listener.get("hostname"))
        for _, reference in maps(dig(listener, "tls", "certificateRefs")):
            secret = text(reference.get("name"))
            if secret and host and reference.get("kind") in {None, "Secret"}:
                yield text(reference.get("namespace")) or resource.namespace, secret, host
