"""How many jobs a trust reaches."""

import pytest

from auditor import ci_tools
from auditor.ci_tools import Issuer
from auditor.facts.ci.subjects import Kind, Pattern, Reach, reach, subject_claims

TOOLS = ci_tools.load()


def issuer(url: str) -> Issuer:
    found = TOOLS.issuer(url)
    assert found is not None
    return found


GITHUB = issuer("https://token.actions.githubusercontent.com")
GITLAB = issuer("https://gitlab.com")


def of_subject(subject: str, by: Issuer = GITHUB, *, wild: bool = True) -> Reach:
    return reach(by, subject_claims(by, Pattern(subject, wild=wild)))


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("*", Kind.EVERYONE),
        ("repo:*", Kind.EVERYONE),
        ("*:environment:production", Kind.EVERYONE),
        ("repo:ac*/shop:*", Kind.EVERYONE),
        ("repo:*/shop:ref:refs/heads/main", Kind.EVERYONE),
        ("job_workflow_ref:acme/p/.github/workflows/d.yml@*", Kind.EVERYONE),
        ("repo:acme/*", Kind.OWNER),
        ("repo:acme/*:*", Kind.OWNER),
        ("repo:acme/shop*", Kind.OWNER),
        ("repo:acme/*:ref:refs/heads/main", Kind.OWNER),
        ("repo:acme/*:environment:production", Kind.OWNER),
        ("repository_owner:acme:ref:refs/heads/main", Kind.OWNER),
        ("repo:acme/shop:*", Kind.ANY_BRANCH),
        ("repo:acme/shop:re*", Kind.ANY_BRANCH),
        ("repo:acme/shop:ref:refs/heads/*", Kind.ANY_BRANCH),
        ("repo:acme/shop:ref:refs/tags/*", Kind.ANY_BRANCH),
        ("repo:acme/shop:ref:*", Kind.ANY_BRANCH),
        ("repo:acme/shop:environment:*", Kind.ANY_BRANCH),
        ("repo:acme/shop:workflow:deploy", Kind.ANY_BRANCH),
        ("repo:acme/shop:pull_request", Kind.PULL_REQUESTS),
        ("repo:acme/shop:ref:refs/heads/main", Kind.BOUND),
        ("repo:acme/shop:ref:refs/heads/release/*", Kind.BOUND),
        ("repo:acme/shop:ref:refs/tags/v*", Kind.BOUND),
        ("repo:acme/shop:environment:production", Kind.BOUND),
        ("repo:acme@123/shop@456:ref:refs/heads/main", Kind.BOUND),
        ("repo:acme@*/shop@*:ref:refs/heads/main", Kind.BOUND),
        ("repository_id:123:environment:production", Kind.BOUND),
        ("repo:acme/*:job_workflow_ref:acme/p/.github/workflows/d.yml@refs/heads/main", Kind.BOUND),
        ("custom:form", Kind.UNCLEAR),
    ],
)
def test_subjects_of_github(subject: str, kind: Kind) -> None:
    assert of_subject(subject).kind is kind


def test_without_wildcards_a_star_is_a_star() -> None:
    """`StringEquals` compares as it is: a branch of that very name."""
    assert of_subject("repo:acme/shop:ref:refs/heads/*", wild=False).kind is Kind.BOUND


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("project_path:*", Kind.EVERYONE),
        ("project_path:acme/*:ref_type:branch:ref:main", Kind.OWNER),
        ("project_path:acme/shop:*", Kind.ANY_BRANCH),
        ("project_path:acme/shop:ref_type:branch:ref:*", Kind.ANY_BRANCH),
        ("project_path:acme/shop:ref_type:branch:ref:main", Kind.BOUND),
    ],
)
def test_subjects_of_gitlab(subject: str, kind: Kind) -> None:
    assert of_subject(subject, GITLAB).kind is kind


def exact(*values: str) -> list[Pattern]:
    return [Pattern(value, wild=False) for value in values]


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({}, Kind.EVERYONE),
        ({"repository": ["acme/shop"]}, Kind.ANY_BRANCH),
        ({"repository": ["acme/shop"], "ref": ["refs/heads/main"]}, Kind.BOUND),
        ({"repository": ["acme/shop"], "environment": ["production"]}, Kind.BOUND),
        ({"repository": ["acme/shop"], "actor": ["alice"]}, Kind.BOUND),
        ({"repository": ["acme/shop"], "event_name": ["push"]}, Kind.ANY_BRANCH),
        ({"repository_owner": ["acme"]}, Kind.OWNER),
        ({"environment": ["production"]}, Kind.EVERYONE),
        ({"job_workflow_ref": ["acme/p/.github/workflows/d.yml@refs/heads/main"]}, Kind.EVERYONE),
    ],
)
def test_claims_beside_the_subject_narrow_it(claims: dict[str, list[str]], kind: Kind) -> None:
    assert reach(GITHUB, {name: exact(*values) for name, values in claims.items()}).kind is kind


@pytest.mark.parametrize("claim", ["ref_protected", "environment_protected"])
def test_protected_is_bound(claim: str) -> None:
    bound = {"project_path": exact("acme/shop")}
    assert reach(GITLAB, {**bound, claim: exact("true")}).kind is Kind.BOUND
    assert reach(GITLAB, {**bound, claim: exact("false")}).kind is Kind.ANY_BRANCH


def test_who_is_said_in_words() -> None:
    assert of_subject("repo:acme/shop:*").who == "jobs of acme/shop on any branch and in any environment"
    assert of_subject("repo:*").who == "jobs of any repository of GitHub Actions"
    own = issuer("https://gitlab.example.com")
    assert of_subject("project_path:*", own).who == "jobs of any repository of that GitLab installation"


def test_other_issuers_are_judged_as_far_as_they_are_known() -> None:
    buildkite = issuer("https://agent.buildkite.com")
    assert reach(buildkite, {}).kind is Kind.EVERYONE
    assert of_subject("organization:acme:*", buildkite).kind is Kind.UNCLEAR
    assert of_subject("organization:acme:pipeline:x:ref:main", buildkite).kind is Kind.BOUND


def test_what_is_open_for_certain_outweighs_what_is_unclear_and_bound_narrows_both() -> None:
    open_, unclear, bound = of_subject("repo:*"), Reach.unclear("x"), Reach.bound("y")
    assert max(bound, unclear, open_) == open_
    assert min(bound, unclear, open_) == bound
    assert min(unclear, open_) == unclear


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://token.actions.githubusercontent.com", "GitHub Actions"),
        ("token.actions.githubusercontent.com/acme", "GitHub Actions"),
        ("https://github.example.com/_services/token", "GitHub Actions"),
        ("https://gitlab.example.com", "GitLab"),
        ("https://oidc.circleci.com/org/1", "CircleCI"),
        ("https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE", None),
        ("https://accounts.google.com", None),
    ],
)
def test_an_issuer_is_known_by_its_host(url: str, name: str | None) -> None:
    found = TOOLS.issuer(url)
    assert (found.name if found else None) == name
