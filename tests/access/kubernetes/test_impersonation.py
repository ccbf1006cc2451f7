"""Impersonation: table cases, and real requests with impersonation headers to the real server."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import urllib3

from auditor.access.kubernetes.answers import Answer, DoubtKind
from auditor.access.kubernetes.dialect import Authoriser, Dialect
from auditor.access.kubernetes.evaluator import Evaluator
from auditor.access.kubernetes.impersonation import Mode, Target, impersonate
from auditor.access.kubernetes.rbac import Caller, Request, caller
from tests.access.kubernetes.builders import ALICE, TO_ALICE, binding, evaluator, request, role, rule
from tests.access.kubernetes.cases import bind, cluster_role, user
from tests.access.kubernetes.test_against_server import held, load
from tests.servers.api import Answer as Reply
from tests.servers.kubernetes import ACCOUNTS, Kubernetes, Setup, running

GET = request("get", "secrets", namespace="n", name="s")
AUTHENTICATION = "authentication.k8s.io"
WEB = "system:serviceaccount:shop:web"


def cluster(*rules: Mapping[str, Any], version: tuple[int, int] | None = (1, 36)) -> Evaluator:
    dialect = Dialect(version=version, authorisers=(Authoriser.RBAC,))
    return evaluator(role("r", *rules), binding("b", "ClusterRole", "r", [TO_ALICE]), live=True, dialect=dialect)


LEGACY = (rule("impersonate", "users", "ada"), rule("impersonate", "groups", "ops"))
CONSTRAINED = (
    rule("impersonate:user-info", "users,groups", "ada,ops", groups=AUTHENTICATION),
    rule("impersonate-on:user-info:get", "secrets"),
)


@pytest.mark.parametrize(
    ("rules", "target", "answer", "mode"),
    [
        (LEGACY, Target(user="ada"), "allow", Mode.LEGACY),
        (LEGACY, Target(user="ada", groups=("ops",)), "allow", Mode.LEGACY),
        (LEGACY, Target(user="ada", groups=("ops", "admins")), "deny", None),
        (LEGACY, Target(user="bob", groups=("ops",)), "deny", None),
        (LEGACY, Target(user="ada", uid="1"), "deny", None),
        (LEGACY, Target(user=WEB), "deny", None),
        ((rule("impersonate", "serviceaccounts", "web"),), Target(user=WEB), "allow", Mode.LEGACY),
        (CONSTRAINED, Target(user="ada"), "allow", Mode.USER_INFO),
        (CONSTRAINED, Target(user="ada", groups=("ops",)), "allow", Mode.USER_INFO),
        (CONSTRAINED[:1], Target(user="ada"), "deny", None),
        (CONSTRAINED, Target(user="ada", groups=("",)), "deny", None),
        (
            (rule("*", "users,groups", groups=AUTHENTICATION), rule("impersonate-on:user-info:get", "secrets")),
            Target(user="ada", groups=("system:masters",)),
            "deny",
            None,
        ),
        ((rule("impersonate", "users,groups"),), Target(user="x", groups=("system:masters",)), "allow", Mode.LEGACY),
        (
            (
                rule("impersonate:serviceaccount", "serviceaccounts", groups=AUTHENTICATION),
                rule("impersonate-on:serviceaccount:get", "secrets"),
            ),
            Target(user=WEB),
            "allow",
            Mode.SERVICE_ACCOUNT,
        ),
        (
            (
                rule("impersonate:arbitrary-node", "nodes", "w1", groups=AUTHENTICATION),
                rule("impersonate-on:arbitrary-node:get", "secrets"),
            ),
            Target(user="system:node:w1"),
            "allow",
            Mode.ARBITRARY_NODE,
        ),
    ],
)
def test_the_first_mode_that_fits_decides(
    rules: tuple[Mapping[str, Any], ...], target: Target, answer: str, mode: Mode | None
) -> None:
    found = impersonate(cluster(*rules), ALICE, target, GET)
    assert (found.answer.value, found.mode) == (answer, mode)
    assert len(found.becomes) == (answer != "deny")


def test_constrained_impersonation_depends_on_the_version() -> None:
    for version, answer in (((1, 35), "deny"), ((1, 36), "allow"), (None, "unknown")):
        found = impersonate(cluster(*CONSTRAINED, version=version), ALICE, Target(user="ada"), GET)
        assert found.answer == answer
        assert [doubt.kind for doubt in found.doubts] == ([DoubtKind.VERSION] if answer == "unknown" else [])


@pytest.mark.parametrize(
    ("target", "becomes"),
    [
        (Target(user="ada"), caller("ada")),
        (Target(user="ada", groups=("ops",)), caller("ada", ["ops"])),
        (
            Target(user="ada", groups=("system:unauthenticated",)),
            Caller("ada", frozenset({"system:unauthenticated"})),
        ),
        (Target(user=WEB), caller(WEB)),
        (Target(user=WEB, groups=("ops",)), Caller(WEB, frozenset({"ops", "system:authenticated"}))),
        (Target(user="system:anonymous"), caller("system:anonymous")),
        # Only a certificate puts a kubelet into system:nodes; the old mode gives what was asked for.
        (Target(user="system:node:w1"), Caller("system:node:w1", frozenset({"system:authenticated"}))),
    ],
)
def test_the_target_has_the_groups_that_the_server_gives_it(target: Target, becomes: Caller) -> None:
    everything = cluster(rule("impersonate", "users,groups,serviceaccounts"))
    assert impersonate(everything, ALICE, target, GET).becomes == (becomes,)


def test_a_constrained_kubelet_is_in_the_group_of_nodes() -> None:
    rules = (
        rule("impersonate:arbitrary-node", "nodes", groups=AUTHENTICATION),
        rule("impersonate-on:arbitrary-node:get", "secrets"),
    )
    assert impersonate(cluster(*rules), ALICE, Target(user="system:node:w1"), GET).becomes == (
        caller("system:node:w1"),
    )


def test_where_two_modes_give_different_groups_either_may_come_of_it() -> None:
    """The server begins with the mode that last let the caller through, so what came before decides."""
    rules = (
        rule("impersonate", "users"),
        rule("impersonate:arbitrary-node", "nodes", groups=AUTHENTICATION),
        rule("impersonate-on:arbitrary-node:get", "secrets"),
    )
    found = impersonate(cluster(*rules), ALICE, Target(user="system:node:w1"), GET)
    assert found.becomes == (
        caller("system:node:w1"),
        Caller("system:node:w1", frozenset({"system:authenticated"})),
    )


def test_the_own_node_is_open_since_the_token_decides() -> None:
    account = {"kind": "ServiceAccount", "name": "agent", "namespace": "kube-system"}
    rules = (
        rule("impersonate:associated-node", "nodes", "*", groups=AUTHENTICATION),
        rule("impersonate-on:associated-node:get", "secrets"),
    )
    held_ = evaluator(role("r", *rules), binding("b", "ClusterRole", "r", [account]), live=True)
    found = impersonate(held_, caller("system:serviceaccount:kube-system:agent"), Target(user="system:node:w1"), GET)
    assert (found.answer, found.mode) == (Answer.UNKNOWN, Mode.ASSOCIATED_NODE)
    assert [doubt.kind for doubt in found.doubts] == [DoubtKind.NODE]


def test_groups_alone_are_no_target() -> None:
    """K13."""
    with pytest.raises(ValueError, match="without a user name"):
        impersonate(cluster(*LEGACY), ALICE, Target(user="", groups=("ops",)), GET)


# The real server.

CALLERS = tuple(f"imp-{number}" for number in range(8))
USERS = ("ada", "bob", "system:anonymous", "system:node:w1", WEB, "system:serviceaccount:shop:default")
GROUPS = ("ops", "devs", "system:masters", "system:unauthenticated", "a", "b")
MODES = ("user-info", "serviceaccount", "arbitrary-node")


def rules_of(random: Random) -> Iterator[dict[str, Any]]:
    """Yield rules about impersonation, each allowing something that the requests below ask for."""
    for _ in range(random.randint(2, 7)):
        mode = random.choice(MODES)
        kind = random.randrange(6)
        names = random.sample((*USERS[:4], "web", "w1", "default", *GROUPS, "*"), 4) if random.random() < 0.5 else []
        match kind:
            case 0 | 1:
                resources = random.sample(("users", "groups", "serviceaccounts"), random.randint(1, 3))
                found = {"verbs": ["impersonate"], "apiGroups": [""], "resources": resources}
            case 2:
                found = {
                    "verbs": ["impersonate", f"impersonate:{mode}"],
                    "apiGroups": [AUTHENTICATION],
                    "resources": ["uids", random.choice(("userextras/scopes", "userextras/*", "*/scopes", "*"))],
                }
            case 3 | 4:
                resources = ["users", "groups", "serviceaccounts", "nodes"]
                found = {"verbs": [f"impersonate:{mode}"], "apiGroups": [AUTHENTICATION], "resources": resources}
            case _:
                names = []
                verbs = [f"impersonate-on:{mode}:{verb}" for verb in ("create", "list")]
                found = {"verbs": verbs, "apiGroups": ["*"], "resources": ["selfsubjectreviews", "secrets"]}
        yield {**found, **({"resourceNames": names} if names else {})}


def target_of(random: Random) -> Target:
    return Target(
        user=random.choice(USERS),
        groups=tuple(random.sample(GROUPS, random.choice((0, 0, 0, 1, 2, 4)))),
        uid=random.choice(("", "", "", "ada")),
        extra=random.choice(({}, {}, {}, {"scopes": ("ops",)}, {"scopes": ("ops", "devs", "a", "b")})),
    )


def send(kube: Kubernetes, who: str, target: Target, asked: Request, certificates: dict[str, Any]) -> Reply:
    headers = urllib3.HTTPHeaderDict({"Impersonate-User": target.user})
    if target.uid:
        headers["Impersonate-Uid"] = target.uid
    for group in target.groups:
        headers.add("Impersonate-Group", group)
    for key, values in target.extra.items():
        for value in values:
            headers.add(f"Impersonate-Extra-{key}", value)
    # Headers of the identity, not of one request: those of one request replace each other.
    api = replace(kube.api(certificate=certificates[who]), headers=headers)
    if asked.verb == "create":
        body = {"apiVersion": f"{AUTHENTICATION}/v1", "kind": "SelfSubjectReview"}
        return api.request("POST", f"/apis/{AUTHENTICATION}/v1/selfsubjectreviews", body)
    return api.request("GET", "/api/v1/namespaces/default/secrets")


ASKED = (
    Request(verb="create", api_group=AUTHENTICATION, resource="selfsubjectreviews"),
    Request(verb="list", resource="secrets", namespace="default"),
)


@pytest.mark.usefixtures("servers")
def test_real_requests_with_impersonation_headers_are_judged_alike(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Whether the target is taken, and what groups it has, is seen in the server's answer to a SelfSubjectReview."""
    random = Random(7)  # noqa: S311 - test data
    made = [item for who in CALLERS for item in (cluster_role(who, *rules_of(random)), bind(who, user(who)))]
    accounts = (
        rule("impersonate:serviceaccount", "serviceaccounts", "web", groups=AUTHENTICATION),
        rule("impersonate-on:serviceaccount:list", "secrets"),
    )
    made += [cluster_role("imp-accounts", *accounts), bind("imp-accounts", user(CALLERS[0]))]
    made += [cluster_role("reader", rule("list", "secrets")), bind("reader", user("ada"), user(WEB))]
    compared = 0
    modes: Counter[Mode | None] = Counter()
    with running(tmp_path, Setup(controllers=ACCOUNTS, audit_level="None")) as kube:
        load(kube, made)
        judge = Evaluator(held(kube.admin), live=True, dialect=Dialect(version=(1, 36), authorisers=(Authoriser.RBAC,)))
        certificates = {who: kube.certificate(who) for who in CALLERS}
        for _ in range(1_000):
            who, target, asked = random.choice(CALLERS), target_of(random), random.choice(ASKED)
            found = impersonate(judge, caller(who), target, asked)
            reply = send(kube, who, target, asked, certificates)
            refused = reply.status == 403 and f'User "{who}" cannot' in reply.json()["message"]
            refused = refused or (reply.status == 403 and "not allowed" in reply.json()["message"])
            said = f"{who} as {target} for {asked}: {reply.status} {reply.body!r}; ours {found}"
            assert refused is (found.answer is Answer.DENY), said
            assert found.answer is not Answer.UNKNOWN, said
            compared += 1
            if not found.becomes:
                continue
            modes[found.mode] += 1
            then = {judge.decide(one, asked).answer is Answer.ALLOW for one in found.becomes}
            assert (reply.status < 300) in then, said
            if asked.verb == "create" and reply.status < 300:
                seen = reply.json()["status"]["userInfo"]
                assert Caller(seen["username"], frozenset(seen.get("groups", []))) in found.becomes, said
    taken = ", ".join(f"{count} by {mode}" for mode, count in modes.items())
    record_property("told", f"access, impersonation: {compared} requests compared with the API server, taken {taken}")
    assert {Mode.LEGACY, Mode.USER_INFO, Mode.SERVICE_ACCOUNT, Mode.ARBITRARY_NODE} <= modes.keys()
