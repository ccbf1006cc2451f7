"""Who can: tables, and the law that it agrees with asking the evaluator about everybody."""

from dataclasses import replace

import pytest
from hypothesis import given

from auditor.access.kubernetes.answers import Answer, DoubtKind
from auditor.access.kubernetes.bindings import Principal, PrincipalKind
from auditor.access.kubernetes.dialect import Authoriser, Dialect
from auditor.access.kubernetes.evaluator import Evaluator
from auditor.access.kubernetes.holders import NAMELESS, Holder, Where, who_can
from auditor.access.kubernetes.rbac import Caller, Request
from auditor.model.resource import Resource
from tests.access.kubernetes.builders import (
    RBAC_ALONE,
    SECRETS,
    TO_ALICE,
    account,
    binding,
    evaluator,
    group,
    refused,
    request,
    role,
    rule,
)
from tests.access.kubernetes.test_evaluator import NAMESPACES, clusters, requests

READER = role("reader", SECRETS)


def rows(
    cluster: Evaluator, verb: str, resource: str, where: Where = Where.ANYWHERE, **more: str
) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return principal, scope and names of each row but that of the superusers."""
    found = who_can(cluster, request(verb, resource, **more), where).rows
    return [(row.principal.key, row.scope, row.names) for row in found if row.grant is not None]


def test_there_is_a_row_for_each_principal_and_binding_and_groups_stay_groups() -> None:
    cluster = evaluator(
        READER,
        binding("all", "ClusterRole", "reader", [TO_ALICE, group("system:serviceaccounts")]),
        binding("shop", "ClusterRole", "reader", [account("web"), TO_ALICE, group("devs")], namespace="shop"),
        live=True,
    )
    assert rows(cluster, "get", "secrets") == [
        ("Group system:serviceaccounts", "", ()),
        ("Group devs", "shop", ()),
        ("User alice", "", ()),
        ("User alice", "shop", ()),
        ("ServiceAccount shop/web", "shop", ()),
    ]
    assert rows(cluster, "get", "secrets", Where.EVERYWHERE) == [
        ("Group system:serviceaccounts", "", ()),
        ("User alice", "", ()),
    ]
    assert len(rows(cluster, "get", "secrets", Where.NAMESPACE, namespace="shop")) == 5
    assert len(rows(cluster, "get", "secrets", Where.NAMESPACE, namespace="pay")) == 2
    assert rows(cluster, "delete", "secrets") == []


def test_the_superusers_are_always_there() -> None:
    (row,) = who_can(evaluator(live=True), request("get", "secrets"), Where.ANYWHERE).rows
    assert (row.principal.key, row.grant, row.system) == ("Group system:masters", None, True)


@pytest.mark.parametrize(
    ("verb", "name", "names"),
    [
        ("get", "", [("db", "web")]),
        ("get", "db", [("db", "web")]),
        ("get", "other", []),
        ("list", "", [("db", "web")]),
        ("create", "", []),
        ("deletecollection", "", []),
    ],
)
def test_names_limit_a_row_and_keep_out_what_carries_none(verb: str, name: str, names: list[tuple[str, ...]]) -> None:
    limited = rule("get,list,create,deletecollection", "secrets", "db,web")
    cluster = evaluator(role("r", limited), binding("b", "ClusterRole", "r", [TO_ALICE]), live=True)
    assert [row[2] for row in rows(cluster, verb, "secrets", name=name)] == names


def test_a_rule_without_names_is_shown_before_one_with_names() -> None:
    both = role("r", rule("get", "secrets", "db"), rule("get", "*"))
    cluster = evaluator(both, binding("b", "ClusterRole", "r", [TO_ALICE]), live=True)
    (row,) = [row for row in who_can(cluster, request("get", "secrets"), Where.ANYWHERE).rows if row.grant]
    assert row.names == ()
    assert row.grant is not None
    assert row.grant.rule.path == ("rules", 1)


def test_a_role_binding_gives_nothing_on_what_belongs_to_no_namespace() -> None:
    everything = rule("*", "*", groups="*")
    cluster = evaluator(
        role("r", everything), binding("b", "ClusterRole", "r", [TO_ALICE], namespace="shop"), live=True
    )
    assert rows(cluster, "get", "nodes") == []
    assert rows(cluster, "get", "/metrics") == []
    assert rows(cluster, "get", "clusterroles", api_group="rbac.authorization.k8s.io") == []
    assert rows(cluster, "bind", "clusterroles", api_group="rbac.authorization.k8s.io") == [("User alice", "shop", ())]


def test_a_role_binding_gives_the_namespace_object_itself() -> None:
    cluster = evaluator(
        role("r", rule("get,list,delete", "namespaces")),
        binding("b", "ClusterRole", "r", [TO_ALICE], namespace="shop"),
        live=True,
    )
    assert rows(cluster, "delete", "namespaces") == [("User alice", "shop", ("shop",))]
    assert rows(cluster, "delete", "namespaces", name="pay") == []
    assert rows(cluster, "list", "namespaces") == []


def test_what_a_cluster_has_by_itself_is_there_and_marked() -> None:
    found = who_can(evaluator(), request("get", "secrets"), Where.ANYWHERE).rows
    assert found
    assert all(row.system for row in found)
    assert any(
        row.principal == Principal(PrincipalKind.SERVICE_ACCOUNT, "kube-system", "token-cleaner") for row in found
    )


def test_what_is_not_known_stands_apart_with_whom_it_concerns() -> None:
    cluster = evaluator(binding("b", "ClusterRole", "gone", [TO_ALICE, group("devs")]))
    doubts = who_can(cluster, request("get", "secrets"), Where.ANYWHERE).doubts
    assert [(doubt.kind, doubt.principal.key if doubt.principal else "") for doubt in doubts] == [
        (DoubtKind.MISSING_ROLE, "User alice"),
        (DoubtKind.MISSING_ROLE, "Group devs"),
    ]


def test_a_binding_without_a_namespace_is_a_row_unless_one_namespace_is_asked_for() -> None:
    cluster = evaluator(READER, binding("b", "ClusterRole", "reader", [account("web")], kind="RoleBinding"))
    found = [row for row in who_can(cluster, request("get", "secrets"), Where.ANYWHERE).rows if not row.system]
    assert [(row.principal.key, row.scope, row.unplaced) for row in found] == [("ServiceAccount web", "", True)]
    asked = who_can(cluster, request("get", "secrets", namespace="shop"), Where.NAMESPACE)
    assert all(row.system for row in asked.rows)
    assert [doubt.kind for doubt in asked.doubts] == [DoubtKind.NO_NAMESPACE]
    assert not who_can(cluster, request("get", "secrets"), Where.EVERYWHERE).doubts


def test_other_authorisers_and_what_was_not_read_are_told() -> None:
    chain = (Authoriser.NODE, Authoriser.RBAC, Authoriser.WEBHOOK)
    cluster = evaluator(dialect=Dialect(authorisers=chain), unread=refused("RoleBinding", "shop"), live=True)

    def kinds(verb: str, where: Where, **more: str) -> list[DoubtKind]:
        return [doubt.kind for doubt in who_can(cluster, request(verb, "secrets", **more), where).doubts]

    assert kinds("get", Where.ANYWHERE) == [DoubtKind.UNREAD, DoubtKind.NODE, DoubtKind.AUTHORISER]
    assert kinds("get", Where.NAMESPACE, namespace="pay") == [DoubtKind.NODE, DoubtKind.AUTHORISER]
    assert kinds("delete", Where.EVERYWHERE) == [DoubtKind.AUTHORISER]


def test_without_rbac_no_binding_counts() -> None:
    chain = (Authoriser.ABAC,)
    cluster = evaluator(READER, binding("b", "ClusterRole", "reader", [TO_ALICE]), dialect=Dialect(authorisers=chain))
    assert rows(cluster, "get", "secrets") == []


# Laws.


def who(principal: Principal) -> Caller:
    """Return a caller that only that principal means."""
    return Caller("", frozenset({principal.name})) if principal.kind is PrincipalKind.GROUP else Caller(principal.user)


def for_row(row: Holder, asked: Request) -> Request:
    name = asked.name or (row.names[0] if row.names else "")
    return replace(asked, namespace=row.scope or asked.namespace, name=name)


@given(clusters(), requests())
def test_every_row_is_allowed_by_the_evaluator(cluster: list[Resource], asked: Request) -> None:
    judge = Evaluator(cluster, dialect=RBAC_ALONE, live=True)
    where = Where.NAMESPACE if asked.namespace else Where.ANYWHERE
    for row in who_can(judge, asked, where).rows:
        assert judge.decide(who(row.principal), for_row(row, asked)).answer is Answer.ALLOW


@given(clusters(), requests())
def test_whoever_is_allowed_has_a_row(cluster: list[Resource], asked: Request) -> None:
    judge = Evaluator(cluster, dialect=RBAC_ALONE, live=True)
    if not asked.subresource and asked.verb in NAMELESS:
        asked = replace(asked, name="")
    where = Where.NAMESPACE if asked.namespace else Where.EVERYWHERE
    named, unnamed = (who_can(judge, one, where).rows for one in (asked, replace(asked, name="")))
    for principal in {principal for held in judge.held for _, principal in held.binding.principals}:
        if judge.decide(who(principal), asked).answer is Answer.ALLOW:
            assert any(row.principal == principal for row in named)
            held_names = [row.names for row in unnamed if row.principal == principal]
            assert any(not names or asked.name in {"", *names} for names in held_names)


@given(clusters(), requests())
def test_who_can_somewhere_is_who_can_in_some_namespace(cluster: list[Resource], asked: Request) -> None:
    judge = Evaluator(cluster, dialect=RBAC_ALONE, live=True)
    anywhere = {row.principal for row in who_can(judge, replace(asked, namespace=""), Where.ANYWHERE).rows}
    inside = [
        {row.principal for row in who_can(judge, replace(asked, namespace=one), Where.NAMESPACE).rows}
        for one in NAMESPACES
    ]
    everywhere = {row.principal for row in who_can(judge, replace(asked, namespace=""), Where.EVERYWHERE).rows}
    assert anywhere == set().union(*inside)
    assert everywhere <= set.intersection(*inside)
