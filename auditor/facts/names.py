"""Which object a namespace and a name mean, seen from one file.

Manifests leave the namespace out where `kubectl -n`, Kustomize or Helm fills it in, and overlays repeat objects. So a
name means

1. the objects of exactly that namespace (no namespace matches no namespace), or those of any namespace (`*`), and
   where there are none
2. the objects where one side leaves the namespace out and both lie in the same folder, or one in a folder below the
   other's.

Of several, those whose files share the longest folder prefix with the file that names them.

On a cluster none of that is so: every object has its namespace, and a name means one object (`Names.exact`).
"""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

ANY_NAMESPACE = "*"
"""The namespace of what one object makes in several namespaces."""

Item = TypeVar("Item")


class Names(Generic[Item]):
    """Items by namespace and name. Looking one up takes the same time however many there are."""

    def __init__(self, entries: Iterable[tuple[str, str, str, Item]]) -> None:
        """Take in (namespace, name, file, item)."""
        self._exact: dict[tuple[str, str], _Group[Item]] = {}
        self._named: dict[str, _Group[Item]] = {}
        for namespace, name, file, item in entries:
            self._exact.setdefault((namespace, name), _Group()).append(file, item)
            self._named.setdefault(name, _Group()).append(file, item)

    def meant(self, namespace: str, name: str, *, file: str, strict: bool = False) -> list[Item]:
        """Return the items that `namespace` and `name` mean in `file`, in the order of the input: usually one.

        `strict`, for names that every namespace has: where `namespace` is empty, only items without a namespace that
        lie in the same folder, or in one above or below it.
        """
        if name not in self._named:
            return []
        group = self._exact.get((namespace, name)) or self._exact.get((ANY_NAMESPACE, name))
        if group:
            return group.nearest_related(file) if strict and not namespace else group.nearest(file)
        loose = self._exact.get(("", name)) if namespace else None if strict else self._named[name]
        return loose.nearest_related(file) if loose else []

    def exact(self, namespace: str, name: str) -> list[Item]:
        """Return the items of exactly that namespace and name, as on a cluster."""
        group = self._exact.get((namespace, name))
        return group.items if group else []

    def every(self, namespace: str, name: str, *, file: str, strict: bool = False) -> list[Item]:
        """Return all items that `namespace` and `name` can mean in `file`, near or far; `strict` as in `meant`."""
        if name not in self._named:
            return []
        group = self._exact.get((namespace, name)) or self._exact.get((ANY_NAMESPACE, name))
        if group:
            return group.related(file) if strict and not namespace else group.items
        loose = self._exact.get(("", name)) if namespace else None if strict else self._named[name]
        return loose.related(file) if loose else []


class _Group(Generic[Item]):
    __slots__ = ("_below", "_files", "_inside", "items")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._files: list[str] = []
        self._below: dict[str, list[int]] | None = None
        self._inside: dict[str, list[int]] = {}

    def append(self, file: str, item: Item) -> None:
        self.items.append(item)
        self._files.append(file)

    def nearest(self, file: str) -> list[Item]:
        """Return the items with the longest common prefix of their files' steps."""
        if len(self.items) == 1:
            return self.items
        below = self._folders()
        ring = next((below[prefix] for prefix in _prefixes(file) if prefix in below), [])
        return [self.items[index] for index in ring]

    def nearest_related(self, file: str) -> list[Item]:
        """Return the nearest items in the same folder, one below or one above it."""
        return [self.items[index] for index in next(self._related(file), [])]

    def related(self, file: str) -> list[Item]:
        """Return all items in the same folder, one below or one above it."""
        indices = {index for ring in self._related(file) for index in ring}
        return [self.items[index] for index in sorted(indices)]

    def _related(self, file: str) -> Iterator[list[int]]:
        """Yield positions, nearest first: in the file itself, in or below its folder, in each folder above."""
        below = self._folders()
        own, folder, *above = _prefixes(file)
        rings = (below.get(own), below.get(folder), *(self._inside.get(step) for step in above))
        return (ring for ring in rings if ring)

    def _folders(self) -> dict[str, list[int]]:
        if self._below is None:
            self._below = {}
            for index, place in enumerate(self._files):
                steps = list(_prefixes(place))
                self._inside.setdefault(steps[1], []).append(index)
                for step in steps:
                    self._below.setdefault(step, []).append(index)
        return self._below


def _prefixes(file: str) -> Iterator[str]:
    """Yield the file, then its folders from the inside out, `""` last: at least two."""
    yield "/" + file
    while "/" in file:
        file = file.rpartition("/")[0]
        yield "/" + file
    yield ""
