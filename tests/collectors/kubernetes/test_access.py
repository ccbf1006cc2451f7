# ruff: noqa: E501 - tables read best with one case a line
"""Every way in which a kubeconfig says who we are, against a real API server; its mistakes, told without a value."""

import base64
import contextlib
import json
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.collectors.kubernetes import plan, plugins
from auditor.collectors.kubernetes.access import load
from auditor.collectors.kubernetes.kinds import KINDS
from auditor.model.collection import CallResult, Identity
from auditor.model.errors import AuditorError, InputError
from auditor.model.settings import Impersonation, KubernetesSource
from tests.collectors.kubernetes.collecting import Recording, collected
from tests.servers.kubernetes import Kubernetes
from tests.servers.proxy import Fault, spoiling, status

CANARY = "canary-credential-9f27c1"
ROLE = "kubernetes/ClusterRole"


@pytest.fixture(autouse=True)
def one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "KINDS", tuple(kind for kind in KINDS if kind.type == ROLE))


def who(kubeconfig: Path | None, **settings: Any) -> Identity:
    """Return whom the server takes us for, after a list that succeeded."""
    sink = collected(kubeconfig, **settings)
    assert sink.call_of(ROLE).result in {CallResult.READ, CallResult.FORBIDDEN}
    (source,) = sink.sources
    assert source.facts["identityFrom"] == "server"
    assert source.identity is not None
    return source.identity


def edited(kubeconfig: Path, **parts: Mapping[str, Any]) -> Path:
    """Change the first `cluster`, `user` or `context` of a kubeconfig."""
    content = yaml.safe_load(kubeconfig.read_text())
    for part, more in parts.items():
        content[f"{part}s"][0][part] |= more
    kubeconfig.write_text(yaml.safe_dump(content))
    return kubeconfig


def encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


# Who we are.


def test_a_token(kube: Kubernetes) -> None:
    assert who(kube.kubeconfig("alice")).user == "alice"


def test_a_token_in_a_file(kube: Kubernetes, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{kube.token('alice')}\n")
    assert who(kube.kubeconfig(credentials={"tokenFile": str(tmp_path / "token")})).user == "alice"


def test_a_service_account_token(kube: Kubernetes, namespace: str) -> None:
    kube.admin.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "r", "namespace": namespace}})
    identity = who(kube.kubeconfig(token=kube.service_account_token(namespace, "r")))
    assert identity.user == f"system:serviceaccount:{namespace}:r"
    assert f"system:serviceaccounts:{namespace}" in identity.groups


def test_a_client_certificate_in_files(kube: Kubernetes) -> None:
    identity = who(kube.kubeconfig(certificate=kube.certificate("ada", "engineers")))
    assert (identity.user, "engineers" in identity.groups) == ("ada", True)


def test_a_client_certificate_as_data_leaves_no_key_in_a_file(kube: Kubernetes) -> None:
    """The official package writes it into a temporary file and keeps it there until the end of the program."""
    made = kube.certificate("ada")
    credentials = {
        "client-certificate-data": encoded(made.certificate),
        "client-key-data": encoded(made.key),
    }
    kubeconfig = kube.kubeconfig(credentials=credentials)
    edited(kubeconfig, cluster={"certificate-authority-data": encoded(kube.ca_file)})
    before = set(Path(tempfile.gettempdir()).iterdir())
    assert who(kubeconfig).user == "ada"
    key = made.key.read_bytes()
    for file in set(Path(tempfile.gettempdir()).iterdir()) - before:
        assert not file.is_file() or key not in file.read_bytes()


@pytest.mark.parametrize("kind", ["token", "certificate"])
def test_a_plugin(kind: str, kube: Kubernetes, tmp_path: Path) -> None:
    made = kube.certificate("ada")
    given = (
        {"token": kube.token("alice")}
        if kind == "token"
        else {"clientCertificateData": made.certificate.read_text(), "clientKeyData": made.key.read_text()}
    )
    assert who(kube.kubeconfig(credentials=plugin(tmp_path, given))).user == ("alice" if kind == "token" else "ada")


