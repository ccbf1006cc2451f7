"""Which blobs a history holds, and their content, in the order of the pack: each is read once, however often it occurs.

Reading in pack order finds the base of each delta in git's cache. Blobs that should be there and are not (a partial
clone, damage) are counted and named; nothing is fetched.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING

from auditor.collectors.git.command import GitFailedError, Repository
from auditor.collectors.searching import SMALL, Item
from auditor.model.record import record

if TYPE_CHECKING:
    from auditor.collectors.git.packs import Packs

ALL_REFS = ("--all",)
"""Every ref and HEAD: branches, tags, notes, stashes, remote branches."""
_RESTARTS = 50
"""Damaged objects after each of which reading goes on."""


@record
class Population:
    """Every blob in scope, and what is known to be missing of it."""

    blobs: tuple[Item, ...]
    """In pack order, each with one path that it has or had; none where nothing reaches it."""
    missing: Mapping[str, str]
    """Ids of objects that the history names and the repository lacks, or cannot read, with a path where it is known."""
    damaged: tuple[str, ...] = ()
    """Names of packs that are not what git wrote, so that anything in them may have become something else."""
    whole: bool = True
    """Whether the history could be walked to its end. If not, `blobs` are all that is stored, reached or not."""


def population(repository: Repository, revisions: Sequence[str] = ALL_REFS, *, unreachable: bool = False) -> Population:
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
        paths, missing, status = _walked(repository, revisions)
    if status != 0 and tuple(revisions) != ALL_REFS:
        # Ask again for the reason: the stream left it out, so that it could not fill up and stop.
        repository.run("rev-list", "--max-count=1", *revisions, "--")
    # Of a missing object nobody says whether it is a blob: without blobs, a walk fails for want of a tree alone.
    trees = ("rev-list", "--objects", "--filter=blob:none", "--quiet", *revisions, "--")
    whole = status == 0 and (not missing or repository.succeeds(*trees))
    blobs: list[Item] = []
    known: set[bytes] = set()
    for kind, id_, size in stored.result():
        path = paths.get(id_)
        if kind == b"blob" and (unreachable or not whole or path is not None):
            blobs.append(Item(id_, size, _text(path or b"")))
        # A tag or a commit has no path: what has one and is called so is damaged.
        if kind in _IN_TREES or (kind is not None and not path):
            known.add(id_)
        elif unreachable or not whole:
            missing[id_] = path or b""
    missing |= {id_: path for id_, path in paths.items() if id_ not in known}
    return Population(
        blobs=tuple(blobs),
        missing={id_.decode(): _text(path) for id_, path in sorted(missing.items())},
        damaged=damaged.result(),
        whole=whole,
    )


_IN_TREES = frozenset({b"blob", b"tree"})


def _walked(
    repository: Repository, revisions: Sequence[str]
) -> tuple[dict[bytes, bytes], dict[bytes, bytes], int | None]:
    """Return the objects that `revisions` reach with a path of each, those that are missing, and git's exit status."""
    paths: dict[bytes, bytes] = {}
    missing: dict[bytes, bytes] = {}
    with repository.stream("rev-list", "--objects", "--missing=print", *revisions, "--") as walk:
        assert walk.stdin is not None and walk.stdout is not None  # noqa: S101, PT018 - both are pipes
        walk.stdin.close()
        for line in walk.stdout:
            id_, _, path = line[:-1].partition(b" ")
            if id_.startswith(b"?"):
                missing[id_[1:]] = b""
            else:
                paths[id_] = path
        return paths, missing, walk.wait()


Stored = tuple[bytes | None, bytes, int]
"""Kind, id and size of an object; no kind where git cannot read it."""


def _stored(repository: Repository) -> list[Stored]:
    """Return every stored object, in pack order; in that of the ids where a pack cannot be opened."""
    try:
        return list(_listed(repository, "--unordered"))
    except GitFailedError:
        return list(_listed(repository))


