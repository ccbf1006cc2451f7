"""Credentials that take more than a line and its words: Secret manifests, registry logins, words at random.

The notations are read by their lines, not by a parser: templates and half-broken files hold secrets as well. Everything
is given in bytes from the start of what was handed in.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from auditor.detection.below import SECRET_VALUE
from auditor.detection.classify import examine
from auditor.detection.files import notation_of
from auditor.detection.found import Found
from auditor.detection.literals import secret_value
from auditor.detection.rules import Rule
from auditor.model.resource import Confidence, LiteralKind, Place
from auditor.patterns import compile_
from auditor.redaction.notation import Notation
from auditor.redaction.spans import certain, decoded, spans
from auditor.redaction.values import looks_random, measure, nature

CLEARED = ""
"""The rule of what is no credential once it is decoded, whatever its line says of it by itself."""
_KIND = compile_(rb"^[ \t]*(?:- )?[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?Secret[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_FIELD = compile_(
    rb"^(?P<indent>[ \t]*)(?:- )?[\"']?(?P<field>data|stringData)[\"']?[ \t]*:[ \t]*(?:#.*)?\r?$", re.MULTILINE
)
_ENTRY = compile_(
    rb"^(?P<indent>[ \t]+)[\"']?(?P<key>[A-Za-z0-9._\-]{1,253})[\"']?[ \t]*:[ \t]*"
    rb"(?:(?P<block>[|>][+\-\d]*)[ \t]*|\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<plain>[^\s#][^\n]*?))?"
    rb"[ \t]*(?:#.*)?\r?$"
)
_FLOW = compile_(
    rb"^[ \t]*(?:- )?[\"']?(?P<field>data|stringData)[\"']?[ \t]*:\s{0,80}\{(?P<body>[^{}]{1,20000})\}", re.MULTILINE
)
_FLOW_ENTRY = compile_(
    rb"(?:^|,)\s{0,200}[\"']?(?P<key>[A-Za-z0-9._\-]{1,253})[\"']?[ \t]*:[ \t]+"
    rb"(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<plain>[^\s,\"'][^,\n]*?))(?=\s*(?:,|\Z))"
)
_AUTH = compile_(r"\"auth\"[ \t]*:[ \t]*\"(?P<value>[A-Za-z0-9+/]{6,}={0,2})\"")
_RANDOM = compile_(r"(?<=[\"'= :])[A-Za-z0-9+/_\-]{24,128}={0,2}(?=[\"'\s,;)]|$)")
_DATA = b"ata"
"""In each of the names of a Secret's fields with values."""
_LEAST_ENTROPY = 4.0
"""Bits a character; English text has about 4.1 in long texts and less in short ones, hexadecimal at most 4."""


