"""Made-up assessments for the tests of all report formats: one with everything, an empty one, a large one."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TypeVar

from auditor.model.assessment import Assessment, BaselineUse, Run, Subject, Waiver, WaiverUse
from auditor.model.collection import Call, CallResult, Identity, Source
from auditor.model.coverage import Coverage, Gap, GapReason
from auditor.model.framework import Automation, Framework, Requirement, RequirementResult
from auditor.model.leaks import LeakedRule, Leaks
from auditor.model.policy import Condition, Link, PolicyInfo, Strength
from auditor.model.resource import Location
from auditor.model.sighting import Searched, Where
from auditor.model.verdict import Finding, Outcome, Parameter, PolicyResult, Severity, SubjectKind

T = TypeVar("T")

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)

HOSTILE = (
    "a | b `tick` <script>alert(\"x\")</script> & 'quote' \\ %0A ::error:: *star* _under_ [l](http://e.test) "
    "#1 @team $x$ "
    "\x1b[31mred\x1b[0m \x1b]8;;http://e.test\x07link \x00nul \x85nel \u202egnp.exe\u202c \u2066iso\u2069 "
    "\u200bzero \ufeffbom \u2028ls \r\n=1+1\ttab ]]> --> Ünïcode 日本語 🔐"
)
"""One text with everything that any format must neutralise. It stands in messages, names, paths and reasons."""

LONG = "a very long word " * 200 + "x" * 500
"""3,900 characters, the last 500 of them one word."""

NOT_UTF8 = "deploy/caf\udce9.yaml"
"""A file name that is no UTF-8, as Python reads it (a lone surrogate)."""

_DIGEST = "5f0c6a4be2d1937788aa0c1e44b0d9f3e7a1c52b6d8f90a1b2c3d4e5f6071829"


def rich() -> Assessment:
    """Return an assessment in which each thing that a report can show is there at least once."""
    subjects = _subjects()
    return Assessment(
        run=Run(
            tool_version="0.1.0",
            started=NOW,
            arguments=("deploy/", "--fail-on", "high"),
            policy_pack_digest=_DIGEST,
            input_digest=_DIGEST[::-1],
            configuration_digest=_DIGEST[32:] + _DIGEST[:32],
            fingerprint_key_id="k-2026",
            tags=("cde", "payments"),
            deselected=(("K-AUD-02", "ignored by --ignore"), ("K-CTL-03", "not selected by --select")),
        ),
        coverage=_coverage(),
        subjects=subjects,
        policies=_policies(),
        results=_results(),
        findings=_findings(),
        frameworks=_frameworks(),
        requirements=_requirements(),
        waivers=_waivers(),
        baseline=BaselineUse(file=".auditor/baseline.json", written="2026-10-01", known=1, fixed=3, incomparable=1),
    )


def empty() -> Assessment:
    """Return an assessment that found nothing to judge: no policy, no subject, no framework."""
    return Assessment(
        run=Run(tool_version="0.1.0", started=NOW, arguments=(), policy_pack_digest="", input_digest=""),
        coverage=(),
        subjects=(),
        policies=(),
        results=(),
        findings=(),
        frameworks=(),
        requirements=(),
    )


def clean() -> Assessment:
    """Return an assessment in which everything passed and everything was read."""
    whole = rich()
    subjects = tuple(subject for subject in whole.subjects if subject.name == "web")
    policy = replace(whole.policies[0], links=(Link(requirement="soc2/CC6.1", strength=Strength.DIRECT),))
    return Assessment(
        run=whole.run,
        coverage=(replace(whole.coverage[0], gaps=()),),
        subjects=subjects,
        policies=(policy,),
        results=(PolicyResult(policy_id=policy.id, passed=tuple(range(len(subjects)))),),
        findings=(),
        frameworks=(replace(whole.frameworks[1], requirements=whole.frameworks[1].requirements[:1]),),
        requirements=(
            RequirementResult(
                framework_id="soc2",
                requirement_id="CC6.1",
                outcome=Outcome.PASS,
                policies=((policy.id, Strength.DIRECT, Outcome.PASS),),
                passed=len(subjects),
            ),
        ),
    )


def live() -> Assessment:
    """Return the assessment of two clusters: one read by a person with a hole in it, one that could not be read."""
    whole = rich()
    place = "kubernetes://prod/apis/apps/v1/namespaces/shop/deployments/web"
    role = "kubernetes://prod/apis/rbac.authorization.k8s.io/v1/clusterroles/reader"
    subjects = (
        _live("fact/kubernetes-grant", "", "ClusterRoleBinding/ops:Group admins", role),
        _live("fact/kubernetes-list", "", "Deployment", "kubernetes://prod/apis/apps/v1/deployments"),
        _live("fact/kubernetes-list", "", "Secret", "kubernetes://prod/api/v1/secrets"),
        _live("kubernetes/Deployment", "shop", "web", place),
    )
    reader = Location(file=role, pointer="/rules/0")
    return replace(
        whole,
        run=replace(whole.run, arguments=("estate.snapshot",)),
        coverage=(
            Coverage(
                source="kubernetes: dr",
                gaps=(Gap(file="kubernetes://dr", reason=GapReason.SOURCE_FAILED, detail="No address answered."),),
            ),
            Coverage(
                source="kubernetes: prod",
                resources=41,
                by_type=(("kubernetes/ClusterRole", 40), ("kubernetes/Deployment", 1)),
                gaps=(
                    Gap(file="kubernetes://prod/api/v1/secrets", reason=GapReason.FORBIDDEN, detail=_FORBIDDEN),
                    Gap(file=f"kubernetes://prod/{HOSTILE}", reason=GapReason.CUT, detail=HOSTILE),
                ),
            ),
        ),
        subjects=subjects,
        results=(
            PolicyResult(policy_id="K-RBAC-01", failed=(0,), items=4),
            PolicyResult(policy_id="K-SEC-02", passed=(3,), items=2),
            PolicyResult(
                policy_id="K-SEC-14",
                not_evaluated=((-1, "dr: No address answered."), (-1, "prod: the list of Secret was forbidden")),
            ),
        ),
        findings=(
            replace(
                _findings()[0],
                location=reader,
                related=(("binding", Location(file="kubernetes://prod/apis/x/clusterrolebindings/ops")),),
            ),
        ),
        waivers=(),
        baseline=None,
        sources=_sources(),
        calls=_calls(),
    )


def leaked() -> Assessment:
    """Return what a search of a history gave: a key in twelve files, a password in the history alone, one waived."""
    whole = rich()
    commit, older = "1a2b3c4d5e6f7081" * 2 + "aabbccdd", "0f" * 20
    places = (
        *((f"services/{number:02}/.env", 3, "github-token", commit, "yes") for number in range(12)),
        ("old.env", 7, "named-credential:DB_PASSWORD", older, "no"),
        (f"docs/{HOSTILE}.md", 1, "url-password", older, "yes"),
    )
    subjects = tuple(
        Subject(
            id=f"fact/credential:/{path}:{rule}",
            type="fact/credential",
            namespace="",
            name=f"{path}:{rule}",
            location=Location(file=path, line=line),
        )
        for path, line, rule, _, _ in places
    )
    findings = tuple(
        Finding(
            policy_id="L-GIT-01",
            subject=index,
            fingerprint=f"{index:032x}",
            value_fingerprint=("0a" if index < 12 else f"{index:02x}") * 16,
            message="GitHub access token (ghp_***), 40 characters, since 2021-05-06",
            location=subjects[index].location,
            evidence=(("rule", rule.partition(":")[0]), ("tier", "1"), ("commit", id_), ("in HEAD", there)),
            severity=Severity.CRITICAL,
            outcome=Outcome.WAIVED if index == 13 else Outcome.FAIL,
            waiver_id="W-2026-001" if index == 13 else "",
        )
        for index, (_, _, rule, id_, there) in enumerate(places)
    )
    policy = _policy("L-GIT-01", "credential-in-repository", "Credential in a repository", Severity.CRITICAL)
    return replace(
        whole,
        run=replace(whole.run, arguments=(".",), deselected=()),
        coverage=(Coverage(source="history: .", files_found=900, files_read=870, documents=870, resources=870,
                           skipped=(("binary", 30),)),),
        subjects=subjects,
        policies=(policy,),
        results=(PolicyResult(policy_id="L-GIT-01", failed=tuple(range(13)), waived=(13,)),),
        findings=findings,
        requirements=(),
        waivers=whole.waivers[:1],
        baseline=None,
        leaks=Leaks(
            searched=(
                Searched(
                    where=Where.HISTORY, name=".", read=870, bytes_read=43_210_000, found=3, complete=True,
                    repository="ssh://git.example/team/shop.git", head=commit,
                ),
                Searched(where=Where.LOG, name=f"{HOSTILE}.log", read=1, bytes_read=900, found=0, complete=False),
            ),
            credentials=3, places=14, files=14, commits=2, since=datetime(2021, 5, 6, 7, 8, 9, tzinfo=UTC),
            present=2, historical=1, unasked=0, waived=1, possible=4,
            rules=(
                LeakedRule(rule="github-token", title="GitHub access token", tier=1, credentials=1, places=12,
                           since=datetime(2022, 1, 2, tzinfo=UTC), present=1, waived=0),
                LeakedRule(rule="named-credential", title=HOSTILE, tier=2, credentials=1, places=1,
                           since=datetime(2021, 5, 6, 7, 8, 9, tzinfo=UTC), present=0, waived=0),
                LeakedRule(rule="url-password", title="Password in a URL", tier=2, credentials=1, places=1,
                           since=None, present=1, waived=1),
            ),
        ),
    )  # fmt: skip


_FORBIDDEN = "The identity may not list secrets; grant it, or read references alone."


def _live(type_: str, namespace: str, name: str, file: str) -> Subject:
    return Subject(
        id=f"{type_}:{namespace}/{name}@prod", type=type_, namespace=namespace, name=name, location=Location(file=file),
        source="prod",
    )  # fmt: skip


def _sources() -> tuple[Source, ...]:
    return (
        Source(
            name="dr",
            plane="kubernetes",
            endpoint="https://10.1.0.1:6443",
            failure="No address answered.",
            started=NOW,
            ended=NOW,
        ),
        Source(
            name="prod",
            plane="kubernetes",
            endpoint="https://api.prod.example:6443",
            identifier="0b7c1a52-3c5e-4d0e-9a4e-0f8f5f1d2c3b",
            version="v1.36.3",
            provider="eks",
            identity=Identity(user="auditor", groups=("readers", HOSTILE), impersonated_by="ada"),
            clock_offset_seconds=-1.5,
            tags=("cde", HOSTILE),
            scope={"secrets": "metadata", "namespaces": []},
            facts={"authorizers": ["node", "rbac"], "odd": HOSTILE},
            permissions_held=("list deployments.apps",),
            permissions_missing=("list secrets",),
            fingerprint_key_id="k-2026",
            started=NOW,
            ended=NOW,
        ),
    )


def _calls() -> tuple[Call, ...]:
    def call(type_: str, request: str, result: CallResult, **more: object) -> Call:
        given: dict[str, object] = {"source": "prod", "started": NOW, "ended": NOW} | more
        return Call(type=type_, request=request, result=result, **given)  # type: ignore[arg-type]

    return (
        call(
            "kubernetes/Certificate.cert-manager.io", "", CallResult.NOT_SERVED, reason="The cluster does not serve it."
        ),
        call(
            "kubernetes/ClusterRole",
            "GET /apis/rbac.authorization.k8s.io/v1/clusterroles",
            CallResult.READ,
            status=200,
            parameters=(("limit", "500"),),
            pages=1,
            items=40,
            kept=40,
            remaining=0,
            resource_version="812",
            sha256="a" * 64,
        ),
        call(
            "kubernetes/Deployment",
            "GET /apis/apps/v1/deployments",
            CallResult.READ,
            status=200,
            pages=1,
            items=1,
            kept=1,
            remaining=0,
            retries=1,
        ),
        call(
            "kubernetes/Pod",
            f"GET /api/v1/pods?{HOSTILE}",
            CallResult.CUT,
            namespace="shop",
            reason=HOSTILE,
            pages=3,
            items=1500,
            kept=20,
            folded=1480,
        ),
        call("kubernetes/Secret", "GET /api/v1/secrets", CallResult.FORBIDDEN, status=403, reason=_FORBIDDEN),
    )


def large(findings: int, *, policies: int = 40) -> Assessment:
    """Return an assessment with that many findings over `policies` policies; each third subject passes as well."""
    infos = tuple(
        _policy(f"K-LOAD-{number:02}", f"fault-{number:02}", f"Fault number {number}", tuple(Severity)[number % 5])
        for number in range(policies)
    )
    subjects = tuple(
        Subject(
            id=f"kubernetes/Deployment:team-{number % 97:02}/service-{number:05}",
            type="kubernetes/Deployment",
            namespace=f"team-{number % 97:02}",
            name=f"service-{number:05}",
            location=Location(file=f"deploy/team-{number % 97:02}/service-{number:05}.yaml", line=1, column=1),
        )
        for number in range(max(1, findings * 2 // 3))
    )
    found = [
        Finding(
            policy_id=infos[number % policies].id,
            subject=(number // policies * 7 + number % policies * 131) % len(subjects),
            item=f"spec.template.spec.containers[app].env[SETTING_{number:05}]",
            fingerprint=f"{number:032x}",
            message=f"container app takes SETTING_{number:05} from Secret service-{number:05} through its environment",
            location=Location(
                file=subjects[(number // policies * 7 + number % policies * 131) % len(subjects)].location.file,
                line=20 + number % 100,
                column=11,
                pointer=f"/spec/template/spec/containers/0/env/{number % 100}",
            ),
            evidence=(("secret", f"service-{number:05}"), ("key", "password")),
            severity=infos[number % policies].severity,
        )
        for number in range(findings)
    ]
    failed: dict[str, set[int]] = {info.id: set() for info in infos}
    for finding in found:
        failed[finding.policy_id].add(finding.subject)
    return Assessment(
        run=Run(
            tool_version="0.1.0",
            started=NOW,
            arguments=("deploy/",),
            policy_pack_digest=_DIGEST,
            input_digest=_DIGEST,
        ),
        coverage=(
            Coverage(
                source="manifests: deploy/",
                files_found=len(subjects),
                files_read=len(subjects),
                documents=len(subjects),
                resources=len(subjects),
                by_type=(("kubernetes/Deployment", len(subjects)),),
            ),
        ),
        subjects=subjects,
        policies=infos,
        results=tuple(
            PolicyResult(
                policy_id=info.id,
                passed=tuple(index for index in range(0, len(subjects), 3) if index not in failed[info.id]),
                failed=tuple(sorted(failed[info.id])),
            )
            for info in infos
        ),
        findings=tuple(
            sorted(found, key=lambda finding: (-finding.severity.rank, finding.policy_id, finding.location.file))
        ),
        frameworks=_frameworks(),
        requirements=_requirements(),
    )


def shuffled(assessment: Assessment, seed: int) -> Assessment:
    """Return the same assessment with everything whose order means nothing in another order, subjects renumbered."""
    source = random.Random(seed)  # noqa: S311 - a test's order, not a secret

    def mix(items: Sequence[T]) -> tuple[T, ...]:
        return tuple(source.sample(list(items), len(items)))

    order = source.sample(range(len(assessment.subjects)), len(assessment.subjects))
    place = {old: new for new, old in enumerate(order)} | {-1: -1}
    return replace(
        assessment,
        coverage=tuple(replace(part, gaps=mix(part.gaps)) for part in mix(assessment.coverage)),
        subjects=tuple(assessment.subjects[old] for old in order),
        policies=mix(assessment.policies),
        results=mix(
            [
                replace(
                    result,
                    passed=mix([place[index] for index in result.passed]),
                    failed=mix([place[index] for index in result.failed]),
                    waived=mix([place[index] for index in result.waived]),
                    not_evaluated=mix([(place[index], reason) for index, reason in result.not_evaluated]),
                    not_applicable=mix(result.not_applicable),
                )
                for result in assessment.results
            ]
        ),
        findings=mix([replace(finding, subject=place[finding.subject]) for finding in assessment.findings]),
        frameworks=mix(assessment.frameworks),
        requirements=mix(assessment.requirements),
        waivers=mix(assessment.waivers),
        sources=mix(assessment.sources),
        calls=mix(assessment.calls),
        leaks=assessment.leaks
        and replace(assessment.leaks, searched=mix(assessment.leaks.searched), rules=mix(assessment.leaks.rules)),
    )


def _subject(  # noqa: PLR0917 - one line an entry
    type_: str, namespace: str, name: str, file: str, line: int | None, rendered: str = ""
) -> Subject:
    return Subject(
        id=f"{type_}:{namespace}/{name}",
        type=type_,
        namespace=namespace,
        name=name,
        location=Location(file=file, line=line, column=1 if line else None, rendered_from=rendered),
    )


def _subjects() -> tuple[Subject, ...]:
    return (
        _subject("fact/kubernetes-grant", "", "ClusterRoleBinding ops to Group admins", "deploy/rbac.yaml", 30),
        _subject("kubernetes/Deployment", "odd", HOSTILE, "deploy/odd | name, 100%: [1].yaml", 1),
        _subject("kubernetes/Deployment", "payments", "api", "deploy/payments/api.yaml", 1),
        _subject("kubernetes/Deployment", "payments", "legacy", "deploy/payments/legacy.yaml", 1),
        _subject(
            "kubernetes/Deployment", "shop", "web", "charts/web/templates/web.yaml", None, "Helm chart charts/web"
        ),
        _subject("kubernetes/Job", "payments", "migrate", "deploy/payments/migrate.yaml", 3),
        _subject("kubernetes/Secret", "payments", "db", "deploy/payments/db.yaml", 1),
        _subject("kubernetes/ServiceAccount", "shop", "web", "-", 12),
        _subject("kubernetes/StatefulSet", "shop", "café", NOT_UTF8, 1),
    )


def _policy(id_: str, name: str, title: str, severity: Severity, links: tuple[Link, ...] = ()) -> PolicyInfo:
    return PolicyInfo(
        id=id_,
        name=name,
        title=title,
        severity=severity,
        rationale="The environment leaks into child processes, dumps and logs, and outlives a rotation.",
        remediation="Mount the Secret as a read-only volume and read the file at each use.",
        snippet="volumeMounts:\n  - name: db\n    mountPath: /run/secrets/db\n    readOnly: true\n",
        tags=("secrets", "workload"),
        links=links,
        references=(
            "nist-800-53r5/IA-5(7)",
            "cis-kubernetes-1.12/5.4.1",
            "https://kubernetes.io/docs/concepts/configuration/secret/",
        ),
        expression="variables.containers.all(c, c.?env.orValue([]).all(e, !has(e.valueFrom)))",
        digest=_DIGEST,
    )


def _policies() -> tuple[PolicyInfo, ...]:
    direct, supporting = Strength.DIRECT, Strength.SUPPORTING
    return (
        replace(
            _policy(
                "K-ENC-01",
                "secrets-not-encrypted-at-rest",
                "Secrets are stored unencrypted in etcd",
                Severity.HIGH,
                (
                    Link(requirement="soc2/CC6.1", strength=direct),
                    Link(
                        requirement="pci-dss-4.0.1/3.6.1",
                        strength=supporting,
                        conditions=(Condition.PROTECTS_ACCOUNT_DATA,),
                    ),
                ),
            ),
            rationale="Who reads a backup of etcd reads every Secret.",
            remediation="Name an encryption provider for `secrets` before `identity`.",
            tags=("encryption",),
            snippet="",
        ),
        replace(
            _policy(
                "K-RBAC-01",
                "reads-all-secrets",
                "Role that reads every Secret of the cluster",
                Severity.CRITICAL,
                (
                    Link(requirement="soc2/CC6.3", strength=direct),
                    Link(requirement="pci-dss-4.0.1/7.2.5", strength=direct, conditions=(Condition.WORKLOAD_ACCOUNT,)),
                ),
            ),
            rationale="One leaked token of this principal is a leak of all Secrets.",
            remediation="Bind a Role that names the Secrets it needs in `resourceNames`.",
            tags=("access",),
        ),
        _policy(
            "K-SEC-01",
            "literal-credential",
            "Credential written into a manifest",
            Severity.HIGH,
            (
                Link(requirement="soc2/CC6.1", strength=direct),
                Link(requirement="pci-dss-4.0.1/8.6.2", strength=direct, conditions=(Condition.INTERACTIVE_LOGIN,)),
            ),
        ),
        _policy(
            "K-SEC-02",
            "secret-in-env",
            "Secret handed to a container as an environment variable",
            Severity.LOW,
            (Link(requirement="soc2/CC6.1", strength=supporting),),
        ),
        replace(
            _policy("K-SEC-14", "certificate-expires-soon", "Certificate that expires soon", Severity.MEDIUM),
            rationale="An expired certificate is an outage.",
            remediation="Renew it, or let cert-manager renew it.",
        ),
        replace(
            _policy("K-TOK-01", "token-mounted", "API token mounted into a pod that does not use it", Severity.MEDIUM),
            remediation="Set `automountServiceAccountToken: false` on the pod.",
            snippet="spec:\n  automountServiceAccountToken: false\n",
        ),
        replace(
            _policy("X-ODD-01", "odd", HOSTILE, Severity.INFO, (Link(requirement="soc2/C1.1", strength=supporting),)),
            rationale=HOSTILE,
            remediation=HOSTILE,
            snippet=f"# ```\n{HOSTILE}\n",
            tags=("odd, tag", HOSTILE),
            references=("javascript:alert(1)", 'https://example.test/?a="><script>'),
            expression=HOSTILE,
        ),
    )


def _results() -> tuple[PolicyResult, ...]:
    days = Parameter(name="max_days", value="30", unit="days", origin="tool-default", reference="a month to react")
    return (
        PolicyResult(
            policy_id="K-ENC-01",
            not_evaluated=((-1, "the input holds no EncryptionConfiguration; the API server's flags decide"),),
        ),
        PolicyResult(policy_id="K-RBAC-01", failed=(0,), items=4),
        PolicyResult(
            policy_id="K-SEC-01",
            passed=(4, 5),
            failed=(2, 6),
            waived=(3,),
            not_applicable=(("SOPS encrypts it", 1),),
            items=23,
        ),
        PolicyResult(policy_id="K-SEC-02", passed=(5,), failed=(2, 4, 8), items=11),
        PolicyResult(
            policy_id="K-SEC-14",
            passed=(6,),
            parameters=(days, replace(days, name="odd", value=HOSTILE, unit="", origin="entity", reference=HOSTILE)),
        ),
        PolicyResult(
            policy_id="K-TOK-01",
            passed=(2,),
            not_evaluated=(
                (3, "the ServiceAccount legacy is not in the input"),
                (4, "the ServiceAccount web is not in the input"),
                (5, "the ServiceAccount legacy is not in the input"),
                (8, HOSTILE),
            ),
            not_applicable=(("a Job ends by itself", 1), (HOSTILE, 2)),
        ),
        PolicyResult(
            policy_id="X-ODD-01", failed=(1, 7), parameters=(replace(days, name="min_bits", value="2048", unit="bits"),)
        ),
    )


def _finding(  # noqa: PLR0917 - one line an entry
    number: int, policy: str, subject: int, severity: Severity, item: str, message: str, at: Location
) -> Finding:
    return Finding(
        policy_id=policy,
        subject=subject,
        severity=severity,
        item=item,
        message=message,
        location=at,
        fingerprint=f"{number:02x}" * 16,
    )


def _findings() -> tuple[Finding, ...]:
    grant = _finding(
        1,
        "K-RBAC-01",
        0,
        Severity.CRITICAL,
        "rule get,list secrets",
        "Group admins may get, list secrets in every namespace",
        Location(file="deploy/rbac.yaml", line=12, column=5, pointer="/rules/0"),
    )
    api = Location(
        file="deploy/payments/api.yaml", line=27, column=15, pointer="/spec/template/spec/containers/0/env/2"
    )
    secret = _finding(
        2,
        "K-SEC-01",
        2,
        Severity.HIGH,
        "spec.template.spec.containers[api].env[DB_PASSWORD]",
        "container api: DB_PASSWORD holds a credential (named-credential, likely, 12 characters)",
        api,
    )
    legacy = _finding(
        4,
        "K-SEC-01",
        3,
        Severity.HIGH,
        "spec.template.spec.containers[legacy].args[0]",
        "container legacy: an argument holds a URL with a password",
        Location(
            file="deploy/payments/legacy.yaml", line=19, column=11, pointer="/spec/template/spec/containers/0/args/0"
        ),
    )
    return (
        replace(
            grant,
            about=SubjectKind.USER,
            related=(
                ("binding", Location(file="deploy/rbac.yaml", line=30, column=1)),
                ("role", Location(file="deploy/rbac.yaml", line=5, column=1)),
            ),
            evidence=(("principal", "Group admins"), ("rule", "get, list secrets"), ("scope", "cluster")),
        ),
        replace(
            secret,
            value_fingerprint="0a" * 16,
            evidence=(("recognised by", "named-credential"), ("confidence", "likely"), ("length", "12")),
        ),
        replace(
            _finding(
                3,
                "K-SEC-01",
                6,
                Severity.HIGH,
                "data[password]",
                "Secret db is written into the manifest with its values",
                Location(file="deploy/payments/db.yaml", line=8, column=3, pointer="/data/password"),
            ),
            known=True,
            value_fingerprint="0b" * 16,
        ),
        replace(legacy, value_fingerprint="0c" * 16, outcome=Outcome.WAIVED, waiver_id="W-2026-001"),
        _finding(
            5,
            "K-SEC-02",
            4,
            Severity.LOW,
            "spec.template.spec.containers[web].env[SESSION_KEY]",
            "container web reads Secret session through its environment",
            Location(
                file="charts/web/templates/web.yaml",
                pointer="/spec/template/spec/containers/0/env/0",
                rendered_from="Helm chart charts/web",
            ),
        ),
        _finding(
            6,
            "K-SEC-02",
            2,
            Severity.LOW,
            "spec.template.spec.containers[api].envFrom[0]",
            "container api takes the whole Secret db into its environment",
            Location(
                file="deploy/payments/api.yaml",
                line=31,
                column=15,
                pointer="/spec/template/spec/containers/0/envFrom/0",
            ),
        ),
        _finding(
            7,
            "K-SEC-02",
            8,
            Severity.LOW,
            "spec.template.spec.containers[café].env[PIN]",
            LONG,
            Location(file=NOT_UTF8, line=40, column=9),
        ),
        replace(
            _finding(
                8,
                "X-ODD-01",
                1,
                Severity.INFO,
                HOSTILE,
                HOSTILE,
                Location(file="deploy/odd | name, 100%: [1].yaml", line=7, column=3, pointer=f"/{HOSTILE}"),
            ),
            evidence=((HOSTILE, HOSTILE), ("formula", "@SUM(A1)")),
            related=((HOSTILE, Location(file="deploy/odd | name, 100%: [1].yaml", line=1)),),
        ),
        _finding(9, "X-ODD-01", 7, Severity.INFO, "", "=cmd|' /C calc'!A0", Location(file="-", line=12, column=1)),
    )


def _frameworks() -> tuple[Framework, ...]:
    def requirement(id_: str, paraphrase: str, *conditions: Condition, since: str = "", focus: str = "") -> Requirement:
        return Requirement(
            id=id_,
            paraphrase=paraphrase,
            automation=Automation.PARTIAL,
            tested="What the manifests say.",
            needs_people="Whether the process is followed.",
            conditions=conditions,
            since=since,
            points_of_focus=(focus,) if focus else (),
            category="" if id_[0].isdigit() else "common",
        )

    return (
        Framework(
            id="pci-dss-4.0.1",
            title="PCI DSS",
            version="4.0.1",
            notice="Requirements in our own words; the standard is published by the PCI Security Standards Council.",
            requirements=(
                requirement("3.6.1", "Keys that protect account data are guarded", Condition.PROTECTS_ACCOUNT_DATA),
                requirement("7.2.5", "Application and system accounts hold only what they need"),
                requirement(
                    "8.6.2",
                    "Passwords of accounts with interactive login are not in code",
                    Condition.INTERACTIVE_LOGIN,
                    since="2025-03-31",
                ),
                replace(
                    requirement("12.10.7", "A plan for account data found where it should not be"),
                    automation=Automation.NONE,
                    tested="",
                ),
            ),
        ),
        Framework(
            id="soc2",
            title="SOC 2",
            version="2017 criteria, 2022 points of focus",
            notice="Criteria in our own words; the criteria themselves are published by the AICPA.",
            requirements=(
                requirement(
                    "CC6.1", "Logical access to protected information is restricted", focus="Protects Encryption Keys"
                ),
                requirement("CC6.3", "Access follows roles and least privilege"),
                requirement("CC6.7", "Data is protected where it moves"),
                replace(requirement("C1.1", HOSTILE, focus=HOSTILE), category="confidentiality"),
            ),
        ),
    )


def _requirements() -> tuple[RequirementResult, ...]:
    def result(framework: str, id_: str, outcome: Outcome, reason: str = "") -> RequirementResult:
        return RequirementResult(framework_id=framework, requirement_id=id_, outcome=outcome, reason=reason)

    direct, supporting = Strength.DIRECT, Strength.SUPPORTING
    return (
        replace(
            result("pci-dss-4.0.1", "3.6.1", Outcome.NOT_EVALUATED, "K-ENC-01 had nothing to judge"),
            conditional=(Condition.PROTECTS_ACCOUNT_DATA,),
            policies=(("K-ENC-01", supporting, Outcome.NOT_EVALUATED),),
            not_evaluated=1,
        ),
        replace(
            result("pci-dss-4.0.1", "7.2.5", Outcome.NOT_APPLICABLE, "no workload account fails or passes it"),
            policies=(("K-RBAC-01", direct, Outcome.NOT_APPLICABLE),),
        ),
        replace(
            result("pci-dss-4.0.1", "8.6.2", Outcome.FAIL),
            conditional=(Condition.INTERACTIVE_LOGIN,),
            policies=(("K-SEC-01", direct, Outcome.FAIL),),
            passed=2,
            failed=2,
            waived=1,
        ),
        replace(
            result("pci-dss-4.0.1", "12.10.7", Outcome.NOT_EVALUATED, "no policy of this run touches it"), untested=True
        ),
        replace(
            result("soc2", "CC6.1", Outcome.FAIL),
            policies=(
                ("K-ENC-01", direct, Outcome.NOT_EVALUATED),
                ("K-SEC-01", direct, Outcome.FAIL),
                ("K-SEC-02", supporting, Outcome.FAIL),
            ),
            passed=3,
            failed=5,
            waived=1,
            not_evaluated=1,
        ),
        replace(result("soc2", "CC6.3", Outcome.PASS), policies=(("K-RBAC-01", direct, Outcome.PASS),), passed=4),
        replace(
            result("soc2", "CC6.7", Outcome.WAIVED, HOSTILE),
            policies=(("K-SEC-01", supporting, Outcome.WAIVED),),
            waived=1,
        ),
        replace(result("soc2", "C1.1", Outcome.FAIL), policies=(("X-ODD-01", supporting, Outcome.FAIL),), failed=2),
    )


def _coverage() -> tuple[Coverage, ...]:
    return (
        Coverage(
            source="helm chart charts/web",
            files_found=4,
            files_read=4,
            documents=3,
            resources=2,
            by_type=(("kubernetes/Deployment", 1), ("kubernetes/Service", 1)),
            skipped=(("empty document", 1),),
        ),
        Coverage(
            source="manifests: deploy/",
            files_found=14,
            files_read=9,
            documents=21,
            resources=17,
            by_type=(("kubernetes/Deployment", 3), ("kubernetes/Secret", 1), ("kubernetes/StatefulSet", 1)),
            skipped=(("ignored by .gitignore", 12), ("not a Kubernetes object", 3)),
            gaps=(
                Gap(
                    file="deploy/broken.yaml",
                    line=7,
                    reason=GapReason.BROKEN_YAML,
                    detail="Mend the YAML at this line.",
                ),
                Gap(file=NOT_UTF8, reason=GapReason.NOT_UTF8, detail="Save the file as UTF-8."),
                Gap(
                    file="deploy/odd | name, 100%: [1].yaml", line=1, reason=GapReason.MALFORMED_OBJECT, detail=HOSTILE
                ),
                Gap(file="deploy/templates/x.yaml", reason=GapReason.RAW_TEMPLATE),
                Gap(file="../outside.yaml", reason=GapReason.OUTSIDE, detail="Name the folder it points to."),
            ),
        ),
    )


def _waivers() -> tuple[WaiverUse, ...]:
    waiver = Waiver(
        id="W-2026-001",
        policy="K-SEC-01",
        subject="kubernetes/Deployment:payments/legacy",
        reason="Retired in January; the account reads one empty table.",
        owner="payments team",
        approver="ciso@example.test",
        ticket="SEC-417",
        expires=date(2027, 1, 31),
        value="0c" * 16,
        location=Location(file=".auditor/waivers.yaml", line=2, column=3),
    )
    return (
        WaiverUse(waiver=waiver, used=1, expired=False),
        WaiverUse(
            waiver=replace(
                waiver,
                id="W-2026-002",
                policy="K-SEC-*",
                expires=date(2026, 6, 30),
                value="",
                location=Location(file=".auditor/waivers.yaml", line=12, column=3),
            ),
            used=0,
            expired=True,
            note="expired on 2026-06-30; 2 findings would match",
        ),
        WaiverUse(
            waiver=replace(waiver, id="W-2026-003", subject=HOSTILE, reason=HOSTILE, owner=HOSTILE, ticket="=1+1"),
            used=0,
            expired=False,
            note=HOSTILE,
        ),
    )
