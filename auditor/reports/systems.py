"""What was asked of each live system and what came back, as the reports say it. From the assessment alone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from auditor.model.assessment import Assessment
from auditor.model.collection import MANAGED, Call, CallResult, Identity, Source
from auditor.model.record import record
from auditor.reports import figures
from auditor.snapshot.picture import Estate, Reading, picture

READINGS = {
    Reading.NOT_READ: "Not read",
    Reading.PARTLY: "Partly read",
    Reading.NOT_ASKED: "Not asked",
    Reading.READ: "Read",
    Reading.NOT_SERVED: "Not served",
}
"""From what is missing to what cannot be."""

MISSING = (Reading.NOT_READ, Reading.PARTLY, Reading.NOT_ASKED)


@record
class System:
    """One source with its ledger."""

    name: str
    title: str
    """`kubernetes: prod`."""
    failure: str
    tags: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    """Who, what, when, how: label and text, only what is known."""
    estate: Estate
    calls: tuple[Call, ...]

    @property
    def lists(self) -> int:
        """Lists of the ledger, but those of kinds that the system does not have."""
        return sum(call.result is not CallResult.NOT_SERVED for call in self.calls)

    @property
    def read(self) -> int:
        """Lists that were read to their end."""
        return sum(call.result is CallResult.READ for call in self.calls)


def systems(assessment: Assessment) -> tuple[System, ...]:
    """Return every source of the assessment, by plane and name."""
    return tuple(
        System(
            name=estate.name,
            title=f"{estate.plane or 'system'}: {estate.name}",
            failure=estate.source.failure if estate.source else "",
            tags=estate.source.tags if estate.source else (),
            facts=tuple(_facts(estate.source)) if estate.source else (),
            estate=estate,
            calls=tuple(call for call in assessment.calls if call.source == estate.name),
        )
        for estate in picture(assessment.sources, assessment.calls)
    )


def lives(file: str) -> bool:
    """Return whether a location is that of an object of a live system: an API path, not a file."""
    return "://" in file


def line(system: System) -> str:
    """Return the system in one line, as the console closes with it."""
    if system.failure:
        return system.failure
    source = system.estate.source
    who = "" if source is None else _who(source.identity)
    about = [] if source is None else [source.version, source.provider and f"on {source.provider}", who and f"as {who}"]
    lists = f"{system.read:,} of {figures.plural(system.lists, 'list')} read"
    counts = f"{lists}, {figures.plural(system.estate.kept, 'object')}"
    return "; ".join(filter(None, (counts, " ".join(filter(None, about)))))


def result(call: Call) -> str:
    """Return how a list ended, in words."""
    return call.result.replace("-", " ")


def counted(call: Call) -> str:
    """Return what came of a list: `3 pages, 1,500 objects, 20 kept, 1,480 folded; the server counts 0 more`."""
    if not call.pages and not call.items:
        return ""
    parts = [figures.plural(call.pages, "page"), figures.plural(call.items, "object")]
    if call.kept != call.items:
        parts.append(f"{call.kept:,} kept")
    if call.folded:
        parts.append(f"{call.folded:,} folded into their owners")
    if call.retries:
        parts.append(f"{call.retries:,} repeated")
    rest = "" if call.remaining is None else f"; the server counts {call.remaining:,} more"
    return ", ".join(parts) + rest


def request(call: Call) -> str:
    """Return the request with its parameters, in one line."""
    asked = "&".join(f"{name}={value}" for name, value in call.parameters if name != "Accept")
    accept = next((value for name, value in call.parameters if name == "Accept"), "")
    text = call.request + (f"?{asked}" if asked and call.request else "")
    return text + (f" (Accept: {accept})" if accept else "")


def kind(type_: str) -> str:
    """Return the kind of a type as people name it."""
    return type_.partition("/")[2] or type_


def tiles(system: System) -> list[tuple[str, str, list[tuple[str, int, str]]]]:
    """Return for each reading its name, its heading and its kinds: name, objects, and what is missing of it.

    What is missing comes first. Kinds that were read and of which there is none stand apart from those that there are.
    """
    groups: list[tuple[str, str, list[tuple[str, int, str]]]] = []
    for reading, word in READINGS.items():
        kinds = [
            (kind(entry.type), entry.kept, "; ".join(dict.fromkeys(map(_hole, entry.holes))))
            for entry in system.estate.with_reading(reading)
        ]
        if reading is Reading.READ:
            some, none = [entry for entry in kinds if entry[1]], [entry for entry in kinds if not entry[1]]
            groups += [("read", word, some), ("empty", f"{word}, and there is none", none)]
        else:
            groups.append((reading.value, word, kinds))
    return [group for group in groups if group[2]]


def _hole(call: Call) -> str:
    return result(call) + (f" in {call.namespace}" if call.namespace else "")


def _facts(source: Source) -> Sequence[tuple[str, str]]:
    offset = source.clock_offset_seconds
    rows = (
        ("Failure", source.failure),
        ("Kind", "live system" if source.kind == "live" else source.kind),
        ("Endpoint", source.endpoint),
        ("Identifier", source.identifier),
        ("Version", source.version),
        ("Control plane", MANAGED.get(source.provider, source.provider)),
        ("Identity", _who(source.identity)),
        ("Groups", ", ".join(source.identity.groups) if source.identity else ""),
        ("Scope", _plain(source.scope)),
        ("Tags", ", ".join(source.tags)),
        ("Read", f"{_time(source.started)} to {_time(source.ended)}"),
        ("Clock", "" if offset is None else f"{offset:+.1f} seconds against the collector's"),
        ("Seen", _plain(source.facts)),
        ("Permissions held", ", ".join(source.permissions_held)),
        ("Permissions missing", ", ".join(source.permissions_missing)),
        ("Fingerprint key", source.fingerprint_key_id),
    )
    return tuple((label, text) for label, text in rows if text)


def _who(identity: Identity | None) -> str:
    if identity is None or not identity.user:
        return ""
    by = f", impersonated by {identity.impersonated_by}" if identity.impersonated_by else ""
    return f"{identity.user}{by}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _plain(values: Mapping[str, Any]) -> str:
    """Return plain JSON in one line: `namespaces: all; secrets: metadata`. What nobody knows is left out."""
    empty = {"namespaces": "all"}
    return "; ".join(
        f"{_words(name)}: {_value(value) or empty.get(name, 'none')}"
        for name, value in sorted(values.items())
        if value is not None
    )


def _words(name: str) -> str:
    """Return a name of JSON as people write it: `certificateVerified` as `certificate verified`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


_MANY = 12
"""Entries of a list that a line holds; the JSON report has all."""


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        plain = len(value) <= _MANY and not any(isinstance(entry, dict) for entry in value)
        return ", ".join(map(_value, value)) if plain else figures.plural(len(value), "entry", "entries")
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(inner)}" for name, inner in sorted(value.items()))
    return str(value).lower() if isinstance(value, bool) else str(value)
