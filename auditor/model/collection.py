"""What a collection asked of a live source, and what came back: the ledger that an auditor re-reads afterwards.

One `Source` for each system that the user named, one `Call` for each list that was asked of it. A refusal is data: a
call that did not end in `READ` leaves a hole, and every verdict that needed it is `not_evaluated`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from auditor.model.record import field, record


class CallResult(StrEnum):
    """How one list ended. Only `READ` is complete; only `READ` and `NOT_SERVED` leave no hole."""

    READ = "read"
    NOT_SERVED = "not-served"
    """Discovery was complete and does not list the resource: there is none, and nothing is missing."""
    NOT_ASKED = "not-asked"
    """Left out by the configuration, such as Secrets in the mode that reads none."""
    FORBIDDEN = "forbidden"
    """403: the identity may not read it."""
    UNAUTHENTICATED = "unauthenticated"
    """401: the source did not accept the identity, or not any more."""
    VANISHED = "vanished"
    """404 on a list that discovery had named: removed in mid-run."""
    THROTTLED = "throttled"
    """429 until patience ended."""
    SERVER_ERROR = "server-error"
    TIMED_OUT = "timed-out"
    CUT = "cut"
    """The connection broke, or a body ended too early."""
    EXPIRED = "expired"
    """410 on a page after the first, and again when the list was begun anew."""
    INCONSISTENT = "inconsistent"
    """Pages repeated or contradicted each other."""
    UNREADABLE = "unreadable"
    """The answer was not what the API promises."""
    INTERRUPTED = "interrupted"
    """The run ended before the list did."""


MANAGED = {"eks": "Amazon EKS", "aks": "Azure Kubernetes Service", "gke": "Google Kubernetes Engine"}
"""Providers that run the control plane themselves, by `Source.provider`: its flags are their responsibility."""

COMPLETE = frozenset({CallResult.READ, CallResult.NOT_SERVED})
"""Results after which the absence of an object means that there is none."""


@record
class Identity:
    """Whom the source says we are."""

    user: str
    """Empty where it would not say."""
    groups: tuple[str, ...] = ()
    impersonated_by: str = ""
    """The user that impersonates `user`, if any."""


@record
class Call:
    """One list that was asked of a source, over all its pages."""

    source: str
    """Name of the source in the configuration."""
    type: str
    """Resource type, such as `kubernetes/RoleBinding`."""
    request: str
    """Method and path: `GET /apis/rbac.authorization.k8s.io/v1/rolebindings`. Empty for a file."""
    parameters: tuple[tuple[str, str], ...] = ()
    """Query parameters and the `Accept` header, sorted; the continue token is left out."""
    namespace: str = ""
    """Empty for the whole cluster."""
    result: CallResult
    reason: str = ""
    """One sentence in our words with the next step; empty for `READ`."""
    status: int | None = None
    """HTTP status of the last answer; `None` where there was none."""
    pages: int = 0
    items: int = 0
    """Objects received."""
    kept: int = 0
    """Objects written to the snapshot; the rest was folded into its owner or is of no use to any policy."""
    folded: int = 0
    remaining: int | None = None
    """The server's own count of what follows the last page that was read (0 at the end); `None`: it did not say."""
    retries: int = 0
    resource_version: str = ""
    started: datetime
    ended: datetime
    sha256: str = ""
    """Over the bytes of all pages as they came, in order."""
    identity: str = ""
    """User that asked, as the source named it then: a run that goes on may have another. Empty: unknown, or a file."""

    @property
    def complete(self) -> bool:
        """Whether the absence of an object among the items means that there is none."""
        return self.result in COMPLETE


@record
class Source:
    """One system that was read, as its evidence record says it."""

    name: str
    plane: str
    """`kubernetes`, later `aws`, `azure`, `vault`, ..."""
    kind: str = "live"
    """`live`, or `export` for files that somebody else took from the system."""
    endpoint: str = ""
    """Address without credentials; folder of an export."""
    identifier: str = ""
    """What the system is called by itself: the UID of the namespace kube-system."""
    version: str = ""
    """The server's version, such as `v1.36.3`; decides the dialect. Empty: unknown."""
    provider: str = ""
    """Who runs the control plane: `eks`, `aks`, `gke`, `openshift`, `self-managed`; empty: unknown."""
    identity: Identity | None = None
    clock_offset_seconds: float | None = None
    """Source's clock minus ours, from the `Date` header; `None`: it did not say."""
    tags: tuple[str, ...] = ()
    """Scope tags of this source: `cde`, `connected`, ..."""
    scope: Mapping[str, Any] = field(default_factory=dict)
    """What was in scope: namespaces, the mode for Secrets, page size. Plain JSON."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was seen of the system besides resources: authorisers, served API groups. Plain JSON."""
    permissions_held: tuple[str, ...] = ()
    permissions_missing: tuple[str, ...] = ()
    failure: str = ""
    """One sentence in our words: why nothing of the system could be read; empty where that is not so."""
    fingerprint_key_id: str = ""
    """Names the key of the value fingerprints: values of two sources compare only where it is the same. The writer of
    the snapshot sets it; `random:...` names a key that existed in that run only."""
    started: datetime
    ended: datetime
