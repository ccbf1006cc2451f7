"""One module a report format. An assessment goes in, bytes come out; nothing is read but templates.

A new format is one module with `render(assessment, options) -> bytes`, its test, and one line in `REPORTS`.
The same verdicts in any order give the same bytes, because every module receives them in one order.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path

from auditor.model.assessment import Assessment
from auditor.model.errors import ConfigurationError
from auditor.model.record import record
from auditor.reports.options import Options


@record
class Report:
    """One format."""

    module: str
    """Below this package; imported when the format is chosen."""
    suffix: str
    """Usual end of a file's name."""
    description: str
    binary: bool = False
    """Whether a terminal cannot show it."""


REPORTS: Mapping[str, Report] = {
    "console": Report(module="console", suffix=".txt", description="for people at a terminal and in a build log"),
    "json": Report(module="json_report", suffix=".json", description="everything, for programs; can be read back"),
    "sarif": Report(module="sarif", suffix=".sarif", description="SARIF 2.1.0 with passes, waivers and requirements"),
    "sarif-github": Report(
        module="sarif_github", suffix=".sarif", description="SARIF for GitHub code scanning: alerts only"
    ),
    "junit": Report(module="junit", suffix=".xml", description="JUnit XML, for CI servers"),
    "gitlab": Report(module="gitlab", suffix=".json", description="GitLab Code Quality"),
    "gitlab-secrets": Report(
        module="gitlab_secrets", suffix=".json", description="GitLab Secret Detection, of `auditor secrets scan`"
    ),
    "github": Report(module="github", suffix=".txt", description="GitHub workflow annotations"),
    "csv": Report(module="csv_report", suffix=".csv", description="findings and populations as a table"),
    "markdown": Report(module="markdown", suffix=".md", description="for pull-request comments and job summaries"),
    "html": Report(module="html_report", suffix=".html", description="one self-contained page to read and filter"),
    "pdf": Report(module="pdf", suffix=".pdf", description="the auditor's document", binary=True),
}
"""Every format by the name that `--format` and `--report` take."""


def render(
    format_: str,
    assessment: Assessment,
    *,
    templates: Path | None = None,
    width: int = 100,
    colour: bool = False,
    show_all: bool = False,
) -> bytes:
    """Return `assessment` in the format named `format_`, a key of `REPORTS`.

    Raises `AuditorError` when a template of the user's is wrong, or the folder with them is none.
    """
    from auditor.reports.figures import canonical  # noqa: PLC0415 - the table alone is needed at start-up

    if templates is not None and not templates.is_dir():
        raise ConfigurationError(f"the template folder {templates} is no folder", hint="Check --templates.")
    module = importlib.import_module(f"{__name__}.{REPORTS[format_].module}")
    options = Options(templates=templates, width=width, colour=colour, show_all=show_all)
    content: bytes = module.render(canonical(assessment), options)
    return content
