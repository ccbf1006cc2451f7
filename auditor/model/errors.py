"""Errors that a user can mend: what happened, where, and the next thing to do. Only `cli/` catches them."""

from collections.abc import Sequence


class AuditorError(Exception):
    """A failure that its reader can act upon.

    `hint` is one sentence in the imperative. Neither text may hold a secret value: quote names, paths and
    positions, never content.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class InputError(AuditorError):
    """A file, folder or option that cannot be used as it is."""


class ConfigurationError(AuditorError):
    """`auditor.yaml`, a waivers file or a policy file says something that cannot be right."""


class ToolMissingError(AuditorError):
    """A program that the input needs (helm, kustomize) is not installed or failed."""


class NothingCollectedError(AuditorError):
    """The run read no resource at all, so it has nothing to vouch for."""

    def __init__(self, source: str, *, reasons: Sequence[str] = (), hint: str = "") -> None:
        """`reasons` say why nothing came, one of each system that was asked; without any, the input holds nothing."""
        super().__init__(
            "\n".join((f"nothing was collected from {source}", *(f"  {reason}" for reason in reasons)))
            if reasons
            else f"nothing to judge was found in {source}",
            hint=hint
            or "Name a folder or file with Kubernetes manifests (`auditor scan --help` shows examples), or say "
            "--allow-empty where that is no mistake.",
        )
