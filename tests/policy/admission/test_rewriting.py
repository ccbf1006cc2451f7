"""CEL text is changed where an API server differs, and nowhere else."""

import pytest

from auditor.policy import cel
from auditor.policy.admission import rewriting


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("cel.bind(x, 1 + 1, x * 2) == 4", "[1 + 1].map(x, x * 2)[0] == 4"),
        ("cel.bind(x, [1, 2], cel.bind(y, x[1], y)) == 2", "[[1, 2]].map(x, [x[1]].map(y, y)[0])[0] == 2"),
        ("'cel.bind(x, 1, x)' != ''", "'cel.bind(x, 1, x)' != ''"),
        ('{"a": 1, "b": "c"}.size() == 2', '{"a": dyn(1), "b": dyn("c")}.size() == 2'),
        ('{"a": true ? 1 : 2}["a"] == 1', '{"a": dyn(true ? 1 : 2)}["a"] == 1'),
        ('{"a": {"b": [1]}}.a.b == [1]', '{"a": dyn({"b": dyn([1])})}.a.b == [1]'),
        ('{?"a": optional.of(1)}.size() == 1', '{?"a": optional.of(1)}.size() == 1'),
        ("{}.size() == 0", "{}.size() == 0"),
        ('"{a: b}" != ""', '"{a: b}" != ""'),
        ('cel.bind(m, {"a": "},{"}, m.a) == "},{"', '[{"a": dyn("},{")}].map(m, m.a)[0] == "},{"'),
    ],
)
def test_what_a_server_lacks_is_written_another_way_with_the_same_answer(text: str, wanted: str) -> None:
    assert rewriting.portable(text) == wanted
    for one in (text, wanted):
        assert cel.compile_(one).truth(cel.activation({})) is True


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("params.a < params.b", "variables.param_a < variables.param_b"),
        ('"params.a" + x.params.a + x.?params.a', '"params.a" + x.params.a + x.?params.a'),
        ("size(params.paths)", "size(variables.param_paths)"),
    ],
)
def test_a_parameter_is_a_variable(text: str, wanted: str) -> None:
    assert rewriting.constants(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("object.a == b.object", "grant.a == b.object"),
        ('has(object.x) && "object" in y', 'has(grant.x) && "object" in y'),
        ("a ? object.x : object.y", "a ? grant.x : grant.y"),
        ("a.?object.x", "a.?object.x"),
    ],
)
def test_a_variable_gets_another_name_and_fields_keep_theirs(text: str, wanted: str) -> None:
    assert rewriting.renamed(text, {"object": "grant"}) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("yes ? a : b", "a"),
        ("no ? a : b", "b"),
        ("no ? a : yes ? b : c", "b"),
        ("perhaps ? yes ? a : b : no ? c : d", "perhaps ? a : d"),
        ("yes ? (no ? a : b) : c", "(no ? a : b)"),
        ("x.?y.orValue(0) == 1 ? a : b", "x.?y.orValue(0) == 1 ? a : b"),
        ('yes ? {"a": x ? 1 : 2} : {"b": 2}', '{"a": x ? 1 : 2}'),
        ("perhaps && yes ? a : b", "perhaps && yes ? a : b"),
        ("perhaps && no ? a : b", "b"),
        ("perhaps && yes", "perhaps"),
        ("perhaps && no", "false"),
        ("yes && yes", "true"),
        ("a && no || b && yes || c", "b || c"),
        ("a && b || yes", "true"),
        ("(a || yes) && b", "(a || yes) && b"),
        ("x.exists(y, yes) && no", "false"),
        ("a || b", "a || b"),
        ("yes\n ? m[?x] : 2", "m[?x]"),
    ],
)
def test_a_branch_that_is_never_taken_is_left_out(text: str, wanted: str) -> None:
    assert rewriting.folded(text, {"yes": True, "no": False}.get) == wanted


def test_names_are_told_from_literals_and_fields() -> None:
    text = 'variables.a.b + variables.?c + x.variables.d + "variables.e" + f(variables) + variables\n.g'
    assert rewriting.members(text, "variables") == {"a", "c", "", "g"}
    assert rewriting.members("variables.a.b + variables.a.?c + a.d + variables.a", "variables.a") == {"b", "c", ""}
    assert rewriting.called('size(x) + y.matches("z(1)") + cel.bind(a, b, c) + w.max(1) + math.max(1)') == {
        "size", "matches", "cel.bind", "max", "math.max",
    }  # fmt: skip
    assert rewriting.literals("""a == "b" + 'c"d'""") == ["b", 'c"d']


def test_a_bracket_that_nothing_closes_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no \) closes"):
        rewriting.portable("cel.bind(x, 1, x")
