"""Where repositories begin in a tree that was walked, and which files their GitLab definitions include.

A folder with a `.git` is a root. Where there is none, neither here nor above what was named (unpacked archives), the
folder that was named is one, and each folder right in it, if a host would look for definitions there. Deeper ones are
examples and copies of others' more often than repositories.

Includes: https://docs.gitlab.com/ci/yaml/includes/. Paths count from the repository's root; `*` stays in a folder and
`**` crosses folders. What stands elsewhere (`remote`, `project`, `component`, `template`) is not looked for.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from auditor.collectors import documents
from auditor.collectors.documents import RefusedError
from auditor.model import ci
from auditor.model.ci import CiFile, Repository

_LARGEST_DEFINITION = 2_000_000
_MARK_A_ROOT = frozenset({CiFile.GITHUB_WORKFLOW, CiFile.GITLAB_CI, CiFile.JENKINSFILE})


def find(
    files: Iterable[tuple[str, CiFile]], *, marked: Collection[str], named: Collection[str], left_out: Sequence[str]
) -> list[Repository]:
    """Return the repositories that were walked from their root, in the order of their folders.

    `marked` are the folders with a `.git`, `named` the folders that were named, all of which was walked, `left_out` the
    CI files and folders that a rule left out.
    """
    roots = set(marked)
    homes = {ci.home(file) for file, kind in files if kind in _MARK_A_ROOT}
    for home in sorted(homes, key=lambda home: (home != ".", len(home), home)):
        above = os.path.dirname(home) or "."  # noqa: PTH120 - strings, as in discovery
        known = any(is_below(home, root) for root in roots)
        if not known and not {home, above}.isdisjoint(named) and not _has_git_above(home):
            roots.add(home)
    return [
        Repository(folder=root, left_out=tuple(sorted(path for path in left_out if is_below(path, root))))
        for root in sorted(roots)
    ]


def included(definitions: Iterable[str], files: Sequence[str]) -> list[str]:
    """Return which of `files` the GitLab `definitions` include, and these in turn; sorted."""
    homes = {file: ci.home(file) for file in definitions}
    todo = list(homes)
    while todo:
        file = todo.pop()
        home = "" if homes[file] == "." else homes[file].rstrip("/") + "/"
        patterns = [_pattern(path) for path in _local(_text(file))]
        for path in files:
            if path not in homes and path.startswith(home) and _matches(patterns, path[len(home) :]):
                homes[path] = homes[file]
                todo.append(path)
    return sorted(homes)


def is_below(path: str, folder: str) -> bool:
    """Return whether `path` is `folder` or lies below it; both relative to the working folder, or both not."""
    if folder == ".":
        return not path.startswith(("/", "../"))
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _has_git_above(folder: str) -> bool:
    folder = os.path.abspath(folder)  # noqa: PTH100 - as above
    while (above := os.path.dirname(folder)) != folder:  # noqa: PTH120 - as above
        folder = above
        if os.path.exists(f"{folder}/.git"):  # noqa: PTH110 - as above
            return True
    return False


def _text(file: str) -> str:
    """Return the text of a definition, empty where it cannot be read: reading it as a source says why."""
    try:
        with open(file, encoding="utf-8") as content:  # noqa: PTH123 - as above
            return content.read(_LARGEST_DEFINITION)
    except (OSError, UnicodeDecodeError):
        return ""


def _matches(patterns: Iterable[re.Pattern[str]], path: str) -> bool:
    return any(pattern.fullmatch(path) for pattern in patterns)


def _local(text: str) -> Iterator[str]:
    if "include" not in text and "local" not in text:
        return
    for chunk in documents.split(text):
        try:
            value = documents.parse(text[chunk.start : chunk.end])
        except RefusedError:
            return
        yield from _local_paths(value)


def _local_paths(value: Any) -> Iterator[str]:
    """Yield the local paths of `include:` at the top, and of those by which a job starts a pipeline of its own."""
    if not isinstance(value, dict):
        return
    jobs = [entry["trigger"] for entry in value.values() if isinstance(entry, dict) and "trigger" in entry]
    for holder in (value, *(job for job in jobs if isinstance(job, dict))):
        entries = holder.get("include")
        for entry in entries if isinstance(entries, list) else [entries]:
            path = entry.get("local") if isinstance(entry, dict) else entry
            if isinstance(path, str) and "://" not in path and "$" not in path:
                yield path.lstrip("/")


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/?|\*)", path)
    words = {"*": "[^/]*", "**": ".*", "**/": "(?:.*/)?"}
    return re.compile("".join(words.get(part) or re.escape(part) for part in parts))
