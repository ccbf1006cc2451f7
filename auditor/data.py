"""Where the data that ships with the program lies: the policy library and the report templates.

In a checkout they stand at the top level; in the wheel they are packed below `auditor/_data`. Nothing is read here.
"""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # A commit hook does without: it takes 3 ms to import.
    from pathlib import Path

_PACKED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_data")  # noqa: PTH100, PTH118, PTH120 - as above
_CHECKOUT = os.path.dirname(os.path.dirname(_PACKED))  # noqa: PTH120 - as above


def policies() -> "Path":
    """Return the folder of the policy library, its schemas and the framework catalogues."""
    return _path(policies_name())


def policies_name() -> str:
    """Return the same folder as a text, for what has to start quickly."""
    return _first(("policies",), ("policies",))


def templates() -> "Path":
    """Return the folder of the report templates."""
    return _path(_first(("templates",), ("reports", "templates")))


def prepared() -> "Path":
    """Return the file with what was made of the library beforehand; it need not be there."""
    return _path(prepared_name())


def prepared_name() -> str:
    """Return the same file as a text."""
    packed = os.path.isdir(_PACKED)  # noqa: PTH112 - as above
    return os.path.join(_PACKED if packed else os.path.join(_CHECKOUT, ".cache"), "prepared.bin")  # noqa: PTH118 - as above


def _first(packed: tuple[str, ...], checkout: tuple[str, ...]) -> str:
    there = os.path.join(_PACKED, *packed)  # noqa: PTH118 - as above
    return there if os.path.isdir(there) else os.path.join(_CHECKOUT, *checkout)  # noqa: PTH112, PTH118 - as above


def _path(name: str) -> "Path":
    from pathlib import Path  # noqa: PLC0415 - as above

    return Path(name)
