"""What a cluster says of itself: version, who we are to it, its clock, its UID, who runs it, which authorisers it asks.

Everything asked here beside lists is remembered, so that the ledger can show it: two reviews of ourselves (they store
nothing, and every authenticated user may make them), the version, and discovery.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from auditor.collectors.kubernetes.answers import NotJsonError, mapping, parsed
from auditor.collectors.kubernetes.client import Client, RefusedError, Reply
from auditor.collectors.kubernetes.kinds import NAMESPACE, POD
from auditor.collectors.kubernetes.transport import Trouble
from auditor.model.collection import CallResult, Identity
from auditor.model.errors import AuditorError
from auditor.model.resource import Resource

SEEN = frozenset({NAMESPACE, "kubernetes/Node", POD})
"""Types that say something of the cluster as a whole."""

_REVIEWS = ("v1", "v1beta1", "v1alpha1")
_KUBE_SYSTEM = "kube-system"
_PROVIDER_LABELS = (
    ("eks.amazonaws.com/nodegroup", "eks"),
    ("alpha.eksctl.io/cluster-name", "eks"),
    ("kubernetes.azure.com/cluster", "aks"),
    ("cloud.google.com/gke-nodepool", "gke"),
)
_PROVIDER_HOSTS = ((".eks.amazonaws.com", "eks"), (".azmk8s.io", "aks"), (".gke.goog", "gke"))
_PROVIDER_VERSIONS = (("-eks-", "eks"), ("-gke.", "gke"))
_OPENSHIFT = "config.openshift.io"
_MODE = "--authorization-mode="
_OTHER_AUTHORIZERS = "--authorization-config="


class UnusableError(AuditorError):
    """A cluster that gave no answer at all, or that does not accept the identity."""


@dataclass(slots=True)
class Asked:
    """One request that is no list, for the ledger."""

    request: str
    status: int | None
    """`None`: no answer."""


@dataclass(slots=True)
class Cluster:
    """What is known of a cluster so far. `see` fills in what its objects tell."""

    version: str = ""
    clock_offset: float | None = None
    identity: Identity | None = None
    identity_from: str = ""
    """`server`, or `credential` where the server would not say and only the credential itself tells."""
    rules_complete: bool | None = None
    """Whether the server could list all our rights. False: an authoriser that cannot be read has a say (a webhook)."""
    uid: str = ""
    asked: list[Asked] = field(default_factory=list)
    flags: str | None = None
    """`--authorization-mode` of the API server's own pod; empty where another flag decides, `None` without a pod."""
    provider: str = ""
    self_managed: bool = False

    def see(self, resource: Resource) -> None:
        """Take what an object says of the cluster as a whole."""
        if resource.type == NAMESPACE and resource.name == _KUBE_SYSTEM:
            self.uid = str(resource.body["metadata"].get("uid") or "")
        elif resource.type == "kubernetes/Node":
            labels = resource.body["metadata"].get("labels") or {}
            self.provider = self.provider or next((who for name, who in _PROVIDER_LABELS if name in labels), "")
        elif resource.type == POD and resource.namespace == _KUBE_SYSTEM:
            words = _words(resource.body)
            if any(word.rpartition("/")[2] == "kube-apiserver" for word in words[:3]):
                self.self_managed = True
                modes = [word.removeprefix(_MODE) for word in words if word.startswith(_MODE)]
                other = any(word.startswith(_OTHER_AUTHORIZERS) for word in words)
                self.flags = "" if other else (modes or ["AlwaysAllow"])[-1]

    def runs_it(self, endpoint: str, groups: set[str]) -> str:
        """Return who runs the control plane, as `Source.provider`; empty where nothing tells."""
        host = endpoint.partition("://")[2].partition("/")[0].partition(":")[0].lower()
        if _OPENSHIFT in groups:
            return "openshift"
        for text, table in ((host, _PROVIDER_HOSTS), (self.version, _PROVIDER_VERSIONS)):
            for part, who in table:
                if (text.endswith(part) if text is host else part in text) and text:
                    return who
        return self.provider or ("self-managed" if self.self_managed else "")


def look(client: Client, *, clock: Callable[[], datetime]) -> Cluster:
    """Return what the cluster says before any list is read.

    Raises `UnusableError` where it cannot be reached or does not accept us: then no list could be read either.
    """
    found = Cluster()
    before = clock()
    try:
        reply = client.get("/version")
    except RefusedError as error:
        found.asked.append(Asked("GET /version", error.status))
        _unusable(client, error)
    else:
        found.asked.append(Asked("GET /version", 200))
        found.clock_offset = _offset(reply, before, clock())
        found.version = str(_map(reply).get("gitVersion") or "")
    return found


