"""The authoriser's comparisons, one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.access.kubernetes import rbac
from auditor.access.kubernetes.rbac import Caller, Request, caller, name_allowed, rule_allows, split_account
from tests.access.kubernetes.builders import rule


@pytest.mark.parametrize(
    ("some_rule", "verb", "group", "resource", "allowed"),
    [
        pytest.param(rule("*", "pods/*"), "create", "", "pods/exec", False, id="no-pattern-for-subresources"),
        pytest.param(rule("create", "*/exec"), "create", "", "pods/exec", True, id="one-subresource-of-all"),
        pytest.param(rule("create", "*/exec"), "create", "", "exec", False, id="not-a-resource-of-that-name"),
        pytest.param(rule("*", "pods"), "create", "", "pods/exec", False, id="no-subresource"),
        pytest.param(rule("*", "*"), "create", "", "pods/exec", True, id="all-resources-are-subresources-too"),
        pytest.param(rule("*", "*"), "bind", "", "pods", True, id="a-wildcard-is-every-verb"),
        pytest.param(rule("*", "*"), "get", "apps", "deployments", False, id="core-is-not-every-group"),
        pytest.param(rule("get*", "pods"), "get", "", "pods", False, id="no-verb-prefix"),
        pytest.param(rule("GET", "pods"), "get", "", "pods", False, id="case-counts"),
        pytest.param(rule("get", "secrets", "db"), "get", "", "secrets", True, id="for-at-least-one-name"),
        pytest.param({"verbs": ["get"], "resources": ["pods"]}, "get", "", "pods", False, id="no-group"),
        pytest.param(
            {"verbs": None, "apiGroups": [""], "resources": ["pods"]}, "get", "", "pods", False, id="malformed"
        ),
        pytest.param({}, "get", "", "pods", False, id="empty"),
        pytest.param(rule("get", "pods"), "*", "", "pods", False, id="a-wildcard-asked-is-a-name"),
        pytest.param(rule("*", "*", groups="*"), "*", "*", "*", True, id="and-matches-itself"),
    ],
)
def test_a_rule_allows_what_the_authoriser_says(
    some_rule: dict[str, list[str]], verb: str, group: str, resource: str, allowed: bool
) -> None:
    assert rule_allows(some_rule, verb, group, resource) is allowed


@pytest.mark.parametrize(
    ("names", "name", "allowed"),
    [("", "db", True), ("", "", True), ("db", "db", True), ("db", "web", False), ("db", "", False)],
)
def test_names_limit_a_rule_to_requests_that_carry_one(names: str, name: str, *, allowed: bool) -> None:
    assert name_allowed(rule("get", "secrets", names), name) is allowed


@pytest.mark.parametrize(
    ("pattern", "url", "allowed"),
    [
        ("/metrics", "/metrics", True),
        ("/metrics", "/metrics/slis", False),
        ("/metrics/*", "/metrics/slis", True),
        ("/metrics*", "/metricsx", True),
        ("/metrics**", "/metricsx", True),
        ("*", "/anything", True),
        ("/*/metrics", "/a/metrics", False),
    ],
)
def test_a_url_matches_exactly_or_by_a_trailing_star(pattern: str, url: str, *, allowed: bool) -> None:
    assert rbac.url_allows({"verbs": ["get"], "nonResourceURLs": [pattern]}, "get", url) is allowed
    assert not rbac.url_allows({"verbs": ["post"], "nonResourceURLs": [pattern]}, "get", url)


@pytest.mark.parametrize(
    ("user", "given_", "groups"),
    [
        ("ada", ["ops"], {"ops", "system:authenticated"}),
        (
            "system:serviceaccount:ci:web",
            [],
            {"system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"},
        ),
        ("system:anonymous", [], {"system:unauthenticated"}),
        ("system:node:w1", [], {"system:nodes", "system:authenticated"}),
        ("system:serviceaccount:ci", [], {"system:authenticated"}),
    ],
)
def test_authentication_adds_the_implicit_groups(user: str, given_: list[str], groups: set[str]) -> None:
    assert caller(user, given_) == Caller(user, frozenset(groups))


@pytest.mark.parametrize(
    ("user", "account"),
    [
        ("system:serviceaccount:ci:web", ("ci", "web")),
        ("system:serviceaccount:ci:web.v2", ("ci", "web.v2")),
        ("system:serviceaccount:ci:", None),
        ("system:serviceaccount::web", None),
        ("system:serviceaccount:ci:web:x", None),
        ("system:serviceaccount:CI:web", None),
        ("ci:web", None),
    ],
)
def test_only_the_name_of_an_account_is_one(user: str, account: tuple[str, str] | None) -> None:
    assert split_account(user) == account


@pytest.mark.parametrize("fields", [{}, {"resource": "pods", "url": "/metrics"}])
def test_a_request_asks_for_a_resource_or_a_path(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a resource or"):
        Request(verb="get", **fields)


NAMES = st.lists(st.sampled_from(["get", "list", "pods", "pods/exec", "*/exec", "*", "", "apps"]), max_size=3)


@given(NAMES, NAMES, NAMES, st.sampled_from(["get", "list"]), st.sampled_from(["pods", "pods/exec"]))
def test_a_wider_rule_allows_no_less(
    verbs: list[str], groups: list[str], resources: list[str], verb: str, resource: str
) -> None:
    some_rule = {"verbs": verbs, "apiGroups": groups, "resources": resources}
    for field, values in some_rule.items():
        wider = {**some_rule, field: [*values, "*"]}
        assert not rule_allows(some_rule, verb, "", resource) or rule_allows(wider, verb, "", resource)
