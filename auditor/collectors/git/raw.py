"""Git's raw form of a comparison: which files differ, with the ids of their contents before and after."""

from typing import TYPE_CHECKING

from auditor.model.record import record

if TYPE_CHECKING:
    # A commit waits, and dates nothing.
    from datetime import datetime

KINDS = "--diff-filter=ACMRT"
"""Everything but what is gone."""


@record
class Change:
    """One file that a commit or the index changes."""

    path: str
    olds: tuple[bytes, ...]
    """Blob ids before, one for each parent: none for a new file; a renamed file had its content before."""
    new: bytes
    commit: str = ""
    """Empty for the index."""
    date: "datetime | None" = None


def fields(line: bytes) -> tuple[bool, tuple[bytes, ...], bytes]:
    """Return whether the new entry is a file, the blob ids before, and the new one.

    `:100644 100644 OLD NEW M` with a tab and the path; of a merge with a colon, a mode and an id for each parent.
    A link counts, since the path that it holds is a text like any other; a submodule is another repository's commit.
    """
    parents = len(line) - len(line.lstrip(b":"))
    parts = line[parents:].partition(b"\t")[0].split(b" ")
    olds = tuple(id_ for id_ in parts[parents + 1 : 2 * parents + 1] if id_.strip(b"0"))
    return parts[parents][:3] in {b"100", b"120"}, olds, parts[2 * parents + 1]
