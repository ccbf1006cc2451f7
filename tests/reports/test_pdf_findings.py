"""What is true of many things stands once in the auditor's document, and nothing is left out silently."""

from dataclasses import replace

from auditor.model.assessment import Assessment, Subject
from auditor.model.coverage import Gap, GapReason
from auditor.model.resource import Location
from auditor.model.verdict import Finding, Outcome
from auditor.reports import figures, pdf_findings
from tests.reports import sample


def estate(*found: tuple[str, str, str], **more: object) -> Assessment:
    """Return findings of one policy, each given by the object's name, the item and the message."""
    whole = sample.large(1, policies=1)
    subjects = tuple(
        Subject(
            id=f"kubernetes/Deployment:shop/{name}", type="kubernetes/Deployment", namespace="shop", name=name,
            location=Location(file=f"{name}.yaml", line=1),
        )
        for name, _, _ in found
    )  # fmt: skip
    findings = tuple(
        replace(whole.findings[0], subject=number, item=item, message=message, location=subjects[number].location,
                evidence=(), fingerprint=f"{number:032x}", **more)
        for number, (_, item, message) in enumerate(found)
    )  # fmt: skip
    return replace(whole, subjects=subjects, findings=findings)


def entries(whole: Assessment) -> list[dict[str, object]]:
    (section,) = pdf_findings.findings(figures.blocks(whole), whole.subjects)
    found = section["entries"]
    assert isinstance(found, list)
    return found


def test_the_same_sentence_about_several_objects_stands_once_with_its_places() -> None:
    found = entries(
        estate(*((name, "", f"Deployment {name} mounts the token of default") for name in ("web", "api", "job")))
    )
    assert [(entry["message"], entry["count"]) for entry in found] == [
        ("Deployment \u2026 mounts the token of default", "3 places")
    ]
    places = found[0]["places"]
    assert isinstance(places, list)
    assert [place["place"] for place in places] == ["web.yaml:1", "api.yaml:1", "job.yaml:1"]
    assert places[1]["what"] == "Deployment shop/api \u00b7 000000000000"


def test_a_sentence_that_is_said_once_keeps_its_names() -> None:
    (entry,) = entries(estate(("web", "", "Deployment web mounts a token")))
    assert entry["message"] == "Deployment web mounts a token"
    assert entry["count"] == ""


def test_names_of_items_differ_too_but_parts_of_words_stay() -> None:
    found = entries(
        estate(
            ("web", "spec.containers[app]", "container app mounts apparmor and app-data"),
            ("api", "spec.containers[run]", "container run mounts apparmor and app-data"),
        )
    )
    assert [entry["message"] for entry in found] == ["container \u2026 mounts apparmor and app-data"]


def test_different_faults_stay_apart() -> None:
    found = entries(estate(("web", "", "mounts the token of web"), ("web", "", "mounts the token of other")))
    assert len(found) == 2


def test_new_known_and_waived_findings_never_share_an_entry() -> None:
    whole = estate(*((name, "", "the same") for name in ("one", "two", "six")))
    new, known, waived = whole.findings
    findings = (new, replace(known, known=True), replace(waived, outcome=Outcome.WAIVED, waiver_id="W-1"))
    assert [entry["state"] for entry in entries(replace(whole, findings=findings))] == ["", "Known", "Waived by W-1"]


def test_evidence_that_all_share_stands_once_and_the_rest_at_its_place() -> None:
    whole = estate(("one", "", "the same"), ("two", "", "the same"))
    findings = tuple(
        replace(finding, evidence=(("role", "ClusterRole admin"), ("key", finding.location.file)))
        for finding in whole.findings
    )
    (entry,) = entries(replace(whole, findings=findings))
    assert entry["facts"] == "role: ClusterRole admin"
    places = entry["places"]
    assert isinstance(places, list)
    assert places[0]["what"] == "Deployment shop/one \u00b7 key: one.yaml \u00b7 000000000000"


def test_every_policy_keeps_a_share_when_there_are_too_many() -> None:
    whole = sample.large(20_000)
    few = [finding for finding in whole.findings if finding.policy_id == "K-LOAD-07"][:25]
    rest = [finding for finding in whole.findings if finding.policy_id != "K-LOAD-07"]
    whole = replace(whole, findings=(*few, *rest))
    listed: dict[str, int] = {}
    for section in pdf_findings.findings(figures.blocks(whole), whole.subjects):
        listed[section["id"]] = sum(len(entry["places"]) for entry in section["entries"])
    assert listed["K-LOAD-07"] == 20
    assert sum(listed.values()) <= pdf_findings.LISTED + 20
    assert min(listed.values()) >= 20


def test_gaps_of_one_reason_stand_together_with_their_number() -> None:
    raw = tuple(
        Gap(file=f"{n}.yaml", line=n or None, reason=GapReason.RAW_TEMPLATE, detail="Render.") for n in range(40)
    )
    broken = Gap(file="b.yaml", line=7, reason=GapReason.BROKEN_YAML, detail="Mend.")
    first, second = pdf_findings.gaps([broken, *raw])
    assert (first["reason"], first["count"]) == ("raw template", "40")
    assert first["places"].startswith("0.yaml, 1.yaml:1, ")
    assert first["places"].endswith(" and 10 more, in the JSON report")
    assert second == {"reason": "broken yaml", "detail": "Mend.", "count": "1", "places": "b.yaml:7"}


def test_open_verdicts_are_grouped_by_reason_and_those_without_an_object_stand_apart() -> None:
    whole = sample.rich()
    results = (
        replace(whole.results[0], not_evaluated=((-1, "no audit policy"),)),
        replace(whole.results[1], not_evaluated=((0, "no role x"), (1, "no role x"))),
        replace(whole.results[2], not_evaluated=((0, "no role x"), *((n, f"odd {n}") for n in range(50)))),
    )
    said = pdf_findings.open_verdicts(figures.blocks(replace(whole, results=results)))
    ids = [result.policy_id for result in results]
    assert said["whole"] == [(ids[0], "no audit policy")]
    assert said["objects"][0] == ("no role x", ", ".join(sorted(ids[1:])), "3")
    assert len(said["objects"]) == 40
    assert said["more"].startswith("And 11 further reasons for 11 verdicts: ")


def test_no_finding_is_said() -> None:
    assert pdf_findings.lead(sample.empty()) == "There is no finding."


def test_a_finding_of_a_fact_is_not_called_by_a_kind() -> None:
    whole = estate(("ClusterRoleBinding/ops", "", "holds everything"))
    subjects = (replace(whole.subjects[0], type="fact/kubernetes-grant", namespace=""),)
    (entry,) = entries(replace(whole, subjects=subjects))
    places = entry["places"]
    assert isinstance(places, list)
    assert places[0]["what"].startswith("ClusterRoleBinding/ops \u00b7 ")


def test_the_order_is_that_of_the_first_finding_of_each_entry() -> None:
    found: list[Finding] = list(estate(("one", "", "b"), ("two", "", "a"), ("six", "", "b")).findings)
    whole = replace(estate(("one", "", "b"), ("two", "", "a"), ("six", "", "b")), findings=tuple(found))
    assert [entry["message"] for entry in entries(whole)] == ["b", "a"]
