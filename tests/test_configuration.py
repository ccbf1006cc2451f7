"""`auditor.yaml`: what it says is what runs, and what it says wrong is told with its line."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
import yaml

from auditor import configuration, data
from auditor.authored import MistakesError
from auditor.configuration import Configuration
from auditor.model.assessment import Assessment
from auditor.model.errors import InputError
from auditor.model.policy import Condition
from auditor.model.settings import ExportSource, Impersonation, KubernetesSource, SecretsMode, SourceSettings
from auditor.model.verdict import Severity
from auditor.pipeline import scan as pipeline

FULL = """\
tags: [cde]
conditions: {protects-account-data: true, service-provider: false}
parameters:
  K-TOK-04:
    max_seconds: {value: 600, reference: "Standard 4.2"}
severity: {K-SEC-02: info}
select: ["K-*"]
ignore: [K-SEC-15]
policies: [rules]
frameworks: [soc2]
exclude: [third_party/]
workloads:
  - {type: BatchJob.example.com, spec: spec.template.spec}
waivers: waivers.yaml
fail-on: high
retention: 12 months
connections: 3
sources:
  - name: prod
    tags: [cde]
    kubernetes:
      context: prod-admin
      kubeconfig: ~/.kube/other
      in-cluster: false
      certificate-authority: ca.pem
      proxy: http://proxy:3128
      impersonate: {user: auditor, groups: [readers]}
      namespaces: [shop, pay]
      secrets: references
      timeout: 12.5
      provider: eks
      authorizers: [node, rbac]
  - {name: here, kubernetes: }
  - {name: handed-over, export: {path: dumps/prod, all-namespaces: true}}
