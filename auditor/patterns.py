"""Regular expressions of the program, compiled beforehand where this very Python did it.

To compile the few hundred that tell credentials costs a commit hook a third of its time, and a scan of one file an
eighth. `re` compiles in two steps: to a row of numbers, which takes nearly all of the time, and from that to a pattern.
The build keeps the first step's result (`auditor.prepared`); it is used where the interpreter is of the same series, as
it is with the bytecode of modules, and compiled as ever everywhere else. The interpreter checks the numbers before it
takes them.
"""

import re
import sys
from array import array
from collections.abc import Iterator
from typing import Any, AnyStr

from auditor import prepared

try:
    import _sre  # type: ignore[import-not-found]
except ImportError:
    # Another implementation than CPython: `re` alone knows how it works there.
    _sre = None

RUNTIME = f"{sys.implementation.cache_tag} {_sre.MAGIC} {_sre.CODESIZE}" if _sre is not None else ""
"""What the numbers are for: the series, whose tables of characters they know, and the form of the code."""
_asked: dict[tuple[str | bytes, int], None] = {}


def compile_(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what `re.compile` returns. Raises `re.error` as it does."""
    flags = int(flags)
    _asked[pattern, flags] = None
    found = prepared.patterns(runtime=RUNTIME).get((pattern, flags)) if RUNTIME else None
    if found is not None:
        known, groups, named, code = found
        numbers = array("I")
        numbers.frombytes(code)
        names: list[str | None] = [None] * (groups + 1)
        for name, group in named.items():
            names[group] = name
        try:
            made: re.Pattern[AnyStr] = _sre.compile(pattern, known, numbers.tolist(), groups, named, tuple(names))
        except (RuntimeError, TypeError, ValueError):
            # Not what this interpreter takes after all.
            return re.compile(pattern, flags)
        return made
    return re.compile(pattern, flags)


def asked() -> Iterator[tuple[str | bytes, int, prepared.Compiled]]:
    """Yield every pattern that was compiled here in this process, with its flags and its numbers.

    For the build alone: it stands in the way of `re` for a moment, to see what that makes.
    """
    compiler: Any = sys.modules["re._compiler"]
    for pattern, flags in sorted(_asked, key=repr):
        seen = _Seen()
        compiler._sre, kept = seen, compiler._sre  # noqa: SLF001 - `re` has no other door
        try:
            compiler.compile(pattern, flags)
        finally:
            compiler._sre = kept  # noqa: SLF001 - as above
        yield pattern, flags, seen.compiled()


class _Seen:
    """Stands where `re` hands over its numbers."""

    def __init__(self) -> None:
        self._compiled: prepared.Compiled | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(_sre, name)

    def compile(self, *handed: Any) -> None:
        _, flags, code, groups, names, _ = handed
        self._compiled = prepared.Compiled(int(flags), groups, dict(names), array("I", code).tobytes())

    def compiled(self) -> prepared.Compiled:
        if self._compiled is None:
            raise AssertionError("`re` compiles in another way than it did")
        return self._compiled
