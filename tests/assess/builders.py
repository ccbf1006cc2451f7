"""Findings, subjects and assessments that several tests here need."""

from dataclasses import replace
from datetime import UTC, date, datetime

from auditor.assess.fingerprints import finding_fingerprint
from auditor.model.assessment import Assessment, Run, Subject, Waiver
from auditor.model.coverage import Coverage
from auditor.model.policy import PolicyInfo
from auditor.model.resource import Location
from auditor.model.verdict import Finding, Outcome, PolicyResult, Severity

TODAY = date(2026, 11, 24)
VALUE, OTHER_VALUE = "a" * 32, "b" * 32


def subject(name: str, *, type_: str = "kubernetes/Deployment", namespace: str = "shop") -> Subject:
    return Subject(
        id=f"{type_}:{namespace}/{name}",
        type=type_,
        namespace=namespace,
        name=name,
        location=Location(file=f"{namespace}/{name}.yaml", line=1),
    )


SUBJECTS = (subject("web"), subject("cart"), subject("web", namespace="payments"))


def finding(
    policy: str = "K-SEC-02", *, index: int = 0, item: str = "spec.containers[web].env[TOKEN]", value: str = ""
) -> Finding:
    return Finding(
        policy_id=policy,
        subject=index,
        item=item,
        fingerprint=finding_fingerprint(policy, SUBJECTS[index].id, item),
        value_fingerprint=value,
        message=f"{item} is not as it should be",
        location=Location(file=f"{SUBJECTS[index].name}.yaml", line=7, column=3),
        severity=Severity.HIGH,
    )


def waiver(**changes: object) -> Waiver:
    usual = Waiver(
        id="W-1",
        policy="K-SEC-02",
        subject="kubernetes/Deployment:shop/web",
        reason="moved to files in January",
        owner="shop team",
        approver="security",
        ticket="OPS-1",
        expires=date(2027, 1, 31),
        location=Location(file="waivers.yaml", line=2),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def assessment(*findings: Finding, policies: tuple[str, ...] = ("K-SEC-01", "K-SEC-02"), key: str = "") -> Assessment:
    """Return an assessment of `SUBJECTS` in which exactly `findings` fail."""
    failed = {(found.policy_id, found.subject) for found in findings if found.outcome is Outcome.FAIL}
    waived = {(found.policy_id, found.subject) for found in findings} - failed
    indexes = range(len(SUBJECTS))
    return Assessment(
        run=Run(
            tool_version="1.0",
            started=datetime(2026, 11, 24, 9, tzinfo=UTC),
            arguments=("deploy/",),
            policy_pack_digest="1" * 64,
            input_digest="2" * 64,
            fingerprint_key_id=key,
        ),
        coverage=(Coverage(source="manifests: deploy/", files_found=3, files_read=3, documents=3, resources=3),),
        subjects=SUBJECTS,
        policies=tuple(
            PolicyInfo(
                id=policy, name="fault", title="Fault", severity=Severity.HIGH, rationale="why", remediation="how"
            )
            for policy in policies
        ),
        results=tuple(
            PolicyResult(
                policy_id=policy,
                passed=tuple(index for index in indexes if (policy, index) not in failed | waived),
                failed=tuple(index for index in indexes if (policy, index) in failed),
                waived=tuple(index for index in indexes if (policy, index) in waived),
            )
            for policy in policies
        ),
        findings=findings,
        frameworks=(),
        requirements=(),
    )
