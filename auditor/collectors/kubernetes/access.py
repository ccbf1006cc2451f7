"""How a cluster is reached and as whom: a kubeconfig's context, or the ServiceAccount of the pod we run in.

The official `kubernetes` package reads the kubeconfig, with plugins of ours (`plugins`) and after a look at what the
context refers to (`kubeconfig`). Its texts are never shown, since they quote the file, and keys that it writes to
temporary files are deleted as soon as they were read.
"""

import re
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from auditor.collectors.kubernetes import kubeconfig, plugins
from auditor.collectors.kubernetes.kubeconfig import official
from auditor.model.errors import InputError
from auditor.model.settings import Impersonation, KubernetesSource

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

    Plugins of the kubeconfig are run, so this may take `plugins.SECONDS`. Raises `InputError` for what a user can mend.
    """
    loader = _in_cluster if settings.in_cluster else _from_kubeconfig
    with _LOADING:
        try:
            return loader(settings, environ)
        finally:
            # It would leave keys in files until the end of the program.
            official("config.kube_config")._cleanup_temp_files()  # noqa: SLF001


def headers(access: Access, *, impersonate: bool) -> list[tuple[str, str]]:
    """Return the headers that say who we are, and whom to act as."""
    own = [("Authorization", access.authorization)] if access.authorization else []
    return [*own, *(access.impersonation if impersonate else ())]


def _from_kubeconfig(settings: KubernetesSource, environ: Mapping[str, str]) -> Access:
    package = official("config.kube_config")
    paths = kubeconfig.path_of(settings, environ)
    content = kubeconfig.merged(paths)
    context, user = kubeconfig.chosen(content, settings.context, paths)

    class Loader(package.KubeConfigLoader):  # type: ignore[misc, name-defined]  # the package has no types
        """The package's, with a plugin that may fail but not be passed over."""

        def _load_from_exec_plugin(self) -> bool | None:
            if "exec" not in self._user:
                return None
            plugin = self._user["exec"].value
            cluster = self._cluster.value if plugin.get("provideClusterInfo") else None
            status = plugins.run(plugin, self._get_base_path(self._cluster.path), cluster, environ)
            if status.get("token"):
                self.token = f"Bearer {status['token']}"
            if status.get("clientCertificateData") and status.get("clientKeyData"):
                for name, key in (("cert_file", "clientCertificateData"), ("key_file", "clientKeyData")):
                    content = package.FileOrData(status, None, data_key_name=key, base64_file_content=False)
                    setattr(self, name, content.as_file())
            elif not status.get("token"):
                raise plugins.failed(plugin, "gave neither a token nor a certificate")
            return True

    configuration = official("client.configuration").Configuration()
    merged = package.KubeConfigMerger(paths).config
    loader = Loader(merged, active_context=context, config_base_path=None)
    try:
        _within(plugins.SECONDS + 5, lambda: loader.load_and_set(configuration))
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may quote the kubeconfig
        raise InputError(
            f"the context {context} of the kubeconfig cannot be used ({type(error).__name__})",
            hint=f"Check that `kubectl --context {context} version` works; files that it names must exist.",
        ) from None
    return _access(configuration, settings, context=context, user=user)


def _in_cluster(settings: KubernetesSource, environ: Mapping[str, str]) -> Access:
    package = official("config.incluster_config")
    configuration = official("client.configuration").Configuration()
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
    bypassed = official("client.rest").should_bypass_proxies
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
