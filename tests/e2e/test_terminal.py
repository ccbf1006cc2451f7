"""Terminals and pipes: progress, colour, width, a reader that leaves, Ctrl-C."""

import contextlib
import os
import pty
import re
import signal
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.program import PROGRAM, auditor
from tests.e2e.test_scan import LITERAL, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals and signals of POSIX")

CONTROL = "\x1b["


def on_terminal(*arguments: str, cwd: Path, columns: int = 100, env: Mapping[str, str] | None = None) -> str:
    """Return what a terminal shows of standard output and standard error."""
    import fcntl
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "TERM"}}
    process = subprocess.Popen(
        [str(PROGRAM), *arguments], cwd=cwd, stdin=slave, stdout=slave, stderr=slave,
        env={**clean, "TERM": "xterm", **(env or {})},
    )  # fmt: skip
    os.close(slave)
    shown = bytearray()
    with contextlib.suppress(OSError):  # how Linux tells that the other side is closed
        while part := os.read(master, 65536):
            shown += part
    process.wait(timeout=60)
    os.close(master)
    return shown.decode()


def many(folder: Path, count: int = 3000) -> None:
    for number in range(count):
        write(folder, f"many/{number}.yaml", LITERAL.replace("name: web, ", f"name: web-{number}, "))


def test_a_terminal_sees_colour_unless_it_asked_for_none(tmp_path: Path) -> None:
    write(tmp_path, "web.yaml", LITERAL)
    assert CONTROL in on_terminal("scan", ".", "--quiet", cwd=tmp_path)
    assert CONTROL not in on_terminal("scan", ".", "--quiet", cwd=tmp_path, env={"NO_COLOR": "1"})
    assert CONTROL not in on_terminal("scan", ".", "--quiet", cwd=tmp_path, env={"TERM": "dumb"})


def test_colour_carries_nothing_alone(tmp_path: Path) -> None:
    write(tmp_path, "web.yaml", LITERAL)
    coloured = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", on_terminal("scan", ".", "--quiet", cwd=tmp_path))
    plain = on_terminal("scan", ".", "--quiet", cwd=tmp_path, env={"NO_COLOR": "1"})
    assert coloured == plain


def test_a_narrow_terminal_gets_short_lines(tmp_path: Path) -> None:
    write(tmp_path, "web.yaml", LITERAL)
    shown = on_terminal("scan", ".", "--select", "K-SEC-01", "-q", cwd=tmp_path, columns=50, env={"NO_COLOR": "1"})
    hint = next(line for line in shown.splitlines() if line.startswith("  hint:"))
    assert len(hint) <= 50


def test_long_work_is_told_on_a_terminal_and_nothing_stays(tmp_path: Path) -> None:
    many(tmp_path)
    shown = on_terminal("scan", "many", "--format", "json", "--report", "json=out.json", cwd=tmp_path)
    assert "\r\x1b[Kwriting reports" in shown or "\r\x1b[Kassessing" in shown or "\r\x1b[Kjudging" in shown


def test_what_began_before_the_patience_ended_is_told_too(tmp_path: Path) -> None:
    """The longest step may be the first; here a chart's renderer that takes its time."""
    write(tmp_path, "bin/helm", "#!/bin/sh\nsleep 1.5\nexit 1\n").chmod(0o755)
    write(tmp_path, "shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n")
    write(tmp_path, "shop/templates/x.yaml", "{{ x }}\n")
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    shown = on_terminal("scan", "shop", cwd=tmp_path, env={"PATH": path})
    first = shown.split("\r\x1b[K")[1]
    assert "rendering" in first


def test_a_pipe_sees_no_progress(tmp_path: Path) -> None:
    many(tmp_path)
    done = auditor("scan", "many", "--format", "json", cwd=tmp_path)
    assert done.err == ""


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["scan", "many", "-o", "json"], ["policy", "list"], ["frameworks", "list"]])
def test_a_reader_that_leaves_is_no_failure_of_ours(tmp_path: Path, arguments: list[str], unbuffered: str) -> None:
    """Exit code 1 would say that something failed the gate."""
    many(tmp_path, 600)
    process = subprocess.Popen(
        [str(PROGRAM), *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaints = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), complaints) == (141, b"")


def test_ctrl_c_ends_a_run_without_a_traceback(tmp_path: Path) -> None:
    """The run waits for its input, so that the moment of the interruption is certain."""
    process = subprocess.Popen(
        [str(PROGRAM), "scan", "-"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    # More than a pipe holds: when this returns, the program is reading.
    process.stdin.write(b"# " + b"x" * 1_000_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert err == b"interrupted: reports that were not written yet are missing\n"
