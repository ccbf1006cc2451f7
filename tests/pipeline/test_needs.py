"""One list at a time is not read: the verdicts that needed it become open, and no others change.

The table of `auditor.facts.needs` is what `auditor doctor` tells before a collection. Here it is held, for every type
that the library needs and for every policy, to what an audit says afterwards.
"""

from collections.abc import Mapping
from functools import cache

import pytest

from auditor.configuration import Configuration
from auditor.facts import needs
from auditor.model.collection import CallResult
from auditor.model.verdict import Outcome
from auditor.pipeline import rules
from auditor.pipeline.audit import of_collected
from auditor.pipeline.rules import Terms
from auditor.policy.document import Policy
from tests.facts.builders import WORKLOADS
from tests.pipeline.systems import ASKED, LIBRARY, NOW, collected

Verdicts = Mapping[tuple[str, str], Outcome]
"""Policy and subject to outcome; subject empty for what is open as a whole."""


@cache
def table() -> dict[str, needs.Needs]:
    return {policy.id: needs.needs(policy.applies_to, policy.texts, WORKLOADS) for policy in LIBRARY}


@cache
def verdicts(unread: str = "") -> tuple[Verdicts, frozenset[str]]:
    """Return every verdict with the list of type `unread` refused, and the policies that are open as a whole for it."""
    holes = {unread: CallResult.FORBIDDEN} if unread else {}
    judged_by = rules.load(Terms(configuration=Configuration()), now=NOW)
    assessment = of_collected(
        [collected(unread=holes)], judged_by, arguments=("x",), digests=(), jobs=1, now=NOW, progress=lambda _: None
    )
    ids = [subject.id for subject in assessment.subjects]
    found: dict[tuple[str, str], Outcome] = {}
    whole: set[str] = set()
    for result in assessment.results:
        for outcome, indexes in (
            (Outcome.PASS, result.passed),
            (Outcome.FAIL, result.failed),
            (Outcome.NOT_EVALUATED, [index for index, _ in result.not_evaluated if index >= 0]),
        ):
            found.update({(result.policy_id, ids[index]): outcome for index in indexes})
        kind = unread.partition("/")[2]
        if any(index < 0 and f"the list of {kind} was not read" in why for index, why in result.not_evaluated):
            whole.add(result.policy_id)
    assert assessment.complete is not bool(unread)
    return found, frozenset(whole)


def test_the_made_up_cluster_is_read_as_a_whole_and_has_something_to_say_about() -> None:
    found, whole = verdicts()
    assert whole == frozenset()
    assert {Outcome.PASS, Outcome.FAIL} <= set(found.values())


@pytest.mark.parametrize("unread", sorted(ASKED))
def test_the_table_names_whose_population_was_not_read(unread: str) -> None:
    _, whole = verdicts(unread)
    named = {id_ for id_, needed in table().items() if needs.concerned(needed, {unread})[0]}
    assert whole == named


@pytest.mark.parametrize("unread", sorted(ASKED))
def test_no_verdict_turns_into_another_but_into_an_open_one(unread: str) -> None:
    before, after = verdicts()[0], verdicts(unread)[0]
    for key in before.keys() & after.keys():
        assert after[key] in {before[key], Outcome.NOT_EVALUATED}, key
    # What is new is only what nobody can say any more: roles that may be bound by what was not read, verdicts of
    # which not even whether they apply is known.
    assert {after[key] for key in after.keys() - before.keys()} <= {Outcome.NOT_EVALUATED}


@pytest.mark.parametrize("unread", sorted(ASKED))
def test_verdicts_that_are_gone_were_about_what_was_not_read(unread: str) -> None:
    before, after = verdicts()[0], verdicts(unread)[0]
    concerned = {id_ for id_, needed in table().items() if needs.concerned(needed, {unread})[0]}
    assert {policy for policy, _ in before.keys() - after.keys()} <= concerned


@pytest.mark.parametrize("unread", sorted(ASKED))
def test_the_table_names_every_policy_whose_verdicts_about_others_become_open_and_no_more(unread: str) -> None:
    before, after = verdicts()[0], verdicts(unread)[0]
    opened = {
        policy
        for (policy, subject), outcome in after.items()
        if outcome is Outcome.NOT_EVALUATED and before.get((policy, subject)) is not outcome
        # The list itself is what was not read.
        if not subject.startswith("fact/kubernetes-list")
    }
    population = {id_ for id_, needed in table().items() if needs.concerned(needed, {unread})[0]}
    joins = {id_ for id_, needed in table().items() if needs.concerned(needed, {unread})[1]}
    assert opened - population <= joins
    assert joins <= opened, "the table names a need that this cluster does not show"


def test_every_policy_is_in_the_table() -> None:
    def asks(policy: Policy) -> bool:
        return needs.on_cluster(policy.applies_to)

    without = {policy.id for policy in LIBRARY if asks(policy) and not table()[policy.id].population}
    assert without == {"K-AUD-02", "K-ENC-02", "G-COV-01"}, (
        "about files that no API serves, and about the lists themselves"
    )
