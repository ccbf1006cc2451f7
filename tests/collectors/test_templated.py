"""A finding in a rendered chart stands at the line of the template that names it, and nowhere where none is sure."""

from collections.abc import Mapping
from typing import Any

import pytest

from auditor.collectors import templated
from auditor.model.resource import Path

TEMPLATE = """\
{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "shop.name" . }}
spec:
  template:
    spec:
      containers:
        - name: {{ .Chart.Name }}
          env:
            - name: "DB_PASSWORD"
              value: {{ .Values.password | quote }}
            - name: MODE   # how
              value: fast
          args:
            - --token=abc
      volumes:
        - name: keys
          secret: {secretName: keys}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData:
  password: x
---
apiVersion: v1
kind: ConfigMap
data:
  password: x
---
kind: ConfigMap
data:
  other: x
{{- end }}
"""
DEPLOYMENT = {
    "kind": "Deployment",
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "shop",
                        "env": [{"name": "DB_PASSWORD", "value": "p"}, {"name": "MODE", "value": "fast"}],
                        "args": ["--token=abc"],
                    }
                ],
                "volumes": [{"name": "keys", "secret": {"secretName": "keys"}}],
            }
        }
    },
}
CONTAINER = ("spec", "template", "spec", "containers", 0)


def located(rendered: Mapping[str, Any], *path: str | int) -> tuple[int | None, int | None]:
    way: Path = path
    (place,) = templated.locate(TEMPLATE, rendered, [way])
    return place


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((*CONTAINER, "env", 0, "value"), (12, 15)),
        ((*CONTAINER, "env", 1), (14, 15)),
        ((*CONTAINER, "args", 0), (17, 15)),
        (("spec", "template", "spec", "volumes", 0), (19, 11)),
        ((), (3, 1)),
    ],
)
def test_an_item_stands_where_its_innermost_name_is_written(path: Path, place: tuple[int, int]) -> None:
    assert located(DEPLOYMENT, *path) == place


def test_a_name_that_is_computed_leads_to_the_list_around_it() -> None:
    """The container's name comes from a value: the next step outwards is the key of the list."""
    assert located(DEPLOYMENT, *CONTAINER) == (9, 7)


def test_a_field_of_an_element_is_never_taken_for_that_of_another() -> None:
    """`value` stands once in the text, and for another variable."""
    text = 'kind: Pod\nspec:\n  env:\n    - {{ include "first" . }}\n    - name: B\n      value: x\n'
    rendered = {"kind": "Pod", "spec": {"env": [{"name": "A", "value": "y"}, {"name": "B", "value": "x"}]}}
    ways: list[Path] = [("spec", "env", 0, "value"), ("spec", "env", 1, "value")]
    assert templated.locate(text, rendered, ways) == [(3, 3), (5, 7)]


def test_only_the_part_that_makes_such_an_object_is_looked_at() -> None:
    """`password` stands in two parts, of two kinds."""
    assert located({"kind": "Secret", "stringData": {"password": "x"}}, "stringData", "password") == (26, 3)


def test_several_parts_of_one_kind_leave_the_line_open() -> None:
    assert located({"kind": "ConfigMap", "data": {"password": "x"}}, "data", "password") == (None, None)


@pytest.mark.parametrize("rendered", [None, [], {}, {"kind": 3}, {"kind": "Job"}])
def test_what_the_template_does_not_write_has_no_line(rendered: Any) -> None:
    assert templated.locate(TEMPLATE, rendered, [("spec",)]) == [(None, None)]
