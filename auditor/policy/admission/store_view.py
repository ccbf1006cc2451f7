"""The view `store` as variables of an admission policy: refresh and backend of External Secrets and Vault objects.

The same decisions as `auditor.facts.stores`, which says where they come from. CEL has no recursion: references are
looked for down to `DEPTH` maps below a provider, one more than any published version of those kinds has.
"""

from auditor.model.stores import INTERVALS, ONCE
from auditor.policy.admission.constants import constant, names, with_name

DEPTH = 6

_UNIT = "(?:ns|us|µs|ms|s|m|h)"
_DURATION = f"^(?:(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+){_UNIT})+$"
_NOTHING = f"^(?:(?:0+(?:\\.0*)?|\\.0+){_UNIT})+$"

_ACCOUNTS = names({"serviceAccountRef", "serviceAccount"})


def _references(node: str, *, static: str, account: str) -> str:
    """Return CEL that tells whether a reference below the map `node` satisfies a condition of its kind.

    `static` and `account` are CEL over the reference `at`, for one to a Secret and to a ServiceAccount.
    """
    text = "false"
    for level in range(DEPTH, 0, -1):
        map_, key = f"at{level - 1}", f"key{level}"
        below = f"at{level}"
        is_account = f"{key} in {_ACCOUNTS}"
        is_static = f'has({below}.key) || string({key}).lowerAscii().endsWith("secretref")'
        named = f"has({below}.name) && type({below}.name) == string"
        of_account, of_static = (condition.replace("at.", f"{below}.") for condition in (account, static))
        judged = f"{named} && {is_account} ? {of_account} : {named} && ({is_static}) ? {of_static} : {text}"
        text = (
            f'{map_}.exists({key}, {key} != "caProvider" && (type({map_}[{key}]) == list ? {map_}[{key}] : '
            f"[{map_}[{key}]]).exists({below}, type({below}) == map && ({judged})))"
        )
    return with_name("at0", f'{{"": {node}}}', text)


_LOOSE = '(!has(at.namespace) || type(at.namespace) != string || at.namespace == "")'

_REFRESH_KIND = (
    f"object.kind in {names(kind for kind in INTERVALS if kind.endswith('ExternalSecret'))} "
    f'&& variables.copied.?refreshPolicy.orValue("") in {names(ONCE)} ? "never"\n'
    f': !(object.kind in {names(INTERVALS)}) ? (object.kind == "SecretProviderClass" ? "driver" '
    ': object.kind == "VaultPKISecret" ? "default" : "unknown")\n'
    ': variables.interval == null ? "default"\n'
    ': type(variables.interval) != string ? (variables.interval == 0 ? "never" : "unknown")\n'
    f': variables.interval == "0" || variables.interval.matches({constant(_NOTHING)}) ? "never"\n'
    f': variables.interval.matches({constant(_DURATION)}) ? "interval" : "unknown"'
)

_AZURE = (
    'variables.config.?authType.orValue("") == "ManagedIdentity" ? "controller"\n'
    ': variables.config.?authType.orValue("") == "WorkloadIdentity"\n'
    '  ? (variables.config.?serviceAccountRef.orValue({}).size() > 0 ? "service-account" : "controller")\n'
    ': variables.config.?authSecretRef.?clientCertificate.orValue({}).size() > 0 ? "certificate"\n'
    ': variables.config.?authSecretRef.orValue({}).size() > 0 ? "static" : "other"'
)

_STORE = (
    'variables.provider == "" ? "none"\n'
    f': variables.provider == "azurekv" ? ({_AZURE})\n'
    ': variables.provider == "vault" && has(variables.auth.cert) ? "certificate"\n'
    ': variables.provider == "kubernetes" && variables.auth.?cert.orValue({}).size() > 0 ? "certificate"\n'
    ': variables.provider == "kubernetes" && variables.config.?authRef.orValue({}).size() > 0 ? "static"\n'
    ': variables.refers_to_secret ? "static" : variables.refers_to_account ? "service-account"\n'
    ': variables.provider == "aws" ? "controller"\n'
    ': variables.provider == "gcpsm"\n'
    '  ? (variables.auth.?workloadIdentityFederation.orValue({}).size() > 0 ? "other" : "controller")\n'
    ': variables.provider == "vault" ? (has(variables.auth.kubernetes) || has(variables.auth.iam) ? "controller"\n'
    '  : variables.auth.size() > 0 ? "other" : "none")\n'
    ': variables.provider in ["kubernetes", "fake"] ? "none" : "other"'
)

