"""The picture of a snapshot in the terminal: planes, sources, kinds, and what of each was read and what was not.

A full circle was read to its end, a half one in part, an empty one not at all; the words beside it say the same, and
colour says it a third time.
"""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime

from auditor.model.collection import Call, CallResult, Source
from auditor.reports.text import visible
from auditor.snapshot.manifest import Run, State
from auditor.snapshot.picture import Estate, Kind, Reading, picture
from auditor.snapshot.reading import Snapshot

_SIGNS = {
    Reading.READ: ("●", "32"),
    Reading.PARTLY: ("◐", "33"),
    Reading.NOT_READ: ("○", "31"),
    Reading.NOT_ASKED: ("·", "2"),
    Reading.NOT_SERVED: ("·", "2"),
}
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BAR = 20
_NAMES = 8
"""How many names are told of what is not here or not read, unless all are wanted."""
_ALIKE = 3
"""So many kinds that were refused in the same way share one entry."""
_NARROW, _WIDE = 60, 120


class _Page:
    """Lines with the left margin of the tree they stand in."""

    def __init__(self, *, width: int, colour: bool, show_all: bool) -> None:
        self.width = max(_NARROW, min(width, _WIDE))
        self.show_all = show_all
        self._colour = colour

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour and style else text

    def wrapped(self, text: str, *, first: str, rest: str) -> Iterator[str]:
        """Yield `text` after `first`, further lines after `rest`."""
        room = max(20, self.width - max(len(first), len(rest)))
        for number, line in enumerate(textwrap.wrap(_one_line(text), room, break_on_hyphens=False) or [""]):
            yield (rest if number else first) + line


def lines(snapshot: Snapshot, *, width: int, colour: bool, show_all: bool) -> Iterator[str]:
    """Yield the picture of `snapshot`, for a terminal of `width` columns; with `show_all` nothing is folded."""
    page = _Page(width=width, colour=colour, show_all=show_all)
    manifest = snapshot.manifest
    names = sorted({name for run in manifest.runs for name in run.sources})
    estates = picture(snapshot.sources, snapshot.calls, names)
    yield from _head(page, snapshot, estates)
    planes = sorted({estate.plane for estate in estates})
    for plane in planes:
        yield ""
        yield page.paint(plane or "not reached", "1")
        own = [estate for estate in estates if estate.plane == plane]
        for number, estate in enumerate(own, 1):
            yield from _estate(page, estate, last=number == len(own))
    yield ""
    yield "● read to its end   ◐ in part   ○ not read   · not asked, not told, or no such kind"


def _head(page: _Page, snapshot: Snapshot, estates: Sequence[Estate]) -> Iterator[str]:
    manifest = snapshot.manifest
    lead = f"{page.paint(visible(str(snapshot.path)), '1')}  "
    state, style = _state(manifest.state, estates)
    yield f"{lead}{page.paint(state, style)}, format {visible(manifest.version)}"
    for run in manifest.runs:
        yield from page.wrapped(_run(run), first="collected  ", rest=" " * 11)
    for name, words in _kept(manifest.runs[-1]):
        yield from page.wrapped(words, first=f"{name:<11}", rest=" " * 11)
    kinds = len({kind.type for estate in estates for kind in estate.kinds if kind.kept})
    objects = sum(estate.kept for estate in estates)
    size = sum(entry.file.bytes for entry in snapshot.entries if entry.file)
    yield (
        f"holds      {_count(objects, 'object')} of {_count(kinds, 'kind')} from "
        f"{_count(len(estates), 'source')}, {_size(size)}"
    )
    yield f"manifest   sha256 {snapshot.digest}"


def _state(state: State, estates: Sequence[Estate]) -> tuple[str, str]:
    """Return in words how whole the snapshot is, and the style: that a run came to its end says nothing of that."""
    if state is State.PARTIAL:
        return "partial: the run did not come to its end", "1;31"
    failed = sum(bool(estate.source and estate.source.failure) for estate in estates)
    holes = [call for estate in estates for kind in estate.kinds for call in kind.holes]
    unasked = sum(call.result is CallResult.NOT_ASKED for call in holes)
    missing = len(holes) - unasked
    exported = any(estate.source and estate.source.kind == "export" for estate in estates)
    words = [f"nothing of {_count(failed, 'source')}"] if failed else []
    words += [f"{_count(missing, 'list')} not to the end"] if missing else []
    words += [f"{_count(unasked, 'list')} not {'told' if exported else 'asked'}"] if unasked else []
    if not words:
        return "complete", ""
    if not (failed or missing or exported):
        return f"complete as configured ({', '.join(words)})", ""
    return f"incomplete ({', '.join(words)})", "1;33"


