"""The estate at one look: what was read of each source, and what was not."""

from auditor.model.collection import CallResult
from auditor.snapshot.picture import Reading, picture
from tests.snapshot.builders import BINDING, ROLE, SECRET, call, source

CUSTOM = "kubernetes/X.example.com"


def test_each_kind_says_the_worst_of_its_lists() -> None:
    (prod,) = picture(
        [source()],
        [
            call(ROLE, kept=3),
            call(BINDING, namespace="shop", kept=2),
            call(BINDING, namespace="pay", result=CallResult.FORBIDDEN),
            call(SECRET, result=CallResult.NOT_ASKED),
            call(CUSTOM, result=CallResult.NOT_SERVED),
            call("kubernetes/Pod", result=CallResult.TIMED_OUT),
            call("kubernetes/Job", result=CallResult.CUT, kept=1),
        ],
    )
    assert {kind.type: kind.reading for kind in prod.kinds} == {
        ROLE: Reading.READ,
        BINDING: Reading.PARTLY,
        SECRET: Reading.NOT_ASKED,
        CUSTOM: Reading.NOT_SERVED,
        "kubernetes/Pod": Reading.NOT_READ,
        "kubernetes/Job": Reading.PARTLY,
    }
    assert prod.kept == 6
    assert not prod.complete
    binding = next(kind for kind in prod.kinds if kind.type == BINDING)
    assert (binding.lists, binding.complete, binding.holes[0].namespace) == (2, 1, "pay")
    assert [kind.type for kind in prod.with_reading(Reading.READ, Reading.PARTLY)] == [
        ROLE,
        BINDING,
        "kubernetes/Job",
    ]


def test_a_source_is_complete_when_nothing_that_was_asked_is_missing() -> None:
    calls = [call(ROLE), call(SECRET, result=CallResult.NOT_ASKED)]
    assert picture([source()], calls)[0].complete
    assert not picture([source(failure="No.")], calls)[0].complete
    assert not picture([], calls)[0].complete


def test_sources_stand_by_plane_and_name_also_those_that_did_not_come_to_their_end() -> None:
    estates = picture([source("b"), source("a", plane="vault")], [call(ROLE, source="c", kept=1)], names=("d", "b"))
    assert [(estate.plane, estate.name) for estate in estates] == [
        ("", "d"),
        ("kubernetes", "b"),
        ("kubernetes", "c"),
        ("vault", "a"),
    ]
    assert estates[2].source is None
