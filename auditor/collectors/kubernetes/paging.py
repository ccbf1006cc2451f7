"""One list, page by page, and whether its pages are whole: none twice, none missing, all of one state of the cluster.

The server gives a list in parts (`limit`, `continue`), all of the state that the first part had. What shows a fault:
a continue token that comes again, another `resourceVersion`, the server's own count of what remains, an object that was
there before. The next page is asked for while the present one is worked on, and no page before it is held, so memory
does not grow with the list: of each object a number of eight bytes stays, to know it again.
"""

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import islice
from operator import lt
from typing import Any
from urllib.parse import quote

from auditor.collectors.kubernetes.answers import NotJsonError, mapping, parsed
from auditor.collectors.kubernetes.client import Client, RefusedError, Reply
from auditor.collectors.kubernetes.discovery import Served
from auditor.collectors.kubernetes.kinds import How
from auditor.collectors.kubernetes.transport import Trouble
from auditor.model.collection import CallResult

_TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
ACCEPT = {How.FULL: "application/json", How.METADATA: _TABLE, How.NAMES: _TABLE}

_COMFORTABLE = 6_000_000
"""Bytes of a page, above which fewer objects are asked for at a time."""
_EMPTY_PAGES = 3
"""Pages without an object and with a next one, in a row, that are taken for a server going round in circles."""


class BrokenListError(Exception):
    """The pages do not make a list. `what` says it in one sentence."""

    def __init__(self, result: CallResult, what: str, *, status: int | None = None) -> None:
        super().__init__(what)
        self.result = result
        self.what = what
        self.status = status


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the ledger says of a list, so far."""

    pages: int = 0
    items: int = 0
    retries: int = 0
    remaining: int | None = None
    resource_version: str = ""
    status: int | None = None
    sha256: Any = None

    def digest(self) -> str:
        """Return the digest over the bytes of all pages, empty where there was none."""
        return self.sha256.hexdigest() if self.sha256 is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is to be listed."""

    served: Served
    how: How
    page: int
    namespace: str = ""

    @property
    def path(self) -> str:
        """Of the request."""
        middle = f"/namespaces/{quote(self.namespace, safe='')}" if self.namespace else ""
        return f"{self.served.root}{middle}/{self.served.plural}"

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Of the first request."""
        what = {How.FULL: (), How.METADATA: (("includeObject", "Metadata"),), How.NAMES: (("includeObject", "None"),)}
        return (*what[self.how], ("limit", str(self.page)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One part of a list."""

    items: list[Any]
    """Objects, or rows of a table."""
    columns: Sequence[str]
    """Of a table."""


