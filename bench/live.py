"""Collecting and judging a real API server's estate, beside plain HTTP and kubectl; each figure beside its target.

The estate grows on one server: half of everything, then 20,000 bindings and all else, then 50,000 bindings. Whole
processes are measured in turn. Deployments make no pods there, since their controller does not run.
"""

import json
import shlex
import shutil
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from auditor.collectors.kubernetes.kinds import by_type
from auditor.model.collection import CallResult
from auditor.snapshot.reading import open_snapshot
from bench.measure import Cost, measure
from tests.servers import build, estate
from tests.servers.api import in_threads
from tests.servers.kubernetes import ACCOUNTS, Kubernetes, Setup, running

PYTHON = sys.executable
AUDITOR = str(Path(sys.executable).parent / "auditor")
_FULL = replace(estate.LARGE, role_bindings=50_000)
_MEMORY = 250
_AUDIT_SECONDS, _AUDIT_MEMORY = 10.0, 700


def run(scratch: Path) -> Iterator[str]:
    """Yield what was measured, line by line."""
    if build.built() is None:
        yield "live: the API server is not built; `make servers` builds it once, in 4 to 8 minutes"
        return
    (scratch / "live-server").mkdir()
    with running(scratch / "live-server", Setup(controllers=ACCOUNTS)) as kube:
        yield from _Live(kube, scratch).all()


class _Live:
    def __init__(self, kube: Kubernetes, scratch: Path) -> None:
        self._kube = kube
        self._scratch = scratch
        self._config = scratch / "live.json"
        source = {"name": "prod", "kubernetes": {"kubeconfig": str(kube.kubeconfig())}}
        self._config.write_text(json.dumps({"sources": [source]}))
        self._collected: dict[int, Cost] = {}
        self._audited: dict[int, tuple[int, Cost]] = {}

    def all(self) -> Iterator[str]:
        yield f"\nLive: a real API server; creating {_FULL.objects:,} objects takes a minute or two"
        for number, (bindings, runs) in enumerate(((10_000, 2), (20_000, 3), (50_000, 2))):
            deque(in_threads(self._kube.admin.create, _stage(number)), maxlen=0)
            yield from self._measured(bindings, runs=runs)
        yield from self._memory()
        yield from self._growth()

    def _measured(self, bindings: int, *, runs: int) -> Iterator[str]:
        snapshot = self._scratch / f"live-{bindings}"
        again = self._scratch / "live-again"
        collect = [AUDITOR, "collect", "--config", str(self._config), "--quiet", "-o"]
        subprocess.run([*collect, str(snapshot)], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
        commands: dict[str, list[str]] = {
            # A snapshot's folder must be new.
            "auditor collect": ["sh", "-c", f"rm -rf {again}; exec {shlex.join([*collect, str(again)])}"]
        }
        if bindings > 10_000:
            commands |= {"plain paged HTTP, json.loads": self._paged(snapshot)} | self._kubectl(snapshot)
        costs = measure(commands, runs=runs)
        ours = self._collected[bindings] = costs["auditor collect"]
        records = sum(call.kept for call in open_snapshot(snapshot).calls)
        yield f"  {records:,} objects, {bindings:,} of them role bindings"
        yield f"    {'':<32}{'wall s':>9}{'CPU s':>9}{'MB':>7}  exit"
        for name, cost in costs.items():
            yield _row(name, cost)
            if name.startswith("plain"):
                yield f"    target: collecting at most 2.0 times as long as it: {ours.wall / cost.wall:.2f}"
            elif name.startswith("kubectl"):
                yield f"    target: collecting at least 3.0 times faster than it: {cost.wall / ours.wall:.1f}"
        if bindings < 50_000:
            audit = [AUDITOR, "audit", str(snapshot), "--quiet", "--config", str(self._config)]
            judged = measure({"auditor audit": audit}, runs=2)["auditor audit"]
            self._audited[bindings] = records, judged
            yield _row("auditor audit, every policy", judged)
            if bindings == 20_000:
                most = f"at most {_AUDIT_SECONDS:.0f} s and {_AUDIT_MEMORY} MB"
                yield f"    target: {most}: {judged.wall:.1f} s ({judged.cpu:.1f} s of CPU), {judged.memory:.0f} MB"

    def _memory(self) -> Iterator[str]:
        peaks = [cost.memory for cost in self._collected.values()]
        told = ", ".join(f"{cost.memory:.0f} MB at {bindings:,}" for bindings, cost in self._collected.items())
        yield f"  target: collecting takes at most {_MEMORY} MB: {max(peaks):.0f} MB"
        yield f"  target: its peaks at most 20 % apart: {max(peaks) / min(peaks) - 1:.0%} ({told} bindings)"

    def _growth(self) -> Iterator[str]:
        (few, half), (many, whole) = self._audited.values()
        yield (
            f"  target: an audit is linear in its size: {many / few:.2f} times the objects take"
            f" {whole.cpu / half.cpu:.2f} times the CPU and {whole.memory / half.memory:.2f} times the memory"
        )

    def _paged(self, snapshot: Path) -> list[str]:
        paths = [call.request.removeprefix("GET ") for call in _read(snapshot)]
        told = {"url": self._kube.url, "ca": str(self._kube.ca_file), "token": self._kube.token("admin")}
        file = self._scratch / "live-paged.json"
        file.write_text(json.dumps({**told, "paths": paths}))
        return [PYTHON, "-m", "bench.paged", str(file)]

    def _kubectl(self, snapshot: Path) -> dict[str, list[str]]:
        program = shutil.which("kubectl")
        if program is None:
            return {}
        kinds = [kind.resource for call in _read(snapshot) if (kind := by_type(call.type)) is not None]
        asked = [program, "--kubeconfig", str(self._kube.kubeconfig()), "get", ",".join(kinds), "-A", "-o", "json"]
        return {"kubectl get -A -o json": asked}


def _row(name: str, cost: Cost) -> str:
    return f"    {name:<32}{cost.wall:>9.2f}{cost.cpu:>9.2f}{cost.memory:>7.0f}  {cost.code}"


def _read(snapshot: Path) -> Iterator[Any]:
    return (call for call in open_snapshot(snapshot).calls if call.result is CallResult.READ and call.request)


def _stage(number: int) -> Iterator[dict[str, Any]]:
    """Yield what is created in a stage: half of every kind, the other half, and the bindings beyond 20,000.

    Drawn anew each time and never kept: a process that is started is charged with the memory of the one that starts it.
    """
    seen: Counter[str] = Counter()
    for entry in estate.objects(_FULL, seed=1):
        kind = entry["kind"]
        position, seen[kind] = seen[kind], seen[kind] + 1
        if number == _of_stage(kind, position):
            yield entry


def _of_stage(kind: str, position: int) -> int:
    if kind == "Namespace" or position < _SIZES[kind] // 2:
        return 0
    return 1 if position < _SIZES[kind] else 2


_SIZES = {
    "ServiceAccount": estate.LARGE.service_accounts,
    "Role": estate.LARGE.roles,
    "RoleBinding": estate.LARGE.role_bindings,
    "ClusterRole": estate.LARGE.cluster_roles,
    "ClusterRoleBinding": estate.LARGE.cluster_role_bindings,
    "Secret": estate.LARGE.secrets,
    "ConfigMap": estate.LARGE.config_maps,
    "Deployment": estate.LARGE.deployments,
}
