"""The program's entry: answers `--version` before anything heavy is imported."""

import sys


def main() -> None:
    """Run `auditor`."""
    if sys.argv[1:] == ["--version"]:
        from auditor import __version__  # noqa: PLC0415 - keeps start-up short

        sys.stdout.write(f"auditor {__version__}\n")
        return
    try:
        from auditor.cli.main import run  # noqa: PLC0415 - keeps start-up short
    except KeyboardInterrupt:
        # While Python still loads the program: no traceback then, either.
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    run()
