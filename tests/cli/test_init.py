"""`auditor init`: what it writes loads, says where it comes from, and holds nothing secret."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from auditor import configuration
from auditor.cli import init
from auditor.model.settings import ExportSource, KubernetesSource, SourceSettings
from tests.cli.running import run

CANARIES = ("canary-token-1", "canary-password-2", "canary-key-3", "canary-env-4", "canary-address-5", "canary-query-6")
KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "arn:aws:eks:eu-west-1:123456789012:cluster/shop",
    "clusters": [
        {
            "name": "shop",
            "cluster": {"server": f"https://ada:{CANARIES[4]}@10.0.0.1:6443/k8s?token={CANARIES[5]}"},
        },
        {"name": "other", "cluster": {"server": "https://other.example"}},
    ],
    "contexts": [
        {"name": "shop", "context": {"cluster": "other", "user": "a"}},
        {"name": "arn:aws:eks:eu-west-1:123456789012:cluster/shop", "context": {"cluster": "shop", "user": "a"}},
        {"name": "gke_project_europe-west1_pay", "context": {"cluster": "other", "user": "b"}},
        {"name": "kubernetes-admin@kubernetes", "context": {"cluster": "none", "user": "b"}},
        {"name": '"; { evil: [\n', "context": {}},
        {"name": "42", "context": {}},
    ],
    "users": [
        {"name": "a", "user": {"token": CANARIES[0], "password": CANARIES[1]}},
        {
            "name": "b",
            "user": {
                "client-key-data": CANARIES[2],
                "exec": {"command": "x", "env": [{"name": "TOKEN", "value": CANARIES[3]}]},
            },
        },
    ],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty working folder, a home without a kubeconfig, and no pod around."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    return tmp_path / "work"


def kubeconfig(path: Path, content: Any = None) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(KUBECONFIG if content is None else content))
    return path


def sources() -> tuple[SourceSettings, ...]:
    return configuration.load(Path("auditor.yaml")).sources


def contexts() -> dict[str, str]:
    return {
        source.name: source.settings.context for source in sources() if isinstance(source.settings, KubernetesSource)
    }


def test_every_context_becomes_a_source_with_a_name_of_its_own(folder: Path) -> None:
    kubeconfig(folder.parent / ".kube" / "config")
    assert run(["init"]) == 0
    assert contexts() == {
        "shop": "arn:aws:eks:eu-west-1:123456789012:cluster/shop",
        "evil": '"; { evil: [\n',
        "cluster-42": "42",
        "pay": "gke_project_europe-west1_pay",
        "kubernetes-admin-kubernetes": "kubernetes-admin@kubernetes",
        "shop-2": "shop",
    }
    text = Path("auditor.yaml").read_text()
    assert "https://10.0.0.1:6443 (the current one)" in text
    assert "https://other.example" in text


def test_nothing_secret_of_a_kubeconfig_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kubeconfig(folder.parent / ".kube" / "config")
    run(["init", "--debug"])
    captured = capsys.readouterr()
    said = Path("auditor.yaml").read_text() + captured.out + captured.err
    assert [canary for canary in CANARIES if canary in said] == []


def test_the_environment_names_other_kubeconfigs_and_the_first_of_a_name_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig(folder.parent / ".kube" / "config")
    one = kubeconfig(folder / "one", {"contexts": [{"name": "a", "context": {}}]})
    two = kubeconfig(folder / "two", {"contexts": [{"name": "a", "context": {}}, {"name": "b", "context": {}}]})
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, (one, folder / "missing", two))))
    run(["init"])
    assert contexts() == {"a": "a", "b": "b"}


@pytest.mark.parametrize("content", ["a: [", "[]", "contexts: 3", "contexts: [{name: 3}, 4, {}]", "\x00", "[" * 5_000])
def test_a_kubeconfig_that_is_none_is_left_out(folder: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = kubeconfig(folder.parent / ".kube" / "config")
    path.write_text(content)
    assert run(["init"]) == 0
    assert sources() == ()
    assert capsys.readouterr().err.endswith("wrote auditor.yaml with 0 sources: look at it before you use it\n")


def test_without_anything_the_file_still_loads_and_shows_how(folder: Path) -> None:
    assert run(["init"]) == 0
    assert sources() == ()
    text = (folder / "auditor.yaml").read_text()
    assert "#   - name: prod" in text


def test_every_commented_key_loads_when_it_is_uncommented(folder: Path) -> None:
    """What the comments offer must be right, too."""
    kubeconfig(folder.parent / ".kube" / "config", {"contexts": [{"name": "prod", "context": {}}]})
    run(["init"])
    lines = Path("auditor.yaml").read_text().splitlines()
    opened = []
    for line in lines:
        stripped = line.lstrip()
        key = stripped.removeprefix("# ").lstrip("- ").split(":")[0]
        is_key = stripped.startswith("# ") and key.replace("-", "").replace("_", "").isalnum() and ":" in stripped
        is_key = is_key and (key in _KEYS or key.startswith(("K-", "max")))
        opened.append(line.replace("# ", "", 1) if is_key else line)
    Path("auditor.yaml").write_text("\n".join(opened))
    settings = configuration.load(Path("auditor.yaml"))
    assert [source.name for source in settings.sources] == ["prod", "handed-over"]
    assert settings.connections == 8
    assert settings.parameters
    assert settings.sources[0].tags == ("cde",)
    assert settings.tags == ("cde",)


_KEYS = frozenset(
    {
        "name", "export", "connections", "tags", "conditions", "protects-account-data", "interactive-login",
        "service-provider", "parameters", "frameworks", "fail-on", "namespaces", "impersonate",
    }
)  # fmt: skip


def test_a_pod_reads_the_cluster_that_it_runs_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "token").write_text("canary-of-the-pod")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setattr(init, "_ACCOUNT", folder / "token")
    run(["init"])
    (source,) = sources()
    assert isinstance(source.settings, KubernetesSource)
    assert source.settings.in_cluster
    assert "canary" not in Path("auditor.yaml").read_text()


def test_manifests_and_charts_that_lie_here_are_named(folder: Path) -> None:
    for path, text in {
        "deploy/a/pod.yaml": "apiVersion: v1\nkind: Pod\n",
        "charts/web/Chart.yaml": "name: web\n",
        "charts/web/templates/x.yaml": "apiVersion: v1\nkind: Pod\n",
        "notes/list.yaml": "a: 1\n",
        ".hidden/pod.yaml": "apiVersion: v1\nkind: Pod\n",
        "node_modules/x/pod.yaml": "apiVersion: v1\nkind: Pod\n",
        "with blank/pod.json": json.dumps({"apiVersion": "v1", "kind": "Pod"}, indent=1),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    run(["init"])
    assert 'auditor scan deploy/a "with blank" charts/web\n' in Path("auditor.yaml").read_text()


def test_what_was_taken_from_a_cluster_is_no_manifest(folder: Path) -> None:
    metadata = {"name": "p", "uid": "0b3a3e4e-3f0c-4c3f-9a54-1a2b3c4d5e6f", "resourceVersion": "7"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    for path in ("dumps/prod", "of dev"):
        (folder / path).mkdir(parents=True)
        (folder / path / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod]}))
    run(["init"])
    text = Path("auditor.yaml").read_text()
    assert "#     export: {path: dumps/prod} #" in text
    assert '#     export: {path: "of dev"} #' in text
    assert "auditor scan" not in text
    opened = text.replace("# sources:", "sources:").replace("#   - name: handed", "  - name: handed")
    Path("auditor.yaml").write_text(opened.replace("#     export", "    export"))
    paths = [one.settings.path for one in sources() if isinstance(one.settings, ExportSource)]
    assert [path.name for path in paths] == ["prod", "of dev"]


def test_a_file_that_is_there_is_replaced_only_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "auditor.yaml").write_text("# mine\n")
    assert run(["init"]) == 2
    assert "--force" in capsys.readouterr().err
    assert (folder / "auditor.yaml").read_text() == "# mine\n"
    assert run(["init", "--force"]) == 0
    assert (folder / "auditor.yaml").read_text() != "# mine\n"


def test_another_file_can_be_named(folder: Path) -> None:
    assert run(["init", "--config", "prod.yaml"]) == 0
    assert configuration.load(folder / "prod.yaml").sources == ()
    assert run(["init", "--config", "none/prod.yaml"]) == 2
    assert run(["init", "--config", ".", "--force"]) == 2


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=70), min_size=1, max_size=8, unique=True
    )
)
def test_any_context_gives_a_name_that_the_configuration_takes(tmp_path_factory: Any, names: list[str]) -> None:
    clusters = [init._Cluster(context=name, server="", file="x", current=False) for name in names]
    path = tmp_path_factory.mktemp("init") / "auditor.yaml"
    path.write_text(init.render(clusters, in_cluster=True, found=init.Found()), encoding="utf-8")
    loaded = configuration.load(path).sources
    assert [getattr(source.settings, "context", "") for source in loaded] == [*names, ""]
