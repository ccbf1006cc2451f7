"""Sources to resources: every Kubernetes object, redacted, with where it stands; and the ledger of what was not read.

Custom resource definitions are counted and not parsed: no policy reads them, and they are nine tenths of the bytes of
an operator's manifests. Their syntax is therefore not checked. Everything else is parsed, also what turns out to be no
Kubernetes object, so that a file that cannot be read is told apart from one that need not be.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.collectors import documents
from auditor.collectors.documents import RefusedError
from auditor.collectors.render import KUSTOMIZATION_NAMES
from auditor.collectors.sources import Source, SourceKind, is_values_file
from auditor.model import ci
from auditor.model.ci import CiFile
from auditor.model.coverage import Coverage, Gap, GapReason
from auditor.model.resource import Origin, Path, Resource
from auditor.patterns import compile_
from auditor.workloads import Workloads

NOT_KUBERNETES = "not a Kubernetes object"
EMPTY = "empty document"
UNREAD_KIND = "a kind that no policy reads"
SOURCE = "manifests"

_CRD = "kubernetes/CustomResourceDefinition"
_CORE_GROUPS = frozenset({"", "apps", "batch", "policy", "autoscaling", "extensions"})
# A document whose first key is this one belongs to the API group of CRDs whatever follows: a key cannot stand twice.
_CRD_HEAD = compile_(r"apiVersion:[ ]+[\"']?apiextensions\.k8s\.io/v1(?:beta1)?[\"']?[ \t]*\r?\n")
_CRD_KIND = compile_(r"^kind:[ ]+[\"']?CustomResourceDefinition[\"']?[ \t]*\r?$", re.MULTILINE)
# What an object has at its top, and a pod spec inside: an object that lost its kind is one all the same.
_HEADS = compile_(r"^(apiVersion|kind|metadata|spec|stringData|roleRef|subjects)[ \t]*:", re.MULTILINE)
_OF_A_POD = compile_(r"^[ \t]+(?:- )?(?:containers|initContainers|serviceAccountName)[ \t]*:", re.MULTILINE)
_TEMPLATE = compile_(r"\{\{|\{%")
# Objects that Helm gives to a template and functions that only it has; Argo, Kyverno and others use braces too.
_CHART_VALUES = frozenset({"values", "valuesContent", "set"})
_TRUST = "AssumeRoleWithWebIdentity"
# In scope by their names alone. Folders of project templates (`{{cookiecutter.name}}`) hold pieces of definitions.
_DEFINITIONS = frozenset({CiFile.GITHUB_WORKFLOW, CiFile.GITLAB_CI, CiFile.PRE_COMMIT})
_HELM = compile_(r"\{\{-?\s*(?:\.(?:Values|Release|Chart|Capabilities|Template)\b|include\s|template\s|tpl\s)")


@dataclass(slots=True)
class Reading:
    """What a share of the sources gave."""

    resources: list[Resource]
    coverage: Coverage
    digests: list[tuple[str, str]]
    """File and SHA-256 of everything that was read."""


def read(sources: Sequence[Source], *, workloads: Workloads, fingerprint: Callable[[str], str]) -> Reading:
    """Return the objects in `sources`, in their order, with every credential taken out. Never raises for content."""
    reader = _Reader(workloads, fingerprint)
    for source in sources:
        reader.file(source)
    return reader.reading()


def resource_type(api_version: str, kind: str) -> str:
    """Return the type of a Kubernetes object: the group stands in it where it is no built-in one, the version never."""
    group = api_version.rpartition("/")[0]
    if group in _CORE_GROUPS or (group.endswith(".k8s.io") and not group.endswith("x-k8s.io")):
        return f"kubernetes/{kind}"
    return f"kubernetes/{kind}.{group}"


class _Reader:
    def __init__(self, workloads: Workloads, fingerprint: Callable[[str], str]) -> None:
        from auditor.detection.literals import take_out  # noqa: PLC0415 - start-up: only when something is read

        self._take_out = take_out
        self._workloads = workloads
        self._fingerprint = fingerprint
        self._resources: list[Resource] = []
        self._gaps: list[Gap] = []
        self._digests: list[tuple[str, str]] = []
        self._types: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._documents = 0
        self._found = 0

    def reading(self) -> Reading:
        coverage = Coverage(
            source=SOURCE,
            files_read=len(self._digests),
            documents=self._documents,
            resources=self._types.total(),
            by_type=tuple(sorted(self._types.items())),
            skipped=tuple(sorted(self._skipped.items())),
            gaps=tuple(sorted(self._gaps, key=lambda gap: (gap.file, gap.line or 0, gap.reason, gap.detail))),
        )
        return Reading(resources=self._resources, coverage=coverage, digests=self._digests)

    def file(self, source: Source) -> None:
        """Read one source, or note why it cannot be read."""
        try:
            content = load(source)
            text = documents.text(content)
        except RefusedError as refused:
            self._gap(source, refused)
            return
        self._digests.append((source.file, hashlib.sha256(content).hexdigest()))
        if source.kind is SourceKind.DOCKERFILE:
            from auditor.collectors import dockerfile  # noqa: PLC0415 - start-up: only where one is met

            self._documents += 1
            self._add("file/Dockerfile", dockerfile.parse(text), Origin(file=source.file), name=source.file)
        elif source.kind is SourceKind.JENKINSFILE:
            from auditor.collectors import jenkinsfile  # noqa: PLC0415 - as above

            self._documents += 1
            self._add(CiFile.JENKINSFILE.type, jenkinsfile.parse(text), Origin(file=source.file), name=source.file)
        elif source.ci is CiFile.OTHER:
            self._add(source.ci.type, {"system": ci.system(source.file)}, Origin(file=source.file), name=source.file)
            if "apiVersion" in text:
                # Folders of CI systems hold manifests, too.
                self._yaml(source, text)
            else:
                self._documents += 1
        elif source.kind is SourceKind.JSON:
            self._json(source, text)
        else:
            self._yaml(source, text)

    def _yaml(self, source: Source, text: str) -> None:
        for chunk in documents.split(text):
            if chunk.empty:
                self._skipped[EMPTY] += 1
                continue
            self._documents += 1
            if _is_crd(text, chunk):
                self._types[_CRD] += 1
                self._skipped[UNREAD_KIND] += 1
                continue
            document = text if chunk.start == 0 and chunk.end == len(text) else text[chunk.start : chunk.end]
            try:
                value = documents.parse(document)
            except RefusedError as refused:
                offset = text.count("\n", 0, chunk.start)
                self._refused(source, document, refused, offset, whole=text)
                continue
            self._value(source, value, chunk.index, chunk.line, document)

    def _json(self, source: Source, text: str) -> None:
        index = 0
        try:
            for offset, value in documents.parse_json_stream(text):
                self._documents += 1
                self._value(source, value, index, text.count("\n", 0, offset) + 1, text)
                index += 1
        except RefusedError as refused:
            self._documents += 1
            self._refused(source, text, refused, 0, whole=text)

    def _refused(self, source: Source, document: str, refused: RefusedError, offset: int, *, whole: str) -> None:
        broken = refused.reason in {GapReason.BROKEN_YAML, GapReason.BROKEN_JSON}
        line = None if refused.line is None else refused.line + offset
        named = source.named and source.kind is SourceKind.YAML and not _TEMPLATE.search(document)
        if (broken or refused.reason is GapReason.DUPLICATE_KEY) and not (named or _may_be_read(source, whole)):
            # Settings of other programs, JSON with comments, pieces of documentation.
            self._skipped[NOT_KUBERNETES] += 1
        elif broken and source.ci is None and _TEMPLATE.search(document):
            self._gap(source, _raw_template(line))
        else:
            self._gap(source, RefusedError(refused.reason, line, refused.detail))

    def _gap(self, source: Source, refused: RefusedError) -> None:
        last = self._gaps[-1] if self._gaps else None
        if (
            refused.reason is GapReason.RAW_TEMPLATE
            and last
            and (last.file, last.reason) == (source.file, refused.reason)
        ):
            # A template of many documents is one thing that was not rendered.
            return
        line = None if source.rendered_from else refused.line
        self._gaps.append(Gap(file=source.file, line=line, reason=refused.reason, detail=refused.detail))

    def _value(self, source: Source, value: Any, index: int, line: int, document: str) -> None:
        origin = Origin(
            file=source.file,
            document=index,
            line=None if source.rendered_from else line,
            rendered_from=source.rendered_from,
        )
        if value is None:
            self._documents -= 1
            self._skipped[EMPTY] += 1
        elif _is_kustomization(source, value):
            self._add("file/kustomization", value, origin, name=source.file)
        elif _is_values(source, value):
            self._add("file/helm-values", value, origin, name=source.file)
        elif source.ci is not None and self._definition(source.ci, source, value, origin):
            pass
        elif isinstance(value, dict) and "Statement" in value and _TRUST in document:
            self._add(ci.AWS_TRUST, value, origin, name=source.file)
        elif "{{" in document and not source.rendered_from and _HELM.search(document) and _is_helm_template(value):
            self._gap(source, _raw_template(line))
        else:
            self._object(source, value, origin)

    def _definition(self, kind: CiFile, source: Source, value: Any, origin: Origin) -> bool:
        """Take in a CI definition, and return whether it was one."""
        from auditor.collectors import ci_definitions  # noqa: PLC0415 - start-up: only where one is met

        body = ci_definitions.body(kind, value)
        if body is not None:
            self._add(kind.type, body, origin, name=source.file)
        return body is not None

    def _object(self, source: Source, value: Any, origin: Origin) -> None:
        if not isinstance(value, dict):
            self._skipped[NOT_KUBERNETES] += 1
            return
        kind, api_version = value.get("kind"), value.get("apiVersion")
        if not (isinstance(kind, str) and isinstance(api_version, str) and kind and api_version):
            self._skipped[NOT_KUBERNETES] += 1
            return
        items = value.get("items")
        if kind.endswith("List") and isinstance(items, list):
            for position, item in enumerate(items):
                # Items of a typed list (`RoleList`) may leave out what the list says.
                if isinstance(item, dict) and kind != "List":
                    item.setdefault("apiVersion", api_version)
                    item.setdefault("kind", kind.removesuffix("List"))
                self._object(source, item, _inside(origin, ("items", position)))
            return
        fault = _fault(value)
        if fault:
            line = origin.line
            detail = f"`{fault}` has a shape that no API server accepts; correct the manifest."
            self._gaps.append(Gap(file=source.file, line=line, reason=GapReason.MALFORMED_OBJECT, detail=detail))
            return
        type_ = resource_type(api_version, kind)
        if type_ == _CRD:
            self._types[_CRD] += 1
            self._skipped[UNREAD_KIND] += 1
            return
        metadata = value.get("metadata") or {}
        # What the API server names itself (a Workflow, a PipelineRun) is known by what its name begins with.
        name = _text(metadata.get("name")) or _text(metadata.get("generateName"))
        self._add(type_, value, origin, name=name, namespace=_text(metadata.get("namespace")))

    def _add(self, type_: str, body: dict[str, Any], origin: Origin, *, name: str, namespace: str = "") -> None:
        literals = self._take_out(type_, body, workload=self._workloads.of(type_), fingerprint=self._fingerprint)
        self._types[type_] += 1
        self._resources.append(
            Resource(type=type_, name=name, namespace=namespace, body=body, origin=origin, literals=literals)
        )


def load(source: Source) -> bytes:
    """Return a source's bytes. Raises `RefusedError` for what is too large or cannot be read."""
    if source.size > documents.MAX_BYTES:
        raise _too_large()
    if source.content is not None:
        return source.content
    try:
        descriptor = os.open(
            source.path or source.file, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
        )
        try:
            # One byte more than was seen tells whether it has grown since.
            parts = [os.read(descriptor, source.size + 1)]
            if len(parts[0]) != source.size:
                parts += iter(lambda: os.read(descriptor, 1 << 20), b"")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise RefusedError(
            GapReason.UNREADABLE, None, f"It cannot be read ({error.strerror}); check its permissions."
        ) from None
    content = parts[0] if len(parts) == 1 else b"".join(parts)
    if len(content) > documents.MAX_BYTES:
        raise _too_large()
    return content


