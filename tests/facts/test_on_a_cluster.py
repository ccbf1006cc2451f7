"""Views of live objects: names are exact, and what rests on the absence of something says whether that was read."""

import pickle

import pytest

from auditor.facts import hosts, sources, writers
from auditor.facts.estate import Estate
from auditor.facts.extent import Extent
from auditor.model.collection import CallResult
from auditor.model.resource import Resource
from tests.facts.cluster import call, estate, live, pod, read, variables

ACCOUNTS = "kubernetes/ServiceAccount"
BINDINGS = ("kubernetes/RoleBinding", "kubernetes/ClusterRoleBinding")
EVERYTHING = (ACCOUNTS, *BINDINGS, *sources.MAKERS, hosts.INGRESS, hosts.GATEWAY)

ACCOUNT = (
    "{apiVersion: v1, kind: ServiceAccount, metadata: {name: %s, namespace: shop}, automountServiceAccountToken: %s}"
)
BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: pay}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
"""


def without(*types: str) -> Extent:
    return read(*EVERYTHING, but=[call(type_, CallResult.FORBIDDEN) for type_ in types])


def test_a_named_account_is_not_needed_where_the_pod_decides() -> None:
    seen = pod(without(ACCOUNTS), "{serviceAccountName: web, automountServiceAccountToken: false, containers: []}")
    assert seen["automount"] == {"value": "false", "by": "pod"}


def test_an_account_whose_list_was_not_read_leaves_automount_unknown() -> None:
    seen = pod(without(ACCOUNTS), "{serviceAccountName: web, containers: []}")
    assert seen["automount"] == {"value": "unknown", "by": ""}
    assert seen["service_account"]["unread"] == "prod: the list of ServiceAccount was not read (forbidden)"


@pytest.mark.parametrize(("automount", "value"), [("null", "true"), ("false", "false")])
def test_the_default_account_is_an_object_like_any_other(automount: str, value: str) -> None:
    default = live(ACCOUNT % ("default", automount))
    assert pod(read(*EVERYTHING), "{containers: []}", default)["automount"]["value"] == value
    unread = pod(without(ACCOUNTS), "{containers: []}")
    assert unread["automount"]["value"] == "unknown"


def test_an_account_that_was_read_is_known_although_the_list_broke_off() -> None:
    seen = pod(without(ACCOUNTS), "{serviceAccountName: web, containers: []}", live(ACCOUNT % ("web", "false")))
    assert seen["automount"] == {"value": "false", "by": "service-account"}
    assert seen["service_account"]["unread"] == ""


def test_an_account_of_another_namespace_is_another_account() -> None:
    other = live((ACCOUNT % ("web", "false")).replace("namespace: shop", "namespace: pay"))
    assert not pod(read(*EVERYTHING), "{serviceAccountName: web, containers: []}", other)["service_account"]["found"]


@pytest.mark.parametrize("unread", BINDINGS)
def test_an_account_that_no_binding_names_may_be_bound_by_one_that_was_not_read(unread: str) -> None:
    account = pod(without(unread), "{serviceAccountName: web, containers: []}")["service_account"]
    assert not account["bound"]
    assert account["bindings_unread"] == f"prod: the list of {unread.partition('/')[2]} was not read (forbidden)"


def test_a_binding_that_was_read_binds_whatever_else_was_not() -> None:
    """It may stand in any namespace."""
    account = pod(without(*BINDINGS), "{serviceAccountName: web, containers: []}", live(BINDING))["service_account"]
    assert account["bound"]
    assert account["bindings_unread"] == ""


def test_bindings_of_the_scope_alone_do_not_show_all_that_bind() -> None:
    scoped = read(*EVERYTHING, but=[call(BINDINGS[0], namespace="shop")])
    account = pod(scoped, "{serviceAccountName: web, containers: []}")["service_account"]
    assert account["bindings_unread"] == "prod: RoleBinding was listed in the namespaces of the scope alone"


USES = "{containers: [{name: c, envFrom: [{secretRef: {name: db}}]}]}"
EXTERNAL = """
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: shop}
spec: {secretStoreRef: {name: vault}}
"""


def secret(more: str = "", *, metadata: str = "") -> Resource:
    return live(
        f"{{apiVersion: v1, kind: Secret, metadata: {{name: db, namespace: shop{metadata}}}, type: Opaque,"
        f" keys: [password], keyCount: 1{more}}}"
    )


def source(extent: Extent, *members: Resource) -> tuple[str, str, str]:
    (ref,) = pod(extent, USES, *members)["secret_refs"]
    return ref["source"], ref["by"], ref["why"]


def test_an_operators_object_says_where_a_secret_comes_from_even_if_no_secret_was_read() -> None:
    assert source(without("kubernetes/Secret"), live(EXTERNAL)) == ("external-secrets", "", "")


@pytest.mark.parametrize("unread", sources.MAKERS)
def test_what_was_not_read_may_contradict_who_wrote_a_secret(unread: str) -> None:
    """An ExternalSecret may add to a Secret that `kubectl` made."""
    kind = unread.partition("/")[2]
    found = source(without(unread), secret(", managers: [kubectl-create]"))
    assert found == ("unknown", "", f"prod: the list of {kind} was not read (forbidden)")


@pytest.mark.parametrize(
    ("object_", "expected"),
    [
        (secret(", managers: [kubectl-client-side-apply]"), ("plain", "kubectl-client-side-apply", "")),
        (secret(", managers: [helm]"), ("plain", "helm", "")),
        (secret(", managers: [external-secrets]"), ("external-secrets", "external-secrets", "")),
        (
            secret(", managers: [argocd-controller]"),
            ("unknown", "Argo CD", "Secret db was written by Argo CD, which may take values from anywhere"),
        ),
        (
            secret(", managers: [kubectl-edit, our-operator]"),
            (
                "unknown",
                "kubectl-edit and our-operator",
                "Secret db was written by kubectl-edit and our-operator, which may take values from anywhere",
            ),
        ),
        (secret(), ("unknown", "", "Secret db does not say who wrote it")),
        (
            secret(metadata=", ownerReferences: [{kind: SealedSecret, name: db}]"),
            ("sealed-secrets", "SealedSecret", ""),
        ),
        (secret(metadata=", annotations: {meta.helm.sh/release-name: shop}"), ("plain", "helm", "")),
        (
            secret(metadata=", annotations: {kubectl.kubernetes.io/last-applied-configuration: ''}"),
            ("plain", "kubectl", ""),
        ),
        (
            secret(metadata=", labels: {kustomize.toolkit.fluxcd.io/name: shop}"),
            ("unknown", "Flux", "Secret db was written by Flux, which may take values from anywhere"),
        ),
    ],
)
def test_owners_labels_and_managers_say_who_wrote_a_secret(object_: Resource, expected: tuple[str, str, str]) -> None:
    assert source(read(*EVERYTHING), object_) == expected


def test_a_secret_that_does_not_exist_is_said_not_to() -> None:
    assert source(read(*EVERYTHING)) == ("unknown", "", "Secret db does not exist")


def test_a_secret_of_another_namespace_is_another_secret() -> None:
    other = live(EXTERNAL.replace("namespace: shop", "namespace: pay"))
    assert source(read(*EVERYTHING), other)[0] == "unknown"


def test_what_is_made_in_many_namespaces_is_there_in_each() -> None:
    """A ClusterExternalSecret makes ExternalSecrets, and they are asked for themselves."""
    text = """{apiVersion: external-secrets.io/v1, kind: ClusterExternalSecret, metadata: {name: db},
               spec: {externalSecretSpec: {target: {name: db}}}}"""
    assert estate(read(*EVERYTHING), live(text)).made_secrets == []


def test_the_platforms_own_secrets_come_from_no_store() -> None:
    assert writers.writer({"type": "kubernetes.io/service-account-token"})[0] == writers.PLATFORM


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: shop}
spec: {tls: [{hosts: [a.example], secretName: web-tls}]}
"""
TLS = """{apiVersion: v1, kind: Secret, metadata: {name: web-tls, namespace: shop}, type: kubernetes.io/tls,
          keys: [tls.crt, tls.key], keyCount: 2}"""


@pytest.mark.parametrize("unread", [hosts.INGRESS, hosts.GATEWAY])
def test_a_host_may_be_served_by_what_was_not_read(unread: str) -> None:
    seen = variables(without(unread), TLS, live(INGRESS))
    assert seen["tls_hosts"] == ["a.example"]
    assert seen["tls_hosts_unread"] == f"prod: the list of {unread.partition('/')[2]} was not read (forbidden)"
    assert variables(read(*EVERYTHING), TLS, live(INGRESS))["tls_hosts_unread"] == ""


def test_the_extent_travels_with_the_estate() -> None:
    built = estate(without(ACCOUNTS), live(ACCOUNT % ("web", "true")))
    copy: Estate = pickle.loads(pickle.dumps(built))  # noqa: S301 - our own bytes
    assert copy == built
    assert copy.extent.unread(ACCOUNTS, "shop")
