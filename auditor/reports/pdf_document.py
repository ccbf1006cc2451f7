"""What the auditor's document says, section by section, as plain data for the template. From the assessment alone."""

from collections.abc import Sequence
from typing import Any

from auditor.model.assessment import Assessment, BaselineUse, WaiverUse
from auditor.model.collection import CallResult
from auditor.model.verdict import Outcome
from auditor.reports import figures, leaks, pdf_findings, pdf_requirements, systems, wording

_TITLE = "Secrets and access assessment"

_TOP = 8

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


def document(assessment: Assessment) -> dict[str, Any]:
    """Return all that the template shows, as plain JSON: numbers as they are printed, texts as they were written."""
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
        "policies": [pdf_requirements.policy(block, assessment) for block in blocks],
        "frameworks": pdf_requirements.frameworks(assessment),
        "findings_lead": pdf_findings.lead(assessment),
        "findings": pdf_findings.findings(blocks, assessment.subjects),
        "waivers": [_waiver(use) for use in assessment.waivers],
        "baseline": _baseline(assessment.baseline),
        "open": pdf_findings.open_verdicts(blocks),
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
        "gaps": pdf_findings.gaps(gaps),
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
