"""What differs from cluster to cluster: the version, and which authorisers stand beside RBAC and in which order.

Each authoriser answers allow, deny or no opinion, and the first that has one ends it
(staging/src/k8s.io/apiserver/pkg/authorization/union in kubernetes/kubernetes); where none has, the request is refused.
Members of `system:masters` pass before all of them. RBAC, ABAC and the Node authoriser never deny.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from auditor.access.kubernetes.rbac import NODE_USER, NODES, Caller, split_account
from auditor.model.errors import InputError
from auditor.model.record import record

_VERSION = re.compile(r"v?(\d+)\.(\d+)")


class Authoriser(StrEnum):
    """Who decides about requests. The value is how people write it, case and separators aside."""

    NODE = "Node"
    RBAC = "RBAC"
    ABAC = "ABAC"
    """A file on the control plane's disk."""
    WEBHOOK = "Webhook"
    ALWAYS_ALLOW = "AlwaysAllow"
    ALWAYS_DENY = "AlwaysDeny"
    """Has no opinion: it only ends a list that would be empty without it."""
    EKS = "EKS"
    """Access entries with access policies."""
    AZURE = "AzureRBAC"
    """Azure role assignments (AKS with Azure RBAC)."""
    GCP = "GoogleIAM"
    """Google Cloud IAM, asked after RBAC (GKE)."""

    @property
    def may_deny(self) -> bool:
        """Whether it can refuse what a later authoriser would allow. Those of providers only allow."""
        return self is Authoriser.WEBHOOK

    def doubt(self, caller: Caller) -> str:
        """Return why it may decide about a request of `caller` by what is not in the cluster's objects, else `""`."""
        if self is Authoriser.AZURE and split_account(caller.user) is not None:
            # Identities that are not in Entra ID are left to RBAC.
            return ""
        return _DOUBTS.get(self, "")


_DOUBTS = {
    Authoriser.ABAC: "the ABAC policy file may allow it",
    Authoriser.WEBHOOK: "an authorisation webhook may allow or deny it",
    Authoriser.EKS: "an EKS access entry may allow it",
    Authoriser.AZURE: "an Azure role assignment may allow it",
    Authoriser.GCP: "a Google Cloud IAM role may allow it",
}
_OF_PROVIDER = {
    "eks": (Authoriser.NODE, Authoriser.RBAC, Authoriser.EKS),
    "aks": (Authoriser.NODE, Authoriser.RBAC, Authoriser.AZURE),
    "gke": (Authoriser.NODE, Authoriser.RBAC, Authoriser.GCP),
}
USUAL = (Authoriser.NODE, Authoriser.RBAC)
"""What kubeadm and most distributions set."""


@record
class Dialect:
    """One cluster's way to decide."""

    version: tuple[int, int] | None = None
    """Major and minor; `None`: not known, and what depends on it is unknown."""
    authorisers: tuple[Authoriser, ...] | None = None
    """In their order. `None`: not known; then the usual ones are taken to be all, and answers say so."""

    @property
    def chain(self) -> tuple[Authoriser, ...]:
        """The authorisers that are asked, in their order."""
        return USUAL if self.authorisers is None else self.authorisers

    def at_least(self, minor: int) -> bool | None:
        """Return whether the version is 1.`minor` or newer, `None` where it is not known."""
        return None if self.version is None else self.version >= (1, minor)


def of(*, version: str = "", authorisers: Iterable[str] | None = None, provider: str = "") -> Dialect:
    """Return the dialect of a cluster: its version (`v1.36.3`, `1.31.2-eks-1`), authorisers by name, and provider.

    A provider's own authoriser is taken to be there unless `authorisers` says otherwise.
    Raises `InputError` for a version or an authoriser that does not exist.
    """
    found = _VERSION.match(version)
    if version and found is None:
        raise InputError(f"{version} is no version of Kubernetes", hint="Write it as 1.36.")
    chain = _OF_PROVIDER.get(provider.lower()) if authorisers is None else tuple(map(_authoriser, authorisers))
    if chain == ():
        raise InputError("no authoriser is named", hint="For example: Node,RBAC.")
    return Dialect(version=(int(found[1]), int(found[2])) if found else None, authorisers=chain)


def _authoriser(text: str) -> Authoriser:
    wanted = _plain(text)
    for authoriser in Authoriser:
        if _plain(authoriser.value) == wanted:
            return authoriser
    raise InputError(f"{text} is no authoriser", hint=f"Choose from {', '.join(Authoriser)}.")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())


def is_node(caller: Caller) -> bool:
    """Return whether the Node authoriser has an opinion about the caller's requests: a kubelet's, or any of them."""
    return NODES in caller.groups and (not caller.user or caller.user.startswith(NODE_USER))
