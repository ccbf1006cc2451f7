"""The reader: what was written comes back, and nothing else is taken for it."""

import gzip
import json
import os
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.model.collection import CallResult
from auditor.model.errors import InputError
from auditor.snapshot import writing
from auditor.snapshot.manifest import State
from auditor.snapshot.reading import is_snapshot, open_snapshot
from tests.snapshot.builders import (
    BINDING,
    ROLE,
    SECRET,
    START,
    Ticking,
    call,
    estate,
    fill,
    resource,
    run,
    source,
    write,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "s", estate(), call(SECRET, result=CallResult.FORBIDDEN, status=403))
    return tmp_path / "s"


def test_resources_calls_and_sources_come_back_as_they_were(folder: Path) -> None:
    snapshot = open_snapshot(folder)
    lists = estate()
    assert list(snapshot.resources()) == [*lists[ROLE], *lists[BINDING]]
    assert snapshot.calls == (
        call(ROLE, items=3, kept=3),
        call(BINDING, items=3, kept=3),
        call(SECRET, result=CallResult.FORBIDDEN, status=403),
    )
    assert snapshot.sources == (source(fingerprint_key_id="0badc0de"),)
    manifest = snapshot.manifest
    assert (manifest.state, manifest.started) == (State.COMPLETE, START)
    assert manifest.runs[0].operator.user == "ada"
    assert is_snapshot(folder)


def test_one_source_or_type_can_be_asked_for(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(sources=("prod", "test")), clock=Ticking())
    for name in ("test", "prod"):
        fill(
            writer,
            {type_: [resource(type_, "x", source=name)] for type_ in (ROLE, BINDING)},
            name=name,
        )
    writer.finish()
    snapshot = open_snapshot(tmp_path / "s")
    assert [(r.origin.source, r.type) for r in snapshot.resources()] == [
        ("prod", ROLE),
        ("prod", BINDING),
        ("test", ROLE),
        ("test", BINDING),
    ]
    assert [r.origin.source for r in snapshot.resources("test")] == ["test", "test"]
    assert [r.type for r in snapshot.resources(types={ROLE})] == [ROLE, ROLE]
    assert [r.id for r in snapshot.resources("prod", {BINDING})] == [f"{BINDING}:shop/x@prod"]
    assert list(snapshot.resources("nobody")) == []


def test_memory_stays_flat_while_reading(tmp_path: Path) -> None:
    peaks = []
    for count in (4_000, 20_000):
        folder = tmp_path / str(count)
        write(folder, {ROLE: (resource(ROLE, f"role-{index}", text="x" * 500) for index in range(count))})
        snapshot = open_snapshot(folder)
        tracemalloc.start()
        assert sum(1 for _ in snapshot.resources()) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2


def test_memory_stays_flat_while_writing(tmp_path: Path) -> None:
    peaks = []
    for count in (4_000, 20_000):
        tracemalloc.start()
        write(tmp_path / str(count), {ROLE: (resource(ROLE, f"r-{index}", text="x" * 500) for index in range(count))})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2


def test_a_forked_child_reads_on_its_own(folder: Path) -> None:
    snapshot = open_snapshot(folder)
    reading = snapshot.resources()
    next(reading)
    child = os.fork()
    if not child:
        os._exit(0 if sum(1 for _ in snapshot.resources()) == 6 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sum(1 for _ in reading) == 5


def edited(path: Path, change: Callable[[Any], Any]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_minor_version_that_adds_fields_is_read(folder: Path) -> None:
    edited(folder / "manifest.json", lambda raw: raw.update(version="1.7", later={"a": 1}))
    assert sum(1 for _ in open_snapshot(folder).resources()) == 6


@pytest.mark.parametrize("version", ["2.0", "0.9", "", 1, None])
def test_another_major_version_is_refused(folder: Path, version: Any) -> None:
    edited(folder / "manifest.json", lambda raw: raw.update(version=version))
    with pytest.raises(InputError, match=r"is of another snapshot format than 1\.0") as raised:
        open_snapshot(folder)
    assert "version of auditor that wrote it" in raised.value.hint


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "manifest.json is not JSON"),
        (b'{"format": "auditor-snapshot"', "manifest.json is not JSON"),
        (b"[]", "is no manifest of a snapshot"),
        (b'{"version": "1.0"}', "is no manifest of a snapshot"),
        (b'{"format": "auditor-snapshot", "version": "1.0"}', "state is missing"),
        (b'{"format": "auditor-snapshot", "version": "1.0", "state": "s3cr3t", "runs": []}', "state must be one of"),
        (b'{"format": "auditor-snapshot", "version": "1.0", "state": "partial", "runs": []}', "runs is empty"),
    ],
)
def test_a_broken_manifest_is_refused_and_not_quoted(folder: Path, content: bytes, told: str) -> None:
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(InputError, match=told) as raised:
        open_snapshot(folder)
    assert "s3cr3t" not in str(raised.value)
    assert raised.value.hint


