"""Which jobs of a CI system may take an identity, as what keeps such a trust in the input says: the view `ci_trust`.

Read are AWS trust policies (ACK, Crossplane, JSON files), Azure federated credentials, Google workload identity
providers, and JWT roles of Vault. Terraform, CloudFormation and the cloud accounts themselves are not read.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
Subjects: https://docs.github.com/en/actions/reference/security/oidc, https://docs.gitlab.com/ci/secrets/id_token_authentication/
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from auditor import ci_tools
from auditor.ci_tools import Issuer
from auditor.facts.ci.subjects import Claims, Pattern, Reach, reach, subject_claims
from auditor.facts.shapes import dig, elements, mapping, maps, text
from auditor.model import ci
from auditor.model.resource import Path, Resource, pointer

_POLICIES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "kubernetes/Role.iam.services.k8s.aws": (("spec", "assumeRolePolicyDocument"),),
    "kubernetes/Role.iam.aws.upbound.io": (("spec", "forProvider", "assumeRolePolicy"),),
    "kubernetes/Role.iam.aws.m.upbound.io": (("spec", "forProvider", "assumeRolePolicy"),),
    "kubernetes/Role.iam.aws.crossplane.io": (("spec", "forProvider", "assumeRolePolicyDocument"),),
}
"""Where a kind keeps an AWS trust policy, as JSON text."""
_AZURE: Mapping[str, tuple[str, ...]] = {
    "kubernetes/FederatedIdentityCredential.managedidentity.azure.com": ("spec",),
    "kubernetes/FederatedIdentityCredential.managedidentity.azure.upbound.io": ("spec", "forProvider"),
    "kubernetes/FederatedIdentityCredential.managedidentity.azure.m.upbound.io": ("spec", "forProvider"),
}
_GOOGLE: Mapping[str, tuple[str, ...]] = {
    "kubernetes/IAMWorkloadIdentityPoolProvider.iam.cnrm.cloud.google.com": ("spec",),
    "kubernetes/WorkloadIdentityPoolProvider.iam.gcp.upbound.io": ("spec", "forProvider"),
    "kubernetes/WorkloadIdentityPoolProvider.iam.gcp.m.upbound.io": ("spec", "forProvider"),
}
_VAULT: Mapping[str, tuple[str, ...]] = {
    "kubernetes/JWTOIDCAuthEngineRole.redhatcop.redhat.io": ("spec",),
    "kubernetes/AuthBackendRole.jwt.vault.upbound.io": ("spec", "forProvider"),
    "kubernetes/AuthBackendRole.jwt.vault.m.upbound.io": ("spec", "forProvider"),
}
KINDS = frozenset({*_POLICIES, *_AZURE, *_GOOGLE, *_VAULT, ci.AWS_TRUST})
"""Every type that is read here: `auditor.model.ci.TRUST_TYPES`."""


class _Trust(NamedTuple):
    provider: str
    issuer: str
    subjects: Sequence[str]
    reach: Reach
    path: Path


def trusts(resource: Resource) -> dict[str, Any]:
    """Return the variables of the view."""
    return {
        "trusts": [
            {
                "provider": trust.provider,
                "issuer": trust.issuer,
                "subjects": list(trust.subjects),
                "reach": trust.reach.kind.value,
                "who": trust.reach.who,
                "path": pointer(trust.path),
            }
            for trust in _trusts(resource)
        ]
    }


def _trusts(resource: Resource) -> Iterator[_Trust]:
    type_, body = resource.type, mapping(resource.body)
    if type_ == ci.AWS_TRUST:
        yield from _statements(body, lambda index: ("Statement", *index))
    elif type_ in _POLICIES:
        for path in _POLICIES[type_]:
            yield from _policy_text(text(dig(body, *path)), path)
    elif type_ in _AZURE:
        yield from _azure(mapping(dig(body, *_AZURE[type_])), _AZURE[type_])
    elif type_ in _GOOGLE:
        yield from _google(mapping(dig(body, *_GOOGLE[type_])), _GOOGLE[type_])
    elif type_ in _VAULT:
        yield from _vault(mapping(dig(body, *_VAULT[type_])), _VAULT[type_])


# AWS.


def _policy_text(document: str, path: Path) -> Iterator[_Trust]:
    if "WebIdentity" not in document and "oidc-provider" not in document:
        return
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError):
        issuer = _issuer(next(iter(re.findall(r"oidc-provider/([\w./-]+)", document)), ""))
        if issuer:
            unknown = Reach.unclear("its trust policy is not JSON as it stands")
            yield _Trust("aws", issuer.name, (), unknown, path)
        return
    for trust in _statements(mapping(policy), lambda _: ()):
        yield trust._replace(path=path)


def _statements(policy: Mapping[str, Any], path: Any) -> Iterator[_Trust]:
    listed = policy.get("Statement")
    statements = [((index,), entry) for index, entry in maps(listed)] if isinstance(listed, list) else [((), listed)]
    denied = any(mapping(entry).get("Effect") == "Deny" for _, entry in statements)
    for index, raw in statements:
        statement = mapping(raw)
        actions = [text(action).lower() for action in _listed(statement.get("Action"))]
        if statement.get("Effect") != "Allow" or not any(map(_takes, actions)):
            continue
        for url in _providers(statement):
            issuer = _issuer(url)
            if issuer is not None:
                conditions = list(_conditions(statement.get("Condition"), url))
                found = _aws_reach(conditions, issuer)
                if denied and found.open:
                    found = Reach.unclear("a Deny statement of the same policy may narrow it")
                subjects = [pattern.text for name, patterns in conditions if name == "sub" for pattern in patterns]
                yield _Trust("aws", issuer.name, subjects, found, path(index))


def _takes(action: str) -> bool:
    return action in {"*", "sts:*", "sts:assumerole*"} or action.startswith("sts:assumerolewithwebidentity")


def _providers(statement: Mapping[str, Any]) -> list[str]:
    federated = _listed(mapping(statement.get("Principal")).get("Federated"))
    return [text(arn).partition("oidc-provider/")[2] or text(arn) for arn in federated]


def _conditions(raw: Any, url: str) -> Iterator[tuple[str, list[Pattern]]]:
    """Yield claim and accepted values of each condition that limits it; all of them must hold."""
    host = url.lower()
    for operator, keys in mapping(raw).items():
        name = str(operator).lower().rpartition(":")[2]
        optional = name.endswith("ifexists")
        name = name.removesuffix("ifexists")
        if name not in {"stringequals", "stringequalsignorecase", "stringlike"}:
            continue
        for key, values in mapping(keys).items():
            issuer, _, claim = str(key).rpartition(":")
            # A claim that a token may lack limits nothing where its lack is accepted; every token has a subject.
            if issuer.lower() == host and (claim == "sub" or not optional):
                yield claim, [Pattern(text(value), wild=name == "stringlike") for value in _listed(values)]


def _aws_reach(conditions: Sequence[tuple[str, list[Pattern]]], issuer: Issuer) -> Reach:
    claims: Claims = {name: patterns for name, patterns in conditions if name not in {"sub", "aud"}}
    subjects = [patterns for name, patterns in conditions if name == "sub"]
    if not subjects:
        return reach(issuer, claims)
    # Each condition on the subject must hold: the narrowest decides. Of its values one is enough: the widest decides.
    each = [
        max(reach(issuer, {**claims, **subject_claims(issuer, pattern)}) for pattern in patterns)
        for patterns in subjects
        if patterns
    ]
    return min(each) if each else Reach.nobody()


# Azure, Google, Vault.


def _azure(spec: Mapping[str, Any], path: Path) -> Iterator[_Trust]:
    issuer = _issuer(text(spec.get("issuer")))
    if issuer is None:
        return
    subject = text(spec.get("subject"))
    if subject:
        # Compared as it is: Entra knows no wildcards there.
        found = reach(issuer, subject_claims(issuer, Pattern(subject, wild=False)))
        yield _Trust("azure", issuer.name, (subject,), found, (*path, "subject"))
    else:
        yield _Trust("azure", issuer.name, (), Reach.unclear("it names no subject of its own"), path)


_BINDS = re.compile(
    r"\b(?:assertion|attribute|google)\.(?:ref|environment|job_workflow_ref|workflow_ref|ref_protected|ref_path)\b"
    r"\s*(?:==|in\b)"
)
_BOUND_SUBJECT = re.compile(r"\b(?:assertion\.sub|google\.subject)\s*==\s*['\"](?P<subject>[^'\"]+)['\"]")


def _google(spec: Mapping[str, Any], path: Path) -> Iterator[_Trust]:
    oidc = spec.get("oidc")
    details = mapping(oidc[0] if isinstance(oidc, list) and oidc else oidc)
    issuer = _issuer(text(details.get("issuerUri")) or text(details.get("issuerURI")))
    if issuer is None:
        return
    condition = text(spec.get("attributeCondition")).strip()
    subject = _BOUND_SUBJECT.search(condition)
    if not condition:
        found = reach(issuer, {})
    elif "||" in condition:
        found = Reach.unclear("its attribute condition has alternatives")
    elif subject:
        found = reach(issuer, subject_claims(issuer, Pattern(subject["subject"], wild=False)))
    elif _BINDS.search(condition):
        found = Reach.bound("the jobs that its attribute condition names")
    else:
        found = Reach.unclear(
            "its attribute condition names no branch or environment; the bindings of its service accounts decide"
        )
    yield _Trust("google", issuer.name, [condition] if condition else [], found, path)


def _vault(spec: Mapping[str, Any], path: Path) -> Iterator[_Trust]:
    """Yield what a JWT role accepts. It does not say whose tokens it takes: the claims that it looks at do."""
    wild = text(spec.get("boundClaimsType")) == "glob"
    bound = {
        str(name): [Pattern(text(value).strip(), wild=wild) for value in _separated(values)]
        for name, values in mapping(spec.get("boundClaims")).items()
    }
    subject = text(spec.get("boundSubject"))
    subjects = [Pattern(subject, wild=False)] if subject else bound.pop("sub", [])
    issuer = _issuer_of_claims({*bound}, [pattern.text for pattern in subjects], text(spec.get("userClaim")))
    if issuer is None:
        return
    if subjects:
        found = max(reach(issuer, {**bound, **subject_claims(issuer, pattern)}) for pattern in subjects)
    else:
        found = reach(issuer, bound)
    told = [*(pattern.text for pattern in subjects), *(f"{name}: {_shown(bound[name])}" for name in sorted(bound))]
    yield _Trust("vault", issuer.name, told, found, path)


_GITHUB_CLAIMS = frozenset(
    {"repository", "repository_owner", "repository_id", "job_workflow_ref", "workflow_ref", "repository_owner_id"}
)
_GITLAB_CLAIMS = frozenset({"project_path", "project_id", "namespace_path", "namespace_id", "ci_config_ref_uri"})


def _issuer_of_claims(claims: set[str], subjects: Sequence[str], user_claim: str) -> Issuer | None:
    names = {claim.lstrip("/") for claim in (*claims, user_claim)}
    if names & _GITHUB_CLAIMS or any(subject.startswith(("repo:", "repository")) for subject in subjects):
        return _issuer("token.actions.githubusercontent.com")
    if names & _GITLAB_CLAIMS or any(subject.startswith("project_path:") for subject in subjects):
        return _issuer("gitlab.com")
    return None


def _separated(values: Any) -> list[Any]:
    """Return the accepted values of a claim: a list, or texts with commas between them, as operators write them."""
    if isinstance(values, bool):
        return ["true" if values else "false"]
    return values.split(",") if isinstance(values, str) else elements(values)


def _shown(patterns: Sequence[Pattern]) -> str:
    return ", ".join(pattern.text for pattern in patterns)


def _issuer(url: str) -> Issuer | None:
    return ci_tools.load().issuer(url) if url else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
