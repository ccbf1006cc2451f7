"""Bindings and roles as facts: the shape that policies were promised, and who is in the population."""

from typing import Any

import pytest

from auditor.access.kubernetes.grants import grants, label
from auditor.model.resource import Origin, Resource
from tests.access.kubernetes.builders import SECRETS, account, binding, refused, role


def test_a_fact_says_who_holds_what_where_and_where_that_stands() -> None:
    facts = grants(
        [
            role("reader", SECRETS, namespace="shop", file="shop/role.yaml"),
            binding("readers", "Role", "reader", [account("web")], namespace="shop", file="shop/binding.yaml"),
        ]
    )
    assert [fact.id for fact in facts] == ["fact/kubernetes-grant:shop/RoleBinding/readers:ServiceAccount shop/web"]
    assert facts[0].origin.file == "shop/binding.yaml"
    assert facts[0].body == {
        "principal": {
            "kind": "ServiceAccount",
            "name": "web",
            "namespace": "shop",
            "system": False,
            "open_ended": False,
            "key": "ServiceAccount shop/web",
        },
        "binding": {"kind": "RoleBinding", "name": "readers", "namespace": "shop"},
        "role": {"kind": "Role", "name": "reader", "namespace": "shop", "built_in": False},
        "scope": "namespace",
        "namespace": "shop",
        "unbound": False,
        "unknown": "",
        "rules": [
            {
                "verbs": ["get", "list"],
                "apiGroups": [""],
                "resources": ["secrets"],
                "resourceNames": [],
                "nonResourceURLs": [],
                "aggregated_from": "",
                "source": 1,
                "label": "get,list secrets",
            }
        ],
        "wildcard_verbs": [],
    }
    assert facts[0].related == (
        ("RoleBinding readers names ServiceAccount shop/web", Origin(file="shop/binding.yaml"), ("subjects", 0)),
        ("rule of Role reader", Origin(file="shop/role.yaml"), ("rules", 0)),
    )


def test_verbs_on_everything_are_those_of_rules_without_any_limit() -> None:
    def rule(verbs: list[str], **limits: list[str]) -> dict[str, list[str]]:
        return {"verbs": verbs, "apiGroups": ["*"], "resources": ["*"]} | limits

    rules = [
        rule(["get"]),
        rule(["list", "get"]),
        rule(["create"], apiGroups=["apps"]),
        rule(["patch"], resources=["a"]),
    ]
    named = rule(["delete"], resourceNames=["x"])
    (fact,) = grants([role("r", *rules, named), binding("b", "ClusterRole", "r", [account("web", "shop")])])
    assert fact.body["wildcard_verbs"] == ["get", "list"]


def test_there_is_one_fact_for_each_principal_and_each_only_once() -> None:
    subjects = [account("web", "shop"), {"kind": "User", "name": "ann"}, {"kind": "User", "name": "ann"}]
    facts = grants([role("r", SECRETS), binding("b", "ClusterRole", "r", subjects)])
    assert [fact.body["principal"]["key"] for fact in facts] == ["ServiceAccount shop/web", "User ann"]


def test_a_role_that_nothing_binds_is_a_fact_of_its_own() -> None:
    (fact,) = grants([role("break-glass", SECRETS, file="platform/rbac.yaml")])
    assert fact.body["unbound"] is True
    assert fact.body["principal"]["key"] == ""
    assert fact.origin.file == "platform/rbac.yaml"
    rule = fact.body["rules"][0]
    assert fact.related[rule["source"]] == ("rule of ClusterRole break-glass", fact.origin, ("rules", 0))


def test_a_binding_without_principals_binds_nothing() -> None:
    facts = grants([role("r", SECRETS), binding("b", "ClusterRole", "r", [])])
    assert [fact.body["unbound"] for fact in facts] == [True]


def test_a_part_of_a_bound_aggregated_role_is_not_reported_twice() -> None:
    part = role("part", SECRETS, labels={"to": "top"})
    top = role("top", takes={"to": "top"})
    (fact,) = grants([part, top, binding("b", "ClusterRole", "top", [account("web", "shop")])])
    (rule,) = fact.body["rules"]
    assert rule["aggregated_from"] == "part"
    assert fact.related[rule["source"]][0] == "rule of ClusterRole part, aggregated"


