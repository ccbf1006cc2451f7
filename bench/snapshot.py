"""What a snapshot costs for each object, beside `json.loads` of the same: `python -m bench.snapshot FOLDER COUNT`.

CPU time of this process, in one run. Memory is the peak of the process before the comparison, which keeps names.
"""

import gc
import json
import random
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.model.collection import Call, CallResult, Source
from auditor.model.resource import Origin, Resource
from auditor.snapshot import differences, verifying, writing
from auditor.snapshot.manifest import Run
from auditor.snapshot.reading import open_snapshot

BINDING = "kubernetes/RoleBinding"
_RBAC = "rbac.authorization.k8s.io"
_SAMPLE = 5_000
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def bodies(count: int, *, changed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield role bindings as an API server lists them; one in a hundred differs where `changed` is another number."""
    draw = random.Random(1)  # noqa: S311 - the same objects in every run
    for number in range(count):
        namespace = f"team-{number % 50}"
        role = number + changed if number % 100 == 0 else number
        yield {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {
                "name": f"binding-{number}",
                "namespace": namespace,
                "uid": f"{draw.getrandbits(32):08x}-0000-4000-8000-{draw.getrandbits(48):012x}",
                "resourceVersion": str(100_000 + number),
                "creationTimestamp": "2026-11-24T09:00:00Z",
                "labels": {"app": "web"},
            },
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": f"role-{role % 5_000}"},
            "subjects": [{"kind": "ServiceAccount", "name": f"account-{number % 10_000}", "namespace": namespace}],
        }


def write(folder: Path, objects: Iterator[dict[str, Any]]) -> None:
    """Write a snapshot of one list."""
    writer = writing.create(folder, run=Run(tool_version="bench", started=NOW, sources=("prod",)), clock=lambda: NOW)
    for body in objects:
        name, namespace = body["metadata"]["name"], body["metadata"]["namespace"]
        place = f"kubernetes://prod/apis/{_RBAC}/v1/namespaces/{namespace}/rolebindings/{name}"
        writer.add(
            Resource(
                type=BINDING,
                name=name,
                namespace=namespace,
                body=body,
                origin=Origin(file=place, line=None, source="prod"),
            )
        )
    writer.call(Call(source="prod", type=BINDING, request="GET x", result=CallResult.READ, started=NOW, ended=NOW))
    writer.source(Source(name="prod", plane="kubernetes", started=NOW, ended=NOW))
    writer.finish()


def main() -> None:
    """Print microseconds an object for each step, as JSON."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    gc.disable()  # as every command that keeps what it reads
    texts = [json.dumps(body, separators=(",", ":")).encode() for body in bodies(_SAMPLE)]
    steps = {"json.loads": _timed(lambda: _drain(map(json.loads, texts))) / _SAMPLE}
    texts.clear()
    made = _timed(lambda: _drain(bodies(count)))
    steps["write"] = (_timed(lambda: write(folder / "old", bodies(count))) - made) / count
    steps["read"] = _timed(lambda: _drain(open_snapshot(folder / "old").resources())) / count
    steps["verify"] = _timed(lambda: verifying.verify(folder / "old")) / count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    write(folder / "new", bodies(count, changed=1))
    steps["diff"] = (
        _timed(lambda: differences.compare(open_snapshot(folder / "old"), open_snapshot(folder / "new"))) / count
    )
    size = sum(path.stat().st_size for path in (folder / "old").rglob("*.gz"))
    sys.stdout.write(
        json.dumps(
            {
                "microseconds": {name: round(seconds * 1e6, 2) for name, seconds in steps.items()},
                "bytes_an_object": round(size / count, 1),
                "peak_mb": round(peak, 1),
            }
        )
        + "\n"
    )


def _drain(things: Iterable[object]) -> None:
    deque(things, maxlen=0)


def _timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
