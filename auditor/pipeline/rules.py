"""What a run judges by: the chosen policies with their thresholds, frameworks, waivers and the baseline.

Read before anything else, so that a mistake in one of them costs no time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from auditor import data, workloads
from auditor.assess import baseline as baselines
from auditor.assess import waivers as waiving
from auditor.assess.baseline import Baseline
from auditor.authored import Stated
from auditor.configuration import Configuration
from auditor.frameworks import catalogue
from auditor.model.assessment import Waiver
from auditor.model.errors import InputError
from auditor.model.framework import Framework
from auditor.model.policy import PolicyInfo
from auditor.model.record import record
from auditor.pipeline.judging import Judge
from auditor.policy import document, selection
from auditor.policy.document import Library, Policy
from auditor.policy.engine import Engine, ParameterValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a user says about how to judge, whatever is judged."""

    configuration: Configuration
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    policy_folders: tuple[Path, ...] = ()
    waivers: Path | Stated | None = None
    baseline: Path | Stated | None = None
    jobs: int = 0
    """Worker processes; 0: as many as there are processors."""


@record
class Rules:
    """The same, read."""

    policies: tuple[Policy, ...]
    infos: tuple[PolicyInfo, ...]
    """Of the policies, in their order, with the severity that holds in this run."""
    deselected: tuple[tuple[str, str], ...]
    judge: Judge
    frameworks: tuple[Framework, ...]
    waivers: tuple[Waiver, ...]
    baseline: Baseline | None
    configuration: Configuration


def load(terms: Terms, *, now: datetime) -> Rules:
    """Return what `terms` name. Raises `InputError` and `ConfigurationError` for what a user can mend."""
    settings = terms.configuration
    library = document.load(document.built_in(), own=terms.policy_folders)
    selected = selection.select(
        library.policies, chosen=terms.select, ignored=terms.ignore, severities=settings.severity
    )
    severities = tuple(selected.severities[policy.id] for policy in selected.policies)
    return Rules(
        policies=selected.policies,
        infos=tuple(policy.info(severity) for policy, severity in zip(selected.policies, severities, strict=True)),
        deselected=selected.deselected,
        judge=Judge(
            engine=Engine(selected.policies, _parameters(library, settings)),
            severities=severities,
            workloads=workloads.load(data.policies() / "workloads.yaml", settings.workloads),
            now=now,
        ),
        frameworks=catalogue.load(data.policies() / "frameworks", settings.frameworks),
        waivers=waiving.load(terms.waivers) if terms.waivers else (),
        baseline=baselines.load(terms.baseline) if terms.baseline else None,
        configuration=settings,
    )


def _parameters(library: Library, settings: Configuration) -> Mapping[str, Mapping[str, ParameterValue]]:
    """Return the user's thresholds, each with the entity as its origin. Raises `InputError` for an unknown one."""
    known = {policy.id: {declared.name for declared in policy.parameters} for policy in library.policies}
    given: dict[str, dict[str, tuple[Any, str, str]]] = {}
    for policy, entries in settings.parameters.items():
        for name, (value, reference) in entries.items():
            if name not in known.get(policy, ()):
                raise InputError(
                    f"`parameters` sets {name} of {policy}, which does not exist",
                    hint=f"`auditor policy show {policy}` lists the parameters of a policy.",
                )
            given.setdefault(policy, {})[name] = (value, "entity", reference)
    return given
