"""A credential in one piece of a file, while it is still at hand: the value never leaves the engine."""

from typing import NamedTuple


class Found(NamedTuple):
    """Where it stands, in bytes from the piece's start, and what it is."""

    start: int
    end: int
    key: str
    """The name beside it; empty where it speaks for itself."""
    rule: str
    value: str
    doubtful: bool = False
    """Whether it may well be an example: it stands in a comment."""
