"""What was prepared is found by the text that it was made from, and whatever is amiss with it, made anew."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditor import data, prepared

RUNTIME = "runtime-1"
YAML = b"a: 1\nb: [x, true, 1.5, null]\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the place of a prepared file that stands for the installation's."""
    path = tmp_path / "prepared.bin"
    monkeypatch.setattr(data, "prepared_name", lambda: str(path))
    prepared.forget()
    yield path
    prepared.forget()


def packed(*, value: object = None) -> bytes:
    return prepared.pack({YAML: {"from": "the file"} if value is None else value}, {"1 + 1": b"two"}, runtime=RUNTIME)


def test_what_was_prepared_is_found_by_its_text(file: Path) -> None:
    file.write_bytes(packed())
    assert prepared.document(YAML) == {"from": "the file"}
    assert prepared.program("1 + 1", runtime=RUNTIME) == b"two"


def test_a_text_that_has_changed_since_is_made_anew(file: Path) -> None:
    file.write_bytes(packed())
    assert prepared.document(YAML + b"c: 2\n") == {"a": 1, "b": ["x", True, 1.5, None], "c": 2}
    assert prepared.program("1 + 2", runtime=RUNTIME) is None


@pytest.mark.parametrize("runtime", ["runtime-2", ""])
def test_programs_of_another_runtime_are_not_used(file: Path, runtime: str) -> None:
    file.write_bytes(packed())
    assert prepared.program("1 + 1", runtime=runtime) is None


def test_without_the_file_all_is_made_anew(file: Path) -> None:
    assert not file.exists()
    assert prepared.document(YAML) == {"a": 1, "b": ["x", True, 1.5, None]}
    assert prepared.program("1 + 1", runtime=RUNTIME) is None


MARK = b"auditor prepared 5\n"
CUT = [b"", b"\0\0", b"\0\0\0\x02{}", MARK, MARK + b"\0\0", MARK + b"\xff" * 4, MARK + b"\xff" * 48, MARK + b"\0" * 48]


@pytest.mark.parametrize("content", CUT)
def test_a_file_of_another_layout_is_as_good_as_none(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert prepared.document(YAML) == {"a": 1, "b": ["x", True, 1.5, None]}
    assert prepared.program("1 + 1", runtime=RUNTIME) is None


def test_a_damaged_entry_is_made_anew(file: Path) -> None:
    whole = packed()
    file.write_bytes(whole.replace(b"the file", b"the filf").replace(b"two", b"twp"))
    assert prepared.document(YAML) == {"a": 1, "b": ["x", True, 1.5, None]}
    assert prepared.program("1 + 1", runtime=RUNTIME) is None


def test_a_file_that_was_cut_off_anywhere_says_nothing_wrong(file: Path) -> None:
    whole = packed()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        prepared.forget()
        assert prepared.document(YAML) in ({"from": "the file"}, {"a": 1, "b": ["x", True, 1.5, None]})
        assert prepared.program("1 + 1", runtime=RUNTIME) in (b"two", None)


def test_a_folder_of_the_library_is_found_by_all_of_its_texts(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = tuple(content for content, _ in prepared.library("detection"))
    changed = {content: {"number": number} for number, content in enumerate(texts)}
    file.write_bytes(prepared.pack(changed, {}, runtime=RUNTIME, libraries=[texts]))
    prepared.forget()
    assert prepared.library("detection") == tuple(changed.items())
    monkeypatch.setattr(prepared, "_content", _with_one_more_byte(prepared._content))
    prepared.forget()
    anew = [document["id"] for _, document in prepared.library("detection") if "id" in document]
    assert anew == ["npm-token"]


def _with_one_more_byte(read: Callable[[str], bytes]) -> Callable[[str], bytes]:
    return lambda file: read(file) + (b"\n" if file.endswith("npm-token.yaml") else b"")


def test_data_that_json_cannot_hold_is_not_prepared(file: Path) -> None:
    file.write_bytes(packed(value={1: "a number as a key"}))
    assert prepared.document(YAML) == {"a": 1, "b": ["x", True, 1.5, None]}


def test_an_automaton_is_found_by_its_expressions_and_runtime(file: Path) -> None:
    file.write_bytes(
        prepared.pack({}, {}, runtime=RUNTIME, automata={("a+", "b"): b"compiled"}, automata_runtime="library 1")
    )
    assert prepared.automaton(("a+", "b"), runtime="library 1") == b"compiled"
    assert prepared.automaton(("a+", "b"), runtime="library 2") is None
    assert prepared.automaton(("b", "a+"), runtime="library 1") is None
