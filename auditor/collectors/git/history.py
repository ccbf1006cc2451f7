"""Where and when blobs came into a history, and whether they are in it still."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from auditor.collectors.git.command import GitFailedError, Repository

_LOG = (
    "-c", "log.showRoot=true",
    "-c", "log.follow=false",
    "log",
    "--raw",
    "-m",
    "--no-renames",
    "--no-abbrev",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-show-signature",
    "--no-notes",
    "--format=%x01%H %at",
)  # fmt: skip
"""Merges are compared with each of their parents: what only a merge brought in is seen as well."""
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "r": "\r", "v": "\v"}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Arrival:
    """One path under which a blob was once committed."""

    path: str
    commit: str
    """The first in which it was there."""
    date: datetime
    """When that commit was written, by its author's clock, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file that a commit or the index changes."""

    path: str
    old: bytes
    """Blob id; zeros for a new file."""
    new: bytes
    commit: str = ""
    """Empty for the index."""
    date: datetime | None = None


def arrivals(repository: Repository, wanted: Collection[bytes], revisions: Sequence[str]) -> dict[bytes, list[Arrival]]:
    """Return for each of the blobs `wanted` its paths, each with the first commit in which the blob stood there.

    Raises `GitFailedError` when the history cannot be walked to its end.
    """
    found: dict[bytes, dict[str, tuple[str, int]]] = {id_: {} for id_ in wanted}
    for commit, seconds, line in _raw(repository, revisions):
        new = _ids(line)[1]
        if new in found:
            # Newest first, so the last one that is seen is the first one that was made.
            found[new][_path(line)] = (commit, seconds)
    return {
        id_: sorted(Arrival(path=path, commit=commit, date=_time(seconds)) for path, (commit, seconds) in paths.items())
        for id_, paths in found.items()
    }


def changes(repository: Repository, revisions: Sequence[str]) -> list[Change]:
    """Return every file that the commits of `revisions` (`A..B`) add or change, newest commit first."""
    return [
        Change(path=_path(line), old=old, new=new, commit=commit, date=_time(seconds))
        for commit, seconds, line in _raw(repository, revisions)
        for old, new in (_ids(line),)
        if _is_file(line)
    ]


def staged(repository: Repository) -> list[Change]:
    """Return every file that the next commit would add or change."""
    unborn = not repository.succeeds("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    base = repository.run("hash-object", "-t", "tree", "--stdin").decode().strip() if unborn else "HEAD"
    output = repository.run(
        "diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--diff-filter=ACMT", base, "--"
    )
    fields = output.split(b"\0")
    return [
        Change(path=path.decode("utf-8", "surrogateescape"), old=old, new=new)
        for line, path in zip(fields[::2], fields[1::2], strict=False)
        for old, new in (_ids(line),)
        if _is_file(line)
    ]


def in_head(repository: Repository) -> dict[bytes, list[str]]:
    """Return the paths of each blob in the commit that is checked out; nothing before the first commit."""
    if not repository.succeeds("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
        return {}
    paths: dict[bytes, list[str]] = {}
    for entry in repository.run("ls-tree", "-r", "-z", "HEAD").split(b"\0"):
        head, _, path = entry.partition(b"\t")
        if head:
            paths.setdefault(head.split(b" ")[2], []).append(path.decode("utf-8", "surrogateescape"))
    return paths


def _raw(repository: Repository, revisions: Sequence[str]) -> Iterator[tuple[str, int, bytes]]:
    """Yield commit, its author's seconds and the raw line of each file that it adds or changes."""
    commit, seconds = "", 0
    with repository.stream(*_LOG, "--diff-filter=ACMT", *revisions, "--") as log:
        if log.stdin is not None:
            log.stdin.close()
        for line in log.stdout or ():
            if line.startswith(b":"):
                yield commit, seconds, line[:-1]
            elif line.startswith(b"\1"):
                id_, _, time = line[1:-1].partition(b" ")
                commit, seconds = id_.decode(), int(time or 0)
        if log.wait() != 0:
            raise GitFailedError("the history cannot be walked to its end", hint="Run `git fsck` in the repository.")


def _ids(line: bytes) -> tuple[bytes, bytes]:
    """Return the blob ids before and after, of `:100644 100644 OLD NEW M` with a tab and the path."""
    _, _, old, new, _ = line.split(b" ", 4)
    return old, new


def _is_file(line: bytes) -> bool:
    """Return whether the new entry is a file: a link holds a path, a submodule another repository's commit."""
    return line[8:11] == b"100"


def _path(line: bytes) -> str:
    """Return the path of a raw line; git quotes those with a newline, a quote or a control character."""
    text = line.partition(b"\t")[2].decode("utf-8", "surrogateescape")
    if not text.startswith('"'):
        return text
    plain: list[str] = []
    position = 1
    while position < len(text) - 1:
        if text[position] != "\\":
            plain.append(text[position])
            position += 1
        elif text[position + 1].isdigit():
            plain.append(chr(int(text[position + 1 : position + 4], 8)))
            position += 4
        else:
            plain.append(_ESCAPES[text[position + 1]])
            position += 2
    return "".join(plain)


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        # A commit may claim any number; what no calendar holds counts as its beginning.
        return datetime.fromtimestamp(0, UTC)
