"""Reading a stored assessment that a command names; `-` is standard input."""

import gc
import sys
from pathlib import Path

from auditor.model.assessment import Assessment


def read(path: Path) -> Assessment:
    """Return the assessment in the file `path`. Raises `InputError` as `auditor.assess.stored` does."""
    from auditor.assess import stored  # noqa: PLC0415 - after wrong use has been refused

    # What is read stays until the end, so that looking for garbage meanwhile only costs time.
    gc.disable()
    if str(path) == "-":
        return stored.parse(sys.stdin.buffer.read(), name="standard input")
    return stored.load(path)
