"""In which manner the name of a file makes its content be read: equal contents under such names have equal findings."""

from functools import lru_cache
from typing import NamedTuple

from auditor.detection.by_name import Holds, holds
from auditor.detection.files import locked, notation_of, sample, tests, translates
from auditor.redaction.notation import Notation


class Manner(NamedTuple):
    """All that a name decides."""

    notation: Notation
    tests: bool
    translates: bool
    sample: bool
    locked: bool
    by_name: str
    """The path itself where it tells what the file holds: its findings are named by it."""


@lru_cache(maxsize=1 << 16)
def manner(path: str) -> Manner:
    """Return the manner in which the file `path` is read."""
    told = path if holds(path) is not Holds.NOTHING else ""
    return Manner(notation_of(path), tests(path), translates(path), sample(path), locked(path), told)
