"""What every cluster has: the tables are those of the real server, and say what an auditor's verdicts rest upon."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from auditor import data
from auditor.access.kubernetes import built_in
from auditor.access.kubernetes.bindings import Binding, Principal, PrincipalKind, read_binding
from auditor.access.kubernetes.rbac import rule_allows
from auditor.access.kubernetes.roles import Role, RoleBook, read_role
from auditor.model.resource import Origin, Resource
from tests.access.kubernetes import tables
from tests.servers.kubernetes import ACCOUNTS, Kubernetes, Setup, running

HERE = Origin(file="rbac.yaml")
RBAC = "/apis/rbac.authorization.k8s.io/v1"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def gives(role: str, verb: str, group: str, resource: str) -> bool:
    book = RoleBook(roles=(), built_in=built_in.load().roles)
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
        ("Group", "", "system:serviceaccounts", False),
        ("Group", "", "system:serviceaccounts:kube-system", False),
        ("ServiceAccount", "kube-system", "generic-garbage-collector", True),
        ("ServiceAccount", "kube-system", "coredns", True),
        ("ServiceAccount", "shop", "generic-garbage-collector", False),
        ("ServiceAccount", "kube-system", "tiller", False),
    ],
)
def test_only_what_kubernetes_ships_belongs_to_the_platform(
    kind: str, namespace: str, name: str, *, expected: bool
) -> None:
    """A name with `system:` in front, or an account in kube-system, is no proof of innocence."""
    assert built_in.load().ships(Principal(PrincipalKind(kind), namespace, name)) is expected


def test_every_name_is_there_once() -> None:
    platform = built_in.load()
    for identities in ([role.identity for role in platform.roles], [one.identity for one in platform.bindings]):
        assert len(identities) == len(set(identities))


def test_every_built_in_binding_finds_its_role() -> None:
    platform = built_in.load()
    book = RoleBook(roles=(), built_in=platform.roles)
    for one in platform.bindings:
        assert book.find(one.role_kind, one.role_namespace, one.role_name, near=HERE) is not None


def test_a_role_binding_gives_nothing_on_what_belongs_to_no_namespace() -> None:
    scoped = built_in.load().cluster_scoped
    assert {"nodes", "users", "groups"} <= scoped[""]
    assert "namespaces" not in scoped[""]
    assert scoped["rbac.authorization.k8s.io"] == {"clusterrolebindings"}
    assert "signers" in scoped["certificates.k8s.io"]


# The real server.


@pytest.fixture(scope="module")
def pristine(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:  # noqa: ARG001 - skips
    """Return a cluster in which nobody has changed anything, its aggregated roles filled in."""
    with running(tmp_path_factory.mktemp("pristine"), Setup(controllers=ACCOUNTS)) as kube:
        yield kube


def served(kube: Kubernetes) -> Iterator[dict[str, Any]]:
    for plural, kind in (
        ("clusterroles", "ClusterRole"),
        ("roles", "Role"),
        ("clusterrolebindings", "ClusterRoleBinding"),
        ("rolebindings", "RoleBinding"),
    ):
        for item in kube.admin.items(f"{RBAC}/{plural}"):
            yield {**item, "kind": kind}


def read(item: Mapping[str, Any]) -> Resource:
    metadata = item["metadata"]
    return Resource(
        type=f"kubernetes/{item['kind']}",
        name=metadata["name"],
        namespace=metadata.get("namespace", ""),
        body=item,
        origin=HERE,
    )


def contents(rules: Iterable[Mapping[str, list[str]]]) -> set[tuple[tuple[str, ...], ...]]:
    return {tuple(tuple(sorted(rule[field])) for field, _ in tables.FIELDS) for rule in rules}


def test_the_tables_are_what_the_real_server_would_be_written_as(
    pristine: Kubernetes, pytestconfig: pytest.Config
) -> None:
    """Names, rules, labels, aggregation, bindings and resources: all of them, and nothing else."""
    version = pristine.admin.get("/version")
    minor = f"{version['major']}.{version['minor']}"
    discovery = [pristine.admin.get(path, accept=AGGREGATED) for path in ("/api", "/apis")]
    for name, text in (
        ("roles", tables.roles_text(served(pristine), minor)),
        ("resources", tables.resources_text(discovery, minor)),
    ):
        file = data.policies() / "dialects" / f"kubernetes-{name}.yaml"
        if pytestconfig.getoption("--renew-goldens"):
            file.write_text(text, encoding="utf-8")
        assert file.read_text(encoding="utf-8") == text


def test_the_table_read_back_is_what_the_real_server_holds(pristine: Kubernetes) -> None:
    """Independent of how the table is written: what the evaluator sees of it, and of the server's own objects."""
    platform = built_in.load()
    book = RoleBook(roles=(), built_in=platform.roles)
    ours: dict[tuple[str, str, str], Role] = {role.identity: role for role in platform.roles}
    objects = list(served(pristine))
    assert all(tables.is_bootstrap(item) for item in objects), "the server makes an object without its own label"
    theirs = {role.identity: role for role in map(read_role, map(read, of_kind(objects, "Role")))}
    assert ours.keys() == theirs.keys()
    for identity, role in theirs.items():
        own = ours[identity]
        assert (dict(own.labels), own.selectors, own.aggregated) == (
            dict(role.labels),
            role.selectors,
            role.aggregated,
        ), identity
        computed = book.effective(own, near=HERE)
        assert contents(rule.content for rule in computed.rules) == contents(rule for _, rule in role.rules), identity
    bindings = {one.identity: one for one in map(read_binding, map(read, of_kind(objects, "Binding")))}
    assert {one.identity: facts(one) for one in platform.bindings} == {
        identity: facts(one) for identity, one in bindings.items()
    }


def of_kind(objects: Iterable[dict[str, Any]], end: str) -> list[dict[str, Any]]:
    return [item for item in objects if item["kind"].endswith(end)]


def facts(one: Binding) -> tuple[str, str, set[Principal]]:
    return one.role_kind, one.role_name, {principal for _, principal in one.principals}
