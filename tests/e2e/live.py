"""A real cluster collected and judged in this process, as `auditor collect` and `auditor audit` do."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.cli.operator import operator
from auditor.configuration import Configuration
from auditor.model.assessment import Assessment
from auditor.model.settings import KubernetesSource, SourceSettings
from auditor.model.verdict import Outcome
from auditor.pipeline import audit as auditing
from auditor.pipeline import collect as collecting
from auditor.snapshot.reading import Snapshot

SOURCE = "prod"

Verdicts = Mapping[tuple[str, str], tuple[Outcome, str]]
"""Policy and subject to outcome and reason; subject empty for what is open as a whole."""


def collect(folder: Path, kubeconfig: Path, *, name: str = SOURCE, **settings: Any) -> Snapshot:
    """Collect one cluster into `folder` and return the snapshot."""
    source = SourceSettings(name=name, settings=KubernetesSource(kubeconfig=kubeconfig, **settings))
    return collect_all(folder, source)


def collect_all(folder: Path, *sources: SourceSettings) -> Snapshot:
    """Collect several at once."""
    return collecting.collect(
        collecting.Request(
            folder=folder, sources=sources, connections=8, operator=operator({}), fingerprint_key=b"of the tests"
        ),
        collecting.Surroundings(
            clock=lambda: datetime.now(UTC), environ={}, jitter=lambda: 0.0, progress=lambda _: None
        ),
    )


def audit(
    *snapshots: Path, parameters: Mapping[str, Mapping[str, Any]] | None = None, select: tuple[str, ...] = ()
) -> Assessment:
    """Judge snapshots by the whole library, or by what `select` names; `parameters`: policy to name to value."""
    given = {
        policy: {name: (value, "test") for name, value in values.items()}
        for policy, values in (parameters or {}).items()
    }
    return auditing.audit(
        auditing.Request(configuration=Configuration(parameters=given), select=select, jobs=1, snapshots=snapshots),
        now=datetime.now(UTC),
        progress=lambda _: None,
    )


def verdicts(assessment: Assessment) -> Verdicts:
    """Return every verdict of an assessment but those that do not apply."""
    ids = [subject.id for subject in assessment.subjects]
    found: dict[tuple[str, str], tuple[Outcome, str]] = {}
    for result in assessment.results:
        for outcome, entries in (
            (Outcome.PASS, ((index, "") for index in result.passed)),
            (Outcome.FAIL, ((index, "") for index in result.failed)),
            (Outcome.NOT_EVALUATED, result.not_evaluated),
        ):
            for index, reason in entries:
                key = (result.policy_id, ids[index] if index >= 0 else "")
                assert index < 0 or key not in found, f"two verdicts of one name: {key}"
                found[key] = (outcome, reason)
    return found


def about(found: Verdicts, policy: str, names: str) -> list[tuple[str, Outcome, str]]:
    """Return subject, outcome and reason of the verdicts of a policy on subjects whose id holds `names`."""
    return [
        (subject, outcome, reason)
        for (id_, subject), (outcome, reason) in found.items()
        if id_ == policy and subject and names in subject
    ]


def named(entries: Iterable[tuple[str, Outcome, str]]) -> str:
    """Return verdicts as a failed test shows them."""
    return "\n".join(f"  {outcome.value:<14} {subject}: {reason}" for subject, outcome, reason in entries)
