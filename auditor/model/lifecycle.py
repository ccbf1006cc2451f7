"""What must happen to a credential that leaked: where it stands, what its stores show, and what is to be done by whom.

A store is the place that a program reads the credential from, such as a Secret of a cluster. That it was not changed
since a date can be proven; that a change was a rotation cannot, since the time of a write also moves with a label.
"""

from datetime import date, datetime
from enum import StrEnum

from auditor.model.leaks import Leaks
from auditor.model.record import record
from auditor.model.verdict import Outcome, Severity


class StoreState(StrEnum):
    """What a store shows of a credential that leaked, at the time of the snapshot."""

    USED = "used"
    """The very value stands there: the fingerprints agree."""
    UNCHANGED = "unchanged"
    """It was not written since the credential was known to have leaked."""
    WRITTEN = "written"
    """It was written since. Whether the value changed then, nothing says."""
    REVOKED = "revoked"
    """Whoever issued the credential refuses it."""
    MISSING = "missing"
    """There is no such store any more, or not in this system."""
    UNKNOWN = "unknown"
    """It was not read, or says nothing of when it was written."""


@record(order=True)
class Store:
    """One place in a live system that holds the credential, or held it by what a manifest says."""

    source: str
    """Name of the system."""
    name: str
    """`Secret shop/db, key password`, `Deployment shop/web, container web, env DB_PASSWORD`."""
    state: StoreState
    proof: str
    """One sentence: what shows the state, with its time."""
    days: int = -1
    """Whole days from the detection to the snapshot; -1 where one of the two is not known."""
    owners: tuple[str, ...] = ()
    """As its labels and annotations name them: `team payments`."""


@record(order=True)
class Spot:
    """One place in a repository or in files."""

    path: str
    line: int
    key: str
    """The name beside the value."""
    commit: str
    """The first in which it stood there; empty where no history was read."""
    present: bool | None
    """Whether it stands in what is checked out; `None`: not asked."""
    owners: tuple[str, ...] = ()
    """By CODEOWNERS."""


@record
class Leak:
    """One credential that leaked: one value, however many places."""

    name: str
    """Of its first place, free of line, commit and value."""
    rule: str
    title: str
    tier: int
    remediation: str
    fingerprint: str
    length: int
    masked: str
    spots: tuple[Spot, ...]
    """By path and line."""
    since: datetime | None
    """When the first of them was committed, UTC."""
    detected: datetime | None
    """From when on the period counts, UTC."""
    detected_by: str
    """What says so: `its first commit`, `the baseline FILE`; empty where nothing does."""
    stores: tuple[Store, ...] = ()
    unknown: str = ""
    """Why there may be stores that are not known; empty where nothing was left out."""


class StepState(StrEnum):
    """How far one step is."""

    OPEN = "open"
    DONE = "done"
    UNKNOWN = "unknown"
    """Nothing that was read says so."""


@record
class Step:
    """One thing to do."""

    what: str
    state: StepState
    why: str
    """What shows the state."""
    proof: str
    """What proves it done."""
    owners: tuple[str, ...] = ()


@record
class Case:
    """A leaked credential with what is to be done about it, in order."""

    leak: Leak
    severity: Severity
    outcome: Outcome
    """Of the policy on leaked credentials that are not rotated (L-GIT-02)."""
    reason: str
    due: date | None = None
    """The last day of the period; `None` where its beginning is not known."""
    waivers: tuple[str, ...] = ()
    """Ids of the waivers that accept every place of it; empty where a place is not accepted."""
    until: date | None = None
    """When the first of them ends."""
    steps: tuple[Step, ...] = ()


@record
class Lifecycle:
    """The to-do list of one run."""

    tool_version: str
    started: datetime
    arguments: tuple[str, ...]
    fingerprint_key_id: str
    leaks: Leaks
    owners_file: str
    """The CODEOWNERS file that was read; empty where there is none."""
    systems: tuple[tuple[str, str], ...]
    """Name of each system of the snapshots, and why its values cannot be compared with ours; empty where they can."""
    max_days: str
    """The period, as the policy took it: `7 days after detection (tool-default)`."""
    cases: tuple[Case, ...]
    """Worst first."""
    complete: bool
    """Whether everything in scope was read."""
