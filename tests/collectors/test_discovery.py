# ruff: noqa: E501, PTH211 - tables read best with one case, or many small ones, a line
import io
import os
from pathlib import Path

import pytest

from auditor.collectors import discovery
from auditor.collectors.discovery import Found, Request
from auditor.collectors.sources import SourceKind
from auditor.model.coverage import GapReason
from auditor.model.errors import InputError, ToolMissingError
from tests.collectors.oracle import tool

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(files: dict[str, str]) -> None:
    for name, content in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content)


def discover(*paths: str, stdin: bytes = b"", **options: object) -> Found:
    found = discovery.discover(Request(paths=paths, **options), stdin=io.BytesIO(stdin), progress=lambda _: None)  # type: ignore[arg-type]
    for coverage in found.coverage:
        assert coverage.files_found >= len(coverage.gaps) - sum(
            gap.reason is GapReason.RENDER_FAILED for gap in coverage.gaps
        )
    return found


def files(found: Found) -> list[str]:
    return [source.file for source in found.sources]


def skipped(found: Found) -> dict[str, int]:
    return dict(found.coverage[0].skipped)


def gaps(found: Found) -> list[tuple[str, GapReason]]:
    return [(gap.file, gap.reason) for part in found.coverage for gap in part.gaps]


def test_files_are_chosen_by_name_in_order_and_the_rest_is_counted() -> None:
    names = ["b.yml", "a/z.yaml", "a/b/c.json", "Dockerfile", "a/web.dockerfile", "Containerfile.dev", ".hidden/x.yaml"]
    write(dict.fromkeys([*names, "README.md", "a/x.yaml.tpl", "Dockerfile.dockerignore", ".git/config.yaml"], ""))
    found = discover(".")
    assert files(found) == sorted(names, key=lambda name: name.split("/"))
    assert {source.file: source.kind for source in found.sources}["Dockerfile"] is SourceKind.DOCKERFILE
    assert skipped(found) == {"not a manifest": 3}
    assert found.coverage[0].files_found == len(names)


def test_a_file_that_is_named_is_read_whatever_its_name() -> None:
    write({"pod.txt": POD})
    assert [(source.file, source.kind, source.size) for source in discover("./pod.txt").sources] == [
        ("pod.txt", SourceKind.YAML, len(POD))
    ]


def test_a_path_that_does_not_exist_is_an_error_with_a_hint() -> None:
    for named in ("missing.yaml", "missing/*.yaml"):
        with pytest.raises(InputError) as caught:
            discover(named)
        assert caught.value.hint
        assert named in str(caught.value)


def test_globs_and_absolute_paths_give_relative_names(here: Path) -> None:
    write({"a/one.yaml": "", "a/b/two.yaml": "", "a/three.json": ""})
    assert files(discover("a/**/*.yaml")) == ["a/b/two.yaml", "a/one.yaml"]
    assert files(discover(str(here / "a" / "b"))) == ["a/b/two.yaml"]


def test_what_is_named_twice_is_read_once() -> None:
    write({"a/one.yaml": "", "a/two.yaml": ""})
    found = discover("a", "a/one.yaml")
    assert files(found) == ["a/one.yaml", "a/two.yaml"]
    assert [part.files_found for part in found.coverage] == [2, 0]
    assert dict(found.coverage[1].skipped) == {"named more than once": 1}


def test_standard_input_is_a_source() -> None:
    (source,) = discover("-", stdin=POD.encode()).sources
    assert (source.file, source.content, source.kind) == ("-", POD.encode(), SourceKind.YAML)


def test_gitignore_counts_as_in_git_nested_ones_and_exclude_too() -> None:
    write({
        ".git/info/exclude": "local.yaml\n",
        ".gitignore": "*.gen.yaml\n/out/\n!keep.gen.yaml\n",
        "a.gen.yaml": "", "keep.gen.yaml": "", "local.yaml": "", "out/x.yaml": "", "sub/out/x.yaml": "",
        "sub/.gitignore": "y.yaml\n!z.gen.yaml\n/top.yaml\n", "sub/y.yaml": "", "sub/z.gen.yaml": "", "sub/top.yaml": "", "sub/deep/top.yaml": "", "sub/deep/y.yaml": "", "y.yaml": "",
    })  # fmt: skip
    kept = ["keep.gen.yaml", "sub/deep/top.yaml", "sub/out/x.yaml", "sub/z.gen.yaml", "y.yaml"]
    found = discover(".")
    assert files(found) == kept
    assert skipped(found)["ignored by .gitignore"] == 6
    assert files(discover("sub")) == [file for file in kept if file.startswith("sub/")]
    assert len(files(discover(".", honour_gitignore=False))) == 11
    assert files(discover("out")) == ["out/x.yaml"], "a folder that is named is read"


