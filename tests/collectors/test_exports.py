# ruff: noqa: E501 - tables read best with one case a line
"""What a folder of dumps proves, and that it is read as a live cluster is."""

import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.collectors import claims, dumps, exports
from auditor.collectors.kubernetes.kinds import KINDS, by_type
from auditor.model.collection import CallResult
from auditor.model.errors import InputError, NothingCollectedError
from auditor.model.settings import ExportSource
from tests.collectors.kubernetes.collecting import FINGERPRINTER, NAME, WORKLOADS, Recording, collected
from tests.servers.api import LAST_APPLIED
from tests.servers.kubernetes import Kubernetes, Setup, running

CANARY = "canary-4c1b9e02d7"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
BINDING, SECRET, POD = "kubernetes/RoleBinding", "kubernetes/Secret", "kubernetes/Pod"
RBAC = "rbac.authorization.k8s.io/v1"


def export(folder: Path, *, all_namespaces: bool = False) -> Recording:
    sink = Recording()
    exports.collect(
        ExportSource(path=folder, all_namespaces=all_namespaces),
        name=NAME,
        tags=("cde",),
        sink=sink,
        fingerprint=FINGERPRINTER.of,
        workloads=WORKLOADS,
        clock=lambda: NOW,
        progress=lambda _: None,
    )
    (source,) = sink.sources
    assert source.kind == "export"
    assert {kind.type for kind in KINDS} <= {call.type for call in sink.calls}, "every kind has a record"
    assert all(bool(call.reason) != (call.result is CallResult.READ) for call in sink.calls)
    return sink


def put(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=4)
        file.write_text(text)
    return folder


def binding(name: str, namespace: str) -> dict[str, Any]:
    return made(RBAC, "RoleBinding", name, namespace, roleRef={"kind": "Role", "name": "r"})


