"""Requirements and the policies that touch them, as the auditor's document shows them."""

from collections.abc import Mapping
from typing import Any

from auditor.model.assessment import Assessment
from auditor.model.policy import Link, PolicyInfo, Strength
from auditor.model.verdict import PolicyResult
from auditor.reports import figures, wording

_KEPT_TOGETHER = 4_000
"""Characters of a row's data up to which no page ends inside it."""


def policy(block: figures.PolicyBlock, assessment: Assessment) -> dict[str, Any]:
    """Return a policy as the population and the catalogue show it."""
    info, result = block.policy, block.result
    counts = (
        result.population,
        len(result.failed),
        sum(1 for index, _ in result.not_evaluated if index >= 0),
        len(result.waived),
        len(result.passed),
        figures.not_applicable(result),
    )
    return {
        "id": info.id,
        "title": info.title,
        "severity": info.severity.value,
        # Whatever it judged, also where it then said of an object that it does not apply.
        "met": any(counts),
        "population": result.population > 0,
        "judged": f"{result.items:,}" if result.items else "",
        "counts": [f"{count:,}" for count in counts],
        "rationale": info.rationale,
        "links": _links(info, assessment) or "Relates to no requirement.",
        "references": ", ".join(info.references),
        "not_applicable": "; ".join(f"{reason} ({count:,})" for reason, count in result.not_applicable),
        "digest": f"sha256:{info.digest}" if info.digest else "",
        "expression": info.expression.strip(),
    }


def _links(info: PolicyInfo, assessment: Assessment) -> str:
    """Return the links by strength: `Direct: SOC 2 CC6.1, PCI DSS 7.2.5 (only for ...). Supporting: SOC 2 CC6.3`."""
    parts = []
    for strength in Strength:
        names = [_link(link, assessment) for link in info.links if link.strength is strength]
        if names:
            parts.append(f"{strength.value.capitalize()}: {', '.join(names)}.")
    return " ".join(parts)


def _link(link: Link, assessment: Assessment) -> str:
    conditions = ", ".join(wording.CONDITIONS[condition] for condition in link.conditions)
    name = wording.requirement_name(link.requirement, assessment.frameworks)
    return f"{name} ({conditions})" if conditions else name


def frameworks(assessment: Assessment) -> list[dict[str, Any]]:
    """Return each framework with its requirements: those that a policy touches, and those that none does."""
    rows = figures.requirement_matrix(assessment)
    results = {result.policy_id: result for result in assessment.results}
    shown = []
    for framework in assessment.frameworks:
        own = [row for row in rows if row.framework is framework]
        tested = [row for row in own if not row.result.untested]
        by_outcome = [sum(row.result.outcome is outcome for row in tested) for outcome in wording.WORST_FIRST]
        shown.append(
            {
                "title": framework.title,
                "version": framework.version,
                "notice": framework.notice,
                "counts": [f"{count:,}" for count in (*by_outcome, len(own) - len(tested))],
                "rows": [_requirement(row, results) for row in tested],
                "untested": [
                    {
                        "id": row.requirement.id,
                        "paraphrase": row.requirement.paraphrase,
                        "needs_people": row.requirement.needs_people,
                    }
                    for row in own
                    if row.result.untested
                ],
            }
        )
    return shown


def _requirement(row: figures.RequirementRow, results: Mapping[str, PolicyResult]) -> dict[str, Any]:
    requirement, result = row.requirement, row.result
    by_strength = [
        {
            "strength": strength.value,
            "policies": [(id_, outcome.value) for id_, own, outcome in result.policies if own is strength],
        }
        for strength in Strength
    ]
    shown = {
        "id": requirement.id,
        "paraphrase": requirement.paraphrase,
        "outcome": result.outcome.value,
        "conclusion": _short(wording.conclusion(result), row, results),
        "tally": wording.tally(result),
        "bar": [(name, count) for name, count in wording.counts(result) if count],
        "conditions": "; ".join(wording.conditions(requirement, result)),
        "tested": requirement.tested,
        "needs_people": requirement.needs_people,
        "points": ", ".join(requirement.points_of_focus),
        "since": requirement.since,
        "policies": [part for part in by_strength if part["policies"]],
    }
    # A row that is kept together must fit a page.
    return {**shown, "breakable": len(str(shown)) > _KEPT_TOGETHER}


def _short(conclusion: str, row: figures.RequirementRow, results: Mapping[str, PolicyResult]) -> str:
    """Return the conclusion without the example of what was missing: the section on open verdicts has every reason."""
    for id_, *_ in row.result.policies:
        for _, reason in results.get(id_, PolicyResult(policy_id=id_)).not_evaluated:
            conclusion = conclusion.replace(f", for example: {reason.rstrip('.')}", "")
    return conclusion
