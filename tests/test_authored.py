"""Files that people write: every mistake with its place, and nothing that can hang or crash the program."""

import json
from pathlib import Path

import pytest

from auditor import authored
from auditor.authored import MistakesError

SCHEMA = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {"a": {"type": "integer"}, "b": {"enum": ["x", "y"]}, "c": {"type": "array"}},
}


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(SCHEMA))
    return file


def mistakes(text: str, schema: Path) -> list[str]:
    with pytest.raises(MistakesError) as raised:
        authored.read(text, file="f.yaml", schema=schema)
    return [str(mistake) for mistake in raised.value.mistakes]


def test_good_text_is_returned_as_data(schema: Path) -> None:
    assert authored.read("a: 1\nb: x\n", file="f.yaml", schema=schema) == {"a": 1, "b": "x"}
    assert authored.read("\ufeffa: 1\n", file="f.yaml", schema=schema) == {"a": 1}


def test_every_mistake_is_told_with_its_place(schema: Path) -> None:
    assert mistakes("a: one\nb: z\nd: 1\n", schema) == [
        "f.yaml:1:1: a must be a whole number",
        "f.yaml:2:1: b must be one of x, y",
        "f.yaml:3:1: unknown key `d` in the file; it has `a`, `b` or `c`",
    ]


def test_no_mistake_quotes_a_value(schema: Path) -> None:
    assert "hunter2" not in "".join(mistakes("a: hunter2\nb: hunter2\n", schema))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", "f.yaml:2:1: the key `a` stands here a second time"),
        ("a: [\n", "not YAML"),
        ("a: 1\n---\na: 2\n", "second document"),
        ("a: \x07\n", "character that YAML does not allow"),
        ("? [1]\n: 2\n", "a key in the file is no text"),
        ("c: " + "[" * 5000, "f.yaml"),
        ("a: " + "x" * authored.LONGEST, "too long"),
    ],
    ids=["twice", "syntax", "documents", "control", "key", "deep", "long"],
)
def test_odd_text_is_refused_with_its_place(text: str, words: str, schema: Path) -> None:
    assert words in "\n".join(mistakes(text, schema))


def test_an_alias_bomb_is_refused_at_once(schema: Path) -> None:
    lines = ["c: &c0 [x]"] + [f"k{n}: &c{n} [{', '.join([f'*c{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert mistakes("\n".join(lines), schema)


def test_an_alias_to_what_holds_it_does_not_hang(schema: Path) -> None:
    """The fast reader cuts it; the slow one, asked because of the second key, refuses it."""
    assert mistakes("c: &x [*x]\nc: 1\n", schema)
