"""The programs under tests/tools, for tests that compare with them."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

BIN = Path(__file__).parents[2] / ".cache" / "tools" / "bin"


def tool(name: str) -> str:
    """Return the program's path; skip the test where it is not installed."""
    found = shutil.which(name, path=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"{name} is not installed; tests/tools/install.sh builds it (needs Go)")
    return found


class KubernetesReader:
    """Kubernetes' own YAML reader in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([tool("yaml-oracle")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, document: str) -> dict[str, Any]:
        """Return `value`, `error` and `strict`, as the program's source describes them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(document).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