"""


def load(folder: Path, text: str) -> Configuration:
    file = folder / "auditor.yaml"
    file.write_text(text)
    return configuration.load(file, home=Path("/home/ada"))


def scan(folder: Path, settings: Configuration, *paths: str) -> Assessment:
    return pipeline.scan(
        pipeline.Request(
            paths=tuple(str(folder / path) for path in paths),
            configuration=settings,
            select=settings.select,
            ignore=settings.ignore,
            exclude=settings.exclude,
            jobs=1,
        ),
        now=datetime(2026, 11, 24, tzinfo=UTC),
        stdin=BytesIO(),
        progress=lambda _: None,
    )


def failing(assessment: Assessment) -> set[str]:
    return {finding.policy_id for finding in assessment.findings}


def test_every_key_of_the_schema_is_read(tmp_path: Path) -> None:
    settings = load(tmp_path, FULL)
    schema = json.loads((data.policies() / "configuration.schema.json").read_text())
    assert set(schema["properties"]) == {line.split(":")[0] for line in FULL.splitlines() if line[0].isalpha()}
    assert settings.tags == ("cde",)
    assert settings.conditions == {Condition.PROTECTS_ACCOUNT_DATA: True, Condition.SERVICE_PROVIDER: False}
    assert settings.parameters == {"K-TOK-04": {"max_seconds": (600, "Standard 4.2")}}
    assert settings.severity == {"K-SEC-02": Severity.INFO}
    assert settings.policies == (tmp_path / "rules",)
    assert settings.workloads == (("kubernetes/BatchJob.example.com", ("spec", "template", "spec")),)
    assert settings.waivers == tmp_path / "waivers.yaml"
    assert settings.fail_on is Severity.HIGH
    assert (settings.connections, settings.retention) == (3, "12 months")
    assert len(settings.digest) == 64


def test_every_key_of_a_source_is_read(tmp_path: Path) -> None:
    prod, here, export = load(tmp_path, FULL).sources
    schema = json.loads((data.policies() / "configuration.schema.json").read_text())["$defs"]
    given = yaml.safe_load(FULL)["sources"]
    assert set(schema["kubernetes"]["properties"]) == set(given[0]["kubernetes"])
    assert set(schema["source"]["properties"]) == {key for entry in given for key in entry}
    assert prod == SourceSettings(
        name="prod",
        tags=("cde",),
        settings=KubernetesSource(
            context="prod-admin",
            kubeconfig=Path("/home/ada/.kube/other"),
            certificate_authority=tmp_path / "ca.pem",
            proxy="http://proxy:3128",
            impersonate=Impersonation(user="auditor", groups=("readers",)),
            namespaces=("shop", "pay"),
            secrets=SecretsMode.REFERENCES,
            timeout=12.5,
            provider="eks",
            authorizers=("node", "rbac"),
        ),
    )
    assert here == SourceSettings(name="here", settings=KubernetesSource())
    assert export.settings == ExportSource(path=tmp_path / "dumps/prod", all_namespaces=True)


def test_a_field_of_a_source_has_a_key_and_the_other_way_round() -> None:
    schema = json.loads((data.policies() / "configuration.schema.json").read_text())["$defs"]
    for plane, settings in (("kubernetes", KubernetesSource), ("export", ExportSource)):
        assert {entry.name.replace("_", "-") for entry in fields(settings)} == set(schema[plane]["properties"])
    assert set(configuration.PLANES) == set(schema["source"]["properties"]) - {"name", "tags"}


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    settings = load(tmp_path, "# nothing yet\n")
    assert Configuration(digest=settings.digest) == settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fail_on: high\n", "auditor.yaml:1:1: unknown key `fail_on` in the file; did you mean `fail-on`?"),
        ("tags: [cde]\nseverity: {K-SEC-01: grave}\n", "auditor.yaml:2:12: "),
        ("parameters: {K-TOK-04: {max_seconds: {value: 1}}}\n", "`reference` is missing"),
        ("workloads: [{type: job, spec: a.b}]\n", "Kind.group, for example BatchJob.example.com."),
        ("conditions: {interactive-login: maybe}\n", "conditions.interactive-login must be true or false"),
        ("connections: 0\n", "auditor.yaml:1:1: connections must be at least 1. Upper bound of simultaneous"),
        ("sources:\n  - kubernetes:\n", "auditor.yaml:2:5: `name` is missing in sources.0"),
        ("sources:\n  - {name: Prod, export: {path: x}}\n", "auditor.yaml:2:6: sources.0.name does not have the right"),
        ("sources:\n  - name: a\n", "auditor.yaml:2:5: sources.0 names no plane: give it exactly one of kubernetes,"),
        (
            "sources:\n  - {name: a, kubernetes: , export: {path: x}}\n",
            ":2:5: sources.0 names the planes kubernetes and",
        ),
        (
            "sources:\n  - name: a\n    openstack: {}\n",
            "auditor.yaml:3:5: unknown key `openstack` in sources.0; it has `export`, `kubernetes`, `name` or `tags`",
        ),
        (
            "sources:\n  - {name: a, kubernetes: }\n  - name: a\n    kubernetes:\n",
            "auditor.yaml:3:5: sources.1 has the name of sources.0",
        ),
        (
            "sources: [{name: a, kubernetes: {contxt: b}}]\n",
            "unknown key `contxt` in sources.0.kubernetes; did you mean `context`?",
        ),
        (
            "sources: [{name: a, kubernetes: {in-cluster: true, context: b}}]\n",
            "no kubeconfig is read: leave `context`",
        ),
        ("sources: [{name: a, kubernetes: {impersonate: {groups: [b]}}}]\n", "`user` is missing"),
        (
            "sources: [{name: a, kubernetes: {namespaces: []}}]\n",
            "sources.0.kubernetes.namespaces must not be empty. Read only these; all, by lists",
        ),
        (
            "sources: [{name: a, kubernetes: {namespaces: ['*']}}]\n",
            "does not have the right form: the name of one namespace",
        ),
        ("sources: [{name: a, kubernetes: {secrets: all}}]\n", "must be one of"),
        (
            "sources: [{name: a, kubernetes: {timeout: 0}}]\n",
            "sources.0.kubernetes.timeout must be more than 0. Seconds",
        ),
        ("sources: [{name: a, kubernetes: {authorizers: [iam]}}]\n", "must be one of"),
        ("sources: [{name: a, export: }]\n", "sources.0.export must be a mapping (`key: value`)"),
        ("sources: [{name: a, export: {}}]\n", "`path` is missing in sources.0.export"),
        ("sources: {a: {kubernetes: }}\n", "sources must be a list"),
        ("sources: [a]\n", "sources.0 must be a mapping (`key: value`)"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(MistakesError) as raised:
        load(tmp_path, text)
    assert words in str(raised.value)


def test_every_mistake_is_told_at_once_also_what_no_schema_can_say(tmp_path: Path) -> None:
    with pytest.raises(MistakesError) as raised:
        load(tmp_path, "tags: [X]\nsources:\n  - {name: a, kubernetes: }\n  - {name: a}\n")
    told = [(mistake.line, mistake.message.partition(":")[0]) for mistake in raised.value.mistakes]
    assert told == [
        (1, "tags.0 does not have the right form"),
        (4, "sources.1 names no plane"),
        (4, "sources.1 has the name of sources.0"),
    ]


def test_a_password_in_a_proxy_is_refused_and_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(MistakesError) as raised:
        load(tmp_path, "sources: [{name: a, kubernetes: {proxy: 'http://ada:tr0ut9@proxy:1'}}]\n")
    assert "sources.0.kubernetes.proxy holds credentials" in str(raised.value)
    assert "tr0ut9" not in str(raised.value) + raised.value.hint


def test_a_file_that_is_not_there_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        configuration.load(tmp_path / "none.yaml")
    assert raised.value.hint


OWN_KIND = """\
apiVersion: example.com/v1
kind: BatchJob
metadata: {name: nightly, namespace: shop}
spec:
  template:
    spec:
      containers:
        - {name: main, image: a, env: [{name: DB_PASS, value: hunter2}]}
