"""What earlier runs judged clean: found again only by who wrote it, for what it was, and whole."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collectors import judged, searching, trees
from auditor.collectors.judged import Cache, Known
from auditor.collectors.searching import Item
from auditor.detection import rules
from auditor.detection.engine import Engine

ENGINE = Engine(rules.load().of_tier(2), fingerprint=lambda value: value)
KNOWN = Known(frozenset({b"a" * 16, b"b" * 16}), frozenset({b"c" * 16}))
LATER = 4_000_000_000
"""Seconds since the epoch, behind every file of a test."""


def cache(folder: Path, *, judged_by: str = "rules", population: tuple[str, ...] = ("files", "/here")) -> Cache:
    return Cache(folder, judged_by=judged_by, population=population)


def kept(folder: Path, known: Known = KNOWN) -> Path:
    """Write a cache and return its file."""
    cache(folder).keep(known, now=time.time())
    (file,) = folder.iterdir()
    return file


def test_what_was_kept_is_known_to_the_same_rules_and_population_alone(tmp_path: Path) -> None:
    kept(tmp_path / "c")
    assert cache(tmp_path / "c").known == KNOWN
    assert cache(tmp_path / "c", judged_by="others").known == Known()
    assert cache(tmp_path / "c", population=("files", "/there")).known == Known()


def test_another_program_knows_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path / "c")
    monkeypatch.setattr(judged, "program", lambda: "the next version")
    assert cache(tmp_path / "c").known == Known()


def test_nobody_else_can_read_or_write_it(tmp_path: Path) -> None:
    file = kept(tmp_path / "new" / "c")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o640, 0o666])
def test_a_file_that_others_could_read_or_write_counts_for_nothing_and_is_replaced(mode: int, tmp_path: Path) -> None:
    file = kept(tmp_path / "c")
    file.chmod(mode)
    assert cache(tmp_path / "c").known == Known()
    kept(tmp_path / "c")
    assert (cache(tmp_path / "c").known, file.stat().st_mode & 0o777) == (KNOWN, 0o600)


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_is_neither_read_nor_written(mode: int, tmp_path: Path) -> None:
    file = kept(tmp_path / "c")
    file.parent.chmod(mode)
    assert cache(tmp_path / "c").known == Known()
    file.unlink()
    cache(tmp_path / "c").keep(KNOWN, now=time.time())
    assert list((tmp_path / "c").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_somebody_else_counts_for_nothing(tmp_path: Path) -> None:
    file = kept(tmp_path / "c")
    os.chown(file, 12345, 12345)
    assert cache(tmp_path / "c").known == Known()
    os.chown(file, 0, 0)
    os.chown(file.parent, 12345, 12345)
    assert cache(tmp_path / "c").known == Known()


def test_a_link_and_a_pipe_in_its_place_are_not_followed_and_not_waited_for(tmp_path: Path) -> None:
    file = kept(tmp_path / "c")
    elsewhere = tmp_path / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert cache(tmp_path / "c").known == Known()
    file.unlink()
    os.mkfifo(file, 0o600)
    assert cache(tmp_path / "c").known == Known()


@given(place=st.integers(min_value=0), change=st.integers(min_value=1, max_value=255))
def test_a_byte_that_is_damaged_anywhere_makes_it_count_for_nothing(
    place: int, change: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("c", numbered=True)
    folder.chmod(0o700)
    file = kept(folder)
    content = bytearray(file.read_bytes())
    content[place % len(content)] ^= change
    file.write_bytes(content)
    assert cache(folder).known == Known()


@given(length=st.integers(min_value=0, max_value=112))
def test_one_that_was_cut_off_counts_for_nothing(length: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("c", numbered=True)
    folder.chmod(0o700)
    file = kept(folder)
    whole = file.read_bytes()
    file.write_bytes(whole[:length])
    assert cache(folder).known == (KNOWN if length >= len(whole) else Known())


def test_runs_at_the_same_time_leave_a_whole_one(tmp_path: Path) -> None:
    several = [Known(frozenset({bytes([number]) * 16 for number in range(first, first + 200)})) for first in range(9)]
    with ThreadPoolExecutor(9) as pool:
        for _ in range(20):
            list(pool.map(lambda known: cache(tmp_path / "c").keep(known, now=time.time()), several))
            assert cache(tmp_path / "c").known in several
    assert len(list((tmp_path / "c").iterdir())) == 1, "nothing half-written is left behind"


def test_what_no_run_used_for_a_month_is_deleted(tmp_path: Path) -> None:
    old = kept(tmp_path / "c")
    foreign = tmp_path / "c" / "something.else"
    foreign.write_text("not ours to delete")
    os.utime(old, (1, 1))
    os.utime(foreign, (1, 1))
    cache(tmp_path / "c", judged_by="newer").keep(KNOWN, now=time.time())
    assert not old.exists()
    assert foreign.exists()


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    there = cache(tmp_path / "file" / "c")
    there.keep(KNOWN, now=time.time())
    assert there.known == Known()


def test_the_folder_is_that_of_the_base_directory_specification() -> None:
    assert judged.folder({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/auditor")
    assert judged.folder({"XDG_CACHE_HOME": "relative", "HOME": "/h"}) == Path("/h/.cache/auditor")
    assert judged.folder({"HOME": "/h"}) == Path("/h/.cache/auditor")
    assert judged.folder({}) is None


# What of a tree can be remembered


def clean(folder: Path, *, now: int) -> tuple[list[Item], set[bytes]]:
    """Return the files of a folder, and the keys of those that a search lets be remembered."""
    items = trees.walk([str(folder)]).items
    search = searching.search(trees.Files(now=now), items, ENGINE, archives=True, remember=True)
    return items, {*search.clean, *search.clean_binaries}


def test_only_what_is_clean_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "clean.txt").write_text("nothing\n")
    (tmp_path / "binary").write_bytes(b"\0\1\2")
    (tmp_path / "leak.env").write_text("DB_PASSWORD=gull-and-anchor-9\n")
    (tmp_path / "broken.zip").write_bytes(b"PK\3\4 and nothing else")
    items, keys = clean(tmp_path, now=LATER * 10**9)
    assert {item.path.rpartition("/")[2] for item in items if judged.key(item) in keys} == {"clean.txt", "binary"}


def test_a_file_that_changed_a_moment_ago_is_not_remembered(tmp_path: Path) -> None:
    """The next change within the tick of a clock would leave its times as they are."""
    file = tmp_path / "a.txt"
    file.write_text("nothing\n")
    changed = file.stat().st_ctime_ns
    assert clean(tmp_path, now=changed + 1_999_999_999)[1] == set()
    assert len(clean(tmp_path, now=changed + 2_000_000_001)[1]) == 1


def test_a_file_that_was_replaced_while_it_was_read_is_not_remembered(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("nothing\n")
    reader = trees.Files(now=LATER * 10**9)
    (item,) = trees.walk([str(tmp_path)]).items
    assert reader.settled(item)
    file.unlink()
    file.write_text("nothing\n")
    assert not reader.settled(item)
    file.unlink()
    assert not reader.settled(item)


@pytest.mark.parametrize("change", ["content", "size", "name", "times set back"])
def test_every_change_of_a_file_has_another_key(change: str, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("nothing\n")
    before = file.stat()
    (old,) = trees.walk([str(tmp_path)]).items
    match change:
        case "content":
            file.write_text("nothinG\n")
        case "size":
            file.write_text("nothing more\n")
        case "name":
            file.rename(tmp_path / "a.env")
        case "times set back":
            file.write_text("nothinG\n")
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    (new,) = trees.walk([str(tmp_path)]).items
    assert judged.key(old) != judged.key(new)


def test_the_path_belongs_to_the_key_since_it_tells_the_notation() -> None:
    assert judged.key(Item(b"1" * 40, 3, "a.md")) != judged.key(Item(b"1" * 40, 3, "a.env"))
