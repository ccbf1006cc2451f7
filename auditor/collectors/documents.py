"""One file's bytes to its documents, with the values that Kubernetes' own reader sees.

That reader is `sigs.k8s.io/yaml` over `go.yaml.in/yaml/v2`: YAML 1.1 booleans (`yes`, `on`, `y`), octal `0777`, merge
keys, no sexagesimal numbers, timestamps as strings, keys as strings, and a number with a fraction of zero is whole.
`tests/collectors/test_documents_oracle.py` holds this reader to the real one.

Two ways to the same values: a fast YAML 1.2 reader for documents in which a look at the text finds nothing that the
two versions read differently, and an event loop of ours otherwise. The look errs towards the slow way. It also keeps
deep nesting away from the fast reader, which would overflow the stack. Nothing here recurses.

A detail never quotes content: there may be a credential in it.
"""

import base64
import binascii
import json
import re
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from math import copysign, isinf
from typing import Any

from auditor.model.coverage import GapReason
from auditor.model.record import record
from auditor.patterns import compile_

MAX_BYTES = 50_000_000
"""Of one file. etcd refuses objects above 1.5 MB; a larger stream is better judged in parts."""
MAX_DEPTH = 100
"""Of nested maps and lists: three times what the deepest CRD schema has, and far from every recursion limit."""
MAX_COPIED = 10_000
"""Nodes that aliases may add to one document, beyond ten times its own."""


