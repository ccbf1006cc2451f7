from pathlib import Path

import pytest
from lxml import etree

from auditor import reports
from auditor.model.assessment import Assessment
from tests.reports import sample

SCHEMA = Path(__file__).parents[2] / ".cache" / "tools" / "schemas" / "junit-10.xsd"


def root_of(whole: Assessment) -> etree._Element:
    return etree.fromstring(reports.render("junit", whole))


def cases(policy: str) -> dict[str, etree._Element]:
    (suite,) = (suite for suite in root_of(sample.rich()) if suite.get("name") == policy)
    return {str(case.get("name")): case for case in suite.findall("testcase")}


@pytest.mark.needs("junit-schema")
@pytest.mark.parametrize("case", ["rich", "clean", "empty", "live", "leaked"])
def test_output_fits_the_schema_of_jenkins(case: str) -> None:
    if not SCHEMA.is_file():
        pytest.skip("junit-10.xsd is missing: run tests/tools/npm.sh")
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    schema.assertValid(root_of(getattr(sample, case)()))


def test_each_subject_is_one_case_of_its_policy() -> None:
    assert list(cases("K-SEC-01")) == [
        "kubernetes/Deployment:payments/api",
        "kubernetes/Deployment:payments/legacy",
        "kubernetes/Deployment:shop/web",
        "kubernetes/Job:payments/migrate",
        "kubernetes/Secret:payments/db",
        "(1 subject not applicable)",
    ]


def test_outcomes_become_what_ci_servers_know() -> None:
    found = cases("K-SEC-01")
    outcome = {name: [child.tag for child in case] for name, case in found.items()}
    assert outcome["kubernetes/Deployment:payments/api"] == ["failure"]
    assert outcome["kubernetes/Deployment:payments/legacy"] == ["skipped"], "waived is no pass and no failure"
    assert outcome["kubernetes/Secret:payments/db"] == ["skipped"], "the baseline holds it, so the job does not fail"
    assert outcome["kubernetes/Deployment:shop/web"] == []


def test_a_failure_names_every_place() -> None:
    failure = cases("K-SEC-01")["kubernetes/Deployment:payments/api"][0]
    assert failure.get("type") == "high"
    assert str(failure.text).startswith("deploy/payments/api.yaml:27:15: container api")


def test_not_evaluated_is_an_error() -> None:
    """Unread must not look green."""
    assert [child.tag for child in cases("K-ENC-01")["(the whole input)"]] == ["error"]


def test_gaps_are_errors_of_a_suite_of_their_own() -> None:
    assert cases("coverage")["deploy/broken.yaml:7"][0].get("type") == "broken-yaml"


def test_counts_are_those_of_the_cases() -> None:
    root = root_of(sample.rich())
    for suite in root:
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(attribute) == str(len(suite.findall(f"testcase/{tag}")))
    assert root.get("tests") == str(len(root.findall("testsuite/testcase")))


def test_thresholds_are_properties_of_the_suite() -> None:
    root = root_of(sample.rich())
    assert root.find("testsuite[@name='X-ODD-01']/properties/property[@name='min_bits']") is not None


def test_hostile_text_is_shown_and_breaks_nothing() -> None:
    text = "".join(str(node.text) for node in root_of(sample.rich()).iter("failure"))
    assert '<script>alert("x")</script>' in text
    assert "]]>" in text
    assert "\\u{0000}nul" in text


def test_characters_that_xml_forbids_are_replaced() -> None:
    """U+FFFE and U+FFFF are no control characters, but no XML either."""
    from dataclasses import replace

    whole = sample.rich()
    finding = replace(whole.findings[0], message="a\ufffeb\uffffc")
    text = etree.tostring(root_of(replace(whole, findings=(finding,))), encoding="unicode")
    assert "a\ufffdb\ufffdc" in text
