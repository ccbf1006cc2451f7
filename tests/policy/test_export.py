"""What of a policy can be an admission policy, why the rest cannot, and what is written. Others ask a real server."""

from typing import Any

import pytest
import yaml

from auditor import data, workloads
from auditor.model.errors import ConfigurationError
from auditor.policy import export
from auditor.policy.admission.action import Action
from auditor.policy.document import Policy
from tests.policy.builders import policy
from tests.policy.guarded import LIBRARY, WORKLOADS

LIMITED = """
applies_to: [pod_spec]
params:
  most: {default: 3600, unit: seconds, origin: tool-default, reference: a guess}
  unused: {default: 1, unit: days, origin: tool-default, reference: never used}
when: variables.subject.kind != "Job"
undecided:
  - {when: variables.volumes.size() > 9, reason: '"too many"'}
each:
  - volume: variables.volumes
expression: volume.?projected.?expirationSeconds.orValue(0) <= params.most
message_expression: volume.name + " lives too long"
"""


def spec(text: str, **given: Any) -> dict[str, Any]:
    """Return the `spec` of the one admission policy of a policy."""
    planned = export.plan(policy(text), WORKLOADS)
    exported, binding = export.documents(planned, WORKLOADS, given)
    assert binding["spec"]["policyName"] == exported["metadata"]["name"]
    found: dict[str, Any] = exported["spec"]
    return found


def why(text: str) -> str:
    return export.plan(policy(text), WORKLOADS).obstacle


def test_what_is_not_applicable_or_undecided_passes() -> None:
    (validation,) = spec(LIMITED, most=(7200, "our rule 3"))["validations"]
    assert validation["expression"] == (
        '!(variables.subject.kind != "Job")\n'
        "|| (variables.volumes.size() > 9)\n"
        "|| (variables.volumes.all(volume,\n"
        "  volume.?projected.?expirationSeconds.orValue(0) <= variables.param_most))"
    )
    assert validation["messageExpression"].startswith('"T-01: " + string(variables.volumes.filter(volume,')
    assert validation["message"] == "T-01: A test. Do nothing at all."


def test_only_a_doubt_about_a_failure_lets_the_object_pass() -> None:
    """Where a failure stands it is refused; what concerns other kinds is left out."""
    (validation,) = spec("""
      applies_to: [kubernetes/ConfigMap]
      undecided:
        - {when: object.data.a == "x", reason: '""', fail_stands: true}
        - {when: object.data.b == "x", reason: '""', pass_stands: true}
        - {when: variables.subject.kind == "Secret" && object.data.c == "x", reason: '""'}
      expression: object.data.d == "x"
    """)["validations"]
    assert validation["expression"] == '(object.data.b == "x")\n|| (object.data.d == "x")'


def test_an_error_lets_the_object_pass() -> None:
    """It is not evaluated, and only a failure is a reason to refuse."""
    assert spec(LIMITED)["failurePolicy"] == "Ignore"


def test_variables_stand_after_those_that_they_need_and_thresholds_are_constants() -> None:
    variables = spec(LIMITED, most=(7200, "our rule 3"))["variables"]
    names = [variable["name"] for variable in variables]
    assert names == ["param_most", "subject", "pod", "volumes"]
    assert variables[0]["expression"] == "7200"


def test_a_pod_spec_policy_guards_every_kind_with_an_ordinary_pod_spec() -> None:
    rules = spec(LIMITED)["matchConstraints"]["resourceRules"]
    assert {f"{plural}.{rule['apiGroups'][0]}".rstrip(".") for rule in rules for plural in rule["resources"]} == {
        "pods", "pods/ephemeralcontainers", "podtemplates", "replicationcontrollers", "daemonsets.apps",
        "deployments.apps", "replicasets.apps", "statefulsets.apps", "cronjobs.batch", "jobs.batch",
        "deploymentconfigs.apps.openshift.io", "rollouts.argoproj.io", "scaledjobs.keda.sh",
        "configurations.serving.knative.dev", "revisions.serving.knative.dev", "services.serving.knative.dev",
    }  # fmt: skip
    assert all(rule["operations"] == ["CREATE", "UPDATE"] for rule in rules)


