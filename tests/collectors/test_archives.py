"""Archives in a tree: what is in them is found, and what they do to a reader is bounded."""

import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from auditor.collectors import archives, searching, trees
from auditor.collectors.archives import Budget
from auditor.collectors.searching import Search
from auditor.detection import rules
from auditor.detection.engine import Engine

ENGINE = Engine(rules.load().of_tier(2), fingerprint=lambda value: value)
LEAK = b"DB_PASSWORD=gull-and-anchor-9\n"


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def found(folder: Path, files: dict[str, bytes]) -> Search:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    tree = trees.walk([str(folder)])
    search = searching.search(trees.Files(), tree.items, ENGINE, archives=True)
    assert search.read + search.binary + search.archives + len(search.unreadable) == len(files)
    return search


def names(search: Search) -> list[str]:
    return sorted(name for inside in search.inside.values() for name, hits in inside for _ in hits)


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.jar", zipped),
        ("a.tar", tarred),
        ("a.tgz", lambda files: tarred(files, "w:gz")),
        ("a.tar.xz", lambda files: tarred(files, "w:xz")),
        ("a.tar.bz2", lambda files: tarred(files, "w:bz2")),
        ("a.tar.zst", lambda files: zstandard.compress(tarred(files))),
    ],
)
def test_a_text_in_an_archive_is_found_under_its_name(
    name: str, pack: Callable[[dict[str, bytes]], bytes], tmp_path: Path
) -> None:
    search = found(tmp_path, {name: pack({"config/x.env": LEAK, "logo.png": b"\x89PNG\0\0", "y.txt": b"text\n"})})
    assert names(search) == ["config/x.env"]
    assert (search.read, search.archives) == (1, 0)


TOKEN = b"AKIA" + b"QYLPMN5HFIQR7XYA"


def test_a_token_in_a_binary_member_is_found_and_a_weak_literal_in_one_is_not(tmp_path: Path) -> None:
    """What its form alone tells needs no text around it; beside names, bytes of a program say anything."""
    compiled = b"\xca\xfe\xba\xbe\0\0\0\x34" * 20 + b"\x01\0\x28" + TOKEN + b"\0\1" + LEAK + b"\0\0"
    packed = tarred({"lib/App.class": compiled, "in.zip": zipped({"App.class": compiled})}, "w:gz")
    search = found(tmp_path, {"a.jar": zipped({"App.class": compiled}), "b.tgz": packed, "App.class": compiled})
    assert names(search) == ["App.class", "in.zip!/App.class", "lib/App.class"]
    rules_found = [hit.rule for inside in search.inside.values() for _, hits in inside for hit in hits]
    assert rules_found + [hit.rule for hits in search.hits.values() for hit in hits] == ["aws-access-key-id"] * 4


def test_a_tar_of_long_texts_in_an_archive_is_a_tar(tmp_path: Path) -> None:
    """Its headers have too few NULs to be told from a text that holds some."""
    inner = tarred({"conf/a.txt": b"text and no more\n" * 900, "conf/x.env": LEAK})
    assert names(found(tmp_path, {"a.zip": zipped({"b.tar": inner})})) == ["b.tar!/conf/x.env"]


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, zstandard.compress])
def test_a_compressed_file_is_read_as_the_file(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    ending = {gzip.compress: "gz", lzma.compress: "xz"}.get(compress, "zst")
    search = found(tmp_path, {f"x.env.{ending}": compress(b"A=1\n" + LEAK)})
    (inside,) = search.inside.values()
    assert [(name, hits[0].line) for name, hits in inside] == [("", 2)]


def test_archives_in_archives_are_opened(tmp_path: Path) -> None:
    inner = zipped(
        {"app.properties": b"spring.datasource.password=gull-and-anchor-9\n", "x.env.gz": gzip.compress(LEAK)}
    )
    search = found(tmp_path, {"image.tar.gz": tarred({"./lib/app.jar": inner}, "w:gz")})
    assert names(search) == ["lib/app.jar!/app.properties", "lib/app.jar!/x.env.gz"]


def test_what_cannot_be_opened_is_counted(tmp_path: Path) -> None:
    whole = zipped({"x.env": LEAK})
    encrypted = bytearray(whole)
    encrypted[6] |= 1
    place = encrypted.index(b"PK\x01\x02")
    encrypted[place + 8] |= 1
    noise = os.urandom(3_000)
    search = found(
        tmp_path,
        {
            "encrypted.zip": bytes(encrypted),
            "cut.zip": whole[:-30],
            "cut.tar.gz": tarred({"x.bin": noise}, "w:gz")[:-40],
            "noise.gz": b"\x1f\x8b" + noise,
            "noise.zst": b"\x28\xb5\x2f\xfd" + noise,
            "noise.zip": b"PK\x03\x04" + noise,
            "wrong.zip": zipped({"x.txt": b"text " * 50}).replace(b"text", b"next", 1),
        },
    )
    assert search.archives >= 6
    assert search.binary == 0


def test_a_bomb_stays_within_its_budget(tmp_path: Path) -> None:
    """10 MB of zeros a level, ten in each: 10 GB in all; and one file of a gigabyte."""
    level = b"\0" * 10_000_000
    for _ in range(4):
        level = zipped({f"{number}.zip": level for number in range(10)})
    flat = gzip.compress(gzip.compress(b"\0" * 1_000_000_000, 1), 1)
    many = zipped({f"{number}.txt": b"x" for number in range(60_000)})
    tracemalloc.start()
    search = found(tmp_path, {"nested.zip": level, "flat.gz": flat, "many.zip": many})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert search.archives == 3
    assert peak < 600_000_000


def test_an_archive_that_holds_itself_ends() -> None:
    content = zipped({"x.env": LEAK})
    for _ in range(12):
        content = zipped({"next.zip": content})
    budget = Budget()
    assert list(archives.members(content, budget)) == []
    assert not budget.complete


def test_names_are_shown_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "in"
    inner.mkdir()
    monkeypatch.chdir(inner)
    evil = {"../../escaped.env": LEAK, "/etc/absolute.env": LEAK, "C:\\x.env": LEAK, "a\n\x1b[2J.env": LEAK}
    search = found(inner, {"a.zip": zipped(evil), "a.tar": tarred(evil)})
    assert len(names(search)) == 8
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["a.tar", "a.zip", "in"]


def test_links_devices_and_holes_of_a_tar_are_passed_over(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            entry = tarfile.TarInfo(f"x{kind!r}")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        entry = tarfile.TarInfo("x.env")
        entry.size = len(LEAK)
        archive.addfile(entry, io.BytesIO(LEAK))
    assert names(found(tmp_path, {"a.tar": out.getvalue()})) == ["x.env"]


def test_without_the_wish_an_archive_is_a_binary_file(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"x.env": LEAK}))
    search = searching.search(trees.Files(), trees.walk([str(tmp_path)]).items, ENGINE)
    assert (search.binary, search.inside) == (1, {})
