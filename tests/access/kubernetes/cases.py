"""RBAC states by hand, each with questions and the answers that the API server gives: the tricky ones.

All cases are loaded into one server together, so each has a namespace, users and roles of its own. `K1` and the like
are the ids of the same case in the tests of the evaluator alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.access.kubernetes.rbac import Caller, Request, caller
from tests.access.kubernetes.builders import rule
from tests.access.kubernetes.states import RBAC

Object = dict[str, Any]
Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One state; every question is `(caller, request, allowed)`."""

    id: str
    objects: Sequence[Object]
    questions: Sequence[tuple[Caller, Request, bool]]


def named(kind: str, name: str, namespace: str = "", **rest: Any) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **rest.pop("metadata", {})}
    version = "v1" if kind == "Namespace" else f"{RBAC}/v1"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


def cluster_role(name: str, *rules: Rule, labels: Mapping[str, str] | None = None) -> Object:
    return named("ClusterRole", name, rules=list(rules), metadata={"labels": dict(labels or {})})


def aggregated(name: str, *selectors: Rule, labels: Mapping[str, str] | None = None) -> Object:
    metadata = {"labels": dict(labels or {})}
    return named("ClusterRole", name, aggregationRule={"clusterRoleSelectors": list(selectors)}, metadata=metadata)


def local_role(name: str, namespace: str, *rules: Rule) -> Object:
    return named("Role", name, namespace, rules=list(rules))


def bind(role: str, *subjects: Mapping[str, str], namespace: str = "", local: bool = False, name: str = "") -> Object:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    reference = {"apiGroup": RBAC, "kind": "Role" if local else "ClusterRole", "name": role}
    return named(kind, name or f"{role}-bound", namespace, roleRef=reference, subjects=list(subjects))


def user(name: str) -> dict[str, str]:
    return {"apiGroup": RBAC, "kind": "User", "name": name}


def group(name: str) -> dict[str, str]:
    return {"apiGroup": RBAC, "kind": "Group", "name": name}


