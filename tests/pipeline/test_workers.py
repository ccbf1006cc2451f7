"""The exchange between forked workers: same answer with one share or many, and no lost share."""

import os
import signal

import pytest

from auditor.model.errors import InputError
from auditor.pipeline import workers


def _first(share: list[int]) -> tuple[list[int], int]:
    return share, sum(share)


def _second(big: list[int], total: int) -> list[float]:
    return [number / total for number in big]


@pytest.mark.parametrize("shares", [[[1, 2, 3, 4]], [[1, 2], [3, 4]], [[1], [2], [3], [4]]])
def test_every_share_sees_what_all_others_found(shares: list[list[int]]) -> None:
    merged, results = workers.run(shares, first=_first, merge=sum, second=_second)
    assert merged == 10
    assert [value for part in results for value in part] == [0.1, 0.2, 0.3, 0.4]


def test_without_fork_the_answer_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = [[1, 2], [3, 4]]
    forked = workers.run(shares, first=_first, merge=sum, second=_second)
    monkeypatch.delattr(os, "fork")
    assert workers.run(shares, first=_first, merge=sum, second=_second) == forked


def test_an_answer_larger_than_a_pipe_arrives_whole() -> None:
    _, results = workers.run(
        [0, 1], first=lambda share: (share, b"x" * 3_000_000), merge=b"".join, second=lambda _, merged: merged
    )
    assert [len(result) for result in results] == [6_000_000, 6_000_000]


def test_an_error_in_a_worker_is_raised_here() -> None:
    def first(share: int) -> tuple[int, int]:
        if share:
            raise InputError("share 1 is unreadable", hint="mend it")
        return share, share

    with pytest.raises(InputError, match="share 1 is unreadable"):
        workers.run([0, 1], first=first, merge=sum, second=lambda big, _: big)


def test_a_killed_worker_is_an_error_not_a_smaller_answer() -> None:
    """Law 2: a share that nobody judged must not look like one that passed."""
    here = os.getpid()

    def first(share: int) -> tuple[int, int]:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return share, share

    with pytest.raises(workers.WorkerLostError):
        workers.run([0, 1], first=first, merge=sum, second=lambda big, _: big)