def test_a_control_plane_policy_judges_only_what_runs_a_program_of_it() -> None:
    (validation,) = spec("{applies_to: [control_plane], expression: '\"a\" in variables.flags'}")["validations"]
    assert validation["expression"].startswith('!(variables.component != "")\n|| ')
    mixed = spec("{applies_to: [control_plane, kubernetes/Secret], expression: '\"a\" in variables.flags'}")
    assert "!(object.kind in [" in mixed["validations"][0]["expression"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{applies_to: [pod_spec], expression: size(variables.literals) == 0}", "the classification of values"),
        ("{applies_to: [file/Dockerfile]}", "files that no API server sees"),
        ("{applies_to: [kubernetes/EncryptionConfiguration]}", "files that no API server admits"),
        ("{applies_to: [kubernetes/ValidatingAdmissionPolicyBinding]}", "does not show its own admission policies"),
        ("{applies_to: [fact/shared-value]}", "what many objects make together (shared-value)"),
        ("{applies_to: [fact/kubernetes-grant], each: [{r: object.rules}]}", "what the role of a binding allows"),
        ("{applies_to: [fact/kubernetes-grant], expression: '!object.role.built_in'}", "the role of a binding"),
        ("{applies_to: [pod_spec], expression: variables.automount.value == 'true'}", "ServiceAccounts"),
        ("{applies_to: [pod_spec], expression: variables.service_account.bound}", "ServiceAccounts"),
        ("{applies_to: [kubernetes/Secret], expression: variables.age_days < 90}", "the date of the day"),
        ("{applies_to: [pod_spec], each: [{r: variables.secret_refs}], expression: r.source == ''}", "make a Secret"),
        ("{applies_to: [pod_spec], expression: variables.secret_refs.size() == 0}", "outside of `each`"),
        ("{applies_to: [pod_spec], expression: variables.flags.size() == 0}", "as a whole"),
        ("{applies_to: [kubernetes/Widget]}", "resource name of Widget is not known"),
        ("""{applies_to: [pod_spec], expression: '!grants(object, "get", "", "x")'}""", "the function grants,"),
        ("{applies_to: [pod_spec], expression: 'math.greatest(1, 2) == 2'}", "the function math.greatest,"),
        ("{applies_to: [pod_spec], expression: variables.nothing == 1}", "nothing, which this export does not know"),
        ("{applies_to: [pod_spec], undecided: [{when: variables.automount.by == '', reason: '\"\"'}]}", "Accounts"),
    ],
)
def test_what_needs_more_than_the_object_is_not_exported_and_says_why(text: str, words: str) -> None:
    assert words in why(text)


def test_what_only_the_message_needs_is_no_obstacle() -> None:
    """Then the server says what the policy is about, and what to do."""
    (validation,) = spec("{applies_to: [pod_spec], message_expression: variables.automount.value}")["validations"]
    assert set(validation) == {"expression", "message"}


def test_a_policy_is_exported_for_the_subjects_that_a_server_sees() -> None:
    mixed = policy("""
      applies_to: [kubernetes/ConfigMap, fact/kubernetes-grant, file/helm-values, pod_spec]
      expression: >-
        variables.subject.type == "fact/kubernetes-grant" ? object.principal.kind != "User"
        : variables.subject.kind == "ConfigMap" ? object.metadata.name != "x" : variables.automount.value == "true"
    """)
    planned = export.plan(mixed, WORKLOADS)
    assert [entry for entry, _ in planned.left] == ["file/helm-values", "pod_spec"]
    assert [line.split(":")[0] for line in planned.notes] == [
        "T-01 is exported without file/helm-values", "T-01 is exported without pod_spec",
    ]  # fmt: skip
    documents = export.documents(planned, WORKLOADS)
    assert [document["metadata"]["name"] for document in documents] == ["t-01-test"] * 2 + ["t-01-test-bindings"] * 2
    of_maps, _, of_bindings, _ = (document["spec"] for document in documents)
    assert of_maps["validations"][0]["expression"] == 'object.metadata.name != "x"'
    assert of_bindings["validations"][0]["expression"] == (
        'variables.grants.all(grant,\n  grant.principal.kind != "User")'
    )


