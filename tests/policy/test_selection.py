"""Which policies run, and why others do not."""

import pytest

from auditor.model.errors import InputError
from auditor.model.verdict import Severity
from auditor.policy.selection import select
from tests.policy.builders import policy

POLICIES = [
    policy(id="K-SEC-01", name="literal", severity="critical", tags=["secrets"]),
    policy(id="K-RBAC-01", name="wildcard", severity="high", tags=["rbac"]),
    policy(
        id="K-RBAC-02",
        name="secrets",
        tags=["rbac"],
        supports=[{"requirement": "pci-dss-4.0.1/7.2.5", "strength": "direct"}],
    ),
]


@pytest.mark.parametrize(
    ("chosen", "ignored", "running"),
    [
        ([], [], ["K-SEC-01", "K-RBAC-01", "K-RBAC-02"]),
        (["K-RBAC-*"], [], ["K-RBAC-01", "K-RBAC-02"]),
        (["tag:rbac"], ["wildcard"], ["K-RBAC-02"]),
        (["severity:critical"], [], ["K-SEC-01"]),
        (["framework:pci-dss-4.0.1"], [], ["K-RBAC-02"]),
        ([], ["tag:secrets"], ["K-RBAC-01", "K-RBAC-02"]),
    ],
)
def test_policies_are_chosen_by_each_kind_of_word(chosen: list[str], ignored: list[str], running: list[str]) -> None:
    found = select(POLICIES, chosen=chosen, ignored=ignored)
    assert [entry.id for entry in found.policies] == running
    assert {name for name, _ in found.deselected} == {entry.id for entry in POLICIES} - set(running)
    assert all(reason for _, reason in found.deselected)


def test_a_word_that_matches_nothing_is_refused() -> None:
    """A misspelt `--select` must not pass as a clean run."""
    with pytest.raises(InputError, match="K-SEQ-01"):
        select(POLICIES, chosen=["K-SEQ-01"])


def test_a_selection_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="no policy is left"):
        select(POLICIES, ignored=["*"])


def test_an_overridden_severity_decides_the_selection() -> None:
    found = select(POLICIES, chosen=["severity:low"], severities={"K-SEC-01": Severity.LOW, "K-RBAC-02": Severity.HIGH})
    assert [entry.id for entry in found.policies] == ["K-SEC-01"]


def test_a_severity_for_an_unknown_policy_is_refused() -> None:
    with pytest.raises(InputError, match="K-NONE"):
        select(POLICIES, severities={"K-NONE": Severity.LOW})
