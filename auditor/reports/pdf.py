"""The assessment as the auditor's document: PDF/A-2a for the archive, PDF/UA-1 for every reader, by Typst.

The template (`report.typ`) lays out; every text reaches it through `report.json`, so nothing in an assessment is read
as markup. Only the fonts inside Typst are used: the same assessment gives the same bytes on every machine.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auditor import data
from auditor.model.assessment import Assessment, BaselineUse, Subject, WaiverUse
from auditor.model.collection import CallResult
from auditor.model.errors import ConfigurationError
from auditor.model.policy import PolicyInfo
from auditor.model.verdict import Finding, Outcome, PolicyResult
from auditor.reports import figures, leaks, systems, wording
from auditor.reports.options import Options
from auditor.reports.text import visible

_TITLE = "Secrets and access assessment"

_GAPS_LISTED = 500
_REASONS_LISTED = 40
_TOP = 8
_KEPT_TOGETHER = 1_500

_COLLECTION = (
    "Files were read where they lie; charts and overlays were rendered with the user's own tools before they were "
    "read. Nothing was changed, and judging used no network. What could not be read is a gap, and is listed in the "
    "section on completeness."
)
_LIVE = (
    "Live systems were asked for lists only, and nothing was changed in them. The ledger below has one record for each "
    "list: the request, what came back, and how it ended. A list that did not end as it should leaves open every "
    "verdict that rests on what it would have shown."
)
_SECRETS = (
    "No secret value is stored or shown. Each credential was replaced at the moment of reading by its kind, its length "
    "and a keyed fingerprint."
)
_RULES = (
    "were applied to every object of their population: no sample was drawn. Each policy is a declarative file with "
    "passing and failing examples; its rule, parameters and digest are in the appendix. A rule that errs gives no "
    "verdict."
)
_ROLL_UP = (
    "Verdicts are rolled up to a requirement in this order: failed, not evaluated, waived, passed, not applicable. A "
    "requirement passes its technical tests only when something passed and nothing is open."
)
_LIMITS = (
    "A state at one point in time was tested, not its operation over a period, and not what runs elsewhere. "
    "Approvals, interviews and observation are outside; what needs people is named beside each requirement."
)
_REPEATING = (
    "The same tool version, policy pack, input, configuration and time give the same verdicts and the same bytes of "
    "this document. The digests on the cover name them."
)

_UNPRINTABLE = re.compile(
    "[^\n -~\xa1-\xac\xae-\u02ff\u0391-\u03a1\u03a3-\u0482\u048a-\u04ff\u1e00-\u1eff"
    "\u2010-\u2015\u2018-\u2022\u2026\u2030\u2032\u2033\u2039\u203a\u20ac\u2116\u2122\u2190-\u22ff]"
)
"""What the fonts inside Typst do not hold for certain. A missing glyph is an error in PDF/A, so it is named instead."""

_CODE = frozenset({"expression", "snippet"})

_LONG_WORD = re.compile(r"[^\s\u200b]{25}(?=[^\s\u200b])")


def render(assessment: Assessment, options: Options) -> bytes:
    """Return the document.

    Raises `ConfigurationError` when a template of the user's folder cannot be rendered.
    """
    import typst  # noqa: PLC0415 - a renderer is loaded when it is chosen

    files, fonts = _files(options.templates)
    files["report.json"] = json.dumps(_shown(_document(assessment)), separators=(",", ":")).encode()
    try:
        # Its types do not say so, but it takes files held in memory, by name; `main.typ` is where it starts.
        memory: Any = files
        compiler = typst.Compiler(memory, font_paths=fonts, ignore_system_fonts=True)
        content = compiler.compile(
            format="pdf", pdf_standards=["a-2a", "ua-1"], timestamp=int(assessment.run.started.timestamp())
        )
    except typst.TypstError as error:
        raise ConfigurationError(
            f"the PDF template cannot be rendered: {visible(error.message)}",
            hint="Compare it with the built-in report.typ, or leave `templates` out to use that one.",
        ) from error
    if not isinstance(content, bytes):
        raise TypeError("Typst returned no document")
    return content


def _files(folder: Path | None) -> tuple[dict[str, bytes], list[str | Path]]:
    """Return the files that the template may read, by name, and the folders with fonts of the user's."""
    files = {"main.typ": (data.templates() / "report.typ").read_bytes()}
    fonts: list[str | Path] = []
    if folder is not None:
        # What a template of the user's includes stands beside it: a logo, a second .typ file.
        for path in sorted(folder.iterdir()):
            if path.suffix in {".typ", ".svg", ".png", ".jpg"} and path.is_file():
                files["main.typ" if path.name == "report.typ" else path.name] = path.read_bytes()
        if (folder / "fonts").is_dir():
            fonts.append(folder / "fonts")
    return files, fonts


