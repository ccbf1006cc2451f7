"""What an identity must be allowed in order to read a source: asked of the server, and written down as a grant.

Rights follow from the plan, so the grant is exactly what a collection asks, and nothing beside. Two rights that every
authenticated user has by default are not in it: discovery (`system:discovery`) and reviews of oneself
(`system:basic-user`). Nothing here can be used to change anything: the verbs are `list`, and `get` for namespaces that
are named.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from auditor.collectors.kubernetes.answers import NotJsonError, mapping, parsed
from auditor.collectors.kubernetes.client import Client, RefusedError
from auditor.collectors.kubernetes.kinds import NAMESPACE, SECRET
from auditor.collectors.kubernetes.plan import Ask, Skip
from auditor.model.settings import KubernetesSource, SecretsMode

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_RBAC = "rbac.authorization.k8s.io"
_KUBE_SYSTEM = "kube-system"
_AT_A_TIME = 8

WITHOUT_SECRETS = (
    "Whoever steals this identity can read who may do what, and what runs, with its plain configuration: also"
    " credentials that somebody wrote into a ConfigMap, an environment variable or a custom resource. No value of a"
    " Secret, no token, no log; and it can change nothing."
)
WITH_SECRETS = (
    "Kubernetes cannot grant the names of Secrets without their values: `auditor` never asks for a value, but whoever"
    " steals this identity can read the value of EVERY Secret in its scope, tokens of accounts among them, and with"
    " those act as them. Leave this part out and set `secrets: references` if that is too much: names of Secrets then"
    " come from what refers to them, and what only the Secrets themselves could show is reported as not evaluated."
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Right:
    """One thing that the identity must be allowed."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    """Empty: in the whole cluster."""
    name: str = ""
    type: str
    """Resource type that is read with it."""

    def __str__(self) -> str:
        """Return it as people say it: `list secrets in shop`."""
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        named = f" {self.name}" if self.name else ""
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {what}{named}{where}"


def rights(planned: Iterable[Ask | Skip], settings: KubernetesSource) -> tuple[Right, ...]:
    """Return what a collection by that plan needs, each once."""
    found = {right(ask): None for ask in planned if isinstance(ask, Ask)}
    if settings.namespaces:
        # The cluster's identity, which a list of all namespaces shows by itself.
        found[Right(verb="get", group="", resource="namespaces", name=_KUBE_SYSTEM, type=NAMESPACE)] = None
    return tuple(found)


def right(ask: Ask) -> Right:
    """Return what one request needs."""
    return Right(
        verb=ask.verb,
        group=ask.served.group,
        resource=ask.served.plural,
        namespace=ask.namespace,
        name=ask.name,
        type=ask.type,
    )


def review(client: Client, needed: Sequence[Right]) -> Iterator[tuple[Right, bool | None]]:
    """Yield for each right whether the server says that we have it; `None` where it would not say."""
    with ThreadPoolExecutor(_AT_A_TIME, "reviews") as threads:
        yield from zip(needed, threads.map(lambda one: _allowed(client, one), needed), strict=True)


def _allowed(client: Client, wanted: Right) -> bool | None:
    attributes = {
        "verb": wanted.verb,
        "group": wanted.group,
        "resource": wanted.resource,
        "namespace": wanted.namespace,
        "name": wanted.name,
    }
    asked = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    try:
        status = mapping(mapping(parsed(client.post(_REVIEWS, json.dumps(asked).encode()).body)).get("status"))
    except (RefusedError, NotJsonError):
        return None
    return status.get("allowed") is True


def grants(name: str, settings: KubernetesSource, needed: Sequence[Right], *, user: str) -> str:
    """Return the YAML of the smallest grant for `needed`, bound to `user`; both modes for Secrets are in it.

    The part that the mode of `settings` does not need is there as a comment, with what it would allow.
    """
    role = f"auditor-{name}"
    plain = [one for one in needed if one.type != SECRET]
    secrets = [one for one in needed if one.type == SECRET] or _secrets(settings)
    parts = [
        _comment(f"What `auditor collect` needs in order to read the source {name}. {WITHOUT_SECRETS}"),
        *_roles(role, plain, settings, user),
    ]
    more = _roles(f"{role}-secrets", secrets, settings, user)
    if settings.secrets is SecretsMode.METADATA:
        parts += [_comment(WITH_SECRETS), *more]
    else:
        says = f"Not part of the grant, since the source says `secrets: references`. {WITH_SECRETS}"
        parts += [_comment(says), *(_disabled(text) for text in more)]
    return "".join(parts)


def _secrets(settings: KubernetesSource) -> list[Right]:
    places = settings.namespaces or ("",)
    return [Right(verb="list", group="", resource="secrets", namespace=place, type=SECRET) for place in places]


def _roles(role: str, needed: Sequence[Right], settings: KubernetesSource, user: str) -> list[str]:
    """Return a role and a binding for what is needed everywhere, and for what is needed in namespaces."""
    everywhere = [one for one in needed if not one.namespace]
    inside = [one for one in needed if one.namespace]
    found = []
    if everywhere:
        found += [_role(role, _rules(everywhere)), _binding(role, user)]
    if inside:
        rules = _rules(inside)
        # One role for all namespaces, bound in each: what it grants ends at their borders.
        found.append(_role(f"{role}-namespaced" if everywhere else role, rules))
        bound = f"{role}-namespaced" if everywhere else role
        found += [_binding(bound, user, namespace=place) for place in settings.namespaces]
    return found


def _rules(needed: Iterable[Right]) -> list[tuple[str, str, list[str], list[str]]]:
    """Return (group, verb, resources, names), sorted: one rule for each group and verb."""
    single = {(one.verb, one.group, "*" if _whole(one) else one.resource, one.name) for one in needed}
    found = []
    for (group, verb, named), same in groupby(
        sorted(single, key=lambda one: (one[1], one[0], bool(one[3]), one[2], one[3])),
        key=lambda one: (one[1], one[0], bool(one[3])),
    ):
        several = list(same)
        resources = sorted({resource for _, _, resource, _ in several})
        names = sorted({name for *_, name in several}) if named else []
        found.append((group, verb, resources, names))
    return found


def _whole(wanted: Right) -> bool:
    """Whether a group is read as a whole, so that a kind that is added later is granted as well."""
    return wanted.group == "constraints.gatekeeper.sh"


def _role(name: str, rules: Iterable[tuple[str, str, list[str], list[str]]]) -> str:
    lines = [
        "---",
        f"apiVersion: {_RBAC}/v1",
        "kind: ClusterRole",
        f"metadata: {{name: {name}}}",
        "rules:",
    ]
    for group, verb, resources, names in rules:
        lines += [f"  - apiGroups: [{_quoted(group)}]", f"    resources: [{', '.join(map(_quoted, resources))}]"]
        if names:
            lines.append(f"    resourceNames: [{', '.join(map(_quoted, names))}]")
        lines.append(f"    verbs: [{verb}]")
    return "\n".join(lines) + "\n"


def _binding(role: str, user: str, *, namespace: str = "") -> str:
    where = f", namespace: {_quoted(namespace)}" if namespace else ""
    return "\n".join(
        (
            "---",
            f"apiVersion: {_RBAC}/v1",
            f"kind: {'RoleBinding' if namespace else 'ClusterRoleBinding'}",
            f"metadata: {{name: {role}{where}}}",
            f"roleRef: {{apiGroup: {_RBAC}, kind: ClusterRole, name: {role}}}",
            f"subjects: [{_subject(user)}]",
            "",
        )
    )


def _subject(user: str) -> str:
    if user.startswith(_SERVICE_ACCOUNT):
        namespace, _, account = user.removeprefix(_SERVICE_ACCOUNT).partition(":")
        return f"{{kind: ServiceAccount, name: {_quoted(account)}, namespace: {_quoted(namespace)}}}"
    if user:
        return f"{{apiGroup: {_RBAC}, kind: User, name: {_quoted(user)}}}"
    return "{kind: ServiceAccount, name: auditor, namespace: auditor}"


def _quoted(text: str) -> str:
    """Return `text` as YAML takes it for a text: in double quotes where it is not plainly one."""
    plain = text and text[0].isalpha() and all(c.isalnum() or c in "-." for c in text) and text.isascii()
    return text if plain and text.lower() not in _WORDS else json.dumps(text)


_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def _comment(text: str) -> str:
    lines, line = [], "#"
    for word in text.split():
        if len(line) + len(word) + 1 > 110:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return "\n".join([*lines, line]) + "\n"


def _disabled(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())
