"""What policies see of a Secret. The certificates are made here, by `cryptography` itself."""

import base64
import warnings
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from auditor.model.resource import LiteralKind
from tests.facts.builders import NOW, credential, resource, see


def certificate(
    key: Any = None,
    *,
    issuer: str = "",
    days: int = 30,
    names: tuple[str, ...] = ("shop.example",),
    hash_: Any = None,
    name: str = "shop",
) -> x509.Certificate:
    """Return a certificate for `name`, valid from 60 days before until `days` days after `NOW`."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name, _validate=False)])
    by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]) if issuer else subject
    alternative: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternative.append(x509.IPAddress(ip_address("192.0.2.7")))
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hash_ or hashes.SHA256()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        .sign(key, algorithm)
    )


def pem(*chain: x509.Certificate) -> str:
    return "".join(item.public_bytes(Encoding.PEM).decode() for item in chain)


def encoded(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def seen(**body: Any) -> dict[str, Any]:
    full = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls", "namespace": "shop"}, **body}
    return dict(see(resource(yaml.safe_dump(full))).variables)


def test_a_certificate_is_described() -> None:
    found = seen(type="kubernetes.io/tls", data={"tls.crt": encoded(pem(certificate())), "tls.key": "[redacted]"})
    assert found["certificates"] == [
        {
            "path": "/data/tls.crt",
            "key": "tls.crt",
            "subject": "CN=shop",
            "names": ["shop.example", "192.0.2.7"],
            "days_left": 30,
            "lifetime_days": 90,
            "key_type": "ec",
            "key_bits": 256,
            "signature": "sha256",
            "self_signed": True,
            "readable": True,
        }
    ]


@pytest.mark.parametrize(
    ("key", "hash_", "expected"),
    [
        (rsa.generate_private_key(65537, 2048), hashes.SHA512(), ("rsa", 2048, "sha512")),
        (ec.generate_private_key(ec.SECP384R1()), hashes.SHA384(), ("ec", 384, "sha384")),
        (ed25519.Ed25519PrivateKey.generate(), None, ("ed25519", 256, "ed25519")),
    ],
    ids=["rsa", "ec", "ed25519"],
)
def test_key_and_signature(key: Any, hash_: Any, expected: tuple[str, int, str]) -> None:
    (found,) = seen(stringData={"tls.crt": pem(certificate(key, hash_=hash_))})["certificates"]
    assert (found["key_type"], found["key_bits"], found["signature"]) == expected


def test_an_expired_certificate_has_less_than_zero_days_left() -> None:
    (found,) = seen(stringData={"tls.crt": pem(certificate(days=-1))})["certificates"]
    assert found["days_left"] == -1


def test_an_issued_certificate_is_not_self_signed_even_when_the_issuer_has_its_name() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    issued = certificate(issuer="some authority")
    assert not seen(stringData={"tls.crt": pem(issued)})["certificates"][0]["self_signed"]
    # The same name, signed by another key.
    subject = issued.subject
    forged = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(8)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(other, hashes.SHA256())
    )
    assert not seen(stringData={"tls.crt": pem(forged)})["certificates"][0]["self_signed"]


def test_a_name_that_is_too_long_for_the_norm_is_told_without_a_warning() -> None:
    """A service of Kubernetes may have 66 letters (RFC 5280 allows 64); warnings would stand on standard error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = encoded(pem(certificate(name="s" * 66)))
    found = seen(type="kubernetes.io/tls", data={"tls.crt": content})
    assert found["certificates"][0]["subject"] == f"CN={'s' * 66}"


def test_of_a_chain_the_first_certificate_counts() -> None:
    chain = pem(certificate(days=5), certificate(days=500))
    assert [item["days_left"] for item in seen(stringData={"tls.crt": chain})["certificates"]] == [5]


def test_binary_certificates_and_text_before_the_first_are_read() -> None:
    der = certificate().public_bytes(Encoding.DER)
    found = seen(data={"a.cer": encoded(der), "b.crt": encoded("subject=CN = shop\n" + pem(certificate()))})
    assert [item["readable"] for item in found["certificates"]] == [True, True]


@pytest.mark.parametrize(
    ("field", "key", "value"),
    [
        ("data", "tls.crt", "not base64!"),
        ("data", "tls.crt", encoded("no certificate")),
        ("stringData", "ca.crt", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
        ("stringData", "tls.crt", "<your certificate>"),
    ],
)
def test_what_should_be_a_certificate_and_is_none_is_unreadable(field: str, key: str, value: str) -> None:
    (found,) = seen(**{field: {key: value}})["certificates"]
    assert not found["readable"]
    assert found["path"] == f"/{field}/{key}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tls.crt", ""),
        ("tls.crt", "[redacted]"),
        ("tls.crt", 7),
        ("tls.crt", None),
        ("dhparam.pem", "-----BEGIN DH PARAMETERS-----\n"),
        ("password", "x"),
    ],
)
def test_what_is_not_there_or_is_no_certificate_by_name_is_left_out(key: str, value: Any) -> None:
    assert seen(stringData={key: value})["certificates"] == []


def test_a_pem_key_that_holds_a_certificate_is_looked_at() -> None:
    assert len(seen(stringData={"bundle.pem": pem(certificate())})["certificates"]) == 1


def test_hosts_that_serve_the_secret() -> None:
    ingress = resource(
        "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: shop},"
        " spec: {tls: [{hosts: [shop.example], secretName: tls}]}}"
    )
    secret = resource("{apiVersion: v1, kind: Secret, metadata: {name: tls, namespace: shop}}")
    assert see(secret, ingress).variables["tls_hosts"] == ["shop.example"]
    assert see(secret).variables["tls_hosts"] == []


def test_encryption_is_told() -> None:
    path = ("stringData", "a")
    text = "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: x}}"
    encrypted = credential(path, kind=LiteralKind.ENCRYPTED, fingerprint="")
    assert seen(sops={"version": "3.9.0"})["encrypted"] == "sops"
    assert see(resource(text, literals=[encrypted])).variables["encrypted"] == "sealed"
    assert see(resource(text, literals=[encrypted, credential(path)])).variables["encrypted"] == ""
    assert seen()["encrypted"] == ""


@pytest.mark.parametrize(
    ("stamp", "age"),
    [
        ("2026-11-23T12:00:00Z", 1),
        ("2026-11-23T12:00:01Z", 0),
        ("2025-11-24T14:00:00+02:00", 365),
        ("2030-01-01T00:00:00Z", 0),
        ("2026-11-23", -1),
        ("2026-13-45T00:00:00Z", -1),
        ("yesterday", -1),
        (20261123, -1),
        (None, -1),
    ],
)
def test_age(stamp: Any, age: int) -> None:
    assert seen(metadata={"name": "tls", "creationTimestamp": stamp})["age_days"] == age
