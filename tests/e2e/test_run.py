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
