"""Aggregation, label selectors, and which of several roles a binding means."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.access.kubernetes import built_in
from auditor.access.kubernetes.roles import Role, RoleBook, read_role, selects
from auditor.model.resource import Origin, Resource

HERE = Origin(file="rbac.yaml")


def cluster_role(
    name: str,
    *resources: str,
    labels: Mapping[str, str] | None = None,
    selectors: Sequence[Mapping[str, Any]] | None = None,
    file: str = "rbac.yaml",
) -> Role:
    body: dict[str, Any] = {
        "metadata": {"name": name, "labels": dict(labels or {})},
        "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": [resource]} for resource in resources],
    }
    if selectors is not None:
        body["aggregationRule"] = {"clusterRoleSelectors": list(selectors)}
    return read_role(Resource(type="kubernetes/ClusterRole", name=name, body=body, origin=Origin(file=file)))


def given_by(role: Role, *others: Role) -> set[str]:
    book = RoleBook(roles=(role, *others), built_in=())
    return {rule.content["resources"][0] for rule in book.effective(role, near=HERE).rules}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, True),
        ({"matchLabels": {"team": "ops"}}, True),
        ({"matchLabels": {"team": "dev"}}, False),
        ({"matchLabels": {"team": "ops", "tier": "1"}}, False),
        ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["ops", "dev"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["ops"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"team": "ops"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "Like", "values": ["ops"]}]}, False),
    ],
)
def test_a_selector_matches_as_label_selectors_do(selector: dict[str, Any], *, expected: bool) -> None:
    assert selects(selector, {"team": "ops"}) is expected


def test_aggregation_follows_nested_roles() -> None:
    leaf = cluster_role("leaf", "secrets", labels={"to": "middle"})
    middle = cluster_role("middle", labels={"to": "top"}, selectors=[{"matchLabels": {"to": "middle"}}])
    top = cluster_role("top", selectors=[{"matchLabels": {"to": "top"}}])
    assert given_by(top, middle, leaf) == {"secrets"}


def test_roles_that_take_in_each_other_end() -> None:
    left = cluster_role("left", "pods", labels={"x": "1"}, selectors=[{}])
    right = cluster_role("right", "secrets", labels={"x": "1"}, selectors=[{}])
    assert given_by(left, right) == given_by(right, left) == {"pods", "secrets"}


def test_a_rule_names_the_role_it_was_taken_from() -> None:
    part = cluster_role("part", "secrets", labels={"to": "top"})
    top = cluster_role("top", "pods", selectors=[{"matchLabels": {"to": "top"}}])
    rules = RoleBook(roles=(top, part), built_in=()).effective(top, near=HERE).rules
    assert [(rule.content["resources"], rule.aggregated_from) for rule in rules] == [
        (["pods"], ""),
        (["secrets"], "part"),
    ]


def test_an_aggregated_role_whose_parts_are_elsewhere_is_unknown() -> None:
    """Empty rules would read as "grants nothing" where nobody knows."""
    top = cluster_role("top", selectors=[{"matchLabels": {"to": "top"}}])
    effective = RoleBook(roles=(top,), built_in=()).effective(top, near=HERE)
    assert "none of those is in the input" in effective.unknown


def test_an_exported_aggregated_role_keeps_the_rules_it_was_stored_with() -> None:
    top = cluster_role("top", "secrets", selectors=[{"matchLabels": {"to": "top"}}])
    effective = RoleBook(roles=(top,), built_in=()).effective(top, near=HERE)
    assert not effective.unknown
    assert [rule.content["resources"] for rule in effective.rules] == [["secrets"]]


LABELS = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"]))


@given(
    st.lists(st.tuples(st.sampled_from(["pods", "secrets", "nodes"]), LABELS), max_size=5), st.lists(LABELS, max_size=2)
)
def test_an_aggregated_role_is_the_union_of_what_it_selects(
    parts: list[tuple[str, dict[str, str]]], wanted: list[dict[str, str]]
) -> None:
    roles = [cluster_role(f"part{number}", resource, labels=labels) for number, (resource, labels) in enumerate(parts)]
    top = cluster_role("top", selectors=[{"matchLabels": labels} for labels in wanted])
    expected = {resource for resource, labels in parts if any(one.items() <= labels.items() for one in wanted)}
    assert given_by(top, *roles) == expected


def test_a_label_on_a_role_of_the_input_reaches_whoever_is_bound_to_view() -> None:
    """K8: a chart that labels a reader of secrets as `aggregate-to-view`."""
    leak = cluster_role("leak", "secrets", labels={"rbac.authorization.k8s.io/aggregate-to-view": "true"})
    book = RoleBook(roles=(leak,), built_in=built_in.load().roles)
    for name in ("view", "edit", "admin"):
        role = book.find("ClusterRole", "", name, near=HERE)
        assert role is not None
        assert any(rule.aggregated_from == "leak" for rule in book.effective(role, near=HERE).rules)


def test_of_several_overlays_the_nearest_role_counts() -> None:
    base = cluster_role("r", "pods", file="base/rbac.yaml")
    prod = cluster_role("r", "secrets", file="overlays/prod/rbac.yaml")
    book = RoleBook(roles=(base, prod), built_in=())
    assert book.find("ClusterRole", "", "r", near=Origin(file="overlays/prod/binding.yaml")) is prod
    assert book.find("ClusterRole", "", "r", near=Origin(file="base/binding.yaml")) is base


@pytest.mark.parametrize(
    ("role_namespace", "binding_namespace", "found"),
    [("", "", True), ("shop", "shop", True), ("", "shop", True), ("shop", "", True), ("shop", "prod", False)],
)
def test_a_role_without_a_namespace_goes_where_it_is_applied(
    role_namespace: str, binding_namespace: str, *, found: bool
) -> None:
    resource = Resource(type="kubernetes/Role", name="r", namespace=role_namespace, body={}, origin=HERE)
    book = RoleBook(roles=(read_role(resource),), built_in=())
    assert (book.find("Role", binding_namespace, "r", near=HERE) is not None) is found


def test_the_inputs_own_definition_stands_before_the_built_in_one() -> None:
    own = cluster_role("view", "configmaps")
    book = RoleBook(roles=(own,), built_in=built_in.load().roles)
    assert book.find("ClusterRole", "", "view", near=HERE) is own
