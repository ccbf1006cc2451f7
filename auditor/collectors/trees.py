"""Every file below what a user named, to be searched for credentials: walked as git would, and no link followed out.

What `.gitignore` names is left out, but for files that git tracks: those are committed whatever it says.
A symbolic link is not followed: what it points to is read where it lies, if that was named as well.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from stat import S_ISREG

from auditor.collectors.ignores import IGNORED, Ignores, repository_of
from auditor.collectors.searching import Item, Read
from auditor.model.coverage import Gap, GapReason
from auditor.model.errors import InputError

LINK = "symbolic link"
SPECIAL = "neither file nor folder"
_SETTLED = 2_000_000_000
"""Nanoseconds since a change after which the next one has another time, on the coarsest file system (FAT)."""
_HEAD = 8_192


@dataclass(slots=True)
class Tree:
    """What there is to read."""

    items: list[Item] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)
    """Files and folders that a `.gitignore` names."""
    repositories: list[str] = field(default_factory=list)
    """Folders of which each is the root of a repository, or lies in one and was named."""


Tracked = Callable[[str], Sequence[bytes] | None]
"""Returns the paths that git tracks below a folder, counted from there; `None` where it cannot tell."""


def walk(
    paths: Sequence[str],
    *,
    honour_gitignore: bool = True,
    exclude: Sequence[str] = (),
    tracked: Tracked = lambda _folder: (),
) -> Tree:
    """Return every file in `paths`, folders walked in the order of names. Raises `InputError` for a missing path."""
    tree = Tree()
    for path in paths:
        if not os.path.lexists(path):
            raise InputError(
                f"{path} does not exist", hint="Check the path; it is relative to the folder in which the command runs."
            )
        shown = _shown(path)
        if os.path.isdir(path):  # noqa: PTH112 - strings throughout: many thousands of files are looked at
            ignores = Ignores(shown, exclude=exclude, honour_gitignore=honour_gitignore)
            tree.ignored.clear()
            tree.repositories = [shown] if repository_of(shown) else []
            _walk(shown, ignores, tree)
            if tree.ignored:
                _committed(tree, ignores, tracked)
        else:
            _take(shown, tree)
    return tree


class Files:
    """The files of a tree, to be searched."""

    def __init__(self, *, now: int = 0) -> None:
        """`now`: nanoseconds since the epoch, before the first file was looked at; 0: none counts as settled."""
        self._before = now - _SETTLED

    def ordered(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return `items` as they are."""
        return items

    def contents(self, items: Sequence[Item]) -> Iterator[Read]:
        """Yield each file; its content is `None` where it cannot be read."""
        for position, item in enumerate(items):
            try:
                yield Read(position, _read(item.id, item.size + 1))
            except OSError:
                yield Read(position, None)

    def head(self, item: Item) -> bytes:
        """Return the first bytes of a file; none where it cannot be read."""
        try:
            with open(item.id, "rb") as file:  # noqa: PTH123 - as above
                return file.read(_HEAD)
        except OSError:
            return b""

    def settled(self, item: Item) -> bool:
        """Return whether a file is still the one that was listed, and was left alone for longer than clocks are coarse.

        A change within the tick of a clock leaves the times as they were: git calls such a file racily clean.
        """
        try:
            told = os.stat(item.id, follow_symlinks=False)  # noqa: PTH116 - as above
        except OSError:
            return False
        return stamp(told) == item.stamp and max(told.st_mtime_ns, told.st_ctime_ns) < self._before


def stamp(told: os.stat_result) -> bytes:
    """Return what tells one content of a file from another, as git's index does: size, times, inode."""
    return b"%d %d %d %d %d" % (told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino, told.st_dev)


def _read(path: bytes, size: int) -> bytes:
    # Not to wait for a pipe that somebody put in place of the file.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        content = os.read(descriptor, size)
        while len(content) >= size and (more := os.read(descriptor, 1 << 20)):
            content += more
            size = len(content)
        return content
    finally:
        os.close(descriptor)


def _walk(root: str, ignores: Ignores, tree: Tree) -> None:
    todo = [root]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            detail = f"The folder cannot be read ({error.strerror}); check its permissions."
            tree.gaps.append(Gap(file=folder, reason=GapReason.UNREADABLE, detail=detail))
            continue
        rules = ignores.inside(folder, has_own=any(entry.name == ".gitignore" for entry in entries))
        folders = []
        for entry in entries:
            path = entry.name if folder == "." else f"{folder.rstrip('/')}/{entry.name}"
            if entry.is_symlink():
                tree.skipped[LINK] += 1
            elif entry.is_dir(follow_symlinks=False):
                if entry.name == ".git":
                    tree.repositories.append(folder)
                    continue
                if rules.reason(path, folder=True) is None:
                    folders.append(path)
                else:
                    _leave(path, rules.reason(path, folder=True) or IGNORED, tree)
            elif (reason := rules.reason(path, folder=False)) is not None:
                _leave(path, reason, tree)
            elif entry.is_file(follow_symlinks=False):
                _take_file(path, tree)
            else:
                tree.skipped[SPECIAL] += 1
        todo += reversed(folders)


def _leave(path: str, reason: str, tree: Tree) -> None:
    tree.skipped[reason] += 1
    if reason == IGNORED:
        tree.ignored.add(path)


def _committed(tree: Tree, ignores: Ignores, tracked: Tracked) -> None:
    """Take in what git tracks although a `.gitignore` names it."""
    there = {item.id for item in tree.items}
    for folder in dict.fromkeys(tree.repositories):
        names = tracked(folder)
        if names is None:
            detail = (
                "Which files of it git tracks could not be asked, and some are ignored; say --no-ignore to read all."
            )
            tree.gaps.append(Gap(file=folder, reason=GapReason.UNREADABLE, detail=detail))
            continue
        for name in names:
            path = os.fsdecode(name) if folder == "." else f"{folder.rstrip('/')}/{os.fsdecode(name)}"
            if os.fsencode(path) not in there and not ignores.excludes(path):
                _take_file(path, tree)


def _take_file(path: str, tree: Tree) -> None:
    try:
        told = os.stat(path, follow_symlinks=False)  # noqa: PTH116 - as above
    except (FileNotFoundError, NotADirectoryError):
        # Tracked and deleted, or deleted since its folder was listed: the tree does not hold it.
        return
    except OSError as error:
        tree.gaps.append(Gap(file=path, reason=GapReason.UNREADABLE, detail=f"It cannot be read ({error.strerror})."))
        return
    if S_ISREG(told.st_mode):
        tree.items.append(Item(os.fsencode(path), told.st_size, path, stamp(told)))
        if path in tree.ignored:
            tree.skipped[IGNORED] -= 1


def _take(path: str, tree: Tree) -> None:
    try:
        told = os.stat(path)  # noqa: PTH116 - as above
    except OSError as error:
        detail = f"It cannot be read ({error.strerror})."
        tree.gaps.append(Gap(file=path, reason=GapReason.UNREADABLE, detail=detail))
        return
    if os.path.isfile(path):  # noqa: PTH113 - as above
        tree.items.append(Item(os.fsencode(path), told.st_size, path, stamp(told)))
    else:
        tree.skipped[SPECIAL] += 1


def _shown(path: str) -> str:
    """Return a path as reports show it: relative where it lies below the working folder."""
    path = os.path.normpath(path)
    if os.path.isabs(path):  # noqa: PTH117 - as above
        here = os.getcwd()  # noqa: PTH109 - as above
        if path == here:
            return "."
        if path.startswith(here.rstrip(os.sep) + os.sep):
            return path[len(here.rstrip(os.sep)) + 1 :]
    return path
