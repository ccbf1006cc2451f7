"""Helm charts and Kustomize folders, rendered by the user's own `helm`, `kustomize` or `kubectl`.

Nothing is fetched: a chart whose dependencies are not there, or an overlay with a remote base, is a gap that says so.
No cluster is asked. A tool's complaint is shown redacted and shortened, since templates quote values in errors.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from auditor.model.coverage import Gap, GapReason
from auditor.model.record import record
from auditor.redaction.redactor import redact_text

TIMEOUT_SECONDS = 120
"""For one rendering. A chart that needs longer is a gap."""

KUSTOMIZATION_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

_SOURCE = re.compile(rb"^# Source: (.+?)\s*$", re.MULTILINE)
_COMPONENT = re.compile(rb"^kind:[ \t]*[\"']?Component[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_LOG_LINE = re.compile(r'[EF]\d{4} \S+ +\d+ \S+\] "command failed" err="(.*)"')
_DOCUMENT = re.compile(rb"^---[ \t]*\r?$", re.MULTILINE)
# What Kustomize would fetch: a URL, a git address, or a host's path with a repository query.
_REMOTE = re.compile(r"^(?:[a-z+]+::|[a-z]+://|git@|(?:www\.)?(?:github|gitlab|bitbucket)\.)|\?ref=|\.git(?:$|[/?])")


@record
class Rendered:
    """One rendered stream of documents, all from the same template."""

    file: str
    """The template (Helm) or the kustomization file, relative to the working folder."""
    content: bytes
    rendered_from: str


def helm_chart(folder: str, *, values: Sequence[Path] = (), sets: Sequence[str] = ()) -> list[Rendered] | Gap:
    """Return what the chart in `folder` renders to, one entry a template, or why it could not be rendered."""
    chart_file = _join(folder, "Chart.yaml")
    helm = shutil.which("helm")
    if helm is None:
        return Gap(
            file=chart_file,
            reason=GapReason.TOOL_MISSING,
            detail="This Helm chart needs `helm` to be rendered; install it (https://helm.sh/docs/intro/install/) "
            "or pipe the rendered chart: helm template . | auditor scan -",
        )
    command = [helm, "template", "release-name", folder or "."]
    for file in values:
        command += ["--values", str(file)]
    for pair in sets:
        command += ["--set", pair]
    output = _run(command)
    if isinstance(output, str):
        return Gap(file=chart_file, reason=GapReason.RENDER_FAILED, detail=f"helm template failed: {output}")
    from auditor.collectors import generated  # noqa: PLC0415 - start-up: only where a chart was rendered

    if generated.makes_up_values(folder):
        again = _run(command)
        if isinstance(again, bytes):
            output = generated.replaced(output, again)
    return _by_template(output, folder=folder)


def kustomize_folder(folder: str) -> list[Rendered] | Gap:
    """Return what the Kustomize folder renders to, or why it could not be rendered."""
    name = kustomization_file(folder)
    kustomize, kubectl = shutil.which("kustomize"), shutil.which("kubectl")
    if kustomize is None and kubectl is None:
        return Gap(
            file=name,
            reason=GapReason.TOOL_MISSING,
            detail="This Kustomize folder needs `kustomize` or `kubectl` to be rendered; install one "
            "(https://kubectl.docs.kubernetes.io/installation/kustomize/) or pipe its output to: auditor scan -",
        )
    remote = remote_reference(folder)
    if remote:
        return Gap(
            file=remote,
            reason=GapReason.RENDER_FAILED,
            detail="It refers to a remote base, and nothing is fetched; vendor the base, or pipe the rendered output: "
            "kustomize build . | auditor scan -",
        )
    missing = missing_reference(folder)
    if missing:
        # Kustomize would take the name for the address of a repository, and try to fetch it.
        return Gap(
            file=missing[0],
            reason=GapReason.RENDER_FAILED,
            detail=f"It names {missing[1]}, which is not there; mend the name, or pipe the rendered output: "
            "kustomize build . | auditor scan -",
        )
    command = [kustomize, "build"] if kustomize else [str(kubectl), "kustomize"]
    output = _run([*command, folder or "."])
    if isinstance(output, str):
        return Gap(file=name, reason=GapReason.RENDER_FAILED, detail=f"kustomize failed: {output}")
    return [Rendered(file=name, content=output, rendered_from=f"Kustomize folder {folder or '.'}")]


def kustomization_file(folder: str) -> str:
    """Return the path of the kustomization file in `folder`."""
    for name in KUSTOMIZATION_NAMES:
        path = _join(folder, name)
        if os.path.isfile(path):  # noqa: PTH113 - strings throughout: thousands of folders are looked at
            return path
    return _join(folder, KUSTOMIZATION_NAMES[0])


def is_component(folder: str) -> bool:
    """Return whether the kustomization in `folder` is a Component, which is rendered only as a part of others."""
    try:
        with open(kustomization_file(folder), "rb") as file:  # noqa: PTH123 - as above
            return _COMPONENT.search(file.read(100_000)) is not None
    except OSError:
        return False


def references(folder: str) -> tuple[list[str], list[str]]:
    """Return the local files and folders, and the remote addresses, that the kustomization in `folder` names.

    Empty for a file that cannot be read: rendering it will say why.
    """
    import yaml  # noqa: PLC0415 - only where a kustomization is met

    try:
        with open(kustomization_file(folder), "rb") as file:  # noqa: PTH123 - as above
            content = yaml.safe_load(file)
    except (OSError, yaml.YAMLError):
        return [], []
    if not isinstance(content, dict):
        return [], []
    local: list[str] = []
    remote: list[str] = []
    for entry in _named(content):
        if _REMOTE.search(entry):
            remote.append(entry)
        else:
            local.append(os.path.normpath(_join(folder, entry)))
    return local, remote


def remote_reference(folder: str, seen: frozenset[str] = frozenset()) -> str:
    """Return the first kustomization file below `folder`'s references that names a remote base, or an empty text."""
    if folder in seen:
        return ""
    local, remote = references(folder)
    if remote:
        return kustomization_file(folder)
    for path in local:
        if os.path.isdir(path):  # noqa: PTH112 - as above
            found = remote_reference(path, seen | {folder})
            if found:
                return found
    return ""


