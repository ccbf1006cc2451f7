"""`auditor doctor`: what a collection would ask of each source, as whom, what of it is allowed, what would stay open.

Nothing of a cluster is listed here. Asked are the version, discovery, who we are, and for each right whether we have
it. An export is read, to say of what it tells all.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from auditor import data, workloads
from auditor.collectors.kubernetes import cluster as clusters
from auditor.collectors.kubernetes import permissions
from auditor.collectors.kubernetes.collector import connect
from auditor.collectors.kubernetes.discovery import discover
from auditor.collectors.kubernetes.permissions import Right
from auditor.collectors.kubernetes.plan import Skip, groups, plan
from auditor.configuration import Configuration
from auditor.facts import needs
from auditor.model.collection import COMPLETE, CallResult, Identity
from auditor.model.errors import AuditorError
from auditor.model.record import record
from auditor.model.settings import ExportSource, KubernetesSource, SourceSettings
from auditor.pipeline import exported
from auditor.policy import document, selection
from auditor.policy.document import Policy
from auditor.redaction.fingerprint import Fingerprinter
from auditor.workloads import Workloads


@record
class Open:
    """A policy that could not say everything, and the types whose lists it lacks."""

    policy: str
    types: tuple[str, ...]
    whole: bool
    """Whether it could say nothing at all: no list of what it judges would be read."""


@record
class Examination:
    """What was found out about one source."""

    source: str
    plane: str
    settings: KubernetesSource | ExportSource
    failure: AuditorError | None = None
    """Why nothing could be found out."""
    endpoint: str = ""
    context: str = ""
    version: str = ""
    provider: str = ""
    clock_offset: float | None = None
    identity: Identity | None = None
    identity_from: str = ""
    rights: tuple[tuple[Right, bool | None], ...] = ()
    """Each right that a collection needs, and whether the server says that we have it; `None`: it would not say."""
    unasked: tuple[tuple[str, str], ...] = ()
    """Types that the configuration leaves out, and why."""
    unknown: tuple[tuple[str, str], ...] = ()
    """Types of which nobody knows whether they are served, and why."""
    not_served: int = 0
    """Kinds of the table that the cluster does not have."""
    files: int = 0
    """Of an export."""
    told: int = 0
    """Kinds of which an export tells all."""
    in_part: tuple[tuple[str, str], ...] = ()
    """Types of which an export tells something, and why that is not all."""
    without: int = 0
    """Kinds of which an export tells nothing."""
    open: tuple[Open, ...] = ()
    """Policies that could not say everything, by id."""
    grant: str = ""
    """The smallest grant, as YAML."""

    @property
    def missing(self) -> tuple[Right, ...]:
        """Rights that we do not have, as far as the server says."""
        return tuple(right for right, allowed in self.rights if allowed is not True)


def examine(
    settings: Configuration,
    sources: Iterable[SourceSettings],
    *,
    clock: Callable[[], datetime],
    environ: Mapping[str, str],
    jitter: Callable[[], float],
    progress: Callable[[str], None],
) -> tuple[Examination, ...]:
    """Return what is found out about each source. What fails of a source is in its examination."""
    selected = selection.select(
        document.load(document.built_in(), own=settings.policies).policies,
        chosen=settings.select,
        ignored=settings.ignore,
        severities=settings.severity,
    )
    kinds = workloads.load(data.policies() / "workloads.yaml", settings.workloads)
    found = []
    for source in sources:
        progress(f"asking {source.name}")
        try:
            if isinstance(source.settings, ExportSource):
                found.append(_export(source.name, source.settings, selected.policies, kinds, clock=clock))
            else:
                found.append(
                    _kubernetes(
                        source.name,
                        source.settings,
                        selected.policies,
                        kinds,
                        connections=threading.BoundedSemaphore(settings.connections),
                        clock=clock,
                        environ=environ,
                        jitter=jitter,
                    )
                )
        except AuditorError as error:
            found.append(Examination(source=source.name, plane="kubernetes", settings=source.settings, failure=error))
    return tuple(found)


def _export(
    name: str,
    settings: ExportSource,
    policies: tuple[Policy, ...],
    kinds: Workloads,
    *,
    clock: Callable[[], datetime],
) -> Examination:
    part = exported.read_one(
        settings,
        name=name,
        workloads=kinds,
        fingerprinter=Fingerprinter(None),
        clock=clock,
        progress=lambda _: None,
    )
    open_ = {call.type: call.reason for call in part.calls if not call.complete}
    told = {call.type for call in part.calls} - open_.keys()
    some = {call.type for call in part.calls if call.pages or call.items}
    return Examination(
        source=name,
        plane="kubernetes",
        settings=settings,
        endpoint=part.source.endpoint,
        version=part.source.version,
        provider=part.source.provider,
        files=part.source.facts["files"],
        told=len(told),
        in_part=tuple((type_, reason) for type_, reason in sorted(open_.items()) if type_ in some),
        without=len(open_.keys() - some),
        open=_open(policies, kinds, unread=set(open_), read=told | some),
    )


def _kubernetes(
    name: str,
    settings: KubernetesSource,
    policies: tuple[Policy, ...],
    kinds: Workloads,
    *,
    connections: threading.Semaphore,
    clock: Callable[[], datetime],
    environ: Mapping[str, str],
    jitter: Callable[[], float],
) -> Examination:
    client = connect(settings, connections=connections, environ=environ, jitter=jitter)
    try:
        about = clusters.look(client, clock=clock)
        clusters.who_am_i(client, about, impersonating=bool(client.access.impersonation))
        discovered = discover(client, groups())
        planned = plan(settings, discovered, kinds)
        needed = permissions.rights(planned, settings)
        answers = tuple(permissions.review(client, needed))
    finally:
        client.close()
    user = about.identity.user if about.identity and about.identity_from else ""
    skipped = [one for one in planned if isinstance(one, Skip)]
    unasked = tuple((skip.type, skip.reason) for skip in skipped if skip.result is CallResult.NOT_ASKED)
    unknown = tuple(
        (skip.type, skip.reason) for skip in skipped if skip.result not in COMPLETE | {CallResult.NOT_ASKED}
    )
    refused = {right.type for right, allowed in answers if allowed is not True}
    granted = {right.type for right, allowed in answers if allowed}
    return Examination(
        source=name,
        plane="kubernetes",
        settings=settings,
        endpoint=client.access.endpoint,
        context=client.access.context,
        version=about.version,
        provider=settings.provider or about.runs_it(client.access.endpoint, discovered.groups),
        clock_offset=about.clock_offset,
        identity=about.identity,
        identity_from=about.identity_from,
        rights=answers,
        unasked=unasked,
        unknown=unknown,
        not_served=sum(1 for skip in skipped if skip.result is CallResult.NOT_SERVED),
        open=_open(policies, kinds, unread=refused | {type_ for type_, _ in (*unasked, *unknown)}, read=granted),
        grant=permissions.grants(name, settings, needed, user=user),
    )


def _open(policies: Iterable[Policy], kinds: Workloads, *, unread: set[str], read: set[str]) -> tuple[Open, ...]:
    """Return the policies that the `unread` types leave without a full answer. Of some, a part may be `read`."""
    found = []
    for policy in policies:
        if not needs.on_cluster(policy.applies_to):
            continue
        wanted = needs.needs(policy.applies_to, policy.texts, kinds)
        population, joins = needs.concerned(wanted, unread)
        if population or joins:
            whole = bool(population) and needs.EVERY not in wanted.population and not wanted.population & read
            found.append(Open(policy=policy.id, types=tuple(sorted(population | joins)), whole=whole))
    return tuple(sorted(found, key=lambda one: one.policy))
