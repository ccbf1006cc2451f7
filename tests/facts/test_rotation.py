"""What a store shows: "not changed since" is proven by what the API keeps, a rotation never is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auditor.facts.estate import Sighting
from auditor.facts.extent import Extent
from auditor.facts.rotation import INVALID_SINCE, SECRET, TOKEN, Held, System, stores
from auditor.model.collection import CallResult
from auditor.model.lifecycle import Store, StoreState
from auditor.model.resource import Origin, Resource

LEAKED = datetime(2024, 3, 1, 10, tzinfo=UTC)
BEFORE, AFTER = "2024-02-01T00:00:00Z", "2024-04-01T00:00:00Z"
NOW = datetime(2024, 6, 1, tzinfo=UTC)
HELD = Held(namespace="shop", name="db", key="password")


def resource(type_: str, name: str, namespace: str = "shop", **body: Any) -> Resource:
    return Resource(
        type=type_,
        name=name,
        namespace=namespace,
        body={"metadata": {"name": name, **body.pop("metadata", {})}, **body},
        origin=Origin(file=f"kubernetes://prod/{name}", line=None, source="prod"),
    )


def secret(name: str = "db", namespace: str = "shop", *, written: str | None = BEFORE, **body: Any) -> Resource:
    metadata = {"creationTimestamp": "2023-01-01T00:00:00Z"} | body.pop("metadata", {})
    return resource(
        SECRET, name, namespace, **{"keys": ["password"], "metadata": metadata, "lastWrite": written} | body
    )


def system(*secrets: Resource, **changes: Any) -> System:
    given: dict[str, Any] = {
        "name": "prod",
        "extent": Extent("prod", "", {(SECRET, ""): CallResult.READ}),
        "moment": NOW,
        "incomparable": "",
        "uses": {},
        "objects": {},
        "secrets": {(one.namespace, one.name): one for one in secrets},
        "makers": {},
        "namespaces": {},
    }
    return System(**given | changes)


def shown(of: System, *, held: Held = HELD, detected: datetime | None = LEAKED) -> Store:
    (store,) = stores("f", [held], of, detected)
    return store


@pytest.mark.parametrize(
    ("given", "state", "proof"),
    [
        (secret(), StoreState.UNCHANGED, "it was last written on 2024-02-01"),
        (secret(written=AFTER), StoreState.WRITTEN, "a changed label moves that time as well"),
        (secret(written=None), StoreState.UNKNOWN, "it has no managedFields"),
        (
            secret(written=AFTER, metadata={"creationTimestamp": AFTER}),
            StoreState.WRITTEN,
            "it was made on 2024-04-01; with which value, nothing says",
        ),
        (secret(written=None, immutable=True), StoreState.UNCHANGED, "it was last written on 2023-01-01"),
        (secret(keys=["other"]), StoreState.UNKNOWN, "the Secret has no such key any more"),
        (secret(keys=None), StoreState.UNCHANGED, "2024-02-01"),
        (secret(written="yesterday"), StoreState.UNKNOWN, "nothing says when"),
    ],
)
def test_a_secret_is_judged_by_when_it_was_written(given: Resource, state: StoreState, proof: str) -> None:
    store = shown(system(given))
    assert (store.state, store.name) == (state, "Secret shop/db, key password")
    assert proof in store.proof


def test_the_days_count_from_detection_to_the_snapshot() -> None:
    assert shown(system(secret())).days == 91
    assert shown(system(secret(), moment=None)).days == -1, "an export does not say when it was taken"
    assert shown(system(secret()), detected=None).days == -1
    assert shown(system(secret()), detected=NOW + timedelta(days=3)).days == 0


def test_without_a_date_of_detection_no_write_can_be_compared() -> None:
    assert shown(system(secret()), detected=None).state is StoreState.UNKNOWN


def test_a_later_detection_makes_a_write_before_it_a_proof() -> None:
    """Written between the commit and the detection: whatever was written then, nothing was changed after it."""
    store = shown(system(secret(written=AFTER)), detected=datetime(2024, 4, 2, tzinfo=UTC))
    assert store.state is StoreState.UNCHANGED


@pytest.mark.parametrize(
    ("type_", "label", "state"),
    [
        (TOKEN, {INVALID_SINCE: "2024-03-02"}, StoreState.REVOKED),
        (TOKEN, {}, StoreState.UNCHANGED),
        ("Opaque", {INVALID_SINCE: "2024-03-02"}, StoreState.UNCHANGED),
    ],
)
def test_a_token_that_the_server_refuses_is_revoked(type_: str, label: dict[str, str], state: StoreState) -> None:
    held = Held(namespace="shop", name="db", key="password", type=TOKEN)
    assert shown(system(secret(type=type_, metadata={"labels": label})), held=held).state is state


@pytest.mark.parametrize(
    ("results", "state", "proof"),
    [
        ({(SECRET, ""): CallResult.READ}, StoreState.MISSING, "prod has no such Secret"),
        ({(SECRET, ""): CallResult.FORBIDDEN}, StoreState.UNKNOWN, "the list of Secret was not read (forbidden)"),
        ({(SECRET, "other"): CallResult.READ}, StoreState.UNKNOWN, "in the namespaces of the scope alone"),
    ],
)
def test_a_secret_that_is_not_there_is_missing_only_where_the_list_was_read(
    results: dict[tuple[str, str], CallResult], state: StoreState, proof: str
) -> None:
    store = shown(system(extent=Extent("prod", "", results)))
    assert store.state is state
    assert proof in store.proof


def test_a_manifest_without_a_namespace_means_the_one_secret_of_that_name() -> None:
    held = Held(namespace="", name="db", key="password")
    assert shown(system(secret()), held=held).name == "Secret shop/db, key password"
    store = shown(system(secret(), secret(namespace="test")), held=held)
    assert store.state is StoreState.UNKNOWN
    assert "shop, test have a Secret of that name" in store.proof


@pytest.mark.parametrize(
    ("maker", "proof"),
    [
        (
            resource("kubernetes/ExternalSecret.external-secrets.io", "db", status={"refreshTime": AFTER}),
            "fetched it again on 2024-04-01 without a change: the store behind it holds the same",
        ),
        (
            resource("kubernetes/ExternalSecret.external-secrets.io", "db", status={"refreshTime": BEFORE}),
            "; ExternalSecret db fills it",
        ),
        (
            resource("kubernetes/Certificate.cert-manager.io", "web", status={"notBefore": BEFORE}),
            "and Certificate web is the one issued on 2024-02-01",
        ),
    ],
)
def test_what_fills_a_secret_says_more_of_what_did_not_change(maker: Resource, proof: str) -> None:
    assert proof in shown(system(secret(), makers={("shop", "db"): maker})).proof


def test_a_value_that_stands_there_is_in_use_whoever_wrote_what() -> None:
    deployment = resource("kubernetes/Deployment", "web", metadata={"labels": {"team": "payments"}})
    sighting = Sighting(
        fingerprint="f", rule="named-credential", environment="", subject=deployment.id, namespace="shop",
        origin=deployment.origin, path=(), label="container web, env DB_PASSWORD",
    )  # fmt: skip
    of = system(uses={"f": [sighting]}, objects={deployment.id: deployment})
    (store,) = stores("f", [], of, None)
    assert (store.state, store.name) == (StoreState.USED, "Deployment shop/web, container web, env DB_PASSWORD")
    assert store.proof == "the very value stands there on 2024-06-01"
    assert store.owners == ("team payments",)
    assert stores("other", [], of, None) == []


def test_an_object_without_an_owner_takes_that_of_its_namespace_and_maker() -> None:
    space = resource("kubernetes/Namespace", "shop", "", metadata={"labels": {"team": "shop"}})
    assert shown(system(secret(), namespaces={"shop": space})).owners == ("team shop (of namespace shop)",)
    made = secret(metadata={"ownerReferences": [{"kind": "ExternalSecret", "name": "db"}]})
    assert shown(system(made, namespaces={"shop": space})).owners == ("made by ExternalSecret db",)
