"""Real repositories for tests, made by the real git."""

import os
import subprocess
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "LC_ALL": "C",
}


def git(folder: Path, *arguments: str, date: str = "2024-03-01T10:00:00+0000", stdin: bytes = b"") -> bytes:
    """Run git in `folder` and return its output; a failure is the test's."""
    return subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-C", str(folder), *arguments],
        env={**ENVIRONMENT, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
        input=stdin,
        capture_output=True,
        check=True,
    ).stdout


def new(folder: Path, *options: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", *options)
    return folder


def commit(folder: Path, files: dict[str, str | bytes | None], *, date: str = "2024-03-01T10:00:00+0000") -> str:
    """Write `files` (`None` removes one), commit, and return the commit's id."""
    for name, content in files.items():
        file = folder / name
        if content is None:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "-m", "work", "--allow-empty", date=date)
    return git(folder, "rev-parse", "HEAD").decode().strip()