def test_a_part_of_view_is_judged_alone_where_the_input_binds_no_view() -> None:
    """Else a role that a chart slips into `view` would be in no population at all."""
    part = role("part", SECRETS, labels={"rbac.authorization.k8s.io/aggregate-to-view": "true"})
    (alone,) = grants([part])
    assert alone.body["unbound"]
    (held,) = grants([part, binding("b", "ClusterRole", "view", [account("web", "shop")])])
    assert held.body["role"]["built_in"]
    assert any(rule["aggregated_from"] == "part" for rule in held.body["rules"])


def test_of_two_roles_that_take_in_each_other_one_stays_in_the_population() -> None:
    left = role("left", SECRETS, labels={"x": "1"}, takes={"x": "1"})
    right = role("right", labels={"x": "1"}, takes={"x": "1"})
    (fact,) = grants([left, right])
    assert [rule["label"] for rule in fact.body["rules"]] == ["get,list secrets"]


def test_a_role_that_an_overlay_defines_anew_is_judged_with_the_binding_of_its_base() -> None:
    """Else what the overlay adds would be in no population: the binding itself means the role beside it."""
    base = role("r", {**SECRETS, "resources": ["pods"]}, file="base/role.yaml")
    prod = role("r", SECRETS, file="overlays/prod/role.yaml")
    again = role("r", SECRETS, file="overlays/test/role.yaml")
    bound = binding("b", "ClusterRole", "r", [account("web", "shop")], file="base/binding.yaml")
    facts = grants([base, prod, again, bound])
    assert [[rule["label"] for rule in fact.body["rules"]] for fact in facts] == [
        ["get,list pods"],
        ["get,list secrets"],
    ]
    assert {fact.id for fact in facts} == {"fact/kubernetes-grant:/ClusterRoleBinding/b:ServiceAccount shop/web"}
    assert facts[1].related[1][1].file == "overlays/prod/role.yaml"


def test_a_missing_role_is_unknown_with_a_reason() -> None:
    (fact,) = grants([binding("b", "ClusterRole", "vendor-reader", [account("agent", "vendor")])])
    assert fact.body["unknown"] == "ClusterRole vendor-reader is neither in the input nor built into Kubernetes"
    assert fact.body["rules"] == []


def test_a_built_in_role_points_to_the_binding() -> None:
    (fact,) = grants([binding("b", "ClusterRole", "edit", [account("web", "shop")], namespace="shop")])
    assert fact.body["role"] == {"kind": "ClusterRole", "name": "edit", "namespace": "", "built_in": True}
    assert {rule["source"] for rule in fact.body["rules"]} == {0}
    assert fact.related[0][2] == ("subjects", 0)


