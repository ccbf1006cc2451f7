"""Who ran the program, where, and which program: the record that an auditor asks for."""

import getpass
from pathlib import Path

import pytest

from auditor.cli import operator

JOBS = {
    "GitLab CI": ({"CI_JOB_URL": "https://g/j/1", "CI_PIPELINE_URL": "https://g/p/1"}, "https://g/j/1"),
    "GitHub Actions": (
        {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7"},
        "https://github.com/a/b/actions/runs/7",
    ),
    "Azure Pipelines": (
        {"SYSTEM_COLLECTIONURI": "https://dev.azure.com/a/", "SYSTEM_TEAMPROJECT": "p", "BUILD_BUILDID": "7"},
        "https://dev.azure.com/a/p/_build/results?buildId=7",
    ),
    "Bitbucket": (
        {"BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/a/b", "BITBUCKET_BUILD_NUMBER": "7"},
        "https://bitbucket.org/a/b/pipelines/results/7",
    ),
    "Jenkins": ({"BUILD_URL": "https://jenkins/job/1/"}, "https://jenkins/job/1/"),
    "CircleCI": ({"CIRCLE_BUILD_URL": "https://c/1"}, "https://c/1"),
    "Buildkite": ({"BUILDKITE_BUILD_URL": "https://b/1"}, "https://b/1"),
    "Woodpecker": ({"CI_PIPELINE_URL": "https://w/1"}, "https://w/1"),
    "no CI": ({}, ""),
    "half of one": ({"GITHUB_SERVER_URL": "https://github.com"}, ""),
}


@pytest.mark.parametrize("ci", JOBS)
def test_a_ci_job_is_known_by_its_variables(ci: str) -> None:
    environ, url = JOBS[ci]
    assert operator.job(environ) == url


def test_the_operator_is_the_user_of_the_system_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    found = operator.operator({"CI_JOB_URL": "https://g/j/1"})
    assert (found.user, found.job) == ("ada", "https://g/j/1")
    assert found.host


def test_a_user_id_without_a_name_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the machine that a test cannot have: containers run under ids that nobody named."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1000680000")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert operator.operator({}).user == ""


def test_the_program_is_known_by_its_files(tmp_path: Path) -> None:
    assert len(operator.program_digest()) == 64
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/a.py").write_text("one")
    (tmp_path / "notes.txt").write_text("no part of the program")
    first = operator.program_digest(tmp_path)
    (tmp_path / "notes.txt").unlink()
    assert operator.program_digest(tmp_path) == first
    (tmp_path / "inner/a.py").rename(tmp_path / "inner/b.py")
    renamed = operator.program_digest(tmp_path)
    (tmp_path / "inner/b.py").write_text("two")
    assert len({first, renamed, operator.program_digest(tmp_path)}) == 3