def documents(content: bytes, places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
    """Yield offset and bytes of each YAML document that one of `places` lies in, each once; of JSON the whole."""
    if content.lstrip()[:1] in {b"{", b"["}:
        yield 0, content
        return
    last = -1
    for start, _ in places:
        if start < last:
            continue
        begin = content.rfind(b"\n---", 0, start) + 1
        last = content.find(b"\n---", start)
        last = len(content) if last < 0 else last + 1
        yield begin, content[begin:last]


def secret_values(document: bytes) -> list[Found]:
    """Return the values of the Secret manifests in a document: YAML read by its lines, or JSON."""
    if document.lstrip()[:1] in {b"{", b"["}:
        return list(_of_json(document))
    found: list[Found] = []
    if any(_on_lines(_KIND, b"Secret", document)):
        for field in _on_lines(_FIELD, _DATA, document):
            packed = field["field"] == b"data"
            found += _entries(document, field.end() + 1, len(document), len(field["indent"]), packed=packed)
        for flow in _on_lines(_FLOW, _DATA, document):
            for entry in _FLOW_ENTRY.finditer(flow["body"]):
                value = entry.lastgroup or "plain"
                start = flow.start("body") + entry.start(value)
                found += _secret(entry["key"].decode(), entry[value], start, packed=flow["field"] == b"data")
    return found


def _on_lines(pattern: re.Pattern[bytes], word: bytes, document: bytes) -> Iterator[re.Match[bytes]]:
    """Yield where `pattern` matches from the head of a line that holds `word`: ten times as fast as a search for it."""
    place = document.find(word)
    while place >= 0:
        match = pattern.match(document, document.rfind(b"\n", 0, place) + 1)
        if match is not None:
            yield match
        end = document.find(b"\n", place)
        place = document.find(word, end) if end >= 0 else -1


def _entries(content: bytes, position: int, end: int, indent: int, *, packed: bool) -> Iterator[Found]:
    """Yield the credentials in the map that begins at `position`, each line deeper than `indent`."""
    deeper = -1
    while position < end:
        stop = content.find(b"\n", position, end)
        stop = end if stop < 0 else stop
        line = content[position:stop]
        bare = line.strip()
        if bare and not bare.startswith((b"#", b"{{")):
            own = len(line) - len(line.lstrip())
            if own <= indent:
                return
            deeper = own if deeper < 0 else deeper
            entry = _ENTRY.match(line) if own == deeper else None
            if entry is not None:
                start, value, stop = _value(content, position, stop, end, entry)
                yield from _secret(entry["key"].decode(), value, start, packed=packed)
        position = stop + 1


def _value(content: bytes, position: int, stop: int, end: int, entry: re.Match[bytes]) -> tuple[int, bytes, int]:
    """Return where the value of an entry starts, its bytes, and the end of its last line."""
    if entry["block"] is None:
        group = entry.lastgroup if entry.lastgroup in {"double", "single", "plain"} else "key"
        value = entry[group] if group != "key" else b""
        return position + entry.start(group), value or b"", stop
    own = len(entry["indent"])
    begin = stop + 1
    last = stop
    while last < end:
        following = content.find(b"\n", last + 1, end)
        following = end if following < 0 else following
        line = content[last + 1 : following]
        if line.strip() and len(line) - len(line.lstrip()) <= own:
            break
        last = following
    return begin, content[begin:last], last


def _secret(key: str, value: bytes, start: int, *, packed: bool) -> Iterator[Found]:
    text = value.decode("utf-8", "surrogateescape")
    if "{{" in text or not text.strip():
        return
    lead = len(text) - len(text.lstrip())
    text = text.strip()
    clear = decoded("".join(text.split())) if packed else text
    if not clear.strip():
        return
    if not packed and "\n" in clear and spans(clear, notation_of(key) if "." in key else Notation.DATA):
        return  # a file of settings: what its lines hold is told line by line
    verdict = secret_value(key, clear, docker=False)
    begin = start + lead
    stop = begin + len(text.encode("utf-8", "surrogateescape"))
    if verdict.kind is LiteralKind.CREDENTIAL and verdict.confidence is not Confidence.POSSIBLE:
        token = next(iter(certain(clear)), None)
        # A token is the same credential wherever it stands, packed or not: its own rule, its own fingerprint.
        rule, found = (token.rule, clear[token.start : token.end]) if token is not None else (SECRET_VALUE, clear)
        yield Found(begin, stop, key, rule, found)
    elif packed:
        yield Found(begin, stop, key, CLEARED, "")


def _of_json(content: bytes) -> Iterator[Found]:
    import json  # noqa: PLC0415 - start-up: a commit waits

    try:
        whole = json.loads(content)
    except (ValueError, RecursionError):
        return
    todo = [whole]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, dict):
            if node.get("kind") == "Secret":
                yield from _of_object(node, content)
            else:
                todo += [part for part in node.values() if isinstance(part, (dict, list))]


def _of_object(node: dict[str, object], content: bytes) -> Iterator[Found]:
    import json  # noqa: PLC0415 - as above

    for field, packed in (("data", True), ("stringData", False)):
        values = node.get(field)
        for key, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, str):
                raw = json.dumps(value, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
                place = content.find(raw)
                if place >= 0:
                    yield from _secret(str(key), raw, place, packed=packed)


def registry_passwords(text: str) -> list[Found]:
    """Return the logins of a Docker configuration on a line: `"auth": "<base64 of user:password>"`."""
    return [
        Found(match.start("value"), match.end("value"), "auth", "docker-auth", match["value"])
        for match in _AUTH.finditer(text)
        if ":" in decoded(match["value"]).strip(":") and nature(decoded(match["value"]).partition(":")[2]) is None
    ]


def of_pattern(text: str, rule: Rule) -> list[Found]:
    """Return what a rule of the user's finds on a line: whole words that its pattern matches, checksum right."""
    compiled = compile_(rf"(?<![A-Za-z0-9])(?:{rule.pattern})(?![A-Za-z0-9])", re.ASCII)
    return [
        Found(match.start(), match.end(), "", rule.id, match[0])
        for match in compiled.finditer(text)
        if rule.check is None or rule.check(match[0])
    ]


def random_texts(text: str) -> list[Found]:
    """Return words on a line that some machine made and that are no hash, id or path."""
    return [
        Found(match.start(), match.end(), "", "high-entropy", match[0])
        for match in _RANDOM.finditer(text)
        if looks_random(match[0])
        and not measure(match[0])
        and entropy(match[0]) >= _LEAST_ENTROPY
        and examine("", match[0], place=Place.ENV)[0].kind is LiteralKind.CREDENTIAL
    ]


def entropy(text: str) -> float:
    """Return Shannon's entropy of the characters of `text`, in bits a character."""
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values()) if total else 0.0
