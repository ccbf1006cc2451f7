"""Trusts in CI jobs, as objects and files keep them."""

import json
from typing import Any

import pytest
import yaml

from auditor.facts.ci.trust import KINDS, trusts
from auditor.model.ci import TRUST_TYPES
from auditor.model.resource import Origin, Resource

PROVIDER = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
HOST = "token.actions.githubusercontent.com"


def of(type_: str, body: Any) -> list[dict[str, Any]]:
    body = yaml.safe_load(body) if isinstance(body, str) else body
    found: list[dict[str, Any]] = trusts(Resource(type=type_, name="r", body=body, origin=Origin(file="r.yaml")))[
        "trusts"
    ]
    return found


def statement(condition: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": PROVIDER},
        "Condition": condition,
    } | more


def aws(*statements: dict[str, Any]) -> list[str]:
    return [trust["reach"] for trust in of("file/aws-trust-policy", {"Statement": list(statements)})]


OPEN, BOUND = f"{HOST}:sub", "repo:acme/shop:ref:refs/heads/main"


@pytest.mark.parametrize(
    ("condition", "reach"),
    [
        ({}, "everyone"),
        ({"StringEquals": {f"{HOST}:aud": "sts.amazonaws.com"}}, "everyone"),
        ({"StringLike": {OPEN: "repo:acme/shop:*"}}, "any-branch"),
        ({"ForAnyValue:StringLike": {OPEN: ["repo:acme/shop:*"]}}, "any-branch"),
        ({"StringLike": {OPEN: [BOUND, "repo:acme/*"]}}, "owner"),
        ({"StringEquals": {OPEN: BOUND}}, "bound"),
        ({"StringLike": {OPEN: "repo:acme/*"}, "StringEquals": {OPEN: BOUND}}, "bound"),
        ({"StringEqualsIfExists": {OPEN: BOUND}}, "bound"),
        ({"StringNotEquals": {OPEN: "repo:evil/x"}}, "everyone"),
        ({"StringLike": {OPEN: "repo:acme/shop:*"}, "StringEquals": {f"{HOST}:environment": "prod"}}, "bound"),
        (
            {"StringLike": {OPEN: "repo:acme/shop:*"}, "StringEqualsIfExists": {f"{HOST}:environment": "p"}},
            "any-branch",
        ),
        ({"StringLike": {"other.example.com:sub": BOUND}}, "everyone"),
        ({"StringEquals": {OPEN: []}}, "bound"),
        ({"StringLike": "nonsense"}, "everyone"),
    ],
)
def test_the_narrowest_condition_and_the_widest_value_decide(condition: dict[str, Any], reach: str) -> None:
    assert aws(statement(condition)) == [reach]


def test_only_what_lets_ci_jobs_in_counts() -> None:
    assert aws(statement({}, Effect="Deny")) == []
    assert aws(statement({}, Action="sts:AssumeRole")) == []
    assert aws(statement({}, Principal={"Service": "ec2.amazonaws.com"})) == []
    assert aws(statement({}, Principal={"Federated": "arn:aws:iam::1:oidc-provider/oidc.eks.example.com/id/X"})) == []
    assert aws(statement({}, Action=["sts:TagSession", "sts:*"])) == ["everyone"]
    assert aws(statement({}, Principal={"Federated": [PROVIDER, PROVIDER]})) == ["everyone", "everyone"]


def test_a_deny_beside_it_leaves_what_is_open_undecided() -> None:
    deny = statement({}, Effect="Deny")
    assert aws(statement({}), deny) == ["unclear"]
    assert aws(statement({"StringEquals": {OPEN: BOUND}}), deny) == ["bound"]


def test_each_statement_has_its_place() -> None:
    policy = {"Statement": [statement({}), statement({"StringEquals": {OPEN: BOUND}})]}
    assert [trust["path"] for trust in of("file/aws-trust-policy", policy)] == ["/Statement/0", "/Statement/1"]
    assert [trust["path"] for trust in of("file/aws-trust-policy", {"Statement": statement({})})] == ["/Statement"]


@pytest.mark.parametrize(
    ("type_", "field"),
    [
        ("kubernetes/Role.iam.services.k8s.aws", ("spec", "assumeRolePolicyDocument")),
        ("kubernetes/Role.iam.aws.upbound.io", ("spec", "forProvider", "assumeRolePolicy")),
        ("kubernetes/Role.iam.aws.m.upbound.io", ("spec", "forProvider", "assumeRolePolicy")),
        ("kubernetes/Role.iam.aws.crossplane.io", ("spec", "forProvider", "assumeRolePolicyDocument")),
    ],
)
def test_operators_keep_the_policy_as_text(type_: str, field: tuple[str, ...]) -> None:
    def role(document: str) -> Any:
        body: Any = document
        for step in reversed(field):
            body = {step: body}
        return body

    (trust,) = of(type_, role(json.dumps({"Statement": [statement({"StringLike": {OPEN: "repo:acme/shop:*"}})]})))
    assert (trust["provider"], trust["issuer"], trust["reach"]) == ("aws", "GitHub Actions", "any-branch")
    assert trust["subjects"] == ["repo:acme/shop:*"]
    assert trust["path"] == "/" + "/".join(field)
    assert [entry["reach"] for entry in of(type_, role(f"%s oidc-provider/{HOST}"))] == ["unclear"]
    assert of(type_, role("%s oidc-provider/oidc.eks.example.com")) == []
    assert of(type_, role("")) == []


