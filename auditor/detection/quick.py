"""What a trigger shows by the few bytes around it, without a look at its line: for streams, which must not wait.

Most lines that make a trigger fire hold one token, or one name with a plain word behind it. Both are judged here, by
the same patterns and the same verdict as in a whole line, in a fifth of its time. Everything else is left to that.
"""

import re
from collections.abc import Mapping
from enum import Enum
from functools import cache, lru_cache

from auditor.detection.rules import Rule
from auditor.detection.triggers import ASSIGNED, Trigger
from auditor.model.resource import Confidence
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.notation import Notation
from auditor.redaction.pairs import verdict

_REACH = 4_096
"""Bytes that a token may take."""
_NAME_REACH = 80
_PAIR = compile_(
    rb"(?<![\w.\-$\\])(?P<key>[A-Za-z_][\w.\-]{0,63})\\?[\"']?[ \t]*(?:=(?!=)|:(?![:/]))[ \t]*(?P<open>\\?[\"'])?"
)
_WORD = compile_(rb"[A-Za-z0-9_\-+/=.~!^*]{3,256}")
_STOPS = frozenset(b" \t\r\n\"',&)}]|")
_LOGIN = compile_(r"(?i)auth$|info$|pwd$|user[._-]?pass$")
"""Names that are read in a way of their own."""
_QUERY = frozenset(b";?&")
_REMEMBERED = 1 << 14


class Doubt(Enum):
    """Answers other than a place."""

    NOTHING = "nothing"
    LOOK_CLOSER = "look-closer"


def at(block: bytes, trigger: Trigger, rules: Mapping[str, Rule]) -> tuple[int, int] | Doubt:
    """Return the credential that made `trigger` fire, or whether there is none, or that its line wants a look."""
    if trigger.what == ASSIGNED:
        return _assigned(block, trigger.end, rules)
    rule = rules.get(trigger.what)
    return _token(block, trigger.end, rule) if rule is not None else Doubt.LOOK_CLOSER


def _token(block: bytes, end: int, rule: Rule) -> tuple[int, int] | Doubt:
    first = max(block.rfind(b"\n", 0, end) + 1, end - _REACH)
    for match in _compiled(rule.pattern).finditer(block, first, end + _REACH):
        if match.start() >= end:
            break
        if match.end() >= end:
            text = match[0].decode("utf-8", "surrogateescape")
            real = "EXAMPLE" not in text and (rule.check is None or rule.check(text))
            return match.span() if real else Doubt.NOTHING
    return Doubt.NOTHING


def _assigned(block: bytes, end: int, rules: Mapping[str, Rule]) -> tuple[int, int] | Doubt:
    """Return the value of `name=value` or `"name": "value"`, where it is one plain word."""
    value = end - 3
    word = _WORD.match(block, value)
    if word is None or (word.end() < len(block) and block[word.end()] not in _STOPS):
        return Doubt.LOOK_CLOSER
    for match in _PAIR.finditer(block, max(value - _NAME_REACH, 0), value):
        if match.end() != value:
            continue
        opened = match["open"]
        line = block[max(match.start() - 2, 0) : match.start()]
        if not line.strip() or line.endswith(b"\n") or (opened and not block.startswith(opened, word.end())):
            # At the head of a line the whole of it may be the value; and what has no end is no word.
            break
        notation = Notation.DATA if line[-1] in _QUERY else Notation.UNKNOWN
        key, text = match["key"].decode("ascii", "replace"), word[0].decode()
        found = _verdict(key, text, quoted=opened is not None, notation=notation)
        if isinstance(found, Doubt):
            return found
        return (value + found[0], value + found[1]) if found[2] in rules else Doubt.NOTHING
    return Doubt.LOOK_CLOSER


@lru_cache(maxsize=_REMEMBERED)
def _verdict(key: str, value: str, *, quoted: bool, notation: Notation) -> tuple[int, int, str] | Doubt:
    if _LOGIN.search(key):
        return Doubt.LOOK_CLOSER
    if label(key) <= Label.WEAK:
        return Doubt.NOTHING
    for span in verdict(key, value, 0, len(value), quoted=quoted, notation=notation):
        return (span.start, span.end, span.rule) if span.confidence is not Confidence.POSSIBLE else Doubt.NOTHING
    return Doubt.NOTHING


@cache
def _compiled(pattern: str) -> re.Pattern[bytes]:
    return compile_(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])".encode(), re.ASCII)
