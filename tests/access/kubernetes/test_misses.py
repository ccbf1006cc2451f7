"""The nearest miss of a refusal, in words; and the groups whose members would be allowed."""

from collections.abc import Mapping
from typing import Any

import pytest

from auditor.access.kubernetes.misses import Lack, memberships, nearest
from auditor.access.kubernetes.rbac import caller
from tests.access.kubernetes.builders import (
    ALICE,
    SECRETS,
    TO_ALICE,
    binding,
    bound,
    evaluator,
    group,
    request,
    role,
    rule,
)

SELECTOR = "the field selector metadata.name=NAME"


@pytest.mark.parametrize(
    ("some_rule", "where", "verb", "resource", "asked", "text"),
    [
        (
            SECRETS,
            "pay",
            "get",
            "secrets",
            {"namespace": "shop"},
            "RoleBinding pay/b grants it, but only in namespace pay",
        ),
        (
            SECRETS,
            "pay",
            "list",
            "secrets",
            {},
            "RoleBinding pay/b grants it, but only in namespace pay, while the request is for all",
        ),
        (
            rule("get", "nodes"),
            "pay",
            "get",
            "nodes",
            {"name": "n"},
            "RoleBinding pay/b grants it, but only in namespace pay, and nodes belong to none",
        ),
        (
            rule("get", "secrets", "b,a"),
            "",
            "get",
            "secrets",
            {"name": "c"},
            "ClusterRoleBinding b is limited to resourceNames a, b",
        ),
        (
            rule("list", "secrets", "a"),
            "",
            "list",
            "secrets",
            {},
            f"ClusterRoleBinding b is limited to resourceNames a, so it allows list only with {SELECTOR}",
        ),
        (
            rule("create", "secrets", "a"),
            "",
            "create",
            "secrets",
            {},
            "ClusterRoleBinding b is limited to resourceNames a, and a create carries no name",
        ),
        (
            rule("get", "secrets", "a"),
            "",
            "get",
            "secrets",
            {},
            "ClusterRoleBinding b is limited to resourceNames a, and the request names none",
        ),
        (SECRETS, "", "delete", "secrets", {}, "ClusterRoleBinding b grants get, list on secrets, not delete"),
        (
            SECRETS,
            "pay",
            "delete",
            "secrets",
            {"namespace": "shop"},
            "RoleBinding pay/b grants get, list on secrets, not delete, and only in namespace pay",
        ),
        (
            rule("create", "pods"),
            "",
            "create",
            "pods/exec",
            {},
            "ClusterRoleBinding b grants create on pods, which does not include pods/exec",
        ),
        (
            rule("create", "pods/*"),
            "",
            "create",
            "pods/exec",
            {},
            "ClusterRoleBinding b names pods/*, which is no pattern and matches nothing",
        ),
        (
            rule("get", "deployments", groups=",extensions"),
            "",
            "get",
            "deployments",
            {"api_group": "apps"},
            "ClusterRoleBinding b grants it in API group core, extensions, not in apps",
        ),
        (
            {"verbs": ["get"], "nonResourceURLs": ["/metrics"]},
            "",
            "post",
            "/metrics",
            {},
            "ClusterRoleBinding b grants get on /metrics, not post",
        ),
        (
            {"verbs": ["get"], "nonResourceURLs": ["/metrics"]},
            "pay",
            "get",
            "/metrics",
            {},
            "RoleBinding pay/b grants it, but only in namespace pay, where no path is",
        ),
    ],
)
def test_a_miss_says_what_is_lacking(  # noqa: PLR0917 - a table
    some_rule: Mapping[str, Any], where: str, verb: str, resource: str, asked: dict[str, str], text: str
) -> None:
    cluster = bound(some_rule, namespace=where)
    assert [miss.text for miss in nearest(cluster, ALICE, request(verb, resource, **asked))] == [text]


def test_what_is_about_something_else_is_no_miss() -> None:
    assert nearest(bound(rule("get", "pods")), ALICE, request("delete", "secrets")) == ()
    assert nearest(bound(SECRETS), caller("bob"), request("get", "secrets")) == ()


def test_the_nearest_comes_first_and_each_binding_once() -> None:
    cluster = evaluator(
        role("verbs", rule("delete,get", "secrets")),
        role("names", rule("list", "secrets", "db"), rule("delete", "secrets")),
        binding("verbs", "ClusterRole", "verbs", [TO_ALICE]),
        binding("pay", "ClusterRole", "names", [TO_ALICE, group("developers")], namespace="pay"),
        binding("names", "ClusterRole", "names", [TO_ALICE]),
        live=True,
    )
    found = nearest(cluster, ALICE, request("list", "secrets", namespace="shop"))
    assert [(miss.binding.name, miss.lacks) for miss in found] == [
        ("names", (Lack.NAME,)),
        ("pay", (Lack.SCOPE, Lack.NAME)),
        ("verbs", (Lack.VERB,)),
    ]


def test_a_role_that_does_not_exist_is_a_miss_on_a_cluster() -> None:
    """It grants nothing now, and at once when somebody makes a role of that name."""
    cluster = evaluator(binding("b", "Role", "gone", [TO_ALICE], namespace="shop"), live=True)
    (miss,) = nearest(cluster, ALICE, request("get", "secrets", namespace="shop"))
    assert miss.text == "RoleBinding shop/b refers to Role gone, which does not exist"


def test_groups_that_would_be_allowed_are_named_where_the_membership_is_open() -> None:
    cluster = evaluator(
        role("reader", SECRETS),
        binding("b", "ClusterRole", "reader", [group("ops"), group("devs"), group("system:serviceaccounts")]),
        binding("c", "ClusterRole", "reader", [group("pay")], namespace="pay"),
        live=True,
    )
    asked = request("get", "secrets", namespace="shop")
    assert [one.group for one in memberships(cluster, caller("ada"), asked)] == ["devs", "ops"]
    assert [one.group for one in memberships(cluster, caller("ada", ["ops"]), asked)] == ["devs"]
    for who in ("system:serviceaccount:shop:web", "system:anonymous"):
        assert memberships(cluster, caller(who), asked) == ()
