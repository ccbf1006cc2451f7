"""`auditor policy`: from a skeleton to a policy that runs, and what the library says of itself."""

import json
from pathlib import Path

import pytest
import yaml

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
    (out / "GONE-01.md").write_text("# GONE-01: A policy that is no more\n")
    assert run(["policy", "docs", "--out", out, "--policy", rules, "--check"]) == 1
    told = capsys.readouterr().out
    assert "ACME-01.md is not what" in told
    assert "GONE-01.md is not what" in told


def test_docs_leaves_files_of_others_alone(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of documentation holds other pages, and a README that somebody wrote."""
    out = rules.parent / "docs"
    out.mkdir()
    (out / "guide.md").write_text("# How we work\n")
    (out / "GONE-01.md").write_text("# GONE-01: A policy that is no more\n")
    assert run(["policy", "docs", "--out", out]) == 0
    assert {"guide.md", "K-SEC-01.md"} <= {file.name for file in out.iterdir()}
    assert not (out / "GONE-01.md").exists()
    (out / "README.md").write_text("# Our own\n")
    assert run(["policy", "docs", "--out", out]) == 2
    assert "README.md is no page of a policy, and stays" in capsys.readouterr().err
    assert (out / "README.md").read_text() == "# Our own\n"


def test_docs_into_what_is_no_folder_is_wrong_use(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (rules.parent / "taken").write_text("")
    assert run(["policy", "docs", "--out", rules.parent / "taken"]) == 2
    assert "taken cannot be written" in capsys.readouterr().err


def test_a_new_policy_does_not_take_an_id_of_the_library(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "new", "K-SEC-01", "--out", rules]) == 2
    assert "K-SEC-01 is a policy of the library" in capsys.readouterr().err


EXPORTED = {
    "F-ID-01", "F-ID-02", "F-ID-03", "F-ID-05", "K-AUD-01", "K-CTL-01", "K-CTL-03", "K-ENC-01", "K-RBAC-04",
    "K-RBAC-05", "K-SEC-02", "K-SEC-09", "K-SEC-10", "K-SEC-11", "K-TOK-02", "K-TOK-03", "K-TOK-04",
}  # fmt: skip
"""What of the library an API server can judge, at least in part."""


def test_export_writes_all_that_can_be_one_and_says_why_not_the_rest(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = rules.parent / "admission"
    assert run(["policy", "export", "--out", out, "--policy", rules]) == 0
    told = capsys.readouterr().err
    assert run(["policy", "list", "--format", "json", "--policy", rules]) == 0
    ids = {entry["id"] for entry in json.loads(capsys.readouterr().out)}
    written = {file.stem for file in out.iterdir()}
    refused = dict(line.split(" cannot be exported: ") for line in told.splitlines() if "cannot be exported" in line)
    assert written | set(refused) == ids
    assert not written & set(refused)
    assert {"ACME-01", *EXPORTED} <= written
    assert "the classification of values" in refused["K-SEC-01"]
    assert "K-AUD-01 is exported without kubernetes/Policy: it judges audit policies" in told
    assert told.endswith(f"exported {len(written)} of {len(ids)} policies to {out}, action warn\n")
    names = []
    for file in sorted(out.iterdir()):
        for object_ in yaml.safe_load_all(file.read_text()):
            assert object_["apiVersion"] == "admissionregistration.k8s.io/v1"
            names.append((object_["kind"], object_["metadata"]["name"]))
    assert len(set(names)) == len(names)


def test_export_of_one_policy_takes_the_users_threshold_and_action(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (rules.parent / "auditor.yaml").write_text(
        "parameters: {K-TOK-04: {max_seconds: {value: 600, reference: our rule 3}}}\n"
    )
    assert run(["policy", "export", "K-TOK-04", "--action", "deny"]) == 0
    text = capsys.readouterr().out
    assert "# max_seconds = 600 (entity: our rule 3)" in text
    text = text[text.index("# K-TOK-04") :]
    policy, binding = yaml.safe_load_all(text)
    assert policy["spec"]["variables"][0] == {"name": "param_max_seconds", "expression": "600"}
    assert binding["spec"]["validationActions"] == ["Deny"]


def test_export_ends_with_one_where_a_named_policy_cannot_be_exported(capsys: pytest.CaptureFixture[str]) -> None:
    """The others are written all the same; who named it must learn that it does not guard the cluster."""
    assert run(["policy", "export", "K-SEC-01", "K-TOK-02"]) == 1
    told = capsys.readouterr()
    assert "k-tok-02" in told.out
    assert "K-SEC-01 cannot be exported: it needs the classification of values" in told.err
    assert "exported 1 of 2 policies" in told.err


def test_export_ends_with_one_where_nothing_can_be_exported(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["policy", "export", "K-SEC-01", "K-RBAC-01"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("cannot be exported") == 2
    assert run(["policy", "export", "K-SEC-*"]) == 0
    assert run(["policy", "export", "--action", "refuse"]) == 2
    (rules.parent / "taken").write_text("")
    assert run(["policy", "export", "K-TOK-02", "--out", rules.parent / "taken"]) == 2
    assert "taken cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["lint", "nowhere.yaml"], "there is no file or folder nowhere.yaml", "Name a policy file, or a folder"),
        (["lint", "K-SEC-01"], "there is no file or folder K-SEC-01", "K-SEC-01-literal-credential-in-env.yaml"),
        (["test", "K-SEC-1"], "K-SEC-1 matches no policy", "Did you mean K-SEC-1"),
        (["test", "secret-in-enw"], "secret-in-enw matches no policy", "Did you mean secret-in-env"),
        (["test", "k-tok-04"], "k-tok-04 matches no policy", "Did you mean K-TOK-04"),
        (["test", "rules/ACME-01-untagged-image.yaml"], "matches no policy", "named with --policy"),
        (["test", "XYZ"], "XYZ matches no policy", "`auditor policy list` shows them all"),
        (["export", "K-TOC-04"], "K-TOC-04 matches no policy", "Did you mean K-TOK-04"),
        (["show", "K-TOC-04"], "there is no policy K-TOC-04", "Did you mean K-TOK-04"),
        (["list", "--select", "K-TOC-04"], "--select K-TOC-04 matches no policy", "Did you mean K-TOK-04"),
    ],
)
@pytest.mark.usefixtures("rules")
def test_a_policy_that_is_not_there_is_told_with_what_may_be_meant(
    arguments: list[str], said: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["policy", *arguments]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert said in told
    assert hint in told
    assert "permissions" not in told


def test_show_explains_a_policy_by_id_or_name(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "show", "ACME-01", "--policy", rules]) == 0
    by_id = capsys.readouterr().out
    assert run(["policy", "show", "untagged-image", "--policy", rules]) == 0
    assert capsys.readouterr().out == by_id[by_id.index("# ACME-01") :]