@pytest.mark.parametrize(
    ("spec", "reach"),
    [
        ("issuer: https://token.actions.githubusercontent.com, subject: 'repo:acme/shop:environment:prod'", "bound"),
        (
            "issuer: https://token.actions.githubusercontent.com, subject: 'repo:acme/shop:pull_request'",
            "pull-requests",
        ),
        ("issuer: https://gitlab.com, subject: 'project_path:acme/shop:ref_type:branch:ref:main'", "bound"),
        ("issuer: https://token.actions.githubusercontent.com", "unclear"),
        ("issuer: https://example.oic.prod-aks.azure.com/t/c/, subject: 'system:serviceaccount:a:b'", None),
    ],
)
def test_azure_compares_one_subject(spec: str, reach: str | None) -> None:
    for type_, body in (
        ("kubernetes/FederatedIdentityCredential.managedidentity.azure.com", f"spec: {{{spec}}}"),
        (
            "kubernetes/FederatedIdentityCredential.managedidentity.azure.upbound.io",
            f"spec: {{forProvider: {{{spec}}}}}",
        ),
    ):
        assert [trust["reach"] for trust in of(type_, body)] == ([reach] if reach else [])


@pytest.mark.parametrize(
    ("condition", "reach"),
    [
        ("", "everyone"),
        ("assertion.repository_owner == 'acme'", "unclear"),
        ("assertion.repository == 'acme/shop' && assertion.ref == 'refs/heads/main'", "bound"),
        ("attribute.environment in ['production']", "bound"),
        ("assertion.repository == 'a' || assertion.ref == 'b'", "unclear"),
        ("assertion.sub == 'repo:acme/shop:ref:refs/heads/main'", "bound"),
        ("google.subject == 'repo:acme/shop:pull_request'", "pull-requests"),
    ],
)
def test_google_compares_in_a_condition(condition: str, reach: str) -> None:
    spec = {"attributeCondition": condition, "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"}}
    kcc = "kubernetes/IAMWorkloadIdentityPoolProvider.iam.cnrm.cloud.google.com"
    assert [trust["reach"] for trust in of(kcc, {"spec": spec})] == [reach]
    crossplane = {"spec": {"forProvider": {**spec, "oidc": [spec["oidc"]]}}}
    assert [
        trust["reach"] for trust in of("kubernetes/WorkloadIdentityPoolProvider.iam.gcp.upbound.io", crossplane)
    ] == [reach]


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("boundClaims: {repository: acme/shop, ref: refs/heads/main}", ("GitHub Actions", "bound")),
        ("boundClaims: {repository: acme/shop}", ("GitHub Actions", "any-branch")),
        ("boundClaims: {repository: 'acme/shop,acme/web'}", ("GitHub Actions", "any-branch")),
        ("boundClaimsType: glob, boundClaims: {repository: acme/*}", ("GitHub Actions", "owner")),
        ("boundClaimsType: glob, boundClaims: {sub: 'repo:acme/shop:*'}", ("GitHub Actions", "any-branch")),
        ("boundSubject: 'repo:acme/shop:ref:refs/heads/main'", ("GitHub Actions", "bound")),
        ("boundClaims: {project_id: '22', ref: main, ref_type: branch}", ("GitLab", "bound")),
        ("boundClaims: {project_path: acme/shop, ref_protected: true}", ("GitLab", "bound")),
        ("userClaim: repository", ("GitHub Actions", "everyone")),
        ("userClaim: email, boundClaims: {groups: admins}", None),
        ("userClaim: sub, boundSubject: 'system:serviceaccount:a:b'", None),
    ],
)
def test_vault_compares_claims(spec: str, found: tuple[str, str] | None) -> None:
    for type_, body in (
        ("kubernetes/JWTOIDCAuthEngineRole.redhatcop.redhat.io", f"spec: {{{spec}}}"),
        ("kubernetes/AuthBackendRole.jwt.vault.upbound.io", f"spec: {{forProvider: {{{spec}}}}}"),
    ):
        assert [(trust["issuer"], trust["reach"]) for trust in of(type_, body)] == ([found] if found else [])


def test_the_table_of_types_is_what_is_read() -> None:
    assert KINDS == TRUST_TYPES
