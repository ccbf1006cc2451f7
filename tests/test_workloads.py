"""Which kinds carry a pod spec, and where."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor import data, workloads

TABLE = data.policies() / "workloads.yaml"
WORKLOADS = workloads.load(TABLE)

POD = "{serviceAccountName: web, containers: [{name: a}, {name: b}], initContainers: [{name: c}]}"
TEMPLATE = f"{{metadata: {{labels: {{app: web}}}}, spec: {POD}}}"


def seen(type_: str, body: str) -> tuple[Any, list[str], list[str]]:
    """Return the account, the names of containers and their places."""
    workload = WORKLOADS.of(type_)
    assert workload is not None
    content = yaml.safe_load(body)
    found = workload.containers(content)
    account = workload.pod_spec(content).get("serviceAccountName")
    return account, [str(container.get("name")) for _, container in found], [dotted(path) for path, _ in found]


def dotted(path: Iterable[str | int]) -> str:
    return ".".join(map(str, path))


@pytest.mark.parametrize(
    ("type_", "prefix", "body"),
    [
        ("kubernetes/Pod", "spec", f"{{spec: {POD}}}"),
        ("kubernetes/PodTemplate", "template.spec", f"{{template: {TEMPLATE}}}"),
        *(
            (f"kubernetes/{kind}", "spec.template.spec", f"{{spec: {{template: {TEMPLATE}}}}}")
            for kind in (
                "Deployment",
                "StatefulSet",
                "DaemonSet",
                "ReplicaSet",
                "ReplicationController",
                "Job",
                "DeploymentConfig.apps.openshift.io",
                "Rollout.argoproj.io",
                "Service.serving.knative.dev",
                "Configuration.serving.knative.dev",
            )
        ),
        (
            "kubernetes/CronJob",
            "spec.jobTemplate.spec.template.spec",
            f"{{spec: {{jobTemplate: {{spec: {{template: {TEMPLATE}}}}}}}}}",
        ),
        (
            "kubernetes/ScaledJob.keda.sh",
            "spec.jobTargetRef.template.spec",
            f"{{spec: {{jobTargetRef: {{template: {TEMPLATE}}}}}}}",
        ),
        ("kubernetes/Revision.serving.knative.dev", "spec", f"{{spec: {POD}}}"),
    ],
)
def test_kinds_with_an_ordinary_pod_spec(type_: str, prefix: str, body: str) -> None:
    places = [f"{prefix}.containers.0", f"{prefix}.containers.1", f"{prefix}.initContainers.0"]
    assert seen(type_, body) == ("web", ["a", "b", "c"], places)


ARGO = """
serviceAccountName: web
templates:
  - {name: one, container: {name: a}}
  - {name: two, script: {name: b, source: echo}, sidecars: [{name: c}]}
  - {name: three, containerSet: {containers: [{name: d}, {name: e}]}, initContainers: [{name: f}]}
  - {name: four, steps: [[{name: s, template: one}]]}
