"""Admission policies: only for rules that an API server can evaluate alone, with the same text."""

import pytest

from auditor.policy import cel
from auditor.policy.export import admission_policy, obstacle
from tests.policy.builders import policy

EXPORTABLE = """
applies_to: [pod_spec]
params: {most: {default: 3600, origin: tool-default, reference: a guess}}
when: variables.subject.kind != "Job"
each:
  - volume: variables.volumes
expression: volume.?projected.?expirationSeconds.orValue(0) <= params.most
"""


def test_the_rule_of_the_admission_policy_is_the_rule_of_the_policy() -> None:
    chosen = policy(EXPORTABLE)
    assert obstacle(chosen) == ""
    exported, binding = admission_policy(chosen, {"most": 7200})
    (validation,) = exported["spec"]["validations"]
    assert validation["expression"] == (
        '!(variables.subject.kind != "Job") || '
        "(variables.volumes.all(volume, volume.?projected.?expirationSeconds.orValue(0) <= 7200))"
    )
    assert binding["spec"]["policyName"] == exported["metadata"]["name"]
    assert binding["spec"]["validationActions"] == ["Warn", "Audit"]


def test_every_view_is_a_variable_that_compiles_after_those_it_needs() -> None:
    exported, _ = admission_policy(policy(EXPORTABLE))
    names: list[str] = []
    for variable in exported["spec"]["variables"]:
        cel.compile_(variable["expression"])
        assert set(names) >= {name for name in ("template", "pod") if f"variables.{name}" in variable["expression"]}
        names.append(variable["name"])
    assert {"volumes", "subject"} <= set(names)


def test_a_pod_spec_policy_guards_every_built_in_kind_that_carries_one() -> None:
    exported, _ = admission_policy(policy(EXPORTABLE))
    rules = exported["spec"]["matchConstraints"]["resourceRules"]
    plurals = {plural for rule in rules for plural in rule["resources"]}
    assert {"pods", "deployments", "cronjobs", "replicationcontrollers", "podtemplates"} <= plurals


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("applies_to: [fact/kubernetes-grant]", "no API server admits"),
        ("applies_to: [file/Dockerfile]", "no API server admits"),
        ("{applies_to: [pod_spec], expression: size(variables.literals) == 0}", "needs literals"),
        ("{applies_to: [kubernetes/Widget.example.com]}", "no kind that this export knows"),
        ("""{applies_to: [pod_spec], expression: '!grants(object, "get", "", "x")'}""", "grants()"),
    ],
)
def test_what_needs_more_than_the_object_is_not_exported_and_says_why(text: str, words: str) -> None:
    assert words in obstacle(policy(text))
