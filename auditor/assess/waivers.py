"""Waivers: approved, owned, reasoned, expiring acceptance of failures, as a team keeps them beside its manifests.

- One without an expiry or a reason is refused, and so is one that its owner approves: nobody accepts their own risk.
- A waiver holds up to and including the day that it names.
- A finding about a value is waived only together with the value's fingerprint: a changed secret is a new finding.
- A waived finding stays visible, counted as waived and never as pass; a waiver that is expired, that nothing needs or
  that misses what it names is reported with the reason.
- In a glob only `*` and `?` are special. Brackets are not, because items carry them: `containers[web].env[TOKEN]`.

The file's JSON Schema is `policies/waivers.schema.json`.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from auditor import authored, data
from auditor.authored import Stated
from auditor.model.assessment import Subject, Waiver, WaiverUse
from auditor.model.errors import InputError
from auditor.model.resource import Location
from auditor.model.resource import Path as ItemPath
from auditor.model.verdict import Finding, Outcome

_HINT = "The page docs/waivers-and-baselines.md shows a complete entry."
_LONG = timedelta(days=366)


def load(given: Path | Stated) -> tuple[Waiver, ...]:
    """Return the waivers in a file, or as one states them at a ref, in their order.

    Raises `InputError` when it cannot be read and `MistakesError` with every mistake in it.
    """
    file = given.file if isinstance(given, Stated) else given.as_posix()
    try:
        content = given.content if isinstance(given, Stated) else given.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", hint="Check --waivers.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text", hint="Save the waivers as UTF-8.") from error
    return parse(text, file=file)


def parse(text: str, *, file: str) -> tuple[Waiver, ...]:
    """Return the waivers that the YAML `text` states. Raises `MistakesError` with every mistake in it."""
    _refuse_unreadable(text, file=file)
    schema = data.policies() / "waivers.schema.json"
    mistakes: tuple[authored.Mistake, ...] = ()
    try:
        content = authored.read(text, file=file, schema=schema, hint=_HINT)
    except authored.MistakesError as error:
        mistakes, content = error.mistakes, _as_it_stands(text)
    entries = _entries(content)
    problems = list(_contradictions(entries))
    if mistakes or problems:
        raise authored.MistakesError((*mistakes, *authored.at_positions(text, problems, file=file)), hint=_HINT)
    places = authored.at_positions(text, [(("waivers", index), "") for index in range(len(entries))], file=file)
    return tuple(
        Waiver(
            id=_id(entry),
            policy=entry["policy"],
            subject=entry["subject"],
            reason=entry["reason"].strip(),
            owner=entry["owner"].strip(),
            approver=entry["approver"].strip(),
            ticket=entry["ticket"].strip(),
            expires=date.fromisoformat(entry["expires"]),
            value=entry.get("value", ""),
            location=Location(file=file, line=place.line, column=place.column),
        )
        for entry, place in zip(entries, places, strict=True)
    )


def apply(
    findings: Sequence[Finding],
    subjects: Sequence[Subject],
    waivers: Sequence[Waiver],
    *,
    today: date,
    key_id: str,
) -> tuple[tuple[Finding, ...], tuple[WaiverUse, ...]]:
    """Return the findings, those that a waiver covers marked as waived, and what became of each waiver.

    Where several waivers cover a finding, the first in the file gets it. `key_id` names the key of the value
    fingerprints; empty means that it was random for this run, so that no value can be recognised.
    """
    tried = [_Tried(waiver, expired=waiver.expires < today) for waiver in waivers]
    candidates = _Candidates(tried, subjects)
    judged = tuple(_waive(finding, candidates.of(finding), key_id) for finding in findings)
    return judged, tuple(entry.use(today=today, key_id=key_id) for entry in tried)


@dataclass(slots=True)
class _Tried:
    """A waiver and what it met in this run."""

    waiver: Waiver
    expired: bool
    used: int = 0
    taken: dict[str, int] = field(default_factory=dict)
    """Id of an earlier waiver and how many findings it had waived already."""
    other_values: dict[str, int] = field(default_factory=dict)
    """Findings that it names, but that are about another value, by that value's fingerprint."""
    valueless: int = 0
    """Findings that it names without a value although the waiver asks for one."""
    would: int = 0
    """Findings that it would waive had it not expired."""

    def use(self, *, today: date, key_id: str) -> WaiverUse:
        notes = list(self._notes(today=today, key_id=key_id))
        return WaiverUse(waiver=self.waiver, used=self.used, expired=self.expired, note="; ".join(notes))

    def _notes(self, *, today: date, key_id: str) -> Iterator[str]:
        if self.expired:
            effect = f"{_findings(self.would)} that it would cover {_verb(self.would)}" if self.would else ""
            yield f"expired on {self.waiver.expires}" + (f", {effect} again" if effect else "")
        elif self.waiver.expires - today > _LONG:
            yield "holds for more than a year from now: have it reviewed sooner"
        if self.other_values:
            yield self._about_values(key_id)
        if self.valueless:
            yield f"names a value, but {_findings(self.valueless)} that it names are about none"
        if not self.used and self.taken:
            yield f"everything that it covers is waived by {', '.join(sorted(self.taken))} already"
        if not (self.expired or self.used or self.taken or self.other_values or self.valueless):
            yield "unused: nothing that fails matches it"

    def _about_values(self, key_id: str) -> str:
        count = sum(self.other_values.values())
        if not key_id:
            return (
                f"{_findings(count)} that it names are about a value, and values cannot be recognised: the"
                " fingerprint key is random for this run (set AUDITOR_FINGERPRINT_KEY)"
            )
        seen = ", ".join(sorted(self.other_values)[:3]) + (", ..." if len(self.other_values) > 3 else "")
        if not self.waiver.value:
            return f"{_findings(count)} that it names are about a value: add `value` to waive them (met: {seen})"
        return (
            f"{_findings(count)} that it names are about another value (met: {seen}): the secret or the fingerprint"
            " key has changed"
        )


