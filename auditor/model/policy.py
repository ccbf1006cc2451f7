"""What reports and the roll-up know of a policy. How it is written and evaluated is `auditor.policy`'s business."""

from enum import StrEnum

from auditor.model.record import record
from auditor.model.verdict import Severity


class Strength(StrEnum):
    """How a policy relates to a requirement."""

    DIRECT = "direct"
    """A failure means that a technical element of the requirement is not met for that subject."""
    SUPPORTING = "supporting"
    """Related, but the requirement is not decided by it."""


class Condition(StrEnum):
    """When a link to a requirement holds. What the manifest cannot tell is declared in `auditor.yaml`."""

    PROTECTS_ACCOUNT_DATA = "protects-account-data"
    INTERACTIVE_LOGIN = "interactive-login"
    SERVICE_PROVIDER = "service-provider"
    USER_ACCOUNT = "user-account"
    WORKLOAD_ACCOUNT = "workload-account"


@record(order=True)
class Link:
    """One requirement that a policy supports."""

    requirement: str
    """`soc2/CC6.1`, `pci-dss-4.0.1/8.6.2`."""
    strength: Strength
    conditions: tuple[Condition, ...] = ()


@record
class PolicyInfo:
    """A policy as reports show it. `severity` is the effective one, after overrides of the configuration."""

    id: str
    name: str
    """Short name of the fault: `secret-in-env`."""
    title: str
    severity: Severity
    rationale: str
    remediation: str
    snippet: str = ""
    """Corrected example, YAML."""
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    references: tuple[str, ...] = ()
    """`nist-800-53r5/IA-5(7)`, `cis-kubernetes-1.12/5.4.1`, or a URL."""
    expression: str = ""
    """The rule as it is evaluated, for the catalogue in the appendix."""
    digest: str = ""
    """SHA-256 of the policy file."""
