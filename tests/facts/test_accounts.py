"""Which account a pod runs as, and whether its token is mounted."""

from typing import Any

import pytest

from tests.facts.builders import pod, resource, see, variables

ACCOUNT = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/web"}}
automountServiceAccountToken: %s
"""


@pytest.mark.parametrize(
    ("of_pod", "of_account", "value", "by"),
    [
        ("true", "false", "true", "pod"),
        ("false", "true", "false", "pod"),
        ("null", "false", "false", "service-account"),
        ("null", "true", "true", "service-account"),
        ("null", "null", "true", "default"),
    ],
)
def test_the_pod_decides_then_the_account_then_the_default(of_pod: str, of_account: str, value: str, by: str) -> None:
    seen = pod(
        f"{{serviceAccountName: web, automountServiceAccountToken: {of_pod}, containers: []}}",
        resource(ACCOUNT % of_account),
    )
    assert seen["automount"] == {"value": value, "by": by}


def test_a_named_account_that_is_not_in_the_input_leaves_automount_unknown() -> None:
    seen = pod("{serviceAccountName: web, containers: []}")
    assert seen["automount"] == {"value": "unknown", "by": ""}
    assert not seen["service_account"]["found"]


def test_the_default_account_need_not_be_in_the_input() -> None:
    seen = pod("{containers: []}")
    assert seen["automount"] == {"value": "true", "by": "default"}
    assert seen["service_account"]["name"] == "default"
    assert not seen["service_account"]["explicit"]


def test_the_deprecated_field_names_the_account_too() -> None:
    assert pod("{serviceAccount: web, containers: []}")["service_account"]["name"] == "web"


def test_annotations_of_the_account_are_seen() -> None:
    seen = pod("{serviceAccountName: web, containers: []}", resource(ACCOUNT % "null"))
    assert seen["service_account"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/web"
    }
    assert seen["service_account"]["explicit"]


def test_an_account_of_another_namespace_is_another_account() -> None:
    other = resource((ACCOUNT % "false").replace("namespace: shop", "namespace: payments"))
    assert pod("{serviceAccountName: web, containers: []}", other)["automount"]["value"] == "unknown"


def test_an_account_without_namespace_in_the_same_folder_is_meant() -> None:
    """Kustomize and `kubectl -n` fill the namespace in."""
    near = resource((ACCOUNT % "false").replace(", namespace: shop", ""), file="deploy/account.yaml")
    far = resource((ACCOUNT % "true").replace(", namespace: shop", ""), file="elsewhere/account.yaml")
    assert pod("{serviceAccountName: web, containers: []}", near, far)["automount"]["by"] == "service-account"
    assert pod("{serviceAccountName: web, containers: []}", far)["automount"]["value"] == "unknown"


def test_a_pod_without_namespace_takes_the_namespace_of_the_account_it_names() -> None:
    seen = pod("{serviceAccountName: web, containers: []}", resource(ACCOUNT % "false"), metadata="{name: web}")
    assert seen["service_account"]["found"]
    assert seen["service_account"]["namespace"] == "shop"


def test_an_unnamed_account_is_never_guessed_from_another_namespace() -> None:
    default = resource((ACCOUNT % "false").replace("name: web", "name: default"))
    seen = pod("{containers: []}", default, metadata="{name: web}")
    assert seen["automount"] == {"value": "true", "by": "default"}


@pytest.mark.parametrize("named", ["", "serviceAccountName: default, "])
def test_one_default_account_does_not_speak_for_the_whole_repository(named: str) -> None:
    """Neither side names a namespace: only in the same folder is it likely to be the same one."""
    text = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default}, automountServiceAccountToken: false}"
    far, near = resource(text, file="elsewhere/account.yaml"), resource(text, file="deploy/account.yaml")
    spec = f"{{{named}containers: []}}"
    assert pod(spec, far, metadata="{name: web}")["automount"] == {"value": "true", "by": "default"}
    assert pod(spec, near, metadata="{name: web}")["automount"] == {"value": "false", "by": "service-account"}


@pytest.mark.parametrize(
    ("namespace", "folder", "bound"),
    [
        ("", "elsewhere", False),
        ("", "deploy", True),
        (", namespace: argo", "deploy", False),
    ],
)
def test_a_binding_of_one_default_account_says_nothing_of_the_others(namespace: str, folder: str, bound: bool) -> None:
    binding = resource(
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b},"
        " roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: executor},"
        f" subjects: [{{kind: ServiceAccount, name: default{namespace}}}]}}",
        file=f"{folder}/binding.yaml",
    )
    assert pod("{containers: []}", binding, metadata="{name: web}")["service_account"]["bound"] is bound


def test_of_several_accounts_the_nearest_overlay_decides() -> None:
    base = resource(ACCOUNT % "true", file="base/account.yaml")
    overlay = resource(ACCOUNT % "false", file="overlays/prod/account.yaml")
    text = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {serviceAccountName: web, containers: []}}}
"""
    assert variables(text, base, overlay, file="overlays/prod/web.yaml")["automount"]["value"] == "false"
    assert variables(text, base, overlay, file="base/web.yaml")["automount"]["value"] == "true"


BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %s}
subjects: [%s]
"""


@pytest.mark.parametrize(
    ("role", "subject", "bound"),
    [
        ("view", "{kind: ServiceAccount, name: web, namespace: shop}", True),
        ("view", "{kind: ServiceAccount, name: web}", True),  # the binding's namespace
        ("view", "{kind: ServiceAccount, name: web, namespace: payments}", False),
        ("view", "{kind: ServiceAccount, name: api, namespace: shop}", False),
        ("view", '{kind: Group, name: "system:serviceaccounts:shop"}', True),
        ("view", '{kind: Group, name: "system:serviceaccounts:payments"}', False),
        ("view", '{kind: Group, name: "system:serviceaccounts"}', False),
        ("view", '{kind: Group, name: "system:authenticated"}', False),
        ("view", '{kind: User, name: "system:serviceaccount:shop:web"}', True),
        ("view", "{kind: User, name: web}", False),
        ("system:discovery", '{kind: Group, name: "system:serviceaccounts:shop"}', False),
        ("system:service-account-issuer-discovery", "{kind: ServiceAccount, name: web, namespace: shop}", False),
    ],
)
def test_bound_is_what_a_binding_says_of_this_account(role: str, subject: str, bound: bool) -> None:
    """One binding for everybody, somewhere in a repository, does not mean that this pod needs its token."""
    seen = pod("{serviceAccountName: web, containers: []}", resource(BINDING % (role, subject)))
    assert seen["service_account"]["bound"] is bound


def test_a_binding_that_names_a_namespace_binds_an_account_that_leaves_it_out_in_the_same_folder() -> None:
    binding = resource(BINDING % ("view", "{kind: ServiceAccount, name: web, namespace: shop}"))
    far = resource(
        BINDING % ("view", "{kind: ServiceAccount, name: web, namespace: shop}"), file="elsewhere/binding.yaml"
    )
    account = resource("{apiVersion: v1, kind: ServiceAccount, metadata: {name: web}}")
    spec = "{serviceAccountName: web, containers: []}"
    assert pod(spec, account, binding, metadata="{name: web}")["service_account"]["bound"]
    assert not pod(spec, account, far, metadata="{name: web}")["service_account"]["bound"]


@pytest.mark.parametrize(
    "text",
    [
        "{apiVersion: tekton.dev/v1, kind: Task, metadata: {name: t}, spec: {steps: [{name: s, image: a}]}}",
        "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: t}, spec: {templates: []}}",
    ],
)
def test_whoever_runs_a_template_decides_the_account(text: str) -> None:
    seen = variables(text)
    assert seen["automount"] == {"value": "unknown", "by": ""}
    assert seen["service_account"]["name"] == ""
    assert not seen["service_account"]["bound"]


def test_a_template_that_names_its_account_runs_as_it() -> None:
    seen = variables(
        "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: t, namespace: shop},"
        " spec: {serviceAccountName: web, templates: []}}",
        resource(ACCOUNT % "false"),
    )
    assert seen["automount"] == {"value": "false", "by": "service-account"}


@pytest.mark.parametrize("wrong", ["[web]", "{a: b}", "7", '""', "null"])
def test_a_name_that_is_no_text_is_no_name(wrong: Any) -> None:
    assert pod(f"{{serviceAccountName: {wrong}, containers: []}}")["service_account"]["name"] == "default"


def test_automount_that_is_no_boolean_does_not_decide() -> None:
    """`"false"` in quotes is refused by the API server; it must not read as false."""
    seen = pod('{automountServiceAccountToken: "false", containers: []}')
    assert seen["automount"] == {"value": "true", "by": "default"}


def test_views_of_an_account_itself_are_only_the_common_ones() -> None:
    assert set(see(resource(ACCOUNT % "true")).variables) == {"cluster", "literals", "subject"}
