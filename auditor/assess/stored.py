"""An assessment read back from the JSON report that a scan wrote.

The layout is the model's own: field names, enums by value, tuples as arrays, times in ISO 8601. So the reader follows
the types of the model and knows no field by name. What a later minor version adds is passed over; another major
version, a missing field and a value of the wrong type are refused, named by their place and never quoted.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from auditor.model.assessment import SCHEMA_VERSION, Assessment
from auditor.model.decoding import WrongError, decoder
from auditor.model.errors import InputError

_HINT = "Write it with `auditor scan --report json=FILE`."


def load(path: Path) -> Assessment:
    """Return the assessment in the file `path`.

    Raises `InputError` when it cannot be read, is no stored assessment, or is one of another major version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", hint="Name a file that `auditor` wrote."
        ) from error
    return parse(content, name=str(path))


def parse(content: bytes, *, name: str) -> Assessment:
    """Return the assessment in `content`; `name` says in errors where it came from. Raises as `load`."""
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(f"{name} is not JSON{where}", hint=_HINT) from None
    _refuse_other_versions(raw, name)
    try:
        assessment: Assessment = decoder(Assessment)(raw)
    except WrongError as error:
        raise InputError(f"{name} is no stored assessment: {error}", hint=_HINT) from None
    for place, indexes, lowest in _references(assessment):
        if indexes and (min(indexes) < lowest or max(indexes) >= len(assessment.subjects)):
            raise InputError(f"{name} is no stored assessment: {place} names a subject that it lacks", hint=_HINT)
    return assessment


def _refuse_other_versions(raw: Any, name: str) -> None:
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if not isinstance(version, str):
        raise InputError(f"{name} is no stored assessment: it states no schema_version", hint=_HINT)
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise InputError(
            f"{name} is an assessment of another format than {SCHEMA_VERSION}, which this version reads",
            hint="Read it with the version of auditor that wrote it, or scan again.",
        )


def _references(assessment: Assessment) -> Iterator[tuple[str, Sequence[int], int]]:
    """Yield each list of indexes into the subjects, with its place and the lowest index that is allowed there."""
    yield "findings", [finding.subject for finding in assessment.findings], 0
    for result in assessment.results:
        place = f"the result of {result.policy_id}"
        for group in (result.passed, result.failed, result.waived):
            yield place, group, 0
        yield place, [index for index, _ in result.not_evaluated], -1
