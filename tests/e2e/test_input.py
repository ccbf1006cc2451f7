"""Every form of input through the program: what it is, where it stands, and that the same policies judge it."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor import data, workloads
from auditor.workloads import Workload
from tests.e2e.program import ROOT, auditor
from tests.e2e.test_scan import CLEAN, LITERAL, write

TABLE = workloads.load(data.policies() / "workloads.yaml")
CONTAINER = {
    "name": "web",
    "image": "registry.example/web:1",
    "env": [
        {"name": "DB_PASS", "value": "hunter2"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "db", "key": "token"}}},
    ],
    "args": ["--api-token=hunter3"],
}


def paths() -> str:
    return os.pathsep.join([str(ROOT / ".cache/tools/bin"), os.environ["PATH"]])


def need(*names: str) -> None:
    """Skip where none of the programs `names` is there."""
    if not any(shutil.which(name, path=paths()) for name in names):
        pytest.skip(f"{' or '.join(names)} is not installed")


def findings(
    folder: Path, *arguments: str, stdin: bytes = b"", codes: tuple[int, ...] = (0, 1)
) -> list[dict[str, Any]]:
    done = auditor("scan", *arguments, "--format", "json", cwd=folder, stdin=stdin, env={"PATH": paths()})
    assert done.code in codes, done.err
    found: list[dict[str, Any]] = json.loads(done.out)["findings"]
    return found


def places(found: list[dict[str, Any]], policy: str = "K-SEC-01") -> list[tuple[str, int | None]]:
    return sorted(
        (finding["location"]["file"], finding["location"].get("line"))
        for finding in found
        if finding["policy_id"] == policy
    )


def put(body: dict[str, Any], place: tuple[tuple[str, bool], ...], value: Any) -> None:
    node = body
    for position, (step, many) in enumerate(place):
        child: Any = value if position == len(place) - 1 else {}
        if many:
            node[step] = [child]
            node = child
        elif position == len(place) - 1:
            node[step] = child
        else:
            node = node.setdefault(step, child)


def workload(entry: Workload, place: tuple[tuple[str, bool], ...]) -> dict[str, Any]:
    kind, _, group = entry.type.removeprefix("kubernetes/").partition(".")
    body: dict[str, Any] = {
        "apiVersion": f"{group}/v1" if group else "v1" if kind == "Pod" else "apps/v1",
        "kind": kind,
        "metadata": {"name": "web", "namespace": "shop"},
    }
    put(body, place, CONTAINER)
    return body


PLACES = [(entry, place) for type_ in TABLE.types if (entry := TABLE.of(type_)) for place in entry.places]


@pytest.fixture(scope="module")
def by_place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the policies that fail for a file with one workload, for each place where a container may stand."""
    folder = tmp_path_factory.mktemp("places")
    for number, (entry, place) in enumerate(PLACES):
        (folder / f"{number:03}.json").write_text(json.dumps(workload(entry, place)))
    failing: dict[str, set[str]] = {}
    for finding in findings(folder, "."):
        failing.setdefault(finding["location"]["file"], set()).add(finding["policy_id"])
    return failing


@pytest.mark.parametrize(
    "number", range(len(PLACES)), ids=[f"{e.type}:{'.'.join(step for step, _ in place)}" for e, place in PLACES]
)
def test_a_container_is_judged_by_the_same_policies_wherever_it_stands(
    by_place: dict[str, set[str]], number: int
) -> None:
    assert {"K-SEC-01", "K-SEC-02", "K-SEC-04"} <= by_place[f"{number:03}.json"]


def test_a_list_and_several_documents_and_json_in_a_row_are_taken_apart(tmp_path: Path) -> None:
    pod = yaml.safe_load(LITERAL)
    write(tmp_path, "list.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod, pod]}, indent=1))
    write(tmp_path, "many.yaml", f"{LITERAL}---\nnothing: here\n---\n{LITERAL}")
    write(tmp_path, "row.json", f"{json.dumps(pod)}\n{json.dumps(pod)}\n")
    indented = "".join(f"    {line}\n" for line in LITERAL.splitlines())
    write(tmp_path, "list.yaml", f"apiVersion: v1\nkind: PodList\nitems:\n  -\n{indented}")
    found = places(findings(tmp_path, "."))
    assert [line for file, line in found if file == "many.yaml"] == [12, 27]
    assert [line for file, line in found if file == "row.json"] == [1, 2]
    assert [line for file, line in found if file == "list.yaml"] == [16]
    assert len([line for file, line in found if file == "list.json"]) == 2


def test_standard_input_takes_a_row_of_json_and_several_documents(tmp_path: Path) -> None:
    pod = json.dumps(yaml.safe_load(LITERAL))
    assert places(findings(tmp_path, "-", stdin=f"{pod}\n{pod}\n".encode())) == [("-", 1), ("-", 2)]
    assert places(findings(tmp_path, "-", stdin=f"{LITERAL}---\n{LITERAL}".encode())) == [("-", 12), ("-", 25)]


def test_globs_name_files_at_any_depth(tmp_path: Path) -> None:
    for name in ("a/x.yaml", "a/b/x.yaml", "a/b/y.yaml"):
        write(tmp_path, name, LITERAL)
    assert [file for file, _ in places(findings(tmp_path, "a/**/x.yaml"))] == ["a/b/x.yaml", "a/x.yaml"]


def test_gitignore_is_honoured_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, ".gitignore", "generated/\n")
    write(tmp_path, "generated/x.yaml", LITERAL)
    write(tmp_path, "y.yaml", CLEAN)
    assert places(findings(tmp_path, ".")) == []
    assert places(findings(tmp_path, ".", "--no-ignore")) == [("generated/x.yaml", 12)]


