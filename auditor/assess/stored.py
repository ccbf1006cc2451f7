"""An assessment read back from the JSON report that a scan wrote.

The layout is the model's own: field names, enums by value, tuples as arrays, times in ISO 8601. So the reader follows
the types of the model and knows no field by name. What a later minor version adds is passed over; another major
version, a missing field and a value of the wrong type are refused, named by their place and never quoted.
"""

import json
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, Union, get_args, get_origin, get_type_hints

from auditor.model.assessment import SCHEMA_VERSION, Assessment
from auditor.model.errors import InputError

_HINT = "Write it with `auditor scan --report json=FILE`."

_Decoder = Callable[[Any], Any]


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
        assessment: Assessment = _decoder(Assessment)(raw)
    except _WrongError as error:
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


class _WrongError(Exception):
    """A value that does not have the type that the model gives it."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.path: list[str] = []

    def __str__(self) -> str:
        return f"{'.'.join(reversed(self.path)) or 'the whole'} {self.expected}"


@cache
def _decoder(type_: Any) -> _Decoder:
    """Return the function that makes a value of `type_` from JSON."""
    if is_dataclass(type_) and isinstance(type_, type):
        return _dataclass(type_)
    origin = get_origin(type_)
    if origin is tuple:
        inner = get_args(type_)
        return _list(_decoder(inner[0])) if inner[-1] is Ellipsis else _fixed(tuple(map(_decoder, inner)))
    if origin in {Union, types.UnionType}:
        inner = tuple(entry for entry in get_args(type_) if entry is not type(None))
        return _optional(_decoder(inner[0]))
    if isinstance(type_, type) and issubclass(type_, StrEnum):
        return _enum(type_)
    return _TIMES[type_] if type_ in _TIMES else _scalar(type_)


def _dataclass(type_: type[Any]) -> _Decoder:
    hints = get_type_hints(type_)
    known = [
        (entry.name, _decoder(hints[entry.name]), entry.default is MISSING and entry.default_factory is MISSING)
        for entry in fields(type_)
    ]

    def decode(value: Any) -> Any:
        if type(value) is not dict:
            raise _WrongError("must be an object")
        name = ""
        given = {}
        try:
            for name, decoder, required in known:
                if name in value:
                    given[name] = decoder(value[name])
                elif required:
                    _missing()
        except _WrongError as error:
            error.path.append(name)
            raise
        return type_(**given)

    return decode


def _missing() -> NoReturn:
    raise _WrongError("is missing")


def _list(inner: _Decoder) -> _Decoder:
    def decode(value: Any) -> Any:
        if type(value) is not list:
            raise _WrongError("must be an array")
        made: list[Any] = []
        try:
            made.extend(map(inner, value))
        except _WrongError as error:
            error.path.append(str(len(made)))
            raise
        return tuple(made)

    return decode


def _fixed(inner: tuple[_Decoder, ...]) -> _Decoder:
    def decode(value: Any) -> Any:
        if type(value) is not list or len(value) != len(inner):
            raise _WrongError(f"must be an array of {len(inner)}")
        return tuple(decoder(entry) for decoder, entry in zip(inner, value, strict=True))

    return decode


def _optional(inner: _Decoder) -> _Decoder:
    return lambda value: None if value is None else inner(value)


def _enum(type_: type[StrEnum]) -> _Decoder:
    members = {member.value: member for member in type_}

    def decode(value: Any) -> Any:
        member = members.get(value) if isinstance(value, str) else None
        if member is None:
            raise _WrongError(f"must be one of {', '.join(members)}")
        return member

    return decode


def _scalar(type_: type[Any]) -> _Decoder:
    words = {str: "text", int: "a whole number", bool: "true or false"}[type_]

    def decode(value: Any) -> Any:
        if type(value) is not type_:
            raise _WrongError(f"must be {words}")
        return value

    return decode


def _datetime(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _WrongError("must be a time in ISO 8601") from None
    if moment.tzinfo is None:
        raise _WrongError("must name its time zone")
    return moment.astimezone(UTC)


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _WrongError("must be a date in ISO 8601") from None


_TIMES: dict[Any, _Decoder] = {datetime: _datetime, date: _date}
