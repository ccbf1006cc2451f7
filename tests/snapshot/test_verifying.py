"""`verify`: nothing changed, nothing missing, nothing added, and every list accounted for."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.model.collection import CallResult
from auditor.model.errors import InputError
from auditor.snapshot import writing
from auditor.snapshot.manifest import digest
from auditor.snapshot.verifying import Mistake, verify
from tests.snapshot.builders import BINDING, ROLE, SECRET, Ticking, call, estate, resource, run, source, write

ROLES = "resources/prod/kubernetes_Role.jsonl.gz"
BINDINGS = "resources/prod/kubernetes_RoleBinding.jsonl.gz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "s", estate(), call(SECRET, result=CallResult.FORBIDDEN, status=403))
    return tmp_path / "s"


def told(folder: Path) -> list[str]:
    return [str(mistake) for mistake in verify(folder).mistakes]


def test_a_snapshot_as_it_was_written_has_no_mistake(folder: Path) -> None:
    found = verify(folder)
    assert found.mistakes == ()
    assert (found.files, found.records) == (4, 6)
    assert found.bytes == sum(path.stat().st_size for path in folder.rglob("*.gz"))
    assert found.digest == digest((folder / "manifest.json").read_bytes())


def test_a_partial_snapshot_is_held_against_its_ledger_and_may_have_unfinished_files(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=run(), clock=Ticking())
    writer.add(resource(ROLE, "r"))
    writer.call(call(ROLE))
    writer.add(resource(BINDING, "b"))
    assert told(tmp_path / "s") == []
    path = tmp_path / "s" / ROLES
    path.write_bytes(path.read_bytes()[:-3])
    assert told(tmp_path / "s") == [f"{ROLES}: was changed: it is not the file that the ledger knows"]


def rewritten(change: Callable[[str], str]) -> Callable[[Path], None]:
    """Change the ledger, and the manifest so that it knows the changed one: a forger's first step."""

    def apply(folder: Path) -> None:
        ledger = folder / "calls.jsonl"
        ledger.write_text(change(ledger.read_text()))
        manifest = json.loads((folder / "manifest.json").read_text())
        for record in manifest["files"]:
            if record["path"] == "calls.jsonl":
                record["sha256"] = digest(ledger.read_bytes())
                record["records"] = ledger.read_text().count("\n")
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return apply


def manifest(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        content = json.loads((folder / "manifest.json").read_text())
        change(content)
        (folder / "manifest.json").write_text(json.dumps(content))

    return apply


def _another_list(folder: Path) -> None:
    path = folder / ROLES
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"kubernetes/Role", b"kubernetes/Roll")))


def _link(folder: Path) -> None:
    (folder / ROLES).rename(folder.parent / "elsewhere")
    (folder / ROLES).symlink_to(folder.parent / "elsewhere")


