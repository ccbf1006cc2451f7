"""What of a content is a copy of one that was searched before need not be searched again: versions of one file.

Whether a trigger fires, and what a closer look at it finds, depends on a few lines around it (`triggers`, `engine`). So
what was found in a copied part holds in the copy, but for its edges, and only these and what is new are searched.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from auditor.detection.triggers import Trigger
from auditor.patterns import compile_

_REMEMBERED = 400_000
"""Triggers that are remembered, of all contents together."""
_LINES = 5
"""Lines around an edge that are searched: more than the closer look at a trigger reads above its line and below."""
_EDGE = compile_(rb"(?:[^\n]*\n){%d}" % _LINES)


class Copy(NamedTuple):
    """A part of a content that stands in another as well; offsets and a length in bytes."""

    source: int
    target: int
    length: int


class Descent(NamedTuple):
    """How a content came to be."""

    name: Hashable | None = None
    """By which others will say that they are copies of it; `None` where none will."""
    source: Hashable | None = None
    """The name of the content that it is a copy of."""
    copies: Sequence[Copy] = ()
    """In the order of their targets, which do not overlap."""


UNRELATED = Descent()

Find = Callable[[bytes], list[Trigger]]


class Versions:
    """The triggers of contents of which others are copies."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, list[Trigger]] = OrderedDict()
        self._count = 0

    def triggers(self, content: bytes, descent: Descent, find: Find) -> list[Trigger]:
        """Return the triggers in `content`; `find` searches all that it is given."""
        before = self._known.get(descent.source) if descent.source is not None else None
        if before is None:
            found = find(content)
        else:
            self._known.move_to_end(descent.source)
            found = carried(content, before, descent.copies, find)
        if descent.name is not None:
            self._keep(descent.name, found)
        return found

    def _keep(self, name: Hashable, found: list[Trigger]) -> None:
        # By where they end: parts of them are asked for.
        self._known[name] = sorted(found, key=_end)
        self._count += len(found) + 1
        while self._count > _REMEMBERED:
            _, gone = self._known.popitem(last=False)
            self._count -= len(gone) + 1


def _end(trigger: Trigger) -> int:
    return trigger.end


def carried(content: bytes, before: Sequence[Trigger], copies: Sequence[Copy], find: Find) -> list[Trigger]:
    """Return the triggers in `content`, given those `before` of what it is a copy of, in the order of their ends."""
    found: list[Trigger] = []
    ends = [trigger.end for trigger in before]
    done = 0
    for source, target, length in copies:
        first = _behind_edge(content, target) if source or target else 0
        if first >= target + length:
            continue
        if first:
            found += _searched(content, done, first, find)
        part = before[bisect_right(ends, source + first - target) : bisect_right(ends, source + length)]
        shift = target - source
        found += [Trigger(look, end + shift, what) for look, end, what in part] if shift else part
        done = target + length
    if done < len(content):
        found += _searched(content, done, len(content), find)
    return found


def _behind_edge(content: bytes, start: int) -> int:
    edge = _EDGE.match(content, start)
    return edge.end() if edge is not None else len(content)


def _searched(content: bytes, start: int, end: int, find: Find) -> list[Trigger]:
    """Return the triggers from some lines before `start` to `end`."""
    begin = _lines_before(content, start)
    return [Trigger(look, at + begin, what) for look, at, what in find(content[begin:end])]


def _lines_before(content: bytes, at: int) -> int:
    for _ in range(_LINES):
        at = content.rfind(b"\n", 0, at)
        if at < 0:
            return 0
    return at + 1
