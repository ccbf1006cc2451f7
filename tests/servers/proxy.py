"""A proxy between a client and a real API server that spoils chosen answers, as networks and servers do.

    with spoiling(kube, Fault("/api/v1/secrets", status(403))) as proxy:
        collect(kubeconfig=kube.kubeconfig(server=proxy.url))

What no fault is for passes unchanged, so everything else is still the real server. A fault does something to one
`Exchange`: it may ask the server first (`forward`) and change what came, or never ask it at all.
"""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import urllib3

from tests.servers.api import Answer
from tests.servers.kubernetes import Kubernetes

LOOPBACK = "127.0.0.1"
_HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "content-encoding"})


@dataclass(slots=True)
class Exchange:
    """One request on its way, and the connection that waits for its answer."""

    method: str
    path: str
    """Without the query."""
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    connection: socket.socket
    _forward: Callable[["Exchange"], Answer]
    _write: Callable[[bytes], None]

    def forward(self, *, accept: str = "", **query: str) -> Answer:
        """Return what the real server says to the request, with parts of it changed."""
        self.query |= query
        if accept:
            self.headers["Accept"] = accept
        return self._forward(self)

    def answer(
        self, status: int, body: bytes, *, kind: str = "application/json", length: int | None = None, **headers: str
    ) -> None:
        """Send an answer; `length` claims another length than the body has."""
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}"]
        lines.append(f"Content-Length: {len(body) if length is None else length}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if "Date" not in headers:
            lines.append(f"Date: {formatdate(usegmt=True)}")
        self._write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def pass_on(self, came: Answer, **headers: str) -> None:
        """Send an answer of the real server."""
        kept = {
            name.replace("-", "_"): value
            for name, value in came.headers.items()
            if name.lower() not in _HOP_BY_HOP | {"content-type"}
        }
        kind = came.headers.get("Content-Type") or "application/json"
        self.answer(came.status, came.body, kind=kind, **{**kept, **headers})

    def write(self, raw: bytes) -> None:
        """Send bytes as they are."""
        self._write(raw)

    def hang_up(self) -> None:
        """Close the connection, whatever was sent on it."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


Does = Callable[[Exchange], None]


@dataclass(slots=True)
class Fault:
    """What happens to the requests whose path `on` matches from its beginning: to the `first` of them and after."""

    on: str
    does: Does
    first: int = 1
    times: int = 1_000_000
    method: str = "GET"
    later: bool = False
    """Whether only pages after the first are meant."""
    met: int = 0

    def takes(self, exchange: Exchange) -> bool:
        """Return whether it is this fault's turn."""
        if exchange.method != self.method or not re.fullmatch(self.on, exchange.path):
            return False
        if self.later and "continue" not in exchange.query:
            return False
        self.met += 1
        return self.first <= self.met < self.first + self.times


@dataclass(slots=True)
class Proxy:
    """A proxy that runs."""

    url: str
    seen: list[str] = field(default_factory=list)
    """Method and path of each request, in the order in which they came."""


@contextmanager
def spoiling(kube: Kubernetes, *faults: Fault) -> Iterator[Proxy]:
    """Yield a proxy in front of `kube` with `faults`; the first that takes a request has it."""
    pool = urllib3.PoolManager(ca_certs=str(kube.ca_file), maxsize=16)
    lock = threading.Lock()

    def forward(exchange: Exchange) -> Answer:
        target = f"{kube.url}{exchange.path}" + (f"?{urlencode(exchange.query)}" if exchange.query else "")
        came = pool.request(exchange.method, target, body=exchange.body or None, headers=exchange.headers)
        return Answer(came.status, came.headers, came.data)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            exchange = Exchange(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                headers={n: v for n, v in self.headers.items() if n.lower() not in {"host", "content-length"}},
                body=self.rfile.read(size),
                connection=self.connection,
                _forward=forward,
                _write=self.wfile.write,
            )
            with lock:
                proxy.seen.append(f"{self.command} {parts.path}")
                taken = next((fault for fault in faults if fault.takes(exchange)), None)
            with suppress(OSError):
                if taken is None:
                    exchange.pass_on(exchange.forward())
                else:
                    taken.does(exchange)

        do_GET = do_POST = handle_any  # noqa: N815 - names of the base class

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def handle(self) -> None:
            with suppress(OSError):  # the client went away
                super().handle()

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(kube.serving.certificate, kube.serving.key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that leave are the point of this
    proxy = Proxy(url=f"https://{LOOPBACK}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        pool.clear()


# What a fault can do.


def status(code: int, body: bytes | None = None, **headers: str) -> Does:
    """Answer with a status, as the API server writes it."""
    told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "canary-message", "code": code}
    return lambda exchange: exchange.answer(code, json.dumps(told).encode() if body is None else body, **headers)


def body(content: bytes, kind: str = "application/json") -> Does:
    """Answer 200 with this body."""
    return lambda exchange: exchange.answer(200, content, kind=kind)


def silence(seconds: float) -> Does:
    """Send nothing for that long, then hang up."""

    def does(exchange: Exchange) -> None:
        time.sleep(seconds)
        exchange.hang_up()

    return does


def hang_up(exchange: Exchange) -> None:
    """Hang up without an answer."""
    exchange.hang_up()


def cut(after: int) -> Does:
    """Hang up after some bytes of the body."""

    def does(exchange: Exchange) -> None:
        came = exchange.forward()
        exchange.answer(came.status, came.body[:after], length=len(came.body))
        exchange.hang_up()

    return does


def truncate(after: int) -> Does:
    """Send only the first bytes of the body, as if that were all."""

    def does(exchange: Exchange) -> None:
        came = exchange.forward()
        exchange.answer(came.status, came.body[:after])

    return does


def without_length(after: int) -> Does:
    """Send a body that only the end of the connection ends, and end it too early."""

    def does(exchange: Exchange) -> None:
        came = exchange.forward()
        exchange.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        exchange.write(came.body[:after])
        exchange.hang_up()

    return does


def drip(seconds: float, part: int, *, head: bool = False) -> Does:
    """Send `part` bytes every `seconds`, for a minute at most; with `head` already the head of the answer."""

    def does(exchange: Exchange) -> None:
        came = exchange.forward()
        top = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(came.body)}\r\n\r\n".encode()
        rest = top + came.body if head else came.body
        if not head:
            exchange.write(top)
        end = time.monotonic() + 60
        while rest and time.monotonic() < end:
            exchange.write(rest[:part])
            rest = rest[part:]
            time.sleep(seconds)

    return does


def changed(change: Callable[[Any], Any]) -> Does:
    """Change the JSON of the answer."""

    def does(exchange: Exchange) -> None:
        came = exchange.forward()
        told = change(came.json())
        exchange.pass_on(Answer(came.status, came.headers, json.dumps(told).encode()))

    return does


def with_headers(**more: str) -> Does:
    """Answer as the server does, with other headers."""
    return lambda exchange: exchange.pass_on(exchange.forward(), **more)


def as_if(accept: str) -> Does:
    """Answer as a server does that cares for no other form than this one."""
    return lambda exchange: exchange.pass_on(exchange.forward(accept=accept))


@dataclass(slots=True)
class Pages:
    """Remembers pages of a list, to repeat one or to leave one out."""

    last: Answer | None = None

    def remember(self, exchange: Exchange) -> None:
        """Pass a page on and remember it."""
        self.last = exchange.forward()
        exchange.pass_on(self.last)

    def repeat(self, exchange: Exchange) -> None:
        """Answer with the page before, as a cache that does not look at the query would."""
        assert self.last is not None
        exchange.pass_on(self.last)

    @staticmethod
    def skip(exchange: Exchange) -> None:
        """Leave a page out: answer with the one after it."""
        token = exchange.forward().json()["metadata"]["continue"]
        exchange.pass_on(exchange.forward(**{"continue": token}))