NOT_KNOWN = "was changed: it is not the file that the ledger knows"
FORGERIES: dict[str, tuple[Callable[[Path], Any], list[str]]] = {
    "a file is missing": (
        lambda folder: (folder / ROLES).unlink(),
        [f"{ROLES}: cannot be read: No such file or directory"],
    ),
    "a file is cut": (lambda folder: (folder / ROLES).write_bytes(b""), [f"{ROLES}: {NOT_KNOWN}"]),
    "a file holds other objects": (
        _another_list,
        [
            f"{ROLES}: {NOT_KNOWN}",
            *(f"{ROLES}: line {number} belongs to another list" for number in (1, 2, 3)),
        ],
    ),
    "a file is a link": (
        _link,
        [
            f"{ROLES}: cannot be read: Too many levels of symbolic links",
            f"{ROLES}: is a link: a snapshot holds its files itself",
        ],
    ),
    "a file is added": (
        lambda folder: (folder / "resources/prod/more.jsonl.gz").write_bytes(b"x"),
        ["resources/prod/more.jsonl.gz: nothing accounts for this file"],
    ),
    "an unfinished file lies in a complete snapshot": (
        lambda folder: (folder / "resources/prod/x.part").write_bytes(b"x"),
        ["resources/prod/x.part: nothing accounts for this file"],
    ),
    "a list is taken out of the ledger": (
        rewritten(lambda text: "\n".join(line for line in text.splitlines() if "RoleBinding" not in line) + "\n"),
        [
            f"manifest.json: lists {BINDINGS}, which no list of the ledger accounts for",
            f"{BINDINGS}: nothing accounts for this file",
        ],
    ),
    "a refusal becomes a list": (
        rewritten(lambda text: text.replace('"kept":0', '"kept":5')),
        ["calls.jsonl: kubernetes/Secret of prod kept 5 objects and names no file"],
    ),
    "a count is another": (
        rewritten(lambda text: text.replace('"kept":3', '"kept":2', 1)),
        ["calls.jsonl: kubernetes/Role of prod kept 2 objects, and its file should hold 3"],
    ),
    "two lists name one file": (
        rewritten(lambda text: text.replace("kubernetes_RoleBinding.jsonl", "kubernetes_Role.jsonl")),
        [
            f"calls.jsonl: kubernetes/RoleBinding of prod names the file of another list, {ROLES}",
            f"manifest.json: knows {ROLES} otherwise than the ledger does",
            f"manifest.json: lists {BINDINGS}, which no list of the ledger accounts for",
            f"{BINDINGS}: nothing accounts for this file",
        ],
    ),
    "the ledger leads elsewhere": (
        rewritten(lambda text: text.replace(ROLES, "../../etc/passwd")),
        [
            "calls.jsonl: kubernetes/Role of prod names a file that no snapshot has",
            "manifest.json: does not list ../../etc/passwd, which the ledger names",
            f"manifest.json: lists {ROLES}, which no list of the ledger accounts for",
            f"{ROLES}: nothing accounts for this file",
        ],
    ),
    "the ledger is not what the manifest knows": (
        lambda folder: (folder / "calls.jsonl").write_bytes((folder / "calls.jsonl").read_bytes() * 2),
        [
            f"calls.jsonl: kubernetes/Role of prod names the file of another list, {ROLES}",
            f"calls.jsonl: kubernetes/RoleBinding of prod names the file of another list, {BINDINGS}",
            "calls.jsonl: was changed: SHA-256 ",
            "calls.jsonl: was changed: lines 6, and the records say 3",
        ],
    ),
    "the ledger is no ledger": (
        lambda folder: (folder / "calls.jsonl").write_text("x\n"),
        ["calls.jsonl: calls.jsonl:1 is not JSON"],
    ),
    "a file has another size in the records": (
        rewritten(lambda text: text.replace('"bytes":', '"bytes":1', 1)),
        [f"manifest.json: knows {ROLES} otherwise than the ledger does", f"{ROLES}: was changed: bytes "],
    ),
    "a source has no record": (
        manifest(lambda raw: raw.update(sources=[])),
        ["manifest.json: says that it is complete, and has no record of prod"],
    ),
    "a source that nobody named": (
        manifest(lambda raw: raw["sources"].append(raw["sources"][0] | {"name": "other"})),
        ["manifest.json: other is recorded, and no run was to read it"],
    ),
    "a source twice": (
        manifest(lambda raw: raw["sources"].append(raw["sources"][0])),
        ["manifest.json: records a source twice"],
    ),
    "lists of a source that nobody named": (
        manifest(lambda raw: raw["runs"][0].update(sources=[])),
        [
            "calls.jsonl: lists were asked of prod, which no run was to read",
            "manifest.json: prod is recorded, and no run was to read it",
        ],
    ),
    "the manifest lists no ledger": (
        manifest(lambda raw: raw.update(files=[file for file in raw["files"] if file["path"] != "calls.jsonl"])),
        ["manifest.json: does not list calls.jsonl"],
    ),
    "the manifest lists a file twice": (
        manifest(lambda raw: raw["files"].append(raw["files"][0])),
        ["manifest.json: lists a file twice"],
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_was_done_to_it_is_named(folder: Path, forgery: str) -> None:
    apply, expected = FORGERIES[forgery]
    apply(folder)
    found = told(folder)
    ours = [line for line in found if any(line.startswith(start) for start in expected)]
    for start in expected:
        assert any(line.startswith(start) for line in found), (start, found)
    if forgery != "the ledger is no ledger":
        # One that cannot be read leaves every file unaccounted for.
        assert ours == found


def test_forged_records_all_the_way_up_are_seen_by_the_digest_of_the_manifest_alone(folder: Path) -> None:
    """Who can change everything can make everything agree: hence a digest that is kept elsewhere."""
    before = verify(folder).digest
    path = folder / ROLES
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    other = folder.parent / "t"
    writer = writing.create(other, run=run(), clock=Ticking())
    writer.add(resource(ROLE, "role-0"))
    writer.call(call(ROLE))
    writer.source(source())
    writer.finish()
    assert len(lines) == 3
    after = verify(other)
    assert after.mistakes == ()
    assert after.digest != before


def test_another_major_version_and_no_snapshot_are_errors(folder: Path) -> None:
    manifest(lambda raw: raw.update(version="2.0"))(folder)
    with pytest.raises(InputError, match="another snapshot format"):
        verify(folder)
    with pytest.raises(InputError, match="does not exist"):
        verify(folder.parent / "none")


def test_a_line_that_is_no_resource_is_named_with_its_number(folder: Path) -> None:
    path = folder / ROLES
    text = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(text[0] + b'{"password": "s3cr3t"}\n' + text[2], mtime=0))
    found = verify(folder).mistakes
    assert Mistake(ROLES, "line 2: the whole has no origin") in found
    assert "s3cr3t" not in str(found)
