"""Where the data that ships with the program lies: the policy library and the report templates.

In a checkout they stand at the top level; in the wheel they are packed below `auditor/_data`. Nothing is read here.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def policies() -> Path:
    """Return the folder of the policy library, its schemas and the framework catalogues."""
    return _first(_PACKAGE / "_data" / "policies", _PACKAGE.parent / "policies")


def templates() -> Path:
    """Return the folder of the report templates."""
    return _first(_PACKAGE / "_data" / "templates", _PACKAGE.parent / "reports" / "templates")


def prepared() -> Path:
    """Return the file with what was made of the library beforehand; it need not be there."""
    if (_PACKAGE / "_data").is_dir():
        return _PACKAGE / "_data" / "prepared.bin"
    return _PACKAGE.parent / ".cache" / "prepared.bin"


def _first(packed: Path, checkout: Path) -> Path:
    return packed if packed.is_dir() else checkout