def test_what_a_role_binding_cannot_give_is_left_out() -> None:
    rules = [
        {"verbs": ["get"], "apiGroups": [""], "resources": ["nodes/proxy", "pods"]},
        {"verbs": ["get"], "nonResourceURLs": ["/metrics"]},
        {"verbs": ["get", "patch"], "apiGroups": [""], "resources": ["namespaces"]},
        {"verbs": ["bind"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"]},
        {"verbs": ["update"], "apiGroups": ["*"], "resources": ["mutatingwebhookconfigurations"]},
    ]
    inside = binding("b", "ClusterRole", "r", [account("web", "shop")], namespace="shop")
    everywhere = binding("c", "ClusterRole", "r", [account("web", "shop")])
    narrow, wide = grants([role("r", *rules), inside, everywhere])
    assert [rule["label"] for rule in narrow.body["rules"]] == [
        "get pods",
        "get,patch namespaces",
        "bind clusterroles.rbac.authorization.k8s.io",
    ]
    assert len(wide.body["rules"]) == len(rules)


def test_a_service_account_without_namespace_in_a_cluster_binding_is_judged_all_the_same() -> None:
    """On a cluster it names nobody, but an overlay or the release fills the namespace in."""
    (fact,) = grants([role("r", SECRETS), binding("b", "ClusterRole", "r", [account("web")])])
    assert fact.body["principal"]["key"] == "ServiceAccount web"


def test_the_user_name_of_a_service_account_is_that_service_account() -> None:
    user = {"kind": "User", "name": "system:serviceaccount:ci:builder"}
    (fact,) = grants([role("r", SECRETS), binding("b", "ClusterRole", "r", [user])])
    assert fact.body["principal"]["key"] == "ServiceAccount ci/builder"


@pytest.mark.parametrize(
    ("name", "open_ended"),
    [
        ("system:authenticated", True),
        ("system:unauthenticated", True),
        ("system:serviceaccounts", True),
        ("system:serviceaccounts:ci", True),
        ("system:masters", False),
        ("developers", False),
    ],
)
def test_groups_that_grow_by_themselves_are_open_ended(name: str, *, open_ended: bool) -> None:
    (fact,) = grants([role("r", SECRETS), binding("b", "ClusterRole", "r", [{"kind": "Group", "name": name}])])
    assert fact.body["principal"]["open_ended"] is open_ended


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"subjects": None, "roleRef": None},
        {"subjects": "all", "roleRef": []},
        {"subjects": [None, 3, {"kind": "Robot", "name": "x"}, {"kind": "User"}], "roleRef": {"kind": 1}},
    ],
)
def test_a_malformed_binding_names_nobody(body: dict[str, Any]) -> None:
    made = Resource(type="kubernetes/RoleBinding", name="b", namespace="n", body=body, origin=Origin(file="f"))
    assert grants([made]) == []


def test_a_malformed_role_gives_nothing() -> None:
    made = Resource(
        type="kubernetes/ClusterRole",
        name="r",
        body={"rules": [None, {"verbs": "get"}], "aggregationRule": 1, "metadata": 2},
        origin=Origin(file="f"),
    )
    (fact,) = grants([made])
    assert fact.body["rules"] == []


def test_a_label_does_not_change_with_the_order() -> None:
    lists: dict[str, list[str]] = {"resourceNames": [], "nonResourceURLs": []}
    one = {"verbs": ["list", "get"], "apiGroups": ["apps", ""], "resources": ["b", "a"], **lists}
    other = {"verbs": ["get", "list"], "apiGroups": ["", "apps"], "resources": ["a", "b"], **lists}
    assert label(one) == label(other) == 'get,list a,b.{"",apps}'


def test_an_input_without_roles_and_bindings_gives_no_facts() -> None:
    assert grants([Resource(type="kubernetes/Pod", name="p", body={}, origin=Origin(file="f"))]) == []


# A live cluster.

OWN = {"kubernetes.io/bootstrapping": "rbac-defaults"}


def test_on_a_cluster_nothing_is_filled_in() -> None:
    bound = binding("b", "ClusterRole", "edit", [account("web", "shop")])
    (fact,) = grants([bound], live=True)
    assert (fact.body["rules"], fact.body["unknown"]) == ([], "")
    stored = role("edit", SECRETS, labels=OWN, takes={"to": "edit"})
    part = role("part", {**SECRETS, "resources": ["pods"]}, labels={"to": "edit"})
    (fact,) = grants([bound, stored, part], live=True)
    assert [rule["label"] for rule in fact.body["rules"]] == ["get,list secrets"]
    assert fact.body["role"]["built_in"] is True


def test_a_role_of_a_list_that_was_not_read_is_unknown() -> None:
    bound = binding("b", "Role", "gone", [account("web")], namespace="shop")
    (fact,) = grants([bound], live=True, unread=refused("Role", "shop"))
    assert fact.body["unknown"] == "Role gone may exist: refused"
    (fact,) = grants([bound], live=True, unread=refused("Role", "pay"))
    assert fact.body["unknown"] == ""


def test_that_a_role_of_the_platform_is_unbound_was_nobodys_decision() -> None:
    """Its label alone does not make a role one of the platform's: anybody can write it."""
    roles = [role("system:node", SECRETS, labels=OWN), role("hidden", SECRETS, labels=OWN), role("own", SECRETS)]
    assert [fact.body["role"]["name"] for fact in grants(roles, live=True)] == ["hidden", "own"]
    assert len(grants(roles)) == 3
