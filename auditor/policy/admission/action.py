"""What an API server does with an object that an exported policy fails."""

from enum import StrEnum


class Action(StrEnum):
    """As the option `--action` names it."""

    DENY = "deny"
    WARN = "warn"
    """Tell the user, and write it into the audit log."""
    AUDIT = "audit"
    """Write it into the audit log alone."""

    @property
    def validation_actions(self) -> list[str]:
        """The actions of a ValidatingAdmissionPolicyBinding."""
        return {Action.DENY: ["Deny"], Action.WARN: ["Warn", "Audit"], Action.AUDIT: ["Audit"]}[self]
