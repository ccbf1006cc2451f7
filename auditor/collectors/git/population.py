"""Which blobs a history holds, and what of it cannot be read: whatever its commits reach is one or the other."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from auditor.collectors.git.command import GitFailedError, Repository
from auditor.collectors.searching import Item
from auditor.model.record import record
from auditor.patterns import compile_

ALL_REFS = ("--all",)
"""Every ref and HEAD: branches, tags, notes, stashes, remote branches."""
_BLOCK = 1 << 24
"""Bytes of git's answer that are taken apart at once: one by one, a million lines take a second."""
_REACHED = compile_(rb"^([0-9a-f]+) ?(.*)$", re.MULTILINE)
_LACKED = compile_(rb"^\?([0-9a-f]+)", re.MULTILINE)
_BLOB = compile_(rb"^blob ([0-9a-f]+) (\d+)$", re.MULTILINE)
_TREE = compile_(rb"^tree ([0-9a-f]+) ", re.MULTILINE)
_COMMIT = compile_(rb"^commit ([0-9a-f]+) ", re.MULTILINE)
_TAG = compile_(rb"^tag ([0-9a-f]+) ", re.MULTILINE)
_UNREAD = compile_(rb"^([0-9a-f]+) missing$", re.MULTILINE)


@record
class Population:
    """Every blob in scope, and what is known to be missing of it."""

    blobs: tuple[Item, ...]
    """In pack order, each with one path that it has or had; none where nothing reaches it."""
    missing: Mapping[str, str]
    """Ids of objects that the history names and the repository lacks, or cannot read, with a path where it is known."""
    damaged: tuple[str, ...] = ()
    """Names of packs that are not what git wrote, so that anything in them may have become something else."""
    written: tuple[bytes, ...] = ()
    """Ids of the commits and tags, which have messages, in pack order."""
    whole: bool = True
    """Whether the history could be walked to its end. If not, `blobs` are all that is stored, reached or not."""


def reached(repository: Repository, revisions: Sequence[str] = ALL_REFS, *, unreachable: bool = False) -> Population:
    """Return the blobs that `revisions` reach (arguments of `git rev-list`), with `unreachable` all that are stored.

    A history of which a tree or a commit is missing cannot be walked, so all that is stored is given instead; the same
    where a ref names what is missing. Raises `GitFailedError` for a revision that does not exist.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up

    from auditor.collectors.git.packs import damaged_packs  # noqa: PLC0415 - as above

    with ThreadPoolExecutor(max_workers=2) as pool:
        # Git's own work and what is left to us, side by side.
        stored = pool.submit(_stored, repository)
        damaged = pool.submit(damaged_packs, repository)
        walked = _walked(repository, revisions)
    if walked.status != 0 and tuple(revisions) != ALL_REFS:
        # Ask again for the reason: the stream left it out, so that it could not fill up and stop.
        repository.run("rev-list", "--max-count=1", *revisions, "--")
    # Of a missing object nobody says whether it is a blob: without blobs, a walk fails for want of a tree alone.
    trees = ("rev-list", "--objects", "--filter=blob:none", "--quiet", *revisions, "--")
    whole = walked.status == 0 and (not walked.lacked or repository.succeeds(*trees))
    anything = unreachable or not whole
    return Population(
        blobs=tuple(_items(stored.result(), walked, anything=anything)),
        missing=_missing(stored.result(), walked, anything=anything),
        damaged=damaged.result(),
        written=tuple(_written(stored.result(), walked, anything=anything)),
        whole=whole,
    )


@record
class _Walked:
    """What revisions reach."""

    paths: Mapping[bytes, bytes]
    """A path of each object; empty for a commit, and for the top of a tree."""
    lacked: frozenset[bytes]
    status: int


@record
class Stored:
    """What a repository stores, each in pack order."""

    blobs: tuple[tuple[bytes, bytes], ...]
    """Ids and sizes."""
    trees: tuple[bytes, ...]
    commits: tuple[bytes, ...]
    tags: tuple[bytes, ...]
    unread: tuple[bytes, ...]
    """What git lists and cannot read: empty or damaged files of objects."""


def _items(stored: Stored, walked: _Walked, *, anything: bool) -> Iterator[Item]:
    paths = walked.paths
    for id_, size in stored.blobs:
        path = paths.get(id_)
        if path is not None:
            yield Item(id_, int(size), path.decode("utf-8", "surrogateescape"))
        elif anything:
            yield Item(id_, int(size), "")


def _written(stored: Stored, walked: _Walked, *, anything: bool) -> Iterator[bytes]:
    for id_ in (*stored.commits, *stored.tags):
        if anything or id_ in walked.paths:
            yield id_


def _missing(stored: Stored, walked: _Walked, *, anything: bool) -> dict[str, str]:
    paths = walked.paths
    known = {id_ for id_, _ in stored.blobs}.union(stored.trees, stored.tags)
    # A commit has no path (a tag has its name): what has one and is stored as a commit is damaged.
    known.update(id_ for id_ in stored.commits if not paths.get(id_))
    missing = walked.lacked.union(paths.keys() - known, stored.unread if anything else ())
    return {id_.decode(): paths.get(id_, b"").decode("utf-8", "surrogateescape") for id_ in sorted(missing)}


def _walked(repository: Repository, revisions: Sequence[str]) -> _Walked:
    paths: dict[bytes, bytes] = {}
    lacked: list[bytes] = []
    with repository.stream("rev-list", "--objects", "--missing=print", *revisions, "--") as walk:
        assert walk.stdin is not None and walk.stdout is not None  # noqa: S101, PT018 - both are pipes
        walk.stdin.close()
        for block in _blocks(walk.stdout):
            paths.update(_REACHED.findall(block))
            lacked += _LACKED.findall(block)
        return _Walked(paths=paths, lacked=frozenset(lacked), status=walk.wait())


def _stored(repository: Repository) -> Stored:
    try:
        return listed(repository, "--unordered")
    except GitFailedError:
        # A pack that cannot be opened has no order.
        return listed(repository)


def listed(repository: Repository, *order: str) -> Stored:
    """Return every stored object. Raises `GitFailedError` where git cannot list them to the end."""
    blobs: list[tuple[bytes, bytes]] = []
    trees: list[bytes] = []
    commits: list[bytes] = []
    tags: list[bytes] = []
    unread: list[bytes] = []
    form = "--batch-check=%(objecttype) %(objectname) %(objectsize)"
    with repository.stream("cat-file", "--batch-all-objects", *order, form) as listing:
        assert listing.stdin is not None and listing.stdout is not None  # noqa: S101, PT018 - both are pipes
        listing.stdin.close()
        for block in _blocks(listing.stdout):
            blobs += _BLOB.findall(block)
            trees += _TREE.findall(block)
            commits += _COMMIT.findall(block)
            tags += _TAG.findall(block)
            unread += _UNREAD.findall(block)
        if listing.wait() != 0:
            raise GitFailedError("the objects cannot be listed to the end", hint="Run `git fsck` in the repository.")
    return Stored(
        blobs=tuple(blobs), trees=tuple(trees), commits=tuple(commits), tags=tuple(tags), unread=tuple(unread)
    )


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield a stream in blocks of whole lines."""
    rest = b""
    while block := stream.read(_BLOCK):
        whole, line_feed, rest = (rest + block).rpartition(b"\n")
        yield whole + line_feed
    if rest:
        yield rest
