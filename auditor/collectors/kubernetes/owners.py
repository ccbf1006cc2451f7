"""Pods, ReplicaSets, Jobs and the like are folded into what made them: a population of workloads, not of their copies.

An owned object is folded where its owner was read, and where it holds no credential that the owner does not hold: an
old ReplicaSet keeps what was corrected since, and a webhook may write into pods alone. A pod with an ephemeral
container is kept as well: nobody but the pod knows of it. What owns is read before what it owns, waits in a file, and
is handed on with the counts of its pods when all is read. The file holds resources, so no credential.
"""

import pickle
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any, cast

from auditor.collectors.kubernetes.kinds import POD
from auditor.collectors.manifests import resource_type
from auditor.model.resource import Confidence, LiteralKind, Resource

COUNTS = "auditor/pods"
"""Key of an owner's body: `{"count": pods, "serviceAccounts": [the accounts that they run as]}`."""

_IN_MEMORY = 4_000_000
_NONE: frozenset[str] = frozenset()


class Spool:
    """Resources of one list that wait for their counts, in their order."""

    def __init__(self) -> None:
        self._file = cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - `close` does

    def put(self, resource: Resource) -> None:
        """Take a resource."""
        pickle.dump(resource, self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def clear(self) -> None:
        """Forget everything."""
        self._file.seek(0)
        self._file.truncate()

    def take(self) -> Iterator[Resource]:
        """Yield what was put."""
        self._file.seek(0)
        while True:
            try:
                found: Resource = pickle.load(self._file)  # noqa: S301 - `put` wrote it, into a file without a name
            except EOFError:
                return
            yield found

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


@dataclass(slots=True)
class _Owner:
    """What is remembered of a workload, for what it owns."""

    namespace: str
    credentials: frozenset[str]
    pods: int = 0
    accounts: set[str] | None = None


@dataclass(slots=True)
class Owners:
    """The workloads of one cluster. Not for several threads."""

    _owners: dict[str, dict[int, _Owner]] = field(default_factory=dict)
    """By type, then by a number for the uid: there may be very many."""

    def fold(self, resource: Resource) -> bool:
        """Return whether `resource` is folded into its owner; either way it is known as an owner from here on."""
        metadata = resource.body["metadata"]
        owner = self._owner_of(metadata)
        credentials = _credentials(resource)
        folded = owner is not None and credentials <= owner.credentials
        if resource.type != POD:
            uid = hash(str(metadata.get("uid")))
            known = owner if owner and folded else _Owner(resource.namespace, credentials)
            self._owners.setdefault(resource.type, {})[uid] = known
            return folded
        if owner is not None:
            owner.pods += 1
            account = _pod(resource).get("serviceAccountName")
            if isinstance(account, str):
                owner.accounts = (owner.accounts or set()) | {account}
        return folded and not _pod(resource).get("ephemeralContainers")

    def counted(self, resource: Resource) -> Resource:
        """Return `resource` with the counts of its pods."""
        owner = self._owners.get(resource.type, {}).get(hash(str(resource.body["metadata"].get("uid"))))
        if owner is not None:
            counts = {"count": owner.pods, "serviceAccounts": sorted(owner.accounts or ())}
            cast("dict[str, Any]", resource.body)[COUNTS] = counts
        return resource

    def forget(self, type_: str, namespace: str) -> None:
        """Forget what the list of a type in a namespace (empty: everywhere) told: it is begun anew."""
        if type_ != POD:
            known = self._owners.get(type_, {})
            for uid in [uid for uid, owner in known.items() if namespace in {"", owner.namespace}]:
                del known[uid]
            return
        for known in self._owners.values():
            for owner in known.values():
                if namespace in {"", owner.namespace}:
                    owner.pods, owner.accounts = 0, None

    def _owner_of(self, metadata: dict[str, Any]) -> _Owner | None:
        references = metadata.get("ownerReferences")
        for reference in references if isinstance(references, list) else ():
            if isinstance(reference, dict) and reference.get("controller") is True:
                type_ = resource_type(str(reference.get("apiVersion")), str(reference.get("kind")))
                return self._owners.get(type_, {}).get(hash(str(reference.get("uid"))))
        return None


def _pod(resource: Resource) -> dict[str, Any]:
    return resource.body.get("spec") or {}


def _credentials(resource: Resource) -> frozenset[str]:
    if not resource.literals:
        return _NONE
    return frozenset(
        literal.fingerprint
        for literal in resource.literals
        if literal.kind is LiteralKind.CREDENTIAL and literal.confidence is not Confidence.POSSIBLE
    )
