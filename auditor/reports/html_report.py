"""The assessment as one HTML file that needs nothing else: no network, no server, no other file.

Everything but the list of single verdicts is markup, rendered by Jinja with autoescape, and reads without JavaScript.
The verdicts travel as JSON, each text once, and a script of our own shows them. The Content-Security-Policy names the
SHA-256 of our style and script and forbids everything else, so a text that broke out could still do nothing:
https://www.w3.org/TR/CSP3/#match-element-to-source-list
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from auditor.model.assessment import Assessment
from auditor.model.framework import Framework
from auditor.model.policy import Condition, Link
from auditor.model.resource import Location
from auditor.model.verdict import Finding, Outcome, PolicyResult, Severity
from auditor.reports import figures, leaks, systems, templates, wording
from auditor.reports.options import Options
from auditor.reports.text import visible

if TYPE_CHECKING:
    from jinja2 import Environment

_PASSES_LISTED = 400_000
"""Above this many passing verdicts the page holds their number only, or it would be slow to open."""

_REASONS_LISTED = 400
"""Reasons of verdicts that were not reached, as a table; the list of verdicts has all of them."""

_RANK = {severity: severity.rank for severity in Severity}

_OUTCOME_BOXES = (
    ("fail", "Failed", True),
    ("known", "Failed, known", True),
    ("waived", "Waived", False),
    ("not_evaluated", "Not evaluated", False),
    ("pass", "Passed", False),
)


def render(assessment: Assessment, options: Options) -> bytes:
    """Return the page in UTF-8.

    Raises `ConfigurationError` when a template of the user's folder cannot be rendered.
    """
    from markupsafe import Markup  # noqa: PLC0415 - comes with Jinja, which is loaded when it is chosen

    def shown(value: object) -> object:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = templates.environment(options.templates, finalize=shown)

    def prose(text: str) -> Markup:
        """Return a sentence with what stands between backticks as code; an odd one is a character like any other."""
        parts = visible(text).split("`")
        if len(parts) % 2 == 0:
            return Markup("{}").format("`".join(parts))
        code, plain = Markup("<code>{}</code>"), Markup("{}")
        return Markup("").join((code if at % 2 else plain).format(part) for at, part in enumerate(parts))

    environment.filters["number"] = "{:,}".format
    environment.filters["prose"] = prose
    style, script = (_source(environment, name) for name in ("report.css", "report.js"))
    context = {
        **_context(assessment),
        "style": Markup(style),  # noqa: S704 - ours or the user's own file, never text of the assessment
        "script": Markup(script),  # noqa: S704
        "csp": _policy(style, script),
        "data": Markup(_embedded(_data(assessment))),  # noqa: S704 - escaped for this place
    }
    return templates.render(environment, "report.html.j2", context).encode()


def _source(environment: "Environment", name: str) -> str:
    # A browser reads CRLF as LF before it takes the digest.
    assert environment.loader is not None  # noqa: S101 - set above
    return "\n" + environment.loader.get_source(environment, name)[0].replace("\r\n", "\n")


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy that allows these two texts to act, and nothing else."""

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    return (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _embedded(value: object) -> str:
    """Return `value` as JSON that cannot end the script element that it stands in, nor open a comment there.

    https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


# ---- what the template sees ------------------------------------------------------------------------------------------


def _context(assessment: Assessment) -> dict[str, Any]:
    counts = figures.verdicts(assessment)
    failing = [finding for finding in assessment.findings if finding.outcome is Outcome.FAIL]
    blocks = figures.blocks(assessment)
    return {
        "run": assessment.run,
        "started": wording.time(assessment.run.started),
        "words": wording.OUTCOMES,
        "subjects_total": len(assessment.subjects),
        "tally": {outcome.value: count for outcome, count in counts.items()},
        "failing": {
            "findings": len(failing),
            "subjects": len({finding.subject for finding in failing}),
            "known": sum(finding.known for finding in failing),
            "waived": len(assessment.findings) - len(failing),
        },
        "severities": _severities(assessment.findings),
        "outcomes": _outcomes(counts),
        "outcome_boxes": _OUTCOME_BOXES,
        "frameworks": _frameworks(assessment),
        "policies": [_policy_view(block, assessment.frameworks) for block in blocks],
        "namespaces": _namespaces(assessment),
        "not_evaluated": _not_evaluated(assessment.results),
        "waivers": assessment.waivers,
        "baseline": assessment.baseline,
        "leaks": None if assessment.leaks is None else leaks.told(assessment.leaks),
        "coverage": assessment.coverage,
        "files": [part for part in assessment.coverage if part.files_found or not assessment.sources],
        "systems": [_system(system) for system in systems.systems(assessment)],
        "gaps_total": figures.gaps(assessment),
        "inventory": wording.inventory(assessment.coverage),
    }


def _bar(parts: Sequence[tuple[str, int]], total: int | None = None) -> list[dict[str, Any]]:
    """Return the parts of a bar in percent of `total` (of their sum), a part that is there never invisible."""
    whole = total or sum(count for _, count in parts)
    bar, start = [], 0.0
    for name, count in parts:
        if count:
            width = round(max(100 * count / whole, 1.5), 2)
            bar.append({"name": name, "start": round(start, 2), "width": width})
            start += width
    return bar


def _severities(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    rows = figures.severity_table(findings)
    most = max(row.new + row.known for row in rows)
    return [
        {
            "name": row.severity.value,
            "count": row.new + row.known,
            "bar": _bar([(row.severity.value, row.new + row.known)], most or 1),
        }
        for row in rows
    ]


def _outcomes(counts: Mapping[Outcome, int]) -> list[dict[str, Any]]:
    order = (Outcome.FAIL, Outcome.NOT_EVALUATED, Outcome.WAIVED, Outcome.PASS, Outcome.NOT_APPLICABLE)
    whole = sum(counts[outcome] for outcome in order[:4]) or 1
    return [
        {
            "name": outcome.value,
            "count": counts[outcome],
            "bar": _bar([(outcome.value, counts[outcome])], whole) if outcome is not Outcome.NOT_APPLICABLE else [],
        }
        for outcome in order
    ]


def _frameworks(assessment: Assessment) -> list[dict[str, Any]]:
    rows = figures.requirement_matrix(assessment)
    results = {result.policy_id: result for result in assessment.results}
    titles = {policy.id: policy.title for policy in assessment.policies}
    shown = []
    for framework in assessment.frameworks:
        own = [row for row in rows if row.framework is framework]
        tested = [_requirement(row, results, titles) for row in own if not row.result.untested]
        counted = Counter(row["outcome"] for row in tested)
        shown.append(
            {
                "id": framework.id,
                "title": framework.title,
                "version": framework.version,
                "notice": framework.notice,
                "total": len(own),
                "tested": len(tested),
                "counts": [(name.value, counted[name.value]) for name in wording.WORST_FIRST if counted[name.value]],
                "rows": tested,
                "untested": [row.requirement for row in own if row.result.untested],
            }
        )
    return shown


def _requirement(
    row: figures.RequirementRow, results: Mapping[str, PolicyResult], titles: Mapping[str, str]
) -> dict[str, Any]:
    result, requirement = row.result, row.requirement
    counts = wording.counts(result)
    return {
        "key": f"{row.framework.id}/{requirement.id}",
        "id": requirement.id,
        "paraphrase": requirement.paraphrase,
        "tested": requirement.tested,
        "needs_people": requirement.needs_people,
        "points_of_focus": requirement.points_of_focus,
        "since": requirement.since,
        "outcome": result.outcome.value,
        "conclusion": wording.conclusion(result),
        "conditions": wording.conditions(requirement, result),
        "open": result.failed + result.waived + result.not_evaluated,
        "bar": _bar(counts),
        "tally": wording.tally(result),
        "policies": wording.contributions(result, results, titles),
    }


def _system(system: systems.System) -> dict[str, Any]:
    missing = system.lists - system.read
    kinds = {name: len(group) for name, _, group in systems.tiles(system)}
    return {
        "name": system.name,
        "title": system.title,
        "tags": system.tags,
        "failure": system.failure,
        "facts": system.facts,
        "lists": system.lists,
        "read": system.read,
        "missing": missing,
        "objects": system.estate.kept,
        # Of a system that gave nothing, the whole bar is what is missing.
        "bar": _bar([("missing", missing or 1 if system.failure else missing), ("read", system.read)]),
        "not_served": kinds.get("not-served", 0),
        "tiles": [
            {
                "name": name,
                "missing": name in systems.MISSING,
                "heading": heading,
                "objects": sum(count for _, count, _ in group),
                "kinds": group,
            }
            for name, heading, group in systems.tiles(system)
        ],
        "calls": [
            {
                "kind": systems.kind(call.type),
                "namespace": call.namespace,
                "request": systems.request(call),
                "counted": systems.counted(call),
                "kept": call.kept,
                "result": systems.result(call),
                "complete": call.complete,
                "reason": call.reason,
                "digest": call.sha256,
                "version": call.resource_version,
            }
            for call in system.calls
        ],
    }


def _policy_view(block: figures.PolicyBlock, frameworks: Sequence[Framework]) -> dict[str, Any]:
    policy, result = block.policy, block.result
    unread = sum(1 for index, _ in result.not_evaluated if index >= 0)
    counts = (
        ("fail", len(result.failed)),
        ("not_evaluated", unread),
        ("waived", len(result.waived)),
        ("pass", len(result.passed)),
    )
    return {
        "id": policy.id,
        "title": policy.title,
        "severity": policy.severity.value,
        "rationale": policy.rationale,
        "remediation": policy.remediation,
        "snippet": policy.snippet,
        "expression": policy.expression,
        "references": policy.references,
        "tags": policy.tags,
        "digest": policy.digest,
        "links": [
            {
                "name": wording.requirement_name(link.requirement, frameworks),
                "strength": link.strength.value,
                "conditions": [wording.CONDITIONS[condition] for condition in link.conditions],
            }
            for link in policy.links
        ],
        "parameters": result.parameters,
        "population": result.population,
        "judged_items": result.items,
        "bar": _bar(counts),
        "counts": wording.population(result),
        "conclusion": wording.policy_conclusion(result),
        "absent": [reason for index, reason in result.not_evaluated if index < 0],
        "not_applicable": result.not_applicable,
    }


def _namespaces(assessment: Assessment) -> list[tuple[str, int]]:
    """Return each namespace with the number that its text has in the embedded data."""
    texts = _Texts()
    for subject in assessment.subjects:
        texts.add(subject.namespace)
    return sorted((name, number) for number, name in enumerate(texts.all))


def _not_evaluated(results: Iterable[PolicyResult]) -> list[dict[str, Any]]:
    rows = []
    for result in results:
        whole = {reason for index, reason in result.not_evaluated if index < 0}
        for reason, count in figures.open_reasons(result):
            shown = "no object" if reason in whole else f"{count:,}"
            rows.append({"policy": result.policy_id, "reason": reason, "count": shown})
    if len(rows) > _REASONS_LISTED:
        rest = len(rows) - _REASONS_LISTED
        rows = rows[:_REASONS_LISTED]
        rows.append({"policy": "", "reason": f"and {rest:,} further reasons: see the list of verdicts", "count": ""})
    return rows


# ---- what the script sees --------------------------------------------------------------------------------------------


class _Texts:
    """Each text once: namespaces, files and messages repeat very often."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def add(self, text: str) -> int:
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self.all)
            self.all.append(visible(text))
        return number


