"""The table at the end of `docs/admission.md`: `python -m tests.docs.admission` (`make docs`) writes it again."""

from auditor import data, workloads
from auditor.policy import document, export
from tests.e2e.program import ROOT

PAGE = ROOT / "docs" / "admission.md"
_HEADING = "## Which policies\n"


def page() -> str:
    """Return the page with the table as the program would say it now."""
    table = workloads.load(data.policies() / "workloads.yaml")
    plans = [export.plan(policy, table) for policy in document.load(document.built_in()).policies]
    exported = sum(not plan.obstacle for plan in plans)
    text = PAGE.read_text(encoding="utf-8").partition(_HEADING)[0]
    rows = "".join(_row(plan) for plan in plans)
    return (
        f"{text}{_HEADING}\n{exported} of {len(plans)} policies can be exported.\n\n"
        f"| policy | exported | what is left out, and why |\n|---|---|---|\n{rows}"
    )


def _row(plan: export.Plan) -> str:
    named = f"[{plan.policy.id}](policies/{plan.policy.id}.md)"
    if plan.obstacle:
        return f"| {named} | no | {plan.obstacle} |\n"
    left = [f"`{entry}`: {reason}" for entry, reason in plan.left]
    why = "; ".join([*left, *plan.limits])
    return f"| {named} | {'in part' if why else 'yes'} | {why} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
