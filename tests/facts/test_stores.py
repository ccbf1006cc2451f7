"""External stores: refresh and identity."""

from typing import Any

import pytest
import yaml

from auditor.facts.stores import seconds
from tests.facts.builders import resource, see


def seen(api: str, kind: str, spec: str | dict[str, Any]) -> dict[str, Any]:
    body = {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": "x", "namespace": "shop"},
        "spec": yaml.safe_load(spec) if isinstance(spec, str) else spec,
    }
    views = see(resource(yaml.safe_dump(body)))
    assert views.names == {"object", "store"}
    return dict(views.variables)


@pytest.mark.parametrize(
    ("spec", "kind", "length"),
    [
        ("{refreshInterval: 1h}", "interval", 3600),
        ("{refreshInterval: 1h30m0s}", "interval", 5400),
        ('{refreshInterval: "0"}', "never", -1),
        ("{refreshInterval: 0}", "never", -1),
        ('{refreshInterval: "0s"}', "never", -1),
        ("{refreshInterval: 0h0m}", "never", -1),
        ("{refreshPolicy: CreatedOnce, refreshInterval: 1h}", "never", -1),
        ("{refreshPolicy: OnChange, refreshInterval: 1h}", "never", -1),
        ("{refreshPolicy: Periodic, refreshInterval: 15m}", "interval", 900),
        ("{}", "default", -1),
        ("{refreshInterval: soon}", "unknown", -1),
        ("{refreshInterval: 3600}", "unknown", -1),
        ("{refreshInterval: [1h]}", "unknown", -1),
        ("[]", "default", -1),
    ],
)
def test_refresh_of_an_external_secret(spec: str, kind: str, length: int) -> None:
    assert seen("external-secrets.io/v1", "ExternalSecret", spec)["refresh"] == {"kind": kind, "seconds": length}


