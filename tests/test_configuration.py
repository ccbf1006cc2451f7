"""`auditor.yaml`: what it says is what runs, and what it says wrong is told with its line."""

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from auditor import configuration, data
from auditor.authored import MistakesError
from auditor.configuration import Configuration
from auditor.model.assessment import Assessment
from auditor.model.errors import InputError
from auditor.model.policy import Condition
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
"""


def load(folder: Path, text: str) -> Configuration:
    file = folder / "auditor.yaml"
    file.write_text(text)
    return configuration.load(file)


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
    assert len(settings.digest) == 64


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    settings = load(tmp_path, "# nothing yet\n")
    assert Configuration(digest=settings.digest) == settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fail_on: high\n", "auditor.yaml:1:1: unknown key `fail_on`"),
        ("tags: [cde]\nseverity: {K-SEC-01: grave}\n", "auditor.yaml:2:12: "),
        ("parameters: {K-TOK-04: {max_seconds: {value: 1}}}\n", "`reference` is missing"),
        ("workloads: [{type: job, spec: a.b}]\n", "right form"),
        ("conditions: {interactive-login: maybe}\n", "must be boolean"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(MistakesError) as raised:
        load(tmp_path, text)
    assert words in str(raised.value)


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
