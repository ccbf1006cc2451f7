"""Whatever goes wrong between the collector and a real API server ends as a clear record.

Never as an absent object, never as a hang. Each case spoils some answers of a real server by a proxy; the limit of a
case is hard.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from auditor.collectors.kubernetes import client, plan
from auditor.collectors.kubernetes.cluster import UnusableError
from auditor.collectors.kubernetes.kinds import KINDS
from auditor.model.collection import CallResult
from tests.collectors.kubernetes.collecting import Recording, collected
from tests.servers.kubernetes import ACCOUNTS, Kubernetes, Setup, running
from tests.servers.proxy import (
    Does,
    Exchange,
    Fault,
    Pages,
    Proxy,
    as_if,
    body,
    changed,
    cut,
    drip,
    hang_up,
    silence,
    spoiling,
    status,
    truncate,
    with_headers,
    without_length,
)

HARD_LIMIT = 25.0
"""Seconds that a case may take, whatever its fault: patience ends long before in every one of them."""
CANARY = "canary-7b1e5f0a2d"
RBAC = "rbac.authorization.k8s.io"
BINDINGS = f"/apis/{RBAC}/v1/rolebindings"
ROLE, BINDING, SECRET, MAP = (f"kubernetes/{kind}" for kind in ("Role", "RoleBinding", "Secret", "ConfigMap"))
BEACON = "kubernetes/ExternalSecret.external-secrets.io"
BEACONS = "/apis/external-secrets.io/v1/externalsecrets"
PATHS = {
    ROLE: f"/apis/{RBAC}/v1/roles",
    BINDING: BINDINGS,
    "kubernetes/ClusterRole": f"/apis/{RBAC}/v1/clusterroles",
    "kubernetes/ClusterRoleBinding": f"/apis/{RBAC}/v1/clusterrolebindings",
    "kubernetes/ServiceAccount": "/api/v1/serviceaccounts",
    "kubernetes/Namespace": "/api/v1/namespaces",
    SECRET: "/api/v1/secrets",
    MAP: "/api/v1/configmaps",
    "kubernetes/Deployment": "/apis/apps/v1/deployments",
    "kubernetes/ReplicaSet": "/apis/apps/v1/replicasets",
    "kubernetes/Pod": "/api/v1/pods",
    BEACON: BEACONS,
}
"""The kinds that a case reads, and where."""
COUNT = 1_203
"""RoleBindings, those of the server itself among them: three pages."""


@pytest.fixture(scope="module")
def estate(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:  # noqa: ARG001 - skips
    """Return a server of its own, whose lists have several pages."""
    with running(tmp_path_factory.mktemp("faults"), Setup(controllers=ACCOUNTS)) as kube:
        kube.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        kube.admin.create(definition())
        present = len(list(kube.admin.items(BINDINGS)))
        kube.admin.create_all([*bindings(COUNT - present), *others()])
        wait_for(kube, BEACONS)
        kube.admin.kubectl_apply(secret("applied"))
        yield kube


@pytest.fixture(autouse=True)
def few_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the kinds of `PATHS` alone, and let pauses between tries be short: their number stays the same."""
    monkeypatch.setattr(plan, "KINDS", tuple(kind for kind in KINDS if kind.type in PATHS))
    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.01)


def bindings(count: int) -> list[dict[str, Any]]:
    there = {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding"}
    role = {"apiGroup": RBAC, "kind": "Role", "name": "reader"}
    return [
        {**there, "metadata": {"name": f"binding-{n:04}", "namespace": "shop"}, "roleRef": role, "subjects": []}
        for n in range(count)
    ]


def others() -> list[dict[str, Any]]:
    def named(api_version: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
        return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **more}

    spec = {"containers": [{"name": "c", "image": "i", "env": [{"name": "TOKEN", "value": CANARY}]}]}
    labels = {"matchLabels": {"app": "web"}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    return [
        named(f"{RBAC}/v1", "Role", "reader", rules=[]),
        *(named("v1", "ConfigMap", f"map-{n:03}", data={"password": f"{CANARY}-{n}"}) for n in range(70)),
        *(secret(f"secret-{n}") for n in range(5)),
        named("apps/v1", "Deployment", "web", spec={"selector": labels, "template": template}),
    ]


def secret(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"password": f"{CANARY}-{name}"}}


def definition() -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"plural": "externalsecrets", "singular": "externalsecret", "kind": "ExternalSecret"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "externalsecrets.external-secrets.io"},
        "spec": {"group": "external-secrets.io", "names": names, "scope": "Namespaced", "versions": [version]},
    }


