"""Each policy that a cluster can answer, against a real server in the failing and then in the passing state.

All states are entered at once, since they do not meet; so three collections are enough: all that fails, all that
passes, and those whose passing state no API shows, alone. A new policy has a pair in `states/`, or a line below.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from auditor.facts import needs
from auditor.model.verdict import Outcome
from tests.e2e import live, states
from tests.e2e.live import Verdicts
from tests.e2e.states import FAILING, PASSING, Pair
from tests.facts.builders import WORKLOADS
from tests.pipeline.systems import LIBRARY
from tests.servers.kubernetes import ACCOUNTS, Setup, running
from tests.servers.proxy import Exchange, Fault, spoiling

PAIRS = states.load()
ALONE = tuple(pair for pair in PAIRS if pair.open)
"""Their policies find nothing that they could judge in the passing state, so others must not be there."""

NO_PAIR = {
    "G-COV-01": "it judges lists, not objects: below, with an answer that contradicts itself",
    "K-AUD-02": "an audit policy is a file of the API server, which no API serves",
    "K-ENC-02": "an EncryptionConfiguration is a file of the API server, which no API serves",
    "K-SEC-07": "a Dockerfile is a file of a repository",
    "L-CI-01": "CI definitions are files of a repository",
    "L-GIT-01": "a repository is no part of a cluster",
    "L-GIT-02": "a repository is no part of a cluster",
    "L-LOG-01": "a log file is no part of a cluster",
    "L-PAN-01": "card numbers are searched for in files and streams, which are no part of a cluster",
}
"""Policies whose two states are no states of a cluster, and why."""


def test_every_policy_of_the_library_has_its_states_or_a_reason() -> None:
    with_states = {pair.policy for pair in PAIRS}
    library = {policy.id for policy in LIBRARY}
    assert library - with_states - NO_PAIR.keys() == set(), "each has states in states/, or a line in NO_PAIR"
    assert with_states <= library
    assert not with_states & NO_PAIR.keys()
    assert len({pair.id for pair in PAIRS}) == len(PAIRS)


def test_what_has_no_states_asks_nothing_of_the_objects_of_a_cluster() -> None:
    """So the reasons are no excuses."""
    for policy in LIBRARY:
        if policy.id in NO_PAIR and needs.on_cluster(policy.applies_to):
            types = needs.asked(policy.applies_to, WORKLOADS) - needs.asked((), WORKLOADS)
            assert not types, f"{policy.id} judges {sorted(types)}"


@dataclass(frozen=True, slots=True)
class Story:
    """What the audits said of the states, one after the other."""

    failing: Verdicts
    passing: Verdicts
    alone: Verdicts
    spoilt: Verdicts
    changed: tuple[int, ...]
    """Objects that were made or removed for each state."""
    served: int
    """Custom kinds."""


@pytest.fixture(scope="module")
def story(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:  # noqa: ARG001 - skips
    folder = tmp_path_factory.mktemp("states")
    (folder / "server").mkdir()
    parameters = {pair.policy: pair.parameters for pair in PAIRS if pair.parameters}
    with running(folder / "server", Setup(controllers=ACCOUNTS)) as kube:

        def judged(name: str, server: str = "") -> Verdicts:
            snapshot = live.collect(folder / name, kube.kubeconfig(server=server))
            return live.verdicts(live.audit(snapshot.path, parameters=parameters))

        served = states.define(kube, (entry for pair in PAIRS for state in pair.objects.values() for entry in state))
        made = states.enter(kube, PAIRS, FAILING)
        failing = judged("failing")
        changed = states.enter(kube, PAIRS, PASSING, before=FAILING)
        passing = judged("passing")
        with spoiling(kube, Fault("/api/v1/configmaps", _twice)) as proxy:
            spoilt = judged("spoilt", proxy.url)
        states.leave(kube, (pair for pair in PAIRS if pair not in ALONE), PASSING)
        yield Story(failing, passing, judged("alone"), spoilt, (made, changed), served)


def _twice(exchange: Exchange) -> None:
    """Show the first object of each page twice."""
    came = exchange.forward(accept="application/json")
    page = came.json()
    body = {**page, "items": [*page["items"], page["items"][0]]}
    exchange.answer(came.status, json.dumps(body).encode())


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.id)
def test_a_server_in_the_failing_state_fails(pair: Pair, story: Story) -> None:
    entries = live.about(story.failing, pair.policy, pair.names)
    assert {outcome for _, outcome, _ in entries} == {Outcome.FAIL}, live.named(entries)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if not pair.open], ids=lambda pair: pair.id)
def test_the_same_server_in_the_passing_state_passes(pair: Pair, story: Story) -> None:
    entries = live.about(story.passing, pair.policy, pair.names)
    assert {outcome for _, outcome, _ in entries} == {Outcome.PASS}, live.named(entries)


@pytest.mark.parametrize("pair", ALONE, ids=lambda pair: pair.id)
def test_a_state_that_no_api_shows_is_neither_a_pass_nor_a_failure(pair: Pair, story: Story) -> None:
    """The policy as a whole is open, with why, so no requirement passes on it."""
    entries = live.about(story.alone, pair.policy, pair.names)
    assert {outcome for _, outcome, _ in entries} <= {Outcome.NOT_EVALUATED}, live.named(entries)
    outcome, reason = story.alone[pair.policy, ""]
    assert outcome is Outcome.NOT_EVALUATED
    assert reason.startswith("prod: ")


def test_a_list_that_contradicts_itself_fails_and_one_that_does_not_passes(story: Story) -> None:
    def of_config_maps(found: Verdicts) -> list[Outcome]:
        return [outcome for _, outcome, _ in live.about(found, "G-COV-01", "fact/kubernetes-list:/ConfigMap@")]

    assert of_config_maps(story.spoilt) == [Outcome.FAIL]
    assert of_config_maps(story.passing) == [Outcome.PASS]
    others = {outcome for _, outcome, _ in live.about(story.passing, "G-COV-01", "fact/kubernetes-list")}
    assert others == {Outcome.PASS}


def test_verdicts_of_every_policy_turned(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    turned = [key for key, (outcome, _) in story.failing.items() if story.passing.get(key, (outcome, ""))[0] != outcome]
    with capsys.disabled():
        print(  # noqa: T201 - the proof's extent
            f"\n{len(PAIRS)} pairs of states for {len({pair.policy for pair in PAIRS})} policies on a real server"
            f" ({story.served} custom kinds, {sum(story.changed)} objects changed): {len(story.failing):,} and"
            f" {len(story.passing):,} verdicts, {len(turned)} turned"
        )
    assert {policy for policy, _ in turned} >= {pair.policy for pair in PAIRS if not pair.open} - _REPLACED


_REPLACED = {"K-RBAC-05", "K-RBAC-13", "K-TOK-03"}
"""Another principal stands in the binding, so the fact that fails is gone and another one passes."""
