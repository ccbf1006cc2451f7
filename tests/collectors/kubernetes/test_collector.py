# ruff: noqa: E501 - objects read best with one a line
"""One whole collection from a real API server: what it asks, what it keeps, what it says of the cluster."""

import base64
import json
import logging
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor import data, workloads
from auditor.collectors.kubernetes.cluster import Cluster
from auditor.collectors.kubernetes.kinds import KINDS
from auditor.model.collection import CallResult
from auditor.model.resource import LiteralKind, Origin, Resource
from auditor.model.settings import SecretsMode
from tests.collectors.kubernetes import collecting
from tests.collectors.kubernetes.collecting import Recording, collected
from tests.servers.api import AS_TABLE, LAST_APPLIED
from tests.servers.kubernetes import Kubernetes, Setup, running

# With characters that JSON, Go's JSON, URLs and YAML escape each in their own way.
CANARIES = {
    "data of a Secret": 'canary"data\\01<&>x',
    "applied Secret": 'canary"applied\\02<&>x',
    "applied ConfigMap": "canary-applied-03",
    "applied Deployment": "canary-applied-04",
    "kapp's copy of a Secret": "canary-kapp-05",
    "Rancher's copy of a Secret": "canary-rancher-06",
    "note on a Secret": "canary-note-07",
    "note on an account": "canary-note-08",
    "note on a binding": "canary-note-09",
    "ConfigMap": "canary config 10 ü",
    "file in a ConfigMap": "canary-file-11",
    "binary data": "canary-binary-12",
    "environment": "canary/env+13==",
    "argument": "canary-argument-14",
    "probe": "canary-probe-15",
    "URL in the environment": "canary-url-16",
    "job": "canary-job-17",
    "bare pod": "canary-pod-18",
    "ingress": "canary-ingress-19",
    "volume": "canary-volume-20",
    "storage class": "canary-storage-21",
    "webhook": "canary-webhook-22",
    "custom resource": "canary-custom-23",
    "Helm values": "canary-helm-24",
    "constraint": "canary-constraint-25",
    "status of a custom resource": "canary-status-26",
    "workload of our own": "canary-own-27",
}
NS = "shop"


def meta(name: str, namespace: str = NS, **annotations: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "annotations": annotations}
    return found | ({"namespace": namespace} if namespace else {})


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def definition(
    group: str, plural: str, kind: str, *, namespaced: bool = True, versions: tuple[str, ...] = ("v1",)
) -> Any:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "scope": "Namespaced" if namespaced else "Cluster",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == versions[0],
                    "schema": {"openAPIV3Schema": schema},
                }
                for version in versions
            ],
        },
    }


DEFINITIONS = [
    definition("external-secrets.io", "secretstores", "SecretStore", versions=("v1", "v1beta1")),
    definition("helm.toolkit.fluxcd.io", "helmreleases", "HelmRelease", versions=("v2",)),
    definition("constraints.gatekeeper.sh", "k8srequiredlabels", "K8sRequiredLabels", namespaced=False),
    definition("example.org", "lighthouses", "Lighthouse"),
    definition("example.com", "unheardofs", "UnheardOf"),
]


def container(**more: Any) -> dict[str, Any]:
    return {"name": "web", "image": "web:1", **more}


def pods_of(labels: dict[str, str], spec: dict[str, Any]) -> dict[str, Any]:
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}}


