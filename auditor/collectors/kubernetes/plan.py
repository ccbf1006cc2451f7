"""What will be asked of a cluster: the table of kinds, the user's scope, and what the cluster serves.

The collector follows it, the doctor shows it, and the grants are printed from it, so the three cannot differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.collectors.kubernetes.discovery import Discovery, Served, Unknown
from auditor.collectors.kubernetes.kinds import KINDS, NAMESPACE, SECRET, Kind, by_type
from auditor.collectors.manifests import resource_type
from auditor.model.collection import CallResult
from auditor.model.settings import KubernetesSource, SecretsMode
from auditor.workloads import Workloads

_YOURS = "a kind that auditor.yaml names under `workloads`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One list, or the look at one namespace."""

    kind: Kind
    type: str
    served: Served
    namespace: str = ""
    """Where to list; empty for the whole cluster."""
    name: str = ""
    """Of the one object to get instead of a list."""

    @property
    def verb(self) -> str:
        """What the identity must be allowed."""
        return "get" if self.name else "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A kind of which discovery or the configuration tells all, so that nothing is asked."""

    kind: Kind
    type: str
    result: CallResult
    status: int | None = None
    reason: str


def plan(settings: KubernetesSource, found: Discovery, workloads: Workloads) -> tuple[Ask | Skip, ...]:
    """Return what is asked, in the order of the table."""
    asked: list[Ask | Skip] = []
    for kind in (*KINDS, *_yours(workloads, found)):
        asked += _of_kind(kind, settings, found)
    return tuple(asked)


def groups() -> frozenset[str]:
    """Return every API group of the table."""
    return frozenset(kind.group for kind in KINDS)


def _of_kind(kind: Kind, settings: KubernetesSource, found: Discovery) -> Iterator[Ask | Skip]:
    if kind.type == SECRET and settings.secrets is SecretsMode.REFERENCES:
        reason = "`secrets: references` leaves them out; their names come from what refers to them."
        yield Skip(kind=kind, type=kind.type, result=CallResult.NOT_ASKED, reason=reason)
        return
    unknown = found.unknown.get(kind.group) or (found.unknown.get("*") if kind.group else None)
    if kind.plural == "*":
        several = found.of_group(kind.group)
        for served in several:
            yield from _asks(kind, resource_type(served.api_version, served.kind), served, settings)
        if several and not unknown:
            # The kinds are known, and each has a record of its own; this one says that there are no others.
            yield Skip(kind=kind, type=kind.type, result=CallResult.READ, reason="")
            return
        one: Served | Unknown | None = unknown
    else:
        one = found.find(kind.group, kind.plural)
    match one:
        case Served():
            yield from _asks(kind, kind.type, one, settings)
        case Unknown():
            yield Skip(kind=kind, type=kind.type, result=one.result, status=one.status, reason=_why(kind, one))
        case None:
            yield Skip(
                kind=kind, type=kind.type, result=CallResult.NOT_SERVED, reason="The cluster does not serve this kind."
            )


def _asks(kind: Kind, type_: str, served: Served, settings: KubernetesSource) -> Iterator[Ask]:
    if type_ == NAMESPACE and settings.namespaces:
        for name in settings.namespaces:
            yield Ask(kind=kind, type=type_, served=served, name=name)
    elif served.namespaced and settings.namespaces:
        for namespace in settings.namespaces:
            yield Ask(kind=kind, type=type_, served=served, namespace=namespace)
    else:
        yield Ask(kind=kind, type=type_, served=served)


def _why(kind: Kind, unknown: Unknown) -> str:
    group = kind.group or "core"
    if unknown.stale:
        return (
            f"The server that serves the API group {group} does not answer the API server; look at its APIService, "
            "then collect again."
        )
    status = f"status {unknown.status}" if unknown.status else unknown.result.value
    return (
        f"Which kinds the API group {group} has could not be read ({status}); the grant `system:discovery` is needed."
    )


def _yours(workloads: Workloads, found: Discovery) -> Iterator[Kind]:
    """Yield a row for each kind that the user's configuration adds to the table of workloads."""
    for type_ in workloads.types:
        if by_type(type_) is not None:
            continue
        kind, _, group = type_.removeprefix("kubernetes/").partition(".")
        served = found.of_kind(group, kind)
        plural = served.plural if served else kind.lower()
        yield Kind(type=type_, group=group, plural=plural, round=0, page=100, why=_YOURS)
