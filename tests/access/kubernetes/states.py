"""Random RBAC states that an API server accepts, and questions about them. The same seed gives the same.

Names are few, so that rules, bindings and questions meet.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from auditor.access.kubernetes.rbac import Caller, Request, caller

RBAC = "rbac.authorization.k8s.io"
NAMESPACES = ("n1", "n2", "n3")
ANY = "*"

_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind", "escalate")
_IMPERSONATE = (
    "impersonate",
    "impersonate:user-info",
    "impersonate:serviceaccount",
    "impersonate:arbitrary-node",
    "impersonate-on:user-info:get",
    "impersonate-on:serviceaccount:get",
)
_GROUPS = ("", "apps", RBAC, "authentication.k8s.io", "example.com")
_RESOURCES = (
    "pods",
    "pods/exec",
    "pods/log",
    "secrets",
    "configmaps",
    "deployments",
    "deployments/scale",
    "nodes",
    "nodes/proxy",
    "namespaces",
    "serviceaccounts",
    "serviceaccounts/token",
    "clusterroles",
    "users",
    "groups",
    "userextras/scopes",
    "widgets",
    "widgets/status",
)
_PATTERNS = ("*", "*/exec", "*/scale", "*/status", "pods/*", "*/*", "pod*", "*/")
_NAMES = ("db", "web", "n1", "u1", "g1", "a.b", "")
_URLS = ("/metrics", "/metrics/slis", "/healthz", "/healthz/ping", "/logs/a", "/api", "/apis/apps", "/", "/version/")
_URL_PATTERNS = (*_URLS, "/metrics/*", "/healthz*", "/logs/**", "/apis/*", "*", "/*/slis", "metrics*")
_USERS = ("u1", "u2", "u3", "zoë", 'qu"ote', "system:serviceaccount:n1:web", "system:kube-scheduler")
_PEOPLE = ("g1", "g2", "g3", "oidc:team/a b")
_EVERYBODY = (
    "system:authenticated",
    "system:unauthenticated",
    "system:serviceaccounts",
    "system:serviceaccounts:n1",
    "system:serviceaccounts:n2",
    "system:nodes",
)
_ACCOUNTS = tuple((namespace, name) for namespace in NAMESPACES for name in ("web", "default"))
_ROLES = ("r1", "r2", "r3", "r4", "Upper:case", "a.b:c")
_BUILT_IN = ("view", "edit", "admin", "system:discovery", "system:kube-scheduler", "system:node", "system:monitoring")
_OF_MISSING = (
    {"apiGroup": RBAC, "kind": "User", "name": "u3"},
    {"kind": "ServiceAccount", "name": "default", "namespace": "n3"},
)
_LABELS = (("to", "top"), ("to", "middle"), ("team", "a"), ("team", "b"))


def objects(seed: int, *, bindings: int = 60) -> list[dict[str, Any]]:
    """Return the namespaces, roles and bindings of one seed, in an order in which they can be made."""
    random = Random(seed)  # noqa: S311 - test data
    made = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES]
    unique: dict[tuple[str, str, str], dict[str, Any]] = {}
    # A tenth of the roles that bindings name is missing, and some roles are held by nobody.
    wanted = [(namespace, name) for namespace in ("", *NAMESPACES) for name in _ROLES if random.random() < 0.9]
    for namespace, name in [*wanted, ("", "unbound-1"), ("", "unbound-2"), ("n1", "unbound-3")]:
        one = _role(random, namespace, name)
        unique[_identity(one)] = one
    for number in range(bindings):
        one = _binding(random, number, unique.keys())
        unique.setdefault(_identity(one), one)
    return [*made, *unique.values()]


def questions(seed: int, count: int, objects: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Caller, Request]]:
    """Yield `count` questions of one seed: half at random, half aimed at a binding and a rule among `objects`."""
    random = Random(seed + 1_000_003)  # noqa: S311 - test data
    roles: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for item in objects:
        if item.get("rules"):
            roles.setdefault((item["kind"], item["metadata"]["name"]), []).extend(item["rules"])
    bindings = [item for item in objects if item.get("subjects")]
    aims = [
        (item, rules)
        for item in bindings
        if (rules := roles.get((item["roleRef"]["kind"], item["roleRef"]["name"]))) is not None
    ]
    for number in range(count):
        if number % 2:
            yield _caller(random), _request(random)
        else:
            binding, rules = random.choice(aims)
            namespace = binding["metadata"].get("namespace", "")
            subject = random.choice(binding["subjects"])
            yield _meant(random, subject, namespace), _aimed(random, random.choice(rules), namespace)


def _identity(item: dict[str, Any]) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _some(random: Random, items: Sequence[str], most: int = 3) -> list[str]:
    return random.sample(items, random.randint(1, min(most, len(items))))


def _role(random: Random, namespace: str, name: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    item = {"apiVersion": f"{RBAC}/v1", "kind": "Role" if namespace else "ClusterRole", "metadata": metadata}
    if namespace:
        metadata["namespace"] = namespace
    else:
        metadata["labels"] = dict(random.sample(_LABELS, random.randint(0, 2)))
        if random.random() < 0.25:
            item["aggregationRule"] = {"clusterRoleSelectors": _selectors(random)}
    if "aggregationRule" not in item or random.random() < 0.1:
        item["rules"] = [_rule(random, urls=not namespace) for _ in range(random.randint(0, 3))]
    return item


def _selectors(random: Random) -> list[dict[str, Any]]:
    return [_selector(random) for _ in range(random.randint(1, 2))]


def _selector(random: Random) -> dict[str, Any]:
    key, value = random.choice(_LABELS)
    match random.randrange(4):
        case 0:
            return {"matchExpressions": [{"key": key, "operator": "In", "values": [value, "other"]}]}
        case 1:
            # A bare NotIn or DoesNotExist would take in cluster-admin, and everything would be allowed.
            unwanted = {"key": "team", "operator": "NotIn", "values": ["b"]}
            return {"matchLabels": {key: value}, "matchExpressions": [unwanted]}
        case 2:
            return {
                "matchExpressions": [
                    {"key": "to", "operator": "Exists"},
                    {"key": "team", "operator": "DoesNotExist"},
                ]
            }
        case _:
            return {"matchLabels": {key: value}}


def _rule(random: Random, *, urls: bool) -> dict[str, Any]:
    verbs = _some(random, (*_VERBS, *_IMPERSONATE))
    if random.random() < 0.15:
        verbs.append(ANY)
    if urls and random.random() < 0.2:
        return {"verbs": [*verbs, "get"], "nonResourceURLs": _some(random, _URL_PATTERNS)}
    resources = _some(random, _RESOURCES, 4)
    if random.random() < 0.25:
        resources.append(random.choice(_PATTERNS))
    groups = _some(random, _GROUPS, 2) if random.random() < 0.5 else [""]
    if random.random() < 0.1:
        groups.append(ANY)
    rule: dict[str, Any] = {"verbs": verbs, "apiGroups": groups, "resources": resources}
    if random.random() < 0.3:
        rule["resourceNames"] = _some(random, _NAMES)
    return rule


def _binding(random: Random, number: int, known: Collection[tuple[str, str, str]]) -> dict[str, Any]:
    namespace = random.choice(("", *NAMESPACES, *NAMESPACES))
    kind = random.choice(("Role", "ClusterRole")) if namespace else "ClusterRole"
    chance = random.random()
    if chance < 0.03:
        name = "missing"
    elif chance < 0.2 and kind == "ClusterRole":
        name = random.choice(_BUILT_IN)
    else:
        name = random.choice(_ROLES)
    metadata = {"name": f"b{number % 40}:{random.choice(('x', 'Y.z'))}"}
    if namespace:
        metadata["namespace"] = namespace
    subjects = [_subject(random, namespace) for _ in range(random.randint(0, 3))]
    if name not in _BUILT_IN and (kind, namespace if kind == "Role" else "", name) not in known:
        # What a missing role gives is unknown in manifests: to few, or little else would be compared.
        subjects = [random.choice(_OF_MISSING)]
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name},
        "subjects": subjects,
    }


def _subject(random: Random, namespace: str) -> dict[str, str]:
    match random.randrange(8):
        case 0 | 1 | 2:
            return {"apiGroup": RBAC, "kind": "User", "name": random.choice(_USERS)}
        case 3 | 4:
            return {"apiGroup": RBAC, "kind": "Group", "name": random.choice(_PEOPLE)}
        case 5 if random.random() < 0.4:
            return {"apiGroup": RBAC, "kind": "Group", "name": random.choice(_EVERYBODY)}
        case _:
            where, name = random.choice(_ACCOUNTS)
            subject = {"kind": "ServiceAccount", "name": name}
            return subject if namespace and random.random() < 0.3 else subject | {"namespace": where}


def _caller(random: Random) -> Caller:
    match random.randrange(10):
        case 0 | 1 | 2 | 3:
            return caller(random.choice(_USERS), random.sample(_PEOPLE, random.randint(0, 2)))
        case 4 | 5 | 6:
            namespace, name = random.choice(_ACCOUNTS)
            return caller(f"system:serviceaccount:{namespace}:{name}")
        case 7:
            return caller("system:anonymous")
        case 8:
            return caller("system:node:w1") if random.random() < 0.7 else caller("root", ["system:masters"])
        case _:
            # Groups as a webhook or a proxy may deliver them, without the implicit ones.
            return Caller(random.choice(_USERS), frozenset(random.sample(_PEOPLE, 1)))


def _meant(random: Random, subject: Mapping[str, str], namespace: str) -> Caller:
    match subject["kind"]:
        case "User":
            return caller(subject["name"], random.sample(_PEOPLE, random.randint(0, 1)))
        case "ServiceAccount":
            return caller(f"system:serviceaccount:{subject.get('namespace', namespace)}:{subject['name']}")
        case _ if subject["name"].startswith("system:serviceaccounts:"):
            return caller(f"system:serviceaccount:{subject['name'].rpartition(':')[2]}:any")
        case _:
            return caller("someone", [subject["name"]])


def _aimed(random: Random, rule: Mapping[str, Any], namespace: str) -> Request:
    """Return a request that the rule allows, or nearly."""
    verb = random.choice([one if one != ANY else random.choice(_VERBS) for one in rule["verbs"]])
    if "nonResourceURLs" in rule:
        return Request(verb=verb, url=random.choice(rule["nonResourceURLs"]).replace(ANY, "x") or "/")
    group = random.choice([one if one != ANY else random.choice(_GROUPS) for one in rule["apiGroups"]])
    resource = random.choice([one if ANY not in one else random.choice(_RESOURCES) for one in rule["resources"]])
    name = random.choice(rule.get("resourceNames") or _NAMES)
    near = random.random()
    resource, _, subresource = resource.partition("/")
    return Request(
        verb=random.choice(_VERBS) if near < 0.1 else verb,
        api_group=random.choice(_GROUPS) if 0.1 < near < 0.2 else group,
        resource=resource,
        subresource=random.choice(("", "exec", "status")) if 0.2 < near < 0.3 else subresource,
        namespace=random.choice(("", *NAMESPACES)) if near > 0.85 or not namespace else namespace,
        name=random.choice(_NAMES) if 0.3 < near < 0.4 else name,
    )


def _request(random: Random) -> Request:
    if random.random() < 0.1:
        return Request(verb=random.choice(("get", "post", "head", "put")), url=random.choice(_URLS))
    resource, _, subresource = random.choice(_RESOURCES).partition("/")
    if random.random() < 0.03:
        resource = ANY
    verb = random.choice((*_VERBS, *_IMPERSONATE)) if random.random() < 0.95 else ANY
    return Request(
        verb=verb,
        api_group=random.choice((*_GROUPS, "", "", "")),
        resource=resource,
        subresource=subresource,
        namespace=random.choice(("", *NAMESPACES, "elsewhere")),
        name=random.choice((*_NAMES, "", "")),
    )
