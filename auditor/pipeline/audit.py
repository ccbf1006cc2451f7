"""`auditor audit`: stored snapshots in, assessment out, offline."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from auditor.model.assessment import Assessment
from auditor.model.errors import NothingCollectedError
from auditor.model.resource import Resource
from auditor.pipeline import clusters as systems
from auditor.pipeline import rules, workers
from auditor.pipeline.assemble import JudgedSubject
from auditor.pipeline.assessing import Reached, assess
from auditor.pipeline.clusters import Cluster
from auditor.pipeline.collected import Collected, open_all
from auditor.pipeline.judging import Progress
from auditor.pipeline.rules import Rules, Terms

_WORTH_A_PROCESS = 4_000
"""Subjects below which a further process costs more than it brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Terms):
    """What an audit was asked for."""

    snapshots: tuple[Path, ...]


def audit(request: Request, *, now: datetime, progress: Progress) -> Assessment:
    """Return the assessment of the snapshots that `request` names; `now` is the time of the run.

    Raises `InputError` and `ConfigurationError` for what a user can mend, `NothingCollectedError` when there is
    nothing to judge, and `WorkerLostError` when a process dies.
    """
    judged_by = rules.load(request, now=now)
    collected, digests = open_all(request.snapshots)
    names = tuple(str(path) for path in request.snapshots)
    return of_collected(
        collected, judged_by, arguments=names, digests=digests, jobs=request.jobs, now=now, progress=progress
    )


def of_collected(
    collected: Sequence[Collected],
    judged_by: Rules,
    *,
    arguments: Sequence[str],
    digests: Sequence[tuple[str, str]],
    jobs: int,
    now: datetime,
    progress: Progress,
) -> Assessment:
    """Return the assessment of what was collected. Raises as `audit`."""
    coverage = tuple(part.coverage for part in collected)
    if not any(part.resources for part in coverage) and all(part.complete for part in coverage):
        raise NothingCollectedError(
            ", ".join(arguments), hint="`auditor snapshot show` tells what a snapshot holds; collect it again."
        )
    progress("reading the snapshot")
    clusters = [Cluster(part, judged_by.judge) for part in collected]
    progress(f"judging {sum(part.resources for part in coverage):,} objects by {len(judged_by.policies)} policies")
    work = [(index, subject) for index, cluster in enumerate(clusters) for subject in cluster.subjects()]
    work.extend(systems.shared(clusters))
    judged = _judge(work, clusters, jobs=jobs or os.cpu_count() or 1)
    progress("assessing")
    keys = {part.source.fingerprint_key_id for part in collected}
    reached = Reached(
        judged=judged,
        coverage=coverage,
        arguments=tuple(arguments),
        digests=digests,
        key_id=_comparable(keys),
        sources=tuple(part.source for part in collected),
        calls=tuple(call for part in collected for call in part.calls),
        absent={
            policy.id: {cluster.name: why for cluster in clusters if (why := systems.why_absent(policy, cluster))}
            for policy in judged_by.policies
        },
        unread={policy.id: systems.why_unread(policy, clusters) for policy in judged_by.policies},
    )
    return assess(reached, judged_by, now=now)


def _judge(work: Sequence[tuple[int, Resource]], clusters: Sequence[Cluster], *, jobs: int) -> list[JudgedSubject]:
    """Return what was judged. Everything was read before the processes part, so none has to be told anything."""
    count = max(1, min(jobs, len(work) // _WORTH_A_PROCESS))
    # Neighbours are alike, so they go to different processes.
    shares = [work[start::count] for start in range(count)]

    def second(share: Sequence[tuple[int, Resource]], _: None) -> list[JudgedSubject]:
        judged: list[JudgedSubject] = []
        for index, cluster in enumerate(clusters):
            judged.extend(cluster.judge(subject for of, subject in share if of == index))
        return judged

    _, parts = workers.run(shares, first=lambda share: (share, None), merge=lambda _: None, second=second)
    return [subject for judged in parts for subject in judged]


def _comparable(keys: Iterable[str]) -> str:
    """Return the id of the one key of all values, if it is one that another run can have."""
    found = set(keys)
    key = found.pop() if len(found) == 1 else ""
    return "" if key.startswith("random:") else key
