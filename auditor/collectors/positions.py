"""Line and column of an item in a file that was read, found by reading that one document again.

A map's entry is where its key stands, a list's element where the element begins. An item that came through an alias or
a merge key is where it is written, at the anchor. A missing item is where its nearest existing ancestor is.
Lines and columns count from 1, columns in characters.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from auditor.collectors import documents
from auditor.collectors.documents import RefusedError
from auditor.collectors.sources import SourceKind
from auditor.model.resource import Origin, Path

if TYPE_CHECKING:
    import yaml

Place = tuple[int | None, int | None]
"""Line and column; unknown where the file has changed since it was read."""

_UNKNOWN: Place = (None, None)
_BLOCK = re.compile(r"(?:^|[:\s-])[ \t]+(?:[!&]\S+[ \t]+)*\|[-+0-9]{0,2}(?:[ \t]+#.*|[ \t]*)$")
_ON = re.compile(r"^on[ \t]*:", re.MULTILINE)
# An alias or a merge key: then the whole document is composed.
_ALIAS = re.compile(r"(?:^|[\s\[{,:])\*[^\s*]")


def locate(content: bytes, origin: Origin, paths: Sequence[Path], *, kind: SourceKind) -> list[Place]:
    """Return where each of `paths` stands in the object of `origin`, in the order of `paths`."""
    wanted = [(*origin.prefix, *path) for path in paths]
    try:
        match kind:
            case SourceKind.DOCKERFILE:
                return _in_dockerfile(documents.text(content), wanted)
            case SourceKind.JENKINSFILE:
                return _in_jenkinsfile(documents.text(content), wanted)
            case SourceKind.JSON:
                return _in_json(documents.text(content), origin.document, wanted)
            case SourceKind.YAML:
                return _in_yaml(*_divided(content), origin.document, wanted)
    except RefusedError:
        # It could be read a moment ago; the finding stands, only its line is unknown.
        return [_UNKNOWN] * len(wanted)


def inside(content: bytes, place: Place, line: int) -> Place:
    """Return where `line` (from 0) of the block of text stands that begins at `place`; `place` where none begins there.

    Only a literal block (`|`) has the lines of its value: https://yaml.org/spec/1.2.2/#812-literal-style
    """
    if place[0] is None:
        return place
    text = _divided(content)[0].split("\n")
    at = place[0] + line
    if at >= len(text) or not _BLOCK.search(text[place[0] - 1].rstrip("\r")):
        return place
    return at + 1, len(text[at]) - len(text[at].lstrip()) + 1


@lru_cache(maxsize=4)
def _divided(content: bytes) -> tuple[str, tuple[documents.Chunk, ...]]:
    """Return a file's text and its documents: the findings of a file, or of a role and its bindings, come in a row."""
    text = documents.text(content)
    return text, tuple(documents.split(text))


def _in_yaml(text: str, chunks: Sequence[documents.Chunk], index: int, wanted: Sequence[Path]) -> list[Place]:
    if index >= len(chunks):
        return [_UNKNOWN] * len(wanted)
    chunk = chunks[index]
    document = text[chunk.start : chunk.end]
    skipped = chunk.line - 1 - text.count("\n", chunk.start, chunk.content)
    first = chunk.start - (text.rfind("\n", 0, chunk.start) + 1)
    if any(path[:1] == ("on",) for path in wanted) and _ON.search(document):
        # A workflow's `on:` is the boolean true to the reader, and `on` again to policies.
        wanted = [("true", *path[1:]) if path[:1] == ("on",) else path for path in wanted]
    if ("*" in document and _ALIAS.search(document)) or "<<" in document:
        found = _composed(document, wanted)
    elif document.lstrip()[:1] == "{" and _is_json(document):
        found = _in_json(document, 0, wanted)
    else:
        found = _streamed(document, wanted)
    return [
        (line + skipped, column + first if line == 1 else column) if line and column else _UNKNOWN
        for line, column in found
    ]


