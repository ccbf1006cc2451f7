"""What a report says of its own run: digests, what was left out, and options that change what is shown."""

import json
from pathlib import Path
from typing import Any

from tests.e2e.program import auditor
from tests.e2e.test_scan import CLEAN, LITERAL, write

KEY = {"AUDITOR_FINGERPRINT_KEY": "a key for these tests only, and long enough"}


def report(folder: Path, *arguments: str) -> dict[str, Any]:
    done = auditor("scan", "deploy", "--format", "json", *arguments, cwd=folder, env=KEY)
    assert done.code in {0, 1, 3}, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def run(folder: Path, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = report(folder, *arguments)["run"]
    return found


def test_each_digest_follows_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    names = ("input_digest", "policy_pack_digest", "configuration_digest")

    def digests(*arguments: str) -> list[str]:
        said = run(tmp_path, *arguments)
        return [said[name] for name in names]

    file = write(tmp_path, "deploy/web.yaml", CLEAN)
    first = digests()
    assert digests() == first
    file.write_text(CLEAN + "# another byte\n")
    other_input = digests()
    assert [a == b for a, b in zip(first, other_input, strict=True)] == [False, True, True]
    assert auditor("policy", "new", "ACME-01", "--out", "rules", cwd=tmp_path).code == 0
    other_pack = digests("--policy", "rules")
    assert [a == b for a, b in zip(other_input, other_pack, strict=True)] == [True, False, True]
    write(tmp_path, "auditor.yaml", "tags: [cde]\n")
    other_configuration = digests()
    assert [a == b for a, b in zip(other_input, other_configuration, strict=True)] == [True, True, False]


def test_a_policy_that_was_left_out_is_listed_as_such(tmp_path: Path) -> None:
    write(tmp_path, "deploy/web.yaml", CLEAN)
    without = dict(run(tmp_path, "--ignore", "K-SEC-01")["deselected"])
    assert without == {"K-SEC-01": "ignored by K-SEC-01"}
    alone = dict(run(tmp_path, "--select", "K-SEC-01")["deselected"])
    assert "K-SEC-01" not in alone
    assert set(alone.values()) == {"not selected by K-SEC-01"}


def test_what_nothing_answers_is_not_evaluated_with_the_reason(tmp_path: Path) -> None:
    """The settings of the API server are in no Pod, and a run says so instead of nothing."""
    write(tmp_path, "deploy/web.yaml", CLEAN)
    results = {result["policy_id"]: result for result in report(tmp_path)["results"]}
    for policy in ("K-ENC-01", "K-AUD-01", "K-CTL-01", "K-CTL-03"):
        ((subject, reason),) = results[policy]["not_evaluated"]
        assert subject == -1
        assert reason.startswith("The input holds ")


def test_a_baseline_says_nothing_of_policies_that_did_not_run(tmp_path: Path) -> None:
    """What nothing looked for is not fixed."""
    write(tmp_path, "deploy/web.yaml", LITERAL)
    auditor("scan", "deploy", "--report", "json=scan.json", cwd=tmp_path, env=KEY)
    assert auditor("baseline", "scan.json", "-o", "baseline.json", cwd=tmp_path).code == 0
    said = report(tmp_path, "--select", "K-RBAC-*", "--baseline", "baseline.json")["baseline"]
    assert (said["known"], said["fixed"]) == (0, 0)


def test_waivers_are_found_where_the_configuration_says(tmp_path: Path) -> None:
    write(
        tmp_path, "deploy/web.yaml", LITERAL.replace("value: hunter2", "valueFrom: {secretKeyRef: {name: a, key: b}}")
    )
    write(tmp_path, "auditor.yaml", "select: [K-SEC-02]\nwaivers: accepted.yaml\n")
    write(
        tmp_path,
        "accepted.yaml",
        "waivers: [{policy: K-SEC-02, subject: '*', reason: legacy, owner: Ada, approver: Bob, ticket: T-1,"
        " expires: 2999-12-31}]\n",
    )
    assert [finding["outcome"] for finding in report(tmp_path)["findings"]] == ["waived"]


def test_a_template_of_the_users_comes_before_the_built_in_one(tmp_path: Path) -> None:
    write(tmp_path, "deploy/web.yaml", LITERAL)
    write(tmp_path, "own/report.md.j2", "our own page\n")
    for command in (["scan", "deploy"], ["report", "scan.json"]):
        done = auditor(
            *command, "--format", "markdown", "--templates", "own", *(["--report", "json=scan.json"]), cwd=tmp_path
        )
        assert done.out.strip() == "our own page"


def test_all_shows_what_is_folded_otherwise(tmp_path: Path) -> None:
    for number in range(60):
        write(tmp_path, f"deploy/{number}.yaml", LITERAL.replace("name: web, ", f"name: web-{number}, "))
    folded = auditor("scan", "deploy", "--select", "K-SEC-01", cwd=tmp_path).out
    whole = auditor("scan", "deploy", "--select", "K-SEC-01", "--all", cwd=tmp_path).out
    assert whole.count("-->") == 60
    assert folded.count("-->") < 60
    assert "60 critical" in folded


def test_the_configuration_chooses_policies_and_brings_its_own(tmp_path: Path) -> None:
    """Folders are relative to the configuration, wherever the program runs."""
    write(tmp_path, "deploy/web.yaml", LITERAL.replace("web:1", "web"))
    assert auditor("policy", "new", "ACME-01", "--out", "settings/rules", cwd=tmp_path).code == 0
    write(
        tmp_path,
        "settings/auditor.yaml",
        "policies: [rules]\nselect: ['ACME-*', K-SEC-02, K-SEC-01]\nignore: [K-SEC-02]\n",
    )
    found = report(tmp_path, "--config", "settings/auditor.yaml")
    assert [policy["id"] for policy in found["policies"]] == ["ACME-01", "K-SEC-01"]
    assert {finding["policy_id"] for finding in found["findings"]} == {"ACME-01", "K-SEC-01"}


def outcomes(folder: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    return {
        f"{entry['framework_id']}/{entry['requirement_id']}": entry
        for entry in report(folder, *arguments)["requirements"]
    }


def test_no_requirement_passes_while_something_in_scope_was_not_read(tmp_path: Path) -> None:
    """Law 2: the file that could not be read may hold the failure."""
    write(tmp_path, "deploy/web.yaml", CLEAN)
    whole = outcomes(tmp_path, "--select", "K-SEC-01")
    assert "pass" in {entry["outcome"] for entry in whole.values()}
    write(tmp_path, "deploy/broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x\n")
    part = outcomes(tmp_path, "--select", "K-SEC-01")
    assert "pass" not in {entry["outcome"] for entry in part.values()}
    assert part["soc2/CC6.1"]["reason"].endswith("1 thing in scope could not be read.")


def test_a_condition_that_is_declared_false_takes_the_requirement_out(tmp_path: Path) -> None:
    write(tmp_path, "deploy/web.yaml", LITERAL)
    name = "pci-dss-4.0.1/8.6.2"
    open_ = outcomes(tmp_path, "--select", "K-SEC-01")[name]
    assert (open_["outcome"], open_["conditional"]) == ("fail", ["interactive-login"])
    write(tmp_path, "auditor.yaml", "conditions: {interactive-login: false}\n")
    closed = outcomes(tmp_path, "--select", "K-SEC-01")[name]
    assert closed["outcome"] == "not_applicable"
    assert "interactive-login" in closed["reason"]
    write(tmp_path, "auditor.yaml", "conditions: {interactive-login: true}\n")
    declared = outcomes(tmp_path, "--select", "K-SEC-01")[name]
    assert (declared["outcome"], declared["conditional"]) == ("fail", [])


def test_a_persons_grant_and_a_workloads_touch_different_requirements(tmp_path: Path) -> None:
    """PCI DSS 7.2.2 is about people, 7.2.5 about system accounts."""
    role = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n"
        "rules: [{apiGroups: [''], resources: [secrets], verbs: [get, list]}]\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}\n"
    )
    person = "subjects: [{kind: User, name: ada, apiGroup: rbac.authorization.k8s.io}]\n"
    workload = "subjects: [{kind: ServiceAccount, name: web, namespace: shop}]\n"
    for who, touched, untouched in ((person, "7.2.2", "7.2.5"), (workload, "7.2.5", "7.2.2")):
        write(tmp_path, "deploy/r.yaml", role + who)
        said = outcomes(tmp_path, "--select", "K-RBAC-02")
        assert said[f"pci-dss-4.0.1/{touched}"]["outcome"] == "fail"
        assert said[f"pci-dss-4.0.1/{untouched}"]["outcome"] != "fail"
