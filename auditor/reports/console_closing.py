"""The last lines of the console: what was in scope, and every count."""

from collections.abc import Iterator

from auditor.model.assessment import Assessment
from auditor.model.verdict import Outcome
from auditor.reports import figures, leaks, systems
from auditor.reports.console_page import Page
from auditor.reports.figures import plural

_RULES = 5
"""How many rules that found credentials are shown."""


def closing(page: Page, assessment: Assessment) -> None:
    """Add what was read, what the baseline, findings and verdicts count; the last line counts every verdict."""
    page.blank()
    _scope(page, assessment)
    if assessment.baseline is not None:
        base = assessment.baseline
        lost = f", {base.incomparable:,} that cannot be compared (another fingerprint key)" if base.incomparable else ""
        page.say(f"{base.file} of {base.written}: {base.known:,} known, {base.fixed:,} fixed{lost}", label="baseline  ")
    _leaks(page, assessment)
    page.say(_findings_line(assessment), label="findings  ")
    counts = figures.verdicts(assessment)
    words = ", ".join(f"{counts[outcome]:,} {outcome.replace('_', ' ')}" for outcome in Outcome)
    page.say(words, label="verdicts  ")


def _scope(page: Page, assessment: Assessment) -> None:
    coverage = assessment.coverage
    skipped: dict[str, int] = {}
    for part in coverage:
        for what, count in part.skipped:
            skipped[what] = skipped.get(what, 0) + count
    files = (
        f"{sum(part.files_read for part in coverage):,} of {plural(sum(part.files_found for part in coverage), 'file')}"
    )
    lived = systems.systems(assessment)
    read, lists = sum(one.read for one in lived), sum(one.lists for one in lived)
    listed = f"{read:,} of {plural(lists, 'list')}"
    met = any(part.files_found for part in coverage) or not lived
    what = " and ".join(
        [*([files] if met else []), *([f"{listed} of {plural(len(lived), 'system')}"] if lived else [])]
    )
    subjects = plural(len(assessment.subjects), "subject")
    policies = plural(len(assessment.policies), "policy", "policies")
    page.say(f"{what} read, {subjects} judged by {policies}", label="scope     ")
    for one in lived:
        page.say(f"{one.name}: {systems.line(one)}", indent=10)
    if skipped:
        page.say(", ".join(f"{what} ({count:,})" for what, count in sorted(skipped.items())), label="skipped   ")
    deselected = len(assessment.run.deselected)
    if deselected:
        page.say(f"{plural(deselected, 'policy', 'policies')} of the library", label="not run   ")


def _leaks(page: Page, assessment: Assessment) -> None:
    """One leaked key in twelve files is one credential: both numbers are said, and which rules found the most."""
    found = assessment.leaks
    if found is None:
        return
    page.say("; ".join(filter(None, (leaks.found(found), leaks.state(found)))), label="leaks     ")
    shown = found.rules if page.show_all or len(found.rules) <= _RULES + 1 else found.rules[:_RULES]
    for entry in shown:
        page.say(leaks.rule(entry), indent=10)
    if len(found.rules) > len(shown):
        rest = sum(entry.credentials for entry in found.rules[len(shown) :])
        more = plural(len(found.rules) - len(shown), "further rule")
        page.say(f"... and {plural(rest, 'credential')} of {more}; --all shows them", indent=10)
    if found.possible:
        page.say(leaks.possible(found), indent=10)
    for text in leaks.searched(found):
        page.say(text, label="searched  ")


def _findings_line(assessment: Assessment) -> str:
    table = figures.severity_table(assessment.findings)
    new = [f"{row.new:,} {row.severity}" for row in table if row.new]
    other = list(_nonzero((sum(row.known for row in table), "known"), (sum(row.waived for row in table), "waived")))
    if not new and not other:
        return "none"
    return "; ".join(filter(None, (", ".join(new) or "nothing new", ", ".join(other))))


def _nonzero(*counts: tuple[int, str]) -> Iterator[str]:
    return (f"{count:,} {word}" for count, word in counts if count)
