"""Input that means harm, or is only odd: nothing hangs, nothing crashes, nothing is run, and nothing is left untold."""

import gc
import json
import os
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from auditor.detection import rules
from auditor.detection.engine import Engine
from auditor.reports import REPORTS
from tests.collectors.git.repositories import commit, git, new
from tests.collectors.test_archives import tarred
from tests.e2e.program import PROGRAM, auditor

VALUE = "gull-and-anchor-9"
LEAK = f"DB_PASSWORD={VALUE}\n"
MEGABYTE = 1_000_000
HARD_LIMIT = 120
"""Seconds after which a run counts as hung."""


class Measured(NamedTuple):
    """A run with what it took."""

    code: int
    out: str
    err: str
    memory: float
    """MB of the largest of its processes."""


def measured(folder: Path, *arguments: str) -> Measured:
    """Run the program, and ask the system how much memory the largest of its processes held."""
    code = (
        "import resource,subprocess,sys\n"
        f"done=subprocess.run(sys.argv[1:],timeout={HARD_LIMIT})\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,file=sys.stderr)\n"
        "sys.exit(done.returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(PROGRAM), "secrets", "scan", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1", "XDG_CACHE_HOME": "/dev/null/none"},
    )
    err, _, memory = done.stderr.rstrip("\n").rpartition("\n")
    return Measured(done.returncode, done.stdout, err, int(memory) * (1 if sys.platform == "darwin" else 1024) / 1e6)


