"""Baselines: known findings at a date, so that a gate can start on an estate that is not clean yet.

A known finding is shown and counted, but does not fail the gate. Findings are recognised by policy, subject and item,
and by the value that they are about: a changed secret is a new finding. The same finding may stand in an estate several
times (one object in two overlays), so entries are counted, not merely looked up: one more of it is new.

Values compare only under the same fingerprint key. Where the key differs, or was random, a finding about a value counts
as new and its entry as incomparable: neither known nor fixed, since nobody can say.
Waived findings are not written: when a waiver ends, its finding must fail again.
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from auditor import authored, data
from auditor.authored import Stated
from auditor.model.assessment import Assessment, BaselineUse
from auditor.model.errors import InputError
from auditor.model.record import record
from auditor.model.resource import Path as ItemPath
from auditor.model.verdict import Finding, Outcome

_VERSION = "1.0"
_HINT = "Write it with `auditor baseline ASSESSMENT.json -o FILE`."


@record(order=True)
class Entry:
    """One known finding."""

    policy: str
    subject: str
    item: str = ""
    fingerprint: str
    value: str = ""
    """Value fingerprint; empty for a finding about no value."""


@record
class Baseline:
    """The content of a baseline file."""

    file: str
    written: str
    key_id: str
    """Names the key of the value fingerprints; empty: it was random."""
    entries: tuple[Entry, ...]


def write(assessment: Assessment) -> bytes:
    """Return the failing findings of `assessment` as a baseline, in UTF-8. One finding a line, for reviews."""
    entries = sorted(
        Entry(
            policy=finding.policy_id,
            subject=assessment.subjects[finding.subject].id,
            item=finding.item,
            fingerprint=finding.fingerprint,
            value=finding.value_fingerprint,
        )
        for finding in assessment.findings
        if finding.outcome is Outcome.FAIL
    )
    head = {
        "baseline_version": _VERSION,
        "written": assessment.run.started.date().isoformat(),
        "tool_version": assessment.run.tool_version,
        "fingerprint_key_id": assessment.run.fingerprint_key_id,
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    listed = ",\n".join(f"    {_line(entry)}" for entry in entries)
    lines.append(f'  "findings": [\n{listed}\n  ]' if entries else '  "findings": []')
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def load(given: Path | Stated) -> Baseline:
    """Return the baseline in a file, or as one states it at a ref.

    Raises `InputError` when it cannot be read or is no baseline, and `MistakesError` with every mistake in it.
    """
    file = given.file if isinstance(given, Stated) else given.as_posix()
    try:
        text = (given.content if isinstance(given, Stated) else given.read_bytes()).decode()
        raw = json.loads(text)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", hint="Check --baseline.") from error
    except (ValueError, RecursionError):
        raise InputError(f"{file} is not JSON", hint=_HINT) from None
    if not isinstance(raw, dict) or "baseline_version" not in raw:
        raise InputError(f"{file} is no baseline", hint=_HINT)
    problems = authored.schema_problems(raw, schema=data.policies() / "baseline.schema.json")
    if problems:
        raise authored.MistakesError(_at_positions(text, problems, file=file), hint=_HINT)
    return Baseline(
        file=file,
        written=raw["written"],
        key_id=raw["fingerprint_key_id"],
        entries=tuple(Entry(**entry) for entry in raw["findings"]),
    )


def apply(
    findings: Sequence[Finding], baseline: Baseline, *, key_id: str, policies: Collection[str] | None = None
) -> tuple[tuple[Finding, ...], BaselineUse]:
    """Return the findings, those that `baseline` holds marked as known, and what the comparison gave.

    `key_id` names the key of this run's value fingerprints. `policies` are those that ran; entries of others are left
    out of the count of what was fixed, since nothing looked for them.
    """
    same_key = bool(key_id) and key_id == baseline.key_id
    waiting = Counter(
        (entry.fingerprint, entry.value) for entry in baseline.entries if policies is None or entry.policy in policies
    )
    judged = tuple(_mark(finding, waiting, same_key=same_key) for finding in findings)
    incomparable = 0 if same_key else _incomparable(findings, waiting)
    return judged, BaselineUse(
        file=baseline.file,
        written=baseline.written,
        known=sum(finding.known for finding in judged),
        fixed=waiting.total(),
        incomparable=incomparable,
    )


def _at_positions(text: str, problems: Sequence[tuple[ItemPath, str]], *, file: str) -> list[authored.Mistake]:
    import yaml  # noqa: PLC0415 - only where something is wrong

    try:
        return authored.at_positions(text, problems, file=file)
    except yaml.YAMLError:
        # JSON that no YAML reader takes (tabs, for example): the messages name the place by its path.
        return [authored.Mistake(file=file, line=1, column=1, message=message) for _, message in problems]


def _mark(finding: Finding, waiting: Counter[tuple[str, str]], *, same_key: bool) -> Finding:
    key = (finding.fingerprint, finding.value_fingerprint)
    if (finding.value_fingerprint and not same_key) or not waiting[key]:
        return finding
    waiting[key] -= 1
    return replace(finding, known=True)


def _incomparable(findings: Sequence[Finding], waiting: Counter[tuple[str, str]]) -> int:
    """Return how many findings about a value meet an entry that may be the same; take those entries out."""
    about_values = Counter(finding.fingerprint for finding in findings if finding.value_fingerprint)
    count = 0
    for key in sorted(key for key in waiting if key[1]):
        taken = min(waiting[key], about_values[key[0]])
        waiting[key] -= taken
        about_values[key[0]] -= taken
        count += taken
    return count


def _line(entry: Entry) -> str:
    named = {
        "policy": entry.policy,
        "subject": entry.subject,
        "item": entry.item,
        "fingerprint": entry.fingerprint,
        "value": entry.value,
    }
    return json.dumps({name: value for name, value in named.items() if value})
