"""The exported policies in a real API server: what they refuse is what `auditor` fails, and nothing else.

All are loaded once with the action `warn`; the `Warning` headers of one request then hold every policy's verdict.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor import data, workloads
from auditor.collectors.manifests import resource_type
from auditor.model.verdict import Outcome
from auditor.pipeline import examples
from auditor.policy import export
from auditor.policy.admission import kinds
from auditor.policy.admission.action import Action
from auditor.policy.document import Example, Policy
from tests.policy.builders import policy
from tests.policy.guarded import LIBRARY, NO_SUCH_KIND, WORKLOADS, Guard, definition, guarded, valid
from tests.servers.api import RefusedError

NOW = datetime(2026, 11, 24, tzinfo=UTC)

PLANS = {policy.id: export.plan(policy, WORKLOADS) for policy in LIBRARY}
EXPORTED = [policy for policy in LIBRARY if not PLANS[policy.id].obstacle]

REFUSED = {
    "K-RBAC-02:service-account-without-namespace-in-an-overlay": "subjects[0].namespace: Required value",
    "K-SEC-05:ingress-annotation-with-a-password-in-a-url": "either `defaultBackend` or `rules` must be specified",
    "K-TOK-01:patch-of-a-workload-that-stands-elsewhere": "spec.template.spec.containers[0].image: Required value",
    "K-TOK-02:without-the-annotation": "annotations[kubernetes.io/service-account.name]: Required value",
}
"""Examples that a server refuses by its own validation, whatever policies there are, and its words."""


def _objects() -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return each different object in the examples of the whole library, by its content, with the first example."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for entry in LIBRARY:
        for example in entry.examples:
            # What a collector makes of an object of a cluster is not what a user sends to it.
            for object_ in () if example.cluster is not None else example.objects:
                found.setdefault(json.dumps(object_, sort_keys=True), (f"{entry.id}:{example.name}", object_))
    return found


OBJECTS = _objects()


@pytest.fixture(scope="module")
def guard(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:  # noqa: ARG001 - skips
    """Return a server with every exported policy."""
    objects = [object_ for _, object_ in OBJECTS.values()]
    named = {object_.get("metadata", {}).get("namespace", "default") for object_ in objects}
    accounts = {name for object_ in objects for name in _accounts(object_)}
    with guarded(
        tmp_path_factory.mktemp("guarded"), EXPORTED, namespaces=named, accounts=accounts, guess=True
    ) as started:
        awaited = [policy for policy in EXPORTED if policy.id not in OPEN_BY_DEFAULT]
        started.wait_for({policy.id: valid(_failing(policy)) for policy in awaited})
        yield started


def _accounts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("serviceAccountName"), str):
            yield node["serviceAccountName"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _accounts(child)


OPEN_BY_DEFAULT = {"G-INV-01"}
"""Fail nothing before the user sets a parameter, so no object of theirs shows when the server has loaded them."""


def _failing(policy: Policy) -> Mapping[str, Any]:
    """Return an object of the policy's own examples that fails it and is of a kind that a server has."""
    for example in policy.examples:
        for object_ in example.objects if example.outcome is Outcome.FAIL else ():
            type_ = f"kubernetes/{object_['kind']}"
            if type_ not in {*kinds.FILES, *kinds.UNSEEN} and _judge(policy, object_):
                return object_
    raise AssertionError(f"{policy.id} has no failing example for a server")


