"""What a push, its receipt, or a range of commits brings: files, and messages of commits and tags."""

from collections.abc import Sequence

from auditor.collectors.git import history, messages
from auditor.collectors.git import refs as naming
from auditor.collectors.git.command import GitFailedError, Repository
from auditor.collectors.git.raw import Change
from auditor.model.errors import InputError

Brought = tuple[list[Change], Sequence[bytes]]
"""The files that change, and the ids of the commits and tags whose messages are new."""


def sent(repository: Repository, refs: bytes, arguments: Sequence[str]) -> Brought:
    """Return what a push brings that the remote is not known to have. `arguments`: its name and address."""
    rows = _lines(refs, 4)
    remote = arguments[0] if arguments else ""
    known = [row[3] for row in rows if row[3].strip("0") and repository.succeeds("cat-file", "-e", row[3])]
    has_name = remote and not any(character in remote for character in ":*?[\\/")
    there = ["--not", *known, *([f"--remotes={remote}"] if has_name else [])]
    return _brought(repository, [row[1] for row in rows], there)


def received(repository: Repository, refs: bytes) -> Brought:
    """Return what a push brings to this repository, which has none of it in a ref yet."""
    return _brought(repository, [line[1] for line in _lines(refs, 3)], ["--not", "--all"])


def between(repository: Repository, first: str, last: str) -> Brought:
    """Return what the commits of `last` bring that `first` has not. Raises `InputError` for what is no commit."""
    return _brought(repository, [naming.commit(repository, last)], ["--not", naming.commit(repository, first)])


def _brought(repository: Repository, ids: Sequence[str], there: Sequence[str]) -> Brought:
    tips = [tip for tip in ids if tip.strip("0")]
    kinds = _kinds(repository, tips)
    commits = [tip for tip in tips if kinds[tip][1] == "commit"]
    # The earliest first: it is the one to be named.
    found = history.changes(repository, [*commits, *there])[::-1] if commits else []
    written = messages.of_commits(repository, [*commits, *there])[::-1] if commits else []
    written += [tip.encode() for tip in tips if kinds[tip][0] == "tag"]
    loose = [change for tip in tips if tip not in commits for change in _loose(repository, tip, there)]
    return [*found, *loose], written


def _lines(refs: bytes, fields: int) -> list[list[str]]:
    rows = [line.split(" ") for line in refs.decode("utf-8", "surrogateescape").split("\n") if line]
    if any(len(row) != fields for row in rows):
        raise InputError(
            "what git hands to the hook is not of the form that it documents",
            hint="Install the hook again: `auditor secrets hook install`.",
        )
    return rows


def _kinds(repository: Repository, tips: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return what each id names, and what that is where a tag is followed to its end."""
    asked = "".join(f"{tip}\n{tip}^{{}}\n" for tip in tips)
    answers = iter(
        repository.run("cat-file", "--batch-check=%(objecttype)", stdin=asked.encode()).decode().splitlines()
    )
    kinds = {tip: (next(answers), next(answers)) for tip in tips}
    for tip, named in kinds.items():
        if not {*named} <= _OBJECTS:
            raise GitFailedError(
                f"object {tip[:12]} cannot be read to its end", hint="Run `git fsck` in the repository."
            )
    return kinds


_OBJECTS = frozenset({"commit", "tag", "tree", "blob"})


def _loose(repository: Repository, tip: str, there: Sequence[str]) -> list[Change]:
    """Return the contents that a ref to a tree or a blob brings along."""
    output = repository.run("rev-list", "--objects", tip, *there, "--")
    pairs = [line.partition(b" ") for line in output.splitlines()]
    kinds = repository.run(
        "cat-file", "--batch-check=%(objecttype)", stdin=b"".join(id_ + b"\n" for id_, _, _ in pairs)
    ).split()
    return [
        Change(path=path.decode("utf-8", "surrogateescape") or f"object {id_.decode()}", olds=(), new=id_)
        for (id_, _, path), kind in zip(pairs, kinds, strict=True)
        if kind == b"blob"
    ]