def planted() -> list[dict[str, Any]]:
    of = CANARIES
    web = container(
        args=[f"--admin-password={of['argument']}"],
        env=[
            {"name": "DB_PASSWORD", "value": of["environment"]},
            {"name": "DATABASE_URL", "value": f"postgres://app:{of['URL in the environment']}@db/app"},
        ],
        livenessProbe={"httpGet": {"port": 80, "httpHeaders": [{"name": "X-Api-Token", "value": of["probe"]}]}},
    )
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta("copied"),
        "data": {"p": b64(of["kapp's copy of a Secret"])},
    }
    job = {"restartPolicy": "Never", "containers": [container(env=[{"name": "SMTP_PASS", "value": of["job"]}])]}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta("plain"), "stringData": {"password": of["data of a Secret"]}},
        secret
        | {
            "metadata": meta(
                "copied",
                **{
                    "kapp.k14s.io/original": json.dumps(secret),
                    "objectset.rio.cattle.io/applied": b64(of["Rancher's copy of a Secret"] * 9),
                    "example.com/api-token": of["note on a Secret"],
                },
            )
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("r", **{"example.com/token": of["note on an account"]})},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": meta("r", **{"example.com/password": of["note on a binding"]}),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "r", "namespace": NS}],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta("app"),
            "data": {"db-password": of["ConfigMap"], "app.properties": f"db.password={of['file in a ConfigMap']}\nlevel=info\n"},
            "binaryData": {"secret-token": b64(of["binary data"])},
        },
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta("nightly"), "spec": {"schedule": "1 1 1 1 *", "jobTemplate": {"spec": {"template": {"spec": job}}}}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": meta("bare"), "spec": {"containers": [container(env=[{"name": "API_KEY", "value": of["bare pod"]}])]}},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": meta("web", **{"example.com/auth-url": f"https://edge:{of['ingress']}@auth.example/check"}),
            "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": meta("disk", ""),
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "csi": {"driver": "d.example", "volumeHandle": "v", "volumeAttributes": {"password": of["volume"]}, "nodePublishSecretRef": {"name": "plain", "namespace": NS}},
            },
        },
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": meta("fast", ""), "provisioner": "d.example", "parameters": {"adminPassword": of["storage class"]}},
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": meta("guard", "", **{"example.com/token": of["webhook"]}),
            "webhooks": [],
        },
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "SecretStore",
            "metadata": meta("fake"),
            "spec": {"provider": {"fake": {"data": [{"key": "db", "value": f"password={of['custom resource']}"}]}}},
            "status": {"conditions": [{"type": "Ready", "status": "False", "message": f"token={of['status of a custom resource']}"}]},
        },
        {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": meta("db"), "spec": {"values": {"auth": {"password": of["Helm values"]}}}},
        {"apiVersion": "constraints.gatekeeper.sh/v1", "kind": "K8sRequiredLabels", "metadata": meta("c", ""), "spec": {"parameters": {"password": of["constraint"]}}},
        {"apiVersion": "example.org/v1", "kind": "Lighthouse", "metadata": meta("north"), "spec": {"pod": {"containers": [container(env=[{"name": "TOKEN", "value": of["workload of our own"]}])]}}},
        {"apiVersion": "example.com/v1", "kind": "UnheardOf", "metadata": meta("x")},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("web"), "spec": {"replicas": 2, **pods_of({"app": "web"}, {"containers": [web]})}},
    ]  # fmt: skip


def applied() -> list[dict[str, Any]]:
    """Return what is made by `kubectl apply`."""
    of = CANARIES
    one = container(env=[{"name": "PASSWORD", "value": of["applied Deployment"]}])
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta("applied"), "stringData": {"password": of["applied Secret"]}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("applied"), "data": {"password": of["applied ConfigMap"]}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("applied"), "spec": {"replicas": 1, **pods_of({"app": "a"}, {"containers": [one]})}},
    ]  # fmt: skip


FLAGS = ["kube-apiserver", "--anonymous-auth=false", "--authorization-mode=Node,RBAC"]


