"""Server programs of the tests: started on free ports, waited for, and ended for sure."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

LOOPBACK = "127.0.0.1"
PATIENCE = 90
"""Seconds for a server to become ready; 3 are usual, but a machine may be busy."""


class StartError(Exception):
    """A server did not become ready; the text holds the end of its log."""


class Server:
    """One program, on a leash, its output in a file."""

    def __init__(self, folder: Path, command: Sequence[str | Path]) -> None:
        self.name = Path(command[0]).name
        self._log = folder / f"{self.name}.log"
        leash = [sys.executable, "-I", "-S", str(Path(__file__).with_name("leash.py")), str(os.getpid())]
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C reaches the tests first, which then stop the servers in order.
            self._process = subprocess.Popen(
                [*leash, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def memory(self) -> int:
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        """Kill it: nothing that it holds is wanted, and an orderly end takes up to 5 seconds."""
        self._process.kill()
        self._process.wait()


def on_free_port(stack: ExitStack, start: Callable[[int], Server], ready: Callable[[int], bool]) -> tuple[Server, int]:
    """Start a server on a port that was free a moment ago, and again on another if somebody was faster."""
    for attempt in range(5):
        with socket.socket() as free:
            free.bind((LOOPBACK, 0))
            port: int = free.getsockname()[1]
        server = start(port)
        stack.callback(server.stop)
        try:
            wait(server, partial(ready, port))
        except StartError:
            if attempt == 4 or "address already in use" not in server.log():
                raise
        else:
            return server, port
    raise AssertionError("the last attempt returns or raises")


def wait(server: Server, ready: Callable[[], bool]) -> None:
    """Return when `ready` says so.

    Raises:
        StartError: the server ended, or its time is over.

    """
    limit = time.monotonic() + PATIENCE
    while not ready():
        if server.ended or time.monotonic() > limit:
            happened = "ended" if server.ended else f"was not ready after {PATIENCE} s"
            raise StartError(f"{server.name} {happened}:\n{server.log()[-4000:]}")
        time.sleep(0.05)
