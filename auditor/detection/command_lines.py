"""Credentials in `command` and `args`: flags in one or two elements, whole shell lines, assignments.

`["mysql", "-uroot", "-psecret"]`, `["--password", "x"]`, `["sh", "-c", "curl -u a:b ..."]`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from auditor.detection.classify import Classification, examine
from auditor.model.resource import Confidence, LiteralKind, Place
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.spans import Span
from auditor.redaction.values import nature


class Argument(NamedTuple):
    """What was found in one element of a command."""

    position: int
    key: str
    """The flag or variable."""
    value: str
    verdict: Classification
    spans: list[Span]
    """Places in the element; empty where the value is no credential."""


_MYSQL = compile_(r"(?:^|[/ ])(?:mysql|mysqladmin|mysqldump|mariadb|mariadb-admin|mariadb-dump)(?: |$)")
_CURL = compile_(r"(?:^|[/ ])(?:curl|wget|http)(?: |$)")
_LOGIN = compile_(r"(?:^|[/ ])(?:redis-cli|redis-server|sshpass|mongo|mongosh|docker|podman|rabbitmqadmin)(?: |$)")
_FLAG = compile_(r"--?(?P<key>[A-Za-z][\w.\-]*)(?P<equals>=)?")
_ASSIGNMENT = compile_(
    r"(?P<key>[A-Za-z_][\w.\-/]*)=(?:\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>[^']*)'|(?P<plain>(?:[^\s\\]|\\.)*))"
)


def examine_list(items: list[Any], program: str) -> Iterator[Argument]:  # noqa: C901 - one branch a shape
    """Yield what stands in the elements `items` of a command that starts with the words `program`."""
    expected = ""
    for index, item in enumerate(items):
        if type(item) is not str:
            expected = ""
            continue
        flag, expected = expected, ""
        if flag and not item.startswith("-"):
            yield from _value(index, flag, item, 0)
            continue
        if item[:1] == "-" and " " not in item:
            match = _FLAG.match(item)
            if match is None:
                continue
            if match["equals"]:
                yield from _value(index, match["key"], item, match.end())
            elif match.end() == len(item):
                expected = _expects(match["key"], program)
                if not expected and len(item) > 3:
                    yield from _short(index, item, program)
            else:
                yield from _short(index, item, program)
        elif len(item) > 5:
            verdict, found = examine("", item, place=Place.ARGUMENT)
            if found and verdict.confidence is not Confidence.POSSIBLE:
                yield Argument(index, found[0].key, "", verdict, found)


def _expects(key: str, program: str) -> str:
    """Return the name of the value that follows the flag `key`, or the empty text."""
    if label(key) >= Label.TOKEN or (label(key) is Label.SECRET and len(key) > 1):
        return key
    if key in {"u", "user"} and _CURL.search(program):
        return "curl-user"
    if key in {"p", "a"} and _LOGIN.search(program):
        return "password"
    if key in {"H", "header"}:
        return "header"
    return ""


def _short(index: int, item: str, program: str) -> Iterator[Argument]:
    if item.startswith("-p") and _MYSQL.search(program):
        yield from _value(index, "password", item, 2)
    elif item.startswith("-u") and _CURL.search(program):
        yield from _value(index, "curl-user", item, 2)
    elif len(item) > 20:
        verdict, found = examine("", item, place=Place.ARGUMENT)
        if found and verdict.confidence is not Confidence.POSSIBLE:
            yield Argument(index, found[0].key, "", verdict, found)


def _value(index: int, key: str, item: str, start: int) -> Iterator[Argument]:
    value = item[start:]
    if key == "curl-user":
        user, colon, password = value.partition(":")
        if not colon or nature(password) is not None:
            return
        start += len(user) + 1
        verdict = Classification(LiteralKind.CREDENTIAL, "command-line-password", Confidence.LIKELY)
        yield Argument(
            index, "user", password, verdict, [Span(start, len(item), "user", verdict.rule, verdict.confidence)]
        )
        return
    strength = label(key)
    if strength < Label.SECRET and len(value) < 6:
        return
    verdict, found = examine(key, value, place=Place.ARGUMENT)
    if found and verdict.confidence is Confidence.POSSIBLE:
        return
    if found:
        moved = [span._replace(start=span.start + start, end=span.end + start) for span in found]
        yield Argument(index, key, value, verdict, moved)
    elif strength >= Label.SECRET:
        yield Argument(index, key, value, verdict, [])


def assignments(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield key, start and end of each value of a Dockerfile's `ENV`, `ARG` or `LABEL` (`A=b C="d"`, or `A b`)."""
    found = False
    for match in _ASSIGNMENT.finditer(text):
        if not found and match.start() > 0 and text[: match.start()].strip():
            break
        found = True
        yield (match["key"], *match.span(match.lastgroup or "plain"))
    if not found:
        key, _, value = text.strip().partition(" ")
        if value.strip():
            start = text.index(value, text.index(key) + len(key))
            lead = len(value) - len(value.lstrip())
            yield key, start + lead, start + len(value.rstrip())