def control_plane() -> list[dict[str, Any]]:
    """Return a node and the mirror of its static pod, as a kubelet makes it."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": meta("a", ""), "spec": {"providerID": "kind://a/b"}}
    mirror = {"kubernetes.io/config.mirror": "0815", "kubernetes.io/config.hash": "0815"}
    reference = {"apiVersion": "v1", "kind": "Node", "name": "a", "uid": "", "controller": True}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta("kube-apiserver-a", "kube-system", **mirror) | {"ownerReferences": [reference]},
        "spec": {"nodeName": "a", "containers": [container(command=FLAGS)]},
    }
    return [node, pod]


@pytest.fixture(scope="module")
def cluster(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:  # noqa: ARG001 - skips
    with running(tmp_path_factory.mktemp("collector"), Setup()) as kube:
        admin = kube.admin
        admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NS}})
        for one in DEFINITIONS:
            admin.create(one)
        for group, version, plural in (
            (one["spec"]["group"], one["spec"]["versions"][0]["name"], one["spec"]["names"]["plural"])
            for one in DEFINITIONS
        ):
            end = time.monotonic() + 20
            while admin.request("GET", f"/apis/{group}/{version}/{plural}").status != 200:
                assert time.monotonic() < end
                time.sleep(0.05)
        for one in planted():
            admin.create(one)
        for one in applied():
            admin.kubectl_apply(one)
        node, pod = control_plane()
        pod["metadata"]["ownerReferences"][0]["uid"] = admin.create(node)["metadata"]["uid"]
        admin.create(pod)
        end = time.monotonic() + 20
        while len(list(admin.items(f"/api/v1/namespaces/{NS}/pods"))) < 4:
            assert time.monotonic() < end
            time.sleep(0.05)
        yield kube


@pytest.fixture(scope="module")
def whole(cluster: Kubernetes) -> tuple[Recording, str, list[dict[str, Any]]]:
    """Return what a collection gave, all that was logged meanwhile, and what the server was asked."""
    own = workloads.load(data.policies() / "workloads.yaml", [("kubernetes/Lighthouse.example.org", ("spec", "pod"))])
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]  # the shortest handler
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    since = cluster.audit_position()
    said: list[str] = []
    before, collecting.WORKLOADS = collecting.WORKLOADS, own
    try:
        sink = collected(cluster.kubeconfig(), progress=said.append)
    finally:
        collecting.WORKLOADS = before
        root.removeHandler(handler)
        root.setLevel(level)
    asked = [event for event in cluster.audit_events(since) if event["userAgent"].startswith("auditor/")]
    assert records, "the transport logs its requests"
    assert said
    return sink, "\n".join([*records, *said]), asked


Whole = tuple[Recording, str, list[dict[str, Any]]]


# Canaries.


def forms(value: str) -> set[str]:
    quoted = json.dumps(value)[1:-1]
    go = quoted.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    twice = json.dumps(go)[1:-1]
    return {
        value,
        b64(value),
        urllib.parse.quote(value, safe=""),
        quoted,
        json.dumps(value, ensure_ascii=False)[1:-1],
        go,
        twice,
    }


@pytest.mark.parametrize("name", CANARIES)
def test_no_planted_value_reaches_the_sink_a_log_or_a_text(name: str, whole: Whole) -> None:
    sink, logged, _ = whole
    kept = json.dumps([[resource.body, repr(resource)] for resource in sink.resources], ensure_ascii=False)
    raw = "\n".join(repr(dict(resource.body)) for resource in sink.resources)
    told = repr((sink.calls, sink.sources))
    for form in forms(CANARIES[name]):
        for place, text in (("resources", kept), ("raw", raw), ("records", told), ("logs", logged)):
            assert form not in text, place


@pytest.mark.parametrize(
    ("type_", "name", "expected"),
    [
        ("Secret", "applied", 1),
        ("Secret", "copied", 2),
        ("ConfigMap", "app", 2),
        ("ConfigMap", "applied", 2),
        ("Deployment", "web", 4),
        ("Deployment", "applied", 2),
        ("CronJob", "nightly", 1),
        ("Pod", "bare", 1),
        ("Ingress", "web", 1),
        ("SecretStore.external-secrets.io", "fake", 1),
        ("HelmRelease.helm.toolkit.fluxcd.io", "db", 1),
        ("Lighthouse.example.org", "north", 1),
    ],
)
def test_what_was_taken_out_is_described(type_: str, name: str, expected: int, whole: Whole) -> None:
    """Otherwise a value that was never looked at would pass for one that was taken out."""
    resource = whole[0].named(f"kubernetes/{type_}", name, NS)
    found = [literal for literal in resource.literals if literal.kind is LiteralKind.CREDENTIAL]
    assert len(found) >= expected, found
    assert all(literal.fingerprint for literal in found)


# The ledger.


def test_the_ledger_accounts_for_every_request(whole: Whole) -> None:
    """What the server's own audit log has of us is in the ledger, and the ledger has nothing else."""
    sink, _, asked = whole
    seen = {f"{_method(event)} {event['requestURI'].partition('?')[0]}" for event in asked}
    lists = {call.request for call in sink.calls if call.request.startswith("GET /api") and call.status}
    (source,) = sink.sources
    also = {entry["request"] for entry in source.facts["alsoAsked"]} | {"GET /api", "GET /apis"}
    assert seen == lists | also


