"""What reports say of live systems: what was asked, what came back, and what of it is missing."""

import json
from dataclasses import replace
from typing import Any

from auditor import reports
from auditor.model.assessment import Assessment
from tests.reports import sample


def rendered(format_: str, whole: Assessment | None = None) -> str:
    return reports.render(format_, whole or sample.live()).decode()


def sarif(format_: str) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(rendered(format_))["runs"][0]
    return run


def test_the_console_closes_with_each_system_in_one_line() -> None:
    lines = rendered("console").splitlines()
    assert any(line.startswith("scope     2 of 4 lists of 2 systems read") for line in lines)
    assert "          dr: No address answered." in lines
    assert "          prod: 2 of 4 lists read, 61 objects; v1.36.3 on eks as auditor, impersonated by ada" in lines


def test_of_files_alone_no_system_is_spoken_of() -> None:
    assert "system" not in rendered("console", sample.rich())
    assert "What was read" not in rendered("markdown", sample.rich())


def test_every_list_of_the_ledger_is_in_the_page_with_its_request_and_result() -> None:
    page = rendered("html")
    for call in sample.live().calls:
        assert page.count(call.request.partition("?")[0]) >= 1
    assert "1 page, 40 objects; the server counts 0 more" in page
    assert "3 pages, 1,500 objects, 20 kept, 1,480 folded into their owners" in page
    assert f"sha256:{'a' * 64}" in page


def test_the_picture_sets_apart_what_is_missing_before_what_was_read() -> None:
    page = rendered("html")
    picture = page[page.index('id="system-prod"') :]
    order = ["Not read", "Partly read", ">Read ", "Not served"]
    places = [picture.index(word) for word in order]
    assert places == sorted(places)
    assert 'class="group not-read missing"' in picture
    assert '<span class="hole">forbidden</span>' in picture


def test_who_asked_and_when_is_in_every_report_for_people() -> None:
    for format_ in ("html", "markdown"):
        page = rendered(format_)
        for text in ("impersonated by ada", "-1.5 seconds", "v1.36.3", "Amazon EKS", "list secrets"):
            assert text in page, (format_, text)


def test_a_place_on_a_cluster_is_a_name_in_sarif_and_no_file() -> None:
    run = sarif("sarif")
    (failure,) = (result for result in run["results"] if result["kind"] == "fail")
    (place,) = failure["locations"]
    assert "physicalLocation" not in place
    assert [entry["fullyQualifiedName"] for entry in place["logicalLocations"]] == [
        "fact/kubernetes-grant:/ClusterRoleBinding/ops:Group admins@prod#rule get,list secrets",
        "kubernetes://prod/apis/rbac.authorization.k8s.io/v1/clusterroles/reader/rules/0",
    ]
    assert all("://" not in entry["location"]["uri"] for entry in run.get("artifacts", ()))


def test_each_collection_is_an_invocation_by_the_identity_that_the_system_saw() -> None:
    own, *collections = sarif("sarif")["invocations"]
    assert own["executionSuccessful"] is False
    assert [entry["properties"]["source"] for entry in collections] == ["dr", "prod"]
    assert collections[1]["account"] == "auditor"
    assert (collections[1]["properties"]["lists"], collections[1]["properties"]["listsRead"]) == (4, 2)


def test_an_alert_has_a_path_in_any_case() -> None:
    """GitHub refuses a result without a file, and a path that is no relative one."""
    (alert,) = sarif("sarif-github")["results"]
    uri = alert["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "kubernetes/prod/apis/rbac.authorization.k8s.io/v1/clusterroles/reader"


def test_an_annotation_names_no_file_that_the_repository_lacks() -> None:
    error = rendered("github").splitlines()[0]
    assert "file=" not in error
    assert "kubernetes://prod/apis/rbac.authorization.k8s.io/v1/clusterroles/reader" in error


def test_a_list_is_a_row_of_the_table() -> None:
    rows = [line for line in rendered("csv").splitlines() if line.startswith("list,")]
    assert len(rows) == len(sample.live().calls)
    assert sum("not_evaluated" in row for row in rows) == 2


def test_a_system_that_was_never_recorded_is_shown_by_its_lists() -> None:
    """Killed before it could write who it was."""
    whole = replace(sample.live(), sources=())
    assert "prod: 2 of 4 lists read" in rendered("console", whole)
    assert 'id="system-prod"' in rendered("html", whole)
    assert sarif("sarif")["invocations"]
