"""A mask for one stream, by what a caller wants masked."""

from functools import lru_cache
from pathlib import Path

from auditor.detection import rules
from auditor.detection.engine import Engine
from auditor.detection.rules import RuleSet
from auditor.detection.stream import Mask


def mask(*, tier: int = 2, folders: tuple[Path, ...] = (), off: tuple[str, ...] = (), every_line: bool = False) -> Mask:
    """Return a mask for one stream. Raises what `rules.load` does.

    `every_line`: without the automaton, for messages one by one rather than a flood of lines.
    """
    return Mask(_engine(tier, folders, off, every_line))


@lru_cache(maxsize=8)
def _engine(tier: int, folders: tuple[Path, ...], off: tuple[str, ...], every_line: bool) -> Engine:
    chosen = rules.load(folders, off=off).of_tier(tier)
    # What may be an example (a comment, say) is told only at the third tier; masking it costs nobody anything.
    told = RuleSet(rules=chosen.rules, off=chosen.off, digest=chosen.digest, highest=3)
    return Engine(told, fingerprint=_none, every_line=every_line)


def _none(_value: str) -> str:
    """Return no fingerprint: nothing of a stream is kept."""
    return ""
