"""Contents read from a repository's packs directly: the pipe from git costs more than all that git itself does.

Nothing is decided here: what no pack holds, and whatever is odd about one, is not given, and left to git.
"""

import hashlib
import mmap
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from auditor.collectors.git.command import GitFailedError, Repository
from auditor.collectors.git.deltas import OddError, compiled
from auditor.collectors.git.pack import Pack
from auditor.collectors.searching import Item
from auditor.detection.versions import Descent


class Packs:
    """The packs of a repository, in which `items` are looked for. Processes use it after their own fork."""

    def __init__(self, repository: Repository, items: Sequence[Item]) -> None:
        """Packs that cannot be read, and all of them without compiled code for deltas, are as good as none."""
        self._packs: list[Pack] = []
        self._places: dict[bytes, tuple[Pack, int]] = {}
        apply = compiled()
        folder = _folder(repository)
        if not items or apply is None or folder is None:
            return
        missing = {bytes.fromhex(item.id.decode()): item.id for item in items}
        width = len(items[0].id) // 2
        for file in sorted(folder.glob("*.idx")):
            # A pack that has just gone, or that nobody may read: git will tell.
            with suppress(OSError, ValueError, struct.error, OddError):
                pack = Pack(file, len(self._packs), width, apply)
                for id_, offset in pack.offsets(tuple(missing)):
                    self._places[missing.pop(id_)] = (pack, offset)
                self._packs.append(pack)

    def ordered(self, items: Sequence[Item]) -> list[Item]:
        """Return `items`, what is told by its difference from another right behind that one; the rest at the end."""
        known: dict[Pack, dict[int, Item]] = {pack: {} for pack in self._packs}
        rest: list[Item] = []
        for item in items:
            place = self._places.get(item.id)
            if place is None:
                rest.append(item)
            else:
                known[place[0]][place[1]] = item
        families = [there[offset] for pack, there in known.items() for offset in pack.families(there)]
        return families + rest

    def content(self, item: Item) -> tuple[bytes, Descent] | None:
        """Return the content of `item`, and what of it is a copy of another; `None` where git must be asked."""
        place = self._places.get(item.id)
        if place is None:
            return None
        pack, offset = place
        try:
            content, descent = pack.content(offset)
        except (OddError, IndexError, MemoryError):
            return None
        return (content, descent) if len(content) == item.size else None


def damaged_packs(repository: Repository) -> tuple[str, ...]:
    """Return the names of the packs whose checksum, which is behind all else, is wrong; of those that can be read.

    One bit is enough to make a blob a tree, of which git says nothing as long as nobody asks for that very object.
    """
    folder = _folder(repository)
    return tuple(file.name for file in sorted(folder.glob("*.pack")) if not _sound(file)) if folder else ()


def _sound(file: Path) -> bool:
    """Return whether a pack ends with the checksum of the rest, of either of the two kinds that git knows."""
    try:
        with (
            file.open("rb") as pack,
            mmap.mmap(pack.fileno(), 0, access=mmap.ACCESS_READ) as data,
            memoryview(data) as all_,
        ):
            return any(
                hashlib.new(name, all_[:-size], usedforsecurity=False).digest() == data[-size:]
                for name, size in (("sha1", 20), ("sha256", 32))
            )
    except (OSError, ValueError):
        # Nobody may read it, or it is empty: what it should hold is missing then.
        return True


def _folder(repository: Repository) -> Path | None:
    try:
        named = repository.run("rev-parse", "--git-path", "objects/pack").rstrip(b"\n")
    except GitFailedError:
        return None
    return Path(repository.folder, os.fsdecode(named))
