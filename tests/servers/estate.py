"""A made-up estate of any size for a real API server: the same seed gives the same objects.

    fill(kube.admin, LARGE, seed=1)

It looks like what is found in clusters: most accounts can do little, some roles read every secret of their namespace,
a third of the objects were applied by kubectl and carry a copy of themselves, one workload in ten has a credential in
its environment. Every credential begins with `MARK`, so a search for `MARKS` in whatever came out finds each of them.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from random import Random
from string import ascii_letters, digits
from typing import Any

from tests.servers.api import Api, applied, in_threads

MARK = "q7RkVt3ZxW"
MARKS = (
    MARK,
    # In base64, at each of the three offsets: only the characters that depend on nothing else.
    b64encode(MARK.encode()).decode()[:13],
    b64encode(b"\0" + MARK.encode()).decode()[2:14],
    b64encode(b"\0\0" + MARK.encode()).decode()[3:16],
)

RBAC = "rbac.authorization.k8s.io"
WORDS = (
    "billing",
    "cart",
    "catalog",
    "checkout",
    "gateway",
    "ledger",
    "mailer",
    "payments",
    "search",
    "stock",
    "users",
)
PARTS = ("api", "cron", "db", "exporter", "frontend", "worker")
GROUPS = ("developers", "operators", "oncall", "qa", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many objects of each kind; they are spread over the namespaces."""

    namespaces: int = 50
    service_accounts: int = 10_000
    roles: int = 5_000
    role_bindings: int = 20_000
    secrets: int = 5_000
    config_maps: int = 1_000
    deployments: int = 2_000
    cluster_roles: int = 50
    cluster_role_bindings: int = 100

    @property
    def objects(self) -> int:
        return sum(getattr(self, name) for name in self.__slots__)


LARGE = Size()
SMALL = Size(
    namespaces=4,
    service_accounts=40,
    roles=30,
    role_bindings=80,
    secrets=40,
    config_maps=20,
    deployments=20,
    cluster_roles=6,
    cluster_role_bindings=10,
)


def fill(api: Api, size: Size, *, seed: int, threads: int = 4) -> Counter[str]:
    """Create the estate and return how many of each kind were made. The first refusal ends it.

    A server that runs a Deployment controller makes pods of it; `Setup(controllers=ACCOUNTS)` leaves it as created.
    """
    made: Counter[str] = Counter()
    namespaces, rest = _Estate(size, seed).objects()
    for object_ in chain(in_threads(api.create, namespaces), in_threads(api.create, rest, threads=threads)):
        made[object_["kind"]] += 1
    return made


def objects(size: Size, *, seed: int) -> Iterator[dict[str, Any]]:
    """Yield every object, namespaces first, roles before their bindings."""
    return chain(*_Estate(size, seed).objects())


