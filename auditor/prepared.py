"""What was made of the program's own data beforehand: its YAML as JSON, CEL, rules and regular expressions compiled.

Reading the library's YAML and compiling what a run needs of its CEL cost a fifth of a run over one file, and compiling
the automaton of the detection rules a third of a second. The build of the wheel does it once, and so does `make` in a
checkout, as an installer compiles modules to bytecode. The file is a part of the installation: whoever could change it
could change the program. Everything in it is found by the digest of what it was made from, so nothing stale is ever
used, and nothing of a user's own; what is not found is made anew.

Layout: a line that names it, how many bytes stand at its beginning for a commit, which waits for them, the number of
entries, a row for each in the order of their digests (digest, first byte, the one behind the last, CRC-32; numbers of
four bytes, big-endian), and the entries. A damaged entry is one that is not there.
"""

import marshal
import os
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from auditor import data
from auditor.digests import sha256

_MAGIC = b"auditor prepared 5\n"
"""Of the layout, and of how a CEL text becomes a program; a file of another one is as good as none."""
_NUMBER = 4
_DIGEST = 32
_ROW = _DIGEST + 3 * _NUMBER
_HEAD = len(_MAGIC) + 2 * _NUMBER
_HERE = f"{sys.implementation.cache_tag} {sys.byteorder}"
"""What reads the entries that are written as Python writes its modules."""
_FORM = 2
"""Of what Python writes then: the last in which equal data is equal bytes."""


class Compiled(NamedTuple):
    """A regular expression as `re` hands it to the interpreter, but for its text."""

    flags: int
    groups: int
    names: dict[str, int]
    """Names of groups, with their numbers."""
    numbers: bytes
    """The compiled code: unsigned numbers of four bytes, in the order of this machine's bytes."""


Patterns = Mapping[tuple[str | bytes, int], tuple[int, int, dict[str, int], bytes]]
"""Texts and flags of regular expressions to what `Compiled` holds."""


def document(content: bytes) -> Any:
    """Return the data in a YAML file of the shipped library."""
    entry = _find(_yaml(content))
    if entry is not None:
        import json  # noqa: PLC0415 - start-up: a commit hook takes the library in one

        return json.loads(entry)
    import yaml_rs  # noqa: PLC0415 - start-up: only what was not prepared

    return yaml_rs.loads(content.decode(), parse_datetime=False)


@cache
def library(folder: str) -> tuple[tuple[bytes, Any], ...]:
    """Return content and data of each YAML file in a folder of the shipped policies, in the order of their names.

    They are shared: nobody changes them.
    """
    place = os.path.join(data.policies_name(), folder)  # noqa: PTH118 - start-up, as in `data`
    contents = tuple(
        _content(os.path.join(place, name))  # noqa: PTH118 - as above
        for name in sorted(os.listdir(place))  # noqa: PTH208 - as above
        if name.endswith(".yaml")
    )
    entry = _find(_library(contents))
    documents = marshal.loads(entry) if entry is not None else [document(content) for content in contents]  # noqa: S302 - of the installation, as its modules
    return tuple(zip(contents, documents, strict=True))


def _content(file: str) -> bytes:
    # Without the layers of `open`: a commit waits for some hundred of them.
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return _read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _read(descriptor: int, size: int) -> bytes:
    content = os.read(descriptor, size)
    while len(content) < size and (more := os.read(descriptor, size - len(content))):
        content += more
    return content


def program(text: str, *, runtime: str) -> bytes | None:
    """Return the compiled CEL `text` as that runtime wrote it, `None` where it was not prepared."""
    return _find(_cel(text, runtime)) if runtime else None


def automaton(expressions: Sequence[str], *, runtime: str) -> bytes | None:
    """Return the automaton of these regular expressions as that runtime serialised it, `None` where there is none."""
    return _find(_automaton(expressions, runtime))


@cache
def patterns(*, runtime: str) -> Patterns:
    """Return the compiled regular expressions as that interpreter made them, none where they were not prepared."""
    entry = _find(_patterns(runtime))
    found: Patterns = marshal.loads(entry) if entry is not None else {}  # noqa: S302 - as above
    return found


