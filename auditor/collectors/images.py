"""Container images as archives: `docker save` and OCI layouts, as a tar, a compressed tar, or a folder.

Every layer is read by itself, so a file that a later layer removes still counts: whoever pulls the image has it. Beside
the layers there are the configuration (environment, labels, command) and the history, which hold what `ENV`, `ARG` and
`RUN` were given. Nothing is ever written anywhere, and names are only shown.

OCI image layout: https://github.com/opencontainers/image-spec/blob/main/image-layout.md. `docker save` writes one as
well, with a `manifest.json` of its own beside it; older ones have only that.
"""

import json
import os
import posixpath
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from auditor.collectors import archives
from auditor.collectors.magic import HEAD, compression, recognised, tar
from auditor.collectors.unpacking import Joined, Unpacked, UnpackingError
from auditor.detection.text import as_text
from auditor.model.coverage import Gap, GapReason
from auditor.model.errors import InputError

_DOCUMENT = 8_000_000
"""Bytes of a manifest or a configuration; larger ones are none."""
_DOCUMENTS = 64_000_000
"""Bytes of all of them that are kept."""
_RATIO = 200
_LEAST = 1_000_000_000
"""A layer may unpack to so many times its size, and to so many bytes in any case."""
_MOST = 2_000_000
"""Files of an image."""
_SHORT = 12
_LAYER = re.compile(r"(?:\A|/)layer\.tar\Z|\Ablobs/[a-z0-9]+/[0-9a-f]{32,}\Z")
"""Names of layers, as docker and OCI layouts give them."""
_DAMAGES = (tarfile.TarError, UnpackingError, OSError, EOFError)
_HINT = "Make one with `docker save -o image.tar NAME`, or `skopeo copy docker://NAME oci-archive:image.tar`."


class Part(NamedTuple):
    """One file of an image, or one part of its configuration."""

    inside: str
    """Where: `layer 3f2a1b9c0d4e: app/.env`, `config: Env`, `history 4`."""
    path: str
    """Tells the notation."""
    content: bytes
    binary: bool = False
    """Whether it is no text: only what needs no text around it is looked for."""


class Read:
    """What became of an image."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.files = 0
        self.bytes_read = 0
        self.binary = 0
        self.archives = 0
        self.layers = 0
        self.gaps: list[Gap] = []

    def gap(self, reason: GapReason, detail: str) -> None:
        """Note something that could not be read."""
        self.gaps.append(Gap(file=self.name, reason=reason, detail=detail))


class _Store:
    """The files of an image's archive or folder, by name."""

    def __init__(self, sizes: dict[str, int], documents: Mapping[str, bytes], same: dict[str, str]) -> None:
        self.sizes = sizes
        self._documents = documents
        self.same = same
        """Names of links to the names of what they lead to, in the archive."""
        self.cut = False
        """Whether the archive could not be read to its end."""

    def name(self, name: str) -> str:
        """Return the name under which a file is stored."""
        return self.same.get(name, name)

    def document(self, name: str) -> Any:
        """Return the JSON in a file; `None` where there is none."""
        try:
            return json.loads(self._documents[self.name(name)])
        except (KeyError, ValueError, RecursionError):
            return None


def parts(path: str, read: Read, *, largest: int, told: Callable[[int], None] = lambda _: None) -> Iterator[Part]:
    """Yield every file of the images in `path`; what cannot be read is noted in `read`.

    Raises `InputError` for what is no image.
    """
    try:
        store = _folder(path) if os.path.isdir(path) else _archive(path, read)  # noqa: PTH112 - strings throughout
        layers, configurations = _parts(store, read)
        if store.cut and not layers and not configurations:
            layers, configurations = _likely(store)
        if not layers and not configurations:
            raise InputError(f"{path} is neither an archive of `docker save` nor an OCI layout", hint=_HINT)
        for name in configurations:
            yield from _of_configuration(store.document(name), name, read)
        try:
            for name, file in _files(path, layers):
                yield from _of_layer(file, name, store.sizes[name], read, largest=largest, told=told)
        except _DAMAGES:
            # Told already: the archive ends too early, and what stands before that was read.
            if not store.cut:
                raise
    except FileNotFoundError:
        raise InputError(f"{path} does not exist", hint="Check --image.") from None
    except _DAMAGES as error:
        why = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
        raise InputError(f"{path} cannot be read as an image{why}", hint=_HINT) from None


