"""Policies as ValidatingAdmissionPolicies, for those whose rule an API server can evaluate alone.

The rule's text is the same; only the views become `variables` of the admission policy, and parameters become
constants. What needs more than the object itself (other objects, classified literals, a certificate's fields) cannot
be exported, and the reason is told.
Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from auditor.policy.document import Policy

_KINDS: Mapping[str, tuple[str, str]] = {
    "kubernetes/Pod": ("", "pods"),
    "kubernetes/ReplicationController": ("", "replicationcontrollers"),
    "kubernetes/PodTemplate": ("", "podtemplates"),
    "kubernetes/Deployment": ("apps", "deployments"),
    "kubernetes/StatefulSet": ("apps", "statefulsets"),
    "kubernetes/DaemonSet": ("apps", "daemonsets"),
    "kubernetes/ReplicaSet": ("apps", "replicasets"),
    "kubernetes/Job": ("batch", "jobs"),
    "kubernetes/CronJob": ("batch", "cronjobs"),
    "kubernetes/Secret": ("", "secrets"),
    "kubernetes/ConfigMap": ("", "configmaps"),
    "kubernetes/ServiceAccount": ("", "serviceaccounts"),
    "kubernetes/ExternalSecret.external-secrets.io": ("external-secrets.io", "externalsecrets"),
    "kubernetes/ClusterExternalSecret.external-secrets.io": ("external-secrets.io", "clusterexternalsecrets"),
    "kubernetes/SecretStore.external-secrets.io": ("external-secrets.io", "secretstores"),
    "kubernetes/ClusterSecretStore.external-secrets.io": ("external-secrets.io", "clustersecretstores"),
    "kubernetes/PushSecret.external-secrets.io": ("external-secrets.io", "pushsecrets"),
    "kubernetes/SecretProviderClass.secrets-store.csi.x-k8s.io": (
        "secrets-store.csi.x-k8s.io",
        "secretproviderclasses",
    ),
}
_POD_KINDS = tuple(kind for kind, (_, plural) in _KINDS.items() if plural in {
    "pods", "replicationcontrollers", "podtemplates", "deployments", "statefulsets", "daemonsets", "replicasets",
    "jobs", "cronjobs",
})  # fmt: skip

_TEMPLATE = (
    'object.kind == "Pod" ? object : object.kind == "CronJob" ? object.spec.jobTemplate.spec.template : '
    'object.kind == "PodTemplate" ? object.template : object.spec.template'
)
_VARIABLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "pod": (("template", _TEMPLATE), ("pod", "variables.template.spec")),
    "pod_metadata": (
        ("template", _TEMPLATE),
        (
            "pod_metadata",
            (
                '{"labels": variables.template.?metadata.?labels.orValue({}), '
                '"annotations": variables.template.?metadata.?annotations.orValue({})}'
            ),
        ),
    ),
    "containers": (
        ("template", _TEMPLATE),
        ("pod", "variables.template.spec"),
        (
            "containers",
            (
                "variables.pod.?containers.orValue([]) + variables.pod.?initContainers.orValue([]) + "
                "variables.pod.?ephemeralContainers.orValue([])"
            ),
        ),
    ),
    "volumes": (
        ("template", _TEMPLATE),
        ("pod", "variables.template.spec"),
        ("volumes", "variables.pod.?volumes.orValue([])"),
    ),
    "subject": (
        (
            "subject",
            (
                '{"kind": object.kind, "name": object.?metadata.?name.orValue(""), '
                '"namespace": object.?metadata.?namespace.orValue("")}'
            ),
        ),
    ),
}
"""Views that an API server can compute from the object, each with what it needs first."""

_USED = re.compile(r"\bvariables\.(\w+)")


def obstacle(policy: Policy) -> str:
    """Return why `policy` cannot be an admission policy, or an empty text."""
    facts = [type_ for type_ in policy.applies_to if type_.startswith(("fact/", "file/"))]
    if facts:
        return f"it judges {', '.join(facts)}, which no API server admits"
    unknown = [kind for kind in policy.applies_to if kind != "pod_spec" and kind not in _KINDS]
    if unknown:
        return f"it judges {', '.join(unknown)}, which is no kind that this export knows"
    text = f"{policy.when} {policy.rule}"
    views = sorted(set(_USED.findall(text)) - set(_VARIABLES))
    if views:
        return f"it needs {', '.join(views)}, which an API server cannot derive from the object alone"
    if re.search(r"\bgrants\(", text):
        return "it uses the function grants(), which an API server does not have"
    return ""


def admission_policy(policy: Policy, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the ValidatingAdmissionPolicy and a binding that only warns and audits, as objects.

    `policy` must have no `obstacle`. `parameters` replace the defaults.
    """
    values = {declared.name: declared.default for declared in policy.parameters} | dict(parameters or {})
    condition = f"!({_constants(policy.when, values)}) || " if policy.when else ""
    name = f"{policy.id.lower()}-{policy.name}"
    return [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": _rules(policy)},
                "variables": _variables(f"{policy.when} {policy.rule}"),
                "validations": [
                    {
                        "expression": condition + f"({_constants(policy.rule, values)})",
                        "message": f"{policy.id}: {policy.title}. {policy.remediation}"[:1000].replace("\n", " "),
                    }
                ],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            # Warn and Audit first: what an audit found tolerable must not stop a deployment by surprise.
            "spec": {"policyName": name, "validationActions": ["Warn", "Audit"]},
        },
    ]


def _rules(policy: Policy) -> list[dict[str, Any]]:
    kinds: list[str] = []
    for kind in policy.applies_to:
        kinds += _POD_KINDS if kind == "pod_spec" else (kind,)
    groups: dict[str, list[str]] = {}
    for kind in kinds:
        group, plural = _KINDS[kind]
        groups.setdefault(group, []).append(plural)
    return [
        {"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": sorted(plurals)}
        for group, plurals in sorted(groups.items())
    ]


def _variables(text: str) -> list[dict[str, str]]:
    wanted: dict[str, str] = {}
    for view in sorted(set(_USED.findall(text))):
        wanted.update(_VARIABLES[view])
    return [{"name": name, "expression": expression} for name, expression in wanted.items()]


def _constants(text: str, values: Mapping[str, Any]) -> str:
    def constant(match: re.Match[str]) -> str:
        return json.dumps(values[match.group(1)])

    return re.sub(r"\bparams\.(\w+)", constant, text)
