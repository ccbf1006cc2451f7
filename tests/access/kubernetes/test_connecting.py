"""Entering a pod: `get` was enough before 1.35, and since then `create` is asked for, too."""

import pytest

from auditor.access.kubernetes import connecting
from auditor.access.kubernetes.answers import DoubtKind
from auditor.access.kubernetes.dialect import Authoriser, Dialect
from auditor.access.kubernetes.evaluator import Evaluator
from tests.access.kubernetes.builders import ALICE, TO_ALICE, binding, evaluator, request, role, rule

ENTER = request("create", "pods/exec", namespace="n", name="p")


def cluster(verb: str, version: tuple[int, int] | None) -> Evaluator:
    dialect = Dialect(version=version, authorisers=(Authoriser.RBAC,))
    return evaluator(
        role("r", rule(verb, "pods/exec")), binding("b", "ClusterRole", "r", [TO_ALICE]), dialect=dialect, live=True
    )


@pytest.mark.parametrize(("version", "answer"), [((1, 34), "allow"), ((1, 35), "deny"), (None, "unknown")])
def test_by_get_depends_on_the_version(version: tuple[int, int] | None, answer: str) -> None:
    """K7."""
    decision = connecting.decide(cluster("get", version), ALICE, ENTER)
    assert decision.answer == answer
    assert [doubt.kind for doubt in decision.doubts] == ([DoubtKind.VERSION] if answer == "unknown" else [])


@pytest.mark.parametrize("version", [(1, 34), (1, 36), None])
@pytest.mark.parametrize(("verb", "answer"), [("create", "allow"), ("delete", "deny")])
def test_by_create_does_not(version: tuple[int, int] | None, verb: str, answer: str) -> None:
    assert connecting.decide(cluster(verb, version), ALICE, ENTER).answer == answer


@pytest.mark.parametrize(
    ("verb", "resource", "applies"),
    [
        ("get", "pods/exec", True),
        ("create", "pods/attach", True),
        ("create", "pods/portforward", True),
        ("delete", "pods/exec", False),
        ("get", "pods/log", False),
        ("get", "pods", False),
        ("get", "nodes/exec", False),
    ],
)
def test_it_is_about_three_subresources_of_pods(verb: str, resource: str, *, applies: bool) -> None:
    assert connecting.applies(request(verb, resource)) is applies