def _too_large() -> RefusedError:
    return RefusedError(
        GapReason.TOO_LARGE,
        None,
        f"It is larger than {documents.MAX_BYTES // 1_000_000} MB; split it, or leave it out (--exclude).",
    )


def _is_crd(text: str, chunk: documents.Chunk) -> bool:
    return (
        _CRD_HEAD.match(text, chunk.content, chunk.end) is not None
        and _CRD_KIND.search(text, chunk.content, min(chunk.content + 400, chunk.end)) is not None
    )


def _is_kustomization(source: Source, value: Any) -> bool:
    if not isinstance(value, dict) or source.rendered_from:
        return False
    api_version = value.get("apiVersion")
    if isinstance(api_version, str):
        return api_version.startswith("kustomize.config.k8s.io/")
    return os.path.basename(source.file) in KUSTOMIZATION_NAMES  # noqa: PTH119 - a string, for each document


def _is_values(source: Source, value: Any) -> bool:
    return (
        isinstance(value, dict)
        and not source.rendered_from
        and not {"apiVersion", "kind"} <= value.keys()
        and is_values_file(os.path.basename(source.file))  # noqa: PTH119 - as above
    )


def _may_be_read(source: Source, text: str) -> bool:
    """Return whether what could not be parsed in a file may count: it may hold objects, or is known by its name."""
    name = os.path.basename(source.file)  # noqa: PTH119 - a string, for each document
    return (
        ("apiVersion" in text and "kind" in text)
        or len(set(_HEADS.findall(text))) > 1
        or ("\nspec:" in f"\n{text}" and _OF_A_POD.search(text) is not None)
        or source.file == "-"
        or name in KUSTOMIZATION_NAMES
        or is_values_file(name)
        or (source.ci in _DEFINITIONS and "{{" not in source.file)
    )


