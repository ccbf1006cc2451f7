"""Findings and populations as one table (RFC 4180), for spreadsheets and for an auditor who takes a sample.

A row with the record `finding` is one failing item. A row with the record `population` is one subject of one policy
with its outcome, so that the rows of a policy are its whole population; where only a number is known (subjects that a
policy does not apply to) the row carries it in `count`. A row with the record `gap` is one thing that was not read, and
one with the record `list` a list that was asked of a live system, with the objects that came back in `count`.

A spreadsheet takes a cell for a formula by its first character, so such a text is led by an apostrophe:
https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
from collections.abc import Iterator

from auditor.model.assessment import Assessment, Subject
from auditor.model.collection import Call
from auditor.model.coverage import Gap
from auditor.model.resource import Location
from auditor.model.verdict import Finding, Outcome
from auditor.reports import figures, systems
from auditor.reports.figures import PolicyBlock
from auditor.reports.options import Options
from auditor.reports.text import visible

COLUMNS = (
    "record", "policy_id", "policy", "severity", "outcome", "reason", "known", "waiver_id", "count",
    "subject", "type", "namespace", "name", "item", "message", "evidence",
    "file", "line", "column", "rendered_from", "fingerprint", "requirements", "thresholds", "source",
)  # fmt: skip
# The wide forms mean the same to a spreadsheet in some locales.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001

Row = dict[str, str]


def render(assessment: Assessment, options: Options) -> bytes:
    """Return a table in UTF-8 with a header: findings worst first, then populations by policy, gaps and lists."""
    del options  # a program reads this: there is nothing to adapt
    blocks = {block.policy.id: block for block in figures.blocks(assessment)}
    subjects = [_subject(subject) for subject in assessment.subjects]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for finding in assessment.findings:
        writer.writerow(_policy(blocks.get(finding.policy_id)) | subjects[finding.subject] | _finding(finding))
    for _, block in sorted(blocks.items()):
        writer.writerows(_population(block, subjects))
    for part in assessment.coverage:
        writer.writerows(_gap(gap) for gap in part.gaps)
    writer.writerows(map(_list, assessment.calls))
    return figures.utf8(text.getvalue())


def _policy(block: PolicyBlock | None) -> Row:
    if block is None:
        return {}
    policy = block.policy
    return {
        "policy_id": cell(policy.id),
        "policy": cell(policy.title),
        "severity": policy.severity,
        "thresholds": cell("; ".join(map(figures.threshold, block.result.parameters))),
        "requirements": cell(" ".join(link.requirement for link in policy.links)),
    }


def _subject(subject: Subject) -> Row:
    return {
        "subject": cell(subject.id),
        "type": cell(subject.type),
        "namespace": cell(subject.namespace),
        "name": cell(subject.name),
        "source": cell(subject.source),
    } | _place(subject.location)


def _finding(finding: Finding) -> Row:
    return {
        "record": "finding",
        "severity": finding.severity,
        "outcome": finding.outcome,
        "known": "yes" if finding.known else "no",
        "waiver_id": cell(finding.waiver_id),
        "count": "1",
        "item": cell(finding.item),
        "message": cell(finding.message),
        "evidence": cell("; ".join(f"{name}: {value}" for name, value in finding.evidence)),
        "fingerprint": finding.fingerprint,
    } | _place(finding.location)


def _population(block: PolicyBlock, subjects: list[Row]) -> Iterator[Row]:
    common = {"record": "population", **_policy(block)}
    result = block.result
    outcomes: list[tuple[int, Outcome, str]] = [
        *((index, Outcome.PASS, "") for index in result.passed),
        *((index, Outcome.FAIL, "") for index in result.failed),
        *((index, Outcome.WAIVED, "") for index in result.waived),
        *((index, Outcome.NOT_EVALUATED, reason) for index, reason in result.not_evaluated),
    ]
    for index, outcome, reason in sorted(outcomes):
        # Position -1: the policy found nothing to judge at all.
        subject = subjects[index] if index >= 0 else {}
        yield common | subject | {"outcome": outcome, "reason": cell(reason), "count": "1" if index >= 0 else "0"}
    for reason, count in result.not_applicable:
        yield common | {"outcome": Outcome.NOT_APPLICABLE, "reason": cell(reason), "count": str(count)}


def _gap(gap: Gap) -> Row:
    place = _place(Location(file=gap.file, line=gap.line))
    return {
        "record": "gap",
        "outcome": Outcome.NOT_EVALUATED,
        "reason": gap.reason,
        "message": cell(gap.detail),
    } | place


def _list(call: Call) -> Row:
    return {
        "record": "list",
        "outcome": Outcome.PASS if call.complete else Outcome.NOT_EVALUATED,
        "reason": call.result,
        "message": cell(call.reason),
        "count": str(call.items),
        "type": cell(call.type),
        "namespace": cell(call.namespace),
        "evidence": cell(systems.counted(call)),
        "file": cell(systems.request(call)),
        "source": cell(call.source),
    }


def _place(location: Location) -> Row:
    return {
        "file": cell(location.file),
        "line": "" if location.line is None else str(location.line),
        "column": "" if location.column is None else str(location.column),
        "rendered_from": cell(location.rendered_from),
    }


def cell(text: str) -> str:
    """Return `text` on one line as a cell that no spreadsheet takes for a formula."""
    shown = visible(" ".join(text.split()))
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
