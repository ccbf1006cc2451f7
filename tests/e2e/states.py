"""The states of a cluster in which each policy fails and passes, and how a real server is put into them.

`states/*.yaml`: one document a pair of states.

| key | what it says |
|---|---|
| `policy` | its id; in lower case it names the namespace, and stands in the name of whatever has none |
| `failing`, `passing`, `both` | objects that are there in that state; without a namespace they lie in the policy's |
| `role`, `cluster-role` | rules in each state, bound to a user, instead of objects |
| `pod` | pod spec in each state of a Deployment `web`, instead of objects |
| `static` | command line in each state of a static pod, as the kubelet of a node shows it, instead of objects |
| `names` | what the ids of the subjects hold that are judged, where a policy has several pairs |
| `parameters` | of the policy, where its default leaves the question to other systems |
| `open` | why the cluster cannot show the passing state: the verdict is then `not_evaluated` |

An object's `written` is when its values were last written, as a restored backup has it.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from auditor.collectors.kubernetes.kinds import KINDS
from tests.facts.builders import NOW
from tests.facts.test_secret import certificate, encoded, pem
from tests.servers.api import Api, RefusedError, in_threads
from tests.servers.kubernetes import Kubernetes

Object = dict[str, Any]

FOLDER = Path(__file__).parent / "states"
FAILING, PASSING = "failing", "passing"
_RBAC = "rbac.authorization.k8s.io"
_GATEKEEPER = "constraints.gatekeeper.sh"
_CONSTRAINTS = ("K8sPSPPrivilegedContainer", "K8sDisallowAnonymous")
_MANAGER = "kubectl-create"
"""Field manager: what `kubectl create` calls itself, so that values count as written by a person."""
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two states of a cluster, in the first of which a policy fails and in the second of which it passes."""

    policy: str
    names: str
    """What the id of each subject that is judged holds."""
    objects: Mapping[str, tuple[Object, ...]]
    """By state."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    open: str = ""

    @property
    def id(self) -> str:
        return self.policy if self.names == self.namespace else f"{self.policy}:{self.names}"

    @property
    def namespace(self) -> str:
        return self.policy.lower()


def load() -> tuple[Pair, ...]:
    """Return every pair of the folder, by policy."""
    times = _certificates()
    found = []
    for file in sorted(FOLDER.glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        for word, value in times.items():
            text = text.replace(word, value)
        found += [_pair(document) for document in yaml.safe_load_all(text)]
    return tuple(sorted(found, key=lambda pair: pair.id))


def _certificates() -> dict[str, str]:
    """Return what stands for the dates and texts of a certificate that ends soon, and of one that does not."""
    found = {}
    for word, days in (("old", 5), ("new", 200)):
        # `certificate` counts from the tests' clock, the server's is the real one.
        made = certificate(days=(datetime.now(UTC) - NOW).days + days)
        found[f"@{word}-certificate"] = encoded(pem(made))
        found[f"@{word}-from"] = f"{made.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}"
        found[f"@{word}-until"] = f"{made.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    return found


def _pair(document: Object) -> Pair:
    policy = document["policy"]
    slug = policy.lower()
    return Pair(
        policy=policy,
        names=document.get("names", slug),
        objects={state: tuple(_objects(document, state, slug)) for state in (FAILING, PASSING)},
        parameters=document.get("parameters", {}),
        open=document.get("open", ""),
    )


def _objects(document: Object, state: str, slug: str) -> Iterator[Object]:
    shorts: dict[str, Callable[[str, Any], Iterator[Object]]] = {
        "role": lambda slug, rules: _bound("Role", slug, rules),
        "cluster-role": lambda slug, rules: _bound("ClusterRole", slug, rules),
        "pod": _deployment,
        "static": _static,
    }
    yield from document.get("both", ())
    yield from document.get(state, ())
    for key, make in shorts.items():
        if key in document:
            yield from make(slug, document[key][state])


def _bound(kind: str, slug: str, rules: Any) -> Iterator[Object]:
    yield {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": {"name": slug}, "rules": rules}
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": {"name": slug},
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": slug},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": f"{slug}-ada"}],
    }


def _deployment(_: str, spec: Any) -> Iterator[Object]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
    }


def _static(slug: str, command: Any) -> Iterator[Object]:
    name = f"{command[0]}-{slug}"
    yield {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "kube-system",
            "annotations": {"kubernetes.io/config.mirror": "a", "kubernetes.io/config.source": "file"},
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": command[0], "image": f"registry.k8s.io/{command[0]}:v1.36.3", "command": command}],
        },
    }


# On a server


def define(kube: Kubernetes, objects: Iterable[Object]) -> int:
    """Make the server serve every custom kind that is collected, in the versions of `objects`; return how many."""
    versions = {
        (group, entry["kind"]): version
        for entry in objects
        for group, _, version in [entry["apiVersion"].rpartition("/")]
    }
    kinds = [
        (kind.group, kind.plural, kind.type.removeprefix("kubernetes/").partition(".")[0], kind.namespaced)
        for kind in KINDS
        if kind.plural != "*" and "." in kind.group and not _built_in(kube.admin, kind.group)
    ]
    kinds += [(_GATEKEEPER, name.lower(), name, False) for name in _CONSTRAINTS]
    definitions = [
        _definition(group, plural, kind, versions.get((group, kind), "v1"), namespaced=namespaced)
        for group, plural, kind, namespaced in kinds
    ]
    kube.admin.create_all(definitions)
    for group, plural, kind, _ in kinds:
        version = versions.get((group, kind), "v1")
        _until_served(kube.admin, f"/apis/{group}/{version}/{plural}")
    return len(kinds)


def _built_in(api: Api, group: str) -> bool:
    return api.request("GET", f"/apis/{group}").status == 200


def _definition(group: str, plural: str, kind: str, version: str, *, namespaced: bool) -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    # Groups of the project itself say who approved of them.
    annotations = {"api-approved.kubernetes.io": "unapproved, a test"} if group.endswith(".k8s.io") else {}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": annotations},
        "spec": {
            "group": group,
            "scope": "Namespaced" if namespaced else "Cluster",
            "names": names,
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _until_served(api: Api, path: str) -> None:
    end = time.monotonic() + _PATIENCE
    while api.request("GET", path, query={"limit": 1}).status != 200:
        assert time.monotonic() < end, f"the server does not serve {path}"
        time.sleep(0.05)


def enter(kube: Kubernetes, pairs: Iterable[Pair], state: str, *, before: str = "") -> int:
    """Put the server into a state, from the state `before` or from an empty one; return how many objects changed."""
    api = kube.admin
    pairs = tuple(pairs)
    there = {_key(entry): entry for entry in _placed(api, pairs, before)} if before else {}
    wanted = {_key(entry): entry for entry in _placed(api, pairs, state)}
    gone = [entry for key, entry in there.items() if wanted.get(key) != entry]
    made = [entry for key, entry in wanted.items() if there.get(key) != entry]
    if not before:
        namespaces = sorted({pair.namespace for pair in pairs})
        list(in_threads(lambda name: _namespace(api, name), namespaces))
    api.delete_all(gone)
    # Accounts first: a pod is refused whose account is not there, and a token's Secret is deleted at once.
    for first in (True, False):
        several = [entry for entry in made if (entry["kind"] == "ServiceAccount") is first]
        list(in_threads(lambda entry: _create(api, entry), several))
    return len(gone) + len(made)


def leave(kube: Kubernetes, pairs: Iterable[Pair], state: str) -> None:
    """Take away what `pairs` have on the server in that state."""
    kube.admin.delete_all(list(_placed(kube.admin, pairs, state)))


def _placed(api: Api, pairs: Iterable[Pair], state: str) -> Iterator[Object]:
    for pair in pairs:
        for entry in pair.objects[state]:
            path = api.collection_of(entry)
            inside = "/namespaces/" in path
            metadata = {"namespace": pair.namespace, **entry["metadata"]} if inside else entry["metadata"]
            assert inside or pair.namespace in metadata["name"], f"{pair.id}: whose is {metadata['name']}?"
            yield {**entry, "metadata": metadata}


def _key(entry: Object) -> tuple[str, str, str, str]:
    metadata = entry["metadata"]
    return entry["apiVersion"], entry["kind"], metadata.get("namespace", ""), metadata["name"]


def _namespace(api: Api, name: str) -> None:
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    end = time.monotonic() + _PATIENCE
    while api.request("GET", f"/api/v1/namespaces/{name}/serviceaccounts/default").status != 200:
        assert time.monotonic() < end, f"{name} gets no default account"
        time.sleep(0.02)


def _create(api: Api, entry: Object) -> None:
    written = entry.get("written")
    sent = {key: value for key, value in entry.items() if key != "written"}
    answer = api.request("POST", api.collection_of(sent), sent, query={"fieldManager": _MANAGER})
    if answer.status != 201:
        raise RefusedError(answer.status, answer.body, json.dumps(_key(sent)))
    if written is not None:
        # Times alone would be taken back: something else has to change with them.
        made = answer.json()
        made["metadata"]["labels"] = {"velero.io/restore-name": "restored"}
        for manager in made["metadata"]["managedFields"]:
            manager["time"] = f"{written:%Y-%m-%dT%H:%M:%SZ}"
        api.put(made)
