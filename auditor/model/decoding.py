"""The nouns read back from JSON: field names, enums by value, tuples as arrays, times in ISO 8601.

A decoder follows the types of the model and knows no field by name. A field that the model does not have is passed
over, so that a later minor version can be read; a missing field and a value of the wrong type are refused, named by
their place and never quoted.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, NoReturn, Union, get_args, get_origin, get_type_hints

Decoder = Callable[[Any], Any]
_WORDS: dict[Any, str] = {str: "text", int: "a whole number", bool: "true or false"}


class WrongError(Exception):
    """A value that does not have the type that the model gives it."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.path: list[str] = []

    def __str__(self) -> str:
        return f"{'.'.join(reversed(self.path)) or 'the whole'} {self.expected}"


@cache
def decoder(type_: Any) -> Decoder:
    """Return the function that makes a value of `type_` from what `json.loads` gave. It raises `WrongError`."""
    if is_dataclass(type_) and isinstance(type_, type):
        return _dataclass(type_)
    origin = get_origin(type_)
    if origin is tuple:
        inner = get_args(type_)
        return _list(decoder(inner[0])) if inner[-1] is Ellipsis else _fixed(tuple(map(decoder, inner)))
    if origin in {Union, types.UnionType}:
        inner = tuple(entry for entry in get_args(type_) if entry is not type(None))
        return _optional(decoder(inner[0])) if len(inner) == 1 else _either(inner)
    if origin is Mapping:
        return _map(decoder(get_args(type_)[1]))
    if isinstance(type_, type) and issubclass(type_, StrEnum):
        return _enum(type_)
    return _TIMES[type_] if type_ in _TIMES else _scalar(type_)


def _dataclass(type_: type[Any]) -> Decoder:
    hints = get_type_hints(type_)
    known = [
        (entry.name, decoder(hints[entry.name]), entry.default is MISSING and entry.default_factory is MISSING)
        for entry in fields(type_)
    ]

    def decode(value: Any) -> Any:
        if type(value) is not dict:
            raise WrongError("must be an object")
        name = ""
        given = {}
        try:
            for name, inner, required in known:
                if name in value:
                    given[name] = inner(value[name])
                elif required:
                    _missing()
        except WrongError as error:
            error.path.append(name)
            raise
        return type_(**given)

    return decode


def _missing() -> NoReturn:
    raise WrongError("is missing")


def _list(inner: Decoder) -> Decoder:
    def decode(value: Any) -> Any:
        if type(value) is not list:
            raise WrongError("must be an array")
        made: list[Any] = []
        try:
            made.extend(map(inner, value))
        except WrongError as error:
            error.path.append(str(len(made)))
            raise
        return tuple(made)

    return decode


def _fixed(inner: tuple[Decoder, ...]) -> Decoder:
    def decode(value: Any) -> Any:
        if type(value) is not list or len(value) != len(inner):
            raise WrongError(f"must be an array of {len(inner)}")
        return tuple(one(entry) for one, entry in zip(inner, value, strict=True))

    return decode


def _optional(inner: Decoder) -> Decoder:
    return lambda value: None if value is None else inner(value)


def _either(types_: tuple[type[Any], ...]) -> Decoder:
    words = " or ".join(_WORDS[type_] for type_ in types_)

    def decode(value: Any) -> Any:
        if type(value) not in types_:
            raise WrongError(f"must be {words}")
        return value

    return decode


def _enum(type_: type[StrEnum]) -> Decoder:
    members = {member.value: member for member in type_}

    def decode(value: Any) -> Any:
        member = members.get(value) if isinstance(value, str) else None
        if member is None:
            raise WrongError(f"must be one of {', '.join(members)}")
        return member

    return decode


def _map(inner: Decoder) -> Decoder:
    def decode(value: Any) -> Any:
        if type(value) is not dict:
            raise WrongError("must be an object")
        made: dict[str, Any] = {}
        key = ""
        try:
            for key, entry in value.items():
                made[key] = inner(entry)
        except WrongError as error:
            error.path.append(key)
            raise
        return made

    return decode


def _scalar(type_: Any) -> Decoder:
    if type_ is Any:
        return lambda value: value
    if type_ is float:
        return _number
    words = _WORDS[type_]

    def decode(value: Any) -> Any:
        if type(value) is not type_:
            raise WrongError(f"must be {words}")
        return value

    return decode


def _number(value: Any) -> float:
    if type(value) is not int and type(value) is not float:
        raise WrongError("must be a number")
    return float(value)


def _datetime(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise WrongError("must be a time in ISO 8601") from None
    if moment.tzinfo is None:
        raise WrongError("must name its time zone")
    return moment.astimezone(UTC)


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise WrongError("must be a date in ISO 8601") from None


_TIMES: dict[Any, Decoder] = {datetime: _datetime, date: _date}
