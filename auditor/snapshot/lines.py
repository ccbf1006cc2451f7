"""One resource as one line of JSON, and back.

A line stands for itself: type, name, namespace, origin, body, and the literals that were taken out of the body, where
there are any. What is not there is empty. A body keeps its keys' order, which a diff and a reader may rely upon.
"""

import dataclasses
import json
import math
from typing import Any

import orjson

from auditor.model.decoding import WrongError, decoder
from auditor.model.resource import REDACTED, Literal, Origin, Resource
from auditor.redaction.redactor import mask
from auditor.redaction.spans import certain

MAX_DEPTH = 200
"""Of nested maps and lists: as deep as the redactor looks. What lies deeper is not written."""

_LITERALS = decoder(tuple[Literal, ...])
_ALARMS = (b"PRIVATE KEY-----", b"LS0tLS1CRUdJTi", b".eyJ")
"""Private keys, the same in base64, and the second part of a JWT: what a cluster has most of."""


def encode(resource: Resource) -> bytes:
    """Return the line of `resource`, ended by a newline. Numbers and texts that JSON cannot carry are made ones."""
    plain = _plain(resource)
    try:
        return orjson.dumps(plain, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        # A whole number beyond 64 bits, half a character, a key that is no text, or too deep: seldom, and slow.
        return json.dumps(_carried(plain), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Resource:
    """Return the resource in `line`. Raises `WrongError`, which quotes nothing."""
    try:
        raw = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise WrongError("is not JSON") from None
    if type(raw) is not dict:
        raise WrongError("must be an object")
    origin = raw.get("origin")
    if type(origin) is not dict:
        raise WrongError("has no origin")
    for text in (raw.get("type"), raw.get("name"), raw.get("namespace"), origin.get("file"), origin.get("source")):
        if type(text) is not str:
            raise WrongError("lacks a text that names it")
    body = raw.get("body")
    if type(body) is not dict:
        raise WrongError("has no body")
    literals = raw.get("literals")
    return Resource(
        type=raw["type"],
        name=raw["name"],
        namespace=raw["namespace"],
        body=body,
        origin=_origin(origin),
        literals=_LITERALS(literals) if literals else (),
    )


def cleared(lines: bytes) -> bytes:
    """Return `lines` without private keys and tokens: the last net under `detection.literals.take_out`.

    It costs a search for three words where there is nothing, as is usual.
    """
    if not any(alarm in lines for alarm in _ALARMS):
        return lines
    return b"".join(map(_cleared, lines.splitlines(keepends=True)))


def _cleared(line: bytes) -> bytes:
    if not any(alarm in line for alarm in _ALARMS):
        return line
    return orjson.dumps(_masked(orjson.loads(line)), option=orjson.OPT_APPEND_NEWLINE)


def _masked(value: Any) -> Any:
    if type(value) is str:
        return mask(value, [(span.start, span.end) for span in certain(value)])
    if type(value) is dict:
        return {_masked(key): _masked(entry) for key, entry in value.items()}
    return [_masked(entry) for entry in value] if type(value) is list else value


def _plain(resource: Resource) -> dict[str, Any]:
    origin = resource.origin
    place: dict[str, Any] = {"file": origin.file, "source": origin.source}
    if origin.line is not None:
        place["line"] = origin.line
    if origin.document or origin.prefix or origin.rendered_from:
        place |= {"document": origin.document, "prefix": origin.prefix, "rendered_from": origin.rendered_from}
    plain: dict[str, Any] = {
        "type": resource.type,
        "name": resource.name,
        "namespace": resource.namespace,
        "origin": place,
        "body": resource.body,
    }
    if resource.literals:
        plain["literals"] = resource.literals
    return plain


def _origin(raw: dict[str, Any]) -> Origin:
    if len(raw) == 2:
        return Origin(file=raw["file"], source=raw["source"], line=None)
    made: Origin = _ORIGIN({"line": None} | raw)
    return made


_ORIGIN = decoder(Origin)


def _carried(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - one line a kind
    """Return `value` as JSON can carry it and a reader takes it: as Kubernetes, beyond 64 bits a number is a float."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isascii() else value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else _finite(value)
    if isinstance(value, float):
        return _finite(value)
    if depth >= MAX_DEPTH:
        return REDACTED
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _carried(dataclasses.asdict(value), depth)
    if isinstance(value, dict):
        return {_carried(str(key)): _carried(entry, depth + 1) for key, entry in value.items()}
    return [_carried(entry, depth + 1) for entry in value]


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
