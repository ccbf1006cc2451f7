"""One HTTP request to a cluster, with an end that nothing on the other side can put off.

A time-out of a socket counts from the last byte, so a server that sends one byte now and then would hold us for ever.
Here a watch stands over each request: when its time is up it shuts the socket down, wherever the request waits.
Nothing is asked twice here, no redirect is followed (it would carry the credential elsewhere), and a body that is
larger than was allowed for is not read to its end.
"""

import http.client
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from socket import SHUT_RDWR, socket
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from auditor.collectors.kubernetes.access import Access
from auditor.model.errors import InputError

_CONNECT_SECONDS = 10.0
_PART = 1 << 20


class Trouble(Enum):
    """Why a request brought no whole answer."""

    TIMED_OUT = auto()
    CUT = auto()
    """The connection broke, or the body ended too early."""
    UNREACHABLE = auto()
    """No connection came about: nothing listens, the name is unknown, the proxy refuses."""
    DISTRUSTED = auto()
    """The server's certificate is not the one that was to be expected."""
    TOO_LARGE = auto()


class NoAnswerError(Exception):
    """There is no whole answer."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.name)
        self.trouble = trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Sends requests to one cluster, as many at a time as `connections` lets through."""

    def __init__(self, access: Access, *, seconds: float, connections: threading.Semaphore, size: int) -> None:
        self._base = access.host
        self._seconds = seconds
        self._connections = connections
        self._pools = _pools(access, size)
        self._watch = _Watch()

    def close(self) -> None:
        """Close every connection."""
        self._pools.clear()
        self._watch.close()

    def abort(self) -> None:
        """End every request that is under way."""
        self._watch.end_all()

    def send(
        self, method: str, path: str, headers: Iterable[tuple[str, str]], *, body: bytes | None, limit: int
    ) -> Answer:
        """Return the answer. Raises `NoAnswerError` where there is none, or one of more than `limit` bytes."""
        sent = urllib3.HTTPHeaderDict()
        for name, value in headers:
            sent.add(name, value)
        with self._connections, self._watch.over(self._seconds) as guard:
            try:
                return self._send(method, self._base + path, sent, body, limit)
            except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
                # ValueError: a socket that was shut down under a reader.
                raise NoAnswerError(Trouble.TIMED_OUT if guard.over else _trouble(error)) from None
            finally:
                guard.check()

    def _send(self, method: str, url: str, headers: urllib3.HTTPHeaderDict, body: bytes | None, limit: int) -> Answer:
        response = self._pools.request(
            method,
            url,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, self._seconds), read=self._seconds),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            content = _content(response, limit)
        except BaseException:
            # What is left of the answer must not be read as the next one.
            response.close()
            raise
        finally:
            response.release_conn()
        return Answer(status=response.status, headers=response.headers, body=content)


def _content(response: urllib3.BaseHTTPResponse, limit: int) -> bytes:
    parts, size = [], 0
    while part := response.read(_PART, decode_content=True):
        size += len(part)
        if size > limit:
            raise NoAnswerError(Trouble.TOO_LARGE)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _trouble(error: Exception) -> Trouble:
    match error:
        case urllib3.exceptions.TimeoutError() | TimeoutError():
            # NewConnectionError is a kind of it, but says that nobody listens.
            refused = isinstance(error, urllib3.exceptions.NewConnectionError)
            return Trouble.UNREACHABLE if refused else Trouble.TIMED_OUT
        case urllib3.exceptions.SSLError():
            return Trouble.DISTRUSTED if "verify failed" in str(error).lower() else Trouble.CUT
        case urllib3.exceptions.ProxyError() | urllib3.exceptions.NameResolutionError():
            return Trouble.UNREACHABLE
        case urllib3.exceptions.NewConnectionError():
            return Trouble.UNREACHABLE
        case _:
            return Trouble.CUT


def _pools(access: Access, size: int) -> urllib3.PoolManager:
    more: dict[str, Any] = {"num_pools": 2, "maxsize": size, "block": False}
    if access.tls is not None:
        more["ssl_context"] = access.tls
        if not access.verified:
            more |= {"cert_reqs": "CERT_NONE", "assert_hostname": False}
            # The user's own decision, and it is in the source's record; a line for each connection helps nobody.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        if access.server_name:
            more["server_hostname"] = access.server_name
    made = _through_proxy(access.proxy, more) if access.proxy else urllib3.PoolManager(**more)
    made.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return made


def _through_proxy(proxy: str, more: dict[str, Any]) -> urllib3.PoolManager:
    parts = urlsplit(proxy)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(
            "the proxy of the source is not http or https",
            hint="Set `proxy` of the source to http://HOST:PORT.",
        )
    port = parts.port or (443 if parts.scheme == "https" else 80)
    credentials = f"{parts.username}:{parts.password or ''}" if parts.username else None
    headers = urllib3.make_headers(proxy_basic_auth=credentials) if credentials else None
    return urllib3.ProxyManager(f"{parts.scheme}://{parts.hostname}:{port}", proxy_headers=headers, **more)


# The watch.

_here = threading.local()
"""The guard of the request that this thread is sending."""


class _Guard:
    """Stands over one request."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.over = False
        self.socket: socket | None = None

    def check(self) -> None:
        """Raise `NoAnswerError` where the time was up, also if what was read by then looks whole."""
        if self.over:
            raise NoAnswerError(Trouble.TIMED_OUT)

    def end(self) -> None:
        """Wake whoever waits at the socket."""
        self.over = True
        if self.socket is not None:
            # The plain shutdown: that of a TLS socket takes its state away under the reader.
            with suppress(OSError):
                socket.shutdown(self.socket, SHUT_RDWR)


class _Watch:
    """One thread that ends requests whose time is up."""

    def __init__(self) -> None:
        self._guards: set[_Guard] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def over(self, seconds: float) -> Iterator[_Guard]:
        """Watch over what is sent inside, by this thread."""
        guard = _Guard(time.monotonic() + seconds)
        _here.guard = guard
        with self._changed:
            self._guards.add(guard)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="request watch")
                self._thread.start()
        try:
            yield guard
        finally:
            _here.guard = None
            with self._changed:
                self._guards.discard(guard)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def end_all(self) -> None:
        """End everything that is watched over."""
        with self._changed:
            for guard in self._guards:
                guard.end()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for guard in [guard for guard in self._guards if guard.until <= now]:
                    self._guards.discard(guard)
                    guard.end()
                # Looked at every so often rather than woken by each request: there are thousands.
                self._changed.wait(0.25 if self._guards else 1.0)


class _Watched:
    """A connection that tells the guard which socket is in use."""

    sock: Any

    def _new_conn(self) -> socket:
        made: socket = super()._new_conn()  # type: ignore[misc]  # of the class beside this one
        _tell(made)
        return made

    def getresponse(self) -> Any:
        _tell(self.sock)
        return super().getresponse()  # type: ignore[misc]  # as above


class _Plain(_Watched, HTTPConnection):
    pass


class _Secure(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def _tell(used: socket | None) -> None:
    guard: _Guard | None = getattr(_here, "guard", None)
    if guard is not None and used is not None:
        guard.socket = used
        if guard.over:
            guard.end()
