"""What a search for credentials found, in the numbers that a manager asks for. One credential may stand in many places.

A credential is one value, by its keyed fingerprint; a place is that value under one name in one file, however many
lines and commits of it.
"""

from datetime import datetime

from auditor.model.record import record
from auditor.model.sighting import Searched


@record
class LeakedRule:
    """The credentials that one detection rule found. A value that several rules know counts for the surest of them."""

    rule: str
    title: str
    """What it looks for: `GitHub token`."""
    tier: int
    credentials: int
    places: int
    since: datetime | None = None
    """When the first of them was committed, UTC; `None`: no history was read."""
    present: int
    """Credentials that still stand where they were found."""
    waived: int
    """Credentials of which a waiver accepts every place."""


@record
class Leaks:
    """The credentials of one run, those that only look random left out."""

    searched: tuple[Searched, ...]
    """What was searched, by name."""
    credentials: int
    places: int
    files: int
    commits: int
    """Commits that brought the first of each place; 0 where no history was read."""
    since: datetime | None = None
    """When the oldest was committed, UTC; `None`: no history was read."""
    present: int
    """Credentials that still stand somewhere: in a file as it lies on disk, or in what is checked out."""
    historical: int
    """Credentials that stand in older commits alone."""
    unasked: int
    """Credentials of a change: whether they stand there still was not asked."""
    waived: int
    """Credentials of which a waiver accepts every place."""
    possible: int
    """Values that only look random: a person has to say what they are."""
    rules: tuple[LeakedRule, ...]
    """Most credentials first, then by rule."""

    @property
    def complete(self) -> bool:
        """Whether everything in scope was read."""
        return all(part.complete for part in self.searched)