def _method(event: dict[str, Any]) -> str:
    return "POST" if event["verb"] == "create" else "GET"


def test_nothing_was_asked_that_a_reader_has_no_business_with(whole: Whole) -> None:
    for event in whole[2]:
        reference = event.get("objectRef", {})
        assert event["verb"] in {"list", "get", "create"}
        assert "subresource" not in reference
        if event["verb"] == "create":
            assert reference["resource"] in {"selfsubjectreviews", "selfsubjectrulesreviews"}, "reviews store nothing"
        if reference.get("resource") == "secrets":
            assert "includeObject=Metadata" in event["requestURI"]


def test_each_list_has_what_the_evidence_record_asks_for(whole: Whole) -> None:
    sink = whole[0]
    (source,) = sink.sources
    assert source.identity is not None
    assert {call.identity for call in sink.calls} == {source.identity.user} != {""}
    for call in sink.calls:
        if call.request.startswith("GET /api") and call.status:
            assert call.result is CallResult.READ
            assert (call.pages, call.remaining, len(call.sha256)) == (1, 0, 64)
            assert int(call.resource_version) > 0
            assert dict(call.parameters)["limit"].isdigit()
    secrets = sink.call_of("kubernetes/Secret")
    assert secrets.parameters == (("Accept", AS_TABLE), ("includeObject", "Metadata"), ("limit", "500"))


def test_every_kind_of_the_table_has_a_record(whole: Whole) -> None:
    sink = whole[0]
    assert {kind.type for kind in KINDS} <= {call.type for call in sink.calls}
    assert sink.call_of("kubernetes/VaultAuth.secrets.hashicorp.com").result is CallResult.NOT_SERVED


def test_constraints_are_read_whatever_they_are_called(whole: Whole) -> None:
    """Each has a definition of its own; a record for the group as a whole says that there are no others."""
    sink = whole[0]
    assert sink.call_of("kubernetes/K8sRequiredLabels.constraints.gatekeeper.sh").kept == 1
    assert sink.call_of("kubernetes/*.constraints.gatekeeper.sh").result is CallResult.READ


def test_definitions_are_names_and_kinds_that_nobody_reads_are_not_read(whole: Whole) -> None:
    sink = whole[0]
    definitions = sink.of("kubernetes/CustomResourceDefinition")
    assert {"lighthouses.example.org", "unheardofs.example.com"} <= {resource.name for resource in definitions}
    assert all(resource.body.keys() == {"apiVersion", "kind", "metadata"} for resource in definitions)
    assert not any("UnheardOf" in resource.type for resource in sink.resources)


def test_the_version_that_the_server_prefers_is_read(whole: Whole) -> None:
    store = whole[0].named("kubernetes/SecretStore.external-secrets.io", "fake", NS)
    assert store.body["apiVersion"] == "external-secrets.io/v1"
    assert store.origin == Origin(
        file=f"kubernetes://prod/apis/external-secrets.io/v1/namespaces/{NS}/secretstores/fake",
        line=None,
        source="prod",
    )
    assert store.id == f"kubernetes/SecretStore.external-secrets.io:{NS}/fake@prod"


# Folding.


