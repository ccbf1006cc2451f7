"""A collection: several sources at once into one snapshot, whatever becomes of one of them.

What a collector meets is made here by a small one of our own, since no real server fails on cue; the real ones are
tested end to end in `tests/e2e/test_collect.py`.
"""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from auditor.collectors.sink import Sink
from auditor.model.collection import CallResult
from auditor.model.errors import InputError, NothingCollectedError
from auditor.model.settings import ExportSource, KubernetesSource, SourceSettings
from auditor.pipeline import collect as pipeline
from auditor.snapshot.files import UnwritableError
from auditor.snapshot.manifest import Operator, State
from auditor.snapshot.reading import Snapshot, open_snapshot
from auditor.snapshot.verifying import verify
from tests.snapshot.builders import BINDING, ROLE, SECRET, Ticking, call, literal, resource, source

Act = Callable[..., None]


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Act]:
    """Return what the collector of ours does for a source, by its name; where nothing is said it reads two lists."""
    found: dict[str, Act] = {}
    module = ModuleType("collector_of_the_tests")

    def collect(settings: Any, *, name: str, tags: tuple[str, ...], sink: Sink, **needs: Any) -> None:
        found.get(name, whole)(settings, name=name, tags=tags, sink=sink, **needs)

    module.collect = collect  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(
        pipeline,
        "COLLECTORS",
        {KubernetesSource: ("kubernetes", module.__name__), ExportSource: ("kubernetes", module.__name__)},
    )
    return found


def whole(_: Any, *, name: str, sink: Sink, **needs: Any) -> None:
    for type_ in (ROLE, BINDING):
        if (type_, "") not in sink.done(name):
            sink.add(resource(type_, "x", source=name))
            sink.call(call(type_, source=name, items=1))
    needs["progress"](f"{name}: 2 lists")
    sink.source(source(name, tags=needs["tags"]))


def request(folder: Path, *names: str, **changes: Any) -> pipeline.Request:
    return pipeline.Request(
        **{
            "folder": folder / "s",
            "sources": tuple(SourceSettings(name=name, tags=("cde",), settings=KubernetesSource()) for name in names),
            "connections": 8,
            "operator": Operator(user="ada", host="desk"),
            "arguments": ("collect", "-o", "s"),
            "configuration_digest": "3" * 64,
            "tool_digest": "4" * 64,
        }
        | changes
    )


def collect(asked: pipeline.Request, progress: Callable[[str], None] = lambda _: None) -> Snapshot:
    environ: Mapping[str, str] = {}
    return pipeline.collect(
        asked, pipeline.Surroundings(clock=Ticking(), environ=environ, jitter=lambda: 0.5, progress=progress)
    )


@pytest.mark.usefixtures("acts")
def test_every_source_is_read_and_the_run_is_on_record(tmp_path: Path) -> None:
    snapshot = collect(request(tmp_path, "prod", "test"))
    assert snapshot.manifest.state is State.COMPLETE
    assert [entry.id for entry in snapshot.resources()] == [
        f"{ROLE}:shop/x@prod",
        f"{BINDING}:shop/x@prod",
        f"{ROLE}:shop/x@test",
        f"{BINDING}:shop/x@test",
    ]
    (run,) = snapshot.manifest.runs
    assert (run.sources, run.operator.user, run.arguments) == (("prod", "test"), "ada", ("collect", "-o", "s"))
    assert (run.configuration_digest, run.tool_digest) == ("3" * 64, "4" * 64)
    assert run.fingerprint_key_id.startswith("random:")
    assert {entry.fingerprint_key_id for entry in snapshot.sources} == {run.fingerprint_key_id}
    assert verify(tmp_path / "s").mistakes == ()


@pytest.mark.usefixtures("acts")
def test_the_snapshot_before_and_how_long_to_keep_this_one_are_on_record(tmp_path: Path) -> None:
    first = collect(request(tmp_path, "prod", retention="12 months"))
    (tmp_path / "later").mkdir()
    second = collect(request(tmp_path / "later", "prod", previous=tmp_path / "s"))
    assert first.manifest.runs[0].retention == "12 months"
    assert (first.manifest.runs[0].previous, second.manifest.runs[0].previous) == ("", first.digest)


