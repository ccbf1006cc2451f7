"""`auditor secrets lifecycle`: what must happen to each credential that leaked, by whom, and what proves it done.

The steps rest on what was read: files, history, snapshots. What nobody looked at is unknown, never done.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import BinaryIO

from auditor.facts import credentials, leaks
from auditor.model.assessment import Assessment
from auditor.model.lifecycle import Case, Leak, Lifecycle, Spot, Step, StepState, Store, StoreState
from auditor.model.verdict import Outcome, PolicyResult, Severity
from auditor.pipeline import secrets
from auditor.pipeline.judging import Progress
from auditor.pipeline.leaking import Leaked
from auditor.pipeline.secrets import Request
from auditor.redaction.redactor import redact_text
from auditor.reports import figures

POLICY = "L-GIT-02"
_DAYS = "max_days"
_NAMED = 3
"""Places that one sentence names."""
_AGAIN = "`auditor secrets lifecycle` with a later snapshot, made with the same fingerprint key,"
_CHANGED = {Outcome.PASS: StepState.DONE, Outcome.FAIL: StepState.OPEN, Outcome.WAIVED: StepState.OPEN}


def lifecycle(request: Request, *, now: datetime, stdin: BinaryIO, progress: Progress) -> Lifecycle:
    """Return the to-do list for what `request` names. Raises as `secrets.examine`."""
    assessment, leaked = secrets.examine(request, now=now, stdin=stdin, progress=progress)
    assert assessment.leaks is not None  # noqa: S101 - every search has a summary
    result = next((one for one in assessment.results if one.policy_id == POLICY), None)
    return Lifecycle(
        tool_version=assessment.run.tool_version,
        started=assessment.run.started,
        arguments=assessment.run.arguments,
        fingerprint_key_id=assessment.run.fingerprint_key_id,
        leaks=assessment.leaks,
        owners_file=leaked.owners_file,
        systems=tuple((system.name, system.incomparable) for system in leaked.systems),
        max_days=_period(result),
        cases=tuple(cases(assessment, leaked)),
        complete=assessment.complete,
    )


def _period(result: PolicyResult | None) -> str:
    days = next((one for one in result.parameters if one.name == _DAYS), None) if result else None
    return f"{days.value} {days.unit} ({days.origin})" if days else ""


def cases(assessment: Assessment, leaked: Leaked) -> list[Case]:
    """Return what must happen to each credential, worst first; what is accepted last."""
    days = next((int(one.value) for result in assessment.results if result.policy_id == POLICY
                 for one in result.parameters if one.name == _DAYS), None)  # fmt: skip
    verdicts = _verdicts(assessment, leaked.leaks)
    severities, waivers = _findings(assessment)
    ends = {use.waiver.id: use.waiver.expires for use in assessment.waivers}
    found = []
    for leak in leaked.leaks:
        outcome, reason = verdicts[leak.name, leak.fingerprint]
        accepted = waivers.get(leak.fingerprint, ())
        found.append(
            Case(
                leak=leak,
                severity=severities.get(leak.fingerprint, Severity.INFO),
                outcome=outcome,
                reason=reason,
                due=leak.detected.date() + timedelta(days=days) if leak.detected and days is not None else None,
                waivers=tuple(accepted),
                until=min((ends[id_] for id_ in accepted if id_ in ends), default=None),
            )
        )
    return [replace(case, steps=tuple(_steps(case, leaked))) for case in sorted(found, key=_urgency)]


def _urgency(case: Case) -> tuple[object, ...]:
    """Return the sort key: severity, then what is proven overdue, then what stands there still, then the surest."""
    leak = case.leak
    return (
        bool(case.waivers),
        -case.severity.rank,
        case.outcome is not Outcome.FAIL,
        not any(spot.present is not False for spot in leak.spots),
        leak.tier,
        -len(leak.spots),
        leak.since is None,
        leak.since or 0,
        leak.name,
        leak.fingerprint,
    )


def _verdicts(assessment: Assessment, found: Sequence[Leak]) -> dict[tuple[str, str], tuple[Outcome, str]]:
    """Return what the policy says of each leak. Several values may have one name: subjects keep their order."""
    indexes = [index for index, subject in enumerate(assessment.subjects) if subject.type == leaks.FACT]
    ordered = sorted(found, key=lambda leak: (leak.name, leak.spots[0].path, leak.spots[0].line or 0))
    result = next((one for one in assessment.results if one.policy_id == POLICY), PolicyResult(policy_id=POLICY))
    said = _by_subject(assessment, result)
    unsaid = (Outcome.NOT_EVALUATED, f"{POLICY} was not run")
    if len(indexes) != len(ordered):
        return {(leak.name, leak.fingerprint): unsaid for leak in ordered}
    return {
        (leak.name, leak.fingerprint): said.get(index, unsaid) for index, leak in zip(indexes, ordered, strict=True)
    }


def _by_subject(assessment: Assessment, result: PolicyResult) -> dict[int, tuple[Outcome, str]]:
    said = dict.fromkeys(result.passed, (Outcome.PASS, "whoever issued it refuses it"))
    said |= {index: (Outcome.NOT_EVALUATED, reason) for index, reason in result.not_evaluated}
    messages = {one.subject: one.message for one in assessment.findings if one.policy_id == POLICY}
    said |= {index: (Outcome.FAIL, messages.get(index, "")) for index in result.failed}
    return said | {index: (Outcome.WAIVED, messages.get(index, "")) for index in result.waived}


def _findings(assessment: Assessment) -> tuple[dict[str, Severity], dict[str, list[str]]]:
    """Return by value the worst severity of its findings, and the waivers where they accept every place of it."""
    severities: dict[str, Severity] = {}
    waivers: dict[str, list[str]] = {}
    failing: set[str] = set()
    for finding in assessment.findings:
        value, type_ = finding.value_fingerprint, assessment.subjects[finding.subject].type
        if type_ not in {credentials.FACT, leaks.FACT}:
            continue
        severities[value] = max(finding.severity, severities.get(value, finding.severity), key=lambda one: one.rank)
        if finding.outcome is Outcome.FAIL:
            failing.add(value)
        elif finding.waiver_id not in waivers.setdefault(value, []):
            waivers[value].append(finding.waiver_id)
    return severities, {value: ids for value, ids in waivers.items() if value not in failing}


# The steps


def _steps(case: Case, leaked: Leaked) -> Iterator[Step]:
    leak = case.leak
    yield _change(case)
    yield from _uses(leak, leaked)
    yield _files(leak)
    yield _look(leak)
    past = [spot for spot in leak.spots if spot.commit]
    if past:
        yield _history(leak, past)


def _change(case: Case) -> Step:
    leak = case.leak
    secrets_ = [store for store in leak.stores if store.state is not StoreState.USED]
    again = f"A later snapshot shows {secrets_[0].name} of {secrets_[0].source} written since. " if secrets_ else ""
    return Step(
        what=_sentence(leak.remediation),
        state=_CHANGED.get(case.outcome, StepState.UNKNOWN),
        why=_sentence(_overdue(case) or case.reason),
        proof=f"{again}The issuer's own record names the change or revocation and its time; keep it with the ticket.",
        owners=_owners(leak.spots, secrets_),
    )


def _overdue(case: Case) -> str:
    """Return what proves that a credential was not changed in time, and since when that is so; else nothing."""
    same = [store for store in case.leak.stores if store.state in {StoreState.USED, StoreState.UNCHANGED}]
    if case.outcome is not Outcome.FAIL or case.due is None or not same:
        return ""
    worst = max(same, key=lambda store: store.days)
    return f"{worst.source}: {worst.name}: {worst.proof}; the period ended on {case.due.isoformat()}"


def _uses(leak: Leak, leaked: Leaked) -> Iterator[Step]:
    used = [store for store in leak.stores if store.state is StoreState.USED]
    for store in used:
        yield Step(
            what=f"Take it out of {store.name}, in {store.source}: refer to a Secret there, and restart what read it.",
            state=StepState.OPEN,
            why=_sentence(store.proof),
            proof=f"{_AGAIN} does not find the value there any more.",
            owners=store.owners,
        )
    unseen = [f"{system.name}: {system.incomparable}" for system in leaked.systems if system.incomparable]
    if not leaked.systems:
        unseen = ["No snapshot was named, so nobody looked."]
    if unseen or not used:
        yield Step(
            what="Find out what else uses it: live systems, other repositories, people.",
            state=StepState.UNKNOWN,
            why=_sentence(unseen[0]) if unseen else _sentence(_nowhere(leaked)),
            proof=f"{_AGAIN} finds the value nowhere, and the owners name no further use.",
            owners=_owners(leak.spots, ()),
        )


def _nowhere(leaked: Leaked) -> str:
    names = ", ".join(system.name for system in leaked.systems)
    return f"no object of {names} holds the value; the values of Secrets are not read, so there it may stand"


def _files(leak: Leak) -> Step:
    there = [spot for spot in leak.spots if spot.present is not False]
    if not there:
        return Step(
            what="Take it out of the files.",
            state=StepState.DONE,
            why="It stands in no file of the commit that is checked out.",
            proof="`auditor secrets scan` passes for that commit.",
        )
    files = _some([f"{spot.path}:{spot.line}" for spot in there])
    return Step(
        what=f"Take it out of {files}: refer to it there instead of writing it down.",
        state=StepState.OPEN,
        why=f"It stands in {figures.plural(len({spot.path for spot in there}), 'file')} still.",
        proof="`auditor secrets scan` passes for these files, and what reads them works with the new credential.",
        owners=_owners(there, ()),
    )


def _look(leak: Leak) -> Step:
    since = f"since {leak.since.date().isoformat()}" if leak.since else "since it was written down"
    return Step(
        what=f"Look through the access log of what it opens, {since}.",
        state=StepState.UNKNOWN,
        why="No log was read.",
        proof="The log covers that time, and each use of the credential in it has an explanation.",
        owners=_owners(leak.spots, ()),
    )


def _history(leak: Leak, past: Sequence[Spot]) -> Step:
    commits = _some(sorted({spot.commit[:12] for spot in past}))
    return Step(
        what=f"Once it is revoked, accept what the history keeps (first in {commits}): clones cannot be called back.",
        state=StepState.OPEN,
        why=f"{figures.plural(len(past), 'place')} of the history {'holds' if len(past) == 1 else 'hold'} it.",
        proof=f"A waiver names the value {leak.fingerprint} with the ticket of its revocation.",
    )


def _owners(spots: Iterable[Spot], stores: Iterable[Store]) -> tuple[str, ...]:
    named = [owner for spot in spots for owner in spot.owners]
    return tuple(dict.fromkeys([*named, *(owner for store in stores for owner in store.owners)]))


def _some(names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))
    more = f" and {len(shown) - _NAMED:,} more" if len(shown) > _NAMED else ""
    return ", ".join(shown[:_NAMED]) + more


def _sentence(text: str) -> str:
    clean = " ".join(redact_text(text).split())
    # A name keeps its letters: `prod: its fingerprints ...`.
    whole = clean if clean.partition(" ")[0].endswith(":") else clean[:1].upper() + clean[1:]
    return whole if whole.endswith((".", "!", "?")) or not whole else f"{whole}."