class RefusedError(Exception):
    """A file or document that cannot be read. `line` counts from 1 in the text that was given."""

    def __init__(self, reason: GapReason, line: int | None, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.line = line
        self.detail = detail


@record(kw_only=False)
class Chunk:
    """One document's text inside a file."""

    index: int
    """From 0; every document counts, empty ones too."""
    start: int
    """Offset of its text, behind the `---`."""
    end: int
    content: int
    """Offset of the first thing that is no space, comment or line break; `end` where there is none."""
    line: int
    """Line of that first thing, from 1."""

    @property
    def empty(self) -> bool:
        """Whether it holds nothing but spaces and comments."""
        return self.content >= self.end


def text(content: bytes) -> str:
    """Return the text of a file: UTF-8, or UTF-16 with a byte order mark, as Kubernetes' reader takes it.

    Raises `RefusedError` for what is no text.
    """
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            raise RefusedError(
                GapReason.NOT_UTF8, 1, "It starts like UTF-16 and is not; save it as UTF-8 and scan it again."
            ) from None
    if b"\0" in content:
        raise RefusedError(
            GapReason.BINARY,
            None,
            "It is a binary file under a manifest's name; rename it or leave it out (--exclude).",
        )
    try:
        found = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RefusedError(
            GapReason.NOT_UTF8, line, "It is not UTF-8; save it in that encoding and scan it again."
        ) from None
    return found.removeprefix("\ufeff")


# Spaces, comments and line breaks before the first thing of a document.
_HEAD = compile_(r"(?:[ \t]*+(?:#[^\n]*+)?\r?\n)*+[ \t]*+(?:#[^\n]*+)?+")


def split(content: str) -> Iterator[Chunk]:
    """Yield the documents of a YAML file in order, empty ones too.

    `---` and `...` at the start of a line, followed by a space or the line's end, end a document wherever they stand:
    no scalar may hold such a line (YAML 1.2.2, 9.1.2 "c-forbidden"). `---` may be followed by content.
    """
    if "\n---" not in content and not content.startswith(("---", "%")) and "\n..." not in content:
        head = _HEAD.match(content)
        first = head.end() if head else 0
        if first < len(content):
            yield Chunk(0, 0, len(content), first, 1 + content.count("\n", 0, first))
        return
    index, start, explicit, line, counted = 0, 0, False, 1, 0
    directives = -1
    for marker, behind in _markers(content):
        head = _HEAD.match(content, start, marker)
        first = head.end() if head else start
        if first < marker and content[first] == "%" and behind >= 0 and directives < 0:
            # Directives belong to the document that the marker opens; it is read together with them.
            directives = start
        elif first < marker or explicit:
            begin = start if directives < 0 else directives
            line += content.count("\n", counted, first)
            counted = first
            yield Chunk(index, begin, marker, first, line)
            index += 1
            directives = -1
        start, explicit = abs(behind), behind >= 0


def _markers(content: str) -> Iterator[tuple[int, int]]:
    """Yield where each marker stands and where the text behind it begins, negative for `...`; at last the end."""
    length = len(content)
    dots = content.startswith("...") or "\n..." in content
    position = -1
    while True:
        if position < 0 and content.startswith(("---", "...")):
            at = 0
        else:
            at = content.find("\n---", max(position, 0)) + 1 or length
            if dots:
                at = min(at, content.find("\n...", max(position, 0)) + 1 or length)
        if at >= length:
            yield length, length
            return
        if at + 3 >= length or content[at + 3] in " \t\r\n":
            yield at, (at + 3 if content[at] == "-" else -min(at + 3, length))
        position = at + 3


# Where a node can start, and there something that YAML 1.1 and 1.2 read differently, or that only the slow way checks:
# words of 1.1 for true and false, numbers other than plain decimals, keys that are no strings, merge keys, anchors,
# aliases, tags, directives. The look is meant for a text with a line break before and behind it. It is one expression,
# without backtracking, and each branch begins with what rules it out: half of all reading time is spent here.
_END = r"[ ]*+[\n,\]}:#]"
_UNSURE = compile_(
    r"[\n\[{,:?\-](?:(?<![:?\-])[ ]*+|[ ]++|(?<=[\"']:))(?:"
    rf"[yYnNoO](?:es|ES|[oOnN]|ff|FF)?+{_END}"
    r"|[1-9](?:\d{0,17}+[ ]*+:|\d{18}"
    rf"|\d*+(?:_[\d_.eE+\-]*+|\.[\d_]*+(?:[eE][+\-]?[\d_]++)?+|[eE][+\-]?[\d_]++){_END})"
    rf"|0(?:[ ]*+:|(?:[\dxXoObB_eE][\da-fA-F_xX+\-]*+(?:\.[\d_]*+)?+|\.[\d_]*+)(?:[eE][+\-]?[\d_]++)?+{_END})"
    rf"|[+.\-](?:[\d_.]|[iI][nN][fF]|[nN][aA][nN])[\w.+\-]*+{_END}"
    rf"|_[\d_.][\d_.a-fA-FxXoO+\-]*+{_END}"
    r"|[tTfFnN~](?:rue|RUE|alse|ALSE|ull|ULL)?+[ ]*+:[\s,\]}]|:[\s,\]}]"
    r"|<<|[&!%]\S|[*][^\s*]|[!?]\s)"
)
# A list in a list on one line: the only way to nest deeply without braces or indentation.
_LIST_IN_LIST = compile_(r"-[ ]++-\s")
_PLAIN = bytes([0x0A, *range(0x20, 0x7F)])
# Characters that YAML 1.1 forbids or takes for a line break; a tab may be indentation, a lone \r a line break.
_ODD = compile_(r"[\x00-\x09\x0b-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_DEEP_INDENT = " " * MAX_DEPTH
# A map or list as a key, which JSON cannot hold. `{{` is what a template that was not rendered looks like; inside of
# text, as in the messages of alerts, it opens nothing. The first look is the quick one.
_BRACES = compile_(r"[}\]][ ]*+:|\{[ ]*+[{\[]")
_COLLECTION_KEY = compile_(r"[}\]][ ]*+:|[\n\[{,:?\-][ ]*+\{[ ]*+[{\[]")


def parse(document: str) -> Any:
    """Return the value of one document, `None` for an empty one. Raises `RefusedError`."""
    if "\r" in document:
        document = document.replace("\r\n", "\n")
    if document.lstrip()[:1] == "{":
        try:
            return parse_json(document)
        except RefusedError as error:
            # Flow style YAML starts with a brace as well.
            if error.reason is not GapReason.BROKEN_JSON:
                raise
    if _reads_alike(document):
        import yaml_rs  # noqa: PLC0415 - start-up: only when something is read

        try:
            value = yaml_rs.loads(document, parse_datetime=False)
        except (ValueError, RecursionError, yaml_rs.YAMLDecodeError):
            # Whatever it is, the slow way says what and where, in words of ours.
            return _build(document)
        nested = document.count("[") + document.count("{") > MAX_DEPTH // 4 or "  " * (MAX_DEPTH // 4) in document
        # The slow way says in which line it goes too deep.
        return _build(document) if nested and _depth_exceeded(value) else value
    return _build(document)


def _reads_alike(document: str) -> bool:
    """Return whether the fast reader can be trusted with the document."""
    ascii_only = document.isascii()
    lines = f"\n{document}\n"
    return (
        not (document.encode().translate(None, _PLAIN) if ascii_only else _ODD.search(document))
        and not _open_scalar(document)
        and (_BRACES.search(document) is None or _COLLECTION_KEY.search(lines) is None)
        and _UNSURE.search(lines) is None
        and _LIST_IN_LIST.search(document) is None
        and _DEEP_INDENT not in document
    )


def _open_scalar(document: str) -> bool:
    """Return whether the text may end inside a block scalar without a last line break, or with an empty one.

    There the two readers differ in that line break.
    """
    if not document.endswith("\n"):
        return "|" in document or ">" in document
    body = document.rstrip()
    last = body[body.rfind("\n") + 1 :]
    return "|" in last or ">" in last


def parse_json(document: str) -> Any:
    """Return the value of one JSON text. Raises `RefusedError`."""
    values = parse_json_stream(document)
    first = next(values, None)
    if first is None or next(values, None) is not None:
        raise RefusedError(GapReason.BROKEN_JSON, 1, "It is not one JSON value; check it with a JSON validator.")
    return first[1]


def parse_json_stream(content: str) -> Iterator[tuple[int, Any]]:
    """Yield (offset, value) of each JSON value in `content`, which may hold several in a row."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_pairs, parse_int=_json_int, parse_float=_json_float, parse_constant=_no_constant
    )
    position = _JSON_SPACE.match(content).end()  # type: ignore[union-attr]  # matches everywhere
    while position < len(content):
        try:
            value, end = decoder.raw_decode(content, position)
        except RecursionError:
            raise _too_deep(content.count("\n", 0, position) + 1) from None
        except json.JSONDecodeError as error:
            raise RefusedError(
                GapReason.BROKEN_JSON, error.lineno, "It is not valid JSON; check it with a JSON validator."
            ) from None
        except _DuplicateError:
            raise _duplicate(content.count("\n", 0, position) + 1) from None
        nested = content.count("[", position, end) + content.count("{", position, end) > MAX_DEPTH // 4
        if nested and _depth_exceeded(value):
            raise _too_deep(content.count("\n", 0, position) + 1)
        yield position, _paired(value) if _HALF.search(content, position, end) else value
        position = _JSON_SPACE.match(content, end).end()  # type: ignore[union-attr]


def _paired(value: Any) -> Any:
    """Return `value` with half pairs of surrogates replaced, as Go's encoding/json does: they are no text."""
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_paired(element) for element in value]
    if isinstance(value, dict):
        return {_paired(key): _paired(element) for key, element in value.items()}
    return value


_HALF = compile_(r"\\u[dD][89a-fA-F]")
_LONE = compile_("[\ud800-\udfff]")
_JSON_SPACE = compile_(r"[ \t\r\n]*")


class _DuplicateError(Exception):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateError
    return found


def _json_int(digits: str) -> int | float:
    return _whole(int(digits)) if len(digits) < 25 else _json_float(digits)


def _json_float(digits: str) -> float:
    number = float(digits)
    return _no_constant(digits) if isinf(number) else number


def _no_constant(_: str) -> Any:
    raise json.JSONDecodeError("not JSON", "", 0)


def _whole(number: int) -> int | float:
    """Return what Kubernetes makes of a whole number: beyond 64 bits it is a floating-point one."""
    return number if -(1 << 63) <= number < 1 << 63 else float(number)


def _depth_exceeded(value: Any) -> bool:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            return True
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
    return False


def _too_deep(line: int | None) -> RefusedError:
    return RefusedError(
        GapReason.TOO_DEEP,
        line,
        f"It nests deeper than {MAX_DEPTH} levels, which no manifest needs; mend it, or leave it out (--exclude).",
    )


def _duplicate(line: int) -> RefusedError:
    return RefusedError(
        GapReason.DUPLICATE_KEY,
        line,
        "A key stands twice in the same map, and which one counts depends on the reader; remove one.",
    )


def _broken(line: int) -> RefusedError:
    return RefusedError(GapReason.BROKEN_YAML, line, "It is not valid YAML; mend the syntax here or just before.")


_MISSING: Any = object()
_MERGE = "tag:yaml.org,2002:merge"


class _Merge:
    """Key of a merge entry while its value is being read."""


class _Frame:
    __slots__ = ("anchor", "first_line", "key", "own", "value")

    def __init__(self, value: Any, anchor: str | None, line: int) -> None:
        self.value = value
        self.anchor = anchor
        self.first_line = line
        self.key: Any = _MISSING
        self.own: set[str] = set()


def _build(document: str) -> Any:
    """Return the value of one document from PyYAML's event stream. Raises `RefusedError`."""
    import yaml  # noqa: PLC0415 - slow to import, and most input never needs it

    return _Builder(event_source(document), yaml).run()


def event_source(document: str) -> "Callable[[], Any]":
    """Return what gives PyYAML's events of one document, then `None`. It raises `RefusedError` for what is no YAML."""
    import yaml  # noqa: PLC0415 - as above
    from yaml._yaml import CParser  # noqa: PLC0415 - as above

    try:
        parser = CParser(document)
    except (yaml.YAMLError, UnicodeEncodeError):
        raise _broken(1) from None

    def following() -> Any:
        try:
            return parser.get_event()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            # libyaml looks far ahead inside brackets, and gives up at its own limit before the first event.
            raise (_too_deep if "nesting depth" in str(error.problem) else _broken)(line) from None
        except yaml.YAMLError:
            # A character that YAML forbids; the reader names its place in bytes only.
            odd = re.search(r"[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", document)
            raise _broken(document.count("\n", 0, odd.start()) + 1 if odd else 1) from None

    return following


class _Builder:
    """Values from events, with an explicit stack. Every collection belongs to one place: aliases are copied."""

    def __init__(self, following: "Callable[[], Any]", yaml: Any) -> None:
        self._following = following
        self._yaml = yaml
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Any] = {}
        self._root: Any = _MISSING
        self._nodes = 0
        self._copied = 0

    def run(self) -> Any:  # noqa: C901 - one branch for each kind of event
        """Return the value of the document."""
        yaml = self._yaml
        while (event := self._following()) is not None:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if len(self._stack) >= MAX_DEPTH:
                    raise _too_deep(event.start_mark.line + 1)
                if self._stack and self._expects_key():
                    raise _broken(event.start_mark.line + 1)
                self._nodes += 1
                if event.anchor:
                    # Known from here on, but not complete: an alias inside would contain itself.
                    self._anchors[event.anchor] = _MISSING
                value: Any = {} if kind is yaml.MappingStartEvent else []
                self._stack.append(_Frame(value, event.anchor, event.start_mark.line + 1))
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                frame = self._stack.pop()
                if frame.anchor:
                    self._anchors[frame.anchor] = frame.value
                self._add(frame.value, frame.first_line)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent and self._root is not _MISSING:
                raise _broken(event.start_mark.line + 1)
        return None if self._root is _MISSING else self._root

    def _expects_key(self) -> bool:
        frame = self._stack[-1]
        return type(frame.value) is dict and frame.key is _MISSING

    def _scalar(self, event: Any) -> None:
        self._nodes += 1
        line = event.start_mark.line + 1
        plain = event.implicit[0]
        if self._stack and self._expects_key() and event.value == "<<" and (plain or event.tag == _MERGE):
            self._stack[-1].key = _Merge
            return
        if event.tag is not None:
            value = _tagged(event.tag, event.value, line)
        elif not plain:
            value = event.value
        elif self._stack and self._expects_key():
            value = plain_key(event.value)
        else:
            value = plain_value(event.value)
        if event.anchor:
            # The value of an alias does not depend on where the anchor stood, in a key or elsewhere.
            self._anchors[event.anchor] = plain_value(event.value) if plain and event.tag is None else value
        self._add(value, line)

    def _alias(self, event: Any) -> None:
        line = event.start_mark.line + 1
        found = self._anchors.get(event.anchor, _MISSING)
        if found is _MISSING:
            raise _broken(line)
        if isinstance(found, (dict, list)):
            if self._stack and self._expects_key():
                raise _broken(line)
            found = self._copy(found, line)
        self._add(found, line)

    def _copy(self, value: Any, line: int) -> Any:
        top: Any = value.copy()
        todo = [top]
        depth = len(self._stack)
        while todo:
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep(line)
            level, todo = todo, []
            for node in level:
                self._copied += len(node) + 1
                if self._copied > MAX_COPIED + 10 * self._nodes:
                    raise RefusedError(
                        GapReason.ALIAS_BOMB,
                        line,
                        "Its aliases multiply it beyond reason; write the repeated parts out, or leave the file out "
                        "(--exclude).",
                    )
                for key, child in node.items() if type(node) is dict else enumerate(node):
                    if isinstance(child, (dict, list)):
                        node[key] = child.copy()
                        todo.append(node[key])
        return top

    def _add(self, value: Any, line: int) -> None:
        if not self._stack:
            self._root = value
            return
        frame = self._stack[-1]
        target = frame.value
        if type(target) is list:
            target.append(value)
        elif frame.key is _MISSING:
            key = _key(value, line)
            if key in frame.own:
                raise _duplicate(line)
            frame.own.add(key)
            frame.key = key
        else:
            if frame.key is _Merge:
                for merged in _merged(value, line):
                    # Kubernetes' reader does this in the order of the document: what comes later wins.
                    target.update(merged)
            else:
                target[frame.key] = value
            frame.key = _MISSING


