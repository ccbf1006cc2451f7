"""Files that somebody took from a cluster, to what stands in them: lists and objects of the API, recognised by content.

Read are `kubectl get ... -o json|yaml` (one object, a `List`, several documents), answers of the API kept as they came
(`kubectl get --raw`), the folders of `kubectl cluster-info dump`, and support bundles (troubleshoot.sh), whose custom
resources are bare arrays and whose `...-errors.json` say what the bundle itself could not read. Names of files and
folders decide nothing by themselves: they only say of which namespace an empty list is.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.collectors import documents
from auditor.collectors.documents import RefusedError
from auditor.collectors.manifests import resource_type

LARGEST = 300_000_000
"""Bytes of one file. It is read as a whole, so memory grows with it."""
_ENDINGS = frozenset({".json", ".yaml", ".yml"})
_ERRORS = "-errors.json"
_API = b"apiVersion"
_LOOKED_AT = 1_000_000
"""Bytes of a file: more than an object can have."""
_UID = re.compile(rb"uid[\"']?: *[\"']?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_VERSION = re.compile(rb"resourceVersion[\"']?: *[\"']\d+[\"']")
_LIST = re.compile(rb'\s*(?:\[|\{\s*(?:"apiVersion"\s*:\s*"[^"]*"\s*,\s*)?(?:"items"\s*:|"kind"\s*:\s*"\w*List"))')
"""How the JSON of a list begins, as kubectl and the API write it; a bundle has bare arrays."""
_YAML_LIST = re.compile(rb"items:|kind: *[\"']?\w*List\b")
_YAML_OBJECT = re.compile(rb"apiVersion:")
_COMPUTED = (b"ComponentStatus", b"metrics.k8s.io/", b"packages.operators.coreos.com/", b"troubleshoot.sh/")
"""What servers compute when they are asked has no uid; nor has what a bundle says of itself."""


@dataclass(slots=True, kw_only=True)
class Dumped:
    """One list, or objects that stand by themselves."""

    file: str
    type: str
    """Resource type of the items; empty for a `List` without any, which does not say of what it is."""
    items: list[tuple[int, dict[str, Any]]]
    """Position in the list, and the object, which says its apiVersion and kind."""
    document: int = 0
    whole: bool = False
    """Whether it is a list, so that what is not in it is not there."""
    answer: bool = False
    """Whether the API gave the list as it is: kubectl's own and joined ones have no resourceVersion."""
    remaining: int | None = None
    """How many more there are, as the list itself says; 0 where it only says that there are more."""
    resource_version: str = ""