def test_a_rule_of_which_a_server_cannot_tell_the_type_becomes_a_boolean() -> None:
    """It refuses the policy otherwise."""
    (validation,) = spec("{applies_to: [kubernetes/ConfigMap], expression: object.data.good}")["validations"]
    assert validation["expression"] == "(object.data.good) == true"


def test_a_custom_kind_whose_plural_nobody_knows_is_matched_by_its_group_and_kind() -> None:
    found = spec("{applies_to: [kubernetes/Widget.example.com]}")
    assert found["matchConstraints"]["resourceRules"][0] | {"operations": 0} == {
        "apiGroups": ["example.com"], "apiVersions": ["*"], "operations": 0, "resources": ["*"],
    }  # fmt: skip
    assert found["matchConditions"][1] == {
        "name": "kinds-of-example.com",
        "expression": '!object.apiVersion.startsWith("example.com/") || object.kind in ["Widget"]',
    }


def test_a_kind_of_the_users_with_a_pod_spec_is_matched_also_where_another_group_has_that_kind() -> None:
    own = [("kubernetes/App.example.com", ("spec", "pod")), ("kubernetes/Job.example.com", ("spec", "run"))]
    table = workloads.load(data.policies() / "workloads.yaml", own)
    exported, _ = export.documents(export.plan(policy(LIMITED), table), table)
    expression = next(entry["expression"] for entry in exported["spec"]["variables"] if entry["name"] == "pod")
    assert 'object.kind in ["App"] ? object.?spec.?pod.orValue({})' in expression
    assert '|| object.kind == "Job" && object.apiVersion.startsWith("example.com/") ? object.?spec.?run' in expression
    assert any(rule["apiGroups"] == ["example.com"] for rule in exported["spec"]["matchConstraints"]["resourceRules"])


def test_an_expression_that_is_not_cel_is_told_with_its_file() -> None:
    with pytest.raises(ConfigurationError, match=r"T-01-test\.yaml: the policy T-01"):
        export.plan(policy("{applies_to: [pod_spec], expression: 'a ='}"), WORKLOADS)


@pytest.mark.parametrize(("action", "actions"), [("deny", ["Deny"]), ("warn", ["Warn", "Audit"]), ("audit", ["Audit"])])
def test_the_action_is_that_of_the_binding(action: str, actions: list[str]) -> None:
    planned = export.plan(policy(LIMITED), WORKLOADS)
    _, binding = export.documents(planned, WORKLOADS, action=Action(action))
    assert binding["spec"]["validationActions"] == actions


def test_the_file_says_where_a_threshold_comes_from_and_holds_the_same_objects() -> None:
    planned = export.plan(policy(LIMITED), WORKLOADS)
    given = {"most": (7200, "our rule 3")}
    text = export.manifest(planned, WORKLOADS, given, action=Action.DENY)
    head = text.split("---\n")[0]
    assert "# most = 7200 (entity: our rule 3)\n" in head
    assert "# unused = 1 (tool-default: never used)\n" in head
    assert list(yaml.safe_load_all(text)) == export.documents(planned, WORKLOADS, given, action=Action.DENY)


@pytest.mark.parametrize("chosen", LIBRARY, ids=lambda entry: entry.id)
def test_every_policy_of_the_library_is_exported_or_says_why_not(chosen: Policy) -> None:
    planned = export.plan(chosen, WORKLOADS)
    assert bool(planned.parts) != bool(planned.obstacle)
    assert "which this export does not know" not in planned.obstacle
    names = [document["metadata"]["name"] for document in export.documents(planned, WORKLOADS)]
    assert all(len(name) <= 63 for name in names)
