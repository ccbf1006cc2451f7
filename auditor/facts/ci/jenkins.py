"""Jenkinsfiles, from what `auditor.collectors.jenkinsfile` finds in them: one job, with the commands as its steps.

What starts it, and on which branches, is set in Jenkins. A failing step ends the run, unless something around it
catches that. Stages that run at the same time are taken in the order of the file.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auditor.facts.ci.conditions import UNCLEAR
from auditor.facts.ci.shape import Definition, Job, Start, Step, Trigger, command_lines
from auditor.facts.shapes import elements, maps, text

_CATCHES = frozenset({"catchError", "warnError", "try", "catch"})
_STARTS = {"cron": Start.SCHEDULE, "upstream": Start.CALLED}
_AFTERWARDS = frozenset({"post", "finally"})


def definition(file: str, body: Mapping[str, Any]) -> Definition:
    """Return the pipeline of the Jenkinsfile in `body`, which stands in `file`."""
    stages = {text(stage.get("name")): stage for _, stage in maps(body.get("stages"))}
    settings = {
        # What Jenkins keeps is written as other systems write what they keep.
        text(entry.get("name")): text(entry.get("value")) or f"secrets.{text(entry.get('credential'))}"
        for _, entry in maps(body.get("settings"))
    }
    steps = []
    for index, command in maps(body.get("commands")):
        inside = {word for word in elements(command.get("inside")) if isinstance(word, str)}
        options = text(command.get("options")).split()
        steps.append(
            Step(
                path=("commands", index),
                file=file,
                name=text(command.get("stage")),
                commands=command_lines(text(command.get("text"))),
                env=settings,
                condition=text(stages.get(text(command.get("stage")), {}).get("when")),
                ignored=not inside.isdisjoint(_CATCHES | _AFTERWARDS) or "returnStatus" in options,
            )
        )
    for index, login in maps(body.get("logins")):
        step = Step(path=("logins", index), file=file, uses=f"jenkins/{text(login.get('name'))}", env=settings)
        steps.append(replace(step, inputs={"text": text(login.get("text"))}, ignored=True))
    starts = (("the job in Jenkins", Start.UNKNOWN),)
    triggers = tuple(
        Trigger(event=name, start=_STARTS.get(name, Start.UNKNOWN), path=())
        for name in elements(body.get("starts"))
        if isinstance(name, str)
    )
    job = Job(name="pipeline", path=(), file=file, steps=tuple(steps), starts=starts, unsure=UNCLEAR)
    return Definition(
        system="jenkins",
        file=file,
        triggers=triggers,
        jobs=(job,),
        unread=tuple(_elsewhere(body)),
        starts=starts,
    )


def _elsewhere(body: Mapping[str, Any]) -> list[str]:
    found = [f"the Jenkins library {name}" for name in elements(body.get("libraries")) if isinstance(name, str)]
    calls = [name for name in elements(body.get("calls")) if isinstance(name, str)]
    if not body.get("builds") and not body.get("commands"):
        # The whole file is a call of what some library defines.
        found += [f"the step {name} of a Jenkins library" for name in calls]
    return list(dict.fromkeys(found))
