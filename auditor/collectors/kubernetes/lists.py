"""One list from its first request to its record in the ledger. Whatever happens to it ends as a `Call`, never raises.

A list that grew too old (410), or whose pages do not fit together, is begun anew once; what was read of it before is
forgotten. A list that broke half-way keeps what it gave: a fault that was seen is a fact, and the record says that
there may be more.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from auditor.collectors.kubernetes import reasons
from auditor.collectors.kubernetes.answers import NotJsonError, mapping, parsed
from auditor.collectors.kubernetes.client import Client, RefusedError
from auditor.collectors.kubernetes.cluster import SEEN
from auditor.collectors.kubernetes.discovery import Served
from auditor.collectors.kubernetes.kinds import How
from auditor.collectors.kubernetes.normalise import MalformedError, Normaliser, secret_of, too_deep
from auditor.collectors.kubernetes.paging import ACCEPT, BrokenListError, Listing, Page, Tally, pages
from auditor.collectors.kubernetes.plan import Ask, Skip
from auditor.model.collection import Call, CallResult
from auditor.model.resource import Origin, Resource

_ANEW = frozenset({CallResult.EXPIRED, CallResult.INCONSISTENT})
"""Faults of pages that a fresh start may heal."""
_TYPED = frozenset({"", "apps", "batch"})
"""Groups besides `*.k8s.io` whose objects have the shape that Kubernetes itself defines, so they are never deep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What all lists of a source share."""

    source: str
    identity: str
    """User that the source says we are; empty where it would not say."""
    client: Client
    normaliser: Normaliser
    ahead: Executor
    clock: Callable[[], datetime]
    stopping: Callable[[], bool]
    see: Callable[[Resource], None]
    """Is shown every resource, for what the source as a whole says."""

    def read(self, ask: Ask, take: Callable[[Resource], bool], restart: Callable[[], None]) -> Call:
        """Read a list. `take` is given each object and returns whether it was kept; `restart` forgets them."""
        return self._get(ask, take) if ask.name else self._list(ask, take, restart)

    def skipped(self, skip: Skip) -> Call:
        """Return the record of a kind that is not asked for."""
        now = self.clock()
        asked = skip.result is not CallResult.NOT_ASKED
        return Call(
            source=self.source,
            identity=self.identity,
            type=skip.type,
            request=("GET /apis" if skip.kind.group else "GET /api") if asked else "",
            result=skip.result,
            reason=skip.reason,
            status=skip.status,
            started=now,
            ended=now,
        )

    def _list(self, ask: Ask, take: Callable[[Resource], bool], restart: Callable[[], None]) -> Call:
        listing = Listing(served=ask.served, how=ask.kind.how, page=ask.kind.page, namespace=ask.namespace)
        started, retries = self.clock(), 0
        while True:
            tally = _Tally(tally=Tally(retries=retries))
            result, reason = self._pages(ask, listing, tally, take)
            again = result in _ANEW or (result is CallResult.CUT and tally.broken)
            if retries or not again or self.stopping():
                break
            restart()
            retries = tally.tally.retries + 1
        counts = tally.tally
        return Call(
            source=self.source,
            identity=self.identity,
            type=ask.type,
            request=f"GET {listing.path}",
            parameters=tuple(sorted((*listing.query, ("Accept", ACCEPT[listing.how])))),
            namespace=ask.namespace,
            result=result,
            reason=reason,
            status=counts.status,
            pages=counts.pages,
            items=counts.items,
            kept=tally.kept,
            folded=tally.folded,
            remaining=counts.remaining,
            retries=counts.retries,
            resource_version=counts.resource_version,
            started=started,
            ended=self.clock(),
            sha256=counts.digest(),
        )

    def _pages(
        self, ask: Ask, listing: Listing, tally: "_Tally", take: Callable[[Resource], bool]
    ) -> tuple[CallResult, str]:
        make = _maker(ask, listing)
        try:
            for page in pages(self.client, listing, tally.tally, ahead=self.ahead):
                if self.stopping():
                    return CallResult.INTERRUPTED, reasons.of(CallResult.INTERRUPTED, ask)
                self._objects(ask, make(page), tally, take)
        except RefusedError as error:
            return error.result, reasons.of(error.result, ask, status=error.status, trouble=error.trouble)
        except BrokenListError as error:
            tally.broken = True
            return error.result, reasons.broken(error.what)
        if tally.malformed:
            return CallResult.UNREADABLE, reasons.malformed(tally.malformed)
        return CallResult.READ, ""

    def _objects(
        self,
        ask: Ask,
        bodies: Iterable[dict[str, Any] | None],
        tally: "_Tally",
        take: Callable[[Resource], bool],
    ) -> None:
        """Make resources of `bodies` and hand them on. This is where a large list spends its time."""
        kind, type_ = ask.kind, ask.type
        make, place, deep = self.normaliser.resource, _places(self.source, ask.served), not _typed(ask.served.group)
        see = self.see if type_ in SEEN else None
        for body in bodies:
            if body is None or (deep and too_deep(body)):
                tally.malformed += 1
                continue
            try:
                resource = make(kind, type_, body, place)
            except MalformedError:
                tally.malformed += 1
                continue
            if see is not None:
                see(resource)
            if take(resource):
                tally.kept += 1
            else:
                tally.folded += 1

    def _get(self, ask: Ask, take: Callable[[Resource], bool]) -> Call:
        """Read the one object that is in scope by its name."""
        path = f"{ask.served.root}/{ask.served.plural}/{quote(ask.name, safe='')}"
        started = self.clock()
        tally = _Tally(tally=Tally())
        try:
            reply = self.client.get(path)
            tally.tally.retries, tally.tally.status = reply.retries, 200
            self._objects(ask, [mapping(parsed(reply.body))], tally, take)
            result = CallResult.UNREADABLE if tally.malformed else CallResult.READ
            reason = reasons.malformed(1) if tally.malformed else ""
        except RefusedError as error:
            result, tally.tally.status, tally.tally.retries = error.result, error.status, error.retries
            reason = reasons.of(result, ask, status=error.status, trouble=error.trouble)
        except NotJsonError:
            result, reason = CallResult.UNREADABLE, reasons.broken("the answer is not JSON of an object")
        return Call(
            source=self.source,
            identity=self.identity,
            type=ask.type,
            request=f"GET {path}",
            parameters=(("Accept", ACCEPT[How.FULL]),),
            namespace=ask.name,
            result=result,
            reason=reason,
            status=tally.tally.status,
            pages=int(result is CallResult.READ),
            items=tally.kept,
            kept=tally.kept,
            retries=tally.tally.retries,
            started=started,
            ended=self.clock(),
        )


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What came of a list, and what was made of it."""

    tally: Tally
    kept: int = 0
    folded: int = 0
    malformed: int = 0
    broken: bool = False


