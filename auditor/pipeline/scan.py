"""`auditor scan`: manifests in, assessment out."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from auditor import __version__, data, workloads
from auditor.assess import baseline as baselines
from auditor.assess import waivers as waiving
from auditor.collectors import discovery, manifests
from auditor.collectors.discovery import Source
from auditor.collectors.manifests import Reading
from auditor.configuration import Configuration
from auditor.facts.estate import Estate, merge
from auditor.frameworks import catalogue, rollup
from auditor.model import coverage as ledger
from auditor.model.assessment import Assessment, Run
from auditor.model.coverage import Coverage
from auditor.model.errors import InputError, NothingCollectedError
from auditor.model.verdict import SubjectKind
from auditor.pipeline import assemble, judging, workers
from auditor.pipeline.assemble import JudgedSubject, PolicyTerms
from auditor.pipeline.judging import Judge, Places, Progress
from auditor.policy import document, selection
from auditor.policy.engine import Engine, ParameterValue
from auditor.redaction.fingerprint import Fingerprinter
from auditor.redaction.redactor import redact_text

_WORTH_A_PROCESS = 400_000
"""Bytes of input, with `_PER_FILE` for each file, below which a further process costs more than it brings."""
_PER_FILE = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a scan was asked for."""

    paths: tuple[str, ...]
    configuration: Configuration
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    policy_folders: tuple[Path, ...] = ()
    waivers: Path | None = None
    baseline: Path | None = None
    helm_values: tuple[Path, ...] = ()
    helm_set: tuple[str, ...] = ()
    render: bool = True
    honour_gitignore: bool = True
    exclude: tuple[str, ...] = ()
    allow_empty: bool = False
    """Whether input that holds nothing to judge is no error, as for a hook that is given whatever was staged."""
    jobs: int = 0
    fingerprint_key: bytes | None = None


@dataclass(slots=True)
class _Share:
    """What one process read, and keeps to itself."""

    reading: Reading
    places: Places


def scan(request: Request, *, now: datetime, stdin: BinaryIO, progress: Progress) -> Assessment:
    """Return the assessment of the manifests that `request` names.

    Raises `InputError` and `ConfigurationError` for what a user can mend, `NothingCollectedError` when there is
    nothing to judge, and `WorkerLostError` when a process dies.
    """
    settings = request.configuration
    library = document.load(document.built_in(), own=request.policy_folders)
    selected = selection.select(
        library.policies, chosen=request.select, ignored=request.ignore, severities=settings.severity
    )
    engine = Engine(selected.policies, _parameters(library, settings))
    frameworks = catalogue.load(data.policies() / "frameworks", settings.frameworks)
    waivers = waiving.load(request.waivers) if request.waivers else ()
    baseline = baselines.load(request.baseline) if request.baseline else None

    progress("looking for manifests")
    found = discovery.discover(
        discovery.Request(
            paths=request.paths,
            render=request.render,
            honour_gitignore=request.honour_gitignore,
            exclude=request.exclude,
            helm_values=request.helm_values,
            helm_set=request.helm_set,
        ),
        stdin=stdin,
        progress=progress,
    )
    fingerprinter = Fingerprinter(request.fingerprint_key)
    judge = Judge(
        engine=engine,
        severities=[selected.severities[policy.id] for policy in selected.policies],
        workloads=workloads.load(data.policies() / "workloads.yaml", settings.workloads),
        now=now,
    )
    progress(f"judging {len(found.sources)} files by {len(selected.policies)} policies")
    judged, readings = _judge(found.sources, judge=judge, fingerprinter=fingerprinter, jobs=request.jobs)
    coverage = _coverage(found.coverage, [part.coverage for part in readings])
    empty = not any(part.resources for part in coverage) and all(part.complete for part in coverage)
    if empty and not request.allow_empty:
        raise NothingCollectedError(", ".join(request.paths))

    progress("assessing")
    infos = tuple(policy.info(selected.severities[policy.id]) for policy in selected.policies)
    subjects, ordered, findings = assemble.number(judged)
    findings, waiver_uses = waiving.apply(findings, subjects, waivers, today=now.date(), key_id=fingerprinter.key_id)
    baseline_use = None
    if baseline is not None:
        findings, baseline_use = baselines.apply(
            findings, baseline, key_id=fingerprinter.key_id, policies={policy.id for policy in infos}
        )
    terms = [
        PolicyTerms(id=policy.id, parameters=engine.parameters(index), absent=policy.absent)
        for index, policy in enumerate(selected.policies)
    ]
    results = assemble.results(ordered, findings, terms)
    return Assessment(
        run=Run(
            tool_version=__version__,
            started=now,
            arguments=tuple(redact_text(path) for path in request.paths),
            policy_pack_digest=_digest((policy.id, policy.digest) for policy in infos),
            input_digest=_digest(entry for part in readings for entry in part.digests),
            configuration_digest=settings.digest,
            fingerprint_key_id=fingerprinter.key_id,
            tags=settings.tags,
            deselected=selected.deselected,
        ),
        coverage=coverage,
        subjects=subjects,
        policies=infos,
        results=results,
        findings=findings,
        frameworks=frameworks,
        requirements=rollup.roll_up(
            frameworks,
            infos,
            results,
            findings,
            conditions=settings.conditions,
            kinds={index: entry.about for index, entry in enumerate(ordered) if entry.about is not SubjectKind.ANY},
            gaps=sum(len(part.gaps) for part in coverage),
        ),
        waivers=waiver_uses,
        baseline=baseline_use,
    )


