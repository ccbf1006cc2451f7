"""`auditor secrets scan` as its users run it: trees, histories, changes, streams; waivers, exit codes, every report."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from auditor.reports import REPORTS
from tests.collectors.git.repositories import commit, git, new
from tests.e2e.program import Done, auditor

KEY = {"AUDITOR_FINGERPRINT_KEY": "a key for these tests only, and long enough"}
VALUE = "gull-and-anchor-9"
LEAK = f"DB_PASSWORD={VALUE}\n"
CLEAN = "DB_PASSWORD=${DB_PASSWORD}\n"


def scan(folder: Path, *arguments: str, stdin: bytes = b"") -> Done:
    return auditor("secrets", "scan", *arguments, cwd=folder, env=KEY, stdin=stdin)


def findings(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(scan(folder, "--format", "json", *arguments).out)["findings"]
    return found


def test_a_tree_is_searched_as_git_would_list_it(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {".gitignore": "ignored.env\n", "a/x.env": LEAK, ".hidden/y.env": LEAK.replace("9", "8")})
    (repo / "ignored.env").write_text(LEAK)
    done = scan(repo)
    assert done.code == 1
    assert "a/x.env:1" in done.out
    assert ".hidden/y.env:1" in done.out
    assert "ignored.env" not in done.out
    assert "ignored.env:1" in scan(repo, "--no-ignore").out
    assert scan(repo, "--exclude", "*.env").code == 0


def test_a_file_that_git_tracks_is_searched_whatever_is_ignored(tmp_path: Path) -> None:
    """The commonest leak of all: `.env` was committed first and ignored later."""
    repo = new(tmp_path / "r")
    inner = new(repo / "vendor/inner")
    commit(inner, {"own.env": LEAK.replace("9", "6")})
    (inner / ".gitignore").write_text("*.env\n")
    commit(repo, {"demo.env": LEAK, "deep/er/x.env": LEAK.replace("9", "8"), "gone.env": LEAK.replace("9", "7")})
    (repo / ".gitignore").write_text("*.env\n/deep/\n")
    (repo / "never-added.env").write_text(LEAK)
    (repo / "gone.env").unlink()
    done = scan(repo)
    assert done.code == 1
    places = {one["location"]["file"] for one in findings(repo)}
    assert places == {"demo.env", "deep/er/x.env", "vendor/inner/own.env"}
    assert {one["location"]["file"] for one in findings(repo / "deep")} == {"er/x.env"}
    assert {one["location"]["file"] for one in findings(repo, "--exclude", "deep/")} == places - {"deep/er/x.env"}
    (repo / ".git/index").write_bytes(b"damaged")
    assert "could not be asked" in " ".join(scan(repo).out.split())


def test_a_clean_tree_passes_with_its_population(tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text(CLEAN)
    done = scan(tmp_path, "--format", "json")
    (result,) = [entry for entry in json.loads(done.out)["results"] if entry["policy_id"] == "L-GIT-01"]
    assert (done.code, len(result["passed"])) == (0, 1)


def test_a_history_tells_since_when_and_whether_it_is_still_there(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    first = commit(repo, {"old.env": LEAK}, date="2021-05-06T07:08:09+0000")
    commit(repo, {"old.env": None, "still.env": LEAK.replace("9", "8")}, date="2022-01-01T00:00:00+0000")
    gone, still = sorted(findings(repo, "--git", "."), key=lambda one: one["location"]["file"])
    assert "since 2021-05-06, only in the history" in gone["message"]
    assert dict(gone["evidence"])["commit"] == first
    assert "since 2022-01-01, still there" in still["message"]
    assert scan(repo).out.count("-->") == 1


def test_what_no_ref_reaches_is_searched_on_demand(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": CLEAN})
    commit(repo, {"gone.env": LEAK})
    git(repo, "reset", "-q", "--hard", "HEAD~1")
    assert scan(repo, "--git", ".").code == 0
    (one,) = findings(repo, "--git", ".", "--unreachable")
    assert one["location"]["file"].startswith("object ")


def test_a_branch_answers_for_what_it_adds_alone(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"old.env": LEAK})
    git(repo, "checkout", "-q", "-b", "feature")
    commit(repo, {"old.env": LEAK + "X=1\n", "more.env": CLEAN})
    assert scan(repo, "--since", "main").code == 0
    commit(repo, {"old.env": LEAK + "API_TOKEN=9b2e7f4c1d8a4be3a6f05c7712ad90ff\n"})
    (one,) = findings(repo, "--range", "main..feature")
    assert one["item"] == "" and "API_TOKEN" in one["message"]  # noqa: PT018 - one finding, two sides
    commit(repo, {"old.env": LEAK})
    assert scan(repo, "--since", "main").code == 1, "taken back is not never committed"


def test_a_change_that_adds_no_file_is_clean(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": CLEAN, "b.env": CLEAN})
    git(repo, "checkout", "-q", "-b", "feature")
    assert scan(repo, "--since", "main").code == 0
    commit(repo, {"b.env": None})
    assert scan(repo, "--since", "main").code == 0


def test_what_is_staged_is_judged_before_it_is_committed(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": CLEAN})
    (repo / "a.env").write_text(LEAK)
    assert scan(repo, "--staged").code == 0, "changed, but not staged"
    git(repo, "add", "a.env")
    assert scan(repo, "--staged").code == 1


def test_a_stream_is_read_from_standard_input(tmp_path: Path) -> None:
    assert scan(tmp_path, "--stdin", stdin=LEAK.encode()).code == 1
    assert scan(tmp_path, "--stdin", stdin=CLEAN.encode()).code == 0


def test_a_shallow_clone_is_never_silently_green(tmp_path: Path) -> None:
    origin = new(tmp_path / "origin")
    commit(origin, {"a.env": CLEAN})
    commit(origin, {"a.env": CLEAN + "B=1\n"})
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{origin}", "shallow")
    done = scan(tmp_path / "shallow", "--git", ".")
    assert done.code == 3
    assert "git fetch --unshallow" in done.out
    assert scan(tmp_path / "shallow", "--git", ".", "--allow-incomplete").code == 0


def test_missing_objects_are_named_by_their_paths(tmp_path: Path) -> None:
    origin = new(tmp_path / "origin")
    commit(origin, {"sub/a.env": CLEAN})
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{origin}", "partial")
    done = scan(tmp_path / "partial", "--git", ".")
    assert done.code == 3
    assert "sub/a.env: missing" in done.out


def test_a_range_of_a_clone_without_contents_names_what_is_missing(tmp_path: Path) -> None:
    origin = new(tmp_path / "origin")
    commit(origin, {"a.env": "A=1\n" * 40})
    commit(origin, {"a.env": None, "b.env": "A=1\n" * 40 + LEAK})
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{origin}", "partial")
    git(tmp_path / "partial", "remote", "set-url", "origin", "file:///nonexistent")
    done = scan(tmp_path / "partial", "--since", "HEAD~1")
    assert done.code == 3, done.err
    assert "missing" in done.out


@pytest.mark.parametrize("how", ["partial", "damaged"])
def test_without_trees_all_that_is_stored_is_searched_and_the_run_incomplete(how: str, tmp_path: Path) -> None:
    origin = new(tmp_path / "origin")
    commit(origin, {"sub/a.env": LEAK})
    commit(origin, {"b.env": LEAK.replace("9", "8")})
    place = origin
    if how == "partial":
        git(origin, "config", "uploadpack.allowFilter", "true")
        place = tmp_path / "partial"
        git(tmp_path, "clone", "-q", "--no-checkout", "--filter=tree:0", f"file://{origin}", "partial")
        git(place, "remote", "set-url", "origin", "file:///nonexistent")
    else:
        tree = git(origin, "rev-parse", "HEAD^{tree}").decode().strip()
        (origin / ".git/objects" / tree[:2] / tree[2:]).unlink()
    done = scan(place, "--git", ".", "--format", "json")
    whole = json.loads(done.out)
    assert "cannot be walked to its end" in json.dumps(whole["coverage"])
    assert (done.code, len(whole["findings"])) == ((3, 0) if how == "partial" else (1, 2))
    assert all("only in the history" not in one["message"] for one in whole["findings"])


def test_a_file_over_the_limit_is_named(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("a line of text\n" * 100_000)
    (tmp_path / "small.env").write_text(CLEAN)
    done = scan(tmp_path, "--largest", "1")
    assert done.code == 3
    assert "big.txt: too large" in done.out
    assert scan(tmp_path, "--largest", "1", "--allow-incomplete").code == 0


def test_what_was_not_read_whole_is_called_clean_by_nobody(tmp_path: Path) -> None:
    """Also where the exit code is waved through: the verdict, the summary and the requirement stay open."""
    (tmp_path / "big.txt").write_text("a line of text\n" * 100_000)
    (tmp_path / "small.env").write_text(CLEAN)
    done = scan(tmp_path, "--largest", "1", "--allow-incomplete", "--format", "json")
    told = json.loads(done.out)
    assert [part["complete"] for part in told["leaks"]["searched"]] == [False]
    verdicts = {result["policy_id"]: result for result in told["results"]}
    for policy in ("L-GIT-01", "L-PAN-01"):
        assert verdicts[policy]["passed"] == []
        ((_, reason),) = verdicts[policy]["not_evaluated"]
        assert "could be read" in reason
    assert "pass" not in {entry["outcome"] for entry in told["requirements"]}
    assert "no credential found in what was read" in scan(tmp_path, "--largest", "1").out


def waive(folder: Path, finding: dict[str, Any], subject: str) -> None:
    (folder / ".auditor").mkdir(exist_ok=True)
    (folder / ".auditor/waivers.yaml").write_text(
        f"waivers:\n  - policy: L-GIT-01\n    subject: {subject}\n    reason: a test account\n    owner: Ada\n"
        f"    approver: Bob\n    ticket: T-1\n    expires: 2999-12-31\n    value: {finding['value_fingerprint']}\n"
    )


def test_a_waiver_by_path_and_value_survives_moved_lines_and_no_other_value(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    file = tmp_path / "test/x.env"
    file.write_text(LEAK)
    (one,) = findings(tmp_path)
    waive(tmp_path, one, '"fact/credential:/test/*"')
    assert scan(tmp_path).code == 0
    file.write_text("# moved\n" * 40 + LEAK)
    assert scan(tmp_path).code == 0
    file.write_text(LEAK.replace("9", "7"))
    assert scan(tmp_path).code == 1


def test_no_report_holds_the_value_in_any_form(tmp_path: Path) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": LEAK, "s.yaml": f"kind: Secret\napiVersion: v1\nstringData:\n  pin: {VALUE}\n"})
    commit(repo, {f"{VALUE}.env": f"url: https://u:{VALUE}@host/\n"})
    files = [f"--report={name}={tmp_path}/out.{name}" for name in REPORTS]
    done = scan(repo, "--git", ".", "--unreachable", *files)
    raw = VALUE.encode()
    forms = (raw, base64.b64encode(raw)[:-4], quote(VALUE).encode(), json.dumps(VALUE)[1:-1].encode())
    outputs = {name: (tmp_path / f"out.{name}").read_bytes() for name in REPORTS}
    outputs |= {"stdout": done.out.encode(), "stderr": done.err.encode()}
    for name, content in outputs.items():
        # The name of a file is its place, which a report has to tell.
        shown = content.replace(f"{VALUE}.env".encode(), b"")
        assert not any(form in shown for form in forms), name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-folder"], "no-such-folder does not exist"),
        (["--git", "no-such-folder"], "is not in a git repository"),
        (["--since", "no-such-ref"], "no-such-ref"),
        (["--staged", "--stdin"], "--staged and --stdin exclude each other"),
        (["--unreachable"], "--unreachable goes with --git alone"),
        (["--rule-off", "no-such-rule"], "no detection rule is called no-such-rule"),
        (["--rules", "nowhere"], "does not exist"),
        (["--tier", "9"], "9"),
        (["--range", "main"], "main is no range of commits"),
        (["--range", "..HEAD"], "..HEAD is no range of commits"),
        (["--since", ""], "..HEAD is no range of commits"),
        (["--range", "main..no-such-ref"], "no-such-ref is no commit"),
        (["--git", "https://git.example/a.git"], "wants a clone, not an address"),
        (["--git", "git@git.example:a.git"], "wants a clone, not an address"),
        (["--log", "."], "the log . is a folder"),
        (["--rules", "a.env"], "is no folder"),
        (["--rule-off", "github"], "Perhaps github-"),
    ],
)
def test_wrong_use_is_told(tmp_path: Path, arguments: list[str], said: str) -> None:
    repo = new(tmp_path / "r")
    commit(repo, {"a.env": CLEAN})
    done = scan(repo, *arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_what_only_looks_random_is_shown_where_it_stands_and_never_fails(tmp_path: Path) -> None:
    """`--fail-on info` takes in every severity, and still nothing of the third tier is a failure."""
    (tmp_path / "x.py").write_text('\nseed = "q8Zt3LvP0xW7kYb5NcRm2JdHs9GeUaTf"\n')
    (tmp_path / "README.md").write_text("password=harbour-lantern\n")
    assert "a person has to say" not in scan(tmp_path, "--fail-on", "info").out
    random = "x.py:2: Text that looks like a machine-made secret, 32 characters"
    example = "README.md:1: Hard-coded credential: password, 15 characters"
    for format_ in ("console", "json", "sarif", "markdown", "csv", "junit", "html"):
        done = scan(tmp_path, "--tier", "3", "--fail-on", "info", "--format", format_)
        assert done.code == 0, format_
        told = " ".join(done.out.replace("\\", "").split())
        assert random in told, format_
        assert example in told, format_
    assert "2 further values only look random, or like an example" in scan(tmp_path, "--tier", "3").out


@pytest.mark.parametrize("where", ["tree", "history", "log"])
def test_a_finding_has_the_column_of_its_value(tmp_path: Path, where: str) -> None:
    """It was told to stand in column 1, whatever its line looks like."""
    repo = new(tmp_path / "r")
    commit(repo, {"a.yaml": f"a: 1\nenv: {{DB_PASSWORD: {VALUE}}}\n"})
    arguments = {"tree": [], "history": ["--git", "."], "log": ["--log", "a.yaml"]}[where]
    assert "a.yaml:2:20\n" in scan(repo, *arguments).out
    (run,) = json.loads(scan(repo, *arguments, "--format", "sarif").out)["runs"]
    regions = [at["physicalLocation"]["region"] for one in run["results"] for at in one["locations"]]
    assert {"startLine": 2, "startColumn": 20} in regions


def test_the_rules_are_listed_and_shown(tmp_path: Path) -> None:
    assert "github-token" in auditor("secrets", "rules", cwd=tmp_path).out
    shown = auditor("secrets", "rules", "github-token", cwd=tmp_path).out
    assert "https://github.blog/" in shown and "Revoke it" in shown  # noqa: PT018 - one page
    assert auditor("secrets", "rules", "nope", cwd=tmp_path).code == 2