def _shown(value: Any, *, as_written: bool = False) -> Any:
    """Return `value` with every text as these fonts can print it, and with places where a long word may break.

    Lines are kept in code alone: in a sentence they are where its author's editor ended.
    """
    match value:
        case str():
            return _text(value if as_written else " ".join(value.split()))
        case dict():
            return {key: _shown(item, as_written=key in _CODE) for key, item in value.items()}
        case list() | tuple():
            return [_shown(item) for item in value]
        case _:
            return value


def _text(text: str) -> str:
    if len(text) > 25 or not text.isascii() or not text.isprintable():
        text = visible(unicodedata.normalize("NFC", text.replace("\t", "    ")))
        text = _UNPRINTABLE.sub(lambda match: f"\\u{{{ord(match[0]):04X}}}", text)
        text = _LONG_WORD.sub("\\g<0>\u200b", text)
    return text


# ---- what the template sees ------------------------------------------------------------------------------------------


def _document(assessment: Assessment) -> dict[str, Any]:
    run = assessment.run
    blocks = figures.blocks(assessment)
    names = [f"{framework.title} ({framework.version})" for framework in assessment.frameworks]
    return {
        "title": _TITLE,
        "subtitle": "Technical tests of secrets and access" + (f" against {_and(names)}" if names else ""),
        "keywords": ["secrets", "access", "technical tests", *(framework.title for framework in assessment.frameworks)],
        "time": {
            "year": run.started.year,
            "month": run.started.month,
            "day": run.started.day,
            "hour": run.started.hour,
            "minute": run.started.minute,
            "second": run.started.second,
        },
        "started": wording.time(run.started),
        "tool_version": run.tool_version,
        "arguments": " ".join(run.arguments) or "nothing",
        "tags": ", ".join(run.tags) or "none",
        "framework_names": _and(names) or "none selected",
        "population": f"{wording.objects(len(assessment.subjects))}, "
        f"by {figures.plural(len(blocks), 'policy', 'policies')}",
        "policy_pack_digest": _digest(run.policy_pack_digest),
        "input_digest": _digest(run.input_digest),
        "configuration_digest": _digest(run.configuration_digest),
        "key_id": run.fingerprint_key_id or "random for this run",
        "words": wording.OUTCOMES,
        "summary": _summary(assessment),
        "severities": [
            {"name": row.severity.value, "new": f"{row.new:,}", "known": f"{row.known:,}", "waived": f"{row.waived:,}"}
            for row in figures.severity_table(assessment.findings)
        ],
        "outcomes": [
            {"name": outcome.value, "count": f"{figures.verdicts(assessment)[outcome]:,}"}
            for outcome in wording.WORST_FIRST
        ],
        "top": _top(blocks),
        "leaks": None if assessment.leaks is None else leaks.told(assessment.leaks),
        "deselected": run.deselected,
        "method": _method(assessment),
        "parameters": [
            {
                "policy": result.policy_id,
                "name": parameter.name,
                "value": f"{parameter.value} {parameter.unit}".rstrip(),
                "origin": parameter.origin,
                "reference": parameter.reference,
            }
            for result in assessment.results
            for parameter in result.parameters
        ],
        **_coverage(assessment),
        "policies": [_policy(block, assessment) for block in blocks],
        "frameworks": _frameworks(assessment),
        "findings_lead": _findings_lead(assessment),
        "findings": [_findings(block, assessment.subjects) for block in blocks if block.findings],
        "waivers": [_waiver(use) for use in assessment.waivers],
        "baseline": _baseline(assessment.baseline),
        "open": [_open(block) for block in blocks if block.result.not_evaluated],
        "glossary": wording.GLOSSARY,
    }


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _digest(digest: str) -> str:
    return f"sha256:{digest}" if digest else "none"


