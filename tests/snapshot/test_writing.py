"""The writer: whole lists or none, in one file each, for their owner alone, whatever ends the run."""

import gzip
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from auditor.model.collection import CallResult
from auditor.model.errors import InputError
from auditor.snapshot import writing
from auditor.snapshot.files import UnwritableError
from auditor.snapshot.manifest import State
from auditor.snapshot.reading import open_snapshot
from tests.e2e.program import ROOT
from tests.snapshot.builders import (
    BINDING,
    ROLE,
    SECRET,
    START,
    Ticking,
    call,
    estate,
    fill,
    literal,
    resource,
    run,
    source,
    write,
)


def test_the_files_are_what_the_page_says(tmp_path: Path) -> None:
    write(tmp_path / "s", estate(), call(SECRET, result=CallResult.FORBIDDEN, status=403))
    found = sorted(path.relative_to(tmp_path / "s").as_posix() for path in (tmp_path / "s").rglob("*.*"))
    assert found == [
        "calls.jsonl",
        "manifest.json",
        "resources/prod/kubernetes_Role.jsonl.gz",
        "resources/prod/kubernetes_RoleBinding.jsonl.gz",
    ]
    with gzip.open(tmp_path / "s" / found[2]) as file:
        first = json.loads(file.readline())
    assert first["name"] == "role-0"
    assert first["origin"] == {"file": "kubernetes://prod/Role/shop/role-0", "source": "prod"}
    ledger = [json.loads(line) for line in (tmp_path / "s" / "calls.jsonl").read_text().splitlines()]
    assert [(entry["call"]["type"], entry["call"]["kept"]) for entry in ledger] == [
        (ROLE, 3),
        (BINDING, 3),
        (SECRET, 0),
    ]
    assert ledger[2]["file"] is None


def test_only_the_owner_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write(tmp_path / "s", estate())
    finally:
        os.umask(before)
    for path in (tmp_path / "s", *(tmp_path / "s").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, estate())
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path


def test_the_ledger_does_not_tell_which_list_ended_first(tmp_path: Path) -> None:
    lists = estate()
    write(tmp_path / "a", lists)
    write(tmp_path / "b", dict(reversed(lists.items())))
    assert (tmp_path / "a/calls.jsonl").read_bytes() == (tmp_path / "b/calls.jsonl").read_bytes()


@pytest.mark.parametrize("what", ["a file", "a full folder"])
def test_nothing_is_overwritten(tmp_path: Path, what: str) -> None:
    target = tmp_path / "s"
    if what == "a file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine").write_text("mine")
    with pytest.raises(InputError, match=r"s (exists and is not empty|cannot be made)") as raised:
        writing.create(target, run=run(), clock=Ticking())
    assert raised.value.hint
    assert not (target / "manifest.json").exists()


def test_an_empty_folder_is_taken_and_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir(mode=0o755)
    write(tmp_path / "s", estate())
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o700


def test_a_folder_in_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be made"):
        writing.create(tmp_path / "a" / "b", run=run(), clock=Ticking())


