"""The grant that `auditor doctor --grants` prints is enough, and each rule of it is worth what the table of needs says.

A real server in the failing state of every policy (`states`) is read with exactly that grant, then with one rule less
at a time. What the audit then says of each policy and subject is held to `auditor.facts.needs`, and to two clusters
that the missing lists could have described: the real one, and one in which they are empty. A verdict that differs
between the two needed them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.assess import baseline
from auditor.cli import output
from auditor.collectors.kubernetes.kinds import KINDS
from auditor.configuration import Configuration
from auditor.facts import needs
from auditor.model.assessment import Assessment
from auditor.model.collection import CallResult
from auditor.model.settings import SecretsMode
from auditor.model.verdict import Outcome, Severity
from auditor.pipeline import rules as judging
from auditor.pipeline.audit import of_collected
from auditor.pipeline.collected import Collected, open_all
from auditor.pipeline.rules import Rules, Terms
from tests.cli.running import run
from tests.collectors.kubernetes.test_permissions import wait_for
from tests.e2e import live, states
from tests.e2e.live import Verdicts
from tests.e2e.states import FAILING
from tests.facts.builders import WORKLOADS
from tests.pipeline.systems import LIBRARY
from tests.servers.kubernetes import ACCOUNTS, Kubernetes, Setup, running

PAIRS = states.load()
USER = "auditor"
SECRETS = "kubernetes/Secret"
OURS = f"User {USER}@"
"""The identity that reads: its own rights are judged as well, and they are what changes."""
NEEDS = {policy.id: needs.needs(policy.applies_to, policy.texts, WORKLOADS) for policy in LIBRARY}
LISTS = "G-COV-01"
"""Its subjects are the lists themselves."""


@dataclass(slots=True)
class Compared:
    """How much was compared, to be told at the end."""

    rules: int = 0
    lists: int = 0
    verdicts: int = 0
    opened: int = 0
    decided: int = 0
    """Verdicts that the two clusters differ in."""


@dataclass(frozen=True, slots=True)
class Estate:
    """The server, its grant, and what it looks like with the whole of it."""

    kube: Kubernetes
    folder: Path
    granted: Sequence[Mapping[str, Any]]
    rules: Rules
    collected: Collected
    assessment: Assessment
    compared: Compared


def judged(collected: Collected, by: Rules) -> Assessment:
    return of_collected(
        [collected], by, arguments=("x",), digests=(), jobs=1, now=datetime.now(UTC), progress=lambda _: None
    )


def read(kube: Kubernetes, folder: Path, **settings: Any) -> Collected:
    snapshot = live.collect(folder, kube.kubeconfig(USER), **settings)
    (collected,), _ = open_all([snapshot.path])
    return collected


def printed(folder: Path, kube: Kubernetes, **settings: Any) -> list[dict[str, Any]]:
    """Return the objects that `auditor doctor --grants` prints for an identity that has no right yet."""
    source = {"name": live.SOURCE, "kubernetes": {"kubeconfig": str(kube.kubeconfig(USER)), **settings}}
    file = folder / "auditor.yaml"
    file.write_text(json.dumps({"sources": [source]}))
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("sys.stdout", _Said(said))
        assert run(["doctor", "--grants", "--quiet", "--config", file]) == 0
    return [entry for entry in yaml.safe_load_all("".join(said)) if entry]


class _Said:
    def __init__(self, said: list[str]) -> None:
        self.write = said.append

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


@pytest.fixture(scope="module")
def estate(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:  # noqa: ARG001 - skips
    folder = tmp_path_factory.mktemp("grants")
    (folder / "server").mkdir()
    with running(folder / "server", Setup(controllers=ACCOUNTS)) as kube:
        states.define(kube, (entry for pair in PAIRS for state in pair.objects.values() for entry in state))
        states.enter(kube, PAIRS, FAILING)
        granted = printed(folder, kube)
        with kube.admin.having(*granted):
            _until_effective(kube, granted)
            collected = read(kube, folder / "whole")
            # What fails already is known, so that a run with less shows by its exit code alone that it is incomplete.
            first = judged(collected, judging.load(Terms(configuration=Configuration()), now=datetime.now(UTC)))
            (folder / "baseline.json").write_bytes(baseline.write(first))
            terms = Terms(configuration=Configuration(), baseline=folder / "baseline.json")
            by = judging.load(terms, now=datetime.now(UTC))
            yield Estate(kube, folder, granted, by, collected, judged(collected, by), Compared())


def _until_effective(kube: Kubernetes, granted: Sequence[Mapping[str, Any]]) -> None:
    for role in granted:
        for rule in role.get("rules", ()):
            wait_for(kube.api(USER), rule, "", allowed=True)


def exit_code(assessment: Assessment) -> int:
    return output.exit_code(assessment, fail_on=Severity.INFO, allow_incomplete=False)


def test_with_exactly_the_printed_grant_nothing_is_missing(estate: Estate) -> None:
    assert {call.result for call in estate.collected.calls} <= {CallResult.READ, CallResult.NOT_SERVED}
    assert not estate.collected.source.permissions_missing
    assert estate.assessment.complete
    assert exit_code(estate.assessment) == 0
    by_admin = live.collect(estate.folder / "admin", estate.kube.kubeconfig())
    theirs = {resource.id for resource in by_admin.resources()}
    assert theirs == {resource.id for resource in estate.collected.read()}
    assert len(theirs) > 250


def test_without_secrets_the_grant_reads_all_but_secrets(estate: Estate, tmp_path: Path) -> None:
    """The same identity, with the part of the grant alone that this mode prints."""
    granted = printed(tmp_path, estate.kube, secrets="references")
    kept = {entry["metadata"]["name"] for entry in granted}
    (secrets,) = (
        entry for entry in estate.granted if entry["kind"] == "ClusterRole" and entry["metadata"]["name"] not in kept
    )
    assert secrets["rules"] == [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
    with _without(estate, secrets, 0):
        collected = read(estate.kube, tmp_path / "s", secrets=SecretsMode.REFERENCES)
    incomplete = {call.type: call.result for call in collected.calls if not call.complete}
    assert incomplete == {SECRETS: CallResult.NOT_ASKED}
    assert not collected.source.permissions_missing
    after = judged(collected, estate.rules)
    assert exit_code(after) == 0, "the user left them out: the run is whole as it was meant"
    assert after.complete
    assert ("lists left out by the configuration", 1) in after.coverage[0].skipped
    _compare(estate, after, {SECRETS})


def _named(group: str, rule: Mapping[str, Any]) -> bool:
    """Return whether a test's parameter means that rule: by its API group, but Secrets have a rule of their own."""
    own: bool = rule["resources"] == ["secrets"]
    return own if group == "secrets" else not own and rule["apiGroups"] == ["" if group == "core" else group]


