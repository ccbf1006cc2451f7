from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from auditor.collectors import documents, positions
from auditor.collectors.sources import SourceKind
from auditor.model.resource import Origin
from auditor.model.resource import Path as ItemPath

ESTATE = sorted((Path(__file__).parents[2] / "fixtures" / "estate").rglob("*.yaml"))


def locate(text: str, *paths: ItemPath, kind: SourceKind = SourceKind.YAML, **origin: Any) -> list[positions.Place]:
    return positions.locate(text.encode(), Origin(file="f", **origin), paths, kind=kind)


def every_path(value: Any, path: ItemPath = ()) -> list[ItemPath]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, child in below for found in every_path(child, (*path, key)))]


def composed(text: str) -> dict[ItemPath, positions.Place]:
    """Return each item's place by PyYAML's own nodes: an independent judge."""
    found: dict[ItemPath, positions.Place] = {}

    def visit(node: yaml.Node, path: ItemPath, mark: Any) -> None:
        found[path] = (mark.line + 1, mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                visit(value, (*path, key.value), key.start_mark)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                visit(value, (*path, index), value.start_mark)

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root is not None
    visit(root, (), root.start_mark)
    return found


def test_an_entry_is_at_its_key_an_element_at_its_start_and_a_missing_item_at_its_ancestor() -> None:
    text = "# head\nspec:\n  containers:\n  - name: a\n    env:\n    - {name: X, value: y}\n    -   name: Z\n"
    assert locate(
        text,
        (),
        ("spec",),
        ("spec", "containers", 0),
        ("spec", "containers", 0, "env", 0, "value"),
        ("spec", "containers", 0, "env", 1),
        ("spec", "containers", 0, "env", 1, "value"),
        ("spec", "containers", 7, "env"),
        ("metadata", "name"),
    ) == [(2, 1), (2, 1), (4, 5), (6, 17), (7, 9), (7, 9), (3, 3), (2, 1)]


def test_only_the_document_of_the_origin_is_looked_at() -> None:
    text = "a: 1\n---\n# empty\n--- # two\nb:\n  a: 2\n---\n{a: 3}\n"
    assert locate(text, ("a",), document=0) == [(1, 1)]
    assert locate(text, ("b", "a"), document=2) == [(6, 3)]
    assert locate(text, ("a",), document=3) == [(8, 2)]
    assert locate(text, ("a",), document=9) == [(None, None)]


def test_content_behind_the_marker_keeps_its_column() -> None:
    assert locate("--- {a: {b: 1}}\n", ("a", "b")) == [(1, 10)]


def test_items_of_a_list_are_found_through_the_prefix() -> None:
    text = "kind: List\nitems:\n- kind: A\n- kind: B\n  spec: {x: 1}\n"
    assert locate(text, ("spec", "x"), (), prefix=("items", 1)) == [(5, 10), (4, 3)]


def test_an_alias_and_a_merge_lead_to_where_the_item_is_written() -> None:
    text = "base: &b\n  - name: X\n    value: y\nenv: *b\nmap: &m {k: 1}\nother:\n  <<: *m\n  l: 2\n"
    assert locate(text, ("env", 0, "value"), ("other", "k"), ("other", "l"), ("env",)) == [
        (3, 5),
        (5, 10),
        (8, 3),
        (4, 1),
    ]


def test_keys_are_compared_as_kubernetes_reads_them() -> None:
    assert locate("data:\n  on: 1\n  0x10: 2\n  'y': 3\n", ("data", "true"), ("data", "16"), ("data", "y")) == [
        (2, 3),
        (3, 3),
        (4, 3),
    ]


def test_json_is_located_too_one_value_after_the_other() -> None:
    text = '{"a": [1, {"b\\n": 2}],\n "c": {}}\n{"a":\n  {"d": [\n[3]]}}'
    kind = SourceKind.JSON
    assert locate(text, (), ("a", 1), ("a", 1, "b\n"), ("c", "x"), kind=kind) == [(1, 1), (1, 11), (1, 12), (2, 2)]
    assert locate(text, ("a", "d", 0), ("a", "d", 0, 0), kind=kind, document=1) == [(5, 1), (5, 2)]
    # A manifest in JSON under a YAML name goes the same way, with what only JSON allows.
    assert locate('---\n{\n\t"a": "\\ud83d\\ude00"}\n', ("a",)) == [(3, 2)]


def test_a_dockerfile_item_is_at_its_instruction() -> None:
    text = "FROM a\nRUN x \\\n y\nENV A=1\n"
    kind = SourceKind.DOCKERFILE
    assert locate(text, ("instructions", 2), ("instructions", 1, "arguments"), (), kind=kind) == [
        (4, 1),
        (2, 1),
        (1, 1),
    ]


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\x00", b"", b"\0", b"a: 1\na: 2"])
def test_a_file_that_changed_since_it_was_read_gives_no_wrong_line(content: bytes) -> None:
    for kind in SourceKind:
        for line, _ in positions.locate(content, Origin(file="f"), [("a", 0, "b")], kind=kind):
            assert line in {None, 1}


@pytest.mark.parametrize("file", ESTATE, ids=lambda file: file.name)
def test_every_item_of_the_estate_is_where_pyyaml_composes_it(file: Path) -> None:
    content = file.read_bytes()
    text = content.decode()
    for chunk in documents.split(text):
        if chunk.empty:
            continue
        document = text[chunk.start : chunk.end]
        value = documents.parse(document)
        wanted = composed(document)
        paths = every_path(value)
        skipped = text.count("\n", 0, chunk.start)
        found = positions.locate(content, Origin(file="f", document=chunk.index), paths, kind=SourceKind.YAML)
        assert found == [(line + skipped, column) for line, column in (wanted[path] for path in paths)]  # type: ignore[operator]


KEY = st.from_regex(r"[a-z]{1,3}", fullmatch=True).filter(lambda key: key not in {"y", "n", "no", "on", "yes", "off"})
VALUE = st.recursive(
    st.one_of(st.just("x"), st.just("a b\nc\n"), st.integers(0, 9), st.just(""), st.just('it\'s: "q"')),
    lambda child: st.one_of(st.lists(child, max_size=3), st.dictionaries(KEY, child, max_size=3)),
    max_leaves=10,
)


@given(value=st.dictionaries(KEY, VALUE, min_size=1), flow=st.sampled_from([None, False, True]), data=st.data())
@settings(max_examples=200, deadline=None)
def test_every_item_is_where_pyyaml_composes_it(value: Any, flow: bool | None, data: st.DataObject) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, sort_keys=False)
    assume(not text.startswith("{") or flow)
    paths = every_path(value)
    some = data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=4))
    wanted = composed(text)
    assert locate(text, *some) == [wanted[path] for path in some]


