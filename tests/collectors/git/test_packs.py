"""Contents read from packs that the real git wrote, beside what git itself reads from them."""

import hashlib
import os
import random
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.collectors.git import objects, pack, population
from auditor.collectors.git.command import Repository
from auditor.collectors.git.objects import Blobs
from auditor.collectors.git.packs import Packs
from auditor.collectors.searching import Item
from tests.collectors.git.repositories import commit, git, new

VERSIONS = 60
FILES = 3


def written(folder: Path, *options: str) -> Path:
    """Return a repository of a few files with many versions each, so that most are stored as differences."""
    repo = new(folder, *options)
    draw = random.Random(11)  # noqa: S311 - texts, not secrets
    texts = [[f"line {number} of file {file}: {draw.random()}\n" for number in range(400)] for file in range(FILES)]
    for version in range(VERSIONS):
        for lines in texts:
            lines[draw.randrange(len(lines))] = f"changed in {version}: {draw.random()}\n"
            lines.insert(draw.randrange(len(lines)), f"new in {version}\n")
            del lines[draw.randrange(len(lines))]
        commit(repo, {f"d/{file}.txt": "".join(lines) for file, lines in enumerate(texts)})
        if version == VERSIONS // 2:
            git(repo, "repack", "-q", "-d")
    return repo


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("made") / "r")


@pytest.fixture
def repo(made: Path, tmp_path: Path) -> Path:
    """Return a repository of which half the versions are in a pack, and the others loose."""
    return shutil.copytree(made, tmp_path / "r")


def index(repo: Path) -> Path:
    (found,) = (repo / ".git/objects/pack").glob("*.idx")
    return found


def reindexed(repo: Path, version: str) -> None:
    """Write the index of the only pack anew."""
    git(repo, "repack", "-adfq")
    file = index(repo)
    file.unlink()
    git(repo, "index-pack", f"--index-version={version}", "-o", str(file), str(file.with_suffix(".pack")))


