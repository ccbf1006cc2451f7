"""Input that is broken, hostile or out of reach: named with file and line, the rest judged, the run incomplete."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from auditor.reports import REPORTS
from tests.e2e.program import PROGRAM, auditor
from tests.e2e.test_scan import CLEAN, LITERAL, write

DEEP = 5000


def _bomb() -> str:
    levels = [f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
    return "\n".join(["apiVersion: v1", "kind: ConfigMap", "metadata: {name: b}", "a0: &a0 [x, x, x, x]", *levels, ""])


def _block(depth: int) -> str:
    return "".join(f"{' ' * level}a:\n" for level in range(depth))


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
FAULTS: dict[str, tuple[str, str | bytes, str, int | None]] = {
    "broken YAML": ("x.yaml", POD + "spec: {\n", "broken-yaml", 5),
    "a tab as indentation": ("x.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n\tname: x\n", "broken-yaml", 4),
    "broken JSON": ("x.json", '{"apiVersion": "v1",\n"kind": "Pod",}\n', "broken-json", 2),
    "brackets nested deeply": ("x.yaml", POD + "spec: " + "[" * DEEP + "]" * DEEP + "\n", "too-deep", 4),
    "blocks nested deeply": ("x.yaml", POD + _block(300), "too-deep", None),
    "JSON nested deeply": (
        "x.json",
        '{"apiVersion": "v1", "kind": "Pod", "spec": ' + "[" * DEEP + "]" * DEEP + "}",
        "too-deep",
        1,
    ),
    "an alias bomb": ("x.yaml", _bomb(), "alias-bomb", None),
    "a key that stands twice": ("x.yaml", POD + "spec: {}\nspec: {}\n", "duplicate-key", 5),
    "a binary file": ("x.yaml", b"\x00\x01\x02apiVersion: v1\x00kind: Pod", "binary", None),
    "a file that is not UTF-8": ("x.yaml", b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: caf\xe9\n", "not-utf8", 4),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_named_with_its_place_and_hides_nothing_else(tmp_path: Path, case: str) -> None:
    name, content, reason, line = FAULTS[case]
    write(tmp_path, name, content)
    write(tmp_path, "good.yaml", LITERAL)
    done = auditor("scan", ".", "--format", "json", cwd=tmp_path)
    assert done.code == 1, done.err
    report = json.loads(done.out)
    (gap,) = (gap for part in report["coverage"] for gap in part["gaps"])
    assert (gap["file"], gap["reason"]) == (name, reason)
    if line is not None:
        assert gap["line"] == line
    assert "K-SEC-01" in {finding["policy_id"] for finding in report["findings"]}
    assert "Traceback" not in done.err
    assert "incomplete: 1 thing" in done.err


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_alone_makes_the_run_incomplete_and_says_what_to_do(tmp_path: Path, case: str) -> None:
    name, content, _, _ = FAULTS[case]
    write(tmp_path, name, content)
    write(tmp_path, "good.yaml", CLEAN)
    done = auditor("scan", ".", cwd=tmp_path)
    assert done.code == 3, done.out
    assert f"Not read: 1 thing in scope\n  {name}" in done.out
    assert auditor("scan", ".", "--allow-incomplete", cwd=tmp_path).code == 0


def test_a_huge_file_is_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path, "good.yaml", CLEAN)
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    done = auditor("scan", ".", cwd=tmp_path)
    assert done.code == 3
    assert "huge.yaml: too large" in done.out


def test_a_dangling_link_and_a_link_in_a_circle_are_told(tmp_path: Path) -> None:
    write(tmp_path, "good.yaml", CLEAN)
    (tmp_path / "dangling.yaml").symlink_to("nowhere.yaml")
    (tmp_path / "circle").symlink_to(".")
    done = auditor("scan", ".", cwd=tmp_path)
    assert done.code == 3
    assert "dangling.yaml: dangling link" in done.out


def test_what_permissions_forbid_is_told(tmp_path: Path) -> None:
    write(tmp_path, "good.yaml", CLEAN)
    write(tmp_path, "locked.yaml", LITERAL).chmod(0)
    write(tmp_path, "closed/x.yaml", LITERAL)
    (tmp_path / "closed").chmod(0)
    try:
        command = [str(PROGRAM), "scan", "."]
        if os.geteuid() == 0:
            # Root may read everything, so somebody else has to look.
            command = _as_nobody(command, tmp_path)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 3, done.stdout + done.stderr
        assert "closed: unreadable. The folder cannot be read (Permission denied)" in done.stdout
        assert "locked.yaml: unreadable." in done.stdout
    finally:
        (tmp_path / "closed").chmod(0o755)


def _as_nobody(command: list[str], folder: Path) -> list[str]:
    tool = shutil.which("setpriv")
    if tool is None:
        pytest.skip("setpriv (util-linux) is not installed, and root may read everything")
    for above in (folder, *folder.parents[:3]):
        above.chmod(above.stat().st_mode | 0o055)
        if above.name.startswith("pytest-of-"):
            break
    prefix = [tool, "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    probe = subprocess.run([*prefix, *command[:1], "--version"], capture_output=True, check=False, timeout=60)
    if probe.returncode:
        pytest.skip("another account may not run the program where it is installed")
    return [*prefix, *command]


def test_names_that_are_no_unicode_are_judged_and_shown(tmp_path: Path) -> None:
    """Such a name ended every scan with an internal error; it must not hide what the file holds, nor the rest."""
    folder = tmp_path / "d\udce9"  # a byte that is no UTF-8, as Python names it
    (folder / ".git").mkdir(parents=True)
    (folder / ".github" / "workflows").mkdir(parents=True)
    (folder / ".github" / "workflows" / "\udce9.yaml").write_text("on: push\njobs: {}\n")
    (folder / "caf\udce9.yaml").write_text(LITERAL)
    (folder / "broken\udcff.yaml").write_text("kind: Pod\napiVersion: v1\na: [\n")
    (folder / "link\udce9.yaml").symlink_to("nothing")
    for arguments in ((".",), (str(folder / "caf\udce9.yaml"),)):
        done = auditor("scan", *arguments, "--format", "json", cwd=tmp_path)
        assert done.code == 1, done.err
        found = json.loads(done.out)
        (place,) = {
            (entry["location"]["file"], entry["location"]["line"])
            for entry in found["findings"]
            if entry["policy_id"] == "K-SEC-01"
        }
        assert place[0] == "d\\xe9/caf\\xe9.yaml"
        assert LITERAL.splitlines()[place[1] - 1].strip().startswith("value:")
        gaps = {gap["file"]: gap["line"] for part in found["coverage"] for gap in part["gaps"]}
        wanted = {"d\\xe9/broken\\xff.yaml": 4, "d\\xe9/link\\xe9.yaml": None} if arguments == (".",) else {}
        assert gaps == wanted
    for format_ in REPORTS:
        assert auditor("scan", ".", "--format", format_, "--report", f"{format_}=out", cwd=tmp_path).code == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk without room")
@pytest.mark.parametrize(
    "arguments",
    [("secrets", "scan", "."), ("secrets", "scan", ".", "--format", "json"), ("secrets", "rules"), ("policy", "list")],
    ids=" ".join,
)
def test_a_full_disk_is_told_as_what_it_is(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """It was told as a bug of the program, with exit code 4."""
    write(tmp_path, "x.yaml", LITERAL)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [str(PROGRAM), *arguments], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert done.returncode == 2
    assert b"error: the output could not be written to its end: No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_report_that_finds_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    write(tmp_path, "x.yaml", LITERAL)
    (tmp_path / "out").mkdir()
    command = f"ulimit -f 8; exec {PROGRAM} secrets scan x.yaml --quiet --report html=out/a.html"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert done.returncode == 2
    assert b"out/a.html cannot be written" in done.stderr
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ("secrets", "redact", "password=gull-and-anchor-9"),
        ("secrets", "scan", "--fail-on", "password=gull-and-anchor-9"),
        ("secrets", "hook", "install", "--type", "password=gull-and-anchor-9"),
        ("password=gull-and-anchor-9",),
    ],
    ids=" ".join,
)
def test_wrong_use_repeats_no_credential(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = auditor(*arguments, cwd=tmp_path)
    assert done.code == 2
    assert "[redacted]" in done.err
    assert "gull-and-anchor-9" not in done.out + done.err
