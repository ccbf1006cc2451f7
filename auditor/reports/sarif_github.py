"""SARIF for GitHub's code scanning: what should become an alert, and nothing else.

GitHub shows every result as an alert, also passes, what is open, and what is suppressed (seen in microsoft/PSRule#955,
github/codeql-action#1230). A file with more than 25,000 results is refused, so the worst are kept and the rest is
counted: https://docs.github.com/en/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit

An alert points at a line of the commit that was analysed. A credential that only the history holds stands at no such
line, so it would be shown beside another text, or beside none; it is counted in a notification, and the other formats
hold it.
"""

from auditor.model.assessment import Assessment
from auditor.model.verdict import Outcome
from auditor.reports import leaks, sarif
from auditor.reports.options import Options

LIMIT = 25_000


def render(assessment: Assessment, options: Options) -> bytes:
    """Return a SARIF log whose results are the findings that no waiver accepts, known ones included, in UTF-8."""
    del options  # a program reads this: there is nothing to adapt
    # A known finding stays an alert: GitHub would close it as fixed if it were not in the file.
    failing = [finding for finding in assessment.findings if finding.outcome is Outcome.FAIL]
    there = [finding for finding in failing if not leaks.revision(finding)]
    there.sort(key=lambda finding: (finding.known, -finding.severity.rank))
    return sarif.render_alerts(
        assessment, there[:LIMIT], left_out=max(0, len(there) - LIMIT), past=len(failing) - len(there)
    )
