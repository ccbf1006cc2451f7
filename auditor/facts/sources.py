"""What in the input makes which Kubernetes Secret: operators' custom resources, generators, manifests with values.

One entry of the table a type; each returns (namespace, name of the Secret, source). The words are those of
`secret_refs[].source` in docs/views.md.
"""

import re
from collections.abc import Callable, Iterable

from auditor.facts import writers
from auditor.facts.names import ANY_NAMESPACE
from auditor.facts.shapes import dig, elements, mapping, maps, text
from auditor.facts.writers import (
    CERT_MANAGER,
    EXTERNAL_SECRETS,
    OTHER_OPERATOR,
    OWNERS,
    PLAIN,
    PLATFORM,
    SEALED_SECRETS,
    SECRETS_STORE_CSI,
    VAULT_SECRETS_OPERATOR,
    writer,
)
from auditor.model.resource import LiteralKind, Resource

Made = tuple[str, str, str]
"""Namespace, name, source."""
SECRET = "kubernetes/Secret"  # noqa: S105 - a type

SOPS = "sops"
GENERATOR = "generator"
EMPTY_SECRET = "empty"  # noqa: S105 - the word for a Secret without values

DELIVERED = frozenset(
    {
        EXTERNAL_SECRETS,
        SECRETS_STORE_CSI,
        VAULT_SECRETS_OPERATOR,
        SEALED_SECRETS,
        SOPS,
        CERT_MANAGER,
        OTHER_OPERATOR,
    }
)
"""Sources that bring a Secret in from outside, or encrypted: a reference to such a Secret is a delivery."""

UNKNOWN = writers.UNKNOWN
PREFERENCE = (*sorted(DELIVERED), GENERATOR, PLATFORM, PLAIN, EMPTY_SECRET)
"""Of several objects that make the same Secret, equally near, the first of these."""

_HASHED = re.compile(r"-[a-z0-9]{10}$")
_ISSUERS = ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer", "kubernetes.io/tls-acme")


def made_by(resource: Resource) -> list[tuple[str, str, str, str]]:
    """Return the Secrets that exist because of `resource`: namespace, name, source, and who wrote the values."""
    if resource.type == SECRET and resource.origin.source:
        # On a cluster the object is there whatever made it, and its values are not.
        return [(resource.namespace, resource.name, *writer(mapping(resource.body)))]
    rule = _RULES.get(resource.type)
    return [(*made, "") for made in rule(resource) if made[1]] if rule else []


def without_hash(name: str) -> str:
    """Return the name before the suffix that Kustomize adds to what it generates; `""` where there is none."""
    return _HASHED.sub("", name) if _HASHED.search(name) else ""


def _external_secret(resource: Resource) -> Iterable[Made]:
    name = text(dig(resource.body, "spec", "target", "name")) or resource.name
    return [(resource.namespace, name, EXTERNAL_SECRETS)]


def _cluster_external_secret(resource: Resource) -> Iterable[Made]:
    spec = mapping(mapping(resource.body).get("spec"))
    inner = text(dig(spec, "externalSecretSpec", "target", "name"))
    name = inner or text(spec.get("externalSecretName")) or resource.name
    return [(ANY_NAMESPACE, name, EXTERNAL_SECRETS)]


def _secret_provider_class(resource: Resource) -> Iterable[Made]:
    objects = maps(dig(resource.body, "spec", "secretObjects"))
    return [(resource.namespace, text(item.get("secretName")), SECRETS_STORE_CSI) for _, item in objects]


def _vault_secret(resource: Resource) -> Iterable[Made]:
    destination = text(dig(resource.body, "spec", "destination", "name"))
    return [(resource.namespace, destination, VAULT_SECRETS_OPERATOR)]


def _sealed_secret(resource: Resource) -> Iterable[Made]:
    name = text(dig(resource.body, "spec", "template", "metadata", "name")) or resource.name
    return [(resource.namespace, name, SEALED_SECRETS)]


def _sops_secret(resource: Resource) -> Iterable[Made]:
    templates = maps(dig(resource.body, "spec", "secretTemplates"))
    return [(resource.namespace, text(template.get("name")), SOPS) for _, template in templates]


def _certificate(resource: Resource) -> Iterable[Made]:
    return [(resource.namespace, text(dig(resource.body, "spec", "secretName")), CERT_MANAGER)]


def _ingress(resource: Resource) -> Iterable[Made]:
    annotations = mapping(dig(resource.body, "metadata", "annotations"))
    if not any(issuer in annotations for issuer in _ISSUERS):
        return []
    entries = maps(dig(resource.body, "spec", "tls"))
    return [(resource.namespace, text(entry.get("secretName")), CERT_MANAGER) for _, entry in entries]


def _gateway(resource: Resource) -> Iterable[Made]:
    annotations = mapping(dig(resource.body, "metadata", "annotations"))
    if not any(issuer in annotations for issuer in _ISSUERS):
        return []
    return [
        (resource.namespace, text(reference.get("name")), CERT_MANAGER)
        for _, listener in maps(dig(resource.body, "spec", "listeners"))
        for _, reference in maps(dig(listener, "tls", "certificateRefs"))
    ]


