"""`make bench`: what is measured, and how it is printed.

BENCH_INPUT=DIR    judge this folder (each folder in it that holds manifests is a row); else input is generated
KUBE_LINTER=FILE   a kube-linter program to run beside ours
BENCH_CHECKOV=1    install checkov from PyPI into .cache/checkov and run it on the one file, too

BENCH_REPOSITORIES=DIR  where the labelled public repositories of the part `detection` are (bench/detection.py)

The part `live` needs the API server that `make servers` builds, and kubectl for its comparison. What `secrets` takes
from the environment stands in bench/secrets.py.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from bench import browser, detection, generate, live, secrets
from bench.measure import Cost, measure

ROOT = Path(__file__).parent.parent
PYTHON = sys.executable
AUDITOR = str(Path(sys.executable).parent / "auditor")
_PARTS = ("start", "sets", "growth", "reports", "snapshot", "access", "live", "secrets", "detection")
_GROWTH = (1_500, 6_000, 24_000)


def main() -> None:
    """Run every measurement and print a table of each."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--input", type=Path, help="a folder of manifests (BENCH_INPUT)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=_PARTS, action="append")
    given = parser.parse_args()
    wanted = given.only or _PARTS
    with tempfile.TemporaryDirectory(prefix="auditor-bench-") as name:
        scratch = Path(name)
        if "start" in wanted:
            _start(scratch, runs=given.runs)
        if "sets" in wanted:
            _sets(given.input, scratch, runs=given.runs)
        if "growth" in wanted:
            _growth(scratch, runs=min(given.runs, 3))
        if "reports" in wanted:
            _reports(scratch)
        if "snapshot" in wanted:
            _snapshot(scratch)
        if "access" in wanted:
            _access(scratch)
        for part, told in _TOLD.items():
            if part in wanted:
                for line in told(scratch, given.runs):
                    _say(line)


_TOLD: dict[str, Callable[[Path, int], Iterable[str]]] = {
    "live": lambda scratch, _: live.run(scratch),
    "secrets": lambda scratch, runs: secrets.run(scratch, runs=runs),
    "detection": lambda scratch, _: detection.run(scratch),
}
"""Parts that yield their lines: folder for what they make, and how often they repeat."""


def _start(scratch: Path, *, runs: int) -> None:
    one = scratch / "one" / "service.yaml"
    one.parent.mkdir()
    generate.write(scratch / "six", documents=6)
    one.write_text("---\n".join(file.read_text() for file in sorted((scratch / "six").rglob("*.yaml"))))
    commands = {
        "python -c 'import typer'": [PYTHON, "-c", "import typer"],
        "auditor --version": [AUDITOR, "--version"],
        "auditor scan one file": _scan(one),
        **_linter(one),
        **_checkov(one),
    }
    costs = measure(commands, runs=runs)
    _table("Start-up and one file", costs, reference="python -c 'import typer'")
    _target("auditor --version / import typer", costs["auditor --version"].wall, costs["python -c 'import typer'"].wall)
    _say(f"target: one file at most 0.25 s of CPU: {costs['auditor scan one file'].cpu:.3f} s")


def _sets(given: Path | None, scratch: Path, *, runs: int) -> None:
    if given is None:
        generate.write(scratch / "generated", documents=5_000)
    folders = _rows(given) if given is not None else [scratch / "generated"]
    for folder in folders:
        files = sum(1 for file in folder.rglob("*") if file.is_file())
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
        reference = "PyYAML CSafeLoader, one core"
        costs = measure(
            {
                reference: [PYTHON, "-m", "bench.parse", str(folder)],
                "auditor scan": _scan(folder),
                **_linter(folder),
            },
            runs=runs,
        )
        _table(f"{folder.name}: {files} files, {size:.1f} MB", costs, reference=reference)
        _say(f"target: at most 300 MB of memory: {costs['auditor scan'].memory:.0f} MB")


def _growth(scratch: Path, *, runs: int) -> None:
    commands = {}
    for documents in _GROWTH:
        folder = scratch / f"growth-{documents}"
        generate.write(folder, documents=documents)
        commands[f"{documents} documents"] = _scan(folder)
    costs = measure(commands, runs=runs)
    _table("Growth", costs, reference=f"{_GROWTH[0]} documents")
    for documents in _GROWTH:
        cost = costs[f"{documents} documents"]
        _say(f"{documents:>6} documents: {cost.wall / documents * 1e3:.3f} ms each, {cost.memory:.0f} MB")


