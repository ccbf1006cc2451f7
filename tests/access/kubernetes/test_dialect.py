"""The built-in roles: what an auditor's verdicts rest upon."""

import pytest

from auditor.access.kubernetes import dialect
from auditor.access.kubernetes.rbac import rule_allows
from auditor.access.kubernetes.roles import RoleBook
from auditor.model.resource import Origin

HERE = Origin(file="rbac.yaml")


def gives(role: str, verb: str, group: str, resource: str) -> bool:
    book = RoleBook(roles=(), built_in=dialect.load().roles)
    found = book.find("ClusterRole", "", role, near=HERE)
    assert found is not None
    return any(rule_allows(rule.content, verb, group, resource) for rule in book.effective(found, near=HERE).rules)


@pytest.mark.parametrize(
    ("verb", "group", "resource", "view", "edit", "admin"),
    [
        ("get", "", "secrets", False, True, True),
        ("list", "", "secrets", False, True, True),
        ("get", "", "configmaps", True, True, True),
        ("get", "", "pods/log", True, True, True),
        ("create", "", "pods", False, True, True),
        ("create", "", "pods/exec", False, True, True),
        ("impersonate", "", "serviceaccounts", False, True, True),
        ("create", "", "serviceaccounts/token", False, True, True),
        ("create", "apps", "deployments", False, True, True),
        ("create", "rbac.authorization.k8s.io", "rolebindings", False, False, True),
        ("bind", "rbac.authorization.k8s.io", "roles", False, False, False),
        ("escalate", "rbac.authorization.k8s.io", "roles", False, False, False),
        ("get", "", "nodes/proxy", False, False, False),
        ("update", "", "pods/ephemeralcontainers", False, False, False),
        ("get", "rbac.authorization.k8s.io", "clusterroles", False, False, False),
    ],
)
def test_the_roles_for_people_grow_from_view_to_admin(  # noqa: PLR0917 - a table
    verb: str, group: str, resource: str, view: bool, edit: bool, admin: bool
) -> None:
    assert (gives("view", verb, group, resource), gives("edit", verb, group, resource)) == (view, edit)
    assert gives("admin", verb, group, resource) is admin


@pytest.mark.parametrize("verb", ["get", "bind", "impersonate", "anything"])
def test_cluster_admin_gives_everything(verb: str) -> None:
    assert gives("cluster-admin", verb, "any.example.com", "things/part")


@pytest.mark.parametrize("role", ["system:discovery", "system:basic-user", "system:public-info-viewer"])
def test_what_everybody_holds_reads_no_secret(role: str) -> None:
    assert not gives(role, "get", "", "secrets")


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "expected"),
    [
        ("User", "", "system:kube-scheduler", True),
        ("User", "", "system:node:worker-1", True),
        ("User", "", "system:anonymous", False),
        ("User", "", "system:looks-official", False),
        ("Group", "", "system:masters", True),
        ("Group", "", "system:authenticated", False),
        ("Group", "", "system:serviceaccounts:kube-system", False),
        ("ServiceAccount", "kube-system", "generic-garbage-collector", True),
        ("ServiceAccount", "shop", "generic-garbage-collector", False),
        ("ServiceAccount", "kube-system", "tiller", False),
    ],
)
def test_only_what_kubernetes_ships_belongs_to_the_platform(
    kind: str, namespace: str, name: str, *, expected: bool
) -> None:
    """A name with `system:` in front, or an account in kube-system, is no proof of innocence."""
    assert dialect.load().ships(kind, namespace, name) is expected


def test_every_name_is_there_once() -> None:
    identities = [role.identity for role in dialect.load().roles]
    assert len(identities) == len(set(identities))
