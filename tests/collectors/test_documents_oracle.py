# ruff: noqa: E501, Q003, SIM905, PT017 - tables read best with one case, or many small ones, a line
"""Values equal to what Kubernetes' own reader sees (sigs.k8s.io/yaml), whatever way they are read."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from auditor.collectors import documents
from auditor.collectors.documents import RefusedError
from tests.collectors.oracle import KubernetesReader

pytestmark = pytest.mark.needs("go")


@pytest.fixture(scope="module")
def kubernetes() -> Iterator[KubernetesReader]:
    reader = KubernetesReader()
    yield reader
    reader.close()


def typed(value: Any) -> Any:
    """Return the value with each number's type beside it: 1, 1.0 and True are equal to Python, not to Kubernetes."""
    match value:
        case dict():
            return {key: typed(child) for key, child in value.items()}
        case list():
            return [typed(child) for child in value]
        case float():
            return ("float", value if math.isfinite(value) else str(value))
        case _:
            return (type(value).__name__, value)


# What Kubernetes refuses and we read: an object that cannot be applied may be judged, and nothing is missed.
LENIENT = ("unsupported value", "!!timestamp", "incompatible YAML document", "escape char", "Unicode character escape")
# What we refuse and Kubernetes reads: the rest of the text after a first value, which it drops without a word, and a
# number and a string that make the same key, of which it takes any.
STRICTER = frozenset({"  a: 1\n b: 2", "{a: 1}\n{b: 2}", '{"a": 1} x', '{"a": 1, "a": 2}', "1: a\n'1': b"})


def compare(kubernetes: KubernetesReader, document: str, *, stricter: bool = False) -> None:
    """Assert that both readers agree, or that the difference is one of those above.

    `stricter` admits every refusal of ours: a gap is no wrong verdict, and random text often has a rest to drop.
    """
    theirs = kubernetes.read(document)
    wanted = theirs["value"]
    if document.lstrip().startswith("{") and theirs["json"] is not None:
        wanted = theirs["json"]
        theirs["error"] = theirs["strict"] = ""
    try:
        ours = documents.parse(document)
    except RefusedError as refused:
        assert theirs["error"] or theirs["strict"] or stricter or document in STRICTER, (
            f"only we refuse {document!r}: {refused!r}"
        )
        return
    if theirs["error"]:
        assert any(words in theirs["error"] for words in LENIENT), f"only Kubernetes refuses {document!r}: {theirs}"
        return
    twice = theirs["strict"] and not any(words in theirs["strict"] for words in LENIENT)
    assert not twice or "<<" in document, f"a key stands twice in {document!r} and we read {ours!r}"
    assert typed(ours) == typed(wanted), document


