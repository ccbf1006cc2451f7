"""Other scanners for credentials, run on the same files where the user has them, and what they tell as places.

GITLEAKS=FILE KINGFISHER=FILE DETECT_SECRETS=FILE name their programs; else they are looked for in PATH. The last one
may be the hook of that scanner, beside which its program lies. Nothing is validated against a provider.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

_PATIENCE = 1_800
"""Seconds."""


class Told(NamedTuple):
    """One finding of a scanner."""

    path: str
    """Below the tree that was searched."""
    first: int
    last: int
    """Lines, from 1."""
    token: bool = False
    """Whether it has a vendor's format, where the scanner tells."""


def told(tree: Path) -> Iterator[tuple[str, list[Told]]]:
    """Yield the name of each scanner that is there, with what it finds in the files below `tree`."""
    for name, ask in _SCANNERS.items():
        program = os.environ.get(name.upper().replace("-", "_")) or shutil.which(name)
        if program:
            yield name, ask(program.removesuffix("-hook"), tree)


def _gitleaks(program: str, tree: Path) -> list[Told]:
    found = _json([program, "dir", "--no-banner", "--exit-code=0", "-l=error", "-f=json", "-r=-", "."], tree)
    return [Told(one["File"].removeprefix("./"), one["StartLine"], one["EndLine"]) for one in found]


def _kingfisher(program: str, tree: Path) -> list[Told]:
    found = _json(
        [program, "scan", ".", "--no-validate", "--git-history=none", "--no-update-check", "--format=json"], tree
    )
    findings = [one["finding"] for one in found["findings"]]
    return [Told(one["path"].removeprefix("./"), one["line"], one["line"]) for one in findings]


def _detect_secrets(program: str, tree: Path) -> list[Told]:
    found = _json([program, "scan", "--all-files", "--no-verify", "."], tree)
    return [
        Told(path, one["line_number"], one["line_number"]) for path, all_ in found["results"].items() for one in all_
    ]


def _json(command: list[str], tree: Path) -> Any:
    """Return the first JSON value of the output; scanners exit with other codes than 0 when they find something."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tree, timeout=_PATIENCE)  # noqa: S603
    start = min((at for at in (done.stdout.find("["), done.stdout.find("{")) if at >= 0), default=-1)
    if start < 0:
        raise RuntimeError(f"{command[0]} answered nothing (exit code {done.returncode})")
    return json.JSONDecoder().raw_decode(done.stdout, start)[0]


_SCANNERS: dict[str, Callable[[str, Path], list[Told]]] = {
    "gitleaks": _gitleaks,
    "kingfisher": _kingfisher,
    "detect-secrets": _detect_secrets,
}
