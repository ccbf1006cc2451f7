"""What a decision costs on a snapshot with many bindings: `python -m bench.access FOLDER BINDINGS`.

CPU time of this process. The cluster is the made-up estate of the tests, written as a snapshot and read back.
"""

import gc
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

from auditor.access.kubernetes import dialect, holders
from auditor.access.kubernetes.answers import Answer
from auditor.access.kubernetes.holders import Where
from auditor.access.kubernetes.rbac import Caller, Request, caller
from auditor.model.collection import Call, CallResult, Source
from auditor.model.resource import Origin, Resource
from auditor.pipeline import access
from auditor.snapshot import writing
from auditor.snapshot.manifest import Run
from tests.servers import estate

NOW = datetime(2026, 11, 24, tzinfo=UTC)
_QUESTIONS = 50_000
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "bind", "impersonate")
_RESOURCES = (
    ("", "secrets", ""),
    ("", "pods", ""),
    ("", "pods", "exec"),
    ("", "configmaps", ""),
    ("", "serviceaccounts", "token"),
    ("apps", "deployments", ""),
    ("batch", "jobs", ""),
    ("rbac.authorization.k8s.io", "rolebindings", ""),
)


def write(folder: Path, bindings: int) -> int:
    """Write the snapshot and return how many bindings it holds."""
    size = replace(estate.LARGE, role_bindings=bindings, secrets=0, config_maps=0, deployments=0)
    by_type: dict[str, list[Resource]] = {type_: [] for type_ in sorted(access.TYPES)}
    for item in estate.objects(size, seed=1):
        type_ = f"kubernetes/{item['kind']}"
        if type_ in by_type:
            metadata = item["metadata"]
            namespace, name = metadata.get("namespace", ""), metadata["name"]
            origin = Origin(file=f"kubernetes://prod/{item['kind']}/{namespace}/{name}", line=None, source="prod")
            by_type[type_].append(Resource(type=type_, name=name, namespace=namespace, body=item, origin=origin))
    writer = writing.create(folder, run=Run(tool_version="bench", started=NOW, sources=("prod",)), clock=lambda: NOW)
    for type_, resources in by_type.items():
        for one in resources:
            writer.add(one)
        writer.call(Call(source="prod", type=type_, request="GET", result=CallResult.READ, started=NOW, ended=NOW))
    writer.source(Source(name="prod", plane="kubernetes", version="v1.36.3", started=NOW, ended=NOW))
    writer.finish()
    return sum(len(resources) for type_, resources in by_type.items() if type_.endswith("Binding"))


def questions(bindings: Sequence[Any], count: int) -> Iterator[tuple[Caller, Request]]:
    """Yield questions: half about somebody in a namespace where they are bound, half at random."""
    draw = Random(2)  # noqa: S311 - the same questions in every run
    namespaces = sorted({held.binding.namespace for held in bindings} - {""})
    named = [held for held in bindings if held.binding.principals]
    for number in range(count):
        binding = draw.choice(named).binding
        _, principal = draw.choice(binding.principals)
        who = caller(principal.user) if principal.user else caller("somebody", [principal.name])
        group, name, subresource = draw.choice(_RESOURCES)
        yield (
            who,
            Request(
                verb=draw.choice(_VERBS),
                api_group=group,
                resource=name,
                subresource=subresource,
                namespace=binding.namespace if number % 2 else draw.choice(namespaces),
                name=draw.choice(("", "db", "web")),
            ),
        )


def main(folder: Path, count: int) -> dict[str, Any]:
    """Return what was measured."""
    gc.disable()
    bindings = write(folder / "estate", count)
    request = access.Request(paths=(str(folder / "estate"),), dialect=dialect.of(authorisers=["Node", "RBAC"]))
    (cluster,), reading = _timed(
        lambda: access.read(request, clock=lambda: NOW, stdin=BytesIO(), progress=lambda _: None)
    )
    asked = list(questions(cluster.evaluator.held, _QUESTIONS))
    decide = cluster.evaluator.decide
    answers, deciding = _timed(lambda: Counter(decide(who, what).answer for who, what in asked))
    secrets = Request(verb="get", resource="secrets")
    found, listing = _timed(lambda: holders.who_can(cluster.evaluator, secrets, Where.ANYWHERE))
    return {
        "bindings": bindings,
        "reading_s": reading,
        "decisions_a_second": len(asked) / deciding,
        "allowed": answers[Answer.ALLOW] / len(asked),
        "who_can_s": listing,
        "rows": len(found.rows),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def _timed(action: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    result = action()
    return result, time.process_time() - started


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))  # noqa: T201 - read by `make bench`