def wait_for(kube: Kubernetes, path: str) -> None:
    end = time.monotonic() + 20
    while kube.admin.request("GET", path).status != 200:
        assert time.monotonic() < end, f"{path} is not served"
        time.sleep(0.05)


# The cases.


@dataclass(frozen=True)
class Case:
    """What is spoiled, and what comes of it; lists that are not named are to be read whole."""

    faults: Callable[[], Sequence[Fault]]
    ends: dict[str, CallResult] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    restarts: int = 0
    retries: int = 0
    """At least so many, of the RoleBindings."""
    kept: int | None = COUNT
    """RoleBindings that are in the end."""
    also: Callable[[Recording, Proxy], None] = lambda sink, proxy: None  # noqa: ARG005 - looks at nothing


def on_bindings(
    does: Does, *, first: int = 1, times: int = 1_000_000, later: bool = False
) -> Callable[[], Sequence[Fault]]:
    return lambda: [Fault(BINDINGS, does, first=first, times=times, later=later)]


def repeated(times: int) -> Callable[[], Sequence[Fault]]:
    def faults() -> Sequence[Fault]:
        pages = Pages()
        # Of each round of requests the first is remembered and the second repeats it.
        return [Fault(BINDINGS, pages.remember, times=1), Fault(BINDINGS, pages.repeat, times=times)]

    return faults


def metadata(**more: Any) -> Does:
    def change(told: Any) -> Any:
        told["metadata"] |= {name: value for name, value in more.items() if value is not None}
        for name in [name for name, value in more.items() if value is None]:
            told["metadata"].pop(name, None)
        return told

    return changed(change)


def items(change: Callable[[list[Any]], list[Any]]) -> Does:
    return changed(lambda told: {**told, "items": change(told["items"])})


def nested(depth: int) -> Any:
    return {"spec": nested(depth - 1)} if depth else {"password": CANARY}


def huge(above: int) -> Does:
    """Answer with more bytes than are read, where more than so many objects are asked for."""

    def does(exchange: Exchange) -> None:
        if int(exchange.query.get("limit", "0")) > above:
            exchange.answer(200, b'{"pad": "' + b"x" * 25_000_000 + b'"}')
        else:
            exchange.pass_on(exchange.forward())

    return does


def dated(seconds: float, does: Callable[[str], Does]) -> Does:
    """Do what needs a date that lies so far ahead of the moment of the answer."""
    return lambda exchange: does(formatdate(time.time() + seconds, usegmt=True))(exchange)  # noqa: PLW0108 - the date of then


def without_definition(exchange: Exchange) -> None:
    """Take the definition of the kind away, as somebody may while its list is on its way."""
    if exchange.method == "GET":
        GONE["kube"].admin.delete(definition())
        end = time.monotonic() + 20
        while GONE["kube"].admin.request("GET", BEACONS).status == 200 and time.monotonic() < end:
            time.sleep(0.05)
    exchange.pass_on(exchange.forward())


GONE: dict[str, Kubernetes] = {}
"""The server whose definition is taken away; the test puts it back."""


def clock(expected: float | None) -> Callable[[Recording, Proxy], None]:
    def look(sink: Recording, _: Proxy) -> None:
        offset = sink.sources[0].clock_offset_seconds
        assert (offset is None) == (expected is None)
        assert offset is None or abs(offset - (expected or 0)) < 5

    return look


def reason(type_: str, part: str) -> Callable[[Recording, Proxy], None]:
    def look(sink: Recording, _: Proxy) -> None:
        assert part in sink.call_of(type_).reason

    return look


def version(expected: str) -> Callable[[Recording, Proxy], None]:
    def look(sink: Recording, _: Proxy) -> None:
        assert sink.sources[0].version == expected

    return look


def nobody(sink: Recording, _: Proxy) -> None:
    identity = sink.sources[0].identity
    assert identity is not None
    assert identity.user == ""
    assert sink.sources[0].facts["identityFrom"] == ""


def no_value_kept(sink: Recording, proxy: Proxy) -> None:
    assert proxy.seen.count("GET /api/v1/secrets") == 1, "it is not asked for in another form"
    assert not sink.of(SECRET)


def not_followed(_: Recording, proxy: Proxy) -> None:
    assert not any("elsewhere" in line for line in proxy.seen)


