"""What a cluster serves: its own discovery decides versions, and what is not in it is not there.

Aggregated discovery (Kubernetes 1.26) answers in two requests; older servers are asked group by group. A group whose
own server is down is marked `Stale`: nothing is known of it then, which is not the same as nothing being served.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from auditor.collectors.kubernetes.answers import NotJsonError, mapping, parsed
from auditor.collectors.kubernetes.client import JSON, Client, RefusedError
from auditor.model.collection import CallResult

_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    f"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,{JSON}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One resource that can be listed."""

    group: str
    version: str
    """The first of the server's own order that has the resource."""
    plural: str
    kind: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """As objects say it: `apps/v1`, `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """Path in front of the resource: `/apis/apps/v1`, `/api/v1`."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Why nothing is known of what is served."""

    result: CallResult
    status: int | None = None
    stale: bool = False
    """Whether the server itself says that it does not know."""


@dataclass(slots=True)
class Discovery:
    """What a cluster serves."""

    resources: dict[tuple[str, str], Served] = field(default_factory=dict)
    """By group and plural."""
    groups: set[str] = field(default_factory=set)
    unknown: dict[str, Unknown] = field(default_factory=dict)
    """By group; `*` stands for every group but the core one."""

    def find(self, group: str, plural: str) -> Served | Unknown | None:
        """Return the resource, why nobody knows, or `None` where it is not served."""
        found = self.resources.get((group, plural))
        return found or self.unknown.get(group) or (self.unknown.get("*") if group else None)

    def of_group(self, group: str) -> list[Served]:
        """Return every resource of a group, by name."""
        return sorted((found for found in self.resources.values() if found.group == group), key=lambda s: s.plural)

    def of_kind(self, group: str, kind: str) -> Served | None:
        """Return the resource of a kind."""
        return next((found for found in self.of_group(group) if found.kind == kind), None)

    def add(self, served: Served) -> None:
        """Take a resource, unless a version that the server prefers has it."""
        self.groups.add(served.group)
        self.resources.setdefault((served.group, served.plural), served)


def discover(client: Client, groups: Iterable[str]) -> Discovery:
    """Return what is served; of older servers, of `groups` alone. Refusals are recorded, not raised."""
    found = Discovery()
    for path, whole in (("/api", ""), ("/apis", "*")):
        try:
            answer = mapping(parsed(client.get(path, accept=_AGGREGATED).body))
            if answer.get("kind") == "APIGroupDiscoveryList":
                _aggregated(answer, found)
            elif path == "/api":
                _versions(client, "", [str(name) for name in answer.get("versions") or ()], found)
            else:
                _groups(client, answer, frozenset(groups), found)
        except RefusedError as error:
            found.unknown[whole] = Unknown(result=error.result, status=error.status)
        except (NotJsonError, AttributeError, KeyError, TypeError):
            # Not of the shape that the API promises, wherever in it.
            found.unknown[whole] = Unknown(result=CallResult.UNREADABLE)
    return found


def _aggregated(answer: dict[str, Any], found: Discovery) -> None:
    for item in answer.get("items") or ():
        group = str(item.get("metadata", {}).get("name") or "")
        found.groups.add(group)
        for version in item.get("versions") or ():
            if version.get("freshness") == "Stale":
                found.unknown[group] = Unknown(result=CallResult.SERVER_ERROR, stale=True)
            for resource in version.get("resources") or ():
                if "list" in (resource.get("verbs") or ()):
                    found.add(
                        Served(
                            group=group,
                            version=str(version["version"]),
                            plural=str(resource["resource"]),
                            kind=str((resource.get("responseKind") or {}).get("kind") or ""),
                            namespaced=resource.get("scope") == "Namespaced",
                        )
                    )


def _groups(client: Client, answer: dict[str, Any], wanted: frozenset[str], found: Discovery) -> None:
    for group in answer.get("groups") or ():
        name = str(group.get("name") or "")
        found.groups.add(name)
        if name not in wanted:
            continue
        preferred = (group.get("preferredVersion") or {}).get("version")
        versions = [str(version.get("version")) for version in group.get("versions") or ()]
        versions.sort(key=lambda version: version != preferred)
        try:
            _versions(client, name, versions, found)
        except RefusedError as error:
            found.unknown[name] = Unknown(result=error.result, status=error.status)


def _versions(client: Client, group: str, versions: Iterable[str], found: Discovery) -> None:
    for version in versions:
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        for served in _resources(parsed(client.get(path).body), group, version):
            found.add(served)


def _resources(answer: Any, group: str, version: str) -> Iterator[Served]:
    for resource in answer.get("resources") or ():
        name = str(resource.get("name") or "")
        if "/" not in name and "list" in (resource.get("verbs") or ()):
            yield Served(
                group=group,
                version=version,
                plural=name,
                kind=str(resource.get("kind") or ""),
                namespaced=bool(resource.get("namespaced")),
            )
