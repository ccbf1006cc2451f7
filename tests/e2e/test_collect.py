"""`auditor collect` against a real API server: planted values, refusals, interruptions.

What was planted is nowhere, what was refused is told, and an interrupted run is gone on with.
"""

import base64
import gzip
import json
import os
import re
import signal
import stat
import subprocess
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.model.collection import CallResult
from auditor.model.resource import LiteralKind
from auditor.snapshot.manifest import State
from auditor.snapshot.reading import Snapshot, open_snapshot
from tests.e2e.program import PROGRAM, Done, auditor
from tests.e2e.test_terminal import on_terminal
from tests.servers.kubernetes import ACCOUNTS, Kubernetes, Setup, running
from tests.servers.proxy import Exchange, Fault, silence, spoiling

NS = "shop"


def _jwt(payload: str) -> str:
    parts = ({"alg": "RS256", "kid": "x"}, {"iss": "kubernetes/serviceaccount", "sub": payload})
    packed = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*packed, "c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4tb25l"])


CANARIES = {
    "secret data": 'Zq7"canary\\data<0>&x',
    "secret annotation": "canary-annotation-02",
    "config map": "canary config 03 ü",
    "config map file": "canary-file-04",
    "config map binary": "canary-binary-05",
    "environment": 'canary"env<06>&y',
    "argument": "canary-argument-07",
    "probe header": "canary-probe-08",
    "URL": "canary-url-09",
    "init container": "canary-init-10",
    "bare pod": "canary-pod-11",
    "custom resource": "canary-custom-12",
    "namespace annotation": "canary-namespace-13",
    "account annotation": _jwt("canary-account-14"),
    "binding annotation": "canary-binding-15",
    "resource name of a rule": _jwt("canary-rule-16"),
    "template annotation": "canary-template-17",
    "opaque key of a Secret": "canary-opaque-18",
    "word that nobody can recognise in an annotation of a Secret": "canary herring 19",
}


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _estate() -> list[dict[str, Any]]:
    """Return the planted objects; those of `kubectl apply` carry a copy of themselves."""

    def meta(name: str, **annotations: str) -> dict[str, Any]:
        return {"name": name, "namespace": NS, "annotations": annotations}

    container = {
        "name": "web",
        "image": "web:1",
        "args": [f"--admin-password={CANARIES['argument']}"],
        "env": [
            {"name": "DB_PASSWORD", "value": CANARIES["environment"]},
            {"name": "DATABASE_URL", "value": f"postgres://app:{CANARIES['URL']}@db/app"},
        ],
        "livenessProbe": {
            "httpGet": {"port": 80, "httpHeaders": [{"name": "X-Api-Token", "value": CANARIES["probe header"]}]}
        },
    }
    first = {"name": "init", "image": "i", "env": [{"name": "ADMIN_PASSWORD", "value": CANARIES["init container"]}]}
    rbac = "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": meta(
                "s",
                **{
                    "example.com/api-token": CANARIES["secret annotation"],
                    "example.com/note": CANARIES["word that nobody can recognise in an annotation of a Secret"],
                },
            ),
            "data": {"password": _b64(CANARIES["secret data"]), "x": _b64(CANARIES["opaque key of a Secret"])},
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta("c"),
            "data": {
                "PASSWORD": CANARIES["config map"],
                "application.properties": f"a=1\nspring.datasource.password={CANARIES['config map file']}\n",
            },
            "binaryData": {"k.json": _b64(json.dumps({"password": CANARIES["config map binary"]}))},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta("web"),
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {
                        "labels": {"app": "web"},
                        "annotations": {"example.com/password": CANARIES["template annotation"]},
                    },
                    "spec": {"initContainers": [first], "containers": [container]},
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": meta("bare"),
            "spec": {
                "automountServiceAccountToken": False,
                "containers": [
                    {"name": "c", "image": "i", "env": [{"name": "API_TOKEN", "value": CANARIES["bare pod"]}]}
                ],
            },
        },
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": meta("reader", **{"example.com/token": CANARIES["account annotation"]}),
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": meta("odd"),
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["secrets"],
                    "verbs": ["get"],
                    "resourceNames": [CANARIES["resource name of a rule"]],
                }
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": meta("odd", **{"example.com/password": CANARIES["binding annotation"]}),
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "odd"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": NS}],
        },
        {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": meta("app"),
            "spec": {"values": {"database": {"password": CANARIES["custom resource"]}}},
        },
    ]


