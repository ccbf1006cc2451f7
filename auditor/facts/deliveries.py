"""Ways in which a pod gets its secrets from a store or encrypted, instead of from a plain Secret in a manifest.

| kind | recognised by |
|---|---|
| `secrets-store-csi` | a volume of the Secrets Store CSI driver, or a Secret that a SecretProviderClass makes |
| `spiffe-csi` | a volume of the SPIFFE CSI driver |
| `cert-manager` | a volume of cert-manager's CSI drivers, or a Secret that a Certificate makes |
| `vault-secrets-operator` | its CSI driver, or a Secret that one of its kinds makes |
| `external-secrets`, `sealed-secrets`, `sops`, `other-operator` | a Secret that one of their kinds makes |
| `vault-agent` | the injector's annotation on the pod template |
| `fetcher` | a webhook that fetches when the container starts (Bank-Vaults, 1Password, Infisical, AWS, akv2k8s), or a \
container that runs a known fetching program |
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from auditor.facts.fetchers import fetcher
from auditor.facts.shapes import mapping, maps, text
from auditor.facts.sources import DELIVERED
from auditor.facts.writers import CERT_MANAGER, SECRETS_STORE_CSI, VAULT_SECRETS_OPERATOR
from auditor.model.resource import Path, pointer

_DRIVERS = {
    "secrets-store.csi.k8s.io": SECRETS_STORE_CSI,
    "secrets-store-gke.csi.k8s.io": SECRETS_STORE_CSI,
    "csi.spiffe.io": "spiffe-csi",
    "csi.cert-manager.io": CERT_MANAGER,
    "spiffe.csi.cert-manager.io": CERT_MANAGER,
    "csi.vso.hashicorp.com": VAULT_SECRETS_OPERATOR,
}

_INJECTORS = (
    ("vault.hashicorp.com/agent-inject", ("true",), "vault-agent", "injector"),
    ("openbao.org/agent-inject", ("true",), "vault-agent", "injector"),
    ("vault.security.banzaicloud.io/vault-addr", (), "fetcher", "bank-vaults"),
    ("vault.security.bank-vaults.io/vault-addr", (), "fetcher", "bank-vaults"),
    ("secrets-webhook.security.bank-vaults.io/provider", (), "fetcher", "bank-vaults"),
    ("org.infisical.com/inject", ("true",), "fetcher", "infisical"),
    ("operator.1password.io/inject", (), "fetcher", "1password"),
    ("operator.1password.io/item-path", (), "other-operator", "1password"),
    ("secrets.k8s.aws/sidecarInjectorWebhook", ("enabled",), "fetcher", "aws"),
    ("conjur.org/inject", ("true", "yes", "on"), "fetcher", "conjur"),
    ("akeyless/enabled", ("true",), "fetcher", "akeyless"),
)
"""Annotation, its values that count (none: any), kind, detail."""

_FETCHED_VALUE = re.compile(r">{0,2}(?:vault|bao):\S|op://\S|\S+@azurekeyvault\b|berglas://\S")
"""Values of environment variables that a webhook or wrapper replaces when the container starts."""


def deliveries(
    annotations: tuple[Path, dict[str, str]],
    pod: tuple[Path, dict[str, Any]],
    containers: Sequence[tuple[Path, dict[str, Any]]],
    refs: Sequence[dict[str, Any]],
) -> list[dict[str, str]]:
    """Return the view `deliveries`; `refs` is the view `secret_refs`, each other argument a value and its path."""
    found = list(_of_annotations(*annotations))
    pod_path, spec = pod
    for index, volume in maps(spec.get("volumes")):
        if "csi" in volume:
            found.extend(_of_volume((*pod_path, "volumes", index), mapping(volume["csi"])))
    found.extend(_delivery(ref["source"], ref["name"], ref["path"]) for ref in refs if ref["source"] in DELIVERED)
    for path, container in containers:
        program = fetcher(container)
        if program:
            found.append(_delivery("fetcher", program, pointer(path)))
        found.extend(_of_environment(path, container))
    return found


def _of_annotations(path: Path, annotations: dict[str, str]) -> Iterator[dict[str, str]]:
    if not annotations:
        return
    for key, values, kind, detail in _INJECTORS:
        value = annotations.get(key)
        if value is not None and (not values or value.lower() in values):
            yield _delivery(kind, detail, pointer((*path, key)))


def _of_volume(path: Path, csi: dict[str, Any]) -> Iterator[dict[str, str]]:
    kind = _DRIVERS.get(text(csi.get("driver")))
    if kind:
        detail = text(mapping(csi.get("volumeAttributes")).get("secretProviderClass"))
        yield _delivery(kind, detail, pointer(path))


def _of_environment(path: Path, container: dict[str, Any]) -> Iterator[dict[str, str]]:
    for index, variable in maps(container.get("env")):
        value = variable.get("value")
        if isinstance(value, str) and (":" in value or "@" in value) and _FETCHED_VALUE.match(value):
            yield _delivery("fetcher", "env-value", pointer((*path, "env", index)))


def _delivery(kind: str, detail: str, path: str) -> dict[str, str]:
    return {"kind": kind, "detail": detail, "path": path}
