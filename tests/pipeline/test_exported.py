"""A folder that was taken from a cluster, given to `scan` and `access` as it is."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.collectors.kubernetes.kinds import KINDS
from tests.cli.running import run
from tests.servers.kubernetes import Kubernetes

Output = pytest.CaptureFixture[str]
RBAC = "rbac.authorization.k8s.io/v1"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDITOR_FINGERPRINT_KEY", "of-the-tests-and-long-enough-for-a-key")
    return tmp_path


def live(kind: str, name: str, namespace: str = "", api_version: str = "v1", **more: Any) -> dict[str, Any]:
    """Return an object as a server shows it."""
    metadata = {
        "name": name,
        "uid": "0b3a3e4e-3f0c-4c3f-9a54-1a2b3c4d5e6f",
        "resourceVersion": "7",
        "creationTimestamp": "2026-01-02T03:04:05Z",
        **({"namespace": namespace} if namespace else {}),
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


SECRET = live("Secret", "db", "shop", type="Opaque", data={"password": "Z3VsbC1hbmQtYW5jaG9yLTk="})
RULE = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
ROLE = live("ClusterRole", "reader", api_version=RBAC, rules=[RULE])
MANIFEST = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}}


def printed(*items: Any) -> dict[str, Any]:
    """Return what `kubectl get ... -o json` prints."""
    return {"apiVersion": "v1", "items": list(items), "kind": "List", "metadata": {"resourceVersion": ""}}


def put(files: Mapping[str, Any]) -> None:
    for name, content in files.items():
        file = Path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, indent=4) if file.suffix == ".json" else yaml.safe_dump(content))


def assessed(capsys: Output, *arguments: object) -> tuple[int, dict[str, Any]]:
    code = run([*arguments, "-o", "json", "-q"])
    return code, json.loads(capsys.readouterr().out)


def judged(stored: dict[str, Any]) -> dict[str, Any]:
    """Return what an assessment says, without when and of what file."""
    return {
        key: stored[key]
        for key in ("coverage", "calls", "subjects", "policies", "results", "findings", "requirements")
    }  # fmt: skip


def timeless(value: Any) -> Any:
    """Return `value` without the times of the run: ages and all else stay."""
    if isinstance(value, dict):
        return {key: timeless(inner) for key, inner in value.items() if key not in {"started", "ended"}}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value


def listed(kube: Kubernetes, path: str) -> Any:
    """Return the list, `None` where the server has no such kind."""
    answer = kube.admin.request("GET", path)
    return answer.json() if answer.status == 200 else None


@pytest.mark.usefixtures("namespace")
def test_a_dump_gets_the_verdicts_of_collect_and_audit(kube: Kubernetes, capsys: Output) -> None:
    """Everything that a real server lists, as `kubectl get -A -o json` writes it, computed kinds included."""
    for kind in KINDS:
        for version in ("v1", "v1beta1"):
            root = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
            answer = listed(kube, f"{root}/{kind.plural}")
            if answer is not None:
                head = {
                    "apiVersion": f"{kind.group}/{version}".lstrip("/"),
                    "kind": answer["kind"].removesuffix("List"),
                }
                items = [{**head, **item} for item in answer["items"]]
                put({f"prod/{kind.resource}.json": printed(*items)})
    put({"prod/componentstatuses.json": kube.admin.get("/api/v1/componentstatuses")})
    assert run(["collect", "-o", "s", "--from", "prod", "-q"]) == 0
    capsys.readouterr()
    by_audit, by_scan = assessed(capsys, "audit", "s"), assessed(capsys, "scan", "prod")
    assert by_scan[0] == by_audit[0]
    assert timeless(judged(by_scan[1])) == timeless(judged(by_audit[1]))
    assert [source["name"] for source in by_scan[1]["sources"]] == ["prod"]
    answers = [assessed(capsys, "access", "who-can", "get", "secrets", path) for path in ("s", "prod")]
    assert answers[0] == answers[1]


def test_a_secret_of_a_dump_is_no_secret_in_source(capsys: Output) -> None:
    put({"dump/secrets.json": printed(SECRET)})
    code, stored = assessed(capsys, "scan", "dump", "--select", "K-SEC-06")
    assert code == 3, "what else there is was not asked"
    assert stored["findings"] == []
    assert {gap["reason"] for part in stored["coverage"] for gap in part["gaps"]} == {"not-asked"}


EMPTY = printed()
BUNDLE = {"apiVersion": "troubleshoot.sh/v1beta2", "kind": "SupportBundle", "spec": {}}
COMPUTED = printed({"apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics", "metadata": {"name": "web"}})
DECISIONS: dict[str, tuple[Mapping[str, Any], bool]] = {
    "lists-in-json": ({"d/a.json": printed(SECRET)}, True),
    "lists-in-yaml": ({"d/a.yaml": printed(SECRET)}, True),
    "lists-of-the-api": ({"d/a.json": {**printed(SECRET), "kind": "SecretList"}}, True),
    "arrays-of-a-bundle": ({"d/a.json": [SECRET]}, True),
    "single-objects-beside-a-list": ({"d/a.json": SECRET, "d/b.yaml": printed(ROLE)}, True),
    "empty-lists-beside-a-list": ({"d/a.json": EMPTY, "d/a.yaml": EMPTY, "d/b.yaml": printed(ROLE)}, True),
    "what-has-no-uid-on-a-server-either": ({"d/a.json": COMPUTED, "d/a.yaml": BUNDLE, "d/b.yaml": printed(ROLE)}, True),
    "other-files": ({"d/a.json": {"apiVersion": 3}, "d/a.yaml": {"a": BUNDLE}, "d/b.json": printed(ROLE)}, True),
    "single-objects-are-how-people-keep-manifests": ({"d/a.json": SECRET, "d/b.yaml": ROLE}, False),
    "a-manifest-among-them": ({"d/a.json": printed(SECRET), "d/b.yaml": MANIFEST}, False),
    "a-manifest-in-json-among-them": ({"d/a.json": printed(SECRET), "d/b.json": MANIFEST}, False),
    "a-list-that-somebody-wrote": ({"d/a.json": printed(SECRET), "d/b.yaml": printed(MANIFEST)}, False),
    "a-repository-is-source": ({"d/a.json": printed(SECRET), "d/.git/x.json": {}}, False),
    "only-empty-lists": ({"d/a.json": EMPTY}, False),
}  # fmt: skip


@pytest.mark.parametrize("name", DECISIONS)
def test_a_folder_is_an_export_if_all_of_it_was_taken_from_a_cluster(name: str, capsys: Output) -> None:
    files, export = DECISIONS[name]
    put(files)
    run(["scan", "d", "-o", "json", "-q"])
    written = capsys.readouterr().out
    assert bool(json.loads(written)["sources"] if written else []) is export


def test_an_audit_says_what_to_do_with_an_export(capsys: Output) -> None:
    put({"d/a.json": printed(SECRET)})
    assert run(["audit", "d"]) == 2
    told = capsys.readouterr().err
    assert "d was taken from a cluster and is no snapshot" in told
    assert "`auditor scan d` judges it as it is" in told


def test_a_hook_takes_everything_for_source(capsys: Output) -> None:
    """A dump must not be committed either."""
    put({"d/a.json": printed(SECRET)})
    code, stored = assessed(capsys, "scan", "d", "--allow-empty", "--select", "K-SEC-06")
    assert code == 1
    assert [finding["policy_id"] for finding in stored["findings"]] == ["K-SEC-06"]


def scan(*paths: str) -> list[str]:
    return ["scan", *paths]


def who_can(*paths: str) -> list[str]:
    return ["access", "who-can", "get", "secrets", *paths]


@pytest.mark.parametrize("command", [scan, who_can])
@pytest.mark.parametrize("paths", [("dump", "deploy"), ("deploy", "dump"), ("dump", "deploy/*.yaml")])
def test_dumps_and_manifests_are_not_judged_together(
    command: Callable[..., list[str]], paths: tuple[str, ...], capsys: Output
) -> None:
    put({"dump/a.json": printed(SECRET, ROLE), "deploy/b.yaml": MANIFEST})
    assert run(command(*paths)) == 2
    told = capsys.readouterr().err
    assert "dump was taken from a cluster, and deploy" in told
    assert "name one after the other" in told


@pytest.mark.parametrize("command", [scan, who_can])
@pytest.mark.parametrize("paths", [("dump/a.json", "dump/b.json"), ("dump/*.json",)])
def test_several_files_are_not_taken_for_several_clusters(
    command: Callable[..., list[str]], paths: tuple[str, ...], capsys: Output
) -> None:
    put({"dump/a.json": printed(SECRET), "dump/b.json": printed(ROLE)})
    assert run(command(*paths)) == 2
    told = capsys.readouterr().err
    assert "dump/a.json and dump/b.json were taken from a cluster, and nothing says whether it was the same" in told
    assert "Name the folder that they lie in" in told


def test_one_file_and_a_pattern_for_one_are_an_export(capsys: Output) -> None:
    put({"dump/a.json": printed(SECRET)})
    for path in ("dump/a.json", "dump/*.json"):
        assert [source["name"] for source in assessed(capsys, "scan", path)[1]["sources"]] == ["a.json"]


def test_a_pipe_among_the_files_is_not_waited_for(capsys: Output) -> None:
    put({"dump/b.json": printed(SECRET)})
    os.mkfifo("dump/a.json")
    assert [source["name"] for source in assessed(capsys, "scan", "dump")[1]["sources"]] == ["dump"]


def test_several_dumps_are_several_clusters(capsys: Output) -> None:
    put({"a/x/secrets.json": printed(SECRET), "b/x/secrets.json": printed(SECRET)})
    _, stored = assessed(capsys, "scan", "a/x", "b/x")
    assert [source["name"] for source in stored["sources"]] == ["x", "x-2"]
    ids = {subject["id"] for subject in stored["subjects"]}
    assert {"kubernetes/Secret:shop/db@x", "kubernetes/Secret:shop/db@x-2"} <= ids


def test_that_a_dump_was_recognised_is_said(capsys: Output) -> None:
    put({"dump/a.json": printed(SECRET)})
    run(["scan", "dump"])
    assert "dump was taken from a cluster: judged as `collect --from` and `audit` would" in capsys.readouterr().err
