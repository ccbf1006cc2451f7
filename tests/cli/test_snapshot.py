"""`auditor snapshot`: what a person sees of a snapshot, and how each wrong input is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.model.collection import CallResult, Identity
from auditor.snapshot import writing
from auditor.snapshot.reading import open_snapshot
from tests.cli.running import run
from tests.snapshot.builders import BINDING, ROLE, SECRET, Ticking, call, estate, fill, resource, source, write
from tests.snapshot.builders import run as a_run

Capture = pytest.CaptureFixture[str]
ROLES = "resources/prod/kubernetes_Role.jsonl.gz"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def everything(folder: Path) -> None:
    """Write an estate of which each kind ended in another way."""
    writer = writing.create(folder, run=a_run(sources=("prod", "old", "lost")), clock=Ticking())
    lists = {
        BINDING: [resource(BINDING, f"binding-{number}") for number in range(2_000)],
        ROLE: [resource(ROLE, f"role-{number}") for number in range(300)],
        "kubernetes/Namespace": [resource("kubernetes/Namespace", "shop", namespace="")],
        "kubernetes/Pod": [],
    }
    writer.call(call("kubernetes/ReplicaSet", kept=0, folded=12))
    for kind in ("A", "B", "C", "D", "E"):
        writer.call(call(f"kubernetes/{kind}", result=CallResult.FORBIDDEN, status=403, reason="Grant it."))
    writer.add(resource("kubernetes/ConfigMap", "c"))
    writer.call(call("kubernetes/ConfigMap", namespace="shop"))
    writer.call(call("kubernetes/ConfigMap", namespace="pay", result=CallResult.TIMED_OUT, reason="No answer in 30 s."))
    for number in range(12):
        writer.call(call(f"kubernetes/Kind{number:02}.example.com", result=CallResult.NOT_SERVED))
    fill(
        writer,
        lists,
        call(SECRET, result=CallResult.NOT_ASKED, reason="The mode `references` asks for none."),
        clock_offset_seconds=-95.0,
        identity=Identity(user="reader", groups=("a", "b"), impersonated_by="ada"),
        facts={"certificateVerified": False},
        scope={"namespaces": ["pay", "shop"], "secrets": "references"},
    )
    writer.source(source("old", kind="export", endpoint="dumps/old", failure="The folder is empty. Name another."))
    writer.finish()


PICTURE = """\
s  partial: the run did not come to its end, format 1.0
collected  2026-11-24 09:00:00 UTC, 5 s, by ada on desk with auditor 1.0
holds      2,302 objects of 4 kinds from 3 sources, SIZE
manifest   sha256 DIGEST

not reached
│
└─ lost · the run ended before this source did

kubernetes
│
├─ old · dumps/old · v1.36.3, eks · export · [cde]
│  failed   The folder is empty. Name another.
│  who      system:serviceaccount:audit:reader in system:authenticated
│  cluster  uid-of-old
│  clock    as ours
│  scope    secrets: metadata
│
└─ prod · https://10.0.0.1:6443 · v1.36.3, eks · [cde]
   who      reader in a, b, impersonated by ada
   cluster  uid-of-prod
   clock    1 min 35 s behind ours
   warning  the server's certificate was not verified: anybody could have answered
   scope    namespaces: pay, shop; secrets: references
   lists    ██████████░░░░░░░░░░ 6 of 12 read to their end

   ● RoleBinding  2,000  ████████████████████
   ● Role           300  ███
   ◐ ConfigMap      ≥ 1  ▏
       timed-out in pay: No answer in 30 s.
   ● Namespace        1  ▏
   ○ 5 kinds forbidden (403): A, B, C, D, E
       Grant it.
   · 2 kinds read, and there is no object: Pod, ReplicaSet
   · 1 kind not asked, as configured: Secret
   · 12 kinds not served here: Kind00.example.com, Kind01.example.com, Kind02.example.com,
     Kind03.example.com, Kind04.example.com, Kind05.example.com, Kind06.example.com,
     Kind07.example.com, and 4 more (--all)