def _definition() -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "helmreleases.helm.toolkit.fluxcd.io"},
        "spec": {
            "group": "helm.toolkit.fluxcd.io",
            "scope": "Namespaced",
            "names": {"plural": "helmreleases", "singular": "helmrelease", "kind": "HelmRelease"},
            "versions": [
                {"name": "v2", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }


@pytest.fixture(scope="module")
def cluster(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:  # noqa: ARG001 - skips
    """Yield a cluster of this module's own, with the planted objects in it."""
    with running(tmp_path_factory.mktemp("collect"), Setup(controllers=ACCOUNTS)) as kube:
        kube.admin.create(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": NS,
                    "annotations": {"example.com/password": CANARIES["namespace annotation"]},
                },
            }
        )
        kube.admin.create(_definition())
        _wait(lambda: kube.admin.get("/apis/helm.toolkit.fluxcd.io/v2/helmreleases", limit=1))
        _wait(lambda: kube.admin.get(f"/api/v1/namespaces/{NS}/serviceaccounts/default"))
        for entry in _estate():
            kube.admin.kubectl_apply(entry)
        yield kube


def _wait(ask: Any) -> None:
    from tests.servers.api import RefusedError

    end = time.monotonic() + 30
    while True:
        try:
            ask()
        except RefusedError:
            assert time.monotonic() < end, "the server does not serve it"
            time.sleep(0.1)
        else:
            return


def configuration(folder: Path, sources: Mapping[str, Path]) -> None:
    entries = [{"name": name, "kubernetes": {"kubeconfig": str(path)}} for name, path in sources.items()]
    (folder / "auditor.yaml").write_text(json.dumps({"sources": entries}))


@pytest.fixture(scope="module")
def collected(cluster: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Done]]:
    """Return the folder with the snapshot of the planted cluster, and what every command said of it."""
    folder = tmp_path_factory.mktemp("canary")
    configuration(folder, {"prod": cluster.kubeconfig("admin"), "weak": cluster.kubeconfig("nobody")})
    done = [auditor("collect", "-o", "s", "--debug", cwd=folder)]
    done.append(auditor("collect", "-o", "t", "--source", "prod", "--format", "json", "--debug", cwd=folder))
    looked = (
        ("show", "s", "--all"),
        ("show", "s", "--format", "json"),
        ("verify", "s"),
        ("diff", "s", "t", "--all"),
        ("diff", "s", "t", "--format", "json"),
    )
    return folder, done + [auditor("snapshot", *words, "--debug", cwd=folder) for words in looked]


def opened(folder: Path) -> Snapshot:
    return open_snapshot(folder / "s")


def _forms(value: str) -> set[str]:
    """Every form in which a reader could get the value back."""
    plain = json.dumps(value)[1:-1]
    return {
        value,
        _b64(value),
        _b64(value).rstrip("="),
        # Inside of longer base64, at the other two offsets: what depends on nothing else.
        _b64(f"\0{value}")[2:-4],
        _b64(f"\0\0{value}")[3:-4],
        urllib.parse.quote(value, safe=""),
        plain,
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(plain)[1:-1],
        # As Go writes JSON, and that inside of JSON.
        _go(plain),
        json.dumps(_go(plain))[1:-1],
        value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
    }


def _go(text: str) -> str:
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _contents(folder: Path, done: list[Done]) -> dict[str, bytes]:
    found = {f"output {number}": f"{one.out}\n{one.err}".encode() for number, one in enumerate(done)}
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "auditor.yaml":
            raw = path.read_bytes()
            found[path.relative_to(folder).as_posix()] = raw
            if path.suffix == ".gz":
                found[f"{path.relative_to(folder).as_posix()}, unpacked"] = gzip.decompress(raw)
    return found


