"""Asking a cluster until it answers or patience ends: retries, renewed credentials, and what a refusal means.

A request is tried again where another try can help: a broken connection, a time-out, 429 and 5xx. The server's own
`Retry-After` is honoured, within bounds: a request waits at most `REQUEST_PATIENCE` seconds in all, and all requests of
one source together at most `SOURCE_PATIENCE`, so that a server that is down ends a run soon. A 401 renews the
credential once (a plugin's token may have expired) before it counts.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

from auditor import __version__
from auditor.collectors.kubernetes.access import Access, headers
from auditor.collectors.kubernetes.transport import Answer, NoAnswerError, Transport, Trouble
from auditor.model.collection import CallResult
from auditor.model.errors import AuditorError

REQUEST_PATIENCE = 60.0
SOURCE_PATIENCE = 300.0
LARGEST = 24_000_000
"""Bytes of one answer; etcd takes no object above 1.5 MB, so a page of the largest still has several."""
JSON = "application/json"

_TRIES = 5
_TIME_OUTS = 2
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0
_SLICE = 0.2


class RefusedError(Exception):
    """A request that brought nothing to read."""

    def __init__(
        self, result: CallResult, *, status: int | None = None, retries: int = 0, trouble: Trouble | None = None
    ) -> None:
        super().__init__(result)
        self.result = result
        self.status = status
        self.retries = retries
        self.trouble = trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer with status 2xx."""

    headers: Mapping[str, str]
    body: bytes
    retries: int


