"""What is folded into its owner, with which counts, and what is kept although it is owned."""

from typing import Any

from auditor.collectors.kubernetes.owners import COUNTS, Owners, Spool
from auditor.model.resource import Confidence, Literal, LiteralKind, Origin, Place, Resource

VERSIONS = {"Deployment": "apps/v1", "ReplicaSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1", "Pod": "v1"}


def literal(fingerprint: str, confidence: Confidence = Confidence.LIKELY) -> Literal:
    return Literal(
        path=("spec",),
        place=Place.ENV,
        key="PASSWORD",
        kind=LiteralKind.CREDENTIAL,
        rule="named-credential",
        confidence=confidence,
        fingerprint=fingerprint,
        length=9,
    )


def made(
    kind: str, name: str, *, owner: str = "", namespace: str = "shop", controller: bool = True, **more: Any
) -> Resource:
    """Return an object; `owner` as `Kind/name`, whose uid is its name."""
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "uid": name}
    if owner:
        above, _, uid = owner.partition("/")
        reference = {"apiVersion": VERSIONS.get(above, "v1"), "kind": above, "uid": uid, "controller": controller}
        metadata["ownerReferences"] = [reference]
    literals = more.pop("literals", ())
    return Resource(
        type=f"kubernetes/{kind}",
        name=name,
        namespace=namespace,
        body={"metadata": metadata, "spec": more},
        origin=Origin(file=name),
        literals=literals,
    )


def fold(*resources: Resource) -> tuple[Owners, list[str]]:
    owners = Owners()
    return owners, [resource.name for resource in resources if not owners.fold(resource)]


def counts(owners: Owners, resource: Resource) -> Any:
    return owners.counted(resource).body.get(COUNTS)


def test_pods_are_counted_at_the_top_of_the_chain() -> None:
    web = made("Deployment", "web")
    owners, kept = fold(
        web,
        made("ReplicaSet", "web-1", owner="Deployment/web"),
        made("ReplicaSet", "web-2", owner="Deployment/web"),
        *(made("Pod", f"p{n}", owner=f"ReplicaSet/web-{n % 2 + 1}", serviceAccountName=f"a{n % 2}") for n in range(5)),
    )
    assert kept == ["web"]
    assert counts(owners, web) == {"count": 5, "serviceAccounts": ["a0", "a1"]}


def test_a_workload_without_pods_has_none() -> None:
    web = made("Deployment", "web")
    assert counts(fold(web)[0], web) == {"count": 0, "serviceAccounts": []}


def test_what_nobody_owns_is_kept() -> None:
    _, kept = fold(made("Pod", "bare"), made("ReplicaSet", "bare-set"), made("Job", "once"))
    assert kept == ["bare", "bare-set", "once"]


def test_what_somebody_owns_who_was_not_read_is_kept() -> None:
    """Its owner was refused, is of a kind that nobody reads, or was deleted: then it speaks for itself."""
    _, kept = fold(
        made("ReplicaSet", "web-1", owner="Deployment/web"),
        made("Pod", "p", owner="ReplicaSet/web-1"),
        made("Pod", "q", owner="Kafka/brokers"),
    )
    assert kept == ["web-1", "q"]


def test_static_pods_belong_to_a_node_and_are_kept() -> None:
    _, kept = fold(made("Pod", "kube-apiserver-a", owner="Node/a"))
    assert kept == ["kube-apiserver-a"]


def test_a_reference_that_does_not_control_is_no_owner() -> None:
    _, kept = fold(made("Deployment", "web"), made("Pod", "p", owner="Deployment/web", controller=False))
    assert kept == ["web", "p"]


def test_an_old_copy_with_a_credential_that_was_corrected_since_is_kept() -> None:
    """It is readable for everybody who may read ReplicaSets, long after the Deployment was corrected."""
    same, old = literal("same"), literal("old")
    web = made("Deployment", "web", literals=(same,))
    owners, kept = fold(
        web,
        made("ReplicaSet", "now", owner="Deployment/web", literals=(same,)),
        made("ReplicaSet", "before", owner="Deployment/web", literals=(same, old)),
        made("Pod", "p", owner="ReplicaSet/before", literals=(same, old)),
        made("Pod", "q", owner="ReplicaSet/now", literals=(same,)),
    )
    assert kept == ["web", "before"]
    assert counts(owners, web) == {"count": 1, "serviceAccounts": []}


def test_what_may_be_a_credential_is_no_reason_to_keep_a_copy() -> None:
    _, kept = fold(
        made("Deployment", "web"),
        made("Pod", "p", owner="Deployment/web", literals=(literal("x", Confidence.POSSIBLE),)),
    )
    assert kept == ["web"]


def test_a_pod_into_which_a_webhook_wrote_a_credential_is_kept_and_counted() -> None:
    web = made("Deployment", "web")
    owners, kept = fold(web, made("Pod", "p", owner="Deployment/web", literals=(literal("injected"),)))
    assert kept == ["web", "p"]
    assert counts(owners, web) == {"count": 1, "serviceAccounts": []}


def test_a_pod_that_is_being_debugged_is_kept_and_counted() -> None:
    """Ephemeral containers stand in the pod alone."""
    web = made("Deployment", "web")
    owners, kept = fold(web, made("Pod", "p", owner="Deployment/web", ephemeralContainers=[{"name": "d"}]))
    assert kept == ["web", "p"]
    assert counts(owners, web) == {"count": 1, "serviceAccounts": []}


def test_a_list_that_is_begun_anew_counts_once() -> None:
    web, other = made("Deployment", "web"), made("Deployment", "other", namespace="pay")
    pods = [made("Pod", f"p{n}", owner="Deployment/web", serviceAccountName="a") for n in range(3)]
    owners, _ = fold(web, other, made("Pod", "o", owner="Deployment/other", namespace="pay"), *pods)
    owners.forget("kubernetes/Pod", "shop")
    assert counts(owners, web) == {"count": 0, "serviceAccounts": []}
    assert counts(owners, other)["count"] == 1, "of another namespace, whose list was whole"
    for pod in pods:
        owners.fold(pod)
    assert counts(owners, web) == {"count": 3, "serviceAccounts": ["a"]}
    owners.forget("kubernetes/Pod", "")
    assert counts(owners, other)["count"] == 0


def test_owners_of_a_list_that_is_begun_anew_are_forgotten() -> None:
    """One of them may be gone by then, and what it owned must not be folded into nothing."""
    owners, _ = fold(made("Deployment", "web"), made("Deployment", "other", namespace="pay"))
    owners.forget("kubernetes/Deployment", "shop")
    assert not owners.fold(made("Pod", "p", owner="Deployment/web"))
    assert owners.fold(made("Pod", "q", owner="Deployment/other", namespace="pay"))


def test_odd_references_are_passed_over() -> None:
    pod = made("Pod", "p")
    for odd in (None, "x", [None, 3, {}], [{"controller": True}], {"a": 1}):
        pod.body["metadata"]["ownerReferences"] = odd
        assert not Owners().fold(pod)


def test_a_spool_gives_back_what_was_put_in_its_order() -> None:
    spool = Spool()
    spool.put(made("Deployment", "gone"))
    spool.clear()
    several = [made("Deployment", f"d{n}", literals=(literal(str(n)),), text="x" * 10_000) for n in range(1000)]
    for resource in several:
        spool.put(resource)
    assert [(r.name, r.body, r.literals, r.origin) for r in spool.take()] == [
        (r.name, r.body, r.literals, r.origin) for r in several
    ]
    spool.close()
