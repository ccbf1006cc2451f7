"""How a cluster is reached and as whom: a kubeconfig's context, or the ServiceAccount of the pod we run in.

The official `kubernetes` package reads the kubeconfig, so that every form that it knows works here. Three things it
does are not ours: a failing exec plugin would leave us anonymous, it could hang for ever, and texts of its errors quote
the kubeconfig. So plugins are run here, with a limit, and its texts are never shown. Keys that it writes to temporary
files are deleted as soon as they were read.
"""

import importlib
import json
import os
import re
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from auditor.model.errors import InputError
from auditor.model.settings import Impersonation, KubernetesSource

PLUGIN_SECONDS = 60
"""How long a plugin of the kubeconfig may take: some ask the user to log in."""

_PRINTABLE = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_LOADING = threading.Lock()
"""The package keeps the temporary files of all kubeconfigs in one table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a cluster is, and what proves to it who we are. Never shown: it holds credentials."""

    host: str = field(repr=False)
    """`https://HOST:PORT`, with a path in front of the API where there is one; without credentials."""
    endpoint: str
    """As `host`, fit to be shown."""
    context: str
    impersonation: tuple[tuple[str, str], ...] = ()
    """Headers that say whom to act as."""
    authorization: str = field(default="", repr=False)
    """Value of the header, empty with a client certificate or without any credential."""
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    server_name: str = ""
    """Name that the server's certificate must have, where it is not the address."""
    proxy: str = field(default="", repr=False)
    verified: bool = True
    """False: the kubeconfig says that the server's certificate is not to be checked."""
    certificate_subject: str = ""
    """Common name of the client certificate, empty without one."""


def load(settings: KubernetesSource, *, environ: Mapping[str, str]) -> Access:
    """Return how the cluster of `settings` is reached.

    Plugins of the kubeconfig are run, so this may take `PLUGIN_SECONDS`. Raises `InputError` for what a user can mend.
    """
    loader = _in_cluster if settings.in_cluster else _from_kubeconfig
    with _LOADING:
        try:
            return loader(settings, environ)
        finally:
            # It would leave keys in files until the end of the program.
            _package("config.kube_config")._cleanup_temp_files()  # noqa: SLF001


def headers(access: Access, *, impersonate: bool) -> list[tuple[str, str]]:
    """Return the headers that say who we are, and whom to act as."""
    own = [("Authorization", access.authorization)] if access.authorization else []
    return [*own, *(access.impersonation if impersonate else ())]


def kubeconfig_of(settings: KubernetesSource, environ: Mapping[str, str]) -> str:
    """Return the path, or several as `KUBECONFIG` has them, of the kubeconfig that `settings` mean."""
    return str(settings.kubeconfig) if settings.kubeconfig else environ.get("KUBECONFIG") or "~/.kube/config"


def contexts(paths: str) -> tuple[tuple[str, ...], str]:
    """Return the names of the contexts in a kubeconfig, and the current one. Raises `InputError`."""
    config = _merged(paths)
    names = tuple(str(entry.get("name", "")) for entry in _entries(config, "contexts"))
    return names, str(config.get("current-context") or "")


def _from_kubeconfig(settings: KubernetesSource, environ: Mapping[str, str]) -> Access:
    package = _package("config.kube_config")
    paths = kubeconfig_of(settings, environ)
    content = _merged(paths)
    context, user = _check(content, settings.context, paths)

    class Loader(package.KubeConfigLoader):  # type: ignore[misc, name-defined]  # the package has no types
        """The package's, with a plugin that may fail but not be passed over."""

        def _load_from_exec_plugin(self) -> bool | None:
            if "exec" not in self._user:
                return None
            plugin = self._user["exec"].value
            cluster = self._cluster.value if plugin.get("provideClusterInfo") else None
            status = _run_plugin(plugin, self._get_base_path(self._cluster.path), cluster, environ)
            if status.get("token"):
                self.token = f"Bearer {status['token']}"
            if status.get("clientCertificateData") and status.get("clientKeyData"):
                for name, key in (("cert_file", "clientCertificateData"), ("key_file", "clientKeyData")):
                    content = package.FileOrData(status, None, data_key_name=key, base64_file_content=False)
                    setattr(self, name, content.as_file())
            elif not status.get("token"):
                raise _plugin_failed(plugin, "gave neither a token nor a certificate")
            return True

    configuration = _package("client.configuration").Configuration()
    merged = package.KubeConfigMerger(paths).config
    loader = Loader(merged, active_context=context, config_base_path=None)
    try:
        _within(PLUGIN_SECONDS + 5, lambda: loader.load_and_set(configuration))
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may quote the kubeconfig
        raise InputError(
            f"the context {context} of the kubeconfig cannot be used ({type(error).__name__})",
            hint=f"Check that `kubectl --context {context} version` works; files that it names must exist.",
        ) from None
    return _access(configuration, settings, context=context, user=user)


