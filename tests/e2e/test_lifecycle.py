"""`auditor secrets lifecycle` on real repositories and snapshots: what is to be done, and what nobody can know."""

import base64
import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.model.collection import CallResult
from auditor.model.resource import Place, Resource
from auditor.redaction.fingerprint import Fingerprinter
from auditor.snapshot import writing
from tests.collectors.git.repositories import commit, git, new
from tests.e2e.program import Done, auditor
from tests.snapshot import builders

SECRET_KEY = "a key for these tests only, and long enough"
KEY = {"AUDITOR_FINGERPRINT_KEY": SECRET_KEY}
FINGERPRINTS = Fingerprinter(SECRET_KEY.encode())
VALUE = "gull-and-anchor-9"
SETTINGS = {"a.env": f"DB_PASSWORD={VALUE}\n"}
MANIFEST = {
    "deploy/db.yaml": f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db, namespace: shop}}\n"
    f"data:\n  password: {base64.b64encode(VALUE.encode()).decode()}\n"
}
DATE = "2024-03-01T10:00:00+0000"


def deployment(value: str = VALUE) -> Resource:
    """Return a workload of the cluster with a value in its environment, as a collector leaves it."""
    found = replace(
        builders.literal(FINGERPRINTS.of(value)),
        path=("spec", "template", "spec", "containers", 0, "env", 0, "value"),
        place=Place.ENV,
        key="DB_PASSWORD",
        container="web",
    )
    return replace(builders.resource("kubernetes/Deployment", "web"), literals=(found,))


def secret(written: str = "2024-02-01T00:00:00Z", **metadata: Any) -> Resource:
    made = builders.resource(builders.SECRET, "db", type="Opaque", keys=["password"], keyCount=1, lastWrite=written)
    metadata = {**made.body["metadata"], "creationTimestamp": "2023-01-01T00:00:00Z", **metadata}
    return replace(made, body={**made.body, "metadata": metadata})


def snapshot(folder: Path, *resources: Resource, key: str = FINGERPRINTS.key_name, secrets: bool = True) -> Path:
    lists: dict[str, list[Resource]] = {builders.SECRET: []} if secrets else {}
    for one in resources:
        lists.setdefault(one.type, []).append(one)
    writer = writing.create(folder, run=builders.run(fingerprint_key_id=key), clock=builders.Ticking())
    others = () if secrets else (builders.call(builders.SECRET, result=CallResult.FORBIDDEN),)
    builders.fill(writer, lists, *others)
    writer.finish()
    return folder


def repository(tmp_path: Path, *files: dict[str, str]) -> Path:
    repo = new(tmp_path / "r")
    commit(repo, {name: text for one in files for name, text in one.items()}, date=DATE)
    return repo


def run(repo: Path, *arguments: str | Path) -> Done:
    return auditor("secrets", "lifecycle", "--git", ".", *arguments, cwd=repo, env=KEY)


def told(repo: Path, *arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(repo, *arguments, "--format", "json").out)
    return found


def only(whole: dict[str, Any]) -> dict[str, Any]:
    (one,) = whole["credentials"]
    found: dict[str, Any] = one
    return found


def states(case: dict[str, Any]) -> list[str]:
    return [step["state"] for step in case["steps"]]


def test_without_a_snapshot_only_what_was_read_is_known(tmp_path: Path) -> None:
    done = run(repository(tmp_path, SETTINGS))
    assert done.code == 0, "nothing is proven to be overdue"
    assert "No snapshot of the systems that may use it was named" in done.out
    assert "OVERDUE" not in done.out


def test_the_same_value_in_a_workload_is_in_use_and_overdue(tmp_path: Path) -> None:
    repo = repository(tmp_path, SETTINGS)
    done = run(repo, "--snapshot", snapshot(tmp_path / "s", deployment()))
    assert done.code == 1
    assert "OVERDUE since 2024-03-08" in done.out
    assert "Take it out of Deployment shop/web, container web, env DB_PASSWORD, in prod" in " ".join(done.out.split())
    case = only(told(repo, "--snapshot", tmp_path / "s"))
    assert case["rotation"]["outcome"] == "fail"
    assert [store["state"] for store in case["stores"]] == ["used"]


def test_a_secret_that_was_not_written_since_the_commit_is_overdue(tmp_path: Path) -> None:
    """The value in the manifest is base64; the same value elsewhere in the repository shares its store."""
    repo = repository(tmp_path, MANIFEST, SETTINGS)
    labelled = secret(labels={"team": "payments"})
    case = only(told(repo, "--snapshot", snapshot(tmp_path / "s", labelled)))
    assert len(case["places"]) == 2
    assert case["rotation"]["outcome"] == "fail"
    assert case["stores"][0]["proof"] == "it was last written on 2024-02-01"
    assert case["stores"][0]["owners"] == ["team payments"]
    assert "team payments" in case["steps"][0]["owners"]


