"""A version of a text, searched by what differs from another, gives what a search of all of it gives."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.detection import rules, versions
from auditor.detection.engine import Engine
from auditor.detection.triggers import Trigger
from auditor.detection.versions import Copy, Descent, Versions, carried

ENGINE = Engine(rules.load().of_tier(2), fingerprint=lambda value: value)
PIECES = (
    "db_password: gull-and-anchor-9\n", "- name: DB_PASSWORD\n", "  value: tern-and-rope-7\n", "value: quay-heron-41\n",
    "name: API_TOKEN\n", "password:\n", "password: |\n", "  one-line-only-5\n", "\n", "  \n", "text of no meaning\n",
    "kind: Secret\n", "stringData:\n", "  password: in-a-secret-3\n", "---\n", "x: 1\n",
    "-----BEGIN PRIVATE KEY-----\n",
    'variable "db_password" {\n', '  default = "hunter2"\n', "}\n", "--password\n", "-----END PRIVATE KEY-----\n",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "https://ada:gull-anchor@example.com/x ", "a = 'b', ",
)  # fmt: skip


def find(content: bytes) -> list[Trigger]:
    return ENGINE.triggers(content)


def copies(before: list[bytes], after: list[tuple[int, bytes]]) -> tuple[bytes, list[Copy]]:
    """Return the content of pieces `after`, each with its place in `before` or -1, and what of it is a copy."""
    starts = [sum(map(len, before[:at])) for at in range(len(before))]
    content, found = b"", list[Copy]()
    for place, piece in after:
        if place >= 0:
            last = found[-1] if found else None
            if last and (last.source + last.length, last.target + last.length) == (starts[place], len(content)):
                found[-1] = last._replace(length=last.length + len(piece))
            else:
                found.append(Copy(starts[place], len(content), len(piece)))
        content += piece
    return content, found


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.data())
def test_an_edited_text_gives_what_a_search_of_all_of_it_gives(pieces: list[str], data: st.DataObject) -> None:
    before = [piece.encode() for piece in pieces]
    after = list(enumerate(before))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(after)))
        match data.draw(st.sampled_from(["insert", "remove", "cut", "move"])):
            case "insert":
                after.insert(at, (-1, data.draw(st.sampled_from(PIECES)).encode()))
            case "remove":
                del after[at : at + data.draw(st.integers(1, 3))]
            case "cut":
                # In the middle of a line.
                after[at:] = [(-1, piece[2:]) if number == 0 else (place, piece) for number, (place, piece) in
                              enumerate(after[at:])]  # fmt: skip
            case "move":
                after = after[at:] + after[:at]
    content, parts = copies(before, after)
    known = sorted(find(b"".join(before)), key=lambda trigger: trigger.end)
    assert ENGINE.confirm(content, carried(content, known, parts, find)) == ENGINE.scan(content)


@pytest.mark.parametrize("file", sorted(Path("fixtures").rglob("*.yaml"))[:60], ids=str)
def test_a_real_file_with_a_changed_line_gives_what_a_search_of_all_of_it_gives(file: Path) -> None:
    before = file.read_bytes() * 4
    draw = random.Random(str(file))  # noqa: S311 - places, not secrets
    for _ in range(8):
        at, gone = draw.randrange(len(before) + 1), draw.randrange(60)
        new = draw.choice([b"", b"password: gull-and-anchor-9\n", b"x", b"\n\n\n", b"value: tern-rope-8"])
        content = before[:at] + new + before[at + gone :]
        parts = [Copy(0, 0, at), Copy(at + gone, at + len(new), len(before) - at - gone)]
        known = sorted(find(before), key=lambda trigger: trigger.end)
        found = carried(content, known, [part for part in parts if part.length > 0], find)
        assert ENGINE.confirm(content, found, path=str(file)) == ENGINE.scan(content, path=str(file))


def test_what_was_copied_is_not_searched_again() -> None:
    text = b"".join(b"line %d of many\n" % number for number in range(5_000)) + b"db_password: gull-and-anchor-9\n"
    content = text[:40_000] + b"x: 1\n" + text[40_000:]
    known = Versions()
    read = list[int]()

    def counted(part: bytes) -> list[Trigger]:
        read.append(len(part))
        return find(part)

    known.triggers(text, Descent("first"), counted)
    parts = (Copy(0, 0, 40_000), Copy(40_000, 40_005, len(text) - 40_000))
    found = known.triggers(content, Descent("second", "first", parts), counted)
    assert [hit.key for hit in ENGINE.confirm(content, found)] == ["db_password"]
    assert read[0] == len(text)
    assert sum(read[1:]) < 500


def test_a_copy_of_what_nobody_remembers_is_searched_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_REMEMBERED", 3)
    known = Versions()
    texts = [b"a_password: gull-anchor-%d\n" % number for number in range(9)]
    for number, text in enumerate(texts):
        known.triggers(text, Descent(number), find)
    found = known.triggers(texts[0], Descent(None, 0, (Copy(0, 0, len(texts[0])),)), find)
    assert len(ENGINE.confirm(texts[0], found)) == 1


@pytest.mark.parametrize("between", [b"", b"\n", b"\n\n"])
def test_a_pair_that_a_cut_brings_together_is_found(between: bytes) -> None:
    """Name and value are both copied, and only in the new version they belong to each other."""
    lines = b"".join(b"line %d\n" % number for number in range(40))
    name, gone, value = b"- name: DB_PASSWORD\n" + between, b"- name: PORT\n" * 6, b"  value: gull-and-anchor-9\n"
    before = lines + name + gone + value + lines
    content = lines + name + value + lines
    cut = len(lines + name)
    parts = [Copy(0, 0, cut), Copy(cut + len(gone), cut, len(content) - cut)]
    known = sorted(find(before), key=lambda trigger: trigger.end)
    found = ENGINE.confirm(content, carried(content, known, parts, find))
    assert found == ENGINE.scan(content)
    assert [hit.key for hit in found] == ["DB_PASSWORD"]