@contextmanager
def _stream(path: str) -> Iterator[tarfile.TarFile]:
    """Yield an archive, compressed or not, to be read from its start to its end."""
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        if not recognised(file.read(HEAD)):
            raise InputError(f"{path} is no tar", hint=_HINT)
        file.seek(0)
        size = os.path.getsize(path)  # noqa: PTH202 - as above
        unpacked = Unpacked(file, limit=max(size * _RATIO, _LEAST))
        with tarfile.open(fileobj=unpacked, mode="r|", bufsize=1 << 20) as archive:  # type: ignore[call-overload]
            yield archive
        if unpacked.over:
            raise InputError(f"{path} unpacks to more than {_RATIO} times its size", hint="Look at it by hand.")


def _archive(path: str, read: Read) -> _Store:
    """Return what stands in an archive. Its layers are read later: what they are is not known before its end."""
    documents: dict[str, bytes] = {}
    store = _Store({}, documents, {})
    try:
        _list(path, store.sizes, documents, store.same)
    except FileNotFoundError:
        raise
    except _DAMAGES:
        if not store.sizes:
            raise
        store.cut = True
        read.gap(
            GapReason.UNREADABLE,
            "The archive cannot be read to its end: cut off or damaged. What stands before that was searched; save it"
            " again, whole.",
        )
    return store


def _likely(store: _Store) -> tuple[list[str], list[str]]:
    """Return what look like layers and configurations, where the manifest is lost with the end of the archive."""
    documents = {name: store.document(name) for name in store.sizes}
    configurations = [name for name, told in documents.items() if isinstance(told, dict) and "rootfs" in told]
    layers = [name for name in store.sizes if documents[name] is None and _LAYER.search(name)]
    return layers, configurations if layers else []


def _list(path: str, sizes: dict[str, int], documents: dict[str, bytes], same: dict[str, str]) -> None:
    """Take in the files of an archive: their sizes, the JSON among them, and what links lead to."""
    left = _DOCUMENTS
    with _stream(path) as archive:
        for entry in archive:
            name = _plain(entry.name)
            if entry.issym() or entry.islnk():
                # Older archives store a layer once, and link to it: to a name in the archive or to nothing.
                folder = posixpath.dirname(name) if entry.issym() else ""
                same[name] = _plain(posixpath.normpath(posixpath.join(folder, entry.linkname)))
            elif entry.isfile():
                sizes[name] = entry.size
                if entry.size <= min(_DOCUMENT, left):
                    file = archive.extractfile(entry)
                    content = file.read() if file is not None else b""
                    if content.lstrip()[:1] in {b"{", b"["}:
                        documents[name] = content
                        left -= len(content)


def _folder(path: str) -> _Store:
    sizes: dict[str, int] = {}
    documents: dict[str, bytes] = {}
    for folder, _, names in os.walk(path):
        for name in names:
            whole = os.path.join(folder, name)  # noqa: PTH118 - as above
            if os.path.islink(whole) or not os.path.isfile(whole):  # noqa: PTH113, PTH114 - as above
                continue
            known = os.path.relpath(whole, path).replace(os.sep, "/")
            sizes[known] = os.path.getsize(whole)  # noqa: PTH202 - as above
            if sizes[known] <= _DOCUMENT:
                with open(whole, "rb") as file:  # noqa: PTH123 - as above
                    content = file.read(_DOCUMENT)
                if content.lstrip()[:1] in {b"{", b"["}:
                    documents[known] = content
    return _Store(sizes, documents, {})


