"""External stores: how often a secret is fetched anew, and as whom the store is asked.

Reads External Secrets Operator (v1alpha1 to v1), Secrets Store CSI driver and Vault Secrets Operator objects. A field
that decides and is not understood gives `unknown` or `other`, never a guess.
"""

import re
from collections.abc import Iterator
from typing import Any

from auditor.facts.shapes import dig, mapping, text
from auditor.model.resource import Resource
from auditor.model.stores import INTERVALS, ONCE, PROVIDER_CLASS

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")

_NONE: dict[str, Any] = {"provider": "", "identity": "none", "namespace_from_caller": False}


def store(resource: Resource) -> dict[str, Any]:
    """Return the variables of the view `store`."""
    spec = mapping(mapping(resource.body).get("spec"))
    kind = resource.type.removeprefix("kubernetes/").partition(".")[0]
    if resource.type == PROVIDER_CLASS:
        return {"refresh": _refresh("driver"), "backend": _provider_class(spec)}
    return {"refresh": _refresh_of(kind, spec), "backend": _backend_of(kind, spec)}


def seconds(duration: Any) -> float | None:
    """Return the seconds of a duration as Go writes it (`1h30m`, `0`), or `None` where it is none."""
    if isinstance(duration, (int, float)) and not isinstance(duration, bool):
        return float(duration) if duration == 0 else None
    if not isinstance(duration, str):
        return None
    if duration == "0":
        return 0.0
    parts = list(_DURATION.finditer(duration))
    if not parts or "".join(part.group() for part in parts) != duration:
        return None
    return sum(float(part.group(1)) * _UNITS[part.group(2)] for part in parts)


def _refresh_of(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    if kind not in INTERVALS:
        # A store or an identity has nothing to refresh; the objects that use it do. A lease of a certificate has.
        return _refresh("default" if kind == "VaultPKISecret" else "unknown")
    *outer, name = INTERVALS[kind]
    place = mapping(dig(spec, *outer))
    if kind.endswith("ExternalSecret") and place.get("refreshPolicy") in ONCE:
        return _refresh("never")
    return _interval(place.get(name))


def _interval(duration: Any) -> dict[str, Any]:
    if duration is None:
        return _refresh("default")
    length = seconds(duration)
    if length is None:
        return _refresh("unknown")
    return _refresh("interval", round(length)) if length > 0 else _refresh("never")


def _refresh(kind: str, length: int = -1) -> dict[str, Any]:
    return {"kind": kind, "seconds": length}


def _provider_class(spec: dict[str, Any]) -> dict[str, Any]:
    parameters = mapping(spec.get("parameters"))
    provider = text(spec.get("provider"))
    if provider == "azure" and "true" in {
        str(parameters.get(name)).lower() for name in ("useVMManagedIdentity", "usePodIdentity")
    }:
        identity = "other"
    elif parameters.get("auth") == "provider-adc":
        identity = "controller"
    else:
        # The driver asks as the pod that mounts the volume.
        identity = "service-account"
    return _backend(provider, identity)


def _backend_of(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    if kind in {"SecretStore", "ClusterSecretStore"}:
        provider, config = _provider(mapping(spec.get("provider")))
        if not provider:
            return dict(_NONE)
        identity = _identity(provider, config)
        refs = [ref for _, ref in _references(config)]
        from_caller = kind == "ClusterSecretStore" and any(not text(ref.get("namespace")) for ref in refs)
        return _backend(provider, identity, from_caller=from_caller)
    if kind in {"VaultAuth", "VaultAuthGlobal"}:
        return _backend("vault", _vault_auth(spec))
    return dict(_NONE)


def _backend(provider: str, identity: str, *, from_caller: bool = False) -> dict[str, Any]:
    return {"provider": provider, "identity": identity, "namespace_from_caller": from_caller}


def _provider(providers: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    for name, config in providers.items():
        if text(name) and isinstance(config, dict):
            return name, config
    return "", {}


def _identity(provider: str, config: dict[str, Any]) -> str:
    special = {"vault": _vault_store, "azurekv": _azure, "kubernetes": _kubernetes}.get(provider)
    if special:
        return special(config)
    if provider == "gcpsm" and dig(config, "auth", "workloadIdentityFederation"):
        return _by_reference(config.get("auth"), without="other")
    if provider in {"aws", "gcpsm"}:
        return _by_reference(config.get("auth"), without="controller")
    return _by_reference(config, without="none" if provider == "fake" else "other")


def _kubernetes(config: dict[str, Any]) -> str:
    if dig(config, "auth", "cert"):
        return "certificate"
    return "static" if config.get("authRef") else _by_reference(config.get("auth"), without="none")


def _azure(config: dict[str, Any]) -> str:
    match config.get("authType"):
        case "ManagedIdentity":
            return "controller"
        case "WorkloadIdentity":
            # Without an account, the operator's own is used; a secret then names only the client and the tenant.
            return "service-account" if config.get("serviceAccountRef") else "controller"
        case _:
            if dig(config, "authSecretRef", "clientCertificate"):
                return "certificate"
            return "static" if config.get("authSecretRef") else "other"


def _vault_store(config: dict[str, Any]) -> str:
    auth = mapping(config.get("auth"))
    if "cert" in auth:
        return "certificate"
    for method in ("kubernetes", "iam"):
        if method in auth:
            # Neither an account nor a key: the operator's own token or role.
            return _by_reference(auth[method], without="controller")
    return _by_reference(auth, without="other" if auth else "none")


def _vault_auth(spec: dict[str, Any]) -> str:
    method = text(spec.get("method")) or text(spec.get("defaultAuthMethod"))
    config = mapping(spec.get("appRole" if method == "appRole" else method))
    if not config:
        return "none" if not method else "other"
    if text(config.get("secretRef")) or text(config.get("secretIDRef")):
        return "static"
    accounts = ("serviceAccount", "irsaServiceAccount", "workloadIdentityServiceAccount")
    return "service-account" if any(text(config.get(key)) for key in accounts) else "other"


def _by_reference(config: Any, *, without: str) -> str:
    """Return the identity by what `config` refers to; `without` where it refers to nothing."""
    kinds = {kind for kind, _ in _references(config)}
    for kind in ("static", "service-account"):
        if kind in kinds:
            return kind
    return without


def _references(node: Any, key: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (`static` or `service-account`, reference) for each Secret or account that `node` refers to."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item, key)
    if not isinstance(node, dict) or key == "caProvider":
        return
    if isinstance(node.get("name"), str):
        if key in {"serviceAccountRef", "serviceAccount"}:
            yield "service-account", node
            return
        if "key" in node or key.lower().endswith("secretref"):
            yield "static", node
            return
    for name, child in node.items():
        if isinstance(child, (dict, list)):
            yield from _references(child, text(name))
