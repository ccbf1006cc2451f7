"""Credential plugins of a kubeconfig (client.authentication.k8s.io): run here, with a limit, and never passed over.

The official package would go on without a credential where a plugin fails, and would wait for one that hangs for ever.
Neither arguments nor output of a plugin are shown: there may be a token in either.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any

from auditor.model.errors import InputError

SECONDS = 60
"""How long a plugin may take: some ask the user to log in."""


def run(
    plugin: Mapping[str, Any], folder: str, cluster: Mapping[str, Any] | None, environ: Mapping[str, str]
) -> dict[str, Any]:
    """Return the status that a credential plugin prints (client.authentication.k8s.io). Raises `InputError`."""
    version = str(plugin.get("apiVersion") or "")
    info: dict[str, Any] = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    if cluster is not None:
        info["spec"]["cluster"] = {key: value for key, value in cluster.items() if key != "extensions"}
        for extension in cluster.get("extensions") or ():
            if extension.get("name") == "client.authentication.k8s.io/exec":
                info["spec"]["cluster"]["config"] = extension.get("extension")
    variables = {str(item.get("name")): str(item.get("value")) for item in plugin.get("env") or ()}
    try:
        done = subprocess.run(  # noqa: S603 - the user's kubeconfig names it, as for kubectl
            [str(plugin.get("command") or ""), *map(str, plugin.get("args") or ())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=folder or None,
            env={**environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise failed(plugin, f"gave no answer in {SECONDS} s") from None
    except OSError as error:
        raise failed(plugin, f"cannot be run ({error.strerror})") from None
    if done.returncode:
        raise failed(plugin, f"ended with code {done.returncode}")
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise failed(plugin, "did not print JSON") from None
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, dict) or answer.get("apiVersion") != version:
        raise failed(plugin, "did not print a credential of the version that the kubeconfig names")
    return status


def failed(plugin: Mapping[str, Any], what: str) -> InputError:
    """Return the error of a plugin that gave no credential."""
    name = os.path.basename(str(plugin.get("command") or "(none)"))  # noqa: PTH119 - a name, not a path
    return InputError(
        f"the credential plugin {name} of the kubeconfig {what}",
        hint="Run it by hand, or log in again; `kubectl version` must work without a question.",
    )