def plugin(folder: Path, given: Any, *, version: str = "client.authentication.k8s.io/v1", code: int = 0) -> Any:
    """Return credentials with a plugin that prints what is in a file, so that it can be changed later."""
    told = (
        given
        if isinstance(given, str)
        else json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": given})
    )
    (folder / "told").write_text(told)
    program = folder / "plugin"
    program.write_text(
        f"#!/bin/sh\necho run >> {folder}/runs\necho '{CANARY}' >&2\ntest -n \"$KUBERNETES_EXEC_INFO\" || exit 9\n"
        f'test "$MODE" = fast || exit 8\ncat {folder}/told\nexit {code}\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = [{"name": "MODE", "value": "fast"}]
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program), "env": environment}}


def test_a_plugin_that_is_named_relative_to_the_kubeconfig(kube: Kubernetes) -> None:
    credentials = plugin(kube.folder, {"token": kube.token("alice")})
    credentials["exec"]["command"] = "./plugin"
    assert who(kube.kubeconfig(credentials=credentials)).user == "alice"


def test_a_token_that_expires_in_mid_run_is_renewed(kube: Kubernetes, tmp_path: Path) -> None:
    """A cloud's plugin gives tokens for minutes. Here the list is refused until the plugin gives another one."""
    kubeconfig = kube.kubeconfig(credentials=plugin(tmp_path, {"token": kube.token("alice")}))

    def refuse(exchange: Any) -> None:
        (tmp_path / "told").write_text(
            (tmp_path / "told").read_text().replace(kube.token("alice"), kube.token("admin"))
        )
        status(401)(exchange)

    with spoiling(kube, Fault(f"/apis/{plan.KINDS[0].group}/v1/clusterroles", refuse, times=1)) as proxy:
        edited(kubeconfig, cluster={"server": proxy.url})
        sink = collected(kubeconfig)
    assert sink.call_of(ROLE).result is CallResult.READ
    assert sink.call_of(ROLE).retries == 1
    assert (tmp_path / "runs").read_text().count("run") == 2


def test_a_credential_that_is_refused_for_good_is_renewed_once(kube: Kubernetes, tmp_path: Path) -> None:
    """A plugin may ask a person: it is not run again for every list."""
    kubeconfig = kube.kubeconfig(credentials=plugin(tmp_path, {"token": kube.token("alice")}))
    with spoiling(kube, Fault("/apis/rbac.*", status(401))) as proxy:
        edited(kubeconfig, cluster={"server": proxy.url})
        sink = collected(kubeconfig)
    assert sink.call_of(ROLE).result is CallResult.UNAUTHENTICATED
    assert (tmp_path / "runs").read_text().count("run") == 2


def test_the_account_of_the_pod_we_run_in(
    kube: Kubernetes, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kubernetes.config import incluster_config

    kube.admin.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "r", "namespace": namespace}})
    (tmp_path / "token").write_text(kube.service_account_token(namespace, "r") + "\n")
    (tmp_path / "ca.crt").write_bytes(kube.ca_file.read_bytes())
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    host, _, port = kube.url.removeprefix("https://").partition(":")
    environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    sink = collected(None, environ=environ, in_cluster=True)
    assert sink.sources[0].identity.user == f"system:serviceaccount:{namespace}:r"  # type: ignore[union-attr]  # it is told


def test_outside_of_a_pod_there_is_no_such_account() -> None:
    with pytest.raises(InputError, match="no ServiceAccount of a pod here"):
        load(KubernetesSource(in_cluster=True), environ={})


# Impersonation.


def test_whom_auditor_yaml_says_to_act_as(kube: Kubernetes) -> None:
    identity = who(kube.kubeconfig(), impersonate=Impersonation(user="ada", groups=("readers", "night")))
    assert identity == Identity(
        user="ada", groups=("readers", "night", "system:authenticated"), impersonated_by="admin"
    )


