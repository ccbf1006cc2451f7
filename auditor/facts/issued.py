"""What cert-manager says of the certificates in Secrets, whose values are never read from a cluster.

A Certificate names its Secret and, in its status, the dates; a CertificateRequest holds the certificate that was issued
for it, which is public. Of several requests, the one whose last day is the Certificate's is the one in the Secret. Key
and names stand in the Certificate's `spec` as well, but as they are wished for: what was issued may be older.
"""

from collections.abc import Iterable
from typing import NamedTuple

from auditor.facts.shapes import dig, mapping, text
from auditor.model.resource import Resource

CERTIFICATE = "kubernetes/Certificate.cert-manager.io"
REQUEST = "kubernetes/CertificateRequest.cert-manager.io"
TYPES = frozenset({CERTIFICATE, REQUEST})

_OF_CERTIFICATE = "cert-manager.io/certificate-name"


class Issued(NamedTuple):
    """What a Certificate says of the certificate in its Secret."""

    namespace: str
    secret: str
    name: str
    """Of the Certificate."""
    not_before: str
    not_after: str
    """As in its status: RFC 3339; empty where nothing was issued yet."""


class Request(NamedTuple):
    """A certificate as it was issued."""

    namespace: str
    name: str
    """Of the Certificate that asked for it."""
    certificate: str
    """PEM in base64, as in the request's status."""


def certificates_of(resource: Resource) -> Iterable[Issued]:
    """Return what `resource` says, if it is a Certificate that names a Secret."""
    spec = mapping(mapping(resource.body).get("spec"))
    secret = text(spec.get("secretName"))
    if resource.type != CERTIFICATE or not secret:
        return ()
    return (
        Issued(
            namespace=resource.namespace,
            secret=secret,
            name=resource.name,
            not_before=text(dig(resource.body, "status", "notBefore")),
            not_after=text(dig(resource.body, "status", "notAfter")),
        ),
    )


def requests_of(resource: Resource) -> Iterable[Request]:
    """Return the certificate that `resource` holds, if it is an answered CertificateRequest of a Certificate."""
    if resource.type != REQUEST:
        return ()
    name = text(dig(resource.body, "metadata", "annotations", _OF_CERTIFICATE))
    certificate = text(dig(resource.body, "status", "certificate"))
    return (Request(resource.namespace, name, certificate),) if name and certificate else ()
