"""Facts of the type `fact/kubernetes-grant` as far as a binding alone tells them: who holds which role where.

What the role gives (`rules`), and whether it is known or built in, stands in another object. The same decisions as
`auditor.access.kubernetes.grants`.
"""

from auditor.access.kubernetes import built_in
from auditor.access.kubernetes.bindings import PrincipalKind
from auditor.access.kubernetes.rbac import AUTHENTICATED, SERVICE_ACCOUNTS, UNAUTHENTICATED
from auditor.policy.admission import rewriting
from auditor.policy.admission.constants import constant, names
from auditor.policy.admission.kinds import kind

FACT = "fact/kubernetes-grant"
BINDINGS = ("kubernetes/ClusterRoleBinding", "kubernetes/RoleBinding")

GRANT = "grant"
"""Stands for `object` in the text of a policy about grants."""

_FIELDS = frozenset({"principal", "binding", "role", "scope", "namespace", "unbound"})

# What `rbac.split_account` takes for the user name of an account.
_ACCOUNT = "^system:serviceaccount:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$"
_NAMESPACE = 'object.metadata.?namespace.orValue("")'


def obstacles(text: str) -> list[str]:
    """Return why a binding alone does not tell what `text` asks of a grant, the variable `object`."""
    if rewriting.members(text, "object") <= _FIELDS and "built_in" not in rewriting.words(text):
        return []
    return ["it judges what the role of a binding allows, which stands in another object"]


def principals() -> str:
    """Return the expression of the variable `principals`: the subjects of the binding that is admitted."""
    shipped = built_in.load()
    of = {
        kind: names(
            f"{principal.namespace}/{principal.name}" if principal.namespace else principal.name
            for principal in shipped.principals
            if principal.kind is kind
        )
        for kind in PrincipalKind
    }
    users, groups = (
        " || ".join(f"p.name.startsWith({constant(prefix)})" for prefix in sorted(prefixes))
        for prefixes in (shipped.user_prefixes, shipped.group_prefixes)
    )
    open_ended = names({AUTHENTICATED, UNAUTHENTICATED, SERVICE_ACCOUNTS})
    return (
        "object.?subjects.orValue([])\n"
        '  .filter(s, s.kind in ["User", "Group", "ServiceAccount"] && s.name != "")\n'
        f'  .map(s, s.kind == "User" && s.name.matches({constant(_ACCOUNT)})\n'
        '    ? {"kind": "ServiceAccount", "namespace": s.name.split(":")[2], "name": s.name.split(":")[3]}\n'
        '    : {"kind": string(s.kind), "namespace": string(s.kind != "ServiceAccount" ? ""\n'
        f'        : s.?namespace.orValue("") != "" ? s.namespace : {_NAMESPACE}), "name": string(s.name)}})\n'
        '  .map(p, {"kind": dyn(p.kind), "name": dyn(p.name), "namespace": dyn(p.namespace),\n'
        '    "key": dyn(p.kind + " " + (p.namespace == "" ? "" : p.namespace + "/") + p.name),\n'
        f'    "system": dyn(p.kind == "User" ? p.name in {of[PrincipalKind.USER]} || {users}\n'
        f'      : p.kind == "Group" ? p.name in {of[PrincipalKind.GROUP]} || {groups}\n'
        f'      : p.namespace + "/" + p.name in {of[PrincipalKind.SERVICE_ACCOUNT]}),\n'
        f'    "open_ended": dyn(p.kind == "Group" && (p.name in {open_ended}\n'
        f"      || p.name.startsWith({constant(SERVICE_ACCOUNTS + ':')})))}})"
    )


SUBJECT = (
    f'{{"type": {constant(FACT)}, "kind": {constant(kind(FACT))},\n'
    f'  "name": string(object.kind) + "/" + string(object.metadata.name), "namespace": string({_NAMESPACE})}}'
)

GRANTS = (
    "variables.principals.map(p, {\n"
    '  "principal": dyn(p), "scope": dyn(object.kind == "RoleBinding" ? "namespace" : "cluster"),\n'
    f'  "namespace": dyn({_NAMESPACE}), "unbound": dyn(false),\n'
    '  "binding": dyn({"kind": dyn(object.kind), "name": dyn(object.metadata.name),\n'
    f'    "namespace": dyn({_NAMESPACE})}}),\n'
    '  "role": dyn({"kind": dyn(object.roleRef.kind), "name": dyn(object.roleRef.name),\n'
    f'    "namespace": dyn(object.roleRef.kind == "Role" ? {_NAMESPACE} : "")}})}})'
)
"""The expression of the variable `grants`, which needs `principals`."""
