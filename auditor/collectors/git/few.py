"""The contents of few blobs: git reads them while the caller still gets ready, in the order in which they are named."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from auditor.collectors.git.command import GitFailedError, Repository, ended

if TYPE_CHECKING:
    from auditor.collectors.git.command import Child

FEW = 500
"""Ids that a pipe takes before anybody reads the answers."""


@contextmanager
def given(
    repository: Repository, ids: Sequence[bytes], *, largest: int, begun: "Child | None" = None
) -> Iterator[Iterator[tuple[bytes, bytes | None]]]:
    """Yield what gives id and content of each of `ids`, in order; of a content beyond `largest` bytes its head alone.

    For few ids: git begins to read at once, while the caller still gets ready; `begun`: the process that will. The
    content is `None` where it is missing. Raises `GitFailedError` where git ends too early: nothing is left out.
    """
    process = begun if begun is not None else repository.begin("cat-file", "--batch")
    try:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
        # Where it ended before it had read them, its answer is too short, which the reader sees.
        with suppress(BrokenPipeError):
            process.stdin.write(b"".join(id_ + b"\n" for id_ in ids))
            process.stdin.close()
        yield _each(process.stdout, ids, largest)
    finally:
        ended(process)


def _each(output: IO[bytes], ids: Sequence[bytes], largest: int) -> Iterator[tuple[bytes, bytes | None]]:
    for id_ in ids:
        head = output.readline()
        if head.endswith(b" missing\n"):
            yield id_, None
            continue
        size = int(head.rsplit(b" ", 1)[1]) if head.endswith(b"\n") else 0
        content = output.read(min(size, largest + 1))
        rest = size - len(content)
        while rest and (passed := len(output.read(min(rest, 1 << 20)))):
            rest -= passed
        if rest or output.read(1) != b"\n":
            raise GitFailedError(
                f"object {id_.decode()} cannot be read to its end", hint="Run `git fsck` in the repository."
            )
        yield id_, content
