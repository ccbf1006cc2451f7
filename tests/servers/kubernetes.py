"""A real Kubernetes control plane on loopback: etcd, kube-apiserver and, if wanted, kube-controller-manager.

    with running(folder) as kube:
        kube.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        kubeconfig = kube.kubeconfig("alice")

It has no nodes: pods are stored and stay pending. Everything lies in one folder, and everything that was started has
ended when the context ends, or with the process (see `leash`). Tests use the fixture `kube` of `tests/conftest.py`: one
server for all of them. A test that needs other flags or an empty cluster starts its own, in 3 seconds.
"""

import json
import secrets
import shutil
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import urllib3
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers import build
from tests.servers.api import Api, RefusedError, connect
from tests.servers.certificates import Authority, Certificate, private_pem
from tests.servers.process import LOOPBACK, Server, StartError, on_free_port, wait

ACCOUNTS = (
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
    "namespace-controller",
)
"""The controllers without which a cluster would not be one: default accounts, aggregated roles, deleted namespaces."""
CONTROLLERS = (
    *ACCOUNTS,
    "garbage-collector-controller",
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "cronjob-controller",
)
"""Also those that make a workload's pods, and delete what its owner leaves behind."""


@dataclass(frozen=True, slots=True)
class User:
    """A user who signs in with a fixed token."""

    name: str
    groups: tuple[str, ...] = ()

    @property
    def token(self) -> str:
        return "token-" + sha256(f"auditor-tests {self.name}".encode()).hexdigest()[:32]


