"""Tekton pipelines in the shape that all systems share."""

from typing import Any

from auditor.facts.ci.shape import Start
from tests.facts.ci.builders import definition

FILE = ".tekton/pull.yaml"


def test_tasks_are_jobs_and_wait_for_what_they_run_after_or_use() -> None:
    text = """\
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: build}
spec:
  tasks:
    - {name: clone, taskRef: {name: git-clone}}
    - name: scan
      runAfter: [clone]
      taskSpec: {steps: [{name: leaks, image: "zricethezav/gitleaks:v8", args: [detect, --source, .]}]}
    - {name: build, params: [{name: x, value: $(tasks.scan.results.y)}], taskRef: {name: kaniko}}
    - {name: deploy, runAfter: [build], when: [{input: a, operator: in, values: [b]}], taskRef: {resolver: hub,
        params: [{name: name, value: Kubernetes-Actions}]}}
"""
    found: Any = {job.name: job for job in definition(text, FILE).jobs}
    assert found["deploy"].after == {"clone", "scan", "build"}
    assert found["deploy"].unsure
    assert found["deploy"].steps[0].uses == "kubernetes-actions"
    assert found["scan"].steps[0].commands == ("zricethezav/gitleaks:v8 detect --source .",)
    assert found["scan"].steps[0].path == ("spec", "tasks", 1, "taskSpec", "steps", 0)
    assert {start for _, start in found["clone"].starts} == {Start.UNKNOWN}


def test_annotations_of_pipelines_as_code_say_what_starts_a_run() -> None:
    text = """\
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  generateName: pull-
  annotations:
    pipelinesascode.tekton.dev/on-event: "[pull_request, push]"
    pipelinesascode.tekton.dev/on-cel-expression: event == "incoming"
spec: {pipelineSpec: {tasks: [{name: a, taskRef: {name: b}}]}}
"""
    found = definition(text, FILE)
    assert found.starts == (("pull_request", Start.MERGE), ("push", Start.MAIN), ("incoming", Start.MANUAL))
    assert found.jobs[0].path == ("spec", "pipelineSpec", "tasks", 0)


def test_a_run_of_a_pipeline_that_stands_elsewhere_is_unread() -> None:
    text = "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: r}\nspec: {pipelineRef: {name: shared}}"
    assert definition(text, FILE).unread == ("the Tekton pipeline shared",)
