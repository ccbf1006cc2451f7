"""Collected systems for the tests of audits: a made-up cluster, and how far it was read."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from auditor.collectors import manifests
from auditor.collectors.sources import Source as File
from auditor.collectors.sources import SourceKind
from auditor.facts import needs
from auditor.model.collection import Call, CallResult, Source
from auditor.model.resource import Origin, Resource
from auditor.pipeline.collected import Collected
from auditor.policy import document
from auditor.redaction.fingerprint import Fingerprinter
from tests.facts.builders import WORKLOADS
from tests.facts.test_secret import certificate, encoded, pem

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LIBRARY = document.load(document.built_in()).policies
ASKED = needs.asked((entry for policy in LIBRARY for entry in policy.applies_to), WORKLOADS)
"""Every type that the library needs of a cluster."""

_KEY = Fingerprinter(b"s" * 32)


@cache
def objects(source: str = "prod") -> tuple[Resource, ...]:
    """Return the objects of the made-up cluster as its collector yields them."""
    issued = certificate(days=50, names=("shop.example",))
    text = (Path(__file__).parent / "cluster.yaml").read_text(encoding="utf-8")
    for word, value in {
        "@certificate": encoded(pem(issued)),
        "@until": f"{issued.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        "@from": f"{issued.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
    }.items():
        text = text.replace(word, value)
    return live(text, source=source)


def live(text: str, *, source: str = "prod") -> tuple[Resource, ...]:
    """Return the objects in `text`, credentials taken out, as they stand on a cluster."""
    content = text.encode()
    file = File(file="-", kind=SourceKind.YAML, size=len(content), content=content)
    reading = manifests.read((file,), workloads=WORKLOADS, fingerprint=_KEY.of)
    assert not reading.coverage.gaps, reading.coverage.gaps
    return tuple(replace(resource, origin=_place(resource, source)) for resource in reading.resources)


def _place(resource: Resource, source: str) -> Origin:
    kind = resource.type.partition("/")[2]
    return Origin(file=f"kubernetes://{source}/{resource.namespace}/{kind}/{resource.name}", line=None, source=source)


def collected(
    resources: Iterable[Resource] | None = None,
    *,
    name: str = "prod",
    unread: Mapping[str, CallResult] | None = None,
    asked: Iterable[str] = ASKED,
    **source: Any,
) -> Collected:
    """Return what was collected of a cluster: everything, but what is `unread`, and of that no object either."""
    holes = unread or {}
    members = [
        resource for resource in (objects(name) if resources is None else resources) if resource.type not in holes
    ]
    counts = {type_: sum(member.type == type_ for member in members) for type_ in {*asked, *(m.type for m in members)}}
    calls = tuple(
        Call(
            source=name,
            type=type_,
            request=f"GET /api/{type_.partition('/')[2].lower()}",
            result=holes.get(type_, CallResult.READ),
            reason="The identity may not list it." if type_ in holes else "",
            status=403 if type_ in holes else 200,
            pages=1,
            items=count,
            kept=count,
            remaining=0,
            started=NOW,
            ended=NOW + timedelta(seconds=1),
        )
        for type_, count in sorted(counts.items())
    )
    given: dict[str, Any] = {"plane": "kubernetes", "version": "v1.36.3", "started": NOW, "ended": NOW} | {
        "fingerprint_key_id": _KEY.key_id
    }
    return Collected(source=Source(name=name, **(given | source)), calls=calls, read=lambda _=None: members)
