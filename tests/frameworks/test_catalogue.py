"""The catalogues that ship: every id, in our words, with what it takes; and how mistakes in one are told."""

from pathlib import Path

import pytest

from auditor import authored, data
from auditor.authored import MistakesError
from auditor.frameworks import catalogue
from auditor.model.errors import ConfigurationError, InputError
from auditor.model.framework import Automation, Framework, Requirement
from auditor.model.policy import Condition

SOC2, PCI = "soc2", "pci-dss-4.0.1"


def shipped(id_: str) -> Framework:
    (framework,) = catalogue.load(catalogue.built_in(), [id_])
    return framework


def by_id(id_: str) -> dict[str, Requirement]:
    return {requirement.id: requirement for requirement in shipped(id_).requirements}


EVERY = [
    pytest.param(framework, requirement, id=f"{framework.id}/{requirement.id}")
    for framework in catalogue.load(catalogue.built_in())
    for requirement in framework.requirements
]


def test_both_frameworks_ship() -> None:
    assert [framework.id for framework in catalogue.load(catalogue.built_in())] == [PCI, SOC2]


def test_soc2_lists_all_common_criteria_and_those_of_two_categories() -> None:
    """33 common criteria make up Security (TSP section 100); C and A apply where they are in scope."""
    sizes = {1: 5, 2: 3, 3: 4, 4: 2, 5: 3, 6: 8, 7: 5, 8: 1, 9: 2}
    common = {f"CC{group}.{number}" for group, size in sizes.items() for number in range(1, size + 1)}
    listed = by_id(SOC2)
    assert len(common) == 33
    assert set(listed) == common | {"A1.1", "A1.2", "A1.3", "C1.1", "C1.2"}
    assert {listed[id_].category for id_ in common} == {"common"}
    assert (listed["A1.1"].category, listed["C1.1"].category) == ("availability", "confidentiality")


@pytest.mark.parametrize("id_", ["CC1.1", "CC2.2", "CC2.3", "CC6.4", "CC6.5", "CC7.5", "CC9.1"])
def test_what_no_tool_can_evidence_is_listed_as_such(id_: str) -> None:
    requirement = by_id(SOC2)[id_]
    assert requirement.automation is Automation.NONE
    assert requirement.needs_people


@pytest.mark.parametrize(("framework", "requirement"), EVERY)
def test_a_requirement_is_whole(framework: Framework, requirement: Requirement) -> None:
    """A point of focus has a name and no number; a future-dated requirement has the one date there is."""
    assert requirement.paraphrase.endswith(".")
    assert requirement.needs_people
    assert bool(requirement.tested) is (requirement.automation is Automation.PARTIAL)
    assert requirement.since in {"", "2025-03-31"}
    assert bool(requirement.category) is (framework.id == SOC2)
    assert not any(character.isdigit() for name in requirement.points_of_focus for character in name)


@pytest.mark.parametrize(
    "framework", [pytest.param(entry, id=entry.id) for entry in catalogue.load(catalogue.built_in())]
)
def test_a_catalogue_says_what_it_is_not(framework: Framework) -> None:
    assert "Not affiliated" in framework.notice
    assert "Paraphrased" in framework.notice


@pytest.mark.parametrize(
    ("ids", "condition"),
    [
        (
            ["3.6.1", "3.6.1.1", "3.6.1.4", "3.7.1", "3.7.4", "3.7.9", "4.2.1", "4.2.1.1"],
            Condition.PROTECTS_ACCOUNT_DATA,
        ),
        (["8.6.1", "8.6.2"], Condition.INTERACTIVE_LOGIN),
        (["3.6.1.1", "3.7.9", "8.3.10.1", "10.7.1", "12.5.2.1"], Condition.SERVICE_PROVIDER),
        (["7.2.2", "7.2.4", "8.2.5", "8.2.6"], Condition.USER_ACCOUNT),
        (["7.2.5", "7.2.5.1"], Condition.WORKLOAD_ACCOUNT),
    ],
)
def test_pci_requirements_state_when_they_apply(ids: list[str], condition: Condition) -> None:
    """8.6.2 is about accounts that allow interactive login; 3.6 and 3.7 about keys that protect account data."""
    assert all(condition in by_id(PCI)[id_].conditions for id_ in ids)