class _Node:
    """A step that some wanted path takes."""

    __slots__ = ("children", "mark")

    def __init__(self) -> None:
        self.children: dict[str | int, _Node] = {}
        self.mark: Any = None


def _streamed(document: str, wanted: Sequence[Path]) -> list[Place]:  # noqa: C901, PLR0912, PLR0915 - one hot loop
    """Walk the events along the wanted paths until all are found."""
    import yaml  # noqa: PLC0415 - slow to import, and only files with findings need it

    root = _Node()
    missing = 1
    for path in wanted:
        step_node = root
        for step in path:
            if step not in step_node.children:
                step_node.children[step] = _Node()
                missing += 1
            step_node = step_node.children[step]
    # One entry for each open collection: what is wanted in it, and the list index or the pending key.
    stack: list[tuple[_Node, list[Any] | None]] = []
    inside = root
    position: list[Any] | None = None
    below = 0
    following = documents.event_source(document)
    scalar, start_map, start_list = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent
    ends = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
    while (event := following()) is not None:
        kind = type(event)
        if below and kind is scalar:
            continue
        opens = kind is start_map or kind is start_list
        if below:
            # Inside something that nobody wants: only its end matters.
            if opens:
                below += 1
            elif kind in ends:
                below -= 1
            continue
        if kind in ends:
            if not stack:
                break
            inside, position = stack.pop()
            continue
        if not opens and kind is not scalar:
            continue
        node: _Node | None
        if position is None:
            node = inside
        elif position[0] >= 0:
            node = inside.children.get(position[0])
            position[0] += 1
        elif position[1] is _NO_KEY:
            # The key itself; its value follows.
            position[1] = inside.children.get(_key_text(event)) if kind is scalar else None
            if position[1] is not None and position[1].mark is None:
                position[1].mark = event.start_mark
                missing -= 1
            if opens:
                below = 1
            continue
        else:
            node, position[1] = position[1], _NO_KEY
        if node is not None and node.mark is None:
            node.mark = event.start_mark
            missing -= 1
        if not missing:
            break
        if opens:
            if node is None or not node.children:
                below = 1
            else:
                stack.append((inside, position))
                inside = node
                position = [0, None] if kind is start_list else [-1, _NO_KEY]
    return [_nearest(root, path) for path in wanted]


_NO_KEY: Any = object()


def _key_text(event: Any) -> str:
    if event.implicit[0] and event.tag is None:
        value = documents.plain_value(event.value)
        if type(value) is bool:
            return "true" if value else "false"
        return str(value)
    return str(event.value)


def _nearest(root: _Node, path: Path) -> Place:
    node, mark = root, root.mark
    for step in path:
        node = node.children[step]
        if node.mark is None:
            break
        mark = node.mark
    return (mark.line + 1, mark.column + 1) if mark else _UNKNOWN


def _composed(document: str, wanted: Sequence[Path]) -> list[Place]:
    """Walk a composed document, in which an alias is the node of its anchor."""
    import yaml  # noqa: PLC0415 - as above

    try:
        root = yaml.compose(document, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError):
        return [_UNKNOWN] * len(wanted)
    return [_composed_place(root, path) if root else _UNKNOWN for path in wanted]


def _composed_place(node: "yaml.Node", path: Path) -> Place:
    import yaml  # noqa: PLC0415 - as above

    mark = node.start_mark
    for step in path:
        if isinstance(node, yaml.MappingNode):
            entry = _entry(node, step)
            if entry is None:
                break
            mark, node = entry
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            mark = node.start_mark
        else:
            break
    return mark.line + 1, mark.column + 1


