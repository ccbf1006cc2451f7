"""What a ref names: a commit and the files of its tree. And the address by which others know the repository."""

import re
from collections.abc import Mapping
from os.path import normpath, relpath
from pathlib import PurePath
from urllib.parse import urlsplit

from auditor.collectors.git.command import GitFailedError, Repository
from auditor.model.errors import InputError, ToolMissingError
from auditor.redaction.redactor import for_terminal, redact_text

_NAMED = ("rev-parse", "--verify", "--quiet")
_FILES = ("100644", "100755")
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[\w.-]{2,}):(?!/)(?P<path>[\w./~+-]+)")
"""`git@host:group/name.git`, which is `ssh://host/group/name.git`."""


def commit(repository: Repository, ref: str) -> str:
    """Return the id of the commit that `ref` names. Raises `InputError` where it names none."""
    try:
        return repository.run(*_NAMED, "--end-of-options", f"{ref}^{{commit}}").decode().strip()
    except GitFailedError:
        raise InputError(
            f"{for_terminal(ref)} is no commit of {for_terminal(repository.folder)}",
            hint="Fetch it first, for example `git fetch --depth=1 origin main:refs/remotes/origin/main`.",
        ) from None


def head(repository: Repository) -> str:
    """Return the commit that is checked out; nothing before the first one."""
    try:
        return repository.run(*_NAMED, "HEAD^{commit}").decode().strip()
    except GitFailedError:
        return ""


def read(repository: Repository, commit_: str, path: PurePath, *, from_top: bool = False) -> bytes | None:
    """Return the file `path` as it stands in a commit; `None` where it does not.

    It counts from the folder of `repository`, or from the top of its tree. Raises `InputError` where it is there and is
    no file: what a link names lies outside of the commit.
    """
    inside = str(path) if from_top else _inside(repository, path)
    entry = repository.run("ls-tree", "-z", "--full-tree", commit_, "--", inside)
    if not entry:
        return None
    mode, _, id_ = entry.partition(b"\t")[0].decode().split(" ")
    if mode not in _FILES:
        raise InputError(f"{path} is no file in commit {commit_[:12]}", hint="Make it a plain file there.")
    return repository.run("cat-file", "blob", id_)


def tracked(folder: str, *, environ: Mapping[str, str]) -> list[bytes] | None:
    """Return the paths that git tracks below `folder`, counted from there; `None` where git cannot tell."""
    try:
        listing = Repository(folder, environ=environ).run("ls-files", "-z", "--cached")
    except (InputError, ToolMissingError):
        return None
    return [path for path in listing.split(b"\0") if path]


def address(repository: Repository) -> str:
    """Return the URL of the remote `origin` without a login; empty where there is none that others can use."""
    try:
        text = repository.run("config", "--get", "remote.origin.url").decode("utf-8", "replace").strip()
    except GitFailedError:
        return ""
    scp = _SCP.fullmatch(text)
    if scp is not None:
        return redact_text(f"ssh://{scp['host']}/{scp['path']}")
    parts = urlsplit(text)
    if parts.scheme not in {"https", "http", "ssh", "git"} or not parts.hostname:
        return ""
    return redact_text(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def _inside(repository: Repository, path: PurePath) -> str:
    """Return `path` from the top of the repository."""
    folder = repository.run("rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").rstrip("\n")
    near = relpath(path, repository.folder) if path.is_absolute() else path
    inside = normpath(PurePath(folder, near))
    if PurePath(inside).parts[:1] == ("..",):
        raise InputError(f"{path} lies outside of the repository", hint="Name a file of the repository.")
    return inside