def test_whom_the_kubeconfig_says_to_act_as(kube: Kubernetes) -> None:
    """The official package passes over it: we would read as somebody with more rights, and say nothing."""
    identity = who(kube.kubeconfig(impersonate="ada", impersonate_groups=["readers", "night"]))
    assert (identity.user, identity.impersonated_by) == ("ada", "admin")
    assert set(identity.groups) == {"readers", "night", "system:authenticated"}


def test_uid_and_extra_of_a_kubeconfig_reach_the_server(kube: Kubernetes) -> None:
    kubeconfig = kube.kubeconfig(impersonate="ada")
    edited(kubeconfig, user={"as-uid": "0815", "as-user-extra": {"example.com/team": ["a", "b"]}})
    since = kube.audit_position()
    assert who(kubeconfig).user == "ada"
    seen = [event["impersonatedUser"] for event in kube.audit_events(since) if "impersonatedUser" in event]
    assert {"uid": "0815", "extra": {"example.com/team": ["a", "b"]}}.items() <= seen[0].items()


def test_auditor_yaml_goes_before_the_kubeconfig(kube: Kubernetes) -> None:
    identity = who(kube.kubeconfig(impersonate="ada"), impersonate=Impersonation(user="grace"))
    assert identity.user == "grace"


# Where the cluster is.


def test_a_context_by_its_name_and_several_kubeconfigs(kube: Kubernetes) -> None:
    one, two = kube.kubeconfig("alice", context="one"), kube.kubeconfig("bob", context="two")
    environ = {**os.environ, "KUBECONFIG": f"{one}{os.pathsep}{two}"}
    for context, user in (("one", "alice"), ("two", "bob")):
        sink = collected(None, environ=environ, context=context)
        assert sink.sources[0].identity.user == user  # type: ignore[union-attr]  # it is told
        assert sink.sources[0].scope["context"] == context


def test_an_authority_of_our_own(kube: Kubernetes) -> None:
    kubeconfig = kube.kubeconfig("alice")
    content = yaml.safe_load(kubeconfig.read_text())
    del content["clusters"][0]["cluster"]["certificate-authority"]
    kubeconfig.write_text(yaml.safe_dump(content))
    with pytest.raises(AuditorError, match="certificate that is not trusted"):
        who(kubeconfig)
    assert who(kubeconfig, certificate_authority=kube.ca_file).user == "alice"


def test_a_server_that_is_not_verified_is_on_record(kube: Kubernetes) -> None:
    kubeconfig = kube.kubeconfig("alice")
    content = yaml.safe_load(kubeconfig.read_text())
    content["clusters"][0]["cluster"] = {"server": kube.url, "insecure-skip-tls-verify": True}
    kubeconfig.write_text(yaml.safe_dump(content))
    sink = collected(kubeconfig)
    assert sink.sources[0].facts["certificateVerified"] is False
    assert sink.call_of(ROLE).status is not None


def test_another_name_in_the_certificate(kube: Kubernetes) -> None:
    kubeconfig = kube.kubeconfig("alice")
    address = kube.url.replace("127.0.0.1", "127.0.0.2")
    assert edited(kubeconfig, cluster={"server": address}) == kubeconfig
    with pytest.raises(AuditorError):
        who(kubeconfig, timeout=2)
    edited(kubeconfig, cluster={"server": kube.url, "tls-server-name": "kubernetes.default.svc"})
    assert who(kubeconfig).user == "alice"
    edited(kubeconfig, cluster={"tls-server-name": "elsewhere.example"})
    with pytest.raises(AuditorError, match="certificate that is not trusted"):
        who(kubeconfig)