def who_am_i(client: Client, cluster: Cluster, *, impersonating: bool) -> None:
    """Ask the server who we are to it, and whether it can list our rights."""
    user = _self(client, cluster, impersonate=True)
    if user is not None:
        by = _self(client, cluster, impersonate=False) if impersonating else None
        cluster.identity_from = "server"
        cluster.identity = Identity(
            user=str(user.get("username") or ""),
            groups=tuple(str(group) for group in user.get("groups") or ()),
            impersonated_by=str((by or {}).get("username") or ""),
        )
    else:
        name = _of_credential(client)
        cluster.identity_from = "credential" if name else ""
        cluster.identity = Identity(user=name)
    cluster.rules_complete = _rules(client, cluster)


def identifier(client: Client, cluster: Cluster) -> None:
    """Ask for the cluster's identity by itself, where the list of namespaces is not asked for."""
    path = f"/api/v1/namespaces/{_KUBE_SYSTEM}"
    try:
        reply = client.get(path)
    except RefusedError as error:
        cluster.asked.append(Asked(f"GET {path}", error.status))
        return
    cluster.asked.append(Asked(f"GET {path}", 200))
    metadata = _map(reply).get("metadata")
    cluster.uid = str(metadata.get("uid") or "") if isinstance(metadata, dict) else ""


def _unusable(client: Client, error: RefusedError) -> None:
    """Raise `UnusableError` unless only this one request was refused."""
    where = client.access.endpoint
    if error.result is CallResult.UNAUTHENTICATED:
        raise UnusableError(
            f"{where} does not accept the credential of context {client.access.context}",
            hint="Log in again, or name another context; `kubectl auth whoami` must work.",
        )
    if error.trouble is Trouble.DISTRUSTED:
        raise UnusableError(
            f"{where} shows a certificate that is not trusted: signed by another authority than that of context "
            f"{client.access.context}, made out to another name, or expired",
            hint="Set `certificate-authority` of the source, or correct the kubeconfig.",
        )
    if error.trouble in {Trouble.UNREACHABLE, Trouble.TIMED_OUT, Trouble.CUT}:
        raise UnusableError(
            f"{where} cannot be reached",
            hint="Check address, proxy and network: `kubectl version` must work from here.",
        )


def _offset(reply: Reply, before: datetime, after: datetime) -> float | None:
    """Return the server's clock minus ours. `Date` has whole seconds: the middle of its second is the best guess."""
    try:
        theirs = parsedate_to_datetime(reply.headers.get("Date") or "").timestamp() + 0.5
    except (ValueError, TypeError):
        return None
    ours = (before.timestamp() + after.timestamp()) / 2
    return round(theirs - ours, 1)


def _map(reply: Reply) -> Mapping[str, Any]:
    try:
        return mapping(parsed(reply.body))
    except NotJsonError:
        return {}


def _self(client: Client, cluster: Cluster, *, impersonate: bool) -> Mapping[str, Any] | None:
    for version in _REVIEWS:
        path = f"/apis/authentication.k8s.io/{version}/selfsubjectreviews"
        body = f'{{"apiVersion":"authentication.k8s.io/{version}","kind":"SelfSubjectReview"}}'.encode()
        try:
            reply = client.post(path, body, impersonate=impersonate)
        except RefusedError as error:
            cluster.asked.append(Asked(f"POST {path}", error.status))
            if error.result is not CallResult.VANISHED:
                return None
        else:
            cluster.asked.append(Asked(f"POST {path}", 201))
            status = _map(reply).get("status")
            user = status.get("userInfo") if isinstance(status, dict) else None
            return user if isinstance(user, dict) else None
    return None


def _rules(client: Client, cluster: Cluster) -> bool | None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    body = b'{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectRulesReview","spec":{"namespace":"default"}}'
    try:
        reply = client.post(path, body)
    except RefusedError as error:
        cluster.asked.append(Asked(f"POST {path}", error.status))
        return None
    cluster.asked.append(Asked(f"POST {path}", 201))
    status = _map(reply).get("status")
    incomplete = status.get("incomplete") if isinstance(status, dict) else None
    return not incomplete if isinstance(incomplete, bool) else None


def _of_credential(client: Client) -> str:
    """Return whom the credential itself names: the subject of a token or of a client certificate, unproven."""
    access = client.access
    if access.certificate_subject:
        return access.certificate_subject
    parts = access.authorization.removeprefix("Bearer ").split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = mapping(parsed(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))))
    except (ValueError, NotJsonError):
        return ""
    return str(claims.get("sub") or "")


def _words(body: Mapping[str, Any]) -> list[str]:
    containers = (body.get("spec") or {}).get("containers")
    return [
        word
        for container in containers or ()
        if isinstance(container, dict)
        for part in ("command", "args")
        for word in container.get(part) or ()
        if isinstance(word, str)
    ]
