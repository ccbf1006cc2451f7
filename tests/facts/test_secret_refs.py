"""Every place where a pod names a Secret, and what makes that Secret."""

import pytest

from auditor.model.resource import LiteralKind
from tests.facts.builders import credential, pod, resource, variables

EVERYWHERE = """
containers:
  - name: web
    image: shop:1
    env:
      - {name: A, value: plain}
      - {name: B, valueFrom: {secretKeyRef: {name: in-env, key: b, optional: true}}}
      - {name: C, valueFrom: {configMapKeyRef: {name: settings, key: c}}}
    envFrom:
      - configMapRef: {name: settings}
      - secretRef: {name: whole}
initContainers:
  - name: migrate
    env:
      - {name: D, valueFrom: {secretKeyRef: {name: in-init, key: d}}}
ephemeralContainers:
  - name: debug
    envFrom:
      - secretRef: {name: in-debug}
imagePullSecrets: [{name: registry}, {}]
volumes:
  - {name: a, secret: {secretName: as-files}}
  - {name: b, projected: {sources: [{configMap: {name: settings}}, {secret: {name: projected}}]}}
  - {name: c, csi: {driver: secrets-store.csi.k8s.io, nodePublishSecretRef: {name: publish}}}
  - {name: d, azureFile: {secretName: files, shareName: s}}
  - {name: e, cephfs: {monitors: [m], secretRef: {name: ceph}}}
  - {name: f, emptyDir: {}}
"""


def test_every_kind_of_reference_is_found_with_its_place() -> None:
    seen = [
        (ref["via"], ref["name"], ref["key"], ref["container"], ref["path"]) for ref in pod(EVERYWHERE)["secret_refs"]
    ]
    assert seen == [
        ("env", "in-env", "b", "web", "/spec/containers/0/env/1"),
        ("env-from", "whole", "", "web", "/spec/containers/0/envFrom/1"),
        ("env", "in-init", "d", "migrate", "/spec/initContainers/0/env/0"),
        ("env-from", "in-debug", "", "debug", "/spec/ephemeralContainers/0/envFrom/0"),
        ("volume", "as-files", "", "", "/spec/volumes/0"),
        ("projected", "projected", "", "", "/spec/volumes/1/projected/sources/1"),
        ("csi-publish", "publish", "", "", "/spec/volumes/2"),
        ("other-volume", "files", "", "", "/spec/volumes/3"),
        ("other-volume", "ceph", "", "", "/spec/volumes/4"),
        ("image-pull", "registry", "", "", "/spec/imagePullSecrets/0"),
    ]


def test_optional_is_told() -> None:
    assert [ref["name"] for ref in pod(EVERYWHERE)["secret_refs"] if ref["optional"]] == ["in-env"]


def test_paths_start_where_the_kind_keeps_its_pod() -> None:
    seen = variables(
        """
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{name: a}, {name: b, envFrom: [{secretRef: {name: x}}]}]
          volumes: [{name: v, secret: {secretName: y}}]
"""
    )
    assert [ref["path"] for ref in seen["secret_refs"]] == [
        "/spec/jobTemplate/spec/template/spec/containers/1/envFrom/0",
        "/spec/jobTemplate/spec/template/spec/volumes/0",
    ]


