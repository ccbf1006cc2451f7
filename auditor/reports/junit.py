"""JUnit XML as Jenkins' xUnit plugin defines it (`junit-10.xsd`): one suite a policy, one case a subject.

Not evaluated is an error and a thing that was not read is an error: unread must not look green. What a waiver or the
baseline accepts is skipped with the reason, since a failure would fail the job.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from html import escape

from auditor.model.assessment import Assessment
from auditor.model.verdict import Finding, Outcome, Parameter
from auditor.reports import figures, leaks
from auditor.reports.figures import PolicyBlock
from auditor.reports.options import Options
from auditor.reports.text import visible

# XML 1.0 forbids these two beside the control characters: https://www.w3.org/TR/xml/#charsets
_FORBIDDEN = re.compile("[\ufffe\uffff]")
_LONGEST = 300


def render(assessment: Assessment, options: Options) -> bytes:
    """Return JUnit XML in UTF-8. The same verdicts in any order give the same bytes."""
    del options  # a program reads this: there is nothing to adapt
    moment = assessment.run.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    suites = [_policy(block, assessment) for block in sorted(figures.blocks(assessment), key=lambda one: one.policy.id)]
    unread = _unread(assessment)
    if unread.cases:
        suites.append(unread)
    total, failures, errors = (
        sum(getattr(suite, name) for suite in suites) for name in ("tests", "failures", "errors")
    )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuites name="auditor" tests="{total}" failures="{failures}" errors="{errors}">')
    for suite in suites:
        lines.extend(suite.lines(moment))
    lines.append("</testsuites>\n")
    return figures.utf8("\n".join(lines))


@dataclass(slots=True)
class _Suite:
    name: str
    thresholds: tuple[Parameter, ...] = ()
    cases: list[str] = field(default_factory=list)
    failures: int = 0
    errors: int = 0
    skipped: int = 0

    @property
    def tests(self) -> int:
        return len(self.cases)

    def passed(self, name: str) -> None:
        self.cases.append(f"  <testcase {self._case(name)}/>")

    def failed(self, name: str, *, message: str, kind: str, text: str) -> None:
        self.failures += 1
        # A list of failures shows the message; the whole of a long one is in the text.
        short = message if len(message) <= _LONGEST else f"{message[:_LONGEST]} ..."
        self._add(name, f"<failure {_attributes(message=short, type=kind)}>{_text(text)}</failure>")

    def unsettled(self, name: str, *, message: str, kind: str) -> None:
        self.errors += 1
        self._add(name, f"<error {_attributes(message=message, type=kind)}/>")

    def skip(self, name: str, *, message: str) -> None:
        self.skipped += 1
        self._add(name, f"<skipped {_attributes(message=message)}/>")

    def lines(self, moment: str) -> Iterator[str]:
        counts = f'tests="{self.tests}" failures="{self.failures}" errors="{self.errors}" skipped="{self.skipped}"'
        yield f' <testsuite {_attributes(name=self.name)} {counts} timestamp="{moment}">'
        if self.thresholds:
            given = (
                f"<property {_attributes(name=each.name, value=figures.threshold(each))}/>" for each in self.thresholds
            )
            yield f"  <properties>{''.join(given)}</properties>"
        yield from self.cases
        yield " </testsuite>"

    def _add(self, name: str, inner: str) -> None:
        self.cases.append(f"  <testcase {self._case(name)}>{inner}</testcase>")

    def _case(self, name: str) -> str:
        return _attributes(name=name, classname=self.name)


def _policy(block: PolicyBlock, assessment: Assessment) -> _Suite:
    suite = _Suite(block.policy.id, block.result.parameters)
    result = block.result
    found: dict[int, list[Finding]] = {}
    for finding in block.findings:
        found.setdefault(finding.subject, []).append(finding)
    names = [subject.id for subject in assessment.subjects]
    reasons = {index: reason for index, reason in result.not_evaluated if index >= 0}
    for reason in (reason for index, reason in result.not_evaluated if index < 0):
        suite.unsettled("(the whole input)", message=reason, kind="not_evaluated")
    # In the order of the population, whatever came of each subject: a difference of two reports stays small.
    for index in sorted({*result.passed, *result.failed, *result.waived, *reasons, *found}):
        if index in reasons:
            suite.unsettled(names[index], message=reasons[index], kind="not_evaluated")
        elif index in found:
            _findings(suite, names[index], found[index], title=block.policy.title)
        else:
            suite.passed(names[index])
    for reason, count in result.not_applicable:
        suite.skip(f"({figures.plural(count, 'subject')} not applicable)", message=f"not applicable: {reason}")
    return suite


def _findings(suite: _Suite, name: str, findings: Iterable[Finding], *, title: str) -> None:
    failing = [finding for finding in findings if finding.outcome is Outcome.FAIL]
    new = [finding for finding in failing if not finding.known]
    if new:
        more = f" (and {len(new) - 1:,} more)" if len(new) > 1 else ""
        text = "\n".join(f"{leaks.place(finding)}: {finding.message}" for finding in new)
        suite.failed(name, message=f"{title}: {new[0].message}{more}", kind=new[0].severity, text=text)
    elif failing:
        suite.skip(name, message=f"known: the baseline holds {figures.plural(len(failing), 'finding')}")
    else:
        waivers = ", ".join(sorted({finding.waiver_id for finding in findings}))
        suite.skip(name, message=f"waived by {waivers}")


def _unread(assessment: Assessment) -> _Suite:
    suite = _Suite("coverage")
    for part in assessment.coverage:
        for gap in part.gaps:
            name = f"{gap.file}:{gap.line}" if gap.line is not None else gap.file
            suite.unsettled(name, message=f"not read. {gap.detail}", kind=gap.reason)
    return suite


def _attributes(**values: str) -> str:
    # An attribute's newlines and tabs would come back as spaces anyway.
    return " ".join(f'{name}="{_text(" ".join(value.split()))}"' for name, value in values.items())


def _text(value: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", visible(value)))
