import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from auditor import reports
from auditor.model.assessment import Assessment
from auditor.model.verdict import Outcome
from auditor.reports import sarif_github
from tests.reports import sample

TOOLS = Path(__file__).parents[2] / ".cache" / "tools"
SCHEMA = TOOLS / "npm/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
MULTITOOL = TOOLS / "bin" / "Sarif.Multitool"
FORMATS = ("sarif", "sarif-github")


def run_of(format_: str, whole: Assessment) -> Any:
    (run,) = json.loads(reports.render(format_, whole))["runs"]
    return run


def kinds(run: Any) -> list[str]:
    return [result["kind"] for result in run["results"]]


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    if not SCHEMA.is_file():
        pytest.skip("the SARIF schema is missing: run tests/tools/npm.sh")
    return Draft7Validator(json.loads(SCHEMA.read_text()))


@pytest.mark.needs("sarif-schema")
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("case", ["rich", "clean", "empty", "live", "leaked"])
def test_output_fits_the_official_schema(format_: str, case: str, schema: Draft7Validator) -> None:
    assert not list(schema.iter_errors(json.loads(reports.render(format_, getattr(sample, case)()))))


@pytest.mark.needs("sarif-multitool")
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("case", ["rich", "clean", "empty", "live", "leaked"])
def test_multitool_finds_no_error_by_its_own_and_by_githubs_rules(format_: str, case: str, tmp_path: Path) -> None:
    """The program ends with 0 even when it found errors, so its log is read."""
    if not MULTITOOL.is_file():
        pytest.skip("the SARIF multitool is missing: run tests/tools/npm.sh")
    file, log = tmp_path / "report.sarif", tmp_path / "log.sarif"
    file.write_bytes(reports.render(format_, getattr(sample, case)()))
    subprocess.run(
        [MULTITOOL, "validate", file, "--rule-kind", "Sarif;Gh", "--output", log],
        check=True,
        capture_output=True,
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )
    (run,) = json.loads(log.read_text(encoding="utf-8-sig"))["runs"]
    messages = {f"{result['ruleId']} {result.get('level', 'warning')}" for result in run["results"]}
    # That the tool names no home page is the one thing left to say; that it says so shows that it read the file.
    assert messages == {"SARIF2005 warning"}


def test_every_kind_is_there_and_failures_come_first() -> None:
    found = kinds(run_of("sarif", sample.rich()))
    assert set(found) == {"fail", "open", "pass"}
    assert found == sorted(found), "f, o, p: GitHub keeps the first results of a long list"


def test_only_failures_have_a_level() -> None:
    for result in run_of("sarif", sample.rich())["results"]:
        assert (result["level"] == "none") == (result["kind"] != "fail")


def test_not_evaluated_is_open_and_tells_the_reason() -> None:
    open_ = [result for result in run_of("sarif", sample.rich())["results"] if result["kind"] == "open"]
    assert sum(result["properties"]["verdicts"] for result in open_) == 5
    texts = [result["message"]["text"] for result in open_]
    assert "Not evaluated: the ServiceAccount legacy is not in the input (2 subjects)" in texts
    assert all(result["locations"] for result in open_), "GitHub refuses a file with a result without a place"


def test_passes_are_counted_by_policy() -> None:
    passes = [result for result in run_of("sarif", sample.rich())["results"] if result["kind"] == "pass"]
    assert sum(result["properties"]["verdicts"] for result in passes) == 5
    assert "Passed by 2 of 5 subjects" in [result["message"]["text"] for result in passes]


def test_waived_findings_are_suppressed_with_their_reason_and_no_others() -> None:
    results = [result for result in run_of("sarif", sample.rich())["results"] if result["kind"] == "fail"]
    accepted = [suppression for result in results for suppression in result["suppressions"]]
    assert [suppression["status"] for suppression in accepted] == ["accepted"]
    assert "SEC-417" in accepted[0]["justification"]
    assert "until 2027-01-31" in accepted[0]["justification"]


def test_baseline_decides_what_is_new() -> None:
    results = [result for result in run_of("sarif", sample.rich())["results"] if result["kind"] == "fail"]
    assert [result["baselineState"] for result in results].count("unchanged") == 1
    without = run_of("sarif", replace(sample.rich(), baseline=None))
    assert not [result for result in without["results"] if "baselineState" in result]


def test_related_places_evidence_and_fingerprint_travel_along() -> None:
    first = run_of("sarif", sample.rich())["results"][0]
    assert first["ruleId"] == "K-RBAC-01"
    assert [place["message"]["text"] for place in first["relatedLocations"]] == ["binding", "role"]
    assert "scope: cluster" in first["properties"]["evidence"]
    assert first["partialFingerprints"] == {"auditorFinding/v1": "01" * 16}