ADMIN = User("admin", ("system:masters",))
USERS = (
    ADMIN,
    User("alice", ("developers",)),
    User("bob", ("developers", "operators")),
    User("auditor"),
    User("nobody"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What may differ from server to server."""

    controllers: tuple[str, ...] = CONTROLLERS
    """What the controller manager runs; without any it is not started, and pods need no ServiceAccount."""
    authorizers: tuple[str, ...] = ("RBAC",)
    """In their order; another may need `arguments` of its own, such as `--authorization-webhook-config-file=...`."""
    users: tuple[User, ...] = USERS
    audit_level: str = "Metadata"
    """None, Metadata, Request or RequestResponse."""
    arguments: tuple[str, ...] = ()
    """More flags of the API server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubernetes:
    """A control plane that is running."""

    url: str
    folder: Path
    setup: Setup
    authority: Authority
    serving: Certificate
    """The API server's own certificate, for 127.0.0.1 and localhost at any port: also a proxy's in front of it."""
    admin: Api
    """As `admin` in `system:masters`."""
    servers: tuple[Server, ...]

    @property
    def ca_file(self) -> Path:
        return self.authority.ca_file

    @property
    def audit_log(self) -> Path:
        """One JSON event a line, each written before its request was answered."""
        return self.folder / "audit.log"

    def token(self, user: str) -> str:
        """Return the token of a user of the setup, by its name."""
        return next(known.token for known in self.setup.users if known.name == user)

    def service_account_token(
        self, namespace: str, name: str, *, audiences: Sequence[str] = (), seconds: int = 3600
    ) -> str:
        """Return a token of a ServiceAccount that exists (TokenRequest)."""
        spec = {"audiences": list(audiences), "expirationSeconds": seconds}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        answer = self.admin.request("POST", path, body)
        if answer.status != 201:
            raise RefusedError(answer.status, answer.body, f"POST {path}")
        token: str = answer.json()["status"]["token"]
        return token

    def certificate(self, user: str, *groups: str) -> Certificate:
        """Return a client certificate for any user, of the setup or not."""
        return self.authority.client(user, groups, name=f"client-{secrets.token_hex(4)}")

    def api(self, user: str = "", *, token: str = "", certificate: Certificate | None = None) -> Api:
        """Return the server as a user of the setup, a token or a certificate sees it; without any, as anonymous."""
        return connect(self.url, self.ca_file, token=self.token(user) if user else token, certificate=certificate)

    def kubeconfig(
        self,
        user: str = "admin",
        *,
        token: str = "",
        certificate: Certificate | None = None,
        credentials: dict[str, Any] | None = None,
        server: str = "",
        namespace: str = "",
        impersonate: str = "",
        impersonate_groups: Sequence[str] = (),
        context: str = "tests",
    ) -> Path:
        """Write a kubeconfig with one context and return its path.

        Signs in as `user` of the setup, unless a token, a certificate or other `credentials` (the `user` of a
        kubeconfig: `{"exec": ...}`) are given. `server` is another address for the same server, such as a proxy's.
        """
        if credentials is None and certificate:
            credentials = {"client-certificate": str(certificate.certificate), "client-key": str(certificate.key)}
        signs_in = dict(credentials or {"token": token or self.token(user)})
        if impersonate:
            signs_in |= {"as": impersonate, "as-groups": list(impersonate_groups)}
        cluster = {"server": server or self.url, "certificate-authority": str(self.ca_file)}
        where = {"cluster": context, "user": context} | ({"namespace": namespace} if namespace else {})
        path = self.folder / f"kubeconfig-{secrets.token_hex(4)}"
        path.write_text(json.dumps({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": context, "user": signs_in}],
            "contexts": [{"name": context, "context": where}],
            "current-context": context,
        }))  # fmt: skip
        path.chmod(0o600)
        return path

    def audit_position(self) -> int:
        """Return where the audit log ends now, in bytes."""
        return self.audit_log.stat().st_size

    def audit_events(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the events of answered requests from a position on."""
        with self.audit_log.open("rb") as log:
            log.seek(since)
            for line in log:
                yield json.loads(line)

    def memory(self) -> dict[str, int]:
        """Return each server's resident memory in bytes (Linux)."""
        return {server.name: server.memory() for server in self.servers}


@contextmanager
def running(folder: Path, setup: Setup | None = None) -> Iterator[Kubernetes]:
    """Yield a control plane that is ready, with its files in the empty `folder`.

    Raises:
        StartError: the servers are not built, or one ended or was not ready in time.

    """
    binaries = build.built()
    if binaries is None:
        raise StartError(build.MISSING)
    setup = setup or Setup()
    folder.chmod(0o700)
    authority = Authority(folder)
    serving = authority.serving(LOOPBACK, "localhost", "kubernetes", "kubernetes.default.svc")
    _write_files(folder, setup)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder / "etcd", ignore_errors=True)  # by far the most of the folder
        name = f"tests-{secrets.token_hex(4)}"
        etcd, store = on_free_port(
            stack, lambda port: _etcd(binaries, folder, name, port), lambda port: _is_store(port, name)
        )

        def api(port: int) -> Api:
            return connect(f"https://{LOOPBACK}:{port}", authority.ca_file, token=ADMIN.token)

        server, port = on_free_port(
            stack,
            lambda port: _api_server(binaries, folder, setup, serving, store=store, port=port),
            lambda port: _is_ready(api(port)),
        )
        admin = api(port)
        kube = Kubernetes(
            url=admin.url,
            folder=folder,
            setup=setup,
            authority=authority,
            serving=serving,
            admin=admin,
            servers=(etcd, server),
        )
        if setup.controllers:
            manager = _controller_manager(binaries, kube)
            stack.callback(manager.stop)
            wait(manager, lambda: _is_filled(admin, setup.controllers))
            kube = replace(kube, servers=(*kube.servers, manager))
        yield kube


def _is_ready(admin: Api) -> bool:
    try:
        if admin.request("GET", "/readyz").status != 200:
            return False
        admin.get("/api/v1/namespaces/kube-system")  # made soon after the server is ready
        admin.get("/api/v1/namespaces/default")
    except (urllib3.exceptions.HTTPError, RefusedError):
        return False
    return True


def _is_filled(admin: Api, controllers: tuple[str, ...]) -> bool:
    """Tell whether the controllers did what they do for a new cluster."""
    needed = {
        "serviceaccount-controller": "/api/v1/namespaces/default/serviceaccounts/default",
        "root-ca-certificate-publisher-controller": "/api/v1/namespaces/default/configmaps/kube-root-ca.crt",
    }
    paths = [path for name, path in needed.items() if name in controllers]
    if any(admin.request("GET", path).status != 200 for path in paths):
        return False
    roles = ("view", "edit", "admin") if "clusterrole-aggregation-controller" in controllers else ()
    return all(admin.get(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{role}").get("rules") for role in roles)


def _is_store(port: int, name: str) -> bool:
    """Tell whether the etcd with this name answers at the port, and not somebody else's."""
    asked = f"http://{LOOPBACK}:{port}/v3/cluster/member/list"
    try:
        answer = urllib3.request("POST", asked, body=b"{}", retries=False, timeout=5)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200 and [member.get("name") for member in answer.json()["members"]] == [name]


def _write_files(folder: Path, setup: Setup) -> None:
    tokens = [f'{user.token},{user.name},{user.name},"{",".join(user.groups)}"' for user in setup.users]
    key = ec.generate_private_key(ec.SECP256R1())
    provider = {"aescbc": {"keys": [{"name": "tests", "secret": _base64_key()}]}}
    encryption = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{"resources": ["secrets"], "providers": [provider, {"identity": {}}]}],
    }
    audit = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            # The servers' own traffic; what tests ask about is what clients do.
            {"level": "None", "users": ["system:apiserver", "system:kube-controller-manager"]},
            {"level": "None", "nonResourceURLs": ["/readyz"]},
            {"level": setup.audit_level},
        ],
    }
    for name, content in {
        "tokens.csv": "\n".join(tokens) + "\n",
        "accounts.key": private_pem(key).decode(),
        "encryption.yaml": json.dumps(encryption),
        "audit.yaml": json.dumps(audit),
        "audit.log": "",
    }.items():
        (folder / name).write_text(content)


