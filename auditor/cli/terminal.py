"""What goes to standard error: complaints, notes, progress. Every text passes the redactor and loses control codes."""

import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TextIO

from auditor.model.errors import AuditorError


def clean(text: str) -> str:
    """Return `text` without credentials and without control characters other than newlines."""
    from auditor.redaction.redactor import for_terminal, redact_text  # noqa: PLC0415 - only when something is said

    return for_terminal(redact_text(text))


def colour_wanted(stream: TextIO) -> bool:
    """Return whether `stream` is a terminal that shows colour and nobody asked for none (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def complain(error: AuditorError) -> None:
    """Say what a user can mend: what happened, and the next step."""
    text = f"error: {clean(str(error))}\n"
    if error.hint:
        text += f" hint: {clean(error.hint)}\n"
    if colour_wanted(sys.stderr):
        text = "\x1b[31m" + text.replace("\n", "\x1b[0m\n", 1)
    sys.stderr.write(text)


def note(text: str) -> None:
    """Say one line."""
    sys.stderr.write(clean(text) + "\n")


def confess(error: BaseException, *, debug: bool) -> None:
    """Say that the program has a bug, without a traceback unless it was asked for; never with a value."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "an unknown place"  # noqa: PTH119 - a name, not a path
    sys.stderr.write(f"internal error: {type(error).__name__} at {where}\n")
    if debug:
        # Without the error's own text, which may quote input, and without source lines of callers' data.
        sys.stderr.write(clean("".join(traceback.format_list(frames))))
    else:
        sys.stderr.write(" hint: this is a bug in auditor; run again with --debug and report what it prints\n")


def put(content: bytes) -> None:
    """Write all of `content` to standard output: unbuffered (PYTHONUNBUFFERED), one call may write a part only."""
    rest = memoryview(content)
    while rest:
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()


def width() -> int:
    """Return the columns of the terminal; 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def fitted(lines: Iterable[str], width: int | None) -> Iterator[str]:
    """Yield `lines`, those that are wider than `width` in several; a word stays whole, so that it can be copied."""
    for line in lines:
        if width is None or len(line) <= width:
            yield line
            continue
        margin = " " * (len(line) - len(line.lstrip()))
        import textwrap  # noqa: PLC0415 - start-up: only for narrow terminals

        yield from textwrap.wrap(
            line.strip(),
            width,
            initial_indent=margin,
            subsequent_indent=f"{margin}    ",
            break_long_words=False,
            break_on_hyphens=False,
        )


class Progress:
    """One line on a terminal that tells what is being done; silent elsewhere and in the first half second.

    What was said too early is shown when that time is over: the longest step may be the one that began before it.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._active = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._started = time.monotonic()
        self._text = ""
        self._shown = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if self._active and hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            # A timer, not a thread: the work forks, and a fork takes no timer along.
            self._before = signal.signal(signal.SIGALRM, lambda *_: self._show())
            signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_waiting()
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def say(self, text: str) -> None:
        """Show `text` instead of what stood there."""
        self._text = text
        if self._active and time.monotonic() - self._started > _PATIENCE:
            self._stop_waiting()
            self._show()

    def _show(self) -> None:
        sys.stderr.write(f"\r\x1b[K{clean(self._text)[: width() - 1]}")
        sys.stderr.flush()
        self._shown = True

    def _stop_waiting(self) -> None:
        if self._before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)
            self._before = None


_PATIENCE = 0.5
"""Seconds in which a run says nothing: most are over by then."""
