"""Where and when blobs came into a history, and whether they are in it still."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from auditor.collectors.git.command import GitFailedError, Repository
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
_KINDS = "--diff-filter=ACMRT"
_OF_ITSELF = ("-c", "--no-renames")
"""Of a merge what is in none of its parents: it brought that in itself. All else came before, in another commit.

With a filter of kinds git would walk whole trees here; gone files have an id that nobody wants.
"""
_LISTED = ("--no-walk=unsorted", "--stdin")
_FEW_COMMITS = 1_000
"""Commits for which no further process of git is worth its start."""
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "r": "\r", "v": "\v"}


@record(order=True)
class Arrival:
    """One path under which a blob was once committed."""

    path: str
    commit: str
    """The first in which it was there."""
    date: datetime
    """When that commit was written, by its author's clock, in UTC."""


@record
class Change:
    """One file that a commit or the index changes."""

    path: str
    olds: tuple[bytes, ...]
    """Blob ids before, one for each parent: none for a new file; a renamed file had its content before."""
    new: bytes
    commit: str = ""
    """Empty for the index."""
    date: datetime | None = None


def arrivals(repository: Repository, wanted: Collection[bytes], revisions: Sequence[str]) -> dict[bytes, list[Arrival]]:
    """Return for each of the blobs `wanted` its paths, each with the first commit in which the blob stood there.

    Raises `GitFailedError` when the history cannot be walked to its end.
    """
    found: dict[bytes, dict[str, tuple[str, int]]] = {id_: {} for id_ in wanted}
    for part in _in_parts(repository, revisions, lambda line: _new(line) in found):
        for commit, seconds, line in part:
            # Newest first, so the last one that is seen is the first one that was made.
            found[_new(line)][_path(line)] = (commit, seconds)
    return {
        id_: sorted(Arrival(path=path, commit=commit, date=_time(seconds)) for path, (commit, seconds) in paths.items())
        for id_, paths in found.items()
    }


def _in_parts(
    repository: Repository, revisions: Sequence[str], wanted: Callable[[bytes], bool]
) -> Iterable[list[tuple[str, int, bytes]]]:
    """Return the raw lines that are `wanted` of all commits, newest first, as one list for each processor.

    Comparing trees is the work of git, so several of them take parts of the commits at the same time.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up

    commits = repository.run("rev-list", *revisions, "--").splitlines()
    size = max(-(-len(commits) // (os.cpu_count() or 1)), _FEW_COMMITS)
    parts = [b"\n".join(commits[start : start + size]) + b"\n" for start in range(0, len(commits), size)]

    def compare(part: bytes) -> list[tuple[str, int, bytes]]:
        return [entry for entry in _raw(repository, (*_OF_ITSELF, *_LISTED), part) if wanted(entry[2])]

    with ThreadPoolExecutor(max_workers=max(len(parts), 1)) as pool:
        return list(pool.map(compare, parts))


def changes(repository: Repository, revisions: Sequence[str]) -> list[Change]:
    """Return every file that the commits of `revisions` (`A..B`) add or change, newest commit first.

    Of a merge only what differs from each of its parents: the rest is of the commits that it joins. Where the
    repository lacks contents, git cannot tell what was renamed: a renamed file is a new one then.
    """
    try:
        return _changes(repository, revisions, "--find-renames")
    except GitFailedError:
        return _changes(repository, revisions, "--no-renames")


def _changes(repository: Repository, revisions: Sequence[str], renames: str) -> list[Change]:
    return [
        Change(path=_path(line), olds=olds, new=new, commit=commit, date=_time(seconds))
        for commit, seconds, line in _raw(repository, ("-c", _KINDS, renames, *revisions))
        for file, olds, new in (_fields(line),)
        if file
    ]


def staged(repository: Repository) -> list[Change]:
    """Return every file that the next commit would add or change; of a merge what differs from both sides."""
    try:
        found = _staged(repository, "HEAD")
    except GitFailedError:
        # Before the first commit there is nothing to compare with; any other fault fails again.
        if repository.succeeds("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
            raise
        return list(
            _staged(repository, repository.run("hash-object", "-t", "tree", "--stdin").decode().strip()).values()
        )
    for other in merging(repository):
        theirs = _staged(repository, other)
        found = {
            path: Change(path=path, olds=change.olds + theirs[path].olds, new=change.new)
            for path, change in found.items()
            if path in theirs
        }
    return list(found.values())


def merging(repository: Repository) -> list[str]:
    """Return the commits that a merge which is under way brings in."""
    try:
        with open(f"{repository.git_folder}/MERGE_HEAD", encoding="ascii") as file:  # noqa: PTH123 - start-up
            return file.read().split()
    except FileNotFoundError:
        return []


def _staged(repository: Repository, base: str) -> dict[str, Change]:
    output = repository.run(
        "diff-index", "--cached", "--raw", "-z", "--find-renames", "--no-abbrev", _KINDS, base, "--"
    )
    found: dict[str, Change] = {}
    fields = iter(output.split(b"\0"))
    for line in fields:
        if not line:
            break
        file, olds, new = _fields(line)
        path = next(fields)
        if line.rpartition(b" ")[2][:1] in b"RC":
            path = next(fields)
        if file:
            name = path.decode("utf-8", "surrogateescape")
            found[name] = Change(path=name, olds=olds, new=new)
    return found


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


def _fields(line: bytes) -> tuple[bool, tuple[bytes, ...], bytes]:
    """Return whether the new entry is a file, the blob ids before, and the new one.

    `:100644 100644 OLD NEW M` with a tab and the path; of a merge with a colon, a mode and an id for each parent.
    A link counts, since the path that it holds is a text like any other; a submodule is another repository's commit.
    """
    parents = len(line) - len(line.lstrip(b":"))
    parts = line[parents:].partition(b"\t")[0].split(b" ")
    olds = tuple(id_ for id_ in parts[parents + 1 : 2 * parents + 1] if id_.strip(b"0"))
    return parts[parents][:3] in {b"100", b"120"}, olds, parts[2 * parents + 1]


def _new(line: bytes) -> bytes:
    """Return the blob id behind the change."""
    return line.split(b" ", 4)[3] if not line.startswith(b"::") else _fields(line)[2]


def _path(line: bytes) -> str:
    """Return the new path of a raw line; git quotes those with a newline, a quote or a control character."""
    text = line.rpartition(b"\t")[2].decode("utf-8", "surrogateescape")
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
