"""The line that tells how far a search is."""

from collections.abc import Iterator

from auditor.pipeline.secrets_contents import Meter


def meter(size: int, *times: float) -> tuple[Meter, list[str]]:
    said: list[str] = []
    clock: Iterator[float] = iter((0.0, *times))
    return Meter(161_713, size, what="blobs", progress=said.append, clock=lambda: next(clock)), said


def test_it_tells_share_speed_and_the_time_that_is_left() -> None:
    told, said = meter(16_915_000_000, 1.0, 4.0, 40.0)
    told.told(500, 96_000_000)
    told.told(40_000, 1_600_000_000)
    told.told(100_000, 14_000_000_000)
    assert said == [
        "searched 500 of 161,713 blobs (1% of 16,915 MB)",
        "searched 40,500 of 161,713 blobs (10% of 16,915 MB, 424 MB/s, 36 s left)",
        "searched 140,500 of 161,713 blobs (93% of 16,915 MB, 392 MB/s, 3 s left)",
    ]


def test_long_waits_are_told_in_minutes() -> None:
    told, said = meter(10_000_000_000, 10.0)
    told.told(1, 100_000_000)
    assert said == ["searched 1 of 161,713 blobs (1% of 10,000 MB, 10 MB/s, 16 min 30 s left)"]


def test_empty_files_have_no_share() -> None:
    told, said = meter(0, 1.0)
    told.told(3, 0)
    assert said == ["searched 3 of 161,713 blobs"]