@pytest.mark.parametrize("planted", CANARIES)
def test_no_planted_value_is_in_any_file_or_output(collected: tuple[Path, list[Done]], planted: str) -> None:
    contents = _contents(*collected)
    leaks = [
        where for where, content in contents.items() for form in _forms(CANARIES[planted]) if form.encode() in content
    ]
    assert leaks == []


def test_the_credentials_of_the_collector_are_nowhere(cluster: Kubernetes, collected: tuple[Path, list[Done]]) -> None:
    contents = _contents(*collected)
    for user in ("admin", "nobody"):
        token = cluster.token(user)
        assert [where for where, content in contents.items() if token.encode() in content] == []


def test_the_planted_values_were_met_and_described(collected: tuple[Path, list[Done]]) -> None:
    """A collection that read nothing would leak nothing, too."""
    snapshot = opened(collected[0])
    credentials = {
        (resource.type.partition("/")[2], literal.place.value)
        for resource in snapshot.resources("prod")
        for literal in resource.literals
        if literal.kind is LiteralKind.CREDENTIAL and literal.fingerprint and resource.namespace in {NS, ""}
    }
    assert credentials >= {
        ("ConfigMap", "config"),
        ("Deployment", "env"),
        ("Deployment", "argument"),
        ("Deployment", "annotation"),
        ("Pod", "env"),
        ("Secret", "annotation"),
        ("HelmRelease.helm.toolkit.fluxcd.io", "helm-value"),
        ("RoleBinding", "annotation"),
        ("ServiceAccount", "annotation"),
        ("Namespace", "annotation"),
    }


def test_a_secret_has_its_keys_and_no_value(collected: tuple[Path, list[Done]]) -> None:
    (secret,) = (
        resource for resource in opened(collected[0]).resources("prod", {"kubernetes/Secret"}) if resource.name == "s"
    )
    assert "data" not in secret.body
    assert secret.body["keys"] == ["password", "x"]


def test_the_last_net_took_out_what_no_reader_looks_at(collected: tuple[Path, list[Done]]) -> None:
    (role,) = (
        resource for resource in opened(collected[0]).resources("prod", {"kubernetes/Role"}) if resource.name == "odd"
    )
    assert role.body["rules"][0]["resourceNames"] == ["[redacted]"]


def test_only_the_owner_can_read_the_snapshot(collected: tuple[Path, list[Done]]) -> None:
    for path in ((collected[0] / "s"), *(collected[0] / "s").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_refused_source_makes_the_run_incomplete_and_says_so(collected: tuple[Path, list[Done]]) -> None:
    folder, (both, one, *_) = collected
    assert both.code == 3
    assert "incomplete: " in both.err
    assert "could not be read to the end" in both.err
    weak = [call for call in opened(folder).calls if call.source == "weak"]
    assert {call.result for call in weak} == {CallResult.FORBIDDEN, CallResult.NOT_SERVED}
    assert one.code == 0, one.err
    assert json.loads(one.out)["state"] == "complete"


def test_a_snapshot_holds_what_the_server_has(cluster: Kubernetes, collected: tuple[Path, list[Done]]) -> None:
    snapshot = opened(collected[0])
    for type_, path in {
        "kubernetes/RoleBinding": "/apis/rbac.authorization.k8s.io/v1/rolebindings",
        "kubernetes/ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "kubernetes/ServiceAccount": "/api/v1/serviceaccounts",
        "kubernetes/Secret": "/api/v1/secrets",
    }.items():
        theirs = sorted(
            (entry["metadata"].get("namespace", ""), entry["metadata"]["name"]) for entry in cluster.admin.items(path)
        )
        assert sorted((r.namespace, r.name) for r in snapshot.resources("prod", {type_})) == theirs


def test_who_collected_and_as_whom_is_on_record(collected: tuple[Path, list[Done]], cluster: Kubernetes) -> None:
    snapshot = opened(collected[0])
    (run,) = snapshot.manifest.runs
    assert run.arguments[:3] == ("collect", "-o", "s")
    assert len(run.tool_digest) == len(run.configuration_digest) == 64
    prod, weak = snapshot.sources
    assert prod.identity is not None
    assert (prod.identity.user, prod.endpoint) == ("admin", cluster.url)
    assert weak.identity is not None
    assert weak.identity.user == "nobody"
    assert prod.version.startswith("v1.")
    assert prod.clock_offset_seconds is not None
    assert abs(prod.clock_offset_seconds) < 2
    assert prod.identifier == cluster.admin.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]


