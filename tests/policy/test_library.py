"""The library that ships: every policy is sound, can fail and can pass, and its page says what it says."""

from datetime import UTC, datetime

import pytest

from auditor import data, workloads
from auditor.frameworks import catalogue
from auditor.model.policy import Condition
from auditor.model.verdict import Outcome
from auditor.pipeline import examples
from auditor.policy import document, pages
from auditor.policy.document import Example, Policy
from auditor.policy.lint import lint
from tests.e2e.program import ROOT

LIBRARY = document.load(document.built_in()).policies
FRAMEWORKS = catalogue.load(data.policies() / "frameworks")
WORKLOADS = workloads.load(data.policies() / "workloads.yaml")
NOW = datetime(2026, 11, 24, tzinfo=UTC)

ANSWERABLE = {
    *(f"K-SEC-{number:02}" for number in (*range(1, 13), 14, 15)),
    *(f"K-RBAC-{number:02}" for number in (*range(1, 17), 18)),
    *(f"K-TOK-{number:02}" for number in range(1, 5)),
    *(f"K-ENC-{number:02}" for number in range(1, 5)),
    *(f"K-{group}-{number:02}" for group in ("AUD", "CTL") for number in range(1, 4)),
    "G-COV-01", "G-INV-01", "G-CRY-01",
    "F-ID-01", "F-ID-02", "F-ID-03", "F-ID-04", "F-ID-05", "L-CI-01", "L-GIT-01", "L-GIT-02",
    "L-LOG-01", "L-PAN-01",
}  # fmt: skip
"""What configuration can answer, of the check map: manifests or the state of a cluster."""


def test_the_library_holds_every_policy_that_configuration_can_answer() -> None:
    assert {policy.id for policy in LIBRARY} == ANSWERABLE


@pytest.mark.parametrize("policy", LIBRARY, ids=lambda policy: policy.id)
def test_a_policy_has_no_mistake(policy: Policy) -> None:
    requirements = {f"{framework.id}/{entry.id}" for framework in FRAMEWORKS for entry in framework.requirements}
    found = lint(ROOT / policy.file, requirements=requirements, references=catalogue.reference_ids())
    assert [str(mistake) for mistake in found] == []


EXAMPLES = [
    pytest.param(policy, example, id=f"{policy.id}:{example.name}") for policy in LIBRARY for example in policy.examples
]


@pytest.mark.parametrize(("policy", "example"), EXAMPLES)
def test_example_gets_the_outcome_it_claims(policy: Policy, example: Example) -> None:
    """A new policy is tested by being there; nobody writes test code for it."""
    result = examples.run_one(policy, example, workloads=WORKLOADS, now=NOW)
    assert result.problem == ""


@pytest.mark.parametrize("policy", LIBRARY, ids=lambda policy: policy.id)
def test_no_failing_example_has_a_message_that_could_not_be_made(policy: Policy) -> None:
    """A message that errs falls back to the title and says so: right in the field, a defect in the library."""
    for example in policy.examples:
        if example.outcome is Outcome.FAIL:
            result = examples.run_one(policy, example, workloads=WORKLOADS, now=NOW)
            assert result.messages
            for message in result.messages:
                assert "no closer description" not in message
                assert "\n" not in message


@pytest.mark.parametrize("policy", LIBRARY, ids=lambda policy: policy.id)
def test_what_is_not_evaluated_says_why_in_words(policy: Policy) -> None:
    for example in policy.examples:
        if example.outcome is Outcome.NOT_EVALUATED:
            result = examples.run_one(policy, example, workloads=WORKLOADS, now=NOW)
            assert all(result.messages)
            assert not any("cannot be evaluated" in reason for reason in result.messages)


def test_a_link_about_people_and_one_about_workloads_say_so() -> None:
    """PCI DSS 7.2.2 is about users and 7.2.5 about application and system accounts."""
    for policy in LIBRARY:
        for link in policy.links:
            if link.requirement == "pci-dss-4.0.1/7.2.2":
                assert Condition.USER_ACCOUNT in link.conditions, policy.id
            if link.requirement == "pci-dss-4.0.1/7.2.5":
                assert Condition.WORKLOAD_ACCOUNT in link.conditions, policy.id
            if link.requirement == "pci-dss-4.0.1/8.6.2":
                assert Condition.INTERACTIVE_LOGIN in link.conditions, policy.id
            if link.requirement.startswith(("pci-dss-4.0.1/3.6", "pci-dss-4.0.1/3.7")):
                assert Condition.PROTECTS_ACCOUNT_DATA in link.conditions, policy.id


def test_the_pages_are_what_the_policies_say() -> None:
    """`make docs` writes them again."""
    folder = ROOT / "docs" / "policies"
    files = [str(policy.file) for policy in LIBRARY]
    assert len(files) == len(set(files))
    wanted = pages.pages(LIBRARY)
    assert {file.name for file in folder.iterdir()} == set(wanted)
    for name, text in wanted.items():
        assert (folder / name).read_text() == text, f"docs/policies/{name} is not what `make docs` writes"
