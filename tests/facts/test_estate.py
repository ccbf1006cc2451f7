"""What judging one resource needs of all others."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.estate import Estate, merge
from auditor.facts.names import ANY_NAMESPACE, Names
from auditor.model.resource import Origin, Resource
from tests.facts.builders import credential, estate, resource

ACCOUNT = "kubernetes/ServiceAccount"


def account(name: str, namespace: str, file: str) -> Resource:
    return resource(
        f"{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}, namespace: {namespace}}}}}", file=file
    )


def test_merging_parts_gives_what_one_estate_of_all_gives() -> None:
    members = [account("a", "x", "a.yaml"), account("b", "x", "b.yaml"), account("a", "x", "c/a.yaml")]
    parts = []
    for member in members:
        part = Estate()
        part.add(member)
        parts.append(part)
    assert merge(parts) == estate(*members)


def test_the_order_of_the_parts_leaves_no_trace() -> None:
    """Else the answer would depend on how the input was divided among processes."""
    text = """{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: x}, stringData: {a: b}}"""
    ingress = """{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: x},
                  spec: {tls: [{hosts: [%s], secretName: t}]}}"""
    parts = [
        estate(
            account("a", "x", file),
            resource(text, file=file, literals=[credential(("stringData", "a"))]),
            resource(ingress % file, file=file),
        )
        for file in ("b.yaml", "a.yaml", "c.yaml")
    ]
    assert all((parts[0].joined, parts[0].made_secrets, parts[0].served_hosts, parts[0].sightings))
    assert merge(parts) == merge(reversed(parts))


def test_an_index_never_travels_and_is_made_again_after_an_addition() -> None:
    built = estate(account("a", "x", "a.yaml"))
    near = Origin(file="a.yaml")
    assert built.find(ACCOUNT, "x", "a", near=near)
    copy = pickle.loads(pickle.dumps(built))  # noqa: S301 - our own bytes
    assert len(pickle.dumps(copy)) == len(pickle.dumps(built))
    copy.add(account("b", "x", "b.yaml"))
    assert copy.find(ACCOUNT, "x", "b", near=near)
    assert copy.find(ACCOUNT, "x", "a", near=near)


def test_objects_that_nobody_joins_leave_nothing_behind() -> None:
    built = estate(
        resource("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {}}"),
        resource("{apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {a: b}}"),
    )
    assert built == Estate()


def test_no_value_and_no_body_of_a_secret_is_kept() -> None:
    secret = resource(
        "{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: x}, stringData: {user: kept-nowhere}}",
        literals=[credential(("stringData", "password"))],
    )
    built = estate(secret)
    assert built.made_secrets[0].source == "plain"
    assert b"kept-nowhere" not in pickle.dumps(built)


def test_hosts_of_ingress_and_gateway() -> None:
    built = estate(
        *(
            resource(text)
            for text in (
                (
                    "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: shop}, spec:"
                    " {tls: [{hosts: [b.example, a.example], secretName: tls}], rules: [{host: c.example}]}}"
                ),
                (
                    "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: j, namespace: shop}, spec:"
                    " {tls: [{secretName: other}], rules: [{host: d.example}, {}]}}"
                ),
                (
                    "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: g, namespace: edge},"
                    " spec: {listeners: [{hostname: '*.example',"
                    " tls: {certificateRefs: [{name: tls, namespace: shop}]}}]}}"
                ),
                (
                    "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: k, namespace: payments}, spec:"
                    " {tls: [{hosts: [e.example], secretName: tls}, null, {hosts: e, secretName: [x]}]}}"
                ),
            )
        )
    )
    near = Origin(file="deploy/app.yaml")
    assert built.tls_hosts("shop", "tls", near=near) == ["*.example", "a.example", "b.example"]
    assert built.tls_hosts("shop", "other", near=near) == ["d.example"]
    assert built.tls_hosts("payments", "tls", near=near) == ["e.example"]
    assert built.tls_hosts("shop", "nowhere", near=near) == []


@pytest.mark.parametrize(
    ("namespace", "file", "expected"),
    [
        ("x", "a/b/pod.yaml", "exact-near"),
        ("x", "z/pod.yaml", "exact-near"),  # of equally far ones, the first
        ("x", "a/c/pod.yaml", "exact-far"),
        ("", "a/b/pod.yaml", "loose"),  # no namespace matches no namespace first
        ("y", "a/b/pod.yaml", "loose"),
        ("y", "a/b/deeper/pod.yaml", "loose"),
        ("y", "a/pod.yaml", "loose"),
        ("y", "a/c/pod.yaml", None),
        ("y", "pod.yaml", "loose"),
    ],
)
def test_which_object_a_name_means(namespace: str, file: str, expected: str | None) -> None:
    names = Names(
        [
            ("x", "n", "a/b/one.yaml", "exact-near"),
            ("x", "n", "a/c/two.yaml", "exact-far"),
            ("", "n", "a/b/three.yaml", "loose"),
        ]
    )
    assert next(iter(names.meant(namespace, "n", file=file)), None) == expected


def test_what_is_made_in_any_namespace_is_meant_in_each() -> None:
    names = Names([(ANY_NAMESPACE, "n", "platform/one.yaml", 1)])
    assert names.meant("shop", "n", file="shop/pod.yaml") == [1]
    assert names.meant("shop", "m", file="shop/pod.yaml") == []


_steps = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(lambda steps: "/".join(steps) + ".yaml")
_entries = st.lists(st.tuples(st.sampled_from(["", "x", "y"]), st.sampled_from("mn"), _steps), max_size=12)


@given(entries=_entries, namespace=st.sampled_from(["", "x", "y"]), name=st.sampled_from("mn"), file=_steps)
def test_the_index_answers_as_a_plain_search_does(
    entries: list[tuple[str, str, str]], namespace: str, name: str, file: str
) -> None:
    """The slow, obvious reading of the law at the head of `names`."""

    def shared(other: str) -> int:
        count = 0
        for one, two in zip(file.split("/"), other.split("/"), strict=False):
            if one != two:
                break
            count += 1
        return count

    def related(other: str) -> bool:
        one, two = file.split("/")[:-1], other.split("/")[:-1]
        return one[: len(two)] == two or two[: len(one)] == one

    named = [entry for entry in entries if entry[1] == name]
    fitting = [entry for entry in named if entry[0] == namespace]
    if not fitting:
        fitting = [entry for entry in named if (not entry[0] or not namespace) and related(entry[2])]
    most = max((shared(entry[2]) for entry in fitting), default=0)
    expected = [entry for entry in fitting if shared(entry[2]) == most]
    names = Names((*entry, entry) for entry in entries)
    assert names.meant(namespace, name, file=file) == expected
