"""How a pod gets its secrets, where not from a plain Secret."""

import pytest
import yaml

from tests.facts.builders import pod, resource, variables


def kinds(spec: str) -> list[tuple[str, str, str]]:
    return [(found["kind"], found["detail"], found["path"]) for found in pod(spec)["deliveries"]]


@pytest.mark.parametrize(
    ("driver", "kind"),
    [
        ("secrets-store.csi.k8s.io", "secrets-store-csi"),
        ("secrets-store-gke.csi.k8s.io", "secrets-store-csi"),
        ("csi.spiffe.io", "spiffe-csi"),
        ("csi.cert-manager.io", "cert-manager"),
        ("csi.vso.hashicorp.com", "vault-secrets-operator"),
    ],
)
def test_csi_drivers_of_stores_are_known(driver: str, kind: str) -> None:
    spec = f"""
containers: [{{name: web}}]
volumes:
  - {{name: tmp, emptyDir: {{}}}}
  - {{name: s, csi: {{driver: {driver}, readOnly: true, volumeAttributes: {{secretProviderClass: db}}}}}}
"""
    assert kinds(spec) == [(kind, "db", "/spec/volumes/1")]


def test_a_storage_driver_is_no_delivery() -> None:
    assert kinds("{containers: [], volumes: [{name: d, csi: {driver: ebs.csi.aws.com}}]}") == []


@pytest.mark.parametrize(
    ("annotation", "kind", "detail"),
    [
        ('vault.hashicorp.com/agent-inject: "true"', "vault-agent", "injector"),
        ("vault.security.banzaicloud.io/vault-addr: https://vault:8200", "fetcher", "bank-vaults"),
        ("operator.1password.io/inject: web", "fetcher", "1password"),
        ("secrets.k8s.aws/sidecarInjectorWebhook: enabled", "fetcher", "aws"),
    ],
)
def test_injectors_are_recognised_on_the_pod_template(annotation: str, kind: str, detail: str) -> None:
    seen = variables(
        f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec: {{template: {{metadata: {{annotations: {{{annotation}}}}}, spec: {{containers: []}}}}}}
"""
    )
    (found,) = seen["deliveries"]
    assert (found["kind"], found["detail"]) == (kind, detail)
    assert found["path"].startswith("/spec/template/metadata/annotations/")
    assert "~1" in found["path"]


def test_an_injector_that_is_switched_off_or_on_the_wrong_object_is_none() -> None:
    text = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, annotations: {vault.hashicorp.com/agent-inject: "true"}}
spec: {template: {metadata: {annotations: {vault.hashicorp.com/agent-inject: "false"}}, spec: {containers: []}}}
"""
    assert variables(text)["deliveries"] == []


def test_a_secret_that_an_operator_makes_is_a_delivery_and_a_plain_one_is_not() -> None:
    spec = "{containers: [{name: c, envFrom: [{secretRef: {name: db}}, {secretRef: {name: other}}]}]}"
    made = resource(
        "{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: db, namespace: shop}, spec: {}}"
    )
    assert pod(spec, made)["deliveries"] == [
        {"kind": "external-secrets", "detail": "db", "path": "/spec/containers/0/envFrom/0"}
    ]


@pytest.mark.parametrize(
    ("container", "program"),
    [
        ("{image: 'hashicorp/vault:1.17', command: [vault, agent, -config=/etc/vault/agent.hcl]}", "vault-agent"),
        ("{image: 'hashicorp/vault:1.17', args: [agent, -config=/c]}", "vault-agent"),
        ("{image: 'hashicorp/vault:1.17', args: [server, -config=/c]}", ""),
        ("{image: amazon/aws-cli, args: [secretsmanager, get-secret-value, --secret-id, a]}", "aws"),
        ("{image: a, command: [sh, -c, 'vault kv get -field=password kv/shop > /run/db']}", "vault"),
        ("{image: 'registry:5000/hashicorp/consul-template:0.39@sha256:0'}", "consul-template"),
        ("{image: a, command: [envconsul, -config, /c, /app]}", "envconsul"),
        (
            (
                "{image: amazon/aws-cli, command: [sh, -c, 'aws --region eu-central-1 secretsmanager get-secret-value"
                " --secret-id shop/db']}"
            ),
            "aws",
        ),
        ("{image: amazon/aws-cli, command: [aws, ssm, get-parameter, --name, /shop/db]}", "aws"),
        ("{image: g, args: [bash, -ec, 'gcloud secrets versions access latest --secret=db']}", "gcloud"),
        ("{image: z, command: [az, keyvault, secret, show, --name, db]}", "az"),
        ("{image: a, command: [chamber, exec, shop, --, /app]}", "chamber"),
        ("{image: a, command: [doppler, run, --, node, server.js]}", "doppler"),
        ("{image: a, command: [op, inject, -i, in, -o, out]}", "1password"),
        ("{image: a, command: [aws, s3, cp, 's3://bucket/secretsmanager', .]}", ""),
        ("{image: a, command: [vault, operator, init]}", ""),
        ("{image: a, command: [vault, server, -config, /c]}", ""),
        ("{image: a, command: [/app/web, --vault-addr=https://vault]}", ""),
        ("{image: a, command: [sh, -c, 'stop inject']}", ""),
        ("{image: a}", ""),
        ("{image: [x], command: {a: b}, args: [1, null]}", ""),
    ],
)
def test_a_fetcher_is_a_program_that_reads_from_a_store(container: str, program: str) -> None:
    for where in ("containers", "initContainers"):
        expected = [("fetcher", program, f"/spec/{where}/0")] if program else []
        assert kinds(f"{{containers: [], {where}: [{container}]}}") == expected


@pytest.mark.parametrize("value", ["vault:secret/data/shop#password", ">>vault:a#b", "op://shop/db/password"])
def test_a_value_that_a_webhook_replaces_is_a_delivery(value: str) -> None:
    spec = yaml.safe_dump({"containers": [{"name": "c", "env": [{"name": "A", "value": value}]}]})
    assert kinds(spec) == [("fetcher", "env-value", "/spec/containers/0/env/0")]


@pytest.mark.parametrize("value", ["https://vault:8200", "vault: the tool", "user@example.com", "a:b"])
def test_a_value_that_only_mentions_a_store_is_none(value: str) -> None:
    spec = yaml.safe_dump({"containers": [{"name": "c", "env": [{"name": "A", "value": value}]}]})
    assert kinds(spec) == []