def _merged(value: Any, line: int) -> list[dict[str, Any]]:
    """Return the maps of a merge entry in the order in which they are applied."""
    maps = value[::-1] if isinstance(value, list) else [value]
    if not all(isinstance(entry, dict) for entry in maps):
        raise _broken(line)
    return maps


def _key(value: Any, line: int) -> str:
    """Return a map's key as the string that it is in JSON."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return plain_key(str(value)) or ""
        case _:
            raise _broken(line)


_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INT = compile_(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))\Z")
_FLOAT = compile_(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_POINT = compile_(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?\Z")
_NO_NUMBER = {
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), ".inf"),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), "-.inf"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ".nan"),
}
"""Numbers that JSON cannot hold, so that no API server sees them. As values they stay the text that they are."""


@lru_cache(maxsize=4096)
def plain_value(scalar: str) -> Any:
    """Return the value of a plain (unquoted) scalar."""
    value = _resolved(scalar)
    if type(value) is float:
        # On its way to an API server it is written as JSON: without a point where it is whole and below 1e21, which
        # is then read as an integer where 64 bits hold it.
        from decimal import Decimal  # noqa: PLC0415 - start-up: only where a number has a fraction

        whole = Decimal(repr(value))
        return int(whole) if whole == int(whole) and -(1 << 63) <= whole < 1 << 63 else value
    return _whole(value) if type(value) is int else value


@lru_cache(maxsize=4096)
def plain_key(scalar: str) -> str | None:
    """Return the map key that a plain scalar makes, `None` where Kubernetes' reader refuses it."""
    value = _NO_NUMBER.get(scalar) or _resolved(scalar)
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if value < 1 << 63 else None
        case float():
            return _float_key(value)
        case _:
            return value