def pack(
    documents: Mapping[bytes, Any],
    programs: Mapping[str, bytes],
    *,
    runtime: str,
    libraries: Iterable[tuple[bytes, ...]] = (),
    automata: Mapping[tuple[str, ...], bytes] = MappingProxyType({}),
    awaited: tuple[str, ...] = (),
    automata_runtime: str = "",
    patterns: Iterable[tuple[str | bytes, int, Compiled]] = (),
    patterns_runtime: str = "",
) -> bytes:
    """Return the content of the file: YAML texts with their data, CEL texts with their programs, automata, patterns.

    `libraries`: folders whose texts are read together, each as these texts, all of which `documents` holds. `awaited`:
    the automaton that a commit waits for, beside libraries and patterns.
    """
    import json  # noqa: PLC0415 - for the build alone

    # What JSON cannot hold as it is, such as a number as a key, stays with the YAML reader.
    entries = {
        _yaml(content): text.encode()
        for content, value in documents.items()
        if json.loads(text := json.dumps(value)) == value
    }
    entries |= {
        _library(contents): marshal.dumps([documents[content] for content in contents], _FORM) for contents in libraries
    }
    entries |= {_cel(text, runtime): compiled for text, compiled in programs.items()}
    entries |= {_automaton(expressions, automata_runtime): packed for expressions, packed in automata.items()}
    table = {(text, flags): tuple(compiled) for text, flags, compiled in patterns}
    if table:
        entries[_patterns(patterns_runtime)] = marshal.dumps(table, _FORM)
    first = {_patterns(patterns_runtime), _automaton(awaited, automata_runtime), *map(_library, libraries)}
    order = sorted(entries, key=lambda key: (key not in first, key))
    end = _HEAD + len(entries) * _ROW
    places: dict[bytes, bytes] = {}
    for key in order:
        entry = entries[key]
        places[key] = b"".join(map(_number, (end, end + len(entry), zlib.crc32(entry))))
        end += len(entry)
    beginning = _HEAD + len(entries) * _ROW + sum(len(entries[key]) for key in first & entries.keys())
    head = [_MAGIC, _number(beginning), _number(len(entries))]
    return b"".join([*head, *(key + places[key] for key in sorted(places)), *(entries[key] for key in order)])


def _yaml(content: bytes) -> bytes:
    return sha256(b"yaml\0" + content).digest()


def _library(contents: Iterable[bytes]) -> bytes:
    hasher = sha256(f"library\0{_HERE}\0".encode())
    for content in contents:
        hasher.update(_number(len(content)) + content)
    return hasher.digest()


def _cel(text: str, runtime: str) -> bytes:
    return sha256(f"cel\0{runtime}\0{text}".encode()).digest()


def _automaton(expressions: Sequence[str], runtime: str) -> bytes:
    return sha256("\0".join(("automaton", runtime, *expressions)).encode()).digest()


def _patterns(runtime: str) -> bytes:
    return sha256(f"patterns\0{_HERE}\0{runtime}".encode()).digest()


def _number(value: int) -> bytes:
    return value.to_bytes(_NUMBER, "big")


def _find(key: bytes) -> bytes | None:
    known = _beginning()
    low, high = 0, _number_at(known, _HEAD - _NUMBER)
    while low < high:
        middle = (low + high) // 2
        row = _HEAD + middle * _ROW
        digest = known[row : row + _DIGEST]
        if digest == key:
            start, end, checksum = (_number_at(known, at) for at in range(row + _DIGEST, row + _ROW, _NUMBER))
            entry = (known if end <= len(known) else _whole())[start:end]
            return entry if entry and zlib.crc32(entry) == checksum else None
        if digest < key:
            low = middle + 1
        else:
            high = middle
    return None


def _number_at(content: bytes, place: int) -> int:
    return int.from_bytes(content[place : place + _NUMBER], "big")


@cache
def _beginning() -> bytes:
    try:
        descriptor = os.open(data.prepared_name(), os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            head = _read(descriptor, _HEAD)
            return head + _read(descriptor, _number_at(head, len(_MAGIC)) - _HEAD) if head.startswith(_MAGIC) else b""
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return b""


@cache
def _whole() -> bytes:
    try:
        whole = _content(data.prepared_name())
    except OSError:
        return b""
    # Written anew in between, it is another file.
    return whole if whole.startswith(_beginning()) else b""


def forget() -> None:
    """Read the file anew when it is next asked for: it was replaced, as tests do."""
    for known in (_beginning, _whole, patterns, library):
        known.cache_clear()
