"""Whole processes, measured by the operating system's own account of each, in turn (A B A B), medians told."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed program has its bytecode; a checkout gets it by the first run, unless the environment forbids that."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians over the runs of one command."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of user and system time, children included."""
    memory: float
    """MB (10^6 bytes) of the largest process."""
    code: int


def measure(
    commands: Mapping[str, Sequence[str]],
    *,
    runs: int = 5,
    timeout: float = 600,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> dict[str, Cost]:
    """Return the cost of each command; they take turns, after one run of each that does not count."""
    taken: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            cost = _once(command, timeout=timeout, env=env, cwd=cwd)
            if turn:
                taken[name].append(cost)
    return {name: _median(costs) for name, costs in taken.items()}


def _once(command: Sequence[str], *, timeout: float, env: Mapping[str, str] | None, cwd: Path | None) -> Cost:
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - programs that the bench names itself
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**_ENVIRONMENT, **(env or {})},
        cwd=cwd,
    )
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() - started > timeout:
            process.kill()
            _, status, usage = os.wait4(process.pid, 0)
            break
        time.sleep(0.0005)
    process.returncode = os.waitstatus_to_exitcode(status)
    scale = 1 if sys.platform == "darwin" else 1024
    return Cost(
        wall=time.monotonic() - started,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss * scale / 1e6,
        code=process.returncode,
    )


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        memory=max(cost.memory for cost in costs),
        code=costs[-1].code,
    )