def _reports(scratch: Path) -> None:
    _say("\nReports")
    for format_, findings, limit in (("html", 20_000, 2.0), ("pdf", 3_000, 3.0), ("json", 20_000, None)):
        file = scratch / f"large.{format_}"
        command = [PYTHON, "-m", "bench.reports", format_, str(findings), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 - our own module
        seconds, size = float(done.stdout), file.stat().st_size / 1e6
        target = f" (target {limit:.0f} s)" if limit else ""
        _say(f"  {format_} with {findings:,} findings: {seconds:.2f} s{target}, {size:.1f} MB")
        if format_ == "html":
            _say(f"  {browser.keystroke(file)}")


def _snapshot(scratch: Path) -> None:
    _say("\nSnapshots: microseconds of CPU for each role binding")
    for count in (20_000, 50_000, 100_000):
        folder = scratch / f"snapshot-{count}"
        folder.mkdir()
        command = [PYTHON, "-m", "bench.snapshot", str(folder), str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 - our own module
        told = json.loads(done.stdout)
        steps = ", ".join(f"{name} {taken:.1f}" for name, taken in told["microseconds"].items())
        size = f"{told['bytes_an_object']:.0f} bytes each, {told['peak_mb']:.0f} MB"
        _say(f"  {count:>7,}: {steps}; {size} (target: write 15)")


def _access(scratch: Path) -> None:
    _say("\nAccess: decisions on a snapshot (a real API server reviews 1,300 to 3,300 a second)")
    for count in (10_000, 50_000):
        folder = scratch / f"access-{count}"
        folder.mkdir()
        command = [PYTHON, "-m", "bench.access", str(folder), str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 - our own module
        told = json.loads(done.stdout)
        _say(
            f"  {told['bindings']:>7,} bindings: {told['decisions_a_second']:,.0f} decisions a CPU second (target: "
            f"10,000), {told['allowed']:.0%} of them allowed; reading {told['reading_s']:.2f} s, who-can get secrets "
            f"{told['who_can_s']:.2f} s for {told['rows']:,} rows; {told['peak_mb']:.0f} MB"
        )


def _rows(folder: Path) -> list[Path]:
    inner = [entry for entry in sorted(folder.iterdir()) if entry.is_dir()]
    return inner if inner and not any(folder.glob("*.y*ml")) else [folder]


def _scan(path: Path) -> list[str]:
    return [AUDITOR, "scan", str(path), "--quiet", "--format", "json", "--no-ignore"]


def _linter(path: Path) -> dict[str, Sequence[str]]:
    program = os.environ.get("KUBE_LINTER") or shutil.which("kube-linter")
    return {"kube-linter": [program, "lint", str(path)]} if program else {}


def _checkov(path: Path) -> dict[str, Sequence[str]]:
    if os.environ.get("BENCH_CHECKOV") != "1":
        return {}
    place = ROOT / ".cache" / "checkov"
    program = place / "bin" / "checkov"
    if not program.exists():
        _say("installing checkov into .cache/checkov ...")
        subprocess.run([PYTHON, "-m", "venv", str(place)], check=True)  # noqa: S603 - our own interpreter
        subprocess.run([str(place / "bin" / "pip"), "install", "--quiet", "checkov>=3.2"], check=True)  # noqa: S603
    return {"checkov": [str(program), "--file", str(path), "--compact", "--quiet", "--skip-download"]}


def _table(title: str, costs: dict[str, Cost], *, reference: str) -> None:
    _say(f"\n{title}")
    _say(f"  {'':<32}{'wall s':>9}{'CPU s':>9}{'MB':>7}{'wall ratio':>12}{'CPU ratio':>11}  exit")
    base = costs[reference]
    for line in _lines(costs, base):
        _say(line)


def _lines(costs: dict[str, Cost], base: Cost) -> Iterator[str]:
    for name, cost in costs.items():
        yield (
            f"  {name:<32}{cost.wall:>9.3f}{cost.cpu:>9.3f}{cost.memory:>7.0f}"
            f"{cost.wall / base.wall:>12.2f}{cost.cpu / base.cpu:>11.2f}  {cost.code}"
        )


def _target(what: str, ours: float, theirs: float) -> None:
    _say(f"target: {what} at most 1.5: {ours / theirs:.2f}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
