"""The `git` program on somebody else's repository, so that nothing in that repository can make it run anything.

A repository's configuration may name programs: hooks, a file-system monitor, external diffs, text converters, filters,
signature checkers, transports and credential helpers, and a partial clone fetches what it lacks. Only commands that
read objects are used, each of these is switched off as well, and no protocol is allowed, so nothing is ever fetched.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from auditor.model.errors import InputError, ToolMissingError
from auditor.redaction.redactor import for_terminal, redact_text

_SWITCHES = (
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c", "safe.directory=*",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.attributesFile=/dev/null",
    "-c", "protocol.allow=never",
    "-c", "log.showSignature=false",
    "-c", "diff.external=",
    "-c", "submodule.recurse=false",
    "-c", "core.quotePath=false",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ATTR_NOSYSTEM": "1",
    "LC_ALL": "C",
}
_OF_A_HOOK = frozenset(
    {
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_WORK_TREE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_QUARANTINE_PATH",
        "GIT_COMMON_DIR",
    }
)
"""What git tells a hook of the repository that it runs in."""
_COMPLAINT = 300
"""Characters of git's own words that are shown."""


class GitFailedError(InputError):
    """A git command on the repository did not end well."""


class Repository:
    """One repository, by any folder in it."""

    def __init__(self, folder: "str | os.PathLike[str]", *, environ: Mapping[str, str], in_hook: bool = False) -> None:
        """Raise `InputError` where `folder` lies in no repository, `ToolMissingError` without git.

        `in_hook`: git started us, and its variables name the repository, its index and its incoming objects. That it
        is one need not be asked then.
        """
        kept = {
            name: value
            for name, value in environ.items()
            if not name.startswith("GIT_") or (in_hook and name in _OF_A_HOOK)
        }
        self._environment = {**kept, **_ENVIRONMENT}
        self._start = ["git", *_SWITCHES, "-C", os.fspath(folder)]
        self.folder = os.fspath(folder)
        self._in_hook = in_hook
        self._about: tuple[str, str] | None = None
        if not in_hook:
            self._ask()

    @property
    def git_folder(self) -> str:
        """The folder of its state and refs; of a work tree that was added, its own."""
        # A hook runs where its work tree begins: without a question to git, whose start takes 3 ms.
        usual = f"{self.folder}/.git"
        known = self._in_hook and "GIT_DIR" not in self._environment and os.path.isdir(usual)  # noqa: PTH112 - start-up
        return usual if known else self._ask()[0]

    @property
    def shallow(self) -> bool:
        """Whether older commits are left out."""
        return self._ask()[1] == "true"

    def _ask(self) -> tuple[str, str]:
        if self._about is None:
            try:
                answer = self.run("rev-parse", "--absolute-git-dir", "--is-shallow-repository")
            except GitFailedError as error:
                raise InputError(
                    f"{for_terminal(self.folder)} is not in a git repository that can be read",
                    hint=f"Name a repository or a folder in one. git said: {error}",
                ) from None
            folder, shallow = answer.decode("utf-8", "surrogateescape").rsplit("\n", 2)[:2]
            self._about = (folder, shallow)
        return self._about

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Return what a git command prints. Raises `GitFailedError` with its first complaint when it fails."""
        try:
            done = subprocess.run(  # noqa: S603 - the switches above keep it harmless
                [*self._start, *arguments], input=stdin, capture_output=True, check=False, env=self._environment
            )
        except FileNotFoundError:
            raise ToolMissingError(
                "`git` is not installed, and the history of a repository needs it", hint="Install git."
            ) from None
        if done.returncode != 0:
            hint = "Check the ref that was named; if it is right, run `git fsck` there."
            raise GitFailedError(complaint(done.stderr), hint=hint)
        return done.stdout

    def succeeds(self, *arguments: str) -> bool:
        """Return whether a git command ends well; for questions that it answers by its status."""
        try:
            self.run(*arguments)
        except GitFailedError:
            return False
        return True

    @contextmanager
    def stream(self, *arguments: str, stdin: int | None = None) -> "Iterator[subprocess.Popen[bytes]]":
        """Yield a git command that is still running, its output to be read. It is ended on the way out.

        Its exit status is the caller's to check: an answer that ended early looks like a short one.
        """
        process = subprocess.Popen(  # noqa: S603 - as above
            [*self._start, *arguments],
            stdin=subprocess.PIPE if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=1 << 20,
            env=self._environment,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        # It ended before it had read everything: its status says so.
                        continue
            process.wait()


def complaint(stderr: bytes) -> str:
    """Return git's first complaint in one line, without credentials (a remote's address may hold one)."""
    text = stderr.decode("utf-8", "replace").strip()
    line = next((line for line in text.splitlines() if line.startswith(("fatal:", "error:"))), text.partition("\n")[0])
    return redact_text(for_terminal(line))[:_COMPLAINT] or "it gave no reason"
