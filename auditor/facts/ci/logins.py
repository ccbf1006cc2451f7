"""Which steps log in to a cloud or a secret store, with the job's own token or with a stored key; and whose code runs.

A token of a job says which repository, branch and environment it is for. What such a token may do is decided where it
is presented, which is not in the definition.
"""

import re
from collections.abc import Collection, Iterator
from enum import StrEnum

from auditor.ci_tools import CiTools, LoginAction
from auditor.facts.ci.shape import Job, Step, command_lines
from auditor.model.record import record
from auditor.model.resource import REDACTED, Path


class By(StrEnum):
    """With what a step logs in."""

    OIDC = "oidc"
    STATIC_KEY = "static-key"


@record
class Login:
    """One login of a job."""

    provider: str
    by: By
    identity: str
    """As whom, as the definition says it: a role, a client, an account; may be an expression or empty."""
    path: Path


_STORED = re.compile(r"\bsecrets\.|\bvars\.|\$\{?\w|" + re.escape(REDACTED))
_COMPUTED = re.compile(r"\b(?:steps|needs)\.")
_AUDIENCES = (
    ("amazonaws", "aws"),
    ("AzureADTokenExchange", "azure"),
    ("iam.googleapis.com", "google"),
    ("vault", "vault"),
    ("bao", "vault"),
)


def logins(job: Job, tools: CiTools) -> list[Login]:
    """Return the logins of a job, each provider and way once, in the order of its steps."""
    found: dict[tuple[str, By, str], Login] = {}
    for login in _all(job, tools):
        found.setdefault((login.provider, login.by, login.identity), login)
    return list(found.values())


def _all(job: Job, tools: CiTools) -> Iterator[Login]:
    for audience, path in job.audiences:
        provider = next((name for word, name in _AUDIENCES if word in audience), "other")
        yield Login(provider=provider, by=By.OIDC, identity="", path=path)
    for step in job.steps:
        yield from _of_action(step, tools)
        yield from _of_commands(step, tools)
        yield from _of_variables(step, tools)


def _of_action(step: Step, tools: CiTools) -> Iterator[Login]:
    action = tools.login_actions.get(step.uses)
    if action is not None and not any(_given(step, name) for name in action.unless):
        by = _by(step, action)
        if by is not None:
            identity = next((step.inputs[name] for name in action.identity if step.inputs.get(name)), "")
            yield Login(provider=action.provider, by=by, identity=identity, path=step.path)
    elif step.uses == "jenkins/withAWS" and "credentials" in step.inputs.get("text", ""):
        yield Login(provider="aws", by=By.STATIC_KEY, identity="", path=step.path)


def _by(step: Step, action: LoginAction) -> By | None:
    # With both, the key takes the role.
    if any(_given(step, name) for name in action.static):
        return By.STATIC_KEY
    return By.OIDC if any(_given(step, name) for name in action.oidc) else None


def _given(step: Step, name: str) -> bool:
    key, equals, value = name.partition("=")
    given = step.inputs.get(key, "")
    return given == value if equals else given not in {"", "false"}


def _of_commands(step: Step, tools: CiTools) -> Iterator[Login]:
    for line in step.commands:
        for known in tools.login_commands:
            if known.command.search(line):
                identity = known.identity.search(line)
                yield Login(
                    provider=known.provider, by=By.OIDC, identity=identity[1] if identity else "", path=step.path
                )


def _of_variables(step: Step, tools: CiTools) -> Iterator[Login]:
    for name, provider in tools.static_variables.items():
        value = step.env.get(name, "")
        if _STORED.search(value) and not _COMPUTED.search(value):
            yield Login(provider=provider, by=By.STATIC_KEY, identity="", path=step.path)
    for name, provider in tools.oidc_variables.items():
        key, _, value = name.partition("=")
        if step.env.get(key) == value:
            yield Login(provider=provider, by=By.OIDC, identity=step.env.get("ARM_CLIENT_ID", ""), path=step.path)


_PLAIN_GUARD = re.compile(
    r"(?:\$\{\{)?\s*(?:always\(\)|success\(\)|github\.event_name == '\w+'|github\.event\.issue\.pull_request)"
    r"\s*(?:\}\})?"
)


def foreign_code(job: Job, tools: CiTools) -> str:
    """Return how code of people without write access gets into the job, empty where it does not.

    `checkout`: it fetches what a pull request brings, and goes on. `text`: it writes a title, a branch's name or a
    comment into a command line.
    """
    for index, step in enumerate(job.steps):
        if any(
            tools.foreign_text.search(line) for line in (*step.commands, *command_lines(step.inputs.get("script", "")))
        ):
            return "text"
        refers = step.uses == "actions/checkout" and (
            tools.foreign_refs.search(step.inputs.get("ref", "")) or "head.repo" in step.inputs.get("repository", "")
        )
        fetches = any(tools.foreign_commands.search(line) for line in step.commands)
        if (refers and index + 1 < len(job.steps)) or fetches:
            return "checkout"
    return ""


def open_events(job: Job, tools: CiTools) -> list[str]:
    """Return the events that start the job, that anybody can cause, and that give it the repository's rights."""
    return sorted({event for event, _ in job.starts} & tools.open_events)


def guard(job: Job, events: Collection[str]) -> str:
    """Return what stands between such events and the job: `environment`, `condition`, `upstream`, or nothing.

    `upstream`: only what another workflow let through, which is not looked at.
    """
    if job.environment:
        return "environment"
    conditions = [job.condition, *(step.condition for step in job.steps if step.uses == "actions/checkout")]
    if any(text and not _PLAIN_GUARD.fullmatch(text) for text in conditions):
        return "condition"
    return "upstream" if set(events) <= _UPSTREAM else ""


_UPSTREAM = frozenset({"workflow_run"})