"""


@pytest.mark.parametrize("kind", ["Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate"])
def test_argo_workflows_keep_containers_in_templates(kind: str) -> None:
    body = yaml.safe_dump({"spec": yaml.safe_load(ARGO)})
    account, names, places = seen(f"kubernetes/{kind}.argoproj.io", body)
    assert account == "web"
    assert sorted(names) == ["a", "b", "c", "d", "e", "f"]
    assert "spec.templates.2.containerSet.containers.1" in places


def test_a_cron_workflow_wraps_a_workflow() -> None:
    body = yaml.safe_dump({"spec": {"workflowSpec": yaml.safe_load(ARGO)}})
    account, names, places = seen("kubernetes/CronWorkflow.argoproj.io", body)
    assert account == "web"
    assert sorted(names) == ["a", "b", "c", "d", "e", "f"]
    assert places[0] == "spec.workflowSpec.templates.0.container"


@pytest.mark.parametrize(
    ("type_", "body", "account", "names"),
    [
        ("Task", "{spec: {steps: [{name: a}], sidecars: [{name: b}], stepTemplate: {name: c}}}", None, "abc"),
        ("ClusterTask", "{spec: {steps: [{name: a}]}}", None, "a"),
        ("TaskRun", "{spec: {serviceAccountName: web, taskSpec: {steps: [{name: a}]}}}", "web", "a"),
        (
            "Pipeline",
            (
                "{spec: {tasks: [{taskRef: {name: t}}, {taskSpec: {steps: [{name: a}], sidecars: [{name: b}]}}],"
                " finally: [{taskSpec: {steps: [{name: c}]}}]}}"
            ),
            None,
            "abc",
        ),
        (
            "PipelineRun",
            (
                "{spec: {taskRunTemplate: {serviceAccountName: web}, pipelineSpec: {tasks: [{taskSpec: {steps:"
                " [{name: a}]}}], finally: [{taskSpec: {steps: [{name: b}]}}]}}}"
            ),
            "web",
            "ab",
        ),
    ],
)
def test_tekton_steps_and_sidecars_are_containers(type_: str, body: str, account: str | None, names: str) -> None:
    found = seen(f"kubernetes/{type_}.tekton.dev", body)
    assert found[:2] == (account, list(names))


def test_only_what_others_run_leaves_the_account_open() -> None:
    open_ = {type_.removeprefix("kubernetes/") for type_ in WORKLOADS.types if not _of(type_).account}
    assert open_ == {
        "Task.tekton.dev",
        "ClusterTask.tekton.dev",
        "Pipeline.tekton.dev",
        "WorkflowTemplate.argoproj.io",
        "ClusterWorkflowTemplate.argoproj.io",
    }


def test_the_metadata_of_the_template_lies_beside_the_pod() -> None:
    body = yaml.safe_load(f"{{metadata: {{labels: {{app: outer}}}}, spec: {{template: {TEMPLATE}}}}}")
    assert _of("kubernetes/Deployment").template_metadata(body) == {"labels": {"app": "web"}}
    assert _of("kubernetes/Pod").template_metadata(body) == {"labels": {"app": "outer"}}


def test_users_add_their_own_kinds() -> None:
    own = workloads.load(TABLE, [("kubernetes/Fleet.example.com", ("spec", "pod"))])
    workload = own.of("kubernetes/Fleet.example.com")
    assert workload is not None
    assert workload.account
    body = yaml.safe_load(f"{{spec: {{pod: {POD}}}}}")
    assert next(dotted(path) for path, _ in workload.containers(body)) == "spec.pod.containers.0"
    assert own.of("kubernetes/Pod") is not None


def test_users_may_say_better_where_a_known_kind_keeps_its_pod() -> None:
    own = workloads.load(TABLE, [("kubernetes/Rollout.argoproj.io", ("spec", "own"))])
    workload = own.of("kubernetes/Rollout.argoproj.io")
    assert workload is not None
    assert workload.pod == ("spec", "own")


def test_other_kinds_have_no_pod_spec() -> None:
    assert WORKLOADS.of("kubernetes/Service") is None
    assert WORKLOADS.of("kubernetes/ConfigMap") is None


@pytest.mark.parametrize("type_", WORKLOADS.types)
@pytest.mark.parametrize("body", [{}, [], None, "text", {"spec": None}, {"spec": []}, {"spec": {"template": [1]}}])
def test_any_shape_gives_no_containers_and_no_error(type_: str, body: Any) -> None:
    workload = _of(type_)
    assert workload.containers(body) == []
    assert workload.template_metadata(body) == {}
    assert not workload.pod_spec(body).get("containers")


def test_a_type_stands_once_in_the_table() -> None:
    listed = [entry["type"] for entry in yaml.safe_load(Path(TABLE).read_text(encoding="utf-8"))["workloads"]]
    assert len(listed) == len(set(listed))


def _of(type_: str) -> workloads.Workload:
    workload = WORKLOADS.of(type_)
    assert workload is not None
    return workload
