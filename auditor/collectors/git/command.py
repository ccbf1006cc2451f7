"""The `git` program on somebody else's repository, so that nothing in that repository can make it run anything.

A repository's configuration may name programs: hooks, a file-system monitor, external diffs, text converters, filters,
signature checkers, transports and credential helpers, and a partial clone fetches what it lacks. Only commands that
read objects are used, each of these is switched off as well, and no protocol is allowed, so nothing is ever fetched.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from auditor.model.errors import InputError, ToolMissingError

if TYPE_CHECKING:
    # A commit waits: what only faults need is imported then.
    import subprocess

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
        named = self._environment.get("GIT_DIR", "") if self._in_hook else ""
        usual = f"{self.folder}/{named or '.git'}" if not os.path.isabs(named) else named  # noqa: PTH117 - start-up
        return usual if self._in_hook and os.path.isdir(usual) else self._ask()[0]  # noqa: PTH112 - as above

    @property
    def shallow(self) -> bool:
        """Whether older commits are left out."""
        return self._ask()[1] == "true"

    def _ask(self) -> tuple[str, str]:
        if self._about is None:
            try:
                answer = self.run("rev-parse", "--absolute-git-dir", "--is-shallow-repository")
            except GitFailedError as error:
                from auditor.redaction.redactor import for_terminal  # noqa: PLC0415 - start-up

                raise InputError(
                    f"{for_terminal(self.folder)} is not in a git repository that can be read",
                    hint=f"Name a repository or a folder in one. git said: {error}",
                ) from None
            folder, shallow = answer.decode("utf-8", "surrogateescape").rsplit("\n", 2)[:2]
            self._about = (folder, shallow)
        return self._about

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Return what a git command prints. Raises `GitFailedError` with its first complaint when it fails."""
        import subprocess  # noqa: PLC0415 - start-up

        try:
            done = subprocess.run(  # noqa: S603 - the switches above keep it harmless
                [*self._start, *arguments], input=stdin, capture_output=True, check=False, env=self._environment
            )
        except FileNotFoundError:
            raise _missing() from None
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
        import subprocess  # noqa: PLC0415 - start-up

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
            ended(process)

    def begin(self, *arguments: str) -> "Child":
        """Return a git command that has begun to run, with pipes to write to and to read from. `ended` ends it.

        Its exit status is the caller's to check. Raises `ToolMissingError` without git.
        """
        command = [*self._start, *arguments]
        try:
            return Spawned(command, self._environment) if hasattr(os, "posix_spawnp") else self._popen(command)
        except FileNotFoundError:
            raise _missing() from None

    def _popen(self, command: list[str]) -> "subprocess.Popen[bytes]":
        import subprocess  # noqa: PLC0415 - start-up

        return subprocess.Popen(  # noqa: S603 - as above
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment,
        )


class Spawned:
    """A process with pipes, started by the system call itself: to import `subprocess` takes as long as git runs."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        """Raise `FileNotFoundError` where there is no such program."""
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        self.stdin: BinaryIO = open(ours_in, "wb")  # noqa: PTH123, SIM115 - a pipe, closed by `ended`
        self.stdout: BinaryIO = open(ours_out, "rb")  # noqa: PTH123, SIM115 - as above
        self._status: int | None = None
        try:
            self._pid = os.posix_spawnp(
                command[0],
                command,
                environment,
                file_actions=[
                    # The first of the pipes has the lowest number, so neither overwrites the other.
                    (os.POSIX_SPAWN_DUP2, theirs_in, 0),
                    (os.POSIX_SPAWN_DUP2, theirs_out, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
            )
        except BaseException:
            self.stdin.close()
            self.stdout.close()
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)

    def poll(self) -> int | None:
        """Return the exit status, negative the signal that ended it; `None` while it runs."""
        if self._status is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def wait(self) -> int:
        """Return the exit status when it has ended."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._status

    def kill(self) -> None:
        """End it now."""
        os.kill(self._pid, _KILL)


_KILL = 9
"""SIGKILL, which has this number everywhere."""


def ended(process: "Child") -> None:
    """End a process that still runs, and close its pipes."""
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


if TYPE_CHECKING:
    Child = Spawned | subprocess.Popen[bytes]


def _missing() -> ToolMissingError:
    return ToolMissingError("`git` is not installed, and the history of a repository needs it", hint="Install git.")


def complaint(stderr: bytes) -> str:
    """Return git's first complaint in one line, without credentials (a remote's address may hold one)."""
    from auditor.redaction.redactor import for_terminal, redact_text  # noqa: PLC0415 - start-up

    text = stderr.decode("utf-8", "replace").strip()
    line = next((line for line in text.splitlines() if line.startswith(("fatal:", "error:"))), text.partition("\n")[0])
    return redact_text(for_terminal(line))[:_COMPLAINT] or "it gave no reason"