def chart(folder: Path) -> None:
    write(folder, "shop/Chart.yaml", "apiVersion: v2\nname: store\nversion: 0.1.0\n")
    write(folder, "shop/values.yaml", 'password: ""\n')
    write(folder, "shop/templates/web.yaml", LITERAL.replace("hunter2", "{{ .Values.password | quote }}"))
    write(folder, "prod.yaml", "password: hunter2\n")


@pytest.mark.parametrize("arguments", [["--values", "prod.yaml"], ["-f", "prod.yaml"], ["--set", "password=hunter2"]])
@pytest.mark.parametrize("named", [".", "shop"])
def test_a_chart_is_rendered_with_the_users_values(tmp_path: Path, named: str, arguments: list[str]) -> None:
    need("helm")
    chart(tmp_path)
    assert places(findings(tmp_path, "shop")) == []
    (finding,) = [finding for finding in findings(tmp_path, named, *arguments) if finding["policy_id"] == "K-SEC-01"]
    assert finding["location"]["file"] == "shop/templates/web.yaml"
    assert "DB_PASS" in LITERAL.splitlines()[finding["location"]["line"] - 1]
    assert finding["location"]["rendered_from"] == "Helm chart shop"


def not_read(folder: Path, name: str) -> str:
    """Return what the console says of the one thing that could not be read."""
    done = auditor("scan", name, cwd=folder, env={"PATH": paths()})
    assert "incomplete: 1 thing" in done.err
    return " ".join(done.out.partition("Not read: 1 thing in scope")[2].partition("\n\n")[0].split())


def test_helms_complaint_about_values_says_which_without_saying_them(tmp_path: Path) -> None:
    """Its first line says only that a schema is not met; the lines below hold what was wrong, and the values."""
    need("helm")
    chart(tmp_path)
    schema = {"required": ["port"], "properties": {"password": {"type": "string", "pattern": "^x$"}}}
    write(
        tmp_path, "shop/values.schema.json", json.dumps({"$schema": "http://json-schema.org/draft-07/schema#"} | schema)
    )
    write(tmp_path, "shop/values.yaml", 'password: "it\'s hunter2"\n')
    said = not_read(tmp_path, "shop")
    assert "missing property 'port'" in said
    assert "at '/password': a value does not match pattern" in said
    assert "hunter2" not in said


def test_what_a_chart_makes_up_while_it_is_rendered_is_no_finding_and_no_difference(tmp_path: Path) -> None:
    """Nobody wrote it, it leaks from no source, and the next rendering makes another: no baseline could hold it."""
    need("helm")
    chart(tmp_path)
    made_up = "{{ randAlphaNum 24 | b64enc | quote }}"
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ndata:\n  password: {made_up}\n  token: {{value}}\n"
    write(tmp_path, "shop/templates/secret.yaml", secret.replace("{value}", "aHVudGVyMmh1bnRlcg=="))
    first, second = (
        [finding for finding in findings(tmp_path, "shop") if finding["policy_id"] == "K-SEC-06"] for _ in range(2)
    )
    assert [finding["item"] for finding in first] == ["data.token"]
    assert [finding["fingerprint"] for finding in first] == [finding["fingerprint"] for finding in second]


def test_helms_complaint_about_a_template_names_it(tmp_path: Path) -> None:
    need("helm")
    chart(tmp_path)
    write(tmp_path, "shop/templates/web.yaml", 'a: {{ include "store.nowhere" . }}\n')
    assert 'no template "store.nowhere" associated' in not_read(tmp_path, "shop")


def test_a_kustomization_that_is_no_yaml_is_a_gap_with_its_line(tmp_path: Path) -> None:
    """Both the tool and the reader complain, one of them without a line."""
    need("kustomize", "kubectl")
    write(tmp_path, "prod/kustomization.yaml", "resources: [pod.yaml\n")
    write(tmp_path, "prod/pod.yaml", LITERAL)
    done = auditor("scan", "prod", cwd=tmp_path, env={"PATH": paths()})
    assert "prod/kustomization.yaml:2: broken yaml" in done.out
    assert "kustomize failed: invalid Kustomization: yaml: line 1" in " ".join(done.out.split())


def test_a_values_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    chart(tmp_path)
    done = auditor("scan", "shop", "--values", "nope.yaml", cwd=tmp_path, env={"PATH": paths()})
    assert done.code == 2
    assert "the values file nope.yaml does not exist" in done.err


