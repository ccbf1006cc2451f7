"""Files and blobs, searched: what is known from before is not read, progress is told, and what was learned is kept."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from auditor.collectors import judged, searching
from auditor.collectors.judged import Cache, Known
from auditor.collectors.searching import Item, Reader, Search
from auditor.detection.engine import Engine
from auditor.model.record import record
from auditor.pipeline.judging import Progress

_FEW = 200_000
"""Bytes in all below which every line is looked at, since that is over before the automaton is loaded."""
_SOON = 2.0
"""Seconds before which nobody can say how fast it goes."""


@record
class Way:
    """How contents are searched."""

    engine: Callable[[int], Engine]
    """Makes an engine for so many bytes."""
    jobs: int = 0
    largest: int = searching.LARGEST
    cache: Path | None = None
    """Folder of what earlier runs judged clean; `None`: everything is read."""
    judged_by: str = ""
    """Names the rules, for the cache."""
    progress: Progress


def engine_for(make: Callable[..., Engine]) -> Callable[[int], Engine]:
    """Return what makes an engine for so many bytes: of few every line is looked at."""
    return lambda size: make(every_line=size < _FEW)


def search(
    reader: Reader,
    items: Sequence[Item],
    way: Way,
    *,
    what: str,
    population: Sequence[str] = (),
    archives: bool = False,
    now: float = 0,
) -> Search:
    """Return what became of `items`, of which `what` are many (`blobs`).

    `population` names them for the cache, `now` (seconds since the epoch) dates it; without a name all is read.
    """
    # Where archives are not opened, they are binary and nothing more is known of them.
    judged_by = f"{way.judged_by} archives {archives}"
    cache = Cache(way.cache, judged_by=judged_by, population=population) if way.cache and population else None
    rest, texts, binaries = judged.split(cache, items, largest=way.largest) if cache else (items, [], [])
    size = sum(item.size for item in rest)
    way.progress(f"searching {len(rest):,} {what}, {size / 1e6:,.0f} MB")
    found = searching.search(
        reader,
        rest,
        way.engine(size),
        jobs=way.jobs,
        largest=way.largest,
        archives=archives,
        remember=cache is not None,
        progress=Meter(len(rest), size, what=what, progress=way.progress).told,
    )
    if cache is not None:
        cache.keep(
            Known(
                frozenset((*map(judged.key, texts), *found.clean)),
                frozenset((*map(judged.key, binaries), *found.clean_binaries)),
            ),
            now=now,
        )
    found.read += len(texts)
    found.binary += len(binaries)
    found.bytes_read += sum(item.size for item in (*texts, *binaries))
    found.remembered = len(texts)
    return found


class Meter:
    """Says how far a search is, how fast it goes, and when it will be over."""

    def __init__(
        self, items: int, size: int, *, what: str, progress: Progress, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._items, self._size, self._what = items, size, what
        self._progress, self._clock = progress, clock
        self._started = clock()
        self._done = [0, 0]

    def told(self, items: int, size: int) -> None:
        """Take in what was done since the last call."""
        self._done[0] += items
        self._done[1] += size
        self._progress(f"searched {self._done[0]:,} of {self._items:,} {self._what}{self._speed()}")

    def _speed(self) -> str:
        if not self._size:
            return ""
        done, taken = self._done[1], self._clock() - self._started
        share = f"{done / self._size:.0%} of {self._size / 1e6:,.0f} MB"
        if taken < _SOON or not done:
            return f" ({share})"
        left = max(self._size - done, 0) / done * taken
        return f" ({share}, {done / taken / 1e6:,.0f} MB/s, {_time(left)} left)"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
