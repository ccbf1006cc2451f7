"""Lines for a terminal or a build log: wrapped, coloured where that is wanted, free of what a terminal acts upon."""

import re
import textwrap

from auditor.model.verdict import Outcome, Severity
from auditor.reports.options import Options
from auditor.reports.text import visible

_LONGEST = 400
"""Characters of one text, unless everything is wanted."""

_STYLES = {
    Severity.CRITICAL: "1;35",
    Severity.HIGH: "1;31",
    Severity.MEDIUM: "1;33",
    Severity.LOW: "1;36",
    Severity.INFO: "1;34",
    Outcome.FAIL: "31",
    Outcome.PASS: "32",
    Outcome.NOT_EVALUATED: "33",
    "strong": "1",
    "faint": "2",
    "arrow": "34",
}
# Lines that a CI runner would obey: GitHub's commands at the start of a line, Azure's anywhere.
_COMMAND = re.compile(r"##(?=\[|vso\[)")


class Page:
    """Lines as they are written; everything from outside passes `safe`."""

    def __init__(self, options: Options) -> None:
        self.lines: list[str] = []
        self.show_all = options.show_all
        self._colour = options.colour
        # Prose wider than this tires the eye; narrower than this, every word would stand alone.
        self._width = min(max(options.width, 40), 120)

    def paint(self, text: str, style: str) -> str:
        """Return `text` in the colour of `style`, where there is colour."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour and style in _STYLES else text

    def heading(self, title: str) -> None:
        """Add an empty line and the title."""
        self.blank()
        self.lines.append(self.paint(title, "strong"))

    def blank(self) -> None:
        """Add an empty line, unless one is there."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def say(self, text: str, *, indent: int = 0, label: str = "", style: str = "") -> None:
        """Add `text`, wrapped; further lines stand below the text, not below its label."""
        first = " " * indent + label
        lines = self._wrap(self.safe(text), indent=len(first))
        for number, line in enumerate(lines):
            start = self.paint(first, "faint") if number == 0 and label else " " * len(first)
            self.lines.append((start + self.paint(line, style)).rstrip())

    def safe(self, text: str) -> str:
        """Return `text` on one line, free of what a terminal or a CI runner acts upon, and not endless."""
        if len(text) > _LONGEST and not self.show_all:
            text = f"{text[:_LONGEST]} ... ({len(text) - _LONGEST:,} more characters)"
        return _COMMAND.sub(r"##\\", visible(" ".join(text.split())))

    def _wrap(self, text: str, *, indent: int) -> list[str]:
        room = max(self._width - indent, 20)
        if len(text) <= room:
            lines = [text]
        else:
            lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
        return [f"\\{line}" if line.startswith("::") else line for line in lines]
