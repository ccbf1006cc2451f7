"""The view `pod_spec`: one shape for every kind that carries a pod spec, wherever it keeps it."""

from typing import Any

from auditor.facts.accounts import automount, service_account
from auditor.facts.control_plane import component
from auditor.facts.deliveries import deliveries
from auditor.facts.estate import Estate
from auditor.facts.secret_refs import secret_refs
from auditor.facts.shapes import elements, mapping, texts, without_nulls
from auditor.model.resource import Path, Resource
from auditor.workloads import Workload

_CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers", "templates", "steps", "tasks"})


def pod_spec(
    resource: Resource, workload: Workload, estate: Estate
) -> tuple[dict[str, Any], dict[str, tuple[Path, ...]]]:
    """Return the variables of the view, and the paths of those of its lists that are read from the body."""
    pod = _pod(workload.pod_spec(resource.body))
    metadata = mapping(workload.template_metadata(resource.body))
    annotations = texts(metadata.get("annotations"))
    containers = [(path, without_nulls(container)) for path, container in workload.containers(resource.body)]
    account = service_account(resource, pod, estate, known=workload.account)
    refs = secret_refs(resource, pod, workload.pod, containers, estate)
    program, flags = component(container for _, container in containers)
    volumes = [(index, volume) for index, volume in enumerate(elements(pod.get("volumes"))) if isinstance(volume, dict)]
    variables = {
        "pod": pod,
        "pod_metadata": {"labels": texts(metadata.get("labels")), "annotations": annotations},
        "containers": [container for _, container in containers],
        "volumes": [volume for _, volume in volumes],
        "service_account": account,
        "automount": automount(pod, account),
        "secret_refs": refs,
        "deliveries": deliveries(
            ((*workload.metadata, "annotations"), annotations), (workload.pod, pod), containers, refs
        ),
        "component": program,
        "flags": flags,
    }
    paths = {
        "containers": tuple(path for path, _ in containers),
        "volumes": tuple((*workload.pod, "volumes", index) for index, _ in volumes),
    }
    return variables, paths


def _pod(found: Any) -> dict[str, Any]:
    """Return the pod-level fields. Nulls inside containers stay: those are read through the view `containers`."""
    return {
        key: value if key in _CONTAINERS else without_nulls(value)
        for key, value in mapping(found).items()
        if value is not None
    }
