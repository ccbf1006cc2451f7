"""The nouns come back from JSON by their types, and a wrong value is named by its place and never quoted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import pytest

from auditor.model.decoding import WrongError, decoder


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    text: str
    number: int = 0
    part: float | None = None
    switch: bool = False
    colour: Colour = Colour.RED
    day: date | None = None
    moment: datetime | None = None
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    pair: tuple[str, int] = ("", 0)
    steps: tuple[str | int, ...] = ()
    anything: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


FULL = {
    "text": "t",
    "number": 1,
    "part": 1,
    "switch": True,
    "colour": "red",
    "day": "2026-11-24",
    "moment": "2026-11-24T10:00:00+01:00",
    "inner": {"name": "a"},
    "many": [{"name": "b"}, {"name": "c", "later": 1}],
    "pair": ["x", 2],
    "steps": ["a", 1],
    "anything": {"a": [None, {"b": 1.5}]},
    "counts": {"a": 1},
}


def test_every_kind_of_field_is_read() -> None:
    assert decoder(Outer)(FULL) == Outer(
        text="t",
        number=1,
        part=1.0,
        switch=True,
        day=date(2026, 11, 24),
        moment=datetime(2026, 11, 24, 9, tzinfo=UTC),
        inner=Inner(name="a"),
        many=(Inner(name="b"), Inner(name="c")),
        pair=("x", 2),
        steps=("a", 1),
        anything={"a": [None, {"b": 1.5}]},
        counts={"a": 1},
    )
    assert decoder(Outer)({"text": "t"}) == Outer(text="t")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"text": 1}, "text must be text"),
        ({"number": True}, "number must be a whole number"),
        ({"number": 1.5}, "number must be a whole number"),
        ({"part": "s3cr3t"}, "part must be a number"),
        ({"part": True}, "part must be a number"),
        ({"switch": 1}, "switch must be true or false"),
        ({"colour": "s3cr3t"}, "colour must be one of red"),
        ({"day": "s3cr3t"}, "day must be a date in ISO 8601"),
        ({"moment": "2026-11-24T10:00:00"}, "moment must name its time zone"),
        ({"inner": []}, "inner must be an object"),
        ({"many": [{"name": "b"}, {"name": 1}]}, "many.1.name must be text"),
        ({"many": {}}, "many must be an array"),
        ({"pair": ["x"]}, "pair must be an array of 2"),
        ({"steps": ["a", 1.5]}, "steps.1 must be text or a whole number"),
        ({"anything": []}, "anything must be an object"),
        ({"counts": {"a": "s3cr3t"}}, "counts.a must be a whole number"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(WrongError) as raised:
        decoder(Outer)(FULL | changes)
    assert str(raised.value) == told


def test_a_missing_field_is_named() -> None:
    with pytest.raises(WrongError, match="text is missing"):
        decoder(Outer)({})
