"""What is known of kinds beforehand: which hold no values, which hold references only, and where Helm values stand."""

from auditor.model.resource import Path

ENVELOPE = frozenset({"apiVersion", "kind", "metadata", "status"})

WITHOUT_VALUES = frozenset(
    f"kubernetes/{kind}"
    for kind in (
        "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ServiceAccount", "Namespace", "Service",
        "Endpoints",
        "EndpointSlice", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler", "PriorityClass",
        "ResourceQuota", "LimitRange", "CustomResourceDefinition", "APIService", "IngressClass", "RuntimeClass",
        "CSIDriver",
        "Lease", "Node", "PersistentVolumeClaim", "PodSecurityPolicy", "CertificateSigningRequest", "Policy",
    )
)  # fmt: skip
"""Built-in kinds whose fields cannot hold a credential; their annotations can."""

PLAIN_FIELDS = frozenset(
    {
        "resources", "securityContext", "podSecurityContext", "selector", "affinity", "tolerations", "nodeSelector",
        "ports",
        "topologySpreadConstraints", "volumeMounts", "volumeClaimTemplates", "updateStrategy", "matchLabels",
        "apiVersion", "kind",
        "secretKeyRef", "configMapKeyRef", "secretRef", "configMapRef", "fieldRef", "resourceFieldRef",
        "imagePullSecrets",
        "image", "imagePullPolicy", "serviceAccountName", "namespace",
    }
)  # fmt: skip
"""Fields, whatever the kind, that hold structure or references by their API's definition."""

OF_REFERENCES = frozenset(
    {
        *(
            f"kubernetes/{kind}.external-secrets.io"
            for kind in ("ExternalSecret", "ClusterExternalSecret", "SecretStore", "ClusterSecretStore", "PushSecret",
                "ClusterPushSecret")
        ),
        *(
            f"kubernetes/{kind}.secrets.hashicorp.com"
            for kind in (
                "VaultAuth", "VaultAuthGlobal", "VaultConnection", "VaultStaticSecret", "VaultDynamicSecret",
                "VaultPKISecret",
                "HCPAuth", "HCPVaultSecretsApp", "SecretTransformation", "CSISecrets",
            )
        ),
        "kubernetes/SecretProviderClass.secrets-store.csi.x-k8s.io",
        "kubernetes/SecretProviderClass",
        "kubernetes/Certificate.cert-manager.io",
        "kubernetes/Issuer.cert-manager.io",
        "kubernetes/ClusterIssuer.cert-manager.io",
        "kubernetes/Ingress",
        "kubernetes/Gateway",
        "kubernetes/Gateway.networking.istio.io",
    }
)  # fmt: skip
"""Kinds whose fields say where secrets are: a name there labels a reference."""

HELM_PLACES: dict[str, tuple[Path, ...]] = {
    "kubernetes/HelmRelease.helm.toolkit.fluxcd.io": (("spec", "values"),),
    "kubernetes/HelmRelease.helm.fluxcd.io": (("spec", "values"),),
    "kubernetes/HelmChart.helm.cattle.io": (("spec", "set"), ("spec", "valuesContent")),
    "kubernetes/HelmChartConfig.helm.cattle.io": (("spec", "valuesContent"),),
    "kubernetes/Application.argoproj.io": (
        ("spec", "source", "helm", "parameters"),
        ("spec", "source", "helm", "valuesObject"),
        ("spec", "source", "helm", "values"),
    ),
    "kubernetes/ApplicationSet.argoproj.io": (
        ("spec", "template", "spec", "source", "helm", "parameters"),
        ("spec", "template", "spec", "source", "helm", "valuesObject"),
        ("spec", "template", "spec", "source", "helm", "values"),
    ),
}

HOOKS = frozenset({"livenessProbe", "readinessProbe", "startupProbe", "lifecycle"})

VARIABLES = {"env": True, "variables": True, "with": False, "secrets": False, "credentials": False}
"""Maps of a CI definition in which a key names its value, and whether they are environment variables."""

SCRIPTS = frozenset({"run", "script", "before_script", "after_script", "pre_get_sources_script", "args", "entrypoint"})
"""Fields of a CI definition that hold command lines."""

KEY_FIELDS = frozenset(
    {"secret", "client-key-data", "token", "password", "id-token", "refresh-token", "client-secret", "access-token"}
)
"""Fields of an EncryptionConfiguration and of a kubeconfig that hold keys."""

PLAIN_SECRET_WORDS = frozenset(
    {
        "username", "user", "users", "host", "hostname", "hosts", "port", "database", "dbname", "db", "type", "url",
        "uri", "name",
        "namespace", "server", "project", "endpoint", "region", "bucket", "email", "scheme", "oci", "insecure",
        "bootstrap",
        "authentication", "groups", "id", "expiration", "description", "address", "addr", "domain", "mtime",
        "version", "path", "provider", "vendor", "engine", "plugin",
        "mode", "enabled", "login", "account", "owner", "org", "organization", "issuer", "audience", "from", "to",
        "schema", "role", "roles", "inrole", "proxy",
        "namespaces", "ocid", "cert", "certs", "crt", "cer", "certificate", "certificates", "ca", "bundle",
        "chain", "pub", "env", "environment", "protocol", "prefix", "suffix", "level", "driver", "dialect", "timezone",
    }
)  # fmt: skip
"""Last words of a Secret's key under which what stands is seldom the secret itself."""
PLAIN_SECRET_ENDS = ("name", "url", "uri", "host", "hostname", "email", "endpoint")
"""Ends of words that are written together: `azurestorageaccountname`."""

SETTINGS_FILES = (
    ".ini", ".yaml", ".yml", ".json", ".conf", ".cnf", ".cfg", ".properties", ".toml", ".xml", ".txt", ".tmpl", ".tpl",
    ".sh", ".sql", ".htm", ".html", ".lua",
)  # fmt: skip
"""Ends of keys that hold a file of settings: the file is looked into, and as a whole it is no credential."""
