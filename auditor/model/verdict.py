"""What a policy says about a subject, and how a person reads a failure."""

from enum import StrEnum

from auditor.model.record import record
from auditor.model.resource import Location


class Outcome(StrEnum):
    """How a policy can turn out for a subject. Only `PASS` is evidence of a pass."""

    PASS = "pass"  # noqa: S105 - an outcome
    FAIL = "fail"
    WAIVED = "waived"
    NOT_APPLICABLE = "not_applicable"
    NOT_EVALUATED = "not_evaluated"


class Severity(StrEnum):
    """How bad a failure is. Ordered: `Severity.LOW.rank < Severity.CRITICAL.rank`."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 4 for critical."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class SubjectKind(StrEnum):
    """Whose access a verdict is about, where that decides which requirement it touches (PCI 7.2.2 or 7.2.5)."""

    USER = "user"
    WORKLOAD = "workload"
    ANY = "any"
    """Not about a principal, about both, or unknown (an external group)."""


@record
class Parameter:
    """A threshold as it was used: printed beside each verdict that it decided."""

    name: str
    value: str
    unit: str = ""
    origin: str
    """`requirement`, `benchmark`, `entity` or `tool-default`."""
    reference: str = ""
    """Where the number comes from: a section, a policy of the user's, a risk analysis."""


@record
class Finding:
    """A failing verdict on one item, as a person reads it."""

    policy_id: str
    subject: int
    """Index into `Assessment.subjects`."""
    item: str = ""
    """Stable name of the item inside the subject, free of positions: `container web, env DB_PASSWORD`."""
    fingerprint: str
    """32 hex digits over policy, subject and item: survives moved lines, renamed files and rebases."""
    value_fingerprint: str = ""
    """Keyed fingerprint of the value that the finding is about; a changed value makes a new finding."""
    message: str
    location: Location
    related: tuple[tuple[str, Location], ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()
    """Names and non-secret values that decided, e.g. `("rule", "get, list secrets")`."""
    severity: Severity
    about: SubjectKind = SubjectKind.ANY
    outcome: Outcome = Outcome.FAIL
    """`FAIL` or `WAIVED`."""
    waiver_id: str = ""
    known: bool = False
    """Whether the baseline holds it: then it is counted and shown, but does not fail the gate."""


@record
class PolicyResult:
    """What one policy says about its whole population. Every subject stands in exactly one of the groups."""

    policy_id: str
    passed: tuple[int, ...] = ()
    """Indexes into `Assessment.subjects`, ascending; the same for the other groups."""
    failed: tuple[int, ...] = ()
    waived: tuple[int, ...] = ()
    not_evaluated: tuple[tuple[int, str], ...] = ()
    """Subject and reason. Index -1, any number of times: something the policy is asked about could not be judged at
    all, since nothing of the kind was found or a part of its population was not read."""
    not_applicable: tuple[tuple[str, int], ...] = ()
    """Reason and how many subjects, sorted. Subjects of other types are not counted."""
    items: int = 0
    """Items judged inside the subjects (environment variables, rules, ...), where the policy judges items."""
    parameters: tuple[Parameter, ...] = ()

    @property
    def population(self) -> int:
        """Subjects that the policy applies to."""
        unread = sum(1 for index, _ in self.not_evaluated if index >= 0)
        return len(self.passed) + len(self.failed) + len(self.waived) + unread
