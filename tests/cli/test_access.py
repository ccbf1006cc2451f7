"""`auditor access` as it is typed: questions, tables, chains, what is not known, and wrong use."""

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from auditor.cli import access_console
from auditor.model.collection import CallResult
from tests.cli.running import run
from tests.snapshot import builders

UID = "0b3a3e4e-3f0c-4c3f-9a54-1a2b3c4d5e6f"
RBAC = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
  - {apiGroups: [""], resources: [configmaps], verbs: [get]}
  - {apiGroups: [""], resources: [secrets], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects:
  - {kind: User, name: ada}
  - {kind: Group, name: "system:serviceaccounts"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: one, namespace: shop}
rules:
  - {apiGroups: [""], resources: [secrets], verbs: [get, list], resourceNames: [db]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: one}
subjects:
  - {kind: ServiceAccount, name: web}
  - {kind: Group, name: devs}
"""
MISSING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: vendor, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: vendor-reader}
subjects: [{kind: ServiceAccount, name: agent, namespace: vendor}]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with one file of manifests in it."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "rbac.yaml").write_text(RBAC)
    return tmp_path


Output = pytest.CaptureFixture[str]


def access(capsys: Output, *arguments: object) -> tuple[int, str, str]:
    code = run(["access", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def told(capsys: Output, *arguments: object) -> dict[str, Any]:
    code, out, _ = access(capsys, *arguments, "-o", "json")
    assert code in {0, 3}
    found: dict[str, Any] = json.loads(out)
    return found


def keys(answer: dict[str, Any], *, system: bool = False) -> list[str]:
    return [
        row["principal"]["key"] for row in answer["clusters"][0]["holders"] if row["system"] is system and row["grant"]
    ]


def test_a_table_says_who_where_through_what_and_where_that_stands(capsys: Output) -> None:
    code, out, err = access(capsys, "who-can", "get", "secrets", "deploy")
    assert (code, err) == (0, "")
    head, table, system, unknown, granted = out.split("\n\n")
    assert head == "get secrets, anywhere: 4 principals (2 groups, 1 of them open-ended)"
    all_ = ("everywhere", "ClusterRoleBinding all -> ClusterRole reader", "get,list secrets", "any")
    web = ("namespace shop", "RoleBinding shop/web -> Role one", "get,list secrets", "db")
    assert [tuple(re.split("  +", line)) for line in table.splitlines()] == [
        ("PRINCIPAL", "WHERE", "THROUGH", "RULE", "NAMES", "PLACE"),
        ("Group system:serviceaccounts (open-ended)", *all_, "deploy/rbac.yaml:14"),
        ("Group devs", *web, "deploy/rbac.yaml:28"),
        ("User ada", *all_, "deploy/rbac.yaml:13"),
        ("ServiceAccount shop/web", *web, "deploy/rbac.yaml:27"),
    ]
    assert len({line.index("deploy/") for line in table.splitlines()[1:]}) == 1, "columns are aligned"
    assert system == "and 6 principals of the platform itself (--system lists them)"
    assert unknown == "not known:\n  the Node authoriser lets a kubelet get the secrets that belong to its own pods"
    assert granted == (
        "taken for granted:\n"
        "  what every cluster has by itself is that of Kubernetes 1.36\n"
        "  RBAC is all that decides; which authorisers the cluster asks is not known (--authorizers)\n"
    )


@pytest.mark.parametrize("columns", [40, 60, 80])
@pytest.mark.parametrize(
    "question",
    [
        ["who-can", "get", "secrets", "deploy"],
        ["who-can", "get", "secrets", "--system", "deploy"],
        ["explain", "ada", "get", "secrets", "-n", "shop", "deploy"],
        ["explain", "eve", "get", "secrets", "-n", "shop", "deploy"],
    ],
)
def test_no_line_is_wider_than_the_terminal_but_for_one_long_word(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, columns: int, question: list[str]
) -> None:
    wide = access(capsys, *question)[1]
    monkeypatch.setenv("COLUMNS", str(columns))
    narrow = access(capsys, *question)[1]
    assert [line for line in narrow.splitlines() if len(line) > columns and len(line.split()) > 1] == []
    assert set(narrow.split()) >= {word for word in wide.split() if ".yaml:" in word}


def test_in_a_narrow_terminal_a_row_has_lines_of_its_own() -> None:
    rows = [access_console.HEAD, ("User ada", "everywhere", "X a -> Y b", "get secrets", "db", "f.yaml:1")]
    rows += [("User eve", "everywhere", "X a -> Y b", "get secrets", "any", "")]
    assert list(access_console.table(rows, 40)) == [
        "User ada, everywhere",
        "  X a -> Y b",
        "  get secrets, only db",
        "  --> f.yaml:1",
        "",
        "User eve, everywhere",
        "  X a -> Y b",
        "  get secrets",
    ]
    assert len(list(access_console.table(rows, 100))) == 3


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (["get", "secret"], ["Group system:serviceaccounts", "Group devs", "User ada", "ServiceAccount shop/web"]),
        (["get", "secrets/db"], ["Group system:serviceaccounts", "Group devs", "User ada", "ServiceAccount shop/web"]),
        (["get", "secrets", "other"], ["Group system:serviceaccounts", "User ada"]),
        (["list", "secrets", "-A"], ["Group system:serviceaccounts", "User ada"]),
        (["list", "secrets", "-n", "pay"], ["Group system:serviceaccounts", "User ada"]),
        (
            ["list", "secrets", "-n", "shop"],
            ["Group system:serviceaccounts", "Group devs", "User ada", "ServiceAccount shop/web"],
        ),
        (["get", "cm"], ["Group system:serviceaccounts", "User ada"]),
        (["delete", "secrets"], []),
        (["get", "/metrics"], []),
        (["get", "widgets.example.com"], []),
    ],
)
def test_a_question_is_asked_as_kubectl_asks_it(capsys: Output, question: Sequence[str], expected: list[str]) -> None:
    assert keys(told(capsys, "who-can", *question, "deploy")) == expected


def test_a_list_by_names_says_that_it_needs_a_field_selector(capsys: Output) -> None:
    answer = told(capsys, "who-can", "list", "secrets", "-n", "shop", "deploy")
    rows = {row["principal"]["key"]: row for row in answer["clusters"][0]["holders"]}
    assert (rows["Group devs"]["names"], rows["Group devs"]["by_field_selector"]) == (["db"], True)
    assert (rows["User ada"]["names"], rows["User ada"]["by_field_selector"]) == ([], False)
    _, out, _ = access(capsys, "who-can", "list", "secrets", "-n", "shop", "deploy")
    assert "db (by field selector)" in out


def test_a_row_holds_binding_role_and_rule_with_their_places(capsys: Output) -> None:
    answer = told(capsys, "who-can", "get", "secrets", "deploy")
    row = next(row for row in answer["clusters"][0]["holders"] if row["principal"]["name"] == "ada")
    place = {"file": "deploy/rbac.yaml", "rendered_from": ""}
    assert row == {
        "principal": {"kind": "User", "namespace": "", "name": "ada", "key": "User ada", "open_ended": False},
        "system": False,
        "scope": "cluster",
        "namespace": "",
        "names": [],
        "by_field_selector": False,
        "grant": {
            "principal": {"kind": "User", "namespace": "", "name": "ada", "key": "User ada", "open_ended": False},
            "binding": {
                "kind": "ClusterRoleBinding",
                "namespace": "",
                "name": "all",
                "built_in": False,
                "location": {**place, "line": 13, "column": 5},
            },
            "role": {
                "kind": "ClusterRole",
                "namespace": "",
                "name": "reader",
                "built_in": False,
                "location": {**place, "line": 1, "column": 1},
            },
            "rule": {
                "label": "get,list secrets",
                "stands_in": {"kind": "ClusterRole", "namespace": "", "name": "reader", "built_in": False},
                "aggregated_from": "",
                "location": {**place, "line": 6, "column": 5},
            },
            "names": [],
        },
    }
    assert answer["question"]["where"] == "anywhere"
    assert answer["clusters"][0]["authorisers"] is None


def test_principals_of_the_platform_are_counted_and_listed_when_asked_for(capsys: Output) -> None:
    _, out, _ = access(capsys, "who-can", "get", "secrets", "--system", "deploy")
    assert "ServiceAccount kube-system/token-cleaner" in out
    assert "built in" in out
    assert "Group system:masters" in out
    assert "--system" not in out


def test_nobody_is_said_to_be_nobody_in_the_input(capsys: Output) -> None:
    code, out, _ = access(capsys, "who-can", "frobnicate", "pods", "-q", "deploy")
    assert code == 0
    assert out.startswith("frobnicate pods, anywhere: nobody, as far as the input goes\n")


def test_a_missing_role_stands_apart_and_ends_with_three(capsys: Output, folder: Path) -> None:
    (folder / "deploy" / "vendor.yaml").write_text(MISSING)
    code, out, _ = access(capsys, "who-can", "get", "secrets", "deploy")
    assert code == 3
    assert (
        """\
  ClusterRole vendor-reader is neither in the input nor built into Kubernetes
    RoleBinding shop/vendor names ServiceAccount vendor/agent  --> deploy/vendor.yaml:5
"""
        in out
    )
    assert access(capsys, "who-can", "get", "secrets", "--allow-incomplete", "deploy")[0] == 0
    assert access(capsys, "who-can", "get", "secrets", "-n", "pay", "deploy")[0] == 0


def test_what_could_not_be_read_is_named_and_ends_with_three(capsys: Output, folder: Path) -> None:
    (folder / "deploy" / "broken.yaml").write_text("kind: Role\napiVersion: [\n")
    code, out, _ = access(capsys, "who-can", "get", "secrets", "deploy")
    assert code == 3
    assert "1 thing in scope could not be read, so there may be others:\n  deploy/broken.yaml:3: broken yaml\n" in out
    code, out, _ = access(capsys, "explain", "bob", "get", "secrets", "-n", "shop", "deploy")
    assert code == 3
    assert "bob, get secrets in namespace shop: not known" in out
    assert access(capsys, "explain", "ada", "get", "secrets", "-n", "shop", "deploy")[0] == 0


def test_a_broken_file_without_roles_leaves_nothing_open(capsys: Output, folder: Path) -> None:
    (folder / "deploy" / "broken.yaml").write_text("kind: Deployment\napiVersion: [\n")
    assert access(capsys, "who-can", "get", "secrets", "deploy")[0] == 0


def test_standard_input_and_several_paths_are_read(
    capsys: Output, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "more.yaml").write_text(MISSING)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(RBAC.encode())))
    answer = told(capsys, "who-can", "get", "secrets", "-", "more.yaml")
    assert "User ada" in keys(answer)
    assert [one["kind"] for one in answer["clusters"][0]["unknown"]] == ["missing-role", "node"]


def test_an_authoriser_beside_rbac_is_told_and_opens_a_refusal(capsys: Output) -> None:
    chain = ["--authorizers", "Node,RBAC,Webhook"]
    answer = told(capsys, "who-can", "get", "secrets", *chain, "deploy")
    assert [one["why"] for one in answer["clusters"][0]["unknown"]][1:] == [
        "an authorisation webhook may allow or deny it"
    ]
    assert access(capsys, "who-can", "get", "secrets", *chain, "deploy")[0] == 0
    assert access(capsys, "explain", "bob", "get", "secrets", "-n", "shop", *chain, "deploy")[0] == 3


# explain


def test_a_yes_comes_with_the_chain_that_makes_it(capsys: Output) -> None:
    code, out, _ = access(capsys, "explain", "sa:shop/web", "get", "secrets/db", "-n", "shop", "deploy")
    assert code == 0
    assert (
        out
        == """\
ServiceAccount shop/web, get secrets named db in namespace shop: yes
  Group system:serviceaccounts
  -> ClusterRoleBinding all  deploy/rbac.yaml:14
  -> ClusterRole reader      deploy/rbac.yaml:1
  -> get,list secrets        deploy/rbac.yaml:6

also through 1 other binding:
  RoleBinding shop/web -> Role one  --> deploy/rbac.yaml:27

taken for granted:
  RBAC is all that decides; which authorisers the cluster asks is not known, and one that stands
    before RBAC may refuse it
"""
    )


def test_a_no_comes_with_the_nearest_miss_and_the_groups_that_would_do(capsys: Output) -> None:
    code, out, _ = access(capsys, "explain", "bob", "--group", "ops", "get", "secrets/db", "-n", "shop", "deploy")
    assert code == 0
    assert (
        out
        == """\
User bob, get secrets named db in namespace shop: no
  no binding that names them comes near

allowed as a member of (who is in a group is not in the cluster; --group says so):
  devs: RoleBinding shop/web -> Role one  --> deploy/rbac.yaml:28

taken for granted:
  RBAC is all that decides; which authorisers the cluster asks is not known, and another one may
    allow it
  the input holds all bindings that matter
"""
    )
    _, out, _ = access(capsys, "explain", "group:devs", "get", "secrets/other", "-n", "shop", "deploy")
    assert (
        """\
nearest:
  RoleBinding shop/web is limited to resourceNames db
    --> deploy/rbac.yaml:28
"""
        in out
    )


def test_acting_as_somebody_else_takes_both_rights(capsys: Output, folder: Path) -> None:
    (folder / "deploy" / "imp.yaml").write_text(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: imp}\n"
        "rules: [{apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate]}]\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: imp}\n"
        "roleRef: {kind: ClusterRole, name: imp}\nsubjects: [{kind: User, name: bob}]\n"
    )
    question = ["get", "secrets/db", "-n", "shop", "--as", "sa:shop/web", "deploy"]
    code, out, _ = access(capsys, "explain", "bob", *question)
    assert code == 0
    assert "User bob as system:serviceaccount:shop:web (impersonated), get secrets named db" in out
    assert "may act as them, by the verb impersonate:\n  impersonate serviceaccounts named web: allow\n" in out
    assert "  -> ClusterRoleBinding all " in out
    code, out, _ = access(capsys, "explain", "eve", *question)
    assert ": no\n\nmay not act as them:\n  impersonate serviceaccounts named web: deny\n" in out
    answer = told(capsys, "explain", "bob", *question)["clusters"][0]
    assert (answer["answer"], answer["impersonation"]["mode"]) == ("allow", "impersonate")
    assert answer["impersonation"]["becomes"][0]["user"] == "system:serviceaccount:shop:web"


@pytest.mark.parametrize(("version", "said"), [("1.34", "would be let through"), ("1.36", "would be refused all the")])
def test_entering_a_pod_by_get_depends_on_the_version(capsys: Output, folder: Path, version: str, said: str) -> None:
    (folder / "deploy" / "exec.yaml").write_text(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: e}\n"
        "rules: [{apiGroups: [''], resources: [pods/exec], verbs: [get]}]\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: e}\n"
        "roleRef: {kind: ClusterRole, name: e}\nsubjects: [{kind: User, name: bob}]\n"
    )
    question = ["explain", "bob", "-n", "shop", "--cluster-version", version]
    verbs = {"1.34": "create", "1.36": "get"}
    _, out, _ = access(capsys, *question, verbs[version], "pods/web/exec", "deploy")
    assert said in out


def test_a_namespace_itself_is_asked_for_in_itself(capsys: Output, folder: Path) -> None:
    (folder / "deploy" / "ns.yaml").write_text(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: v, namespace: shop}\n"
        "roleRef: {kind: ClusterRole, name: view}\nsubjects: [{kind: User, name: bob}]\n"
    )
    assert told(capsys, "explain", "bob", "get", "ns/shop", "deploy")["clusters"][0]["answer"] == "allow"
    assert told(capsys, "explain", "bob", "get", "ns/pay", "deploy")["clusters"][0]["answer"] == "deny"


# Clusters.


def live(kind: str, name: str, *, namespace: str = "", **body: Any) -> Any:
    return builders.resource(f"kubernetes/{kind}", name, namespace=namespace, **body)


SECRETS = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}


def snapshot(folder: Path, *more: Any) -> Path:
    """Write a snapshot in which ada reads the Secrets of shop, and view is nothing but what it stores."""
    reference = {"kind": "Role", "name": "reader"}
    builders.write(
        folder / "estate",
        {
            "kubernetes/Role": [live("Role", "reader", namespace="shop", rules=[SECRETS])],
            "kubernetes/ClusterRole": [live("ClusterRole", "view", rules=[])],
            "kubernetes/RoleBinding": [
                live(
                    "RoleBinding",
                    "r",
                    namespace="shop",
                    roleRef=reference,
                    subjects=[{"kind": "User", "name": "ada"}],
                ),
                live(
                    "RoleBinding",
                    "latent",
                    namespace="shop",
                    roleRef={"kind": "ClusterRole", "name": "gone"},
                    subjects=[{"kind": "User", "name": "bob"}],
                ),
            ],
            "kubernetes/ClusterRoleBinding": [],
        },
        *more,
    )
    return folder / "estate"


def test_a_snapshot_is_a_cluster_in_which_nothing_is_filled_in(capsys: Output, folder: Path) -> None:
    estate = snapshot(folder)
    code, out, _ = access(capsys, "who-can", "get", "secrets", estate)
    assert code == 0
    assert out.startswith("prod: get secrets, anywhere: 1 principal\n")
    assert "kubernetes://prod/RoleBinding/shop/r" in out
    assert "1 principal of the platform itself" in out  # the superusers
    code, out, _ = access(capsys, "explain", "bob", "get", "secrets", "-n", "shop", estate)
    assert code == 0
    assert "RoleBinding shop/latent refers to ClusterRole gone, which does not exist" in out


def test_a_list_that_was_refused_leaves_an_answer_open(capsys: Output, folder: Path) -> None:
    refused = builders.call("kubernetes/ClusterRoleBinding", result=CallResult.FORBIDDEN)
    builders.write(folder / "estate", {"kubernetes/RoleBinding": [], "kubernetes/ClusterRole": []}, refused)
    code, out, _ = access(capsys, "who-can", "get", "secrets", "estate")
    assert code == 3
    assert "the list of ClusterRoleBinding was not read (forbidden)" in out
    assert told(capsys, "explain", "ada", "get", "nodes", "estate")["clusters"][0]["answer"] == "unknown"


def test_an_export_is_recognised_and_claims_what_files_can(capsys: Output, folder: Path) -> None:
    """What `kubectl get -A -o json` wrote: every object has a uid, and lists that are not there were not asked."""
    reference = {"kind": "ClusterRole", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    items: list[dict[str, Any]] = [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "b", "uid": UID, "resourceVersion": "7"},
            "roleRef": reference,
            "subjects": [{"kind": "User", "name": "ada"}],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "reader", "uid": UID, "resourceVersion": "7"},
            "rules": [SECRETS],
        },
    ]
    (folder / "prod").mkdir()
    for item in items:
        # What every cluster has: a list without it is a part.
        own = {**item, "metadata": {**item["metadata"], "name": "cluster-admin"}, "subjects": [], "rules": []}
        content = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": [item, own]}
        (folder / "prod" / f"{item['kind']}.json").write_text(json.dumps(content))
    answer = told(capsys, "who-can", "get", "secrets", "prod")
    assert answer["clusters"][0]["live"] is True
    assert answer["clusters"][0]["source"] == "prod"
    assert keys(answer) == ["User ada"]
    assert {gap["file"] for gap in answer["clusters"][0]["gaps"]} == {
        "kubernetes://prod/Role",
        "kubernetes://prod/RoleBinding",
    }
    assert access(capsys, "who-can", "get", "secrets", "prod")[0] == 3
    assert access(capsys, "who-can", "get", "secrets", "--live", "prod")[0] == 0


# Wrong use.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["who-can", "get", "secretz", "deploy"], "secretz is no resource of Kubernetes itself"),
        (["who-can", "GET", "secrets", "deploy"], "GET is no verb"),
        (["who-can", "get", "secrets", "-n", "a", "-A", "deploy"], "-n and -A exclude each other"),
        (["who-can", "get", "nodes", "-n", "a", "deploy"], "nodes belongs to no namespace"),
        (["who-can", "get", "/metrics", "-n", "a", "deploy"], "is a path, and in no namespace"),
        (["who-can", "create", "secrets/db", "deploy"], "a create carries no name"),
        (["who-can", "get", "secrets/db", "web", "deploy"], "two names: db and web"),
        (["who-can", "get", "secrets", "gone/"], "gone"),
        (["who-can", "get", "secrets", "--source", "x", "deploy"], "manifests have no sources"),
        (["who-can", "get", "secrets", "--authorizers", "RBCA", "deploy"], "RBCA is no authoriser"),
        (["who-can", "get", "secrets", "--cluster-version", "new", "deploy"], "new is no version"),
        (["who-can", "get", "secrets", "-f", "gone.yaml", "deploy"], "the values file gone.yaml does not exist"),
        (["explain", "shop/web", "get", "secrets", "-n", "shop", "deploy"], "may be a service account or a user"),
        (["explain", "ada", "get", "secrets", "deploy"], "no namespace is named for secrets"),
        (["explain", "ada", "get", "nodes", "--as-group", "x", "deploy"], "--as-group without --as"),
        (["explain", "ada", "get", "nodes", "--as", "group:x", "deploy"], "--as group:x is no user"),
        (["explain", "group:x", "--group", "y", "get", "nodes", "deploy"], "is a group"),
    ],
)
def test_wrong_use_is_told_with_the_next_step(capsys: Output, arguments: list[str], said: str) -> None:
    code, out, err = access(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert " hint: " in err


def test_snapshots_and_manifests_are_not_mixed_and_sources_are_named(capsys: Output, folder: Path) -> None:
    estate = snapshot(folder)
    for arguments, said in (
        ([estate, "deploy"], "snapshots and manifests are named together"),
        (["--live", estate], "--live is for manifests"),
        (["--source", "test", estate], "no source test in the snapshot"),
    ):
        code, _, err = access(capsys, "who-can", "get", "secrets", *arguments)
        assert code == 2
        assert said in err
    assert access(capsys, "who-can", "get", "secrets", "--source", "prod", estate)[0] == 0


def test_an_input_without_roles_and_bindings_is_no_answer(capsys: Output, folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "empty" / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n")
    code, _, err = access(capsys, "who-can", "get", "secrets", "empty")
    assert code == 2
    assert "no role and no binding was found in empty" in err


def test_a_custom_resource_is_named_with_the_group_that_the_roles_say(capsys: Output, folder: Path) -> None:
    (folder / "deploy" / "es.yaml").write_text(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: es}\n"
        "rules: [{apiGroups: [external-secrets.io], resources: [externalsecrets], verbs: [get]}]\n"
    )
    code, _, err = access(capsys, "who-can", "get", "externalsecrets", "deploy")
    assert code == 2
    assert "Roles in the input name externalsecrets.external-secrets.io" in err


def test_what_may_be_mistyped_is_noted(capsys: Output, folder: Path) -> None:
    """An answer about what is not there looks like any other."""
    builders.write(
        folder / "estate",
        {
            "kubernetes/Namespace": [builders.resource("kubernetes/Namespace", "shop", namespace="")],
            "kubernetes/ServiceAccount": [builders.resource("kubernetes/ServiceAccount", "web")],
        },
    )
    for question, said in (
        (["who-can", "get", "secrets", "-n", "shop", "estate"], ""),
        (["who-can", "get", "secrets", "-n", "shpo", "estate"], "prod has no namespace shpo\n"),
        (["explain", "sa:shop/web", "get", "secrets", "-n", "shop", "estate"], ""),
        (
            ["explain", "sa:shop/wbe", "get", "secrets", "-n", "shop", "estate"],
            "prod has no service account shop/wbe\n",
        ),
        (
            ["who-can", "get", "secrets", "db"],
            "db is taken as the name of the object: there is no such file or folder\n",
        ),
        (["who-can", "get", "secrets", "db", "deploy"], ""),
        (["who-can", "get", "secrets", "-n", "nowhere", "deploy"], ""),
    ):
        assert access(capsys, *question)[2] == said
        assert access(capsys, *question, "-q")[2] == ""


def test_what_is_not_there_is_not_said_where_the_list_was_not_read(capsys: Output, folder: Path) -> None:
    refused = builders.call("kubernetes/Namespace", result=CallResult.FORBIDDEN)
    builders.write(folder / "estate", {"kubernetes/Role": []}, refused)
    assert access(capsys, "who-can", "get", "secrets", "-n", "shop", "estate")[2] == ""


def test_a_name_that_means_several_is_noted(capsys: Output) -> None:
    _, _, err = access(capsys, "who-can", "get", "events", "deploy")
    assert err == "events is taken as events of group core; also: events.events.k8s.io\n"
    assert access(capsys, "who-can", "get", "events", "-q", "deploy")[2] == ""


def test_names_of_others_cannot_command_the_terminal(capsys: Output, folder: Path) -> None:
    evil = RBAC.replace("name: ada", 'name: "ada\\e[31m\\nUser root"')
    (folder / "deploy" / "rbac.yaml").write_text(evil)
    _, out, _ = access(capsys, "who-can", "get", "configmaps", "deploy")
    assert "\x1b" not in out
    assert not any(line.startswith("User root") for line in out.splitlines())
    assert "\x1b" not in json.dumps(told(capsys, "who-can", "get", "configmaps", "deploy"))