SCALARS = """
y Y n N yes Yes YES yEs no No NO on On ON oN off Off OFF true True TRUE tRue false null Null NULL nUll ~ nil
0 -0 +0 00 007 0777 08 09 0o17 0o18 0O17 0x1F 0X1f 0xZ 0b11 0B11 0b12 -0b11 +0b11 -0x1F -0777 1_000 _1 1_ 0_7 0x_1 1__0
1_0000 12_34567 1.5_0 1e1_0 1e3 1E3 1e+3 1e-3 1e 1e999 -1e999 1e-999 1e20 1e21 1e22 1.0 -1.0 -0.0 0.0 1. .5 -.5 +.5 . .. ...x
5.5 1.2.3 10.0.0.1 1:30 190:20:30 1:30.5 0:0 12e03 1.5e3 .5e3 ._5 .5_0 .e5 1.e5 0.10 0e5 00.5 0.1.2
0.12.0 0.1e 0.1e3x 0._1 00.1.2 __name__ _0 _0x1 _.5 _1.5 _1e3 _1_ __ _x
9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615
18446744073709551616 123456789012345678901234567890 0xFFFFFFFFFFFFFFFF 0x10000000000000000 01777777777777777777777
100000000000000000000 1000000000000000000000.0
.inf -.inf +.inf .Inf .INF .iNf .nan .NaN .NAN .Nan -.nan
2001-01-01 2001-1-1 2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43Z 2001-12-14-x 100m 64Mi 1Gi 0644x 1e3m
<<
""".split()
EXPLICIT = [
    "!!str 1", "!!int '1'", "!!int 1.5", "!!int x", "!!float 1", "!!float '1.5'", "!!float yes", "!!bool yes", "!!bool 'no'",
    "!!bool 1", "!!null ''", "!!null x", "!!binary aGk=", "!!binary '*'", "!!timestamp 2001-01-01", "!!timestamp x", "!foo bar",
    "!foo 1", "! 1", "!!str null", "!!map {a: 1}", "!!seq [1]", "!!set {a, b}", "!!omap [a: 1]", "!<tag:yaml.org,2002:int> 5",
    "!!merge x", "!!int 0777", "!!int 0x1F", "!!float .inf", "!!float 1e3", "!!int 1_000",
]  # fmt: skip
DOCUMENTS = [
    "", "# nothing", "a", "'a'", "- a\n- b", "a: b", "a:\n  b: c\n", "a: |\n  x\n  y\n\n", "a: >-\n  x\n  y\n\n  z\n", "a: |2\n    x\n",
    "a: 'it''s'", 'a: "x\\ty\\u00e9\\x41\\/\\e"', "a: b\nc: [1, 2, {d: e}]\n", "a: {b: c, d}", "{a: 1, a: 2}", "a: 1\nb: 2\na: 3\n",
    "a: &x {b: 1}\nc: *x\n", "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  e: 3\n", "a: &x {b: 1}\nd:\n  b: 2\n  <<: *x\n", "a: &x {b: 1}\nd:\n  <<: *x\n  b: 2\n",
    "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne:\n  <<: [*x, *y]\n", "a: &x [1]\nd:\n  <<: *x\n", "d:\n  <<: 3\n", "d:\n  '<<': {a: 1}\n", "<<: {a: 1}\nb: 2",
    "a: *missing", "a: &x [*x]", "&a a: *a", "? a\n: b", "? [a]\n: b", "? {a: 1}\n: b", "? a", "1: a\n2: b", "1: a\n'1': b", "true: a\nyes: b", "1.5: a", "1e3: a",
    "null: a", "~: a", ": a", "y: n", "on: off", "0777: x", "{1: a, yes: b}", "a: ''\nb: \"\"\nc:\nd: ~\n", "a:\n- b\n- c\n", "a:\n  - b: 1\n    c: 2\n  - d\n",
    "- - a\n  - b\n- - c\n", "a: b # comment\nc: d#no comment\n", "a: 'x\n  y'", 'a: "x\\\n  y"', "a: x\n  y\n  z\n", "a:\tb", "\ta: b", "a: b\t# c", "a:\n\t- b", "a: [\tb\t]", "a: |\n  x\ty\n",
    "a: b: c", "a: 'b", "a: [b", "a: {b", "a: b]", "[a: 1]", "[a:1]", "{a:1}", '{"a":1}', '{"a":yes}', '{"a":1,"b":[true,null,1.0,1e3]}', "{'a':1}", "{a: , b: }", "[a, , b]", "[a,]", "{a,}",
    "a: @b", "a: `b`", "a: %b", "%YAML 1.1\n---\na: yes", "%YAML 1.2\n---\na: yes", "--- a", "---\na: b\n", "a: b\n...\n", "a: !x\n  b: 1", "a: - b", "a:\n b: 1\n  c: 2", "a:\n  b: 1\n c: 2",
    "a: b\r\nc: yes\r\n", "a: b\rc: d", "a: \u00e9\u4e2d\U0001f600", "a: x\u0085y", "a: x\u2028y", "a: 'x\u2028y'", "a: x\u00a0y", "a: \u0007", "a: \u007f", "\ufeffa: b", "a: \ufeffb", "a: x\ufffey",
    "a: \"\\ud83d\\ude00\"", '{"a":"\\ud83d\\ude00"}', 'a: "\\u00"', 'a: "\\q"', "a:   \n\n\nb: 1", "a: >\n  x\n   y\n  z\n", "a: |+\n  x\n\n\nb: 1", "a: |-\n  x\n\n\nb: 1", "a: |\n\n  x\n", "a: |\n   x\n  y\n",
    "a: |\nb: 1", "a: >\n\n\n", "a: | # c\n\n", "a: > # c\n", "- |+2\n\n", "a: >\n\n\nb: 1", "a: |\nb: 1", "- |\n- 1", "a: |\n  x", "a: |\n  x\n ", "a:\n  b: |\n    x\n\n", "a: >\n  x", "a: |-\n\nb: 1", "a: |+\n\nb: 1", "  a: 1\n  b: 2", "  a: 1\n b: 2", "- a\nb: c", "a: 1\n- b", "a\nb: c", "a: - 1", "- a: 1\n  - b", "key with spaces: 1\n", "a: b\n c: d", "a: #x", "a:#x", "#x: y", "a : b", "a  :  b",
    "'a': 1\n\"a\": 2", "a: [1, 2\n  , 3]", "a: {b: 1,\n c: 2}", "a: [\n1\n]", "a: [\n]\n", "a:\n[\n1]", "{a: 1}\n{b: 2}", "a: *b c", "a: ? b", "- ? a", "- : a", "?", ":", "-", "- ", "-\n  yes", "-\n-\n- 1", "a:\n  yes", "a:\n\n  0777",
    '{"a": 1, "a": 2}', '{"a": 01}', '{"a": 1} x', '{"a": NaN}', '{"a": 1,}', '{"a": 12345678901234567890}', '{"a": -0}', "{}", "[]", "a: {}", "{a: 1, {b: c}: d}", "{[a]: b}", "{{a}}", "a: {{b}}", "a: {{ .b }}", "[{a: b}: c]", "{a: b}: c", "[a]: c", "a: {{b}: c}", "[[a] : b]", "a: []", "''", '""', "~", "|\n x", "> \n x",
    "a: 'x' y", 'a: "x" y', "a: x # y: z\n", "a: [x]y", "a: {x}y", "a: \"x\"\"y\"", "a: !!str\nb: 1", "a: &x\nb: *x", "a: &x 'y'\nb: *x\n*x : z", "{*x : y}", "a: b\n\n# c\n  # d\ne: f", "a: http://x:80/y", "[http://x, y]", "{a: http://x}",
    "a: -1", "a: - 1", "a: -", "a: --1", "a: ---", "a: ...", "a: x:y", "a: x: y", "a: ::", "a: :x", "a: x:", "a: ,", "a: [,]", "a: !", "a: & b", "a: * b", "a: &", "a: *", "a: |x", "a: |9\n", "a: >1-\n  x", "a: ? ", "a: ?x", "a: -x",
    "a: x {{b}} y", "a: 'x {{b}}'", 'a: "{{b}}"', "a: x\n  {{b}}\n", "a: |\n  {{b}} x\n", "a: [x {{b}}]", "a: {b: x {{c}}}", "- - {{b}}", "a: x{[b]", '{"a":{{b}}}',
    '{"a":"x\\ud800y"}', '{"a":"\\udfff"}', '{"\\udc00":"\\ude00\\ud83d"}', '{"a":"\\ud83d\\ud83d\\ude00"}', 'a: "x\\ud800y"',
    # A column of its own for a list under its key, comments between, and text that looks like structure.
    "a:\n- b\n# c\n- d\ne: f", "a: |\n  # no comment\n  - no: list\nb: 1", "a: 1 #\nb: 2", "a: '#'\n", "a: b  \n", "a: \"b\"  # c\n", "a: 'b'# c\n", "a:\n  - - - 1", "a: [[[1]]]", "a: &x\n  - 1\nb: *x",
]  # fmt: skip


