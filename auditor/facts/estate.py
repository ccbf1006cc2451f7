"""The part of all resources that judging one of them can need. Small, mergeable, picklable.

A worker that parsed some of the files adds its resources; the estates of all workers are merged and handed back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from auditor.model.resource import Origin, Resource

JOINED_TYPES = frozenset(
    {
        "kubernetes/ServiceAccount",
        "kubernetes/Role",
        "kubernetes/ClusterRole",
        "kubernetes/RoleBinding",
        "kubernetes/ClusterRoleBinding",
        "kubernetes/Namespace",
    }
)
"""Types of which others need the whole object."""


@dataclass(slots=True)
class Estate:
    """Resources by type, for joins."""

    joined: dict[str, list[Resource]] = field(default_factory=dict)

    def add(self, resource: Resource) -> None:
        """Take in what others may need of `resource`."""
        if resource.type in JOINED_TYPES:
            self.joined.setdefault(resource.type, []).append(resource)

    def resources(self, type_: str) -> Sequence[Resource]:
        """Return every resource of a joined type, in the order of the input."""
        return self.joined.get(type_, ())

    def find(self, type_: str, namespace: str, name: str, *, near: Origin) -> Resource | None:
        """Return the object of that identity, or `None`.

        Overlays repeat objects: of several, the one whose file shares the longest folder prefix with `near`.
        """
        candidates = [item for item in self.resources(type_) if item.name == name and item.namespace == namespace]
        if not candidates:
            return None
        return max(candidates, key=lambda item: _shared(item.origin.file, near.file))


def merge(estates: Iterable[Estate]) -> Estate:
    """Return one estate with everything of `estates`."""
    merged = Estate()
    for estate in estates:
        for type_, resources in estate.joined.items():
            merged.joined.setdefault(type_, []).extend(resources)
    return merged


def _shared(left: str, right: str) -> int:
    pairs = zip(PurePosixPath(left).parts, PurePosixPath(right).parts, strict=False)
    count = 0
    for a, b in pairs:
        if a != b:
            break
        count += 1
    return count