GROUPS = ["secrets", *sorted({kind.group or "core" for kind in KINDS})]
"""One rule of the grant each, as far as the server serves the group."""


@pytest.mark.parametrize("group", GROUPS)
def test_with_one_rule_less_exactly_the_verdicts_that_needed_it_are_open(
    group: str, estate: Estate, tmp_path: Path
) -> None:
    found = [
        (role, position, rule)
        for role in estate.granted
        for position, rule in enumerate(role.get("rules", ()))
        if _named(group, rule)
    ]
    if not found:
        assert estate.kube.admin.request("GET", f"/apis/{group}").status == 404, "what is served has a rule"
        return
    ((role, position, rule),) = found
    with _without(estate, role, position):
        wait_for(estate.kube.api(USER), rule, "", allowed=False)
        collected = read(estate.kube, tmp_path / "s")
    unread = {call.type for call in collected.calls if not call.complete}
    assert unread, "no rule is idle"
    assert {call.result for call in collected.calls if not call.complete} == {CallResult.FORBIDDEN}
    after = judged(collected, estate.rules)
    assert not after.complete
    assert exit_code(after) == 3
    assert [one.requirement_id for one in after.requirements if one.outcome is Outcome.PASS] == []
    estate.compared.rules += 1
    estate.compared.lists += len(unread)
    _compare(estate, after, unread)