@pytest.mark.parametrize(
    ("made_by", "source"),
    [
        (
            (
                "{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: x, namespace: shop},"
                " spec: {target: {name: db}}}"
            ),
            "external-secrets",
        ),
        (
            (
                "{apiVersion: external-secrets.io/v1beta1, kind: ExternalSecret, metadata: {name: db, namespace: shop},"
                " spec: {}}"
            ),
            "external-secrets",
        ),
        (
            (
                "{apiVersion: external-secrets.io/v1, kind: ClusterExternalSecret, metadata: {name: x},"
                " spec: {externalSecretSpec: {target: {name: db}}}}"
            ),
            "external-secrets",
        ),
        (
            (
                "{apiVersion: external-secrets.io/v1, kind: ClusterExternalSecret, metadata: {name: x},"
                " spec: {externalSecretName: db, externalSecretSpec: {}}}"
            ),
            "external-secrets",
        ),
        (
            (
                "{apiVersion: secrets-store.csi.x-k8s.io/v1, kind: SecretProviderClass, metadata: {name: x,"
                " namespace: shop}, spec: {provider: aws, secretObjects: [{secretName: db, type: Opaque}]}}"
            ),
            "secrets-store-csi",
        ),
        (
            (
                "{apiVersion: secrets.hashicorp.com/v1beta1, kind: VaultStaticSecret, metadata: {name: x,"
                " namespace: shop}, spec: {destination: {name: db, create: true}}}"
            ),
            "vault-secrets-operator",
        ),
        (
            (
                "{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: db, namespace: shop},"
                " spec: {encryptedData: {a: AgB}}}"
            ),
            "sealed-secrets",
        ),
        (
            (
                "{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: x, namespace: shop},"
                " spec: {template: {metadata: {name: db}}}}"
            ),
            "sealed-secrets",
        ),
        (
            (
                "{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}, sops: {age: []},"
                " stringData: {a: 'ENC[AES256_GCM,data:x]'}}"
            ),
            "sops",
        ),
        (
            (
                "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: x, namespace: shop},"
                " spec: {secretName: db}}"
            ),
            "cert-manager",
        ),
        (
            (
                "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: x, namespace: shop,"
                " annotations: {cert-manager.io/cluster-issuer: le}}, spec: {tls: [{hosts: [a], secretName: db}]}}"
            ),
            "cert-manager",
        ),
        (
            "{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}, type: Opaque}",
            "empty",
        ),
        (
            (
                "{apiVersion: v1, kind: Secret, type: kubernetes.io/service-account-token, metadata: {name: db,"
                " namespace: shop, annotations: {kubernetes.io/service-account.name: web}}}"
            ),
            "empty",
        ),
        (
            (
                "{apiVersion: isindir.github.com/v1alpha3, kind: SopsSecret, metadata: {name: x, namespace: shop},"
                " spec: {secretTemplates: [{name: db}]}}"
            ),
            "sops",
        ),
        (
            "{apiVersion: onepassword.com/v1, kind: OnePasswordItem, metadata: {name: db, namespace: shop}}",
            "other-operator",
        ),
        (
            (
                "{apiVersion: external-secrets.io/v1alpha1, kind: PushSecret, metadata: {name: db, namespace: shop},"
                " spec: {selector: {secret: {name: db}}}}"
            ),
            "unknown",
        ),
        (
            (
                "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: x, namespace: shop},"
                " spec: {tls: [{hosts: [a], secretName: db}]}}"
            ),
            "unknown",
        ),
        (
            (
                "{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: db, namespace: payments},"
                " spec: {}}"
            ),
            "unknown",
        ),
    ],
)
def test_source_is_what_in_the_input_makes_the_secret(made_by: str, source: str) -> None:
    seen = pod("{containers: [{name: c, envFrom: [{secretRef: {name: db}}]}]}", resource(made_by))
    assert [ref["source"] for ref in seen["secret_refs"]] == [source]


def test_a_secret_is_plain_only_if_it_holds_a_credential() -> None:
    text = "{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}, stringData: {password: x}}"
    spec = "{containers: [{name: c, envFrom: [{secretRef: {name: db}}]}]}"
    path = ("stringData", "password")
    plain = resource(text, literals=[credential(path)])
    placeholder = resource(text, literals=[credential(path, kind=LiteralKind.PLACEHOLDER, fingerprint="")])
    assert pod(spec, plain)["secret_refs"][0]["source"] == "plain"
    assert pod(spec, placeholder)["secret_refs"][0]["source"] == "empty"


def test_a_store_wins_over_the_empty_secret_that_it_fills() -> None:
    empty = resource("{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}}")
    filled = resource(
        "{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: db, namespace: shop}, spec: {}}"
    )
    seen = pod("{containers: [{name: c, envFrom: [{secretRef: {name: db}}]}]}", empty, filled)
    assert seen["secret_refs"][0]["source"] == "external-secrets"


@pytest.mark.parametrize("name", ["db", "db-5b2kh9c7mf", "shop-db", "shop-db-5b2kh9c7mf"])
def test_generated_names_are_known_with_prefix_and_hash(name: str) -> None:
    from auditor.model.resource import Origin, Resource

    generator = Resource(
        type="file/kustomization",
        name="deploy",
        body={"namePrefix": "shop-", "secretGenerator": [{"name": "db", "literals": ["a=[redacted]"]}]},
        origin=Origin(file="deploy/kustomization.yaml"),
    )
    seen = pod(f"{{containers: [{{name: c, envFrom: [{{secretRef: {{name: {name}}}}}]}}]}}", generator)
    assert seen["secret_refs"][0]["source"] == "generator"


def test_a_name_that_only_looks_hashed_is_not_another_secret() -> None:
    plain = resource("{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}}")
    seen = pod("{containers: [{name: c, envFrom: [{secretRef: {name: db-connection}}]}]}", plain)
    assert seen["secret_refs"][0]["source"] == "unknown"


def test_malformed_references_are_absent() -> None:
    seen = pod(
        """
containers:
  - {name: [x], env: {A: b}, envFrom: null}
  - {name: c, env: [null, text, {name: A, valueFrom: []}, {name: B, valueFrom: {secretKeyRef: {name: 7}}}]}
  - not-a-container
imagePullSecrets: {name: x}
volumes: [null, {name: v, secret: [a]}, {name: w, projected: {sources: {secret: {name: a}}}}, {csi: null}]
"""
    )
    assert seen["secret_refs"] == []