R = CallResult
CORE = {type_: None for type_, path in PATHS.items() if path.startswith("/api/v1/")}
GROUPS = {type_: None for type_ in PATHS if type_ not in CORE}
ALWAYS = 1_000_000

CASES: dict[str, Case] = {
    # One API at a time is refused; the others are read.
    **{
        f"403-on-{type_.partition('/')[2].partition('.')[0]}": Case(
            lambda path=path: [Fault(path, status(403))],
            {type_: R.FORBIDDEN},
            kept=None if type_ == BINDING else COUNT,
            also=reason(type_, "auditor doctor --grants"),
        )
        for type_, path in PATHS.items()
    },
    "403-on-a-later-page": Case(on_bindings(status(403), first=2), {BINDING: R.FORBIDDEN}, kept=500),
    # Credentials.
    "401-in-mid-run": Case(on_bindings(status(401), first=2), {BINDING: R.UNAUTHENTICATED}, kept=500),
    "401-on-the-first-page": Case(on_bindings(status(401)), {BINDING: R.UNAUTHENTICATED}, kept=0),
    "401-everywhere-after-discovery": Case(
        lambda: [Fault(path, status(401)) for path in PATHS.values()],
        dict.fromkeys(PATHS, R.UNAUTHENTICATED),
        kept=0,
    ),
    # Throttled.
    "429-once-with-a-pause-in-seconds": Case(on_bindings(status(429, Retry_After="1"), times=1), retries=1),
    "429-once-with-a-pause-as-a-date": Case(
        on_bindings(dated(1, lambda date: status(429, Retry_After=date)), times=1), retries=1
    ),
    "429-once-without-a-pause": Case(on_bindings(status(429), times=1), retries=1),
    "429-once-with-a-pause-that-is-none": Case(on_bindings(status(429, Retry_After="soon"), times=1), retries=1),
    "429-with-a-pause-beyond-patience": Case(
        on_bindings(status(429, Retry_After="3600")), {BINDING: R.THROTTLED}, kept=0
    ),
    "429-for-ever": Case(on_bindings(status(429)), {BINDING: R.THROTTLED}, kept=0, retries=4),
    "429-on-a-later-page-for-ever": Case(on_bindings(status(429), first=3), {BINDING: R.THROTTLED}, kept=1000),
    # The server fails.
    "500-once": Case(on_bindings(status(500), times=1), retries=1),
    "500-on-a-later-page-once": Case(on_bindings(status(500), first=2, times=1), retries=1),
    "500-for-ever": Case(on_bindings(status(500)), {BINDING: R.SERVER_ERROR}, kept=0, retries=4),
    "502-for-ever": Case(on_bindings(status(502, b"<html>bad gateway</html>")), {BINDING: R.SERVER_ERROR}, kept=0),
    "503-with-a-pause-once": Case(on_bindings(status(503, Retry_After="1"), times=1), retries=1),
    "503-for-ever": Case(on_bindings(status(503)), {BINDING: R.SERVER_ERROR}, kept=0),
    "504-twice": Case(on_bindings(status(504), times=2), retries=2),
    # Time.
    "silence-once": Case(on_bindings(silence(4), times=1), settings={"timeout": 1.5}, retries=1),
    "silence-for-ever": Case(on_bindings(silence(4)), {BINDING: R.TIMED_OUT}, {"timeout": 1.0}, kept=0),
    "silence-on-a-later-page": Case(
        on_bindings(silence(4), first=3), {BINDING: R.TIMED_OUT}, {"timeout": 1.0}, kept=1000
    ),
    "a-body-that-drips": Case(on_bindings(drip(0.2, 50)), {BINDING: R.TIMED_OUT}, {"timeout": 1.2}, kept=0),
    "a-head-that-drips": Case(on_bindings(drip(0.2, 2, head=True)), {BINDING: R.TIMED_OUT}, {"timeout": 1.2}, kept=0),
    "408-once": Case(on_bindings(status(408), times=1), {BINDING: R.TIMED_OUT}, kept=0),
    # The connection breaks.
    "hang-up-once": Case(on_bindings(hang_up, times=1), retries=1),
    "hang-up-for-ever": Case(on_bindings(hang_up), {BINDING: R.CUT}, kept=0, retries=4),
    "cut-in-the-body-once": Case(on_bindings(cut(5_000), times=1), retries=1),
    "cut-in-the-body-for-ever": Case(on_bindings(cut(5_000)), {BINDING: R.CUT}, kept=0),
    "cut-on-a-later-page-for-ever": Case(on_bindings(cut(5_000), first=2), {BINDING: R.CUT}, kept=500),
    "cut-at-the-last-byte-for-ever": Case(on_bindings(cut(-1)), {BINDING: R.CUT}, kept=0),
    "truncated-once": Case(on_bindings(truncate(5_000), times=1), restarts=1),
    "truncated-for-ever": Case(on_bindings(truncate(5_000)), {BINDING: R.CUT}, kept=0, restarts=1),
    "truncated-on-a-later-page-once": Case(on_bindings(truncate(5_000), first=2, times=1), restarts=1),
    "ended-early-without-a-length": Case(on_bindings(without_length(5_000)), {BINDING: R.CUT}, kept=0, restarts=1),
    "an-empty-body": Case(on_bindings(body(b"")), {BINDING: R.CUT}, kept=0, restarts=1),
    "everything-hangs-up-after-discovery": Case(
        lambda: [Fault(path, hang_up) for path in PATHS.values()], dict.fromkeys(PATHS, R.CUT), kept=0
    ),
    # Pages.
    "410-once": Case(on_bindings(status(410), first=2, times=1), restarts=1),
    "410-on-the-last-page-once": Case(on_bindings(status(410), first=3, times=1), restarts=1),
    "410-for-ever": Case(on_bindings(status(410), later=True), {BINDING: R.EXPIRED}, kept=500, restarts=1),
    "a-page-that-repeats-once": Case(repeated(1), restarts=1),
    "a-page-that-repeats-for-ever": Case(repeated(ALWAYS), {BINDING: R.INCONSISTENT}, kept=500, restarts=1),
    "a-page-that-is-missing-once": Case(on_bindings(Pages.skip, first=2, times=1), restarts=1),
    "a-page-that-is-missing-for-ever": Case(
        on_bindings(Pages.skip, later=True), {BINDING: R.INCONSISTENT}, kept=500, restarts=1
    ),
    "the-way-to-the-next-page-lost": Case(
        on_bindings(metadata(**{"continue": None})), {BINDING: R.INCONSISTENT}, kept=0, restarts=1
    ),
    "a-count-that-does-not-fit": Case(
        on_bindings(metadata(remainingItemCount=7), later=True), {BINDING: R.INCONSISTENT}, kept=500, restarts=1
    ),
    "pages-of-two-states": Case(
        on_bindings(metadata(resourceVersion="1"), later=True), {BINDING: R.INCONSISTENT}, kept=500, restarts=1
    ),
    "an-object-twice-in-one-page": Case(
        on_bindings(items(lambda found: [*found[:-1], found[0]])), {BINDING: R.INCONSISTENT}, kept=0, restarts=1
    ),
    "empty-pages-without-end": Case(
        on_bindings(
            lambda exchange: exchange.answer(
                200,
                json.dumps(
                    {
                        "kind": "RoleBindingList",
                        "metadata": {"resourceVersion": "1", "continue": f"{time.monotonic_ns()}"},
                        "items": [],
                    }
                ).encode(),
            )
        ),
        {BINDING: R.INCONSISTENT},
        kept=0,
        restarts=1,
    ),
    "a-page-that-names-itself": Case(
        on_bindings(metadata(**{"continue": "again", "remainingItemCount": None}), times=1),
        {BINDING: R.UNREADABLE},
        kept=500,
    ),
    "pages-that-are-too-large": Case(on_bindings(huge(100))),
    "an-object-that-is-too-large": Case(on_bindings(huge(0)), {BINDING: R.UNREADABLE}, kept=0),
    # Answers that are none.
    "a-page-of-a-portal": Case(
        on_bindings(body(b"<html><body>log in</body></html>", "text/html")), {BINDING: R.UNREADABLE}, kept=0
    ),
    "no-utf-8": Case(on_bindings(body(b'{"kind": "\xff\xfe"}')), {BINDING: R.UNREADABLE}, kept=0),
    "json-that-is-no-map": Case(on_bindings(body(b"[1, 2]")), {BINDING: R.UNREADABLE}, kept=0),
    "a-status-instead-of-a-list": Case(
        on_bindings(body(b'{"kind": "Status", "metadata": {}}')), {BINDING: R.UNREADABLE}, kept=0
    ),
    "a-list-of-another-kind": Case(
        on_bindings(changed(lambda told: {**told, "kind": "RoleList"})), {BINDING: R.UNREADABLE}, kept=0
    ),
    "items-that-are-no-list": Case(
        on_bindings(changed(lambda told: {**told, "items": {"a": 1}})), {BINDING: R.UNREADABLE}, kept=0
    ),
    "an-object-without-a-name": Case(
        on_bindings(items(lambda found: [{"metadata": {}}, *found[1:]]), times=1), {BINDING: R.UNREADABLE}, kept=0
    ),
    "an-object-with-a-list-of-annotations": Case(
        on_bindings(
            items(lambda found: [{"metadata": {**found[0]["metadata"], "annotations": [CANARY]}}, *found[1:]]),
            times=1,
        ),
        {BINDING: R.UNREADABLE},
        kept=COUNT - 1,
    ),
    "a-custom-resource-that-nests-too-deep": Case(
        lambda: [
            Fault(BEACONS, items(lambda _: [{"metadata": {"name": "deep", "namespace": "shop"}, "spec": nested(120)}]))
        ],
        {BEACON: R.UNREADABLE},
    ),
    "a-compressed-body-that-is-none": Case(
        on_bindings(lambda exchange: exchange.answer(200, b"no gzip", Content_Encoding="gzip")),
        {BINDING: R.CUT},
        kept=0,
    ),
    "a-redirect": Case(
        on_bindings(status(302, Location="/elsewhere")), {BINDING: R.UNREADABLE}, kept=0, also=not_followed
    ),
    "400": Case(on_bindings(status(400)), {BINDING: R.UNREADABLE}, kept=0),
    # What vanishes.
    "404-on-a-list-that-discovery-named": Case(on_bindings(status(404)), {BINDING: R.VANISHED}, kept=0),
    "404-on-a-later-page": Case(on_bindings(status(404), first=2), {BINDING: R.VANISHED}, kept=500),
    "a-definition-deleted-in-mid-run": Case(
        lambda: [Fault(BEACONS, without_definition)], {BEACON: R.VANISHED}, also=reason(BEACON, "removed during")
    ),
    # Secrets are never read in another form than without their values.
    "no-table-to-be-had": Case(
        lambda: [Fault("/api/v1/secrets", status(406))], {SECRET: R.UNREADABLE}, also=no_value_kept
    ),
    "secrets-with-their-values-instead-of-a-table": Case(
        lambda: [Fault("/api/v1/secrets", as_if("application/json"))], {SECRET: R.UNREADABLE}, also=no_value_kept
    ),
    "a-table-without-its-columns": Case(
        lambda: [Fault("/api/v1/secrets", changed(lambda told: {**told, "columnDefinitions": []}))],
        {SECRET: R.UNREADABLE},
    ),
    "rows-without-objects": Case(
        lambda: [
            Fault(
                "/api/v1/secrets",
                changed(lambda told: {**told, "rows": [{"cells": row["cells"]} for row in told["rows"]]}),
            )
        ],
        {SECRET: R.UNREADABLE},
    ),
    # Discovery.
    "discovery-of-the-core-refused": Case(
        lambda: [Fault("/api", status(403))],
        dict.fromkeys(CORE, R.FORBIDDEN),
        also=reason(SECRET, "system:discovery"),
    ),
    "discovery-of-groups-refused": Case(
        lambda: [Fault("/apis", status(403))], dict.fromkeys(GROUPS, R.FORBIDDEN), kept=None
    ),
    "discovery-fails": Case(lambda: [Fault("/apis", status(500))], dict.fromkeys(GROUPS, R.SERVER_ERROR), kept=None),
    "discovery-is-cut": Case(lambda: [Fault("/apis", cut(900))], dict.fromkeys(GROUPS, R.CUT), kept=None),
    "discovery-is-no-json": Case(
        lambda: [Fault("/apis", body(b"<html>"))], dict.fromkeys(GROUPS, R.UNREADABLE), kept=None
    ),
    "discovery-of-another-shape": Case(
        lambda: [Fault("/apis", changed(lambda told: {**told, "items": [{"versions": [{"resources": [[]]}]}]}))],
        dict.fromkeys(GROUPS, R.UNREADABLE),
        kept=None,
    ),
    "discovery-times-out": Case(
        lambda: [Fault("/apis", silence(4))], dict.fromkeys(GROUPS, R.TIMED_OUT), {"timeout": 1.0}, kept=None
    ),
    "a-group-whose-own-server-is-down": Case(
        lambda: [
            Fault(
                "/apis",
                changed(
                    lambda told: {
                        **told,
                        "items": [
                            {**group, "versions": [{"version": "v1", "resources": None, "freshness": "Stale"}]}
                            if group["metadata"]["name"] == "external-secrets.io"
                            else group
                            for group in told["items"]
                        ],
                    }
                ),
            )
        ],
        {BEACON: R.SERVER_ERROR},
        also=reason(BEACON, "APIService"),
    ),
    "an-old-server-without-aggregated-discovery": Case(
        lambda: [Fault("/apis?", as_if("application/json"))], also=version("v1.36.3")
    ),
    "an-old-server-that-refuses-one-group": Case(
        lambda: [Fault("/apis?", as_if("application/json")), Fault(f"/apis/{RBAC}/v1", status(403))],
        {type_: R.FORBIDDEN for type_, path in PATHS.items() if RBAC in path},
        kept=None,
    ),
    # What the cluster says of itself.
    "the-version-is-not-told": Case(lambda: [Fault("/version", status(403))], also=version("")),
    "the-version-is-no-json": Case(lambda: [Fault("/version", body(b"<html>"))], also=version("")),
    "nobody-tells-who-we-are": Case(
        lambda: [Fault("/apis/authentication.k8s.io/.*", status(404), method="POST")], also=nobody
    ),
    "a-clock-that-is-two-hours-ahead": Case(
        lambda: [Fault("/version", dated(7200, lambda date: with_headers(Date=date)))], also=clock(7200)
    ),
    "a-clock-that-is-behind": Case(
        lambda: [Fault("/version", dated(-90, lambda date: with_headers(Date=date)))], also=clock(-90)
    ),
    "a-clock-that-is-none": Case(lambda: [Fault("/version", with_headers(Date="noon"))], also=clock(None)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_ends_as_a_record(name: str, estate: Kubernetes) -> None:
    """Every list has one record, the spoiled one says what happened, and all others are whole."""
    case = CASES[name]
    GONE["kube"] = estate
    try:
        with spoiling(estate, *case.faults()) as proxy:
            sink = within(HARD_LIMIT, lambda: collected(estate.kubeconfig(server=proxy.url), **case.settings))
    finally:
        if estate.admin.request("GET", BEACONS).status != 200:
            estate.admin.apply(definition())
            wait_for(estate, BEACONS)
    expected = {type_: result for type_, result in case.ends.items() if result is not None}
    assert sorted(call.type for call in sink.calls) == sorted(PATHS), "one record for each kind"
    assert sink.incomplete == expected
    assert len(sink.restarts) == case.restarts
    for call in sink.calls:
        assert bool(call.reason) != call.complete, f"{call.type}: {call.reason}"
        assert "canary" not in call.reason
        assert call.started <= call.ended
        assert call.complete or not call.reason or call.reason.endswith((".", "-")), call.reason
    bindings_ = [call for call in sink.calls if call.type == BINDING]
    if case.kept is not None:
        assert bindings_[0].kept == case.kept
    assert bindings_[0].retries >= case.retries
    assert len(sink.sources) == 1
    held = json.dumps([[resource.body, resource.name] for resource in sink.resources])
    assert CANARY not in held
    case.also(sink, proxy)


UNUSABLE: dict[str, tuple[Callable[[], Sequence[Fault]], str]] = {
    "401-at-once": (lambda: [Fault(".*", status(401))], "does not accept the credential"),
    "silence-at-once": (lambda: [Fault(".*", silence(4))], "cannot be reached"),
    "hang-up-at-once": (lambda: [Fault(".*", hang_up)], "cannot be reached"),
    "a-head-that-drips-at-once": (lambda: [Fault(".*", drip(0.2, 1, head=True))], "cannot be reached"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_cluster_that_gives_nothing_is_an_error_of_the_source(name: str, estate: Kubernetes) -> None:
    """Then no list has a record: the source as a whole has one, which the pipeline writes from this error."""
    faults, said = UNUSABLE[name]
    with spoiling(estate, *faults()) as proxy:
        kubeconfig = estate.kubeconfig(server=proxy.url)
        with pytest.raises(UnusableError, match=said) as caught:
            within(HARD_LIMIT, lambda: collected(kubeconfig, timeout=1.0))
    assert caught.value.hint.endswith(".")
    assert "canary" not in f"{caught.value} {caught.value.hint}"


def test_nothing_listens(estate: Kubernetes) -> None:
    kubeconfig = estate.kubeconfig(server="https://127.0.0.1:1")
    with pytest.raises(UnusableError, match="cannot be reached"):
        within(HARD_LIMIT, lambda: collected(kubeconfig, timeout=1.0))


def test_a_proxy_that_is_not_there(estate: Kubernetes) -> None:
    with pytest.raises(UnusableError, match="cannot be reached"):
        within(HARD_LIMIT, lambda: collected(estate.kubeconfig(), timeout=1.0, proxy="http://127.0.0.1:1"))


def test_a_certificate_of_another_authority(estate: Kubernetes, tmp_path: Path) -> None:
    from tests.servers.certificates import Authority

    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other").ca_file
    with pytest.raises(UnusableError, match="certificate that is not trusted"):
        within(HARD_LIMIT, lambda: collected(estate.kubeconfig(), certificate_authority=other))


def test_a_run_that_is_ended_leaves_records_of_what_is_missing(estate: Kubernetes) -> None:
    """Ctrl-C, in the middle of a list that would take for ever: what is open ends soon, as interrupted."""
    sink = Recording()

    def then_silent(exchange: Exchange) -> None:
        sink.ended.set()
        silence(20)(exchange)

    with spoiling(estate, Fault(BINDINGS, then_silent, first=2)) as proxy:
        began = time.monotonic()
        within(HARD_LIMIT, lambda: collected(estate.kubeconfig(server=proxy.url), sink=sink, timeout=30))
    assert time.monotonic() - began < 5, "a request that is under way is ended, not waited for"
    assert sink.call_of(BINDING).result is CallResult.INTERRUPTED
    assert sorted(call.type for call in sink.calls) == sorted(PATHS)
    assert set(sink.incomplete.values()) == {CallResult.INTERRUPTED}
    assert all("--resume" in call.reason for call in sink.calls if not call.complete)


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_a_run_that_is_ended_before_the_first_list_leaves_no_record_of_any(estate: Kubernetes, path: str) -> None:
    """What is served is not known then: a record for each list would tell of a hundred things what is one."""
    sink = Recording()

    def then_silent(exchange: Exchange) -> None:
        sink.ended.set()
        silence(20)(exchange)

    with spoiling(estate, Fault(path, then_silent)) as proxy:
        began = time.monotonic()
        within(HARD_LIMIT, lambda: collected(estate.kubeconfig(server=proxy.url), sink=sink, timeout=30))
    assert time.monotonic() - began < 10, "a request that is under way is ended, not waited for"
    assert (sink.calls, sink.sources) == ([], [])


def test_the_patience_of_a_source_ends(estate: Kubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is down costs its patience once, not once for each list."""
    monkeypatch.setattr(client, "SOURCE_PATIENCE", 2.5)
    faults = [Fault(path, status(429, Retry_After="1")) for path in PATHS.values()]
    with spoiling(estate, *faults) as proxy:
        sink = within(HARD_LIMIT, lambda: collected(estate.kubeconfig(server=proxy.url)))
    assert set(sink.incomplete.values()) == {CallResult.THROTTLED}
    assert sum(call.retries for call in sink.calls) == 2


def test_the_number_of_cases_is_told(record_property: Callable[[str, object], None]) -> None:
    """At least sixty ways in which an answer can be spoiled."""
    count = len(CASES) + len(UNUSABLE) + 5
    record_property("told", f"{count} faults between the collector and a real API server")
    assert count >= 60


def within(seconds: float, work: Callable[[], Recording]) -> Recording:
    """Return what `work` gives. Fails where it takes longer: nothing may hang."""
    given: list[Recording] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            given.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by the test
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"it hangs: no end after {seconds} s"
    if failed:
        raise failed[0]
    return given[0]


def test_a_case_that_hangs_would_be_noticed() -> None:
    with pytest.raises(AssertionError, match="it hangs"):
        within(0.1, lambda: time.sleep(1) or Recording())  # type: ignore[func-returns-value]  # sleeps, then returns


def test_the_table_of_paths_is_that_of_kinds() -> None:
    """A kind that was renamed would no longer be spoiled."""
    assert {kind.type for kind in KINDS} >= PATHS.keys()
    assert replace(KINDS[0]) == KINDS[0]
