"""The view `ci`: what one definition says of what starts it, its jobs, its logins and its scans."""

from collections.abc import Iterator
from typing import Any

from auditor import ci_tools
from auditor.ci_tools import CiTools
from auditor.facts.ci import gitlab, logins, scans
from auditor.facts.ci.definitions import Definitions
from auditor.facts.ci.scans import Blocking, Scan
from auditor.facts.ci.shape import Job, Step
from auditor.facts.shapes import mapping
from auditor.model import ci
from auditor.model.ci import CiFile
from auditor.model.resource import Path, Resource, pointer

EMPTY: dict[str, Any] = {"system": "", "triggers": [], "jobs": [], "logins": [], "scans": []}


def view(resource: Resource, definitions: Definitions) -> dict[str, Any]:
    """Return the variables of the view for a resource that defines a pipeline, or a part of one."""
    definition = definitions.of(resource)
    if definition is None:
        return EMPTY
    tools = ci_tools.load()
    file = resource.origin.file
    jobs = [job for job in definition.jobs if job.file == file or job.at]
    hooks = definitions.hooks(ci.home(definition.file))
    return {
        "system": definition.system,
        "triggers": [
            {
                "event": trigger.event,
                "start": trigger.start.name.lower(),
                "branches": list(trigger.branches),
                "path": pointer(trigger.path),
            }
            for trigger in definition.triggers
            if definition.file == file
        ],
        "jobs": [_job(job, tools) for job in jobs],
        "logins": [login for job in jobs for login in _logins(job, tools)],
        "scans": [
            *(_scan(scan, job) for job in jobs for scan in scans.scans(job, hooks, tools)),
            *_templates(resource, tools),
        ],
    }


def place(job: Job, path: Path) -> Path:
    """Return where something in a job stands in the definition itself: where a job of another file is called."""
    return job.at or path


def deploys(job: Job, step: Step | None, tools: CiTools) -> bool:
    """Return whether a step puts something into an environment; without one, whether the job says that it does."""
    if step is None:
        named = job.environment and job.environment not in tools.not_environments
        return bool(named or tools.deploy_names.search(job.name))
    return step.uses in tools.deploy_actions or any(tools.deploy_command.search(line) for line in step.commands)


def _job(job: Job, tools: CiTools) -> dict[str, Any]:
    return {
        "name": job.name,
        "environment": job.environment,
        "token": job.token,
        "after": sorted(job.after),
        "events": sorted({event for event, _ in job.starts}),
        "condition": job.condition,
        "ignored": job.ignored,
        "deploys": deploys(job, None, tools) or any(deploys(job, step, tools) for step in job.steps),
        "path": pointer(place(job, job.path)),
    }


def _logins(job: Job, tools: CiTools) -> Iterator[dict[str, Any]]:
    found = logins.logins(job, tools)
    if not found:
        return
    open_ = logins.open_events(job, tools)
    foreign = logins.foreign_code(job, tools) if open_ else ""
    guard = logins.guard(job, open_) if open_ else ""
    for login in found:
        yield {
            "job": job.name,
            "provider": login.provider,
            "by": login.by.value,
            "identity": login.identity,
            "environment": job.environment,
            "events": sorted({event for event, _ in job.starts}),
            "open_events": open_,
            "foreign_code": foreign,
            "guard": guard,
            "path": pointer(place(job, login.path)),
        }


def _scan(scan: Scan, job: Job) -> dict[str, Any]:
    return {
        "job": job.name,
        "tool": scan.tool,
        "events": sorted({event for event, _ in job.starts}),
        "blocking": scan.blocking.value,
        "why": scan.why,
        "path": pointer(place(job, scan.step.path)),
    }


def _templates(resource: Resource, tools: CiTools) -> Iterator[dict[str, Any]]:
    if resource.type != CiFile.GITLAB_CI.type:
        return
    for name, path in gitlab.templates(mapping(resource.body)):
        scanner = tools.scanner_of_template(name)
        if scanner is not None:
            yield {
                "job": "",
                "tool": scanner.name,
                "events": [],
                "blocking": Blocking.UNCLEAR.value,
                "why": scanner.reports_only,
                "path": pointer(path),
            }