def _summary(assessment: Assessment) -> dict[str, str]:
    counts = figures.verdicts(assessment)
    failing = [finding for finding in assessment.findings if finding.outcome is Outcome.FAIL]
    known = sum(finding.known for finding in failing)
    waived = len(assessment.findings) - len(failing)
    whole = wording.objects(len(assessment.subjects))
    if failing:
        found = len({finding.subject for finding in failing})
        verb = "fails" if len(failing) == 1 else "fail"
        sentence = f"{figures.plural(len(failing), 'finding')} {verb}, in {found:,} of {whole}."
    elif counts[Outcome.PASS]:
        sentence = f"No verdict fails, in {whole}."
    else:
        sentence = "Nothing passed and nothing failed."
    missing = figures.gaps(assessment)
    if counts[Outcome.NOT_EVALUATED]:
        sentence += f" {figures.plural(counts[Outcome.NOT_EVALUATED], 'verdict')} could not be reached."
    if missing:
        sentence += f" {figures.plural(missing, 'thing')} in scope could not be read."
    more = [
        f"{known:,} of the findings are known from the baseline." if known else "",
        f"{waived:,} further {'finding is' if waived == 1 else 'findings are'} waived." if waived else "",
    ]
    untested = sum(result.untested for result in assessment.requirements)
    not_reached = [
        f"{figures.plural(missing, 'gap')} in what was read" if missing else "",
        f"{figures.plural(counts[Outcome.NOT_EVALUATED], 'verdict')} that lacked an input"
        if counts[Outcome.NOT_EVALUATED]
        else "",
        f"{figures.plural(untested, 'requirement')} without any policy" if untested else "",
    ]
    said = _and([text for text in not_reached if text])
    return {
        "sentence": sentence,
        "more": " ".join(text for text in more if text),
        "open": f"{said[:1].upper()}{said[1:]}: each is listed in its section." if said else "",
    }


def _top(blocks: Sequence[figures.PolicyBlock]) -> list[dict[str, str]]:
    return [
        {
            "id": block.policy.id,
            "title": block.policy.title,
            "severity": block.policy.severity.value,
            "findings": f"{len(block.failing):,}",
            "objects": f"{len(block.result.failed):,}",
        }
        for block in blocks
        if block.failing
    ][:_TOP]


def _method(assessment: Assessment) -> list[tuple[str, str]]:
    run = assessment.run
    files = not assessment.sources or any(part.files_found for part in assessment.coverage)
    key = (
        f"The key named {run.fingerprint_key_id} made the fingerprints of this run, so values can be compared with "
        "other runs that use it."
        if run.fingerprint_key_id
        else "The key was random for this run, so values of two runs cannot be compared."
    )
    return [
        ("Collection", f"{_COLLECTION if files else ''} {_LIVE if assessment.sources else ''}".strip()),
        ("Secrets", f"{_SECRETS} {key}"),
        ("Rules", f"{figures.plural(len(assessment.policies), 'policy', 'policies')} {_RULES}"),
        ("Roll-up", _ROLL_UP),
        ("Limits", _LIMITS),
        ("Repeating it", _REPEATING),
    ]


