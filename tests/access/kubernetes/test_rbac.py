"""The authoriser's own rules: table cases, and laws that hold for any roles and bindings."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.access.kubernetes import rbac
from auditor.access.kubernetes.rbac import Answer, Bound, Question, Snapshot, decide, rule_allows
from auditor.model.resource import Origin, Resource

Rule = Mapping[str, Any]
ALICE = ("alice", rbac.user_groups("developers"))


def rule(verbs: str, resources: str, names: str = "", groups: str = "") -> dict[str, list[str]]:
    return {
        "verbs": verbs.split(","),
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
        "resourceNames": names.split(",") if names else [],
    }


def binding(*subjects: Mapping[str, str], namespace: str = "") -> Resource:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    return Resource(
        type=f"kubernetes/{kind}",
        name="b",
        namespace=namespace,
        body={"subjects": list(subjects)},
        origin=Origin(file="rbac.yaml"),
    )


def to_alice(*rules: Rule, namespace: str = "") -> Snapshot:
    bound = Bound(binding=binding({"kind": "User", "name": "alice"}, namespace=namespace), rules=rules)
    return Snapshot(namespaced={namespace: (bound,)}) if namespace else Snapshot(cluster=(bound,))


def ask(
    snapshot: Snapshot, verb: str, resource: str, *, who: tuple[str, frozenset[str]] = ALICE, **where: str
) -> Answer:
    name, _, subresource = resource.partition("/")
    question = Question(user=who[0], groups=who[1], verb=verb, resource=name, subresource=subresource, **where)
    return decide(question, snapshot).answer


NAMED = to_alice(rule("get,list,watch", "secrets", "db"), namespace="n")


@pytest.mark.parametrize(
    ("snapshot", "verb", "resource", "where", "answer"),
    [
        pytest.param(NAMED, "list", "secrets", {"namespace": "n"}, Answer.DENY, id="K1-list-carries-no-name"),
        pytest.param(
            NAMED, "list", "secrets", {"namespace": "n", "name": "db"}, Answer.ALLOW, id="K1-field-selector-is-a-name"
        ),
        pytest.param(NAMED, "get", "secrets", {"namespace": "n", "name": "x"}, Answer.DENY, id="K1-another-name"),
        pytest.param(NAMED, "get", "secrets", {"namespace": "n", "name": "db"}, Answer.ALLOW, id="K1-the-name"),
        pytest.param(
            to_alice(rule("create", "secrets", "db")), "create", "secrets", {"namespace": "n"}, Answer.DENY, id="K2"
        ),
        pytest.param(
            to_alice(rule("*", "pods/*")), "create", "pods/exec", {"namespace": "n", "name": "p"}, Answer.DENY, id="K3"
        ),
        pytest.param(
            to_alice(rule("create", "*/exec")),
            "create",
            "pods/exec",
            {"namespace": "n", "name": "p"},
            Answer.ALLOW,
            id="K4",
        ),
        pytest.param(
            to_alice(rule("*", "pods")),
            "create",
            "pods/exec",
            {"namespace": "n", "name": "p"},
            Answer.DENY,
            id="K5-no-subresource",
        ),
        pytest.param(to_alice(rule("*", "pods")), "create", "pods", {"namespace": "n"}, Answer.ALLOW, id="K5-pods"),
        pytest.param(
            to_alice(rule("get,list", "secrets"), namespace="n"),
            "get",
            "secrets",
            {"namespace": "n", "name": "s"},
            Answer.ALLOW,
            id="K6-in-the-namespace",
        ),
        pytest.param(
            to_alice(rule("get,list", "secrets"), namespace="n"), "list", "secrets", {}, Answer.DENY, id="K6-everywhere"
        ),
        pytest.param(to_alice(rule("*", "*")), "bind", "pods", {}, Answer.ALLOW, id="a-wildcard-is-every-verb"),
        pytest.param(
            to_alice(rule("*", "*")), "get", "x", {"api_group": "apps"}, Answer.DENY, id="core-is-not-every-group"
        ),
        pytest.param(to_alice(rule("get*", "pods")), "get", "pods", {"name": "p"}, Answer.DENY, id="no-verb-prefix"),
        pytest.param(to_alice(rule("GET", "pods")), "get", "pods", {"name": "p"}, Answer.DENY, id="case-counts"),
        pytest.param(
            to_alice({"verbs": ["get"], "resources": ["pods"]}),
            "get",
            "pods",
            {"name": "p"},
            Answer.DENY,
            id="no-group",
        ),
        pytest.param(
            to_alice(rule("get,patch", "namespaces"), namespace="n"),
            "patch",
            "namespaces",
            {"namespace": "n", "name": "n"},
            Answer.ALLOW,
            id="the-namespace-object-itself",
        ),
    ],
)
def test_a_decision_is_that_of_the_real_authoriser(
    snapshot: Snapshot, verb: str, resource: str, where: dict[str, str], answer: Answer
) -> None:
    name, _, subresource = resource.partition("/")
    user, groups = ALICE
    question = Question(user=user, groups=groups, verb=verb, resource=name, subresource=subresource, **where)
    assert decide(question, snapshot).answer is answer


@pytest.mark.parametrize(
    ("version", "answer"), [((1, 34), Answer.ALLOW), ((1, 36), Answer.DENY), (None, Answer.UNKNOWN)]
)
def test_exec_by_get_depends_on_the_version(version: tuple[int, int] | None, answer: Answer) -> None:
    """K7: since 1.35 the server also asks for `create` on a WebSocket upgrade."""
    snapshot = to_alice(rule("get", "pods/exec"))
    question = Question(user="alice", verb="create", resource="pods", subresource="exec", namespace="n", name="p")
    assert rbac.decide_exec(question, snapshot, version=version).answer is answer


@pytest.mark.parametrize("version", [(1, 34), (1, 36), None])
def test_exec_by_create_does_not_depend_on_it(version: tuple[int, int] | None) -> None:
    snapshot = to_alice(rule("create", "pods/exec"))
    question = Question(user="alice", verb="create", resource="pods", subresource="exec", namespace="n", name="p")
    assert rbac.decide_exec(question, snapshot, version=version).answer is Answer.ALLOW


def test_every_service_account_of_a_namespace_is_in_its_group() -> None:
    """K9: a RoleBinding to `system:serviceaccounts:ci` in prod."""
    subject = {"kind": "Group", "name": "system:serviceaccounts:ci"}
    bound = Bound(binding=binding(subject, namespace="prod"), rules=(rule("get", "secrets"),))
    snapshot = Snapshot(namespaced={"prod": (bound,)})
    assert ask(snapshot, "get", "secrets", who=rbac.service_account("ci", "any"), namespace="prod", name="s") is (
        Answer.ALLOW
    )
    assert ask(snapshot, "get", "secrets", who=rbac.service_account("web", "any"), namespace="prod", name="s") is (
        Answer.DENY
    )


@pytest.mark.parametrize("group", ["system:serviceaccounts", "system:authenticated"])
def test_service_accounts_are_in_the_groups_of_all(group: str) -> None:
    snapshot = Snapshot(
        cluster=(Bound(binding=binding({"kind": "Group", "name": group}), rules=(rule("get", "secrets"),)),)
    )
    assert ask(snapshot, "get", "secrets", who=rbac.service_account("ci", "any"), name="s") is Answer.ALLOW
    assert ask(snapshot, "get", "secrets", who=rbac.anonymous(), name="s") is Answer.DENY


def test_a_cluster_binding_to_a_service_account_without_namespace_binds_nobody() -> None:
    """K10."""
    snapshot = Snapshot(
        cluster=(Bound(binding=binding({"kind": "ServiceAccount", "name": "web"}), rules=(rule("get", "secrets"),)),)
    )
    for namespace in ("", "web", "default"):
        assert ask(snapshot, "get", "secrets", who=rbac.service_account(namespace, "web"), name="s") is Answer.DENY


def test_in_a_role_binding_the_namespace_is_the_bindings_own() -> None:
    subject = {"kind": "ServiceAccount", "name": "web"}
    bound = Bound(binding=binding(subject, namespace="shop"), rules=(rule("get", "secrets"),))
    snapshot = Snapshot(namespaced={"shop": (bound,)})
    assert ask(snapshot, "get", "secrets", who=rbac.service_account("shop", "web"), namespace="shop", name="s") is (
        Answer.ALLOW
    )


def test_a_user_subject_may_name_a_service_account() -> None:
    subject = {"kind": "User", "name": "system:serviceaccount:ci:builder"}
    snapshot = Snapshot(cluster=(Bound(binding=binding(subject), rules=(rule("get", "secrets"),)),))
    assert ask(snapshot, "get", "secrets", who=rbac.service_account("ci", "builder"), name="s") is Answer.ALLOW


def test_a_missing_role_is_unknown_and_an_allowing_one_settles_it() -> None:
    missing = Bound(binding=binding({"kind": "User", "name": "alice"}), rules=(), unknown="not in the input")
    allowing = Bound(binding=binding({"kind": "User", "name": "alice"}), rules=(rule("get", "secrets"),))
    assert ask(Snapshot(cluster=(missing,)), "get", "secrets", name="s") is Answer.UNKNOWN
    assert ask(Snapshot(cluster=(missing, allowing)), "get", "secrets", name="s") is Answer.ALLOW
    assert ask(Snapshot(cluster=(missing,)), "get", "secrets", who=rbac.anonymous(), name="s") is Answer.DENY


def test_a_decision_names_what_decided() -> None:
    narrow, wide = rule("get", "pods"), rule("get", "secrets")
    snapshot = to_alice(narrow, wide)
    question = Question(user="alice", verb="get", resource="secrets", name="s")
    decision = decide(question, snapshot)
    assert decision.rule == wide
    assert decision.binding is snapshot.cluster[0].binding


@pytest.mark.parametrize(
    ("pattern", "url", "allowed"),
    [
        ("/metrics", "/metrics", True),
        ("/metrics", "/metrics/slis", False),
        ("/metrics/*", "/metrics/slis", True),
        ("/metrics*", "/metricsx", True),
        ("*", "/anything", True),
        ("/*/metrics", "/a/metrics", False),
    ],
)
def test_a_url_matches_exactly_or_by_a_trailing_star(pattern: str, url: str, *, allowed: bool) -> None:
    assert rbac.url_allows({"verbs": ["get"], "nonResourceURLs": [pattern]}, "get", url) is allowed
    assert not rbac.url_allows({"verbs": ["post"], "nonResourceURLs": [pattern]}, "get", url)


def test_a_malformed_rule_grants_nothing() -> None:
    """An API server would refuse it; a file may hold it all the same."""
    assert not rule_allows({"verbs": None, "apiGroups": [""], "resources": ["secrets"]}, "get", "", "secrets")
    assert not rule_allows({}, "get", "", "secrets")


# Laws.

VERBS = ["get", "list", "watch", "create", "deletecollection", "bind"]
GROUPS = ["", "apps"]
RESOURCES = ["secrets", "pods", "pods/exec", "deployments"]
NAMES = ["db", "web"]
NAMESPACES = ["shop", "prod"]


def some(items: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(items), max_size=3)


RULES = st.fixed_dictionaries(
    {
        "verbs": some([*VERBS, "*"]),
        "apiGroups": some([*GROUPS, "*"]),
        "resources": some([*RESOURCES, "*", "*/exec", "pods/*"]),
        "resourceNames": some(NAMES),
    }
)
SUBJECTS = st.sampled_from(
    [
        {"kind": "User", "name": "alice"},
        {"kind": "Group", "name": "developers"},
        {"kind": "Group", "name": "system:authenticated"},
        {"kind": "ServiceAccount", "name": "web", "namespace": "shop"},
        {"kind": "ServiceAccount", "name": "web"},
    ]
)
PRINCIPALS = st.sampled_from([ALICE, rbac.service_account("shop", "web"), rbac.anonymous()])


@st.composite
def bounds(draw: st.DrawFn, namespace: str = "") -> Bound:
    subjects = draw(st.lists(SUBJECTS, max_size=2))
    return Bound(binding=binding(*subjects, namespace=namespace), rules=tuple(draw(st.lists(RULES, max_size=3))))


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    namespaced = {name: tuple(draw(st.lists(bounds(namespace=name), max_size=2))) for name in NAMESPACES}
    return Snapshot(cluster=tuple(draw(st.lists(bounds(), max_size=2))), namespaced=namespaced)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    user, groups = draw(PRINCIPALS)
    resource, _, subresource = draw(st.sampled_from(RESOURCES)).partition("/")
    return Question(
        user=user,
        groups=groups,
        verb=draw(st.sampled_from(VERBS)),
        api_group=draw(st.sampled_from(GROUPS)),
        resource=resource,
        subresource=subresource,
        namespace=draw(st.sampled_from([*NAMESPACES, ""])),
        name=draw(st.sampled_from([*NAMES, ""])),
    )


def allowed(question: Question, snapshot: Snapshot) -> bool:
    return decide(question, snapshot).answer is Answer.ALLOW


@given(snapshots(), questions(), bounds())
def test_more_bindings_never_take_access_away(snapshot: Snapshot, question: Question, more: Bound) -> None:
    """RBAC has no deny: removing any single grant never adds a reader."""
    larger = Snapshot(cluster=(more, *snapshot.cluster), namespaced=snapshot.namespaced)
    assert not allowed(question, snapshot) or allowed(question, larger)


@given(snapshots(), questions(), RULES)
def test_more_rules_never_take_access_away(snapshot: Snapshot, question: Question, more: Rule) -> None:
    cluster = tuple(Bound(binding=bound.binding, rules=(more, *bound.rules)) for bound in snapshot.cluster)
    assert not allowed(question, snapshot) or allowed(
        question, Snapshot(cluster=cluster, namespaced=snapshot.namespaced)
    )


@given(questions(), st.lists(bounds(namespace="shop"), max_size=3))
def test_a_role_binding_never_grants_beyond_its_namespace(question: Question, inside: list[Bound]) -> None:
    snapshot = Snapshot(namespaced={"shop": tuple(inside)})
    assert not allowed(question, snapshot) or question.namespace == "shop"


@given(questions(), RULES)
def test_a_rule_with_names_never_matches_a_request_without_one(question: Question, some_rule: Rule) -> None:
    if some_rule["resourceNames"] and not question.name:
        assert not rbac.matches(some_rule, question)


@given(questions(), RULES)
def test_whoever_is_allowed_is_allowed_for_some_name(question: Question, some_rule: Rule) -> None:
    """`rule_allows` is what policies ask; it must never say no where the authoriser says yes."""
    resource = f"{question.resource}/{question.subresource}" if question.subresource else question.resource
    if rbac.matches(some_rule, question):
        assert rule_allows(some_rule, question.verb, question.api_group, resource)