● read to its end   ◐ in part   ○ not read   · not asked, not told, or no such kind
"""


def test_the_picture_shows_what_was_read_and_what_was_not(folder: Path, capsys: Capture) -> None:
    everything(folder / "s")
    assert run(["snapshot", "show", "s"]) == 0
    opened = open_snapshot(folder / "s")
    size = sum(entry.file.bytes for entry in opened.entries if entry.file)
    shown = capsys.readouterr().out.replace(opened.digest, "DIGEST").replace(f"{size / 1000:.1f} kB", "SIZE")
    assert shown == PICTURE


@pytest.mark.parametrize(
    ("results", "failure", "said"),
    [
        ([CallResult.READ, CallResult.NOT_SERVED], "", "complete"),
        ([CallResult.READ], "It does not answer. Wait.", "incomplete (nothing of 1 source)"),
        ([CallResult.READ, CallResult.FORBIDDEN, CallResult.CUT], "", "incomplete (2 lists not to the end)"),
        ([CallResult.READ, CallResult.NOT_ASKED], "", "complete as configured (1 list not asked)"),
        (
            [CallResult.FORBIDDEN, CallResult.NOT_ASKED],
            "It does not answer. Wait.",
            "incomplete (nothing of 1 source, 1 list not to the end, 1 list not asked)",
        ),
    ],
)
def test_complete_is_what_has_no_hole_and_not_what_ended(
    results: list[CallResult], failure: str, said: str, folder: Path, capsys: Capture
) -> None:
    calls = [call(f"kubernetes/Kind{number}", result=result) for number, result in enumerate(results)]
    writer = writing.create(folder / "s", run=a_run(sources=("prod", "gone")), clock=Ticking())
    fill(writer, {}, *calls)
    writer.source(source("gone", failure=failure))
    writer.finish()
    assert run(["snapshot", "show", "s"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"s  {said}, format 1.0"


def test_of_files_nobody_configured_what_they_do_not_tell(folder: Path, capsys: Capture) -> None:
    calls = [call(SECRET, result=CallResult.NOT_ASKED, reason="The export has no file of this kind.")]
    write(folder / "s", estate(), *calls, kind="export")
    run(["snapshot", "show", "s"])
    shown = capsys.readouterr().out
    assert shown.startswith("s  incomplete (1 list not told), ")
    assert "· 1 kind of which the files do not tell all: Secret" in shown
    assert "configured" not in shown


def test_the_picture_says_how_long_it_is_kept_and_what_it_follows(folder: Path, capsys: Capture) -> None:
    writer = writing.create(folder / "s", run=a_run(retention="12 months", previous="5" * 64), clock=Ticking())
    fill(writer, estate())
    writer.finish()
    run(["snapshot", "show", "s"])
    shown = capsys.readouterr().out
    assert "\nretention  12 months\n" in shown
    assert f"\nfollows    sha256 {'5' * 64}\n" in shown


def test_nothing_is_folded_when_all_is_wanted(folder: Path, capsys: Capture) -> None:
    everything(folder / "s")
    run(["snapshot", "show", "s", "--all"])
    shown = capsys.readouterr().out
    assert "Kind11.example.com" in shown
    assert "   ○ E" in shown
    assert "--all" not in shown


def test_colour_is_for_terminals_and_says_nothing_new(folder: Path) -> None:
    import re

    from auditor.cli import estate as drawing

    everything(folder / "s")
    opened = open_snapshot(folder / "s")
    plain, coloured = (list(drawing.lines(opened, width=100, colour=colour, show_all=True)) for colour in (False, True))
    assert plain != coloured
    assert plain == [re.sub(r"\x1b\[[\d;]*m", "", line) for line in coloured]


def test_what_others_wrote_cannot_steer_the_terminal(folder: Path, capsys: Capture) -> None:
    write(
        folder / "s",
        {},
        call("kubernetes/\x1b[31mRole", result=CallResult.CUT, reason="a\x1b]0;b\nc"),
        endpoint="\u202ex",
    )
    run(["snapshot", "show", "s"])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_json_holds_the_manifest_and_every_list(folder: Path, capsys: Capture) -> None:
    everything(folder / "s")
    assert run(["snapshot", "show", "s", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "partial"
    assert told["digest"] == open_snapshot(folder / "s").digest
    assert told["runs"][0]["operator"] == {"user": "ada", "host": "desk", "job": ""}
    assert {entry["call"]["type"]: entry["call"]["kept"] for entry in told["lists"]}[ROLE] == 300
    assert len(told["sources"]) == 2


def test_verify_says_that_it_is_as_it_was_written_and_what_that_is_worth(folder: Path, capsys: Capture) -> None:
    write(folder / "s", estate())
    assert run(["snapshot", "verify", "s"]) == 0
    digest = open_snapshot(folder / "s").digest
    assert capsys.readouterr().out == (
        "s: as it was written (the run came to its end); 4 files, 6 objects\n"
        f"manifest sha256 {digest}\n"
        "Whoever can change all of a snapshot can change its digests, too: hold this digest against one you kept.\n"
    )
    assert run(["snapshot", "verify", "s", "--sha256", f"sha256:{digest.upper()}"]) == 0
    assert "Whoever" not in capsys.readouterr().out


def test_verify_names_each_file_that_was_tampered_with(folder: Path, capsys: Capture) -> None:
    write(folder / "s", estate())
    (folder / "s" / ROLES).write_bytes(b"plain")
    (folder / "s" / "more").write_text("x")
    assert run(["snapshot", "verify", "s"]) == 1
    assert capsys.readouterr().out == (
        "more: nothing accounts for this file\n"
        f"{ROLES}: was changed: it is no compressed file any more\n"
        "s: 2 things wrong; 4 files, 3 objects were looked at\n"
    )
    assert run(["snapshot", "verify", "s", "--format", "json"]) == 1
    assert [mistake["path"] for mistake in json.loads(capsys.readouterr().out)["mistakes"]] == ["more", ROLES]


@pytest.mark.parametrize("how", ["emptied", "flipped", "gone"])
def test_the_picture_of_what_was_changed_says_so(how: str, folder: Path, capsys: Capture) -> None:
    write(folder / "s", estate())
    file = folder / "s" / ROLES
    content = file.read_bytes()
    match how:
        case "emptied":
            file.write_bytes(b"")
        case "flipped":
            file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        case _:
            file.unlink()
    assert run(["snapshot", "show", "s"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith(f"s was changed: 1 file is not as written ({ROLES}).\n")
    assert "auditor snapshot verify" in shown
    assert "Role" in shown
    assert run(["snapshot", "show", "s", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["changed"] == [ROLES]


def test_verify_against_a_digest_that_was_noted(folder: Path, capsys: Capture) -> None:
    write(folder / "s", estate())
    assert run(["snapshot", "verify", "s", "--sha256", "0" * 64]) == 1
    assert capsys.readouterr().out.startswith("manifest.json: is not the one whose digest you noted\n")


def test_merge_writes_one_and_draws_it(folder: Path, capsys: Capture) -> None:
    write(folder / "a", estate())
    writer = writing.create(folder / "b", run=a_run(sources=("test",)), clock=Ticking())
    fill(writer, {ROLE: [resource(ROLE, "r", source="test")]}, name="test")
    writer.finish()
    assert run(["snapshot", "merge", "a", "b", "-o", "all"]) == 0
    shown = capsys.readouterr().out
    assert "├─ prod" in shown
    assert "└─ test" in shown
    assert shown.count("merged from the snapshot") == 2
    assert run(["snapshot", "verify", "all"]) == 0


DIFFERENCE = """\
old  old, 2026-11-24 09:00 UTC, OLD
new  new, 2026-11-24 09:00 UTC, NEW

