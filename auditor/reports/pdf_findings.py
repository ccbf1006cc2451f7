"""Findings, open verdicts and gaps of the auditor's document: what is true of many things stands once, with its places.

Nothing is left out silently: each group says how many it holds, and what a long list leaves to other reports.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from auditor.model.assessment import Assessment, Subject
from auditor.model.coverage import Gap
from auditor.model.verdict import Finding, Outcome
from auditor.reports import figures, leaks, wording
from auditor.reports.figures import PolicyBlock, plural

LISTED = 3_000
"""Places of findings in the document; of more than that each policy shows its share, and at least `_AT_LEAST`."""
_AT_LEAST = 20
_GAP_PLACES, _REASONS, _IDS = 30, 40, 12
"""Places of one kind of gap, reasons of verdicts on objects, and policies of one reason that are listed."""
_FINGERPRINT = 12
"""Digits of a fingerprint that are shown; the other reports have all."""
_SHORTEST = 3
"""Letters of a name that is looked for in a sentence: shorter ones stand in words by chance."""
_NAMED = re.compile(r"\[([^\[\]]+)\]")
_ELSEWHERE = "the CSV and JSON reports list every one"


def lead(assessment: Assessment) -> str:
    """Return the sentences in front of the findings."""
    if not assessment.findings:
        return "There is no finding."
    return (
        f"{plural(len(assessment.findings), 'finding')}, worst first, by policy; within one, new before known and "
        "known before waived. What is true of several objects is said once, with \u2026 for what differs, and their "
        f"places follow. At the end of a line stand the first {_FINGERPRINT} digits of the fingerprint, which names "
        "the finding in every other report and across runs."
    )


def findings(blocks: Sequence[PolicyBlock], subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """Return one section for each policy with findings: what to do, then what is wrong and where."""
    found = [block for block in blocks if block.findings]
    total = sum(len(block.findings) for block in found)
    return [
        _section(block, subjects, limit=max(_AT_LEAST, len(block.findings) * LISTED // max(total, LISTED)))
        for block in found
    ]


def _section(block: PolicyBlock, subjects: Sequence[Subject], *, limit: int) -> dict[str, Any]:
    waived = len(block.findings) - len(block.failing)
    met = len({finding.subject for finding in block.findings})
    count = f"{plural(len(block.findings), 'finding')} in {wording.objects(met)}"
    hidden = block.findings[limit:]
    return {
        "id": block.policy.id,
        "title": block.policy.title,
        "severity": block.policy.severity.value,
        "count": count + (f", {waived:,} waived" if waived else ""),
        "remediation": block.policy.remediation,
        "entries": _entries(block.findings[:limit], subjects),
        "more": f"And {plural(len(hidden), 'further finding')} of this policy in "
        f"{plural(len({finding.location.file for finding in hidden}), 'file')}: {_ELSEWHERE}."
        if hidden
        else "",
    }


def _entries(found: Iterable[Finding], subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """Return the findings, those together that say the same of different objects, in the order of the first of each."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in found:
        key = (*_state(finding), _pattern(finding, subjects[finding.subject]))
        groups.setdefault(key, []).append(finding)
    return [
        _entry(members, subjects, kind=kind, state=state, pattern=pattern)
        for (kind, state, pattern), members in groups.items()
    ]


def _state(finding: Finding) -> tuple[str, str]:
    if finding.outcome is Outcome.WAIVED:
        return "waived", f"Waived by {finding.waiver_id}"
    return ("not_applicable", "Known") if finding.known else ("fail", "")


def _pattern(finding: Finding, subject: Subject) -> str:
    """Return the message with … for the names of the object and of the item in it."""
    names = {subject.name, subject.namespace, *_NAMED.findall(finding.item)}
    long = sorted((name for name in names if len(name) >= _SHORTEST), key=lambda name: (-len(name), name))
    if not long:
        return finding.message
    return re.sub(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, long))})(?![\w-])", "\u2026", finding.message)


def _entry(
    members: Sequence[Finding], subjects: Sequence[Subject], *, kind: str, state: str, pattern: str
) -> dict[str, Any]:
    alike = len({finding.message for finding in members}) == 1
    shared = set(_facts(members[0])).intersection(*map(_facts, members))
    return {
        "kind": kind,
        "state": state,
        "message": members[0].message if alike else pattern,
        "count": f"{len(members):,} places" if len(members) > 1 else "",
        "facts": _joined(text for text in _facts(members[0]) if text in shared),
        "places": [_place(finding, subjects[finding.subject], shared) for finding in members],
    }


def _place(finding: Finding, subject: Subject, shared: set[str]) -> dict[str, str]:
    named = f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name
    plane, _, kind = subject.type.partition("/")
    what = named if plane == "fact" else f"{kind} {named}".strip()
    # The item says the same as the pointer, in names that a person knows.
    item = finding.item or finding.location.pointer
    own = (text for text in _facts(finding) if text not in shared)
    return {
        "place": leaks.place(finding),
        "what": _joined((what + (f": {item}" if item else ""), *own, finding.fingerprint[:_FINGERPRINT])),
    }


def _facts(finding: Finding) -> tuple[str, ...]:
    return tuple(
        text
        for text in (
            *(f"{name}: {value}" for name, value in finding.evidence),
            *(f"{name}: {figures.place(at)}" for name, at in finding.related),
            f"rendered from {finding.location.rendered_from}" if finding.location.rendered_from else "",
            f"value {finding.value_fingerprint[:_FINGERPRINT]}" if finding.value_fingerprint else "",
        )
        if text
    )


def _joined(texts: Iterable[str]) -> str:
    return " \u00b7 ".join(text for text in texts if text)


def gaps(found: Sequence[Gap]) -> list[dict[str, str]]:
    """Return the gaps, those with the same reason and the same next step together, the most frequent first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for gap in found:
        place = gap.file + (f":{gap.line}" if gap.line else "")
        groups.setdefault((gap.reason.value.replace("-", " "), gap.detail), []).append(place)
    return [
        {"reason": reason, "detail": detail, "count": f"{len(places):,}", "places": _listed(places, _GAP_PLACES)}
        for (reason, detail), places in sorted(groups.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    ]


def open_verdicts(blocks: Sequence[PolicyBlock]) -> dict[str, Any]:
    """Return why verdicts are open: by reason for objects, by policy for what the input does not hold at all."""
    policies: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    whole: list[tuple[str, str]] = []
    for block in sorted(blocks, key=lambda block: block.policy.id):
        for index, reason in block.result.not_evaluated:
            if index < 0:
                whole.append((block.policy.id, reason))
                continue
            counts[reason] += 1
            if block.policy.id not in policies.setdefault(reason, []):
                policies[reason].append(block.policy.id)
    reasons = sorted(counts, key=lambda reason: (-counts[reason], reason))
    rest = reasons[_REASONS:]
    return {
        "objects": [(reason, _listed(policies[reason], _IDS), f"{counts[reason]:,}") for reason in reasons[:_REASONS]],
        "more": f"And {plural(len(rest), 'further reason')} for "
        f"{plural(sum(counts[reason] for reason in rest), 'verdict')}: the JSON report lists every one."
        if rest
        else "",
        "whole": whole,
    }


def _listed(texts: Sequence[str], limit: int) -> str:
    shown = texts if len(texts) <= limit + 1 else texts[:limit]
    rest = len(texts) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more, in the JSON report" if rest else "")
