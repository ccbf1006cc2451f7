"""What people write for a resource, as kubectl reads it."""

import pytest

from auditor.access.kubernetes import built_in
from auditor.access.kubernetes.api_resources import Named, resolve
from auditor.model.errors import InputError


def named(text: str, **seen: list[str]) -> Named:
    return resolve(text, built_in.load().resources, seen=seen)


@pytest.mark.parametrize(
    ("text", "label", "name", "namespaced"),
    [
        ("secrets", "secrets", "", True),
        ("secret", "secrets", "", True),
        ("Secret", "secrets", "", True),
        ("po", "pods", "", True),
        ("deploy", "deployments.apps", "", True),
        ("ep", "endpoints", "", True),
        ("secrets/db", "secrets", "db", True),
        ("pods/exec", "pods/exec", "", True),
        ("po/Exec", "pods/exec", "", True),
        ("pods/web", "pods", "web", True),
        ("pods/web/exec", "pods/exec", "web", True),
        ("sa/token", "serviceaccounts/token", "", True),
        ("deployments.apps", "deployments.apps", "", True),
        ("deploy.apps/scale", "deployments.apps/scale", "", True),
        ("deployments.v1.apps", "deployments.apps", "", True),
        ("deployments.extensions", "deployments.extensions", "", None),
        ("pods.v1", "pods", "", True),
        ("nodes", "nodes", "", False),
        ("nodes/proxy", "nodes/proxy", "", False),
        ("nodes/checkpoint", "nodes/checkpoint", "", False),
        ("users", "users", "", False),
        ("signers", "signers.certificates.k8s.io", "", False),
        ("clusterroles/view", "clusterroles.rbac.authorization.k8s.io", "view", False),
        ("externalsecrets.external-secrets.io", "externalsecrets.external-secrets.io", "", None),
        ("widgets.v1beta1.example.com/w1", "widgets.example.com", "w1", None),
        ("widgets.example.com/status", "widgets.example.com/status", "", None),
        ("*", "*.*", "", None),
        ("*/exec", "*.*/exec", "", None),
        ("*.apps", "*.apps", "", None),
        ("userextras.authentication.k8s.io/example.com/scopes", "", "", False),
    ],
)
def test_a_resource_is_read_as_kubectl_reads_it(text: str, label: str, name: str, *, namespaced: bool | None) -> None:
    found = named(text)
    label = label or "userextras.authentication.k8s.io/example.com/scopes"
    assert (found.label, found.name, found.namespaced) == (label, name, namespaced)


def test_a_name_in_several_groups_means_the_first_and_the_others_are_told() -> None:
    found = named("events")
    assert (found.group, found.also) == ("", ("events.k8s.io",))
    assert named("events.events.k8s.io").also == ()


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("secretz", "secretz is no resource of Kubernetes itself", "Did you mean secrets?"),
        ("externalsecrets", "externalsecrets is no resource", "needs its API group"),
        ("", "is no resource", "secrets/NAME"),
        ("pods//exec", "is no resource", "secrets/NAME"),
        ("pods/", "is no resource", "secrets/NAME"),
        ("pods/a/exec/b", "too many parts", "pods/NAME/exec"),
    ],
)
def test_what_is_no_resource_is_refused_with_a_hint(text: str, said: str, hint: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        named(text)
    assert hint in caught.value.hint


def test_the_hint_names_the_group_that_roles_of_the_input_name() -> None:
    with pytest.raises(InputError) as caught:
        named("ExternalSecrets", externalsecrets=["external-secrets.io", "*"])
    assert caught.value.hint == (
        "Roles in the input name externalsecrets.external-secrets.io: write it with its group."
    )


def test_no_two_resources_of_a_group_share_a_name() -> None:
    seen = set()
    for one in built_in.load().resources:
        for word in {one.plural, one.singular, *one.short} - {""}:
            assert (one.group, word) not in seen
            seen.add((one.group, word))