def test_pods_and_replica_sets_are_in_their_deployment(whole: Whole) -> None:
    sink = whole[0]
    assert sink.named("kubernetes/Deployment", "web", NS).body["auditor/pods"] == {
        "count": 2,
        "serviceAccounts": ["default"],
    }
    assert {pod.name for pod in sink.of("kubernetes/Pod")} == {"bare", "kube-apiserver-a"}
    assert not sink.of("kubernetes/ReplicaSet")
    pods = sink.call_of("kubernetes/Pod")
    assert (pods.items, pods.kept, pods.folded) == (5, 2, 3)


# What is said of the cluster.


def test_the_cluster_is_known_by_its_own_words(whole: Whole, cluster: Kubernetes) -> None:
    (source,) = whole[0].sources
    namespace = cluster.admin.get("/api/v1/namespaces/kube-system")
    assert source.identifier == namespace["metadata"]["uid"]
    assert source.version == cluster.admin.get("/version")["gitVersion"]
    assert (source.name, source.plane, source.kind, source.tags) == ("prod", "kubernetes", "live", ("cde",))
    assert source.endpoint == cluster.url
    assert abs(source.clock_offset_seconds or 0) < 5
    assert source.provider == "self-managed"
    assert source.facts["authorizers"] == ["node", "rbac"]
    assert source.facts["authorizersFrom"] == "flags of the API server"
    assert source.facts["rulesReviewComplete"] is True
    assert "list secrets" in source.permissions_held
    assert not source.permissions_missing
    assert source.scope["namespaces"] == []
    assert {"core", "apps", "external-secrets.io"} <= set(source.facts["groups"])


NODE = {"apiVersion": "v1", "kind": "Node"}


@pytest.mark.parametrize(
    ("endpoint", "version", "groups", "label", "expected"),
    [
        ("https://a.gr7.eu-central-1.eks.amazonaws.com", "v1.34.1", (), "", "eks"),
        ("https://10.0.0.1", "v1.34.1-eks-113cf36", (), "", "eks"),
        ("https://10.0.0.1", "v1.34.1", (), "eks.amazonaws.com/nodegroup", "eks"),
        ("https://a.hcp.westeurope.azmk8s.io:443", "v1.34.1", (), "", "aks"),
        ("https://10.0.0.1", "v1.34.1", (), "kubernetes.azure.com/cluster", "aks"),
        ("https://10.0.0.1", "v1.34.1-gke.1293000", (), "", "gke"),
        ("https://10.0.0.1", "v1.34.1", (), "cloud.google.com/gke-nodepool", "gke"),
        ("https://api.a.example:6443", "v1.32.1", ("config.openshift.io",), "", "openshift"),
        ("https://10.0.0.1", "v1.34.1", (), "", ""),
    ],
)
def test_who_runs_the_control_plane_is_found_out(
    endpoint: str, version: str, groups: tuple[str, ...], label: str, expected: str
) -> None:
    found = Cluster(version=version)
    metadata = {"name": "n", "labels": {label: "x"} if label else {}}
    found.see(Resource(type="kubernetes/Node", name="n", body={**NODE, "metadata": metadata}, origin=Origin(file="")))
    assert found.runs_it(endpoint, set(groups)) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["kube-apiserver", "--authorization-mode=Node,RBAC"], "Node,RBAC"),
        (
            ["/usr/local/bin/kube-apiserver", "--authorization-mode=RBAC", "--authorization-mode=Webhook,RBAC"],
            "Webhook,RBAC",
        ),
        (["kube-apiserver"], "AlwaysAllow"),
        (["kube-apiserver", "--authorization-config=/etc/a.yaml"], ""),
        (["kube-controller-manager", "--authorization-mode=RBAC"], None),
    ],
)
def test_authorizers_are_read_from_the_flags_of_the_api_server(words: list[str], expected: str | None) -> None:
    found = Cluster()
    body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "command": words}]}}
    origin = Origin(file="")
    found.see(Resource(type="kubernetes/Pod", name="p", namespace="kube-system", body=body, origin=origin))
    assert found.flags == expected


