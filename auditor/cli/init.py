"""`auditor init`: a first `auditor.yaml` from what is found here, with comments. It contacts nobody.

Of a kubeconfig only the names of contexts and the addresses of servers are looked at. No user, token or key gets here.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from auditor import configuration
from auditor.cli import options, terminal
from auditor.model.errors import InputError
from auditor.model.record import record

_EXAMPLES = """
Examples:

  auditor init                              write auditor.yaml here

  auditor init --config audits/prod.yaml    write another file

Then look at it, delete what is not in scope, and run `auditor collect -o estate/`.
"""

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""Where a pod finds the token of its ServiceAccount. That it is there is all that is asked."""
_DEPTH = 3
_HEAD = 4096
_SKIPPED = frozenset({"node_modules", "vendor", "venv", "__pycache__", "site-packages"})


def init(
    config: Annotated[Path, typer.Option(help="The file to write.")] = Path(configuration.FILE_NAME),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a first configuration from what is found here."""
    if config.is_dir():
        raise InputError(f"{config} is a folder", hint="Name the file to write, such as auditor.yaml.")
    if config.exists() and not force:
        raise InputError(f"{config} exists", hint="Say --force to replace it, or --config for another file.")
    home = options.home()
    clusters: list[_Cluster] = []
    for path in _kubeconfigs(os.environ, home):
        found = _read(path)
        if found is None:
            terminal.note(f"{path} is no kubeconfig that can be read; it is left out")
        else:
            clusters += [one for one in found if one.context not in {other.context for other in clusters}]
    text = render(
        clusters, in_cluster="KUBERNETES_SERVICE_HOST" in os.environ and _ACCOUNT.exists(), found=_near(Path())
    )
    try:
        config.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{config} cannot be written: {error.strerror}", hint="Name a file in a folder that exists."
        ) from error
    count = len(configuration.load(config, home=home).sources)
    terminal.note(f"wrote {config} with {count} source{'' if count == 1 else 's'}: look at it before you use it")


init.__doc__ = f"{init.__doc__}\n{_EXAMPLES}"


@record
class _Cluster:
    """One context of a kubeconfig."""

    context: str
    server: str
    """Address without credentials; empty when unknown."""
    file: str
    current: bool


@record
class Found:
    """What lies in the folder that is no live system."""

    charts: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    """Folders that hold manifests, the topmost of each."""
    exports: tuple[str, ...] = ()
    """Folders that were taken from a cluster."""


def render(clusters: list[_Cluster], *, in_cluster: bool, found: Found) -> str:
    """Return the content of the file."""
    sources = [*_of_contexts(clusters), *([_IN_CLUSTER] if in_cluster else [])]
    head = "sources:\n" + "\n".join(sources) if sources else _NO_SOURCES
    return f"{_TOP}\n{head}\n{_exports(found)}{_CONNECTIONS}\n{_scans(found)}{_REST}"


_TOP = """\
# Configuration of auditor, written by `auditor init`. The page docs/configuration.md has every key.
# No password, token or key belongs in here: a cluster is reached by your kubeconfig.

# The systems that `auditor collect` reads. Delete what is not in scope.
# `auditor doctor` says of each what it would ask, and with which identity."""
_NO_SOURCES = """\
# No kubeconfig was found, and this is no pod. A cluster looks like this:
# sources:
#   - name: prod
#     kubernetes: {context: prod-admin}"""
_IN_CLUSTER = """\
  # This is a pod: its own ServiceAccount reads the cluster that it runs in.
  - name: in-cluster
    kubernetes:
      in-cluster: true"""
_CONNECTIONS = """\

# connections: 8              # simultaneous connections in one collection, over all sources
"""
_REST = """\
# tags: [cde]                 # scope tags of all that is judged, printed with the assessment
# conditions:                 # which conditional requirements apply; undeclared ones are reported as conditional
#   protects-account-data: true
#   interactive-login: false
#   service-provider: false
# parameters:                 # thresholds of your own, each with where the number comes from
#   K-TOK-04:
#     max_seconds: {value: 7200, reference: "Security standard 4.2"}
# frameworks: [soc2, pci-dss-4.0.1]
# fail-on: medium             # lowest severity that fails a run
"""


def _of_contexts(clusters: list[_Cluster]) -> Iterator[str]:
    taken = {"in-cluster"}
    for number, cluster in enumerate(clusters):
        name = _name(cluster.context, taken)
        where = f", {cluster.server}" if cluster.server else ""
        current = " (the current one)" if cluster.current else ""
        hints = _HINTS if not number else ""
        yield (
            f"  # From {_comment(cluster.file + where)}{current}.\n"
            f"  - name: {name}\n{_TAGS if not number else ''}"
            f"    kubernetes:\n      context: {json.dumps(cluster.context)}{hints}"
        )


_TAGS = "    # tags: [cde]             # scope tags of this source: cde, connected, ...\n"
_HINTS = """
      # namespaces: [shop, pay] # read only these; all when not given
      # secrets: references     # ask for no Secret at all: names come from what refers to them
      # impersonate: {user: auditor}"""


def _scans(found: Found) -> str:
    places = [*found.manifests, *found.charts]
    if not places:
        return ""
    listed = " ".join(_quoted(place) for place in places[:8])
    return f"# Manifests and charts that lie here are judged without any source: auditor scan {listed}\n\n"


def _comment(text: str) -> str:
    return terminal.clean(text).replace("\n", " ")


def _quoted(place: str) -> str:
    text = _comment(place)
    return text if re.fullmatch(r"[\w./-]+", text) else json.dumps(text)


def _name(context: str, taken: set[str]) -> str:
    """Return a name for the source: the part of the context that tells clusters apart, made unique."""
    # `arn:aws:eks:REGION:ACCOUNT:cluster/NAME`, `gke_PROJECT_ZONE_NAME`, `USER@CLUSTER`, `NAMESPACE/HOST:PORT/USER`.
    text = context.rpartition("/")[2] if context.startswith("arn:") else context
    text = text.split("_", 3)[3] if re.fullmatch(r"gke_[^_]+_[^_]+_.+", text) else text
    stem = re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-.")[:56].rstrip("-.")
    if not stem[:1].isalpha() or stem in _YAML_WORDS:
        stem = f"cluster-{stem}".rstrip("-")
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name


_YAML_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
"""A source of that name would be no text to a reader of YAML."""


def _kubeconfigs(environ: Mapping[str, str], home: Path | None) -> list[Path]:
    named = [Path(part) for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    usual = [home / ".kube" / "config"] if home is not None else []
    return [path for path in named or usual if path.is_file()]


def _read(path: Path) -> list[_Cluster] | None:
    """Return the contexts of a kubeconfig by name, the current one first; `None` where it cannot be read as one."""
    import yaml  # noqa: PLC0415 - only for this command

    try:
        content: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    if not isinstance(content, dict):
        return None
    servers = {
        entry.get("name"): _address(_map(entry.get("cluster")).get("server")) for entry in _named(content, "clusters")
    }
    current = content.get("current-context")
    clusters = [
        _Cluster(
            context=entry["name"],
            server=servers.get(_map(entry.get("context")).get("cluster"), ""),
            file=str(path),
            current=entry["name"] == current,
        )
        for entry in _named(content, "contexts")
    ]
    return sorted(clusters, key=lambda cluster: (not cluster.current, cluster.context))


def _named(content: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    entries = content.get(key)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry["name"]:
            yield entry


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _address(server: Any) -> str:
    """Return where a server is, without user, password and query."""
    try:
        parts = urlsplit(server if isinstance(server, str) else "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.hostname else ""


def _exports(found: Found) -> str:
    """Return the lines of what was taken from a cluster, as comments: a cluster need not be in scope twice."""
    lines = []
    for number, path in enumerate(found.exports or ("dumps/prod",), 1):
        name = "handed-over" + (f"-{number}" if number > 1 else "")
        lines += [
            f"#   - name: {name:<17} # files that somebody else took from a system: kubectl dumps, a support bundle",
            f"#     export: {{path: {_quoted(path)}}} # and all-namespaces: true, if its lists were made with -A",
        ]
    return "\n".join(lines) + "\n"


def _near(folder: Path) -> Found:
    """Return the charts and the folders with manifests or dumps in `folder`, not far below it."""
    from auditor.collectors.dumps import recognised  # noqa: PLC0415 - start-up

    charts: list[str] = []
    manifests: list[str] = []
    exports: list[str] = []
    for place, inner, files in os.walk(folder):
        relative = Path(place)
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in _SKIPPED)
        if len(relative.parts) >= _DEPTH:
            inner.clear()
        if "Chart.yaml" in files:
            charts.append(relative.as_posix())
            inner.clear()
        elif any(_is_manifest(relative / name) for name in sorted(files) if name.endswith((".yaml", ".yml", ".json"))):
            (exports if recognised(relative) else manifests).append(relative.as_posix())
            inner.clear()
    return Found(charts=tuple(sorted(charts)), manifests=tuple(sorted(manifests)), exports=tuple(sorted(exports)))


def _is_manifest(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return re.search(rb"(?m)^\s*\{?\s*[\"']?apiVersion[\"']?\s*:", head) is not None and b"kind" in head
