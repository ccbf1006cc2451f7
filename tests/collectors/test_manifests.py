# ruff: noqa: E501 - tables read best with one case, or many small ones, a line
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from auditor import workloads
from auditor.collectors import manifests
from auditor.collectors.manifests import Reading
from auditor.collectors.sources import Source, SourceKind
from auditor.model.coverage import GapReason

WORKLOADS = workloads.load(Path(__file__).parents[2] / "policies" / "workloads.yaml")
POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\n"
CANARY = "canary-5f1d0c9e77"


def read(
    content: str | bytes,
    *,
    file: str = "x.yaml",
    kind: SourceKind = SourceKind.YAML,
    rendered: str = "",
    named: bool = False,
) -> Reading:
    content = content if isinstance(content, bytes) else content.encode()
    source = Source(file=file, kind=kind, size=len(content), content=content, rendered_from=rendered, named=named)
    reading = manifests.read([source], workloads=WORKLOADS, fingerprint=lambda _: "0" * 32)
    coverage = reading.coverage
    whole = sum(1 for gap in coverage.gaps if gap.reason in WHOLE_FILE)
    assert coverage.files_read + whole == 1, "every file is read or a gap"
    assert coverage.files_read == len(reading.digests)
    assert coverage.resources == sum(count for _, count in coverage.by_type)
    assert all(CANARY not in gap.detail for gap in coverage.gaps), "a gap quotes nothing"
    assert all(gap.detail.endswith((".", "-")) for gap in coverage.gaps)
    return reading


WHOLE_FILE = {GapReason.BINARY, GapReason.NOT_UTF8, GapReason.TOO_LARGE, GapReason.UNREADABLE}


def gaps(reading: Reading) -> list[tuple[GapReason, int | None]]:
    return [(gap.reason, gap.line) for gap in reading.coverage.gaps]


def ids(reading: Reading) -> list[str]:
    return [resource.id for resource in reading.resources]


def test_each_document_is_a_resource_with_its_place() -> None:
    text = f"# licence\n{POD}---\n# nothing\n---\n\n{POD.replace('web', 'api')}...\n--- # three\n{POD.replace('web', 'db')}"
    reading = read(text)
    assert ids(reading) == ["kubernetes/Pod:shop/web", "kubernetes/Pod:shop/api", "kubernetes/Pod:shop/db"]
    assert [(r.origin.document, r.origin.line) for r in reading.resources] == [(0, 2), (2, 11), (3, 18)]
    assert (reading.coverage.documents, reading.coverage.skipped) == (3, (("empty document", 1),))


def test_markers_count_at_the_start_of_a_line_only() -> None:
    text = POD + "data:\n  text: |\n    ---\n    a\n  ---x: 1\n  b: ---\n---\n" + POD + "...\n"
    reading = read(text.replace("\n", "\r\n"))
    assert len(reading.resources) == 2
    assert reading.resources[0].body["data"] == {"text": "---\na\n", "---x": 1, "b": "---"}


