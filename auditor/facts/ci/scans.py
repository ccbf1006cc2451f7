"""Which steps look for secrets, and whether the pipeline fails when they find one.

A scan is known by the action, the command or the hook that does it (`policies/ci-tools.yaml`). Scripts that a step
calls are not read; where their name promises a scan, nobody can say here what it does.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from auditor.ci_tools import CiTools, Scanner
from auditor.facts.ci.shape import Job, Step
from auditor.facts.shapes import elements, maps, text
from auditor.model.record import record

HOOKS_STAGED = "it looks at staged changes, of which a pipeline has none"


class Blocking(StrEnum):
    """Whether a finding of the scan fails its job."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


@record
class Scan:
    """One step that looks for secrets."""

    tool: str
    step: Step
    blocking: Blocking
    why: str = ""
    """Why it does not fail its job, or why nobody can say."""


_LIST = re.compile(r"\|\|\s*(?:true|:|exit\s+0|echo\b|printf\b)|;\s*(?:true|:|exit\s+0)\s*$")
_PIPED = re.compile(r"(?<!\|)\|(?!\|)")
_TESTED = re.compile(r"^\s*(?:if|while|until|!)\s")
_KEPT = re.compile(r"[^0-9&]>{1,2}\s*[^&\s]|\|\s*tee\b|\s-(?:o|r|f)\b|--(?:output|report|json|format|sarif)")
_QUOTED = re.compile(r"^\s*(?:echo|printf|#)")
_PIPEFAIL = "pipefail"


def scans(job: Job, hooks: Mapping[str, Any] | None, tools: CiTools) -> Iterator[Scan]:
    """Yield the scans of a job. `hooks` is the repository's pre-commit configuration, if it has one."""
    for step in job.steps:
        found = [*_of_action(step, tools), *_of_commands(step, tools), *_of_hooks(step, hooks, tools)]
        if not found and _promises(step, tools):
            why = "its name promises a scan, but what it runs is not in the input"
            found = [Scan(tool=step.name or step.uses or "a script", step=step, blocking=Blocking.UNCLEAR, why=why)]
        yield from (_settled(scan, job) for scan in found)


def _settled(scan: Scan, job: Job) -> Scan:
    """Return the scan after what its step and job make of a failure."""
    if scan.blocking is Blocking.NO or not (scan.step.ignored or job.ignored):
        return scan
    looked_at = f"steps.{scan.step.id}."
    if scan.step.id and any(looked_at in " ".join((step.condition, *step.commands)) for step in job.steps):
        why = "its failure is ignored, and a later step looks at its outcome"
        return Scan(tool=scan.tool, step=scan.step, blocking=Blocking.UNCLEAR, why=why)
    return Scan(tool=scan.tool, step=scan.step, blocking=Blocking.NO, why="its failure is ignored")


def _of_action(step: Step, tools: CiTools) -> Iterator[Scan]:
    given = "\n".join(f"{name}={value}" for name, value in step.inputs.items())
    variables = "\n".join(f"{name}={value}" for name, value in step.env.items())
    for scanner in tools.scanners:
        if step.uses not in scanner.actions and step.uses not in scanner.tasks:
            continue
        if (scanner.inputs_with and not scanner.inputs_with.search(given)) or scanner.inputs_without.search(given):
            continue
        yield Scan(tool=scanner.name, step=step, **_action(scanner, given, variables))


def _action(scanner: Scanner, given: str, variables: str) -> dict[str, Any]:
    if scanner.ignores.search(given) or scanner.ignores.search(variables):
        return {"blocking": Blocking.NO, "why": "it is told to succeed whatever it finds"}
    if scanner.inputs_fail_with and not scanner.inputs_fail_with.search(given):
        if re.search(r"^(?:output|format|reporter)=", given, re.MULTILINE):
            return {"blocking": Blocking.UNCLEAR, "why": "it reports and succeeds; who acts on its report is not known"}
        return {"blocking": Blocking.NO, "why": "without an input that says so it succeeds whatever it finds"}
    if scanner.sure_with and not scanner.sure_with.search(variables):
        return {"blocking": Blocking.UNCLEAR, "why": "its settings decide whether it looks for secrets"}
    return {"blocking": Blocking.YES}


