"""The grant that the doctor prints is enough and not too much: a real server is read with it, and with less."""

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from auditor.collectors.kubernetes import permissions
from auditor.collectors.kubernetes.collector import connect
from auditor.collectors.kubernetes.discovery import Discovery, Served, discover
from auditor.collectors.kubernetes.kinds import KINDS, SECRET
from auditor.collectors.kubernetes.permissions import Right, grants, review, rights
from auditor.collectors.kubernetes.plan import groups, plan
from auditor.model.collection import CallResult
from auditor.model.settings import KubernetesSource, SecretsMode
from tests.collectors.kubernetes.collecting import WORKLOADS, Recording, collected
from tests.servers.api import Api
from tests.servers.kubernetes import ACCOUNTS, Kubernetes, Setup, running

USER = "auditor"
MODES = {
    "everything": KubernetesSource(),
    "without-secrets": KubernetesSource(secrets=SecretsMode.REFERENCES),
    "two-namespaces": KubernetesSource(namespaces=("pay", "shop")),
    "two-namespaces-without-secrets": KubernetesSource(namespaces=("pay", "shop"), secrets=SecretsMode.REFERENCES),
}


@pytest.fixture(scope="module")
def estate(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:  # noqa: ARG001 - skips
    with running(tmp_path_factory.mktemp("permissions"), Setup(controllers=ACCOUNTS)) as kube:
        for name in ("shop", "pay", "other"):
            kube.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            metadata = {"name": "db", "namespace": name}
            kube.admin.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
            kube.admin.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}})
        yield kube


def needed(kube: Kubernetes, settings: KubernetesSource) -> tuple[Right, ...]:
    client = client_of(kube, "admin")
    try:
        return rights(plan(settings, discover(client, groups()), WORKLOADS), settings)
    finally:
        client.close()


def client_of(kube: Kubernetes, user: str) -> Any:
    return connect(
        KubernetesSource(kubeconfig=kube.kubeconfig(user)),
        connections=threading.BoundedSemaphore(8),
        environ=os.environ,
        jitter=lambda: 0.0,
    )