def test_content_may_follow_a_marker_and_directives_come_before_one() -> None:
    assert len(read("--- {apiVersion: v1, kind: A}\n--- {apiVersion: v1, kind: B}").resources) == 2
    reading = read(f"# c\n%YAML 1.1\n---\n{POD}---\n{POD}")
    assert [(r.origin.document, r.origin.line) for r in reading.resources] == [(0, 4), (1, 10)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_and_utf16_are_read_as_kubernetes_reads_them(encoding: str) -> None:
    assert ids(read((POD + "---\n" + POD).encode(encoding))) == ["kubernetes/Pod:shop/web"] * 2


def test_items_of_a_list_are_resources_of_their_own() -> None:
    reading = read(
        '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod"}, 3, {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "apps/v1", "kind": "Deployment"}]}]}',
        kind=SourceKind.JSON,
        file="x.json",
    )
    assert [(r.type, r.origin.prefix) for r in reading.resources] == [
        ("kubernetes/Pod", ("items", 0)),
        ("kubernetes/Deployment", ("items", 2, "items", 0)),
    ]
    assert reading.coverage.skipped == (("not a Kubernetes object", 1),)
    typed = read("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleList\nitems:\n- metadata: {name: r}\n")
    assert ids(typed) == ["kubernetes/Role:/r"]


@pytest.mark.parametrize(
    ("api_version", "type_"),
    [
        ("v1", "kubernetes/X"), ("apps/v1", "kubernetes/X"), ("batch/v1", "kubernetes/X"), ("policy/v1", "kubernetes/X"), ("extensions/v1beta1", "kubernetes/X"),
        ("rbac.authorization.k8s.io/v1", "kubernetes/X"), ("gateway.networking.k8s.io/v1", "kubernetes/X"), ("secrets-store.csi.x-k8s.io/v1", "kubernetes/X.secrets-store.csi.x-k8s.io"),
        ("argoproj.io/v1alpha1", "kubernetes/X.argoproj.io"), ("apps.openshift.io/v1", "kubernetes/X.apps.openshift.io"),
    ],
)  # fmt: skip
def test_a_type_has_its_group_where_that_is_not_built_in(api_version: str, type_: str) -> None:
    assert manifests.resource_type(api_version, "X") == type_


def test_json_values_in_a_row_are_documents() -> None:
    reading = read('{"apiVersion": "v1", "kind": "A"}\n{"apiVersion": "v1",\n "kind": "B"}\n[1]', kind=SourceKind.JSON)
    assert [(r.origin.document, r.origin.line) for r in reading.resources] == [(0, 1), (1, 2)]
    assert reading.coverage.documents == 3


@pytest.mark.parametrize(
    "text",
    [
        "on: push\njobs: {}\n",
        "services:\n  web: {image: x}\n",
        "- 1\n- 2\n",
        "just text\n",
        "kind: Pod\n",
        "apiVersion: v1\nkind: 3\n",
        "apiVersion: ''\nkind: ''\n",
        "a: 1\na: 2\n",
    ],
)
def test_yaml_that_is_no_kubernetes_object_is_counted(text: str) -> None:
    reading = read(text)
    assert (reading.resources, reading.coverage.gaps) == ([], ())
    assert reading.coverage.skipped == (("not a Kubernetes object", 1),)


def test_broken_files_that_cannot_hold_an_object_are_no_broken_manifests() -> None:
    assert gaps(read('{\n  // compiler\n  "a": 1,\n}\n', kind=SourceKind.JSON, file="tsconfig.json")) == []
    assert gaps(read('{"rating": 5} x', kind=SourceKind.JSON, file="ratings.json")) == []
    assert gaps(read("script: [a\nb: {{ c }}\n", file=".ci.yml")) == []
    assert gaps(read("a: [\n", file="values.yaml")) == [(GapReason.BROKEN_YAML, 2)]
    assert gaps(read("resources: [\n", file="k/kustomization.yaml")) == [(GapReason.BROKEN_YAML, 2)]
    assert gaps(read("a: [\n", file="-")) == [(GapReason.BROKEN_YAML, 2)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("metadata:\n  name: x\nspec:\n  template: [\n", 5),
        ("spec:\n  containers:\n  - name: x\n   image: y\n", 4),
        ("kind Deployment\napiVersion: v1\nspec:\n", 2),
        ("roleRef: {name: x\nsubjects: []\n", 2),
    ],
)
def test_a_broken_file_that_looks_like_an_object_is_a_gap_also_without_kind(text: str, line: int) -> None:
    """The fault may stand in the very line of the kind; passed over as another program's, it would look judged."""
    assert gaps(read(text, file="x.yaml")) == [(GapReason.BROKEN_YAML, line)]


