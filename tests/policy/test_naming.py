"""Stable names of items."""

import pytest

from auditor.policy.naming import name, resolve

BODY = {
    "spec": {"containers": [{"name": "web", "env": [{"name": "A"}]}, {"image": "x"}], "verbs": ["get"]},
    "data": {"7": "x", "a.b": "y", "c/d": "z"},
    "files": ["kind: Secret\nstringData:\n  password: [redacted]\n"],
}


@pytest.mark.parametrize(
    ("pointer", "stable"),
    [
        ("/spec/containers/0/env/0", "spec.containers[web].env[A]"),
        ("/spec/containers/1", "spec.containers[1]"),
        ("/spec/verbs/0", "spec.verbs[get]"),
        ("/data/7", "data.7"),
        ("/data/a.b", "data[a.b]"),
        ("/data/c~1d", "data.c/d"),
        ("/files/0", "files[0]"),
        ("/spec/missing/3", "spec.missing.3"),
        ("", ""),
    ],
)
def test_a_name_holds_labels_instead_of_positions(pointer: str, stable: str) -> None:
    assert name(BODY, resolve(BODY, pointer)) == stable


def test_reordering_a_list_keeps_the_names() -> None:
    other = {"spec": {"containers": list(reversed(BODY["spec"]["containers"]))}}  # type: ignore[index]
    assert name(other, resolve(other, "/spec/containers/1/env/0")) == "spec.containers[web].env[A]"