def account(namespace: str, name: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": name, **({"namespace": namespace} if namespace else {})}


def ask(  # noqa: PLR0917 - as one writes it to kubectl
    who: str | Caller, verb: str, resource: str, namespace: str = "", name: str = "", api: str = ""
) -> tuple[Caller, Request]:
    """Return caller and request; a resource that begins with a slash is a path."""
    asker = who if isinstance(who, Caller) else caller(who)
    if resource.startswith("/"):
        return asker, Request(verb=verb, url=resource)
    resource, _, subresource = resource.partition("/")
    return asker, Request(
        verb=verb, api_group=api, resource=resource, subresource=subresource, namespace=namespace, name=name
    )


def yes(*args: Any, **more: Any) -> tuple[Caller, Request, bool]:
    return (*ask(*args, **more), True)


def no(*args: Any, **more: Any) -> tuple[Caller, Request, bool]:
    return (*ask(*args, **more), False)


def namespaces(*names: str) -> list[Object]:
    return [named("Namespace", name) for name in names]


CASES = (
    Case(
        "K1-names-limit-list-to-the-field-selector",
        [
            *namespaces("k1"),
            local_role("named", "k1", rule("get,list,watch", "secrets", "db")),
            bind("named", user("k1"), namespace="k1", local=True),
        ],
        [
            no("k1", "list", "secrets", "k1"),
            yes("k1", "list", "secrets", "k1", "db"),
            yes("k1", "watch", "secrets", "k1", "db"),
            yes("k1", "get", "secrets", "k1", "db"),
            no("k1", "get", "secrets", "k1", "other"),
            no("k1", "list", "secrets"),
        ],
    ),
    Case(
        "K2-create-and-deletecollection-carry-no-name",
        [cluster_role("k2", rule("create,deletecollection,delete", "secrets", "db")), bind("k2", user("k2"))],
        [
            no("k2", "create", "secrets", "default"),
            no("k2", "deletecollection", "secrets", "default"),
            yes("k2", "delete", "secrets", "default", "db"),
        ],
    ),
    Case(
        "an-empty-name-in-the-list-lets-requests-without-a-name-through",
        [cluster_role("empty-name", rule("list,create", "secrets", "db,")), bind("empty-name", user("empty-name"))],
        [
            yes("empty-name", "list", "secrets", "default"),
            yes("empty-name", "create", "secrets", "default"),
            no("empty-name", "list", "secrets", "default", "web"),
        ],
    ),
    Case(
        "K3-a-star-behind-the-slash-is-no-pattern",
        [cluster_role("k3", rule("*", "pods/*")), bind("k3", user("k3"))],
        [no("k3", "create", "pods/exec", "default", "p"), no("k3", "get", "pods", "default", "p")],
    ),
    Case(
        "K4-a-star-before-the-slash-is-that-subresource-of-everything",
        [cluster_role("k4", rule("create", "*/exec,*/scale", groups=",apps")), bind("k4", user("k4"))],
        [
            yes("k4", "create", "pods/exec", "default", "p"),
            yes("k4", "create", "deployments/scale", "default", "d", api="apps"),
            no("k4", "create", "pods/execs", "default", "p"),
            no("k4", "create", "pods", "default"),
            no("k4", "create", "exec", "default"),
        ],
    ),
    Case(
        "K5-a-resource-does-not-include-its-subresources",
        [cluster_role("k5", rule("*", "pods")), bind("k5", user("k5"))],
        [
            no("k5", "create", "pods/exec", "default", "p"),
            yes("k5", "create", "pods", "default"),
            yes("k5", "anything", "pods", "default"),
        ],
    ),
    Case(
        "K6-a-role-binding-gives-a-cluster-role-in-its-namespace-alone",
        [*namespaces("k6"), cluster_role("k6", rule("get,list", "secrets")), bind("k6", user("k6"), namespace="k6")],
        [
            yes("k6", "get", "secrets", "k6", "s"),
            yes("k6", "list", "secrets", "k6"),
            no("k6", "list", "secrets"),
            no("k6", "get", "secrets", "default", "s"),
        ],
    ),
    Case(
        "K8-a-label-puts-rules-into-view-and-so-into-edit-and-admin",
        [
            *namespaces("k8"),
            cluster_role(
                "k8-leak",
                rule("get", "widgets", groups="k8.example.com"),
                labels={"rbac.authorization.k8s.io/aggregate-to-view": "true"},
            ),
            *(bind(name, user(f"k8-{name}"), namespace="k8", name=name) for name in ("view", "edit", "admin")),
        ],
        [
            yes("k8-view", "get", "widgets", "k8", "w", api="k8.example.com"),
            yes("k8-edit", "get", "widgets", "k8", "w", api="k8.example.com"),
            yes("k8-admin", "get", "widgets", "k8", "w", api="k8.example.com"),
            no("k8-view", "get", "secrets", "k8", "s"),
            yes("k8-edit", "get", "secrets", "k8", "s"),
            no("k8-edit", "create", "rolebindings", "k8", api=RBAC),
            yes("k8-admin", "create", "rolebindings", "k8", api=RBAC),
            no("k8-admin", "bind", "clusterroles", "k8", "admin", api=RBAC),
        ],
    ),
    Case(
        "aggregation-over-several-levels-by-expressions",
        [
            aggregated("agg-top", {"matchExpressions": [{"key": "agg", "operator": "In", "values": ["middle", "x"]}]}),
            aggregated(
                "agg-middle",
                {"matchLabels": {"agg": "leaf"}, "matchExpressions": [{"key": "no", "operator": "DoesNotExist"}]},
                labels={"agg": "middle"},
            ),
            cluster_role("agg-leaf", rule("get", "pods"), labels={"agg": "leaf"}),
            cluster_role("agg-other", rule("get", "nodes"), labels={"agg": "leaf", "no": "1"}),
            bind("agg-top", user("agg-top")),
            bind("agg-middle", user("agg-middle")),
        ],
        [
            yes("agg-top", "get", "pods", "default", "p"),
            yes("agg-middle", "get", "pods", "default", "p"),
            no("agg-top", "get", "nodes", name="n"),
        ],
    ),
    Case(
        "the-empty-selector-takes-in-every-cluster-role",
        [aggregated("agg-all", {}), bind("agg-all", user("agg-all"))],
        [yes("agg-all", "get", "secrets", "default", "s"), yes("agg-all", "get", "/metrics")],
    ),
    Case(
        "what-an-aggregated-role-says-itself-is-overwritten",
        [
            {**aggregated("agg-own", {"matchLabels": {"agg-own": "1"}}), "rules": [rule("get", "secrets")]},
            cluster_role("agg-own-part", rule("get", "pods"), labels={"agg-own": "1"}),
            bind("agg-own", user("agg-own")),
        ],
        [yes("agg-own", "get", "pods", "default", "p"), no("agg-own", "get", "secrets", "default", "s")],
    ),
    Case(
        "K9-accounts-are-in-the-groups-of-all-and-of-their-namespace",
        [
            *namespaces("k9"),
            cluster_role("k9", rule("get", "secrets")),
            bind("k9", group("system:serviceaccounts:ci"), namespace="k9"),
            cluster_role("k9-all", rule("get", "configmaps")),
            bind("k9-all", group("system:serviceaccounts"), namespace="k9"),
        ],
        [
            yes("system:serviceaccount:ci:any", "get", "secrets", "k9", "s"),
            no("system:serviceaccount:web:any", "get", "secrets", "k9", "s"),
            yes("system:serviceaccount:web:any", "get", "configmaps", "k9", "c"),
            no("ci", "get", "secrets", "k9", "s"),
            no(Caller("system:serviceaccount:ci:any"), "get", "secrets", "k9", "s"),
        ],
    ),
    Case(
        "an-account-by-kind-by-user-name-and-without-a-namespace",
        [
            *namespaces("acc"),
            cluster_role("acc", rule("get", "secrets")),
            bind(
                "acc",
                account("ci", "kind"),
                user("system:serviceaccount:ci:name"),
                account("", "bare"),
                namespace="acc",
            ),
        ],
        [
            yes("system:serviceaccount:ci:kind", "get", "secrets", "acc", "s"),
            yes("system:serviceaccount:ci:name", "get", "secrets", "acc", "s"),
            yes("system:serviceaccount:acc:bare", "get", "secrets", "acc", "s"),
            no("system:serviceaccount:ci:bare", "get", "secrets", "acc", "s"),
            no("kind", "get", "secrets", "acc", "s"),
        ],
    ),
    Case(
        "everybody-and-nobody",
        [
            *namespaces("all"),
            cluster_role("all", rule("get", "configmaps")),
            bind("all", group("system:authenticated"), namespace="all"),
            cluster_role("none", rule("get", "events")),
            bind("none", group("system:unauthenticated"), namespace="all"),
        ],
        [
            yes("whoever", "get", "configmaps", "all", "c"),
            no("system:anonymous", "get", "configmaps", "all", "c"),
            yes("system:anonymous", "get", "events", "all", "e"),
            no("whoever", "get", "events", "all", "e"),
            no(Caller("whoever"), "get", "configmaps", "all", "c"),
        ],
    ),
    Case(
        "superusers-need-no-binding",
        [],
        [
            yes(caller("su", ["system:masters"]), "escalate", "clusterroles", name="x", api=RBAC),
            yes(caller("su", ["system:masters"]), "put", "/anything"),
            yes(Caller("", frozenset({"system:masters"})), "get", "secrets", "default", "s"),
            no("su", "get", "secrets", "default", "s"),
        ],
    ),
    Case(
        "a-missing-role-grants-nothing",
        [bind("gone", user("gone")), bind("gone", user("gone"), namespace="default", local=True)],
        [no("gone", "get", "secrets", "default", "s"), no("gone", "get", "/metrics")],
    ),
    Case(
        "a-role-of-another-namespace-is-another-role",
        [
            *namespaces("own", "foreign"),
            local_role("own-role", "foreign", rule("get", "secrets")),
            bind("own-role", user("own"), namespace="own", local=True),
        ],
        [no("own", "get", "secrets", "own", "s"), no("own", "get", "secrets", "foreign", "s")],
    ),
    Case(
        "the-namespace-object-itself",
        [
            *namespaces("obj"),
            cluster_role("obj", rule("get,list,patch,delete", "namespaces")),
            bind("obj", user("obj"), namespace="obj"),
        ],
        [
            yes("obj", "get", "namespaces", "obj", "obj"),
            yes("obj", "delete", "namespaces", "obj", "obj"),
            no("obj", "get", "namespaces", "default", "default"),
            no("obj", "list", "namespaces"),
        ],
    ),
    Case(
        "paths-need-a-cluster-role-binding",
        [
            cluster_role("url", {"verbs": ["get"], "nonResourceURLs": ["/metrics", "/logs/*", "/x**", "/*/y"]}),
            bind("url", user("url")),
            bind("url", user("url-inside"), namespace="default"),
        ],
        [
            yes("url", "get", "/metrics"),
            no("url", "get", "/metrics/slis"),
            yes("url", "get", "/logs/a/b"),
            yes("url", "get", "/logs/"),
            no("url", "get", "/logs"),
            yes("url", "get", "/xyz"),
            no("url", "get", "/a/y"),
            no("url", "post", "/metrics"),
            no("url-inside", "get", "/metrics"),
            yes("url-inside", "get", "/healthz"),
            no("system:anonymous", "get", "/api"),
            yes("system:anonymous", "get", "/livez"),
        ],
    ),
    Case(
        "verbs-groups-and-resources-are-whole-words",
        [
            cluster_role("words", rule("get", "secrets"), rule("GET", "pods"), rule("list*", "pods")),
            cluster_role("core-only", rule("*", "*")),
            bind("words", user("words")),
            bind("core-only", user("words-core")),
        ],
        [
            no("words", "get", "secret", "default", "s"),
            no("words", "get", "secretsx", "default", "s"),
            no("words", "get", "pods", "default", "p"),
            no("words", "list", "pods", "default"),
            no("words", "*", "secrets", "default", "s"),
            no("words-core", "get", "deployments", "default", "d", api="apps"),
            yes("words-core", "*", "*", "default"),
            no("words-core", "*", "*", "default", api="*"),
        ],
    ),
    Case(
        "a-star-verb-is-every-verb-also-bind-escalate-and-impersonate",
        [
            cluster_role(
                "star", rule("*", "users,groups,serviceaccounts,userextras/scopes", groups=",authentication.k8s.io")
            ),
            bind("star", user("star")),
            cluster_role("star-rbac", rule("*", "clusterroles", "view", groups=RBAC)),
            bind("star-rbac", user("star")),
        ],
        [
            yes("star", "impersonate", "users", name="anybody"),
            yes("star", "impersonate", "serviceaccounts", "default", "default"),
            yes("star", "impersonate:user-info", "users", name="anybody", api="authentication.k8s.io"),
            yes("star", "impersonate", "userextras/scopes", name="x", api="authentication.k8s.io"),
            no("star", "impersonate", "uids", name="x", api="authentication.k8s.io"),
            yes("star", "bind", "clusterroles", name="view", api=RBAC),
            no("star", "escalate", "clusterroles", name="admin", api=RBAC),
        ],
    ),
    Case(
        "impersonation-of-some-by-name",
        [
            cluster_role("imp", rule("impersonate", "users,groups", "ada,ops"), rule("impersonate", "serviceaccounts")),
            bind("imp", user("imp")),
            bind("imp", user("imp-inside"), namespace="default"),
        ],
        [
            yes("imp", "impersonate", "users", name="ada"),
            yes("imp", "impersonate", "groups", name="ops"),
            no("imp", "impersonate", "groups", name="system:masters"),
            yes("imp", "impersonate", "serviceaccounts", "kube-system", "x"),
            yes("imp-inside", "impersonate", "serviceaccounts", "default", "x"),
            no("imp-inside", "impersonate", "serviceaccounts", "kube-system", "x"),
            no("imp-inside", "impersonate", "users", name="ada"),
        ],
    ),
    Case(
        "odd-names",
        [
            *namespaces("odd"),
            cluster_role("odd:Role", rule("get", "secrets")),
            bind("odd:Role", user('qu"o\\te'), group("oidc:team/a b"), user("zoë"), namespace="odd", name="B:x.y"),
        ],
        [
            yes('qu"o\\te', "get", "secrets", "odd", "s"),
            yes("zoë", "get", "secrets", "odd", "s"),
            yes(caller("member", ["oidc:team/a b"]), "get", "secrets", "odd", "s"),
            no(caller("member", ["oidc:team"]), "get", "secrets", "odd", "s"),
        ],
    ),
    Case(
        "several-bindings-grant-it-and-one-is-named",
        [
            *namespaces("many"),
            cluster_role("many", rule("get", "secrets")),
            *(bind("many", user("many"), group("many"), name=f"many-{number}") for number in range(5)),
            bind("many", user("many"), namespace="many"),
        ],
        [
            yes(caller("many", ["many"]), "get", "secrets", "many", "s"),
            yes("many", "get", "secrets"),
            yes(caller("other", ["many"]), "get", "secrets", "many", "s"),
        ],
    ),
)