@pytest.mark.parametrize("text", ["spec:\n  inputs: [\n", "metadata:\n  name: [\n", "x:\n  spec: [\n  kind: 1\n"])
def test_a_broken_file_with_one_such_word_is_another_programs(text: str) -> None:
    """GitLab's components begin with `spec:`, and `metadata:` is anybody's."""
    assert gaps(read(text, file="x.yaml")) == []


def test_a_test_of_a_chart_is_no_raw_template() -> None:
    """What helm-unittest reads quotes templates; rendered or not, it is no object."""
    suite = "suite: web\ntests:\n  - it: works\n    asserts:\n      - equal: {path: a, value: '{{ .Values.b }}'}\n"
    assert gaps(read(suite, file="shop/unittests/web-test.yaml")) == []
    raw = "kind: ConfigMap\ndata: {a: '{{ .Values.b }}'}\n"
    assert gaps(read(raw, file="web.yaml")) == [(GapReason.RAW_TEMPLATE, 1)]


def test_a_broken_file_that_the_user_named_is_told() -> None:
    """Whoever names a file means that it be read; in a folder it may belong to any other program."""
    assert gaps(read("a: [\n", file="x.yaml", named=True)) == [(GapReason.BROKEN_YAML, 2)]
    assert gaps(read("a: [\n", file="x.yaml")) == []
    assert gaps(read("a: [{{ b }}\n", file="x.yaml", named=True)) == []
    assert gaps(read("{ // c\n}", file="tsconfig.json", kind=SourceKind.JSON, named=True)) == []
    assert gaps(read('{\n // c\n "apiVersion": "v1", "kind": "Pod"}', kind=SourceKind.JSON, file="x.json")) == [
        (GapReason.BROKEN_JSON, 2)
    ]


@pytest.mark.parametrize(
    ("middle", "reason", "line"),
    [
        (f"a: [\nb: {CANARY}\n", GapReason.BROKEN_YAML, 8),
        (f"{POD}x: {CANARY}\nkind: {CANARY}\n", GapReason.DUPLICATE_KEY, 13),
        (f"{POD}  name: {CANARY}\nspec: {{a: 1, a: 2}}\n", GapReason.DUPLICATE_KEY, 12),
        (f"{POD}spec: &a [{CANARY}, *b]\n", GapReason.BROKEN_YAML, 12),
        (f"{POD}spec: &a [{CANARY}, *a]\n", GapReason.BROKEN_YAML, 12),
        (f"{POD}a: {CANARY}\x07\n", GapReason.BROKEN_YAML, 12),
        (POD + "x:\n" + "".join("  " * depth + "- \n" for depth in range(1, 130)), GapReason.TOO_DEEP, 112),
        (POD + "x: " + "[" * 120 + CANARY + "]" * 120 + "\n", GapReason.TOO_DEEP, 12),
        (POD + "x: " + "{a: " * 120 + CANARY + "}" * 120 + "\n", GapReason.TOO_DEEP, 12),
        (f"{POD}spec: {CANARY}\n", GapReason.MALFORMED_OBJECT, 7),
        (f"apiVersion: v1\nkind: Pod\nmetadata: [{CANARY}]\n", GapReason.MALFORMED_OBJECT, 7),
        (f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {{a: {CANARY}}}}}\n", GapReason.MALFORMED_OBJECT, 7),
        (f"apiVersion: v1\nkind: Pod\nmetadata: {{annotations: [{CANARY}]}}\n", GapReason.MALFORMED_OBJECT, 7),
        (f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{{{ .Values.name }}}}\n  x: {CANARY}\n", GapReason.RAW_TEMPLATE, 10),
        (f"{{{{- if .Values.x }}}}\na: {CANARY}\n{{{{- end }}}}\n", GapReason.RAW_TEMPLATE, 7),
        (f"{POD}spec: {{a: '{{{{ .Values.x }}}}', b: {CANARY}}}\n", GapReason.RAW_TEMPLATE, 7),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_read_is_a_gap_with_its_line_and_its_neighbours_are_judged(
    middle: str, reason: GapReason, line: int
) -> None:
    reading = read(f"{POD}---\n{middle}---\n{POD.replace('web', 'last')}")
    assert ids(reading) == ["kubernetes/Pod:shop/web", "kubernetes/Pod:shop/last"]
    ((found, at),) = gaps(reading)
    assert found is reason
    assert at is not None
    assert abs(at - line) <= (1 if reason in {GapReason.BROKEN_YAML, GapReason.RAW_TEMPLATE, GapReason.TOO_DEEP} else 0)


def test_values_that_helm_expands_later_and_rendered_output_are_no_raw_templates() -> None:
    release = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web}
