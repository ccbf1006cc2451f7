"""The assessment for a person at a terminal or in a build log: worst first, grouped by policy, folded, counted.

Whatever is not shown is counted, and the last line counts every verdict. Colour repeats what the words say.
No table library is loaded: this is what a CI gate prints, and most of its time would go into that.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from auditor.model.assessment import Assessment, Subject, WaiverUse
from auditor.model.coverage import Gap
from auditor.model.framework import Framework
from auditor.model.verdict import Finding, Outcome, Parameter
from auditor.reports import figures, leaks
from auditor.reports.console_closing import closing
from auditor.reports.console_page import Page
from auditor.reports.figures import PolicyBlock, RequirementRow, plural
from auditor.reports.options import Options

_FEW, _MANY = 30, 300
"""Up to so many failing findings all are shown; up to so many, five a policy; beyond, three."""
_GAPS, _REASONS, _IDS, _PLACES = 10, 8, 12, 4
"""How many gaps, reasons, ids in a row and places of one finding are shown."""
_RELATED = 8
"""Places beside those of findings that are told together; one finding has no more."""
_VALUE = 60
"""Characters of a threshold's value, unless everything is wanted."""
_OURS = "tool-default"
"""The origin of a threshold that nobody set."""


def render(assessment: Assessment, options: Options) -> bytes:
    """Return lines for a terminal of `options.width` columns, in UTF-8."""
    page = Page(options)
    blocks = figures.blocks(assessment)
    _findings(page, blocks, assessment)
    _baseline(page, blocks, assessment)
    _gaps(page, assessment)
    _not_evaluated(page, blocks, files=not assessment.sources)
    _waivers(page, assessment.waivers)
    _requirements(page, assessment)
    closing(page, assessment)
    return figures.utf8("".join(f"{line}\n" for line in page.lines))


def _findings(page: Page, blocks: Sequence[PolicyBlock], assessment: Assessment) -> None:
    failing = sum(len(_new(block)) for block in blocks)
    limit = failing if page.show_all or failing <= _FEW else 5 if failing <= _MANY else 3
    for block in blocks:
        if _new(block):
            _block(page, block, assessment, limit=limit)


def _new(block: PolicyBlock) -> tuple[Finding, ...]:
    return tuple(finding for finding in block.failing if not finding.known)


def _known(block: PolicyBlock) -> tuple[Finding, ...]:
    return tuple(finding for finding in block.failing if finding.known)


def _block(page: Page, block: PolicyBlock, assessment: Assessment, *, limit: int) -> None:
    policy, failing = block.policy, _new(block)
    page.blank()
    page.lines.append(f"{_head(page, block)}: {page.paint(page.safe(policy.title), 'strong')}")
    alike = _alike(failing, assessment.subjects)
    shown = _some_of(alike, limit)
    for members in shown:
        _finding(page, members, assessment.subjects)
    _hidden(page, alike, shown, indent=2)
    waived = len(block.findings) - len(block.failing)
    if waived:
        page.say(f"... and {waived:,} waived", indent=2)
    for text in _thresholds(block.result.parameters, page.show_all):
        page.say(text, indent=2, label="with: ")
    page.say(policy.remediation, indent=2, label="hint: ")
    link = figures.link(policy.references)
    page.say(f"auditor policy show {policy.id}" + (f", {link}" if link else ""), indent=2, label="docs: ")


