"""Reads one cluster into a sink: what it is asked comes from `plan`, what comes back is in the ledger, list by list.

Lists of different kinds are read at the same time, several requests at once, as many as `connections` lets through.
Workloads are read one kind after the other, what owns before what it owns (`owners`).
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from itertools import groupby

from auditor.collectors.kubernetes import cluster as clusters
from auditor.collectors.kubernetes.access import load
from auditor.collectors.kubernetes.client import Client
from auditor.collectors.kubernetes.cluster import Cluster
from auditor.collectors.kubernetes.discovery import Discovery, discover
from auditor.collectors.kubernetes.kinds import POD
from auditor.collectors.kubernetes.lists import Reader
from auditor.collectors.kubernetes.normalise import Normaliser
from auditor.collectors.kubernetes.owners import Owners, Spool
from auditor.collectors.kubernetes.permissions import right
from auditor.collectors.kubernetes.plan import Ask, Skip, groups, plan
from auditor.collectors.kubernetes.transport import Transport
from auditor.collectors.sink import Sink
from auditor.model.collection import Call, CallResult, Source
from auditor.model.resource import Resource
from auditor.model.settings import KubernetesSource
from auditor.workloads import Workloads

_LANES = 3
"""Kinds that are read at the same time. More would not be faster: the work on what came is not done in parallel."""

_LOOK = 0.25
"""Seconds between two looks at whether the run shall end."""


def connect(
    settings: KubernetesSource,
    *,
    connections: threading.Semaphore,
    environ: Mapping[str, str],
    jitter: Callable[[], float],
    stopping: Callable[[], bool] = lambda: False,
) -> Client:
    """Return a client for the cluster that `settings` name. Raises `InputError` for what cannot be used."""
    return Client(
        lambda: load(settings, environ=environ),
        lambda access: Transport(access, seconds=settings.timeout, connections=connections, size=2 * _LANES),
        stopping=stopping,
        jitter=jitter,
    )


def collect(
    settings: KubernetesSource,
    *,
    name: str,
    tags: tuple[str, ...],
    sink: Sink,
    fingerprint: Callable[[str], str],
    workloads: Workloads,
    clock: Callable[[], datetime],
    connections: threading.Semaphore,
    environ: Mapping[str, str],
    jitter: Callable[[], float],
    progress: Callable[[str], None],
) -> None:
    """Read the cluster of `settings` into `sink`, under `name`.

    What happens to a single list is in its `Call`. A run that ends before there is a list leaves no record.
    Raises `InputError` for a kubeconfig that cannot be used and `UnusableError` for a cluster that gives no answer or
    does not accept the identity.
    """
    started = clock()
    ended = threading.Event()

    def stopping() -> bool:
        return ended.is_set() or sink.stopping()

    client = connect(settings, connections=connections, environ=environ, jitter=jitter, stopping=stopping)
    try:
        with ThreadPoolExecutor(_LANES, "pages") as ahead, ThreadPoolExecutor(_LANES, "lists") as lanes:
            asked = lanes.submit(_ask, settings, client, clock)
            while not wait([asked], timeout=_LOOK).done:
                if stopping():
                    client.abort()
            about, found = asked.result()
            if stopping():
                # What is served is not known, so there is no list to record: this source was not begun.
                return
            reader = Reader(
                source=name,
                identity=about.identity.user if about.identity else "",
                client=client,
                normaliser=Normaliser(workloads=workloads, fingerprint=fingerprint),
                ahead=ahead,
                clock=clock,
                stopping=stopping,
                see=about.see,
            )
            run = _Run(reader, sink, progress)
            try:
                run.all(plan(settings, found, workloads), lanes)
            except BaseException:
                # The threads of the pools are waited for; they look at this between pages and while they wait.
                ended.set()
                client.abort()
                raise
    finally:
        client.close()
    sink.source(_source(settings, client, about, found, run, name=name, tags=tags, started=started, ended=clock()))


def _ask(settings: KubernetesSource, client: Client, clock: Callable[[], datetime]) -> tuple[Cluster, Discovery]:
    """Return what the cluster says of itself and what it serves. Raises as `collect`."""
    about = clusters.look(client, clock=clock)
    clusters.who_am_i(client, about, impersonating=bool(client.access.impersonation))
    found = discover(client, groups())
    if settings.namespaces:
        clusters.identifier(client, about)
    return about, found


class _Run:
    """The lists of one source."""

    def __init__(self, reader: Reader, sink: Sink, progress: Callable[[str], None]) -> None:
        self._reader = reader
        self._sink = sink
        self._progress = progress
        self._lock = threading.Lock()
        self._total = 0
        self._objects = 0
        self._calls = 0
        self.rights: list[tuple[str, CallResult]] = []
        """What each list showed of our rights."""

    def all(self, planned: Sequence[Ask | Skip], lanes: ThreadPoolExecutor) -> None:
        """Read everything that is planned and not yet done."""
        done = self._sink.done(self._reader.source)
        left = [one for one in planned if (one.type, _scope(one)) not in done]
        self._total = len(left)
        asks = [one for one in left if isinstance(one, Ask)]
        chain = sorted((ask for ask in asks if ask.kind.round is not None), key=_round)
        others = [list(same) for _, same in groupby((a for a in asks if a.kind.round is None), key=lambda a: a.type)]
        for skip in left:
            if isinstance(skip, Skip):
                self._called(None, self._reader.skipped(skip))
        futures = [lanes.submit(self._workloads, chain)] if chain else []
        # One list at a time of a type: namespaces of one kind follow each other.
        futures += [lanes.submit(self._lists, same) for same in others]
        self._await(futures)

    def _await(self, futures: Sequence[Future[None]]) -> None:
        """Wait for all; raise what one of them raised, as soon as it did."""
        left: set[Future[None]] = set(futures)
        while left:
            done, left = wait(left, timeout=_LOOK, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            if left and self._reader.stopping():
                self._reader.client.abort()

    def _lists(self, asks: Iterable[Ask]) -> None:
        for ask in asks:
            self._called(ask, self._reader.read(ask, self._keep, partial(self._restart, ask)))

    def _keep(self, resource: Resource) -> bool:
        self._sink.add(resource)
        return True

    def _restart(self, ask: Ask) -> None:
        self._sink.restart(self._reader.source, ask.type)

    def _workloads(self, chain: Sequence[Ask]) -> None:
        """Read what runs, owners first; hand owners on when the counts of their pods are known."""
        owners, waiting, counted = Owners(), list[tuple[Ask, Spool, Call]](), set[str]()
        with ExitStack() as spools:
            for ask in chain:
                if ask.type == POD:
                    call = self._pods(ask, owners)
                    counted |= {ask.namespace} if call.complete else set()
                    self._called(ask, call)
                else:
                    spool = Spool()
                    spools.callback(spool.close)
                    waiting.append((ask, spool, self._owners(ask, owners, spool)))
            for ask, spool, call in waiting:
                for resource in spool.take():
                    # Counts of some of the pods would be wrong counts.
                    whole = not counted.isdisjoint({"", resource.namespace})
                    self._sink.add(owners.counted(resource) if whole else resource)
                self._called(ask, call)

    def _pods(self, ask: Ask, owners: Owners) -> Call:
        def take(resource: Resource) -> bool:
            if owners.fold(resource):
                return False
            self._sink.add(resource)
            return True

        def restart() -> None:
            owners.forget(ask.type, ask.namespace)
            self._restart(ask)

        return self._reader.read(ask, take, restart)

    def _owners(self, ask: Ask, owners: Owners, spool: Spool) -> Call:
        def take(resource: Resource) -> bool:
            if owners.fold(resource):
                return False
            spool.put(resource)
            return True

        def restart() -> None:
            owners.forget(ask.type, ask.namespace)
            spool.clear()

        return self._reader.read(ask, take, restart)

    def _called(self, ask: Ask | None, call: Call) -> None:
        self._sink.call(call)
        with self._lock:
            if ask is not None:
                self.rights.append((str(right(ask)), call.result))
            self._calls += 1
            self._objects += call.items
            done, objects = self._calls, self._objects
        self._progress(f"{self._reader.source}: {done} of {self._total} lists, {objects} objects")


def _round(ask: Ask) -> int:
    return ask.kind.round or 0


def _scope(one: Ask | Skip) -> str:
    return (one.namespace or one.name) if isinstance(one, Ask) else ""


def _source(
    settings: KubernetesSource,
    client: Client,
    about: Cluster,
    found: Discovery,
    run: _Run,
    *,
    name: str,
    tags: tuple[str, ...],
    started: datetime,
    ended: datetime,
) -> Source:
    authorizers, authorizers_from = _authorizers(settings, about)
    return Source(
        name=name,
        plane="kubernetes",
        endpoint=client.access.endpoint,
        identifier=about.uid,
        version=about.version,
        provider=settings.provider or about.runs_it(client.access.endpoint, found.groups),
        identity=about.identity,
        clock_offset_seconds=about.clock_offset,
        tags=tags,
        scope={
            "namespaces": list(settings.namespaces),
            "secrets": settings.secrets.value,
            "context": client.access.context,
        },
        facts={
            "authorizers": authorizers,
            "authorizersFrom": authorizers_from,
            "rulesReviewComplete": about.rules_complete,
            "identityFrom": about.identity_from,
            "certificateVerified": client.access.verified,
            "groups": sorted(group or "core" for group in found.groups),
            "alsoAsked": [{"request": one.request, "status": one.status} for one in about.asked],
        },
        permissions_held=tuple(sorted({text for text, result in run.rights if result is CallResult.READ})),
        permissions_missing=tuple(sorted({text for text, result in run.rights if result is CallResult.FORBIDDEN})),
        started=started,
        ended=ended,
    )


def _authorizers(settings: KubernetesSource, about: Cluster) -> tuple[list[str] | None, str]:
    """Return the authorisers in the order in which they are asked, `None` where they are not known, and who says so."""
    if settings.authorizers:
        return list(settings.authorizers), "configuration"
    if about.flags:
        return [mode.strip().lower() for mode in about.flags.split(",") if mode.strip()], "flags of the API server"
    return None, ""
