"""What lists that were not read do to grants, and whether the account that holds one exists."""

import pytest

from auditor.facts import grants, principals
from auditor.facts.estate import Estate
from auditor.facts.extent import Extent
from auditor.model.collection import CallResult
from auditor.model.resource import Resource
from tests.facts import builders
from tests.facts.cluster import call, estate, live, read

ACCOUNT = "kubernetes/ServiceAccount"
TYPES = (ACCOUNT, *grants.TYPES)

ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: %s
metadata: {name: %s%s}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
"""
BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: %s
metadata: {name: %s%s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: %s}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
"""


def role(kind: str, name: str) -> Resource:
    return live(ROLE % (kind, name, ", namespace: shop" if kind == "Role" else ""))


def binding(kind: str, name: str, to: tuple[str, str]) -> Resource:
    return live(BINDING % (kind, name, ", namespace: shop" if kind == "RoleBinding" else "", *to))


MEMBERS = (
    role("Role", "bound"),
    role("Role", "free"),
    role("ClusterRole", "bound"),
    role("ClusterRole", "free"),
    binding("RoleBinding", "a", ("Role", "bound")),
    binding("ClusterRoleBinding", "b", ("ClusterRole", "bound")),
)


def without(*types: str) -> tuple[Extent, list[Resource]]:
    kinds = {type_.partition("/")[2] for type_ in types}
    extent = read(*TYPES, but=[call(type_, CallResult.FORBIDDEN) for type_ in types])
    return extent, [member for member in MEMBERS if member.type.partition("/")[2] not in kinds]


def facts(*unread: str) -> dict[str, tuple[str, int]]:
    """Return for each fact why it is unknown and how many rules it has."""
    extent, members = without(*unread)
    found = grants.grants(estate(extent, *members))
    return {fact.name: (fact.body["unknown"], len(fact.body["rules"])) for fact in found}


WHOLE = {
    "RoleBinding/a:ServiceAccount shop/web": ("", 1),
    "ClusterRoleBinding/b:ServiceAccount shop/web": ("", 1),
    "Role/free:unbound": ("", 1),
    "ClusterRole/free:unbound": ("", 1),
}


def test_where_everything_was_read_nothing_is_open() -> None:
    assert facts() == WHOLE


def why(kind: str) -> str:
    return f"prod: the list of {kind} was not read (forbidden)"


@pytest.mark.parametrize(("kind", "of"), [("Role", "RoleBinding/a"), ("ClusterRole", "ClusterRoleBinding/b")])
def test_a_role_of_a_list_that_was_not_read_may_give_anything(kind: str, of: str) -> None:
    found = facts(f"kubernetes/{kind}")
    unknown, rules = found.pop(f"{of}:ServiceAccount shop/web")
    assert unknown.endswith(why(kind))
    assert rules == 0
    rest = {name: entry for name, entry in WHOLE.items() if not name.startswith((of, f"{kind}/"))}
    assert found == rest


def test_roles_may_be_bound_by_bindings_that_were_not_read() -> None:
    """A ClusterRole by both kinds, a Role by those of its namespace alone."""
    found = facts("kubernetes/ClusterRoleBinding")
    assert found["ClusterRole/free:unbound"][0] == found["ClusterRole/bound:unbound"][0] == why("ClusterRoleBinding")
    assert found["Role/free:unbound"] == ("", 1)
    found = facts("kubernetes/RoleBinding")
    assert {found[f"{kind}/free:unbound"][0] for kind in ("Role", "ClusterRole")} == {why("RoleBinding")}


def test_a_role_that_is_not_there_grants_nothing_where_all_were_read() -> None:
    extent = read(*TYPES)
    (fact,) = grants.grants(estate(extent, binding("RoleBinding", "a", ("Role", "gone"))))
    assert (fact.body["unknown"], fact.body["rules"]) == ("", [])


