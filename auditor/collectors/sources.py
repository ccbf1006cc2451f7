"""What is read: one stream of bytes each, and how its name tells the way to read it."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from auditor.model.ci import CiFile

STDIN = "-"
_PROSE = (".md", ".txt", ".adoc", ".rst", ".html")
_VALUES = re.compile(r"(?:.*[-_.])?values(?:[-_.].*)?\.ya?ml\Z")


class SourceKind(StrEnum):
    """How a source is read."""

    YAML = "yaml"
    JSON = "json"
    DOCKERFILE = "dockerfile"
    JENKINSFILE = "jenkinsfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One stream of bytes to read."""

    file: str
    """POSIX path relative to the working folder, `-` for standard input (as `Location.file`)."""
    path: str = ""
    """Under which it is opened, where its name is not Unicode and `file` only shows it; else empty."""
    kind: SourceKind
    size: int
    content: bytes | None = None
    """`None`: read the file; bytes: rendered output or standard input."""
    rendered_from: str = ""
    """`Helm chart charts/web`; empty for a file read as it is."""
    named: bool = False
    """Whether the user named this very file, rather than a folder that holds it."""
    ci: CiFile | None = None
    """What it is to a CI system, by its name or because a definition includes it."""


def kind_of(name: str) -> SourceKind | None:
    """Return how a file of that name is read, `None` where it is no candidate."""
    if name.endswith((".yaml", ".yml")):
        return SourceKind.YAML
    if name.endswith(".json"):
        return SourceKind.JSON
    if name.startswith(("Dockerfile", "Containerfile")) or name.lower().endswith((".dockerfile", ".containerfile")):
        return None if name.endswith((".dockerignore", ".containerignore")) else SourceKind.DOCKERFILE
    if name.startswith("Jenkinsfile") or name.endswith(".jenkinsfile"):
        return None if name.endswith(_PROSE) else SourceKind.JENKINSFILE
    return SourceKind.YAML if name == "Kustomization" else None


def is_values_file(name: str) -> bool:
    """Return whether a file of that name holds values for Helm."""
    return _VALUES.match(name) is not None


def kind_of_stream(content: bytes) -> SourceKind:
    """Return JSON for a row of JSON objects (`kubectl get -o json`, `jq -c`); one alone is YAML as well."""
    try:
        text = content.decode("utf-8-sig").lstrip()
        if not text.startswith("{"):
            return SourceKind.YAML
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        # Neither JSON nor text: reading it as YAML tells what is wrong, and where.
        return SourceKind.YAML
    return SourceKind.JSON if text[end:].lstrip().startswith("{") else SourceKind.YAML


def printable(path: str) -> str:
    """Return a path as Unicode: whatever judges, writes or compares it wants that, and a name of a file may be none."""
    if path.isascii():
        return path
    from auditor.detection.text import shown  # noqa: PLC0415 - start-up: few names need it

    return shown(path)