def _resolved(scalar: str) -> Any:
    """Return the value by YAML 1.1 as Kubernetes' reader knows it."""
    if scalar in _WORDS:
        return _WORDS[scalar]
    if scalar[0] not in "+-.0123456789":
        return scalar
    if scalar[0] == ".":
        digits = scalar.replace("_", "") if _POINT.match(scalar) else scalar
    else:
        digits = scalar.replace("_", "")
        found = _INT.match(digits)
        number = _integer(*found.groups()) if found and len(digits) < 80 else None
        if number is not None:
            return number
    if _FLOAT.match(digits):
        floating = float(digits)
        return scalar if isinf(floating) else floating
    return scalar


def _integer(
    sign: str, hexadecimal: str | None, binary: str | None, octal: str | None, decimal: str | None
) -> int | None:
    """Return the integer, `None` where 64 bits do not hold it."""
    number = next(
        int(digits, base)
        for digits, base in ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10))
        if digits is not None
    )
    if sign == "-":
        return -number if number <= 1 << 63 else None
    # Without a sign the reader tries unsigned 64 bits as well.
    return number if number < 1 << (63 if sign else 64) else None


def _float_key(number: float) -> str | None:
    """Return a floating-point key as Go prints it: `strconv.FormatFloat(number, 'g', -1, 32)`."""
    try:
        (single,) = struct.unpack("<f", struct.pack("<f", number))
    except OverflowError:
        return ".inf" if number > 0 else "-.inf"
    if not single:
        return "-0" if copysign(1, number) < 0 else "0"
    for places in range(9):
        text_ = f"{single:.{places}e}"
        if struct.unpack("<f", struct.pack("<f", float(text_)))[0] == single:
            break
    mantissa, _, exponent = text_.partition("e")
    power = int(exponent)
    if power < -4 or power >= 6:
        return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    from decimal import Decimal  # noqa: PLC0415 - as above

    return format(Decimal(text_), "f")


def _tagged(tag: str, value: str, line: int) -> Any:
    """Return the value of a scalar with an explicit tag."""
    name = tag.removeprefix("tag:yaml.org,2002:")
    if name == tag or name not in {"bool", "int", "float", "null", "timestamp", "binary"}:
        return value
    if name == "timestamp":
        return value
    if name == "binary":
        try:
            return base64.b64decode(re.sub(r"[\r\n]", "", value), validate=True).decode(errors="replace")
        except binascii.Error:
            raise _broken(line) from None
    if name == "float" and value in _NO_NUMBER:
        return value
    found = plain_value(value)
    kinds: dict[str, tuple[type, ...]] = {"bool": (bool,), "int": (int,), "float": (int, float), "null": (type(None),)}
    if type(found) not in kinds[name]:
        raise _broken(line)
    return found