def _is_helm_template(value: Any) -> bool:
    """Return whether a value that reads as YAML still waits for Helm.

    Text of several lines is left out: a ConfigMap may carry a whole template as its content. So are values for a
    chart (a HelmRelease): Helm expands those when it installs the chart.
    """
    if not isinstance(value, dict) or not ("kind" in value or "apiVersion" in value):
        # Rendered, it would be no object either: tests of charts quote templates, and so do values.
        return False
    todo: list[Any] = [value]
    if str(value.get("kind")).startswith("Helm") and isinstance(value.get("spec"), dict):
        spec = {key: part for key, part in value["spec"].items() if key not in _CHART_VALUES}
        todo = [{**value, "spec": spec}]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            if "\n" not in node and _HELM.search(node):
                return True
        elif isinstance(node, dict):
            todo += node.keys()
            todo += node.values()
        elif isinstance(node, list):
            todo += node
    return False


def _raw_template(line: int | None) -> RefusedError:
    return RefusedError(
        GapReason.RAW_TEMPLATE,
        line,
        "It is a template that was not rendered, so it was not evaluated; name the chart's folder, or pipe the "
        "rendered output to: auditor scan -",
    )


def _inside(origin: Origin, steps: Path) -> Origin:
    return Origin(
        file=origin.file,
        document=origin.document,
        line=origin.line,
        prefix=(*origin.prefix, *steps),
        rendered_from=origin.rendered_from,
    )


def _fault(body: Mapping[str, Any]) -> str:
    """Return which part of an object has a shape that no API server accepts, or an empty text."""
    metadata = body.get("metadata")
    if metadata is not None:
        if not isinstance(metadata, dict):
            return "metadata"
        for name in ("name", "namespace"):
            if metadata.get(name) is not None and not isinstance(metadata[name], str):
                return f"metadata.{name}"
        for name in ("annotations", "labels"):
            if metadata.get(name) is not None and not isinstance(metadata[name], dict):
                return f"metadata.{name}"
    spec = body.get("spec")
    return "" if spec is None or isinstance(spec, dict) else "spec"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
