"""`auditor audit`: exit codes, reports, and how each wrong input is told."""

import json
from pathlib import Path

import pytest

from auditor.model.collection import CallResult
from auditor.model.resource import Resource
from auditor.snapshot import writing
from tests.cli.running import run
from tests.pipeline.systems import ASKED
from tests.snapshot import builders
from tests.snapshot.builders import call, resource, write

Capture = pytest.CaptureFixture[str]
NAMESPACE, SECRET = "kubernetes/Namespace", "kubernetes/Secret"
BARE = {NAMESPACE: [resource(NAMESPACE, "shop", namespace="")]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def snapshot(
    name: str, *members: Resource, but: dict[str, CallResult] | None = None, asked: frozenset[str] = ASKED
) -> None:
    """Write a snapshot of which everything was read, but what `but` says."""
    lists = {member.type: [one for one in members if one.type == member.type] for member in members} or BARE
    holes = but or {}
    others = [
        call(type_, result=holes.get(type_, CallResult.READ), reason="Grant it." if type_ in holes else "")
        for type_ in sorted(asked - lists.keys())
    ]
    write(Path(name), lists, *others)


def test_a_whole_snapshot_in_which_nothing_fails_ends_with_0(capsys: Capture) -> None:
    snapshot("s")
    assert run(["audit", "s", "--select", "K-SEC-01"]) == 0
    told = capsys.readouterr()
    assert f"{len(ASKED)} of {len(ASKED)} lists of 1 system read" in told.out
    assert told.err == ""


def test_a_list_that_was_refused_ends_with_3_and_is_told(capsys: Capture) -> None:
    snapshot("s", but={SECRET: CallResult.FORBIDDEN})
    assert run(["audit", "s", "--select", "K-TOK-02"]) == 3
    told = capsys.readouterr()
    assert "forbidden. Grant it." in told.out
    assert "prod: the list of Secret was not read (forbidden)" in told.out
    assert "incomplete: 1 thing in scope could not be read" in told.err
    assert run(["audit", "s", "--select", "K-TOK-02", "--allow-incomplete"]) == 0


def test_what_fails_ends_with_1_also_where_something_is_missing() -> None:
    token = resource(SECRET, "t", type="kubernetes.io/service-account-token", keys=["token"])
    snapshot("s", token, but={"kubernetes/Pod": CallResult.CUT})
    assert run(["audit", "s", "--select", "K-TOK-02"]) == 1
    assert run(["audit", "s", "--select", "K-TOK-02", "--fail-on", "critical"]) == 3


def test_several_snapshots_are_judged_together(capsys: Capture) -> None:
    snapshot("a")
    writer = writing.create(Path("b"), run=builders.run(sources=("dev",)), clock=builders.Ticking())
    builders.fill(writer, {NAMESPACE: [resource(NAMESPACE, "lab", namespace="", source="dev")]}, name="dev")
    writer.finish()
    run(["audit", "a", "b", "--select", "K-SEC-01", "-o", "json"])
    stored = json.loads(capsys.readouterr().out)
    assert [source["name"] for source in stored["sources"]] == ["dev", "prod"]
    assert stored["run"]["arguments"] == ["a", "b"]


def test_every_report_can_be_written_and_the_stored_one_rendered_again(capsys: Capture) -> None:
    snapshot("s", but={SECRET: CallResult.FORBIDDEN})
    assert (
        run(["audit", "s", "-q", "--report", "json=a.json", "--report", "html=a.html", "--report", "sarif=a.sarif"])
        == 3
    )
    first = capsys.readouterr().out
    assert run(["report", "a.json", "-q"]) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("arguments", "told", "hint"),
    [
        (["nowhere"], "nowhere does not exist", "auditor collect"),
        (["empty"], "empty is no snapshot: it has no manifest.json", "auditor collect"),
        (["s", "s"], "the source prod stands in s and in s", "one after the other"),
        (["s", "--report", "html"], "--report html names no file", "FORMAT=FILE"),
        (["s", "-o", "nope"], "nope is not a report format", "console"),
        (["s", "--waivers", "w.yaml"], "the waivers file w.yaml does not exist", "--waivers"),
        (["s", "--config", "c.yaml"], "c.yaml", ""),
        (["s", "--select", "K-NOPE-*"], "K-NOPE-*", ""),
    ],
)
def test_wrong_input_is_told_with_the_next_step(arguments: list[str], told: str, hint: str, capsys: Capture) -> None:
    snapshot("s")
    Path("empty").mkdir()
    assert run(["audit", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert hint in error
    assert "Traceback" not in error


def test_a_file_that_was_changed_is_refused(capsys: Capture) -> None:
    snapshot("s")
    (file,) = Path("s/resources/prod").glob("*Namespace*")
    file.write_bytes(file.read_bytes()[:-4])
    assert run(["audit", "s"]) == 2
    assert "was changed" in capsys.readouterr().err


def test_a_snapshot_without_anything_is_an_error(capsys: Capture) -> None:
    write(Path("s"), {})
    assert run(["audit", "s"]) == 2
    assert "auditor snapshot show" in capsys.readouterr().err


def test_help_shows_examples_and_exit_codes(capsys: Capture) -> None:
    assert run(["audit", "--help"]) == 0
    text = capsys.readouterr().out
    for word in ("Examples:", "auditor audit estate.snapshot", "Exit codes: 0", "--allow-incomplete", "--select"):
        assert word in text
