"""What `auditor access` is asked: from the words on the command line to a request, and every contradiction in them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from auditor.model.errors import InputError

if TYPE_CHECKING:
    from auditor.access.kubernetes.api_resources import Named
    from auditor.access.kubernetes.bindings import Principal
    from auditor.access.kubernetes.holders import Where
    from auditor.access.kubernetes.impersonation import Target
    from auditor.access.kubernetes.rbac import Request
    from auditor.pipeline.access import Cluster


class Question(NamedTuple):
    """What is asked, as it was said."""

    verb: str
    resource: str
    name: str
    namespace: str
    all_namespaces: bool

    def where(self, asked: "Request") -> "Where":
        """Return in which namespaces `who-can` looks."""
        from auditor.access.kubernetes.holders import Where  # noqa: PLC0415 - after wrong use has been refused

        if asked.namespace:
            return Where.NAMESPACE
        return Where.EVERYWHERE if self.all_namespaces else Where.ANYWHERE


def request(
    question: Question, *, one: bool, seen: Mapping[str, Sequence[str]] | None = None
) -> "Request | InputError":
    """Return the request, or why a resource is not known. Raises `InputError` for what contradicts itself."""
    from auditor.access.kubernetes import api_resources, built_in  # noqa: PLC0415 - start-up: help needs none of it
    from auditor.access.kubernetes.rbac import Request  # noqa: PLC0415 - the same

    verb, namespace = question.verb, question.namespace
    if not verb or verb != verb.lower() or " " in verb:
        raise InputError(f"{verb or 'the empty text'} is no verb", hint="Verbs are lower case: get, list, create.")
    if namespace and question.all_namespaces:
        raise InputError("-n and -A exclude each other", hint="Name one namespace, or all.")
    if question.resource.startswith("/"):
        if namespace or question.all_namespaces:
            raise InputError(f"{question.resource} is a path, and in no namespace", hint="Leave out -n and -A.")
        return Request(verb=verb, url=question.resource)
    try:
        found = api_resources.resolve(question.resource, built_in.load().resources, seen=seen or {})
    except InputError as error:
        return error
    name = _one_name(found, question.name)
    if name and not found.subresource and verb in {"create", "deletecollection"}:
        raise InputError(f"a {verb} carries no name", hint=f"Ask without {name}: no rule limits it by names.")
    if found.namespaced is False and namespace:
        raise InputError(f"{found.label} belongs to no namespace", hint="Leave out -n.")
    if one and found.namespaced and not namespace and not question.all_namespaces:
        raise InputError(f"no namespace is named for {found.label}", hint="Add -n NAMESPACE, or -A for all at once.")
    if one and (found.group, found.plural) == ("", "namespaces") and verb not in {"list", "watch"}:
        # A request for a namespace itself carries its name as namespace, too.
        namespace = name
    return Request(
        verb=verb,
        api_group=found.group,
        resource=found.plural,
        subresource=found.subresource,
        namespace=namespace,
        name=name,
    )


def _one_name(found: "Named", given: str) -> str:
    if found.name and given:
        raise InputError(f"two names: {found.name} and {given}", hint="Write one of them.")
    return found.name or given


def name_and_paths(resource: str, rest: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    """Return the object's name and the paths. What comes first is a name unless it can only be a path, or is one."""
    first, *others = rest or ["."]
    is_path = first == "-" or any(mark in first for mark in "/*?[") or Path(first).exists()
    if is_path or resource.startswith("/"):
        return "", (first, *others)
    return first, tuple(others) or (".",)


def target(user: str, groups: Sequence[str]) -> "Target | None":
    """Return whom `--as` and `--as-group` mean, `None` for nobody. Raises `InputError` for what names no user."""
    from auditor.access.kubernetes import callers  # noqa: PLC0415 - start-up: help needs none of it
    from auditor.access.kubernetes.impersonation import Target  # noqa: PLC0415 - the same

    if not user:
        if groups:
            raise InputError("--as-group without --as", hint="Impersonation always needs a user: add --as USER.")
        return None
    named = callers.parse(user).principal
    if not named.user:
        raise InputError(f"--as {user} is no user", hint="Name a user or sa:NAMESPACE/NAME; groups go to --as-group.")
    return Target(user=named.user, groups=tuple(groups))


def absences(clusters: "Iterable[Cluster]", asked: "Request", principals: "Iterable[Principal]" = ()) -> Iterator[str]:
    """Yield what the question names and a cluster has not: an answer about it looks like any other."""
    from auditor.access.kubernetes.bindings import PrincipalKind  # noqa: PLC0415 - after wrong use has been refused

    accounts = [one for one in principals if one.kind is PrincipalKind.SERVICE_ACCOUNT]
    for cluster in clusters:
        if asked.namespace and cluster.lacks("kubernetes/Namespace", "", asked.namespace):
            yield f"{cluster.name} has no namespace {asked.namespace}"
        for one in accounts:
            if cluster.lacks("kubernetes/ServiceAccount", one.namespace, one.name):
                yield f"{cluster.name} has no service account {one.namespace}/{one.name}"


def notes(question: Question, asked: "Request") -> Iterator[str]:
    """Yield what a reader should know about how the question was understood."""
    from auditor.access.kubernetes import api_resources, built_in  # noqa: PLC0415 - after wrong use has been refused

    if asked.url:
        return
    found = api_resources.resolve(question.resource, built_in.load().resources, seen={})
    if found.also:
        others = ", ".join(f"{found.plural}.{group}" for group in found.also)
        yield f"{question.resource} is taken as {found.label} of group {found.group or 'core'}; also: {others}"
    if asked.verb not in _VERBS and not asked.verb.startswith("impersonate"):
        yield f"{asked.verb} is no verb of Kubernetes itself; it is taken as it is"


_VERBS = frozenset(
    {"*", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
    | {"proxy", "bind", "escalate", "approve", "sign", "attest", "use"}
)
