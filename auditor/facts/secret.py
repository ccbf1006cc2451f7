"""What policies see of a Secret beside its body: certificates, who serves them, encryption, age."""

from datetime import datetime
from typing import Any

from auditor.facts import issued
from auditor.facts.certificates import certificates, may_hold, of_cluster
from auditor.facts.estate import Estate
from auditor.facts.shapes import dig, mapping
from auditor.facts.times import days_since
from auditor.model.resource import LiteralKind, Place, Resource

TYPE = "kubernetes/Secret"


def secret(resource: Resource, estate: Estate, *, now: datetime) -> dict[str, Any]:
    """Return the variables of a Secret."""
    found, unread = _certificates(resource, estate, now=now)
    age = age_days(resource.body, now=now)
    written = days_since(mapping(resource.body).get("lastWrite"), now=now)
    return {
        "certificates": found,
        "certificate_unread": unread,
        "tls_hosts": estate.tls_hosts(resource.namespace, resource.name, near=resource.origin),
        "tls_hosts_unread": estate.tls_hosts_unread(resource.namespace),
        "encrypted": _encrypted(resource),
        "age_days": age,
        "written_days": age if written is None else written,
    }


def age_days(body: Any, *, now: datetime) -> int:
    """Return the whole days since `metadata.creationTimestamp`, or -1 where it is not known."""
    days = days_since(dig(body, "metadata", "creationTimestamp"), now=now)
    return -1 if days is None else days


def _certificates(resource: Resource, estate: Estate, *, now: datetime) -> tuple[list[dict[str, Any]], str]:
    """Return the certificates of a Secret, and why one that may be there is not known."""
    found = certificates(resource.body, now=now)
    if found or not resource.origin.source or not may_hold(resource.body):
        return found, ""
    told, requests = estate.certificate_of(resource.namespace, resource.name)
    if told is not None:
        return of_cluster(told, requests, now=now)
    return [], estate.extent.unread(issued.CERTIFICATE, resource.namespace) or (
        "the values of Secrets are not read from a cluster, and no Certificate of cert-manager describes this one"
    )


def _encrypted(resource: Resource) -> str:
    """Return `sops` for a file of SOPS, `sealed` where every value is ciphertext of another kind."""
    if mapping(mapping(resource.body).get("sops")):
        return "sops"
    kinds = {literal.kind for literal in resource.literals if literal.place is Place.SECRET}
    return "sealed" if kinds == {LiteralKind.ENCRYPTED} else ""