@pytest.mark.parametrize("by", ["settings", "kubeconfig", "environment"])
def test_through_a_proxy(by: str, kube: Kubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    kubeconfig = kube.kubeconfig("alice")
    with tunnel() as (url, asked):
        proxy = url.replace("//", f"//robot:{CANARY}@") if by != "settings" else url
        if by == "kubeconfig":
            edited(kubeconfig, cluster={"proxy-url": proxy})
        if by == "environment":
            monkeypatch.setenv("HTTPS_PROXY", proxy)
            monkeypatch.delenv("NO_PROXY", raising=False)
            monkeypatch.delenv("no_proxy", raising=False)
        sink = collected(kubeconfig, proxy=proxy if by == "settings" else "")
    assert sink.sources[0].identity.user == "alice"  # type: ignore[union-attr]  # it is told
    assert asked
    assert all(head.startswith(f"CONNECT {kube.url.removeprefix('https://')} ") for head in asked)
    if by != "settings":
        expected = base64.b64encode(f"robot:{CANARY}".encode()).decode()
        assert all(f"Basic {expected}" in head for head in asked), "it is told to the proxy"
    assert CANARY not in repr((sink.sources, sink.calls)), "and to nobody else"


@contextlib.contextmanager
def tunnel() -> Iterator[tuple[str, list[str]]]:  # noqa: C901 - one server, with all that it opens
    """Yield the address of a proxy that tunnels, and what it was asked."""
    asked: list[str] = []
    opened: list[socket.socket] = []
    threads: list[threading.Thread] = []
    server = socket.create_server(("127.0.0.1", 0))

    def started(target: Callable[..., None], *arguments: socket.socket) -> None:
        threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        threads[-1].start()

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                opened.append(client)
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(4096)
                asked.append(head.decode())
                host, _, port = head.split(b" ")[1].decode().partition(":")
                upstream = socket.create_connection((host, int(port)))
                opened.append(upstream)
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                for pair in ((client, upstream), (upstream, client)):
                    started(pump, *pair)

    started(serve)
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
    finally:
        for one in (server, *opened):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(10)
        for one in (server, *opened):
            one.close()


# Mistakes. None of the texts may hold a value of the kubeconfig.

GOOD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": CANARY}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}


def with_user(**user: Any) -> dict[str, Any]:
    return GOOD | {"users": [{"name": "u", "user": user}]}


def with_cluster(**cluster: Any) -> dict[str, Any]:
    return GOOD | {"clusters": [{"name": "c", "cluster": cluster}]}


BROKEN: dict[str, tuple[Any, str]] = {
    "no-yaml": (f"users: [{{token: {CANARY}\n - a: b", "cannot be read"),
    "empty": ("", "cannot be read"),
    "a-list": (f"[{CANARY}]", "cannot be read"),
    "no-current-context": (GOOD | {"current-context": ""}, "has no current context"),
    "another-context": (GOOD | {"current-context": "y"}, "has no context y"),
    "no-such-cluster": (GOOD | {"clusters": []}, "names a cluster that is not in it"),
    "no-such-user": (GOOD | {"users": []}, "names a user that is not in it"),
    "no-server": (with_cluster(**{"insecure-skip-tls-verify": True}), "names no server"),
    "a-server-that-is-none": (with_cluster(server=f"ftp://{CANARY}"), "is no address of an API server"),
    "a-server-with-a-password": (with_cluster(server=f"https://a:{CANARY}@h:1"), "is no address of an API server"),
    "a-token-of-two-lines": (with_user(token=f"{CANARY}\nX-Injected: 1"), "holds characters that no token has"),
    "a-token-that-is-not-ascii": (with_user(token=f"{CANARY}ü"), "holds characters that no token has"),
    "an-authority-that-is-not-there": (
        with_cluster(server="https://h:1", **{"certificate-authority": f"/none/{CANARY}"}),
        "cannot be used",
    ),
    "an-authority-that-is-none": (
        with_cluster(server="https://h:1", **{"certificate-authority-data": base64.b64encode(CANARY.encode()).decode()}),
        "certificate authority of context x cannot be read",
    ),
    "data-that-is-no-base64": (with_user(**{"client-key-data": CANARY, "client-certificate-data": "%"}), "cannot be used"),
    "a-certificate-that-is-none": (
        with_user(
            **{
                "client-certificate-data": base64.b64encode(CANARY.encode()).decode(),
                "client-key-data": base64.b64encode(CANARY.encode()).decode(),
            }
        ),
        "client certificate of context x cannot be used",
    ),
    "a-user-to-act-as-of-two-lines": (with_user(token="t", **{"as": "a\nb"}), "whom to impersonate holds characters"),
    "a-plugin-that-is-not-there": (
        with_user(exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "/none/get", "args": [CANARY]}),
        "credential plugin get of the kubeconfig cannot be run",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_told_without_a_value(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content, said = BROKEN[name]
    file = tmp_path / "config"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    with caplog.at_level("DEBUG"), pytest.raises(InputError, match=said) as caught:
        load(KubernetesSource(kubeconfig=file), environ=dict(os.environ))
    assert caught.value.hint.endswith((".", "query."))
    told = f"{caught.value} {caught.value.hint} {caught.value.__cause__!r} {caplog.text}"
    assert CANARY not in told


PLUGINS: dict[str, tuple[dict[str, Any], str]] = {
    "fails": ({"given": {"token": CANARY}, "code": 3}, "ended with code 3"),
    "prints-no-json": ({"given": f"token: {CANARY}"}, "did not print JSON"),
    "prints-another-version": (
        {"given": {"token": CANARY}, "version": "x/v1"},
        "did not print a credential of the ver",
    ),
    "prints-no-credential": ({"given": {"note": CANARY}}, "gave neither a token nor a certificate"),
    "prints-half-a-certificate": ({"given": {"clientCertificateData": CANARY}}, "gave neither a token nor"),
}


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_that_fails_does_not_leave_us_anonymous(
    name: str, kube: Kubernetes, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The official package logs what the plugin printed, and goes on without a credential."""
    arguments, said = PLUGINS[name]
    kubeconfig = kube.kubeconfig(credentials=plugin(tmp_path, arguments.pop("given"), **arguments))
    with caplog.at_level("DEBUG"), pytest.raises(InputError, match=said) as caught:
        load(KubernetesSource(kubeconfig=kubeconfig), environ=dict(os.environ))
    printed = capfd.readouterr()
    assert CANARY not in f"{caught.value} {caught.value.hint} {caplog.text} {printed.out} {printed.err}"


def test_a_plugin_that_hangs_is_ended(kube: Kubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "SECONDS", 0.5)
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sleep", "args": ["60"]}
    with pytest.raises(InputError, match=r"gave no answer in 0\.5 s"):
        load(KubernetesSource(kubeconfig=kube.kubeconfig(credentials={"exec": command})), environ=dict(os.environ))


def test_reading_credentials_ends_whatever_the_package_does(monkeypatch: pytest.MonkeyPatch, kube: Kubernetes) -> None:
    """Its login by OpenID Connect asks a server without a limit."""
    from kubernetes.config import kube_config

    ended = threading.Event()
    monkeypatch.setattr(plugins, "SECONDS", -4.8)
    monkeypatch.setattr(kube_config.KubeConfigLoader, "_load_authentication", lambda _: ended.wait(20))
    try:
        with pytest.raises(InputError, match="took longer than"):
            load(KubernetesSource(kubeconfig=kube.kubeconfig()), environ=dict(os.environ))
    finally:
        ended.set()


def test_credentials_are_not_in_what_an_access_shows_of_itself(kube: Kubernetes) -> None:
    found = load(KubernetesSource(kubeconfig=kube.kubeconfig()), environ=dict(os.environ))
    assert found.authorization == f"Bearer {kube.token('admin')}"
    assert kube.token("admin") not in repr(found)


def test_a_socks_proxy_is_refused_and_not_passed_by(kube: Kubernetes) -> None:
    with pytest.raises(InputError, match="not http or https"):
        collected(kube.kubeconfig(), proxy="socks5://127.0.0.1:1", sink=Recording())
