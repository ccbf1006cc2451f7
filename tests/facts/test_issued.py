"""Certificates in Secrets of a cluster, which are never read: what cert-manager says of them."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from auditor.facts import hosts, issued, sources
from auditor.facts.extent import Extent
from auditor.model.collection import CallResult
from auditor.model.resource import Resource
from tests.facts.builders import NOW
from tests.facts.cluster import call, live, read, variables
from tests.facts.test_secret import certificate, encoded, pem

WHOLE = read(*sources.MAKERS, *issued.TYPES, hosts.GATEWAY)


def asked(days: int | None, *, secret: str = "web-tls") -> Resource:  # noqa: S107 - a name
    """Return a Certificate whose certificate ends in that many days; `None`: not issued yet."""
    end = "" if days is None else f"{NOW + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    start = f"{NOW - timedelta(days=60):%Y-%m-%dT%H:%M:%SZ}"
    status = f"{{notBefore: '{start}', notAfter: '{end}'}}" if end else "{}"
    return live(
        "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: web, namespace: shop},"
        f" spec: {{secretName: {secret}, dnsNames: [wished.example]}}, status: {status}}}"
    )


def answered(days: int, *, of: str = "web", namespace: str = "shop", **more: Any) -> Resource:
    """Return a CertificateRequest with a certificate that ends in that many days."""
    content = encoded(pem(certificate(days=days, **more)))
    return live(
        "{apiVersion: cert-manager.io/v1, kind: CertificateRequest,"
        f" metadata: {{name: {of}-{days}, namespace: {namespace},"
        f" annotations: {{cert-manager.io/certificate-name: {of}}}}}, status: {{certificate: '{content}'}}}}"
    )


def seen(
    *others: Resource, extent: Extent = WHOLE, about: str = "type: kubernetes.io/tls, keys: [tls.crt, tls.key]"
) -> Any:
    return variables(
        extent,
        f"{{apiVersion: v1, kind: Secret, metadata: {{name: web-tls, namespace: shop}}, {about}}}",
        *others,
    )


def test_the_certificate_that_was_issued_last_is_the_one_in_the_secret() -> None:
    found = seen(asked(50), answered(20), answered(50, key=ed25519.Ed25519PrivateKey.generate()), answered(80))
    (entry,) = found["certificates"]
    assert (entry["days_left"], entry["key_type"], entry["signature"]) == (50, "ed25519", "ed25519")
    assert entry["names"] == ["shop.example", "192.0.2.7"]
    assert (entry["path"], entry["key"], found["certificate_unread"]) == ("", "tls.crt", "")


def test_of_a_certificate_whose_request_is_gone_only_the_dates_are_known() -> None:
    """Key and names of its `spec` are wishes: what was issued may be older."""
    (entry,) = seen(asked(-3), answered(20))["certificates"]
    assert (entry["days_left"], entry["lifetime_days"], entry["readable"]) == (-3, 57, True)
    assert (entry["key_type"], entry["signature"], entry["names"]) == ("", "", [])


def test_requests_of_other_certificates_and_namespaces_are_not_meant() -> None:
    (entry,) = seen(asked(50), answered(50, of="api"), answered(50, namespace="pay"))["certificates"]
    assert entry["signature"] == ""


def test_a_certificate_that_was_never_issued_is_not_known() -> None:
    found = seen(asked(None))
    assert found["certificates"] == []
    assert found["certificate_unread"] == "Certificate web does not tell until when it is valid"


def test_a_secret_that_no_certificate_describes_stays_unknown() -> None:
    found = seen(asked(50, secret="other"))
    assert found["certificates"] == []
    assert found["certificate_unread"].endswith("no Certificate of cert-manager describes this one")


def test_certificates_that_were_not_read_are_the_reason() -> None:
    refused = read(*sources.MAKERS, hosts.GATEWAY, but=[call(issued.CERTIFICATE, CallResult.FORBIDDEN)])
    assert seen(extent=refused)["certificate_unread"] == (
        "prod: the list of Certificate.cert-manager.io was not read (forbidden)"
    )


@pytest.mark.parametrize(
    ("about", "may"),
    [
        ("type: Opaque, keys: [password]", False),
        ("type: Opaque, keys: [password, server.crt]", True),
        ("type: Opaque, keys: [bundle.pem]", True),
        ("type: Opaque, keyCount: 2", True),  # which keys is not known
        ("type: kubernetes.io/tls, keyCount: 2", True),
        ("type: kubernetes.io/service-account-token, keys: [ca.crt, token]", False),
        ("type: kubernetes.io/dockerconfigjson, keyCount: 1", False),
    ],
)
def test_type_and_keys_tell_whether_a_secret_may_hold_a_certificate(about: str, *, may: bool) -> None:
    assert bool(seen(about=about)["certificate_unread"]) is may


def test_manifests_have_their_certificates_themselves() -> None:
    """A live object that carries data, as from an old export, is read like any other."""
    content = encoded(pem(certificate(days=9)))
    (entry,) = seen(about=f"type: kubernetes.io/tls, data: {{tls.crt: '{content}'}}")["certificates"]
    assert (entry["days_left"], entry["path"]) == (9, "/data/tls.crt")
