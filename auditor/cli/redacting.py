"""`auditor secrets redact`: standard input to standard output, credentials masked, line by line as they come."""

import codecs
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli import terminal

if TYPE_CHECKING:
    from auditor.detection.stream import Mask

_READ = 1 << 20
_HEAD = 8_192
_MAGIC = (
    b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"\x7fELF",
    b"GIF8", b"%PDF", b"\xca\xfe\xba\xbe", b"SQLite format 3\x00", b"\x04\x22\x4d\x18", b"7z\xbc\xaf\x27\x1c",
)  # fmt: skip
"""First bytes of what is compressed or no text: masking a part of it would only break it."""
_TAR = 257
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_CONTROLS = bytes(set(range(1, 32)) - set(b"\t\n\r\f\x1b\b"))
_FEW = 0.04
"""Control characters in a text, as a share; evenly spread bytes have a tenth."""


def redact(
    tier: Annotated[
        int,
        typer.Option(
            min=1,
            max=3,
            help="1: documented token formats; 2: also literals under a name; 3: also what only looks random.",
        ),
    ] = 2,
    rules: Annotated[
        list[Path] | None,
        typer.Option(help="Folder with detection rules of your own, added to the library. Repeatable."),
    ] = None,
    rule_off: Annotated[
        list[str] | None, typer.Option(help="Do not look for this rule (id or glob). Repeatable.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No count at the end.")] = False,
) -> None:
    """Mask credentials in what flows from standard input to standard output.

    A line is passed on as soon as it is whole, and everything but credentials passes as it came. Binary input passes
    as it is, which is said on standard error. Exit code 0, or 130 when it is interrupted.
    """
    # What is piped may come slowly: nothing is buffered beyond its line.
    first = os.read(0, _READ)
    if _binary(first):
        _copy(first)
        if not quiet:
            terminal.note("binary input: passed on as it is, nothing was masked")
        return
    from auditor.detection.streams import mask  # noqa: PLC0415 - start-up: help needs none of it

    made = mask(tier=tier, folders=tuple(rules or ()), off=tuple(rule_off or ()))
    encoding = next((name for mark, name in _UTF16.items() if first.startswith(mark)), "")
    interrupted = False
    try:
        _pass_on(made, first, encoding)
    except KeyboardInterrupt:
        interrupted = True
    if not quiet:
        count, size = made.counts.masked, made.counts.bytes_read / 1e6
        terminal.note(f"masked {count:,} credential{'' if count == 1 else 's'} in {size:,.1f} MB")
        if made.held and interrupted:
            terminal.note("interrupted within a line, which was not passed on")
    if interrupted:
        raise typer.Exit(130)


def _pass_on(made: "Mask", chunk: bytes, encoding: str) -> None:
    into, out = _plain(encoding)
    while chunk:
        _write(out(made.feed(into(chunk))))
        chunk = os.read(0, _READ)
    _write(out(made.end()))


def _plain(encoding: str) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    """Return what makes a chunk UTF-8, and what makes it again what it was."""
    if not encoding:
        return bytes, bytes
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    return (
        lambda chunk: decoder.decode(chunk).encode("utf-8", "surrogatepass"),
        lambda chunk: chunk.decode("utf-8", "surrogatepass").encode(encoding, "surrogatepass"),
    )


def _binary(head: bytes) -> bool:
    """Return whether a stream that begins so is no text. NULs alone do not tell: a rotated log may begin with many."""
    if head.startswith(_MAGIC) or head[_TAR : _TAR + 5] == b"ustar":
        return True
    sample = head[:_HEAD]
    return bool(sample) and len(sample) - len(sample.translate(None, _CONTROLS)) > _FEW * len(sample)


def _copy(chunk: bytes) -> None:
    while chunk:
        _write(chunk)
        chunk = os.read(0, _READ)


def _write(content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(1, rest) :]


redact.__doc__ = f"""{redact.__doc__}
Examples:

  kubectl logs -f deploy/web | auditor secrets redact

  ./server 2>&1 | auditor secrets redact >>server.log

  auditor secrets redact --quiet <old.log >clean.log
"""