def test_a_secret_that_was_written_since_proves_nothing(tmp_path: Path) -> None:
    repo = repository(tmp_path, MANIFEST)
    done = run(repo, "--snapshot", snapshot(tmp_path / "s", secret("2024-04-01T00:00:00Z")))
    assert done.code == 0
    assert "this proves no new value" in " ".join(done.out.split())


def test_a_snapshot_of_another_key_is_not_compared(tmp_path: Path) -> None:
    repo = repository(tmp_path, SETTINGS)
    case = only(told(repo, "--snapshot", snapshot(tmp_path / "s", deployment(), key="0badc0de")))
    assert case["stores"] == []
    assert case["rotation"]["outcome"] == "not_evaluated"
    assert "made with another key" in case["rotation"]["reason"]
    assert "made with another key" in case["steps"][1]["why"]


def test_without_a_key_nothing_is_compared_and_the_next_step_is_told(tmp_path: Path) -> None:
    repo = repository(tmp_path, SETTINGS)
    folder = snapshot(tmp_path / "s", deployment())
    done = auditor("secrets", "lifecycle", "--git", ".", "--snapshot", folder, cwd=repo)
    assert done.code == 0
    assert "set AUDITOR_FINGERPRINT_KEY to the key of the collection" in " ".join(done.out.split())


def test_a_list_that_was_refused_leaves_the_store_open(tmp_path: Path) -> None:
    repo = repository(tmp_path, MANIFEST)
    case = only(told(repo, "--snapshot", snapshot(tmp_path / "s", secrets=False)))
    assert case["stores"][0]["state"] == "unknown"
    assert "the list of Secret was not read (forbidden)" in case["rotation"]["reason"]


def test_another_value_in_the_cluster_is_no_use_of_this_one(tmp_path: Path) -> None:
    repo = repository(tmp_path, SETTINGS)
    case = only(told(repo, "--snapshot", snapshot(tmp_path / "s", deployment("another-value-7"))))
    assert case["stores"] == []
    assert "no object of prod holds the value" in case["steps"][1]["why"].lower()


def test_the_period_counts_from_the_baseline_that_knew_it(tmp_path: Path) -> None:
    """Written after the commit and before anybody knew: not changed since it was known, which is what counts."""
    repo = repository(tmp_path, MANIFEST)
    scan = auditor("secrets", "scan", "--git", ".", "--format", "json", cwd=repo, env=KEY)
    (tmp_path / "a.json").write_text(scan.out)
    known = json.loads(auditor("baseline", "a.json", cwd=tmp_path).out) | {"written": "2024-06-01"}
    (tmp_path / "known.json").write_text(json.dumps(known))
    folder = snapshot(tmp_path / "s", secret("2024-04-01T00:00:00Z"))
    case = only(told(repo, "--snapshot", folder, "--baseline", tmp_path / "known.json"))
    assert case["detected_by"].startswith("the baseline ")
    assert case["rotation"] | {"reason": ""} == {"outcome": "fail", "reason": "", "due": "2024-06-08"}


def test_the_period_is_the_users(tmp_path: Path) -> None:
    repo = repository(tmp_path, SETTINGS)
    (repo / "auditor.yaml").write_text(
        "parameters: {L-GIT-02: {max_days: {value: 30000, reference: our incident plan}}}\n"
    )
    done = run(repo, "--snapshot", snapshot(tmp_path / "s", deployment()))
    assert done.code == 0
    assert "30000 days after detection (entity)" in done.out


def test_what_was_taken_out_is_done_and_the_history_is_not(tmp_path: Path) -> None:
    repo = repository(tmp_path, SETTINGS)
    commit(repo, {"a.env": "DB_PASSWORD=${DB_PASSWORD}\n"})
    case = only(told(repo))
    assert case["places"][0]["present"] is False
    assert states(case) == ["unknown", "unknown", "done", "unknown", "open"]


def test_owners_come_from_the_commit_that_is_checked_out(tmp_path: Path) -> None:
    repo = repository(tmp_path, SETTINGS, {".github/CODEOWNERS": "*.env @org/web\n"})
    (repo / ".github/CODEOWNERS").write_text("* @somebody-else\n")
    whole = told(repo)
    assert whole["owners_file"] == ".github/CODEOWNERS"
    assert only(whole)["places"][0]["owners"] == ["@org/web"]


