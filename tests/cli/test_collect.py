"""`auditor collect`: the exit codes and words for what no server can be made to do, a bug in a collector among it."""

import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from auditor.model.collection import CallResult
from auditor.model.settings import ExportSource, KubernetesSource
from auditor.pipeline import collect as pipeline
from auditor.snapshot.manifest import State
from auditor.snapshot.reading import open_snapshot
from tests.cli.running import run
from tests.snapshot.builders import ROLE, SECRET, call, resource, source, write

Capture = pytest.CaptureFixture[str]
CANARY = "canary-of-a-crash-1"


@pytest.fixture
def collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return a module in place of every collector; a test gives it `collect`."""
    module = ModuleType("collector_of_the_command_tests")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    table = dict.fromkeys((KubernetesSource, ExportSource), ("kubernetes", module.__name__))
    monkeypatch.setattr(pipeline, "COLLECTORS", table)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "auditor.yaml").write_text(json.dumps({"sources": [{"name": "prod", "kubernetes": {}}]}))
    return module


def test_a_crash_tells_no_value_and_keeps_what_was_read(collector: ModuleType, tmp_path: Path, capfd: Capture) -> None:
    def collect(*_: Any, name: str, sink: Any, **__: Any) -> None:
        secret = CANARY
        sink.add(resource(ROLE, "x", source=name))
        sink.call(call(ROLE, source=name))
        raise RuntimeError(f"cannot handle {secret}")

    collector.collect = collect  # type: ignore[attr-defined]
    assert run(["collect", "-o", "s", "--debug"]) == 4
    told = capfd.readouterr()
    assert "internal error: RuntimeError" in told.err
    assert CANARY not in told.err + told.out
    snapshot = open_snapshot(tmp_path / "s")
    assert snapshot.manifest.state is State.PARTIAL
    assert [entry.name for entry in snapshot.resources()] == ["x"]
    assert not any(CANARY.encode() in path.read_bytes() for path in (tmp_path / "s").rglob("*.*"))


@pytest.mark.parametrize(
    ("result", "arguments", "code"),
    [
        (CallResult.READ, [], 0),
        (CallResult.NOT_SERVED, [], 0),
        (CallResult.NOT_ASKED, [], 0),
        (CallResult.INTERRUPTED, [], 130),
        *(
            (result, [], 3)
            for result in CallResult
            if result.value not in {"read", "not-served", "not-asked", "interrupted"}
        ),
        (CallResult.FORBIDDEN, ["--allow-incomplete"], 0),
    ],
)
def test_the_exit_code_follows_from_how_the_lists_ended(
    collector: ModuleType, capsys: Capture, result: CallResult, arguments: list[str], code: int
) -> None:
    def collect(*_: Any, name: str, sink: Any, **__: Any) -> None:
        sink.add(resource(ROLE, "x", source=name))
        sink.call(call(ROLE, source=name))
        sink.call(call(SECRET, source=name, result=result))
        sink.source(source(name))

    collector.collect = collect  # type: ignore[attr-defined]
    assert run(["collect", "-o", "s", *arguments]) == code
    assert ("incomplete: 1 list could not be read to the end" in capsys.readouterr().err) == (
        code == 3 or bool(arguments)
    )


def test_exports_get_names_of_their_own(collector: ModuleType, tmp_path: Path) -> None:
    def collect(*_: Any, name: str, sink: Any, **__: Any) -> None:
        sink.add(resource(ROLE, "x", source=name))
        sink.call(call(ROLE, source=name))
        sink.source(source(name, kind="export"))

    collector.collect = collect  # type: ignore[attr-defined]
    folders = ["a/Prod Dump", "b/prod-dump", "2026", "..."]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    arguments = [word for folder in folders for word in ("--from", folder)]
    assert run(["collect", "-o", "s", *arguments]) == 0
    names = [entry.name for entry in open_snapshot(tmp_path / "s").sources]
    assert names == ["export", "export-2026", "prod-dump", "prod-dump-2"]


@pytest.mark.usefixtures("collector")
def test_the_process_that_is_interrupted_twice_leaves_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """What a person does to a run that does not end: the code is the one that shells give."""

    class LeftError(Exception):
        pass

    def leave(code: int) -> None:
        raise LeftError(code)

    def collect(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "collect", collect)
    monkeypatch.setattr(os, "_exit", leave)
    assert run(["collect", "-o", "s"]) == 130
    assert "partial" not in capsys.readouterr().err
    write(tmp_path / "s", {})
    assert run(["collect", "-o", "s"]) == 4  # `LeftError`, which nothing but this test raises
    assert "left at once: s is partial" in capsys.readouterr().err
