"""Which files define CI, by their names."""

import pytest

from auditor.model import ci
from auditor.model.ci import CiFile


@pytest.mark.parametrize(
    ("path", "kind", "home"),
    [
        (".github/workflows/ci.yml", CiFile.GITHUB_WORKFLOW, "."),
        ("a/b/.github/workflows/ci.yaml", CiFile.GITHUB_WORKFLOW, "a/b"),
        ("/srv/a/.github/workflows/ci.yaml", CiFile.GITHUB_WORKFLOW, "/srv/a"),
        ("/.github/workflows/ci.yaml", CiFile.GITHUB_WORKFLOW, "/"),
        (".github/workflows/more/ci.yml", None, "."),
        (".github/dependabot.yml", None, "."),
        ("docs/github/workflows/ci.yml", None, "docs/github/workflows"),
        (".github/actions/scan/action.yml", CiFile.GITHUB_ACTION, "."),
        ("action.yaml", CiFile.GITHUB_ACTION, "."),
        (".gitlab-ci.yml", CiFile.GITLAB_CI, "."),
        ("a/.gitlab-ci.yml", CiFile.GITLAB_CI, "a"),
        (".gitlab/build.yml", None, "."),
        ("Jenkinsfile", CiFile.JENKINSFILE, "."),
        ("ci/Jenkinsfile.nightly", CiFile.JENKINSFILE, "ci"),
        ("ci/build.jenkinsfile", CiFile.JENKINSFILE, "ci"),
        (".pre-commit-config.yaml", CiFile.PRE_COMMIT, "."),
        (".circleci/config.yml", CiFile.OTHER, "."),
        ("azure-pipelines.yml", CiFile.OTHER, "."),
        ("deploy/app.yaml", None, "deploy"),
        (".hidden/app.yaml", None, ".hidden"),
    ],
)
def test_a_name_says_what_a_file_is_and_where_it_counts(path: str, kind: CiFile | None, home: str) -> None:
    assert ci.recognise(path, path.rpartition("/")[2]) is kind
    assert ci.home(path) == home


def test_a_system_that_is_not_read_has_a_name() -> None:
    assert ci.system(".circleci/config.yml") == "CircleCI"
    assert ci.system("a/azure-pipelines.yml") == "Azure Pipelines"
    assert ci.system("a/.buildkite/x/pipeline.yml") == "Buildkite"
