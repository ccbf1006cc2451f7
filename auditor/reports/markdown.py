"""Markdown for a pull-request comment or a job summary, from `report.md.j2`; the user's own template comes first.

GitHub takes 65,536 characters of a comment and 1 MiB of a summary. Fewer findings of each policy are shown until the
text fits, and what is hidden is counted.

Texts from outside are escaped twice over: as HTML, which Markdown lets through, and as Markdown. Mentions and issue
numbers are broken by an invisible space, since GitHub looks for them after both.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from auditor.model.assessment import Assessment
from auditor.model.verdict import Finding, Outcome
from auditor.reports import figures, leaks, systems, templates
from auditor.reports.figures import PolicyBlock, RequirementRow
from auditor.reports.options import Options
from auditor.reports.text import visible

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATE = "report.md.j2"
LIMIT = 65_000
"""Characters; GitHub and GitLab add a few of their own."""
_SHOWN = (10, 5, 3, 1, 0)
"""Findings of a policy, as many as fit."""
_LONGEST = 300
_SPECIAL = re.compile(r"[\\`*_\[\]|~$]")
_CODE = re.compile(r"`([^`]+)`")


def render(assessment: Assessment, options: Options) -> bytes:
    """Return GitHub-flavoured Markdown in UTF-8.

    Raises `ConfigurationError` when the user's template is wrong.
    """
    environment = templates.environment(options.templates, finalize=escape)
    environment.filters.update(prose=prose, fence=fence, plural=figures.plural, number="{:,}".format)
    text = ""
    for shown in (10**9,) if options.show_all else _SHOWN:
        text = templates.render(environment, TEMPLATE, context(assessment, shown=shown))
        if len(text) <= LIMIT:
            break
    return figures.utf8(text)


def context(assessment: Assessment, *, shown: int) -> Mapping[str, Any]:
    """Return what a template sees, with at most `shown` findings of each policy."""
    blocks = figures.blocks(assessment)
    return {
        "run": assessment.run,
        "complete": assessment.complete,
        "verdicts": {outcome.value: count for outcome, count in figures.verdicts(assessment).items()},
        "severities": [
            row for row in figures.severity_table(assessment.findings) if row.new or row.known or row.waived
        ],
        "policies": [_policy(block, assessment, shown=shown) for block in blocks if block.failing],
        "gaps": [gap for part in assessment.coverage for gap in part.gaps],
        "not_evaluated": [
            {"policy": block.policy, "reasons": figures.open_reasons(block.result)}
            for block in sorted(blocks, key=lambda block: block.policy.id)
            if block.result.not_evaluated
        ],
        "waivers": list(assessment.waivers),
        "frameworks": _frameworks(assessment),
        "coverage": assessment.coverage,
        "systems": [_system(system) for system in systems.systems(assessment)],
        "subjects": len(assessment.subjects),
        "policies_run": len(assessment.policies),
        "baseline": assessment.baseline,
        "leaks": None if assessment.leaks is None else leaks.told(assessment.leaks),
    }


def escape(value: Any) -> Any:
    """Return a text as Markdown that shows just that text, on one line; anything else as it is."""
    from markupsafe import Markup  # noqa: PLC0415

    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = " ".join(value.split())
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} ... ({len(text) - _LONGEST:,} more characters)"
    return _escaped(text)


def prose(value: str) -> "Markup":
    """Return a text of a policy, in which `backticks` mean code, as Markdown."""
    from markupsafe import Markup  # noqa: PLC0415

    parts = _CODE.split(" ".join(value.split()))
    shown = (f"<code>{_escaped(part)}</code>" if index % 2 else _escaped(part) for index, part in enumerate(parts))
    return Markup("".join(shown))  # noqa: S704 - each part is escaped


def _escaped(text: str) -> "Markup":
    from markupsafe import Markup  # noqa: PLC0415
    from markupsafe import escape as html  # noqa: PLC0415

    # First Markdown, since HTML's escapes must not be escaped again; no character is special to both.
    shown = str(html(_SPECIAL.sub(r"\\\g<0>", visible(text))))
    shown = re.sub(r"(?<!&)#(?=\d)", "&#35;&#8203;", shown).replace("@", "@&#8203;").replace("://", "&#58;//")
    return Markup(shown)  # noqa: S704 - escaped above


def fence(value: str) -> "Markup":
    """Return a text as a fenced block that nothing in the text can end."""
    from markupsafe import Markup  # noqa: PLC0415

    longest = max(map(len, re.findall("`+", value)), default=0)
    marks = "`" * max(3, longest + 1)
    return Markup(f"{marks}yaml\n{visible(value).rstrip()}\n{marks}")  # noqa: S704 - nothing in a fence is markup


def _system(system: systems.System) -> Mapping[str, Any]:
    return {
        "name": system.name,
        "line": systems.line(system),
        "complete": system.estate.complete,
        "facts": system.facts,
        "tiles": [
            (heading, name in systems.MISSING, [(kind, count, hole) for kind, count, hole in kinds])
            for name, heading, kinds in systems.tiles(system)
        ],
    }


def _policy(block: PolicyBlock, assessment: Assessment, *, shown: int) -> Mapping[str, Any]:
    failing = block.failing
    return {
        "info": block.policy,
        "failing": len(failing),
        "known": sum(finding.known for finding in failing),
        "waived": len(block.findings) - len(failing),
        "findings": [_finding(finding, assessment) for finding in failing[:shown]],
        "hidden": max(0, len(failing) - shown),
        "help": shown > 0,
        "thresholds": [figures.threshold(parameter) for parameter in block.result.parameters],
    }


def _finding(finding: Finding, assessment: Assessment) -> Mapping[str, Any]:
    subject = assessment.subjects[finding.subject]
    return {
        "place": leaks.place(finding),
        "rendered_from": finding.location.rendered_from,
        "message": finding.message,
        "subject": subject.id,
        "item": finding.item,
        "known": finding.known,
        "related": [(what, figures.place(location)) for what, location in finding.related],
    }


def _frameworks(assessment: Assessment) -> list[Mapping[str, Any]]:
    rows = figures.requirement_matrix(assessment)
    found: list[Mapping[str, Any]] = []
    for framework in assessment.frameworks:
        own = [row for row in rows if row.framework.id == framework.id]
        touched = [row for row in own if not row.result.untested]
        if own:
            counts = {
                outcome.value.replace("_", " "): sum(row.result.outcome is outcome for row in touched)
                for outcome in Outcome
            }
            found.append(
                {
                    "info": framework,
                    "counts": {word: count for word, count in counts.items() if count},
                    "untested": len(own) - len(touched),
                    "rows": [_requirement(row) for row in touched],
                }
            )
    return found


def _requirement(row: RequirementRow) -> Mapping[str, Any]:
    result = row.result
    return {
        "id": row.requirement.id,
        "paraphrase": row.requirement.paraphrase,
        "outcome": result.outcome.replace("_", " "),
        "conditional": list(result.conditional),
        "reason": result.reason,
        "counts": [
            f"{count:,} {word}"
            for count, word in (
                (result.failed, "fail"),
                (result.not_evaluated, "not evaluated"),
                (result.waived, "waived"),
                (result.passed, "pass"),
            )
            if count
        ],
    }