@pytest.mark.parametrize("arguments", [["shop", "--no-render"], ["shop/templates/web.yaml"]])
def test_a_template_that_is_not_rendered_is_not_evaluated(tmp_path: Path, arguments: list[str]) -> None:
    chart(tmp_path)
    done = auditor("scan", *arguments, cwd=tmp_path)
    assert done.code == 3
    assert "shop/templates/web.yaml" in done.out
    assert "not evaluated" in done.out


@pytest.mark.parametrize(("name", "tool"), [("shop", "helm"), ("overlay", "kustomize")])
def test_a_missing_tool_is_named_with_how_to_get_it(tmp_path: Path, name: str, tool: str) -> None:
    chart(tmp_path)
    write(tmp_path, "overlay/kustomization.yaml", "resources: [pod.yaml]\n")
    write(tmp_path, "overlay/pod.yaml", LITERAL)
    done = auditor("scan", name, cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert done.code == 2
    assert f"`{tool}`" in done.err
    assert "https://" in done.err


def test_an_overlay_is_rendered_and_its_base_is_not_judged_twice(tmp_path: Path) -> None:
    need("kustomize", "kubectl")
    write(tmp_path, "base/kustomization.yaml", "resources: [pod.yaml]\n")
    write(tmp_path, "base/pod.yaml", LITERAL)
    write(tmp_path, "prod/kustomization.yaml", "resources: [../base]\nnamePrefix: prod-\n")
    (finding,) = [finding for finding in findings(tmp_path, ".") if finding["policy_id"] == "K-SEC-01"]
    assert finding["subject_id"] == "kubernetes/Pod:shop/prod-web"
    assert finding["location"]["rendered_from"] == "Kustomize folder prod"
    # The line that has to be mended, not the overlay that used it.
    assert finding["location"]["file"] == "base/pod.yaml"
    assert "hunter2" in LITERAL.splitlines()[finding["location"]["line"] - 1]


ENCRYPTED = {
    "a sealed secret": {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"encryptedData": {"password": "AgBy3i4OJSWK+PiTySYZZA9rO43cGDEq" * 8}},
    },
    "a manifest that SOPS encrypted": {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop"},
        "data": {"password": "ENC[AES256_GCM,data:xBGa1w==,iv:R0dGv5GkUQQ=,tag:1vBe1wxgpnY=,type:str]"},
        "sops": {"mac": "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]", "version": "3.9.0"},
    },
}


@pytest.mark.parametrize("case", ENCRYPTED)
def test_what_is_encrypted_is_no_finding(tmp_path: Path, case: str) -> None:
    write(tmp_path, "secret.json", json.dumps(ENCRYPTED[case]))
    assert findings(tmp_path, ".", "--select", "K-SEC-*", codes=(0,)) == []


ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
rules:
  - {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
"""
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: %s
metadata: {name: all%s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}
subjects: [{kind: User, name: ada, apiGroup: rbac.authorization.k8s.io}]
"""
LABELLED = ROLE.replace("name: all}", "name: part, labels: {to: all}}")
AGGREGATING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: all}}]}
rules: []
"""


def outcomes(folder: Path, text: str) -> list[tuple[str, str]]:
    write(folder, "roles.yaml", text)
    done = auditor("scan", ".", "--select", "K-RBAC-01", "--format", "json", cwd=folder)
    report = json.loads(done.out)
    (result,) = report["results"]
    subjects = report["subjects"]
    said = [("fail", subjects[index]["id"]) for index in result["failed"]]
    said += [("pass", subjects[index]["id"]) for index in result["passed"]]
    said += [("not_evaluated", subjects[index]["id"]) for index, _ in result["not_evaluated"]]
    return sorted(said)


def test_a_wildcard_role_is_four_different_things(tmp_path: Path) -> None:
    """Nobody bound, bound everywhere, bound in one namespace, limited to names, and reached through aggregation."""
    everywhere = BINDING % ("ClusterRoleBinding", "")
    unbound = outcomes(tmp_path, ROLE)
    bound = outcomes(tmp_path, f"{ROLE}---\n{everywhere}")
    inside = outcomes(tmp_path, f"{ROLE}---\n{BINDING % ('RoleBinding', ', namespace: shop')}")
    named = outcomes(tmp_path, f"{ROLE.replace(', verbs', ', resourceNames: [x], verbs')}---\n{everywhere}")
    joined = outcomes(tmp_path, f"{LABELLED}---\n{AGGREGATING}---\n{everywhere}")
    grant = "fact/kubernetes-grant:"
    assert unbound == [("not_evaluated", f"{grant}/ClusterRole/all:unbound")]
    assert bound == [("fail", f"{grant}/ClusterRoleBinding/all:User ada")]
    assert inside == [("fail", f"{grant}shop/RoleBinding/all:User ada")]
    assert named == [("pass", f"{grant}/ClusterRoleBinding/all:User ada")]
    # Effective, not nominal: the role that is bound holds no rule itself.
    assert joined == bound
