"""Roots of repositories, and what belongs to their CI definitions."""

from pathlib import Path

import pytest

from auditor.collectors import repositories
from auditor.model.ci import CiFile, Repository
from tests.collectors.test_discovery import POD, discover, files, write

WORKFLOW = "on: push\njobs: {a: {steps: []}}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def roots(*paths: str, **options: object) -> list[str]:
    return [repository.folder for repository in discover(*paths, **options).repositories]


def test_definitions_in_hidden_folders_are_found_and_marked() -> None:
    write({".github/workflows/ci.yml": WORKFLOW, ".gitlab-ci.yml": "a: {script: x}", "Jenkinsfile": "", "a.yaml": POD})
    found = {source.file: source.ci for source in discover(".").sources}
    assert found == {
        ".github/workflows/ci.yml": CiFile.GITHUB_WORKFLOW,
        ".gitlab-ci.yml": CiFile.GITLAB_CI,
        "Jenkinsfile": CiFile.JENKINSFILE,
        "a.yaml": None,
    }


def test_a_folder_of_manifests_is_no_repository() -> None:
    write({"deploy/a.yaml": POD, ".circleci/config.yml": "", ".pre-commit-config.yaml": "repos: []"})
    assert roots(".") == []


def test_a_folder_with_a_git_folder_or_file_is_a_root_with_and_without_definitions() -> None:
    write({"a/.git/config": "", "b/.git": "gitdir: ../.git/modules/b", "a/x.yaml": POD, "b/Jenkinsfile": ""})
    assert roots(".") == ["a", "b"]
    assert roots("a") == ["a"]


def test_without_git_the_named_folder_or_those_in_it_with_definitions_are_roots() -> None:
    """Archives of several repositories, of which some hold examples or copies with workflows of their own."""
    workflow = ".github/workflows/ci.yml"
    write(
        {
            f"one/{workflow}": WORKFLOW,
            f"one/vendor/two/{workflow}": WORKFLOW,
            "three/.gitlab-ci.yml": "",
            f"four/examples/a/{workflow}": WORKFLOW,
        }
    )
    assert roots(".") == ["one", "three"]
    assert roots("one") == ["one"]
    assert roots("four") == []
    write({workflow: WORKFLOW})
    assert roots(".") == ["."]


def test_a_part_of_a_repository_is_none() -> None:
    """Other definitions may stand where nobody looked."""
    write({".git/config": "", ".github/workflows/ci.yml": WORKFLOW, "deploy/Jenkinsfile": "", "deploy/a.yaml": POD})
    assert roots("deploy") == []
    assert roots(".github") == []
    assert roots(".github/workflows/ci.yml") == []
    assert roots(".") == ["."]


def test_files_that_were_named_one_by_one_are_no_repository() -> None:
    write({".github/workflows/ci.yml": WORKFLOW, "a.yaml": POD})
    found = discover(".github/workflows/ci.yml", "a.yaml")
    assert [source.ci for source in found.sources] == [CiFile.GITHUB_WORKFLOW, None]
    assert found.repositories == ()


def test_what_a_rule_leaves_out_is_told() -> None:
    write(
        {
            ".git/config": "",
            ".gitignore": "/.circleci/\n",
            ".circleci/config.yml": "",
            ".github/workflows/ci.yml": WORKFLOW,
            ".github/workflows/scan.yml": WORKFLOW,
        }
    )
    found = discover(".", exclude=("scan.yml",))
    assert found.repositories == (Repository(folder=".", left_out=(".circleci", ".github/workflows/scan.yml")),)
    assert files(found) == [".github/workflows/ci.yml"]


def test_absolute_and_named_twice_is_one_root(here: Path) -> None:
    write({"a/.git/x": "", "a/Jenkinsfile": ""})
    assert roots("a", str(here / "a")) == ["a"]


@pytest.mark.parametrize(
    ("include", "wanted"),
    [
        ("include: /ci/build.yml", ["ci/build.yml"]),
        ("include: ci/build.yml", ["ci/build.yml"]),
        ("include: [ci/build.yml, {local: ci/more/test.yml}]", ["ci/build.yml", "ci/more/test.yml"]),
        ("include: {local: 'ci/b*.yml'}", ["ci/build.yml"]),
        ("include: {local: '/ci/**.yml'}", ["ci/build.yml", "ci/chain.yml", "ci/more/test.yml"]),
        ("include: {local: '/**/test.yml'}", ["ci/more/test.yml"]),
        ("include: {local: ci/chain.yml}", ["ci/chain.yml", "ci/more/test.yml"]),
        ("child: {trigger: {include: [{local: ci/build.yml}]}}", ["ci/build.yml"]),
        ("include: {remote: 'https://example.com/ci/build.yml'}", []),
        ("include: {project: a/b, file: /ci/build.yml}", []),
        ("include: {template: Jobs/Secret-Detection.gitlab-ci.yml}", []),
        ("include: {local: 'ci/$WHAT.yml'}", []),
        ("include: [", []),
        ("- include", []),
    ],
)
def test_local_includes_are_definitions_whatever_their_names(include: str, wanted: list[str]) -> None:
    write(
        {
            "r/.gitlab-ci.yml": f"{include}\n",
            "r/ci/build.yml": "build: {script: make}",
            "r/ci/chain.yml": "include: {local: ci/more/test.yml}",
            "r/ci/more/test.yml": "include: {local: ci/chain.yml}" if "chain" in include else "test: {script: x}",
            "ci/build.yml": "of: another repository",
            "r/a.yaml": POD,
        }
    )
    found = [source.file for source in discover(".").sources if source.ci is CiFile.GITLAB_CI]
    assert found == ["r/.gitlab-ci.yml", *(f"r/{file}" for file in wanted)]


def test_a_loop_of_includes_ends() -> None:
    write({".gitlab-ci.yml": "include: a.yml", "a.yml": "include: [a.yml, .gitlab-ci.yml]"})
    assert repositories.included([".gitlab-ci.yml"], [".gitlab-ci.yml", "a.yml"]) == [".gitlab-ci.yml", "a.yml"]
