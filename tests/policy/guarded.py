"""A real API server that warns by every exported policy, and what it says of an object.

What a server demands of an object before it asks any policy is filled in by `valid`, without touching what policies
look at: selectors, labels, images, a restart policy, volumes that are mounted and not there.
"""

import copy
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor import data, workloads
from auditor.policy import document, export
from auditor.policy.admission import kinds
from auditor.policy.admission.action import Action
from auditor.policy.document import Policy
from auditor.workloads import Workloads
from tests.servers.api import RefusedError
from tests.servers.kubernetes import ACCOUNTS, Kubernetes, Setup, running

WORKLOADS = workloads.load(data.policies() / "workloads.yaml")
LIBRARY = document.load(document.built_in()).policies

_WARNING = re.compile(r"299 - \"Validation failed for ValidatingAdmissionPolicy '([^']+)' with binding '[^']+': (.*)\"")
_CLUSTER_SCOPED = frozenset({"EC2NodeClass"})
_OWN_NAMESPACES = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})
_SERVED = ("v1", "v1alpha1", "v1beta1", "v1beta2", "v1api20230131", "v1api20240901")
"""Versions under which each custom kind is served here."""
_PATIENCE = 30.0
"""Seconds."""

NO_SUCH_KIND = "no such kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the server made of one object."""

    refused: str
    """The server's own reason not to take it, before any policy was asked; else empty."""
    warned: Mapping[str, str]
    """By the id of a policy: what it says."""
    stored: Mapping[str, Any]
    """The object with the server's defaults."""


@contextmanager
def guarded(
    folder: Path,
    policies: Iterable[Policy],
    *,
    namespaces: Iterable[str] = (),
    accounts: Iterable[str] = (),
    action: Action = Action.WARN,
    table: Workloads = WORKLOADS,
    guess: bool = False,
) -> Iterator["Guard"]:
    """Start a server with the custom kinds of the policies, and load all that can be exported.

    `guess`: also the kinds of which a policy knows no plural name.

    In each namespace stand `accounts`, since a pod that names an account which is not there is refused.
    """
    plans = [export.plan(policy, table) for policy in policies]
    admitted = {entry for plan in plans for part in plan.parts for entry in part.admitted}
    with running(folder, Setup(controllers=ACCOUNTS)) as kube:
        for namespace in sorted(set(namespaces) - _OWN_NAMESPACES):
            kube.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for namespace in namespaces:
            for account in accounts:
                metadata = {"name": account, "namespace": namespace}
                kube.admin.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        for definition in _definitions(admitted, guess=guess):
            kube.admin.create(definition)
        names = {}
        for plan in plans:
            for object_ in export.documents(plan, table, action=action):
                kube.admin.create(object_)
                names[object_["metadata"]["name"]] = plan.policy.id
        yield Guard(kube, names)


