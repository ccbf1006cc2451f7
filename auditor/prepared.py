"""What was made of the program's own data beforehand: its YAML as JSON, CEL, rules and regular expressions compiled.

Reading the library's YAML and compiling what a run needs of its CEL cost a fifth of a run over one file, and compiling
the automaton of the detection rules a third of a second. The build of the wheel does it once, and so does `make` in a
checkout, as an installer compiles modules to bytecode. The file is a part of the installation: whoever could change it
could change the program. Everything in it is found by the digest of what it was made from, so nothing stale is ever
used, and nothing of a user's own; what is not found is made anew.

Layout: the length of the index (4 bytes, big-endian), the index as JSON, and behind it the entries. A damaged entry is
one that is not there.
"""

import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from auditor import data
from auditor.digests import sha256

_LENGTH = 4
_LAYOUT = 3
"""Of what follows below, and of how a CEL text becomes a program; a file of another one is as good as none."""


class _Entries(NamedTuple):
    runtime: str
    """Name and release of the CEL runtime that the programs are for."""
    places: Mapping[str, list[int]]
    """Digest to the first byte, the one behind the last, both counted from the end of the index, and the CRC-32."""
    content: bytes


_NOTHING = _Entries("", {}, b"")


class Compiled(NamedTuple):
    """A regular expression as `re` hands it to the interpreter, but for its text."""

    flags: int
    groups: int
    names: dict[str, int]
    """Names of groups, with their numbers."""
    numbers: bytes
    """The compiled code: unsigned numbers of four bytes, in the order of this machine's bytes."""


def document(content: bytes) -> Any:
    """Return the data in a YAML file of the shipped library."""
    entry = _find(_yaml(content))
    if entry is not None:
        return json.loads(entry)
    import yaml_rs  # noqa: PLC0415 - start-up: only what was not prepared

    return yaml_rs.loads(content.decode(), parse_datetime=False)


@cache
def library(folder: str) -> tuple[tuple[bytes, Any], ...]:
    """Return content and data of each YAML file in a folder of the shipped policies, in the order of their names.

    They are shared: nobody changes them.
    """
    place = os.path.join(data.policies_name(), folder)  # noqa: PTH118 - start-up, as in `data`
    contents = []
    for name in sorted(os.listdir(place)):  # noqa: PTH208 - as above
        if name.endswith(".yaml"):
            with open(os.path.join(place, name), "rb") as file:  # noqa: PTH118, PTH123 - as above
                contents.append(file.read())
    return tuple((content, document(content)) for content in contents)


def program(text: str, *, runtime: str) -> bytes | None:
    """Return the compiled CEL `text` as that runtime wrote it, `None` where it was not prepared."""
    return _find(_cel(text)) if runtime and _entries().runtime == runtime else None


def automaton(expressions: Sequence[str], *, runtime: str) -> bytes | None:
    """Return the automaton of these regular expressions as that runtime serialised it, `None` where there is none."""
    entry = _find(_automaton(expressions, runtime))
    return zlib.decompress(entry) if entry is not None else None


def pattern(text: str | bytes, flags: int, *, runtime: str) -> Compiled | None:
    """Return the compiled regular expression as that interpreter made it, `None` where it was not prepared."""
    entry = _find(_pattern(text, flags, runtime))
    if entry is None:
        return None
    head, _, numbers = entry.partition(b"\n")
    told, groups, names = json.loads(head)
    return Compiled(told, groups, names, numbers)


def pack(
    documents: Mapping[bytes, Any],
    programs: Mapping[str, bytes],
    *,
    runtime: str,
    automata: Mapping[tuple[str, ...], bytes] = MappingProxyType({}),
    automata_runtime: str = "",
    patterns: Iterable[tuple[str | bytes, int, Compiled]] = (),
    patterns_runtime: str = "",
) -> bytes:
    """Return the content of the file: YAML texts with their data, CEL texts with their programs, automata, patterns."""
    # What JSON cannot hold as it is, such as a number as a key, stays with the YAML reader.
    entries = {
        _yaml(content): text.encode()
        for content, value in documents.items()
        if json.loads(text := json.dumps(value)) == value
    }
    entries |= {_cel(text): compiled for text, compiled in programs.items()}
    entries |= {
        _automaton(expressions, automata_runtime): zlib.compress(serialised, 1)
        for expressions, serialised in automata.items()
    }
    entries |= {
        _pattern(text, flags, patterns_runtime): json.dumps(compiled[:3]).encode() + b"\n" + compiled.numbers
        for text, flags, compiled in patterns
    }
    places, end = {}, 0
    for key, entry in entries.items():
        places[key] = [end, end + len(entry), zlib.crc32(entry)]
        end += len(entry)
    index = json.dumps({"layout": _LAYOUT, "runtime": runtime, "places": places}).encode()
    return len(index).to_bytes(_LENGTH) + index + b"".join(entries.values())


def _yaml(content: bytes) -> str:
    return sha256(b"yaml\0" + content).hexdigest()


def _cel(text: str) -> str:
    return sha256(b"cel\0" + text.encode()).hexdigest()


def _automaton(expressions: Sequence[str], runtime: str) -> str:
    return sha256("\0".join(("automaton", runtime, *expressions)).encode()).hexdigest()


def _pattern(text: str | bytes, flags: int, runtime: str) -> str:
    content = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    return sha256(f"pattern\0{runtime}\0{flags}\0{type(text).__name__}\0".encode() + content).hexdigest()


def _find(key: str) -> bytes | None:
    entries = _entries()
    start, end, checksum = entries.places.get(key, (0, 0, 0))
    entry = entries.content[start:end]
    return entry if entry and zlib.crc32(entry) == checksum else None


@cache
def _entries() -> _Entries:
    try:
        with open(data.prepared_name(), "rb") as file:  # noqa: PTH123 - start-up, as in `data`
            packed = file.read()
        start = _LENGTH + int.from_bytes(packed[:_LENGTH])
        index = json.loads(packed[_LENGTH:start])
    except (OSError, ValueError):
        return _NOTHING
    return _Entries(index["runtime"], index["places"], packed[start:]) if index.get("layout") == _LAYOUT else _NOTHING
