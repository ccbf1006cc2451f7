"""What policies see, as `docs/views.md` promises it."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts import sources
from auditor.facts.copies import copies
from auditor.facts.estate import JOINED_TYPES
from auditor.facts.views import NAMES, views
from auditor.model.resource import Confidence, Literal, LiteralKind, Origin, Place, Resource, parse_pointer
from auditor.model.stores import TYPES as STORE_TYPES
from tests.facts.builders import NOW, WORKLOADS, credential, estate, pod, resource, see, variables

PAGE = (Path(__file__).parents[2] / "docs" / "views.md").read_text(encoding="utf-8")


def promised(heading: str) -> set[str]:
    """Return the variables in the table below a heading of the page."""
    section = PAGE.split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE))


COMMON = promised("Every resource")

EXAMPLES = {
    "`pod_spec`": "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: []}}",
    "`kubernetes/Secret`": "{apiVersion: v1, kind: Secret, metadata: {name: s}}",
    "`store`": "{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: e}}",
}


@pytest.mark.parametrize("heading", EXAMPLES)
def test_the_page_and_the_program_name_the_same_variables(heading: str) -> None:
    assert set(variables(EXAMPLES[heading])) == COMMON | promised(heading)


def test_every_view_is_on_the_page() -> None:
    assert all(f"## `{name}`" in PAGE for name in NAMES)


def test_kinds_and_sources_of_the_program_are_on_the_page() -> None:
    assert all(f"`{word}`" in PAGE for word in (*sources.PREFERENCE, sources.UNKNOWN))


def test_an_object_without_a_name_can_be_spoken_of() -> None:
    seen = see(resource("{apiVersion: v1, kind: ConfigMap, metadata: {}}"))
    assert seen.variables["subject"]["name"] == "without a name"


def test_subject_and_literals_are_always_there() -> None:
    literal = credential(("data", "a/b"), place=Place.CONFIG)
    seen = see(resource("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}}", literals=[literal]))
    assert seen.names == {"object"}
    assert seen.variables == {
        "subject": {
            "type": "kubernetes/ConfigMap",
            "kind": "ConfigMap",
            "name": "c",
            "namespace": "shop",
            "source": "",
        },
        "cluster": {"minor": 0, "provider": ""},
        "literals": [
            {
                "place": "config",
                "key": "a/b",
                "kind": "credential",
                "rule": "named-credential",
                "confidence": "likely",
                "fingerprint": "f" * 32,
                "length": 12,
                "container": "",
                "path": "/data/a~1b",
            }
        ],
    }


def test_the_kind_of_a_custom_resource_and_of_a_fact_is_its_bare_name() -> None:
    def kind(type_: str) -> str:
        fact = Resource(type=type_, name="x", body={}, origin=Origin(file="x"))
        return str(see(fact).variables["subject"]["kind"])

    assert kind("kubernetes/Rollout.argoproj.io") == "Rollout"
    assert kind("fact/shared-value") == "shared-value"
    assert kind("file/Dockerfile") == "Dockerfile"


def test_containers_and_volumes_carry_their_paths() -> None:
    seen = see(
        resource(
            """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web, odd: 3}, annotations: null}
    spec:
      containers: [{name: a}, null, {name: b}]
      initContainers: [{name: c}]
      volumes: [text, {name: v, emptyDir: {}}]