@pytest.mark.parametrize(
    ("api", "kind", "spec", "refresh"),
    [
        ("external-secrets.io/v1", "ClusterExternalSecret", "{externalSecretSpec: {refreshInterval: '0'}}", "never"),
        ("external-secrets.io/v1", "ClusterExternalSecret", "{refreshTime: 1m, externalSecretSpec: {}}", "default"),
        ("external-secrets.io/v1alpha1", "PushSecret", "{refreshInterval: 10s}", "interval"),
        ("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "{provider: vault}", "driver"),
        ("secrets.hashicorp.com/v1beta1", "VaultStaticSecret", "{refreshAfter: 30s}", "interval"),
        ("secrets.hashicorp.com/v1beta1", "VaultStaticSecret", "{}", "default"),
        ("secrets.hashicorp.com/v1beta1", "VaultDynamicSecret", "{}", "default"),
        ("secrets.hashicorp.com/v1beta1", "VaultPKISecret", "{}", "default"),
        ("external-secrets.io/v1", "SecretStore", "{provider: {aws: {}}}", "unknown"),
    ],
)
def test_refresh_of_the_other_kinds(api: str, kind: str, spec: str, refresh: str) -> None:
    assert seen(api, kind, spec)["refresh"]["kind"] == refresh


@pytest.mark.parametrize(
    ("provider", "identity"),
    [
        ("aws: {service: SecretsManager, region: eu-central-1}", "controller"),
        ("aws: {region: a, role: arn, auth: {}}", "controller"),
        ("aws: {auth: {secretRef: {accessKeyIDSecretRef: {name: k, key: id}}}}", "static"),
        ("aws: {auth: {jwt: {serviceAccountRef: {name: web}}}}", "service-account"),
        (
            "vault: {server: s, auth: {kubernetes: {role: r, serviceAccountRef: {name: w}}}}",
            "service-account",
        ),
        ("vault: {server: s, auth: {kubernetes: {mountPath: m, role: r}}}", "controller"),
        ("vault: {server: s, auth: {tokenSecretRef: {name: t, key: token}}}", "static"),
        ("vault: {server: s, auth: {appRole: {path: a, roleId: r, secretRef: {name: t, key: id}}}}", "static"),
        ("vault: {server: s, auth: {cert: {clientCert: {name: c, key: crt}}}}", "certificate"),
        (
            "vault: {server: s, auth: {jwt: {kubernetesServiceAccountToken: {serviceAccountRef: {name: w}}}}}",
            "service-account",
        ),
        ("vault: {server: s, auth: {iam: {region: r}}}", "controller"),
        ("vault: {server: s, caProvider: {type: Secret, name: ca, key: crt}}", "none"),
        (
            "azurekv: {vaultUrl: u, authSecretRef: {clientId: {name: a, key: b}, clientSecret: {name: a, key: c}}}",
            "static",
        ),
        (
            "azurekv: {authSecretRef: {clientId: {name: a, key: b}, clientCertificate: {name: a, key: c}}}",
            "certificate",
        ),
        ("azurekv: {authType: ManagedIdentity, identityId: i}", "controller"),
        ("azurekv: {authType: WorkloadIdentity, serviceAccountRef: {name: w}}", "service-account"),
        ("azurekv: {authType: WorkloadIdentity}", "controller"),
        ("gcpsm: {projectID: p}", "controller"),
        ("gcpsm: {projectID: p, auth: {secretRef: {secretAccessKeySecretRef: {name: g, key: j}}}}", "static"),
        ("gcpsm: {auth: {workloadIdentity: {serviceAccountRef: {name: w}}}}", "service-account"),
        ("kubernetes: {auth: {cert: {clientCert: {name: c, key: k}}}}", "certificate"),
        ("kubernetes: {auth: {serviceAccount: {name: w}}}", "service-account"),
        ("doppler: {auth: {secretRef: {dopplerToken: {name: d, key: t}}}}", "static"),
        ("webhook: {url: u}", "other"),
        ("fake: {data: []}", "none"),
    ],
)
def test_identity_that_asks_the_store(provider: str, identity: str) -> None:
    backend = seen("external-secrets.io/v1", "SecretStore", f"{{provider: {{{provider}}}}}")["backend"]
    assert backend == {"provider": provider.partition(":")[0], "identity": identity, "namespace_from_caller": False}


@pytest.mark.parametrize(
    ("provider", "from_caller"),
    [
        ("aws: {auth: {jwt: {serviceAccountRef: {name: web}}}}", True),
        ("aws: {auth: {jwt: {serviceAccountRef: {name: web, namespace: platform}}}}", False),
        ("vault: {auth: {tokenSecretRef: {name: t, key: token}}}", True),
        ("vault: {auth: {tokenSecretRef: {name: t, key: token, namespace: p}}, caProvider: {name: c}}", False),
        ("aws: {region: a}", False),
    ],
)
def test_a_cluster_store_without_namespace_in_its_reference_uses_the_callers(provider: str, from_caller: bool) -> None:
    """External Secrets Operator calls this referent authentication."""
    backend = seen("external-secrets.io/v1", "ClusterSecretStore", f"{{provider: {{{provider}}}}}")["backend"]
    assert backend["namespace_from_caller"] is from_caller


@pytest.mark.parametrize(
    ("spec", "identity"),
    [
        ("{method: kubernetes, kubernetes: {role: r, serviceAccount: default}}", "service-account"),
        ("{method: appRole, appRole: {roleId: r, secretRef: s}}", "static"),
        ("{method: aws, aws: {role: r, irsaServiceAccount: w}}", "service-account"),
        ("{method: aws, aws: {role: r}}", "other"),
        ("{method: jwt}", "other"),
        ("{}", "none"),
    ],
)
def test_identity_of_vault_secrets_operator(spec: str, identity: str) -> None:
    assert seen("secrets.hashicorp.com/v1beta1", "VaultAuth", spec)["backend"]["identity"] == identity


@pytest.mark.parametrize(
    ("spec", "identity"),
    [
        ("{provider: vault, parameters: {roleName: web}}", "service-account"),
        ("{provider: azure, parameters: {useVMManagedIdentity: 'true'}}", "other"),
        ("{provider: gcp, parameters: {auth: provider-adc}}", "controller"),
    ],
)
def test_the_csi_driver_asks_as_the_pod_unless_told_otherwise(spec: str, identity: str) -> None:
    backend = seen("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", spec)["backend"]
    assert backend["identity"] == identity
    assert not backend["namespace_from_caller"]


@pytest.mark.parametrize("spec", ["{provider: [aws]}", "{provider: {aws: null}}", "{}", "[]", "text"])
def test_a_store_without_a_readable_provider_has_none(spec: str) -> None:
    backend = seen("external-secrets.io/v1", "SecretStore", spec)["backend"]
    assert backend == {"provider": "", "identity": "none", "namespace_from_caller": False}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h", 3600),
        ("1.5h", 5400),
        ("100ms", 0.1),
        ("0", 0),
        (0, 0),
        ("1", None),
        ("1d", None),
        ("", None),
        ("h", None),
        (True, None),
    ],
)
def test_durations_are_read_as_go_reads_them(text: Any, expected: float | None) -> None:
    assert seconds(text) == expected
