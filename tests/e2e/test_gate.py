"""The gate: exit codes in every combination, waivers and baselines from file to verdict."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import Done, auditor
from tests.e2e.test_scan import CLEAN, LITERAL, write

KEY = {"AUDITOR_FINGERPRINT_KEY": "a key for these tests only, and long enough"}
BROKEN = "apiVersion: v1\nkind: Pod\nmetadata: {name: x\n"


def scan(folder: Path, *arguments: str, key: bool = True) -> Done:
    return auditor("scan", "deploy", "--select", "K-SEC-01", *arguments, cwd=folder, env=KEY if key else {})


def assessment(folder: Path, *arguments: str, key: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(scan(folder, "--format", "json", *arguments, key=key).out)
    return found


def accept(folder: Path, *, expires: str = "2999-12-31", value: str | None = None) -> None:
    (finding,) = assessment(folder)["findings"]
    write(
        folder,
        ".auditor/waivers.yaml",
        "waivers:\n  - policy: K-SEC-01\n    subject: kubernetes/Pod:shop/web#*\n    reason: a test account\n"
        f"    owner: Ada\n    approver: Bob\n    ticket: T-1\n    expires: {expires}\n"
        f"    value: {value or finding['value_fingerprint']}\n",
    )


def know(folder: Path) -> tuple[str, ...]:
    scan(folder, "--report", "json=scan.json")
    assert auditor("baseline", "scan.json", "-o", "baseline.json", cwd=folder).code == 0
    return ("--baseline", "baseline.json")


# What is found, and the exit code of a complete run.
STATES = {"fails": 1, "is known": 0, "is waived": 0, "is below": 0, "is below by configuration": 0, "is nothing": 0}


@pytest.mark.parametrize(("state", "gap", "allowed"), [*itertools.product(STATES, (False, True), (False, True))])
def test_the_exit_code_is_decided_by_what_is_new_then_by_what_is_missing(
    tmp_path: Path, state: str, *, gap: bool, allowed: bool
) -> None:
    write(tmp_path, "deploy/web.yaml", CLEAN if state == "is nothing" else LITERAL)
    arguments: tuple[str, ...] = ()
    if state == "is known":
        arguments = know(tmp_path)
    elif state == "is waived":
        accept(tmp_path)
    elif state == "is below":
        write(tmp_path, "auditor.yaml", "severity: {K-SEC-01: high}\n")
        arguments = ("--fail-on", "critical")
    elif state == "is below by configuration":
        write(tmp_path, "auditor.yaml", "severity: {K-SEC-01: high}\nfail-on: critical\n")
    if gap:
        write(tmp_path, "deploy/broken.yaml", BROKEN)
    done = scan(tmp_path, *arguments, *(["--allow-incomplete"] if allowed else []))
    missing = 3 if gap and not allowed else 0
    assert done.code == (STATES[state] or missing), done.out
    assert ("Not read: 1 thing" in done.out) == gap


def test_the_command_line_outweighs_the_configuration(tmp_path: Path) -> None:
    write(tmp_path, "deploy/web.yaml", LITERAL)
    write(tmp_path, "auditor.yaml", "severity: {K-SEC-01: low}\nfail-on: critical\n")
    assert scan(tmp_path).code == 0
    assert scan(tmp_path, "--fail-on", "low").code == 1


def test_a_known_finding_stays_known_when_lines_move_and_the_file_is_renamed(tmp_path: Path) -> None:
    file = write(tmp_path, "deploy/web.yaml", LITERAL)
    known = know(tmp_path)
    file.unlink()
    write(tmp_path, "deploy/below/other.yaml", "# moved\n\n---\n" + LITERAL.replace("env:", "env:\n      # why"))
    done = scan(tmp_path, *known)
    assert done.code == 0, done.out
    assert "1 known" in done.out
    assert "deploy/below/other.yaml" in done.out + scan(tmp_path, "--all", *known).out


@pytest.mark.parametrize("way", ["baseline", "waiver"])
def test_another_secret_at_the_same_place_is_a_new_finding(tmp_path: Path, way: str) -> None:
    file = write(tmp_path, "deploy/web.yaml", LITERAL)
    arguments: tuple[str, ...] = ()
    if way == "baseline":
        arguments = know(tmp_path)
    else:
        accept(tmp_path)
    assert scan(tmp_path, *arguments).code == 0
    file.write_text(LITERAL.replace("hunter2", "hunter3"))
    assert scan(tmp_path, *arguments).code == 1


@pytest.mark.parametrize("way", ["baseline", "waiver"])
def test_without_a_key_nobody_can_say_that_the_secret_is_the_same(tmp_path: Path, way: str) -> None:
    """Unknown is never guessed to be equal."""
    write(tmp_path, "deploy/web.yaml", LITERAL)
    arguments: tuple[str, ...] = ()
    if way == "baseline":
        arguments = know(tmp_path)
    else:
        accept(tmp_path)
    done = scan(tmp_path, *arguments, key=False)
    assert done.code == 1
    words = {"baseline": "cannot be compared (another fingerprint", "waiver": "the fingerprint key is random"}
    assert words[way] in " ".join(done.out.split())


def test_an_expired_waiver_waives_nothing_and_is_told(tmp_path: Path) -> None:
    write(tmp_path, "deploy/web.yaml", LITERAL)
    accept(tmp_path, expires="2020-01-01")
    done = scan(tmp_path)
    assert done.code == 1
    assert "expired on 2020-01-01" in " ".join(done.out.split())


def test_a_waiver_that_nothing_needs_is_told(tmp_path: Path) -> None:
    file = write(tmp_path, "deploy/web.yaml", LITERAL)
    accept(tmp_path)
    file.write_text(CLEAN)
    done = scan(tmp_path)
    assert done.code == 0
    assert "unused" in done.out


@pytest.mark.parametrize("missing", ["reason", "expires", "owner", "approver", "ticket"])
def test_a_waiver_without_what_an_auditor_asks_for_is_refused(tmp_path: Path, missing: str) -> None:
    write(tmp_path, "deploy/web.yaml", LITERAL)
    accept(tmp_path)
    file = tmp_path / ".auditor/waivers.yaml"
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith(f"{missing}:")]
    file.write_text("\n".join(lines))
    done = scan(tmp_path)
    assert done.code == 2
    assert missing in done.err
    assert ".auditor/waivers.yaml:2" in done.err


def test_diff_tells_new_fixed_unchanged_and_coverage(tmp_path: Path) -> None:
    other = LITERAL.replace("name: web, ", "name: other, ")
    write(tmp_path, "deploy/web.yaml", LITERAL)
    write(tmp_path, "deploy/other.yaml", other)
    scan(tmp_path, "--report", "json=old.json")
    write(tmp_path, "deploy/other.yaml", other.replace("DB_PASS\n          value: hunter2", "A\n          value: b"))
    write(tmp_path, "deploy/third.yaml", LITERAL.replace("name: web, ", "name: third, "))
    write(tmp_path, "deploy/broken.yaml", BROKEN)
    scan(tmp_path, "--report", "json=new.json")
    done = auditor("diff", "old.json", "new.json", "--format", "json", cwd=tmp_path)
    assert done.code == 0
    told = json.loads(done.out)
    assert [finding["subject_id"] for finding in told["findings"]["new"]] == ["kubernetes/Pod:shop/third"]
    assert [finding["subject_id"] for finding in told["findings"]["fixed"]] == ["kubernetes/Pod:shop/other"]
    assert told["summary"]["unchanged"] == 1
    assert [gap["file"] for gap in told["gaps"]["new"]] == ["deploy/broken.yaml"]
    assert auditor("diff", "old.json", "new.json", "--fail-on-new", "low", cwd=tmp_path).code == 1


def test_nothing_to_judge_is_an_error_unless_a_hook_says_otherwise(tmp_path: Path) -> None:
    """A hook is given whatever was staged, which is often no manifest at all."""
    write(tmp_path, "ci.yml", "on: push\njobs: {}\n")
    assert auditor("scan", "ci.yml", cwd=tmp_path).code == 2
    done = auditor("scan", "--quiet", "--allow-empty", "ci.yml", cwd=tmp_path)
    assert done.code == 0
    assert "0 fail" in done.out


def test_nothing_to_judge_hides_no_broken_file(tmp_path: Path) -> None:
    write(tmp_path, "broken.yaml", "data:\n  a: [\n")
    done = auditor("scan", "--allow-empty", "broken.yaml", cwd=tmp_path)
    assert done.code == 3
    assert "broken.yaml:3: broken yaml" in done.out


@pytest.mark.parametrize("pair", ["replicas", "=2", ""])
def test_a_helm_value_without_a_name_or_a_value_is_wrong_use(tmp_path: Path, pair: str) -> None:
    write(tmp_path, "deploy/pod.yaml", CLEAN)
    done = scan(tmp_path, "--set", pair)
    assert done.code == 2
    assert "is not NAME=VALUE" in done.err
