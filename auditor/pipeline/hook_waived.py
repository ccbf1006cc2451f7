"""Which finds of a hook a waiver covers: the same waivers, read the same, as in a scan."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from auditor.assess import waivers as waiving
from auditor.collectors.git.command import Repository
from auditor.facts import credentials
from auditor.model.assessment import Subject, Waiver
from auditor.model.resource import Location
from auditor.model.sighting import CARD_NUMBER, Sighting
from auditor.model.verdict import Finding, Outcome, Severity

POLICY = "L-GIT-01"
CARD_POLICY = "L-PAN-01"


def failing(
    found: Sequence[Sighting],
    waivers: Sequence[Waiver],
    *,
    titles: Mapping[str, tuple[str, str]],
    key_id: str,
    now: datetime,
) -> list[Sighting]:
    """Return what no waiver covers."""
    if not waivers:
        return list(found)
    facts = credentials.credentials(found, titles=titles, now=now)
    subjects = [
        Subject(id=fact.id, type=fact.type, namespace="", name=fact.name, location=Location(file=fact.origin.file))
        for fact in facts
    ]
    findings = [
        Finding(
            policy_id=CARD_POLICY if fact.body["rule"] == CARD_NUMBER else POLICY,
            subject=index,
            fingerprint="",
            value_fingerprint=fact.body["fingerprint"],
            message="",
            location=subjects[index].location,
            severity=Severity.CRITICAL,
        )
        for index, fact in enumerate(facts)
    ]
    judged, _ = waiving.apply(findings, subjects, waivers, today=now.date(), key_id=key_id)
    waived = {
        (facts[finding.subject].name, finding.value_fingerprint)
        for finding in judged
        if finding.outcome is Outcome.WAIVED
    }
    return [one for one in found if (credentials.name(one), one.fingerprint) not in waived]


def of_work_tree(file: Path | None) -> tuple[Waiver, ...]:
    """Return the waivers of a file; none without one."""
    return waiving.load(file) if file is not None else ()


def of_branch(repository: Repository, path: str) -> tuple[Waiver, ...]:
    """Return the waivers of the branch that is there: what is received must not excuse itself."""
    if not repository.succeeds("cat-file", "-e", f"HEAD:{path}"):
        return ()
    text = repository.run("cat-file", "blob", f"HEAD:{path}").decode("utf-8-sig", "replace")
    return waiving.parse(text, file=f"HEAD:{path}")
