from auditor.frameworks import catalogue
from auditor.frameworks.coverage import coverage
from auditor.model.policy import Link, PolicyInfo, Strength
from auditor.model.verdict import Severity


def policy(id_: str, *links: Link) -> PolicyInfo:
    return PolicyInfo(
        id=id_, name="fault", title="Fault", severity=Severity.LOW, rationale="why", remediation="how", links=links
    )


def test_every_requirement_is_listed_with_the_policies_that_touch_it() -> None:
    frameworks = catalogue.load(catalogue.built_in(), ["soc2"])
    supporting = Link(requirement="soc2/CC6.1", strength=Strength.SUPPORTING)
    direct = Link(requirement="soc2/CC6.1", strength=Strength.DIRECT)
    rows = {
        row.requirement.id: row
        for row in coverage(frameworks, [policy("A", supporting), policy("B", direct), policy("C", supporting)])
    }
    assert list(rows) == [requirement.id for requirement in frameworks[0].requirements]
    assert [id_ for id_, _ in rows["CC6.1"].links] == ["B", "A", "C"], "direct ones first"
    assert rows["CC6.1"].direct
    assert (rows["CC1.1"].links, rows["CC1.1"].direct) == ((), False)
