"""One object of the API to a resource: what is kept of it, and that nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collectors import manifests
from auditor.collectors.kubernetes import kinds
from auditor.collectors.kubernetes.kinds import KINDS, How, Kind, by_type
from auditor.collectors.kubernetes.normalise import COPIES, MalformedError, Normaliser, secret_of, too_deep
from auditor.collectors.kubernetes.plan import groups
from auditor.detection.kinds import HELM_PLACES, OF_REFERENCES
from auditor.facts import hosts, issued, owners, sources, writers
from auditor.facts.estate import JOINED_TYPES
from auditor.model.resource import LiteralKind, Origin, Resource
from auditor.model.stores import TYPES as STORES
from tests.collectors.kubernetes.collecting import FINGERPRINTER, WORKLOADS
from tests.pipeline.systems import ASKED
from tests.servers.api import LAST_APPLIED

CANARY = "canary-5d8e1f77c0"
NORMALISER = Normaliser(workloads=WORKLOADS, fingerprint=FINGERPRINTER.of)


def resource(type_: str, body: dict[str, Any]) -> Resource:
    kind = by_type(type_)
    assert kind is not None
    return NORMALISER.resource(kind, type_, body, lambda namespace, name: Origin(file=f"{namespace}/{name}"))


def made(api_version: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "shop"}, **more}


# The table of kinds.


@pytest.mark.parametrize("kind", KINDS, ids=[kind.type for kind in KINDS])
def test_a_row_of_the_table_is_whole(kind: Kind) -> None:
    if kind.plural != "*":
        name = kind.type.removeprefix("kubernetes/").partition(".")[0]
        version = f"{kind.group}/v1" if kind.group else "v1"
        assert manifests.resource_type(version, name) == kind.type, "the manifest reader calls it the same"
    assert by_type(kind.type) == kind
    assert kind.why
    assert 1 <= kind.page <= 500
    assert kind.group in groups()
    assert kind.resource == (f"{kind.plural}.{kind.group}" if kind.group else kind.plural)


def test_no_kind_stands_twice() -> None:
    assert len({kind.type for kind in KINDS}) == len(KINDS)
    assert len({(kind.group, kind.plural) for kind in KINDS}) == len(KINDS)


NOT_SERVED = {
    # Spellings of files and of old servers, beside the one that a server serves today.
    "kubernetes/SecretProviderClass",
    "kubernetes/Ingress.extensions",
    "kubernetes/Gateway.gateway.networking.k8s.io",
    "file/kustomization",
}


@pytest.mark.parametrize(
    "types",
    [ASKED, WORKLOADS.types, sources.TYPES, hosts.TYPES, STORES, JOINED_TYPES, OF_REFERENCES, HELM_PLACES],
    ids=["policies", "workloads", "sources", "hosts", "stores", "joined", "references", "helm"],
)
def test_whatever_the_program_can_read_is_asked_for(types: Any) -> None:
    assert {type_ for type_ in types if by_type(type_) is None} <= NOT_SERVED


def test_every_kind_with_a_pod_spec_has_its_round_and_pods_come_last() -> None:
    rounds = {kind.type: kind.round for kind in KINDS if kind.round is not None}
    assert rounds.keys() == set(WORKLOADS.types)
    assert rounds[kinds.POD] == max(rounds.values())
    for above, below in (("CronJob", "Job"), ("Deployment", "ReplicaSet"), ("ReplicaSet", "Pod"), ("Job", "Pod")):
        assert (rounds[f"kubernetes/{above}"] or 0) < (rounds[f"kubernetes/{below}"] or 0)


def test_secrets_are_never_asked_for_whole() -> None:
    kind = by_type(kinds.SECRET)
    assert kind is not None
    assert kind.how is How.METADATA
    assert all(other.plural != "secrets" for other in KINDS if other is not kind)


# What is kept.


def test_status_is_kept_where_the_table_names_it_and_conditions_without_their_message() -> None:
    status = {
        "refreshTime": "2026-01-01T00:00:00Z",
        "binding": {"name": CANARY},
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "Denied", "message": f"token {CANARY} is bad"},
            3,
        ],
    }
    kept = resource(
        "kubernetes/ExternalSecret.external-secrets.io", made("external-secrets.io/v1", "ExternalSecret", status=status)
    )
    assert kept.body["status"] == {
        "conditions": [{"type": "Ready", "status": "False", "reason": "Denied"}],
        "refreshTime": "2026-01-01T00:00:00Z",
    }
    assert "status" not in resource("kubernetes/Deployment", made("apps/v1", "Deployment", status={"replicas": 1})).body


def test_of_a_node_only_what_is_needed_is_kept() -> None:
    body = made(
        "v1",
        "Node",
        spec={"providerID": "aws:///i-1", "podCIDR": "10.0.0.0/24"},
        status={"nodeInfo": {"kubeletVersion": "v1.36.0"}, "images": [{"names": ["a"]}], "addresses": []},
    )
    del body["metadata"]["namespace"]
    kept = resource("kubernetes/Node", body)
    assert kept.body["spec"] == {"providerID": "aws:///i-1"}
    assert kept.body["status"] == {"nodeInfo": {"kubeletVersion": "v1.36.0"}}
    assert kept.namespace == ""


def test_managed_fields_are_dropped() -> None:
    body = made("rbac.authorization.k8s.io/v1", "Role", rules=[])
    body["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    assert "managedFields" not in resource("kubernetes/Role", body).body["metadata"]


@pytest.mark.parametrize("copy", sorted(COPIES))
@pytest.mark.parametrize("type_", ["kubernetes/Secret", "kubernetes/ConfigMap", "kubernetes/Role", "kubernetes/Pod"])
def test_a_copy_of_the_object_loses_its_value_and_keeps_its_name(copy: str, type_: str) -> None:
    body = made("v1", type_.partition("/")[2])
    body["metadata"]["annotations"] = {copy: f"H4sI{CANARY}AAAA", "team": "value"}
    assert resource(type_, body).body["metadata"]["annotations"] == {copy: "[redacted]", "team": "value"}


def test_what_kubectl_applied_is_a_finding_though_nothing_of_it_is_kept() -> None:
    """K-SEC-05 judges the description of what stood in the annotation, with its fingerprint."""
    applied = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"password": CANARY}}
    body = secret_of("x", "Opaque", 1, {"name": "x", "annotations": {LAST_APPLIED: json.dumps(applied) + "\n"}})
    kept = resource("kubernetes/Secret", body)
    (literal,) = kept.literals
    assert (literal.kind, literal.place.value) == (LiteralKind.CREDENTIAL, "annotation")
    assert literal.fingerprint == FINGERPRINTER.of(CANARY)
    assert literal.path == ("metadata", "annotations", LAST_APPLIED)
    assert CANARY not in json.dumps(kept.body)


def test_a_copy_of_a_value_as_go_writes_it_goes_as_well() -> None:
    """Go's JSON escapes `<`, `>` and `&`: so does kubectl, and whatever else keeps a copy of an object."""
    value = 'Zq7"<canary>&\\x'
    go = json.dumps(value)[1:-1].replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    applied = f'{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"x"}},"stringData":{{"password":"{go}"}}}}'
    annotations = {
        LAST_APPLIED: applied,
        "cert-manager.io/seen": f'[{{"v":"{go}"}}]',
        "argoproj.io/raw": f"({value})",
    }
    kept = resource("kubernetes/Secret", secret_of("x", "Opaque", 1, {"name": "x", "annotations": annotations}))
    assert kept.body["metadata"]["annotations"] == {
        LAST_APPLIED: "[redacted]",
        "cert-manager.io/seen": '[{"v":"[redacted]"}]',
        "argoproj.io/raw": "([redacted])",
    }


