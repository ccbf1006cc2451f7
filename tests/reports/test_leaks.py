"""What reports say of a search for credentials, and of what stands in the history alone."""

import json
from dataclasses import replace
from typing import Any

import pytest

from auditor import reports
from auditor.model.assessment import Assessment
from auditor.model.leaks import Leaks
from auditor.reports import leaks
from tests.reports import sample

COMMIT = "0f" * 20


def rendered(format_: str, whole: Assessment | None = None) -> str:
    return reports.render(format_, whole or sample.leaked()).decode()


def run(format_: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rendered(format_))["runs"][0]
    return found


def found() -> Leaks:
    whole = sample.leaked().leaks
    assert whole is not None
    return whole


@pytest.mark.parametrize("format_", ["console", "markdown", "html", "sarif", "json"])
def test_every_format_for_people_says_both_numbers_and_since_when(format_: str) -> None:
    text = " ".join(rendered(format_).split())
    if format_ == "json":
        said = json.loads(text)["leaks"]
        assert (said["credentials"], said["places"], said["since"]) == (3, 14, "2021-05-06T07:08:09Z")
    else:
        assert "3 credentials in 14 places (14 files, 2 commits), the oldest since 2021-05-06" in text
        assert "2 still there, 1 only in the history; 1 waived" in text
        assert "870 blobs of text, 43 MB, complete" in text
        assert "not complete" in text


def test_a_run_that_searched_nothing_speaks_of_no_credentials() -> None:
    assert "searched" not in rendered("console", sample.rich())
    assert "Credentials" not in rendered("markdown", sample.rich())
    assert "leaks" not in json.loads(rendered("sarif", sample.rich()))["runs"][0]["properties"]


def test_finding_nothing_is_said_no_stronger_than_what_was_read() -> None:
    nothing = replace(found(), credentials=0, rules=(), possible=0)
    assert leaks.found(nothing) == "no credential found in what was read"
    assert leaks.found(replace(nothing, searched=nothing.searched[:1])) == "no credential found"


def test_one_credential_is_not_called_the_oldest() -> None:
    one = replace(found(), credentials=1, places=1, files=1, commits=1)
    assert leaks.found(one) == "1 credential in 1 place (1 file, 1 commit), since 2021-05-06"
    assert leaks.found(replace(one, commits=0, since=None)) == "1 credential in 1 place (1 file)"


@pytest.mark.parametrize("format_", ["console", "markdown", "junit", "github"])
def test_what_only_the_history_holds_is_placed_in_its_commit(format_: str) -> None:
    text = rendered(format_)
    assert "old.env:7 in commit 0f0f0f0f0f0f" in text
    assert "services/00/.env:3 in commit" not in text


def test_no_annotation_points_at_a_line_that_is_not_checked_out() -> None:
    lines = rendered("github").splitlines()
    assert not [line for line in lines if "file=old.env" in line]
    assert [line for line in lines if "file=services/00/.env,line=3" in line]


def test_sarif_names_the_tree_of_the_commit_by_provenance() -> None:
    """SARIF 3.14.13 and 3.4.4: a base id that stands for another revision of the repository."""
    whole = run("sarif")
    (past,) = [result for result in whole["results"] if "old.env" in json.dumps(result["locations"])]
    base = f"COMMIT-{COMMIT}"
    assert past["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "old.env", "uriBaseId": base}
    assert f"commit: {COMMIT}" in past["properties"]["evidence"]
    assert {
        "repositoryUri": "ssh://git.example/team/shop.git",
        "revisionId": COMMIT,
        "mappedTo": {"uriBaseId": base},
    } in whole["versionControlProvenance"]
    assert whole["versionControlProvenance"][0]["mappedTo"] == {"uriBaseId": "%SRCROOT%"}
    assert "old.env" not in [artifact["location"]["uri"] for artifact in whole["artifacts"]]


def test_a_repository_without_an_address_has_no_provenance_and_still_its_commit() -> None:
    searched = tuple(replace(part, repository="") for part in found().searched)
    whole = replace(sample.leaked(), leaks=replace(found(), searched=searched))
    log = json.loads(rendered("sarif", whole))["runs"][0]
    assert "versionControlProvenance" not in log
    assert f"COMMIT-{COMMIT}" in log["originalUriBaseIds"]


def test_github_gets_what_stands_in_the_checked_out_commit_and_the_rest_is_counted() -> None:
    whole = run("sarif-github")
    assert len(whole["results"]) == 12
    (note,) = whole["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("1 finding stands in the history alone")


def test_the_console_folds_rules_and_counts_what_it_hides() -> None:
    rule = found().rules[0]
    many = tuple(replace(rule, rule=f"rule-{number}", title=f"Token {number}") for number in range(9))
    whole = replace(sample.leaked(), leaks=replace(found(), rules=many))
    assert "... and 4 credentials of 4 further rules; --all shows them" in rendered("console", whole)
    assert "Token 8" in reports.render("console", whole, show_all=True).decode()
