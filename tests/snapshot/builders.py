"""Snapshots for the tests: written by the real writer from a few resources of ours."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from auditor.model.collection import Call, CallResult, Identity, Source
from auditor.model.resource import Confidence, Literal, LiteralKind, Origin, Place, Resource
from auditor.snapshot import writing
from auditor.snapshot.manifest import Manifest, Operator, Run
from auditor.snapshot.writing import Writer

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
ROLE, BINDING, SECRET = "kubernetes/Role", "kubernetes/RoleBinding", "kubernetes/Secret"


class Ticking:
    """A clock that goes on by a second each time somebody looks."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


def run(**changes: Any) -> Run:
    return Run(
        **{
            "tool_version": "1.0",
            "tool_digest": "1" * 64,
            "started": START,
            "arguments": ("collect",),
            "sources": ("prod",),
            "operator": Operator(user="ada", host="desk"),
            "configuration_digest": "2" * 64,
            "fingerprint_key_id": "0badc0de",
        }
        | changes
    )


def resource(type_: str, name: str, *, namespace: str = "shop", source: str = "prod", **body: Any) -> Resource:
    kind = type_.rpartition("/")[2]
    return Resource(
        type=type_,
        name=name,
        namespace=namespace,
        body={"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}} | body,
        origin=Origin(file=f"kubernetes://{source}/{kind}/{namespace}/{name}", line=None, source=source),
    )


def literal(fingerprint: str = "f" * 32) -> Literal:
    return Literal(
        path=("data", "password"),
        place=Place.SECRET,
        key="password",
        kind=LiteralKind.CREDENTIAL,
        rule="secret-value",
        confidence=Confidence.LIKELY,
        fingerprint=fingerprint,
        length=12,
    )


def call(type_: str, *, source: str = "prod", result: CallResult = CallResult.READ, **changes: Any) -> Call:
    return Call(
        **{
            "source": source,
            "type": type_,
            "request": f"GET /apis/{type_}",
            "parameters": (("limit", "500"),),
            "result": result,
            "reason": "" if result is CallResult.READ else f"It was {result}.",
            "pages": 1,
            "started": START,
            "ended": START + timedelta(seconds=1),
        }
        | changes
    )


def source(name: str = "prod", **changes: Any) -> Source:
    return Source(
        **{
            "name": name,
            "plane": "kubernetes",
            "endpoint": "https://10.0.0.1:6443",
            "identifier": f"uid-of-{name}",
            "version": "v1.36.3",
            "provider": "eks",
            "identity": Identity(user="system:serviceaccount:audit:reader", groups=("system:authenticated",)),
            "clock_offset_seconds": 0.25,
            "tags": ("cde",),
            "scope": {"secrets": "metadata"},
            "facts": {"authorizers": ["node", "rbac"]},
            "started": START,
            "ended": START + timedelta(seconds=5),
        }
        | changes
    )


Lists = Mapping[str, Iterable[Resource]]


def fill(writer: Writer, lists: Lists, *others: Call, name: str = "prod", **changes: Any) -> None:
    """Write one list a type, then `others` without objects, then the source."""
    for type_, resources in lists.items():
        count = 0
        for entry in resources:
            writer.add(entry)
            count += 1
        writer.call(call(type_, source=name, items=count))
    for entry in others:
        writer.call(entry)
    writer.source(source(name, **changes))


def write(folder: Path, lists: Lists, *others: Call, clock: Any = None, **changes: Any) -> Manifest:
    """Return the manifest of a whole snapshot of the source `prod` in `folder`."""
    writer = writing.create(folder, run=run(), clock=clock or Ticking())
    fill(writer, lists, *others, **changes)
    return writer.finish()


def estate(count: int = 3) -> dict[str, list[Resource]]:
    return {
        ROLE: [resource(ROLE, f"role-{index}", rules=[{"verbs": ["get"]}]) for index in range(count)],
        BINDING: [
            resource(BINDING, f"binding-{index}", roleRef={"kind": "Role", "name": f"role-{index}"})
            for index in range(count)
        ],
    }


def write_one(folder: Path, name: str) -> None:
    """Write a small snapshot of the one source `name`."""
    writer = writing.create(folder, run=run(sources=(name,)), clock=Ticking())
    fill(writer, {ROLE: [resource(ROLE, "role", source=name)]}, name=name)
    writer.finish()
