"""What the user says of a system that is to be read: one `SourceSettings` an entry of `sources`, one class a plane.

Paths are absolute or relative to the working folder, with `~` expanded; nothing here was looked up in the environment.
"""

from enum import StrEnum
from pathlib import Path

from auditor.model.record import record


class SecretsMode(StrEnum):
    """What is asked of Secrets. Kubernetes cannot grant "list their metadata" without granting their values."""

    METADATA = "metadata"
    """Listed as metadata only; no value is asked for, although the grant would allow it."""
    REFERENCES = "references"
    """Not listed at all: names come from the objects that refer to them."""


@record
class Impersonation:
    """Whom to act as (`Impersonate-User`, `Impersonate-Group`)."""

    user: str
    groups: tuple[str, ...] = ()


@record
class KubernetesSource:
    """How one cluster is reached, and what of it is in scope."""

    context: str = ""
    """Of the kubeconfig; empty: its current one."""
    kubeconfig: Path | None = None
    """`None`: `KUBECONFIG`, else `~/.kube/config`."""
    in_cluster: bool = False
    """By the ServiceAccount of the pod that runs the program."""
    certificate_authority: Path | None = None
    proxy: str = ""
    """URL without credentials."""
    impersonate: Impersonation | None = None
    namespaces: tuple[str, ...] = ()
    """Empty: all, by lists of the whole cluster."""
    secrets: SecretsMode = SecretsMode.METADATA
    timeout: float = 30
    """Seconds that one request may take."""
    provider: str = ""
    """Who runs the control plane, as `Source.provider`; empty: to be found out."""
    authorizers: tuple[str, ...] = ()
    """In the order in which the API server asks them: `node`, `rbac`, `webhook`, `abac`; empty: to be found out."""


@record
class ExportSource:
    """A folder or file that somebody else took from the system: `kubectl get` dumps, a support bundle."""

    path: Path
    all_namespaces: bool = False
    """Whether whoever made it says that its lists are of all namespaces (`-A`, no selector): files seldom prove it."""


@record
class SourceSettings:
    """One system that the user named."""

    name: str
    """Unique in the configuration; stands in ids, file names and origins."""
    tags: tuple[str, ...] = ()
    settings: KubernetesSource | ExportSource
