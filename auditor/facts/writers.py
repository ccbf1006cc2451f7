"""Who wrote the values of a Secret on a cluster, told by what the API keeps beside them: owners, labels, managers.

A person's or a script's client writes values that it was given; a store's operator fetches them. A tool that applies a
repository (Argo CD, Flux) may have decrypted what it applies, and a writer that is not in the table may be anything:
both leave the source unknown. Field managers are names that clients give themselves, as audit logs' user agents are.
"""

import re
from collections.abc import Iterable
from typing import Any

from auditor.facts.shapes import elements, mapping, text, texts

EXTERNAL_SECRETS = "external-secrets"
SECRETS_STORE_CSI = "secrets-store-csi"
VAULT_SECRETS_OPERATOR = "vault-secrets-operator"
SEALED_SECRETS = "sealed-secrets"
CERT_MANAGER = "cert-manager"
OTHER_OPERATOR = "other-operator"
PLATFORM = "platform"
PLAIN = "plain"
UNKNOWN = "unknown"

OWNERS = {
    "ExternalSecret": EXTERNAL_SECRETS,
    "SealedSecret": SEALED_SECRETS,
    "Certificate": CERT_MANAGER,
    "VaultStaticSecret": VAULT_SECRETS_OPERATOR,
    "VaultDynamicSecret": VAULT_SECRETS_OPERATOR,
    "VaultPKISecret": VAULT_SECRETS_OPERATOR,
    "SecretProviderClassPodStatus": SECRETS_STORE_CSI,
    "OnePasswordItem": OTHER_OPERATOR,
    "InfisicalSecret": OTHER_OPERATOR,
    "DopplerSecret": OTHER_OPERATOR,
    "BitwardenSecret": OTHER_OPERATOR,
}
"""Kind of the owner to what fills the Secret."""

_LABELS = (
    ("reconcile.external-secrets.io/managed", EXTERNAL_SECRETS),
    ("reconcile.external-secrets.io/created-by", EXTERNAL_SECRETS),
    ("secrets-store.csi.k8s.io/managed", SECRETS_STORE_CSI),
    ("secrets.hashicorp.com/vso-ownerRefUID", VAULT_SECRETS_OPERATOR),
    ("controller.cert-manager.io/fao", CERT_MANAGER),
)
_REPOSITORY = (
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("argocd.argoproj.io/instance", "Argo CD"),
)
_TYPES = {
    "kubernetes.io/service-account-token": PLATFORM,
    "bootstrap.kubernetes.io/token": PLATFORM,
    "helm.sh/release.v1": PLATFORM,
}
"""Types of Secrets that a part of the platform writes for itself."""

_MANAGERS = (
    ("externalsecrets.external-secrets.io", EXTERNAL_SECRETS),
    ("external-secrets", EXTERNAL_SECRETS),
    ("vault-secrets-operator", VAULT_SECRETS_OPERATOR),
    ("cert-manager", CERT_MANAGER),
    ("secrets-store", SECRETS_STORE_CSI),
    ("kube-controller-manager", PLATFORM),
    ("kubeadm", PLATFORM),
)
"""Beginning of a field manager's name to what it is."""
_REPOSITORY_MANAGERS = {
    "argocd": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
    "flux": "Flux",
    "kapp": "kapp-controller",
    "fleet": "Fleet",
}
_CLIENTS = re.compile(
    "(?:kubectl|helm|terraform|Terraform|HashiCorp|pulumi|OpenAPI-Generator|python-requests|Mozilla|node-fetch|dashboard|k9s|"
    "lens|ansible|oc|curl)(?![A-Za-z])"
)
"""Names of clients that write what a person or a script gave them."""


def writer(body: dict[str, Any]) -> tuple[str, str]:
    """Return the source of the values of the Secret `body`, and who wrote them; as far as it can be told."""
    metadata = mapping(body.get("metadata"))
    labels, annotations = texts(metadata.get("labels")), texts(metadata.get("annotations"))
    platform = _TYPES.get(text(body.get("type")))
    if platform:
        return platform, "Kubernetes"
    for owner in elements(metadata.get("ownerReferences")):
        source = OWNERS.get(text(mapping(owner).get("kind")))
        if source:
            return source, text(mapping(owner).get("kind"))
    for key, source in _LABELS:
        if key in labels:
            return source, source
    if any(key.startswith("cert-manager.io/") for key in annotations):
        return CERT_MANAGER, CERT_MANAGER
    by_tool = next((tool for key, tool in _REPOSITORY if key in labels or key in annotations), "")
    if by_tool:
        return UNKNOWN, by_tool
    return _of_managers(filter(None, map(text, elements(body.get("managers"))))) or _of_traces(labels, annotations)


def _of_managers(managers: Iterable[str]) -> tuple[str, str] | None:
    """Return what the managers of the values say; where they are of several kinds, who wrote which is unknown."""
    found = sorted({_of_manager(manager) for manager in managers})
    if not found:
        return None
    sources = {source for source, _ in found}
    return (sources.pop() if len(sources) == 1 else UNKNOWN), " and ".join(name for _, name in found)


def _of_manager(manager: str) -> tuple[str, str]:
    tool = next((tool for name, tool in _REPOSITORY_MANAGERS.items() if manager.startswith(name)), "")
    if tool:
        return UNKNOWN, tool
    source = next((source for name, source in _MANAGERS if manager.startswith(name)), "")
    return (source or (PLAIN if _CLIENTS.match(manager) else UNKNOWN)), manager


def _of_traces(labels: dict[str, str], annotations: dict[str, str]) -> tuple[str, str]:
    """Return what a client left on the object, where the field managers are not in the input (`kubectl get`)."""
    if "kubectl.kubernetes.io/last-applied-configuration" in annotations:
        return PLAIN, "kubectl"
    if "meta.helm.sh/release-name" in annotations or labels.get("app.kubernetes.io/managed-by") == "Helm":
        return PLAIN, "helm"
    return UNKNOWN, ""
