"""How long is waited, and when it is not worth it: the client without a server, by answers in a row."""

from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from auditor.collectors.kubernetes.access import Access
from auditor.collectors.kubernetes.client import REQUEST_PATIENCE, Client, Patience, RefusedError
from auditor.collectors.kubernetes.transport import Answer, NoAnswerError, Trouble
from auditor.model.collection import CallResult

Step = Answer | Trouble


class Scripted:
    """Answers by a list, and then for ever as the last time."""

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps
        self.asked = 0

    def send(self, *_: Any, **__: Any) -> Answer:
        step = self._steps[min(self.asked, len(self._steps) - 1)]
        self.asked += 1
        if isinstance(step, Trouble):
            raise NoAnswerError(step)
        return step

    def close(self) -> None:
        """Nothing is open."""


def answer(status: int, **headers: str) -> Answer:
    return Answer(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=b"{}")


def asked(*steps: Step, jitter: float = 1.0, ended: Iterator[bool] | None = None) -> tuple[Any, list[float], int]:
    """Return what came of it (a reply or an error), the pauses, and how often was asked."""
    transport, pauses = Scripted(list(steps)), list[float]()
    client = Client(
        lambda: Access(host="h", endpoint="h", context="c", authorization="Bearer t"),
        lambda _: transport,  # type: ignore[arg-type, return-value]  # as much of a transport as is needed
        sleep=pauses.append,
        jitter=lambda: jitter,
        stopping=lambda: next(ended, True) if ended else False,
    )
    try:
        came: Any = client.get("/x")
    except RefusedError as error:
        came = error
    return came, pauses, transport.asked


def test_pauses_grow_and_have_an_end() -> None:
    refused, pauses, tries = asked(answer(500))
    assert (refused.result, refused.retries, tries) == (CallResult.SERVER_ERROR, 4, 5)
    assert sum(pauses) == pytest.approx(0.5 + 1 + 2 + 4, abs=1)
    _, half, _ = asked(answer(500), jitter=0.0)
    assert sum(half) < sum(pauses), "many that were refused at once do not come again at once"


@pytest.mark.parametrize("value", ["7", formatdate(1_000_007, usegmt=True)], ids=["seconds", "date"])
def test_the_pause_is_as_long_as_the_server_asks_by_its_own_clock(value: str) -> None:
    reply, pauses, _ = asked(answer(429, Retry_After=value, Date=formatdate(1_000_000, usegmt=True)), answer(200))
    assert reply.retries == 1
    assert sum(pauses) == pytest.approx(7, abs=0.3)


@pytest.mark.parametrize("value", [str(int(REQUEST_PATIENCE) + 1), "9" * 400])
def test_a_pause_beyond_patience_is_not_begun(value: str) -> None:
    refused, pauses, tries = asked(answer(429, Retry_After=value))
    assert (refused.result, pauses, tries) == (CallResult.THROTTLED, [], 1)


@pytest.mark.parametrize("value", ["", "soon", "-3", "1e3", "Wed, 99 Nov"])
def test_a_pause_that_is_none_is_ours_to_choose(value: str) -> None:
    reply, pauses, _ = asked(answer(503, Retry_After=value), answer(200))
    assert reply.retries == 1
    assert 0 < sum(pauses) < 2


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 409, 410, 302])
def test_what_another_try_cannot_change_is_not_tried_again(status: int) -> None:
    refused, pauses, tries = asked(answer(status))
    assert (refused.status, pauses, tries) == (status, [], 1)


@pytest.mark.parametrize(
    ("trouble", "tries", "result"),
    [
        (Trouble.TIMED_OUT, 2, CallResult.TIMED_OUT),
        (Trouble.CUT, 5, CallResult.CUT),
        (Trouble.UNREACHABLE, 5, CallResult.CUT),
        (Trouble.DISTRUSTED, 1, CallResult.CUT),
        (Trouble.TOO_LARGE, 1, CallResult.UNREADABLE),
    ],
)
def test_each_trouble_has_its_tries(trouble: Trouble, tries: int, result: CallResult) -> None:
    refused, _, count = asked(trouble)
    assert (refused.result, count) == (result, tries)


def test_a_wait_ends_with_the_run() -> None:
    refused, pauses, _ = asked(answer(429, Retry_After="30"), ended=iter([False, False, False]))
    assert refused.result is CallResult.INTERRUPTED
    assert sum(pauses) < 1


def test_patience_is_shared() -> None:
    patience = Patience(3)
    assert [patience.spend(seconds) for seconds in (2, 2, 1, 0.1)] == [True, False, True, False]
