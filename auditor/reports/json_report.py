"""The assessment as JSON: complete, so that it can be read back, and described by `policies/assessment.schema.json`.

Names are those of the model; a tuple is an array. The top-level lists hold one entry a line, so that a difference of
two reports names the entries that differ, and a line-based search finds whole entries.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from functools import cache
from operator import attrgetter
from typing import Any

from auditor.model.assessment import SCHEMA_VERSION, Assessment
from auditor.model.verdict import Finding
from auditor.reports import figures, json_text
from auditor.reports.options import Options


def render(assessment: Assessment, options: Options) -> bytes:
    """Return the assessment as JSON in UTF-8. The same verdicts in any order give the same bytes."""
    del options  # a program reads this: there is nothing to adapt
    parts: dict[str, str] = {
        "schema_version": _line(SCHEMA_VERSION),
        "run": _line(assessment.run),
        "summary": _line(_summary(assessment)),
        "coverage": _lines(assessment.coverage),
        "sources": _lines(assessment.sources),
        "calls": _lines(assessment.calls),
        "subjects": _lines(assessment.subjects),
        "policies": _lines(assessment.policies),
        "results": _lines(assessment.results),
        "findings": _lines([_finding(finding, assessment) for finding in assessment.findings]),
        "frameworks": _lines(assessment.frameworks),
        "requirements": _lines(assessment.requirements),
        "waivers": _lines(assessment.waivers),
        "baseline": _line(assessment.baseline),
        "leaks": _line(assessment.leaks),
    }
    text = "{\n" + ",\n".join(f'"{name}": {part}' for name, part in parts.items()) + "\n}\n"
    return json_text.tame(text).encode()


def _summary(assessment: Assessment) -> dict[str, Any]:
    table = figures.severity_table(assessment.findings)
    return {
        "complete": assessment.complete,
        "verdicts": dict(figures.verdicts(assessment)),
        "findings": {row.severity: row.new for row in table},
        "known": sum(row.known for row in table),
        "waived": sum(row.waived for row in table),
        "gaps": figures.gaps(assessment),
    }


def _finding(finding: Finding, assessment: Assessment) -> dict[str, Any]:
    fields_: dict[str, Any] = _plain(finding)
    return fields_ | {"subject_id": assessment.subjects[finding.subject].id}


def _lines(entries: Sequence[Any]) -> str:
    """Return the array with one entry a line.

    The encoder is called once for all, since a call costs more than an entry. Between two entries stands a mark, which
    cannot be mistaken for a part of one: a quotation mark inside of a text is escaped.
    """
    if not entries:
        return "[]"
    marked = [part for entry in entries for part in (entry, _MARK)]
    return "[\n" + _line(marked[:-1])[1:-1].replace(_BETWEEN, ",\n") + "\n]"


_MARK = "\0"
_BETWEEN = ', "\\u0000", '


def _line(value: Any) -> str:
    return _ENCODER.encode(value)


def _plain(value: Any) -> Any:
    """Return what the encoder asks for: a noun of the model as its fields, a time as ISO 8601."""
    return _reader(value.__class__)(value)


@cache
def _reader(type_: Any) -> Callable[[Any], Any]:
    """Return what makes plain data of an instance of `type_`; told once for each type, as there are very many."""
    if issubclass(type_, datetime):
        return lambda value: value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if issubclass(type_, date):
        return lambda value: value.isoformat()
    names = tuple(field.name for field in fields(type_))
    values = attrgetter(*names)  # every noun of the model has two fields or more, so it gives a tuple
    return lambda value: dict(zip(names, values(value), strict=True))


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, default=_plain)
