"""Files that people write for `auditor`: configuration, waivers, policies. Read, checked against a JSON Schema.

The plain path is fast (a Rust YAML reader and a Rust validator). Only when something is wrong is the file composed
again with positions, so that every mistake is reported at once, each with file, line and column. A message names
keys and types, never a value that stands in the file: somebody may have put a credential there.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.breaches import breaches
from auditor.model.errors import ConfigurationError
from auditor.model.record import record
from auditor.model.resource import Path as ItemPath

if TYPE_CHECKING:
    import yaml


@record(order=True)
class Mistake:
    """One thing wrong in a file. Line and column count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


@record(kw_only=False)
class Stated:
    """What a file says at another place than the work tree, such as a ref; `file` names both."""

    file: str
    content: bytes


class MistakesError(ConfigurationError):
    """A file that people wrote has mistakes; all of them are told."""

    def __init__(self, mistakes: Iterable[Mistake], *, hint: str = "") -> None:
        self.mistakes = tuple(sorted(mistakes))
        super().__init__("\n".join(map(str, self.mistakes)), hint=hint)


def read(
    text: str,
    *,
    file: str,
    schema: Path,
    hint: str = "",
    contradictions: Callable[[Any], Iterable[tuple[ItemPath, str]]] = lambda _: (),
) -> Any:
    """Return the content of a YAML `text` after checking it against the JSON Schema in the file `schema`.

    `contradictions` yields what a schema cannot say, as path in the content and message; it is given the content
    although that may break the schema, so that all is told at once. An empty text gives `None` only if the schema
    admits it. Raises `MistakesError` with every mistake.
    """
    import yaml_rs  # noqa: PLC0415 - start-up: only where such a file exists

    text = text.removeprefix("\ufeff")
    if len(text) > LONGEST or _DEEP.search(text):
        what = "too long" if len(text) > LONGEST else "nested too deeply"
        raise MistakesError([Mistake(file=file, line=1, column=1, message=f"it is {what} for a file of this kind")])
    try:
        content = yaml_rs.loads(text, parse_datetime=False)
    except (ValueError, yaml_rs.YAMLDecodeError):
        mistakes = syntax_mistakes(text, file=file)
        if mistakes:
            raise MistakesError(mistakes, hint=hint) from None
        content = _slow(text, file=file)
    problems = [*schema_problems(content, schema=schema), *contradictions(content)]
    if problems:
        # The fast reader takes more than YAML's own: several documents, for one.
        raise MistakesError(syntax_mistakes(text, file=file) or at_positions(text, problems, file=file), hint=hint)
    return content


def syntax_mistakes(text: str, *, file: str) -> list[Mistake]:
    """Return what keeps `text` from being read as YAML: at most one syntax error, or every duplicate key."""
    import yaml  # noqa: PLC0415 - only where something is wrong

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = (
            "a second document"
            if isinstance(error, yaml.composer.ComposerError) and "single" in str(error.context)
            else f"not YAML: {error.problem or 'syntax error'}"
        )
        return [Mistake(file=file, line=line, column=column, message=problem)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return [Mistake(file=file, line=line, column=1, message="not YAML: a character that YAML does not allow")]
    except RecursionError:
        return [Mistake(file=file, line=1, column=1, message="it is nested too deeply")]
    if root is not None and _size(root, {}) > LONGEST:
        return [Mistake(file=file, line=1, column=1, message="its aliases repeat each other without end")]
    return [
        Mistake(
            file=file,
            line=key.start_mark.line + 1,
            column=key.start_mark.column + 1,
            message=f"the key `{key.value}` stands here a second time",
        )
        for key in _duplicates(root)
    ]


def schema_problems(content: Any, *, schema: Path) -> list[tuple[ItemPath, str]]:
    """Return (path in the content, message) for each place where `content` breaks the schema, in document order."""
    import jsonschema_rs  # noqa: PLC0415 - start-up: only where such a file exists

    rules = json.loads(schema.read_text(encoding="utf-8"))
    validator = jsonschema_rs.validator_for(rules, validate_formats=True)
    try:
        return [entry for error in validator.iter_errors(content) for entry in breaches(error, rules)]
    except ValueError:
        return [((), "a key in the file is no text")]


def at_positions(text: str, problems: Sequence[tuple[ItemPath, str]], *, file: str) -> list[Mistake]:
    """Return the problems with the line and column of each item; the nearest ancestor where an item is missing."""
    import yaml  # noqa: PLC0415 - only where something is wrong

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    mistakes = []
    for path, message in problems:
        line, column = _position(root, path) if root else (1, 1)
        mistakes.append(Mistake(file=file, line=line, column=column, message=message))
    return mistakes


def _slow(text: str, *, file: str) -> Any:
    import yaml  # noqa: PLC0415 - only for what the fast reader refuses and YAML 1.1 allows

    try:
        return yaml.safe_load(text)
    except yaml.constructor.ConstructorError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        column = error.problem_mark.column + 1 if error.problem_mark else 1
        message = "a key or a tag here is nothing that this file can hold"
        raise MistakesError([Mistake(file=file, line=line, column=column, message=message)]) from None


# Thousands of these crash a reader before it can refuse them.
_DEEP = re.compile(r"(?:[\[{]\s*){200}|(?:[-?:][ \t]+){200}")

LONGEST = 2_000_000
"""Characters: nobody writes more, and what a machine wrote is no file of this kind."""


def _size(node: "yaml.Node", known: dict[int, float]) -> float:
    """Return how many nodes there are once each alias is written out; infinite where one stands inside itself."""
    import yaml  # noqa: PLC0415 - only where something is wrong

    if id(node) not in known:
        known[id(node)] = float("inf")
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            inner = node.value
        elif isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_size(part, known) for part in inner)
    return known[id(node)]


def _duplicates(node: "yaml.Node | None") -> "list[yaml.Node]":
    import yaml  # noqa: PLC0415 - only where something is wrong

    found: list[yaml.Node] = []
    stack = [node]
    # An alias gives the same node again, and may stand inside what it names.
    visited: set[int] = set()
    while stack:
        current = stack.pop()
        if id(current) in visited:
            continue
        visited.add(id(current))
        if isinstance(current, yaml.SequenceNode):
            stack.extend(current.value)
        elif isinstance(current, yaml.MappingNode):
            seen = set()
            for key, value in current.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in seen:
                        found.append(key)
                    seen.add(str(key.value))
                stack.append(value)
    return found


def _position(node: "yaml.Node", path: ItemPath) -> tuple[int, int]:
    import yaml  # noqa: PLC0415 - only where something is wrong

    mark = node.start_mark
    for step in path:
        if isinstance(node, yaml.MappingNode):
            entry = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if entry is None:
                break
            mark, node = entry[0].start_mark, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            mark = node.start_mark
        else:
            break
    return mark.line + 1, mark.column + 1
