"""A sink that keeps everything, and one call that collects from a server into it."""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor import data, workloads
from auditor.collectors.kubernetes.collector import collect
from auditor.model.collection import Call, CallResult, Source
from auditor.model.resource import Resource
from auditor.model.settings import KubernetesSource
from auditor.redaction.fingerprint import Fingerprinter

WORKLOADS = workloads.load(data.policies() / "workloads.yaml")
FINGERPRINTER = Fingerprinter(b"0123456789abcdef" * 2)
NAME = "prod"


class Recording:
    """Keeps what it is given, as the writer of snapshots would; holds the collector to the rules of the sink."""

    def __init__(self, done: frozenset[tuple[str, str]] = frozenset()) -> None:
        self.resources: list[Resource] = []
        self.calls: list[Call] = []
        self.sources: list[Source] = []
        self.restarts: list[str] = []
        self.ended = threading.Event()
        self._done = done
        self._open: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self._threads: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, resource: Resource) -> None:
        with self._lock:
            owner = self._threads.setdefault(resource.type, threading.get_ident())
            assert owner == threading.get_ident(), "objects of one type come from one thread at a time"
            self._open[resource.origin.source, resource.type].append(resource)

    def restart(self, source: str, type: str) -> None:  # noqa: A002 - as in the protocol
        with self._lock:
            self.restarts.append(type)
            self._open.pop((source, type), None)

    def call(self, call: Call) -> None:
        with self._lock:
            self._threads.pop(call.type, None)
            kept = self._open.pop((call.source, call.type), [])
            assert call.kept == len(kept), f"{call.type}: {call.kept} kept, {len(kept)} added"
            self.resources += kept
            self.calls.append(call)

    def source(self, source: Source) -> None:
        assert not self._open, "every object belongs to a list that was ended"
        self.sources.append(source)

    def done(self, source: str) -> frozenset[tuple[str, str]]:
        assert source == NAME
        return self._done

    def stopping(self) -> bool:
        return self.ended.is_set()

    # For tests

    def of(self, type_: str) -> list[Resource]:
        """Return the resources of a type."""
        return [resource for resource in self.resources if resource.type == type_]

    def named(self, type_: str, name: str, namespace: str = "") -> Resource:
        """Return the one resource of that identity."""
        (found,) = [r for r in self.of(type_) if (r.name, r.namespace) == (name, namespace)]
        return found

    def call_of(self, type_: str, namespace: str = "") -> Call:
        """Return the one call of a type."""
        (found,) = [call for call in self.calls if (call.type, call.namespace) == (type_, namespace)]
        return found

    @property
    def incomplete(self) -> dict[str, CallResult]:
        """Types whose lists are not complete."""
        return {call.type: call.result for call in self.calls if not call.complete}


def collected(
    kubeconfig: Path | None,
    *,
    sink: Recording | None = None,
    environ: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
    **settings: Any,
) -> Recording:
    """Return what one collection gave."""
    sink = sink or Recording()
    collect(
        KubernetesSource(kubeconfig=kubeconfig, **settings),
        name=NAME,
        tags=("cde",),
        sink=sink,
        fingerprint=FINGERPRINTER.of,
        workloads=WORKLOADS,
        clock=lambda: datetime.now(UTC),
        connections=threading.BoundedSemaphore(8),
        environ=os.environ if environ is None else environ,
        jitter=lambda: 0.0,
        progress=progress,
    )
    return sink
