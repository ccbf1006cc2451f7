"""The assessment for a person at a terminal or in a build log: worst first, grouped by policy, folded, counted.

Whatever is not shown is counted, and the last line counts every verdict. Colour repeats what the words say.
No table library is loaded: this is what a CI gate prints, and most of its time would go into that.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from auditor.model.assessment import Assessment, Subject, WaiverUse
from auditor.model.coverage import Gap
from auditor.model.framework import Framework
from auditor.model.verdict import Finding, Outcome, Parameter, Severity
from auditor.reports import figures, leaks, systems
from auditor.reports.figures import PolicyBlock, RequirementRow, plural
from auditor.reports.options import Options
from auditor.reports.text import visible

_FEW, _MANY = 30, 300
"""Up to so many failing findings all are shown; up to so many, five a policy; beyond, three."""
_GAPS, _REASONS, _IDS, _RULES = 10, 8, 12, 5
"""How many gaps, reasons, ids in a row and rules that found credentials are shown."""
_VALUE = 60
"""Characters of a threshold's value, unless everything is wanted."""
_LONGEST = 400
"""Characters of one text, unless everything is wanted."""

_STYLES = {
    Severity.CRITICAL: "1;35",
    Severity.HIGH: "1;31",
    Severity.MEDIUM: "1;33",
    Severity.LOW: "1;36",
    Severity.INFO: "1;34",
    Outcome.FAIL: "31",
    Outcome.PASS: "32",
    Outcome.NOT_EVALUATED: "33",
    "strong": "1",
    "faint": "2",
    "arrow": "34",
}
# Lines that a CI runner would obey: GitHub's commands at the start of a line, Azure's anywhere.
_COMMAND = re.compile(r"##(?=\[|vso\[)")


def render(assessment: Assessment, options: Options) -> bytes:
    """Return lines for a terminal of `options.width` columns, in UTF-8."""
    page = _Page(options)
    blocks = figures.blocks(assessment)
    _findings(page, blocks, assessment)
    _gaps(page, assessment)
    _not_evaluated(page, blocks)
    _waivers(page, assessment.waivers)
    _requirements(page, assessment)
    _closing(page, assessment)
    return figures.utf8("".join(f"{line}\n" for line in page.lines))


