"""Two rounds of work over shares of the input, with one exchange in between, in forked processes.

Round one makes something big that stays where it is (parsed resources) and something small that all need (the
estate). The small parts are merged and handed back; round two uses both. Sending the big part would cost more than
making it, so a process must finish what it began.
"""

import contextlib
import os
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from auditor.model.errors import AuditorError
from auditor.model.record import record

_LENGTH = struct.Struct("<Q")

Share = TypeVar("Share")
Big = TypeVar("Big")
Small = TypeVar("Small")
Result = TypeVar("Result")


class WorkerLostError(AuditorError):
    """A worker process ended without an answer, so a part of the input was not judged."""

    exit_code = 4

    def __init__(self) -> None:
        super().__init__(
            "a worker process ended unexpectedly, so part of the input was not judged",
            hint="Usually the machine ran out of memory: run again with --jobs 1, or name fewer files.",
        )


def run(
    shares: Sequence[Share],
    *,
    first: Callable[[Share], tuple[Big, Small]],
    merge: Callable[[Sequence[Small]], Small],
    second: Callable[[Big, Small], Result],
) -> tuple[Small, list[Result]]:
    """Return the merged small part and each share's result, in the order of `shares`.

    The first share is worked on in this process and each other in a fork of its own; where the system cannot fork,
    all are worked on here, with the same result. What a function raises is raised here. Raises `WorkerLostError`
    when a process dies.
    """
    if not hasattr(os, "fork"):
        return _here(shares, first=first, merge=merge, second=second)
    workers = [_start(share, first, second) for share in shares[1:]]
    try:
        big, small = first(shares[0])
        merged = merge([small, *(worker.receive() for worker in workers)])
        message = _packed(merged) if workers else b""
        for worker in workers:
            worker.send(message)
        results = [second(big, merged), *(worker.receive() for worker in workers)]
    finally:
        for worker in workers:
            worker.close()
    return merged, results


def _here(shares: Sequence[Any], *, first: Any, merge: Any, second: Any) -> tuple[Any, list[Any]]:
    pairs = [first(share) for share in shares]
    merged = merge([small for _, small in pairs])
    return merged, [second(big, merged) for big, _ in pairs]


@record(kw_only=False)
class _Worker:
    pid: int
    reader: int
    writer: int

    def receive(self) -> Any:
        ok, value = _unpacked(_read(self.reader))
        if not ok:
            raise value
        return value

    def send(self, message: bytes) -> None:
        try:
            _write(self.writer, message)
        except BrokenPipeError as error:
            raise WorkerLostError from error

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _start(share: Any, first: Any, second: Any) -> _Worker:
    from_child, to_parent = os.pipe()
    from_parent, to_child = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        os.close(from_child)
        os.close(to_child)
        _child(share, first, second, reader=from_parent, writer=to_parent)
    os.close(to_parent)
    os.close(from_parent)
    return _Worker(pid, from_child, to_child)


def _child(share: Any, first: Any, second: Any, *, reader: int, writer: int) -> NoReturn:
    # Never return into the caller's frames: they belong to the parent.
    try:
        big, small = first(share)
        _answer(writer, value=small)
        _answer(writer, value=second(big, _unpacked(_read(reader))))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent raises it
        with contextlib.suppress(BaseException):
            _write(writer, _pickled_error(error))
    finally:
        os._exit(0)


def _answer(writer: int, *, value: Any) -> None:
    _write(writer, _packed((True, value)))


def _pickled_error(error: BaseException) -> bytes:
    try:
        message = _packed((False, error))
        _unpacked(message)  # proves that the parent can read it
    except Exception:  # noqa: BLE001 - an error that cannot travel is described instead
        return _packed((False, RuntimeError(f"{type(error).__name__} in a worker process")))
    return message


def _packed(value: Any) -> bytes:
    import pickle  # noqa: PLC0415 - start-up: small inputs need no second process

    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def _unpacked(message: bytes) -> Any:
    import pickle  # noqa: PLC0415 - as above

    return pickle.loads(message)  # noqa: S301 - written by our own fork


def _read(descriptor: int) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(descriptor, _LENGTH.size))
    return _exactly(descriptor, length)


def _exactly(descriptor: int, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = os.read(descriptor, min(length - len(parts), 1 << 20))
        if not part:
            raise WorkerLostError
        parts += part
    return bytes(parts)


def _write(descriptor: int, message: bytes) -> None:
    for start in (memoryview(_LENGTH.pack(len(message))), memoryview(message)):
        rest = start
        while rest:
            rest = rest[os.write(descriptor, rest) :]
