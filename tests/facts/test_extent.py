"""What the absence of an object proves, and what it does not."""

from datetime import timedelta

import pytest

from auditor.facts.extent import EVERYWHERE, MANIFESTS, of_calls
from auditor.model.collection import COMPLETE, CallResult
from tests.facts.cluster import SOURCE, call

SECRET = "kubernetes/Secret"
INCOMPLETE = sorted(set(CallResult) - COMPLETE)


def test_of_manifests_nothing_is_unread() -> None:
    """They are never a whole cluster, so their policies speak of the input."""
    assert MANIFESTS.unread(SECRET, "shop") == MANIFESTS.unread(SECRET, EVERYWHERE) == ""
    assert not MANIFESTS.live


@pytest.mark.parametrize("result", sorted(COMPLETE))
def test_a_list_that_was_read_and_one_that_is_not_served_prove_absence(result: CallResult) -> None:
    extent = of_calls(SOURCE, [call(SECRET, result)])
    assert extent.unread(SECRET, "shop") == extent.unread(SECRET, EVERYWHERE) == extent.unread_in_scope(SECRET) == ""


@pytest.mark.parametrize("result", INCOMPLETE)
def test_no_other_result_proves_absence(result: CallResult) -> None:
    extent = of_calls(SOURCE, [call(SECRET, result)])
    why = f"prod: the list of Secret was not read ({result.replace('-', ' ')})"
    assert extent.unread(SECRET, "shop") == extent.unread(SECRET, EVERYWHERE) == extent.unread_in_scope(SECRET) == why


def test_a_list_that_nobody_asked_for_proves_nothing() -> None:
    extent = of_calls(SOURCE, [call("kubernetes/Pod")])
    why = "prod: the list of Secret was not read (not asked)"
    assert extent.unread(SECRET, "shop") == extent.unread(SECRET, EVERYWHERE) == extent.unread_in_scope(SECRET) == why


def test_each_namespace_counts_for_itself() -> None:
    extent = of_calls(
        SOURCE,
        [call(SECRET, namespace="shop"), call(SECRET, CallResult.FORBIDDEN, namespace="pay")],
    )
    refused = "prod: the list of Secret in namespace pay was not read (forbidden)"
    assert extent.unread(SECRET, "shop") == ""
    assert extent.unread(SECRET, "pay") == refused
    assert extent.unread(SECRET, EVERYWHERE) == extent.unread_in_scope(SECRET) == refused


def test_what_lies_outside_the_scope_is_unknown_and_no_hole_in_it() -> None:
    extent = of_calls(SOURCE, [call(SECRET, namespace="shop")])
    beyond = "prod: Secret was listed in the namespaces of the scope alone"
    assert extent.unread_in_scope(SECRET) == ""
    assert extent.unread(SECRET, EVERYWHERE) == extent.unread(SECRET, "kube-system") == beyond


def test_a_list_of_the_whole_cluster_that_broke_is_not_mended_by_one_namespace_for_another() -> None:
    extent = of_calls(SOURCE, [call(SECRET, CallResult.CUT), call(SECRET, namespace="shop")])
    assert extent.unread(SECRET, "shop") == ""
    assert extent.unread(SECRET, "pay") == "prod: the list of Secret was not read (cut)"


def test_of_two_runs_the_last_decides() -> None:
    first = call(SECRET, CallResult.INTERRUPTED)
    again = call(SECRET, started=first.started + timedelta(minutes=1))
    assert of_calls(SOURCE, [again, first]).unread(SECRET, "shop") == ""


def test_a_source_that_could_not_be_read_says_so() -> None:
    extent = of_calls(SOURCE, [], failure="no address answered")
    assert extent.unread(SECRET, "shop") == "prod: no address answered"
    assert extent.unread_in_scope(SECRET) == "prod: no address answered"


def test_calls_of_another_source_say_nothing() -> None:
    assert of_calls("dev", [call(SECRET)]).unread(SECRET, "shop")


def test_a_kind_of_a_group_that_was_asked_for_as_a_whole_needs_no_list_of_its_own() -> None:
    """Each constraint template of Gatekeeper makes a kind: those that the group does not serve are not there."""
    kind = "kubernetes/K8sDisallowAnonymous.constraints.gatekeeper.sh"
    group = "kubernetes/*.constraints.gatekeeper.sh"
    assert of_calls(SOURCE, [call(group, CallResult.NOT_SERVED)]).unread(kind, "") == ""
    assert of_calls(SOURCE, [call(group)]).unread_in_scope(kind) == ""
    assert of_calls(SOURCE, [call(group), call(kind, CallResult.FORBIDDEN)]).unread(kind, "")
    assert of_calls(SOURCE, [call(group, CallResult.THROTTLED)]).unread(kind, "")