def _started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(PROGRAM), *arguments], cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _until(said: Any) -> None:
    end = time.monotonic() + 60
    while not said():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_was_read_and_is_gone_on_with(
    cluster: Kubernetes, tmp_path: Path, number: signal.Signals
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    configuration(tmp_path, {"prod": kubeconfig})
    with spoiling(cluster, Fault("/api/v1/configmaps", silence(300))) as proxy:
        kubeconfig.write_text(cluster.kubeconfig("admin", server=proxy.url).read_text())
        process = _started(tmp_path, "collect", "-o", "s")
        ledger = tmp_path / "s" / "calls.jsonl"
        _until(
            lambda: "GET /api/v1/configmaps" in proxy.seen and b"kubernetes/ClusterRoleBinding" in ledger.read_bytes()
        )
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "interrupted: s is partial; `auditor collect -o s --resume` goes on" in err
    assert "partial: the run did not come to its end" in out
    snapshot = opened(tmp_path)
    assert snapshot.manifest.state is State.PARTIAL
    by_type = {call.type: call for call in snapshot.calls}
    assert by_type["kubernetes/ClusterRoleBinding"].result is CallResult.READ
    assert by_type["kubernetes/ConfigMap"].result is CallResult.INTERRUPTED

    kubeconfig.write_text(cluster.kubeconfig("admin").read_text())
    done = auditor("collect", "-o", "s", "--resume", cwd=tmp_path)
    assert done.code == 0, done.err
    resumed = opened(tmp_path)
    assert resumed.manifest.state is State.COMPLETE
    again = {call.type: call for call in resumed.calls}
    assert again["kubernetes/ClusterRoleBinding"] == by_type["kubernetes/ClusterRoleBinding"]
    assert again["kubernetes/ConfigMap"].result is CallResult.READ
    assert auditor("snapshot", "verify", "s", cwd=tmp_path).code == 0
    assert auditor("collect", "-o", "s", "--resume", cwd=tmp_path).code == 2


def test_a_list_keeps_the_identity_that_asked_for_it(cluster: Kubernetes, tmp_path: Path) -> None:
    """A run that goes on may do so as somebody else: the record of the source is theirs then."""
    kubeconfig = tmp_path / "kubeconfig"
    configuration(tmp_path, {"prod": kubeconfig})
    with spoiling(cluster, Fault("/api/v1/configmaps", silence(300))) as proxy:
        kubeconfig.write_text(cluster.kubeconfig("admin", server=proxy.url).read_text())
        process = _started(tmp_path, "collect", "-o", "s")
        ledger = tmp_path / "s" / "calls.jsonl"
        _until(lambda: ledger.exists() and b"kubernetes/ClusterRoleBinding" in ledger.read_bytes())
        process.kill()
        process.communicate()
    kubeconfig.write_text(cluster.kubeconfig("nobody").read_text())
    assert auditor("collect", "-o", "s", "--resume", cwd=tmp_path).code == 3
    snapshot = opened(tmp_path)
    by_type = {call.type: call for call in snapshot.calls}
    assert by_type["kubernetes/ClusterRoleBinding"].identity == "admin"
    assert by_type["kubernetes/ConfigMap"].identity == "nobody"
    assert [source.identity.user for source in snapshot.sources if source.identity] == ["nobody"]


def test_a_killed_run_is_gone_on_with(cluster: Kubernetes, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    configuration(tmp_path, {"prod": kubeconfig})
    with spoiling(cluster, Fault("/api/v1/configmaps", silence(300))) as proxy:
        kubeconfig.write_text(cluster.kubeconfig("admin", server=proxy.url).read_text())
        process = _started(tmp_path, "collect", "-o", "s")
        ledger = tmp_path / "s" / "calls.jsonl"
        _until(lambda: ledger.exists() and b"kubernetes/RoleBinding" in ledger.read_bytes())
        process.kill()
        process.communicate()
    shown = auditor("snapshot", "show", "s", cwd=tmp_path)
    assert "the run ended before this source did" in shown.out
    kubeconfig.write_text(cluster.kubeconfig("admin").read_text())
    assert auditor("collect", "-o", "s", "--resume", cwd=tmp_path).code == 0
    assert opened(tmp_path).manifest.state is State.COMPLETE


def test_several_clusters_are_told_apart(cluster: Kubernetes, tmp_path: Path) -> None:
    """One system under two names here; each object carries the name of its source."""
    configuration(tmp_path, {"one": cluster.kubeconfig("admin"), "two": cluster.kubeconfig("admin")})
    assert auditor("collect", "-o", "s", cwd=tmp_path).code == 0
    snapshot = opened(tmp_path)
    ids = {name: {r.id for r in snapshot.resources(name, {"kubernetes/Role"})} for name in ("one", "two")}
    assert {entry.removesuffix("@one") for entry in ids["one"]} == {entry.removesuffix("@two") for entry in ids["two"]}
    assert not ids["one"] & ids["two"]


def test_a_source_that_answers_nobody_is_a_failure_of_its_own(cluster: Kubernetes, tmp_path: Path) -> None:
    gone = cluster.kubeconfig("admin", server="https://127.0.0.1:9", context="gone")
    configuration(tmp_path, {"prod": cluster.kubeconfig("admin"), "gone": gone})
    done = auditor("collect", "-o", "s", cwd=tmp_path)
    assert done.code == 3
    assert "nothing could be read of gone" in done.err
    assert "  gone: https://127.0.0.1:9 cannot be reached" in done.err, (
        "why stands on the screen, not in the snapshot alone"
    )
    failed = next(source for source in opened(tmp_path).sources if source.name == "gone")
    assert failed.failure
    assert auditor("collect", "-o", "t", "--allow-incomplete", cwd=tmp_path).code == 0


WRONG: dict[str, tuple[list[str], str]] = {
    "no source": (["collect", "-o", "s"], "there is no source to collect from"),
    "a source that nobody named": (["collect", "-o", "s", "--source", "x"], "no source is called x"),
    "an export that is not there": (["collect", "-o", "s", "--from", "none"], "none does not exist"),
    "both": (["collect", "-o", "s", "--from", ".", "--source", "x"], "exclude each other"),
    "what files are said to be, and no files": (["collect", "-o", "s", "--all-namespaces"], "--all-namespaces is for"),
    "nowhere to write": (["collect", "-o", "a/b/c", "--from", "."], "a/b/c cannot be made"),
    "something is there": (["collect", "-o", ".", "--from", "."], ". exists and is not empty"),
    "nothing to resume": (["collect", "-o", "none", "--resume", "--from", "."], "none does not exist"),
    "no place": (["collect"], "Missing option"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_told_with_the_next_step(tmp_path: Path, case: str) -> None:
    arguments, told = WRONG[case]
    (tmp_path / "auditor.yaml").write_text("# nothing yet\n")
    done = auditor(*arguments, cwd=tmp_path)
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["auditor.yaml"]


def test_nothing_collected_is_an_error_and_the_ledger_says_why(cluster: Kubernetes, tmp_path: Path) -> None:
    configuration(tmp_path, {"weak": cluster.kubeconfig("nobody")})
    done = auditor("collect", "-o", "s", cwd=tmp_path)
    assert done.code == 2
    assert "auditor snapshot show s" in done.err
    assert re.search(r"weak: \d+ lists forbidden: The identity may not list", done.err)
    assert {call.result for call in opened(tmp_path).calls} == {CallResult.FORBIDDEN, CallResult.NOT_SERVED}


def test_the_environment_tells_the_job(cluster: Kubernetes, tmp_path: Path) -> None:
    configuration(tmp_path, {"prod": cluster.kubeconfig("admin")})
    auditor("collect", "-o", "s", cwd=tmp_path, env={"CI_JOB_URL": "https://gitlab.example/j/1", "LOGNAME": "ada"})
    operator = opened(tmp_path).manifest.runs[0].operator
    assert (operator.job, operator.user) == ("https://gitlab.example/j/1", "ada")


def test_a_key_of_the_users_makes_two_snapshots_comparable_and_is_in_neither(
    cluster: Kubernetes, tmp_path: Path
) -> None:
    configuration(tmp_path, {"prod": cluster.kubeconfig("admin")})
    key = {"AUDITOR_FINGERPRINT_KEY": "canary-of-the-environment-89"}
    done = [auditor("collect", "-o", name, "--debug", cwd=tmp_path, env=key) for name in ("s", "t")]
    done.append(auditor("snapshot", "diff", "s", "t", cwd=tmp_path))
    assert "Values were not compared" not in done[-1].out
    contents = _contents(tmp_path, done)
    for form in _forms(key["AUDITOR_FINGERPRINT_KEY"]):
        assert [where for where, content in contents.items() if form.encode() in content] == []


def test_the_terminal_shows_progress_on_standard_error_alone(cluster: Kubernetes, tmp_path: Path) -> None:
    configuration(tmp_path, {"prod": cluster.kubeconfig("admin")})
    done = auditor("collect", "-o", "s", "--quiet", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert os.path.basename(done.out.split()[0]) == "s"  # noqa: PTH119 - a word of the output


def test_a_terminal_sees_what_is_being_read(cluster: Kubernetes, tmp_path: Path) -> None:
    def late(exchange: Exchange) -> None:
        time.sleep(1.5)
        exchange.pass_on(exchange.forward())

    with spoiling(cluster, Fault("/api/v1/configmaps", late)) as proxy:
        configuration(tmp_path, {"prod": cluster.kubeconfig("admin", server=proxy.url)})
        shown = on_terminal("collect", "-o", "s", cwd=tmp_path)
    assert "\r\x1b[Kprod: " in shown
    assert "lists" in shown.partition("\r\x1b[Kprod: ")[2]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Done]]:
    """Return the folder with the snapshot of dumps of the planted objects, values of Secrets included."""
    from tests.servers.api import applied

    folder = tmp_path_factory.mktemp("export")
    dumps = folder / "Dumps of 2026"
    dumps.mkdir()
    objects = [applied(entry) for entry in _estate()]
    (dumps / "all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    namespace = {"name": NS, "annotations": {"example.com/password": CANARIES["namespace annotation"]}}
    (dumps / "ns.json").write_text(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": namespace}))
    done = [auditor("collect", "-o", "s", "--from", dumps.name, "--debug", cwd=folder)]
    done += [auditor("snapshot", *words, cwd=folder) for words in (("show", "s", "--all"), ("verify", "s"))]
    # What was handed over is not ours to clean; the searches look at what we wrote.
    for path in (*dumps.iterdir(), dumps):
        path.rename(folder.parent / f"{folder.name}-{path.name}")
    return folder, done


def test_an_export_becomes_a_source_named_after_its_folder(exported: tuple[Path, list[Done]]) -> None:
    folder, (done, shown, verified) = exported
    assert done.code in {0, 3}, done.err
    (source,) = opened(folder).sources
    assert (source.name, source.kind) == ("dumps-of-2026", "export")
    assert "dumps-of-2026" in shown.out
    assert verified.code == 0
    names = {resource.name for resource in opened(folder).resources()}
    assert names >= {"s", "c", "web", "bare", "reader", "odd", "app", NS}


@pytest.mark.parametrize("planted", CANARIES)
def test_no_planted_value_of_an_export_is_kept(exported: tuple[Path, list[Done]], planted: str) -> None:
    leaks = [
        where
        for where, content in _contents(*exported).items()
        for form in _forms(CANARIES[planted])
        if form.encode() in content
    ]
    assert leaks == []