def _baseline(page: Page, blocks: Sequence[PolicyBlock], assessment: Assessment) -> None:
    """Say what the baseline holds apart from what is new: one line each, since nobody has to act on it today."""
    total = sum(len(_known(block)) for block in blocks)
    if not total:
        return
    page.heading(f"Known from the baseline, no failure of the gate: {plural(total, 'finding')}")
    limit = total if page.show_all else 3
    for block in blocks:
        known = _known(block)
        if not known:
            continue
        page.lines.append(f"  {_head(page, block)}: {page.safe(block.policy.title)}")
        at_one_place: dict[str, list[Finding]] = {}
        for finding in known:
            at_one_place.setdefault(leaks.place(finding), []).append(finding)
        entries = list(at_one_place.values())
        shown = _some_of(entries, limit)
        for members in shown:
            names = list(dict.fromkeys(_name(assessment.subjects[finding.subject]) for finding in members))
            place, name = page.safe(leaks.place(members[0])), page.safe(_some(names, page.show_all))
            page.lines.append(f"    {page.paint('-->', 'arrow')} {place}  {page.paint(name, 'faint')}")
            for message in dict.fromkeys(finding.message for finding in members) if page.show_all else ():
                page.say(message, indent=8)
        _hidden(page, entries, shown, indent=4)


def _head(page: Page, block: PolicyBlock) -> str:
    return page.paint(f"{block.policy.severity}[{block.policy.id}]", block.policy.severity)


_Alike = Sequence[Finding]
"""Findings that say the same of the same object in several places: one base in many overlays."""


def _alike(findings: Sequence[Finding], subjects: Sequence[Subject]) -> list[_Alike]:
    groups: dict[tuple[str, str, str, str], list[Finding]] = {}
    for finding in findings:
        subject = subjects[finding.subject]
        groups.setdefault((finding.message, finding.item, subject.type, subject.name), []).append(finding)
    return list(groups.values())


def _some_of(entries: Sequence[_Alike], limit: int) -> Sequence[_Alike]:
    """Return up to `limit` of the entries in their order, from as many files as there are."""
    if len(entries) <= limit + 1:
        return entries  # "and 1 more" would take the line that the one takes
    seen: set[str] = set()
    ranked: list[tuple[bool, int]] = []
    for position, (first, *_) in enumerate(entries):
        ranked.append((first.location.file in seen, position))
        seen.add(first.location.file)
    return [entries[position] for position in sorted(position for _, position in sorted(ranked)[:limit])]


def _hidden(page: Page, entries: Sequence[_Alike], shown: Sequence[_Alike], *, indent: int) -> None:
    taken = set(map(id, shown))
    hidden = [finding for members in entries if id(members) not in taken for finding in members]
    if hidden:
        files = len({finding.location.file for finding in hidden})
        page.say(f"... and {len(hidden):,} more in {plural(files, 'file')}; --all shows them", indent=indent)


def _thresholds(parameters: Sequence[Parameter], show_all: bool) -> Iterator[str]:
    """Yield thresholds with their origin. Long lists are named, since a list that is cut says nothing; so is a reason.

    A list of the user's own keeps its beginning: it tells whether the configuration that was meant is in force.
    """
    long: list[str] = []
    for parameter in parameters:
        if show_all:
            yield figures.threshold(parameter)
        elif len(parameter.value) <= _VALUE:
            yield figures.threshold(replace(parameter, reference=""))
        elif parameter.origin == _OURS:
            long.append(parameter.name)
        else:
            value = f"{parameter.value[:_VALUE].rpartition(' ')[0]} ..."
            yield figures.threshold(replace(parameter, value=value, reference=""))
    if long:
        yield f"lists of {', '.join(long)} ({_OURS}); --all shows them"


def _finding(page: Page, members: _Alike, subjects: Sequence[Subject]) -> None:
    places = list(dict.fromkeys(leaks.place(finding) for finding in members))
    shown = places if page.show_all or len(places) <= _PLACES + 1 else places[:_PLACES]
    page.lines += [f"  {page.paint('-->', 'arrow')} {page.safe(place)}" for place in shown]
    if len(places) > len(shown):
        page.say(f"and {len(places) - len(shown):,} more places; --all shows them", indent=6)
    page.say(members[0].message, indent=6)
    names = list(dict.fromkeys(_name(subjects[finding.subject]) for finding in members))
    item = members[0].item
    page.say(_some(names, page.show_all) + (f": {item}" if item else ""), indent=6, style="faint")
    rendered = list(dict.fromkeys(filter(None, (finding.location.rendered_from for finding in members))))
    if rendered:
        page.say(f"rendered from {_some(rendered, page.show_all)}", indent=6, style="faint")
    related = dict.fromkeys(f"{what} at {figures.place(at)}" for finding in members for what, at in finding.related)
    beside = list(related) if page.show_all or len(related) <= _RELATED else list(related)[:_RELATED]
    for text in beside:
        page.say(text, indent=6, style="faint")
    if len(related) > len(beside):
        page.say(f"and {len(related) - len(beside):,} more places beside it; --all shows them", indent=6)


