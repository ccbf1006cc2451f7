"""Who owns a file by CODEOWNERS (GitHub's and GitLab's documented examples), and an object by its labels."""

from typing import Any

import pytest

from auditor.facts.owners import CodeOwners, of_object

# After the example of GitHub's documentation, "Example of a CODEOWNERS file".
GITHUB = """\
# This is a comment.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("readme", ("@global-owner1", "@global-owner2")),
        ("src/a.js", ("@js-owner",)),
        ("src/deep/er/a.go", ("docs@example.com",)),
        ("a.txt", ("@octo-org/octocats",)),
        ("build/logs/x/y.log", ("@octocat",)),
        ("x/docs/getting-started.md", ("@global-owner1", "@global-owner2")),
        ("docs/getting-started.md", ("@doctocat",)),
        ("docs/build-app/troubleshooting.md", ("@doctocat",)),
        ("x/apps/y", ("@octocat",)),
        ("scripts/a.sh", ("@doctocat", "@octocat")),
        ("deeply/nested/logs", ("@octocat",)),
        ("deeply/nested/logs/a", ("@octocat",)),
        ("apps/web", ("@octocat",)),
        ("apps/github/a", ()),
    ],
)
def test_the_last_line_that_matches_counts_as_github_documents_it(path: str, owners: tuple[str, ...]) -> None:
    assert CodeOwners(GITHUB).of(path) == owners


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/a/b.md", False),
        ("/docs/**", "docs/a/b.md", True),
        ("/*", "a", True),
        ("/*", "a/b", False),
        ("*", "a/b", True),
        ("/a/**/b", "a/b", True),
        ("/a/**/b", "a/x/y/b", True),
        ("/a?c", "abc", True),
        ("/a?c", "a/c", False),
        ("/a.b", "axb", False),
        ("with\\ space.md", "x/with space.md", True),
    ],
)
def test_patterns(pattern: str, path: str, *, matches: bool) -> None:
    assert bool(CodeOwners(f"{pattern} @me").of(path)) is matches


def test_sections_of_gitlab_count_each_on_its_own_with_their_default_owners() -> None:
    text = "* @all\n[Docs][2] @docs\ndocs/\n*.md @md\n^[Optional]\n*.md @opt\n[docs]\nREADME.md @late\n"
    owners = CodeOwners(text)
    assert owners.of("docs/a.txt") == ("@all", "@docs")
    assert owners.of("a.md") == ("@all", "@md", "@opt")
    assert owners.of("README.md") == ("@all", "@late", "@opt"), "a section that is opened again goes on"


def test_nothing_owns_where_there_is_no_file() -> None:
    assert CodeOwners().of("a") == ()


@pytest.mark.parametrize(
    ("metadata", "owners"),
    [
        ({}, ()),
        ({"labels": {"team": "payments", "app": "web"}}, ("team payments",)),
        ({"annotations": {"example.com/Owner": "Ada  L.\n"}}, ("owner Ada L.",)),
        (
            {"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {"meta.helm.sh/release-name": "web"}},
            ("managed by Helm", "Helm release web"),
        ),
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": "web:apps/Deployment:shop/web"}},
            ("Argo CD web",),
        ),
        ({"labels": {"team": ""}, "annotations": {"team": "x" * 500}}, ("team " + "x" * 120,)),
        ({"labels": {"teams": "x", "steamer": "y"}}, ()),
    ],
)
def test_labels_and_annotations_name_people_and_programs(metadata: dict[str, Any], owners: tuple[str, ...]) -> None:
    assert of_object({"metadata": metadata}) == owners