def _run(run: Run) -> str:
    who = " on ".join(filter(None, (run.operator.user, run.operator.host))) or "somebody"
    job = f", job {run.operator.job}" if run.operator.job else ""
    merged = f", merged from the snapshot {run.merged_from[:12]}" if run.merged_from else ""
    return f"{_span(run.started, run.ended)} by {who} with auditor {run.tool_version}{job}{merged}"


def _kept(run: Run) -> Iterator[tuple[str, str]]:
    if run.retention:
        yield "retention", run.retention
    if run.previous:
        yield "follows", f"sha256 {run.previous}"


def _span(started: datetime, ended: datetime | None) -> str:
    moment = f"{started:%Y-%m-%d %H:%M:%S} UTC"
    if ended is None:
        return f"{moment}, without an end,"
    return f"{moment}, {_seconds((ended - started).total_seconds())},"


def _estate(page: _Page, estate: Estate, *, last: bool) -> Iterator[str]:
    margin = "   " if last else "│  "
    yield "│"
    yield from page.wrapped(_title(estate), first="└─ " if last else "├─ ", rest=margin)
    for name, text in _facts(estate):
        yield from page.wrapped(text, first=f"{margin}{name:<9}", rest=margin + " " * 9)
    if not estate.kinds:
        return
    yield margin.rstrip()
    alike = _alike(estate, page)
    folded = {kind.type for kinds in alike.values() for kind in kinds}
    shown = [
        kind
        for kind in estate.with_reading(Reading.READ, Reading.PARTLY, Reading.NOT_READ)
        if kind.type not in folded and (kind.kept or kind.reading is not Reading.READ)
    ]
    yield from _kinds(page, shown, margin, estate.plane)
    for words, kinds in alike.items():
        sign = page.paint(*_SIGNS[Reading.NOT_READ])
        yield from _named(page, f"{_count(len(kinds), 'kind')} {words}", kinds, sign, margin, estate.plane)
        yield from page.wrapped(kinds[0].holes[0].reason, first=f"{margin}    ", rest=f"{margin}    ")
    for words, kinds in _passed_over(estate):
        yield from _named(
            page, f"{_count(len(kinds), 'kind')} {words}", kinds, page.paint("·", "2"), margin, estate.plane
        )


def _alike(estate: Estate, page: _Page) -> dict[str, tuple[Kind, ...]]:
    """Return kinds of which nothing was read, by what the source said to each, where many met the same."""
    by_words: dict[str, list[Kind]] = {}
    for kind in estate.with_reading(Reading.NOT_READ):
        said = {_ended(call) for call in kind.holes}
        if len(said) == 1 and not page.show_all:
            by_words.setdefault(said.pop(), []).append(kind)
    return {words: tuple(kinds) for words, kinds in by_words.items() if len(kinds) > _ALIKE}


def _named(page: _Page, words: str, kinds: Sequence[Kind], sign: str, margin: str, plane: str) -> Iterator[str]:
    names = [_short(kind.type, plane) for kind in sorted(kinds, key=lambda kind: kind.type)]
    more = len(names) - _NAMES
    if more > 0 and not page.show_all:
        names[_NAMES:] = [f"and {more} more (--all)"]
    lead = f"{margin}  "
    first, *rest = page.wrapped(f"{words}: {', '.join(names)}", first=lead, rest=lead)
    yield f"{margin}{sign} {first[len(lead) :]}"
    yield from rest


def _title(estate: Estate) -> str:
    source = estate.source
    if source is None:
        return f"{estate.name} · the run ended before this source did"
    parts = [estate.name]
    parts += [source.endpoint] if source.endpoint else []
    parts += [", ".join(filter(None, (source.version, source.provider)))] if source.version or source.provider else []
    parts += ["export"] if source.kind == "export" else []
    parts += [f"[{', '.join(source.tags)}]"] if source.tags else []
    return " · ".join(parts)


def _facts(estate: Estate) -> Iterator[tuple[str, str]]:
    source = estate.source
    if source is not None:
        yield from _of_system(source)
    asked = estate.with_reading(Reading.READ, Reading.PARTLY, Reading.NOT_READ)
    if asked:
        total, complete = sum(kind.lists for kind in asked), sum(kind.complete for kind in asked)
        yield "lists", f"{_bar(complete, total):░<{_BAR}} {complete} of {total} read to their end"


