"""`auditor policy`: from a skeleton to a policy that runs, and what the library says of itself."""

import json
from pathlib import Path

import pytest
import yaml

from auditor.policy import cel
from tests.cli.running import run

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: web, image: web}]}
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with one policy of the user's, in a working folder that holds a Pod."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.yaml").write_text(POD)
    assert run(["policy", "new", "ACME-01", "--name", "untagged-image", "--out", "rules"]) == 0
    return tmp_path / "rules"


def test_the_skeleton_lints_passes_its_examples_and_judges(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [file.name for file in rules.iterdir()] == ["ACME-01-untagged-image.yaml"]
    assert run(["policy", "lint", rules]) == 0
    assert run(["policy", "test", "--policy", rules, "ACME-01"]) == 0
    assert run(["scan", "web.yaml", "--policy", rules, "--select", "ACME-01", "-o", "json"]) == 1
    assert '"policy_id": "ACME-01"' in capsys.readouterr().out


def test_new_never_writes_over_a_policy(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {file: file.read_bytes() for file in rules.iterdir()}
    assert run(["policy", "new", "ACME-01", "--name", "untagged-image", "--out", rules]) == 2
    assert "exists already" in capsys.readouterr().err
    assert {file: file.read_bytes() for file in rules.iterdir()} == before


@pytest.mark.parametrize("wrong", [["policy", "new", "acme 1"], ["policy", "new", "ACME-01", "--name", "../x"]])
def test_new_refuses_a_name_that_is_none(wrong: list[str], rules: Path) -> None:
    assert run([*wrong, "--out", rules]) == 2


def test_an_example_that_does_not_hold_fails_the_test(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file,) = rules.iterdir()
    raw = yaml.safe_load(file.read_text())
    raw["expression"] = "true"
    file.write_text(yaml.safe_dump(raw, sort_keys=False))
    assert run(["policy", "test", "--policy", rules, "ACME-01"]) == 1
    assert "it should fail, and the policy says pass" in capsys.readouterr().out


def test_lint_tells_every_mistake_with_its_place(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file,) = rules.iterdir()
    raw = yaml.safe_load(file.read_text())
    raw["expression"] = "object.spec.nope("
    raw["supports"] = [{"requirement": "soc2/CC99.9", "strength": "direct"}]
    raw["examples"] = [example for example in raw["examples"] if example["outcome"] != "fail"]
    text = yaml.safe_dump(raw, sort_keys=False)
    file.write_text(text)
    assert run(["policy", "lint", file]) == 1
    told = capsys.readouterr().out
    for words, key in (
        ("CC99.9", "supports:"),
        ("expression: Syntax error", "expression:"),
        ("no example fails", "examples:"),
    ):
        line = next(line for line in told.splitlines() if words in line)
        at = int(line.split(":")[1])
        start = next(number for number, said in enumerate(text.splitlines(), 1) if said.startswith(key))
        assert start <= at <= start + 2
    assert told.endswith("3 mistakes\n")


def test_a_policy_of_the_users_cannot_take_an_id_of_the_library(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file,) = rules.iterdir()
    raw = yaml.safe_load(file.read_text()) | {"id": "K-SEC-01"}
    (rules / "K-SEC-01-untagged-image.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    file.unlink()
    assert run(["scan", "web.yaml", "--policy", rules]) == 2
    assert "K-SEC-01" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "held", "not_held"),
    [
        ([], "K-SEC-01", "ACME-01"),
        (["--policy", "rules"], "ACME-01", "ACME-02"),
        (["--select", "K-RBAC-*"], "K-RBAC-01", "K-SEC-01"),
        (["--select", "severity:critical"], "K-SEC-01", "K-SEC-02"),
        (["--select", "framework:soc2"], "K-SEC-01", "ACME-01"),
        (["--select", "tag:rbac"], "K-RBAC-01", "K-SEC-01"),
    ],
)
def test_list_chooses(
    arguments: list[str], held: str, not_held: str, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rules.is_dir()
    assert run(["policy", "list", "--format", "json", *arguments]) == 0
    out = capsys.readouterr().out
    ids = {entry["id"] for entry in json.loads(out[out.index("[") :])}
    assert held in ids
    assert not_held not in ids


def test_list_shows_the_severity_of_the_configuration(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (rules.parent / "auditor.yaml").write_text("severity: {K-SEC-01: info}\n")
    assert run(["policy", "list"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("K-SEC-01"))
    assert line.split()[1] == "info"


def test_docs_writes_pages_and_tells_those_that_differ(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = rules.parent / "pages"
    assert run(["policy", "docs", "--out", out, "--policy", rules]) == 0
    assert "ACME-01.md" in {file.name for file in out.iterdir()}
    assert run(["policy", "docs", "--out", out, "--policy", rules, "--check"]) == 0
    (out / "ACME-01.md").write_text("changed")
    (out / "GONE-01.md").write_text("of a policy that is no more")
    assert run(["policy", "docs", "--out", out, "--policy", rules, "--check"]) == 1
    told = capsys.readouterr().out
    assert "ACME-01.md is not what" in told
    assert "GONE-01.md is not what" in told


def test_export_writes_what_an_api_server_takes_and_says_why_not_the_rest(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = rules.parent / "admission"
    assert run(["policy", "export", "--out", out, "--policy", rules]) == 0
    told = capsys.readouterr().err
    assert "K-SEC-01 cannot be exported: it needs literals" in told
    assert run(["policy", "list", "--format", "json", "--policy", rules]) == 0
    ids = {entry["id"] for entry in json.loads(capsys.readouterr().out)}
    written = {file.stem for file in out.iterdir()}
    refused = {line.split(" ")[0] for line in told.splitlines() if "cannot be exported" in line}
    assert written | refused == ids
    assert not written & refused
    assert {"ACME-01", "K-TOK-02", "K-TOK-04"} <= written
    names = []
    for file in sorted(out.iterdir()):
        policy, binding = yaml.safe_load_all(file.read_text())
        assert (policy["kind"], binding["kind"]) == ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
        assert binding["spec"]["policyName"] == policy["metadata"]["name"]
        assert policy["spec"]["matchConstraints"]["resourceRules"]
        # The API server refuses longer names, line breaks in a message, and what does not compile.
        names.append(policy["metadata"]["name"])
        assert len(names[-1]) <= 63
        for entry in (*policy["spec"]["variables"], *policy["spec"]["validations"]):
            cel.compile_(entry["expression"])
        assert all("\n" not in entry["message"] for entry in policy["spec"]["validations"])
    assert len(set(names)) == len(names)


def test_show_explains_a_policy_by_id_or_name(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "show", "ACME-01", "--policy", rules]) == 0
    by_id = capsys.readouterr().out
    assert run(["policy", "show", "untagged-image", "--policy", rules]) == 0
    assert capsys.readouterr().out == by_id[by_id.index("# ACME-01") :]
