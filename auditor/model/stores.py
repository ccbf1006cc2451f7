"""Kinds of external secret stores and of what copies from them: names that facts and exported policies share."""

from collections.abc import Mapping

ESO = "external-secrets.io"
VSO = "secrets.hashicorp.com"
PROVIDER_CLASS = "kubernetes/SecretProviderClass.secrets-store.csi.x-k8s.io"

TYPES = frozenset(
    {
        *(
            f"kubernetes/{kind}.{ESO}"
            for kind in (
                "ExternalSecret",
                "ClusterExternalSecret",
                "SecretStore",
                "ClusterSecretStore",
                "PushSecret",
                "ClusterPushSecret",
            )
        ),
        PROVIDER_CLASS,
        *(
            f"kubernetes/{kind}.{VSO}"
            for kind in (
                "VaultStaticSecret",
                "VaultDynamicSecret",
                "VaultPKISecret",
                "VaultAuth",
                "VaultAuthGlobal",
                "VaultConnection",
                "HCPVaultSecretsApp",
            )
        ),
    }
)
"""Types that have the view `store`."""

INTERVALS: Mapping[str, tuple[str, ...]] = {
    "ExternalSecret": ("refreshInterval",),
    "ClusterExternalSecret": ("externalSecretSpec", "refreshInterval"),
    "PushSecret": ("refreshInterval",),
    "ClusterPushSecret": ("pushSecretSpec", "refreshInterval"),
    "VaultStaticSecret": ("refreshAfter",),
    "VaultDynamicSecret": ("refreshAfter",),
    "HCPVaultSecretsApp": ("refreshAfter",),
}
"""Where, below `spec`, a kind says how often it is done again."""

ONCE = frozenset({"CreatedOnce", "OnChange"})
"""Refresh policies of an ExternalSecret that do not follow the store: OnChange looks at the ExternalSecret alone."""
