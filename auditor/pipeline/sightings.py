"""From hits in contents to sightings: one for each value under a name in a file. The commit hook waits for it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from auditor.collectors.git.raw import Change
from auditor.detection.text import shown
from auditor.model.sighting import Sighting, Where
from auditor.redaction.redactor import redact_text

if TYPE_CHECKING:
    from datetime import datetime

    from auditor.detection.engine import Hit


def sighting(
    where: Where,
    path: str,
    hit: "Hit",
    *,
    commit: str = "",
    date: "datetime | None" = None,
    in_head: bool | None = None,
    blob: str = "",
    inside: str = "",
    line: int | None = None,
) -> Sighting:
    """Return `hit` as it was met in the file `path`."""
    return Sighting(
        where=where,
        path=told(path),
        line=hit.line if line is None else line,
        column=hit.column,
        rule=hit.rule,
        tier=hit.tier,
        key=told(hit.key),
        fingerprint=hit.fingerprint,
        length=hit.length,
        masked=hit.masked,
        inside=told(inside),
        commit=commit,
        date=date,
        in_head=in_head,
        blob=blob,
    )


def told(name: str) -> str:
    """Return a name as reports have it: a path, or what stands beside a value, can hold a credential itself."""
    return "/".join(map(redact_text, shown(name).split("/")))


Seen = Mapping[tuple[bytes, str], Sequence[tuple[str, "Hit"]]]
"""Blob id and the path by which it was read, to what was found: in itself, or in a member of an archive, by its name.

Two paths can have one content, and what is an example in one of them is none in the other.
"""


def added(change: Change, seen: Seen) -> Iterator[Sighting]:
    """Yield what stands in the new content of a file more often than in any old one."""
    before: Counter[tuple[str, str]] = Counter()
    for old in change.olds:
        before |= Counter((hit.rule, hit.fingerprint) for _, hit in seen.get((old, change.path), ()))
    for name, hit in seen.get((change.new, change.path), ()):
        value = (hit.rule, hit.fingerprint)
        if before[value]:
            before[value] -= 1
        else:
            yield sighting(Where.CHANGE, change.path, hit, commit=change.commit, date=change.date, inside=name)


def joined(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Return one sighting for each value under a name in a file: where it stands today, since its first commit.

    `sightings` come the earliest first: by the history, since the clocks of authors may say anything.
    """
    groups: dict[tuple[str, ...], list[Sighting]] = {}
    for one in sightings:
        groups.setdefault((one.path, one.inside, one.rule, one.key, one.fingerprint), []).append(one)
    return [_join(group) for group in groups.values()]


def _join(group: list[Sighting]) -> Sighting:
    if len(group) == 1:
        return group[0]
    first = group[0]
    # What the history alone holds is shown as the commit has it that is named.
    shown = next((one for one in group if one.in_head), first)
    return Sighting(
        where=shown.where,
        path=shown.path,
        line=shown.line,
        column=shown.column,
        rule=shown.rule,
        tier=shown.tier,
        key=shown.key,
        fingerprint=shown.fingerprint,
        length=shown.length,
        masked=shown.masked,
        inside=shown.inside,
        commit=first.commit,
        date=first.date,
        in_head=shown.in_head,
        times=sum(one.times for one in group),
        blob=shown.blob,
    )