def missing_reference(folder: str, seen: frozenset[str] = frozenset()) -> tuple[str, str] | None:
    """Return the first kustomization file below `folder` that names what is not there, and what it names."""
    if folder in seen:
        return None
    for path in references(folder)[0]:
        if not os.path.exists(path):  # noqa: PTH110 - as above
            return kustomization_file(folder), path
        if os.path.isdir(path):  # noqa: PTH112 - as above
            found = missing_reference(path, seen | {folder})
            if found:
                return found
    return None


def roots(folders: Iterable[str]) -> list[str]:
    """Return those of the Kustomize `folders` that none of the others refers to: rendering them renders all.

    A Component cannot be rendered by itself; what one that nobody uses names is read as it stands.
    """
    every = {path for path in (os.path.normpath(folder or ".") for folder in folders) if not is_component(path)}
    used = {path for folder in every for path in references(folder)[0] if path in every and path != folder}
    # Folders that only refer to each other have no root; they are then all rendered, and the tool will complain.
    return sorted(every - used) or sorted(every)


def covered(folder: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return every local file that rendering `folder` reads: these need not be judged a second time as they are."""
    if folder in seen:
        return set()
    files = {os.path.normpath(kustomization_file(folder))}
    for path in references(folder)[0]:
        if os.path.isdir(path):  # noqa: PTH112 - as above
            files |= covered(path, seen | {folder})
        else:
            files.add(path)
    return files


def _named(content: dict[str, object]) -> list[str]:
    """Return every path in a kustomization that names a manifest, a base, a component or a patch."""
    found: list[str] = []
    for key in ("resources", "bases", "components", "crds", "patchesStrategicMerge", "transformers", "generators"):
        entries = content.get(key)
        if isinstance(entries, list):
            # An inline patch is text with line breaks, no path.
            found += [entry for entry in entries if isinstance(entry, str) and "\n" not in entry]
    for key in ("patches", "patchesJson6902"):
        entries = content.get(key)
        if isinstance(entries, list):
            found += [
                entry["path"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("path"), str)
            ]
    return found


def _by_template(output: bytes, *, folder: str) -> list[Rendered]:
    """Split what Helm printed by the template that each document came from."""
    parts: dict[str, list[bytes]] = {}
    for document in _DOCUMENT.split(output):
        source = _SOURCE.search(document)
        if source is None and not document.strip():
            continue
        # "chart-name/templates/x.yaml": the first step is the chart's name, not its folder's.
        inside = source.group(1).decode(errors="replace").partition("/")[2] if source else "Chart.yaml"
        parts.setdefault(_join(folder, inside), []).append(document)
    return [
        Rendered(file=file, content=b"---\n" + b"\n---\n".join(documents), rendered_from=f"Helm chart {folder or '.'}")
        for file, documents in parts.items()
    ]


def _run(command: Sequence[str]) -> bytes | str:
    """Return standard output, or what went wrong in one redacted line."""
    try:
        done = subprocess.run(  # noqa: S603 - the user's own tool, no shell
            command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {TIMEOUT_SECONDS} seconds"
    except OSError as error:
        return f"it cannot be run ({error.strerror})"
    if done.returncode:
        return _complaint(done.stderr.decode(errors="replace")) or f"exit status {done.returncode}"
    return done.stdout


_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_FILE = re.compile(r'"[\w./-]+\.(?:ya?ml|tpl|txt|json)"')
_OF_SCHEMA = re.compile(r"(\b(?:at|property|properties) )?('(?:[^'\\]|\\.)*')")
"""What a JSON Schema quotes, and what says that it is a place or a property's name: `at '/tag': 'x' does not ...`."""
_INCLUDED = re.compile(r'<(?:include|template) ("[\w./-]+")')
"""The name of a template in the chart's own source."""


def _complaint(text: str) -> str:
    """Return what a tool complained about in one line, without what it quotes of the user's values."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "Use --debug flag" not in line]
    if not lines:
        return ""
    first = next((index for index, line in enumerate(lines) if line.startswith("Error: ")), len(lines) - 1)
    line = _plain(lines[first])
    if line.endswith(":"):
        # What it is about stands below: `values don't meet the specifications of the schema(s) ...:`
        below = " ".join(lines[first + 1 :])
        line = f"{line} {_OF_SCHEMA.sub(lambda at: at[0] if at[1] else 'a value', below)}"
    # The text of `fail` and `required` is the chart's own, and may hold any value.
    line = re.sub(r"execution error at (\(\S+\)): .*", r"the chart itself refuses its values at \1", line)
    if "error calling" in line:
        # As `strconv.Atoi: parsing "..."` may; the templates' own names say where it is.
        named = {'"gotpl"', *_INCLUDED.findall(line)}
        line = _QUOTED.sub(lambda at: at[0] if _FILE.fullmatch(at[0]) or at[0] in named else "a value", line)
    return redact_text(line[:300])


def _plain(line: str) -> str:
    """Return what an error says without the head that kubectl's log puts in front of it."""
    match = _LOG_LINE.fullmatch(line)
    return match[1].replace('\\"', '"') if match else line.removeprefix("Error: ")


def _join(folder: str, name: str) -> str:
    return name if folder in {"", "."} else f"{folder}/{name}"
