"""Several snapshots as one: nothing decoded, nothing changed, and two systems never under one name."""

import os
import stat
from pathlib import Path

import pytest

from auditor.model.collection import CallResult
from auditor.model.errors import InputError
from auditor.snapshot import writing
from auditor.snapshot.manifest import State
from auditor.snapshot.merging import merge
from auditor.snapshot.reading import open_snapshot
from auditor.snapshot.verifying import verify
from tests.snapshot.builders import BINDING, ROLE, SECRET, Ticking, call, fill, resource, run


def snapshot(folder: Path, name: str) -> Path:
    writer = writing.create(folder / name, run=run(sources=(name,)), clock=Ticking())
    lists = {type_: [resource(type_, f"{name}-x", source=name)] for type_ in (ROLE, BINDING)}
    fill(writer, lists, call(SECRET, source=name, result=CallResult.FORBIDDEN), name=name)
    writer.finish()
    return folder / name


def test_a_merged_snapshot_holds_all_and_says_where_it_came_from(tmp_path: Path) -> None:
    parts = [snapshot(tmp_path, "test"), snapshot(tmp_path, "prod")]
    manifest = merge(parts, tmp_path / "all")
    assert manifest.state is State.COMPLETE
    assert verify(tmp_path / "all").mistakes == ()
    whole = open_snapshot(tmp_path / "all")
    opened = [open_snapshot(part) for part in parts]
    assert [source.name for source in whole.sources] == ["prod", "test"]
    assert list(whole.resources()) == [r for part in reversed(opened) for r in part.resources()]
    assert list(whole.calls) == [c for part in reversed(opened) for c in part.calls]
    assert [entry.merged_from for entry in whole.manifest.runs] == [part.digest for part in opened]
    assert stat.S_IMODE((tmp_path / "all").stat().st_mode) == 0o700
    for path in (tmp_path / "all").rglob("*.*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_two_sources_of_one_name_are_refused_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    parts = [snapshot(tmp_path, "prod"), snapshot(tmp_path / "a", "prod")]
    with pytest.raises(InputError, match="both have a source prod") as raised:
        merge(parts, tmp_path / "all")
    assert "rename one in auditor.yaml" in raised.value.hint
    assert not (tmp_path / "all").exists()


def test_a_changed_part_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    part = snapshot(tmp_path, "prod")
    path = part / "resources/prod/kubernetes_Role.jsonl.gz"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InputError, match=r"kubernetes_Role\.jsonl\.gz was changed"):
        merge([part], tmp_path / "all")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["prod"]


def test_a_missing_file_of_a_part_is_told(tmp_path: Path) -> None:
    part = snapshot(tmp_path, "prod")
    (part / "resources/prod/kubernetes_Role.jsonl.gz").unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        merge([part], tmp_path / "all")


def test_a_partial_part_makes_the_whole_partial(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "test", run=run(sources=("test",)), clock=Ticking())
    writer.call(call(ROLE, source="test"))
    writer.stop()
    writer.finish()
    manifest = merge([snapshot(tmp_path, "prod"), tmp_path / "test"], tmp_path / "all")
    assert manifest.state is State.PARTIAL
    assert verify(tmp_path / "all").mistakes == ()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    part = snapshot(tmp_path, "prod")
    os.mkdir(tmp_path / "all")  # noqa: PTH102 - as a user's shell does
    with pytest.raises(InputError, match="all cannot be made: File exists"):
        merge([part], tmp_path / "all")
