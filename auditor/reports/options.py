"""What a report may be told beside the assessment. Reports know no path, clock or terminal of their own."""

from pathlib import Path

from auditor.model.record import record


@record
class Options:
    """How an assessment is shown; never what it says."""

    templates: Path | None = None
    """The user's folder of Jinja templates, looked at before the built-in one (Markdown and HTML)."""
    width: int = 100
    """Columns of the terminal (console)."""
    colour: bool = False
    """Whether escape sequences are wanted (console)."""
    show_all: bool = False
    """Whether long lists are shown whole (console)."""