@pytest.mark.parametrize("scalar", [*SCALARS, *EXPLICIT])
@pytest.mark.parametrize(
    "frame",
    ["a: {}", "- {}", "[{}, b]", "{{a: {}}}", "{}: a", "{{{}: a}}", "a:\n  {}", "{}", "a: {} # c", '{{"a":{}}}'],
)
def test_a_scalar_is_what_kubernetes_sees(kubernetes: KubernetesReader, scalar: str, frame: str) -> None:
    compare(kubernetes, frame.format(scalar))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_is_what_kubernetes_sees(kubernetes: KubernetesReader, document: str) -> None:
    compare(kubernetes, document)


# Characters that scalars of YAML 1.1 and its syntax are made of.
TEXT = st.text(
    st.sampled_from("yYnNoOeEsSfFtrualTRUE0123456789abxXoO.-+_:~<!&*'\"\\/ #,[]{}|>?%@`\u00e9\u2028\t\n"), max_size=12
)
NUMBERS = st.from_regex(r"[-+]?(0[xob]?)?[0-9_]{0,6}\.?[0-9_]{0,4}([eE][-+]?[0-9]{1,3})?", fullmatch=True)


@given(
    scalar=st.one_of(TEXT, NUMBERS, st.sampled_from(SCALARS)),
    frame=st.sampled_from(["a: {}", "- {}", "[{}]", "{}: a", "a:\n  {}"]),
)
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(scalar="1_0000", frame="a: {}")
def test_any_scalar_is_what_kubernetes_sees(kubernetes: KubernetesReader, scalar: str, frame: str) -> None:
    # Inside brackets Kubernetes' reader takes "?" and ":" for indicators even without a space behind them, as no other does.
    assume(not (set("?:") & set(scalar) and set("[{") & set(frame + scalar)))
    compare(kubernetes, frame.format(scalar), stricter=True)


