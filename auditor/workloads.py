"""Which kinds carry a pod spec, and where: a table in `policies/workloads.yaml`, and users' own entries.

An entry names the map with the pod-level fields (`pod`) and every place where containers stand. A step `name[]` means
each element of the list `name`; a container place without `[]` at its end is one container. Nothing is judged here.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from auditor import prepared
from auditor.model.record import record
from auditor.model.resource import Path

if TYPE_CHECKING:
    from pathlib import Path as FilePath

_POD_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


@record
class Workload:
    """Where one kind keeps its pod spec."""

    type: str
    pod: Path
    """Steps to the map with the pod-level fields (`serviceAccountName`, `volumes`, ...)."""
    metadata: Path
    """Steps to the metadata of the pod template."""
    places: tuple[tuple[tuple[str, bool], ...], ...]
    """Container places from the root of the body, each step with whether it is a list. None: a pod spec's own lists."""
    account: bool = True
    """Whether a pod of an object that names no ServiceAccount runs as `default`. False for kinds that others run (a
    Tekton Task): there the run decides."""

    def pod_spec(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the map with the pod-level fields; empty where the object has none."""
        found = _follow(body, self.pod)
        return found if isinstance(found, dict) else {}

    def template_metadata(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the metadata of the pod template; empty where the object has none."""
        found = _follow(body, self.metadata)
        return found if isinstance(found, dict) else {}

    def containers(self, body: Mapping[str, Any]) -> list[tuple[Path, Mapping[str, Any]]]:
        """Return each container with its path, in the order of the table's places."""
        if not self.places:
            # An ordinary pod spec, by far the most frequent: one walk for its three lists.
            spec = self.pod_spec(body)
            return [
                ((*self.pod, name, index), container)
                for name in _POD_CONTAINERS
                if isinstance(listed := spec.get(name), list)
                for index, container in enumerate(listed)
                if isinstance(container, dict)
            ]
        return [
            (path, container)
            for place in self.places
            for path, container in _expand(body, place)
            if isinstance(container, dict)
        ]


class Workloads:
    """The table, by resource type."""

    def __init__(self, entries: Sequence[Workload]) -> None:
        self._by_type = {entry.type: entry for entry in entries}

    def of(self, type_: str) -> Workload | None:
        """Return where objects of that type keep their pod spec, or `None` where they have none."""
        return self._by_type.get(type_)

    @property
    def types(self) -> tuple[str, ...]:
        """Every type in the table."""
        return tuple(self._by_type)


def load(table: "FilePath", own: Sequence[tuple[str, Path]] = ()) -> Workloads:
    """Return the table in the file `table`, and after it the user's own (resource type, steps to the pod spec)."""
    content: Any = prepared.document(table.read_bytes())
    entries = [_entry(raw) for raw in content["workloads"]]
    for type_, pod in own:
        entries.append(_entry({"type": type_, "pod": ".".join(map(str, pod))}))
    return Workloads(entries)


def _entry(raw: Mapping[str, Any]) -> Workload:
    pod = tuple(step for step in raw["pod"].split(".") if step)
    metadata = tuple(raw["metadata"].split(".")) if "metadata" in raw else (*pod[:-1], "metadata")
    places = [_steps(place) for place in raw.get("containers", ())]
    return Workload(
        type=raw["type"], pod=pod, metadata=metadata, places=tuple(places), account=raw.get("account", True)
    )


def _steps(place: str) -> tuple[tuple[str, bool], ...]:
    return tuple((step.removesuffix("[]"), step.endswith("[]")) for step in place.split("."))


def _follow(body: Any, path: Path) -> Any:
    for step in path:
        if not isinstance(body, dict):
            return None
        body = body.get(step)
    return body


def _expand(body: Any, steps: tuple[tuple[str, bool], ...]) -> list[tuple[Path, Any]]:
    nodes: list[tuple[Path, Any]] = [((), body)]
    for name, many in steps:
        below: list[tuple[Path, Any]] = []
        for path, node in nodes:
            child = node.get(name) if isinstance(node, dict) else None
            if not many and child is not None:
                below.append(((*path, name), child))
            elif many and isinstance(child, list):
                below.extend(((*path, name, index), element) for index, element in enumerate(child))
        if not below:
            return []
        nodes = below
    return nodes
