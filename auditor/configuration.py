"""`auditor.yaml`: what the user declares about scope, thresholds and selection.

Its JSON Schema is `policies/configuration.schema.json`. A wrong key is an error that names the line.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor import authored, data
from auditor.model.errors import InputError
from auditor.model.policy import Condition
from auditor.model.verdict import Severity

FILE_NAME = "auditor.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
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
    digest: str = ""
    """SHA-256 of the file; empty without one."""


def load(path: Path) -> Configuration:
    """Return the configuration in the file `path`.

    Raises `InputError` when it cannot be read and `MistakesError` with every mistake in it.
    """
    try:
        content = path.read_bytes()
        text = content.decode()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint="Check --config.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text", hint="Save the configuration as UTF-8.") from error
    raw = authored.read(
        text,
        file=str(path),
        schema=data.policies() / "configuration.schema.json",
        hint="The page docs/configuration.md lists every key.",
    )
    return _from(raw or {}, folder=path.parent, digest=hashlib.sha256(content).hexdigest())


def _from(raw: Mapping[str, Any], *, folder: Path, digest: str) -> Configuration:
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
        policies=tuple(folder / name for name in raw.get("policies", ())),
        frameworks=tuple(raw.get("frameworks", ())),
        exclude=tuple(raw.get("exclude", ())),
        workloads=tuple(
            (f"kubernetes/{entry['type']}", tuple(entry["spec"].split("."))) for entry in raw.get("workloads", ())
        ),
        waivers=folder / raw["waivers"] if "waivers" in raw else None,
        fail_on=Severity(raw["fail-on"]) if "fail-on" in raw else None,
        digest=digest,
    )
