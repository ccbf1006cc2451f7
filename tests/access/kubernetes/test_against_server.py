"""The evaluator against the real API server: SubjectAccessReview is the judge, and its reason names the binding.

Each state is judged twice: as manifests (what was sent to the server; built-in roles filled in, aggregation computed)
and as a live cluster (what the server then holds; nothing filled in). The number of compared questions is printed.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auditor.access.kubernetes.answers import Answer, Decision, DoubtKind, Grant
from auditor.access.kubernetes.dialect import Dialect
from auditor.access.kubernetes.evaluator import Evaluator
from auditor.access.kubernetes.rbac import SUPERUSERS, Caller, Request
from auditor.model.resource import Origin, Resource
from tests.access.kubernetes import cases, states
from tests.access.kubernetes.builders import RBAC_ALONE
from tests.servers.api import Api, Question, Review
from tests.servers.kubernetes import ACCOUNTS, Kubernetes, Setup, running

SEEDS = (23, 29, 30)
"""Chosen among many (all without a difference) for the share of answers that rest on aggregated roles."""
QUESTIONS = 5_000
"""For each seed. With all seeds at least 10,000 must be compared."""

PLURALS = {
    "ClusterRole": "clusterroles",
    "Role": "roles",
    "ClusterRoleBinding": "clusterrolebindings",
    "RoleBinding": "rolebindings",
}
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_REASON = re.compile(
    rf"RBAC: allowed by (ClusterRoleBinding|RoleBinding) {_QUOTED} of (ClusterRole|Role) {_QUOTED} "
    rf"to (User|Group|ServiceAccount) {_QUOTED}"
)


@dataclass(frozen=True, slots=True)
class Named:
    """A binding as a review's reason names it."""

    binding: tuple[str, str, str]
    """Kind, namespace, name."""
    role: tuple[str, str]
    subject: tuple[str, str, str]
    """Kind, namespace, name."""


def parse(reason: str) -> Named | None:
    """Return what a reason names. Names come before namespaces: `"readers/shop"`."""
    found = _REASON.fullmatch(reason)
    if found is None:
        return None
    kind, name, role_kind, role, subject_kind, subject = found.groups()
    name, role, subject = (json.loads(f'"{text}"') for text in (name, role, subject))
    namespace = subject_namespace = ""
    if kind == "RoleBinding":
        name, _, namespace = name.rpartition("/")
    if subject_kind == "ServiceAccount":
        subject, _, subject_namespace = subject.rpartition("/")
    return Named((kind, namespace, name), (role_kind, role), (subject_kind, subject_namespace, subject))


def read(item: Mapping[str, Any]) -> Resource:
    metadata = item["metadata"]
    namespace = metadata.get("namespace", "")
    return Resource(
        type=f"kubernetes/{item['kind']}",
        name=metadata["name"],
        namespace=namespace,
        body=item,
        origin=Origin(file=f"{item['kind']}/{namespace}/{metadata['name']}.yaml"),
    )


def held(api: Api) -> list[Resource]:
    """Return every role and binding that the server holds."""
    return [
        read({**item, "kind": kind})
        for kind, plural in PLURALS.items()
        for item in api.items(f"/apis/{states.RBAC}/v1/{plural}")
    ]


def load(kube: Kubernetes, objects: Sequence[Mapping[str, Any]]) -> None:
    """Make the objects, and wait until the controller and the authoriser have seen them."""
    for item in objects:
        kube.admin.create(item)
    sentinel = {"kind": "User", "apiGroup": states.RBAC, "name": "sentinel"}
    for kind, namespace in (("RoleBinding", "default"), ("ClusterRoleBinding", "")):
        metadata = {"name": "zz-sentinel", **({"namespace": namespace} if namespace else {})}
        kube.admin.create(
            {
                "apiVersion": f"{states.RBAC}/v1",
                "kind": kind,
                "metadata": metadata,
                "roleRef": {"apiGroup": states.RBAC, "kind": "ClusterRole", "name": "system:kube-dns"},
                "subjects": [sentinel],
            }
        )
    asked = Question(user="sentinel", groups=(), verb="list", resource="services")
    unchanged, before = 0, ""
    for _ in range(600):
        now = json.dumps([item.body.get("rules") for item in held(kube.admin) if item.type.endswith("ClusterRole")])
        unchanged = unchanged + 1 if now == before else 0
        before = now
        if unchanged >= 5 and kube.admin.review(asked).allowed:
            return
        time.sleep(0.1)
    pytest.fail("the server did not come to rest")


def question(who: Caller, asked: Request) -> Question:
    return Question(
        user=who.user,
        groups=tuple(sorted(who.groups)),
        verb=asked.verb,
        group=asked.api_group,
        resource=asked.resource,
        subresource=asked.subresource,
        namespace=asked.namespace,
        name=asked.name,
        path=asked.url,
    )


