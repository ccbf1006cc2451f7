"""`auditor doctor` against a real API server: who, what, what is lacking, what would stay open."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.running import run
from tests.servers.kubernetes import Kubernetes
from tests.servers.proxy import Fault, spoiling, status, with_headers

Doctor = Callable[..., tuple[int, str, str]]


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Return what runs the doctor over sources in an auditor.yaml: exit code, output, errors."""

    def look(sources: list[dict[str, Any]], *arguments: str) -> tuple[int, str, str]:
        (tmp_path / "auditor.yaml").write_text(json.dumps({"sources": sources}))
        monkeypatch.chdir(tmp_path)
        code = run(["doctor", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return look


def cluster(kubeconfig: Path, name: str = "prod", **more: Any) -> dict[str, Any]:
    return {"name": name, "kubernetes": {"kubeconfig": str(kubeconfig), **more}}


def test_everything_is_allowed(kube: Kubernetes, doctor: Doctor) -> None:
    code, out, _ = doctor([cluster(kube.kubeconfig())])
    assert code == 0
    assert f"at         {kube.url} (context tests)" in out
    assert "as         admin in system:masters, system:authenticated" in out
    assert "version    v1.36.3" in out
    assert "clock      as ours" in out
    assert "allowed    30 of 30 requests" in out
    assert "lacks" not in out


def test_what_would_be_asked_is_told(kube: Kubernetes, doctor: Doctor) -> None:
    _, out, _ = doctor([cluster(kube.kubeconfig(), namespaces=["default", "kube-system"])])
    told = " ".join(out.split())
    assert "asks list roles.rbac.authorization.k8s.io, rolebindings.rbac.authorization.k8s.io, serviceaccounts," in told
    assert "pods, ingresses.networking.k8s.io, networkpolicies.networking.k8s.io in default, kube-system list " in told
    assert "get namespaces default, namespaces kube-system" in told
    assert max(map(len, out.splitlines())) <= 101


def test_what_is_lacking_is_named_with_what_would_stay_open(kube: Kubernetes, doctor: Doctor) -> None:
    code, out, _ = doctor([cluster(kube.kubeconfig("nobody"))])
    assert code == 3
    assert "as         nobody" in out
    assert "lacks      list roles.rbac.authorization.k8s.io" in out
    assert "K-TOK-02: without Secret\n" in out
    assert "K-SEC-01: without CronJob, DaemonSet, Deployment, Job and 5 more kinds" in out
    assert "next       auditor doctor --source prod --grants" in out


def test_secrets_that_are_left_out_are_no_lack_but_leave_verdicts_open(kube: Kubernetes, doctor: Doctor) -> None:
    code, out, _ = doctor([cluster(kube.kubeconfig(), secrets="references")])
    assert code == 0, "it is what the configuration says"
    assert "allowed    29 of 29 requests" in out
    assert "not asked  Secret: `secrets: references` leaves them out" in out
    assert "silent     " in out
    assert "K-TOK-02: without Secret" in out
    assert "lacks" not in out


def test_the_grant_is_all_of_the_output(kube: Kubernetes, doctor: Doctor) -> None:
    """So that it can be piped into kubectl."""
    code, out, _ = doctor([cluster(kube.kubeconfig("nobody"), namespaces=["default"])], "--grants")
    assert code == 0
    documents = [document for document in yaml.safe_load_all(out) if document]
    assert {document["kind"] for document in documents} == {"ClusterRole", "ClusterRoleBinding", "RoleBinding"}
    for document in documents:
        assert kube.admin.create(document, dry_run=True), "a real server takes it"
    subjects = {subject["name"] for document in documents for subject in document.get("subjects", ())}
    assert subjects == {"nobody"}


def test_who_acts_as_somebody_else_is_told(kube: Kubernetes, doctor: Doctor) -> None:
    code, out, _ = doctor([cluster(kube.kubeconfig(impersonate="ada", impersonate_groups=["readers", "night"]))])
    assert code == 3
    assert "as         ada in readers, night, system:authenticated, impersonated by admin" in out


def test_a_source_that_is_not_there_does_not_hide_the_others(kube: Kubernetes, doctor: Doctor) -> None:
    gone = cluster(kube.kubeconfig(server="https://127.0.0.1:1"), "gone", timeout=1)
    code, out, _ = doctor([gone, cluster(kube.kubeconfig())])
    assert code == 2
    assert "gone (kubernetes)\n  error      https://127.0.0.1:1 cannot be reached\n             Check address" in out
    assert "allowed    30 of 30 requests" in out
    code, out, err = doctor([gone], "--grants")
    assert (code, out) == (2, "")
    assert "error: https://127.0.0.1:1 cannot be reached" in err


def test_a_clock_that_is_off_is_told(kube: Kubernetes, doctor: Doctor) -> None:
    with spoiling(kube, Fault("/version", with_headers(Date="Wed, 25 Nov 2020 20:00:00 GMT"))) as proxy:
        _, out, _ = doctor([cluster(kube.kubeconfig(server=proxy.url))])
    assert "s behind ours: set one of them right" in out


def test_what_the_server_does_not_say_is_not_taken_for_a_yes(kube: Kubernetes, doctor: Doctor) -> None:
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    with spoiling(kube, Fault(reviews, status(404), method="POST")) as proxy:
        code, out, _ = doctor([cluster(kube.kubeconfig(server=proxy.url))])
    assert code == 3
    assert "lacks      list roles.rbac.authorization.k8s.io (the server would not say)" in out


def test_discovery_that_is_refused_leaves_kinds_unasked(kube: Kubernetes, doctor: Doctor) -> None:
    with spoiling(kube, Fault("/apis", status(403))) as proxy:
        code, out, _ = doctor([cluster(kube.kubeconfig(server=proxy.url))])
    assert code == 3
    assert "unknown    Role: Which kinds the API group rbac.authorization.k8s.io has could not be read" in out


def test_an_export_is_looked_at(tmp_path: Path, doctor: Doctor) -> None:
    folder = tmp_path / "dump"
    folder.mkdir()
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": {}}
    (folder / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod]}))
    code, out, _ = doctor([{"name": "handed-over", "export": {"path": "dump"}}])
    assert code == 3
    assert "export     dump: 1 file\n" in out
    assert "tells      all of 0 kinds, of 1 a part, of " in out
    assert "lacks      Pod: The export does not prove that this kind was listed in all namespaces" in out
    assert "K-TOK-02: without Secret\n" in out
    assert "in part    F-ID-05: without " in out, "there are pods, and nobody knows of all that run"
    (folder / "pods.json").write_text("{}")
    code, out, _ = doctor([{"name": "handed-over", "export": {"path": "dump"}}])
    assert code == 2
    assert "nothing to judge was found in dump" in out


@pytest.mark.parametrize(
    ("sources", "arguments", "said"),
    [([], (), "there is no source to ask"), ([1], ("--source", "other"), "no source is called other")],
    ids=["none", "another"],
)
def test_wrong_use_is_told(sources: list[int], arguments: tuple[str, ...], said: str, doctor: Doctor) -> None:
    code, _, err = doctor([{"name": "prod", "kubernetes": {}} for _ in sources], *arguments)
    assert code == 2
    assert said in err
