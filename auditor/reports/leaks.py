"""A search for credentials in words: how many credentials, in how many places, since when, what is left of them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from auditor.model.leaks import LeakedRule, Leaks
from auditor.model.sighting import CARD_NUMBER, Searched, Where
from auditor.model.verdict import Finding
from auditor.reports import figures
from auditor.reports.figures import plural

COMMIT, IN_HEAD = "commit", "in HEAD"
"""Names of evidence of the policies on leaks: the first commit, and `yes`, `no` or `not asked`."""
_MEGABYTES = 10_000_000
"""Bytes from which a size is said in megabytes."""
_SHORT = 12
"""Digits of a commit that are shown."""

_WHAT = {
    Where.TREE: "files of",
    Where.HISTORY: "the history of",
    Where.CHANGE: "the changes of",
    Where.STREAM: "",
    Where.LOG: "the log",
    Where.IMAGE: "the image",
}
_UNIT = {Where.HISTORY: "blob", Where.CHANGE: "blob"}
"""What of it was read, where that is no file."""


def told(leaks: Leaks) -> dict[str, Any]:
    """Return the summary as plain texts, as templates show it."""
    sentence, left = found(leaks), state(leaks)
    return {
        "sentence": sentence[:1].upper() + sentence[1:] + ".",
        "state": f"{left}." if left else "",
        "possible": possible(leaks),
        "searched": list(searched(leaks)),
        "complete": leaks.complete,
        "rules": [
            {
                "title": entry.title,
                "rule": entry.rule,
                "credentials": f"{entry.credentials:,}",
                "places": f"{entry.places:,}",
                "since": date(entry.since) if entry.since else "not asked",
                "present": f"{entry.present:,}",
                "waived": f"{entry.waived:,}",
            }
            for entry in leaks.rules
        ],
    }


def found(leaks: Leaks) -> str:
    """Return `3 credentials in 14 places (9 files, 4 commits), the oldest since 2021-05-06`; card numbers by name."""
    if not leaks.credentials:
        return "no credential found" if leaks.complete else "no credential found in what was read"
    cards = sum(entry.credentials for entry in leaks.rules if entry.rule == CARD_NUMBER)
    what = filter(None, (_count(leaks.credentials - cards, "credential"), _count(cards, "card number")))
    where = plural(leaks.files, "file") + (f", {plural(leaks.commits, 'commit')}" if leaks.commits else "")
    since = f", {'the oldest ' if leaks.credentials > 1 else ''}since {date(leaks.since)}" if leaks.since else ""
    return f"{' and '.join(what)} in {plural(leaks.places, 'place')} ({where}){since}"


def _count(number: int, noun: str) -> str:
    return plural(number, noun) if number else ""


def state(leaks: Leaks) -> str:
    """Return what became of them: `2 still there, 1 only in the history; 1 waived`; empty where there is none."""
    counted = (
        (leaks.present, "still there"),
        (leaks.historical, "only in the history"),
        (leaks.unasked, "added by the change"),
    )
    there = ", ".join(f"{count:,} {words}" for count, words in counted if count)
    waived = f"{leaks.waived:,} waived" if leaks.waived else ""
    return "; ".join(filter(None, (there, waived)))


def possible(leaks: Leaks) -> str:
    """Return how many values are of the third tier, as a sentence; empty where none is."""
    if not leaks.possible:
        return ""
    look, they = ("looks", "it is") if leaks.possible == 1 else ("look", "they are")
    values = plural(leaks.possible, "further value")
    return f"{values} only {look} random, or like an example: a person has to say what {they}."


def searched(leaks: Leaks) -> Iterator[str]:
    """Yield what was searched: `the history of .: 161,713 blobs of text, 16,915 MB, complete`."""
    for part in leaks.searched:
        what = " ".join(filter(None, (_WHAT[part.where], part.name)))
        known = f" ({part.remembered:,} known to be clean from an earlier run)" if part.remembered else ""
        yield f"{what}: {amount(part)}{known}, {'complete' if part.complete else 'not complete'}"


def amount(part: Searched) -> str:
    """Return `161,713 blobs of text, 16,915 MB`."""
    size = f"{part.bytes_read / 1e6:,.0f} MB" if part.bytes_read >= _MEGABYTES else f"{part.bytes_read / 1e3:,.0f} kB"
    return f"{plural(part.read, _UNIT.get(part.where, 'file'))} of text, {size}"


def rule(entry: LeakedRule) -> str:
    """Return `GitHub token: 1 credential in 12 places, since 2021-05-06`."""
    since = f", since {date(entry.since)}" if entry.since else ""
    noun = "number" if entry.rule == CARD_NUMBER else "credential"
    return f"{entry.title}: {plural(entry.credentials, noun)} in {plural(entry.places, 'place')}{since}"


def revision(finding: Finding) -> str:
    """Return the commit in which a finding stands, where it does not stand in what is checked out; else nothing."""
    told = dict(finding.evidence) if finding.evidence else {}
    return told.get(COMMIT, "") if told.get(IN_HEAD) == "no" else ""


def place(finding: Finding) -> str:
    """Return where a finding stands: `old.env:3`, or `old.env:3 in commit 1a2b3c4d5e6f` of the history alone."""
    commit = revision(finding)
    return figures.place(finding.location) + (f" in commit {commit[:_SHORT]}" if commit else "")


def date(moment: datetime) -> str:
    """Return the day, ISO 8601."""
    return moment.date().isoformat()
