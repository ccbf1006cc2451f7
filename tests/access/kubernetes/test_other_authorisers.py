"""Other authorisers beside RBAC, in real servers: what we say stands, and where they could decide we say unknown."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import pytest

from auditor.access.kubernetes import connecting
from auditor.access.kubernetes.answers import Answer
from auditor.access.kubernetes.dialect import Authoriser, Dialect
from auditor.access.kubernetes.evaluator import Evaluator
from auditor.access.kubernetes.rbac import Caller, Request, caller
from tests.access.kubernetes import states
from tests.access.kubernetes.builders import RBAC_ALONE, rule
from tests.access.kubernetes.cases import bind, cluster_role, user
from tests.access.kubernetes.test_against_server import held, load, question
from tests.servers.kubernetes import Kubernetes, Setup, running

Tell = Callable[[str, object], None]
SEED = 11


def compare(kube: Kubernetes, dialect: Dialect, asked: list[tuple[Caller, Request]]) -> dict[str, int]:
    """Return how often each answer was given; fail where the server contradicts one that is not unknown."""
    judge = Evaluator(held(kube.admin), live=True, dialect=dialect)
    counted = {answer.value: 0 for answer in Answer}
    counted["open and allowed"] = counted["open and refused"] = 0
    reviews = kube.admin.reviews(question(*one) for one in asked)
    for (who, request), review in zip(asked, reviews, strict=True):
        decision = judge.decide(who, request)
        counted[decision.answer] += 1
        if decision.answer is Answer.UNKNOWN:
            counted["open and allowed" if review.allowed else "open and refused"] += 1
        else:
            assert review.allowed is (decision.answer is Answer.ALLOW), (who, request, review, decision)
    return counted


def tell(record_property: Tell, what: str, counted: dict[str, int]) -> None:
    total = sum(counted[answer.value] for answer in Answer)
    said = ", ".join(f"{count} {name}" for name, count in counted.items())
    record_property("told", f"access, {what}: {total} questions compared with the API server: {said}")


@pytest.mark.usefixtures("servers")
def test_the_node_authoriser_is_decided_as_far_as_it_needs_no_pods(tmp_path: Path, record_property: Tell) -> None:
    random = Random(SEED)  # noqa: S311 - test data
    names = [("", name) for name in ("secrets", "pods", "nodes", "services", "events", "endpoints", "serviceaccounts")]
    names += [("coordination.k8s.io", "leases"), ("storage.k8s.io", "csinodes"), ("storage.k8s.io", "csidrivers")]
    names += [("resource.k8s.io", "resourceslices"), ("resource.k8s.io", "resourceclaims"), ("apps", "deployments")]
    verbs = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")

    def one() -> tuple[Caller, Request]:
        group, resource = random.choice(names)
        who = random.choice((caller("system:node:w1"), Caller("system:node:w1"), caller("ada", ["system:nodes"])))
        request = Request(
            verb=random.choice(verbs),
            api_group=group,
            resource=resource,
            subresource=random.choice(("", "", "", "status", "token")),
            namespace=random.choice(("", "default", "kube-node-lease")),
            name=random.choice(("", "w1", "x")),
        )
        return who, request

    with running(tmp_path, Setup(controllers=(), authorizers=("Node", "RBAC"), audit_level="None")) as kube:
        dialect = Dialect(version=(1, 36), authorisers=(Authoriser.NODE, Authoriser.RBAC))
        counted = compare(kube, dialect, [one() for _ in range(2_000)])
    tell(record_property, "Node before RBAC", counted)
    assert counted["allow"] > 20
    assert counted["deny"] > 1_000
    assert counted["open and allowed"]
    assert counted["open and refused"]


@contextmanager
def webhook(folder: Path) -> Iterator[Path]:
    """Serve an authoriser that allows u1 everything and denies u2 everything; yield the file that names it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = review["spec"].get("user")
            review["status"] = {"allowed": name == "u1", "denied": name == "u2"}
            body = json.dumps(review).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    file = folder / "webhook.json"
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
    content = {"clusters": [cluster], "contexts": [context], "users": [{"name": "u", "user": {}}]}
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "x", **content}))
    try:
        yield file
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def abac(folder: Path) -> Path:
    spec = {"user": "u1", "namespace": "*", "resource": "*", "apiGroup": "*", "nonResourcePath": "*"}
    policy = {"apiVersion": "abac.authorization.kubernetes.io/v1beta1", "kind": "Policy", "spec": spec}
    file = folder / "policy.jsonl"
    file.write_text(json.dumps(policy) + "\n")
    return file


