"""What the next commit would add: the index beside HEAD, and the contents of what differs.

A commit waits for it, so git is started before anything else of the program is loaded, and compares while that is.
"""

from typing import TYPE_CHECKING

from auditor.collectors.git.command import GitFailedError, Repository, ended
from auditor.collectors.git.raw import KINDS, Change, fields

if TYPE_CHECKING:
    from auditor.collectors.git.command import Child

_COMPARE = ("diff-index", "--cached", "--raw", "-z", "--find-renames", "--no-abbrev", KINDS)


class Begun:
    """Two processes of git: one compares the index with HEAD, the other waits for ids of contents to give."""

    def __init__(self, repository: Repository) -> None:
        """Raise `ToolMissingError` without git."""
        self._comparison = repository.begin(*_COMPARE, "HEAD", "--")
        self._contents = repository.begin("cat-file", "--batch")

    def compared(self) -> bytes | None:
        """Return what differs; `None` where git could not tell, as before the first commit."""
        assert self._comparison.stdin is not None and self._comparison.stdout is not None  # noqa: S101, PT018 - both are pipes
        output = self._comparison.stdout.read()
        return output if self._comparison.wait() == 0 else None

    def contents(self) -> "Child":
        """Return the process that gives contents; it takes ids once."""
        return self._contents

    def end(self) -> None:
        """End what still runs."""
        ended(self._comparison)
        ended(self._contents)


def staged(repository: Repository, begun: Begun | None = None) -> list[Change]:
    """Return every file that the next commit would add or change; of a merge what differs from both sides."""
    output = begun.compared() if begun is not None else None
    try:
        found = _changes(output) if output is not None else _against(repository, "HEAD")
    except GitFailedError:
        # Before the first commit there is nothing to compare with; any other fault fails again.
        if repository.succeeds("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
            raise
        return list(
            _against(repository, repository.run("hash-object", "-t", "tree", "--stdin").decode().strip()).values()
        )
    for other in merging(repository):
        theirs = _against(repository, other)
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


def _against(repository: Repository, base: str) -> dict[str, Change]:
    return _changes(repository.run(*_COMPARE, base, "--"))


def _changes(output: bytes) -> dict[str, Change]:
    found: dict[str, Change] = {}
    entries = iter(output.split(b"\0"))
    for line in entries:
        if not line:
            break
        file, olds, new = fields(line)
        path = next(entries)
        if line.rpartition(b" ")[2][:1] in b"RC":
            path = next(entries)
        if file:
            name = path.decode("utf-8", "surrogateescape")
            found[name] = Change(path=name, olds=olds, new=new)
    return found
