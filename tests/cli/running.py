"""Runs the command line in this process, as the installed program does."""

from collections.abc import Sequence

import pytest

from auditor.cli import main


def run(arguments: Sequence[object]) -> int:
    """Return the exit code of `auditor ARGUMENTS`."""
    with pytest.raises(SystemExit) as left:
        main.run([str(argument) for argument in arguments])
    code = left.value.code
    assert isinstance(code, int)
    return code