def _in_cluster(settings: KubernetesSource, environ: Mapping[str, str]) -> Access:
    package = _package("config.incluster_config")
    configuration = _package("client.configuration").Configuration()
    loader = package.InClusterConfigLoader(
        token_filename=package.SERVICE_TOKEN_FILENAME,
        cert_filename=package.SERVICE_CERT_FILENAME,
        try_refresh_token=False,
        environ=environ,
    )
    try:
        loader.load_and_set(configuration)
    except Exception as error:  # noqa: BLE001 - one of many classes, all with the same remedy
        raise InputError(
            f"there is no ServiceAccount of a pod here ({type(error).__name__})",
            hint="`in-cluster: true` works inside of a pod whose token is mounted; elsewhere name a `context`.",
        ) from None
    return _access(configuration, settings, context="in-cluster", user={})


def _access(configuration: Any, settings: KubernetesSource, *, context: str, user: Mapping[str, Any]) -> Access:
    host = str(configuration.host).rstrip("/")
    parts = urlsplit(host)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise InputError(
            f"the server of context {context} is no address of an API server",
            hint="Correct `server` of its cluster in the kubeconfig: https://HOST:PORT, without user or query.",
        )
    authorization = str(configuration.api_key.get("BearerToken") or "").strip()
    if authorization and not _PRINTABLE.fullmatch(authorization):
        raise InputError(
            f"the credential of context {context} holds characters that no token has",
            hint="Check the token, the token file or the plugin that the kubeconfig names.",
        )
    if authorization.startswith("bearer "):
        authorization = f"Bearer {authorization.removeprefix('bearer ').strip()}"
    return Access(
        host=host,
        endpoint=host,
        context=context,
        impersonation=_impersonation(settings.impersonate, user),
        authorization=authorization,
        tls=_tls(configuration, settings, context) if parts.scheme == "https" else None,
        server_name=configuration.tls_server_name or "",
        proxy=_proxy(configuration, settings, host),
        verified=bool(configuration.verify_ssl) or parts.scheme == "http",
        certificate_subject=_common_name(configuration.cert_file),
    )


