"""Reports that are no plain text as lines that a golden file can hold and a person can review."""

import io
import json
import re
from html.parser import HTMLParser

from pypdf import PdfReader

from auditor import reports
from auditor.model.assessment import Assessment

RICH = {"html": ".outline.txt", "pdf": ".pages.txt"}
"""Formats with goldens in such a form, and the endings of those."""

_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_DRAWN = frozenset({"svg", "style"})
"""What the eye reads; its parts are no text."""
_OURS = re.compile(r'<section id="policies"|<script')
"""Elements that hold words of the policies, and every verdict."""
_LENGTH = re.compile(r"(?<=\d )/ \d+$|(?<=B Glossary \.\.\. )\d+$", re.MULTILINE)
"""How many pages there are, and on which the last section begins: so many as the policies' rules fill."""
_LEADERS = re.compile(r"(?: \.){4,}")
_SHA256 = re.compile(r"sha256-[A-Za-z0-9+/=]{43,44}")


def lines(format_: str, assessment: Assessment) -> str:
    """Return the report `format_` of the assessment as lines."""
    content = reports.render(format_, assessment)
    return _outline(content.decode()) if format_ == "html" else _pages(content)


def without_policies(format_: str, said: str) -> str:
    """Return the lines without those that hold the library's own words: they change with every policy."""
    if format_ == "pdf":
        head, _, rest = said.partition("\nA Policy catalogue\nThe rule of")
        whole = head + "\nB Glossary\n" + rest.rpartition("\nB Glossary\n")[2]
        return _LENGTH.sub("of them", whole)
    kept, inside, depth = [], False, 0
    for line in said.splitlines():
        indent = len(line) - len(line.lstrip())
        if inside and indent <= depth:
            inside = False
        if not inside:
            kept.append(line)
            if _OURS.match(line.lstrip()):
                inside, depth = True, indent
    return "\n".join(kept) + "\n"


def _pages(content: bytes) -> str:
    """Return the text of each page as another library reads it."""
    parts = []
    for number, page in enumerate(PdfReader(io.BytesIO(content)).pages, 1):
        text = _LEADERS.sub(" ...", page.extract_text().replace("\u200b", ""))
        parts.append(f"==== page {number}\n" + "\n".join(line.rstrip() for line in text.splitlines()))
    return "\n".join(parts) + "\n"


def _outline(content: str) -> str:
    """Return elements with their attributes and texts, each on a line, as deep as it stands; data by its keys."""
    outline = _Outline()
    outline.feed(content)
    outline.close()
    return "\n".join(outline.lines) + "\n"


class _Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._open: list[str] = []
        self._drawn = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._drawn:
            said = "".join(f" {name}" if value is None else f' {name}="{value}"' for name, value in attrs)
            self._say(_SHA256.sub("sha256-...", f"<{tag}{said}>"))
        if tag not in _VOID:
            self._open.append(tag)
            self._drawn += tag in _DRAWN

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its interface
        if not self._drawn:
            self._say(f"<{tag}/>")

    def handle_endtag(self, tag: str) -> None:
        assert self._open
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()
        self._drawn -= tag in _DRAWN

    def handle_data(self, data: str) -> None:
        if self._drawn or not data.strip():
            return
        if self._open[-1] != "script":
            self._say(" ".join(data.split()))
        elif data.lstrip().startswith("{"):
            self._data(json.loads(data))

    def _data(self, value: dict[str, object]) -> None:
        for key, inner in value.items():
            for part in inner if isinstance(inner, list) and inner else [inner]:
                self._say(f"{key}: {json.dumps(part, ensure_ascii=False)}")

    def _say(self, text: str) -> None:
        # A line that another program ends where we do not would shift all below it.
        self.lines.append(" " * len(self._open) + text.replace("\u2028", "\\u2028").replace("\x85", "\\x85"))