ANNOTATIONS = {
    "tool.example/copy": ("a b " * 100, False),
    "meta.helm.sh/long": ("a b " * 100, False),
    "note": ("herring", False),
    "example.com/kubernetes.io": ("herring", False),
    "notkubernetes.io/x": ("herring", False),
    "example.com/rotated-at": ("2026-11-25T10:00:00Z", True),
    "example.com/rotated-on": ("2026-11-25", True),
    "example.com/reload": ("true", True),
    "example.com/pin": ("4711", False),
    "kubernetes.io/service-account.name": ("web", True),
    "cert-manager.io/certificate-name": ("shop", True),
    "meta.helm.sh/release-name": ("shop", True),
    "team": ("payments", True),
    "example.com/Owner": ("payments", True),
}
"""Annotations of a Secret, and whether the value is kept."""


def test_of_annotations_of_a_secret_only_what_somebody_needs_keeps_its_value() -> None:
    """A tool of which nobody has heard may keep a copy, so that no value can be recognised."""
    given = {name: value for name, (value, _) in ANNOTATIONS.items()}
    body = secret_of("x", "Opaque", 1, {"name": "x", "annotations": given})
    assert resource("kubernetes/Secret", body).body["metadata"]["annotations"] == {
        name: value if kept else "[redacted]" for name, (value, kept) in ANNOTATIONS.items()
    }


def test_what_facts_read_of_annotations_is_kept() -> None:
    keys = {*owners._NAMED, *(key for key, _ in (*owners._MADE_BY, *writers._REPOSITORY)), issued._OF_CERTIFICATE}
    for key in {*keys, "kubernetes.io/service-account.name"}:
        body = secret_of("x", "Opaque", 1, {"name": "x", "annotations": {key: "shop"}})
        assert resource("kubernetes/Secret", body).body["metadata"]["annotations"] == {key: "shop"}