_METHOD = 'variables.spec.?method.orValue(variables.spec.?defaultAuthMethod.orValue(""))'
_VAULT_AUTH = with_name(
    "method",
    _METHOD,
    with_name(
        "by",
        "type(variables.spec[?method].orValue(null)) == map ? variables.spec[method] : {}",
        'by.size() == 0 ? (method == "" ? "none" : "other")\n'
        ': by.?secretRef.orValue("") != "" || by.?secretIDRef.orValue("") != "" ? "static"\n'
        ': ["serviceAccount", "irsaServiceAccount", "workloadIdentityServiceAccount"].exists(name, '
        'by[?name].orValue("") != "") ? "service-account" : "other"',
    ),
)

_PROVIDER_CLASS = (
    'variables.spec.?provider.orValue("") == "azure" && ["useVMManagedIdentity", "usePodIdentity"].exists(name,\n'
    '    string(variables.spec.?parameters[?name].orValue("")).lowerAscii() == "true") ? "other"\n'
    ': variables.spec.?parameters.?auth.orValue("") == "provider-adc" ? "controller" : "service-account"'
)

_IDENTITY = (
    f'object.kind == "SecretProviderClass" ? ({_PROVIDER_CLASS})\n'
    f': object.kind in ["VaultAuth", "VaultAuthGlobal"] ? {_VAULT_AUTH}\n'
    f': object.kind in ["SecretStore", "ClusterSecretStore"] ? ({_STORE}) : "none"'
)

_COPIED = " : ".join(
    f"object.kind in {names(kind for kind, place in INTERVALS.items() if place[:-1] == (outer,))} "
    f"? variables.spec.?{outer}.orValue({{}})"
    for outer in dict.fromkeys(place[0] for place in INTERVALS.values() if len(place) > 1)
)

VARIABLES = {
    "spec": "type(object.?spec.orValue(null)) == map ? object.spec : {}",
    "copied": f"{_COPIED} : variables.spec",
    "interval": (
        "object.kind in "
        f"{names(kind for kind, place in INTERVALS.items() if place[-1] == 'refreshAfter')}\n"
        "? variables.copied.?refreshAfter.orValue(null) : variables.copied.?refreshInterval.orValue(null)"
    ),
    "refresh_kind": _REFRESH_KIND,
    "refresh": (
        '{"kind": dyn(variables.refresh_kind), "seconds": dyn(variables.refresh_kind == "interval"\n'
        '  ? (duration(variables.interval) + duration("500ms")).getSeconds() : -1)}'
    ),
    "providers": (
        "[variables.spec.?provider.orValue({})].map(entries, type(entries) == map\n"
        '  ? entries.filter(name, name != "" && type(entries[name]) == map) : [])[0]'
    ),
    "provider": 'variables.providers.size() > 0 ? string(variables.providers[0]) : ""',
    "config": 'variables.provider == "" ? {} : variables.spec.provider[variables.provider]',
    "auth": "type(variables.config.?auth.orValue(null)) == map ? variables.config.auth : {}",
    "login": (
        'variables.provider == "vault" && has(variables.auth.kubernetes) ? variables.auth.kubernetes\n'
        ': variables.provider == "vault" && has(variables.auth.iam) ? variables.auth.iam\n'
        ': variables.provider in ["vault", "aws", "gcpsm", "kubernetes"] ? variables.auth : variables.config'
    ),
    "refers_to_secret": _references("variables.login", static="true", account="false"),
    "refers_to_account": _references("variables.login", static="false", account="true"),
    "namespace_from_caller": 'object.kind == "ClusterSecretStore" && '
    + _references("variables.config", static=_LOOSE, account=_LOOSE),
    "identity": _IDENTITY,
    "backend": (
        '{"provider": dyn(object.kind == "SecretProviderClass" ? variables.spec.?provider.orValue("")\n'
        '  : object.kind in ["VaultAuth", "VaultAuthGlobal"] ? "vault" : variables.provider),\n'
        ' "identity": dyn(variables.identity), "namespace_from_caller": dyn(variables.namespace_from_caller)}'
    ),
}
"""Each variable after those that it uses."""