"""


OWN_KINDS = "workloads: [{type: BatchJob.example.com, spec: spec.template.spec}]\nselect: [K-SEC-01]\n"


def test_a_kind_of_the_users_own_is_judged_like_any_workload(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(OWN_KIND)
    settings = load(
        tmp_path, "workloads: [{type: BatchJob.example.com, spec: spec.template.spec}]\nselect: [K-SEC-01]\n"
    )
    (finding,) = scan(tmp_path, settings, "job.yaml").findings
    assert finding.item == "spec.template.spec.containers[main].env[DB_PASS].value"
    assert finding.location.line == 8
    with_none = scan(tmp_path, load(tmp_path, "select: [K-SEC-01]\n"), "job.yaml")
    assert failing(with_none) == set()


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers: [{name: main, image: a}]
  volumes:
    - name: token
      projected: {sources: [{serviceAccountToken: {path: t, audience: vault, expirationSeconds: 3600}}]}
"""


def test_a_threshold_of_the_users_decides_and_is_printed_with_its_origin(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    ours = scan(tmp_path, load(tmp_path, "select: [K-TOK-04]\n"), "pod.yaml")
    assert failing(ours) == set()
    theirs = scan(
        tmp_path,
        load(
            tmp_path,
            "select: [K-TOK-04]\nparameters: {K-TOK-04: {max_seconds: {value: 600, reference: Standard 4.2}}}\n",
        ),
        "pod.yaml",
    )
    assert failing(theirs) == {"K-TOK-04"}
    (parameter,) = [entry for entry in theirs.results[0].parameters if entry.name == "max_seconds"]
    assert (parameter.value, parameter.origin, parameter.reference) == ("600", "entity", "Standard 4.2")


def test_a_threshold_that_no_policy_takes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    settings = load(tmp_path, "parameters: {K-TOK-04: {most: {value: 1, reference: x}}}\n")
    with pytest.raises(InputError, match="most of K-TOK-04"):
        scan(tmp_path, settings, "pod.yaml")


def test_frameworks_and_tags_are_those_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    assessment = scan(tmp_path, load(tmp_path, "frameworks: [soc2]\ntags: [cde]\n"), "pod.yaml")
    assert [framework.id for framework in assessment.frameworks] == ["soc2"]
    assert {result.framework_id for result in assessment.requirements} == {"soc2"}
    assert assessment.run.tags == ("cde",)
    assert assessment.run.configuration_digest