def by_name(repo: Path) -> None:
    git(repo, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq")


WRITTEN: dict[str, Callable[[Path], object]] = {
    "one pack": lambda repo: git(repo, "repack", "-adfq"),
    "chains of 4,000": lambda repo: git(repo, "repack", "-adfq", "--depth=4000", "--window=100"),
    "two packs": lambda repo: git(repo, "repack", "-dq"),
    "deltas by name": by_name,
    "large offsets": lambda repo: reindexed(repo, "2,0x400"),
    "an index of many packs": lambda repo: (git(repo, "repack", "-dq"), git(repo, "multi-pack-index", "write")),
}


def opened(repo: Path) -> tuple[Repository, tuple[Item, ...]]:
    repository = Repository(repo, environ=os.environ)
    return repository, population.reached(repository).blobs


def read(given: Packs, item: Item) -> bytes | None:
    found = given.content(item)
    return None if found is None else found[0]


def of_git(repository: Repository, items: tuple[Item, ...]) -> dict[bytes, bytes | None]:
    return {items[at].id: content for at, content in objects.contents(repository, [item.id for item in items])}


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", WRITTEN)
def test_every_content_is_what_git_reads(
    repo: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, plain: bool
) -> None:
    if plain:
        monkeypatch.setattr(pack, "find_spec", lambda _: None)
    WRITTEN[name](repo)
    repository, items = opened(repo)
    given = Packs(repository, items)
    ordered = given.ordered(items)
    assert sorted(ordered) == sorted(items)
    assert len(items) == FILES * VERSIONS
    expected = of_git(repository, items)
    assert {item.id: read(given, item) for item in ordered} == expected
    # In any other order as well, and after what was kept is gone.
    assert {item.id: read(given, item) for item in reversed(items)} == expected


def test_a_repository_of_longer_ids_is_read_too(tmp_path: Path) -> None:
    repo = written(tmp_path / "r", "--object-format=sha256")
    git(repo, "repack", "-adfq")
    repository, items = opened(repo)
    assert len(items[0].id) == 64
    given = Packs(repository, items)
    assert {item.id: read(given, item) for item in given.ordered(items)} == of_git(repository, items)


def test_what_differs_follows_what_it_differs_from(repo: Path) -> None:
    git(repo, "repack", "-adfq")
    repository, items = opened(repo)
    told = subprocess.check_output(["git", "-C", repo, "verify-pack", "-v", index(repo)], text=True)
    bases = {fields[0]: fields[6] for line in told.splitlines() if len(fields := line.split()) == 7}
    order = [item.id.decode() for item in Packs(repository, items).ordered(items)]
    deltas = [id_ for id_ in order if id_ in bases]
    assert len(deltas) > VERSIONS
    assert all(order.index(bases[id_]) < order.index(id_) for id_ in deltas)


def test_few_contents_are_kept_and_all_are_right(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(repo, "repack", "-adfq")
    repository, items = opened(repo)
    monkeypatch.setattr(pack, "_KEPT", 40_000)
    given = Packs(repository, items)
    assert {item.id: read(given, item) for item in given.ordered(items)} == of_git(repository, items)


def test_loose_objects_and_an_old_index_are_left_to_git(repo: Path) -> None:
    repository, items = opened(repo)
    given = Packs(repository, items)
    direct = [item for item in given.ordered(items) if read(given, item) is not None]
    assert 0 < len(direct) < len(items), "the versions behind the repacking are loose"
    reindexed(repo, "1")
    assert all(read(Packs(repository, items), item) is None for item in items)


def test_objects_of_another_repository_are_left_to_git(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repo, "repack", "-adfq")
    git(tmp_path, "clone", "-q", "--shared", str(repo), str(tmp_path / "shared"))
    repository, items = opened(tmp_path / "shared")
    monkeypatch.setattr(objects, "SMALL", 0)
    blobs = Blobs(repository)
    ordered = blobs.ordered(items)
    assert {ordered[at].id: content for at, content, _ in blobs.contents(ordered)} == of_git(repository, items)


def damaged(file: Path, draw: random.Random) -> None:
    file.chmod(0o600)
    content = bytearray(file.read_bytes())
    for _ in range(20):
        content[draw.randrange(12, len(content))] ^= 1 << draw.randrange(8)
    file.write_bytes(content)


@pytest.mark.parametrize("kind", [".pack", ".idx"])
@pytest.mark.parametrize("seed", range(4))
def test_of_a_damaged_pack_nothing_is_told_that_git_would_not_tell(
    repo: Path, monkeypatch: pytest.MonkeyPatch, kind: str, seed: int
) -> None:
    """Git is asked for whatever looks odd, so every content is accounted for, and none is another than git's."""
    git(repo, "repack", "-adfq")
    repository, items = opened(repo)
    damaged(index(repo).with_suffix(kind), random.Random(seed))  # noqa: S311 - as above
    monkeypatch.setattr(objects, "SMALL", 0)
    blobs = Blobs(repository)
    ordered = blobs.ordered(items)
    found = {ordered[at].id: content for at, content, _ in blobs.contents(ordered)}
    assert found.keys() == {item.id for item in items}
    expected = of_git(repository, items)
    # Where git gives up after many damaged objects, single ones can still be read.
    assert all(content in {None, expected[id_]} or expected[id_] is None for id_, content in found.items())


@pytest.mark.parametrize("content", [b"", b"PACK", b"\0" * 4096, os.urandom(5000)])
@pytest.mark.parametrize("kind", [".pack", ".idx"])
def test_what_is_no_pack_is_as_good_as_none(repo: Path, content: bytes, kind: str) -> None:
    git(repo, "repack", "-adfq")
    repository, items = opened(repo)
    file = index(repo).with_suffix(kind)
    file.chmod(0o600)
    file.write_bytes(content)
    given = Packs(repository, items)
    assert given.ordered(items) == list(items)
    assert all(read(given, item) is None for item in items)


def test_a_delta_that_claims_terabytes_is_left_to_git(repo: Path) -> None:
    """Written by hand, since git would not: 10 bytes of content, and a difference from it of 2^45."""
    base = zlib.compress(b"0123456789")
    delta = b"\x0a" + bytes([0x80] * 6 + [0x08]) + b"\x91\x00\x0a"
    first = bytes([0x3A]) + base
    second = bytes([0x60 | len(delta), len(first)]) + zlib.compress(delta)
    body = b"PACK" + struct.pack(">II", 2, 2) + first + second
    ids = [b"\x11" * 20, b"\x22" * 20]
    table = b"".join(struct.pack(">I", sum(id_[0] <= number for id_ in ids)) for number in range(256))
    offsets = struct.pack(">II", 12, 12 + len(first))
    folder = repo / ".git/objects/pack"
    folder.mkdir(exist_ok=True)
    (folder / "pack-x.pack").write_bytes(body + hashlib.sha1(body).digest())  # noqa: S324 - what git uses
    (folder / "pack-x.idx").write_bytes(b"\xfftOc\0\0\0\2" + table + b"".join(ids) + b"\0" * 8 + offsets + b"\0" * 40)
    items = [Item(id_.hex().encode(), 10, "a") for id_ in ids]
    given = Packs(Repository(repo, environ=os.environ), items)
    assert [read(given, item) for item in given.ordered(items)] == [b"0123456789", None]


def test_deltas_that_differ_from_each_other_in_a_circle_end(repo: Path) -> None:
    """Two objects by name, each told by the other."""
    ids = [b"\x11" * 20, b"\x22" * 20]
    delta = b"\x0a\x0a\x91\x00\x0a"
    entries = [bytes([0x70 | len(delta)]) + other + zlib.compress(delta) for other in reversed(ids)]
    table = b"".join(struct.pack(">I", sum(id_[0] <= number for id_ in ids)) for number in range(256))
    folder = repo / ".git/objects/pack"
    folder.mkdir(exist_ok=True)
    (folder / "pack-x.pack").write_bytes(b"PACK" + struct.pack(">II", 2, 2) + b"".join(entries) + b"\0" * 20)
    offsets = struct.pack(">II", 12, 12 + len(entries[0]))
    (folder / "pack-x.idx").write_bytes(b"\xfftOc\0\0\0\2" + table + b"".join(ids) + b"\0" * 8 + offsets + b"\0" * 40)
    items = [Item(id_.hex().encode(), 10, "a") for id_ in ids]
    given = Packs(Repository(repo, environ=os.environ), items)
    assert sorted(given.ordered(items)) == items
    assert [read(given, item) for item in items] == [None, None]


def test_without_compiled_code_git_reads_everything(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(repo, "repack", "-adfq")
    repository, items = opened(repo)
    monkeypatch.setattr("dulwich.pack.apply_delta", lambda base, delta: [base + delta])
    given = Packs(repository, items)
    assert [read(given, item) for item in items] == [None] * len(items)


def test_what_is_told_to_be_copied_is_copied(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "_WORTH", 0)
    git(repo, "repack", "-adfq")
    repository, items = opened(repo)
    given = Packs(repository, items)
    contents: dict[object, bytes] = {}
    told = 0
    for item in given.ordered(items):
        found = given.content(item)
        assert found is not None
        content, descent = found
        for source, target, length in descent.copies:
            assert contents[descent.source][source : source + length] == content[target : target + length]
            told += length
        contents[descent.name] = content
    assert told > 1_000_000