def _of_commands(step: Step, tools: CiTools) -> Iterator[Scan]:
    strict = True
    piped = any(_PIPEFAIL in line for line in step.commands)
    for line in step.commands:
        if re.match(r"\s*set\s+\+e\b", line):
            strict = False
        elif re.match(r"\s*set\s+-\w*e", line):
            strict = True
        if _QUOTED.match(line):
            continue
        for scanner in tools.scanners:
            if scanner.command.search(line):
                yield Scan(tool=scanner.name, step=step, **_command(scanner, line, strict=strict, pipefail=piped))


def _command(scanner: Scanner, line: str, *, strict: bool, pipefail: bool) -> dict[str, Any]:
    if _LIST.search(line) or scanner.ignores.search(line):
        return {"blocking": Blocking.NO, "why": "its failure is ignored on the command line"}
    if scanner.reports_only or (scanner.fails_with and not scanner.fails_with.search(line)):
        if _KEPT.search(line):
            return {"blocking": Blocking.UNCLEAR, "why": "it reports and succeeds; who acts on its report is not known"}
        return {"blocking": Blocking.NO, "why": scanner.reports_only or "without an option it succeeds all the same"}
    if not strict or _TESTED.match(line):
        return {"blocking": Blocking.UNCLEAR, "why": "the script decides what its failure means"}
    if _PIPED.search(line) and not pipefail:
        return {"blocking": Blocking.UNCLEAR, "why": "its output is piped on, which can hide its failure"}
    return {"blocking": Blocking.YES}


def _of_hooks(step: Step, hooks: Mapping[str, Any] | None, tools: CiTools) -> Iterator[Scan]:
    if hooks is None:
        return
    runs = [step.inputs.get("extra_args", "")] if step.uses in tools.hook_actions else []
    ignored = False
    for line in step.commands:
        match = None if _QUOTED.match(line) else tools.hook_command.search(line)
        if match:
            runs.append(match["arguments"])
            ignored = ignored or _LIST.search(line) is not None
    left_out = set(re.split(r"[,\s]+", step.env.get("SKIP", "")))
    for arguments in runs:
        chosen = {word for word in arguments.split() if not word.startswith("-")}
        for hook, scanner, what in configured(hooks, tools):
            known = chosen & {name for name, _ in _hooks(hooks)}
            if hook in left_out or (known and hook not in known):
                continue
            if what == "staged":
                yield Scan(tool=scanner, step=step, blocking=Blocking.NO, why=HOOKS_STAGED)
            elif ignored:
                yield Scan(
                    tool=scanner, step=step, blocking=Blocking.NO, why="its failure is ignored on the command line"
                )
            else:
                yield Scan(tool=scanner, step=step, blocking=Blocking.YES)


def configured(hooks: Mapping[str, Any], tools: CiTools) -> Iterator[tuple[str, str, str]]:
    """Yield hook, scanner and what it looks at (`files` or `staged`) for each scan in a pre-commit configuration."""
    for name, hook in _hooks(hooks):
        stages = [stage for stage in elements(hook.get("stages")) if isinstance(stage, str)]
        if stages and not {"pre-commit", "commit"}.intersection(stages):
            continue
        arguments = " ".join(word for word in elements(hook.get("args")) if isinstance(word, str))
        known = False
        for scanner, what in tools.scanners_of_hook(name):
            known = True
            if not scanner.ignores.search(arguments):
                yield name, scanner.name, what
        line = f"{text(hook.get('entry'))} {arguments}"
        for scanner in () if known else tools.scanners:
            if scanner.command.search(line) and not scanner.reports_only and not scanner.ignores.search(line):
                yield name, scanner.name, "staged" if re.search(r"staged|pre-commit|protect|githook", line) else "files"


def _hooks(hooks: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for _, repository in maps(hooks.get("repos")):
        for _, hook in maps(repository.get("hooks")):
            yield text(hook.get("id")), hook


def _promises(step: Step, tools: CiTools) -> bool:
    commands = (line for line in step.commands if not _QUOTED.match(line))
    return any(tools.hints.search(part) for part in (step.name, step.uses, *commands) if part)
