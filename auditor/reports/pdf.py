"""The assessment as the auditor's document: PDF/A-2a for the archive, PDF/UA-1 for every reader, by Typst.

The template (`report.typ`) lays out; every text reaches it through `report.json`, so nothing in an assessment is read
as markup. Only the fonts inside Typst are used: the same assessment gives the same bytes on every machine.
"""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from auditor import data
from auditor.model.assessment import Assessment
from auditor.model.errors import ConfigurationError
from auditor.reports.options import Options
from auditor.reports.pdf_document import document
from auditor.reports.text import visible

_UNPRINTABLE = re.compile(
    "[^\n -~\xa1-\xac\xae-\u02ff\u0391-\u03a1\u03a3-\u0482\u048a-\u04ff\u1e00-\u1eff"
    "\u2010-\u2015\u2018-\u2022\u2026\u2030\u2032\u2033\u2039\u203a\u20ac\u2116\u2122\u2190-\u22ff]"
)
"""What the fonts inside Typst do not hold for certain. A missing glyph is an error in PDF/A, so it is named instead."""

_CODE = frozenset({"expression", "snippet"})

_LONG_WORD = re.compile(r"[^\s/\u200b-]{26,}")
"""What Typst would not break: it breaks behind a slash and a hyphen by itself, so paths can be copied as they are."""
_JOINT = re.compile(r"[,;:._=&?@]+(?=[^,;:._=&?@])")
_UNJOINTED = re.compile(r"[^\u200b]{40}(?=[^\u200b])")


def render(assessment: Assessment, options: Options) -> bytes:
    """Return the document.

    Raises `ConfigurationError` when a template of the user's folder cannot be rendered.
    """
    import typst  # noqa: PLC0415 - a renderer is loaded when it is chosen

    files, fonts = _files(options.templates)
    files["report.json"] = json.dumps(_shown(document(assessment)), separators=(",", ":")).encode()
    try:
        # Its types do not say so, but it takes files held in memory, by name; `main.typ` is where it starts.
        memory: Any = files
        compiler = typst.Compiler(memory, font_paths=fonts, ignore_system_fonts=True)
        content = compiler.compile(
            format="pdf", pdf_standards=["a-2a", "ua-1"], timestamp=int(assessment.run.started.timestamp())
        )
    except typst.TypstError as error:
        raise ConfigurationError(
            f"the PDF template cannot be rendered: {visible(error.message)}",
            hint="Compare it with the built-in report.typ, or leave `templates` out to use that one.",
        ) from error
    if not isinstance(content, bytes):
        raise TypeError("Typst returned no document")
    return content


def _files(folder: Path | None) -> tuple[dict[str, bytes], list[str | Path]]:
    """Return the files that the template may read, by name, and the folders with fonts of the user's."""
    files = {"main.typ": (data.templates() / "report.typ").read_bytes()}
    fonts: list[str | Path] = []
    if folder is not None:
        # What a template of the user's includes stands beside it: a logo, a second .typ file.
        for path in sorted(folder.iterdir()):
            if path.suffix in {".typ", ".svg", ".png", ".jpg"} and path.is_file():
                files["main.typ" if path.name == "report.typ" else path.name] = path.read_bytes()
        if (folder / "fonts").is_dir():
            fonts.append(folder / "fonts")
    return files, fonts


def _shown(value: Any, *, as_written: bool = False) -> Any:
    """Return `value` with every text as these fonts can print it, and with places where a long word may break.

    Lines are kept in code alone: in a sentence they are where its author's editor ended.
    """
    match value:
        case str():
            return _text(value if as_written else " ".join(value.split()))
        case dict():
            return {key: _shown(item, as_written=key in _CODE) for key, item in value.items()}
        case list() | tuple():
            return [_shown(item) for item in value]
        case _:
            return value


def _breakable(word: re.Match[str]) -> str:
    """Return a long word that may break behind its joints (`,`, `.`, `_`), and elsewhere only where it has none."""
    return _UNJOINTED.sub("\\g<0>\u200b", _JOINT.sub("\\g<0>\u200b", word[0]))


def _text(text: str) -> str:
    if len(text) > 25 or not text.isascii() or not text.isprintable():
        text = visible(unicodedata.normalize("NFC", text.replace("\t", "    ")))
        text = _UNPRINTABLE.sub(lambda match: f"\\u{{{ord(match[0]):04X}}}", text)
        text = _LONG_WORD.sub(_breakable, text)
    return text