@dataclass(slots=True, kw_only=True)
class Contents:
    """What a folder holds."""

    files: int = 0
    skipped: int = 0
    """Files without an object of the API."""
    broken: list[tuple[str, str]] = field(default_factory=list)
    """File, and why it could not be read, for files that may hold objects."""
    digests: dict[str, Any] = field(default_factory=dict)
    """SHA-256 of each file that was read."""
    version: str = ""
    """Of the server, where a file says it."""
    refused: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(what, namespace) that a support bundle could not read, and whether it was not allowed to. `what` is the name of
    its folder for a kind, or of a definition."""
    bundle: bool = False
    """Whether it is a support bundle."""


def read(path: Path, contents: Contents) -> Iterator[Dumped]:
    """Yield every list and object below `path` in the order of the files, and fill in `contents`."""
    for file in _files(path):
        contents.files += 1
        try:
            raw = _load(file)
            values = list(_values(raw, file))
        except RefusedError as refused:
            contents.broken.append((file.as_posix(), refused.detail))
            continue
        contents.digests[file.as_posix()] = hashlib.sha256(raw)
        del raw
        found = False
        for document, value in enumerate(values):
            values[document] = None
            for dumped in _dumped(file.as_posix(), document, value):
                found = True
                yield dumped
            found = _about(file, value, contents) or found
        contents.skipped += not found


def recognised(path: Path) -> bool:
    """Return whether a folder or file was taken from a cluster as a whole, so that it is an export and no manifests.

    Everything of the API in it is as only a server writes it (a uid and a resourceVersion), and a list is among it: a
    single object is how people keep manifests. A repository is source, whatever lies in it. Each file is looked at by
    its beginning, and the first that holds a manifest ends it, so that it costs little in front of a tree of them.
    """
    if (path / ".git").exists():
        return False
    lists = False
    for file in _files(path):
        head = _head(file)
        if _API not in head:
            continue
        if _stands(_UID, b"uid", head, b"\"' ") and _stands(_VERSION, b"resourceVersion", head, b"\"' "):
            lists = lists or _LIST.match(head) is not None or _yaml_list(head)
        elif _written(head, file):
            return False
    return lists


def _stands(pattern: re.Pattern[bytes], word: bytes, head: bytes, before: bytes) -> bool:
    """Return whether `pattern`, which begins with `word`, stands behind one of the bytes `before`.

    To seek the word takes a hundredth of a search for the pattern, and half a MB of definitions is no rare beginning.
    """
    at = head.find(word)
    while at >= 0:
        if (head[at - 1] in before if at else before == b"\n") and pattern.match(head, at):
            return True
        at = head.find(word, at + 1)
    return False


def _yaml_list(head: bytes) -> bool:
    return _stands(_YAML_LIST, b"items:", head, b"\n") or _stands(_YAML_LIST, b"kind:", head, b"\n")


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_LOOKED_AT)
    except OSError:
        return b""


def _written(head: bytes, file: Path) -> bool:
    """Return whether a file without the marks of a server holds an object: one that somebody wrote."""
    if any(word in head for word in _COMPUTED):
        return False
    if head.lstrip()[:1] not in {b"{", b"["} and not _yaml_list(head):
        return _stands(_YAML_OBJECT, b"apiVersion:", head, b"\n")
    try:
        found = [dumped for value in _values(head, file) for dumped in _dumped(file.name, 0, value)]
    except RefusedError:
        return True
    return any(dumped.items for dumped in found)


def _files(path: Path) -> Iterator[Path]:
    """Yield the files that may hold objects, sorted; links are passed over: in bundles they lead to what is there."""
    if path.is_file():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder, name)
            # A pipe of that name would be waited for without end.
            if (
                file.suffix.lower() in _ENDINGS
                and not name.startswith(".")
                and not file.is_symlink()
                and file.is_file()
            ):
                yield file


def _load(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise _refused(f"It is larger than {LARGEST // 1_000_000} MB; dump namespace by namespace.")
        return file.read_bytes()
    except OSError as error:
        raise _refused(f"It cannot be read ({error.strerror}); check its permissions.") from None


def _values(raw: bytes, file: Path) -> Iterator[Any]:
    """Yield the JSON or YAML values of a file. What is broken and names no API object is no object."""
    try:
        if raw.lstrip()[:1] in {b"{", b"["}:
            yield from _json(raw)
            return
        text = documents.text(raw)
        if file.suffix.lower() == ".json":
            return
        for chunk in documents.split(text):
            if not chunk.empty:
                yield documents.parse(text[chunk.start : chunk.end])
    except RefusedError as refused:
        if _API in raw:
            raise _refused(refused.detail) from None


def _json(raw: bytes) -> list[Any]:
    import orjson  # noqa: PLC0415 - start-up: only where an export is read

    try:
        return [orjson.loads(raw)]
    except orjson.JSONDecodeError:
        pass
    # Several values in a row, or a fault that is told in words of ours.
    return [value for _, value in documents.parse_json_stream(documents.text(raw))]


def _dumped(file: str, document: int, value: Any) -> Iterator[Dumped]:
    if isinstance(value, list):
        # What a bundle writes of custom resources: all that there are of a definition, or of a namespace of it.
        objects = [(index, item) for index, item in enumerate(value) if _type_of(item)]
        types = {_type_of(item) for _, item in objects}
        for type_ in sorted(types):
            same = [(index, item) for index, item in objects if _type_of(item) == type_]
            yield Dumped(file=file, type=type_, items=same, document=document, whole=len(types) == 1)
    elif isinstance(value, dict) and isinstance(value.get("items"), list) and str(value.get("kind")).endswith("List"):
        yield from _list(file, document, value)
    elif _type_of(value):
        yield Dumped(file=file, type=_type_of(value), items=[(-1, value)], document=document)


def _list(file: str, document: int, value: dict[str, Any]) -> Iterator[Dumped]:
    kind, api_version = str(value["kind"]), str(value.get("apiVersion") or "")
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    one = kind.removesuffix("List")
    version = str(metadata.get("resourceVersion") or "")
    groups: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    if one:
        groups[resource_type(api_version, one)] = []
    for index, item in enumerate(value["items"]):
        if isinstance(item, dict):
            if one:
                item.setdefault("apiVersion", api_version)
                item.setdefault("kind", one)
            groups.setdefault(_type_of(item), []).append((index, item))
    remaining = metadata.get("remainingItemCount")
    more = metadata.get("continue")
    if not groups:
        groups[""] = []
    for type_, items in groups.items():
        if type_ or not items:
            yield Dumped(
                file=file,
                type=type_,
                items=items,
                document=document,
                whole=True,
                remaining=remaining if isinstance(remaining, int) else 0 if more else None,
                answer=bool(one and version),
                resource_version=version,
            )


def _type_of(value: Any) -> str:
    """Return the resource type of an object of the API, empty where it is none."""
    if not isinstance(value, dict):
        return ""
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not (isinstance(api_version, str) and isinstance(kind, str) and api_version and kind):
        return ""
    return resource_type(api_version, kind)


def _about(file: Path, value: Any, contents: Contents) -> bool:
    """Take what a file says of the cluster or of the bundle itself; return whether it was such a file."""
    if file.name.endswith(_ERRORS):
        contents.bundle = True
        _take_errors(file, value, contents)
        return True
    if not isinstance(value, dict):
        return False
    for name in ("serverVersion", "info"):
        told = value.get(name)
        if isinstance(told, dict) and isinstance(told.get("gitVersion"), str):
            contents.version = told["gitVersion"]
            return True
    if str(value.get("apiVersion")).startswith("troubleshoot.sh/"):
        contents.bundle = True
        return True
    return False


def _take_errors(file: Path, value: Any, contents: Contents) -> None:
    """Take what a bundle could not read. Of its texts only whether they speak of a refusal is kept."""
    what = file.name.removesuffix(_ERRORS)
    if isinstance(value, dict):
        for where, text in value.items():
            # Of kinds: namespace -> text. Of custom resources: definition, or definition/namespace -> text.
            definition, _, namespace = str(where).partition("/")
            of_kind = "." not in definition
            key = (what, definition) if of_kind else (definition, namespace)
            contents.refused[key] = "forbidden" in str(text).lower()
    elif isinstance(value, list) and value:
        contents.refused[what, ""] = "forbidden" in " ".join(map(str, value)).lower()


def _refused(detail: str) -> RefusedError:
    from auditor.model.coverage import GapReason  # noqa: PLC0415 - as above

    return RefusedError(GapReason.UNREADABLE, None, detail)
