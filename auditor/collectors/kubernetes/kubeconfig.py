"""What a kubeconfig says: whether the context that is meant refers to what is there.

The official `kubernetes` package reads it, so that every form that it knows works here. It would ask localhost where a
context names no server, so what a context refers to is looked at first. Texts of its errors quote the file, so none of
them is shown.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from auditor.model.errors import InputError
from auditor.model.settings import KubernetesSource


def path_of(settings: KubernetesSource, environ: Mapping[str, str]) -> str:
    """Return the path, or several as `KUBECONFIG` has them, of the kubeconfig that `settings` mean."""
    return str(settings.kubeconfig) if settings.kubeconfig else environ.get("KUBECONFIG") or "~/.kube/config"


def merged(paths: str) -> Mapping[str, Any]:
    """Return the content of a kubeconfig of one or several files, entries as plain maps."""
    try:
        merger = official("config.kube_config").KubeConfigMerger(paths)
    except Exception as error:  # noqa: BLE001 - its text may quote the file
        raise InputError(
            f"the kubeconfig {paths} cannot be read ({type(error).__name__})",
            hint="Check that it is YAML and that you may read it; `kubectl config view` shows what kubectl reads.",
        ) from None
    if merger.config is None:
        raise InputError(
            f"there is no kubeconfig at {paths}",
            hint="Set `kubeconfig` of the source in auditor.yaml, or KUBECONFIG; inside of a pod `in-cluster: true`.",
        )
    content: Any = merger.config.value
    return content if isinstance(content, dict) else {}


def chosen(config: Mapping[str, Any], wanted: str, paths: str) -> tuple[str, Mapping[str, Any]]:
    """Return the name of the context that is meant and its user, after a look at what it refers to."""
    name = wanted or str(config.get("current-context") or "")
    if not name:
        raise InputError(
            f"the kubeconfig {paths} has no current context",
            hint="Name one as `context` of the source; `kubectl config get-contexts` lists them.",
        )
    found = [entry for entry in _entries(config, "contexts") if entry.get("name") == name]
    if len(found) != 1 or not isinstance(found[0].get("context"), dict):
        raise InputError(
            f"the kubeconfig {paths} has no context {name}",
            hint="Correct `context` of the source; `kubectl config get-contexts` lists them.",
        )
    context = {"cluster": "", **found[0]["context"]}
    for part, plural in (("cluster", "clusters"), ("user", "users")):
        meant = context.get(part)
        if meant and not any(entry.get("name") == meant for entry in _entries(config, plural)):
            raise InputError(
                f"context {name} of the kubeconfig {paths} names a {part} that is not in it",
                hint=f"Add the {part} to the kubeconfig, or name another context.",
            )
    clusters = [
        entry.get("cluster") for entry in _entries(config, "clusters") if entry.get("name") == context["cluster"]
    ]
    if not clusters or not isinstance(clusters[0], dict) or not clusters[0].get("server"):
        # The package would ask localhost, and hand the credential to whatever listens there.
        raise InputError(
            f"context {name} of the kubeconfig {paths} names no server",
            hint="Give its cluster a `server`: https://HOST:PORT.",
        )
    users = [entry.get("user") for entry in _entries(config, "users") if entry.get("name") == context.get("user")]
    return name, users[0] if users and isinstance(users[0], dict) else {}


def _entries(config: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = (getattr(entry, "value", entry) for entry in config.get(name) or ())
    return [entry for entry in found if isinstance(entry, dict)]


def official(module: str) -> Any:
    """Return a module of the official client, which is slow to import and has no types."""
    return importlib.import_module(f"kubernetes.{module}")
