"""A resource comes back from its line as it was, whatever stands in it."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.decoding import WrongError
from auditor.model.resource import REDACTED, Origin, Resource
from auditor.snapshot import lines
from tests.snapshot.builders import literal, resource

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | TEXT
BODIES = st.dictionaries(
    TEXT,
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)),
    max_size=5,
)


@given(BODIES, TEXT, TEXT)
def test_every_body_survives_the_round_trip(body: dict[str, Any], name: str, namespace: str) -> None:
    whole = Resource(
        type="kubernetes/X",
        name=name,
        namespace=namespace,
        body={key: _finite(entry) for key, entry in body.items()},
        origin=Origin(file="kubernetes://prod/x", line=None, source="prod"),
    )
    line = lines.encode(whole)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert lines.decode(line) == whole


def _finite(value: Any) -> Any:
    """JSON has no infinity; that such a number becomes null is tested on its own."""
    if isinstance(value, float):
        return value if math.isfinite(value) else 0.0
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list) else value


def test_literals_and_every_part_of_an_origin_come_back() -> None:
    whole = Resource(
        type="kubernetes/ConfigMap",
        name="c",
        body={"data": {"password": REDACTED}},
        origin=Origin(
            file="dumps/all.json", document=2, line=7, prefix=("items", 3), rendered_from="Helm chart x", source="old"
        ),
        literals=(literal(), literal("")),
    )
    assert lines.decode(lines.encode(whole)) == whole


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (2**70, float(2**70)),
        (-(2**70), float(-(2**70))),
        (10**400, None),
        (math.nan, None),
        (math.inf, None),
        ("half a character \ud83d", "half a character ?"),
    ],
)
def test_what_json_cannot_carry_is_made_something_that_it_can(value: Any, stored: Any) -> None:
    """As Kubernetes reads it: beyond 64 bits a number is a float."""
    body = lines.decode(lines.encode(resource("kubernetes/X", "x", value=value, deep=[{"a": value}]))).body
    assert body["value"] == stored
    assert body["deep"] == [{"a": stored}]


def test_a_key_that_is_no_text_becomes_one() -> None:
    body = lines.decode(lines.encode(resource("kubernetes/X", "x", data={1: "a"}))).body
    assert body["data"] == {"1": "a"}


def test_what_lies_deeper_than_the_redactor_looks_is_not_written() -> None:
    deep: Any = "canary"
    for _ in range(300):
        deep = {"a": deep}
    line = lines.encode(resource("kubernetes/X", "x", spec=deep))
    assert b"canary" not in line
    assert REDACTED.encode() in line
    assert lines.decode(line).name == "x"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[]", "must be an object"),
        (b'{"type": "t", "name": "n", "namespace": "", "body": {}}', "has no origin"),
        (b'{"type": "t", "name": "n", "namespace": "", "origin": {"file": "f"}, "body": {}}', "lacks a text"),
        (b'{"type": 1, "name": "n", "namespace": "", "origin": {"file": "f", "source": "s"}}', "lacks a text"),
        (b'{"type": "t", "name": "n", "namespace": "", "origin": {"file": "f", "source": "s"}}', "has no body"),
        (
            (
                b'{"type": "t", "name": "n", "namespace": "", "origin": {"file": "f", "source": "s", "line": "x"},'
                b' "body": {}}'
            ),
            "line must be a whole number",
        ),
        (
            (
                b'{"type": "t", "name": "n", "namespace": "", "origin": {"file": "f", "source": "s"}, "body": {},'
                b' "literals": [{"path": []}]}'
            ),
            "is missing",
        ),
    ],
)
def test_a_line_that_is_no_resource_is_refused_and_not_quoted(line: bytes, told: str) -> None:
    with pytest.raises(WrongError, match=told):
        lines.decode(line)


JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize("secret", [JWT, f"Bearer {JWT}", KEY])
def test_the_last_net_takes_out_what_is_a_credential_by_its_own_form(secret: str) -> None:
    """Fields of built-in kinds are not searched while reading: a rule's `resourceNames` can hold anything."""
    plain = lines.encode(resource("kubernetes/Role", "r", rules=[{"resourceNames": ["a"]}]))
    caught = lines.encode(resource("kubernetes/Role", "s", rules=[{"resourceNames": [secret]}]))
    first, second = lines.cleared(plain + caught).splitlines()
    assert first + b"\n" == plain
    assert json.loads(second)["name"] == "s"
    assert secret[:20] not in second.decode().replace("\\n", "\n").removeprefix("Bearer ")
    assert REDACTED.encode() in second


def test_a_certificate_alarms_and_stays() -> None:
    """The net looks closer where it sees base64 of `-----BEGIN`; an authority's certificate is public."""
    bundle = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUI="
    line = lines.encode(resource("kubernetes/ValidatingWebhookConfiguration", "w", caBundle=bundle))
    assert lines.cleared(line) == line
