"""Going on with a snapshot: what was whole stays, everything else is asked again, and the key decides about values."""

import os
from pathlib import Path
from typing import Any

import pytest

from auditor.model.collection import CallResult
from auditor.model.errors import InputError
from auditor.model.resource import Resource
from auditor.snapshot import writing
from auditor.snapshot.manifest import State
from auditor.snapshot.merging import merge
from auditor.snapshot.reading import open_snapshot
from auditor.snapshot.resuming import resume
from auditor.snapshot.verifying import verify
from tests.snapshot.builders import (
    BINDING,
    ROLE,
    SECRET,
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

CONFIG_MAP = "kubernetes/ConfigMap"


def with_value() -> Resource:
    plain = resource(CONFIG_MAP, "c")
    return Resource(type=plain.type, name=plain.name, body=plain.body, origin=plain.origin, literals=(literal(),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Roles were read, bindings were cut off, Secrets were refused; a list of values is whole."""
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    writer.add(resource(ROLE, "r"))
    writer.call(call(ROLE))
    writer.add(with_value())
    writer.call(call(CONFIG_MAP))
    writer.call(call(SECRET, result=CallResult.FORBIDDEN))
    writer.call(call("kubernetes/X.example.com", result=CallResult.NOT_SERVED))
    writer.add(resource(BINDING, "first"))
    writer.stop()
    writer.finish()
    return tmp_path / "s"


def finished(folder: Path, **changes: Any) -> list[str]:
    """Go on, read what is not done, and return the names of all resources."""
    resumed = resume(folder, run=run(**changes), clock=Ticking())
    writer = resumed.writer
    done = writer.done("prod")
    for type_, entry in (
        (ROLE, resource(ROLE, "again")),
        (CONFIG_MAP, with_value()),
        (BINDING, resource(BINDING, "b")),
    ):
        if (type_, "") not in done:
            writer.add(entry)
            writer.call(call(type_))
    writer.call(call(SECRET))
    writer.source(source())
    assert writer.finish().state is State.COMPLETE
    assert verify(folder).mistakes == ()
    return [entry.name for entry in open_snapshot(folder).resources()]


def test_whole_lists_stay_and_the_rest_is_asked_again(folder: Path) -> None:
    resumed = resume(folder, run=run(), clock=Ticking())
    assert resumed.writer.done("prod") == {
        (ROLE, ""),
        (CONFIG_MAP, ""),
        ("kubernetes/X.example.com", ""),
    }
    assert resumed.completed == frozenset()
    assert (resumed.kept, resumed.dropped) == (3, 2)
    os.close(resumed.writer._claimed)
    assert finished(folder) == ["c", "r", "b"]


def test_both_runs_are_on_record(folder: Path) -> None:
    finished(folder, arguments=("collect", "--resume", "s"), tool_version="1.1")
    first, second = open_snapshot(folder).manifest.runs
    assert (first.tool_version, second.tool_version) == ("1.0", "1.1")
    assert second.arguments == ("collect", "--resume", "s")
    assert first.ended is not None


def test_values_under_another_key_are_read_again(folder: Path) -> None:
    """Fingerprints of two keys never agree: in one source, equal values would look unequal."""
    resumed = resume(folder, run=run(fingerprint_key_id="random:2"), clock=Ticking())
    assert resumed.writer.done("prod") == {(ROLE, ""), ("kubernetes/X.example.com", "")}


def test_a_list_whose_file_was_damaged_is_read_again(folder: Path) -> None:
    path = folder / "resources/prod/kubernetes_Role.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-5])
    assert finished(folder) == ["c", "again", "b"]


def test_what_an_unfinished_run_left_lying_is_removed_and_nothing_else(folder: Path) -> None:
    (folder / "resources/prod/kubernetes_Pod.part").write_bytes(b"x")
    (folder / "resources/prod/notes.txt").write_text("mine")
    resume(folder, run=run(), clock=Ticking())
    left = {path.name for path in (folder / "resources/prod").iterdir()}
    assert left == {"kubernetes_Role.jsonl.gz", "kubernetes_ConfigMap.jsonl.gz", "notes.txt"}


def test_a_source_that_came_to_its_end_is_not_asked_again(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(sources=("prod", "test")), clock=Ticking())
    fill(writer, estate(), call(SECRET, result=CallResult.NOT_ASKED))
    writer.finish()
    resumed = resume(tmp_path / "s", run=run(sources=("prod", "test")), clock=Ticking())
    assert resumed.completed == {"prod"}
    fill(resumed.writer, {ROLE: [resource(ROLE, "x", source="test")]}, name="test")
    assert resumed.writer.finish().state is State.COMPLETE
    snapshot = open_snapshot(tmp_path / "s")
    assert [entry.name for entry in snapshot.sources] == ["prod", "test"]
    assert CallResult.NOT_ASKED in {entry.result for entry in snapshot.calls}


def test_a_source_that_failed_is_asked_again(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    writer.source(source(failure="Its kubeconfig cannot be read."))
    assert writer.finish().state is State.COMPLETE
    resumed = resume(tmp_path / "s", run=run(), clock=Ticking())
    assert resumed.completed == frozenset()
    fill(resumed.writer, estate())
    resumed.writer.finish()
    assert open_snapshot(tmp_path / "s").sources[0].failure == ""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"configuration_digest": "3" * 64}, "was begun with another configuration"),
        ({"sources": ("test",)}, "was begun with more sources: prod"),
    ],
)
def test_another_question_is_no_resumption(folder: Path, changes: dict[str, Any], told: str) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    with pytest.raises(InputError, match=told) as raised:
        resume(folder, run=run(**changes), clock=Ticking())
    assert raised.value.hint
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


def test_a_complete_snapshot_has_nothing_to_resume(tmp_path: Path) -> None:
    write(tmp_path / "s", estate())
    with pytest.raises(InputError, match="is complete: every list was read"):
        resume(tmp_path / "s", run=run(), clock=Ticking())


def test_a_complete_snapshot_with_a_refused_list_can_be_completed(tmp_path: Path) -> None:
    """The grant came an hour later: the rest need not be read again."""
    write(tmp_path / "s", estate(), call(SECRET, result=CallResult.FORBIDDEN))
    resumed = resume(tmp_path / "s", run=run(), clock=Ticking())
    assert open_snapshot(tmp_path / "s").manifest.state is State.PARTIAL
    assert resumed.writer.done("prod") == {(ROLE, ""), (BINDING, "")}


def test_a_merged_snapshot_is_not_resumed(folder: Path) -> None:
    merge([folder], folder.parent / "merged")
    with pytest.raises(InputError, match="was merged"):
        resume(folder.parent / "merged", run=run(), clock=Ticking())


def test_a_snapshot_that_is_being_written_is_not_resumed(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    with pytest.raises(InputError, match="another process is writing"):
        resume(tmp_path / "s", run=run(), clock=Ticking())
    writer.finish()