def _places(source: str, served: Served) -> Callable[[str, str], Origin]:
    """Return what tells where an object of a list stands: its path in the API."""
    prefix, plural = f"kubernetes://{source}{served.root}", served.plural

    def place(namespace: str, name: str) -> Origin:
        where = f"{prefix}/namespaces/{namespace}/{plural}/{name}" if namespace else f"{prefix}/{plural}/{name}"
        return Origin(file=where, line=None, source=source)

    return place


def _typed(group: str) -> bool:
    return group in _TYPED or (group.endswith(".k8s.io") and not group.endswith("x-k8s.io"))


def _maker(ask: Ask, listing: Listing) -> Callable[[Page], Iterator[dict[str, Any] | None]]:
    """Return what makes bodies of a page's items; `None` stands for one that has no shape of an object."""
    head = {"apiVersion": ask.served.api_version, "kind": ask.served.kind}
    match listing.how:
        case How.FULL:
            return partial(_whole, head)
        case How.METADATA:
            return _secrets
        case How.NAMES:
            return partial(_names, head)


def _whole(head: dict[str, str], page: Page) -> Iterator[dict[str, Any] | None]:
    # The items of a list of a built-in kind do not say what they are.
    for item in page.items:
        yield {**head, **item} if isinstance(item, dict) else None


def _names(head: dict[str, str], page: Page) -> Iterator[dict[str, Any] | None]:
    for row in page.items:
        yield {**head, "metadata": {"name": row["cells"][0]}}


def _secrets(page: Page) -> Iterator[dict[str, Any] | None]:
    if not page.items:
        return
    name, type_, count = _columns(page, "Name", "Type", "Data")
    for row in page.items:
        try:
            cells = row["cells"]
            yield secret_of(cells[name], cells[type_], cells[count], row["object"]["metadata"])
        except (LookupError, TypeError, MalformedError):
            yield None


def _columns(page: Page, *wanted: str) -> list[int]:
    try:
        return [page.columns.index(name) for name in wanted]
    except ValueError:
        pass
    raise BrokenListError(CallResult.UNREADABLE, "the table has not the columns of its kind")