def test_exclude_leaves_out_by_pattern_and_counts() -> None:
    write({"a/one.yaml": "", "a/two.yaml": "", "vendor/x.yaml": "", "b/vendor/y.yaml": ""})
    found = discover(".", exclude=("/vendor/", "two.*"))
    assert files(found) == ["a/one.yaml", "b/vendor/y.yaml"]
    assert skipped(found) == {"excluded": 2}


def test_links_are_read_once_and_never_lead_out_or_round() -> None:
    write({"in/real.yaml": "", "in/deep/x.yaml": "", "in/text": POD, "out/secret.yaml": "", "out/d/y.yaml": ""})
    links = {
        "in/link.yaml": "real.yaml",
        "in/only.yaml": "text",
        "in/gone.yaml": "nothing",
        "in/away.yaml": "../out/secret.yaml",
        "in/loop": ".",
        "in/self": "self",
        "in/folder": "deep",
        "in/outer": "../out/d",
        "in/round.yaml": "round.yaml",
    }
    for link, target in links.items():
        os.symlink(target, link)
    found = discover("in")
    assert files(found) == ["in/deep/x.yaml", "in/only.yaml", "in/real.yaml"]
    assert gaps(found) == [
        ("in/away.yaml", GapReason.OUTSIDE),
        ("in/gone.yaml", GapReason.DANGLING_LINK),
        ("in/outer", GapReason.OUTSIDE),
        ("in/round.yaml", GapReason.DANGLING_LINK),
    ]
    assert skipped(found)["symbolic link to what is read elsewhere"] == 3
    assert found.coverage[0].files_found == 3 + 4


def test_a_mounted_config_map_is_read_once() -> None:
    """The kubelet mounts a ConfigMap as links through a `..data` link."""
    write({"m/..2026/a.yaml": POD})
    os.symlink("..2026", "m/..data")
    os.symlink("..data/a.yaml", "m/a.yaml")
    assert files(discover("m")) == ["m/..2026/a.yaml"]


