"""One credential in a text, and what a value is: the two answers that readers of text give."""

from typing import NamedTuple

from auditor.model.resource import Confidence, LiteralKind


class Span(NamedTuple):
    """One credential in a text."""

    start: int
    end: int
    key: str
    """The name that stands beside it in the text; empty where the value speaks for itself."""
    rule: str
    confidence: Confidence


class Named(NamedTuple):
    """What a value under a name is."""

    kind: LiteralKind
    rule: str
    confidence: Confidence
    start: int = 0
    """Where in the value the credential starts: not at 0 where it is the default of `${NAME:-default}`."""
    end: int = 0
