"""`auditor secrets redact` as a part of a pipe: slow writers, readers that leave, interruptions, other bytes."""

import gzip
import os
import signal
import subprocess
import time

import pytest

from tests.e2e.program import PROGRAM

VALUE = "gull-and-anchor-9"
LINE = f"2026-11-25 ERROR login failed user=bob password={VALUE}\n".encode()
MASKED = LINE.replace(VALUE.encode(), b"[redacted]")


def run(stdin: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [PROGRAM, "secrets", "redact", *arguments], input=stdin, capture_output=True, timeout=60, check=False
    )


def started() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [PROGRAM, "secrets", "redact"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )


def test_values_are_masked_counted_and_the_rest_passes() -> None:
    done = run(b"first\n" + LINE * 3 + b"last, without a line feed")
    assert done.stdout == b"first\n" + MASKED * 3 + b"last, without a line feed"
    assert (done.returncode, done.stderr) == (0, b"masked 3 credentials in 0.0 MB\n")
    assert run(LINE, "--quiet").stderr == b""


def test_a_line_comes_out_as_soon_as_it_is_whole() -> None:
    with started() as process:
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018 - pipes
        process.stdin.write(b"one\n")
        assert process.stdout.readline() == b"one\n"
        process.stdin.write(LINE[:30])
        process.stdin.write(LINE[30:])
        assert process.stdout.readline() == MASKED
        process.stdin.close()
        assert process.wait(30) == 0


def test_an_interruption_passes_no_half_line_on() -> None:
    with started() as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None  # noqa: PT018
        process.stdin.write(LINE + LINE[:55])
        assert process.stdout.readline() == MASKED
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err
    assert b"masked 1 credential" in err


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    script = f"yes '{LINE.decode().strip()}' | head -c 20000000 | {PROGRAM} secrets redact | head -1"
    script += "; echo ${PIPESTATUS[2]}"
    pipe = subprocess.run(["bash", "-c", script], capture_output=True, timeout=120, check=False)
    first, status = pipe.stdout.splitlines()
    assert (first + b"\n", status, pipe.stderr) == (MASKED, b"141", b"")


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(LINE * 50, mtime=0),
        bytes(range(256)) * 40,
        b"",
        b"PK\x03\x04" + LINE,
        b"a" * 257 + b"ustar" + LINE,
    ],
    ids=["gzip", "bytes", "empty", "zip", "tar"],
)
def test_binary_input_passes_as_it_is(content: bytes) -> None:
    done = run(content)
    assert (done.returncode, done.stdout) == (0, content)
    assert b"nothing was masked" in done.stderr or not content


def test_a_log_that_begins_with_zeros_is_a_log() -> None:
    """A file that was cut while its writer kept its place begins with as many NULs as it had bytes."""
    done = run(b"\0" * 5_000 + LINE)
    assert done.stdout == b"\0" * 5_000 + MASKED


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_masked_and_stays_utf_16(encoding: str) -> None:
    text = "\ufefföne\r\n" + LINE.decode()
    assert run(text.encode(encoding)).stdout == text.replace(VALUE, "[redacted]").encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_masked(encoding: str) -> None:
    assert run(LINE.decode().encode(encoding)).stdout == MASKED.decode().encode(encoding)


def test_scripts_of_utf_16_whose_bytes_look_like_controls_are_text() -> None:
    text = "\ufeff" + "".join(map(chr, range(0x4E01, 0x4F00))) * 8 + f"\npassword={VALUE}\n"
    done = run(text.encode("utf-16-le"))
    assert done.stdout.decode("utf-16-le") == text.replace(VALUE, "[redacted]")
    assert done.stderr.startswith(b"masked 1")


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_what_only_begins_as_utf_16_is_masked_and_keeps_its_last_byte(mark: bytes) -> None:
    for content in (mark + LINE, mark + b"x" + LINE, mark + b" bad \x80 " + LINE):
        done = run(content)
        assert done.stdout == content.replace(LINE, MASKED)
        assert done.stderr.startswith(b"masked 1 credential")


def test_the_tier_decides() -> None:
    assert VALUE.encode() in run(LINE, "--tier", "1").stdout
    assert run(LINE, "--rule-off", "named-credential").stdout == LINE
    assert run(LINE, "--rule-off", "no-such").returncode == 2


def test_it_holds_little_however_much_flows() -> None:
    script = f"""
import resource, subprocess, sys
p = subprocess.Popen([{str(PROGRAM)!r}, "secrets", "redact"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
for _ in range(60):
    p.stdin.write({LINE!r} * 20_000)
p.stdin.close(); p.wait()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
    done = subprocess.run(["python3", "-c", script], capture_output=True, timeout=200, check=True, env={**os.environ})
    assert int(done.stdout.split()[-1]) < 150_000, "kilobytes"
