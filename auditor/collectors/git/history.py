"""Where and when blobs came into a history, and whether they are in it still."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from auditor.collectors.git.command import GitFailedError, Repository
from auditor.collectors.git.raw import KINDS, Change, fields
from auditor.model.record import record

_LOG = (
    "-c", "log.showRoot=true",
    "-c", "log.follow=false",
    "log",
    "--raw",
    "--no-abbrev",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-show-signature",
    "--no-notes",
    "--format=%x01%H %at",
)  # fmt: skip
_OF_ITSELF = ("-c", "--no-renames")
"""Of a merge what is in none of its parents: it brought that in itself. All else came before, in another commit.

With a filter of kinds git would walk whole trees here; gone files have an id that nobody wants.
"""
_LISTED = ("--no-walk=unsorted", "--stdin")
_FEW_COMMITS = 1_000
"""Commits for which no further process of git is worth its start."""
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "r": "\r", "v": "\v"}


@record
class Arrival:
    """One path under which a blob was once committed."""

    path: str
    commit: str
    """The first in which it was there."""
    date: datetime
    """When that commit was written, by its author's clock, in UTC."""
    rank: int
    """Where that commit stands in the history: a smaller one before each commit that builds on it."""


def arrivals(
    repository: Repository, wanted: Callable[[bytes, bytes], bool], revisions: Sequence[str]
) -> dict[bytes, list[Arrival]]:
    """Return each blob with its paths, each with the first commit in which the blob stood there; in order of the paths.

    `wanted` is asked with the id and the path (as git writes it, see `unquoted`) of all that any commit brought. Raises
    `GitFailedError` when the history cannot be walked to its end.
    """
    found: dict[bytes, dict[str, Arrival]] = {}
    rank, last = 0, ""
    for part in _in_parts(repository, revisions, wanted):
        for commit, seconds, id_, path in part:
            # Newest first, so the last one that is seen is the first one that was made.
            rank, last = rank - (commit != last), commit
            found.setdefault(id_, {})[path] = Arrival(path=path, commit=commit, date=time_of(seconds), rank=rank)
    return {id_: [paths[path] for path in sorted(paths)] for id_, paths in found.items()}


def _in_parts(
    repository: Repository, revisions: Sequence[str], wanted: Callable[[bytes, bytes], bool]
) -> Iterable[list[tuple[str, int, bytes, str]]]:
    """Return commit, seconds, id and path of what is `wanted` of all commits, as one list for each processor.

    A commit comes before those that it builds on, whatever the clocks of their authors said.

    Comparing trees is the work of git, so several of them take parts of the commits at the same time.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up

    commits = repository.run("rev-list", "--date-order", *revisions, "--").splitlines()
    size = max(-(-len(commits) // (os.cpu_count() or 1)), _FEW_COMMITS)
    parts = [b"\n".join(commits[start : start + size]) + b"\n" for start in range(0, len(commits), size)]

    def compare(part: bytes) -> list[tuple[str, int, bytes, str]]:
        return [
            (commit, seconds, id_, unquoted(path))
            for commit, seconds, line in _raw(repository, (*_OF_ITSELF, *_LISTED), part)
            for id_, path in ((_new(line), line.rpartition(b"\t")[2]),)
            if wanted(id_, path)
        ]

    with ThreadPoolExecutor(max_workers=max(len(parts), 1)) as pool:
        return list(pool.map(compare, parts))


def changes(repository: Repository, revisions: Sequence[str]) -> list[Change]:
    """Return every file that the commits of `revisions` (`A..B`) add or change, no commit before one that it builds on.

    Of a merge only what differs from each of its parents: the rest is of the commits that it joins. Where the
    repository lacks contents, git cannot tell what was renamed: a renamed file is a new one then.
    """
    try:
        return _changes(repository, revisions, "--find-renames")
    except GitFailedError:
        return _changes(repository, revisions, "--no-renames")


def _changes(repository: Repository, revisions: Sequence[str], renames: str) -> list[Change]:
    found = [
        Change(path=_path(line), olds=olds, new=new, commit=commit, date=time_of(seconds))
        for commit, seconds, line in _raw(repository, ("--date-order", "-c", KINDS, renames, *revisions))
        for file, olds, new in (fields(line),)
        if file
    ]
    return found[::-1]


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


def _raw(repository: Repository, arguments: Sequence[str], commits: bytes = b"") -> Iterator[tuple[str, int, bytes]]:
    """Yield commit, its author's seconds and the raw line of each file that it adds or changes.

    `commits`: ids for the standard input, a line each, where `arguments` say so.
    """
    commit, seconds = "", 0
    with repository.stream(*_LOG, *arguments, "--") as log:
        if log.stdin is not None:
            # Git reads all of it before it answers; where it ended first, its status says so.
            with suppress(BrokenPipeError):
                log.stdin.write(commits)
                log.stdin.close()
        for line in log.stdout or ():
            if line.startswith(b":"):
                yield commit, seconds, line[:-1]
            elif line.startswith(b"\1"):
                id_, _, time = line[1:-1].partition(b" ")
                commit, seconds = id_.decode(), int(time or 0)
        if log.wait() != 0:
            # Asked again for the reason, such as a ref that does not exist.
            repository.run("log", "--max-count=1", "--format=", *arguments, "--", stdin=commits)
            raise GitFailedError("the history cannot be walked to its end", hint="Run `git fsck` in the repository.")


def _new(line: bytes) -> bytes:
    """Return the blob id behind the change."""
    return line.split(b" ", 4)[3] if not line.startswith(b"::") else fields(line)[2]


def _path(line: bytes) -> str:
    """Return the new path of a raw line."""
    return unquoted(line.rpartition(b"\t")[2])


def unquoted(path: bytes) -> str:
    """Return a path that git wrote; it quotes those with a newline, a quote or a control character."""
    text = path.decode("utf-8", "surrogateescape")
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


def time_of(seconds: int) -> datetime:
    """Return the time that a commit claims, in UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        # A commit may claim any number; what no calendar holds counts as its beginning.
        return datetime.fromtimestamp(0, UTC)
