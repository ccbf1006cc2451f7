"""Which object a namespace and a name mean, seen from one file.

Manifests leave the namespace out where `kubectl -n`, Kustomize or Helm fills it in, and overlays repeat objects. So a
name means

1. the objects of exactly that namespace (no namespace matches no namespace), or those of any namespace (`*`), and
   where there are none
2. the objects where one side leaves the namespace out and both lie in the same folder, or one in a folder below the
   other's.

Of several, those whose files share the longest folder prefix with the file that names them.
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

    def every(self, namespace: str, name: str, *, file: str) -> list[Item]:
        """Return all items that `namespace` and `name` can mean in `file`, near or far."""
        if name not in self._named:
            return []
        group = self._exact.get((namespace, name)) or self._exact.get((ANY_NAMESPACE, name))
        if group:
            return group.items
        loose = self._exact.get(("", name)) if namespace else self._named[name]
        return loose.related(file) if loose else []


class _Group(Generic[Item]):
    __slots__ = ("_below", "_files", "items")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._files: list[str] = []
        self._below: dict[str, list[int]] | None = None

    def append(self, file: str, item: Item) -> None:
        self.items.append(item)
        self._files.append(file)

    def nearest(self, file: str) -> list[Item]:
        if len(self.items) == 1:
            return self.items
        return [self.items[index] for index in next(self._rings(file), ())]

    def nearest_related(self, file: str) -> list[Item]:
        for ring in self._rings(file):
            related = [self.items[index] for index in ring if _related(self._files[index], file)]
            if related:
                return related
        return []

    def related(self, file: str) -> list[Item]:
        return [item for item, place in zip(self.items, self._files, strict=True) if _related(place, file)]

    def _rings(self, file: str) -> Iterator[list[int]]:
        """Yield positions of items, nearest first: same file, same folder, the folder above, ..., anywhere."""
        if self._below is None:
            self._below = {}
            for index, place in enumerate(self._files):
                for prefix in _prefixes(place):
                    self._below.setdefault(prefix, []).append(index)
        for prefix in _prefixes(file):
            if prefix in self._below:
                yield self._below[prefix]


def _prefixes(file: str) -> Iterator[str]:
    """Yield the file, then its folders from the inside out, `""` last: an absolute path begins with an empty step."""
    yield "/" + file
    while "/" in file:
        file = file.rpartition("/")[0]
        yield "/" + file
    yield ""


def _related(left: str, right: str) -> bool:
    """Return whether one file's folder is the other's or lies above it."""
    one, other = left.rpartition("/")[0], right.rpartition("/")[0]
    if len(one) > len(other):
        one, other = other, one
    return not one or one == other or other.startswith(one + "/")
