"""Tekton pipelines (https://tekton.dev/docs/pipelines/pipelines/): the tasks of a Pipeline or PipelineRun as jobs.

A pipeline does not say which repository it is for, nor what starts it, unless Pipelines-as-Code's annotations do:
https://pipelinesascode.com/docs/guide/authoringprs/. Tasks of other objects are known by their names alone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from auditor.facts.ci.shape import Definition, Job, Start, Starts, Step, Trigger, closures, command_lines, words
from auditor.facts.shapes import dig, elements, mapping, maps, text
from auditor.model.resource import Path

_EVENTS = "pipelinesascode.tekton.dev/on-event"
_EXPRESSION = "pipelinesascode.tekton.dev/on-cel-expression"
_RESULT = re.compile(r"\$\(tasks\.([\w-]+)\.(?:results|status)")
_KNOWN = {"pull_request": Start.MERGE, "push": Start.MAIN, "incoming": Start.MANUAL}
_CEL_EVENT = re.compile(r"event(?:_type)?\s*==\s*['\"](\w+)['\"]")


def definition(file: str, body: Mapping[str, Any]) -> Definition:
    """Return the pipeline in the object `body`, which stands in `file`."""
    run = body.get("kind") == "PipelineRun"
    prefix: Path = ("spec", "pipelineSpec") if run else ("spec",)
    spec = mapping(dig(body, *(str(step) for step in prefix)))
    starts = _starts(body)
    after = closures({text(task.get("name")): _needs(task) for _, task in maps(spec.get("tasks"))})
    jobs = [
        Job(
            name=text(task.get("name")),
            path=(*prefix, "tasks", index),
            file=file,
            steps=tuple(_steps(task, (*prefix, "tasks", index), file)),
            after=after[text(task.get("name"))],
            ignored=task.get("onError") == "continue",
            condition="when" if elements(task.get("when")) else "",
            starts=starts,
            unsure="its `when` decides whether it runs" if elements(task.get("when")) else "",
        )
        for index, task in maps(spec.get("tasks"))
    ]
    reference = text(dig(body, "spec", "pipelineRef", "name")) or text(dig(body, "spec", "pipelineRef", "resolver"))
    return Definition(
        system="tekton",
        file=file,
        triggers=tuple(Trigger(event=event, start=start) for event, start in starts),
        jobs=tuple(jobs),
        unread=(f"the Tekton pipeline {reference}",) if run and reference else (),
        starts=starts,
    )


def _starts(body: Mapping[str, Any]) -> Starts:
    annotations = mapping(dig(body, "metadata", "annotations"))
    named = text(annotations.get(_EVENTS)).strip("[] ")
    events = [event.strip(" \"'") for event in named.split(",") if event.strip()]
    events += _CEL_EVENT.findall(text(annotations.get(_EXPRESSION)))
    found = tuple((event, _KNOWN.get(event, Start.EVENT)) for event in events)
    return found or (("whoever runs it", Start.UNKNOWN),)


def _needs(task: Mapping[str, Any]) -> list[str]:
    after = [name for name in elements(task.get("runAfter")) if isinstance(name, str)]
    # A task waits for those whose results it uses.
    return [*after, *_RESULT.findall(str([task.get("params"), task.get("when"), task.get("matrix")]))]


def _steps(task: Mapping[str, Any], path: Path, file: str) -> Iterator[Step]:
    reference = mapping(task.get("taskRef"))
    name = text(reference.get("name")) or next(
        (
            words(parameter.get("value"))
            for _, parameter in maps(reference.get("params"))
            if parameter.get("name") == "name"
        ),
        "",
    )
    if name:
        yield Step(path=path, file=file, name=text(task.get("name")), uses=name.lower())
    for index, step in maps(mapping(task.get("taskSpec")).get("steps")):
        arguments = [words(word) for key in ("command", "args") for word in elements(step.get(key))]
        called = " ".join((text(step.get("image")), *arguments)) if arguments else ""
        yield Step(
            path=(*path, "taskSpec", "steps", index),
            file=file,
            name=text(step.get("name")),
            commands=(*([called] if called else []), *command_lines(text(step.get("script")))),
            ignored=step.get("onError") == "continue",
        )
