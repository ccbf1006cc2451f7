"""How much of what is there `auditor secrets` finds in public repositories, and how much of what it finds is there.

`bench/labels` says which lines of infrastructure-as-code repositories, at pinned commits, hold a credential. Candidates
were listed by a wide net that knows no scanner (names, URLs with passwords, random texts), and people labelled each
line; of the held-out repositories that was done before anything of ours had run on them. No line and no value is kept
there, only places:

    yes        a credential; the form that it has beside it
    found      a credential that the net had not listed and ours found: it counts for precision, never for recall
    doubtful   fixtures of tests, placeholders that work, defaults that are commented out: they count for nobody
    no         listed, and none

Every other line of a file that was looked into is a "no" as well. What a held-out set shows is mended, too, after its
first run; so the figures of that run are kept (`first.jsonl`), and they are the ones that count.

The repositories are expected in the folder BENCH_REPOSITORIES as `OWNER+NAME` or `OWNER+NAME/repo`; with BENCH_CLONE=1
the missing ones are fetched there. Other scanners run on the held-out repositories alone, since nobody tuned them to
the rest.
"""

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from auditor.detection import rules
from auditor.detection.cards import CARD_NUMBER
from auditor.detection.engine import Engine
from bench import scanners
from bench.scanners import Told

LABELS = Path(__file__).parent / "labels"
HELD_OUT = "held-out"
SPLITS = ("tuning", HELD_OUT)
_LARGEST = 1_000_000
"""Bytes of a file that people looked into."""
_ENDINGS = frozenset(
    {
        "bash", "bat", "bicep", "cfg", "cnf", "conf", "config", "dist", "env", "erb", "example", "gotmpl", "gradle",
        "hcl", "hosts", "ini", "inventory", "j2", "jaas", "jinja2", "json", "jsonnet", "key", "ldif", "libsonnet",
        "list", "nomad", "pem", "pkr", "pp", "properties", "props", "ps1", "rb", "repo", "sample", "service", "sh",
        "sql", "template", "tf", "tftpl", "tfvars", "tmpl", "toml", "tpl", "txt", "xml", "yaml", "yaml-template",
        "yml",
    }
)  # fmt: skip
_NAMES = (
    "dockerfile", "containerfile", "makefile", "jenkinsfile", "vagrantfile", ".env", "procfile", "caddyfile", ".npmrc",
    ".netrc", ".htpasswd", ".pypirc", "id_rsa", "tiltfile",
)  # fmt: skip
_PASSED_OVER = re.compile(
    r"(^|/)(node_modules|vendor|\.git|dist)/|package-lock\.json|yarn\.lock|go\.sum|LICENSE|\.min\.|crd"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One file in which somebody looked at lines; numbers of lines, from 1."""

    yes: frozenset[int] = frozenset()
    found: frozenset[int] = frozenset()
    doubtful: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository of the labelled set."""

    name: str
    commit: str
    split: str
    left_out: frozenset[str]
    """Paths whose names promise labels, and that nobody looked into."""
    only: frozenset[str]
    """Where files were drawn by lot: those, whatever their names; else empty."""
    files: Mapping[str, Judged]

    def looked_into(self, path: str) -> bool:
        """Return whether somebody looked into the file `path`."""
        return path in self.only if self.only else judged(path) and path not in self.left_out


def run(scratch: Path) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "\nDetection: lines with credentials in labelled public repositories"
    folder = os.environ.get("BENCH_REPOSITORIES")
    if not folder:
        yield "  not measured: needs the repositories, give BENCH_REPOSITORIES=DIR (and BENCH_CLONE=1 to fetch them)"
        return
    everything = labelled()
    for split in SPLITS:
        wanted = [one for one in everything if one.split == split]
        there = [(one, place) for one in wanted if (place := _mirror(Path(folder), one)) is not None]
        yield f"  {split}: {len(there)} of {len(wanted)} repositories" + ("" if there else ": not measured")
        totals: dict[str, Counter[str]] = {}
        for one, place in there:
            tree = scratch / "labelled" / one.name.replace("/", "+")
            _write(one, place, tree)
            others = scanners.told(tree) if split == HELD_OUT else ()
            for name, told in (("ours", _ours(tree)), *others):
                totals.setdefault(name, Counter()).update(counted(one.files, told))
        yield from (f"    {name:<16}{_figures(total)}" for name, total in totals.items())
        yield from _first(split)
    yield "  target: held-out, recall at least 0.85 at precision at least 0.90; the first tier alone 0.98"


def _first(split: str) -> Iterator[str]:
    """Yield what the first run told on each set of the split: what was mended since makes later figures flatter."""
    for raw in map(json.loads, (LABELS / "first.jsonl").read_text().splitlines()):
        if raw["split"] == split:
            strict = f" ({raw['strict']:.3f} where what only ours saw counts as wrong)" if "strict" in raw else ""
            told = f"recall {raw['recall']:.3f}, precision {raw['precision']:.3f}{strict}"
            yield f"    {'first run':<16}{told}: {raw['set']}"


def labelled() -> list[Repository]:
    """Return the labelled set."""
    files: dict[str, dict[str, Judged]] = {}
    for split in SPLITS:
        for raw in map(json.loads, (LABELS / f"{split}.jsonl").read_text().splitlines()):
            files.setdefault(raw["repository"], {})[raw["path"]] = Judged(
                yes=frozenset(number for numbers in raw.get("yes", {}).values() for number in numbers),
                found=frozenset(number for numbers in raw.get("found", {}).values() for number in numbers),
                doubtful=frozenset(raw.get("doubtful", ())),
            )
    return [
        Repository(
            name=raw["repository"],
            commit=raw["commit"],
            split=raw["split"],
            left_out=frozenset(raw.get("left_out", ())),
            only=frozenset(raw.get("only", ())),
            files=files.get(raw["repository"], {}),
        )
        for raw in map(json.loads, (LABELS / "repositories.jsonl").read_text().splitlines())
    ]


def judged(path: str) -> bool:
    """Return whether files of that name were looked into: infrastructure as code, settings, scripts, keys."""
    name = path.rpartition("/")[2].lower()
    if _PASSED_OVER.search(path):
        return False
    if name.startswith(_NAMES):
        return True
    ending = name.rpartition(".")[2] if "." in name else ""
    known = not ending or ending in _ENDINGS
    return known and not name.startswith("license") and name not in {"readme", "changelog", "go.mod"}


def counted(files: Mapping[str, Judged], told: list[Told]) -> Counter[str]:
    """Return the counts of what a scanner told, each line once."""
    counts: Counter[str] = Counter()
    seen: dict[tuple[str, int], bool] = {}
    for one in told:
        labels = files.get(one.path, Judged())
        lines = range(one.first, one.last + 1)
        for group in (labels.yes, labels.found, labels.doubtful, frozenset({one.first})):
            hit = [line for line in lines if line in group]
            if hit:
                seen.update({(one.path, line): seen.get((one.path, line), False) or one.token for line in hit})
                break
    for (path, line), token in seen.items():
        labels = files.get(path, Judged())
        right = "right" if line in labels.yes else "extra" if line in labels.found else ""
        if not right and line in labels.doubtful:
            continue
        counts[right or "wrong"] += 1
        if token:
            counts["token right" if right else "token wrong"] += 1
    total = sum(len(labels.yes) for labels in files.values())
    counts["missed"] = total - counts["right"]
    return counts


def _figures(counts: Counter[str]) -> str:
    right, extra, wrong = counts["right"], counts["extra"], counts["wrong"]
    text = f"recall {_share(right, counts['missed'])} ({right} of {right + counts['missed']})"
    text += f", precision {_share(right + extra, wrong)} ({wrong} wrong"
    text += f"; {_share(right, wrong + extra)} if the {extra} that only ours saw were wrong)" if extra else ")"
    tokens = counts["token right"] + counts["token wrong"]
    if tokens:
        text += f"; first tier alone {_share(counts['token right'], counts['token wrong'])} of {tokens}"
    return text


def _share(good: int, bad: int) -> str:
    return f"{good / (good + bad):.3f}" if good + bad else "-"


def _ours(tree: Path) -> list[Told]:
    """Return what tiers one and two find in the files below `tree`; card numbers are no credentials."""
    engine = Engine(rules.load().of_tier(2), fingerprint=lambda _: "")
    told = []
    for file in sorted(tree.rglob("*")):
        if not file.is_file():
            continue
        content = file.read_bytes()
        path = file.relative_to(tree).as_posix()
        told += [
            Told(path, hit.line, hit.line + content.count(b"\n", hit.start, hit.end), token=hit.tier == 1)
            for hit in engine.scan(content, path=path)
            if hit.rule != CARD_NUMBER
        ]
    return told


def _mirror(folder: Path, one: Repository) -> Path | None:
    """Return the git directory that holds the pinned commit, fetched if that is wanted; `None` where there is none."""
    place = folder / one.name.replace("/", "+")
    for git in (place / "repo", place / "repo" / ".git", place, place / ".git"):
        if (git / "HEAD").is_file() and _holds(git, one.commit):
            return git
    if os.environ.get("BENCH_CLONE") != "1":
        return None
    place.mkdir(parents=True, exist_ok=True)
    _git(place, "init", "--quiet", "--bare")
    _git(place, "fetch", "--quiet", "--depth=1", f"https://github.com/{one.name}.git", one.commit)
    return place


def _holds(git: Path, commit: str) -> bool:
    try:
        _git(git, "cat-file", "-e", f"{commit}^{{commit}}")
    except subprocess.CalledProcessError:
        return False
    return True


def _write(one: Repository, git: Path, tree: Path) -> None:
    """Write the files that somebody looked into, and no others, below `tree`."""
    wanted: dict[str, str] = {}
    for entry in _git(git, "ls-tree", "-r", "-z", "--full-tree", one.commit).split(b"\0"):
        about, _, raw = entry.partition(b"\t")
        path = raw.decode("utf-8", "surrogateescape")
        if about.startswith(b"100") and one.looked_into(path):
            wanted[path] = about.split()[2].decode()
    asked = "".join(f"{blob}\n" for blob in wanted.values()).encode()
    answer, at = _git(git, "cat-file", "--batch", "--buffer", given=asked), 0
    for path in wanted:
        head = answer.index(b"\n", at)
        if answer.endswith(b"missing", at, head):
            at = head + 1  # of a mirror without its largest files; nothing in them is labelled
            continue
        size = int(answer[at:head].split()[2])
        content, at = answer[head + 1 : head + 1 + size], head + 2 + size
        if size <= _LARGEST and b"\0" not in content[:8192]:
            file = tree / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def _git(git: Path, *arguments: str, given: bytes = b"") -> bytes:
    """Return what git prints. Raises `CalledProcessError` where it fails."""
    return subprocess.run(  # noqa: S603 - git itself, as the bench asks
        ["git", "--git-dir", str(git), *arguments],  # noqa: S607 - whichever git the user has
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    ).stdout