def _entry(node: "yaml.MappingNode", step: str | int) -> "tuple[yaml.Mark, yaml.Node] | None":
    """Return the key's mark and the value of one entry; the last one counts, merged ones too, as in the reader."""
    import yaml  # noqa: PLC0415 - as above

    for key, value in reversed(node.value):
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.tag == "tag:yaml.org,2002:merge":
            maps = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for merged in maps:
                found = _entry(merged, step) if isinstance(merged, yaml.MappingNode) else None
                if found is not None:
                    return found
        elif _node_key(key) == step:
            return key.start_mark, value
    return None


def _node_key(key: "yaml.ScalarNode") -> str:
    if key.style is None and key.tag.startswith("tag:yaml.org,2002:"):
        value = documents.plain_value(key.value)
        if type(value) is bool:
            return "true" if value else "false"
        return str(value)
    return str(key.value)


_OPEN = {"{": True, "[": False}
_CLOSE = frozenset("}]")
_JSON_TOKEN = re.compile(r'[ \t\r\n]*("(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+)')


def _is_json(document: str) -> bool:
    try:
        documents.parse_json(document)
    except RefusedError:
        return False
    return True


def _in_json(text: str, index: int, wanted: Sequence[Path]) -> list[Place]:
    starts = [match.start() + 1 for match in re.finditer("\n", text)]
    found: dict[Path, int] = {}
    # Every prefix of a wanted path, so that the nearest ancestor of a missing item is known.
    prefixes = {path[:length] for path in wanted for length in range(len(path) + 1)}
    for document, path, offset in _json_items(text):
        if document > index:
            break
        if document == index and path in prefixes:
            found.setdefault(path, offset)
    places: list[Place] = []
    for path in wanted:
        near = next((path[:length] for length in range(len(path), -1, -1) if path[:length] in found), None)
        if near is None:
            places.append(_UNKNOWN)
            continue
        offset = found[near]
        line = bisect_right(starts, offset)
        places.append((line + 1, offset - (starts[line - 1] if line else 0) + 1))
    return places


def _json_items(text: str) -> Iterator[tuple[int, Path, int]]:  # noqa: C901 - one branch for each token
    """Yield (value's number, path, offset) of every key and element of the JSON values in `text`."""
    import json  # noqa: PLC0415 - only where a JSON file has findings

    document = 0
    path: list[str | int] = []
    # True for an open map, False for a list.
    kinds: list[bool] = []
    key = False
    for match in _JSON_TOKEN.finditer(text):
        token, offset = match.group(1), match.start(1)
        if token in _CLOSE:
            kinds.pop()
            path.pop()
            if not kinds:
                document += 1
            key = False
        elif token == ",":  # noqa: S105 - a comma
            if kinds[-1]:
                key = True
            else:
                path[-1] = int(path[-1]) + 1
        elif token == ":":  # noqa: S105 - a colon
            key = False
        elif key:
            path[-1] = json.loads(token)
            yield document, tuple(path), offset
        else:
            if not kinds or not kinds[-1]:
                yield document, tuple(path), offset
            if token in _OPEN:
                key = _OPEN[token]
                kinds.append(key)
                path.append("" if key else 0)
            elif not kinds:
                document += 1


def _in_dockerfile(text: str, wanted: Sequence[Path]) -> list[Place]:
    from auditor.collectors import dockerfile  # noqa: PLC0415 - only where one has findings

    instructions = dockerfile.parse(text)["instructions"]
    places: list[Place] = []
    for path in wanted:
        match path:
            case ["instructions", int(index), *_] if index < len(instructions):
                places.append((instructions[index]["line"], 1))
            case _:
                places.append((1, 1))
    return places


def _in_jenkinsfile(text: str, wanted: Sequence[Path]) -> list[Place]:
    from auditor.collectors import jenkinsfile  # noqa: PLC0415 - only where one has findings

    found = jenkinsfile.parse(text)
    places: list[Place] = []
    for path in wanted:
        match path:
            case [str(part), int(index), *_] if index < len(entries := found.get(part) or ()):
                entry = entries[index]
                places.append((entry["line"], 1) if isinstance(entry, dict) else (1, 1))
            case _:
                places.append((1, 1))
    return places