def scanned(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Return exit code and assessment."""
    done = auditor("secrets", "scan", *arguments, "--format", "json", cwd=folder, timeout=HARD_LIMIT)
    assert "Traceback" not in done.err, done.err
    assert VALUE not in done.out + done.err
    return done.code, json.loads(done.out)


def files(whole: dict[str, Any]) -> set[str]:
    return {one["location"]["file"] for one in whole["findings"]}


def gaps(whole: dict[str, Any]) -> dict[str, str]:
    return {gap["file"]: gap["reason"] for part in whole["coverage"] for gap in part["gaps"]}


# Size


def test_two_gigabytes_are_named_and_never_held(tmp_path: Path) -> None:
    with (tmp_path / "zeros").open("wb") as file:
        file.truncate(2_000 * MEGABYTE)
    with (tmp_path / "text.log").open("wb") as file:
        file.write(b"a line of text\n" * 1000)
        file.truncate(2_000 * MEGABYTE)
    (tmp_path / "a.env").write_text("A=1\n")
    done = measured(tmp_path, "--format", "json")
    whole = json.loads(done.out)
    assert (done.code, gaps(whole)) == (3, {"text.log": "too-large"})
    assert ["binary", 1] in whole["coverage"][0]["skipped"]
    assert done.memory < 200


def test_a_blob_over_the_limit_is_named_with_its_path(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a/dump.sql": b"insert into x values (1, 2, 3);\n" * 2_000_000, "a.env": "A=1\n"})
    commit(repo, {"a/dump.sql": None})
    done = measured(repo, "--git", ".", "--format", "json")
    assert (done.code, gaps(json.loads(done.out))) == (3, {"a/dump.sql": "too-large"})
    assert done.memory < 200


def test_an_endless_stream_is_read_up_to_the_limit_and_said_to_be_cut(tmp_path: Path) -> None:
    command = f"yes 'a line of text' | {PROGRAM} secrets scan --stdin --largest 20"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "--log -" in " ".join(done.stdout.split())


def test_a_log_of_any_length_is_read_in_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "web.log").open("wb") as file:
        for _ in range(30):
            file.write(b'10.0.0.1 - - "GET /api/v1/items HTTP/1.1" 200 512 0.003\n' * 100_000)
        file.write(LEAK.encode())
    done = measured(tmp_path, "--log", "web.log", "--format", "json")
    assert done.code == 1
    assert json.loads(done.out)["findings"][0]["location"]["line"] == 3_000_001
    assert done.memory < 200


def test_very_many_small_files_are_all_accounted_for(tmp_path: Path) -> None:
    for folder in range(100):
        place = tmp_path / f"{folder:03}"
        place.mkdir()
        for number in range(200):
            (place / f"{number}.txt").write_bytes(b"x\n")
    (tmp_path / "050" / "leak.env").write_text(LEAK)
    done = measured(tmp_path, "--format", "json")
    (part,) = json.loads(done.out)["coverage"]
    assert (done.code, part["files_found"], part["files_read"]) == (1, 20_001, 20_001)
    assert done.memory < 200


def test_an_archive_that_unpacks_to_ten_gigabytes_is_cut_and_counted(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        with bomb.open("a.txt", "w", force_zip64=True) as member:
            for _ in range(250):
                member.write(b"a line of text.\n" * 62_500)
        bomb.writestr("leak.env", LEAK)
    (tmp_path / "a.env").write_text("A=1\n")
    done = measured(tmp_path, "--format", "json")
    whole = json.loads(done.out)
    assert ["archive", 1] in whole["coverage"][0]["skipped"]
    assert done.memory < 700


# Places


def test_folders_deeper_than_any_path_may_be_long_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(LEAK)
    here = os.open(tmp_path, os.O_RDONLY)
    name = "d" * 200
    for _ in range(25):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    with os.fdopen(os.open("deep.env", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=here), "w") as file:
        file.write(LEAK)
    os.close(here)
    code, whole = scanned(tmp_path)
    assert (code, files(whole)) == (1, {"a.env"})
    ((place, reason),) = gaps(whole).items()
    assert (len(place) > 3_900, reason) == (True, "unreadable")
    (tmp_path / "a.env").unlink()
    assert scanned(tmp_path)[0] == 3


def test_hundreds_of_folders_deep_is_no_trouble(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(400):
        deep = deep / "d"
        deep.mkdir()
    (deep / "leak.env").write_text(LEAK)
    code, whole = scanned(tmp_path)
    assert (code, {name.count("/") for name in files(whole)}) == (1, {400})


NAMES = (
    b"new\nline.env", b"escape\x1b[31m.env", b"caf\xe9.env", b"\xff\xfe.env", b" .env", b"-rf.env", b"a:b.env",
    "ёжик \u202egnp.env".encode(), b'quote".env', b"%s%n.env", b"<script>.env", b"*.env", b"tab\t.env",
)  # fmt: skip


@pytest.mark.parametrize("where", ["tree", "history", "staged", "hook"])
def test_names_of_any_bytes_are_names(where: str, tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"first.txt": "a\n"})
    for name in NAMES:
        (Path(os.fsdecode(os.fsencode(repo) + b"/" + name))).write_text(LEAK)
    git(repo, "add", "-A", "-f")
    if where == "history":
        git(repo, "commit", "-q", "-m", "work")
    arguments = {"tree": (), "history": ("--git", "."), "staged": ("--staged",)}.get(where)
    if arguments is None:
        done = auditor("secrets", "hook", "run", "pre-commit", cwd=repo)
        assert (done.code, VALUE in done.err, "\x1b" in done.err) == (1, False, False)
        assert f"adds {len(NAMES)} credentials" in done.err
        return
    code, whole = scanned(repo, *arguments)
    assert (code, len(files(whole)), gaps(whole)) == (1, len(NAMES), {})
    assert r"caf\xe9.env" in files(whole)
    console = auditor("secrets", "scan", *arguments, "--all", cwd=repo)
    assert "\x1b" not in console.out
    assert "\u202e" not in console.out


def test_a_name_beside_a_value_may_be_of_any_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.ini").write_bytes(b"cl\xe9_password=gull-and-anchor-9\n")
    (tmp_path / "b.json").write_text('{"\\ud800_password": "gull-and-anchor-7"}\n')
    code, whole = scanned(tmp_path)
    assert (code, files(whole)) == (1, {"a.ini", "b.json"})
    for format_ in REPORTS:
        done = auditor("secrets", "scan", f"--report={format_}={tmp_path}/out", cwd=tmp_path)
        assert (done.code, "Traceback" in done.err) == (1, False), format_


def test_links_lead_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "leak.env").write_text(LEAK)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.env").write_text("A=1\n")
    (inside / "file.env").symlink_to(outside / "leak.env")
    (inside / "folder").symlink_to(outside)
    (inside / "circle").symlink_to(".")
    (inside / "nowhere").symlink_to("/no/such/place")
    (inside / "system").symlink_to("/etc/passwd")
    code, whole = scanned(inside)
    assert (code, files(whole), gaps(whole)) == (0, set(), {})
    assert ["symbolic link", 5] in whole["coverage"][0]["skipped"]


def test_pipes_sockets_and_devices_are_counted_and_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.env").write_text(LEAK)
    os.mkfifo(tmp_path / "pipe.env")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(tmp_path)
        listening.bind("s")
    special = 2
    if os.geteuid() == 0:
        os.mknod(tmp_path / "device", 0o600 | 0o020000, os.makedev(1, 5))
        special = 3
    code, whole = scanned(tmp_path)
    assert (code, files(whole)) == (1, {"a.env"})
    assert ["neither file nor folder", special] in whole["coverage"][0]["skipped"]
    done = auditor("secrets", "scan", "pipe.env", cwd=tmp_path)
    assert (done.code, "nothing to search" in done.err) == (2, True)


def test_what_another_account_may_not_read_is_told(tmp_path: Path) -> None:
    from tests.e2e.test_faults import _as_nobody

    (tmp_path / "a.env").write_text("A=1\n")
    (tmp_path / "locked.env").write_text(LEAK)
    (tmp_path / "locked.env").chmod(0)
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    try:
        command = [str(PROGRAM), "secrets", "scan", "."]
        if os.geteuid() == 0:
            command = _as_nobody(command, tmp_path)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "closed: unreadable. The folder cannot be read (Permission denied)" in done.stdout
    assert "locked.env: unreadable." in done.stdout


# Encodings


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le+bom", "utf-16-be+bom", "utf-32", "latin-1", "shift-jis", "utf-7"],
)
def test_a_value_is_found_in_every_encoding_that_says_what_it_is(encoding: str, tmp_path: Path) -> None:
    text = "# 設定\n" if encoding == "shift-jis" else "# Größe\n"
    name, _, mark = encoding.partition("+")
    content = ("\ufeff" if mark else "") + text + LEAK
    (tmp_path / "a.env").write_bytes(content.encode(name))
    code, whole = scanned(tmp_path)
    assert (code, [one["location"]["line"] for one in whole["findings"]]) == (1, [2])


def test_bytes_that_are_no_encoding_hide_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_bytes(bytes(range(128, 256)) * 40 + b"\n" + LEAK.encode() + b"\xff\xfe\xfd\n")
    code, whole = scanned(tmp_path)
    assert (code, [one["location"]["line"] for one in whole["findings"]]) == (1, [2])
    (tmp_path / "a.env").write_bytes(LEAK.replace("\n", "\r").encode() * 3)
    assert scanned(tmp_path)[0] == 1


# Repositories


def test_submodules_are_no_gap_and_their_files_are_read_as_they_lie_there(tmp_path: Path) -> None:
    inner = new(tmp_path / "inner")
    commit(inner, {"leak.env": LEAK})
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": "A=1\n"})
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "vendor/inner")
    git(repo, "commit", "-q", "-m", "submodule")
    code, whole = scanned(repo, "--git", ".")
    assert (code, gaps(whole)) == (0, {}), "its history is that of another repository"
    code, whole = scanned(repo)
    assert (code, files(whole)) == (1, {"vendor/inner/leak.env"})


def test_a_damaged_pack_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {f"{number}.txt": os.urandom(2_000).hex() for number in range(40)} | {"leak.env": LEAK})
    git(repo, "gc", "-q")
    (pack,) = (repo / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o600)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = b"\0" * 40
    pack.write_bytes(content)
    code, whole = scanned(repo, "--git", ".", "--jobs", "1")
    assert gaps(whole)
    assert code == (1 if whole["findings"] else 3)
    (part,) = whole["coverage"]
    named = gaps(whole)
    assert named.pop(".") == "unreadable", "the pack as a whole is told as well"
    assert part["files_found"] == part["files_read"] + len(named) + sum(count for _, count in part["skipped"])


@pytest.mark.parametrize("arguments", [("--git", "."), ("--staged",), ("--range", "HEAD~1..HEAD"), (".",), ("hook",)])
def test_no_program_that_a_repository_names_is_run(arguments: tuple[str, ...], tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    attributes = "* diff=evil filter=evil merge=evil text=auto eol=crlf ident export-subst\n"
    commit(repo, {"a.env": "A=1\n"})
    commit(repo, {"a.env": LEAK, ".gitattributes": attributes})
    mark = tmp_path / "executed"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    evil.chmod(0o755)
    for name in ("diff.evil.textconv", "diff.evil.command", "filter.evil.clean", "filter.evil.smudge",
                 "filter.evil.process", "core.fsmonitor", "core.pager", "diff.external", "gpg.program"):  # fmt: skip
        git(repo, "config", name, str(evil))
    (repo / "b.env").write_text(LEAK)
    # A blob put into the index as it is: `git add` would run the filter for us.
    id_ = git(repo, "hash-object", "-w", "--no-filters", "b.env").decode().strip()
    (repo / ".git/hooks").mkdir(exist_ok=True)
    for hook in ("post-index-change", "reference-transaction", "pre-commit", "post-checkout"):
        (repo / ".git/hooks" / hook).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (repo / ".git/hooks" / hook).chmod(0o755)
    git(repo, "-c", "core.hooksPath=/dev/null", "update-index", "--add", "--cacheinfo", f"100644,{id_},b.env")
    mark.unlink(missing_ok=True)
    if arguments == ("hook",):
        assert auditor("secrets", "hook", "run", "pre-commit", cwd=repo).code == 1
    else:
        assert scanned(repo, *arguments)[0] == 1
    assert not mark.exists()


# Texts that are dear to judge


BOMBS = {
    "names": "password=",
    "quoted names": "password='",
    "blanks behind a name": "password" + " " * 40,
    "names in JSON": '{"password":',
    "escaped names": '\\"password\\":\\"',
    "names and values": '{"name":"PASSWORD","value":"',
    "heads of a JWT": "eyJhbGciOi.",
    "heads of a token": "ghp_",
    "heads with open ends": "glpat-",
    "addresses": "https://u:",
    "addresses within": "a://b:c@",
    "headers": "Authorization: Bearer ",
    "marks of a key": "-----BEGIN PRIVATE KEY-----",
    "base64": "QUJD",
    "quotes": '"',
    "equal signs": "=",
    "references": "${",
    "templates": "{{ ",
    "card numbers": "card 4539-5787-6362-1485 ",
    "digits": "4539578763621485 ",
    "options": "mysql -p",
    "blanks": " ",
    "letters": "A",
    "Secrets": "kind: Secret\\ndata: ",
    "identified": "identified by '",
}
ENGINE = Engine(rules.load(), fingerprint=lambda value: value)


@pytest.mark.parametrize("form", ["on one line", "on many lines"])
@pytest.mark.parametrize("bomb", BOMBS)
def test_four_times_the_text_costs_no_more_than_eight_times_the_time(bomb: str, form: str) -> None:
    """Linear time; a quadratic step would cost sixteen times as much."""
    unit = BOMBS[bomb].encode() + (b"\n" if form == "on many lines" else b"")

    def cost(size: int) -> float:
        taken = []
        for turn in range(3):
            content = unit * (size // len(unit)) + b"%d" % turn
            started = time.process_time()
            ENGINE.scan(content, path="a.yaml")
            taken.append(time.process_time() - started)
        return min(taken)

    cost(1_000)
    gc.collect()
    gc.disable()  # as the program does: a collection costs what the whole process of the tests holds
    try:
        small, large = cost(100_000), cost(400_000)
    finally:
        gc.enable()
    assert large < 8 * small + 0.05, f"{small:.3f} s, then {large:.3f} s"


def test_a_bundle_of_one_line_is_read_to_its_end(tmp_path: Path) -> None:
    filler = "".join(
        f'function f{number}(a){{return a.password||b.token?"x{number}":{number}}};' for number in range(60_000)
    )
    (tmp_path / "app.min.js").write_text(filler + f'var c={{dbPassword:"{VALUE}"}};' + filler)
    done = measured(tmp_path, "--format", "json")
    whole = json.loads(done.out)
    assert (done.code, files(whole), gaps(whole)) == (1, {"app.min.js"}, {})
    assert done.memory < 300


def test_a_tar_of_links_and_devices_writes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "p"
    place.mkdir()
    (place / "a.tar").write_bytes(
        tarred({"../../../../tmp/escaped.env": LEAK.encode(), "/etc/absolute.env": LEAK.encode()})
    )
    code, whole = scanned(place)
    assert (code, files(whole)) == (1, {"a.tar"})
    assert [entry.name for entry in tmp_path.rglob("*")] == ["p", "a.tar"]


def test_a_content_of_countless_credentials_is_told_in_part_and_named(tmp_path: Path) -> None:
    """What is found takes a hundred times the memory of the line that it stands on."""
    lines = "".join(f"A{number}_PASSWORD=gull-and-anchor-{number}\n" for number in range(12_000))
    (tmp_path / "a.env").write_text(lines)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("first.env", lines[: len(lines) // 2])
        archive.writestr("second.env", lines[len(lines) // 2 :])
    code, whole = scanned(tmp_path)
    assert code == 1
    assert gaps(whole) == {"a.env": "too-large", "b.zip": "too-large"}
    assert len(whole["findings"]) == 20_000
    assert "2,000 further places" in whole["coverage"][0]["gaps"][0]["detail"]
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": lines})
    assert gaps(scanned(repo, "--git", ".")[1]) == {"a.env": "too-large"}
