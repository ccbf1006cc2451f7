"""The program's entry: answers `--version` and git before anything heavy is imported, ends without ceremony."""

import gc
import os
import sys
from typing import NoReturn

_HOOK = ["secrets", "hook", "run"]


def main() -> None:
    """Run `auditor`."""
    if sys.argv[1:] == ["--version"]:
        from auditor import __version__  # noqa: PLC0415 - keeps start-up short

        sys.stdout.write(f"auditor {__version__}\n")
        return
    # Nothing that loading makes is garbage, so looking for garbage only costs time; `run` looks again.
    gc.disable()
    if sys.argv[1:4] == _HOOK:
        from auditor.cli import hook_run  # noqa: PLC0415 - a commit waits, and typer takes longer than all of it

        _leave(SystemExit(hook_run.main(sys.argv[4:])))
    try:
        from auditor.cli.main import run  # noqa: PLC0415 - keeps start-up short
    except KeyboardInterrupt:
        # While Python still loads the program: no traceback then, either.
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    try:
        run()
    except SystemExit as end:
        _leave(end)


def _leave(end: SystemExit) -> NoReturn:
    """End the process at once: taking a result apart only to give its memory back costs a tenth of a whole run.

    Files are closed by then, and child processes have ended: whoever opened them saw to it.
    """
    if not isinstance(end.code, int):
        raise end
    for stream in (sys.stdout, sys.stderr):
        # One that was closed before we were started is not there.
        if stream is not None:
            stream.flush()
    os._exit(end.code)
