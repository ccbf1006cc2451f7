"""The labelled set, and how findings are counted against it."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from bench import detection
from bench.detection import Judged, counted, judged, labelled
from bench.scanners import Told


def test_each_repository_is_on_one_side_only() -> None:
    """A system that is tuned on a set proves nothing on that set, so it is split by repository."""
    names = [one.name for one in labelled()]
    assert len(names) == len(set(names))
    sides = Counter(one.split for one in labelled())
    assert sides["tuning"] >= 15
    assert sides["held-out"] >= 15


def test_the_labels_hold_places_and_nothing_else() -> None:
    allowed = {"repository", "path", "blob", "yes", "found", "doubtful", "no"}
    for split in detection.SPLITS:
        for line in (detection.LABELS / f"{split}.jsonl").read_text().splitlines():
            raw = json.loads(line)
            assert set(raw) <= allowed
            numbers = [n for key in ("yes", "found") for group in raw.get(key, {}).values() for n in group]
            numbers += [*raw.get("doubtful", ()), *raw.get("no", ())]
            assert all(isinstance(number, int) and number > 0 for number in numbers)
            assert len(numbers) == len(set(numbers)), "one line has one label"


def test_labels_stand_only_in_files_that_were_looked_into() -> None:
    for one in labelled():
        assert all(one.looked_into(path) for path in one.files), one.name
        assert all(judged(path) for path in one.left_out), one.name


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("charts/shop/values.yaml", True),
        ("Dockerfile.dev", True),
        ("hosts", True),
        ("bin/run", True),
        (".env.example", True),
        ("main.go", False),
        ("README.md", False),
        ("README", False),
        ("node_modules/x/config.json", False),
        ("crds/shop.yaml", False),
    ],
)
def test_what_was_looked_into_is_told_by_the_name(path: str, expected: bool) -> None:
    assert judged(path) is expected


FILES = {"a": Judged(yes=frozenset({3, 7}), found=frozenset({9}), doubtful=frozenset({5}))}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], {"missed": 2}),
        ([Told("a", 3, 3), Told("a", 3, 3)], {"right": 1, "missed": 1}),
        ([Told("a", 2, 4)], {"right": 1, "missed": 1}),
        ([Told("a", 5, 5)], {"missed": 2}),
        ([Told("a", 9, 9)], {"extra": 1, "missed": 2}),
        ([Told("a", 4, 4)], {"wrong": 1, "missed": 2}),
        ([Told("b", 3, 3)], {"wrong": 1, "missed": 2}),
        ([Told("a", 3, 3, token=True)], {"right": 1, "token right": 1, "missed": 1}),
        ([Told("a", 8, 8, token=True)], {"wrong": 1, "token wrong": 1, "missed": 2}),
    ],
)
def test_findings_are_counted_by_line(told: list[Told], expected: dict[str, int]) -> None:
    assert {name: count for name, count in counted(FILES, told).items() if count} == expected


def test_a_repository_is_read_at_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was committed later, and what nobody looked into, is not searched."""
    for name in ("GITLEAKS", "KINGFISHER", "DETECT_SECRETS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", _only_git(tmp_path))
    mirror = tmp_path / "mirrors" / "shop+shop"
    commit = _committed(
        mirror, {"app.env": "A=1\nDB_PASSWORD=mast-3\n", "late.env": "A_PASSWORD=mast-4\n", "x.md": "x"}
    )
    _committed(mirror, {"later.env": "B_PASSWORD=mast-5\n"})
    labels = tmp_path / "labels"
    labels.mkdir()
    one = {"repository": "shop/shop", "commit": commit, "split": "held-out", "left_out": ["late.env"]}
    (labels / "repositories.jsonl").write_text(json.dumps(one) + "\n")
    (labels / "held-out.jsonl").write_text(
        json.dumps({"repository": "shop/shop", "path": "app.env", "blob": "", "yes": {"named": [2]}}) + "\n"
    )
    (labels / "tuning.jsonl").write_text("")
    first = {"set": "one of ours", "split": "held-out", "recall": 0.5, "precision": 0.75}
    (labels / "first.jsonl").write_text(json.dumps(first) + "\n")
    monkeypatch.setattr(detection, "LABELS", labels)
    monkeypatch.setenv("BENCH_REPOSITORIES", str(tmp_path / "mirrors"))
    report = "\n".join(detection.run(tmp_path / "scratch"))
    assert (
        "held-out: 1 of 1 repositories\n    ours            recall 1.000 (1 of 1), precision 1.000 (0 wrong)" in report
    )
    assert "first run       recall 0.500, precision 0.750: one of ours" in report
    assert "tuning: 0 of 0 repositories: not measured" in report


def test_without_the_repositories_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_REPOSITORIES", raising=False)
    report = list(detection.run(tmp_path))
    assert "not measured" in report[1]
    assert len(report) == 2


def _committed(folder: Path, files: dict[str, str]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "x"], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def _only_git(folder: Path) -> str:
    """Return a PATH in which there is git and no scanner."""
    place = subprocess.run(["which", "git"], check=True, capture_output=True, text=True).stdout.strip()
    programs = folder / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(place)
    return str(programs)