def _data(assessment: Assessment) -> dict[str, Any]:
    texts = _Texts()
    for subject in assessment.subjects:  # first, so that their numbers are those that `_namespaces` gives
        texts.add(subject.namespace)
    ordered = [block.policy for block in figures.blocks(assessment)]
    number = {policy.id: index for index, policy in enumerate(ordered)}
    results = [result for result in assessment.results if result.policy_id in number]
    passes = sum(len(result.passed) for result in results)
    passed: list[Sequence[int]] = [()] * len(ordered)
    if passes <= _PASSES_LISTED:
        for result in results:
            passed[number[result.policy_id]] = result.passed
    return {
        "policies": [
            {
                "id": visible(policy.id),
                "name": visible(policy.name),
                "title": visible(policy.title),
                "rank": policy.severity.rank,
                "remediation": visible(policy.remediation),
                "snippet": visible(policy.snippet),
                "links": [_link(link) for link in policy.links],
            }
            for policy in ordered
        ],
        "requirements": {
            f"{framework.id}/{requirement.id}": f"{framework.title} {requirement.id}"
            for framework in assessment.frameworks
            for requirement in framework.requirements
        },
        "subjects": [
            (
                texts.add(subject.type),
                texts.add(subject.namespace),
                texts.add(subject.name),
                *_at(subject.location, texts),
            )
            for subject in assessment.subjects
        ],
        "findings": [
            _finding(finding, number[finding.policy_id], texts)
            for finding in assessment.findings
            if finding.policy_id in number
        ],
        "open": [
            (number[result.policy_id], subject, texts.add(reason))
            for result in results
            for subject, reason in result.not_evaluated
        ],
        "passed": passed,
        "passesListed": passes <= _PASSES_LISTED,
        "texts": texts.all,
    }


def _at(location: Location, texts: _Texts) -> tuple[int, int, int]:
    return texts.add(location.file), location.line or 0, location.column or 0


def _finding(finding: Finding, policy: int, texts: _Texts) -> tuple[object, ...]:
    location = finding.location
    return (
        policy,
        finding.subject,
        texts.add(finding.item),
        texts.add(finding.message),
        visible(finding.fingerprint),
        _RANK[finding.severity],
        (1 if finding.outcome is Outcome.WAIVED else 0) | (2 if finding.known else 0),
        _at(location, texts),
        texts.add(location.pointer),
        texts.add(location.rendered_from),
        visible(finding.value_fingerprint),
        visible(finding.waiver_id),
        [(texts.add(name), texts.add(value)) for name, value in finding.evidence],
        [(texts.add(name), _at(at, texts)) for name, at in finding.related],
        finding.about.value,
    )


def _link(link: Link) -> dict[str, str]:
    about = ""
    if Condition.USER_ACCOUNT in link.conditions:
        about = "user"
    elif Condition.WORKLOAD_ACCOUNT in link.conditions:
        about = "workload"
    return {"key": link.requirement, "about": about}
