"""GitLab Secret Detection: what its vulnerability report and merge requests take in.

https://docs.gitlab.com/development/integrations/secure/#report

Only credentials outside of API objects are in it (`auditor secrets scan`). GitLab tells findings apart by their id, so
that is the finding's fingerprint; what a waiver accepts is not in the file. A run that is not complete says so.
"""

from typing import Any

from auditor.model.assessment import Assessment
from auditor.model.verdict import Finding, Outcome, Severity
from auditor.reports import json_text
from auditor.reports.options import Options
from auditor.reports.text import visible

_VERSION = "15.0.7"
"""Of the report's schema."""
_SUBJECT = "fact/credential"
_SEVERITIES = {
    Severity.CRITICAL: "Critical",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
    Severity.INFO: "Info",
}
_NO_COMMIT = "0000000"
"""Stands for the commit where none is known: the schema wants one."""


def render(assessment: Assessment, options: Options) -> bytes:
    """Return the report in UTF-8, worst first."""
    del options  # a program reads this: there is nothing to adapt
    found = [
        _vulnerability(finding)
        for finding in assessment.findings
        if finding.outcome is Outcome.FAIL and assessment.subjects[finding.subject].type == _SUBJECT
    ]
    time = assessment.run.started.strftime("%Y-%m-%dT%H:%M:%S")
    program = {
        "id": "auditor",
        "name": "auditor",
        "vendor": {"name": "auditor"},
        "version": assessment.run.tool_version,
    }
    report = {
        "version": _VERSION,
        "scan": {
            "analyzer": program,
            "scanner": program,
            "type": "secret_detection",
            "start_time": time,
            "end_time": time,
            "status": "success" if assessment.complete else "failure",
        },
        "vulnerabilities": found,
    }
    return json_text.dump(report, depth=2)


def _vulnerability(finding: Finding) -> dict[str, Any]:
    told = dict(finding.evidence)
    rule = told.get("rule", finding.policy_id)
    return {
        "id": "-".join(filter(None, (finding.fingerprint, finding.value_fingerprint))),
        "category": "secret_detection",
        "name": visible(rule),
        "description": visible(" ".join(finding.message.split())),
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "file": visible(finding.location.file),
            "start_line": finding.location.line or 1,
            "commit": {"sha": told.get("commit") or _NO_COMMIT},
        },
        "identifiers": [
            {"type": "auditor_policy", "name": f"auditor policy {finding.policy_id}", "value": finding.policy_id},
            {"type": "auditor_rule", "name": f"auditor rule {rule}", "value": rule},
        ],
    }
