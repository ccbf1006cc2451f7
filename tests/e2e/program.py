"""The installed program, started as a user starts it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PROGRAM = Path(sys.executable).parent / "auditor"


@dataclass(frozen=True, slots=True)
class Done:
    """What a run gave."""

    code: int
    out: str
    err: str


def auditor(
    *arguments: str | Path, cwd: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None, timeout: int = 120
) -> Done:
    """Run the program in the folder `cwd` with an environment of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AUDITOR_", "COLUMNS"))}
    done = subprocess.run(
        [str(PROGRAM), *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=timeout,
        check=False,
        # A cache folder that nobody can make, so that no run knows what another one judged.
        env={**clean, "NO_COLOR": "1", "XDG_CACHE_HOME": "/dev/null/none", **(env or {})},
    )
    return Done(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
