"""Every place where a pod spec names a Secret (Kubernetes, `VisitPodSecretNames`), in the order of the document.

In containers, init containers and ephemeral containers alike: `env[].valueFrom.secretKeyRef` and `envFrom[].secretRef`.
In the pod: `imagePullSecrets`, and volumes `secret`, `projected`, `csi`, and the storage kinds that log in somewhere.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from auditor.facts.estate import Estate
from auditor.facts.shapes import dig, mapping, maps, text
from auditor.model.resource import Path, Resource, pointer

_OTHER_VOLUMES = {
    "azureFile": ("secretName",),
    **dict.fromkeys(("cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos"), ("secretRef", "name")),
}
"""Volumes that log in somewhere, and where each names its Secret."""


def secret_refs(
    resource: Resource,
    pod: dict[str, Any],
    pod_path: Path,
    containers: Sequence[tuple[Path, dict[str, Any]]],
    estate: Estate,
) -> list[dict[str, Any]]:
    """Return the view `secret_refs`."""
    refs: list[dict[str, Any]] = []
    for path, container in containers:
        if "env" in container or "envFrom" in container:
            refs.extend(_of_container(path, container))
    if "volumes" in pod:
        for index, volume in maps(pod["volumes"]):
            refs.extend(_of_volume((*pod_path, "volumes", index), volume))
    for index, pull in maps(pod.get("imagePullSecrets")):
        name = text(pull.get("name"))
        if name:
            refs.append(_ref(name, via="image-pull", path=(*pod_path, "imagePullSecrets", index)))
    for ref in refs:
        known = estate.source_of(resource.namespace, ref["name"], near=resource.origin)
        ref["source"], ref["by"], ref["why"] = known
    return refs


def _of_container(path: Path, container: dict[str, Any]) -> Iterator[dict[str, Any]]:
    name = text(container.get("name"))
    for index, variable in maps(container.get("env")):
        if "valueFrom" in variable:
            selector = mapping(mapping(variable["valueFrom"]).get("secretKeyRef"))
            secret = text(selector.get("name"))
            if secret:
                yield _ref(secret, via="env", path=(*path, "env", index), selector=selector, container=name)
    for index, source in maps(container.get("envFrom")):
        selector = mapping(source.get("secretRef"))
        secret = text(selector.get("name"))
        if secret:
            yield _ref(secret, via="env-from", path=(*path, "envFrom", index), selector=selector, container=name)


def _of_volume(path: Path, volume: dict[str, Any]) -> Iterator[dict[str, Any]]:
    selector = mapping(volume.get("secret"))
    secret = text(selector.get("secretName"))
    if secret:
        yield _ref(secret, via="volume", path=path, selector=selector)
    projected = maps(mapping(volume["projected"]).get("sources")) if "projected" in volume else ()
    for index, source in projected:
        selector = mapping(source.get("secret"))
        secret = text(selector.get("name"))
        if secret:
            yield _ref(secret, via="projected", path=(*path, "projected", "sources", index), selector=selector)
    publish = text(dig(volume["csi"], "nodePublishSecretRef", "name")) if "csi" in volume else ""
    if publish:
        yield _ref(publish, via="csi-publish", path=path)
    for kind in [name for name in volume if name in _OTHER_VOLUMES]:
        secret = text(dig(volume[kind], *_OTHER_VOLUMES[kind]))
        if secret:
            yield _ref(secret, via="other-volume", path=path)


def _ref(
    name: str, *, via: str, path: Path, selector: dict[str, Any] | None = None, container: str = ""
) -> dict[str, Any]:
    selector = selector or {}
    return {
        "name": name,
        "key": text(selector.get("key")),
        "via": via,
        "container": container,
        "optional": selector.get("optional") is True,
        "source": "",
        "by": "",
        "why": "",
        "path": pointer(path),
    }
