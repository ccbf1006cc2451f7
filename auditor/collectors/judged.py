"""Contents that an earlier run judged clean, so that the next one need not read them again.

Only that is remembered: by a hash of the blob's id and path, or of a file's path, size, times and inode, that it was
read to its end by the same rules and program and held nothing. What was found is found again by reading it, so no file
of the cache holds a value, a fingerprint, a place or a name. A file belongs to one population (a folder, a repository)
and is written anew with each run that learned something: what is gone from there is forgotten.

A cache can hide what it should not, so one counts only where nobody else could have written it: a file of this user's
with mode 0600 in a folder of this user's that no one else may write. Whatever is odd about it, it is as good as none.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from auditor.collectors.searching import Item

_MAGIC = b"auditor judged 1\n"
_KEY = 16
"""Bytes of an entry."""
_DIGEST = 32
_COUNT = 8
_LARGEST = 1 << 29
"""Bytes of a cache beyond which it is none."""
_OTHERS = 0o077
_FORGOTTEN = 30 * 24 * 3600
"""Seconds after which a cache that no run used is deleted."""
_SUFFIX = ".judged"


class Known(NamedTuple):
    """Keys of contents without a credential."""

    texts: frozenset[bytes] = frozenset()
    binaries: frozenset[bytes] = frozenset()


def folder(environ: Mapping[str, str]) -> Path | None:
    """Return the folder of caches by the XDG base directory specification, `None` where there is none."""
    named = environ.get("XDG_CACHE_HOME", "")
    home = environ.get("HOME", "")
    # A relative path is to be ignored, as the specification says.
    if os.path.isabs(named):  # noqa: PTH117 - a text, not a file
        return Path(named, "auditor")
    return Path(home, ".cache", "auditor") if os.path.isabs(home) else None  # noqa: PTH117 - as above


def key(item: "Item") -> bytes:
    """Return what an item is remembered by: its id, its path (which tells the notation) and its stamp."""
    return hashlib.blake2b(b"\0".join((item.id, os.fsencode(item.path), item.stamp)), digest_size=_KEY).digest()


class Cache:
    """What is known of one population under one set of rules."""

    def __init__(self, place: Path, *, judged_by: str, population: Sequence[str]) -> None:
        """`judged_by` names rules and options, `population` what is searched: paths of folders or a repository."""
        whole = "\0".join((judged_by, program(), *population))
        self._name = hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST] + _SUFFIX
        self._folder = place
        self.known = _read(place, self._name)

    def keep(self, known: Known, *, now: float) -> None:
        """Write what is known now, and delete what no run used for a month. A folder that cannot be written is left."""
        file = self._folder / self._name
        try:
            if known == self.known:
                os.utime(file)
                return
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _ours(self._folder.stat(), writable=0o022):
                return
            handle, made = tempfile.mkstemp(dir=self._folder, suffix=_SUFFIX)
            try:
                with os.fdopen(handle, "wb") as target:
                    target.write(_packed(known))
                Path(made).replace(file)
            except BaseException:
                Path(made).unlink()
                raise
            _tidy(self._folder, now - _FORGOTTEN)
        except OSError:
            # No room, or not ours to write: the next run reads everything again, which is slower and no less true.
            return


def program() -> str:
    """Return what names the code that judges: of an installation its files, as size and time of change tell them."""
    top = Path(__file__).parent.parent
    hasher = hashlib.sha256()
    for name in ("detection", "redaction", "collectors"):
        with os.scandir(top / name) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.name.endswith(".py"):
                    told = entry.stat()
                    hasher.update(f"{name}/{entry.name} {told.st_size} {told.st_mtime_ns}\n".encode())
    return hasher.hexdigest()


def _packed(known: Known) -> bytes:
    body = b"".join((*sorted(known.texts), *sorted(known.binaries)))
    counts = b"".join(len(keys).to_bytes(_COUNT, "big") for keys in known)
    return _MAGIC + counts + hashlib.sha256(counts + body).digest() + body


def _read(place: Path, name: str) -> Known:
    """Return what a cache knows; nothing where it is missing, odd, damaged or somebody else's."""
    try:
        if not _ours(place.stat(), writable=0o022):
            return Known()
        # Not to wait for a pipe, and not to follow a link that somebody put in its place.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(place / name, flags), "rb") as file:
            told = os.fstat(file.fileno())
            if not stat.S_ISREG(told.st_mode) or not _ours(told, writable=_OTHERS) or told.st_size > _LARGEST:
                return Known()
            return _unpacked(file.read(_LARGEST))
    except OSError:
        return Known()


def _ours(told: os.stat_result, *, writable: int) -> bool:
    user = getattr(os, "geteuid", lambda: told.st_uid)()
    return told.st_uid == user and not told.st_mode & writable


def _unpacked(content: bytes) -> Known:
    head = len(_MAGIC) + 2 * _COUNT
    counts, body = content[len(_MAGIC) : head], content[head + _DIGEST :]
    if not content.startswith(_MAGIC) or content[head : head + _DIGEST] != hashlib.sha256(counts + body).digest():
        return Known()
    texts = int.from_bytes(counts[:_COUNT], "big") * _KEY
    return Known(_keys(body[:texts]), _keys(body[texts:]))


def _keys(body: bytes) -> frozenset[bytes]:
    return frozenset(body[start : start + _KEY] for start in range(0, len(body), _KEY))


def _tidy(place: Path, before: float) -> None:
    for file in place.glob(f"*{_SUFFIX}"):
        if file.stat(follow_symlinks=False).st_mtime < before:
            file.unlink()


def split(cache: Cache, items: Iterable["Item"], *, largest: int) -> tuple[list["Item"], list["Item"], list["Item"]]:
    """Return the items that have to be read, those that are known to be clean texts, and clean binaries."""
    rest: list[Item] = []
    texts: list[Item] = []
    binaries: list[Item] = []
    known = cache.known
    for item in items:
        name = key(item) if item.size <= largest else b""
        (texts if name in known.texts else binaries if name in known.binaries else rest).append(item)
    return rest, texts, binaries