# Secrets.


def managed(time: str, *keys: str, manager: str = "kubectl") -> dict[str, Any]:
    fields = {"f:data": {".": {}, **{f"f:{key}": {} for key in keys}}, "f:type": {}}
    return {"manager": manager, "operation": "Update", "time": time, "fieldsType": "FieldsV1", "fieldsV1": fields}


def secret(count: Any, *entries: Any) -> dict[str, Any]:
    metadata = {"name": "db", "namespace": "shop", "managedFields": list(entries)}
    return dict(resource("kubernetes/Secret", secret_of("db", "Opaque", count, metadata)).body)


def test_key_names_and_the_last_write_come_from_the_managers() -> None:
    body = secret(
        3,
        managed("2026-01-02T00:00:00Z", "user", "password"),
        managed("2026-03-04T00:00:00Z", "token", manager="rotator"),
        {"manager": "labeller", "time": "2026-09-09T00:00:00Z", "fieldsV1": {"f:metadata": {"f:labels": {}}}},
    )
    assert body["keys"] == ["password", "token", "user"]
    assert body["keyCount"] == 3
    assert body["lastWrite"] == "2026-03-04T00:00:00Z"
    assert body["managers"] == ["kubectl", "rotator"]


def test_keys_that_the_managers_do_not_name_are_unknown_and_not_none() -> None:
    body = secret(2, managed("2026-01-02T00:00:00Z", "user"))
    assert body["keys"] is None
    assert body["keyCount"] == 2


def test_a_secret_that_nobody_manages() -> None:
    body = dict(resource("kubernetes/Secret", secret_of("db", "Opaque", "0", {"name": "db"})).body)
    assert (body["keys"], body["keyCount"], body["lastWrite"]) == ([], 0, None)
    assert "managers" not in body


@pytest.mark.parametrize("count", [None, "many", 1.5, -1, True, "²", [3]])
def test_a_count_that_is_none_is_unknown(count: Any) -> None:
    assert secret(count)["keyCount"] is None


def test_a_row_whose_object_is_another_one_is_refused() -> None:
    with pytest.raises(MalformedError):
        secret_of("db", "Opaque", 1, {"name": "other"})


# Shapes.

ODD: list[dict[str, Any]] = [
    {},
    {"metadata": None},
    {"metadata": []},
    {"metadata": {}},
    {"metadata": {"name": ""}},
    {"metadata": {"name": 3}},
    {"metadata": {"name": "x", "namespace": 3}},
    {"metadata": {"name": "x", "annotations": [CANARY]}},
    {"metadata": {"name": "x", "annotations": CANARY}},
    {"metadata": {"name": "x", "labels": [CANARY]}},
    {"metadata": {"name": "x"}, "spec": [CANARY]},
    {"metadata": {"name": "x"}, "status": CANARY},
]


@pytest.mark.parametrize("body", ODD, ids=str)
def test_what_has_not_the_shape_of_an_object_is_refused(body: dict[str, Any]) -> None:
    """Nobody would look for credentials where they cannot be."""
    for type_ in ("kubernetes/ConfigMap", "kubernetes/Secret", "kubernetes/Role", "kubernetes/Node"):
        with pytest.raises(MalformedError):
            resource(type_, json.loads(json.dumps(body)))


def test_a_secret_whose_data_is_no_map_is_refused() -> None:
    for data in ([CANARY], CANARY, 7):
        with pytest.raises(MalformedError):
            resource("kubernetes/Secret", made("v1", "Secret", data=data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["spec", "status", "data", "metadata", "containers", "env", "name", "value", "annotations"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    type_=st.sampled_from([kind.type for kind in KINDS if kind.plural != "*"]),
    body=st.dictionaries(st.sampled_from(["spec", "status", "data", "rules", "subjects", "items", "template"]), JSON),
    metadata=JSON,
)
def test_no_shape_of_an_object_makes_it_fail(type_: str, body: dict[str, Any], metadata: Any) -> None:
    """A server may send anything; one odd object must not end a run."""
    metadata = {"name": "x", **metadata} if isinstance(metadata, dict) else metadata
    try:
        kept = resource(type_, {"apiVersion": "v1", "kind": "K", **body, "metadata": metadata})
    except MalformedError:
        return
    json.dumps(kept.body)


def test_depth_is_measured_as_the_search_for_credentials_goes() -> None:
    def nested(depth: int) -> Any:
        return {"a": [nested(depth - 2)]} if depth > 1 else {}

    assert not too_deep(nested(99))
    assert too_deep(nested(111))
    assert not too_deep({"a": list(range(1000))})