@pytest.mark.parametrize("chain", [("Webhook", "RBAC"), ("RBAC", "Webhook"), ("ABAC", "RBAC"), ("RBAC", "AlwaysAllow")])
@pytest.mark.usefixtures("servers")
def test_no_answer_is_contradicted_by_what_stands_beside_rbac(
    chain: tuple[str, ...], tmp_path: Path, record_property: Tell
) -> None:
    made = states.objects(SEED, bindings=30)
    asked = list(states.questions(SEED, 500, made))
    (folder := tmp_path / "authorisers").mkdir()
    with webhook(folder) as file:
        arguments = []
        if "Webhook" in chain:
            arguments = [
                f"--authorization-webhook-config-file={file}",
                "--authorization-webhook-version=v1",
                "--authorization-webhook-cache-authorized-ttl=0s",
                "--authorization-webhook-cache-unauthorized-ttl=0s",
            ]
        elif "ABAC" in chain:
            arguments = [f"--authorization-policy-file={abac(folder)}"]
        setup = Setup(controllers=(), authorizers=chain, audit_level="None", arguments=tuple(arguments))
        (servers := tmp_path / "servers").mkdir()
        with running(servers, setup) as kube:
            for item in made:
                kube.admin.create(item)
            counted = compare(kube, Dialect(version=(1, 36), authorisers=tuple(map(Authoriser, chain))), asked)
    tell(record_property, " before ".join(chain), counted)
    if "AlwaysAllow" in chain:
        assert counted["allow"] == len(asked)
    else:
        assert counted["open and allowed"]
        assert counted["open and refused"]
        assert counted["allow"] or chain[0] == "Webhook", "what RBAC allows before, or nothing can deny, stands"


@pytest.mark.usefixtures("servers")
def test_entering_a_pod_needs_create_since_1_35(tmp_path: Path) -> None:
    """K7, by real requests: a refusal is 403; whoever gets past it is told that the pod has no node yet."""
    made = [
        *(item for verb in ("get", "create") for item in _entering(verb)),
    ]
    with running(tmp_path, Setup(controllers=(), audit_level="None")) as kube:
        pod = {"containers": [{"name": "c", "image": "example.com/c"}]}
        metadata = {"name": "p", "namespace": "default"}
        kube.admin.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod})
        load(kube, made)
        judge = Evaluator(held(kube.admin), live=True, dialect=RBAC_ALONE)
        for verb, method in (("get", "GET"), ("create", "POST"), ("create", "GET")):
            for subresource in sorted(connecting.SUBRESOURCES):
                request = Request(verb=verb, resource="pods", subresource=subresource, namespace="default", name="p")
                expected = connecting.decide(judge, caller(f"enter-{verb}"), request).answer
                api = kube.api(certificate=kube.certificate(f"enter-{verb}"))
                reply = api.request(method, f"/api/v1/namespaces/default/pods/p/{subresource}?command=id&ports=80")
                # By GET both are asked: `get` by the filter, `create` by the handler.
                assert (reply.status == 403) is (expected is Answer.DENY or (verb, method) == ("create", "GET")), (
                    verb,
                    method,
                    subresource,
                    reply,
                )


def _entering(verb: str) -> list[dict[str, Any]]:
    name = f"enter-{verb}"
    return [cluster_role(name, rule(verb, "pods/exec,pods/attach,pods/portforward")), bind(name, user(name))]
