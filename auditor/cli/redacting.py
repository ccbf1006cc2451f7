"""`auditor secrets redact`: standard input to standard output, credentials masked, line by line as they come."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli import terminal

if TYPE_CHECKING:
    from auditor.detection.stream import Mask
    from auditor.detection.wide import Wide

_READ = 1 << 20
_HEAD = 8_192
_MAGIC = (
    b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"\x7fELF",
    b"GIF8", b"%PDF", b"\xca\xfe\xba\xbe", b"SQLite format 3\x00", b"\x04\x22\x4d\x18", b"7z\xbc\xaf\x27\x1c",
)  # fmt: skip
"""First bytes of what is compressed or no text: masking a part of it would only break it."""
_TAR = 257
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
    from auditor.detection.streams import mask  # noqa: PLC0415 - start-up: help needs none of it
    from auditor.detection.wide import HALVES, Wide, encoding_of, readable  # noqa: PLC0415 - as above

    # What is piped may come slowly: nothing is buffered beyond its line.
    first = os.read(0, _READ)
    if first in HALVES:
        first += os.read(0, _READ)
    encoding = encoding_of(first)
    if _binary(first, readable(first[:_HEAD], encoding)):
        _copy(first)
        if not quiet:
            terminal.note("binary input: passed on as it is, nothing was masked")
        return

    def one() -> "Mask":
        return mask(tier=tier, folders=tuple(rules or ()), off=tuple(rule_off or ()))

    made = Wide(encoding, wide=one(), plain=one()) if encoding else one()
    interrupted = False
    try:
        _pass_on(made, first)
    except KeyboardInterrupt:
        interrupted = True
    if not quiet:
        count, size = made.counts.masked, made.counts.bytes_read / 1e6
        terminal.note(f"masked {count:,} credential{'' if count == 1 else 's'} in {size:,.1f} MB")
        if made.held and interrupted:
            terminal.note("interrupted within a line, which was not passed on")
    if interrupted:
        raise typer.Exit(130)


def _pass_on(made: "Mask | Wide", chunk: bytes) -> None:
    while chunk:
        _write(made.feed(chunk))
        chunk = os.read(0, _READ)
    _write(made.end())


def _binary(head: bytes, sample: bytes) -> bool:
    """Return whether a stream that begins so is no text. NULs alone do not tell: a rotated log may begin with many."""
    if head.startswith(_MAGIC) or head[_TAR : _TAR + 5] == b"ustar":
        return True
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
