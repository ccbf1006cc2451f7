"""The command tree, and the one place where errors become text and exit codes.

A process runs one command, so only that command's module is imported; help and shell completion import all.

Exit codes: 0 nothing failed at or above `--fail-on`; 1 something did; 2 wrong use, bad input or configuration;
3 something in scope could not be read and nothing failed; 4 an internal error.
"""

import errno
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from auditor import __version__
from auditor.cli import terminal
from auditor.model.errors import AuditorError, InputError
from auditor.redaction.redactor import redact_text

COMMANDS = {
    "scan": "auditor.cli.scan:scan",
    "init": "auditor.cli.init:init",
    "doctor": "auditor.cli.doctor:doctor",
    "collect": "auditor.cli.collect:collect",
    "audit": "auditor.cli.audit:audit",
    "snapshot": "auditor.cli.snapshot:app",
    "secrets": "auditor.cli.secrets:app",
    "access": "auditor.cli.access:app",
    "report": "auditor.cli.report:report",
    "baseline": "auditor.cli.baseline:baseline",
    "diff": "auditor.cli.diff:diff",
    "policy": "auditor.cli.policy:app",
    "frameworks": "auditor.cli.frameworks:app",
}
"""Command -> module and the function or sub-application in it, in the order of the help."""

_INTERNAL = 4
_WRONG_USE: Any = typer.BadParameter.__mro__[1]
"""`UsageError` of the click that typer uses: newer ones bring their own."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Faults that a user can mend: a full disk, a quota, a limit of size."""


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    # It may stand anywhere, and errors that come before any command is parsed obey it too.
    given = [argument for argument in given if argument != "--debug"]
    try:
        command = application(given)
        gc.enable()
        command(args=given, prog_name="auditor")
    except AuditorError as error:
        terminal.complain(error)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, _InterruptedError):
        terminal.note("interrupted: reports that were not written yet are missing")
        sys.exit(130)
    except (BrokenPipeError, _ReaderGoneError):
        # The reader of our output went away (`| head`): not our failure, and nobody is left to tell.
        _let_go()
        sys.exit(141)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            terminal.confess(error, debug=debug)
            sys.exit(_INTERNAL)
        hint = (
            "Make room where standard output and temporary files go, and run it again: what was written is not whole."
        )
        full = InputError(f"the output could not be written to its end: {error.strerror}", hint=hint)
        terminal.complain(full)
        _let_go()
        sys.exit(full.exit_code)
    except Exception as error:  # noqa: BLE001 - the last resort: a bug must not print a secret
        terminal.confess(error, debug=debug)
        sys.exit(_INTERNAL)
    sys.exit(0)


def _let_go() -> None:
    """Give standard output up, so that what is still buffered fails no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _InterruptedError(Exception):
    """Somebody pressed Ctrl-C while a command ran."""


class _ReaderGoneError(Exception):
    """Nobody reads our standard output any more."""


class _Commands(TyperGroup):
    """Commands whose interruption and broken pipe reach `run`: the library would leave with codes of its own."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command, standard output included: what is still buffered may break the pipe, too."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except KeyboardInterrupt as error:
            raise _InterruptedError from error
        except BrokenPipeError as error:
            raise _ReaderGoneError from error
        except _WRONG_USE as error:
            # It repeats what was typed, which may hold what should have gone elsewhere.
            error.message = redact_text(error.message)
            raise


def application(arguments: Sequence[str]) -> typer.Typer:
    """Return the application with the one command that `arguments` name, or with all where they name none."""
    app = typer.Typer(
        name="auditor",
        cls=_Commands,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Say, with proof, who can obtain each secret and which SOC 2 and PCI DSS requirement that touches.",
        epilog=(
            "Examples:  auditor scan deploy/   |   helm template . | auditor scan -   |   "
            "auditor scan . --report html=audit.html --report sarif=audit.sarif"
        ),
    )
    app.callback()(_root)
    for name in _named(arguments) or COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        target: Any = getattr(importlib.import_module(module), attribute)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=name)
        else:
            app.command(name)(target)
    return app


def _named(arguments: Sequence[str]) -> list[str]:
    if any(name.endswith("_COMPLETE") for name in os.environ):
        return []
    first = next((argument for argument in arguments if not argument.startswith("-")), "")
    return [first] if first in COMMANDS else []


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and stop.", is_eager=True),
    debug: bool = typer.Option(False, "--debug", help="Print a redacted traceback when something goes wrong inside."),
) -> None:
    del debug  # read by `run`; declared here for the help
    if version:
        typer.echo(f"auditor {__version__}")
        raise typer.Exit