def _coverage(assessment: Assessment) -> dict[str, Any]:
    judged: dict[str, int] = {}
    for subject in assessment.subjects:
        judged[subject.type] = judged.get(subject.type, 0) + 1
    met = dict(wording.inventory(assessment.coverage))
    gaps = [gap for part in assessment.coverage for gap in part.gaps]
    missing = len(gaps)
    if missing:
        short = f"not complete: {figures.plural(missing, 'gap')}"
        long = (
            f"The population is not complete. {figures.plural(missing, 'thing')} in scope could not be read; each is "
            "listed below with its reason. What a policy would have said about them is unknown."
        )
    elif assessment.coverage:
        short = "everything in scope was read"
        long = "Everything in scope was found and read. What was passed over, and why that is no gap, is listed below."
    else:
        short = "no source was named"
        long = "No source was named, so there is no population."
    return {
        "completeness": short,
        "completeness_long": long,
        "assertion": (
            f"At {wording.time(assessment.run.started)}, auditor {assessment.run.tool_version} read the sources named "
            f"above and applied {figures.plural(len(assessment.policies), 'policy', 'policies')} to every object of "
            f"their populations. Coverage: {short}."
            if assessment.coverage
            else f"At {wording.time(assessment.run.started)}, auditor {assessment.run.tool_version} was run; {short}."
        ),
        "inventory": [
            {
                "type": type_,
                "met": f"{met[type_]:,}" if type_ in met else "derived",
                "judged": f"{judged.get(type_, 0):,}",
            }
            for type_ in sorted(met.keys() | judged.keys())
        ],
        "sources": [
            {
                "source": part.source,
                "counts": [
                    f"{count:,}"
                    for count in (part.files_found, part.files_read, part.documents, part.resources, len(part.gaps))
                ],
                "skipped": ", ".join(f"{name} ({count:,})" for name, count in part.skipped),
            }
            for part in assessment.coverage
            if part.files_found or not assessment.sources
        ],
        "systems": [_system(system) for system in systems.systems(assessment)],
        "gaps": [
            {
                "place": gap.file + (f":{gap.line}" if gap.line else ""),
                "reason": gap.reason.value.replace("-", " "),
                "detail": gap.detail,
            }
            for gap in gaps[:_GAPS_LISTED]
        ],
        "gaps_more": f"And {missing - _GAPS_LISTED:,} further ones: the JSON report lists them."
        if missing > _GAPS_LISTED
        else "",
    }


def _system(system: systems.System) -> dict[str, Any]:
    return {
        "title": system.title,
        "line": systems.line(system),
        "facts": system.facts,
        "kinds": [
            (heading, name in systems.MISSING, ", ".join(_kind(*entry) for entry in kinds))
            for name, heading, kinds in systems.tiles(system)
        ],
        "calls": [
            {
                "kind": systems.kind(call.type) + (f" in {call.namespace}" if call.namespace else ""),
                "request": systems.request(call),
                "counted": systems.counted(call),
                "result": systems.result(call),
                "complete": call.complete,
                "reason": call.reason,
            }
            # Kinds that the system does not have stand among the kinds already, and would be most of the pages.
            for call in system.calls
            if call.result is not CallResult.NOT_SERVED
        ],
    }


def _kind(name: str, count: int, hole: str) -> str:
    return name + (f" {count:,}" if count else "") + (f" ({hole})" if hole else "")


def _policy(block: figures.PolicyBlock, assessment: Assessment) -> dict[str, Any]:
    policy, result = block.policy, block.result
    unread = sum(1 for index, _ in result.not_evaluated if index >= 0)
    counts = (
        result.population,
        len(result.failed),
        unread,
        len(result.waived),
        len(result.passed),
        figures.not_applicable(result),
    )
    return {
        "id": policy.id,
        "title": policy.title,
        "severity": policy.severity.value,
        "judged": f"{result.items:,}" if result.items else "",
        "counts": [f"{count:,}" for count in counts],
        "conclusion": wording.policy_conclusion(result),
        "rationale": policy.rationale,
        "remediation": policy.remediation,
        "links": _links(policy, assessment) or "no requirement",
        "references": ", ".join(policy.references),
        "not_applicable": "; ".join(f"{reason} ({count:,})" for reason, count in result.not_applicable),
        "tags": ", ".join(policy.tags),
        "digest": _digest(policy.digest),
        "expression": policy.expression.strip(),
        "snippet": policy.snippet.rstrip(),
    }


def _links(policy: PolicyInfo, assessment: Assessment) -> str:
    return "; ".join(
        f"{wording.requirement_name(link.requirement, assessment.frameworks)} "
        f"({', '.join((link.strength.value, *(wording.CONDITIONS[condition] for condition in link.conditions)))})"
        for link in policy.links
    )


def _frameworks(assessment: Assessment) -> list[dict[str, Any]]:
    rows = figures.requirement_matrix(assessment)
    results = {result.policy_id: result for result in assessment.results}
    titles = {policy.id: policy.title for policy in assessment.policies}
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
                "rows": [_requirement(row, results, titles) for row in tested],
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


def _requirement(
    row: figures.RequirementRow, results: dict[str, PolicyResult], titles: dict[str, str]
) -> dict[str, Any]:
    requirement, result = row.requirement, row.result
    return {
        "id": requirement.id,
        "paraphrase": requirement.paraphrase,
        "outcome": result.outcome.value,
        "conclusion": wording.conclusion(result),
        "tally": wording.tally(result),
        "bar": [(name, count) for name, count in wording.counts(result) if count],
        "conditions": "; ".join(wording.conditions(requirement, result)),
        "tested": requirement.tested,
        "needs_people": requirement.needs_people,
        "points": ", ".join(requirement.points_of_focus),
        "since": requirement.since,
        "policies": wording.contributions(result, results, titles),
    }


