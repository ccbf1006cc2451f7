"""One credential in several places."""

import pickle
from dataclasses import replace
from typing import Any

import pytest

from auditor.facts.copies import copies
from auditor.facts.estate import Estate, merge
from auditor.facts.extent import Extent
from auditor.model.collection import CallResult
from auditor.model.resource import Confidence, LiteralKind, Origin, Place, Resource
from tests.facts.builders import credential, estate, resource

SECRET = "{apiVersion: v1, kind: Secret, metadata: {name: %s, namespace: %s}, stringData: {password: '[redacted]'}}"
PATH = ("stringData", "password")
NAMESPACE = "kubernetes/Namespace"


def secret(name: str, namespace: str, *, file: str = "deploy/app.yaml", **literal: Any) -> Resource:
    return resource(SECRET % (name, namespace or '""'), file=file, literals=[credential(PATH, **literal)])


def environments(*members: Resource) -> list[list[str]]:
    return [[copy["environment"] for copy in fact.body["copies"]] for fact in copies(estate(*members))]


def test_a_value_in_production_and_outside_is_one_fact() -> None:
    (fact,) = copies(estate(secret("db", "shop-dev"), secret("db", "shop-prod")))
    assert fact.type == "fact/shared-value"
    assert fact.id == "fact/shared-value:/kubernetes/Secret:shop-prod/db#/stringData/password"
    assert fact.body == {
        "fingerprint": "f" * 32,
        "rule": "named-credential",
        "unread": "",
        "copies": [
            {
                "environment": "prod",
                "subject": "kubernetes/Secret:shop-prod/db",
                "file": "deploy/app.yaml",
                "path_text": "secret password",
                "source": 0,
            },
            {
                "environment": "non-prod",
                "subject": "kubernetes/Secret:shop-dev/db",
                "file": "deploy/app.yaml",
                "path_text": "secret password",
                "source": 1,
            },
        ],
    }
    assert [what for what, _, _ in fact.related] == ["kubernetes/Secret:shop-prod/db", "kubernetes/Secret:shop-dev/db"]
    assert {path for _, _, path in fact.related} == {PATH}


def test_the_order_of_the_input_does_not_matter() -> None:
    members = [secret("a", "x-dev"), secret("b", "x-prod"), secret("c", "y"), secret("d", "y", fingerprint="0" * 32)]
    members.append(secret("e", "y", fingerprint="0" * 32))
    assert [fact.body for fact in copies(estate(*members))] == [fact.body for fact in copies(estate(*members[::-1]))]


def test_a_value_that_stands_once_is_no_fact() -> None:
    assert copies(estate(secret("a", "x-dev"), secret("b", "x-prod", fingerprint="0" * 32))) == []


def test_several_places_of_unknown_environment_are_a_fact_too() -> None:
    assert environments(secret("a", "shop"), secret("b", "shop")) == [["unknown", "unknown"]]


def test_two_keys_of_one_object_are_one_place() -> None:
    both = resource(
        "{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop-prod}}",
        literals=[credential(("stringData", "a")), credential(("stringData", "b"))],
    )
    assert copies(estate(both)) == []


def test_an_object_repeated_by_an_overlay_is_one_copy() -> None:
    base = secret("db", "shop", file="base/secret.yaml")
    assert copies(estate(base, secret("db", "shop", file="rendered/secret.yaml"))) == []
    assert copies(estate(base, secret("db", "shop", file="overlays/prod/secret.yaml"))) == []


def test_an_object_repeated_in_production_and_outside_is_a_concern() -> None:
    members = [secret("db", "", file=f"{folder}/secret.yaml") for folder in ("base", "overlays/dev", "overlays/prod")]
    assert environments(*members) == [["prod", "non-prod"]]


@pytest.mark.parametrize(
    "literal",
    [
        {"kind": LiteralKind.PUBLIC},
        {"kind": LiteralKind.PLACEHOLDER},
        {"kind": LiteralKind.ENCRYPTED},
        {"confidence": Confidence.POSSIBLE},
        {"fingerprint": ""},
    ],
)
def test_only_credentials_are_compared(literal: dict[str, Any]) -> None:
    assert copies(estate(secret("a", "x-dev", **literal), secret("b", "x-prod", **literal))) == []


def test_labels_of_the_object_then_of_the_namespace_then_names_tell_the_environment() -> None:
    namespace = resource("{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: prod}}}")
    labelled = resource(
        "{apiVersion: v1, kind: Secret, metadata: {name: b, namespace: shop, labels: {environment: qa}}}",
        file="prod/b.yaml",
        literals=[credential(PATH)],
    )
    in_folder = secret("c", "other", file="overlays/dev/c.yaml")
    assert environments(namespace, secret("a", "shop", file="dev/a.yaml"), labelled, in_folder) == [
        ["prod", "non-prod", "non-prod"]
    ]


def test_a_place_is_told_in_words() -> None:
    deployment = resource(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop-prod}}",
        literals=[
            credential(
                ("spec", "template", "spec", "containers", 0, "env", 0, "value"),
                place=Place.ENV,
                key="DB_PASSWORD",
                container="web",
            )
        ],
    )
    (fact,) = copies(estate(deployment, secret("db", "shop-dev")))
    assert [copy["path_text"] for copy in fact.body["copies"]] == ["container web, env DB_PASSWORD", "secret password"]


def test_facts_survive_the_way_between_processes() -> None:
    parts = estate(secret("a", "x-dev"), secret("b", "x-prod"))
    expected = copies(parts)
    assert expected
    assert copies(pickle.loads(pickle.dumps(parts))) == expected  # noqa: S301 - our own bytes


def test_values_of_several_clusters_are_compared_and_a_cluster_says_by_its_name_where_it_belongs() -> None:
    estates = []
    for source in ("prod-eu", "staging"):
        member = replace(secret("db", "shop"), origin=Origin(file=f"kubernetes://{source}/x", line=None, source=source))
        whole = Estate(Extent(source, results={(NAMESPACE, ""): CallResult.READ}))
        whole.add(member)
        estates.append(merge([whole]))
    (fact,) = copies(*estates)
    assert [(copy["environment"], copy["subject"]) for copy in fact.body["copies"]] == [
        ("prod", "kubernetes/Secret:shop/db@prod-eu"),
        ("non-prod", "kubernetes/Secret:shop/db@staging"),
    ]
    assert fact.body["unread"] == "prod-eu: the values of Secrets are not read from a cluster"


def test_a_namespace_that_was_not_read_might_say_by_a_label_what_its_name_does_not() -> None:
    member = replace(secret("db", "shop-dev"), origin=Origin(file="kubernetes://x/y", line=None, source="x"))
    for result, environment in ((CallResult.READ, "non-prod"), (CallResult.FORBIDDEN, "unknown")):
        whole = Estate(Extent("x", results={(NAMESPACE, ""): result}))
        whole.add(member)
        whole.add(replace(member, name="db2"))
        (fact,) = copies(merge([whole]))
        assert {copy["environment"] for copy in fact.body["copies"]} == {environment}
