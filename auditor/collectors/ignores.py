"""Which paths `.gitignore` files, `.git/info/exclude` and the user's own patterns leave out.

As in Git: the pattern that stands closest to a path decides, the last one in a file wins, and below a folder that is
left out nothing is looked at. The user's global excludes file is not read: a result must not depend on the machine.
A folder that was named itself is read even where a `.gitignore` above it leaves it out.
"""

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORED = "ignored by .gitignore"
EXCLUDED = "excluded"
_WILDCARDS = re.compile(r"\*+")
_FEW = 3
"""Wildcards of a pattern up to which `re` needs no more than a moment, however a path looks."""
_LARGEST = 256_000
"""Characters of a file of patterns beyond which it leaves nothing out: so many take long, and nobody reviews them."""


class Rules:
    """What counts inside one folder."""

    __slots__ = ("_exclude", "_specs")

    def __init__(self, specs: "tuple[tuple[str, GitIgnoreSpec], ...]", exclude: "GitIgnoreSpec | None") -> None:
        self._specs = specs
        self._exclude = exclude

    def reason(self, path: str, *, folder: bool) -> str | None:
        """Return why the path is left out, or `None`."""
        if self._exclude is None and not self._specs:
            return None
        suffix = "/" if folder else ""
        if self._exclude is not None and self._exclude.match_file(path.lstrip("/") + suffix):
            return EXCLUDED
        for base, spec in self._specs:
            decided = spec.check_file(_below(path, base) + suffix).include
            if decided is not None:
                return IGNORED if decided else None
        return None


class Ignores:
    """The patterns for one folder that was named."""

    def __init__(self, root: str, *, exclude: Iterable[str], honour_gitignore: bool) -> None:
        patterns = tuple(exclude)
        self._exclude = _spec(patterns) if patterns else None
        self._honour = honour_gitignore
        self._root = root
        self._by_folder: dict[str, Rules] = {}
        self._above = self._outer(root) if honour_gitignore else ()

    def inside(self, folder: str, *, has_own: bool) -> Rules:
        """Return what counts inside `folder`; `has_own` says whether a `.gitignore` stands in it."""
        above = self._by_folder.get(os.path.dirname(folder) or ".")  # noqa: PTH120 - strings: called for each folder
        if folder == self._root or above is None:
            above = Rules(self._above, self._exclude)
        own = _read(f"{folder}/.gitignore") if has_own and self._honour else None
        rules = above if own is None else Rules(((folder, own), *above._specs), self._exclude)  # noqa: SLF001 - its own kind
        self._by_folder[folder] = rules
        return rules

    def excludes(self, path: str) -> bool:
        """Return whether the user left the file `path` out, by itself or with a folder above it."""
        return self._exclude is not None and self._exclude.match_file(path.lstrip("/"))

    def _outer(self, root: str) -> "tuple[tuple[str, GitIgnoreSpec], ...]":
        """Return the patterns that stand above `root` in its repository, closest first."""
        found: list[tuple[str, GitIgnoreSpec]] = []
        start = os.path.abspath(root)  # noqa: PTH100 - as above
        top = repository_of(start)
        if not top:
            return ()
        folder = start
        while folder != top:
            folder = os.path.dirname(folder)  # noqa: PTH120 - as above
            spec = _read(f"{folder}/.gitignore")
            if spec is not None:
                found.append((folder, spec))
        spec = _read(f"{folder}/.git/info/exclude")
        if spec is not None:
            found.append((folder, spec))
        own = Rules(tuple(found), None)
        if any(own.reason(part, folder=True) for part in _ancestors(start, folder)):
            return ()
        return tuple(found)


def repository_of(path: str) -> str:
    """Return the root of the git repository that `path` lies in, itself perhaps; empty where it lies in none."""
    folder = os.path.abspath(path)  # noqa: PTH100 - as above
    while not os.path.exists(f"{folder}/.git"):  # noqa: PTH110 - as above
        above = os.path.dirname(folder)  # noqa: PTH120 - as above
        if above == folder:
            return ""
        folder = above
    return folder


def _ancestors(path: str, top: str) -> Iterable[str]:
    while path not in {top, "/"}:
        yield path
        path = os.path.dirname(path)  # noqa: PTH120 - as above


def _below(path: str, base: str) -> str:
    if base == ".":
        return path
    if os.path.isabs(base) and not os.path.isabs(path):  # noqa: PTH117 - as above
        path = os.path.abspath(path)  # noqa: PTH100 - as above
    return path[len(base) :].lstrip("/")


def _spec(lines: Iterable[str]) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - start-up: only where there are patterns

    patterns = tuple(lines)
    # An automaton for a file of patterns takes 20 ms to make, and `re` next to none; but `re` takes minutes for one
    # path where a pattern has five wildcards, as nobody but an attacker writes them.
    plain = all(len(_WILDCARDS.findall(pattern)) <= _FEW for pattern in patterns)
    return GitIgnoreSpec.from_lines(patterns, backend="simple" if plain else None)


def _read(file: str) -> "GitIgnoreSpec | None":
    try:
        with open(file, encoding="utf-8", errors="replace") as content:  # noqa: PTH123 - as above
            text = content.read(_LARGEST + 1)
    except OSError:
        return None
    return _spec(text.split("\n")) if len(text) <= _LARGEST else None