class Guard:
    """The server, and which admission policy is which policy."""

    def __init__(self, kube: Kubernetes, names: Mapping[str, str]) -> None:
        self.kube = kube
        self._names = names

    def tell(self, object_: Mapping[str, Any]) -> Told:
        """Create an object, or change the one that is there, as far as the server's answer; nothing is stored."""
        api = self.kube.admin
        try:
            collection = api.collection_of(object_)
        except (KeyError, RefusedError):
            return Told(refused=NO_SUCH_KIND, warned={}, stored={})
        if object_["kind"] == "Pod" and "ephemeralContainers" in object_["spec"]:
            # Only a pod that is there gets ephemeral containers, through a resource of their own.
            before = {**object_, "spec": {**object_["spec"]}}
            del before["spec"]["ephemeralContainers"]
            with api.having(before):
                return self._told("PUT", f"{api.path_of(object_)}/ephemeralcontainers", object_)
        told = self._told("POST", collection, object_)
        if not told.refused.endswith("already exists"):
            return told
        there = api.get(api.path_of(object_))["metadata"]["resourceVersion"]
        metadata = {**object_["metadata"], "resourceVersion": there}
        return self._told("PUT", api.path_of(object_), {**object_, "metadata": metadata})

    def wait_for(self, failing: Mapping[str, Mapping[str, Any]]) -> None:
        """Wait until each policy (by id) warns of an object that fails it: a new one takes a second to be active."""
        limit = time.monotonic() + _PATIENCE
        waiting = dict(failing)
        while waiting:
            waiting = {id_: object_ for id_, object_ in waiting.items() if id_ not in self.tell(object_).warned}
            assert time.monotonic() < limit, f"these policies never warn: {', '.join(waiting)}"

    def _told(self, method: str, path: str, object_: Mapping[str, Any]) -> Told:
        answer = self.kube.admin.request(method, path, object_, query={"dryRun": "All"})
        if not 200 <= answer.status < 300:
            return Told(refused=answer.json()["message"], warned={}, stored={})
        warned = {
            self._names[found[1]]: re.sub(r"\\(.)", r"\1", found[2])
            for line in answer.headers.getlist("Warning")  # type: ignore[attr-defined]
            if (found := _WARNING.fullmatch(line))
        }
        return Told(refused="", warned=warned, stored=answer.json())


def valid(object_: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with what a server demands of it."""
    filled: dict[str, Any] = copy.deepcopy(dict(object_))
    kind, core = filled["kind"], "." not in filled["apiVersion"].partition("/")[0]
    if kind == "CronJob" and core:
        _fill_template(filled["spec"]["jobTemplate"]["spec"]["template"], restart="Never")
    elif kind == "Secret":
        _fill_secret(filled)
    elif kind == "PodTemplate":
        _fill_pod(filled["template"]["spec"])
    elif kind == "Job" and core:
        _fill_template(filled["spec"]["template"], restart="Never")
    elif kind == "Pod":
        _fill_pod(filled["spec"])
    elif kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"} and core:
        labels = filled["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {"app": "web"})
        selector = labels if kind == "ReplicationController" else {"matchLabels": labels}
        filled["spec"].setdefault("selector", selector)
        _fill_template(filled["spec"]["template"])
    return filled


def _fill_template(template: dict[str, Any], restart: str = "") -> None:
    if restart:
        template["spec"].setdefault("restartPolicy", restart)
    _fill_pod(template["spec"])


def _fill_pod(spec: dict[str, Any]) -> None:
    volumes = spec.setdefault("volumes", [])
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        for mount in container.get("volumeMounts", ()):
            if mount["name"] not in {volume["name"] for volume in volumes}:
                volumes.append({"name": mount["name"], "emptyDir": {}})
    if not volumes:
        del spec["volumes"]


def _fill_secret(secret: dict[str, Any]) -> None:
    if secret.get("type") == "kubernetes.io/tls":
        secret.setdefault("data", {}).setdefault("tls.key", "")


def definition(group: str, kind: str, plural: str, *, cluster: bool = False) -> dict[str, Any]:
    """Return the definition of a custom kind that is open to any content."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Cluster" if cluster else "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [
                {"name": version, "served": True, "storage": version == _SERVED[0], "schema": schema}
                for version in _SERVED
            ],
        },
    }


def _definitions(admitted: Iterable[kinds.Admitted], *, guess: bool) -> Iterator[dict[str, Any]]:
    """Yield the definition of each custom kind whose plural is known."""
    for entry in sorted(set(admitted)):
        if entry.type.endswith(f".{entry.group}") and (guess or entry.resource != "*"):
            clusters = entry.kind.startswith("Cluster") and entry.kind != "Cluster"
            cluster = clusters or entry.kind in _CLUSTER_SCOPED or "gatekeeper" in entry.group
            # Where the policy leaves the plural open, any will do.
            plural = f"{entry.kind.lower()}s" if entry.resource == "*" else entry.resource
            yield definition(entry.group, entry.kind, plural, cluster=cluster)