def test_places_are_relative_to_the_folder_of_the_run() -> None:
    first = run_of("sarif", sample.rich())["results"][0]["locations"][0]["physicalLocation"]
    assert first["artifactLocation"]["uri"] == "deploy/rbac.yaml"
    assert first["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    assert first["region"] == {"startLine": 12, "startColumn": 5}


def test_odd_file_names_become_valid_references() -> None:
    uris = {artifact["location"]["uri"] for artifact in run_of("sarif", sample.rich())["artifacts"]}
    assert "deploy/odd%20%7C%20name%2C%20100%25%3A%20%5B1%5D.yaml" in uris
    assert "deploy/caf%E9.yaml" in uris, "the bytes of the name, as the file system has it"


def test_every_file_of_the_population_is_an_artifact() -> None:
    run = run_of("sarif", sample.rich())
    targets = [entry for entry in run["artifacts"] if entry.get("roles") == ["analysisTarget"]]
    assert len(targets) == len({subject.location.file for subject in sample.rich().subjects})


def test_gaps_make_the_invocation_unsuccessful_and_are_named() -> None:
    invocation = run_of("sarif", sample.rich())["invocations"][0]
    assert not invocation["executionSuccessful"]
    assert len(invocation["toolExecutionNotifications"]) == 5
    assert run_of("sarif", sample.clean())["invocations"][0]["executionSuccessful"]


def test_expired_and_unused_waivers_are_configuration_notifications() -> None:
    notes = run_of("sarif", sample.rich())["invocations"][0]["toolConfigurationNotifications"]
    assert [note["message"]["text"].split(":")[0] for note in notes] == ["Waiver W-2026-002", "Waiver W-2026-003"]


def test_requirements_are_taxa_and_rules_point_to_them() -> None:
    """GitHub shows ten tags, so requirements are no tags."""
    run = run_of("sarif", sample.rich())
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    for rule in rules.values():
        for relationship in rule.get("relationships", ()):
            target = relationship["target"]
            taxonomy = run["taxonomies"][target["toolComponent"]["index"]]
            assert taxonomy["name"] == target["toolComponent"]["name"]
            assert taxonomy["taxa"][target["index"]]["id"] == target["id"]
    texts = [entry["description"]["text"] for entry in rules["K-SEC-01"]["relationships"]]
    assert texts == ["direct", "direct, if interactive-login"]


def test_rules_carry_what_github_shows() -> None:
    rules = {rule["id"]: rule for rule in run_of("sarif", sample.rich())["tool"]["driver"]["rules"]}
    rule = rules["K-SEC-01"]
    assert rule["properties"]["security-severity"] == "8.0"
    assert rule["properties"]["tags"] == ["security", "secrets", "workload"]
    assert "```yaml\nvolumeMounts:" in rule["help"]["markdown"]
    assert all(len(each["properties"]["tags"]) <= 10 for each in rules.values())


def test_thresholds_are_told_with_the_rule() -> None:
    rules = {rule["id"]: rule for rule in run_of("sarif", sample.rich())["tool"]["driver"]["rules"]}
    assert rules["X-ODD-01"]["properties"]["thresholds"] == ["min_bits = 2048 bits (tool-default: a month to react)"]


def test_a_rule_without_end_of_tags_keeps_ten() -> None:
    whole = sample.rich()
    policy = replace(whole.policies[0], tags=tuple(f"tag-{number}" for number in range(30)))
    rules = run_of("sarif", replace(whole, policies=(policy, *whole.policies[1:])))["tool"]["driver"]["rules"]
    assert len(rules[0]["properties"]["tags"]) == 10


def test_a_message_cannot_hold_a_link() -> None:
    """Section 3.11.6: `[text](target)` in a plain message is a link that a viewer follows."""
    texts = [result["message"]["text"] for result in run_of("sarif", sample.rich())["results"]]
    assert not [text for text in texts if "[l](http" in text]
    assert [text for text in texts if r"\[l\](http" in text]


def test_githubs_variant_holds_alerts_alone() -> None:
    """GitHub takes passes, open and suppressed results for alerts (microsoft/PSRule#955, codeql-action#1230)."""
    run = run_of("sarif-github", sample.rich())
    assert set(kinds(run)) == {"fail"}
    assert "04" * 16 not in [result["partialFingerprints"]["auditorFinding/v1"] for result in run["results"]]
    failing = [finding for finding in sample.rich().findings if finding.outcome is Outcome.FAIL]
    assert len(run["results"]) == len(failing), "known ones stay, or GitHub would call them fixed"


def test_githubs_variant_keeps_the_worst_and_counts_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif_github, "LIMIT", 10)
    run = run_of("sarif-github", sample.large(40, policies=5))
    assert len(run["results"]) == 10
    assert {result["level"] for result in run["results"]} == {"error"}
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert notes[0]["message"]["text"].startswith("30 findings are left out")