def test_an_authorizer_that_cannot_be_read_shows_in_the_review_of_our_rights(servers: None, tmp_path: Path) -> None:  # noqa: ARG001 - skips
    """A webhook cannot list rights, so the review says that it is not complete."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "w", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "w", "user": {}}],
        "contexts": [{"name": "w", "context": {"cluster": "w", "user": "w"}}],
        "current-context": "w",
    }
    (tmp_path / "webhook").write_text(json.dumps(config))
    arguments = (f"--authorization-webhook-config-file={tmp_path / 'webhook'}",)
    folder = tmp_path / "server"
    folder.mkdir()
    setup = Setup(controllers=(), authorizers=("RBAC", "Webhook"), arguments=arguments)
    with running(folder, setup) as kube:
        (source,) = collected(kube.kubeconfig()).sources
    assert source.facts["rulesReviewComplete"] is False
    assert source.facts["authorizers"] is None, "which it is, and in which order, the API does not tell"


# Scope.


def test_two_namespaces_are_read_one_after_the_other(cluster: Kubernetes) -> None:
    sink = collected(cluster.kubeconfig(), namespaces=(NS, "kube-system"))
    assert not sink.incomplete
    assert {call.namespace for call in sink.calls if call.type == "kubernetes/RoleBinding"} == {NS, "kube-system"}
    assert sink.call_of("kubernetes/Namespace", NS).request == f"GET /api/v1/namespaces/{NS}"
    assert {resource.namespace for resource in sink.resources} == {NS, "kube-system", ""}
    assert [resource.name for resource in sink.of("kubernetes/Namespace")] == [NS, "kube-system"]
    assert sink.sources[0].identifier
    assert f"list rolebindings.rbac.authorization.k8s.io in {NS}" in sink.sources[0].permissions_held
    assert f"get namespaces {NS}" in sink.sources[0].permissions_held
    assert sink.named("kubernetes/Deployment", "web", NS).body["auditor/pods"]["count"] == 2


def test_a_namespace_that_is_not_there_is_told_and_not_taken_for_empty(cluster: Kubernetes) -> None:
    """The API answers lists in a namespace that does not exist with nothing."""
    sink = collected(cluster.kubeconfig(), namespaces=("shpo",))
    assert sink.call_of("kubernetes/Namespace", "shpo").result is CallResult.VANISHED
    assert "correct `namespaces`" in sink.call_of("kubernetes/Namespace", "shpo").reason


def test_the_mode_of_references_asks_for_no_secret(cluster: Kubernetes) -> None:
    since = cluster.audit_position()
    sink = collected(cluster.kubeconfig(), secrets=SecretsMode.REFERENCES)
    assert sink.call_of("kubernetes/Secret").result is CallResult.NOT_ASKED
    assert not sink.of("kubernetes/Secret")
    resources = {event.get("objectRef", {}).get("resource") for event in cluster.audit_events(since)}
    assert "secrets" not in resources
    assert "configmaps" in resources


def test_what_an_earlier_run_completed_is_not_asked_again(cluster: Kubernetes) -> None:
    done = frozenset({("kubernetes/RoleBinding", ""), ("kubernetes/VaultAuth.secrets.hashicorp.com", "")})
    since = cluster.audit_position()
    sink = collected(cluster.kubeconfig(), sink=Recording(done))
    assert not {"kubernetes/RoleBinding", "kubernetes/VaultAuth.secrets.hashicorp.com"} & {c.type for c in sink.calls}
    assert sink.call_of("kubernetes/Role").result is CallResult.READ
    resources = {event.get("objectRef", {}).get("resource") for event in cluster.audit_events(since)}
    assert "rolebindings" not in resources


def test_a_live_secret_has_keys_and_no_data(whole: Whole) -> None:
    body = dict(whole[0].named("kubernetes/Secret", "applied", NS).body)
    assert body["keys"] == ["password"]
    assert body["keyCount"] == 1
    assert body["lastWrite"].endswith("Z")
    assert body["managers"]
    assert body["metadata"]["annotations"][LAST_APPLIED] == "[redacted]"
    assert not {"data", "stringData"} & body.keys()
