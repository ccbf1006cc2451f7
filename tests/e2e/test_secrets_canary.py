"""Law 1 for what `auditor secrets` finds: a value of every rule, wherever it stands, and no value in what comes out."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from pypdf import PdfReader

from auditor.detection import rules
from auditor.detection.engine import Engine
from auditor.reports import REPORTS
from tests.collectors.git.repositories import commit, git, new
from tests.collectors.test_archives import tarred, zipped
from tests.collectors.test_images import saved
from tests.e2e.program import auditor

KEY = "a key for these tests only, and long enough"


def _texts() -> Iterator[tuple[str, str, str]]:
    """Yield rule, name of a file, and text of every example that a rule finds."""
    for rule in rules.load().rules.values():
        for number, example in enumerate(one for one in rule.examples if one.found):
            yield rule.id, f"{rule.id}-{number}/{example.file or 'a.txt'}", example.text + "\n"


EXAMPLES = tuple(_texts())
_READER = Engine(rules.load(), fingerprint=lambda value: value, every_line=True)
VALUES = {
    hit.fingerprint for _, path, text in EXAMPLES for hit in _READER.scan(text.encode(), path=path) if hit.length > 5
}
"""What may stand nowhere."""


def forms(value: str) -> set[bytes]:
    """Return a value as outputs could hold it."""
    raw = value.encode()
    written = {
        raw,
        base64.b64encode(raw),
        base64.b64encode(raw).rstrip(b"="),
        quote(value, safe="").encode(),
        json.dumps(value)[1:-1].encode(),
        value.replace("&", "&amp;").replace("<", "&lt;").encode(),
    }
    # Key material goes over many lines, of which each would be too much.
    return written | {line.encode() for line in value.splitlines() if len(line) > 30 and "-----" not in line}


FORMS = {form for value in VALUES for form in forms(value)}


def clean(name: str, content: bytes) -> None:
    found = [form for form in FORMS if form in content]
    assert not found, f"{name} holds {len(found)} values"


def files() -> dict[str, bytes]:
    return {path: text.encode() for _, path, text in EXAMPLES}


def write(folder: Path) -> None:
    for path, content in files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def run(folder: Path, out: Path, *arguments: str, stdin: bytes = b"") -> set[str]:
    """Search, with every report; hold all that comes out against the values, and return the rules that found some."""
    out.mkdir(exist_ok=True)
    reports = [f"--report={name}={out}/report.{name}" for name in REPORTS]
    done = auditor(
        "--debug", "secrets", "scan", *arguments, "--tier", "3", "--all", *reports, cwd=folder, stdin=stdin,
        env={"AUDITOR_FINGERPRINT_KEY": KEY, "XDG_CACHE_HOME": str(out / "cache")},
    )  # fmt: skip
    assert done.code == 1, done.err
    clean("standard output", done.out.encode())
    clean("standard error", done.err.encode())
    written = [file for file in out.rglob("*") if file.is_file()]
    assert len(written) >= len(REPORTS)
    for file in written:
        clean(str(file.relative_to(out)), file.read_bytes())
    # The texts of a PDF are packed and broken into lines.
    pages = PdfReader(out / "report.pdf").pages
    clean("the text of the PDF", "".join(page.extract_text() for page in pages).replace("\n", "").encode())
    whole = json.loads((out / "report.json").read_text())
    return {entry["rule"] for entry in whole["leaks"]["rules"]}


RULES = {rule for rule, _, _ in EXAMPLES}


def test_the_canaries_are_of_every_rule() -> None:
    assert {rule.id for rule in rules.load().rules.values()} == RULES
    assert len(VALUES) > len(RULES)


def test_a_value_would_be_seen_in_every_form() -> None:
    for value in sorted(VALUES)[:20]:
        for form in forms(value):
            with pytest.raises(AssertionError):
                clean("a report", b"before " + form + b" after")


@pytest.mark.parametrize("where", ["tree", "history", "staged", "stream", "log", "archive", "image"])
def test_no_output_of_any_format_holds_a_value(where: str, tmp_path: Path) -> None:
    place, out = tmp_path / "place", tmp_path / "out"
    place.mkdir()
    everything = b"".join(files().values())
    match where:
        case "tree":
            write(place)
            found = run(place, out)
            run(place, out)  # once more, with what was remembered
            assert len(found) > len(RULES) * 0.9
            return
        case "history":
            commit(new(place), dict(files()))
            commit(place, dict.fromkeys(files(), b""))
            found = run(place, out, "--git", ".", "--unreachable")
            run(place, out, "--git", ".")
            assert len(found) > len(RULES) * 0.9
            return
        case "staged":
            write(place)
            git(new(place), "add", "-A", "-f")
            arguments: tuple[str, ...] = ("--staged",)
        case "stream":
            arguments = ("--stdin",)
        case "log":
            (place / "a.log").write_bytes(everything)
            arguments = ("--log", "a.log")
        case "archive":
            (place / "a.zip").write_bytes(zipped(files()))
            (place / "b.tar.gz").write_bytes(tarred(files(), "w:gz"))
            arguments = ()
        case _:
            (place / "a.tar").write_bytes(tarred(saved((tarred(files()),))))
            arguments = ("--image", "a.tar")
    assert len(run(place, out, *arguments, stdin=everything)) > len(RULES) * 0.7


def test_the_hook_and_the_lifecycle_hold_no_value(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"first.txt": b"x\n"})
    write(repo)
    git(repo, "add", "-A", "-f")
    for env in ({}, {"AUDITOR_FINGERPRINT_KEY": KEY}):
        done = auditor("secrets", "hook", "run", "pre-commit", cwd=repo, env=env)
        assert done.code == 1
        clean("the hook", (done.out + done.err).encode())
    git(repo, "commit", "-q", "-m", "work")
    for format_ in ("console", "json", "markdown", "csv"):
        done = auditor("secrets", "lifecycle", "--git", ".", "--format", format_, cwd=repo)
        clean(f"lifecycle, {format_}", (done.out + done.err).encode())
        assert "named-credential" in done.out or format_ in {"console", "markdown"}


def test_what_redact_lets_through_holds_no_value_of_the_first_two_tiers(tmp_path: Path) -> None:
    stream, values, apart = [], set(), set()
    for rule, path, text in EXAMPLES:
        found = {hit.fingerprint for hit in _READER.scan(text.encode(), path=path) if hit.length > 5 and hit.tier < 3}
        # What the page says that passes: a Secret's data in base64, and what only its block tells.
        if rule == "secret-value" or path.endswith("variables.tf"):
            apart |= found
        else:
            values |= found
            stream.append(text)
    done = auditor("secrets", "redact", cwd=tmp_path, stdin="\n".join(stream).encode())
    assert done.code == 0
    assert len(values - apart) > 100
    assert not [value for value in values - apart if value in done.out + done.err]


def test_a_bug_shows_no_value_even_with_its_traceback(tmp_path: Path) -> None:
    """The error's own text quotes what it met: every value at once, as an SDK's would."""
    write(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(
        "import pathlib, sys\n"
        "def broken(*_, **__):\n"
        "    files = [p for p in sorted(pathlib.Path('.').rglob('*')) if p.is_file() and p.suffix != '.py']\n"
        "    everything = ''.join(p.read_text() for p in files)\n"
        "    raise KeyError(everything)\n"
        "import importlib.abc, importlib.machinery\n"
        "class Finder(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name != 'auditor.collectors.trees': return None\n"
        "        spec = importlib.machinery.PathFinder.find_spec(name, path)\n"
        "        load = spec.loader.exec_module\n"
        "        def exec_module(module):\n"
        "            load(module); module.walk = broken\n"
        "        spec.loader.exec_module = exec_module\n"
        "        return spec\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    env = {"PYTHONPATH": str(tmp_path) + os.pathsep + os.environ.get("PYTHONPATH", "")}
    done = auditor("--debug", "secrets", "scan", cwd=tmp_path, env=env)
    assert (done.code, "KeyError" in done.err) == (4, True)
    clean("the traceback", (done.out + done.err).encode())


def test_names_of_files_and_keys_hold_no_value_either(tmp_path: Path) -> None:
    """A token as the name of a file, a password in that of a folder, and a value in the name beside it."""
    files = {
        "AKIAQYLPMN5HFIQR7XYA.env": "DB_PASSWORD=gull-and-anchor-9\n",
        "password=heron-and-quay-7/a.env": "X_PASSWORD=tern-and-rope-5\n",
        "k.yaml": "ternrope5x_password: ternrope5x\n",
    }
    new(tmp_path)
    commit(tmp_path, {name: text.encode() for name, text in files.items()})
    values = ("AKIAQYLPMN5HFIQR7XYA", "heron-and-quay-7", "gull-and-anchor-9", "tern-and-rope-5", "ternrope5x")
    for where in (["--git", "."], ["."]):
        for format_ in REPORTS:
            done = auditor("secrets", "scan", *where, "-o", format_, "--report", f"{format_}=out", cwd=tmp_path)
            assert done.code == 1, done.err
            written = done.out.encode() + done.err.encode() + (tmp_path / "out").read_bytes()
            assert [value for value in values if value.encode() in written] == [], format_
            (tmp_path / "out").unlink()
    assert [value for value in values if value in auditor("secrets", "lifecycle", "--git", ".", cwd=tmp_path).out] == []
