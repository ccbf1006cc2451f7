"""`auditor.yaml`: what the user declares about systems to read, scope, thresholds and selection.

Its JSON Schema is `policies/configuration.schema.json`. A wrong key is an error that names the line.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from auditor import authored, data
from auditor.authored import Stated
from auditor.model.errors import InputError
from auditor.model.policy import Condition
from auditor.model.record import record
from auditor.model.resource import Path as ItemPath
from auditor.model.settings import ExportSource, Impersonation, KubernetesSource, SecretsMode, SourceSettings
from auditor.model.verdict import Severity

FILE_NAME = "auditor.yaml"
WAIVERS = Path(".auditor/waivers.yaml")
"""Where the waivers usually are."""
PLANES = ("kubernetes", "export")
"""Keys of a source that say what it is; each names exactly one."""
CONNECTIONS = 8


@record
class Configuration:
    """The content of an `auditor.yaml`; the default is that of an empty file."""

    tags: tuple[str, ...] = ()
    conditions: Mapping[Condition, bool] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, tuple[Any, str]]] = field(default_factory=dict)
    """Policy id -> parameter -> (value, where the number comes from)."""
    severity: Mapping[str, Severity] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    policies: tuple[Path, ...] = ()
    frameworks: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    workloads: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(resource type, steps to the pod spec) of custom kinds."""
    waivers: Path | None = None
    fail_on: Severity | None = None
    retention: str = ""
    """How long a snapshot has to be kept, and who says so."""
    connections: int = CONNECTIONS
    """Upper bound of simultaneous connections in one collection, over all sources."""
    sources: tuple[SourceSettings, ...] = ()
    """The systems that a collection reads, in the order of the file."""
    digest: str = ""
    """SHA-256 of the file; empty without one."""


def load(path: Path, *, home: Path | None = None, stated: Stated | None = None) -> Configuration:
    """Return the configuration in the file `path`; `home` is what `~` in its paths stands for.

    `stated`: what the file says at a ref, instead of what lies there. Raises `InputError` when it cannot be read and
    `MistakesError` with every mistake in it.
    """
    file = stated.file if stated else str(path)
    try:
        content = stated.content if stated else path.read_bytes()
        text = content.decode()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", hint="Check --config.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text", hint="Save the configuration as UTF-8.") from error
    raw = authored.read(
        text,
        file=file,
        schema=data.policies() / "configuration.schema.json",
        hint="The page docs/configuration.md lists every key.",
        contradictions=_contradictions,
    )
    return _from(raw or {}, places=_Places(path.parent, home), digest=hashlib.sha256(content).hexdigest())


@record(kw_only=False)
class _Places:
    """Makes paths of what the file says."""

    folder: Path
    home: Path | None

    def of(self, text: str) -> Path:
        path = Path(text)
        if self.home is not None and path.parts[:1] == ("~",):
            return self.home.joinpath(*path.parts[1:])
        return self.folder / path

    def maybe(self, text: str | None) -> Path | None:
        return None if text is None else self.of(text)


def _from(raw: Mapping[str, Any], *, places: _Places, digest: str) -> Configuration:
    return Configuration(
        tags=tuple(raw.get("tags", ())),
        conditions={Condition(name): value for name, value in raw.get("conditions", {}).items()},
        parameters={
            policy: {name: (entry["value"], entry["reference"]) for name, entry in entries.items()}
            for policy, entries in raw.get("parameters", {}).items()
        },
        severity={policy: Severity(value) for policy, value in raw.get("severity", {}).items()},
        select=tuple(raw.get("select", ())),
        ignore=tuple(raw.get("ignore", ())),
        policies=tuple(places.of(name) for name in raw.get("policies", ())),
        frameworks=tuple(raw.get("frameworks", ())),
        exclude=tuple(raw.get("exclude", ())),
        workloads=tuple(
            (f"kubernetes/{entry['type']}", tuple(entry["spec"].split("."))) for entry in raw.get("workloads", ())
        ),
        waivers=places.maybe(raw.get("waivers")),
        fail_on=Severity(raw["fail-on"]) if "fail-on" in raw else None,
        retention=raw.get("retention", ""),
        connections=raw.get("connections", CONNECTIONS),
        sources=tuple(_source(entry, places) for entry in raw.get("sources", ())),
        digest=digest,
    )


def _source(raw: Mapping[str, Any], places: _Places) -> SourceSettings:
    settings = _kubernetes(raw["kubernetes"] or {}, places) if "kubernetes" in raw else _export(raw["export"], places)
    return SourceSettings(name=raw["name"], tags=tuple(raw.get("tags", ())), settings=settings)


def _kubernetes(raw: Mapping[str, Any], places: _Places) -> KubernetesSource:
    whom = raw.get("impersonate")
    return KubernetesSource(
        context=raw.get("context", ""),
        kubeconfig=places.maybe(raw.get("kubeconfig")),
        in_cluster=raw.get("in-cluster", False),
        certificate_authority=places.maybe(raw.get("certificate-authority")),
        proxy=raw.get("proxy", ""),
        impersonate=Impersonation(user=whom["user"], groups=tuple(whom.get("groups", ()))) if whom else None,
        namespaces=tuple(raw.get("namespaces", ())),
        secrets=SecretsMode(raw.get("secrets", SecretsMode.METADATA)),
        timeout=raw.get("timeout", 30),
        provider=raw.get("provider", ""),
        authorizers=tuple(raw.get("authorizers", ())),
    )


def _export(raw: Mapping[str, Any], places: _Places) -> ExportSource:
    return ExportSource(path=places.of(raw["path"]), all_namespaces=raw.get("all-namespaces", False))


def _contradictions(content: Any) -> Iterator[tuple[ItemPath, str]]:
    """Yield what the schema cannot say of the sources. They may break the schema: those mistakes are told by others."""
    sources = content.get("sources") if isinstance(content, dict) else None
    names: dict[Any, int] = {}
    for index, entry in enumerate(sources if isinstance(sources, list) else ()):
        if not isinstance(entry, dict):
            continue
        where, place = f"sources.{index}", ("sources", index)
        name = entry.get("name")
        if isinstance(name, str) and names.setdefault(name, index) != index:
            yield (*place, "name"), f"{where} has the name of sources.{names[name]}: a name stands for one system"
        planes = [plane for plane in PLANES if plane in entry]
        if len(planes) != 1:
            found = "no plane" if not planes else f"the planes {' and '.join(planes)}"
            yield place, f"{where} names {found}: give it exactly one of {', '.join(PLANES)}"
        if isinstance(entry.get("kubernetes"), dict):
            yield from _of_cluster(entry["kubernetes"], (*place, "kubernetes"))


def _of_cluster(raw: Mapping[str, Any], place: ItemPath) -> Iterator[tuple[ItemPath, str]]:
    where = ".".join(map(str, place))
    for key in ("context", "kubeconfig"):
        if raw.get("in-cluster") is True and key in raw:
            yield (*place, key), f"{where} is in-cluster, where no kubeconfig is read: leave `{key}` out"
    if isinstance(raw.get("proxy"), str) and "@" in raw["proxy"]:
        yield (
            (*place, "proxy"),
            f"{where}.proxy holds credentials, and this file is no place for them: use a proxy that needs none here",
        )