class _Page:
    """Lines as they are written; everything from outside passes `safe`."""

    def __init__(self, options: Options) -> None:
        self.lines: list[str] = []
        self.show_all = options.show_all
        self._colour = options.colour
        # Prose wider than this tires the eye; narrower than this, every word would stand alone.
        self._width = min(max(options.width, 40), 120)

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour and style in _STYLES else text

    def heading(self, title: str) -> None:
        self.blank()
        self.lines.append(self.paint(title, "strong"))

    def blank(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def say(self, text: str, *, indent: int = 0, label: str = "", style: str = "") -> None:
        """Add `text`, wrapped; further lines stand below the text, not below its label."""
        first = " " * indent + label
        lines = self._wrap(self.safe(text), indent=len(first))
        for number, line in enumerate(lines):
            start = self.paint(first, "faint") if number == 0 and label else " " * len(first)
            self.lines.append((start + self.paint(line, style)).rstrip())

    def safe(self, text: str) -> str:
        """Return `text` on one line, free of what a terminal or a CI runner acts upon, and not endless."""
        if len(text) > _LONGEST and not self.show_all:
            text = f"{text[:_LONGEST]} ... ({len(text) - _LONGEST:,} more characters)"
        return _COMMAND.sub(r"##\\", visible(" ".join(text.split())))

    def _wrap(self, text: str, *, indent: int) -> list[str]:
        room = max(self._width - indent, 20)
        if len(text) <= room:
            lines = [text]
        else:
            lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
        return [f"\\{line}" if line.startswith("::") else line for line in lines]


def _findings(page: _Page, blocks: Sequence[PolicyBlock], assessment: Assessment) -> None:
    failing = sum(len(block.failing) for block in blocks)
    limit = failing if page.show_all or failing <= _FEW else 5 if failing <= _MANY else 3
    for block in blocks:
        if block.failing:
            _block(page, block, assessment, limit=limit)


def _block(page: _Page, block: PolicyBlock, assessment: Assessment, *, limit: int) -> None:
    policy = block.policy
    page.blank()
    head = page.paint(f"{policy.severity}[{policy.id}]", policy.severity)
    page.lines.append(f"{head}: {page.paint(page.safe(policy.title), 'strong')}")
    failing = block.failing
    # "and 1 more" takes the line that the one would have taken.
    shown = failing if len(failing) <= limit + 1 else _spread(failing, limit)
    for finding in shown:
        _finding(page, finding, assessment)
    hidden = len(failing) - len(shown)
    if hidden:
        taken = set(map(id, shown))
        files = len({finding.location.file for finding in failing if id(finding) not in taken})
        page.say(f"... and {hidden:,} more in {plural(files, 'file')}; --all shows them", indent=2)
    waived = len(block.findings) - len(failing)
    if waived:
        page.say(f"... and {waived:,} waived", indent=2)
    for parameter in block.result.parameters:
        page.say(_threshold(parameter, page.show_all), indent=2, label="with: ")
    page.say(policy.remediation, indent=2, label="hint: ")
    link = figures.link(policy.references)
    page.say(f"auditor policy show {policy.id}" + (f", {link}" if link else ""), indent=2, label="docs: ")


def _spread(findings: Sequence[Finding], limit: int) -> list[Finding]:
    """Return `limit` of the findings in their order, new ones before known ones, from as many files as there are."""
    seen: set[str] = set()
    ranked: list[tuple[bool, bool, int]] = []
    for position, finding in enumerate(findings):
        ranked.append((finding.known, finding.location.file in seen, position))
        seen.add(finding.location.file)
    return [findings[position] for position in sorted(position for *_, position in sorted(ranked)[:limit])]


def _threshold(parameter: Parameter, show_all: bool) -> str:
    """Return a threshold with its origin; a list of many values is cut, and why the value is what it is left out."""
    if show_all:
        return figures.threshold(parameter)
    value = parameter.value if len(parameter.value) <= _VALUE else f"{parameter.value[:_VALUE].rpartition(' ')[0]} ..."
    return figures.threshold(replace(parameter, value=value, reference=""))


def _finding(page: _Page, finding: Finding, assessment: Assessment) -> None:
    subject = assessment.subjects[finding.subject]
    known = " (known)" if finding.known else ""
    arrow = page.paint("-->", "arrow")
    page.lines.append(f"  {arrow} {page.safe(leaks.place(finding))}{known}")
    page.say(finding.message, indent=6)
    page.say(_name(subject) + (f": {finding.item}" if finding.item else ""), indent=6, style="faint")
    if finding.location.rendered_from:
        page.say(f"rendered from {finding.location.rendered_from}", indent=6, style="faint")
    for what, location in finding.related:
        page.say(f"{what} at {figures.place(location)}", indent=6, style="faint")


def _name(subject: Subject) -> str:
    """Return `Deployment payments/web`; a fact's name already says what it is."""
    name = f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name
    plane, _, kind = subject.type.partition("/")
    return name if plane == "fact" else f"{kind.partition('.')[0]} {name}".strip()


def _gaps(page: _Page, assessment: Assessment) -> None:
    gaps = [gap for part in assessment.coverage for gap in part.gaps]
    if not gaps:
        return
    page.heading(f"Not read: {plural(len(gaps), 'thing')} in scope")
    shown = gaps if page.show_all or len(gaps) <= _GAPS + 1 else gaps[:_GAPS]
    for gap in shown:
        page.say(_gap(gap), indent=2)
    if len(gaps) > len(shown):
        page.say(f"... and {len(gaps) - len(shown):,} more; --all shows them", indent=2)


def _gap(gap: Gap) -> str:
    place = f"{gap.file}:{gap.line}" if gap.line is not None else gap.file
    return f"{place}: {gap.reason.replace('-', ' ')}" + (f". {gap.detail}" if gap.detail else "")


def _not_evaluated(page: _Page, blocks: Sequence[PolicyBlock]) -> None:
    """One reason, such as an object that is not in the input, often leaves many policies open: it is told once."""
    policies: dict[str, list[str]] = {}
    verdicts: Counter[str] = Counter()
    for block in sorted(blocks, key=lambda block: block.policy.id):
        for reason, count in figures.open_reasons(block.result):
            policies.setdefault(reason, []).append(block.policy.id)
            verdicts[reason] += count
    if not verdicts:
        return
    concerned = len({id_ for ids in policies.values() for id_ in ids})
    total = plural(verdicts.total(), "verdict")
    page.heading(f"Not evaluated: {total} of {plural(concerned, 'policy', 'policies')}")
    reasons = sorted(verdicts, key=lambda reason: (-verdicts[reason], reason))
    shown = reasons if page.show_all or len(reasons) <= _REASONS + 1 else reasons[:_REASONS]
    for reason in shown:
        page.say(f"{reason} ({verdicts[reason]:,})" if verdicts[reason] > 1 else reason, indent=2)
        page.say(_some(policies[reason], page.show_all), indent=4, style="faint")
    if len(reasons) > len(shown):
        rest = sum(verdicts[reason] for reason in reasons[len(shown) :])
        page.say(f"... and {plural(len(reasons) - len(shown), 'reason')} more ({rest:,}); --all shows them", indent=2)


def _waivers(page: _Page, waivers: Sequence[WaiverUse]) -> None:
    if not waivers:
        return
    findings = plural(sum(use.used for use in waivers), "finding")
    page.heading(f"Waivers: {len(waivers):,}, which waive {findings}")
    for use in waivers:
        note = use.note or ("" if use.used else "matches nothing")
        if note:
            page.say(f"{use.waiver.id} ({use.waiver.policy}, owner {use.waiver.owner}): {note}", indent=2)


def _requirements(page: _Page, assessment: Assessment) -> None:
    rows = figures.requirement_matrix(assessment)
    if not rows:
        return
    page.heading("Requirements: what a technical test says about a part of each; the rest needs people")
    for framework in assessment.frameworks:
        own = [row for row in rows if row.framework.id == framework.id]
        if own:
            _framework(page, framework, own)


def _framework(page: _Page, framework: Framework, rows: Sequence[RequirementRow]) -> None:
    page.say(f"{framework.title} ({framework.version})", indent=2)
    labels = {
        Outcome.FAIL: "fail",
        Outcome.NOT_EVALUATED: "not evaluated",
        Outcome.WAIVED: "waived",
        Outcome.PASS: "pass",
        Outcome.NOT_APPLICABLE: "not applicable",
    }
    touched = [row for row in rows if not row.result.untested]
    for outcome, label in labels.items():
        ids = [_id(row) for row in touched if row.result.outcome is outcome]
        if ids:
            page.say(_some(ids, page.show_all), indent=4, label=f"{label:<16}{len(ids):>3}  ")
    untested = len(rows) - len(touched)
    if untested:
        page.say("no policy of this run touches them", indent=4, label=f"{'untested':<16}{untested:>3}  ")
    conditions = sorted({condition for row in rows for condition in row.result.conditional})
    if conditions:
        page.say(f"* if it holds for what was scanned: {', '.join(conditions)}", indent=4, style="faint")


def _id(row: RequirementRow) -> str:
    return row.requirement.id + ("*" if row.result.conditional else "")


def _some(ids: Sequence[str], show_all: bool) -> str:
    shown = ids if show_all or len(ids) <= _IDS + 1 else ids[:_IDS]
    return ", ".join(shown) + (f" and {len(ids) - len(shown):,} more" if len(ids) > len(shown) else "")


def _closing(page: _Page, assessment: Assessment) -> None:
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


def _scope(page: _Page, assessment: Assessment) -> None:
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


def _leaks(page: _Page, assessment: Assessment) -> None:
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