def _listed(repository: Repository, *order: str) -> Iterator[Stored]:
    form = "--batch-check=%(objecttype) %(objectname) %(objectsize)"
    with repository.stream("cat-file", "--batch-all-objects", *order, form) as listing:
        assert listing.stdin is not None and listing.stdout is not None  # noqa: S101, PT018 - both are pipes
        listing.stdin.close()
        for line in listing.stdout:
            kind, id_, size = line.split() if line.count(b" ") > 1 else (None, line.partition(b" ")[0], b"0")
            yield kind, id_, int(size)
        if listing.wait() != 0:
            raise GitFailedError("the objects cannot be listed to the end", hint="Run `git fsck` in the repository.")


def sizes(repository: Repository, items: Sequence[Item]) -> list[Item | None]:
    """Return `items` with their sizes, in order; `None` for what the repository lacks."""
    ids = b"".join(item.id + b"\n" for item in items)
    try:
        answers = repository.run("cat-file", "--batch-check=%(objectsize)", stdin=ids).splitlines() if ids else []
    except GitFailedError:
        # A partial clone would fetch what it lacks, may not, and ends at the first such object.
        stored = {id_: size for kind, id_, size in _stored(repository) if kind is not None}
        return [item._replace(size=stored[item.id]) if item.id in stored else None for item in items]
    return [
        item._replace(size=int(answer)) if answer.isdigit() else None
        for item, answer in zip(items, answers, strict=True)
    ]


def contents(repository: Repository, ids: Sequence[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Yield position and content of each of `ids`, in order; `None` where it is missing or damaged.

    A damaged object ends the git process; reading goes on behind it. Whatever cannot be read is given as `None`, so
    every id is accounted for.
    """
    position = restarts = 0
    while position < len(ids):
        position = yield from _run(repository, ids, position)
        if position < len(ids):
            yield position, None
            position += 1
            restarts += 1
        if restarts > _RESTARTS:
            yield from ((rest, None) for rest in range(position, len(ids)))
            return


def _run(repository: Repository, ids: Sequence[bytes], first: int) -> Generator[tuple[int, bytes | None], None, int]:
    """Yield contents from position `first` on; return the position at which git ended, the number of ids at the end."""
    import threading  # noqa: PLC0415 - start-up

    with repository.stream("cat-file", "--batch", "--buffer") as process:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
        feeder = threading.Thread(target=_feed, args=(process.stdin, ids[first:]), daemon=True)
        feeder.start()
        output = process.stdout
        for position in range(first, len(ids)):
            head = output.readline()
            if head.endswith((b" missing\n", b" ambiguous\n")):
                yield position, None
                continue
            content = output.read(int(head.rsplit(b" ", 1)[1]) + 1) if head.endswith(b"\n") else b""
            if not content.endswith(b"\n") or len(content) != int(head.rsplit(b" ", 1)[1]) + 1:
                process.kill()
                feeder.join()
                return position
            yield position, content[:-1]
        feeder.join()
        return len(ids)


def _feed(pipe: IO[bytes], ids: Sequence[bytes]) -> None:
    try:
        pipe.write(b"\n".join(ids) + b"\n")
        pipe.close()
    except (BrokenPipeError, ValueError):
        # The process ended first, which the reader sees.
        return


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


_HEAD = 8_192


class Blobs:
    """The blobs of a repository, to be searched."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._packs: Packs | None = None

    def ordered(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return `items` in the order in which they are best read; of many those in packs are read from there."""
        if sum(item.size for item in items) < SMALL:
            return items
        from auditor.collectors.git.packs import Packs  # noqa: PLC0415 - start-up

        self._packs = Packs(self._repository, items)
        return self._packs.ordered(items)

    def contents(self, items: Sequence[Item]) -> Iterator[tuple[int, bytes | None]]:
        """Yield position and content of each blob; `None` where it is missing or damaged."""
        rest: Sequence[int] = range(len(items))
        if self._packs is not None:
            rest = []
            for position, item in enumerate(items):
                content = self._packs.content(item)
                if content is None:
                    rest.append(position)
                else:
                    yield position, content
        if rest:
            for place, content in contents(self._repository, [items[position].id for position in rest]):
                yield rest[place], content

    def head(self, item: Item) -> bytes:
        """Return the first bytes of a blob."""
        with self._repository.stream("cat-file", "blob", item.id.decode()) as process:
            return process.stdout.read(_HEAD) if process.stdout is not None else b""

    def settled(self, item: Item) -> bool:
        """Return `True`: a blob's id is a hash of its content."""
        del item
        return True
