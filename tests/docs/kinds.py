"""Writes what is read of each kind into docs/live.md: `python -m tests.docs.kinds`."""

import re
from itertools import groupby
from pathlib import Path

from auditor.collectors.kubernetes.kinds import KINDS, How, Kind

PAGE = Path(__file__).parents[2] / "docs" / "live.md"
_FORMS = {How.FULL: "whole", How.METADATA: "as a table with metadata", How.NAMES: "as a table of names"}
_SECTION = re.compile(r"(<!-- kinds -->\n).*?(<!-- /kinds -->)", re.DOTALL)


def page() -> str:
    """Return the page with the table as the program has it."""
    text = PAGE.read_text(encoding="utf-8")
    return _SECTION.sub(lambda match: match[1] + table() + match[2], text)


def table() -> str:
    """Return one row for each reason and form, in the order of the program's table."""
    order = list(dict.fromkeys(_row(kind) for kind in KINDS))
    rows = ["| read for | kinds | in which form | of `status` |", "|---|---|---|---|"]
    for row, kinds in groupby(sorted(KINDS, key=lambda kind: order.index(_row(kind))), key=_row):
        why, form, status = row
        names = ", ".join(f"`{kind.resource}`" for kind in kinds)
        rows.append(f"| {why} | {names} | {form} | {status} |")
    return "\n".join(rows) + "\n"


def _row(kind: Kind) -> tuple[str, str, str]:
    form = _FORMS[kind.how]
    if kind.spec is not None:
        form += f"; of `spec` {', '.join(kind.spec)}"
    return kind.why, form, ", ".join(kind.status)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
