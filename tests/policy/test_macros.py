"""`grants(...)` written out in CEL decides as the function that the access evaluator uses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.access.kubernetes.rbac import rule_allows
from auditor.policy import cel, macros

VERBS = st.sampled_from(["get", "list", "create", "*", "impersonate"])
GROUPS = st.sampled_from(["", "apps", "*"])
RESOURCES = st.sampled_from(["secrets", "pods", "pods/exec", "*", "*/exec", "pods/*", "a/b/c", "*/b/c"])
RULES = st.fixed_dictionaries(
    {
        "verbs": st.lists(VERBS, max_size=3),
        "apiGroups": st.lists(GROUPS, max_size=2),
        "resources": st.lists(RESOURCES, max_size=3),
        "resourceNames": st.just([]),
        "nonResourceURLs": st.just([]),
    }
)
# The same question with every argument as a literal, as a name, and as something that has to be bound.
LITERAL = 'grants(object.rule, "{verb}", "{group}", "{resource}")'
NAMED = "grants(object.rule, object.verb, object.group, object.resource)"
BOUND = "grants(object.rules[0 + 0], object.verb + '', object.group + '', object.resource + '')"


@given(RULES, VERBS.filter("*".__ne__), GROUPS.filter("*".__ne__), st.sampled_from(["secrets", "pods/exec", "a/b/c"]))
@settings(max_examples=300)
def test_it_decides_as_the_evaluator_does(rule: dict[str, list[str]], verb: str, group: str, resource: str) -> None:
    wanted = rule_allows(rule, verb, group, resource)
    asked = {"rule": rule, "rules": [rule], "verb": verb, "group": group, "resource": resource}
    for text in (LITERAL.format(verb=verb, group=group, resource=resource), NAMED, BOUND):
        assert cel.compile_(text).truth(cel.activation({"object": asked})) is wanted, text


def test_nothing_of_the_runtime_is_called_that_never_gives_back() -> None:
    text = 'object.rules.exists(r, grants(r, "get", "", "secrets") && ["a"].exists(v, grants (r, v, "", v)))'
    assert "grants" not in macros.expanded(text)


@pytest.mark.parametrize(
    "text",
    ['"grants(a, b, c, d)"', "object.grants(1, 2, 3, 4)", "object.grants.size()", "grants", "true", "grants(object)"],
)
def test_what_is_no_such_call_stays_as_it_is(text: str) -> None:
    assert macros.expanded(text) == text


def test_a_mistake_has_its_place_in_the_text_that_was_written() -> None:
    with pytest.raises(cel.ExpressionError) as error:
        cel.compile_('grants(object.rule, "get", "", "secrets") &&\n  object.name == ')
    assert error.value.line == 2
    with pytest.raises(cel.ExpressionError):
        cel.compile_("grants(object.rule)")


def test_the_type_is_known() -> None:
    assert cel.compile_('grants(object.rule, "get", "", "secrets")').returns == "bool"