def test_what_is_no_snapshot_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="none does not exist"):
        open_snapshot(tmp_path / "none")
    for name in ("empty", "file"):
        with pytest.raises(InputError, match=r"is no snapshot: it has no manifest\.json") as raised:
            open_snapshot(tmp_path / name)
        assert raised.value.hint
        assert not is_snapshot(tmp_path / name)


def test_a_changed_ledger_is_refused(folder: Path) -> None:
    text = (folder / "calls.jsonl").read_text()
    (folder / "calls.jsonl").write_text(text.replace("forbidden", "not-served"))
    with pytest.raises(InputError, match=r"calls\.jsonl is not the file that the manifest knows"):
        open_snapshot(folder)


ROLES = "resources/prod/kubernetes_Role.jsonl.gz"


def _packed(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "an object less": lambda old: _packed(gzip.decompress(old).partition(b"\n")[2]),
    "an object more": lambda old: _packed(gzip.decompress(old) * 2),
    "another verb": lambda old: _packed(gzip.decompress(old).replace(b'"get"', b'"put"')),
    "packed anew": lambda old: gzip.compress(gzip.decompress(old), 9, mtime=0),
    "cut": lambda old: old[:-10],
    "something behind it": lambda old: old + b"x",
    "no compressed file": lambda _: b"plain",
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_refused_and_named(folder: Path, change: str) -> None:
    path = folder / ROLES
    path.write_bytes(CHANGES[change](path.read_bytes()))
    with pytest.raises(InputError, match=r"kubernetes_Role\.jsonl\.gz was changed"):
        list(open_snapshot(folder).resources())


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / ROLES).unlink()
    with pytest.raises(InputError, match=r"kubernetes_Role\.jsonl\.gz cannot be read: No such file"):
        list(open_snapshot(folder).resources())


def test_a_link_in_place_of_a_file_is_not_followed(folder: Path) -> None:
    (folder / ROLES).rename(folder.parent / "elsewhere")
    (folder / ROLES).symlink_to(folder.parent / "elsewhere")
    with pytest.raises(InputError, match="cannot be read"):
        list(open_snapshot(folder).resources())


def partial(folder: Path, change: Callable[[str], str]) -> Path:
    """Change a ledger whose digest nothing knows, as whoever hands over a partial snapshot can."""
    edited(folder / "manifest.json", lambda raw: raw.update(state="partial", files=[]))
    path = folder / "calls.jsonl"
    path.write_text(change(path.read_text()))
    return folder


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../x.jsonl.gz", "resources/prod/../../../x.jsonl.gz", "calls.jsonl"]
)
def test_a_ledger_that_leads_elsewhere_is_refused(folder: Path, path: str) -> None:
    changed = partial(folder, lambda text: text.replace(ROLES, path))
    with pytest.raises(InputError, match="names a file that no snapshot has"):
        open_snapshot(changed)


def test_a_ledger_line_that_is_no_record_is_named(folder: Path) -> None:
    changed = partial(folder, lambda text: text.replace('"result":"forbidden"', '"result":"s3cr3t"'))
    with pytest.raises(InputError, match=r"calls\.jsonl:3 is not what a snapshot holds: call\.result") as raised:
        open_snapshot(changed)
    assert "s3cr3t" not in str(raised.value)


def test_an_object_of_another_list_is_refused(folder: Path) -> None:
    """Else a verdict could rest on a list that nobody asked."""

    def swapped(text: str) -> str:
        return text.replace('"type":"kubernetes/Role"', '"type":"kubernetes/ClusterRole"')

    with pytest.raises(InputError, match=r"kubernetes_Role\.jsonl\.gz:1 belongs to another list"):
        list(open_snapshot(partial(folder, swapped)).resources())


def test_a_small_file_that_unpacks_to_a_huge_line_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    """300 MB of one line in 300 kB."""
    write(tmp_path / "s", estate())
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"a" * 1_000_000) for _ in range(300)) + packer.flush()
    (tmp_path / "s" / ROLES).write_bytes(bomb)
    snapshot = open_snapshot(tmp_path / "s")
    tracemalloc.start()
    with pytest.raises(InputError, match="holds a line that is too long"):
        list(snapshot.resources())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300_000_000