@pytest.mark.usefixtures("acts")
def test_a_snapshot_before_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        collect(request(tmp_path, "prod", previous=tmp_path / "none"))
    assert not (tmp_path / "s").exists()


@pytest.mark.usefixtures("acts")
def test_a_key_of_the_users_is_named(tmp_path: Path) -> None:
    snapshot = collect(request(tmp_path, "prod", fingerprint_key=b"a key of the project, long enough"))
    assert not snapshot.sources[0].fingerprint_key_id.startswith("random:")


def test_sources_are_read_at_the_same_time(tmp_path: Path, acts: dict[str, Act]) -> None:
    meeting = threading.Barrier(3, timeout=20)

    def act(*args: Any, **needs: Any) -> None:
        meeting.wait()
        whole(*args, **needs)

    acts.update(dict.fromkeys("abc", act))
    assert len(collect(request(tmp_path, *"abc")).sources) == 3


def test_one_bound_holds_for_all_sources(tmp_path: Path, acts: dict[str, Act]) -> None:
    now = most = 0
    lock = threading.Lock()

    def act(*args: Any, connections: threading.Semaphore, **needs: Any) -> None:
        nonlocal now, most

        def one() -> None:
            nonlocal now, most
            with connections:
                with lock:
                    now += 1
                    most = max(most, now)
                time.sleep(0.005)
                with lock:
                    now -= 1

        threads = [threading.Thread(target=one) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        whole(*args, **needs)

    names = [f"source-{number}" for number in range(5)]
    acts.update(dict.fromkeys(names, act))
    assert len(collect(request(tmp_path, *names, connections=3)).sources) == 5
    assert most == 3


def test_a_source_that_cannot_be_reached_is_recorded_and_the_others_go_on(tmp_path: Path, acts: dict[str, Act]) -> None:
    def act(*_: Any, **__: Any) -> None:
        raise InputError("there is no kubeconfig at x", hint="Name another.")

    acts["gone"] = act
    snapshot = collect(request(tmp_path, "gone", "prod"))
    assert snapshot.manifest.state is State.COMPLETE
    gone, prod = snapshot.sources
    assert gone.failure == "there is no kubeconfig at x. Name another."
    assert (gone.tags, gone.plane, gone.kind) == (("cde",), "kubernetes", "live")
    assert prod.failure == ""
    assert {entry.source for entry in snapshot.calls} == {"prod"}


def test_nothing_at_all_is_an_error_and_the_ledger_stays(tmp_path: Path, acts: dict[str, Act]) -> None:
    def act(*_: Any, name: str, sink: Sink, **__: Any) -> None:
        sink.call(call(ROLE, source=name, result=CallResult.FORBIDDEN))
        sink.source(source(name))

    acts["prod"] = act
    with pytest.raises(NothingCollectedError) as raised:
        collect(request(tmp_path, "prod"))
    first, *reasons = str(raised.value).split("\n")
    assert first == "nothing was collected from prod"
    assert reasons == ["  prod: 1 list forbidden: It was forbidden."]
    assert "auditor snapshot show" in raised.value.hint
    assert f"auditor collect -o {tmp_path / 's'} --resume" in raised.value.hint
    assert open_snapshot(tmp_path / "s").calls[0].result is CallResult.FORBIDDEN
    acts.clear()
    assert len(collect(request(tmp_path, "prod", resume=True)).calls) == 2, "as the hint says"


@pytest.mark.parametrize("made", [True, False])
def test_where_no_source_answered_it_is_said_why_and_the_next_try_has_its_place(
    tmp_path: Path, acts: dict[str, Act], *, made: bool
) -> None:
    def act(*_: Any, name: str, **__: Any) -> None:
        raise InputError(f"there is no kubeconfig at {name}", hint="Name another.")

    acts["a"] = acts["b"] = act
    if made:
        (tmp_path / "s").mkdir()
    with pytest.raises(NothingCollectedError) as raised:
        collect(request(tmp_path, "a", "b"))
    assert str(raised.value).split("\n") == [
        "nothing was collected from a, b",
        "  a: there is no kubeconfig at a. Name another.",
        "  b: there is no kubeconfig at b. Name another.",
    ]
    assert "auditor doctor" in raised.value.hint
    assert not (tmp_path / "s").exists()
    acts.clear()
    assert collect(request(tmp_path, "a", "b")).manifest.state is State.COMPLETE


def test_a_snapshot_that_is_gone_on_with_is_never_taken_away(tmp_path: Path, acts: dict[str, Act]) -> None:
    def refused(*_: Any, name: str, sink: Sink, **__: Any) -> None:
        sink.call(call(ROLE, source=name, result=CallResult.FORBIDDEN))
        sink.source(source(name))

    def gone(*_: Any, **__: Any) -> None:
        raise InputError("it does not answer", hint="Wait.")

    acts["prod"] = refused
    with pytest.raises(NothingCollectedError):
        collect(request(tmp_path, "prod"))
    acts["prod"] = gone
    with pytest.raises(NothingCollectedError, match="prod: it does not answer"):
        collect(request(tmp_path, "prod", resume=True))
    assert (tmp_path / "s").exists()


@pytest.mark.usefixtures("acts")
def test_without_a_source_there_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no source to collect from") as raised:
        collect(request(tmp_path))
    assert "auditor init" in raised.value.hint
    assert not (tmp_path / "s").exists()


def test_a_bug_in_one_collector_is_raised_and_what_was_read_is_kept(tmp_path: Path, acts: dict[str, Act]) -> None:
    ended = threading.Event()

    def broken(*_: Any, **__: Any) -> None:
        ended.wait(20)
        raise RuntimeError("a bug")

    def act(*args: Any, **needs: Any) -> None:
        whole(*args, **needs)
        ended.set()

    acts |= {"broken": broken, "prod": act}
    with pytest.raises(RuntimeError, match="a bug"):
        collect(request(tmp_path, "broken", "prod"))
    snapshot = open_snapshot(tmp_path / "s")
    assert snapshot.manifest.state is State.PARTIAL
    assert sum(1 for _ in snapshot.resources()) == 2


def test_a_disk_that_gives_up_ends_all(tmp_path: Path, acts: dict[str, Act]) -> None:
    def act(*_: Any, sink: Sink, name: str, **__: Any) -> None:
        sink.add(resource(ROLE, "x", source=name))
        (tmp_path / "s").rename(tmp_path / "t")
        sink.call(call(ROLE, source=name))

    acts["prod"] = act
    with pytest.raises(UnwritableError, match="cannot be written"):
        collect(request(tmp_path, "prod"))


def slow(seen: threading.Event) -> Act:
    """Return a collector that reads until it is asked to stop."""

    def act(*_: Any, name: str, sink: Sink, **needs: Any) -> None:
        sink.add(resource(ROLE, "first", source=name))
        sink.call(call(ROLE, source=name))
        sink.add(resource(BINDING, "begun", source=name))
        seen.set()
        while not sink.stopping():
            time.sleep(0.005)
        sink.call(call(BINDING, source=name, result=CallResult.INTERRUPTED))
        sink.source(source(name, tags=needs["tags"]))

    return act


def interrupting(seen: threading.Event, *, times: int = 1) -> Callable[[str], None]:
    """Press Ctrl-C: the signal arrives in the waiting thread, wherever it is."""
    pressed = 0

    def progress(_: str) -> None:
        nonlocal pressed
        if seen.is_set() and pressed < times:
            pressed += 1
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_run_is_partial_and_can_be_gone_on_with(tmp_path: Path, acts: dict[str, Act]) -> None:
    seen = threading.Event()
    acts["prod"] = slow(seen)
    snapshot = collect(request(tmp_path, "prod", "never", connections=1), interrupting(seen))
    assert snapshot.manifest.state is State.PARTIAL
    assert [(entry.type, entry.result) for entry in snapshot.calls] == [
        (ROLE, CallResult.READ),
        (BINDING, CallResult.INTERRUPTED),
    ]
    assert [entry.name for entry in snapshot.sources] == ["prod"]
    del acts["prod"]
    resumed = collect(request(tmp_path, "prod", "never", resume=True))
    assert resumed.manifest.state is State.COMPLETE
    assert [entry.name for entry in resumed.resources("prod")] == ["first", "x"]
    assert [entry.name for entry in resumed.resources("never")] == ["x", "x"]
    assert len(resumed.manifest.runs) == 2
    assert verify(tmp_path / "s").mistakes == ()


def test_what_a_source_meets_after_ctrl_c_is_no_failure_of_its_own(tmp_path: Path, acts: dict[str, Act]) -> None:
    seen = threading.Event()

    def act(*_: Any, sink: Sink, **__: Any) -> None:
        seen.set()
        while not sink.stopping():
            time.sleep(0.01)
        raise InputError("it does not answer", hint="Wait.")

    acts["prod"] = act
    snapshot = collect(request(tmp_path, "prod"), interrupting(seen))
    assert (snapshot.manifest.state, snapshot.sources, snapshot.calls) == (State.PARTIAL, (), ())


def test_whoever_asks_twice_leaves_at_once_with_whole_lists(tmp_path: Path, acts: dict[str, Act]) -> None:
    seen = threading.Event()
    stubborn = threading.Event()

    def act(*args: Any, **needs: Any) -> None:
        slow(seen)(*args, **needs)
        stubborn.wait(20)

    acts["prod"] = act
    with pytest.raises(KeyboardInterrupt):
        collect(request(tmp_path, "prod"), interrupting(seen, times=2))
    stubborn.set()
    snapshot = open_snapshot(tmp_path / "s")
    assert snapshot.manifest.state is State.PARTIAL
    assert (ROLE, CallResult.READ) in [(entry.type, entry.result) for entry in snapshot.calls]


def test_a_resumed_run_asks_no_source_again_that_came_to_its_end(tmp_path: Path, acts: dict[str, Act]) -> None:
    asked: list[str] = []

    def act(*args: Any, name: str, **needs: Any) -> None:
        asked.append(name)
        whole(*args, name=name, **needs)

    def refused(*_: Any, name: str, sink: Sink, **__: Any) -> None:
        sink.call(call(SECRET, source=name, result=CallResult.SERVER_ERROR))
        sink.source(source(name))

    acts |= {"prod": act, "test": refused}
    collect(request(tmp_path, "prod", "test"))
    acts["test"] = act
    snapshot = collect(request(tmp_path, "prod", "test", resume=True))
    assert asked == ["prod", "test"]
    assert snapshot.manifest.state is State.COMPLETE
    assert all(entry.complete for entry in snapshot.calls)


def test_a_resumed_run_under_another_random_key_reads_values_again(tmp_path: Path, acts: dict[str, Act]) -> None:
    def act(*_: Any, name: str, sink: Sink, fingerprint: Callable[[str], str], **__: Any) -> None:
        if ("kubernetes/ConfigMap", "") not in sink.done(name):
            plain = resource("kubernetes/ConfigMap", "c", source=name)
            sink.add(
                type(plain)(
                    type=plain.type,
                    name=plain.name,
                    body=plain.body,
                    origin=plain.origin,
                    literals=(literal(fingerprint("value")),),
                )
            )
            sink.call(call("kubernetes/ConfigMap", source=name))
        sink.call(call(ROLE, source=name, result=CallResult.CUT))
        sink.source(source(name))

    acts["prod"] = act
    first = next(iter(collect(request(tmp_path, "prod")).resources())).literals[0].fingerprint
    snapshot = collect(request(tmp_path, "prod", resume=True))
    second = next(iter(snapshot.resources())).literals[0].fingerprint
    assert first != second
    assert snapshot.sources[0].fingerprint_key_id == snapshot.manifest.runs[1].fingerprint_key_id


@pytest.mark.usefixtures("acts")
def test_progress_is_told_in_the_thread_that_asked(tmp_path: Path, acts: dict[str, Act]) -> None:
    told: list[tuple[str, bool]] = []
    going = threading.Event()

    def act(*args: Any, **needs: Any) -> None:
        needs["progress"](f"{needs['name']}: 7 of 40 lists")
        going.wait(20)
        whole(*args, **needs)

    def progress(text: str) -> None:
        told.append((text, threading.current_thread() is threading.main_thread()))
        if "7 of 40" in text:
            going.set()

    acts |= {"a": act, "b": act}
    collect(request(tmp_path, "a", "b"), progress)
    assert all(main for _, main in told)
    assert "a: 7 of 40 lists | b: 7 of 40 lists" in [text for text, _ in told]


def test_every_kind_of_settings_has_a_collector() -> None:
    assert set(pipeline.COLLECTORS) == set(SourceSettings.__annotations__["settings"].__args__)
