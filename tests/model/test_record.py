"""`@record` promises what `@dataclass(frozen=True, slots=True, kw_only=True)` does; both are held beside each other."""

import copy
import dataclasses
import operator
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model import record as ours
from auditor.model.record import record


@record(order=True)
class Ours:
    """A noun."""

    name: str
    number: int = 3
    tags: tuple[str, ...] = ()
    table: dict[str, int] = field(default_factory=dict, compare=False)
    quiet: str = field(default="", repr=False)

    @property
    def loud(self) -> str:
        return self.name.upper()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Theirs:
    """A noun."""

    name: str
    number: int = 3
    tags: tuple[str, ...] = ()
    table: dict[str, int] = field(default_factory=dict, compare=False)
    quiet: str = field(default="", repr=False)

    @property
    def loud(self) -> str:
        return self.name.upper()


@record(kw_only=False)
class Pair:
    """Made by position."""

    one: int
    two: int = 2


@record
class Checked:
    """Has a rule of its own, and one field."""

    text: str

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueError("empty")


VALUES = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b"])},
    optional={
        "number": st.integers(0, 2),
        "tags": st.lists(st.sampled_from("xy"), max_size=2).map(tuple),
        "table": st.dictionaries(st.just("k"), st.integers(0, 1)),
        "quiet": st.sampled_from(["", "q"]),
    },
)


def outcome(act: Callable[[], Any]) -> Any:
    """Return what `act` gives, or the type of its error."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - whatever it is, both must raise it
        return type(error)


@given(one=VALUES, two=VALUES)
def test_a_record_compares_hashes_and_shows_itself_as_the_standard_class_does(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    ours, theirs = (Ours(**one), Ours(**two)), (Theirs(**one), Theirs(**two))
    for compare in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
        assert compare(*ours) == compare(*theirs), compare
    assert [hash(entry) for entry in ours] == [hash(entry) for entry in theirs]
    assert [repr(entry).replace("Ours", "Theirs") for entry in ours] == [repr(entry) for entry in theirs]
    assert asdict(ours[0]) == asdict(theirs[0])
    changes = {"number": 9, "table": {"z": 1}}
    assert asdict(replace(ours[0], **changes)) == asdict(replace(theirs[0], **changes))


@given(values=VALUES, protocol=st.integers(2, pickle.HIGHEST_PROTOCOL))
def test_a_record_survives_being_pickled_and_copied(values: dict[str, Any], protocol: int) -> None:
    made = Ours(**values)
    for twin in (pickle.loads(pickle.dumps(made, protocol)), copy.copy(made), copy.deepcopy(made)):  # noqa: S301 - our own bytes
        assert twin == made
        assert twin.table == made.table
        assert twin is not made


@pytest.mark.parametrize(
    "act",
    [
        lambda type_: type_(),
        lambda type_: type_("a"),
        lambda type_: type_(name="a", unknown=1),
        lambda type_: type_(name="a").__class__.__match_args__,
        lambda type_: type_(name="a").__slots__,
        lambda type_: setattr(type_(name="a"), "name", "b"),
        lambda type_: delattr(type_(name="a"), "name"),
        lambda type_: type_(name="a").__dict__,
        lambda type_: type_(name="a") < 3,
        lambda type_: type_(name="a") == 3,
        lambda type_: type_(name="a").loud,
        lambda type_: type_.__doc__,
        lambda type_: type_.__module__,
        lambda type_: [(entry.name, entry.type, entry.default, entry.kw_only) for entry in fields(type_)],
        lambda type_: [entry.name for entry in fields(type_(name="a"))],
        is_dataclass,
        lambda type_: is_dataclass(type_(name="a")),
        lambda type_: type_(name="a").table is type_(name="a").table,
    ],
)
def test_a_record_allows_and_refuses_what_the_standard_class_does(act: Callable[[Any], Any]) -> None:
    assert outcome(lambda: act(Ours)) == outcome(lambda: act(Theirs))


def test_a_field_of_a_record_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError, match="name of Ours cannot be changed"):
        Ours(name="a").name = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Ours(name="a").unknown = "b"  # type: ignore[attr-defined]


def test_fields_can_be_given_by_position_where_the_record_says_so() -> None:
    assert Pair(1) == Pair(one=1, two=2)
    match Pair(5, 6):
        case Pair(one, two):
            assert (one, two) == (5, 6)


def test_records_have_no_order_unless_they_are_given_one() -> None:
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        with pytest.raises(TypeError):
            compare(Pair(1), Pair(2))


def test_a_record_of_one_field_compares_by_it_and_keeps_its_own_rule() -> None:
    assert [one == two for one, two in product([Checked(text="a"), Checked(text="b")], repeat=2)] == [
        True, False, False, True,
    ]  # fmt: skip
    assert pickle.loads(pickle.dumps(Checked(text="a"))) == Checked(text="a")  # noqa: S301 - our own bytes
    with pytest.raises(ValueError, match="empty"):
        Checked(text="")


@record(order=True)
class Placed:
    """A noun with a field that may be unknown, and one of its own kind inside."""

    file: str
    line: int | None = None
    inner: "Placed | None" = None


def test_what_is_unknown_stands_first_in_the_order() -> None:
    """`None` compares with nothing, and two gaps of one file, one of them without a line, are in every report."""
    unknown, first, last = Placed(file="a"), Placed(file="a", line=1), Placed(file="a", line=2)
    assert sorted([last, unknown, first]) == [unknown, first, last]
    assert not unknown < unknown  # noqa: PLR0124 - an order says no here
    assert unknown <= Placed(file="a")
    nested = [Placed(file="b", inner=last), Placed(file="b", inner=unknown), Placed(file="b")]
    assert sorted(nested) == nested[::-1]


def test_a_class_that_needs_the_standard_decorator_is_refused() -> None:
    class WithBase(Exception):  # noqa: N818 - any base
        name: str

    class Computed:
        name: str = dataclasses.field(init=False)

    class Hashed:
        name: str = dataclasses.field(hash=False)

    for written in (WithBase, Computed, Hashed):
        with pytest.raises(TypeError, match=r"needs `dataclasses\.dataclass`"):
            record(written)


@record(order=True)
class Lean:
    """A noun whose fields are described without the standard module."""

    name: str
    number: int = 3
    tags: tuple[str, ...] = ()
    table: dict[str, int] = ours.field(default_factory=dict, compare=False)
    quiet: str = ours.field(default="", repr=False)


@given(one=VALUES, two=VALUES)
def test_fields_of_our_own_say_what_those_of_the_standard_module_do(one: dict[str, Any], two: dict[str, Any]) -> None:
    lean, theirs = (Lean(**one), Lean(**two)), (Theirs(**one), Theirs(**two))
    for compare in (operator.eq, operator.lt, operator.ge):
        assert compare(*lean) == compare(*theirs), compare
    assert repr(lean[0]).replace("Lean", "Theirs") == repr(theirs[0])
    assert asdict(lean[0]) == asdict(theirs[0])
    assert [(entry.name, entry.compare, entry.repr) for entry in fields(Lean)] == [
        (entry.name, entry.compare, entry.repr) for entry in fields(Theirs)
    ]


def test_a_record_is_made_without_the_standard_module() -> None:
    """It takes 6 ms to import, a tenth of what a commit hook may take in all."""
    code = (
        "import sys; from auditor.model import resource; made = resource.Resource(type='t', name='n', body={},"
        " origin=resource.Origin(file='f')); assert made.digest == ''; sys.exit('dataclasses' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
