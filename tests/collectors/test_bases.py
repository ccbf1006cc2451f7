"""What Kustomize rendered is shown where it is written, by rendering with the real tool."""

import shutil
from pathlib import Path

import pytest

from auditor.collectors import bases, documents, render
from auditor.model.resource import Origin
from auditor.model.resource import Path as Steps

BASE = """\
# the base
apiVersion: v1
kind: Service
metadata: {name: web}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: helper
          image: h
        - name: web
          image: w
          env:
            - name: MODE
              value: fast
            - name: LEVEL
              value: low
"""
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: web
          env:
            - {name: LEVEL, value: high}
            - {name: EXTRA, value: more}
"""


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if not (shutil.which("kustomize") or shutil.which("kubectl")):
        pytest.skip("needs kustomize or kubectl")
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "base/web.yaml": BASE,
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "prod/patch.yaml": PATCH,
        "prod/kustomization.yaml": "resources: [../base]\nnamePrefix: eu-\nnamespace: prod\n"
        "patches: [{path: patch.yaml}]\nimages: [{name: w, newTag: '2'}]\n"
        "configMapGenerator: [{name: made, literals: [a=b]}]\n",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return "prod"


def located(folder: str, kind: str, *steps: str | int) -> tuple[str, tuple[int | None, int | None]] | None:
    """Return where an item of the first rendered object of `kind` is written, the element of a list by its name."""
    (rendered,) = render.kustomize_folder(folder)  # type: ignore[misc] - a gap fails the test
    text = documents.text(rendered.content)
    bodies = [documents.parse(text[chunk.start : chunk.end]) for chunk in documents.split(text)]
    number = next(index for index, body in enumerate(bodies) if body["kind"] == kind)
    node, path = bodies[number], []
    for step in steps:
        at = next(i for i, e in enumerate(node) if e["name"] == step) if isinstance(node, list) else step
        path.append(at)
        node = node[at] if isinstance(node, list) or at in node else {}
    origin = Origin(file="prod/kustomization.yaml", document=number, line=None, rendered_from="Kustomize folder prod")
    way: Steps = tuple(path)
    (found,) = bases.locate(folder, rendered.content, origin, [way])
    return found


CONTAINER = ("spec", "template", "spec", "containers", "web")


def test_what_no_patch_touches_stands_in_the_base(overlay: str) -> None:
    """The overlay adds a prefix to the name and a namespace, and the order of lists is the tool's own."""
    assert located(overlay, "Deployment", *CONTAINER, "env", "MODE", "value") == ("base/web.yaml", (20, 15))


def test_what_a_patch_says_stands_in_the_patch(overlay: str) -> None:
    assert located(overlay, "Deployment", *CONTAINER, "env", "LEVEL", "value") == ("prod/patch.yaml", (10, 29))
    assert located(overlay, "Deployment", *CONTAINER, "env", "EXTRA", "value") == ("prod/patch.yaml", (11, 29))


def test_what_is_missing_stands_where_most_of_its_way_is(overlay: str) -> None:
    assert located(overlay, "Deployment", "spec", "template", "spec", "securityContext") == ("base/web.yaml", (12, 5))


def test_what_a_transformer_made_is_nobodys(overlay: str) -> None:
    """The base says `w`, which was not rendered: that line would be wrong."""
    assert located(overlay, "Deployment", *CONTAINER, "image") is None


def test_what_a_generator_made_is_nobodys(overlay: str) -> None:
    assert located(overlay, "ConfigMap", "data", "a") is None


def test_an_object_as_a_whole_stands_at_its_document(overlay: str) -> None:
    assert located(overlay, "Service") == ("base/web.yaml", (2, 1))


def test_a_base_that_is_gone_leaves_the_place_open(overlay: str, tmp_path: Path) -> None:
    (rendered,) = render.kustomize_folder(overlay)  # type: ignore[misc] - as above
    shutil.rmtree(tmp_path / "base")
    bases._written.cache_clear()
    origin = Origin(file="prod/kustomization.yaml", document=1, line=None)
    assert bases.locate(overlay, rendered.content, origin, [("metadata", "labels")]) == [None]
