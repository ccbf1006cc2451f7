"""Several clusters in one run: two real servers that hold objects of the same names, and one that is not there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auditor import reports
from auditor.cli import output
from auditor.model.assessment import Assessment
from auditor.model.coverage import GapReason
from auditor.model.settings import KubernetesSource, SourceSettings
from auditor.model.verdict import Outcome, Severity
from auditor.snapshot.reading import Snapshot
from tests import browser
from tests.e2e import live
from tests.e2e.live import Verdicts
from tests.pipeline.systems import LIBRARY
from tests.servers.kubernetes import ACCOUNTS, Kubernetes, Setup, running

RBAC = "rbac.authorization.k8s.io"
SHARED = "Vw7-the-same-in-both"
EAST, WEST, GONE = "east", "west", "gone"


def _objects(environment: str, account: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return what both clusters have, by the same names; they differ in the account and in what they are for."""
    metadata = {"name": "web", "namespace": "shop"}
    spec = {"serviceAccountName": "web", "containers": [{"name": "web", "image": "web"}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "shop", "labels": {"environment": environment}},
        },
        *([account] if account else []),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"API_PASSWORD": SHARED}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
        },
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "shop"}],
        },
    ]


ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "web", "namespace": "shop"},
    "automountServiceAccountToken": False,
}


@dataclass(frozen=True, slots=True)
class Clusters:
    """Each collected alone, and all in one run with one that is not there."""

    folder: Path
    alone: dict[str, Verdicts]
    snapshot: Snapshot
    together: Assessment


@pytest.fixture(scope="module")
def clusters(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:  # noqa: ARG001 - skips
    folder = tmp_path_factory.mktemp("clusters")
    for name in (EAST, WEST):
        (folder / name).mkdir()
    setup = Setup(controllers=ACCOUNTS)
    with running(folder / EAST, setup) as east, running(folder / WEST, setup) as west:
        for kube, environment, account in ((east, "production", ACCOUNT), (west, "staging", None)):
            for entry in _objects(environment, account):
                kube.admin.create(entry)
        both: dict[str, Kubernetes] = {EAST: east, WEST: west}
        alone = {}
        for name, kube in both.items():
            one = live.collect(folder / f"{name}-alone", kube.kubeconfig(), name=name)
            alone[name] = live.verdicts(live.audit(one.path))
        snapshot = live.collect_all(
            folder / "together",
            *(_source(name, kube.kubeconfig()) for name, kube in both.items()),
            _source(GONE, east.kubeconfig(server="https://127.0.0.1:1"), timeout=1),
        )
        yield Clusters(folder, alone, snapshot, live.audit(snapshot.path))


def _source(name: str, kubeconfig: Path, **settings: Any) -> SourceSettings:
    return SourceSettings(name=name, settings=KubernetesSource(kubeconfig=kubeconfig, **settings))


def test_every_subject_says_which_cluster_it_is_of(clusters: Clusters) -> None:
    subjects = clusters.together.subjects
    assert {subject.source for subject in subjects} == {EAST, WEST}
    assert all(subject.id.endswith(f"@{subject.source}") for subject in subjects)
    both = {subject.id.rpartition("@")[0] for subject in subjects if subject.source == EAST} & {
        subject.id.rpartition("@")[0] for subject in subjects if subject.source == WEST
    }
    assert "kubernetes/Deployment:shop/web" in both


def test_a_name_never_means_an_object_of_the_other_cluster(clusters: Clusters) -> None:
    """The account is in the east alone: it holds the binding there, and decides about the token there."""
    found = live.verdicts(clusters.together)
    holder = "fact/kubernetes-grant:shop/RoleBinding/web:ServiceAccount shop/web@"
    token = "kubernetes/Deployment:shop/web@"
    assert found["K-RBAC-16", holder + EAST][0] is Outcome.PASS
    assert found["K-RBAC-16", holder + WEST][0] is Outcome.FAIL
    assert found["K-TOK-01", token + EAST][0] is Outcome.PASS
    (reason,) = {
        reason for (id_, subject), (_, reason) in found.items() if (id_, subject) == ("K-TOK-01", token + WEST)
    }
    assert EAST not in reason


@pytest.mark.parametrize("name", [EAST, WEST])
def test_each_cluster_is_judged_as_if_it_were_alone(name: str, clusters: Clusters) -> None:
    together = {
        key: outcome
        for key, (outcome, _) in live.verdicts(clusters.together).items()
        if key[1].endswith(f"@{name}") and not key[1].startswith("fact/shared-value")
    }
    alone = {key: outcome for key, (outcome, _) in clusters.alone[name].items() if key[1].endswith(f"@{name}")}
    assert together == alone
    assert len(alone) > 100


def test_a_value_that_stands_in_both_is_found_only_together(clusters: Clusters) -> None:
    """Names are kept apart; values are what a person copies from one to the other."""
    shared = live.about(live.verdicts(clusters.together), "K-SEC-12", "fact/shared-value")
    assert [outcome for _, outcome, _ in shared] == [Outcome.FAIL]
    (finding,) = (one for one in clusters.together.findings if one.policy_id == "K-SEC-12")
    assert EAST in finding.message
    assert WEST in finding.message
    for verdicts in clusters.alone.values():
        assert live.about(verdicts, "K-SEC-12", "fact/shared-value") == []


def test_a_cluster_that_is_not_there_leaves_the_others_and_makes_the_run_incomplete(clusters: Clusters) -> None:
    assert {source.name: bool(source.failure) for source in clusters.snapshot.sources} == {
        EAST: False,
        WEST: False,
        GONE: True,
    }
    assert all(call.complete for call in clusters.snapshot.calls)
    (gap,) = (gap for part in clusters.together.coverage for gap in part.gaps)
    assert (gap.file, gap.reason) == (f"kubernetes://{GONE}", GapReason.SOURCE_FAILED)
    assert not clusters.together.complete
    assert [one.requirement_id for one in clusters.together.requirements if one.outcome is Outcome.PASS] == []
    quiet = live.audit(clusters.snapshot.path, select=("K-RBAC-05",))
    assert output.exit_code(quiet, fail_on=Severity.INFO, allow_incomplete=False) == 3
    open_ = {result.policy_id for result in clusters.together.results if any(i < 0 for i, _ in result.not_evaluated)}
    assert len(open_) > len(LIBRARY) / 2


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_live_run_shows_each_cluster(scheme: str, clusters: Clusters) -> None:
    file = clusters.folder / "live.html"
    file.write_bytes(reports.render("html", clusters.together))
    with browser.chromium(clusters.folder / f"profile-{scheme}") as chrome:
        feature = [{"name": "prefers-color-scheme", "value": scheme}]
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": feature})
        chrome.get(file.as_uri())
        assert browser.console(chrome) == []
        assert browser.violations(chrome) == []
        text = chrome.execute_script("return document.body.innerText")
        for name in (EAST, WEST, GONE):
            assert f"kubernetes: {name}" in text
        width, inner = chrome.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert width <= inner, "nothing is wider than the window"
