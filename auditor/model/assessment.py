"""Verdicts rolled up, with everything that a report shows. The one thing that crosses from judging to rendering."""

from datetime import date, datetime

from auditor.model.collection import Call, Source
from auditor.model.coverage import Coverage
from auditor.model.framework import Framework, RequirementResult
from auditor.model.leaks import Leaks
from auditor.model.policy import PolicyInfo
from auditor.model.record import record
from auditor.model.resource import Location
from auditor.model.verdict import Finding, PolicyResult

SCHEMA_VERSION = "1.2"
"""Of the stored assessment: a reader refuses another major version."""


@record(order=True)
class Subject:
    """A resource or fact as an entry of the population."""

    id: str
    type: str
    namespace: str
    name: str
    location: Location
    source: str = ""
    """Of the live source or export that it was collected from; empty for manifests."""


@record
class Run:
    """Who and what produced the assessment."""

    tool_version: str
    started: datetime
    """UTC; injected, so that a replay gives the same bytes."""
    arguments: tuple[str, ...]
    """What was asked, redacted: `("deploy/",)`."""
    policy_pack_digest: str
    """SHA-256 over the ids and file digests of all policies that were selected."""
    input_digest: str
    """SHA-256 over the paths and digests of all files that were read."""
    configuration_digest: str = ""
    """SHA-256 of `auditor.yaml`, empty without one."""
    fingerprint_key_id: str = ""
    """Names the key of the value fingerprints; empty: random for this run, so values of two runs do not compare."""
    tags: tuple[str, ...] = ()
    """Scope tags such as `cde`, from the configuration."""
    deselected: tuple[tuple[str, str], ...] = ()
    """Policies of the library that were not run, and why: sorted."""


@record
class Waiver:
    """Approved, owned, reasoned, expiring acceptance of failures."""

    id: str
    policy: str
    """A policy id or a glob over them."""
    subject: str
    """Glob over `Subject.id`, optionally followed by `#` and a glob over `Finding.item`."""
    reason: str
    owner: str
    approver: str
    ticket: str
    expires: date
    value: str = ""
    """Value fingerprint; needed to waive a finding that is about a value."""
    location: Location


@record
class WaiverUse:
    """A waiver and what became of it in this run."""

    waiver: Waiver
    used: int
    """Findings that it waived."""
    expired: bool
    note: str = ""
    """Why it did not apply where one would expect it to (another value, another key, expired)."""


@record
class BaselineUse:
    """What the comparison with a baseline gave."""

    file: str
    written: str
    """Date of the baseline, ISO 8601."""
    known: int
    """Findings of this run that it holds."""
    fixed: int
    """Entries that this run no longer finds."""
    incomparable: int
    """Findings about a value that could not be compared, because the fingerprint key differs; they count as new."""


@record
class Assessment:
    """The whole answer of one run."""

    run: Run
    coverage: tuple[Coverage, ...]
    subjects: tuple[Subject, ...]
    policies: tuple[PolicyInfo, ...]
    results: tuple[PolicyResult, ...]
    """One for each policy, in the order of `policies` (by id)."""
    findings: tuple[Finding, ...]
    """Sorted by severity (worst first), policy id, location."""
    frameworks: tuple[Framework, ...]
    requirements: tuple[RequirementResult, ...]
    waivers: tuple[WaiverUse, ...] = ()
    baseline: BaselineUse | None = None
    sources: tuple[Source, ...] = ()
    """Systems of which snapshots were judged; empty for manifests."""
    calls: tuple[Call, ...] = ()
    """Every list that was asked of them, in the order of `sources`, then by type and namespace."""
    leaks: Leaks | None = None
    """The summary of a search for credentials; `None` where none was made."""

    @property
    def complete(self) -> bool:
        """Whether everything in scope was read."""
        return all(part.complete for part in self.coverage)
