"""Whether pages make a list: laws over every way of cutting and spoiling one, without a server."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collectors.kubernetes.answers import NotJsonError, parsed
from auditor.collectors.kubernetes.client import Reply
from auditor.collectors.kubernetes.discovery import Served
from auditor.collectors.kubernetes.kinds import How
from auditor.collectors.kubernetes.paging import BrokenListError, Listing, Tally, _Following, _read
from auditor.model.collection import CallResult

ROLES = Listing(
    served=Served(group="rbac.authorization.k8s.io", version="v1", plural="roles", kind="Role", namespaced=True),
    how=How.FULL,
    page=500,
)


def page(names: list[str], *, token: str, remaining: int | None, version: str = "7") -> Reply:
    metadata: dict[str, Any] = {"resourceVersion": version}
    if token:
        metadata |= {"continue": token}
    if remaining is not None:
        metadata |= {"remainingItemCount": remaining}
    items = [{"metadata": {"namespace": "n", "name": name}} for name in names]
    return Reply(headers={}, body=orjson.dumps({"kind": "RoleList", "metadata": metadata, "items": items}), retries=0)


def follow(pages: list[Reply]) -> Tally:
    following, tally = _Following(ROLES), Tally()
    for reply in pages:
        following.page(_read(reply, ROLES), tally)
    return tally


def cut(names: list[str], sizes: list[int], *, counted: bool = True) -> list[Reply]:
    """Return the pages of a list as the API server makes them."""
    pages, start = [], 0
    for size in [*sizes, len(names)]:
        part = names[start : start + size]
        start += size
        left = max(len(names) - start, 0)
        pages.append(page(part, token=f"t{start}" if left else "", remaining=left if left and counted else None))
        if not left:
            break
    return pages


NAMES = st.lists(st.text("abcdz-.", min_size=1, max_size=4), unique=True, max_size=20)
SIZES = st.lists(st.integers(1, 6), max_size=20)
MANY = st.lists(st.text("abcdz-.", min_size=1, max_size=4), unique=True, min_size=10, max_size=20)
SMALL = st.lists(st.integers(1, 3), min_size=3, max_size=20)


@given(names=NAMES, sizes=SIZES, counted=st.booleans(), ordered=st.booleans())
def test_every_whole_list_is_taken(names: list[str], sizes: list[int], *, counted: bool, ordered: bool) -> None:
    """In whatever order: servers of their own need not sort."""
    names = sorted(names) if ordered else names
    pages = cut(names, sizes, counted=counted)
    tally = follow(pages)
    assert (tally.items, tally.pages, tally.remaining) == (len(names), len(pages), 0)


@given(names=NAMES.filter(bool), sizes=SIZES, data=st.data(), ordered=st.booleans())
def test_no_object_can_come_twice(names: list[str], sizes: list[int], data: st.DataObject, *, ordered: bool) -> None:
    """Neither in a page nor in another one, neither in order nor out of it."""
    names = sorted(names) if ordered else names
    twice = data.draw(st.sampled_from(names))
    names.insert(data.draw(st.integers(0, len(names))), twice)
    with pytest.raises(BrokenListError, match="an object comes twice"):
        follow(cut(names, sizes, counted=False))


@given(names=MANY, sizes=SMALL, data=st.data())
def test_no_page_can_be_missing_where_the_server_counts(
    names: list[str], sizes: list[int], data: st.DataObject
) -> None:
    """Any but the first, since what comes instead of that cannot be told from it."""
    pages = cut(sorted(names), sizes)
    del pages[data.draw(st.integers(1, len(pages) - 2))]
    with pytest.raises(BrokenListError, match="counted") as caught:
        follow(pages)
    assert caught.value.result is CallResult.INCONSISTENT


@given(names=MANY, sizes=SMALL)
def test_a_list_without_its_last_page_has_not_ended(names: list[str], sizes: list[int]) -> None:
    pages = cut(sorted(names), sizes)
    assert follow(pages[:-1]).remaining != 0


@given(names=MANY, sizes=SMALL, version=st.text("123", min_size=1, max_size=2))
def test_pages_of_another_state_are_refused(names: list[str], sizes: list[int], version: str) -> None:
    pages = cut(sorted(names), sizes)
    body = orjson.loads(pages[-1].body)
    body["metadata"]["resourceVersion"] = version
    with pytest.raises(BrokenListError, match="different states"):
        follow([*pages[:-1], Reply(headers={}, body=orjson.dumps(body), retries=0)])


@given(content=st.binary(max_size=40) | st.text('{}[]":,kindRoleLst', max_size=40).map(str.encode))
def test_no_content_makes_it_fail(content: bytes) -> None:
    with pytest.raises(BrokenListError):
        _read(Reply(headers={}, body=content, retries=0), ROLES)


@pytest.mark.parametrize(
    ("content", "ended"),
    [
        (b"", True),
        (b'{"a": [1,', True),
        (b'{"a": "b', True),
        (b"<html>", False),
        (b'{"a": 1} x', False),
        (b"{'a'}", False),
    ],
)
def test_json_that_stops_too_early_is_told_from_what_is_none(content: bytes, *, ended: bool) -> None:
    with pytest.raises(NotJsonError) as caught:
        parsed(content)
    assert caught.value.ended is ended
    assert caught.value.__context__ is None, "the library's error holds the whole text"