def _findings_lead(assessment: Assessment) -> str:
    if not assessment.findings:
        return "There is no finding."
    return (
        f"{figures.plural(len(assessment.findings), 'finding')}, worst first, by policy; within one, new before known "
        "and known before waived. The fingerprint names a finding across runs and reports."
    )


def _findings(block: figures.PolicyBlock, subjects: Sequence[Subject]) -> dict[str, Any]:
    failing = len(block.failing)
    waived = len(block.findings) - failing
    count = (
        figures.plural(len(block.findings), "finding")
        + f" in {wording.objects(len({f.subject for f in block.findings}))}"
    )
    return {
        "id": block.policy.id,
        "title": block.policy.title,
        "severity": block.policy.severity.value,
        "count": count + (f", {waived:,} waived" if waived else ""),
        "remediation": block.policy.remediation,
        "rows": [_finding(finding, subjects) for finding in block.findings],
    }


def _finding(finding: Finding, subjects: Sequence[Subject]) -> dict[str, Any]:
    subject = subjects[finding.subject]
    location = finding.location
    kind, state = "fail", ""
    if finding.outcome is Outcome.WAIVED:
        kind, state = "waived", f"Waived by {finding.waiver_id}"
    elif finding.known:
        kind, state = "not_applicable", "Known"
    where = [
        # The item says the same as the pointer, in names that a person knows.
        finding.item or location.pointer,
        f"rendered from {location.rendered_from}" if location.rendered_from else "",
    ]
    named = f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name
    details = [
        f"{subject.type} {named}",
        *(f"{name}: {value}" for name, value in finding.evidence),
        *(f"{name}: {figures.place(at)}" for name, at in finding.related),
        f"value fingerprint {finding.value_fingerprint}" if finding.value_fingerprint else "",
        f"fingerprint {finding.fingerprint}",
    ]
    detail = " \u00b7 ".join(text for text in details if text)
    return {
        "message": finding.message,
        "place": leaks.place(finding),
        "where": ", ".join(text for text in where if text),
        "detail": detail,
        # A block that is kept together must fit a page.
        "breakable": len(finding.message) + len(detail) > _KEPT_TOGETHER,
        "kind": kind,
        "state": state,
    }


def _waiver(use: WaiverUse) -> dict[str, str]:
    waiver = use.waiver
    if use.expired:
        state = "expired"
    elif use.used:
        state = f"waives {figures.plural(use.used, 'finding')}"
    else:
        state = "not used"
    return {
        "id": waiver.id,
        "state": state,
        "policy": waiver.policy,
        "subject": waiver.subject,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "approver": waiver.approver,
        "ticket": waiver.ticket,
        "expires": waiver.expires.isoformat(),
        "note": use.note,
    }


def _baseline(use: BaselineUse | None) -> list[tuple[str, str]]:
    if use is None:
        return []
    rows = [
        ("File", f"{use.file}, written {use.written}"),
        ("Known", f"{figures.plural(use.known, 'finding')} of this run: counted and shown, no failure of the gate"),
        ("Fixed", f"{figures.plural(use.fixed, 'entry', 'entries')} that this run no longer finds"),
    ]
    if use.incomparable:
        said = figures.plural(use.incomparable, "finding")
        rows.append(("Unknown", f"{said} about a value that cannot be compared, because the key differs; new here"))
    return rows


def _open(block: figures.PolicyBlock) -> dict[str, Any]:
    whole = {reason for index, reason in block.result.not_evaluated if index < 0}
    reasons = figures.open_reasons(block.result)
    rest = reasons[_REASONS_LISTED:]
    return {
        "id": block.policy.id,
        "title": block.policy.title,
        "rows": [
            (reason, "no object" if reason in whole else f"{count:,}") for reason, count in reasons[:_REASONS_LISTED]
        ],
        "more": f"And {len(rest):,} further reasons for {wording.objects(sum(count for _, count in rest))}."
        if rest
        else "",
    }
