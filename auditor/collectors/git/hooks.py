"""Hooks of a repository: written, kept beside what was there before, and taken away again.

The script that git starts is a few lines of `sh`. It fails closed: where the program is not found, or does not end
well, the change is refused. A hook that was there before is moved aside, runs first, and comes back on removal.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

from auditor.model.errors import InputError, ToolMissingError
from auditor.model.record import record

TYPES = ("pre-commit", "pre-push", "pre-receive")
_MARK = "# auditor-hook"
_EARLIER = ".before-auditor"
_WITH_REFS = frozenset({"pre-push", "pre-receive"})
"""Hooks to which git hands the refs on standard input, which two readers want."""


class State(Enum):
    """What there is in a hook's place."""

    ABSENT = "absent"
    OURS = "ours"
    FOREIGN = "foreign"


@record
class Hook:
    """One hook of a repository."""

    type: str
    file: Path
    state: State
    earlier: Path | None
    """The hook that was there before ours and runs first."""
    fault: str = ""
    """Why ours would not work as it should; empty where it does."""


def folder(repository: Path, *, environ: Mapping[str, str]) -> Path:
    """Return where git looks for hooks: in the repository, in that of the main work tree, or in `core.hooksPath`.

    Raises `InputError` where `repository` lies in none.
    """
    # Asked without the switches of `command.Repository`, one of which sets another folder.
    kept = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - it runs nothing of the repository's
            ["git", "-C", str(repository), "rev-parse", "--git-path", "hooks"],  # noqa: S607 - the user's git
            capture_output=True,
            check=False,
            env={**kept, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise ToolMissingError("`git` is not installed", hint="Install git.") from None
    if done.returncode != 0:
        raise InputError(
            f"{repository} is not in a git repository that can be read", hint="Run this in the repository, or name it."
        )
    path = Path(done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n"))
    return path if path.is_absolute() else Path(os.path.normpath(repository / path))


def look(hooks: Path, type_: str) -> Hook:
    """Return what there is in the place of the hook `type_`."""
    file = hooks / type_
    aside = hooks / f"{type_}{_EARLIER}"
    earlier = aside if _there(aside) else None
    if not _there(file):
        return Hook(type=type_, file=file, state=State.ABSENT, earlier=earlier)
    text = _text(file)
    if _MARK not in text:
        return Hook(type=type_, file=file, state=State.FOREIGN, earlier=earlier)
    return Hook(type=type_, file=file, state=State.OURS, earlier=earlier, fault=_fault(file, text))


def install(hooks: Path, type_: str, *, program: str, arguments: Sequence[str] = ()) -> Hook:
    """Write the hook and return it; what stood there before is moved aside and runs first.

    Raises `InputError` where that cannot be done without losing something.
    """
    known = look(hooks, type_)
    if known.state is State.FOREIGN:
        if known.earlier is not None:
            raise InputError(
                f"{known.file} is not ours, and {known.earlier} is there as well",
                hint="Somebody put a hook over ours. Join the two by hand, remove one, and install again.",
            )
        if not os.access(known.file, os.X_OK):
            raise InputError(
                f"{known.file} is there and cannot be executed, so git passes over it",
                hint=f"Make it executable (chmod +x {known.file}) or remove it, and install again.",
            )
        known.file.rename(hooks / f"{type_}{_EARLIER}")
    try:
        hooks.mkdir(parents=True, exist_ok=True)
        _write(known.file, script(type_, program=program, arguments=arguments))
    except OSError as error:
        raise InputError(f"{known.file} cannot be written: {error.strerror}", hint="Check its permissions.") from error
    return look(hooks, type_)


def uninstall(hooks: Path, type_: str) -> Hook:
    """Take our hook away, put back what was there before, and return what was done away with.

    Raises `InputError` where the hook there is not ours.
    """
    known = look(hooks, type_)
    if known.state is State.FOREIGN:
        raise InputError(f"{known.file} is not ours", hint="It was left as it is; remove it by hand.")
    if known.state is State.OURS:
        known.file.unlink()
        if known.earlier is not None:
            known.earlier.rename(known.file)
    return known


def script(type_: str, *, program: str, arguments: Sequence[str] = ()) -> str:
    """Return the text of the hook `type_`, which starts `program`."""
    run = " ".join(['"$program" secrets hook run', type_, *(shlex.quote(argument) for argument in arguments), '"$@"'])
    skip = "" if type_ == "pre-receive" else f" (on purpose, past every check: git {type_[4:]} --no-verify)"
    return _SCRIPT.format(
        mark=_MARK,
        program=shlex.quote(program),
        skip=skip,
        body=(_BODY_WITH_REFS if type_ in _WITH_REFS else _BODY).format(run=run, earlier=_EARLIER),
    )


_SCRIPT = """\
#!/bin/sh
{mark}: refuses what adds a credential. `auditor secrets hook install` wrote it; `... uninstall` takes it away.
program={program}
[ -x "$program" ] || program=$(command -v auditor) || {{
  echo 'auditor: refused, since the program was not found, so nothing was searched for credentials.' >&2
  echo ' hint: install it, or run `auditor secrets hook install` again{skip}.' >&2
  exit 1
}}
{body}"""
_BODY = """\
if [ -x "$0{earlier}" ]; then "$0{earlier}" "$@" || exit 1; fi
{run} || exit 1
"""
_BODY_WITH_REFS = """\
refs=$(cat) || exit 1
given() {{ [ -z "$refs" ] || printf '%s\\n' "$refs"; }}
if [ -x "$0{earlier}" ]; then given | "$0{earlier}" "$@" || exit 1; fi
given | {run} || exit 1
"""


def _there(file: Path) -> bool:
    return os.path.lexists(file)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", hint="Check its permissions.") from error


def _fault(file: Path, text: str) -> str:
    if not os.access(file, os.X_OK):
        return "it cannot be executed, so git passes over it"
    named = next((line for line in text.splitlines() if line.startswith("program=")), "program=")
    program = (shlex.split(named.removeprefix("program=")) or [""])[0]
    return "" if os.access(program, os.X_OK) else f"its program {program} is not there"


def _write(file: Path, text: str) -> None:
    """Write `file` whole or not at all: git may start it at any moment."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8", newline="\n")
    fresh.chmod(0o755)
    fresh.replace(file)