"""
        )
    )
    spec = ("spec", "template", "spec")
    assert seen.names == {"object", "pod_spec"}
    assert [container["name"] for container in seen.variables["containers"]] == ["a", "b", "c"]
    assert seen.paths["containers"] == (
        (*spec, "containers", 0),
        (*spec, "containers", 2),
        (*spec, "initContainers", 0),
    )
    assert seen.variables["volumes"] == [{"name": "v", "emptyDir": {}}]
    assert seen.paths["volumes"] == ((*spec, "volumes", 1),)
    assert seen.variables["pod_metadata"] == {"labels": {"app": "web"}, "annotations": {}}


def test_null_is_absent_as_for_kubernetes() -> None:
    seen = pod(
        "{containers: [{name: a, env: null, resources: {limits: null}, ports: [null, {name: null}]}],"
        " securityContext: {runAsUser: null}, hostNetwork: null}"
    )
    assert seen["containers"] == [{"name": "a", "resources": {}, "ports": [None, {}]}]
    assert {key: seen["pod"][key] for key in seen["pod"] if key != "containers"} == {"securityContext": {}}


def test_the_body_is_never_written_to() -> None:
    subject = resource("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, env: null}]}}")
    before = json.dumps(subject.body)
    see(subject)
    assert json.dumps(subject.body) == before


def test_a_fact_sees_what_every_resource_sees() -> None:
    shared = [
        resource(f"{{apiVersion: v1, kind: Secret, metadata: {{name: {name}}}}}", literals=[credential(("data", "a"))])
        for name in "ab"
    ]
    (fact,) = copies(estate(*shared))
    assert set(see(fact).variables) == COMMON


_KEYS = (
    "metadata",
    "spec",
    "template",
    "containers",
    "initContainers",
    "env",
    "envFrom",
    "valueFrom",
    "secretKeyRef",
    "secretRef",
    "name",
    "key",
    "volumes",
    "secret",
    "projected",
    "sources",
    "csi",
    "driver",
    "annotations",
    "labels",
    "command",
    "args",
    "image",
    "imagePullSecrets",
    "provider",
    "auth",
    "aws",
    "vault",
    "kubernetes",
    "azurekv",
    "serviceAccountRef",
    "namespace",
    "refreshInterval",
    "data",
    "stringData",
    "tls.crt",
    "sops",
    "tls",
    "hosts",
    "rules",
    "host",
    "secretName",
    "listeners",
    "hostname",
    "certificateRefs",
    "subjects",
    "roleRef",
    "kind",
    "serviceAccountName",
    "automountServiceAccountToken",
    "templates",
    "steps",
    "target",
    "destination",
    "secretObjects",
    "parameters",
    "method",
    "creationTimestamp",
    "ownerReferences",
    "secretGenerator",
    "azureFile",
    "cephfs",
    "nodePublishSecretRef",
)
"""Keys that the views look for."""

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(_KEYS) | st.text(max_size=4),
            children,
            max_size=6,
        )
    ),
    max_leaves=25,
)
_types = st.sampled_from(
    sorted({*WORKLOADS.types, *JOINED_TYPES, *STORE_TYPES, *estate().joined, "kubernetes/Secret", "file/kustomization"})
)


def _at(path: tuple[str | int, ...], body: Any) -> Any:
    """Return a body with `body` at `path`, so that the interesting places are reached."""
    for step in reversed(path):
        body = {step: body}
    return body


@st.composite
def _resources(draw: st.DrawFn) -> Resource:
    type_ = draw(_types)
    workload = WORKLOADS.of(type_)
    body: Any = draw(_json)
    if workload and draw(st.booleans()):
        body = _at(workload.pod, {"containers": body, "volumes": draw(_json), "serviceAccountName": draw(_json)})
    elif draw(st.booleans()):
        body = {"spec": body, "metadata": draw(_json), "data": draw(_json)}
    return Resource(
        type=type_,
        name=draw(st.sampled_from(["a", "b", ""])),
        namespace=draw(st.sampled_from(["", "x"])),
        body=body,
        origin=Origin(file=draw(st.sampled_from(["a.yaml", "x/b.yaml", "-"]))),
    )


def _plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_plain, value))
    return value is None or isinstance(value, (str, int, float, bool))


def _reaches(body: Any, path: tuple[str | int, ...]) -> bool:
    for step in path:
        if isinstance(body, list) and isinstance(step, int) and step < len(body):
            body = body[step]
        elif isinstance(body, dict) and str(step) in body:
            body = body[str(step)]
        else:
            return False
    return True


@given(subject=_resources(), others=st.lists(_resources(), max_size=3))
def test_no_shape_of_input_fails_and_every_place_exists(subject: Resource, others: list[Resource]) -> None:
    built = estate(subject, *others)
    seen = views(subject, built, workloads=WORKLOADS, now=NOW)
    assert _plain(dict(seen.variables))
    assert set(seen.variables) >= COMMON
    assert seen.names <= NAMES
    for name, paths in seen.paths.items():
        assert len(paths) == len(seen.variables[name])
        assert all(_reaches(subject.body, path) for path in paths)
    computed = [item for name in ("secret_refs", "deliveries", "certificates") for item in seen.variables.get(name, ())]
    assert all(_reaches(subject.body, parse_pointer(item["path"])) for item in computed)


@given(
    literal=st.builds(
        Literal,
        path=st.tuples(st.text(max_size=3), st.integers(0, 3)),
        place=st.sampled_from(Place),
        key=st.text(max_size=4),
        kind=st.sampled_from(LiteralKind),
        rule=st.just("r"),
        confidence=st.sampled_from(Confidence),
        fingerprint=st.sampled_from(["", "f" * 32]),
        length=st.integers(0, 9),
    )
)
def test_literals_are_plain_data(literal: Literal) -> None:
    subject = Resource(type="kubernetes/Pod", name="p", body={}, origin=Origin(file="p"), literals=(literal,))
    (seen,) = views(subject, estate(), workloads=WORKLOADS, now=datetime(2026, 1, 1, tzinfo=UTC)).variables["literals"]
    assert json.loads(json.dumps(seen)) == seen
    assert all(type(value) in {str, int} for value in seen.values())


def test_a_pod_of_the_control_plane_says_so() -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, command: [%s]}]}}"
    assert see(resource(pod % "kube-apiserver")).names == {"object", "pod_spec", "control_plane"}
    assert see(resource(pod % "nginx")).names == {"object", "pod_spec"}