def test_a_folder_that_cannot_be_listed_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may list everything, so the refusal of the system is played here."""
    write({"a/x.yaml": "", "b/y.yaml": ""})
    real = os.scandir

    def refuse(path: str) -> object:
        if path == "a":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = discover(".")
    assert (files(found), gaps(found)) == (["b/y.yaml"], [("a", GapReason.UNREADABLE)])
    assert found.coverage[0].files_found == 2


CHART = {
    "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "web/values.yaml": "image: nginx\nenabled: false\n",
    "web/values-prod.yaml": "enabled: true\n",
    "web/templates/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}}\nspec: {containers: [{name: c, image: {{ .Values.image }}}]}\n",
    "web/templates/off.yaml": "{{ if .Values.enabled }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: on}\n{{ end }}\n",
    "web/crds/crd.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n",
    "web/charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
    "web/charts/sub/values.yaml": "port: 80\n",
    "web/charts/sub/templates/s.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: {{ .Values.port }}}]}\n",
}


@pytest.mark.needs("helm")
def test_a_chart_is_rendered_and_its_templates_are_not_read_raw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(tool("helm")))  # noqa: PTH120
    write({**CHART, "plain.yaml": POD})
    found = discover(".")
    assert [(source.file, source.rendered_from) for source in found.sources] == [
        ("plain.yaml", ""),
        ("web/charts/sub/templates/s.yaml", "Helm chart web"),
        ("web/charts/sub/values.yaml", ""),
        ("web/templates/pod.yaml", "Helm chart web"),
        ("web/values-prod.yaml", ""),
        ("web/values.yaml", ""),
    ]
    assert gaps(found) == []
    assert b"image: nginx" in (found.sources[3].content or b"")
    found = discover("web", exclude=("sub/",), helm_values=(Path("web/values-prod.yaml"),), helm_set=("image=redis",))
    assert files(found) == [
        "web/templates/off.yaml",
        "web/templates/pod.yaml",
        "web/values-prod.yaml",
        "web/values.yaml",
    ]
    assert b"image: redis" in (found.sources[1].content or b"")


@pytest.mark.needs("helm")
def test_a_chart_that_does_not_render_is_one_gap_and_a_library_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(tool("helm")))  # noqa: PTH120
    broken = {**CHART, "web/templates/pod.yaml": '{{ fail "no" }}'}
    write(
        {
            **broken,
            "lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
            "lib/templates/x.yaml": "{{ x }}",
        }
    )
    found = discover(".")
    assert gaps(found) == [("web/Chart.yaml", GapReason.RENDER_FAILED)]
    assert skipped(found)["library chart"] == 1


def test_without_helm_a_chart_on_the_way_is_a_gap_and_a_named_one_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    write({**CHART, "plain.yaml": POD})
    found = discover(".")
    assert gaps(found) == [("web/Chart.yaml", GapReason.TOOL_MISSING)]
    assert "plain.yaml" in files(found)
    with pytest.raises(ToolMissingError) as caught:
        discover("web")
    assert "helm.sh/docs/intro/install" in caught.value.hint


def test_without_rendering_templates_and_kustomizations_are_gaps() -> None:
    write({**CHART, "k/kustomization.yaml": "resources: [pod.yaml]\n", "k/pod.yaml": POD})
    found = discover(".", render=False)
    assert files(found) == [
        "k/kustomization.yaml",
        "k/pod.yaml",
        "web/charts/sub/values.yaml",
        "web/values-prod.yaml",
        "web/values.yaml",
    ]
    assert gaps(found) == [
        ("k/kustomization.yaml", GapReason.RAW_TEMPLATE),
        ("web/templates/off.yaml", GapReason.RAW_TEMPLATE),
        ("web/templates/pod.yaml", GapReason.RAW_TEMPLATE),
    ]


KUSTOMIZE = {
    "base/kustomization.yaml": "resources: [pod.yaml]\n",
    "base/pod.yaml": POD,
    "base/unused.yaml": POD,
    "prod/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\n",
}


@pytest.mark.needs("kubectl")
def test_kustomize_roots_are_rendered_and_what_they_cover_is_not_read_twice() -> None:
    tool("kubectl")
    write(KUSTOMIZE)
    found = discover(".")
    assert [(source.file, source.rendered_from) for source in found.sources] == [
        ("base/kustomization.yaml", ""),
        ("base/unused.yaml", ""),
        ("prod/kustomization.yaml", "Kustomize folder prod"),
        ("prod/kustomization.yaml", ""),
    ]
    assert b"prod-p" in (found.sources[2].content or b"")
    assert (skipped(found), gaps(found)) == ({"rendered, not read raw": 1}, [])


@pytest.mark.needs("kubectl")
def test_an_overlay_that_cannot_be_rendered_loses_nothing_below_it() -> None:
    """A remote base is not fetched: what else the overlay names is read, and its local bases are rendered."""
    tool("kubectl")
    write(
        {
            **KUSTOMIZE,
            "prod/kustomization.yaml": "resources: [../base, own.yaml, 'https://example.com/x?ref=1']\n",
            "prod/own.yaml": POD,
        }
    )
    found = discover(".")
    assert gaps(found) == [("prod/kustomization.yaml", GapReason.RENDER_FAILED)]
    assert [(source.file, source.rendered_from) for source in found.sources] == [
        ("base/kustomization.yaml", "Kustomize folder base"),
        ("base/kustomization.yaml", ""),
        ("base/unused.yaml", ""),
        ("prod/kustomization.yaml", ""),
        ("prod/own.yaml", ""),
    ]


@pytest.mark.needs("kubectl")
def test_a_component_is_rendered_only_as_a_part_of_others() -> None:
    tool("kubectl")
    part = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [own.yaml]\n"
    write(
        {
            **KUSTOMIZE,
            "part/kustomization.yaml": part + "patches: [{path: patch.yaml}]\n",
            "part/own.yaml": POD.replace("p", "q"),
            "part/patch.yaml": POD,
        }
    )
    found = discover(".")
    assert gaps(found) == []
    assert ("part/own.yaml", "") in [(source.file, source.rendered_from) for source in found.sources]


@pytest.mark.needs("kubectl")
def test_an_overlay_that_names_what_is_not_there_is_not_given_to_a_tool_that_would_fetch_it() -> None:
    tool("kubectl")
    write({**KUSTOMIZE, "base/kustomization.yaml": "resources: [pod.yaml, elsewhere]\n"})
    found = discover(".")
    (gap,) = found.coverage[0].gaps
    assert gap.file == "base/kustomization.yaml"
    assert gap.detail.startswith("It names base/elsewhere, which is not there")
    assert "base/pod.yaml" in files(found)


def test_without_kustomize_its_files_are_read_raw_and_a_named_folder_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    write(KUSTOMIZE)
    found = discover(".")
    assert "base/pod.yaml" in files(found)
    assert gaps(found) == [
        ("base/kustomization.yaml", GapReason.TOOL_MISSING),
        ("prod/kustomization.yaml", GapReason.TOOL_MISSING),
    ]
    with pytest.raises(ToolMissingError):
        discover("prod")


def test_why_a_chart_does_not_render_is_told_without_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Helm's last line is only an advice, and its first may quote a password."""
    monkeypatch.setenv("PATH", os.path.dirname(tool("helm")))  # noqa: PTH120
    for template, words in (
        ("{{ fail .Values.pin }}", "refuses its values at (web/templates/pod.yaml:1:3)"),
        ("{{ .Values.pin.nope.nope }}", "web/templates/pod.yaml:1"),
        ("{{ include .Values.pin . }}", "web/templates/pod.yaml:1"),
        ("{{ mustRegexMatch .Values.pin (list 1) }}", "web/templates/pod.yaml:1"),
        ("a: b: c", "mapping values are not allowed"),
    ):
        write({**CHART, "web/values.yaml": "pin: hunter2\n", "web/templates/pod.yaml": template})
        (gap,) = discover("web").coverage[0].gaps
        assert words in gap.detail
        assert "hunter2" not in gap.detail
        assert "--debug" not in gap.detail
