"""`auditor scan`: manifests in, assessment out."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from auditor.collectors import discovery, manifests
from auditor.collectors.discovery import Found
from auditor.collectors.manifests import Reading
from auditor.collectors.sources import Source
from auditor.facts.estate import Estate, merge
from auditor.model import coverage as ledger
from auditor.model.assessment import Assessment
from auditor.model.coverage import Coverage
from auditor.model.errors import NothingCollectedError
from auditor.pipeline import exported, judging, rules, workers
from auditor.pipeline.assemble import JudgedSubject
from auditor.pipeline.assessing import Reached, assess
from auditor.pipeline.judging import Judge, Progress
from auditor.pipeline.places import Places
from auditor.pipeline.rules import Rules, Terms
from auditor.policy.document import Policy
from auditor.redaction.fingerprint import Fingerprinter

_WORTH_A_PROCESS = 300_000
"""Bytes of input, with `_PER_FILE` for each file, below which a further process costs more than it brings."""
_PER_FILE = 1_500
_SENT = 150
"""What each file weighs more for every process but the first: its results are sent to that one."""
_MOST = 100_000
"""Bytes that one file counts at most: what makes a file larger are custom resource definitions, which nobody parses."""
_LARGE = 10_000
_DEFINITIONS = re.compile(r"crds?\b|customresourcedefinition", re.IGNORECASE)
"""What files are called that hold nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Terms):
    """What a scan was asked for."""

    paths: tuple[str, ...]
    helm_values: tuple[Path, ...] = ()
    helm_set: tuple[str, ...] = ()
    render: bool = True
    honour_gitignore: bool = True
    exclude: tuple[str, ...] = ()
    allow_empty: bool = False
    """Whether input that holds nothing to judge is no error, as for a hook that is given whatever was staged. To such a
    hook everything is a manifest: what was taken from a cluster must not be committed either."""
    fingerprint_key: bytes | None = None


@dataclass(slots=True)
class _Share:
    """What one process read, and keeps to itself."""

    number: int
    reading: Reading


def scan(request: Request, *, now: datetime, stdin: BinaryIO, progress: Progress) -> Assessment:
    """Return the assessment of the manifests that `request` names, or of the exports.

    Raises `InputError` and `ConfigurationError` for what a user can mend, `NothingCollectedError` when there is
    nothing to judge, and `WorkerLostError` when a process dies.
    """
    judged_by = rules.load(request, now=now)
    exports = () if request.allow_empty else exported.named(request.paths)
    if exports:
        return _of_exports(exports, request, judged_by, now=now, progress=progress)
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
    progress(f"judging {len(found.sources)} files by {len(judged_by.policies)} policies")
    judged, readings = _judge(found, judge=judged_by.judge, fingerprinter=fingerprinter, jobs=request.jobs)
    coverage = _coverage(found.coverage, [part.coverage for part in readings])
    empty = not any(part.resources for part in coverage) and all(part.complete for part in coverage)
    if empty and not request.allow_empty:
        raise NothingCollectedError(", ".join(request.paths))
    progress("assessing")
    reached = Reached(
        judged=judged,
        coverage=coverage,
        arguments=request.paths,
        digests=[entry for part in readings for entry in part.digests],
        key_id=fingerprinter.key_id,
        absent={policy.id: {"": policy.absent} for policy in judged_by.policies if _asked(policy, found)},
    )
    return assess(reached, judged_by, now=now)


def _asked(policy: Policy, found: Found) -> bool:
    """Return whether it leaves something open that `policy` finds no subject: nobody asks a folder for its CI gates."""
    return bool(policy.absent) and (found.in_repository or policy.absent_where != "repository")


def _of_exports(
    paths: Sequence[str], request: Request, judged_by: Rules, *, now: datetime, progress: Progress
) -> Assessment:
    """Return the assessment that `auditor audit` makes of a snapshot of the exports at `paths`."""
    from auditor.pipeline import audit  # noqa: PLC0415 - start-up: only some inputs need it

    collected = exported.read(
        paths,
        workloads=judged_by.judge.workloads,
        fingerprinter=Fingerprinter(request.fingerprint_key),
        clock=lambda: now,
        progress=progress,
    )
    digests = [(f"{call.source}/{call.type}/{call.namespace}", call.sha256) for of in collected for call in of.calls]
    return audit.of_collected(
        collected,
        judged_by,
        arguments=request.paths,
        digests=digests,
        jobs=request.jobs,
        now=now,
        progress=progress,
    )


def _judge(
    found: Found, *, judge: Judge, fingerprinter: Fingerprinter, jobs: int
) -> tuple[list[JudgedSubject], list[Reading]]:
    """Return what was judged, and what each process read (without the resources themselves)."""
    sources = found.sources
    shares = _shares(sources, jobs or os.cpu_count() or 1)
    missed = [gap.file for part in found.coverage for gap in part.gaps]

    def first(number: int) -> tuple[_Share, Estate]:
        reading = manifests.read(shares[number], workloads=judge.workloads, fingerprint=fingerprinter.of)
        estate = Estate()
        for resource in reading.resources:
            estate.add(resource)
        estate.lost += [gap.file for gap in reading.coverage.gaps]
        return _Share(number, reading), estate

    def second(share: _Share, estate: Estate) -> tuple[list[JudgedSubject], Reading]:
        of_repositories = judging.repositories(estate, found.repositories, missed)
        facts = [*judging.facts(estate), *judging.shared(estate), *of_repositories]
        # To derive all facts costs less than to send some; to judge them costs more, so each process takes its part.
        resources = [*share.reading.resources, *facts[share.number :: len(shares)]]
        judged = judging.judge(resources, estate, by=judge, places=Places(sources))
        return judged, Reading([], share.reading.coverage, share.reading.digests)

    _, parts = workers.run(range(len(shares)), first=first, merge=merge, second=second)
    return [subject for judged, _ in parts for subject in judged], [reading for _, reading in parts]


def _shares(sources: Sequence[Source], jobs: int) -> list[Sequence[Source]]:
    """Divide the sources into at most `jobs` parts of about equal work.

    The largest first, each goes where there is least so far. Neighbours are alike (a folder of roles, a folder of
    workloads) and mostly of one size, so they go to different parts.
    """
    weights = [_weight(source) for source in sources]
    count = max(1, min(jobs, sum(weights) // _WORTH_A_PROCESS))
    if count == 1:
        return [sources]
    shares: list[list[Source]] = [[] for _ in range(count)]
    loads = [0] * count
    for weight, source in sorted(zip(weights, sources, strict=True), key=lambda pair: -pair[0]):
        least = loads.index(min(loads))
        shares[least].append(source)
        loads[least] += weight + (_SENT if least else 0)
    return list(shares)


def _weight(source: Source) -> int:
    """Return about how much work a file is, in bytes of ordinary manifests."""
    read = source.size if source.size < _LARGE or not _DEFINITIONS.search(source.file) else _LARGE
    return min(read, _MOST) + _PER_FILE


def _coverage(found: Sequence[Coverage], read: Sequence[Coverage]) -> tuple[Coverage, ...]:
    """Return one record for all that was named: what was found joined with what came of reading it."""
    source = ", ".join(part.source for part in found) or "manifests"
    return (ledger.merge(source, (*found, *read)),)