def _impersonation(wanted: Impersonation | None, user: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the headers of whom to act as. The package passes over what a kubeconfig says of it."""
    if wanted is None and not user.get("as"):
        return ()
    name, groups = (wanted.user, wanted.groups) if wanted else (str(user["as"]), user.get("as-groups") or ())
    found = [("Impersonate-User", name), *(("Impersonate-Group", str(group)) for group in groups)]
    if wanted is None:
        if user.get("as-uid"):
            found.append(("Impersonate-Uid", str(user["as-uid"])))
        for key, values in (user.get("as-user-extra") or {}).items():
            # A key may hold any character; in a header it is written as in a URL.
            found += ((f"Impersonate-Extra-{quote(str(key), safe='')}", str(value)) for value in values or ())
    if any(not _PRINTABLE.fullmatch(value) for _, value in found):
        raise InputError(
            "whom to impersonate holds characters that no name has",
            hint="Correct `impersonate` of the source, or `as` and `as-groups` in the kubeconfig.",
        )
    return tuple(found)


def _proxy(configuration: Any, settings: KubernetesSource, host: str) -> str:
    if settings.proxy:
        return settings.proxy
    bypassed = _package("client.rest").should_bypass_proxies
    if configuration.proxy and not bypassed(host, configuration.no_proxy or ""):
        return str(configuration.proxy)
    return ""


def _tls(configuration: Any, settings: KubernetesSource, context: str) -> ssl.SSLContext:
    authority = settings.certificate_authority or configuration.ssl_ca_cert
    try:
        made = ssl.create_default_context(cafile=str(authority) if authority else None)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"the certificate authority of context {context} cannot be read ({type(error).__name__})",
            hint="Check `certificate-authority` in auditor.yaml and in the kubeconfig: a file with PEM certificates.",
        ) from None
    # Newer Pythons demand extensions that the authorities of many clusters lack, and that no other client demands.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not configuration.verify_ssl:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        try:
            made.load_cert_chain(configuration.cert_file, configuration.key_file or None)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"the client certificate of context {context} cannot be used ({type(error).__name__})",
                hint="Check that certificate and key belong together; a key with a passphrase cannot be used.",
            ) from None
    return made


def _common_name(certificate: str | None) -> str:
    """Return whom a client certificate names: to whom it belongs where the server would not say."""
    from cryptography import x509  # noqa: PLC0415 - slow to import

    if not certificate:
        return ""
    try:
        subject = x509.load_pem_x509_certificate(Path(certificate).read_bytes()).subject
    except (OSError, ValueError):
        return ""
    names = subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _merged(paths: str) -> Mapping[str, Any]:
    """Return the content of a kubeconfig of one or several files, entries as plain maps."""
    try:
        merger = _package("config.kube_config").KubeConfigMerger(paths)
    except Exception as error:  # noqa: BLE001 - its text may quote the file
        raise InputError(
            f"the kubeconfig {paths} cannot be read ({type(error).__name__})",
            hint="Check that it is YAML and that you may read it; `kubectl config view` shows what kubectl reads.",
        ) from None
    if merger.config is None:
        raise InputError(
            f"there is no kubeconfig at {paths}",
            hint="Set `kubeconfig` of the source in auditor.yaml, or KUBECONFIG; inside of a pod `in-cluster: true`.",
        )
    content: Any = merger.config.value
    return content if isinstance(content, dict) else {}


def _entries(config: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = (getattr(entry, "value", entry) for entry in config.get(name) or ())
    return [entry for entry in found if isinstance(entry, dict)]


def _check(config: Mapping[str, Any], wanted: str, paths: str) -> tuple[str, Mapping[str, Any]]:
    """Return the name of the context that is meant and its user, after a look at what it refers to."""
    name = wanted or str(config.get("current-context") or "")
    if not name:
        raise InputError(
            f"the kubeconfig {paths} has no current context",
            hint="Name one as `context` of the source; `kubectl config get-contexts` lists them.",
        )
    found = [entry for entry in _entries(config, "contexts") if entry.get("name") == name]
    if len(found) != 1 or not isinstance(found[0].get("context"), dict):
        raise InputError(
            f"the kubeconfig {paths} has no context {name}",
            hint="Correct `context` of the source; `kubectl config get-contexts` lists them.",
        )
    context = {"cluster": "", **found[0]["context"]}
    for part, plural in (("cluster", "clusters"), ("user", "users")):
        meant = context.get(part)
        if meant and not any(entry.get("name") == meant for entry in _entries(config, plural)):
            raise InputError(
                f"context {name} of the kubeconfig {paths} names a {part} that is not in it",
                hint=f"Add the {part} to the kubeconfig, or name another context.",
            )
    clusters = [
        entry.get("cluster") for entry in _entries(config, "clusters") if entry.get("name") == context["cluster"]
    ]
    if not clusters or not isinstance(clusters[0], dict) or not clusters[0].get("server"):
        # The package would ask localhost, and hand the credential to whatever listens there.
        raise InputError(
            f"context {name} of the kubeconfig {paths} names no server",
            hint="Give its cluster a `server`: https://HOST:PORT.",
        )
    users = [entry.get("user") for entry in _entries(config, "users") if entry.get("name") == context.get("user")]
    return name, users[0] if users and isinstance(users[0], dict) else {}


def _run_plugin(
    plugin: Mapping[str, Any], folder: str, cluster: Mapping[str, Any] | None, environ: Mapping[str, str]
) -> dict[str, Any]:
    """Return the status that a credential plugin prints (client.authentication.k8s.io). Raises `InputError`."""
    version = str(plugin.get("apiVersion") or "")
    info: dict[str, Any] = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    if cluster is not None:
        info["spec"]["cluster"] = {key: value for key, value in cluster.items() if key != "extensions"}
        for extension in cluster.get("extensions") or ():
            if extension.get("name") == "client.authentication.k8s.io/exec":
                info["spec"]["cluster"]["config"] = extension.get("extension")
    variables = {str(item.get("name")): str(item.get("value")) for item in plugin.get("env") or ()}
    try:
        done = subprocess.run(  # noqa: S603 - the user's kubeconfig names it, as for kubectl
            [str(plugin.get("command") or ""), *map(str, plugin.get("args") or ())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=folder or None,
            env={**environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            timeout=PLUGIN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _plugin_failed(plugin, f"gave no answer in {PLUGIN_SECONDS} s") from None
    except OSError as error:
        raise _plugin_failed(plugin, f"cannot be run ({error.strerror})") from None
    if done.returncode:
        raise _plugin_failed(plugin, f"ended with code {done.returncode}")
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise _plugin_failed(plugin, "did not print JSON") from None
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, dict) or answer.get("apiVersion") != version:
        raise _plugin_failed(plugin, "did not print a credential of the version that the kubeconfig names")
    return status


def _plugin_failed(plugin: Mapping[str, Any], what: str) -> InputError:
    # Without its arguments and its output: there may be a token in either.
    name = os.path.basename(str(plugin.get("command") or "(none)"))  # noqa: PTH119 - a name, not a path
    return InputError(
        f"the credential plugin {name} of the kubeconfig {what}",
        hint="Run it by hand, or log in again; `kubectl version` must work without a question.",
    )


def _within(seconds: float, work: Callable[[], object]) -> None:
    """Do `work`, but wait no longer than `seconds`: the package itself sets no limit for what it asks."""
    done: Future[object] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            done.set_exception(error)

    threading.Thread(target=run, daemon=True, name="kubeconfig").start()
    try:
        done.result(seconds)
    except TimeoutError:
        if done.done():
            raise
        raise InputError(
            f"reading the credentials of the kubeconfig took longer than {seconds:g} s",
            hint="Log in again with the tool that made the kubeconfig.",
        ) from None


def _package(module: str) -> Any:
    """Return a module of the official client, which is slow to import and has no types."""
    return importlib.import_module(f"kubernetes.{module}")
