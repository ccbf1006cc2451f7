"""The made-up estate is accepted by a real server as it is, and is what it claims to be."""

import json
from base64 import b64encode
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.servers import estate
from tests.servers.api import AS_METADATA, LAST_APPLIED
from tests.servers.kubernetes import ACCOUNTS, Setup, running

LISTS = {
    "ServiceAccount": "/api/v1/serviceaccounts",
    "Secret": "/api/v1/secrets",
    "ConfigMap": "/api/v1/configmaps",
    "Deployment": "/apis/apps/v1/deployments",
    "Role": "/apis/rbac.authorization.k8s.io/v1/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}


def test_the_same_seed_gives_the_same_objects_and_another_others() -> None:
    first, again, other = (list(estate.objects(estate.SMALL, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == len(other) == estate.SMALL.objects


def test_objects_name_what_there_is_in_their_own_namespace() -> None:
    made = list(estate.objects(estate.SMALL, seed=3))
    there = {(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in made}
    assert len(there) == len(made)
    for item in made:
        place = item["metadata"].get("namespace")
        if item["kind"] == "RoleBinding" and item["roleRef"]["kind"] == "Role":
            assert ("Role", place, item["roleRef"]["name"]) in there
        for subject in item.get("subjects", ()):
            if subject["kind"] == "ServiceAccount":
                assert ("ServiceAccount", subject["namespace"], subject["name"]) in there
        if item["kind"] == "Deployment":
            pod = item["spec"]["template"]["spec"]
            assert ("ServiceAccount", place, pod["serviceAccountName"]) in there
            assert ("Secret", place, pod["volumes"][0]["secret"]["secretName"]) in there


def test_a_large_estate_has_the_sizes_that_are_promised() -> None:
    counted = Counter(item["kind"] for item in estate.objects(estate.LARGE, seed=1))
    promised = {
        "Namespace": 50, "ServiceAccount": 10_000, "Role": 5_000, "RoleBinding": 20_000,
        "Secret": 5_000, "Deployment": 2_000,
    }  # fmt: skip
    assert counted | promised == counted
    assert sum(counted.values()) == estate.LARGE.objects


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_the_marks_find_a_credential_in_base64_wherever_it_begins(before: bytes, after: bytes) -> None:
    encoded = b64encode(before + estate.MARK.encode() + after).decode()
    assert any(mark in encoded for mark in estate.MARKS[1:])


def test_a_real_server_takes_every_object_as_it_is(servers: None, tmp_path: Path) -> None:  # noqa: ARG001 - skips
    size = estate.SMALL
    with running(tmp_path, Setup(controllers=ACCOUNTS)) as kube:
        made = estate.fill(kube.admin, size, seed=1)
        wanted = {(item["kind"], item["metadata"]["name"]) for item in estate.objects(size, seed=1)}
        stored = {(kind, item["metadata"]["name"]) for kind, path in LISTS.items() for item in kube.admin.items(path)}
        stored |= {("Namespace", item["metadata"]["name"]) for item in kube.admin.items("/api/v1/namespaces")}
        (page,) = kube.admin.pages("/api/v1/secrets", accept=AS_METADATA)
    assert sum(made.values()) == size.objects
    assert wanted <= stored
    copies = [
        item["metadata"]["annotations"][LAST_APPLIED]
        for item in page["items"]
        if LAST_APPLIED in item["metadata"].get("annotations", {})
    ]
    assert 0 < len(copies) < size.secrets
    assert all(any(mark in json.dumps(copy) for mark in estate.MARKS) for copy in copies)
