"""The pages stay true: links resolve, commands exist, keys are those of the schemas, examples are valid."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from auditor import authored, data
from auditor.assess import waivers
from auditor.reports import REPORTS
from tests.e2e.program import ROOT, auditor

PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "fixtures" / "README.md")
    if page.is_file()
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def fenced(page: Path, language: str) -> list[str]:
    return [text for kind, text in _FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_resolves(page: Path) -> None:
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield each command line of ours in the pages, with the page's name."""
    for page in PAGES:
        for block in fenced(page, "sh"):
            for line in block.splitlines():
                for part in re.split(r"\s&&\s|\s\|\s", line.partition(" #")[0]):
                    words = shlex.split(part)
                    if words[:1] == ["auditor"]:
                        yield page.name, words[1:]


COMMANDS = list(commands())
_HELP: dict[tuple[str, ...], str] = {}


def help_of(folder: Path, *command: str) -> str:
    if command not in _HELP:
        _HELP[command] = auditor(*command, "--help", cwd=folder).out
    return _HELP[command]


def test_the_pages_show_commands() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda value: value if isinstance(value, str) else None)
def test_every_command_and_option_on_a_page_exists(tmp_path: Path, page: str, words: list[str]) -> None:
    named = [word for word in words[: 3 if words[:2] == ["secrets", "hook"] else 2] if not word.startswith("-")]
    groups = (["access"], ["policy"], ["frameworks"], ["secrets"], ["snapshot"])
    command = named if named[:2] == ["secrets", "hook"] else named[:2] if named[:1] in groups else named[:1]
    shown = help_of(tmp_path, *command)
    assert "Usage: auditor" in shown, f"{page}: auditor {' '.join(words)}"
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in shown, f"{page}: {word}"
    for format_ in re.findall(r"--report (\w[\w-]*)=", " ".join(words)):
        assert format_ in REPORTS, f"{page}: {format_}"


@pytest.mark.parametrize(
    ("page", "schema"),
    [
        ("policy-format.md", "policy.schema.json"),
        ("configuration.md", "configuration.schema.json"),
        ("waivers-and-baselines.md", "waivers.schema.json"),
    ],
)
def test_a_page_names_every_key_of_its_schema(page: str, schema: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    content = json.loads((data.policies() / schema).read_text(encoding="utf-8"))
    properties = content["properties"]
    if schema.startswith("waivers"):
        items = properties["waivers"]["items"]
        properties = (items if "properties" in items else content["$defs"][items["$ref"].rpartition("/")[2]])[
            "properties"
        ]
    for key in properties:
        assert re.search(rf"\b{re.escape(key)}\b", text), f"docs/{page} does not name `{key}`"


def test_the_configuration_on_the_page_is_valid() -> None:
    (text,) = fenced(ROOT / "docs" / "configuration.md", "yaml")
    authored.read(text, file="configuration.md", schema=data.policies() / "configuration.schema.json")


def test_the_waiver_on_the_page_is_valid() -> None:
    (text,) = fenced(ROOT / "docs" / "waivers-and-baselines.md", "yaml")
    (waiver,) = waivers.parse(text, file="waivers-and-baselines.md")
    assert waiver.id == "W-2026-014"


def test_the_pipelines_on_the_page_are_yaml() -> None:
    blocks = fenced(ROOT / "docs" / "ci.md", "yaml")
    assert len(blocks) >= 4
    for block in blocks:
        assert yaml.safe_load(block)


def test_our_own_tekton_task_has_no_finding(tmp_path: Path) -> None:
    task = next(block for block in fenced(ROOT / "docs" / "ci.md", "yaml") if "kind: Task" in block)
    (tmp_path / "task.yaml").write_text(task)
    done = auditor("scan", "task.yaml", cwd=tmp_path)
    assert done.code == 0, done.out


def test_contributing_says_how_many_files_each_thing_takes() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {
        "Add a policy: one file",
        "Add a report format: two files and one line",
        "Add a collector: two files and one line",
    } <= set(headings)


@pytest.mark.parametrize("module", sorted({report.module for report in REPORTS.values()}))
def test_a_report_format_is_a_module_and_its_test(module: str) -> None:
    """What CONTRIBUTING promises holds for those there are."""
    assert (ROOT / "auditor" / "reports" / f"{module}.py").is_file()
    tests = "sarif" if module == "sarif_github" else "gitlab" if module == "gitlab_secrets" else module
    assert (ROOT / "tests" / "reports" / f"test_{tests}.py").is_file()


def test_every_dependency_has_a_lower_bound_and_the_lock_holds_it() -> None:
    """Without one, resolvers back off to releases of ten years ago."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    locked = {entry["name"] for entry in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]}
    for text in wanted:
        name = re.match(r"[a-z0-9-]+", text)
        assert name, text
        assert ">=" in text, text
        assert name[0] in locked, text


def test_the_closing_lines_on_the_page_are_those_of_the_estate() -> None:
    """What the demo's estate gives (outside of a repository), so that a reader finds what the page explains."""
    golden = (ROOT / "tests" / "e2e" / "golden" / "estate.console.txt").read_text(encoding="utf-8").splitlines()
    page = (ROOT / "docs" / "reading-a-report.md").read_text(encoding="utf-8")
    assert "\n".join(golden[-5:]) in page