def _kustomization(resource: Resource) -> Iterable[Made]:
    body = mapping(resource.body)
    prefix, suffix = text(body.get("namePrefix")), text(body.get("nameSuffix"))
    common = text(body.get("namespace")) or resource.namespace
    made = []
    for _, generator in maps(body.get("secretGenerator")):
        name = text(generator.get("name"))
        namespace = text(generator.get("namespace")) or common
        if name:
            made.append((namespace, name, GENERATOR))
        if name and (prefix or suffix):
            made.append((namespace, prefix + name + suffix, GENERATOR))
    return made


def _secret(resource: Resource) -> Iterable[Made]:
    body = mapping(resource.body)
    if body.get("sops"):
        source = SOPS
    elif any(literal.kind is LiteralKind.CREDENTIAL for literal in resource.literals):
        source = PLAIN
    else:
        source = _owner(body)
    return [(resource.namespace, resource.name, source)]


def _owner(body: dict[str, object]) -> str:
    """Return the source of a Secret without values that an operator fills."""
    metadata = mapping(body.get("metadata"))
    annotations = mapping(metadata.get("annotations"))
    if any(text(key).startswith("cert-manager.io/") for key in annotations):
        return CERT_MANAGER
    for owner in elements(metadata.get("ownerReferences")):
        source = OWNERS.get(text(mapping(owner).get("kind")))
        if source:
            return source
    return EMPTY_SECRET


def _at(source: str, *steps: str) -> Callable[[Resource], Iterable[Made]]:
    """Return the rule of an operator that names the Secret at `steps`, or after its own object without steps."""

    def rule(resource: Resource) -> Iterable[Made]:
        name = text(dig(resource.body, *steps)) if steps else resource.name
        return [(resource.namespace, name, source)]

    return rule


_RULES: dict[str, Callable[[Resource], Iterable[Made]]] = {
    "kubernetes/ExternalSecret.external-secrets.io": _external_secret,
    "kubernetes/ExternalSecret.kubernetes-client.io": _at(EXTERNAL_SECRETS),
    "kubernetes/ClusterExternalSecret.external-secrets.io": _cluster_external_secret,
    "kubernetes/SecretProviderClass.secrets-store.csi.x-k8s.io": _secret_provider_class,
    "kubernetes/VaultStaticSecret.secrets.hashicorp.com": _vault_secret,
    "kubernetes/VaultDynamicSecret.secrets.hashicorp.com": _vault_secret,
    "kubernetes/VaultPKISecret.secrets.hashicorp.com": _vault_secret,
    "kubernetes/HCPVaultSecretsApp.secrets.hashicorp.com": _vault_secret,
    "kubernetes/SealedSecret.bitnami.com": _sealed_secret,
    "kubernetes/Certificate.cert-manager.io": _certificate,
    "kubernetes/Ingress": _ingress,
    "kubernetes/Ingress.extensions": _ingress,
    "kubernetes/Gateway": _gateway,
    "kubernetes/Gateway.gateway.networking.k8s.io": _gateway,
    "file/kustomization": _kustomization,
    SECRET: _secret,
    # Other operators that fill a Secret from a store.
    "kubernetes/OnePasswordItem.onepassword.com": _at(OTHER_OPERATOR),
    "kubernetes/InfisicalSecret.secrets.infisical.com": _at(
        OTHER_OPERATOR, "spec", "managedSecretReference", "secretName"
    ),
    "kubernetes/DopplerSecret.secrets.doppler.com": _at(OTHER_OPERATOR, "spec", "managedSecret", "name"),
    "kubernetes/BitwardenSecret.k8s.bitwarden.com": _at(OTHER_OPERATOR, "spec", "secretName"),
    "kubernetes/AzureKeyVaultSecret.spv.no": _at(OTHER_OPERATOR, "spec", "output", "secret", "name"),
    "kubernetes/VaultSecret.ricoberger.de": _at(OTHER_OPERATOR),
    "kubernetes/VaultSecret.redhatcop.redhat.io": _at(OTHER_OPERATOR, "spec", "output", "name"),
    "kubernetes/AWSSecret.mumoshu.github.io": _at(OTHER_OPERATOR),
    "kubernetes/SopsSecret.isindir.github.com": _sops_secret,
}

TYPES = frozenset(_RULES)
"""Every type that can make a Secret."""

MAKERS = tuple(
    sorted(
        TYPES
        - {
            "file/kustomization",
            # Older or longer spellings, which no cluster answers with.
            "kubernetes/Ingress.extensions",
            "kubernetes/Gateway.gateway.networking.k8s.io",
            # Makes ExternalSecrets, which are asked for themselves.
            "kubernetes/ClusterExternalSecret.external-secrets.io",
        }
    )
)
"""Types that a cluster must have been asked for before a Secret can be said to come from nowhere."""