def pages(client: Client, listing: Listing, tally: Tally, *, ahead: Executor) -> Iterator[Page]:
    """Yield the pages of a list and keep `tally`; `ahead` asks for the next one meanwhile.

    Raises `RefusedError` for a page that did not come, and `BrokenListError` for pages that make no list.
    """
    tally.sha256 = hashlib.sha256()
    following = _Following(listing)
    limit = listing.page
    pending: Future[tuple[Reply, int]] = ahead.submit(_ask, client, listing, "", limit)
    while True:
        try:
            reply, limit = pending.result()
        except RefusedError as error:
            tally.retries += error.retries
            tally.status = error.status
            raise
        tally.retries += reply.retries
        tally.status = 200
        tally.sha256.update(reply.body)
        answer = _read(reply, listing)
        if len(reply.body) > _COMFORTABLE and limit > 1:
            limit = max(1, limit // 4)
        token = following.page(answer, tally)
        del reply
        if token:
            pending = ahead.submit(_ask, client, listing, token, limit)
        try:
            yield Page(items=answer.items, columns=answer.columns)
        except GeneratorExit:
            pending.cancel()
            raise
        if not token:
            return


def _ask(client: Client, listing: Listing, token: str, limit: int) -> tuple[Reply, int]:
    """Return a page and how many objects were asked for: fewer where so many do not fit into one answer."""
    while True:
        query = [("limit", str(limit)) if name == "limit" else (name, value) for name, value in listing.query]
        if token:
            query.append(("continue", token))
        try:
            return client.get(listing.path, query, accept=ACCEPT[listing.how]), limit
        except RefusedError as error:
            if error.trouble is not Trouble.TOO_LARGE or limit == 1:
                raise
            limit = max(1, limit // 8)


@dataclass(slots=True, kw_only=True)
class _Answer:
    items: list[Any]
    columns: tuple[str, ...]
    token: str
    remaining: int | None
    resource_version: str


def _read(reply: Reply, listing: Listing) -> _Answer:
    try:
        body = mapping(parsed(reply.body))
        metadata = mapping(body.get("metadata"))
    except NotJsonError as error:
        if error.ended:
            raise BrokenListError(CallResult.CUT, "the answer ends in the middle", status=200) from None
        raise BrokenListError(CallResult.UNREADABLE, "the answer is not JSON of a list", status=200) from None
    wanted = f"{listing.served.kind}List" if listing.how is How.FULL else "Table"
    items = body.get("rows" if wanted == "Table" else "items") or []
    token, remaining = metadata.get("continue") or "", metadata.get("remainingItemCount")
    if body.get("kind") != wanted or not isinstance(items, list) or not isinstance(token, str):
        raise BrokenListError(CallResult.UNREADABLE, f"the answer is no {wanted}", status=200)
    return _Answer(
        items=items,
        columns=tuple(str(mapping(column).get("name")) for column in body.get("columnDefinitions") or ()),
        token=token,
        remaining=remaining if isinstance(remaining, int) else None,
        resource_version=str(metadata.get("resourceVersion") or ""),
    )


class _Following:
    """Whether each page follows from the ones before."""

    def __init__(self, listing: Listing) -> None:
        self._table = listing.how is not How.FULL
        self._named = listing.how is How.NAMES
        self._token = ""
        self._empty = 0
        self._last = ""
        self._seen = array("q")
        self._known: set[int] | None = None

    def page(self, answer: _Answer, tally: Tally) -> str:
        """Return the token of the next page, empty at the end. Raises `BrokenListError`."""
        count = len(answer.items)
        if tally.pages:
            if answer.resource_version != tally.resource_version:
                raise _inconsistent("its pages are of different states of the cluster (resourceVersion)")
            if tally.remaining is not None and tally.remaining != count + (answer.remaining or 0):
                raise _inconsistent(
                    f"the server counted {tally.remaining} more objects than its pages gave so far, "
                    f"then gave {count} and counted {answer.remaining or 0}"
                )
        if answer.remaining and not answer.token:
            raise _inconsistent(f"the server counts {answer.remaining} more objects and gives no way to ask for them")
        if answer.token and answer.token == self._token:
            raise _inconsistent("a page names itself as the next one")
        self._empty = 0 if count else self._empty + 1
        if answer.token and self._empty >= _EMPTY_PAGES:
            raise _inconsistent("page after page is empty, and each names a next one")
        self._objects(answer.items)
        self._token = answer.token
        tally.pages += 1
        tally.items += count
        tally.resource_version = answer.resource_version
        # At the end of the list nothing remains; before it the server may keep its count to itself.
        tally.remaining = answer.remaining if answer.token else 0
        return answer.token

    def _objects(self, items: list[Any]) -> None:
        """Raise `BrokenListError` where an object was there before.

        Lists come sorted by namespace and name. While they do, none can be there twice; only when one is out of order
        are all looked up.
        """
        if not items:
            return
        keys = self._keys(items)
        numbers = list(map(hash, keys))
        if self._known is None and (keys[0] <= self._last or not all(map(lt, keys, islice(keys, 1, None)))):
            self._known = set(self._seen)
        if self._known is not None:
            before = len(self._known)
            self._known.update(numbers)
            if len(self._known) != before + len(numbers):
                raise _inconsistent("an object comes twice")
        self._seen.extend(numbers)
        self._last = keys[-1]

    def _keys(self, items: list[Any]) -> list[str]:
        """Return what the list is sorted by, of each item. Raises `BrokenListError`."""
        try:
            if self._named:
                return [str(item["cells"][0]) for item in items]
            found = [item["object"]["metadata"] if self._table else item["metadata"] for item in items]
            return [f"{metadata.get('namespace') or ''}/{metadata['name']}" for metadata in found]
        except (AttributeError, LookupError, TypeError):
            pass
        raise BrokenListError(CallResult.UNREADABLE, "an object in it has no name", status=200)


def _inconsistent(what: str) -> BrokenListError:
    return BrokenListError(CallResult.INCONSISTENT, what, status=200)