def _judge(
    sources: Sequence[Source], *, judge: Judge, fingerprinter: Fingerprinter, jobs: int
) -> tuple[list[JudgedSubject], list[Reading]]:
    """Return what was judged, and what each process read (without the resources themselves)."""

    def first(share: Sequence[Source]) -> tuple[_Share, Estate]:
        reading = manifests.read(share, workloads=judge.workloads, fingerprint=fingerprinter.of)
        estate = Estate()
        for resource in reading.resources:
            estate.add(resource)
        return _Share(reading, Places(share)), estate

    def second(share: _Share, estate: Estate) -> tuple[list[JudgedSubject], Reading]:
        judged = judging.judge(share.reading.resources, estate, by=judge, places=share.places)
        return judged, Reading([], share.reading.coverage, share.reading.digests)

    shares = _shares(sources, jobs or os.cpu_count() or 1)
    estate, parts = workers.run(shares, first=first, merge=merge, second=second)
    of_facts = judging.judge(judging.facts(estate), estate, by=judge, places=Places(sources))
    return [*(subject for judged, _ in parts for subject in judged), *of_facts], [reading for _, reading in parts]


def _shares(sources: Sequence[Source], jobs: int) -> list[Sequence[Source]]:
    """Divide the sources into at most `jobs` parts of about equal work: each goes where there is least so far.

    Neighbours are alike (a folder of roles, a folder of workloads), so they go to different parts.
    """
    weights = [source.size + _PER_FILE for source in sources]
    count = max(1, min(jobs, sum(weights) // _WORTH_A_PROCESS))
    shares: list[list[Source]] = [[] for _ in range(count)]
    loads = [0] * count
    for source, weight in zip(sources, weights, strict=True):
        least = loads.index(min(loads))
        shares[least].append(source)
        loads[least] += weight
    return list(shares)


def _coverage(found: Sequence[Coverage], read: Sequence[Coverage]) -> tuple[Coverage, ...]:
    """Return one record for all that was named: what was found joined with what came of reading it."""
    source = ", ".join(part.source for part in found) or "manifests"
    return (ledger.merge(source, (*found, *read)),)


def _parameters(library: document.Library, settings: Configuration) -> Mapping[str, Mapping[str, ParameterValue]]:
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


def _digest(entries: Any) -> str:
    lines = sorted(f"{name}\0{digest}\n" for name, digest in entries)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
