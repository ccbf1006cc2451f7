"""The views that a server computes are those of a scan: made-up objects, and policies that say what they see.

Each policy here fails everything, and its message is the view. The objects are random with a fixed seed, from pieces
that are near to what decides.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from auditor.model.verdict import Outcome
from auditor.pipeline import examples
from auditor.policy.document import Example
from tests.policy.admission.made_up import binding, delivered, pod, store
from tests.policy.builders import policy
from tests.policy.guarded import WORKLOADS, Guard, guarded

NOW = datetime(2026, 11, 24, tzinfo=UTC)
EACH = 300
"""Objects a generator."""

SEEN = {
    "T-POD-01": policy("""
      id: T-POD-01
      applies_to: [pod_spec]
      expression: "false"
      message_expression: >-
        variables.subject.type + " " + variables.subject.kind + " " + variables.subject.name + " "
        + variables.subject.namespace + " runs " + variables.component
        + " (" + variables.flags[?"anonymous-auth"].orValue(["-"]).join(",")
        + " " + variables.flags[?"authorization-mode"].orValue(["-"]).join(",")
        + " " + ("audit-log-path" in variables.flags ? variables.flags["audit-log-path"].join(",") : "unlogged")
        + ") as " + variables.service_account.name
        + " app " + variables.pod_metadata.labels[?"app"].orValue("-")
        + " with " + variables.containers.map(c, c.name).join(",")
        + " and " + variables.volumes.filter(v, v.name == "v").map(v, v.name).join(",")
    """),
    "T-REF-01": policy("""
      id: T-REF-01
      applies_to: [pod_spec]
      each: [{ref: variables.secret_refs}]
      expression: "false"
      message_expression: >-
        "[" + ref.via + " " + ref.name + " " + ref.key + " " + ref.container + (ref.optional ? " optional]" : "]")
    """),
    "T-STORE-01": policy("""
      id: T-STORE-01
      applies_to: [store]
      expression: "false"
      message_expression: >-
        variables.subject.type + " refreshed " + variables.refresh.kind + " " + string(variables.refresh.seconds)
        + " from " + variables.backend.provider + " as " + variables.backend.identity
        + (variables.backend.namespace_from_caller ? " of the caller" : "")
    """),
    "T-GRANT-01": policy("""
      id: T-GRANT-01
      applies_to: [fact/kubernetes-grant]
      when: "!object.unbound"
      expression: "false"
      message_expression: >-
        object.principal.kind + " " + object.principal.namespace + " " + object.principal.name + " ("
        + object.principal.key + ")" + (object.principal.system ? " of the platform" : "")
        + (object.principal.open_ended ? " open" : "") + " " + object.scope + " " + object.namespace + " by "
        + object.binding.kind + " " + object.binding.namespace + " " + object.binding.name + " to "
        + object.role.kind + " " + object.role.namespace + " " + object.role.name
    """),
}  # fmt: skip


@pytest.fixture(scope="module")
def guard(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:  # noqa: ARG001 - skips
    """Return a server with the policies above."""
    folder = tmp_path_factory.mktemp("views")
    with guarded(folder, SEEN.values(), namespaces=["default", "shop"], accounts=["web"]) as started:
        makers = {"T-POD-01": pod, "T-REF-01": delivered, "T-STORE-01": store, "T-GRANT-01": binding}
        started.wait_for({id_: make(Random(3)) for id_, make in makers.items()})  # noqa: S311 - test data
        yield started


def said(policy_id: str, object_: Mapping[str, Any]) -> list[str]:
    """Return the different messages of the scan, sorted."""
    example = Example(name="object", outcome=Outcome.FAIL, objects=(object_,))
    result = examples.run_one(SEEN[policy_id], example, workloads=WORKLOADS, now=NOW)
    return sorted(set(result.messages)) if result.outcome is Outcome.FAIL else []


@pytest.mark.parametrize(
    ("policy_id", "make"), [("T-POD-01", pod), ("T-REF-01", delivered), ("T-STORE-01", store), ("T-GRANT-01", binding)]
)
def test_a_server_sees_what_a_scan_sees(guard: Guard, policy_id: str, make: Callable[[Random], dict[str, Any]]) -> None:
    random = Random(f"{policy_id} 1")  # noqa: S311 - test data
    met: set[str] = set()
    for _ in range(EACH):
        object_ = make(random)
        told = guard.tell(object_)
        assert told.refused == "", json.dumps(object_)
        by_scan = said(policy_id, object_)
        by_server = told.warned.get(policy_id, "").removeprefix(f"{policy_id}: ")
        assert sorted(set(filter(None, by_server.split("; ")))) == by_scan, json.dumps(object_)
        met.update(by_scan)
    # So many different views were seen that the comparison means something.
    assert len(met) > 20