class _Candidates:
    """The waivers that name a finding, asked for many findings of few policies."""

    def __init__(self, tried: Sequence[_Tried], subjects: Sequence[Subject]) -> None:
        self._subjects = subjects
        self._named = [(entry, *_Glob.of(entry.waiver)) for entry in tried]
        self._of_policy: dict[str, list[tuple[_Tried, _Glob, _Glob | None]]] = {}

    def of(self, finding: Finding) -> Iterator[_Tried]:
        """Yield them in the order of the file."""
        known = self._of_policy.get(finding.policy_id)
        if known is None:
            known = [
                (entry, subject, item)
                for entry, policy, subject, item in self._named
                if policy.matches(finding.policy_id)
            ]
            self._of_policy[finding.policy_id] = known
        if known:
            subject_id = self._subjects[finding.subject].id
            for entry, subject, item in known:
                if subject.matches(subject_id) and (item is None or item.matches(finding.item)):
                    yield entry


class _Glob:
    """A pattern in which `*` is any text, `?` any character, and all else itself."""

    def __init__(self, pattern: str) -> None:
        parts = (
            ".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern)
        )
        self._match = re.compile("".join(parts), re.DOTALL).fullmatch
        self._start = re.split(r"[*?]", pattern, maxsplit=1)[0]

    @classmethod
    def of(cls, waiver: Waiver) -> "tuple[_Glob, _Glob, _Glob | None]":
        """Return what a waiver says of policy, subject and item; `None`: any item."""
        subject, separator, item = waiver.subject.partition("#")
        return cls(waiver.policy), cls(subject), cls(item) if separator else None

    def matches(self, text: str) -> bool:
        """Return whether the whole of `text` fits."""
        # Most texts differ at the start, and looking there alone is much quicker.
        return text.startswith(self._start) and self._match(text) is not None


def _waive(finding: Finding, candidates: Iterable[_Tried], key_id: str) -> Finding:
    taker = ""
    for entry in candidates:
        waiver = entry.waiver
        if finding.value_fingerprint and (not key_id or finding.value_fingerprint != waiver.value):
            entry.other_values[finding.value_fingerprint] = entry.other_values.get(finding.value_fingerprint, 0) + 1
        elif waiver.value and not finding.value_fingerprint:
            entry.valueless += 1
        elif entry.expired:
            entry.would += 1
        elif taker:
            entry.taken[taker] = entry.taken.get(taker, 0) + 1
        else:
            taker = waiver.id
            entry.used += 1
    return replace(finding, outcome=Outcome.WAIVED, waiver_id=taker) if taker else finding


def _refuse_unreadable(text: str, *, file: str) -> None:
    """Raise `MistakesError` for what is not one YAML document, or holds an alias or a tag: each waiver is plain."""
    import yaml  # noqa: PLC0415 - start-up: only where such a file exists

    try:
        events = list(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        what = f"not YAML: {error.problem or 'syntax error'}"
    except (yaml.YAMLError, RecursionError):
        mark, what = None, "not YAML: it holds a character or a depth that no document may have"
    else:
        documents = [event for event in events if isinstance(event, yaml.DocumentStartEvent)]
        devices = [
            event for event in events if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None
        ]
        if len(documents) < 2 and not devices:
            return
        mark = (documents[1:] or devices)[0].start_mark
        what = "a second document; write all waivers into one" if documents[1:] else "an alias or a tag; write it out"
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    raise authored.MistakesError([authored.Mistake(file=file, line=line, column=column, message=what)], hint=_HINT)


def _entries(content: Any) -> list[Mapping[str, Any]]:
    found = content.get("waivers") if isinstance(content, Mapping) else None
    return [entry if isinstance(entry, Mapping) else {} for entry in found] if isinstance(found, list) else []


def _contradictions(entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[ItemPath, str]]:
    """Yield what a schema cannot say. Entries may break the schema: those mistakes are told by others."""
    seen: dict[str, int] = {}
    for index, entry in enumerate(entries):
        owner, approver = (str(entry.get(name) or "").strip().casefold() for name in ("owner", "approver"))
        if owner and owner == approver:
            yield ("waivers", index, "approver"), f"waivers.{index} is approved by its own owner: name somebody else"
        if "policy" not in entry or "subject" not in entry:
            continue
        name = _id(entry)
        if name in seen:
            what = "has the id" if "id" in entry else "says the same"
            yield ("waivers", index), f"waivers.{index} {what} as waivers.{seen[name]}"
        seen.setdefault(name, index)


def _id(entry: Mapping[str, Any]) -> str:
    if "id" in entry:
        return str(entry["id"])
    said = json.dumps([str(entry.get(name, "")) for name in ("policy", "subject", "value")])
    return f"waiver-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def _as_it_stands(text: str) -> Any:
    import yaml  # noqa: PLC0415 - only where something is wrong

    try:
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes plain texts, lists and maps only
    except yaml.constructor.ConstructorError:
        # A list or a map as a key, which was told already; no entry can be looked at beyond that.
        return None


def _findings(count: int) -> str:
    return f"{count} finding{'' if count == 1 else 's'}"


def _verb(count: int) -> str:
    return "fails" if count == 1 else "fail"