def _judge(policy: Policy, object_: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what `auditor scan` says of the object alone: the messages of its failures, or nothing."""
    example = Example(name="object", outcome=Outcome.PASS, objects=(object_,))
    result = examples.run_one(policy, example, workloads=WORKLOADS, now=NOW)
    return result.messages if result.outcome is Outcome.FAIL else ()


def _covered(policy: Policy, object_: Mapping[str, Any]) -> bool:
    """Return whether the exported policy is asked about objects of that kind at all."""
    type_ = resource_type(object_["apiVersion"], object_["kind"])
    return any(entry.type == type_ for part in PLANS[policy.id].parts for entry in part.admitted)


def test_the_server_and_the_scan_agree_on_every_object_of_every_example(
    guard: Guard, capsys: pytest.CaptureFixture[str]
) -> None:
    compared = warned = 0
    differences, refused, unknown = [], {}, set()
    for name, object_ in OBJECTS.values():
        filled = valid(object_)
        told = guard.tell(filled)
        if told.refused == NO_SUCH_KIND:
            unknown.add(resource_type(object_["apiVersion"], object_["kind"]))
        elif told.refused:
            refused[name] = told.refused
        else:
            for policy in EXPORTED:
                by_server = told.warned.get(policy.id, "")
                by_scan = _judge(policy, filled) if _covered(policy, filled) else ()
                compared += 1
                warned += bool(by_server)
                if sorted(by_scan) != sorted(filter(None, by_server.removeprefix(f"{policy.id}: ").split("; "))):
                    differences.append((policy.id, name, by_scan, by_server))
    with capsys.disabled():
        print(  # noqa: T201 - the figure is what the test is for
            f"\n{compared} verdicts of {len(EXPORTED)} exported policies compared with a server's, {warned} of them "
            f"failures: {len(differences)} differences; {len(refused)} examples refused by the server itself"
        )
    assert differences == []
    assert set(refused) == set(REFUSED)
    assert [words for name, words in REFUSED.items() if words not in refused[name]] == []
    own = {type_ for policy in EXPORTED for type_ in policy.applies_to}
    assert unknown & own <= set(kinds.FILES)
    assert warned > 50


def test_a_policy_still_answers_for_a_pod_of_many_containers_and_volumes(guard: Guard) -> None:
    """An expression that costs more than a server grants has no answer, and then the object would pass."""
    names = [f"v{index}" for index in range(40)]
    volumes: list[dict[str, Any]] = [{"name": name, "emptyDir": {}} for name in names]
    volumes[-1] = {"name": names[-1], "hostPath": {"path": "/var/lib/kubelet"}}

    def container(name: str, mounted: Sequence[str]) -> dict[str, Any]:
        mounts = [{"name": volume, "mountPath": f"/{volume}"} for volume in mounted]
        return {"name": name, "image": "web", "volumeMounts": mounts}

    containers = [container(f"c{index}", names[:-1]) for index in range(20)]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "large", "namespace": "default"},
        "spec": {"containers": [*containers, container("last", names)], "volumes": volumes},
    }
    assert "container last mounts /var/lib/kubelet" in guard.tell(pod).warned["K-SEC-11"]


def config(name: str, data: Mapping[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    body = {} if data is None else {"data": dict(data)}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop", **metadata},
        **body,
    }


def test_only_a_failure_is_refused(servers: None, tmp_path: Path) -> None:  # noqa: ARG001 - skips
    """What is not applicable, undecided or in error is let through: none of it is a failure."""
    refusing = policy("""
      applies_to: [kubernetes/ConfigMap]
      params: {level: {default: good, unit: "", origin: tool-default, reference: a test}}
      when: object.metadata.name.startsWith("judged")
      undecided:
        - {when: '"unsure" in object.data', reason: '"nobody knows"'}
      each: [{key: object.data}]
      expression: object.data[key] == params.level
      message_expression: key + " is not " + params.level
    """)
    bad = config("judged-bad", {"a": "good", "b": "bad", "c": "bad"})
    with guarded(tmp_path, [refusing], namespaces=["shop"], action=Action.DENY) as guard:
        api = guard.kube.admin
        limit = time.monotonic() + 30
        while not (told := guard.tell(bad)).refused:
            assert time.monotonic() < limit
        # A server walks a map in any order.
        _, _, told_items = told.refused.partition("denied request: T-01: ")
        assert sorted(told_items.split("; ")) == ["b is not good", "c is not good"]
        passing = [
            config("judged-good", {"a": "good"}, finalizers=["tests.example/wait"]),
            config("judged-unsure", {"a": "bad", "unsure": "yes"}),
            config("judged-error"),
            config("other", {"a": "bad"}),
        ]
        for object_ in passing:
            api.create(object_)
        changed = config("judged-good", {"a": "bad"})
        with pytest.raises(RefusedError, match="a is not good"):
            api.put(changed)
        # What is on its way out must be able to go, whatever it holds.
        api.delete(changed)
        api.patch(changed, {"data": {"a": "bad"}, "metadata": {"finalizers": None}})
        assert api.request("GET", api.path_of(changed)).status == 404


def test_what_only_audits_stands_in_the_audit_log(servers: None, tmp_path: Path) -> None:  # noqa: ARG001 - skips
    noting = policy("{applies_to: [kubernetes/ConfigMap], expression: '!(\"bad\" in object.?data.orValue({}))'}")
    key = "validation.policy.admission.k8s.io/validation_failure"
    with guarded(tmp_path, [noting], namespaces=["shop"], action=Action.AUDIT) as guard:
        limit = time.monotonic() + 30
        found: list[Any] = []
        while not found:
            assert time.monotonic() < limit
            told = guard.tell(config("c", {"bad": "1"}))
            assert (told.refused, told.warned) == ("", {})
            found = [event for event in guard.kube.audit_events() if key in event.get("annotations", {})]
        (failure,) = json.loads(found[0]["annotations"][key])
        assert (failure["policy"], failure["message"]) == ("t-01-test", "T-01: no")


def test_kinds_of_unknown_plural_and_of_any_kind_are_matched(servers: None, tmp_path: Path) -> None:  # noqa: ARG001
    """The kind decides where only its group is known; other kinds of the group are not judged."""
    widget = policy("{id: T-01, applies_to: [kubernetes/Widget.tests.example], expression: 'false'}")
    every = policy("{id: T-02, applies_to: [object], expression: '!object.metadata.name.startsWith(\"bad\")'}")
    with guarded(tmp_path, [widget, every], namespaces=["shop"]) as guard:
        for kind in ("Widget", "Gadget"):
            guard.kube.admin.create(definition("tests.example", kind, f"{kind.lower()}s"))
        made = [
            {"apiVersion": "tests.example/v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}}
            for kind, name in (("Widget", "bad"), ("Gadget", "bad"), ("Widget", "good"), ("Gadget", "good"))
        ]
        limit = time.monotonic() + 30
        while guard.tell(made[0]).warned.keys() != {"T-01", "T-02"}:
            assert time.monotonic() < limit
        assert [set(guard.tell(object_).warned) for object_ in made] == [{"T-01", "T-02"}, {"T-02"}, {"T-01"}, set()]
        assert set(guard.tell(config("bad")).warned) == {"T-02"}


def test_a_kind_of_the_users_with_a_pod_spec_is_judged_where_it_keeps_it(
    servers: None,  # noqa: ARG001 - skips
    tmp_path: Path,
) -> None:
    own = [("kubernetes/App.tests.example", ("spec", "pod")), ("kubernetes/Job.tests.example", ("spec", "run"))]
    table = workloads.load(data.policies() / "workloads.yaml", own)
    seeing = policy("""
      applies_to: [pod_spec]
      each: [{container: variables.containers}]
      expression: container.name != "bad"
      message_expression: container.name
    """)
    pod = {"containers": [{"name": "bad", "image": "web"}]}
    job = {"template": {"spec": {**pod, "restartPolicy": "Never"}}}
    with guarded(tmp_path, [seeing], namespaces=["shop"], table=table) as guard:
        for kind in ("App", "Job", "Other"):
            guard.kube.admin.create(definition("tests.example", kind, f"{kind.lower()}s"))
        metadata = {"name": "web", "namespace": "shop"}
        made: dict[str, dict[str, Any]] = {
            "app": {"apiVersion": "tests.example/v1", "kind": "App", "spec": {"pod": pod}},
            "other": {
                "apiVersion": "tests.example/v1",
                "kind": "Other",
                "spec": {"pod": pod, "template": {"spec": pod}},
            },
            "own job": {"apiVersion": "tests.example/v1", "kind": "Job", "spec": {"run": pod}},
            "job": {"apiVersion": "batch/v1", "kind": "Job", "spec": job},
        }
        made = {name: {**object_, "metadata": metadata} for name, object_ in made.items()}
        limit = time.monotonic() + 30
        while not guard.tell(made["job"]).warned or any(guard.tell(object_).refused for object_ in made.values()):
            assert time.monotonic() < limit
        assert [name for name, object_ in made.items() if guard.tell(object_).warned] == ["app", "own job", "job"]
