"""The contents of blobs, each read once, however often it occurs; what is missing is told, and nothing is fetched."""

from collections.abc import Generator, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from auditor.collectors.git.command import GitFailedError, Repository
from auditor.collectors.searching import SMALL, Item, Read

if TYPE_CHECKING:
    from auditor.collectors.git.packs import Packs

_RESTARTS = 50
"""Damaged objects after each of which reading goes on."""


def sizes(repository: Repository, items: Sequence[Item]) -> list[Item | None]:
    """Return `items` with their sizes, in order; `None` for what the repository lacks."""
    ids = b"".join(item.id + b"\n" for item in items)
    try:
        answers = repository.run("cat-file", "--batch-check=%(objectsize)", stdin=ids).splitlines() if ids else []
    except GitFailedError:
        # A partial clone would fetch what it lacks, may not, and ends at the first such object.
        from auditor.collectors.git.population import listed  # noqa: PLC0415 - start-up: a commit never needs it

        stored = dict(listed(repository).blobs)
        return [item._replace(size=int(stored[item.id])) if item.id in stored else None for item in items]
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

    def contents(self, items: Sequence[Item]) -> Iterator[Read]:
        """Yield each blob; its content is `None` where it is missing or damaged."""
        rest: Sequence[int] = range(len(items))
        if self._packs is not None:
            rest = []
            for position, item in enumerate(items):
                found = self._packs.content(item)
                if found is None:
                    rest.append(position)
                else:
                    yield Read(position, *found)
        if rest:
            for place, content in contents(self._repository, [items[position].id for position in rest]):
                yield Read(rest[place], content)

    def head(self, item: Item) -> bytes:
        """Return the first bytes of a blob."""
        with self._repository.stream("cat-file", "blob", item.id.decode()) as process:
            return process.stdout.read(_HEAD) if process.stdout is not None else b""

    def settled(self, item: Item) -> bool:
        """Return `True`: a blob's id is a hash of its content."""
        del item
        return True