LEAF = st.one_of(
    st.sampled_from(SCALARS),
    st.from_regex(r"[a-z][a-z0-9./ -]{0,10}[a-z0-9]", fullmatch=True),
    st.from_regex(r'"[a-z #:-]{0,8}"', fullmatch=True),
    st.from_regex(r"'[a-z #:-]{0,8}'", fullmatch=True),
    st.sampled_from(
        [
            "[]",
            "{}",
            "[a, b]",
            "{a: yes, b: 010}",
            "&a x",
            "*a",
            "|\n{indent}  x\n{indent}  y: no",
            ">-\n{indent}  x\n\n{indent}  y",
        ]
    ),
)
KEYS = st.one_of(
    st.from_regex(r"[a-z]{1,4}", fullmatch=True),
    st.sampled_from(["y", "on", "1", "<<", "'a b'", '"q"', "0x1", "a/b.c"]),
)


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> str:
    """Return a block of YAML, indented for its depth."""
    indent = "  " * depth
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        comment = draw(st.sampled_from(["", "", "", "  # note", "\n" + indent + "# note"]))
        if draw(st.booleans()) and depth < 3:
            head = draw(KEYS) + ":"
            lines.append(f"{indent}{head}{comment}\n{draw(blocks(depth=depth + 1))}")
        else:
            value = draw(LEAF).replace("{indent}", indent)
            lines.append(f"{indent}{draw(KEYS)}: {value}" + ("" if "\n" in value else comment))
    if draw(st.integers(0, 3)) == 0:
        dash = "  " * depth + "- "
        lines = [dash + line.lstrip().replace("\n", "\n  ") for line in lines]
    return "\n".join(lines)


@given(document=blocks())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_document_is_what_kubernetes_sees(kubernetes: KubernetesReader, document: str) -> None:
    compare(kubernetes, document)


@given(
    value=st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(1 << 63), (1 << 64)),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(),
        ),
        lambda child: st.one_of(st.lists(child, max_size=3), st.dictionaries(st.text(), child, max_size=3)),
        max_leaves=8,
    )
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_is_its_own_value(value: Any, kubernetes: KubernetesReader) -> None:
    """A text that begins with a brace goes to a JSON reader, in which 1.0 stays a floating-point number."""
    compare(kubernetes, json.dumps({"a": value}))
    compare(kubernetes, json.dumps([value], ensure_ascii=False, indent=1))