class _without:  # noqa: N801 - reads as a word
    """Takes one rule out of a role while it is open."""

    def __init__(self, estate: Estate, role: Mapping[str, Any], position: int) -> None:
        self._api = estate.kube.admin
        self._role = dict(role)
        self._less = {**role, "rules": [*role["rules"][:position], *role["rules"][position + 1 :]]}
        self._rule = role["rules"][position]
        self._as = estate.kube.api(USER)

    def __enter__(self) -> None:
        self._api.put(self._less)

    def __exit__(self, *_: object) -> None:
        self._api.put(self._role)
        wait_for(self._as, self._rule, "", allowed=True)


def _compare(estate: Estate, after: Assessment, unread: set[str]) -> None:
    """Hold every verdict without the `unread` lists to what it was, to the table, and to a cluster without objects."""
    before_, after_ = live.verdicts(estate.assessment), live.verdicts(after)
    concerned = {id_: needs.concerned(needed, unread) for id_, needed in NEEDS.items()}
    population = {id_ for id_, (of_population, _) in concerned.items() if of_population}
    joins = {id_ for id_, (_, of_joins) in concerned.items() if of_joins}
    assert _open_as_a_whole(after) == population
    estate.compared.verdicts += len(before_)
    opened = set()
    for key in sorted({*before_, *after_}):
        policy, subject = key
        was, now = (found.get(key, (None, ""))[0] for found in (before_, after_))
        if was is now or not subject or policy == LISTS or OURS in subject:
            continue
        if now is Outcome.NOT_EVALUATED:
            assert policy in population | joins, f"{key} did not need {sorted(unread)}: {after_[key][1]}"
            opened.add(key)
        else:
            assert now is None, f"{key} was {was} and is {now}"
            assert policy in population, f"{key} is gone"
    estate.compared.opened += len(opened)
    if not any(resource.type in unread for resource in estate.collected.read()):
        return
    for key, (was, _) in before_.items():
        empty = _empty(estate, unread).get(key, (None, ""))[0]
        if key in after_ and key[1] and key[0] != LISTS and OURS not in key[1] and empty is not was:
            estate.compared.decided += 1
            assert after_[key][0] is Outcome.NOT_EVALUATED, f"{key} rests on {sorted(unread)}: {was}, without {empty}"


def _open_as_a_whole(assessment: Assessment) -> set[str]:
    """Return the policies that say of themselves that a part of what they judge was not read."""
    return {
        result.policy_id
        for result in assessment.results
        if any(index < 0 and "not read (" in reason for index, reason in result.not_evaluated)
    }


_WORLDS: dict[frozenset[str], Verdicts] = {}


def _empty(estate: Estate, types: set[str]) -> Verdicts:
    """Return what an audit says of the same cluster if it had no objects of `types`."""
    key = frozenset(types)
    if key not in _WORLDS:
        members = [resource for resource in estate.collected.read() if resource.type not in types]
        calls = tuple(
            replace(call, items=0, kept=0, folded=0) if call.type in types else call for call in estate.collected.calls
        )
        world = replace(estate.collected, calls=calls, read=lambda _=None: members)
        _WORLDS[key] = live.verdicts(judged(world, estate.rules))
    return _WORLDS[key]


def test_how_much_was_compared(estate: Estate, capsys: pytest.CaptureFixture[str]) -> None:
    done = estate.compared
    with capsys.disabled():
        print(  # noqa: T201 - the proof's extent
            f"\n{done.rules} rules of the grant taken away one at a time, {done.lists} lists: {done.verdicts:,}"
            f" verdicts compared, {done.opened:,} became open, {done.decided:,} of them decided by the missing objects"
        )
    # The figures are those of this process; that each rule has a test of its own holds for all of them together.
    rules = [rule for role in estate.granted for rule in role.get("rules", ())]
    assert len(rules) >= 40
    assert all(sum(_named(group, rule) for group in GROUPS) == 1 for rule in rules)
