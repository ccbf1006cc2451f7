"""What policies see of a Secret beside its body: certificates, who serves them, encryption, age."""

import re
from datetime import UTC, datetime
from typing import Any

from auditor.facts.certificates import certificates
from auditor.facts.estate import Estate
from auditor.facts.shapes import dig, mapping
from auditor.model.resource import LiteralKind, Place, Resource

TYPE = "kubernetes/Secret"

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


def secret(resource: Resource, estate: Estate, *, now: datetime) -> dict[str, Any]:
    """Return the variables of a Secret."""
    return {
        "certificates": certificates(resource.body, now=now),
        "tls_hosts": estate.tls_hosts(resource.namespace, resource.name, near=resource.origin),
        "encrypted": _encrypted(resource),
        "age_days": age_days(resource.body, now=now),
    }


def age_days(body: Any, *, now: datetime) -> int:
    """Return the whole days since `metadata.creationTimestamp`, or -1 where it is not known."""
    stamp = dig(body, "metadata", "creationTimestamp")
    if not isinstance(stamp, str) or not _TIMESTAMP.fullmatch(stamp):
        return -1
    try:
        created = datetime.fromisoformat(stamp)
    except ValueError:
        return -1
    return max((now.astimezone(UTC) - created).days, 0)


def _encrypted(resource: Resource) -> str:
    """Return `sops` for a file of SOPS, `sealed` where every value is ciphertext of another kind."""
    if mapping(mapping(resource.body).get("sops")):
        return "sops"
    kinds = {literal.kind for literal in resource.literals if literal.place is Place.SECRET}
    return "sealed" if kinds == {LiteralKind.ENCRYPTED} else ""