def test_files_without_a_history_have_their_owners_and_no_date(tmp_path: Path) -> None:
    repo = repository(tmp_path, {"sub/a.env": SETTINGS["a.env"], "CODEOWNERS": "/sub/ @org/sub\n"})
    done = auditor("secrets", "lifecycle", "--format", "json", cwd=repo / "sub", env=KEY)
    case = only(json.loads(done.out))
    assert (case["since"], case["detected"], case["rotation"]["due"]) == (None, None, None)
    assert case["places"][0]["owners"] == ["@org/sub"]


def test_a_waived_credential_is_accepted_and_asks_for_nothing(tmp_path: Path) -> None:
    repo = repository(tmp_path, SETTINGS)
    (repo / ".auditor").mkdir()
    (repo / ".auditor/waivers.yaml").write_text(
        "waivers:\n  - {id: W-1, policy: L-GIT-01, subject: '*', reason: revoked, owner: Ada, approver: Bob, "
        f"ticket: T-1, expires: 2999-12-31, value: {FINGERPRINTS.of(VALUE)}}}\n"
    )
    done = run(repo)
    assert "Accepted: 1 credential" in done.out
    assert "by W-1 until 2999-12-31" in " ".join(done.out.split())
    assert "to do     0 steps" in done.out


def test_worse_comes_first(tmp_path: Path) -> None:
    repo = repository(tmp_path, SETTINGS, {"b.env": "API_TOKEN=heron-and-quay-77\n"})
    whole = told(repo, "--snapshot", snapshot(tmp_path / "s", deployment()))
    assert [case["rotation"]["outcome"] for case in whole["credentials"]] == ["fail", "not_evaluated"]


def test_two_values_that_stood_under_one_name_are_two_credentials(tmp_path: Path) -> None:
    """Changed in the file, and the old value still used in the cluster: that one is overdue, not the new one."""
    repo = repository(tmp_path, SETTINGS)
    commit(repo, {"a.env": "DB_PASSWORD=heron-and-quay-77\n"}, date=DATE)
    old, fresh = told(repo, "--snapshot", snapshot(tmp_path / "s", deployment()))["credentials"]
    assert (old["value_fingerprint"], old["rotation"]["outcome"]) == (FINGERPRINTS.of(VALUE), "fail")
    assert (fresh["rotation"]["outcome"], fresh["stores"]) == ("not_evaluated", [])
    assert old["name"] == fresh["name"]


def test_a_shallow_clone_is_incomplete(tmp_path: Path) -> None:
    origin = repository(tmp_path, {"a": "1"})
    commit(origin, {"a": "2"})
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{origin}", "shallow")
    assert run(tmp_path / "shallow").code == 3
    assert run(tmp_path / "shallow", "--allow-incomplete").code == 0


def test_every_format_says_the_same_and_none_the_value(tmp_path: Path) -> None:
    repo = repository(tmp_path, MANIFEST, SETTINGS, {"CODEOWNERS": "* =cmd|'/C calc'!A0\n"})
    folder = snapshot(tmp_path / "s", deployment(), secret())
    forms = (VALUE, base64.b64encode(VALUE.encode()).decode()[:-2])
    for format_ in ("console", "json", "markdown", "csv"):
        done = run(repo, "--snapshot", folder, "--format", format_)
        assert not [form for form in forms if form in done.out + done.err], format_
        assert "2024-03-08" in done.out, format_
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert all(not row["owners"].startswith("=") for row in rows)
    markdown = run(repo, "--snapshot", folder, "--format", "markdown").out
    assert markdown.count("- [ ] ") == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "pdf"], "pdf is no format of this list"),
        (["src"], "a path was given beside --git"),
        (["--snapshot", "nowhere"], "nowhere does not exist"),
        (["--tier", "3"], "3"),
    ],
)
def test_wrong_use_is_told(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = run(repository(tmp_path, SETTINGS), *arguments)
    assert done.code == 2
    assert said in done.err


def test_a_scan_judges_the_same(tmp_path: Path) -> None:
    repo = repository(tmp_path, SETTINGS)
    folder = snapshot(tmp_path / "s", deployment())
    done = auditor("secrets", "scan", "--git", ".", "--snapshot", folder, "--format", "json", cwd=repo, env=KEY)
    found = [one for one in json.loads(done.out)["findings"] if one["policy_id"] == "L-GIT-02"]
    assert [dict(one["evidence"])["commit"] != "" for one in found] == [True]
    wrong = auditor("secrets", "scan", "--staged", "--snapshot", folder, cwd=repo, env=KEY)
    assert (wrong.code, "--snapshot goes with files and --git" in wrong.err) == (2, True)