def _name(subject: Subject) -> str:
    """Return `Deployment payments/web`; a fact's name already says what it is."""
    name = f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name
    plane, _, kind = subject.type.partition("/")
    return name if plane == "fact" else f"{kind.partition('.')[0]} {name}".strip()


def _gaps(page: Page, assessment: Assessment) -> None:
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


def _not_evaluated(page: Page, blocks: Sequence[PolicyBlock], *, files: bool) -> None:
    """One reason, such as an object that is not in the input, often leaves many policies open: it is told once.

    Files seldom hold what policies on the cluster as a whole judge, and each says so in words of its own: the same
    words on every run, so they are counted in one line.
    """
    policies: dict[str, list[str]] = {}
    verdicts: Counter[str] = Counter()
    whole: dict[str, str] = {}
    for block in sorted(blocks, key=lambda block: block.policy.id):
        absent = {reason for index, reason in block.result.not_evaluated if index < 0} if files else set()
        for reason, count in figures.open_reasons(block.result):
            policies.setdefault(reason, []).append(block.policy.id)
            verdicts[reason] += count
            if reason in absent:
                whole[reason] = block.policy.id
    if not verdicts:
        return
    concerned = len({id_ for ids in policies.values() for id_ in ids})
    total = plural(verdicts.total(), "verdict")
    page.heading(f"Not evaluated: {total} of {plural(concerned, 'policy', 'policies')}")
    folded = {} if page.show_all or len(whole) < 2 else whole
    reasons = sorted(verdicts.keys() - folded.keys(), key=lambda reason: (-verdicts[reason], reason))
    shown = reasons if page.show_all or len(reasons) <= _REASONS + 1 else reasons[:_REASONS]
    for reason in shown:
        page.say(f"{reason} ({verdicts[reason]:,})" if verdicts[reason] > 1 else reason, indent=2)
        page.say(_some(policies[reason], page.show_all), indent=4, style="faint")
    if len(reasons) > len(shown):
        rest = sum(verdicts[reason] for reason in reasons[len(shown) :])
        page.say(f"... and {plural(len(reasons) - len(shown), 'reason')} more ({rest:,}); --all shows them", indent=2)
    if folded:
        page.say(f"the input holds nothing that these judge; --all says what each needs ({len(folded):,})", indent=2)
        page.say(", ".join(sorted(set(folded.values()))), indent=4, style="faint")


def _waivers(page: Page, waivers: Sequence[WaiverUse]) -> None:
    if not waivers:
        return
    findings = plural(sum(use.used for use in waivers), "finding")
    page.heading(f"Waivers: {len(waivers):,}, which waive {findings}")
    for use in waivers:
        note = use.note or ("" if use.used else "matches nothing")
        if note:
            page.say(f"{use.waiver.id} ({use.waiver.policy}, owner {use.waiver.owner}): {note}", indent=2)


def _requirements(page: Page, assessment: Assessment) -> None:
    rows = figures.requirement_matrix(assessment)
    if not rows:
        return
    page.heading("Requirements: what a technical test says about a part of each; the rest needs people")
    for framework in assessment.frameworks:
        own = [row for row in rows if row.framework.id == framework.id]
        if own:
            _framework(page, framework, own)


def _framework(page: Page, framework: Framework, rows: Sequence[RequirementRow]) -> None:
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
