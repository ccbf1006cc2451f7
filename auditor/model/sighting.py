"""One place where a credential was seen outside of an API object: in a file, a commit, a log, an image. No value."""

from enum import StrEnum
from typing import TYPE_CHECKING

from auditor.model.record import record

if TYPE_CHECKING:
    # A commit waits, and dates nothing.
    from datetime import datetime

CARD_NUMBER = "card-number"
"""The rule of payment card numbers, which are no credentials: nobody can change one, and it has a policy of its own."""


class Where(StrEnum):
    """What was read."""

    TREE = "tree"
    """Files as they lie on disk."""
    HISTORY = "history"
    """Blobs of a git history."""
    CHANGE = "change"
    """What commits of a range, or the index, add."""
    STREAM = "stream"
    """Standard input."""
    LOG = "log"
    IMAGE = "image"


@record
class Sighting:
    """A credential under one name in one file, however many lines and commits of it."""

    where: Where
    path: str
    line: int
    column: int
    rule: str
    tier: int
    key: str
    """The name beside it; empty where it speaks for itself."""
    fingerprint: str
    length: int
    masked: str
    """`ghp_***`: what every such token shows."""
    inside: str = ""
    """Which part of the file: `layer 3`, `record 17`; empty for the file itself."""
    commit: str = ""
    """The first in which it stood in that file; empty where no history was read."""
    date: "datetime | None" = None
    """When that commit was written, UTC."""
    in_head: bool | None = None
    """Whether it stands in that file in the commit that is checked out; `None`: not asked."""
    times: int = 1
    """Lines and versions of the file in which it stands."""
    blob: str = ""
    """Id of the content that was read, where that is a blob of git's."""


@record
class Searched:
    """One thing that was searched for credentials, as an entry of the population."""

    where: Where
    name: str
    """Path of the repository, `standard input`, name of the archive."""
    read: int
    """Files or blobs of text that were read."""
    bytes_read: int
    found: int
    """Distinct values, card numbers among them."""
    complete: bool
    """Whether everything in scope was read."""
    repository: str = ""
    """Address of the repository as its remote `origin` has it, without a login; empty where there is none."""
    head: str = ""
    """The commit that was checked out; empty where no history was read."""
    cards: int | None = None
    """Distinct payment card numbers; `None`: nobody looked for any."""
    remembered: int = 0
    """Files or blobs that were not read again, since an earlier run by the same rules judged them clean."""
