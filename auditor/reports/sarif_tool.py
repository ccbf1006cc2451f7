"""The program, its policies and the frameworks as a SARIF log describes them, apart from any result."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from auditor.model.assessment import Assessment
from auditor.model.coverage import GapReason
from auditor.model.framework import Framework
from auditor.model.policy import Link, PolicyInfo
from auditor.model.verdict import Parameter, Severity
from auditor.reports import figures
from auditor.reports.text import visible

Json = dict[str, Any]

_TAGS = 10
"""GitHub shows no more, and refuses a rule with more than 20."""
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# Within the bands by which GitHub names a severity: above 9 critical, 7 high, 4 medium, 0.1 low. Info has none.
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}


def driver(assessment: Assessment) -> Json:
    """Return the program as the log describes it, with every policy that was in force as a rule."""
    frameworks = assessment.frameworks
    thresholds = {result.policy_id: result.parameters for result in assessment.results}
    reasons = sorted({gap.reason for part in assessment.coverage for gap in part.gaps})
    told: Json = {
        "name": "auditor",
        "version": assessment.run.tool_version,
        "semanticVersion": assessment.run.tool_version,
        "shortDescription": {"text": "Who can obtain which secret, and which requirement that touches."},
        "rules": [_rule(policy, frameworks, thresholds.get(policy.id, ())) for policy in assessment.policies],
    }
    if reasons:
        told["notifications"] = [_descriptor(reason) for reason in reasons]
    if frameworks:
        told["supportedTaxonomies"] = [
            {"name": visible(framework.title), "index": index} for index, framework in enumerate(frameworks)
        ]
    return told


def taxonomy(framework: Framework) -> Json:
    """Return the requirements of a framework, to which rules refer."""
    return {
        "name": visible(framework.title),
        "version": visible(framework.version),
        "shortDescription": {"text": visible(f"{framework.title} {framework.version}")},
        "fullDescription": {"text": visible(framework.notice)},
        "taxa": [
            {"id": requirement.id, "shortDescription": {"text": visible(requirement.paraphrase)}}
            for requirement in framework.requirements
        ],
    }


def _descriptor(reason: GapReason) -> Json:
    text = f"Something in scope could not be read: {reason.replace('-', ' ')}."
    help_ = "Nothing was judged there. Mend it or leave it out of the scope, and run again."
    return {
        "id": reason,
        **{name: {"text": text} for name in ("shortDescription", "fullDescription")},
        "help": {"text": help_},
    }


def _rule(policy: PolicyInfo, frameworks: Sequence[Framework], thresholds: Sequence[Parameter]) -> Json:
    web = figures.link(policy.references)
    score = _SCORES.get(policy.severity)
    tags = dict.fromkeys(("security", *(visible(tag) for tag in policy.tags)))
    relationships = [found for link in policy.links if (found := _relationship(link, frameworks))]
    return {
        "id": policy.id,
        "name": "".join(part.capitalize() for part in policy.name.split("-")),
        "shortDescription": {"text": visible(policy.title)},
        "fullDescription": {"text": visible(policy.rationale)},
        "help": {"text": visible(f"{policy.rationale}\n\n{policy.remediation}"), "markdown": _help(policy)},
        **({"helpUri": quote(web, safe=":/?#[]@!$&'()*+,;=%~")} if web else {}),
        "defaultConfiguration": {"level": LEVELS[policy.severity]},
        **({"relationships": relationships} if relationships else {}),
        "properties": {
            "tags": list(tags)[:_TAGS],
            **({"security-severity": score} if score else {}),
            "severity": policy.severity,
            **({"thresholds": [visible(figures.threshold(each)) for each in thresholds]} if thresholds else {}),
        },
    }


def _help(policy: PolicyInfo) -> str:
    parts = [f"**Why it matters.** {policy.rationale}", f"**What to do.** {policy.remediation}"]
    if policy.snippet:
        longest = max(map(len, re.findall("`+", policy.snippet)), default=0)
        fence = "`" * max(3, longest + 1)
        parts.append(f"{fence}yaml\n{policy.snippet.rstrip()}\n{fence}")
    if policy.links:
        parts.append("**Requirements.** " + ", ".join(f"{link.requirement} ({link.strength})" for link in policy.links))
    if policy.references:
        parts.append("**References.** " + ", ".join(policy.references))
    return visible("\n\n".join(parts))


def _relationship(link: Link, frameworks: Sequence[Framework]) -> Json | None:
    framework_id, _, id_ = link.requirement.partition("/")
    for number, framework in enumerate(frameworks):
        if framework.id == framework_id:
            for index, requirement in enumerate(framework.requirements):
                if requirement.id == id_:
                    condition = f", if {' and '.join(link.conditions)}" if link.conditions else ""
                    return {
                        "target": {
                            "id": id_,
                            "index": index,
                            "toolComponent": {"name": visible(framework.title), "index": number},
                        },
                        "kinds": ["relevant"],
                        "description": {"text": f"{link.strength}{condition}"},
                    }
    return None
