"""The views of `docs/views.md` as variables of an admission policy, each computed from the admitted object alone.

Written for the CEL of Kubernetes 1.30 and later: no `cel.bind`, no loops with two variables, no `flatten`. What a view
takes from other objects, from the classification of values or from the clock has no variable here; `obstacles` says
why.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from auditor.model.record import record
from auditor.policy.admission import grant_view, pod_view, rewriting, store_view
from auditor.policy.admission.constants import names, with_name
from auditor.workloads import Workload

_CLASSES = (
    "it needs the classification of values (a credential, a reference, a placeholder), which CEL in an API server "
    "cannot do"
)
_SOURCES = "it reads the objects that make a Secret, and an admission policy sees one object"
_ACCOUNTS = "it reads ServiceAccounts and their bindings, and an admission policy sees one object"

_CERTIFICATES = "it reads X.509 certificates, which CEL in an API server cannot do"
_HOSTS = "it reads Ingresses and Gateways, and an admission policy sees one object"
_TODAY = "it needs the date of the day, which CEL in an API server does not have"

_MISSING: Mapping[str, str] = {
    "literals": _CLASSES,
    "encrypted": _CLASSES,
    "deliveries": _SOURCES,
    "automount": _ACCOUNTS,
    "holder": "it reads the accounts that a binding names, and an admission policy sees one object",
    "certificates": _CERTIFICATES,
    "certificate_unread": _CERTIFICATES,
    "tls_hosts": _HOSTS,
    "tls_hosts_unread": _HOSTS,
    "age_days": _TODAY,
    "written_days": _TODAY,
}
"""Views that no API server can compute from one object, and why."""

_ACCOUNT_FIELDS = frozenset({"name", "namespace"})
"""What the pod itself says of its account. Whether it names one is lost: the API server fills the name in."""

LOOPED = "variables.secret_refs"
"""The view that is several nested lists. CEL of Kubernetes 1.30 cannot join them, so only loops can go over it."""

_NAMED_FLAG = re.compile(
    r'"(?P<asked>[\w-]+)"\s+in\s+variables\.flags\b'
    r'|\bvariables\.flags\[\??"(?P<taken>[\w-]+)"\]'
)
_FLAGS = re.compile(r"\bvariables\.flags\b")
# The groups whose kinds have types without a group; `auditor.collectors.manifests.resource_type` decides the same.
_WITHOUT_GROUP = names({"", "apps", "batch", "policy", "autoscaling", "extensions"})
_TYPE = with_name(
    "group",
    'object.apiVersion.contains("/") ? object.apiVersion.split("/")[0] : ""',
    f'"kubernetes/" + string(object.kind) + (group in {_WITHOUT_GROUP}\n'
    '  || group.endsWith(".k8s.io") && !group.endsWith("x-k8s.io") ? "" : "." + group)',
)


@record
class Scope:
    """What the variables of one admission policy depend on."""

    pods: Sequence[Workload] = ()
    """The kinds with a pod spec among those that are matched."""
    texts: Sequence[str] = ()
    """Every expression of the policy."""
    grants: bool = False
    """Whether the subjects are grants, not the admitted objects themselves."""


def obstacles(text: str) -> list[str]:
    """Return why an API server cannot compute the views that `text` uses, each reason once."""
    found = []
    for view in sorted(rewriting.members(text, "variables")):
        if view in _MISSING:
            found.append(_MISSING[view])
        elif view == "service_account" and not rewriting.members(text, "variables.service_account") <= _ACCOUNT_FIELDS:
            found.append(_ACCOUNTS)
        elif view == "flags" and len(_FLAGS.findall(text)) != len(_NAMED_FLAG.findall(text)):
            found.append("it uses the flags of a program as a whole, and an API server can look for named ones only")
        elif f"variables.{view}" == LOOPED and not found:
            found.append("it uses secret_refs outside of `each`, and CEL of Kubernetes 1.30 cannot join nested lists")
        elif f"variables.{view}" != LOOPED and view not in _VARIABLES and not view.startswith("param_"):
            found.append(f"it uses {view or 'all variables at once'}, which this export does not know")
    return list(dict.fromkeys(found))


def lacking(variable: str, text: str) -> list[str]:
    """Return why `text` cannot be judged of an element `variable` of the view `secret_refs`; empty where it can."""
    return [] if rewriting.members(text, variable) <= pod_view.REFERENCE_FIELDS else [_SOURCES]


def variables(scope: Scope) -> list[dict[str, str]]:
    """Return the variables that the texts of `scope` use, each after those that it needs itself."""
    made: dict[str, str] = {}

    def add(text: str) -> None:
        for name in sorted(rewriting.members(text, "variables")):
            if name in _VARIABLES and name not in made:
                expression = _VARIABLES[name](scope)
                add(expression)
                made[name] = expression

    for text in scope.texts:
        add(text)
    return [{"name": name, "expression": expression} for name, expression in made.items()]


def _subject(scope: Scope) -> str:
    if scope.grants:
        return grant_view.SUBJECT
    type_ = f'"type": {_TYPE}, ' if re.search(r"\bsubject\.type\b", " ".join(scope.texts)) else ""
    return (
        f'{{{type_}"kind": string(object.kind), "name": string(object.metadata.?name.orValue("without a name")),\n'
        '  "namespace": string(object.metadata.?namespace.orValue(""))}'
    )


def _flags(scope: Scope) -> str:
    found = _NAMED_FLAG.finditer("\n".join(scope.texts))
    return pod_view.flags({match["asked"] or match["taken"] for match in found})


def _same(text: str) -> Callable[[Scope], str]:
    return lambda _: text


_VARIABLES: Mapping[str, Callable[[Scope], str]] = {
    "subject": _subject,
    "pod": lambda scope: pod_view.pod(scope.pods),
    "pod_metadata": lambda scope: pod_view.pod_metadata(scope.pods),
    "flags": _flags,
    "principals": lambda _: grant_view.principals(),
    "grants": lambda _: grant_view.GRANTS,
    **{name: _same(text) for table in (pod_view.VARIABLES, store_view.VARIABLES) for name, text in table.items()},
}
