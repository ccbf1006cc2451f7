"""What people wrote into commits and annotated tags: a part of the history that stands in no file."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from auditor.collectors.git import objects
from auditor.collectors.git.command import Repository
from auditor.collectors.git.history import time_of

COMMIT = "commit message"
TAG = "tag message"
KINDS = (COMMIT, TAG)
"""What stands for the path of a file, and is read as what people write to each other."""
_WRITTEN = {b"author": COMMIT, b"tagger": TAG}


class Message(NamedTuple):
    """Where and when the text of a commit or a tag was written."""

    kind: str
    commit: str
    """The commit; of a tag what it names."""
    name: str
    """The tag's own name."""
    date: datetime
    """When it was written, by its author's clock, in UTC."""


def of_commits(repository: Repository, revisions: Sequence[str]) -> list[bytes]:
    """Return the ids of the commits that `revisions` name (arguments of `git rev-list`), the newest first."""
    return repository.run("rev-list", *revisions, "--").split()


def contents(repository: Repository, ids: Sequence[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield each of `ids`, which name commits and tags, with its content; `None` where it cannot be read."""
    for position, content in objects.contents(repository, ids):
        yield ids[position], content


def text(content: bytes) -> bytes:
    """Return the message in a commit or a tag.

    A signature is a header of its own; of a tag it stands at the end of the text, and is no credential.
    """
    return content.partition(b"\n\n")[2]


def message(id_: bytes, content: bytes) -> Message:
    """Return what a commit or a tag says of its message."""
    head = content.partition(b"\n\n")[0]
    kind, seconds, named, name = COMMIT, 0, id_, b""
    for line in head.split(b"\n"):
        word, _, rest = line.partition(b" ")
        if word in _WRITTEN:
            kind, seconds = _WRITTEN[word], _seconds(rest)
        elif word == b"object":
            named = rest
        elif word == b"tag":
            kind, name = TAG, rest
    return Message(
        kind=kind,
        commit=named.decode("ascii", "replace"),
        name=name.decode("utf-8", "surrogateescape"),
        date=time_of(seconds),
    )


def _seconds(who: bytes) -> int:
    """Return the seconds since the epoch in `Name <address> 1700000000 +0100`; 0 where there are none."""
    parts = who.rsplit(b" ", 2)
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