def _of_system(source: Source) -> Iterator[tuple[str, str]]:
    if source.failure:
        yield "failed", source.failure
    if source.identity is not None:
        named = ", ".join(filter(None, source.identity.groups))
        groups = f" in {named}" if named else ""
        by = f", impersonated by {source.identity.impersonated_by}" if source.identity.impersonated_by else ""
        yield "who", f"{source.identity.user or 'unknown'}{groups}{by}"
    elif source.kind == "live" and not source.failure:
        yield "who", "unknown: the source would not say"
    if source.identifier:
        yield "cluster", source.identifier
    if source.clock_offset_seconds is not None:
        yield "clock", _offset(source.clock_offset_seconds)
    if source.facts.get("certificateVerified") is False:
        yield "warning", "the server's certificate was not verified: anybody could have answered"
    scope = "; ".join(f"{name}: {_said(value)}" for name, value in source.scope.items() if value not in ("", None))
    if scope:
        yield "scope", scope


def _kinds(page: _Page, kinds: Sequence[Kind], margin: str, plane: str) -> Iterator[str]:
    if not kinds:
        return
    name = max(len(_short(kind.type, plane)) for kind in kinds)
    number = max(len(_number(kind)) for kind in kinds)
    most = max(kind.kept for kind in kinds)
    for kind in kinds:
        sign, style = _SIGNS[kind.reading]
        text = f"{_short(kind.type, plane):<{name}}  {_number(kind):>{number}}  {_bar(kind.kept, most)}"
        yield f"{margin}{page.paint(sign, style)} {text}".rstrip()
        if kind.folded:
            yield f"{margin}    and {kind.folded:,} folded into their owners"
        for words in _holes(kind):
            yield from page.wrapped(words, first=f"{margin}    ", rest=f"{margin}    ")


def _number(kind: Kind) -> str:
    """Return how many objects there are: a part is a lower bound, and what was not read is unknown, not none."""
    match kind.reading:
        case Reading.READ | Reading.NOT_SERVED:
            return f"{kind.kept:,}"
        case Reading.PARTLY if kind.kept:
            return f"≥ {kind.kept:,}"
        case Reading.PARTLY | Reading.NOT_READ | Reading.NOT_ASKED:
            return "?"


def _holes(kind: Kind) -> Iterator[str]:
    """Yield one sentence for each way in which lists of the kind are missing."""
    by_result: dict[CallResult, list[Call]] = {}
    for call in kind.holes:
        by_result.setdefault(call.result, []).append(call)
    for calls in by_result.values():
        where = [call.namespace for call in calls if call.namespace]
        scope = f" in {', '.join(where[:5])}{f' and {len(where) - 5} more' if len(where) > 5 else ''}" if where else ""
        partly = " after a part" if calls[0].kept else ""
        yield f"{_ended(calls[0])}{partly}{scope}: {calls[0].reason}"


def _ended(call: Call) -> str:
    return f"{call.result.value} ({call.status})" if call.status else call.result.value


def _passed_over(estate: Estate) -> Iterator[tuple[str, tuple[Kind, ...]]]:
    none = tuple(kind for kind in estate.with_reading(Reading.READ) if not kind.kept)
    for words, listed in (
        ("read, and there is no object", none),
        (_unasked(estate.source), estate.with_reading(Reading.NOT_ASKED)),
        ("not served here", estate.with_reading(Reading.NOT_SERVED)),
    ):
        if listed:
            yield words, listed


def _unasked(source: Source | None) -> str:
    export = source is not None and source.kind == "export"
    return "of which the files do not tell all" if export else "not asked, as configured"


def _short(type_: str, plane: str) -> str:
    return visible(type_.removeprefix(f"{plane}/"))


def _said(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "all"
    return str(value)


def _offset(seconds: float) -> str:
    if abs(seconds) < 1:
        return "as ours"
    return f"{_seconds(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} ours"


def _seconds(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def _bar(part: int, whole: int) -> str:
    """Return a bar of at most `_BAR` columns; whatever is there at all shows at least a sliver."""
    eighths = max(1, round(part / whole * _BAR * 8)) if part and whole else 0
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def _size(count: int) -> str:
    for unit, size in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))
