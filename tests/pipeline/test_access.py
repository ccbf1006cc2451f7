"""From a real cluster through the collector and a snapshot to answers, held against the cluster's own."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from auditor.access.kubernetes import dialect
from auditor.pipeline import access
from tests.access.kubernetes import states
from tests.access.kubernetes.test_against_server import Judge, Tell, held, load, question, report
from tests.cli.running import run
from tests.servers.kubernetes import ACCOUNTS, Setup, running

SEED, QUESTIONS = 5, 1_500
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def read(*paths: Path, **more: object) -> tuple[access.Cluster, ...]:
    request = access.Request(
        paths=tuple(map(str, paths)),
        dialect=dialect.of(authorisers=["RBAC"]),
        **more,  # type: ignore[arg-type]
    )
    return access.read(request, clock=lambda: NOW, stdin=BytesIO(), progress=lambda _: None)


@pytest.mark.usefixtures("servers")
def test_a_collected_cluster_is_judged_as_it_judges_itself(
    tmp_path: Path, record_property: Tell, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the collector leaves out or the snapshot changes would show."""
    made = states.objects(SEED)
    asked = list(states.questions(SEED, QUESTIONS, made))
    (folder := tmp_path / "servers").mkdir()
    with running(folder, Setup(controllers=ACCOUNTS, audit_level="None")) as kube:
        load(kube, made)
        settings = tmp_path / "auditor.yaml"
        settings.write_text(f"sources:\n  - name: prod\n    kubernetes: {{kubeconfig: {kube.kubeconfig()}}}\n")
        assert run(["collect", "-o", tmp_path / "estate", "--config", settings, "--quiet"]) == 0
        (cluster,) = read(tmp_path / "estate")
        assert cluster.gaps == ()
        assert cluster.evaluator.dialect.version == (1, 36)
        judge = Judge(held(kube.admin), live=True, evaluator=cluster.evaluator)
        reviews = kube.admin.reviews(question(*one) for one in asked)
        for (who, request), review in zip(asked, reviews, strict=True):
            judge.compare(who, request, review)
    capsys.readouterr()
    report("collected into a snapshot", [judge], record_property)
    assert judge.compared == QUESTIONS


ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: r}}
"""


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        (ROLE.format(kind="Role"), True),
        ('{"kind": "List", "apiVersion": "v1", "items": [{"kind": "ClusterRoleBinding"}]}', True),
        ("kind: {{ .Values.kind }}\napiVersion: rbac.authorization.k8s.io/v1\n", True),
        ("kind: Pod\napiVersion: v1\n", False),
    ],
)
def test_a_file_is_parsed_if_a_role_or_binding_can_stand_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, *, parsed: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "role.yaml").write_text(ROLE.format(kind="Role"))
    (tmp_path / "other.yaml").write_text(text + "---\na: [\n")
    (cluster,) = read(Path("role.yaml"), Path("other.yaml"))
    assert bool(cluster.gaps) is parsed
