"""In which manner the name of a file makes its content be read: equal contents under such names have equal findings."""

from functools import lru_cache
from typing import NamedTuple

from auditor.detection.files import locked, notation_of, sample, tests, translates
from auditor.redaction.notation import Notation


class Manner(NamedTuple):
    """All that a name decides."""

    notation: Notation
    tests: bool
    translates: bool
    sample: bool
    locked: bool


@lru_cache(maxsize=1 << 16)
def manner(path: str) -> Manner:
    """Return the manner in which the file `path` is read."""
    return Manner(notation_of(path), tests(path), translates(path), sample(path), locked(path))
