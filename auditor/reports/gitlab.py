"""GitLab Code Quality: an array of issues, shown in a merge request where they are new.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format

GitLab compares with the target branch by fingerprint and drops an issue whose fingerprint was there already, so each
is made unique. It knows no suppression: what a waiver accepts is not in the file. What was not read is.
"""

import hashlib
from typing import Any

from auditor.model.assessment import Assessment
from auditor.model.coverage import Gap
from auditor.model.verdict import Finding, Outcome, Severity
from auditor.reports import json_text
from auditor.reports.options import Options
from auditor.reports.text import visible

_SEVERITIES = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render(assessment: Assessment, options: Options) -> bytes:
    """Return a JSON array in UTF-8, worst first."""
    del options  # a program reads this: there is nothing to adapt
    issues = [_finding(finding) for finding in assessment.findings if finding.outcome is Outcome.FAIL]
    issues += [_gap(gap) for part in assessment.coverage for gap in part.gaps]
    met: dict[str, int] = {}
    for issue in issues:
        mark = issue["fingerprint"]
        met[mark] = met.get(mark, 0) + 1
        if met[mark] > 1:
            issue["fingerprint"] = _digest(mark, str(met[mark]))
    return json_text.dump(issues, depth=1)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "description": visible(" ".join(finding.message.split())),
        "check_name": finding.policy_id,
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": visible(finding.location.file), "lines": {"begin": finding.location.line or 1}},
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "description": visible(" ".join(f"Not read: {gap.reason.replace('-', ' ')}. {gap.detail}".split())),
        "check_name": "not-read",
        "fingerprint": _digest("not-read", gap.file, gap.reason),
        "severity": "major",
        "location": {"path": visible(gap.file), "lines": {"begin": gap.line or 1}},
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
