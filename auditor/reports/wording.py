"""How the reports for people say what was tested. Law: a technical test, N of N; never that a requirement is met."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from auditor.model.coverage import Coverage
from auditor.model.framework import Framework, Requirement, RequirementResult
from auditor.model.policy import Condition
from auditor.model.verdict import Outcome, PolicyResult

OUTCOMES = {
    Outcome.FAIL.value: "Failed",
    Outcome.NOT_EVALUATED.value: "Not evaluated",
    Outcome.WAIVED.value: "Waived",
    Outcome.PASS.value: "Passed",
    Outcome.NOT_APPLICABLE.value: "Not applicable",
}

WORST_FIRST = (Outcome.FAIL, Outcome.NOT_EVALUATED, Outcome.WAIVED, Outcome.PASS, Outcome.NOT_APPLICABLE)
"""The order in which verdicts decide about a requirement."""

CONDITIONS = {
    Condition.PROTECTS_ACCOUNT_DATA: "only for keys and assets that protect account data",
    Condition.INTERACTIVE_LOGIN: "only for accounts that allow interactive login",
    Condition.SERVICE_PROVIDER: "only for service providers",
    Condition.USER_ACCOUNT: "only for accounts of people",
    Condition.WORKLOAD_ACCOUNT: "only for accounts of applications and systems",
}

GLOSSARY = (
    ("Verdict", "What one policy says about one object. A finding is a failing verdict on one item of it."),
    ("Population", "Every object that a policy applies to and that was read."),
    ("Direct", "A failure means that a technical element of the requirement is not met for that object."),
    ("Supporting", "Related to the requirement, which is not decided by it."),
    ("Not evaluated", "An input that the verdict needs is missing. It is never counted as passed."),
    ("Not applicable", "The policy says of itself that it does not apply to the object, and why."),
    ("Waived", "Failed, and accepted by a named person until a date. It is never counted as passed."),
    ("Known", "Failed, and held by the baseline: counted and shown, it does not fail the gate."),
    ("Gap", "Something in scope that could not be read."),
    (
        "Fingerprint",
        "Names a finding across runs; it survives moved lines and renamed files.",
    ),
    ("Value fingerprint", "Names the value of a secret by a keyed hash, without revealing it."),
)


def time(moment: datetime) -> str:
    """Return a point of time as people read it, in UTC: `24 November 2026, 21:30 UTC`."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def objects(count: int) -> str:
    """Return `1 object`, `3 objects`."""
    return f"{count:,} object" if count == 1 else f"{count:,} objects"


def population(result: PolicyResult) -> str:
    """Return the counts of a policy in one line: `2 failed, 5 passed of 7 objects`."""
    said = ", ".join(f"{count:,} {word}" for count, word in _groups(result) if count)
    return f"{said} of {objects(result.population)}" if said else "no object to judge"


def policy_conclusion(result: PolicyResult) -> str:
    """Return the one sentence that a policy's result supports."""
    whole = result.population
    if not whole:
        return "There was no object to judge."
    rest = ", ".join(f"{count:,} {word}" for count, word in _groups(result)[:-1] if count)
    passed = f"The technical test passed for {len(result.passed):,} of {objects(whole)}"
    return f"{passed}; {rest}." if rest else f"{passed}."


def _groups(result: PolicyResult) -> tuple[tuple[int, str], ...]:
    return (
        (len(result.failed), "failed"),
        (sum(1 for index, _ in result.not_evaluated if index >= 0), "not evaluated"),
        (len(result.waived), "waived"),
        (len(result.passed), "passed"),
    )


def tally(result: RequirementResult) -> str:
    """Return the counts of a requirement in one line."""
    parts = (
        (result.failed, "failed"),
        (result.not_evaluated, "not evaluated"),
        (result.waived, "waived"),
        (result.passed, "passed"),
    )
    return ", ".join(f"{count:,} {word}" for count, word in parts if count)


def conclusion(result: RequirementResult) -> str:
    """Return what the technical tests say about a requirement, and no more than that."""
    whole = result.passed + result.failed + result.waived + result.not_evaluated
    reason = result.reason[:1].upper() + result.reason[1:]
    if reason and not reason.endswith((".", "!", "?")):
        reason += "."
    match result.outcome:
        case Outcome.PASS:
            return f"Technical tests passed in {result.passed:,} of {whole:,} verdicts."
        case Outcome.FAIL:
            return f"Technical tests failed in {result.failed:,} of {whole:,} verdicts."
        case Outcome.NOT_EVALUATED | Outcome.WAIVED | Outcome.NOT_APPLICABLE:
            return reason


def conditions(requirement: Requirement, result: RequirementResult) -> list[str]:
    """Return when a requirement holds, with what was not declared either way marked as such."""
    every = dict.fromkeys((*requirement.conditions, *result.conditional))
    return [
        CONDITIONS[condition] + (" (whether that holds was not declared)" if condition in result.conditional else "")
        for condition in every
    ]


def requirement_name(key: str, frameworks: Sequence[Framework]) -> str:
    """Return `SOC 2 CC6.1` for `soc2/CC6.1`."""
    id_, _, requirement = key.partition("/")
    title = next((framework.title for framework in frameworks if framework.id == id_), id_)
    return f"{title} {requirement}"


def inventory(coverage: Iterable[Coverage]) -> list[tuple[str, int]]:
    """Return how many objects of each type were met over all sources, by type."""
    met: Counter[str] = Counter()
    for part in coverage:
        met.update(dict(part.by_type))
    return sorted(met.items())


def counts(result: RequirementResult) -> tuple[tuple[str, int], ...]:
    """Return the counts of verdicts by outcome, worst first, as bars show them."""
    return (
        ("fail", result.failed),
        ("not_evaluated", result.not_evaluated),
        ("waived", result.waived),
        ("pass", result.passed),
    )


def contributions(
    result: RequirementResult, results: Mapping[str, PolicyResult], titles: Mapping[str, str]
) -> list[dict[str, str]]:
    """Return what each policy of a requirement says, as the templates show it."""
    return [
        {
            "id": id_,
            "title": titles.get(id_, ""),
            "strength": strength.value,
            "outcome": outcome.value,
            "counts": population(results.get(id_) or PolicyResult(policy_id=id_)),
        }
        for id_, strength, outcome in result.policies
    ]
