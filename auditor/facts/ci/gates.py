"""Whether a scan stands between a change and its merge, or between a merge and a deployment.

A scan gates where a finding fails its job, and that job runs before a merge, or every deployment waits for it. Whether
a host lets people merge in spite of a failed job is set in its branch protection, which is not in the definitions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from auditor.ci_tools import CiTools
from auditor.facts.ci import conditions, gitlab, scans
from auditor.facts.ci.scans import Blocking, Scan
from auditor.facts.ci.shape import BEFORE_MERGE, Definition, Job, Start, Starts, Step
from auditor.facts.ci.view import deploys, place
from auditor.model.record import record
from auditor.model.resource import Path

_LATER = frozenset({Start.MAIN, Start.RELEASE, Start.UNKNOWN, Start.BRANCH, Start.CALLED, Start.MANUAL})
CHANGES = BEFORE_MERGE | {Start.MAIN, Start.RELEASE, Start.UNKNOWN}
"""What a pipeline runs for that tests or deploys changes."""


class Effect(StrEnum):
    """What a scan does for changes."""

    GATES = "gates"
    UNCLEAR = "unclear"
    NONE = "none"


@record
class Gate:
    """A scan in a definition, and its effect."""

    tool: str
    definition: Definition
    job: str
    path: Path
    """In the definition's own file, or in `file`."""
    file: str
    effect: Effect
    why: str


@record(kw_only=False)
class _Deployment:
    definition: Definition
    job: Job
    position: int
    """Of the step that deploys; -1: the job as a whole."""


def gates(
    definitions: Sequence[Definition], hooks: Mapping[str, Any] | None, tools: CiTools, files: Mapping[str, Any]
) -> list[Gate]:
    """Return every scan in the definitions of one repository. `files` are the bodies of its GitLab files."""
    found = [
        (definition, job, scan)
        for definition in definitions
        for job in definition.jobs
        for scan in scans.scans(job, hooks, tools)
    ]
    deployments = [deployment for definition in definitions for deployment in _deployments(definition, tools)]
    blocking = [(definition, job, scan) for definition, job, scan in found if scan.blocking is Blocking.YES]
    unguarded = [
        deployment
        for deployment in deployments
        if not any(_waits(deployment, definition, job, scan) for definition, job, scan in blocking)
    ]
    judged = [_judged(*one, deployments=deployments, unguarded=unguarded) for one in found]
    return [*judged, *_of_templates(definitions, tools, files)]


def runs_for_changes(definitions: Iterable[Definition]) -> bool:
    """Return whether any pipeline runs for changes at all, rather than to label issues or to run by night."""
    return any(start in CHANGES for definition in definitions for job in definition.jobs for _, start in job.starts)


def _judged(
    definition: Definition,
    job: Job,
    scan: Scan,
    *,
    deployments: Sequence[_Deployment],
    unguarded: Sequence[_Deployment],
) -> Gate:
    effect, why = _effect(definition, job, scan, deployments=deployments, unguarded=unguarded)
    return Gate(
        tool=scan.tool,
        definition=definition,
        job=job.name,
        path=place(job, scan.step.path),
        file=definition.file if job.at else scan.step.file,
        effect=effect,
        why=why,
    )


def _effect(  # noqa: PLR0911 - an ordered list of evidence
    definition: Definition,
    job: Job,
    scan: Scan,
    *,
    deployments: Sequence[_Deployment],
    unguarded: Sequence[_Deployment],
) -> tuple[Effect, str]:
    if scan.blocking is Blocking.NO:
        return Effect.NONE, scan.why
    starts, unsure = _starts(job, scan.step)
    if scan.blocking is Blocking.UNCLEAR:
        return Effect.UNCLEAR, scan.why
    if unsure and not any(start is Start.UNKNOWN for _, start in starts):
        return Effect.UNCLEAR, unsure
    if any(start in BEFORE_MERGE for _, start in starts):
        return Effect.GATES, ""
    waiting = [one for one in deployments if _waits(one, definition, job, scan)]
    if waiting and not unguarded:
        return Effect.GATES, ""
    if any(start is Start.UNKNOWN for _, start in starts):
        return Effect.UNCLEAR, "what starts it is not in the definition"
    return Effect.NONE, _late(starts, waiting, unguarded)


def _starts(job: Job, step: Step) -> tuple[Starts, str]:
    if step.condition and any(start is not Start.UNKNOWN for _, start in job.starts):
        starts, unsure = conditions.narrow(step.condition, job.starts)
        return starts, job.unsure or unsure
    return job.starts, job.unsure


def _late(starts: Starts, waiting: Sequence[_Deployment], unguarded: Sequence[_Deployment]) -> str:
    if not starts:
        return "nothing starts it"
    names = ", ".join(dict.fromkeys(start.value for _, start in starts))
    if waiting and unguarded:
        other = unguarded[0]
        return f"it runs only for {names}, and the deployment {other.job.name} of {other.definition.file} does not wait"
    return f"it runs only for {names}, and no deployment waits for it"


def _deployments(definition: Definition, tools: CiTools) -> Iterator[_Deployment]:
    for job in definition.jobs:
        if not any(start in _LATER for _, start in job.starts):
            continue
        position = next((index for index, step in enumerate(job.steps) if deploys(job, step, tools)), -1)
        if position >= 0 or (definition.system != "jenkins" and deploys(job, None, tools)):
            yield _Deployment(definition, job, position)


def _waits(deployment: _Deployment, definition: Definition, job: Job, scan: Scan) -> bool:
    if deployment.definition.file != definition.file:
        return False
    if deployment.job.name == job.name:
        return 0 <= job.steps.index(scan.step) < deployment.position
    return job.name in deployment.job.after


def _of_templates(definitions: Sequence[Definition], tools: CiTools, files: Mapping[str, Any]) -> Iterator[Gate]:
    owners = {definition.file: definition for definition in definitions if definition.system == "gitlab"}
    for file, body in files.items():
        for name, path in gitlab.templates(body):
            scanner = tools.scanner_of_template(name)
            definition = owners.get(file) or next(iter(owners.values()), None)
            if scanner is not None and definition is not None:
                yield Gate(
                    tool=scanner.name,
                    definition=definition,
                    job="",
                    path=path,
                    file=file,
                    effect=Effect.UNCLEAR,
                    why=scanner.reports_only,
                )