class _Estate:
    """Draws objects one after the other from one source of randomness."""

    def __init__(self, size: Size, seed: int) -> None:
        self._size = size
        self._draw = Random(seed)  # noqa: S311 - the same estate for the same seed

    def objects(self) -> tuple[Iterator[dict[str, Any]], Iterator[dict[str, Any]]]:
        """Return the namespaces, and everything else."""
        size = self._size
        kinds = (
            (self._service_account, size.service_accounts),
            (self._cluster_role, size.cluster_roles),
            (self._role, size.roles),
            (self._cluster_role_binding, size.cluster_role_bindings),
            (self._role_binding, size.role_bindings),
            (self._secret, size.secrets),
            (self._config_map, size.config_maps),
            (self._deployment, size.deployments),
        )
        rest = (self._perhaps_applied(make(number)) for make, many in kinds for number in range(many))
        return (self._namespace(number) for number in range(size.namespaces)), rest

    def _perhaps_applied(self, object_: dict[str, Any]) -> dict[str, Any]:
        return applied(object_) if self._draw.random() < 0.3 else object_

    # What is drawn

    def _credential(self) -> str:
        return MARK + "".join(self._draw.choices(ascii_letters + digits, k=22))

    def _any(self, prefix: str, many: int) -> str:
        return f"{prefix}-{self._draw.randrange(max(many, 1))}"

    def _place(self, number: int) -> str:
        """Return the namespace of the object with this number: objects of one number meet in one namespace."""
        return _namespace_name(number % self._size.namespaces)

    def _peer(self, number: int, many: int) -> int:
        """Return the number of another kind's object in the same namespace, if there is one."""
        step = self._size.namespaces
        place = number % step
        return place + step * self._draw.randrange(max(1, (many - place + step - 1) // step))

    # Kinds

    def _namespace(self, number: int) -> dict[str, Any]:
        level = self._draw.choice(("privileged", "baseline", "restricted"))
        labels = {"team": self._draw.choice(GROUPS), "pod-security.kubernetes.io/enforce": level}
        return {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": _namespace_name(number), "labels": labels},
        }

    def _service_account(self, number: int) -> dict[str, Any]:
        made = _object("v1", "ServiceAccount", f"account-{number}", self._place(number), app=_app(number))
        if self._draw.random() < 0.2:
            made["automountServiceAccountToken"] = False
        if self._draw.random() < 0.1:
            role = f"arn:aws:iam::111122223333:role/{_app(number)}"
            made["metadata"]["annotations"] = {"eks.amazonaws.com/role-arn": role}
        return made

    def _rules(self) -> list[dict[str, Any]]:
        named = {"resourceNames": [self._any("secret", self._size.secrets)]}
        kinds = (
            ({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}, 30),
            ({"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]}, 25),
            ({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "patch", "update"]}, 15),
            ({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "get", "update"]}, 15),
            ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]} | named, 12),
            ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}, 5),
            ({"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "delete"]}, 4),
            ({"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}, 3),
            ({"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}, 1),
            ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, 1),
        )
        rules, weights = zip(*kinds, strict=True)
        return self._draw.choices(rules, weights, k=self._draw.choice((1, 2, 2, 3, 4)))

    def _role(self, number: int) -> dict[str, Any]:
        return _object(f"{RBAC}/v1", "Role", f"role-{number}", self._place(number), app=_app(number)) | {
            "rules": self._rules()
        }

    def _cluster_role(self, number: int) -> dict[str, Any]:
        made = _object(f"{RBAC}/v1", "ClusterRole", f"estate-role-{number}", app=_app(number)) | {
            "rules": self._rules()
        }
        if self._draw.random() < 0.1:
            made["metadata"]["labels"][f"{RBAC}/aggregate-to-view"] = "true"
        return made

    def _subject(self, number: int) -> dict[str, Any]:
        kind = self._draw.choices(("same", "other", "group", "user"), (70, 15, 10, 5))[0]
        if kind in {"same", "other"}:
            many = self._size.service_accounts
            account = self._peer(number, many) if kind == "same" else self._draw.randrange(max(1, many))
            return {"kind": "ServiceAccount", "name": f"account-{account}", "namespace": self._place(account)}
        name = self._draw.choice(GROUPS) if kind == "group" else f"user-{self._draw.randrange(200)}@example.com"
        return {"apiGroup": RBAC, "kind": kind.capitalize(), "name": name}

    def _role_binding(self, number: int) -> dict[str, Any]:
        if self._draw.random() < 0.75:
            role = {"kind": "Role", "name": f"role-{self._peer(number, self._size.roles)}"}
        else:
            own = self._any("estate-role", self._size.cluster_roles)
            role = {"kind": "ClusterRole", "name": self._draw.choice(("view", "view", "edit", "admin", own))}
        return _object(f"{RBAC}/v1", "RoleBinding", f"binding-{number}", self._place(number), app=_app(number)) | {
            "roleRef": {"apiGroup": RBAC, **role},
            "subjects": [self._subject(number) for _ in range(self._draw.choice((1, 1, 1, 2, 3)))],
        }

    def _cluster_role_binding(self, number: int) -> dict[str, Any]:
        name = self._any("estate-role", self._size.cluster_roles)
        return _object(f"{RBAC}/v1", "ClusterRoleBinding", f"estate-binding-{number}", app=_app(number)) | {
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
            "subjects": [self._subject(number)],
        }

    def _secret(self, number: int) -> dict[str, Any]:
        kind = self._draw.choices(("Opaque", "kubernetes.io/tls", "kubernetes.io/dockerconfigjson"), (85, 10, 5))[0]
        match kind:
            case "Opaque":
                address = f"postgres://{_app(number)}:{self._credential()}@db.internal:5432/main"
                values = {"username": _app(number), "password": self._credential(), "url": address}
                values |= {f"API_KEY_{index}": self._credential() for index in range(self._draw.randrange(4))}
            case "kubernetes.io/tls":
                values = {"tls.crt": "a certificate\n", "tls.key": f"{self._credential()}\n"}
            case _:
                login = f'{{"username":"ci","password":"{self._credential()}"}}'
                config = f'{{"auths":{{"registry.internal":{login}}}}}'
                values = {".dockerconfigjson": config}
        data = {key: _base64(value) for key, value in values.items()}
        place = self._place(number)
        return _object("v1", "Secret", f"secret-{number}", place, app=_app(number)) | {"type": kind, "data": data}

    def _config_map(self, number: int) -> dict[str, Any]:
        lines = [f"server.port={8000 + number % 1000}", "server.tls=true", f"app.name={_app(number)}"]
        lines += [f"feature.{self._draw.choice(WORDS)}.{index}=on" for index in range(self._draw.randrange(40))]
        if self._draw.random() < 0.1:
            lines.append(f"spring.datasource.password={self._credential()}")
        data = {"application.properties": "\n".join(lines), "LOG_LEVEL": self._draw.choice(("info", "debug"))}
        return _object("v1", "ConfigMap", f"config-{number}", self._place(number), app=_app(number)) | {"data": data}

    def _deployment(self, number: int) -> dict[str, Any]:
        size = self._size
        secret = f"secret-{self._peer(number, size.secrets)}"
        env: list[dict[str, Any]] = [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "HTTP_PORT", "value": "8080"},
            {"name": "DB_HOST", "value": "db.internal"},
        ]
        if self._draw.random() < 0.5:
            env.append({"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": secret, "key": "password"}}})
        if self._draw.random() < 0.1:
            env.append({"name": "API_TOKEN", "value": self._credential()})
        container = {
            "name": "app",
            "image": f"registry.internal/{_app(number)}:1.{number % 40}.0",
            "args": ["serve", "--listen=:8080"],
            "env": env,
            "envFrom": [{"configMapRef": {"name": f"config-{self._peer(number, size.config_maps)}"}}],
            "ports": [{"containerPort": 8080, "name": "http"}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True},
            "volumeMounts": [{"name": "secrets", "mountPath": "/run/secrets/app", "readOnly": True}],
        }
        labels = {"app.kubernetes.io/name": _app(number), "app.kubernetes.io/instance": f"app-{number}"}
        pod = {
            "serviceAccountName": f"account-{self._peer(number, size.service_accounts)}",
            "containers": [container],
            "volumes": [{"name": "secrets", "secret": {"secretName": secret}}],
        }
        return _object("apps/v1", "Deployment", f"app-{number}", self._place(number), **labels) | {
            "spec": {
                "replicas": self._draw.choice((1, 2, 3)),
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            }
        }


def _namespace_name(number: int) -> str:
    return f"team-{WORDS[number % len(WORDS)]}-{number}"


def _app(number: int) -> str:
    return f"{WORDS[number % len(WORDS)]}-{PARTS[number % len(PARTS)]}"


def _object(version: str, kind: str, name: str, namespace: str = "", **labels: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata | ({"namespace": namespace} if namespace else {})}


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