def documents(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def read(kube: Kubernetes, user: str, settings: KubernetesSource) -> Recording:
    return collected(kube.kubeconfig(user), namespaces=settings.namespaces, secrets=settings.secrets)


@pytest.mark.parametrize("mode", MODES)
def test_exactly_the_grant_reads_everything_that_an_administrator_reads(mode: str, estate: Kubernetes) -> None:
    settings = MODES[mode]
    granted = documents(grants("prod", settings, needed(estate, settings), user=USER))
    by_grant, by_admin = with_grant(estate, granted, settings), read(estate, "admin", settings)
    wanted = {SECRET: CallResult.NOT_ASKED} if settings.secrets is SecretsMode.REFERENCES else {}
    assert by_grant.incomplete == wanted
    names = {"kubernetes/ClusterRole", "kubernetes/ClusterRoleBinding"}
    ids = {resource.id for resource in by_admin.resources if resource.type not in names}
    assert ids <= {resource.id for resource in by_grant.resources}
    assert by_grant.sources[0].identifier == by_admin.sources[0].identifier != ""
    assert not by_grant.sources[0].permissions_missing


@pytest.mark.parametrize("mode", ["everything", "two-namespaces"])
def test_a_rule_less_is_exactly_its_lists_less(mode: str, estate: Kubernetes) -> None:
    """So nothing in the grant is idle, and the ledger names what it lacks."""
    settings = MODES[mode]
    granted = documents(grants("prod", settings, needed(estate, settings), user=USER))
    tried = 0
    for role in (document for document in granted if document["kind"] == "ClusterRole"):
        for position, rule in enumerate(role["rules"]):
            less = [
                {**role, "rules": [*role["rules"][:position], *role["rules"][position + 1 :]]}
                if document is role
                else document
                for document in granted
            ]
            sink = with_grant(estate, less, settings, without=rule)
            expected = {
                kind.type
                for kind in KINDS
                if kind.group in rule["apiGroups"] and kind.plural in rule["resources"] and _verb(kind, rule, settings)
            }
            assert set(sink.incomplete) == expected, rule
            assert set(sink.incomplete.values()) == {CallResult.FORBIDDEN}
            assert sink.sources[0].permissions_missing
            tried += 1
    assert tried >= 10


def _verb(kind: Any, rule: dict[str, Any], settings: KubernetesSource) -> bool:
    by_name = kind.plural == "namespaces" and bool(settings.namespaces)
    return rule["verbs"] == (["get"] if by_name else ["list"])


def with_grant(
    kube: Kubernetes,
    granted: list[dict[str, Any]],
    settings: KubernetesSource,
    *,
    without: dict[str, Any] | None = None,
) -> Recording:
    """Return what is read with a grant, as soon as the authoriser knows it: it learns of roles by watching."""
    api = kube.api(USER)
    roles = {document["metadata"]["name"]: document for document in granted if document["kind"] == "ClusterRole"}
    with kube.admin.having(*granted):
        for binding in (document for document in granted if document["kind"].endswith("Binding")):
            place = binding["metadata"].get("namespace", "")
            for rule in roles[binding["roleRef"]["name"]]["rules"]:
                wait_for(api, rule, place, allowed=True)
            if without is not None:
                wait_for(api, without, place, allowed=False)
        return read(kube, USER, settings)


def wait_for(api: Api, rule: dict[str, Any], namespace: str, *, allowed: bool) -> None:
    attributes = {
        "verb": rule["verbs"][0],
        "group": rule["apiGroups"][0],
        "resource": rule["resources"][0],
        "name": (rule.get("resourceNames") or [""])[0],
        "namespace": namespace,
    }
    asked = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    end = time.monotonic() + 10
    while api.request("POST", path, asked).json()["status"]["allowed"] is not allowed:
        assert time.monotonic() < end, attributes
        time.sleep(0.02)


def test_the_server_says_which_rights_we_have(estate: Kubernetes) -> None:
    wanted = needed(estate, KubernetesSource())
    admin, nobody = client_of(estate, "admin"), client_of(estate, "nobody")
    try:
        assert {allowed for _, allowed in review(admin, wanted)} == {True}
        assert {allowed for _, allowed in review(nobody, wanted)} == {False}
    finally:
        admin.close()
        nobody.close()


# The text of grants.


def served(*names: tuple[str, str, str]) -> Discovery:
    found = Discovery()
    for group, plural, kind in names:
        found.add(Served(group=group, version="v1", plural=plural, kind=kind, namespaced=True))
    return found


SECRETS = served(("", "secrets", "Secret"), ("", "pods", "Pod"))


@pytest.mark.parametrize(
    ("user", "subject"),
    [
        ("system:serviceaccount:tools:reader", {"kind": "ServiceAccount", "name": "reader", "namespace": "tools"}),
        ("ada@example.com", {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ada@example.com"}),
        ("", {"kind": "ServiceAccount", "name": "auditor", "namespace": "auditor"}),
        ('x", y: "', {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": 'x", y: "'}),
        ("yes", {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "yes"}),
        ("12", {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "12"}),
    ],
)
def test_the_grant_is_bound_to_who_we_are(user: str, subject: dict[str, str]) -> None:
    settings = KubernetesSource()
    wanted = rights(plan(settings, SECRETS, WORKLOADS), settings)
    bindings = [one for one in documents(grants("prod", settings, wanted, user=user)) if "roleRef" in one]
    assert len(bindings) == 2
    assert all(binding["subjects"] == [subject] for binding in bindings)


def test_both_modes_are_there_with_what_a_thief_could_do() -> None:
    """Kubernetes cannot grant names without values, so whoever grants it is told."""
    with_values, without = KubernetesSource(), KubernetesSource(secrets=SecretsMode.REFERENCES)
    texts = {
        mode.secrets: grants("prod", mode, rights(plan(mode, SECRETS, WORKLOADS), mode), user=USER)
        for mode in (with_values, without)
    }
    for text in texts.values():
        flat = " ".join(text.replace("\n# ", " ").split())
        assert permissions.WITHOUT_SECRETS in flat
        assert permissions.WITH_SECRETS in flat
        assert "resources: [secrets]" in text
    roles = {
        mode: [one["metadata"]["name"] for one in documents(text) if one["kind"] == "ClusterRole"]
        for mode, text in texts.items()
    }
    assert roles == {
        SecretsMode.METADATA: ["auditor-prod", "auditor-prod-secrets"],
        SecretsMode.REFERENCES: ["auditor-prod"],
    }
    lines = texts[SecretsMode.REFERENCES].splitlines()
    disabled = "\n".join(line.removeprefix("# ") for line in lines[lines.index("# ---") :])
    assert [one["kind"] for one in documents(disabled)] == ["ClusterRole", "ClusterRoleBinding"]


def test_no_grant_can_change_or_open_anything() -> None:
    """Every kind of the table, all modes: the verbs are `list`, and `get` of namespaces by name."""
    found = served(*((kind.group, kind.plural.replace("*", "k8srequired"), "Kind") for kind in KINDS))
    for settings in MODES.values():
        text = grants("prod", settings, rights(plan(settings, found, WORKLOADS), settings), user=USER)
        for role in (one for one in documents(text) if one["kind"] == "ClusterRole"):
            for rule in role["rules"]:
                assert "*" not in rule["apiGroups"]
                assert rule["apiGroups"] == ["constraints.gatekeeper.sh"] or "*" not in rule["resources"]
                assert not any("/" in resource for resource in rule["resources"])
                if rule["verbs"] == ["get"]:
                    assert rule["resources"] == ["namespaces"]
                    assert sorted(rule["resourceNames"]) == sorted({"kube-system", *settings.namespaces})
                else:
                    assert rule["verbs"] == ["list"]
                    assert "resourceNames" not in rule