def test_each_namespace_counts_for_itself() -> None:
    refused = call("kubernetes/Role", CallResult.FORBIDDEN, namespace="pay")
    extent = read(*TYPES, but=[call("kubernetes/Role", namespace="shop"), refused])
    pay = live(BINDING % ("RoleBinding", "c", ", namespace: pay", "Role", "r"))
    found = grants.grants(estate(extent, binding("RoleBinding", "a", ("Role", "gone")), pay))
    unknown = {fact.namespace: fact.body["unknown"] for fact in found}
    assert unknown["shop"] == ""
    assert "in namespace pay was not read" in unknown["pay"]


def holder(whole: Estate, subject: str = "kind: ServiceAccount, name: web, namespace: shop") -> tuple[str, str]:
    text = (BINDING % ("RoleBinding", "a", ", namespace: shop", "Role", "bound")).replace(
        "kind: ServiceAccount, name: web, namespace: shop", subject
    )
    bound = estate(whole.extent, live(text)) if whole.extent.live else builders.estate(builders.resource(text))
    (fact,) = grants.grants(bound)
    said = grants.holder(fact, whole)
    return said["exists"], said["why"]


WEB = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}}"


def test_an_account_exists_or_not_where_all_were_read() -> None:
    assert holder(estate(read(*TYPES), live(WEB))) == ("true", "")
    assert holder(estate(read(*TYPES))) == ("false", "")
    assert holder(estate(read(*TYPES), live(WEB.replace("shop", "pay")))) == ("false", "")


def test_an_account_of_a_list_that_was_not_read_may_exist() -> None:
    extent, _ = without(ACCOUNT)
    assert holder(estate(extent)) == ("unknown", why("ServiceAccount"))


def test_an_account_that_manifests_lack_may_be_on_the_cluster() -> None:
    assert holder(builders.estate(builders.resource(WEB))) == ("true", "")
    assert holder(builders.estate())[0] == "unknown"


@pytest.mark.parametrize("subject", ["kind: User, name: ada", "kind: Group, name: staff"])
def test_who_the_people_are_is_not_in_a_cluster(subject: str) -> None:
    assert holder(estate(read(*TYPES)), subject)[0] == "unknown"


def test_one_fact_shows_all_that_a_principal_holds() -> None:
    extent, members = without()
    whole = estate(extent, *members)
    (fact,) = principals.principals(grants.grants(whole), whole)
    assert fact.name == "ServiceAccount shop/web"
    assert {grant["binding"]["name"] for grant in fact.body["grants"]} == {"a", "b"}
    assert fact.body["unread"] == ""
    assert [what for what, _, _ in fact.related] == [
        f"{grant['binding']['kind']} {grant['binding']['name']} names ServiceAccount shop/web"
        for grant in fact.body["grants"]
    ]


@pytest.mark.parametrize("unread", ["kubernetes/RoleBinding", "kubernetes/ClusterRoleBinding"])
def test_a_principal_may_hold_more_by_bindings_that_were_not_read(unread: str) -> None:
    extent, members = without(unread)
    whole = estate(extent, *members)
    (fact,) = principals.principals(grants.grants(whole), whole)
    assert fact.body["unread"] == why(unread.partition("/")[2])


def test_a_principal_may_hold_more_by_a_role_that_was_not_read() -> None:
    extent, members = without("kubernetes/Role")
    whole = estate(extent, *members)
    (fact,) = principals.principals(grants.grants(whole), whole)
    assert fact.body["unread"].endswith(why("Role"))


def test_the_platforms_own_principals_are_left_out() -> None:
    text = BINDING % ("ClusterRoleBinding", "b", "", "ClusterRole", "bound")
    system = live(
        text.replace("kind: ServiceAccount, name: web, namespace: shop", "kind: User, name: 'system:kube-scheduler'")
    )
    whole = estate(read(*TYPES), role("ClusterRole", "bound"), system)
    assert principals.principals(grants.grants(whole), whole) == []