def test_conditions_stand_nowhere_else() -> None:
    listed = by_id(PCI)
    assert {id_ for id_, entry in listed.items() if Condition.INTERACTIVE_LOGIN in entry.conditions} == {
        "8.6.1",
        "8.6.2",
    }
    assert {id_ for id_, entry in listed.items() if Condition.PROTECTS_ACCOUNT_DATA in entry.conditions} == {
        id_ for id_ in listed if id_.startswith(("3.6.", "3.7.", "4.2."))
    }


# The 51 that PCI DSS marks as best practice until 31 March 2025, as far as the catalogue holds them; of 3.6.1.1, 4.2.1
# and 12.10.5 only a part is, which their texts say.
FUTURE_DATED = {
    "3.5.1.1", "3.5.1.2", "4.2.1.1", "6.3.2", "6.4.2", "6.4.3", "7.2.4", "7.2.5", "7.2.5.1", "8.3.6", "8.3.10.1",
    "8.4.2", "8.5.1", "8.6.1", "8.6.2", "8.6.3", "10.4.1.1", "10.4.2.1", "10.7.2", "10.7.3", "11.6.1", "12.3.1",
    "12.3.3", "12.5.2.1", "12.10.4.1", "12.10.7",
}  # fmt: skip


def test_future_dated_requirements_name_their_day_and_no_other_does() -> None:
    listed = by_id(PCI)
    assert {id_ for id_, entry in listed.items() if entry.since} == FUTURE_DATED
    assert {listed[id_].since for id_ in FUTURE_DATED} == {"2025-03-31"}
    for id_ in ("3.6.1.1", "4.2.1", "12.10.5"):
        assert "2025-03-31" in listed[id_].needs_people


def test_requirements_are_named_as_links_name_them() -> None:
    ids = catalogue.requirement_ids(catalogue.load(catalogue.built_in()))
    assert {"soc2/CC6.1", "pci-dss-4.0.1/8.6.2"} <= ids


def test_references_are_pinned_lists_of_ids() -> None:
    ids = catalogue.reference_ids()
    assert set(ids) >= {"nist-800-53r5", "cis-kubernetes-1.12", "cis-eks-1.8.0", "cis-aks-1.8"}
    assert {"IA-5(7)", "AC-6", "SC-28(1)"} <= ids["nist-800-53r5"]
    assert "5.4.1" in ids["cis-kubernetes-1.12"]
    assert "4.4.1" in ids["cis-eks-1.8.0"]
    assert "4.5.1" in ids["cis-aks-1.8"]


@pytest.mark.parametrize("kind", ["framework", "reference"])
def test_what_ships_obeys_its_schema(kind: str) -> None:
    """A scan reads it unchecked, to start quickly."""
    folder = catalogue.built_in() / ("references" if kind == "reference" else "")
    files = sorted(folder.glob("*.yaml"))
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        authored.read(text, file=file.name, schema=data.policies() / f"{kind}.schema.json")


def test_an_unknown_framework_is_told_with_those_there_are() -> None:
    with pytest.raises(InputError, match="soc3: no such framework") as caught:
        catalogue.load(catalogue.built_in(), ["soc3", "soc2"])
    assert "pci-dss-4.0.1, soc2" in caught.value.hint


def test_a_folder_without_catalogues_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no catalogue"):
        catalogue.load(tmp_path)


OWN = """id: acme
title: Acme rules
version: "3"
notice: Ours.
requirements:
  - id: "1.1"
    paraphrase: Do it.
    automation: none
    needs_people: Ask.
"""


def test_every_mistake_in_a_catalogue_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(OWN.replace("automation: none", "automation: some") + "    tests: x\n", encoding="utf-8")
    with pytest.raises(MistakesError) as caught:
        catalogue.load(tmp_path)
    assert [str(mistake).removeprefix(f"{tmp_path}/")[:14] for mistake in caught.value.mistakes] == [
        "acme.yaml:8:5:",
        "acme.yaml:10:5",
    ]


def test_an_id_that_stands_twice_is_told(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(OWN + OWN[OWN.index("  - id") :], encoding="utf-8")
    with pytest.raises(MistakesError, match=r"acme\.yaml:10:5: the requirement 1\.1 stands here a second time"):
        catalogue.load(tmp_path)


def test_a_file_bears_the_name_of_its_framework(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(OWN, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="its id is acme"):
        catalogue.load(tmp_path)