spec: {values: {claim: '{{ .Release.Name }}'}}
"""
    assert gaps(read(release)) == []
    assert gaps(read(release.replace("name: web", "name: '{{ .Release.Name }}'"))) == [(GapReason.RAW_TEMPLATE, 1)]
    pod = POD + "spec: {nodeName: '{{ .Values.x }}'}\n"
    assert gaps(read(pod)) == [(GapReason.RAW_TEMPLATE, 1)]
    assert gaps(read(pod, rendered="Kustomize folder k")) == []


def test_what_the_api_server_names_is_known_by_the_beginning_of_its_name() -> None:
    run = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: nightly-}\n"
    assert ids(read(run)) == ["kubernetes/Workflow.argoproj.io:/nightly-"]


def test_braces_of_others_are_no_helm_template() -> None:
    argo = POD + "spec: {args: ['{{inputs.parameters.x}}'], rule: '{{ $labels.pod }}'}\n"
    embedded = POD.replace("Pod", "ConfigMap") + "data:\n  t: |\n    a: {{ .Values.x }}\n    b\n"
    assert gaps(read(argo)) == gaps(read(embedded)) == []


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (b"a: 1\nb: \xff\n", GapReason.NOT_UTF8, 2),
        (b"\xff\xfea", GapReason.NOT_UTF8, 1),
        (b"\x7fELF\0\0", GapReason.BINARY, None),
    ],
)
def test_a_file_that_is_no_text_is_one_gap(content: bytes, reason: GapReason, line: int | None) -> None:
    assert gaps(read(content)) == [(reason, line)]


def test_a_file_that_cannot_be_opened_or_is_too_large_is_a_gap(tmp_path: Path) -> None:
    gone = Source(file=str(tmp_path / "gone.yaml"), kind=SourceKind.YAML, size=3)
    large = Source(file=str(tmp_path / "large.yaml"), kind=SourceKind.YAML, size=1 << 40)
    reading = manifests.read([gone, large], workloads=WORKLOADS, fingerprint=lambda _: "")
    assert [gap.reason for gap in reading.coverage.gaps] == [GapReason.UNREADABLE, GapReason.TOO_LARGE]


def test_a_file_that_has_grown_since_it_was_found_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(POD)
    source = Source(file=str(file), kind=SourceKind.YAML, size=3)
    assert ids(manifests.read([source], workloads=WORKLOADS, fingerprint=lambda _: "")) == ["kubernetes/Pod:shop/web"]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "a: &a {x: 1}\n"
        + "".join(
            f"{b}: &{b} {{p: *{a}, q: *{a}, r: *{a}}}\n"
            for a, b in zip("abcdefghijklmn", "bcdefghijklmno", strict=True)
        ),
        "a: &a [" + "x," * 5000 + "]\nb: [" + "*a," * 5000 + "]\n",
    ],
    ids=["lists", "maps", "wide"],
)
def test_an_alias_bomb_is_refused_at_once_with_little_memory(text: str) -> None:
    tracemalloc.start()
    try:
        assert [gap.reason for gap in read(POD + text).coverage.gaps] == [GapReason.ALIAS_BOMB]
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "-  " * 100_000,
        "? " * 100_000,
        "- ? " * 100_000,
        "a:\n" + " " * 5000 + "- " * 100_000,
        '{"a":' * 100_000,
        "[" * 100_000 + "]" * 100_000,
        "&a " * 1000,
        "!x " * 1000,
        "".join(" " * depth + "a:\n" for depth in range(2000)),
    ],
)
@pytest.mark.parametrize("kind", [SourceKind.YAML, SourceKind.JSON])
def test_nesting_without_end_is_a_gap_and_no_crash(text: str, kind: SourceKind) -> None:
    assert len(read(text, kind=kind, file="values.yaml").coverage.gaps) == 1


def test_custom_resource_definitions_are_counted_and_not_read() -> None:
    head = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
    reading = read(f"{head}spec: [\n---\n{POD}")
    assert reading.coverage.by_type == (("kubernetes/CustomResourceDefinition", 1), ("kubernetes/Pod", 1))
    assert reading.coverage.skipped == (("a kind that no policy reads", 1),)


@pytest.mark.parametrize(
    "text",
    [
        f'{POD}data: "x\nkind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\n"\n',
        f"{POD}data: |\n  apiVersion: apiextensions.k8s.io/v1\n  kind: CustomResourceDefinition\n",
        "# apiVersion: apiextensions.k8s.io/v1\n# kind: CustomResourceDefinition\n" + POD,
    ],
)
def test_nothing_else_passes_for_a_definition(text: str) -> None:
    assert ids(read(text)) == ["kubernetes/Pod:shop/web"]


def test_files_that_are_no_objects_have_types_of_their_own() -> None:
    assert [r.type for r in read("FROM x\n", file="Dockerfile", kind=SourceKind.DOCKERFILE).resources] == [
        "file/Dockerfile"
    ]
    assert [r.type for r in read("a: 1\n", file="c/values-prod.yaml").resources] == ["file/helm-values"]
    assert [r.type for r in read("resources: []\n", file="c/kustomization.yaml").resources] == ["file/kustomization"]
    assert [
        r.type
        for r in read("kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n", file="c/k.yaml").resources
    ] == ["file/kustomization"]
    flux = "kind: Kustomization\napiVersion: kustomize.toolkit.fluxcd.io/v1\nmetadata: {name: a}\n"
    assert [r.type for r in read(flux, file="c/kustomization.yaml").resources] == [
        "kubernetes/Kustomization.kustomize.toolkit.fluxcd.io"
    ]


def test_sops_manifests_are_kubernetes_objects() -> None:
    (resource,) = read("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nsops: {version: 3.9.0}\n").resources
    assert "sops" in resource.body


def test_rendered_output_names_its_source_and_has_no_lines() -> None:
    reading = read(f"{POD}---\na: [\n", rendered="Helm chart web")
    assert (reading.resources[0].origin.line, reading.resources[0].origin.rendered_from) == (None, "Helm chart web")
    assert gaps(reading) == [(GapReason.BROKEN_YAML, None)]


def test_an_alias_is_a_copy_so_that_redaction_reaches_each_place() -> None:
    body: dict[str, Any] = dict(read(f"{POD}a: &a {{k: [1]}}\nb: *a\nc: {{<<: *a, l: 2}}\n").resources[0].body)
    assert body["b"] == {"k": [1]}
    assert body["c"] == {"k": [1], "l": 2}
    assert len({id(body[name]["k"]) for name in "abc"}) == 3


def test_the_same_input_gives_the_same_reading() -> None:
    text = POD + "spec: {containers: [{name: a, env: [{name: X, value: y}]}]}\n"
    assert read(text) == read(text)


def test_a_file_full_of_templates_is_one_gap() -> None:
    assert gaps(read("a: {{ x }}\n---\nb: {{ y }}\n---\n" + POD)) == [(GapReason.RAW_TEMPLATE, 1)]
