"""Pods are counted at their owners, as many as there are: never some of them, never one twice.

On a real server, with lists that are cut and begun anew by a proxy.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from auditor.collectors.kubernetes import plan
from auditor.collectors.kubernetes.kinds import KINDS, POD
from auditor.collectors.kubernetes.owners import COUNTS
from auditor.model.collection import CallResult
from tests.collectors.kubernetes.collecting import Recording, collected
from tests.servers.kubernetes import Kubernetes
from tests.servers.proxy import Exchange, Fault, changed, spoiling, status

DEPLOYMENT, REPLICA_SET = "kubernetes/Deployment", "kubernetes/ReplicaSet"
PODS = 5


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read what runs, two pods and one workload a page."""
    pages = {POD: 2, DEPLOYMENT: 1, REPLICA_SET: 1}
    monkeypatch.setattr(plan, "KINDS", tuple(replace(k, page=pages[k.type]) for k in KINDS if k.type in pages))


@pytest.fixture(scope="module")
def spaces(kube: Kubernetes) -> Iterator[tuple[str, str]]:
    """Return two namespaces with the Deployments `app` and `web`, and pods of each."""
    first, second = (f"test-{secrets.token_hex(4)}-{letter}" for letter in "ab")
    for namespace in (first, second):
        kube.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for name in ("app", "web"):
            owner = kube.admin.create(deployment(name, namespace))
            kube.admin.create_all(pod(f"{name}-{number}", namespace, owner) for number in range(PODS))
    yield first, second
    for namespace in (first, second):
        kube.admin.delete(f"/api/v1/namespaces/{namespace}")


def deployment(name: str, namespace: str) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def pod(name: str, namespace: str, owner: dict[str, Any]) -> dict[str, Any]:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "controller": True}
    reference |= {key: owner["metadata"][key] for key in ("name", "uid")}
    metadata = {"name": name, "namespace": namespace, "ownerReferences": [reference]}
    spec = {"containers": [{"name": "c", "image": "i"}], "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def read(kube: Kubernetes, *faults: Fault, namespaces: tuple[str, ...]) -> Recording:
    with spoiling(kube, *faults) as proxy:
        return collected(kube.kubeconfig(server=proxy.url), namespaces=namespaces)


def counts(sink: Recording) -> dict[tuple[str, str], int | None]:
    """Return the number of pods at each Deployment, `None` where there is none."""
    return {
        (resource.namespace, resource.name): resource.body.get(COUNTS, {}).get("count")
        for resource in sink.of(DEPLOYMENT)
    }


def path_of(plural: str, namespace: str) -> str:
    return f"/{'api' if plural == 'pods' else 'apis/apps'}/v1/namespaces/{namespace}/{plural}"


def test_all_pods_are_counted(kube: Kubernetes, spaces: tuple[str, str]) -> None:
    sink = read(kube, namespaces=spaces)
    assert counts(sink) == {(namespace, name): PODS for namespace in spaces for name in ("app", "web")}
    assert sink.of(POD) == []


@pytest.mark.parametrize("page", [1, 2, 5])
def test_some_of_the_pods_are_no_count(kube: Kubernetes, spaces: tuple[str, str], page: int) -> None:
    """Where the list was not read to its end, nobody knows how many there are; that of the other namespace was."""
    first, second = spaces
    sink = read(kube, Fault(path_of("pods", first), status(403), first=page), namespaces=spaces)
    assert sink.call_of(POD, first).result is CallResult.FORBIDDEN
    assert counts(sink) == {
        (first, "app"): None,
        (first, "web"): None,
        (second, "app"): PODS,
        (second, "web"): PODS,
    }


@pytest.mark.parametrize("page", [2, 3, 5])
def test_a_list_of_pods_that_is_begun_anew_counts_each_once(
    kube: Kubernetes, spaces: tuple[str, str], page: int
) -> None:
    first, _ = spaces
    sink = read(kube, Fault(path_of("pods", first), status(410), first=page, times=1), namespaces=spaces)
    assert sink.restarts == [POD]
    assert set(counts(sink).values()) == {PODS}


def test_an_owner_that_is_gone_when_its_list_is_begun_anew_owns_nothing(
    kube: Kubernetes, spaces: tuple[str, str]
) -> None:
    """Deleted between the two readings: its pods are still there, and would be in nobody."""
    first, second = spaces
    path = path_of("deployments", first)

    def without_app(told: Any) -> Any:
        return {**told, "items": [item for item in told["items"] if item["metadata"]["name"] != "app"]}

    faults = (Fault(path, status(410), first=2, times=1), Fault(path, changed(without_app), first=2))
    sink = read(kube, *faults, namespaces=spaces)
    assert counts(sink) == {(first, "web"): PODS, (second, "app"): PODS, (second, "web"): PODS}
    assert [resource.name for resource in sink.of(POD)] == [f"app-{number}" for number in range(PODS)]


def test_the_digest_of_a_list_is_over_the_bytes_of_all_its_pages(kube: Kubernetes, spaces: tuple[str, str]) -> None:
    first, _ = spaces
    came: list[bytes] = []

    def kept(exchange: Exchange) -> None:
        answer = exchange.forward()
        came.append(answer.body)
        exchange.pass_on(answer)

    sink = read(kube, Fault(path_of("pods", first), kept), namespaces=(first,))
    call = sink.call_of(POD, first)
    assert (call.pages, len(came)) == (PODS, PODS)
    assert call.sha256 == hashlib.sha256(b"".join(came)).hexdigest()
