"""How fast `auditor secrets` is: histories, staged changes, trees and streams, beside git itself and other scanners.

BENCH_HISTORY=REPO    a repository of yours instead of a generated one (its git folder, or a clone)
GITLEAKS=FILE         programs to run beside ours, where they are not on the PATH
KINGFISHER=FILE
DETECT_SECRETS=FILE   `detect-secrets-hook`

Every command of a table takes its turn on the same input. Of ours the whole process counts, with a report and with
every blob accounted for; validation of what others find is switched off, since it asks the network.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench import corpora
from bench.corpora import git
from bench.measure import Cost, measure

_AUDITOR = str(Path(sys.executable).parent / "auditor")
_NAMES = {"gitleaks": "gitleaks", "kingfisher": "kingfisher", "detect_secrets": "detect-secrets-hook"}
_PROGRAMS = {name.upper(): program for name, program in _NAMES.items()}
"""Environment variable to program."""
_OFFLINE = ("--no-validate", "--no-update-check")
_TREE = 5_000
_SECONDS = 900.0
"""After which a program is stopped, and its row says so."""


def run(scratch: Path, *, runs: int) -> Iterator[str]:
    """Yield the lines to print."""
    yield from _missing()
    yield from _history(scratch, runs=min(runs, 3))
    yield from _staged(scratch, runs=runs * 3)
    yield from _tree(scratch, runs=runs)
    yield from _redact(scratch, runs=min(runs, 3))


def _program(variable: str, name: str) -> str | None:
    return os.environ.get(variable) or shutil.which(name)


def _missing() -> Iterator[str]:
    for variable, name in _PROGRAMS.items():
        if _program(variable, name) is None:
            yield f"{name}: not measured, it is neither on the PATH nor named by {variable}"


def _peers(**commands: Sequence[str]) -> dict[str, list[str]]:
    """Return the commands of the peers that are there; `commands` are their arguments, by name."""
    known = {name: _program(name.upper(), program) for name, program in _NAMES.items()}
    return {
        name.replace("_", "-"): [program, *arguments]
        for name, arguments in commands.items()
        if (program := known[name]) is not None
    }


# Histories


def _history(scratch: Path, *, runs: int) -> Iterator[str]:
    named = os.environ.get("BENCH_HISTORY")
    repository = Path(named) if named else corpora.history(scratch / "history")
    blobs, size = _blobs(repository)
    what = repository.name if named else "a generated repository"
    yield f"\nHistory of {what}: {blobs:,} blobs, {size / 1e6:,.0f} MB"
    ours, reader = "auditor secrets scan --git", "git cat-file, read"
    target = str(repository)
    costs = measure(
        {
            reader: [sys.executable, "-m", "bench.secrets", "read", target],
            ours: [_AUDITOR, "secrets", "scan", "--git", target, "--no-cache", "--quiet", "--format", "json"],
            **_peers(
                kingfisher=[
                    "scan", target, "--git-history", "full", *_OFFLINE, "--format", "json",
                ],
                gitleaks=["git", target, "--no-banner", "--log-level", "error"],
            ),
        },
        runs=runs,
        timeout=_SECONDS,
    )  # fmt: skip
    yield from _table(costs, size, {reader: (2.0, "at most"), "kingfisher": (1 / 1.5, "at most")}, ours)
    yield f"  target: at least 350 MB/s on an idle machine: {size / 1e6 / costs[ours].wall:,.0f} MB/s"
    yield f"  {_accounted([_AUDITOR, 'secrets', 'scan', '--git', target, '--no-cache'], blobs)}"


def _accounted(command: Sequence[str], blobs: int) -> str:
    done = subprocess.run([*command, "--quiet", "--format", "json"], capture_output=True, check=False)  # noqa: S603 - ours
    (part,) = json.loads(done.stdout)["coverage"]
    lost = sum(gap["reason"] == "missing" for gap in part["gaps"])
    told = (
        part["files_read"]
        + sum(count for what, count in part["skipped"] if what != "archive")
        + len(part["gaps"])
        - lost
    )
    said = "complete" if told == blobs and len(part["gaps"]) == lost else "NOT COMPLETE"
    return f"every blob accounted for: {told:,} of {blobs:,}, {said}" + (
        f"; the repository lacks {lost}" if lost else ""
    )


def _blobs(repository: Path) -> tuple[int, int]:
    """Return how many blobs the refs reach, and their bytes."""
    listing = git(repository, "rev-list", "--objects", "--all", "--missing=allow-any", "--no-object-names")
    form = "--batch-check=%(objecttype) %(objectsize)"
    sizes = git(repository, "cat-file", form, stdin=listing).splitlines()
    found = [int(line.split()[1]) for line in sizes if line.startswith(b"blob ")]
    return len(found), sum(found)


def _read(repository: Path) -> None:
    """Read every blob that the refs reach as a scanner has to: listed, and handed over by one `git cat-file`."""
    reached = set(git(repository, "rev-list", "--objects", "--all", "--missing=allow-any", "--no-object-names").split())
    form = "--batch-check=%(objecttype) %(objectname)"
    stored = git(repository, "cat-file", "--batch-all-objects", "--unordered", form).splitlines()
    blobs = [line[5:] for line in stored if line.startswith(b"blob ") and line[5:] in reached]
    with subprocess.Popen(  # noqa: S603 - the bench names what is run
        ["git", "-C", str(repository), "cat-file", "--batch", "--buffer"],  # noqa: S607 - as a user would
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes
        feeder = threading.Thread(target=_feed, args=(process.stdin, blobs))
        feeder.start()
        while process.stdout.read(1 << 20):
            pass
        feeder.join()


def _feed(pipe: IO[bytes], blobs: Sequence[bytes]) -> None:
    pipe.write(b"\n".join(blobs) + b"\n")
    pipe.close()


# Staged changes


def _staged(scratch: Path, *, runs: int) -> Iterator[str]:
    folder = scratch / "staged"
    rng = random.Random(11)  # noqa: S311 - made-up text, not a key
    for number in range(200):
        corpora.put(folder, number, rng, lines=60)
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "x")):
        git(folder, *arguments)
    changed = [corpora.put(folder, number, rng, lines=61, plain=True) for number in range(5)]
    git(folder, "add", "-A")
    yield "\nFive staged files, the hook's whole process"
    ours = "auditor secrets hook run"
    costs = measure(
        {
            ours: [_AUDITOR, "secrets", "hook", "run", "pre-commit"],
            **_peers(
                gitleaks=["git", "--pre-commit", "--staged", "--no-banner", "--log-level", "error"],
                kingfisher=["scan", ".", "--staged", *_OFFLINE],
                detect_secrets=changed,
            ),
        },
        runs=runs,
        cwd=folder,
    )
    yield from _table(costs, None, {"gitleaks": (1.0, "at most")}, ours)
    yield f"  target: at most 100 ms: {costs[ours].wall * 1e3:.0f} ms"


# Trees


def _tree(scratch: Path, *, runs: int) -> Iterator[str]:
    folder = scratch / "tree"
    rng = random.Random(13)  # noqa: S311 - as above
    for number in range(_TREE):
        corpora.put(folder, number, rng, lines=rng.choice((20, 60, 200, 900)))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    # What changed just now is not remembered.
    time.sleep(2.1)
    yield f"\nA tree of {_TREE:,} files, {size / 1e6:.0f} MB"
    cold, warm = "auditor secrets scan, cold", "auditor secrets scan, again"
    scan = [_AUDITOR, "secrets", "scan", ".", "--quiet", "--format", "json"]
    costs = measure(
        {
            cold: [*scan, "--no-cache"],
            warm: scan,
            **_peers(
                kingfisher=[
                    "scan",
                    ".",
                    "--git-history",
                    "none",
                    "--no-validate",
                    "--no-update-check",
                    "--format",
                    "json",
                ],
                gitleaks=["dir", ".", "--no-banner", "--log-level", "error"],
            ),
        },
        runs=runs,
        cwd=folder,
        env={"XDG_CACHE_HOME": str(scratch / "cache")},
    )
    yield from _table(costs, size, {}, cold)
    yield f"  target: cold at most 2 s, again at most 0.5 s: {costs[cold].wall:.2f} s, {costs[warm].wall:.2f} s"


# Streams


@dataclass(frozen=True, slots=True)
class _Flow:
    """What one run over a stream took."""

    wall: float
    cpu: float
    """Of the filter alone, start-up included."""
    missed: int


def _redact(scratch: Path, *, runs: int) -> Iterator[str]:
    content, planted = corpora.log(size=60_000_000)
    empty = statistics.median(_flow(b"", (), 65_536, scratch).cpu for _ in range(3))
    yield f"\nA log of {len(content) / 1e6:.0f} MB with {len(planted):,} tokens through auditor secrets redact"
    for size in (4_096, 65_536, 1_048_576):
        flows = [_flow(content, planted, size, scratch) for _ in range(runs)]
        cpu = statistics.median(flow.cpu for flow in flows) - empty
        wall = statistics.median(flow.wall for flow in flows)
        yield (
            f"  written {size // 1024:>5,} KB at a time: {len(content) / 1e6 / cpu:>5,.0f} MB a CPU second (target 200)"
            f", {len(content) / 1e6 / wall:>5,.0f} MB/s; missed {max(flow.missed for flow in flows)}"
        )


def _flow(content: bytes, planted: Sequence[bytes], size: int, scratch: Path) -> _Flow:
    out = scratch / "redacted.log"
    with out.open("wb") as target:
        started = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - ours
            [_AUDITOR, "secrets", "redact", "--quiet"], stdin=subprocess.PIPE, stdout=target, bufsize=0
        )
        assert process.stdin is not None  # noqa: S101 - a pipe
        for start in range(0, len(content), size):
            view = memoryview(content)[start : start + size]
            while view:
                view = view[os.write(process.stdin.fileno(), view) :]
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - started
    missed = {*corpora.TOKEN.findall(out.read_bytes())} & {*planted}
    return _Flow(wall, usage.ru_utime + usage.ru_stime, len(missed))


# Tables


def _table(
    costs: Mapping[str, Cost], size: int | None, targets: Mapping[str, tuple[float, str]], ours: str
) -> Iterator[str]:
    yield f"  {'':<32}{'wall s':>9}{'CPU s':>9}{'MB':>7}{'MB/s':>8}{'of ours':>9}  exit"
    own = costs[ours].wall
    for name, cost in costs.items():
        speed = f"{size / 1e6 / cost.wall:>8,.0f}" if size else f"{'':>8}"
        late = " (stopped)" if cost.wall >= _SECONDS else ""
        yield (
            f"  {name:<32}{cost.wall:>9.3f}{cost.cpu:>9.3f}{cost.memory:>7.0f}{speed}{cost.wall / own:>9.2f}"
            f"  {cost.code}{late}"
        )
    for name, (limit, words) in targets.items():
        if name in costs:
            yield f"  target: ours {words} {limit:.2f} of {name}'s time: {own / costs[name].wall:.2f}"


if __name__ == "__main__":
    _read(Path(sys.argv[2]))
