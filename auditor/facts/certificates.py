"""Certificates that stand in a Secret. Private keys are never looked at: the reader has taken them out.

Looked at: `tls.crt` of a `kubernetes.io/tls` Secret, every other key that ends in `.crt`, `.cer` or `.cert`, and keys
that end in `.pem` and hold a certificate. Of a chain, the first certificate: that is the one that is served.

On a cluster the values of Secrets are not read. What is known there comes from cert-manager (`auditor.facts.issued`):
the certificate as it was issued, or at least its dates.
"""

import base64
import binascii
import warnings
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auditor.facts.issued import Issued
from auditor.facts.shapes import mapping, text
from auditor.facts.times import days_since, days_until
from auditor.model.resource import REDACTED, pointer

if TYPE_CHECKING:
    from cryptography import x509

TLS = "kubernetes.io/tls"

_ENDINGS = (".crt", ".cer", ".cert")
_NO_CERTIFICATE = frozenset(
    {
        # Holds the cluster's own CA beside the token.
        "kubernetes.io/service-account-token",
        "kubernetes.io/dockerconfigjson",
        "kubernetes.io/dockercfg",
        "kubernetes.io/basic-auth",
        "kubernetes.io/ssh-auth",
        "bootstrap.kubernetes.io/token",
        "helm.sh/release.v1",
    }
)
"""Types of Secrets that serve no certificate."""
_PEM = b"-----BEGIN CERTIFICATE-----"
_UNREADABLE = {
    "subject": "",
    "names": [],
    "days_left": 0,
    "lifetime_days": 0,
    "key_type": "",
    "key_bits": 0,
    "signature": "",
    "self_signed": False,
    "readable": False,
}


def certificates(body: Any, *, now: datetime) -> list[dict[str, Any]]:
    """Return the view `certificates`. `now` is aware of its time zone."""
    found = []
    for field in ("data", "stringData"):
        for key, value in mapping(mapping(body).get(field)).items():
            if text(key) and text(value).strip() and REDACTED not in value:
                entry = _entry(key, value, encoded=field == "data", now=now)
                if entry:
                    found.append({"path": pointer((field, key)), "key": key, **entry})
    return found


def may_hold(body: Any) -> bool:
    """Return whether a Secret without values may hold a certificate, by its type and the names of its keys."""
    type_, keys = mapping(body).get("type"), mapping(body).get("keys")
    if type_ in _NO_CERTIFICATE:
        return False
    if type_ == TLS:
        return True
    return not isinstance(keys, list) or any(text(key).endswith((*_ENDINGS, ".pem")) for key in keys)


def of_cluster(told: Issued, requests: Iterable[str], *, now: datetime) -> tuple[list[dict[str, Any]], str]:
    """Return the view `certificates` of a Secret that cert-manager fills, or why it is not known.

    `told` is what its Certificate says, `requests` are the certificates that were issued for it.
    """
    left = days_until(told.not_after, now=now)
    if left is None:
        return [], f"Certificate {told.name} does not tell until when it is valid"
    for request in requests:
        certificate = _read(_decoded(request))
        if certificate is not None and f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}" == told.not_after:
            return [{"path": "", "key": "tls.crt", **_described(certificate, now)}], ""
    known = {
        "days_left": left,
        "lifetime_days": left + (days_since(told.not_before, now=now) or 0),
        "readable": True,
    }
    return [{"path": "", "key": "tls.crt", **_UNREADABLE, **known}], ""


def _entry(key: str, value: str, *, encoded: bool, now: datetime) -> dict[str, Any] | None:
    certain = key.endswith(_ENDINGS)
    if not certain and not key.endswith(".pem"):
        return None
    content = _decoded(value) if encoded else value.encode()
    if not content and encoded:
        return dict(_UNREADABLE) if certain else None
    if not certain and _PEM not in content:
        return None
    certificate = _read(content)
    return dict(_UNREADABLE) if certificate is None else _described(certificate, now)


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _read(content: bytes) -> "x509.Certificate | None":
    from cryptography import x509  # noqa: PLC0415 - start-up: only where a certificate stands

    start = content.find(_PEM)
    try:
        with warnings.catch_warnings():
            # An odd serial number is no reason to write to standard error.
            warnings.simplefilter("ignore")
            if start >= 0:
                return x509.load_pem_x509_certificate(content[start:])
            return x509.load_der_x509_certificate(content)
    except ValueError:
        return None


def _described(certificate: "x509.Certificate", now: datetime) -> dict[str, Any]:
    with warnings.catch_warnings():
        # Nor is a name that is longer than RFC 5280 allows.
        warnings.simplefilter("ignore")
        return _told(certificate, now)


def _told(certificate: "x509.Certificate", now: datetime) -> dict[str, Any]:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    key_type, key_bits = _key(certificate)
    return {
        "subject": _subject(certificate),
        "names": _names(certificate),
        "days_left": (end - now.astimezone(UTC)).days,
        "lifetime_days": (end - start).days,
        "key_type": key_type,
        "key_bits": key_bits,
        "signature": _signature(certificate),
        "self_signed": _self_signed(certificate),
        "readable": True,
    }


def _subject(certificate: "x509.Certificate") -> str:
    try:
        return certificate.subject.rfc4514_string()
    except ValueError:
        return ""


def _names(certificate: "x509.Certificate") -> list[str]:
    from cryptography import x509  # noqa: PLC0415 - start-up: only where a certificate stands

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
        return [*names.get_values_for_type(x509.DNSName), *addresses]
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return []


def _key(certificate: "x509.Certificate") -> tuple[str, int]:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - start-up, as above
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa  # noqa: PLC0415

    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "other", 0
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519", 256
    if isinstance(key, ed448.Ed448PublicKey):
        return "ed448", 456
    sized = ((rsa.RSAPublicKey, "rsa"), (ec.EllipticCurvePublicKey, "ec"), (dsa.DSAPublicKey, "dsa"))
    return next(((name, key.key_size) for type_, name in sized if isinstance(key, type_)), ("other", 0))


def _signature(certificate: "x509.Certificate") -> str:
    """Return the hash of the signature, or the algorithm's name where it has no hash of its own (`ed25519`)."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - start-up, as above

    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return "other"
    return algorithm.name if algorithm else certificate.signature_algorithm_oid._name.lower()  # noqa: SLF001


def _self_signed(certificate: "x509.Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415 - start-up, as above

    if certificate.issuer != certificate.subject:
        return False
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True