systems:
  prod version: v1.36.3 -> v1.37.0

not read to the end in both, so what it would hold is unknown:
  prod kubernetes/Secret: read -> forbidden
  prod kubernetes/X: not asked at all -> read

prod kubernetes/Role:
  added: 1
  + shop/new
  removed: 1
  - shop/role-2
  changed: 1
  ~ shop/role-1  /rules/0/verbs/0

prod kubernetes/Secret:
  perhaps removed: its list was not read in the new one: 25
  ? shop/s-00
  ? shop/s-01
    and 23 more (--all)

1 added, 1 removed, 1 changed, 25 unknown, 4 unchanged
"""


def two(folder: Path) -> None:
    secrets = [resource(SECRET, f"s-{number:02}") for number in range(25)]
    write(folder / "old", {**estate(), SECRET: secrets})
    lists = estate()
    lists[ROLE] = [
        lists[ROLE][0],
        resource(ROLE, "role-1", rules=[{"verbs": ["*"]}]),
        resource(ROLE, "new"),
    ]
    write(
        folder / "new",
        lists,
        call(SECRET, result=CallResult.FORBIDDEN),
        call("kubernetes/X"),
        version="v1.37.0",
    )


def test_a_difference_says_first_what_is_unknown(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from auditor.cli import snapshot

    monkeypatch.setattr(snapshot, "_FEW", 2)
    two(folder)
    assert run(["snapshot", "diff", "old", "new"]) == 0
    shown = capsys.readouterr().out
    for name in ("old", "new"):
        shown = shown.replace(open_snapshot(folder / name).digest[:12], name.upper())
    assert shown == DIFFERENCE
    run(["snapshot", "diff", "old", "new", "--all"])
    assert "s-24" in capsys.readouterr().out


def test_a_difference_as_json(folder: Path, capsys: Capture) -> None:
    two(folder)
    assert run(["snapshot", "diff", "old", "new", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["diff_version"] == "1.0"
    assert told["new"]["state"] == "complete"
    roles = next(entry for entry in told["objects"] if entry["type"] == ROLE)
    assert roles["removed"] == [["shop", "role-2"]]
    assert roles["changed"] == [{"name": ["shop", "role-1"], "places": ["/rules/0/verbs/0"]}]
    assert told["values_compared"] is True


def _version(change: Any) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / "s/manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))

    return apply


WRONG: dict[str, tuple[Callable[[Path], Any], list[str], list[str]]] = {
    "no snapshot": (lambda _: None, ["show", "none"], ["none does not exist", "hint: Write one with `auditor collect"]),
    "a folder that is none": (
        lambda folder: (folder / "x").mkdir(),
        ["show", "x"],
        ["x is no snapshot: it has no manifest.json"],
    ),
    "another format": (
        _version({"version": "2.0"}),
        ["show", "s"],
        ["s/manifest.json is of another snapshot format than 1.0", "hint: Read it with the version of auditor that"],
    ),
    "another format, verified": (_version({"version": "2.0"}), ["verify", "s"], ["another snapshot format than 1.0"]),
    "a digest that is none": (lambda _: None, ["verify", "s", "--sha256", "3f"], ["--sha256 is no SHA-256"]),
    "a manifest that is none": (
        lambda folder: (folder / "s/manifest.json").write_text("{"),
        ["verify", "s"],
        ["s/manifest.json is not JSON"],
    ),
    "a changed ledger": (
        lambda folder: (folder / "s/calls.jsonl").write_text(""),
        ["diff", "s", "s"],
        ["s/calls.jsonl is not the file that the manifest knows", "hint: `auditor snapshot verify` names everything"],
    ),
    "one to merge": (lambda _: None, ["merge", "s", "-o", "t"], ["one snapshot is nothing to merge"]),
    "one twice": (lambda _: None, ["merge", "s", "s", "-o", "t"], ["both have a source prod", "hint: A name stands"]),
    "nowhere to merge": (lambda _: None, ["merge", "s", "s"], ["Missing option"]),
    "a format that is none": (lambda _: None, ["show", "s", "--format", "xml"], ["'xml' is not one of"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_input_is_told_with_the_next_step(folder: Path, case: str, capsys: Capture) -> None:
    prepare, arguments, told = WRONG[case]
    write(folder / "s", estate())
    prepare(folder)
    assert run(["snapshot", *arguments]) == 2
    said = " ".join(capsys.readouterr().err.split())
    for words in told:
        assert words in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["show", "verify", "diff", "merge"])
def test_the_help_has_an_example(command: str, capsys: Capture) -> None:
    assert run(["snapshot", command, "--help"]) == 0
    assert f"auditor snapshot {command} " in capsys.readouterr().out