def _base64_key() -> str:
    return b64encode(secrets.token_bytes(32)).decode()


def _etcd(binaries: Path, folder: Path, name: str, port: int) -> Server:
    shutil.rmtree(folder / "etcd", ignore_errors=True)
    own, peers = f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:0"
    return Server(folder, [
        binaries / "etcd",
        f"--name={name}",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={own}",
        f"--advertise-client-urls={own}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster={name}={peers}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ])  # fmt: skip


def _api_server(binaries: Path, folder: Path, setup: Setup, serving: Certificate, *, store: int, port: int) -> Server:
    without_controllers = () if setup.controllers else ("--disable-admission-plugins=ServiceAccount",)
    return Server(folder, [
        binaries / "kube-apiserver",
        f"--etcd-servers=http://{LOOPBACK}:{store}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={port}",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--allow-privileged=true",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={folder / 'ca.crt'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--authorization-mode={','.join(setup.authorizers)}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={folder / 'accounts.key'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
        f"--encryption-provider-config={folder / 'encryption.yaml'}",
        f"--audit-policy-file={folder / 'audit.yaml'}",
        f"--audit-log-path={folder / 'audit.log'}",
        "--audit-log-maxsize=10000",  # megabytes: never a second file
        "--audit-log-mode=blocking",
        *without_controllers,
        *setup.arguments,
    ])  # fmt: skip


def _controller_manager(binaries: Path, kube: Kubernetes) -> Server:
    certificate = kube.certificate("system:kube-controller-manager", "system:masters")
    kubeconfig = kube.kubeconfig(certificate=certificate)
    return Server(kube.folder, [
        binaries / "kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        "--secure-port=0",
        "--leader-elect=false",
        f"--controllers={','.join(kube.setup.controllers)}",
        f"--root-ca-file={kube.ca_file}",
        f"--service-account-private-key-file={kube.folder / 'accounts.key'}",
        "--use-service-account-credentials=false",
        "--kube-api-qps=1000",
        "--kube-api-burst=1000",
    ])  # fmt: skip