TEXT = """\
a: |
  first
    second
b: |-  # a comment
  one

  three
c: >
  folded
d: &x |2
    indented
e: "quoted
  twice"
f:
- |
  element
g: a|
"""


@pytest.mark.parametrize(
    ("path", "line", "place"),
    [
        (("a",), 0, (2, 3)),
        (("a",), 1, (3, 5)),
        (("b",), 2, (7, 3)),
        (("c",), 0, (8, 1)),
        (("d",), 0, (11, 5)),
        (("e",), 1, (12, 1)),
        (("f", 0), 0, (16, 3)),
        (("g",), 0, (17, 1)),
        (("a",), 900, (1, 1)),
    ],
)
def test_a_line_inside_of_a_literal_block_has_a_place_and_no_other_has(
    path: ItemPath, line: int, place: positions.Place
) -> None:
    """Folded and quoted text has other lines in the file than in its value."""
    (start,) = locate(TEXT, path)
    assert positions.inside(TEXT.encode(), start, line) == place


def test_a_place_that_is_not_known_stays_so() -> None:
    assert positions.inside(b"a: |\n  b\n", (None, None), 0) == (None, None)


@given(st.lists(st.text(alphabet="ab: #|-", max_size=8).map(str.strip), min_size=1, max_size=6))
def test_each_line_of_a_block_is_where_it_is_written(lines: list[str]) -> None:
    """Whatever the lines hold, also what looks like the head of a block or a comment."""
    assume(lines[0] and lines[-1])
    text = "data:\n  key: |\n" + "".join(f"    {line}\n" if line else "\n" for line in lines)
    value = yaml.safe_load(text)["data"]["key"]
    (start,) = locate(text, ("data", "key"))
    for number, line in enumerate(value.split("\n")[:-1]):
        at, column = positions.inside(text.encode(), start, number)
        assert at is not None
        assert column is not None
        assert text.split("\n")[at - 1][column - 1 :] == line
