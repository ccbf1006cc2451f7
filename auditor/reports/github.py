"""GitHub workflow annotations: one command a line, shown beside the lines of a pull request.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions

GitHub keeps ten errors, ten warnings and ten notices of a step and drops the rest without a word. So the worst come
first, no more than that are written, and the last notice counts what is missing.
"""

from collections.abc import Iterator

from auditor.model.assessment import Assessment
from auditor.model.verdict import Finding, Outcome, Severity
from auditor.reports import figures, leaks, systems
from auditor.reports.options import Options
from auditor.reports.text import visible

_LIMIT = 10
_LONGEST = 1_000
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.INFO: "notice",
}


def render(assessment: Assessment, options: Options) -> bytes:
    """Return workflow commands in UTF-8, one a line."""
    del options  # a program reads this: there is nothing to adapt
    failing = [finding for finding in assessment.findings if finding.outcome is Outcome.FAIL]
    # One warning is kept for what was not read, one notice for the counts.
    room = {"error": _LIMIT, "warning": _LIMIT - 1, "notice": _LIMIT - 1}
    shown = []
    for finding in sorted(failing, key=lambda finding: (finding.known, -finding.severity.rank)):
        level = "notice" if finding.known else _LEVELS[finding.severity]
        if room[level]:
            room[level] -= 1
            shown.append(_annotation(finding, level, assessment))
    lines = [*shown, *_unread(assessment), _closing(assessment, hidden=len(failing) - len(shown))]
    return figures.utf8("".join(f"{line}\n" for line in lines))


def _annotation(finding: Finding, level: str, assessment: Assessment) -> str:
    subject = assessment.subjects[finding.subject].id
    # What stands on a cluster stands in no file of the repository; its API path is part of the text.
    lives = systems.lives(finding.location.file)
    # A line of an older commit is another line, or none, of the file that is shown.
    elsewhere = lives or bool(leaks.revision(finding))
    place = {} if elsewhere else {"file": finding.location.file}
    if finding.location.line is not None and not leaks.revision(finding):
        place["line"] = str(finding.location.line)
        if finding.location.column is not None:
            place["col"] = str(finding.location.column)
    known = ", known" if finding.known else ""
    rendered = f"\nRendered from {finding.location.rendered_from}" if finding.location.rendered_from else ""
    item = f": {finding.item}" if finding.item else ""
    message = finding.message
    if len(message) > _LONGEST:
        message = f"{message[:_LONGEST]} ... ({len(message) - _LONGEST:,} more characters)"
    where = f"\n{finding.location.file if lives else leaks.place(finding)}" if elsewhere else ""
    text = f"{message}\n{subject}{item}{rendered}{where}"
    return _command(level, text, title=f"{finding.policy_id} ({finding.severity}{known})", **place)


def _unread(assessment: Assessment) -> Iterator[str]:
    gaps = [gap for part in assessment.coverage for gap in part.gaps]
    if gaps:
        lines = [f"{gap.file}: {gap.reason.replace('-', ' ')}" for gap in gaps[:_LIMIT]]
        if len(gaps) > _LIMIT:
            lines.append(f"... and {len(gaps) - _LIMIT:,} more")
        title = f"{figures.plural(len(gaps), 'thing')} in scope could not be read"
        yield _command("warning", "\n".join(lines), title=title)


def _closing(assessment: Assessment, *, hidden: int) -> str:
    counts = figures.verdicts(assessment)
    text = ", ".join(f"{counts[outcome]:,} {outcome.replace('_', ' ')}" for outcome in Outcome)
    if hidden:
        text = f"{figures.plural(hidden, 'finding')} without an annotation: GitHub keeps ten of each level.\n{text}"
    return _command("notice", text, title="auditor: verdicts")


def _command(level: str, text: str, **properties: str) -> str:
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {given}::{_data(text)}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
