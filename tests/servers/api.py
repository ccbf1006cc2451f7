"""Raw JSON requests to a Kubernetes API server, as one identity: fast, and without a client's model objects.

    api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}, "data": {}})
    api.get("/api/v1/namespaces/n/configmaps/c")

Where an object belongs follows from its `apiVersion` and `kind`, which are looked up in the server's discovery once;
so kinds of custom resource definitions work like built-in ones. An `Api` may be used from several threads.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import urllib3

from tests.servers.certificates import Certificate

AS_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""For `accept` of a list: only the metadata of each object."""
AS_TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
"""For `accept`: what `kubectl get` prints."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}

Item = TypeVar("Item")
Result = TypeVar("Result")


class RefusedError(Exception):
    """The server answered with an error: its code, and its Status object's reason and message."""

    def __init__(self, status: int, body: bytes, asked: str) -> None:
        try:
            told = json.loads(body)
        except ValueError:
            told = {"message": body[:500].decode("utf-8", "replace")}
        self.status = status
        self.reason: str = told.get("reason") or ""
        self.message: str = told.get("message") or ""
        super().__init__(f"{asked}: {status} {self.reason}: {self.message}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever the status."""

    status: int
    headers: Mapping[str, str]
    """Names in any case. Several `Warning` headers: `headers.getlist("Warning")`."""
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a SubjectAccessReview asks. Only the groups named here count; see `implicit_groups`."""

    user: str
    groups: tuple[str, ...] = ("system:authenticated",)
    verb: str
    resource: str = ""
    group: str = ""
    """The API group; empty is the core group."""
    subresource: str = ""
    namespace: str = ""
    """Empty: across all namespaces, or a cluster-scoped resource."""
    name: str = ""
    path: str = ""
    """Instead of a resource: a URL such as `/metrics`."""


@dataclass(frozen=True, slots=True)
class Review:
    """What the server's authorisers said; `reason` names the binding that allows it."""

    allowed: bool
    denied: bool
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class Api:
    """One identity at one server."""

    url: str
    pool: urllib3.PoolManager
    headers: Mapping[str, str] = field(default_factory=dict)
    kinds: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict, repr=False)
    """`(apiVersion, kind)` to plural and whether it has a namespace, as far as discovery was asked."""

    def acting_as(self, user: str, *groups: str) -> "Api":
        """Return the same identity impersonating `user`. The server adds `system:authenticated` by itself."""
        more = urllib3.HTTPHeaderDict(dict(self.headers))
        more.add("Impersonate-User", user)
        for group in groups:
            more.add("Impersonate-Group", group)
        return replace(self, headers=more)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return whatever comes back, errors too."""
        sent = urllib3.HTTPHeaderDict(self.headers)
        sent.update(headers or {})
        if body is not None and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        where = self.url + path + (f"?{urlencode(query)}" if query else "")
        came = self.pool.request(method, where, body=data, headers=sent)
        return Answer(came.status, came.headers, came.data)

    def get(self, path: str, *, accept: str = "application/json", **query: Any) -> Any:
        """Return the JSON at `path`; the query's names are the API's (`labelSelector=`, `limit=`).

        Raises:
            RefusedError: any answer but a 2xx; the same for every method below.

        """
        return self._json("GET", path, query=query, headers={"Accept": accept})

    def pages(self, path: str, *, limit: int = 500, accept: str = "application/json", **query: Any) -> Iterator[Any]:
        """Yield the pages of a list."""
        following = ""
        while True:
            more = {"continue": following} if following else {}
            page = self.get(path, accept=accept, limit=limit, **query, **more)
            yield page
            following = page["metadata"].get("continue") or ""
            if not following:
                return

    def items(self, path: str, *, limit: int = 500, **query: Any) -> Iterator[Any]:
        """Yield the objects of a list, page by page."""
        for page in self.pages(path, limit=limit, **query):
            yield from page["items"]

    def create(self, object_: Mapping[str, Any], *, dry_run: bool = False) -> Any:
        """Create the object and return it as stored; with `dry_run`, all but stored."""
        query = {"dryRun": "All"} if dry_run else {}
        return self._json("POST", self.collection_of(object_), object_, query=query)

    def kubectl_apply(self, object_: Mapping[str, Any]) -> Any:
        """Create the object as `kubectl apply` does: a copy of it, data and all, stands in an annotation."""
        query = {"fieldManager": "kubectl-client-side-apply"}
        return self._json("POST", self.collection_of(object_), applied(object_), query=query)

    def apply(self, object_: Mapping[str, Any], *, manager: str = "auditor-tests") -> Any:
        """Create the object or bring it into this state (server-side apply, conflicts forced)."""
        query = {"fieldManager": manager, "force": "true"}
        headers = {"Content-Type": _PATCHES["apply"]}
        return self._json("PATCH", self.path_of(object_), object_, query=query, headers=headers)

    def patch(self, target: Mapping[str, Any] | str, patch: Any, *, kind: str = "merge") -> Any:
        """Change an object, named by itself or its path; `kind` is merge, strategic or json."""
        return self._json("PATCH", self._target(target), patch, headers={"Content-Type": _PATCHES[kind]})

    def put(self, object_: Mapping[str, Any]) -> Any:
        """Put the object in the place of the one that is there."""
        return self._json("PUT", self.path_of(object_), object_)

    def delete(self, target: Mapping[str, Any] | str) -> None:
        """Delete an object, named by itself or its path, at once; one that is not there is no error."""
        try:
            self._json(
                "DELETE", self._target(target), query={"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
            )
        except RefusedError as refused:
            if refused.status != 404:
                raise

    def create_all(self, objects: Iterable[Mapping[str, Any]], *, threads: int = 4) -> int:
        """Create all in several threads, in no certain order, and return how many. The first error ends it."""
        return sum(1 for _ in in_threads(self.create, objects, threads=threads))

    def delete_all(self, objects: Iterable[Mapping[str, Any]], *, threads: int = 4) -> None:
        for _ in in_threads(self.delete, objects, threads=threads):
            pass

    @contextmanager
    def having(self, *objects: Mapping[str, Any]) -> Iterator[None]:
        """Create the objects in this order, and delete them again at the end."""
        made = []
        try:
            for object_ in objects:
                self.create(object_)
                made.append(object_)
            yield
        finally:
            for object_ in reversed(made):
                self.delete(object_)

    def review(self, question: Question) -> Review:
        """Ask the server's authorisers."""
        attributes: dict[str, Any] = {
            "resourceAttributes": {
                "verb": question.verb,
                "group": question.group,
                "resource": question.resource,
                "subresource": question.subresource,
                "namespace": question.namespace,
                "name": question.name,
            }
        }
        if question.path:
            attributes = {"nonResourceAttributes": {"verb": question.verb, "path": question.path}}
        spec = {"user": question.user, "groups": list(question.groups), **attributes}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        status = self._json("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)["status"]
        return Review(
            status["allowed"], status.get("denied", False), status.get("reason", ""), status.get("evaluationError", "")
        )

    def reviews(self, questions: Iterable[Question], *, threads: int = 4) -> Iterator[Review]:
        """Yield the answers in the order of the questions."""
        return in_threads(self.review, questions, threads=threads)

    def collection_of(self, object_: Mapping[str, Any]) -> str:
        """Return the path of the list that the object belongs to; without a namespace it goes to `default`."""
        version, kind = object_["apiVersion"], object_["kind"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (version, kind) not in self.kinds:
            for resource in self.get(root)["resources"]:
                if "/" not in resource["name"]:
                    self.kinds[version, resource["kind"]] = (resource["name"], resource["namespaced"])
        plural, namespaced = self.kinds[version, kind]
        return (
            f"{root}/namespaces/{object_['metadata'].get('namespace', 'default')}/{plural}"
            if namespaced
            else f"{root}/{plural}"
        )

    def path_of(self, object_: Mapping[str, Any]) -> str:
        return f"{self.collection_of(object_)}/{object_['metadata']['name']}"

    def _target(self, target: Mapping[str, Any] | str) -> str:
        return target if isinstance(target, str) else self.path_of(target)

    def _json(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = self.request(method, path, body, **more)
        if not 200 <= answer.status < 300:
            raise RefusedError(answer.status, answer.body, f"{method} {path}")
        return answer.json()


def connect(
    url: str, ca_file: Path | str, *, token: str = "", certificate: Certificate | None = None, threads: int = 8
) -> Api:
    """Return an `Api` for the identity of a token or a client certificate; without either, an anonymous one."""
    pool = urllib3.PoolManager(
        maxsize=threads,
        block=True,
        retries=False,
        timeout=60,
        ca_certs=str(ca_file),
        cert_file=str(certificate.certificate) if certificate else None,
        key_file=str(certificate.key) if certificate else None,
    )
    return Api(url, pool, {"Authorization": f"Bearer {token}"} if token else {})


def implicit_groups(user: str) -> tuple[str, ...]:
    """Return the groups that an API server adds by itself when `user` signs in; a review does not add them."""
    if user == "system:anonymous":
        return ("system:unauthenticated",)
    if user.startswith("system:serviceaccount:"):
        namespace = user.split(":")[2]
        return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return ("system:authenticated",)


def applied(object_: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object as `kubectl apply` sends a new one: with a copy of itself in an annotation."""
    metadata = object_["metadata"]
    annotations = dict(metadata.get("annotations") or {})
    copy = _as_go_writes({**object_, "metadata": {**metadata, "annotations": annotations}}) + "\n"
    return {**object_, "metadata": {**metadata, "annotations": {**annotations, LAST_APPLIED: copy}}}


def in_threads(function: Callable[[Item], Result], items: Iterable[Item], *, threads: int = 4) -> Iterator[Result]:
    """Yield `function(item)` in the order of the items, some ahead of the reader; the items may be endless."""
    waiting = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        while batch := list(islice(waiting, 256 * threads)):
            yield from pool.map(function, batch)


def _as_go_writes(value: Any) -> str:
    """Return JSON as Go's encoder writes it: sorted, and what HTML could take for markup escaped."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for character in "&<>\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