class Patience:
    """Seconds that may yet be spent on waiting for one source. Shared by threads."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._lock = threading.Lock()

    def spend(self, seconds: float) -> bool:
        """Return whether there were that many left; then they are gone."""
        with self._lock:
            if seconds > self._left:
                return False
            self._left -= seconds
            return True


class Client:
    """Asks one cluster. Safe to be used by several threads."""

    def __init__(
        self,
        load: Callable[[], Access],
        connect: Callable[[Access], Transport],
        *,
        stopping: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = lambda: 1.0,
    ) -> None:
        """`load` reads the credentials (again), `connect` opens what sends; `jitter` gives numbers from 0 to 1."""
        self._load = load
        self._connect = connect
        self._patience = Patience(SOURCE_PATIENCE)
        self._stopping = stopping
        self._sleep = sleep
        self._jitter = jitter
        self._renewal = threading.Lock()
        self._renewable = True
        self.access = load()
        self._transports = [connect(self.access)]

    def close(self) -> None:
        """Close every connection."""
        for transport in self._transports:
            transport.close()

    def abort(self) -> None:
        """End every request that is under way: the run is over."""
        for transport in self._transports:
            transport.abort()

    def get(
        self, path: str, query: Sequence[tuple[str, str]] = (), *, accept: str = JSON, limit: int = LARGEST
    ) -> Reply:
        """Return the answer to a GET. Raises `RefusedError`, also for a body of more than `limit` bytes."""
        target = f"{path}?{urlencode(query)}" if query else path
        # A tenth of the bytes, and no slower even where nothing lies between us and the server.
        more = [("Accept", accept), ("Accept-Encoding", "gzip")]
        return self._ask("GET", target, more, None, limit, impersonate=True)

    def post(self, path: str, body: bytes, *, impersonate: bool = True) -> Reply:
        """Return the answer to a review that is POSTed: it stores nothing. Raises `RefusedError`."""
        more = [("Accept", JSON), ("Content-Type", JSON)]
        return self._ask("POST", path, more, body, LARGEST, impersonate=impersonate)

    def _ask(
        self,
        method: str,
        target: str,
        more: Sequence[tuple[str, str]],
        body: bytes | None,
        limit: int,
        *,
        impersonate: bool,
    ) -> Reply:
        waited, tries, time_outs, renewed = 0.0, 0, 0, False
        while True:
            if self._stopping():
                raise RefusedError(CallResult.INTERRUPTED, retries=tries)
            access, transport = self.access, self._transports[-1]
            who = headers(access, impersonate=impersonate)
            asked = 0.0
            try:
                answer = transport.send(
                    method, target, [*who, ("User-Agent", f"auditor/{__version__}"), *more], body=body, limit=limit
                )
            except NoAnswerError as error:
                if self._stopping():
                    raise RefusedError(CallResult.INTERRUPTED, retries=tries) from None
                refused = RefusedError(_RESULTS[error.trouble], retries=tries, trouble=error.trouble)
                time_outs += error.trouble is Trouble.TIMED_OUT
                again = error.trouble in _WORTH_A_TRY and time_outs < _TIME_OUTS
            else:
                if 200 <= answer.status < 300:
                    return Reply(headers=answer.headers, body=answer.body, retries=tries)
                if answer.status == 401 and not renewed and self._renewed(access):
                    renewed, tries = True, tries + 1
                    continue
                if answer.status == 401:
                    # What was renewed is refused, too: nobody need try that again.
                    self._renewable = False
                refused = RefusedError(_result_of(answer.status), status=answer.status, retries=tries)
                again = refused.result in {CallResult.THROTTLED, CallResult.SERVER_ERROR}
                asked = _retry_after(answer)
            tries += 1
            pause = max(asked, self._pause(tries))
            waited += pause
            if not again or tries >= _TRIES or waited > REQUEST_PATIENCE or not self._patience.spend(pause):
                raise refused
            self._wait(pause, tries)

    def _pause(self, tries: int) -> float:
        """Return the seconds before the next try: growing, and never the same for many at once."""
        return float(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**tries)) * (0.5 + self._jitter() / 2)

    def _wait(self, seconds: float, tries: int) -> None:
        while seconds > 0:
            if self._stopping():
                raise RefusedError(CallResult.INTERRUPTED, retries=tries)
            self._sleep(min(seconds, _SLICE))
            seconds -= _SLICE

    def _renewed(self, used: Access) -> bool:
        """Return whether there are other credentials now than those that were refused."""
        with self._renewal:
            if self.access is not used:
                return True
            if not self._renewable:
                return False
            try:
                found = self._load()
            except AuditorError:
                # What it says of the plugin is of no use to the list that waits: the credential was refused.
                self._renewable = False
                return False
            if found.authorization == used.authorization and not found.certificate_subject:
                self._renewable = False
                return False
            # With a certificate it cannot be told whether it is another one: that is tried once.
            self._renewable = bool(found.authorization)
            # Others may still be reading through the one before.
            self._transports.append(self._connect(found))
            self.access = found
            return True


_RESULTS = {
    Trouble.TIMED_OUT: CallResult.TIMED_OUT,
    Trouble.CUT: CallResult.CUT,
    Trouble.UNREACHABLE: CallResult.CUT,
    Trouble.DISTRUSTED: CallResult.CUT,
    Trouble.TOO_LARGE: CallResult.UNREADABLE,
}
_WORTH_A_TRY = frozenset({Trouble.TIMED_OUT, Trouble.CUT, Trouble.UNREACHABLE})


_STATUS = {
    401: CallResult.UNAUTHENTICATED,
    403: CallResult.FORBIDDEN,
    404: CallResult.VANISHED,
    408: CallResult.TIMED_OUT,
    410: CallResult.EXPIRED,
    429: CallResult.THROTTLED,
}


def _result_of(status: int) -> CallResult:
    return _STATUS.get(status, CallResult.SERVER_ERROR if status >= 500 else CallResult.UNREADABLE)


def _retry_after(answer: Answer) -> float:
    """Return the seconds that the server asks us to wait (RFC 9110, 10.2.3), 0 where it does not."""
    value = answer.headers.get("Retry-After") or ""
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value).timestamp()
        # By the server's own clock, which need not be ours.
        now = parsedate_to_datetime(answer.headers.get("Date") or "").timestamp()
    except (ValueError, TypeError):
        return 0.0
    return max(until - now, 0.0)
