"""Writes what can be made of the shipped library beforehand: `python -m auditor.pipeline.preparing FILE`.

Run by the build of the wheel and by `make` in a checkout; never by the program itself. `auditor.prepared` reads it.
The same library and runtime give the same bytes.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import yaml_rs

import auditor
from auditor import data, patterns, prepared, workloads
from auditor.detection import engine as detecting
from auditor.detection import rules as detection
from auditor.detection import stream, triggers
from auditor.detection.triggers import Triggers
from auditor.facts import views
from auditor.facts.estate import Estate
from auditor.model.resource import Origin, Resource
from auditor.model.stores import TYPES as STORE_TYPES
from auditor.policy import cel, document
from auditor.policy.engine import Engine
from auditor.workloads import Workloads

_TIERS = (1, 2, 3)
_AWAITED = 1
"""Position of the tier that a commit hook looks for."""
_WITH_PATTERNS = (
    "auditor.redaction",
    "auditor.detection",
    "auditor.collectors.documents",
    "auditor.collectors.manifests",
)
_ANY = "kubernetes/Any"
"""Stands for the many kinds of which no policy knows more than that they are objects."""


def content() -> bytes:
    """Return the content of the file, for the library and the CEL runtime of this installation."""
    library = document.load(document.built_in())
    table = workloads.load(data.policies() / "workloads.yaml")
    named = {type_ for policy in library.policies for type_ in policy.applies_to} - views.NAMES
    kinds = _kinds(sorted({*named, *table.types, *STORE_TYPES, _ANY}), table)
    programs = {
        program.source: _without_positions(program.packed()) for program in Engine(library.policies).programs(kinds)
    }
    texts = [file.read_bytes() for file in sorted(data.policies().rglob("*.yaml"))]
    documents = {text: yaml_rs.loads(text.decode(), parse_datetime=False) for text in texts}
    automata = dict(_automata())
    return prepared.pack(
        documents,
        programs,
        runtime=cel.runtime(),
        libraries=[tuple(file.read_bytes() for file in sorted((data.policies() / "detection").glob("*.yaml")))],
        automata=automata,
        awaited=list(automata)[_AWAITED] if automata else (),
        automata_runtime=triggers.runtime(),
        patterns=_patterns(),
        patterns_runtime=patterns.RUNTIME,
    )


def _patterns() -> Iterator[tuple[str | bytes, int, prepared.Compiled]]:
    """Yield every regular expression that looking for credentials compiles: at import, or for an example of a rule."""
    for module in pkgutil.walk_packages(auditor.__path__, "auditor."):
        if module.name.startswith(_WITH_PATTERNS):
            importlib.import_module(module.name)
    rules = detection.load()
    engine = detecting.Engine(rules, fingerprint=lambda _: "")
    for rule in rules.rules.values():
        for example in rule.examples:
            engine.scan(example.text.encode(), path=example.file)
    yield from patterns.asked()


def _automata() -> Iterator[tuple[tuple[str, ...], bytes]]:
    """Yield the automaton of the library's detection rules for each tier, where the library for it is installed.

    Behind them the one of what a stream holds in escapes.
    """
    rules = detection.load()
    for tier in _TIERS if triggers.runtime() else ():
        yield triggers.serialised(Triggers(rules.of_tier(tier).rules).expressions)
    if triggers.runtime():
        yield triggers.serialised(stream.ESCAPED)


def _kinds(types: list[str], table: Workloads) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each type with the views that its objects have."""
    for type_ in types:
        if not type_.startswith("kubernetes/"):
            yield type_, frozenset()
            continue
        resource = Resource(type=type_, name="any", body={}, origin=Origin(file="any"))
        names = views.views(resource, Estate(), workloads=table, now=datetime(2000, 1, 1, tzinfo=UTC)).names
        yield type_, names
        if views.POD_SPEC in names:
            yield type_, names | {views.CONTROL_PLANE}


def _without_positions(packed: bytes) -> bytes:
    """Return a program without where its parts stand in its source: nothing asks, and the runtime writes it unordered.

    `google.protobuf.Any` (type name, then value) of a `cel.expr.ParsedExpr` (`expr`, then `source_info`):
    https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto
    """
    parts = []
    for number, whole, content in _fields(packed):
        if number == _VALUE:
            kept = b"".join(inner for inner_number, inner, _ in _fields(content) if inner_number != _SOURCE_INFO)
            parts.append(bytes([_VALUE << 3 | _BYTES]) + _varint(len(kept)) + kept)
        else:
            parts.append(whole)
    return b"".join(parts)


_VALUE, _SOURCE_INFO = 2, 3
_BYTES = 2
"""The only wire type that messages of messages have."""


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield number, bytes and content of each field of a protobuf message, all of which hold bytes."""
    position = 0
    while position < len(message):
        start = position
        tag, position = _number(message, position)
        if tag & 7 != _BYTES:
            raise ValueError("this release of the CEL runtime writes programs in another way")
        length, position = _number(message, position)
        position += length
        yield tag >> 3, message[start:position], message[position - length : position]


def _number(message: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[position]
        number |= (byte & 0x7F) << shift
        shift, position = shift + 7, position + 1
        if byte < 0x80:
            return number, position


def _varint(number: int) -> bytes:
    digits = []
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


def write(file: Path) -> None:
    """Write the file; it appears whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".new")
    unfinished.write_bytes(content())
    unfinished.replace(file)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