def made(api_version: str, kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "uid": f"uid-{namespace}-{name}", **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def printed(*items: Any) -> dict[str, Any]:
    """Return what `kubectl get ... -o json` prints."""
    return {"apiVersion": "v1", "items": list(items), "kind": "List", "metadata": {"resourceVersion": ""}}


def typed(kind: str, *items: Any, api_version: str = "v1", **metadata: Any) -> dict[str, Any]:
    """Return what the API answers: the items do not say what they are."""
    bare = [{key: value for key, value in item.items() if key not in {"apiVersion", "kind"}} for item in items]
    return {"kind": f"{kind}List", "apiVersion": api_version, "metadata": metadata, "items": bare}


def listed(*items: Any, api_version: str = RBAC, kind: str = "RoleBinding") -> dict[str, Any]:
    """Return what `kubectl get --raw` prints: an answer of the API."""
    return typed(kind, *items, api_version=api_version, resourceVersion="1204")


SPACES = tuple(made("v1", "Namespace", name) for name in ("default", "kube-public", "kube-system"))
"""Namespaces that every cluster has."""


def accounts(*namespaces: str) -> tuple[dict[str, Any], ...]:
    """Return the accounts that controllers keep in namespaces."""
    return tuple(made("v1", "ServiceAccount", "default", name) for name in namespaces)


KEPT = accounts("default", "kube-public", "kube-system")


def results(sink: Recording, type_: str) -> dict[str, CallResult]:
    return {call.namespace: call.result for call in sink.calls if call.type == type_}


READ, NOT_ASKED = CallResult.READ, CallResult.NOT_ASKED

# Which claims files make: files, type, result by namespace, objects.
CLAIMS: dict[str, tuple[dict[str, Any], str, dict[str, CallResult], int]] = {
    "items-of-several-namespaces-in-an-answer-of-the-api-are-the-whole-cluster": (
        {"rb.json": listed(binding("a", "shop"), binding("system::extension-apiserver-authentication-reader", "kube-system"))},
        BINDING,
        {"": READ},
        2,
    ),
    "items-of-one-namespace-in-an-answer-of-the-api-say-nothing-of-others": (
        {"rb.json": listed(binding("a", "shop"))},
        BINDING,
        {"shop": READ, "": NOT_ASKED},
        1,
    ),
    "kubectl-prints-items-of-several-namespaces-also-for-files-and-tools-join-lists": (
        {"cm.json": printed(made("v1", "Pod", "a", "shop", spec={}), made("v1", "Pod", "a", "pay", spec={}))},
        POD,
        {"pay": READ, "shop": READ, "": NOT_ASKED},
        2,
    ),
    "two-config-maps-of-two-namespaces-are-not-all": (
        {"cm.json": printed(made("v1", "ConfigMap", "a", "shop"), made("v1", "ConfigMap", "a", "pay"))},
        "kubernetes/ConfigMap",
        {"": NOT_ASKED},
        2,
    ),
    "what-is-asked-for-with-witnesses-is-of-the-whole-cluster": (
        {"all.json": printed(*SPACES, *KEPT, made("v1", "Pod", "p", "default", spec={}))},
        POD,
        {"": READ},
        1,
    ),
    "a-witness-that-is-lacking-in-one-namespace-proves-nothing": (
        {"all.json": printed(*SPACES, *KEPT[:-1], made("v1", "Pod", "p", "default", spec={}))},
        POD,
        {"default": READ, "": NOT_ASKED},
        1,
    ),
    "witnesses-prove-nothing-where-the-namespaces-are-not-known": (
        {"all.json": printed(*KEPT, made("v1", "Pod", "p", "default", spec={}))},
        POD,
        {"default": READ, "": NOT_ASKED},
        1,
    ),
    "witnesses-of-another-file-prove-nothing": (
        {"n.json": printed(*SPACES), "a.json": printed(*KEPT), "p.json": printed(made("v1", "Pod", "p", "default", spec={}))},
        POD,
        {"default": READ, "": NOT_ASKED},
        1,
    ),
    "witnesses-prove-their-own-list": (
        {"n.json": printed(*SPACES), "a.json": printed(*KEPT)},
        "kubernetes/ServiceAccount",
        {"": READ},
        3,
    ),
    "a-list-of-accounts-without-the-one-that-is-in-every-namespace-is-a-part": (
        {"sa.json": printed(*accounts("shop"), made("v1", "ServiceAccount", "web", "pay"))},
        "kubernetes/ServiceAccount",
        {"shop": READ, "": NOT_ASKED},
        2,
    ),
    "an-answer-of-the-api-without-what-every-cluster-has-is-a-part": (
        {"rb.json": listed(binding("a", "shop"), binding("a", "pay"))},
        BINDING,
        {"pay": READ, "shop": READ, "": NOT_ASKED},
        2,
    ),
    "a-list-of-cluster-roles-without-the-one-that-every-cluster-has-is-a-part": (
        {"roles.json": printed(made(RBAC, "ClusterRole", "admin"), made(RBAC, "ClusterRole", "view"))},
        "kubernetes/ClusterRole",
        {"": NOT_ASKED},
        2,
    ),
    "items-of-one-namespace-say-nothing-of-others": (
        {"rb.json": printed(binding("a", "shop"), binding("b", "shop"))},
        BINDING,
        {"shop": READ, "": NOT_ASKED},
        2,
    ),
    "an-object-by-itself-proves-that-it-is-there": (
        {"rb.yaml": yaml.safe_dump(binding("a", "shop"))},
        BINDING,
        {"": NOT_ASKED},
        1,
    ),
    "several-documents-are-no-list": (
        {"rb.yaml": "---\n".join(yaml.safe_dump(binding(name, "shop")) for name in "ab")},
        BINDING,
        {"": NOT_ASKED},
        2,
    ),
    "a-list-in-yaml-is-one": (
        {"rb.yml": yaml.safe_dump(printed(binding("a", "shop"), binding("a", "pay")))},
        BINDING,
        {"pay": READ, "shop": READ, "": NOT_ASKED},
        2,
    ),
    "a-part-says-that-it-is-one-by-its-token": (
        {"rb.json": typed("RoleBinding", binding("a", "x"), binding("a", "y"), api_version=RBAC, **{"continue": "z"})},
        BINDING,
        {"": CallResult.CUT},
        2,
    ),
    "a-part-says-that-it-is-one-by-its-count": (
        {
            "rb.json": typed(
                "RoleBinding", binding("a", "x"), binding("a", "y"), api_version=RBAC, remainingItemCount=7
            )
        },
        BINDING,
        {"": CallResult.CUT},
        2,
    ),
    "lists-of-cluster-scoped-kinds-are-whole": (
        {"roles.json": printed(made(RBAC, "ClusterRole", "cluster-admin"))},
        "kubernetes/ClusterRole",
        {"": READ},
        1,
    ),
    "an-empty-list-says-of-what-it-is-by-its-kind-and-not-where": (
        {"rb.json": typed("RoleBinding", api_version=RBAC), "n.json": printed(made("v1", "Namespace", "pay"))},
        BINDING,
        {"": NOT_ASKED},
        0,
    ),
    "an-empty-list-of-a-cluster-scoped-kind-is-whole": (
        {"nodes.json": typed("Node"), "rb.json": printed(binding("a", "shop"))},
        "kubernetes/Node",
        {"": READ},
        0,
    ),
    "an-empty-list-in-a-file-named-after-a-namespace": (
        {"rolebindings/pay.json": typed("RoleBinding", api_version=RBAC), "n.json": printed(made("v1", "Namespace", "pay"))},
        BINDING,
        {"pay": READ, "": NOT_ASKED},
        0,
    ),
    "an-empty-list-in-a-folder-named-after-a-namespace": (
        {"pay/rolebindings.json": typed("RoleBinding", api_version=RBAC), "n.json": printed(made("v1", "Namespace", "pay"))},
        BINDING,
        {"pay": READ, "": NOT_ASKED},
        0,
    ),
    "a-file-named-after-a-namespace-that-nobody-knows": (
        {"rolebindings/pay.json": typed("RoleBinding", api_version=RBAC), "n.json": printed(made("v1", "Namespace", "x"))},
        BINDING,
        {"": NOT_ASKED},
        0,
    ),
    "an-empty-list-without-a-kind-says-nothing": (
        {"x.json": printed(), "n.json": printed(made("v1", "Namespace", "pay"))},
        BINDING,
        {"": NOT_ASKED},
        0,
    ),
    "lists-of-every-namespace-are-the-whole-cluster": (
        {
            "namespaces.json": typed("Namespace", *SPACES),
            "default/rolebindings.json": typed("RoleBinding", binding("a", "default"), api_version=RBAC),
            "kube-public/rolebindings.json": typed("RoleBinding", api_version=RBAC),
            "kube-system/rolebindings.json": typed("RoleBinding", api_version=RBAC),
        },
        BINDING,
        {"": READ},
        1,
    ),
    "a-list-of-namespaces-without-the-one-that-all-have-is-a-part": (
        {
            "namespaces.json": typed("Namespace", made("v1", "Namespace", "pay")),
            "pay/rolebindings.json": typed("RoleBinding", binding("a", "pay"), api_version=RBAC),
        },
        BINDING,
        {"pay": READ, "": NOT_ASKED},
        1,
    ),
    "an-object-in-two-files-counts-once": (
        {"a.json": printed(binding("a", "shop"), binding("a", "pay")), "b.yaml": yaml.safe_dump(binding("a", "pay"))},
        BINDING,
        {"pay": READ, "shop": READ, "": NOT_ASKED},
        2,
    ),
    "kubectl-get-all-is-a-list-of-each-kind-in-it": (
        {
            "all.json": printed(
                made("v1", "Pod", "p", "shop", spec={}),
                made("v1", "Pod", "p", "pay", spec={}),
                made("apps/v1", "Deployment", "d", "pay", spec={}),
            )
        },
        "kubernetes/Deployment",
        {"pay": READ, "": NOT_ASKED},
        1,
    ),
    "an-object-without-the-shape-of-one": (
        {"rb.json": printed(binding("a", "x"), {**binding("a", "y"), "metadata": [1]}, binding("b", "z"))},
        BINDING,
        {"": CallResult.UNREADABLE},
        2,
    ),
    "what-is-not-there-was-not-asked": (
        {"rb.json": printed(binding("a", "shop"))},
        "kubernetes/ClusterRoleBinding",
        {"": NOT_ASKED},
        0,
    ),
    "what-no-definition-names-is-not-served": (
        {"crds.json": printed(made("apiextensions.k8s.io/v1", "CustomResourceDefinition", "certificates.cert-manager.io"))},
        "kubernetes/ExternalSecret.external-secrets.io",
        {"": CallResult.NOT_SERVED},
        0,
    ),
    "what-a-definition-names-was-not-asked": (
        {"crds.json": printed(made("apiextensions.k8s.io/v1", "CustomResourceDefinition", "certificates.cert-manager.io"))},
        "kubernetes/Certificate.cert-manager.io",
        {"": NOT_ASKED},
        0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_a_file_claims_what_it_can_prove(name: str, tmp_path: Path) -> None:
    files, type_, expected, objects = CLAIMS[name]
    sink = export(put(tmp_path, files))
    assert results(sink, type_) == expected
    assert len(sink.of(type_)) == objects
    for call in sink.calls:
        assert call.items == call.kept + call.folded
        assert call.request == ""


# What whoever made an export says of it: files, type, result by namespace.
DECLARED: dict[str, tuple[dict[str, Any], str, dict[str, CallResult]]] = {
    "a-list-of-one-namespace-is-of-all": ({"a.json": printed(made("v1", "Pod", "p", "shop", spec={}))}, POD, {"": READ}),
    "an-empty-list-is-of-the-kind-that-its-file-is-named-after": ({"pods.json": printed()}, POD, {"": READ}),
    "with-its-group": ({"deployments.apps.yaml": yaml.safe_dump(printed())}, "kubernetes/Deployment", {"": READ}),
    "without-the-group-of-another": ({"certificates.json": printed()}, "kubernetes/Certificate.cert-manager.io", {"": NOT_ASKED}),
    "what-every-cluster-has-must-be-there-all-the-same": (
        {"a.json": printed(*accounts("shop"))},
        "kubernetes/ServiceAccount",
        {"shop": READ, "": NOT_ASKED},
    ),
    "what-says-that-more-follows-is-a-part-all-the-same": (
        {"a.json": typed("Pod", made("v1", "Pod", "p", "shop", spec={}), **{"continue": "z"})},
        POD,
        {"": CallResult.CUT},
    ),
    "single-objects-are-no-list-all-the-same": ({"a.json": made("v1", "Pod", "p", "shop", spec={})}, POD, {"": NOT_ASKED}),
    "what-has-no-file-was-not-asked-all-the-same": ({"nodes.json": typed("Node")}, POD, {"": NOT_ASKED}),
}  # fmt: skip


@pytest.mark.parametrize("name", DECLARED)
def test_what_the_user_says_of_an_export_is_believed_and_on_record(name: str, tmp_path: Path) -> None:
    files, type_, expected = DECLARED[name]
    sink = export(put(tmp_path, {"n.json": printed(*SPACES), **files}), all_namespaces=True)
    assert results(sink, type_) == expected
    (source,) = sink.sources
    assert source.scope["said by who made it"] == "all lists are of all namespaces"
    assert "said by who made it" not in export(tmp_path).sources[0].scope


BUNDLE: dict[str, Any] = {
    "version.yaml": "apiVersion: troubleshoot.sh/v1beta2\nkind: SupportBundle\nspec:\n  versionNumber: 0.119.0\n",
    "cluster-info/cluster_version.json": {"info": {"major": "1", "minor": "34", "gitVersion": "v1.34.2"}, "string": "v1.34.2"},
    "cluster-resources/namespaces.json": typed("Namespace", *SPACES, made("v1", "Namespace", "shop")),
    "cluster-resources/pods/shop.json": typed("Pod", made("v1", "Pod", "web", "shop", spec={})),
    **{f"cluster-resources/pods/{name}.json": typed("Pod") for name in ("default", "kube-public", "kube-system")},
    "cluster-resources/roles/shop.json": typed("Role", made(RBAC, "Role", "r", "shop"), api_version=RBAC),
    "cluster-resources/roles-errors.json": {"kube-system": f'roles is forbidden: User "{CANARY}" cannot list'},
    "cluster-resources/ingress-errors.json": {"shop": "the server said no", "kube-system": "the server said no"},
    "cluster-resources/nodes-errors.json": ["nodes is forbidden"],
    "cluster-resources/custom-resource-definitions.json": typed(
        "CustomResourceDefinition",
        *(
            made("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{name}.external-secrets.io")
            for name in ("externalsecrets", "secretstores", "pushsecrets")
        ),
        api_version="apiextensions.k8s.io/v1",
    ),
    "cluster-resources/custom-resources/externalsecrets.external-secrets.io/shop.json": [
        made("external-secrets.io/v1", "ExternalSecret", "db", "shop", spec={})
    ],
    "cluster-resources/custom-resources/custom-resources-errors.json": {
        "pushsecrets.external-secrets.io": "pushsecrets is forbidden"
    },
    "cluster-resources/secrets/shop/db.json": {"namespace": "shop", "name": "db", "key": "password", "value": CANARY},
    "cluster-resources/image-pull-secrets/shop/pull.json": {"registry.example": "robot"},
    "cluster-resources/pods/logs/shop/web/web.log": f"token={CANARY}",
}  # fmt: skip


def test_a_support_bundle_is_read_with_what_it_says_of_itself(tmp_path: Path) -> None:
    """troubleshoot.sh, `clusterResources`: a file a namespace, arrays of custom resources, and files of errors."""
    sink = export(put(tmp_path, BUNDLE))
    assert results(sink, POD) == {"": READ}, "every namespace is there, one with a pod"
    assert results(sink, "kubernetes/Role") == {"shop": READ, "": CallResult.FORBIDDEN}
    assert results(sink, "kubernetes/Ingress") == {"": CallResult.SERVER_ERROR}
    assert results(sink, "kubernetes/Node") == {"": CallResult.FORBIDDEN}
    assert results(sink, "kubernetes/ExternalSecret.external-secrets.io") == {"": READ}
    assert results(sink, "kubernetes/SecretStore.external-secrets.io") == {"": READ}, "asked for, and there is none"
    assert results(sink, "kubernetes/PushSecret.external-secrets.io") == {"": CallResult.FORBIDDEN}
    assert results(sink, "kubernetes/ClusterSecretStore.external-secrets.io") == {"": CallResult.NOT_SERVED}
    assert results(sink, "kubernetes/ClusterRole") == {"": NOT_ASKED}
    (source,) = sink.sources
    assert source.version == "v1.34.2"
    assert source.facts["supportBundle"] is True
    assert CANARY not in repr((sink.calls, sink.sources, sink.resources))


def test_a_link_of_a_bundle_is_not_read_twice(tmp_path: Path) -> None:
    put(tmp_path, {"a.json": printed(binding("a", "x"), binding("a", "y"))})
    (tmp_path / "a.yaml").symlink_to("a.json")
    sink = export(tmp_path)
    assert sink.sources[0].facts["files"] == 1


def test_broken_files_are_records_if_they_may_hold_objects(tmp_path: Path) -> None:
    good = printed(binding("a", "x"), binding("a", "y"))
    put(
        tmp_path,
        {
            "a.json": good,
            "half.json": json.dumps(good)[:150],
            "odd.yaml": f"apiVersion: v1\nkind: Secret\n  data: {CANARY}",
            "settings.json": "{nothing of ours",
            "notes.yaml": "- [a",
        },
    )
    sink = export(tmp_path)
    broken = [call for call in sink.calls if call.type == "kubernetes/*"]
    assert sorted(Path(call.reason.split(": ")[0]).name for call in broken) == ["half.json", "odd.yaml"]
    assert all(call.result is CallResult.UNREADABLE and CANARY not in call.reason for call in broken)
    assert results(sink, BINDING) == {"x": READ, "y": READ, "": NOT_ASKED}


def test_values_of_secrets_are_taken_out(tmp_path: Path) -> None:
    """As of a live cluster: names of keys and their number; and a copy of a value elsewhere goes with it."""
    secret = made("v1", "Secret", "db", "shop", type="Opaque", data={"password": "Y2FuYXJ5LTRjMWI5ZTAyZDc="})
    secret["metadata"]["annotations"] = {
        LAST_APPLIED: json.dumps({**secret, "data": {"password": "Y2FuYXJ5LTRjMWI5ZTAyZDc="}}),
        "meta.helm.sh/note": f"it was {CANARY} once",
    }
    sink = export(put(tmp_path, {"s.json": printed(secret, made("v1", "Secret", "none", "pay"))}))
    body = sink.named(SECRET, "db", "shop").body
    assert body == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "db",
            "namespace": "shop",
            "uid": "uid-shop-db",
            "annotations": {LAST_APPLIED: "[redacted]", "meta.helm.sh/note": "it was [redacted] once"},
        },
        "type": "Opaque",
        "keys": ["password"],
        "keyCount": 1,
        "lastWrite": None,
    }
    assert sink.named(SECRET, "none", "pay").body["keys"] == []
    literals = sink.named(SECRET, "db", "shop").literals
    assert {literal.place.value for literal in literals} == {"annotation"}
    assert sink.sources[0].facts["secretsWithValues"] == 1


def test_pods_are_folded_as_of_a_live_cluster(tmp_path: Path) -> None:
    """Whatever the order of the files: here pods come before what owns them."""
    spec = {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "web"}
    owner = made("apps/v1", "Deployment", "web", "shop", spec={"template": {"spec": spec}})
    replicas = made("apps/v1", "ReplicaSet", "web-1", "shop", spec={"template": {"spec": spec}})
    pods = [made("v1", "Pod", f"web-1-{n}", "shop", spec=spec) for n in range(3)]
    for above, below in [(owner, replicas), *((replicas, pod) for pod in pods)]:
        reference = {"apiVersion": above["apiVersion"], "kind": above["kind"], "uid": above["metadata"]["uid"]}
        below["metadata"]["ownerReferences"] = [{**reference, "controller": True, "name": "x"}]
    other = made("v1", "Pod", "bare", "pay", spec=spec)
    files = {"a.json": printed(*pods, other), "b.json": printed(replicas), "c.json": printed(owner)}
    sink = export(put(tmp_path, files))
    assert [resource.name for resource in sink.of(POD)] == ["bare"]
    assert sum(call.folded for call in sink.calls if call.type == POD) == 3
    assert not sink.of("kubernetes/ReplicaSet")
    assert sink.named("kubernetes/Deployment", "web", "shop").body["auditor/pods"] == {
        "count": 3,
        "serviceAccounts": ["web"],
    }


def test_the_kubectl_version_is_that_of_the_cluster(tmp_path: Path) -> None:
    version = {"clientVersion": {"gitVersion": "v1.2.3"}, "serverVersion": {"gitVersion": "v1.33.1-gke.100"}}
    sink = export(put(tmp_path, {"version.json": version, "a.json": printed(binding("a", "x"))}))
    assert (sink.sources[0].version, sink.sources[0].provider) == ("v1.33.1-gke.100", "")


@pytest.mark.parametrize(
    "files", [{}, {"readme.yaml": "a: 1"}, {"x.json": {"kind": "Event"}}], ids=["none", "other", "odd"]
)
def test_nothing_to_read_is_an_error(files: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(NothingCollectedError):
        export(put(tmp_path, files))


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no export at"):
        export(tmp_path / "none")


def test_a_file_by_itself_is_an_export(tmp_path: Path) -> None:
    put(tmp_path, {"a.json": printed(binding("a", "x"), binding("a", "y"))})
    assert results(export(tmp_path / "a.json"), BINDING) == {"x": READ, "y": READ, "": NOT_ASKED}


def test_an_export_is_told_from_manifests_by_what_only_a_server_writes(tmp_path: Path) -> None:
    live = binding("a", "shop")
    live["metadata"] |= {"uid": "0b3a3e4e-3f0c-4c3f-9a54-1a2b3c4d5e6f", "resourceVersion": "7"}
    manifest = binding("a", "shop")
    del manifest["metadata"]["uid"]
    assert not dumps.recognised(put(tmp_path / "manifests", {"a.yaml": yaml.safe_dump(manifest), "b.json": "{"}))
    assert dumps.recognised(put(tmp_path / "dump", {"a.yaml": yaml.safe_dump(printed(live)), "b.yaml": "a: 1"}))
    assert dumps.recognised(put(tmp_path / "raw", {"a.json": typed("RoleBinding", live, api_version=RBAC)}))
    assert dumps.recognised(put(tmp_path / "compact", {"a.json": json.dumps(printed(live), separators=(",", ":"))}))


# The same objects, live and from a dump.


@pytest.fixture(scope="module")
def cluster(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:  # noqa: ARG001 - skips
    with running(tmp_path_factory.mktemp("exports"), Setup()) as kube:
        kube.admin.create(made("v1", "Namespace", "shop"))
        kube.admin.kubectl_apply(made("v1", "Secret", "db", "shop", stringData={"password": CANARY}))
        kube.admin.create(made("v1", "ConfigMap", "app", "shop", data={"password": CANARY, "level": "info"}))
        container = {"name": "c", "image": "i", "env": [{"name": "PASSWORD", "value": CANARY}]}
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
        spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        kube.admin.kubectl_apply(made("apps/v1", "Deployment", "web", "shop", spec=spec))
        end = time.monotonic() + 20
        while len(list(kube.admin.items("/api/v1/namespaces/shop/pods"))) < 2:
            assert time.monotonic() < end
            time.sleep(0.05)
        yield kube


def test_a_dump_gives_the_resources_that_the_cluster_itself_gives(cluster: Kubernetes, tmp_path: Path) -> None:
    """One code path: only what a dump does not hold (when a Secret was written, and by whom) is missing."""
    live = collected(cluster.kubeconfig())
    for number, call in enumerate(call for call in live.calls if call.result is CallResult.READ):
        path = call.request.removeprefix("GET ")
        answer = cluster.admin.get(path)
        for item in answer["items"]:
            item["metadata"].pop("managedFields", None)  # as kubectl does
        (tmp_path / f"{number}.json").write_text(json.dumps(answer))
    dumped = export(tmp_path)
    for type_ in {resource.type for resource in live.resources}:
        expected = {(r.namespace, r.name): (dict(r.body), r.literals) for r in live.of(type_)}
        given = {(r.namespace, r.name): (dict(r.body), r.literals) for r in dumped.of(type_)}
        for body, _ in (*expected.values(), *given.values()):
            for name in ("lastWrite", "managers"):
                body.pop(name, None)
            # Controllers write on while we read.
            body["metadata"] = {key: value for key, value in body["metadata"].items() if key != "resourceVersion"}
        if type_ == "kubernetes/CustomResourceDefinition":
            continue
        assert given == expected, type_
    assert dumped.sources[0].identifier == live.sources[0].identifier != ""
    assert CANARY not in json.dumps([resource.body for resource in dumped.resources])


def test_what_every_cluster_has_is_there_and_proves_a_list(cluster: Kubernetes, tmp_path: Path) -> None:
    """What `kubectl get namespaces,serviceaccounts,pods -A -o json` prints."""
    for type_, always in claims._ALWAYS.items():
        root = "/api/v1" if (kind := by_type(type_)) and not kind.group else f"/apis/{RBAC}"
        found = {
            (item["metadata"].get("namespace", ""), item["metadata"]["name"])
            for item in cluster.admin.items(f"{root}/{kind.plural if kind else ''}")
        }
        assert set(always) <= found, type_
    items = []
    for plural, name in (("namespaces", "Namespace"), ("serviceaccounts", "ServiceAccount"), ("pods", "Pod")):
        answer = cluster.admin.get(f"/api/v1/{plural}")
        items += [{"apiVersion": "v1", "kind": name, **item} for item in answer["items"]]
    put(tmp_path, {"pods.json": printed(*items)})
    assert results(export(tmp_path), POD) == {"": READ}


SHAPES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["v1", "Pod", "PodList", "List", "Secret", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["apiVersion", "kind", "items", "metadata", "name", "namespace", "continue", "data", "info", "spec"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=150)
@given(value=SHAPES, name=st.sampled_from(["a.json", "pods-errors.json", "b.yaml"]))
def test_no_content_of_a_file_makes_it_fail(value: Any, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), {name: json.dumps(value), "good.json": printed(binding("a", "x"), binding("a", "y"))})
        sink = export(Path(folder))
    assert results(sink, BINDING)[""] in {READ, NOT_ASKED, CallResult.UNREADABLE, CallResult.CUT}
