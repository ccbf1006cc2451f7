"""The servers are real, and the facts hold that the product is built on."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from tests.servers import build
from tests.servers.api import AS_METADATA, AS_TABLE, LAST_APPLIED, Question, RefusedError, implicit_groups
from tests.servers.kubernetes import Kubernetes, Setup, User, running
from tests.servers.process import StartError

ROLE = "rbac.authorization.k8s.io/v1"
PASSWORD = "correct-horse-battery-9471"


def secret(namespace: str, name: str = "db") -> dict[str, Any]:
    data = {"password": base64.b64encode(PASSWORD.encode()).decode(), "user": base64.b64encode(b"app").decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}


def reader(namespace: str) -> dict[str, Any]:
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["db"]}
    metadata = {"name": "read-db", "namespace": namespace}
    return {"apiVersion": ROLE, "kind": "Role", "metadata": metadata, "rules": [rule]}


def bound(namespace: str, *subjects: dict[str, str]) -> dict[str, Any]:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "read-db"}
    metadata = {"name": "developers-read-db", "namespace": namespace}
    return {
        "apiVersion": ROLE,
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": list(subjects),
    }


def group(name: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name}


def wait_for(condition: Any, *, seconds: float = 20) -> Any:
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "it did not come about in time"
        time.sleep(0.05)
    return found


def test_the_version_that_the_programs_say_is_the_one_of_the_module() -> None:
    modules = (build.HERE / "go.mod").read_text()
    major, minor, patch = build.VERSION.split(".")
    assert f"k8s.io/kubernetes v{build.VERSION}\n" in modules
    assert set(re.findall(r"=> k8s\.io/\S+ (\S+)", modules)) == {f"v0.{minor}.{patch}"}
    assert f"gitVersion=v{build.VERSION} " in build.FLAGS[-1]
    assert f"gitMajor={major} " in build.FLAGS[-1]
    assert build.FLAGS[-1].endswith(f"gitMinor={minor}")


def test_the_server_says_its_version_and_knows_its_own_users(kube: Kubernetes) -> None:
    assert kube.admin.get("/version")["gitVersion"] == f"v{build.VERSION}"
    assert whoami(kube.admin)["username"] == "admin"
    assert whoami(kube.api("alice"))["groups"] == ["developers", "system:authenticated"]
    carol = kube.api(certificate=kube.certificate("carol", "guests"))
    assert whoami(carol)["groups"] == ["guests", "system:authenticated"]
    acting = kube.admin.acting_as("dave", "one", "two")
    assert (whoami(acting)["username"], whoami(acting)["groups"]) == ("dave", ["one", "two", "system:authenticated"])
    with pytest.raises(RefusedError) as refused:
        kube.api(token="no such token").get("/api/v1/namespaces")
    assert refused.value.status == 401
    with pytest.raises(RefusedError) as refused:
        kube.api("nobody").get("/api/v1/namespaces")
    assert (refused.value.status, refused.value.reason) == (403, "Forbidden")


def whoami(api: Any) -> dict[str, Any]:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    told: dict[str, Any] = api.create({**body, "metadata": {}})["status"]["userInfo"]
    return told


def test_a_review_names_the_binding_that_allows(kube: Kubernetes, namespace: str) -> None:
    asked = Question(
        user="alice", groups=("developers", "system:authenticated"), verb="get", resource="secrets",
        namespace=namespace, name="db",
    )  # fmt: skip
    assert not kube.admin.review(asked).allowed
    kube.admin.create(reader(namespace))
    kube.admin.create(bound(namespace, group("developers")))
    wait_for(lambda: kube.admin.review(asked).allowed)
    assert kube.admin.review(asked).reason == (
        f'RBAC: allowed by RoleBinding "developers-read-db/{namespace}" of Role "read-db" to Group "developers"'
    )
    others = [
        Question(user="alice", groups=asked.groups, verb="get", resource="secrets", namespace=namespace, name="x")
    ]
    assert [review.allowed for review in kube.admin.reviews([asked, *others] * 50)] == [True, False] * 50
    kube.admin.create(secret(namespace))
    assert kube.api("alice").get(f"/api/v1/namespaces/{namespace}/secrets/db")["data"]


def test_a_review_judges_only_the_groups_that_it_is_told(kube: Kubernetes, namespace: str) -> None:
    account = f"system:serviceaccount:{namespace}:ci"
    question = Question(user=account, groups=(), verb="get", resource="secrets", namespace=namespace, name="db")
    kube.admin.create(reader(namespace))
    kube.admin.create(bound(namespace, group(f"system:serviceaccounts:{namespace}")))
    told = Question(
        user=account, groups=implicit_groups(account), verb="get", resource="secrets", namespace=namespace, name="db"
    )
    wait_for(lambda: kube.admin.review(told).allowed)
    assert not kube.admin.review(question).allowed


def test_a_service_account_signs_in_with_a_requested_token(kube: Kubernetes, namespace: str) -> None:
    kube.admin.create(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ci", "namespace": namespace}}
    )
    account = kube.api(token=kube.service_account_token(namespace, "ci"))
    assert whoami(account)["username"] == f"system:serviceaccount:{namespace}:ci"
    assert set(whoami(account)["groups"]) == set(implicit_groups(f"system:serviceaccount:{namespace}:ci"))


def test_the_controller_manager_fills_aggregated_roles_and_makes_default_accounts_and_pods(
    kube: Kubernetes, namespace: str
) -> None:
    rule = {"apiGroups": ["tests.example"], "resources": ["widgets"], "verbs": ["get"]}
    part = {
        "apiVersion": ROLE,
        "kind": "ClusterRole",
        "metadata": {"name": f"part-{namespace}", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
        "rules": [rule],
    }

    def rules(name: str) -> Any:
        return kube.admin.get(f"/apis/{ROLE}/clusterroles/{name}")["rules"]

    with kube.admin.having(part):
        wait_for(lambda: rule in rules("view"))
        wait_for(lambda: rule in rules("admin"))
    wait_for(lambda: rule not in rules("view"))
    wait_for(lambda: kube.admin.request("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default").status == 200)
    labels = {"app": "web"}
    kube.admin.create({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
        },
    })  # fmt: skip
    pods = wait_for(lambda: two(list(kube.admin.items(f"/api/v1/namespaces/{namespace}/pods"))))
    assert {owner["kind"] for pod in pods for owner in pod["metadata"]["ownerReferences"]} == {"ReplicaSet"}


def two(found: list[Any]) -> list[Any]:
    return found if len(found) == 2 else []


def test_even_the_metadata_of_an_applied_secret_carries_its_data(kube: Kubernetes, namespace: str) -> None:
    """`kubectl apply` keeps a copy of the whole object in an annotation, and annotations are metadata."""
    kube.admin.kubectl_apply(secret(namespace))
    (page,) = kube.admin.pages(f"/api/v1/namespaces/{namespace}/secrets", accept=AS_METADATA)
    (metadata,) = (item["metadata"] for item in page["items"])
    assert page["kind"] == "PartialObjectMetadataList"
    assert "data" not in page["items"][0]
    copy = json.loads(metadata["annotations"][LAST_APPLIED])
    assert base64.b64decode(copy["data"]["password"]).decode() == PASSWORD


def test_kubectl_apply_leaves_the_same_annotation(kube: Kubernetes, namespace: str) -> None:
    """Our imitation of it is held to the program."""
    plain, ours, theirs = secret(namespace, "plain"), secret(namespace, "labelled"), secret(namespace, "labelled")
    for object_ in (ours, theirs):
        object_["metadata"] |= {"labels": {"z": "1", "a": "2"}, "annotations": {"owner": "<team> & cö"}}
        object_["stringData"] = {"note": 'a "quoted" <b>&amp;\u2028 line\n'}
    for made, applied in ((secret(namespace, "plain"), plain), (ours, theirs)):
        path = kube.admin.path_of(made)
        by_us = kube.admin.kubectl_apply(made)
        kube.admin.delete(path)
        kubectl(kube.kubeconfig(), "apply", "-f", "-", given=json.dumps(applied))
        by_them = kube.admin.get(path)
        assert by_us["metadata"]["annotations"] == by_them["metadata"]["annotations"]
        managers = [
            {entry["manager"] for entry in object_["metadata"]["managedFields"]} for object_ in (by_us, by_them)
        ]
        assert managers[0] == managers[1] == {"kubectl-client-side-apply"}


def kubectl(kubeconfig: Path, *arguments: str, given: str = "") -> str:
    """Return what the program prints; the test is skipped where it is not installed."""
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl")
    command = ["kubectl", f"--kubeconfig={kubeconfig}", *arguments]
    return subprocess.run(command, input=given, check=True, capture_output=True, text=True, timeout=60).stdout


def test_a_table_of_secrets_never_carries_data(kube: Kubernetes, namespace: str) -> None:
    kube.admin.kubectl_apply(secret(namespace))
    path = f"/api/v1/namespaces/{namespace}/secrets"
    table = kube.admin.get(path, accept=AS_TABLE, includeObject="None")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Type", "Data", "Age"]
    assert [row["cells"][:3] for row in table["rows"]] == [["db", "Opaque", 2]]
    text = json.dumps(table)
    assert PASSWORD not in text
    assert base64.b64encode(PASSWORD.encode()).decode() not in text


def test_neither_form_is_to_be_had_without_the_right_to_list_values(kube: Kubernetes, namespace: str) -> None:
    for accept in (AS_METADATA, AS_TABLE):
        with pytest.raises(RefusedError) as refused:
            kube.api("nobody").get(f"/api/v1/namespaces/{namespace}/secrets", accept=accept)
        assert refused.value.status == 403


def test_managed_fields_name_the_keys_and_move_only_when_a_value_does(kube: Kubernetes, namespace: str) -> None:
    made = kube.admin.apply(secret(namespace), manager="deployer")
    (entry,) = made["metadata"]["managedFields"]
    assert set(entry["fieldsV1"]["f:data"]) == {"f:password", "f:user"}
    assert entry["manager"] == "deployer"
    assert PASSWORD not in json.dumps(entry)
    time.sleep(1.1)  # times are whole seconds
    again = kube.admin.apply(secret(namespace), manager="deployer")
    assert again["metadata"]["managedFields"][0]["time"] == entry["time"]
    changed = secret(namespace)
    changed["data"]["password"] = base64.b64encode(b"another").decode()
    assert kube.admin.apply(changed, manager="deployer")["metadata"]["managedFields"][0]["time"] > entry["time"]


def test_lists_come_in_pages_that_say_how_much_remains(kube: Kubernetes, namespace: str) -> None:
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{number}", "namespace": namespace}}
        for number in range(25)
    ]
    wait_for(
        lambda: kube.admin.request("GET", f"/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt").status == 200
    )
    assert kube.admin.create_all(maps) == 25
    pages = list(kube.admin.pages(f"/api/v1/namespaces/{namespace}/configmaps", limit=10))
    assert [len(page["items"]) for page in pages] == [10, 10, 6]
    assert [page["metadata"].get("remainingItemCount") for page in pages] == [16, 6, None]
    kube.admin.delete_all(maps)
    assert len(list(kube.admin.items(f"/api/v1/namespaces/{namespace}/configmaps"))) == 1


def test_the_audit_log_tells_what_was_asked_by_whom_and_what_was_decided(kube: Kubernetes, namespace: str) -> None:
    before = kube.audit_position()
    with pytest.raises(RefusedError):
        kube.api("nobody").get(f"/api/v1/namespaces/{namespace}/secrets")
    events = [event for event in kube.audit_events(before) if event["user"]["username"] == "nobody"]
    (event,) = events
    assert (event["verb"], event["objectRef"]["resource"], event["responseStatus"]["code"]) == ("list", "secrets", 403)
    assert event["annotations"]["authorization.k8s.io/decision"] == "forbid"


def test_a_kubeconfig_signs_in_by_every_means_and_impersonates(kube: Kubernetes) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "printf", "interactiveMode": "Never"}
    credential = {
        "apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "status": {"token": kube.token("bob")}
    }  # fmt: skip
    wanted = {
        kube.kubeconfig(): "admin",
        kube.kubeconfig("alice"): "alice",
        kube.kubeconfig(certificate=kube.certificate("carol", "guests")): "carol",
        kube.kubeconfig(credentials={"exec": plugin | {"args": [json.dumps(credential)]}}): "bob",
        kube.kubeconfig(impersonate="dave", impersonate_groups=["guests"]): "dave",
    }
    for kubeconfig, user in wanted.items():
        told = kubectl(kubeconfig, "auth", "whoami", "-o", "json")
        assert json.loads(told)["status"]["userInfo"]["username"] == user


def test_without_controllers_there_is_no_default_account_and_pods_need_none(servers: None, tmp_path: Path) -> None:  # noqa: ARG001
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    setup = Setup(controllers=(), users=(User("admin", ("system:masters",)), User("root", ("system:masters",))))
    with running(tmp_path, setup) as kube:
        assert kube.admin.get("/api/v1/namespaces/default/serviceaccounts")["items"] == []
        assert not kube.admin.get(f"/apis/{ROLE}/clusterroles/view").get("rules")
        kube.api("root").create(pod)
        assert set(kube.memory()) == {"etcd", "kube-apiserver"}


def test_a_server_that_cannot_start_says_why(servers: None, tmp_path: Path) -> None:  # noqa: ARG001
    with pytest.raises(StartError, match="no-such-flag"), running(tmp_path, Setup(arguments=("--no-such-flag",))):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_test_process_takes_its_servers_along(servers: None, tmp_path: Path) -> None:  # noqa: ARG001
    program = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from tests.servers.kubernetes import running
        with running(Path(sys.argv[1])) as kube:
            print(*(server.pid for server in kube.servers), flush=True)
            time.sleep(600)
    """)
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=build.HERE.parent.parent) as tests:
        assert tests.stdout
        pids = [int(pid) for pid in tests.stdout.readline().split()]
        assert len(pids) == 3
        assert all(alive(pid) for pid in pids)
        tests.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(alive(pid) for pid in pids), seconds=10)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.usefixtures("kube")
def test_all_that_share_a_server_go_to_one_worker(request: pytest.FixtureRequest) -> None:
    """The scheduler reads the group from the id; with one worker there is none."""
    divided = bool(getattr(request.config.option, "loadgroup", False))
    assert request.node.nodeid.endswith("@servers-shared") is divided
