"""Lines and columns of items, found by reading the file again: only files with findings pay for it."""

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache

from auditor.collectors import positions
from auditor.collectors.positions import Place
from auditor.collectors.sources import Source
from auditor.model.resource import Location, Origin, Path, pointer

_KUSTOMIZE = "Kustomize folder "
"""How the origin of what Kustomize rendered begins."""


class Places:
    """The files of one run, as far as something was found in them."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources: dict[str, Source] = {}
        self._rendered: dict[str, Source] = {}
        for source in sources:
            (self._rendered if source.rendered_from else self._sources)[source.file] = source
        self._read = lru_cache(maxsize=4)(_read)

    def locate(self, origin: Origin, paths: Sequence[Path], lines: Sequence[int] = ()) -> list[Location]:
        """Return where each of `paths` stands in the object of `origin`.

        `lines` are those inside of the values that are meant, from 0; below 0 a value as a whole.
        """
        found = self._found(origin, paths)
        # In a template of Helm's, a block may hold lines that are not rendered.
        as_written = not origin.rendered_from or origin.rendered_from.startswith(_KUSTOMIZE)
        if as_written and any(line >= 0 for line in lines):
            found = [self._inside(at, line) for at, line in zip(found, lines, strict=True)]
        return [
            Location(
                file=file,
                line=line,
                column=column,
                pointer=pointer((*origin.prefix, *path)),
                rendered_from=origin.rendered_from,
            )
            for (file, (line, column)), path in zip(found, paths, strict=True)
        ]

    def _made(self, content: bytes, origin: Origin, paths: Sequence[Path]) -> list[tuple[str, Place] | None]:
        """Return where what was rendered is written: in a base or patch, or in the template of a chart."""
        from auditor.collectors import bases, templated  # noqa: PLC0415 - start-up: only where such has findings

        if origin.rendered_from.startswith(_KUSTOMIZE):
            folder = os.path.dirname(origin.file) or "."  # noqa: PTH120 - strings, as in discovery
            return bases.locate(folder, content, origin, paths)
        made = bases.object_of(content, origin)
        return [(origin.file, place) for place in templated.locate(_text(self._read(origin.file)), made, paths)]

    def _inside(self, at: tuple[str, Place], line: int) -> tuple[str, Place]:
        file, place = at
        if line < 0 or place[0] is None:
            return at
        source = self._sources.get(file)
        content = self._content(source) if source is not None else self._read(file)
        return file, positions.inside(content, place, line)

    def _content(self, source: Source) -> bytes:
        return self._read(source.path or source.file) if source.content is None else source.content

    def _found(self, origin: Origin, paths: Sequence[Path]) -> list[tuple[str, Place]]:
        unknown: tuple[str, Place] = (origin.file, (None, None))
        if origin.rendered_from:
            rendered = self._rendered.get(origin.file)
            found = [] if rendered is None or rendered.content is None else self._made(rendered.content, origin, paths)
            return [place or unknown for place in found] or [unknown] * len(paths)
        source = self._sources.get(origin.file)
        if origin.line and not origin.prefix and not any(paths):
            # The object itself stands where its document begins: no need to read the file again.
            return [(origin.file, (origin.line, origin.column))] * len(paths)
        if origin.line is None or source is None:
            return [unknown] * len(paths)
        content = self._content(source)
        return [(origin.file, place) for place in positions.locate(content, origin, paths, kind=source.kind)]


def _text(content: bytes) -> str:
    return content.decode("utf-8", errors="replace")


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - as everywhere where thousands are opened
            return opened.read()
    except OSError:
        # It was there a moment ago; the finding stands, only its line is unknown.
        return b""