class Judge:
    """Compares what an evaluator says with what the server says."""

    def __init__(
        self,
        resources: Iterable[Resource],
        *,
        live: bool,
        dialect: Dialect = RBAC_ALONE,
        evaluator: Evaluator | None = None,
    ) -> None:
        resources = list(resources)
        self.live = live
        self._evaluator = evaluator or Evaluator(resources, dialect=dialect, live=live)
        self._bodies = {
            (item.type.removeprefix("kubernetes/"), item.namespace, item.name): item.body for item in resources
        }
        self.compared = self.unknown = self.allowed = self.single = self.aggregated = 0
        self.differences: list[str] = []

    def compare(self, who: Caller, asked: Request, review: Review) -> None:
        decision = self._evaluator.decide(who, asked)
        self.compared += 1
        self.allowed += review.allowed
        fault = self._fault(who, asked, review, decision)
        if fault:
            self.differences.append(f"live={self.live} {who} {asked}: server {review}; ours {decision}: {fault}")

    def _fault(self, who: Caller, asked: Request, review: Review, decision: Decision) -> str:
        match decision.answer:
            case Answer.UNKNOWN:
                self.unknown += 1
                kinds = {doubt.kind for doubt in decision.doubts}
                if self.live or not kinds <= {DoubtKind.MISSING_ROLE, DoubtKind.OVERWRITTEN_RULE, DoubtKind.ROLE_PARTS}:
                    return "unknown without need"
                # In a circle of aggregated roles a written rule may stay for ever.
                allowed = review.allowed and DoubtKind.OVERWRITTEN_RULE not in kinds
                return "unknown for want of a role, and yet allowed" if allowed else ""
            case Answer.DENY:
                return "denied" if review.allowed else ""
            case Answer.ALLOW:
                return self._explained(who, asked, review) if review.allowed else "allowed"

    def _explained(self, who: Caller, asked: Request, review: Review) -> str:
        if SUPERUSERS in who.groups:
            return f"superusers: {review.reason}" if review.reason else ""
        named = parse(review.reason)
        if named is None:
            return "the reason has another form"
        grants = self._evaluator.grants(who, asked)
        ours: dict[tuple[str, str, str], Named] = {}
        for grant in grants:
            # The server names the first subject of a binding that means the caller.
            ours.setdefault(grant.binding.identity, self._named(grant))
        if ours.get(named.binding) != named:
            return f"the server names {named}, which is none of ours: {list(ours.values())}"
        decision = self._evaluator.decide(who, asked).grant
        if decision is None or self._named(decision) not in ours.values():
            return "the deciding binding is none of those that grant it"
        self.single += len(ours) == 1
        self.aggregated += all(grant.rule.aggregated_from for grant in grants)
        return ""

    def _named(self, grant: Grant) -> Named:
        binding = grant.binding
        body = self._bodies.get(binding.identity)
        if body is None:
            principal = grant.principal
            subject = (str(principal.kind), principal.namespace, principal.name)
        else:
            raw = body["subjects"][grant.position]
            own = raw.get("namespace") or binding.namespace if raw["kind"] == "ServiceAccount" else ""
            subject = (raw["kind"], own, raw["name"])
        return Named(binding.identity, (binding.role_kind, binding.role_name), subject)


Tell = Callable[[str, object], None]
"""pytest's `record_property`; what is recorded as `told` is printed at the end of the run."""


def report(what: str, judges: Sequence[Judge], tell: Tell) -> None:
    """Tell what was compared, and fail on any difference."""
    for judge in judges:
        tell(
            "told",
            f"access, {what}, judged as {'a cluster' if judge.live else 'manifests'}: {judge.compared} questions "
            f"compared with the API server, {judge.allowed} allowed ({judge.single} by one binding alone, "
            f"{judge.aggregated} only by aggregation), {judge.unknown} unknown, {len(judge.differences)} different",
        )
    different = [text for judge in judges for text in judge.differences]
    assert not different, "\n".join(different[:20])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.usefixtures("servers")
def test_random_states_get_the_servers_answers_and_reasons(seed: int, tmp_path: Path, record_property: Tell) -> None:
    """At least 10,000 questions over all seeds, zero differences."""
    assert len(SEEDS) * QUESTIONS >= 10_000
    made = states.objects(seed)
    asked = list(states.questions(seed, QUESTIONS, made))
    with running(tmp_path, Setup(controllers=ACCOUNTS, audit_level="None")) as kube:
        load(kube, made)
        judges = (
            Judge((read(item) for item in made if item["kind"] in PLURALS), live=False),
            Judge(held(kube.admin), live=True),
        )
        reviews = kube.admin.reviews(question(*one) for one in asked)
        for (who, request), review in zip(asked, reviews, strict=True):
            for judge in judges:
                judge.compare(who, request, review)
    report(f"seed {seed}", judges, record_property)
    for judge in judges:
        assert judge.compared == QUESTIONS
        assert 0.15 < judge.allowed / judge.compared < 0.85, "the questions would prove little"
        assert judge.unknown < judge.compared / 4
        assert judge.aggregated > 50


@pytest.mark.usefixtures("servers")
def test_cases_by_hand_get_the_servers_answers_and_reasons(tmp_path: Path, record_property: Tell) -> None:
    """The expectation is compared with the server's answer, too: a case has to test what it says."""
    made = [item for case in cases.CASES for item in case.objects]
    asked = [(case.id, *one) for case in cases.CASES for one in case.questions]
    with running(tmp_path, Setup(controllers=ACCOUNTS, audit_level="None")) as kube:
        load(kube, made)
        judges = (
            Judge((read(item) for item in made if item["kind"] in PLURALS), live=False),
            Judge(held(kube.admin), live=True),
        )
        reviews = list(kube.admin.reviews(question(who, request) for _, who, request, _ in asked))
    wrong = []
    for (case, who, request, expected), review in zip(asked, reviews, strict=True):
        if review.allowed is not expected:
            wrong.append(f"{case}: {who} {request}: {review}")
        for judge in judges:
            judge.compare(who, request, review)
    assert not wrong, "\n".join(wrong)
    report(f"{len(cases.CASES)} states by hand", judges, record_property)
    assert all(judge.aggregated for judge in judges)
