"""Frameworks and requirements, in our own paraphrase; only ids and framework names are theirs."""

from enum import StrEnum

from auditor.model.policy import Condition, Strength
from auditor.model.record import record
from auditor.model.verdict import Outcome


class Automation(StrEnum):
    """How much of a requirement a technical test can say."""

    PARTIAL = "partial"
    """A tool tests a part; documents, interviews or observation are needed for the rest."""
    NONE = "none"
    """People only."""


@record
class Requirement:
    """One id of one framework version."""

    id: str
    """`CC6.1`, `8.6.2`."""
    paraphrase: str
    automation: Automation
    tested: str = ""
    """What part a tool can test."""
    needs_people: str = ""
    """What part needs people."""
    conditions: tuple[Condition, ...] = ()
    points_of_focus: tuple[str, ...] = ()
    """SOC 2: by name, since they have no official numbers."""
    since: str = ""
    """PCI DSS: `2025-03-31` for future-dated requirements, else empty."""
    category: str = ""
    """SOC 2: `common`, `confidentiality`, `availability`."""


@record
class Framework:
    """One version of one framework."""

    id: str
    """`soc2`, `pci-dss-4.0.1`."""
    title: str
    version: str
    notice: str
    """What the catalogue is and is not; printed wherever requirements are."""
    requirements: tuple[Requirement, ...]


@record
class RequirementResult:
    """Verdicts rolled up to one requirement. Never worded as compliance: a technical test, N of N objects."""

    framework_id: str
    requirement_id: str
    outcome: Outcome
    """Fail > not evaluated > waived > pass > not applicable; pass only if something passed and nothing is open."""
    conditional: tuple[Condition, ...] = ()
    """Conditions under which a contributing link holds and which the user has not declared either way."""
    untested: bool = False
    """No policy of this run touches it (then `outcome` is `NOT_EVALUATED`)."""
    reason: str = ""
    """One sentence; always there unless the outcome is pass or fail."""
    policies: tuple[tuple[str, Strength, Outcome], ...] = ()
    passed: int = 0
    failed: int = 0
    waived: int = 0
    not_evaluated: int = 0
    """Counts of verdicts (policy x subject)."""
