"""What changed between two snapshots; what was not read in either is unknown, never removed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.model.collection import Call, CallResult
from auditor.model.resource import Resource
from auditor.snapshot import writing
from auditor.snapshot.differences import Differences, Objects, compare
from auditor.snapshot.reading import open_snapshot
from tests.snapshot.builders import BINDING, ROLE, SECRET, Ticking, call, literal, resource, run, source


def made(
    folder: Path, lists: Sequence[tuple[Call, Sequence[Resource]]], *, key: str = "0badc0de", **changes: Any
) -> Path:
    writer = writing.create(folder, run=run(fingerprint_key_id=key), clock=Ticking())
    for record, resources in lists:
        for entry in resources:
            writer.add(entry)
        writer.call(record)
    writer.source(source(**changes))
    writer.finish()
    return folder


def difference(old: Path, new: Path) -> Differences:
    return compare(open_snapshot(old), open_snapshot(new))


def of_roles(
    tmp_path: Path,
    old: Sequence[Resource],
    new: Sequence[Resource],
    *,
    before: CallResult = CallResult.READ,
    after: CallResult = CallResult.READ,
) -> Objects:
    (found,) = difference(
        made(tmp_path / "old", [(call(ROLE, result=before), old)]),
        made(tmp_path / "new", [(call(ROLE, result=after), new)]),
    ).objects
    return found


A, B, C = (resource(ROLE, name, rules=[{"verbs": ["get"]}]) for name in "abc")


def test_added_removed_changed_and_unchanged(tmp_path: Path) -> None:
    changed = resource(ROLE, "b", rules=[{"verbs": ["*"]}])
    found = of_roles(tmp_path, [A, B, C], [A, changed, resource(ROLE, "d")])
    assert found.added == (("shop", "d"),)
    assert found.removed == (("shop", "c"),)
    assert [(entry.name, entry.places) for entry in found.changed] == [(("shop", "b"), ("/rules/0/verbs/0",))]
    assert found.unchanged == 1
    assert (found.perhaps_added, found.perhaps_removed) == ((), ())


def test_what_a_refused_list_would_hold_is_unknown_and_not_removed(tmp_path: Path) -> None:
    found = of_roles(tmp_path, [A, B], [], after=CallResult.FORBIDDEN)
    assert found.removed == ()
    assert found.perhaps_removed == (("shop", "a"), ("shop", "b"))


def test_what_was_not_read_before_is_perhaps_older(tmp_path: Path) -> None:
    found = of_roles(tmp_path, [], [A], before=CallResult.TIMED_OUT)
    assert found.added == ()
    assert found.perhaps_added == (("shop", "a"),)


def test_half_a_list_proves_what_it_holds_and_nothing_else(tmp_path: Path) -> None:
    changed = resource(ROLE, "a", rules=[])
    found = of_roles(tmp_path, [A, B], [changed], after=CallResult.CUT)
    assert [entry.name for entry in found.changed] == [("shop", "a")]
    assert found.perhaps_removed == (("shop", "b"),)


def test_a_kind_that_is_not_served_any_more_is_gone(tmp_path: Path) -> None:
    """Discovery was complete and does not name it: that is an answer."""
    assert of_roles(tmp_path, [A], [], after=CallResult.NOT_SERVED).removed == (("shop", "a"),)


def test_a_list_that_was_never_asked_proves_nothing(tmp_path: Path) -> None:
    (found,) = difference(made(tmp_path / "old", [(call(ROLE), [A])]), made(tmp_path / "new", [])).objects
    assert found.perhaps_removed == (("shop", "a"),)


def test_namespaces_out_of_scope_are_unknown(tmp_path: Path) -> None:
    other = resource(ROLE, "x", namespace="pay")
    (found,) = difference(
        made(tmp_path / "old", [(call(ROLE), [A, B, other])]),
        made(tmp_path / "new", [(call(ROLE, namespace="shop"), [A])]),
    ).objects
    assert found.removed == (("shop", "b"),)
    assert found.perhaps_removed == (("pay", "x"),)


def test_coverage_and_systems_come_with_before_and_after(tmp_path: Path) -> None:
    found = difference(
        made(tmp_path / "old", [(call(ROLE), [A]), (call(SECRET), [resource(SECRET, "s")]), (call(BINDING), [])]),
        made(
            tmp_path / "new",
            [(call(ROLE), [A]), (call(SECRET, result=CallResult.FORBIDDEN), [])],
            version="v1.37.0",
            identifier="uid-of-another",
        ),
    )
    assert [(entry.type, entry.before, entry.after) for entry in found.coverage] == [
        (BINDING, "read", ""),
        (SECRET, "read", "forbidden"),
    ]
    assert [(entry.what, entry.before, entry.after) for entry in found.systems] == [
        ("identifier", "uid-of-prod", "uid-of-another"),
        ("version", "v1.36.3", "v1.37.0"),
    ]


def test_a_source_that_only_one_has_is_told(tmp_path: Path) -> None:
    old = made(tmp_path / "old", [(call(ROLE), [A])])
    writer = writing.create(tmp_path / "new", run=run(sources=("test",)), clock=Ticking())
    writer.source(source("test"))
    writer.finish()
    found = difference(old, tmp_path / "new")
    assert [(entry.source, entry.what, entry.before, entry.after) for entry in found.systems] == [
        ("prod", "source", "there", "not there"),
        ("test", "source", "not there", "there"),
    ]
    assert found.objects[0].perhaps_removed == (("shop", "a"),)


def test_what_the_api_server_writes_at_every_touch_is_no_change(tmp_path: Path) -> None:
    def touched(number: int) -> Resource:
        return resource(ROLE, "a", metadata={"name": "a", "resourceVersion": str(number), "generation": number})

    found = of_roles(tmp_path, [touched(1)], [touched(2)])
    assert found.same
    assert found.unchanged == 1


def test_fields_that_came_and_went_and_lists_of_another_length(tmp_path: Path) -> None:
    old = resource(ROLE, "a", spec={"gone": 1, "kept": {"a/b": 1}, "list": [1], "type": 1})
    new = resource(ROLE, "a", spec={"new": 1, "kept": {"a/b": 2}, "list": [1, 2], "type": True})
    (changed,) = of_roles(tmp_path, [old], [new]).changed
    assert changed.places == ("/spec/gone", "/spec/kept/a~1b", "/spec/list", "/spec/new", "/spec/type")


def test_the_order_of_keys_is_no_change(tmp_path: Path) -> None:
    old = resource(ROLE, "a", spec={"a": 1, "b": 2})
    new = resource(ROLE, "a", spec={"b": 2, "a": 1})
    assert of_roles(tmp_path, [old], [new]).same


def valued(fingerprint: str) -> Resource:
    plain = resource(ROLE, "a")
    return replace(plain, literals=(literal(fingerprint),))


def test_a_changed_value_shows_by_its_fingerprint(tmp_path: Path) -> None:
    (changed,) = of_roles(tmp_path, [valued("1" * 32)], [valued("2" * 32)]).changed
    assert changed.places == ("literal /data/password",)


@pytest.mark.parametrize("keys", [("random:1", "random:2"), ("", "")])
def test_values_under_two_keys_are_not_compared_and_that_is_said(tmp_path: Path, keys: tuple[str, str]) -> None:
    found = difference(
        made(tmp_path / "old", [(call(ROLE), [valued("1" * 32)])], key=keys[0]),
        made(tmp_path / "new", [(call(ROLE), [valued("2" * 32)])], key=keys[1]),
    )
    assert found.objects[0].same
    assert not found.values_compared


def test_an_object_that_an_export_holds_twice_is_no_addition(tmp_path: Path) -> None:
    found = of_roles(tmp_path, [A, A], [A, A, B])
    assert found.added == (("shop", "b"),)
    assert (found.removed, found.changed) == ((), ())


def test_equal_lists_are_not_even_unpacked(tmp_path: Path) -> None:
    """A month without a change costs nothing: the digests of the contents agree."""
    old, new = (made(tmp_path / name, [(call(ROLE), [A, B])]) for name in ("old", "new"))
    path = "resources/prod/kubernetes_Role.jsonl.gz"
    (old / path).write_bytes(b"x")
    assert difference(old, new).objects == (Objects(source="prod", type=ROLE, unchanged=2),)