def test_two_processes_do_not_write_into_one_snapshot(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    code = (
        "from pathlib import Path; from auditor.snapshot.files import claim; from auditor.model.errors import *\n"
        "try: claim(Path('s'))\nexcept InputError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "another process is writing s\n"
    writer.finish()
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_lists_of_different_types_are_written_at_the_same_time(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    types = [f"kubernetes/Kind{index}" for index in range(8)]
    start = threading.Barrier(len(types))

    def one(type_: str) -> None:
        start.wait()
        for index in range(500):
            writer.add(resource(type_, f"{type_}-{index}"))
        writer.call(call(type_))

    threads = [threading.Thread(target=one, args=(type_,)) for type_ in types]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.source(source())
    assert writer.finish().state is State.COMPLETE
    snapshot = open_snapshot(tmp_path / "s")
    for type_ in types:
        assert [entry.name for entry in snapshot.resources(types={type_})] == [f"{type_}-{n}" for n in range(500)]


def test_a_list_that_is_begun_anew_holds_nothing_of_the_first_attempt(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    # More than a buffer, so that some of it was on the disk already.
    for index in range(3_000):
        writer.add(resource(ROLE, f"first-{index}", literals="x" * 100))
    writer.restart("prod", ROLE)
    writer.restart("prod", BINDING)  # nothing was added: no error
    writer.add(resource(ROLE, "second"))
    writer.call(call(ROLE))
    writer.source(source())
    writer.finish()
    snapshot = open_snapshot(tmp_path / "s")
    assert [entry.name for entry in snapshot.resources()] == ["second"]
    assert snapshot.calls[0].kept == 1


def test_a_list_begun_anew_that_gives_nothing_leaves_no_file(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    writer.add(resource(ROLE, "first"))
    writer.restart("prod", ROLE)
    writer.call(call(ROLE))
    writer.source(source())
    writer.finish()
    assert not list((tmp_path / "s").rglob("*.gz*"))


def test_one_list_a_namespace_has_one_file_a_namespace(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    for namespace in ("shop", "pay"):
        writer.add(resource(ROLE, "r", namespace=namespace))
        writer.call(call(ROLE, namespace=namespace))
    writer.source(source())
    writer.finish()
    snapshot = open_snapshot(tmp_path / "s")
    assert [entry.file.path for entry in snapshot.entries if entry.file] == [
        "resources/prod/kubernetes_Role@pay.jsonl.gz",
        "resources/prod/kubernetes_Role@shop.jsonl.gz",
    ]
    assert [entry.namespace for entry in snapshot.resources()] == ["pay", "shop"]


def test_hostile_and_clashing_names_become_files_of_their_own_inside_the_snapshot(tmp_path: Path) -> None:
    """A dump may claim any kind; two that differ in capitals alone would be one file on some systems."""
    types = ["kubernetes/../../../../etc/passwd", "kubernetes/a:b", "kubernetes/a/b", "kubernetes/A/B", "..", "x" * 400]
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    for type_ in types:
        writer.add(resource(type_, "n"))
        writer.call(call(type_))
    writer.source(source())
    writer.finish()
    snapshot = open_snapshot(tmp_path / "s")
    assert sorted(entry.type for entry in snapshot.resources()) == sorted(types)
    paths = [entry.file.path for entry in snapshot.entries if entry.file]
    assert len({path.casefold() for path in paths}) == len(types)
    assert len(list((tmp_path / "s/resources/prod").iterdir())) == len(types)
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_fingerprints_are_counted_and_a_source_names_their_key(tmp_path: Path) -> None:
    entry = resource("kubernetes/ConfigMap", "c")
    with_values = type(entry)(
        type=entry.type,
        name="d",
        body=entry.body,
        origin=entry.origin,
        literals=(literal(), literal(""), literal()),
    )
    write(tmp_path / "s", {"kubernetes/ConfigMap": [entry, with_values]})
    snapshot = open_snapshot(tmp_path / "s")
    (found,) = snapshot.entries
    assert found.file is not None
    assert found.file.fingerprints == 2
    assert snapshot.sources[0].fingerprint_key_id == "0badc0de"


def test_records_pass_the_redactor(tmp_path: Path) -> None:
    """What a server says of itself, and what stood on the command line, may hold anything."""
    secret = "hunter2-canary"
    writer = writing.create(
        tmp_path / "s",
        run=run(arguments=("collect", f"--proxy=http://ada:{secret}@proxy:1"), sources=("prod",)),
        clock=Ticking(),
    )
    writer.call(
        call(
            ROLE,
            result=CallResult.FORBIDDEN,
            reason=f"password={secret} is wrong",
            parameters=(("token", f"token={secret}"),),
        )
    )
    writer.source(
        source(endpoint=f"https://ada:{secret}@api:6443", facts={f"password={secret}": [f"password={secret}"]})
    )
    writer.finish()
    content = b"".join(path.read_bytes() for path in (tmp_path / "s").rglob("*.*"))
    assert secret.encode() not in content
    assert content.count(b"[redacted]") == 6


def test_a_run_that_ends_in_the_middle_says_so(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    writer.add(resource(ROLE, "whole"))
    writer.call(call(ROLE))
    writer.add(resource(BINDING, "begun"))
    assert not writer.stopping()
    writer.stop()
    assert writer.stopping()
    manifest = writer.finish()
    assert manifest.state is State.PARTIAL
    assert manifest.ended is not None
    assert manifest.files == ()
    snapshot = open_snapshot(tmp_path / "s")
    assert [(entry.type, entry.result, entry.kept) for entry in snapshot.calls] == [
        (ROLE, CallResult.READ, 1),
        (BINDING, CallResult.INTERRUPTED, 1),
    ]
    assert snapshot.calls[1].started > START
    assert [entry.name for entry in snapshot.resources()] == ["whole", "begun"]


def test_a_source_without_its_record_makes_a_snapshot_partial(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(sources=("prod", "test")), clock=Ticking())
    fill(writer, estate())
    assert writer.finish().state is State.PARTIAL


KILLED = """
import os, signal
from pathlib import Path
from auditor.snapshot import writing
from tests.snapshot.builders import *
writer = writing.create(Path("s"), run=run(), clock=Ticking())
for index in range(5_000):
    writer.add(resource(ROLE, f"role-{index}"))
writer.call(call(ROLE))
for index in range(5_000):
    writer.add(resource(BINDING, f"binding-{index}"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_leaves_whole_lists_that_a_reader_takes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    snapshot = open_snapshot(tmp_path / "s")
    assert snapshot.manifest.state is State.PARTIAL
    assert snapshot.manifest.ended is None
    assert [call.type for call in snapshot.calls] == [ROLE]
    assert sum(1 for _ in snapshot.resources()) == 5_000
    assert [path.name for path in (tmp_path / "s/resources/prod").iterdir() if path.name.endswith(".part")] == [
        "kubernetes_RoleBinding.part"
    ]


def test_a_ledger_that_was_cut_in_the_last_line_is_read_up_to_there(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    writer.call(call(ROLE))
    with (tmp_path / "s/calls.jsonl").open("ab") as file:
        file.write(b'{"call": {"source": "pr')
    assert [entry.type for entry in open_snapshot(tmp_path / "s").calls] == [ROLE]


def test_a_snapshot_that_is_taken_away_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    (tmp_path / "s").rename(tmp_path / "t")
    with pytest.raises(UnwritableError, match="cannot be written: No such file") as raised:
        writer.add(resource(ROLE, "r"))
    assert "--resume" in raised.value.hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    from auditor.snapshot import files

    handle = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(UnwritableError, match="No space left"):
            files.append(handle, tmp_path / "x", b"content")
    finally:
        os.close(handle)