def _files(path: str, names: list[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the files `names` of an image, in the order in which they lie."""
    wanted = set(names)
    if os.path.isdir(path):  # noqa: PTH112 - as above
        for name in names:
            with open(os.path.join(path, name), "rb") as file:  # noqa: PTH118, PTH123 - as above
                yield name, file
    elif wanted:
        with _stream(path) as archive:
            for entry in archive:
                name = _plain(entry.name)
                if entry.isfile() and name in wanted and (inner := archive.extractfile(entry)) is not None:
                    wanted.discard(name)
                    yield name, inner


def _plain(name: str) -> str:
    return name.removeprefix("./")


def _parts(store: _Store, read: Read) -> tuple[list[str], list[str]]:
    """Return the names of all layers and of all configurations, each once, in their order."""
    layers: dict[str, None] = {}
    configurations: dict[str, None] = {}
    manifest = store.document("manifest.json")
    for entry in manifest if isinstance(manifest, list) else ():
        if isinstance(entry, dict):
            configurations |= dict.fromkeys(map(store.name, _texts_of([entry.get("Config")])))
            layers |= dict.fromkeys(map(store.name, _texts_of(entry.get("Layers"))))
    if not layers and not configurations:
        _of_index(store, store.document("index.json"), layers, configurations, read, depth=0)
    lost = dict.fromkeys(name for name in (*layers, *configurations) if name not in store.sizes)
    for name in lost:
        read.gap(
            GapReason.MISSING, f"The archive lacks {_short(name)}, which its manifest names; save it again, whole."
        )
        layers.pop(name, None)
        configurations.pop(name, None)
    return list(layers), list(configurations)


def _of_index(
    store: _Store, index: Any, layers: dict[str, None], configurations: dict[str, None], read: Read, *, depth: int
) -> None:
    """Follow an index to its manifests: images of several platforms are indexes of indexes."""
    for entry in index.get("manifests") or () if isinstance(index, dict) and depth < 4 else ():
        name = _blob(entry)
        document = store.document(name)
        if not isinstance(document, dict):
            read.gap(
                GapReason.MISSING, f"The archive lacks the manifest {_short(name)}; save it again, with all platforms."
            )
        elif "manifests" in document:
            _of_index(store, document, layers, configurations, read, depth=depth + 1)
        else:
            configurations.update(dict.fromkeys(filter(None, [_blob(document.get("config"))])))
            layers.update(dict.fromkeys(filter(None, map(_blob, document.get("layers") or ()))))


def _blob(descriptor: Any) -> str:
    digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
    return f"blobs/{digest.replace(':', '/', 1)}" if isinstance(digest, str) else ""


def _texts_of(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _short(name: str) -> str:
    """Return the digest in a name, as people write it."""
    parts = [part for part in name.split("/") if part not in {"blobs", "sha256", "layer.tar"}]
    return (parts[-1] if parts else name).removesuffix(".tar").removesuffix(".json")[:_SHORT]


def _of_configuration(document: Any, name: str, read: Read) -> Iterator[Part]:
    """Yield environment, labels, commands and history of an image's configuration."""
    if not isinstance(document, dict):
        read.gap(GapReason.UNREADABLE, f"The configuration {_short(name)} is no JSON.")
        return
    read.files += 1
    for part in ("config", "container_config"):
        settings = document.get(part)
        if not isinstance(settings, dict):
            continue
        yield _lines("config: Env", "image.env", _texts_of(settings.get("Env")))
        labels = settings.get("Labels")
        pairs = labels.items() if isinstance(labels, dict) else ()
        yield _lines("config: Labels", "labels.properties", [f"{key}={value}" for key, value in pairs])
        for field in ("Entrypoint", "Cmd", "OnBuild", "Healthcheck"):
            value = settings.get(field)
            words = value.get("Test") if isinstance(value, dict) else value
            yield _lines(f"config: {field}", "command.sh", [" ".join(_texts_of(words))])
    history = document.get("history")
    for number, entry in enumerate(history if isinstance(history, list) else (), 1):
        if isinstance(entry, dict):
            said = [str(entry.get(field) or "") for field in ("created_by", "comment")]
            yield _lines(f"history {number}", "Dockerfile", [_instruction(text) for text in said])


def _instruction(text: str) -> str:
    """Return a step of the history as it stood in the Dockerfile: `/bin/sh -c #(nop)  ENV A=b` as `ENV A=b`."""
    _, mark, rest = text.partition("#(nop)")
    return rest.strip() if mark else text


def _lines(inside: str, path: str, lines: list[str]) -> Part:
    # A line feed inside of a value would end the line, which it does not.
    content = "\n".join(line.replace("\n", " ") for line in lines)
    return Part(inside, path, content.encode("utf-8", "surrogatepass"))


def _of_layer(
    file: IO[bytes], name: str, size: int, read: Read, *, largest: int, told: Callable[[int], None]
) -> Iterator[Part]:
    short = _short(name)
    head = file.read(HEAD)
    unpacked = Unpacked(Joined(head, file), limit=max(size * _RATIO, _LEAST))
    if not tar(head) and not compression(head):
        # An attestation or a model: a layer that is no tar. An empty one is a tar without an entry.
        if head.strip(b"\0"):
            yield from _single(unpacked.read(largest + 1), short, read, largest=largest)
        return
    read.layers += 1
    try:
        with tarfile.open(fileobj=unpacked, mode="r|", bufsize=1 << 20) as layer:  # type: ignore[call-overload]
            for entry in layer:
                if entry.isfile():
                    yield from _of_file(layer, entry, short, read, largest=largest, told=told)
    except (tarfile.TarError, UnpackingError, EOFError, ValueError, OSError):
        why = "it unpacks to too much" if unpacked.over else "it is damaged"
        reason = GapReason.TOO_LARGE if unpacked.over else GapReason.UNREADABLE
        read.gap(reason, f"Layer {short} could not be read to its end: {why}.")


def _of_file(
    layer: tarfile.TarFile, entry: tarfile.TarInfo, short: str, read: Read, *, largest: int, told: Callable[[int], None]
) -> Iterator[Part]:
    path = entry.name.removeprefix("./")
    file = layer.extractfile(entry)
    if file is None:
        return
    told(entry.size)
    read.bytes_read += entry.size
    if read.files + read.binary > _MOST:
        read.gap(GapReason.TOO_LARGE, f"It holds more than {_MOST:,} files; those behind {path} were not read.")
        raise ValueError("too many files")
    content = file.read(largest + 1 if entry.size > largest else entry.size)
    if len(content) > largest:
        if as_text(content[: 1 << 16]) is None:
            read.binary += 1
        else:
            detail = f"Layer {short}: {path} has {entry.size / 1e6:,.0f} MB. Look at it by hand, or raise --largest."
            read.gap(GapReason.TOO_LARGE, detail)
        return
    yield from _files_in(content, path, f"layer {short}: ", read)


def _single(content: bytes, short: str, read: Read, *, largest: int) -> Iterator[Part]:
    if len(content) > largest:
        read.gap(GapReason.TOO_LARGE, f"Layer {short} is one file of more than {largest / 1e6:,.0f} MB.")
        return
    yield from _files_in(content, "layer", f"layer {short}: ", read)


def _files_in(content: bytes, path: str, where: str, read: Read) -> Iterator[Part]:
    if recognised(content):
        budget = archives.Budget()
        for member in archives.members(content, budget):
            inner = f"{path}!/{member.path}" if member.path else path
            yield Part(f"{where}{inner}", member.path or path, member.content, member.binary)
        read.files += budget.complete
        read.archives += not budget.complete
        return
    text = as_text(content)
    if text is None:
        read.binary += 1
        yield Part(f"{where}{path}", path, content, binary=True)
        return
    read.files += 1
    yield Part(f"{where}{path}", path, text)
