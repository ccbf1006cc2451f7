"""GitHub workflows, as https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax has them.

Composite actions and reusable workflows of the same repository are read in the place of the step or job that calls
them. Those of other repositories are not: reusable workflows are listed as unread, actions are known by their names.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from auditor.facts.ci import conditions
from auditor.facts.ci.shape import (
    BEFORE_MERGE,
    Definition,
    Job,
    Start,
    Starts,
    Step,
    Trigger,
    closures,
    command_lines,
    plain,
    words,
)
from auditor.facts.shapes import mapping, maps, text
from auditor.model import ci
from auditor.model.resource import Path

Lookup = Callable[[str], Mapping[str, Any] | None]
"""The body of a CI definition by its file, `None` where the input has none there."""

_DEEPEST = 4
"""Workflows that call workflows, and actions that call actions."""
_STARTS = {
    "pull_request": Start.MERGE,
    "pull_request_target": Start.MERGE,
    "merge_group": Start.MERGE,
    "release": Start.RELEASE,
    "schedule": Start.SCHEDULE,
    "workflow_dispatch": Start.MANUAL,
    "repository_dispatch": Start.MANUAL,
    "workflow_call": Start.CALLED,
}
_OF_CHANGES = frozenset({"opened", "synchronize", "reopened", "edited", "ready_for_review"})
_ONLY_FILES = "it runs only for changes of certain files"
_ONLY_TYPES = "it runs only for certain actions on a pull request"
_ALL_BRANCHES = frozenset({"*", "**", "**/*", "*/*"})
_RELEASES = ("release", "hotfix", "v", "stable", "support")


def definition(file: str, body: Mapping[str, Any], lookup: Lookup) -> Definition:
    """Return the workflow in `body`, which stands in `file`."""
    triggers = tuple(_triggers(body.get("on")))
    starts = tuple((trigger.event, trigger.start) for trigger in triggers)
    firm = {trigger.event for trigger in triggers if not _doubt(body.get("on"), trigger.event)}
    doubt = next((why for trigger in triggers if (why := _doubt(body.get("on"), trigger.event))), "")
    if any(start in BEFORE_MERGE and event in firm for event, start in starts):
        doubt = ""
    reader = _Reader(file, lookup)
    jobs = reader.jobs(body, starts, doubt, depth=0)
    return Definition(system="github", file=file, triggers=triggers, jobs=tuple(jobs), starts=starts)


def _triggers(on: Any) -> Iterator[Trigger]:
    events: dict[str, Any] = {}
    if isinstance(on, str):
        events = {on: None}
    elif isinstance(on, list):
        events = {event: None for event in on if isinstance(event, str)}
    elif isinstance(on, dict):
        events = {str(event): config for event, config in on.items()}
    for event, config in events.items():
        settings = mapping(config)
        path: Path = ("on", event) if isinstance(on, dict) else ("on",)
        if event == "push":
            yield from _push(settings, path)
        else:
            start = _STARTS.get(event, Start.EVENT)
            if start is Start.MERGE and _texts(settings.get("types")) == ["closed"]:
                start = Start.MAIN
            yield Trigger(event=event, start=start, branches=tuple(_texts(settings.get("branches"))), path=path)


def _push(settings: Mapping[str, Any], path: Path) -> Iterator[Trigger]:
    branches, ignored = _texts(settings.get("branches")), "branches-ignore" in settings
    tags = "tags" in settings or "tags-ignore" in settings
    if tags:
        yield Trigger(event="push", start=Start.RELEASE, path=path)
    if branches:
        start = Start.BRANCH if any(map(_of_changes, branches)) else Start.MAIN
        yield Trigger(event="push", start=start, branches=tuple(branches), path=path)
    elif ignored or not tags:
        yield Trigger(event="push", start=Start.BRANCH, path=path)


def _of_changes(pattern: str) -> bool:
    """Return whether a pattern of branches means those that changes are made on."""
    return pattern in _ALL_BRANCHES or ("*" in pattern and not pattern.lower().startswith(_RELEASES))


def _doubt(on: Any, event: str) -> str:
    settings = mapping(mapping(on).get(event))
    if "paths" in settings:
        return _ONLY_FILES
    types = _texts(settings.get("types"))
    return _ONLY_TYPES if event.startswith("pull_request") and types and _OF_CHANGES.isdisjoint(types) else ""


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


class _Reader:
    def __init__(self, file: str, lookup: Lookup) -> None:
        self._file = file
        self._lookup = lookup
        home = ci.home(file)
        self._prefix = "" if home == "." else home.rstrip("/") + "/"

    def jobs(self, body: Mapping[str, Any], starts: Starts, doubt: str, *, depth: int) -> list[Job]:
        jobs = mapping(body.get("jobs"))
        needs = {str(name): _texts(mapping(job).get("needs")) for name, job in jobs.items()}
        after = closures(needs)
        found: list[Job] = []
        called: dict[str, list[Job]] = {}
        for key, raw in jobs.items():
            name = str(key)
            job = self._job(name, mapping(raw), body, starts, doubt)
            job = replace(job, after=after[name])
            inner = self._called(text(mapping(raw).get("uses")), job, depth=depth)
            called[name] = inner
            found += [job, *inner]
        # Whoever waits for a job that calls a workflow waits for the jobs of that workflow.
        return [
            replace(job, after=job.after | {inner.name for name in job.after for inner in called.get(name, ())})
            for job in found
        ]

    def _job(self, name: str, raw: Mapping[str, Any], body: Mapping[str, Any], starts: Starts, doubt: str) -> Job:
        condition = words(raw.get("if"))
        kept, unsure = conditions.narrow(condition, starts)
        permissions = raw["permissions"] if "permissions" in raw else body.get("permissions")
        environment = raw.get("environment")
        uses = text(raw.get("uses"))
        env = {**plain(body.get("env")), **plain(raw.get("env"))}
        path: Path = ("jobs", name)
        return Job(
            name=name,
            path=path,
            file=self._file,
            steps=tuple(self._steps(raw.get("steps"), env, (*path, "steps"))),
            environment=text(mapping(environment).get("name")) or text(environment),
            token=permissions == "write-all" or mapping(permissions).get("id-token") == "write",
            condition=condition,
            ignored=raw.get("continue-on-error") is True,
            starts=kept,
            unsure=unsure or doubt,
            unread=(f"the reusable workflow {uses}",) if uses and not uses.startswith("./") else (),
        )

    def _called(self, uses: str, caller: Job, *, depth: int) -> list[Job]:
        """Return the jobs of the workflow of this repository that a job calls."""
        if not uses.startswith("./") or depth >= _DEEPEST:
            return []
        file = self._prefix + uses[2:].partition("@")[0]
        body = self._lookup(file)
        if body is None:
            return []
        inner = _Reader(file, self._lookup).jobs(body, caller.starts, caller.unsure, depth=depth + 1)
        return [
            replace(
                job,
                name=f"{caller.name} / {job.name}",
                after=caller.after | {f"{caller.name} / {name}" for name in job.after},
                token=job.token or (caller.token and "permissions" not in body),
                ignored=job.ignored or caller.ignored,
                at=caller.at or caller.path,
            )
            for job in inner
        ]

    def _steps(self, steps: Any, env: Mapping[str, str], path: Path, *, depth: int = 0) -> Iterator[Step]:
        for index, raw in maps(steps):
            uses = text(raw.get("uses"))
            step = Step(
                path=(*path, index),
                file=self._file,
                name=words(raw.get("name")),
                id=words(raw.get("id")),
                uses=uses.partition("@")[0].lower() if not uses.startswith("./") else uses,
                inputs=plain(raw.get("with")),
                commands=command_lines(words(raw.get("run"))),
                env={**env, **plain(raw.get("env"))},
                condition=words(raw.get("if")),
                ignored=words(raw.get("continue-on-error")) == "true",
            )
            yield step
            if uses.startswith("./") and depth < _DEEPEST:
                yield from self._of_action(uses, step, depth=depth)

    def _of_action(self, uses: str, caller: Step, *, depth: int) -> Iterator[Step]:
        """Yield the steps of a composite action of this repository, in the place of the step that calls it."""
        folder = self._prefix + uses[2:].strip("/")
        names = [f"{folder}/{name}".lstrip("/") for name in ("action.yml", "action.yaml")]
        body = next((found for name in names if (found := self._lookup(name)) is not None), None)
        for step in self._steps(mapping(mapping(body).get("runs")).get("steps"), caller.env, (), depth=depth + 1):
            yield replace(
                step,
                path=caller.path,
                condition=" && ".join(f"({part})" for part in (caller.condition, step.condition) if part),
                ignored=step.ignored or caller.ignored,
            )
