"""Bindings and the principals that they name, of the input and built in."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from auditor.access.kubernetes.rbac import (
    AUTHENTICATED,
    SERVICE_ACCOUNTS,
    UNAUTHENTICATED,
    account_user,
    maps,
    split_account,
)
from auditor.model.record import record
from auditor.model.resource import Origin, Resource

ROLE_BINDING = "RoleBinding"
CLUSTER_ROLE_BINDING = "ClusterRoleBinding"
TYPES = frozenset({f"kubernetes/{ROLE_BINDING}", f"kubernetes/{CLUSTER_ROLE_BINDING}"})


class PrincipalKind(StrEnum):
    """What a binding's subject may be."""

    USER = "User"
    GROUP = "Group"
    SERVICE_ACCOUNT = "ServiceAccount"


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """Somebody whom a binding names. Of a group, its members are meant; who they are is not in the cluster."""

    kind: PrincipalKind
    namespace: str
    """Of a service account. Empty where the manifest leaves it out and nothing else says it."""
    name: str

    @property
    def key(self) -> str:
        """The principal in words: `ServiceAccount shop/web`, `User ada`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def user(self) -> str:
        """The user name that requests carry; empty for a group, and for an account whose namespace is not known."""
        match self.kind:
            case PrincipalKind.USER:
                return self.name
            case PrincipalKind.SERVICE_ACCOUNT:
                return account_user(self.namespace, self.name) if self.namespace else ""
            case PrincipalKind.GROUP:
                return ""

    @property
    def open_ended(self) -> bool:
        """Whether it is a group that grows by itself: everybody, or every account (of a namespace)."""
        return self.kind is PrincipalKind.GROUP and (
            self.name in {AUTHENTICATED, UNAUTHENTICATED, SERVICE_ACCOUNTS}
            or self.name.startswith(f"{SERVICE_ACCOUNTS}:")
        )


@record
class Binding:
    """A RoleBinding or ClusterRoleBinding."""

    kind: str
    namespace: str
    """Empty for a ClusterRoleBinding, and for a RoleBinding of a manifest that leaves it out."""
    name: str
    role_kind: str
    role_name: str
    principals: tuple[tuple[int, Principal], ...]
    """Each once, with its position among the subjects."""
    origin: Origin | None = None
    """`None`: built in."""

    @property
    def cluster(self) -> bool:
        """Whether it grants everywhere."""
        return self.kind == CLUSTER_ROLE_BINDING

    @property
    def label(self) -> str:
        """The binding in words: `RoleBinding shop/readers`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def identity(self) -> tuple[str, str, str]:
        """Kind, namespace and name."""
        return self.kind, self.namespace, self.name

    @property
    def role_namespace(self) -> str:
        """Where its role stands."""
        return self.namespace if self.role_kind == "Role" else ""

    @property
    def role_label(self) -> str:
        """The role in words: `ClusterRole view`."""
        return f"{self.role_kind or 'role'} {self.role_name}"


def read_binding(resource: Resource) -> Binding:
    """Return what matters of a RoleBinding or ClusterRoleBinding of the input."""
    reference = resource.body.get("roleRef")
    reference = reference if isinstance(reference, Mapping) else {}
    kind = resource.type.removeprefix("kubernetes/")
    namespace = resource.namespace if kind == ROLE_BINDING else ""
    return Binding(
        kind=kind,
        namespace=namespace,
        name=resource.name,
        role_kind=str(reference.get("kind") or ""),
        role_name=str(reference.get("name") or ""),
        principals=read_principals(resource.body, namespace),
        origin=resource.origin,
    )


def read_principals(body: Mapping[str, Any], namespace: str) -> tuple[tuple[int, Principal], ...]:
    """Return the principals among the subjects of a binding in `namespace`, each once, with its position."""
    found: dict[Principal, int] = {}
    for position, subject in maps(body, "subjects"):
        principal = _principal(subject, namespace)
        if principal is not None:
            found.setdefault(principal, position)
    return tuple((position, principal) for principal, position in found.items())


def _principal(subject: Mapping[str, Any], binding_namespace: str) -> Principal | None:
    name = subject.get("name")
    if not isinstance(name, str) or not name:
        return None
    match subject.get("kind"):
        case "ServiceAccount":
            own = subject.get("namespace")
            # Without one the binding's own; a ClusterRoleBinding has none, and then names nobody on a cluster.
            namespace = own if isinstance(own, str) and own else binding_namespace
            return Principal(PrincipalKind.SERVICE_ACCOUNT, namespace, name)
        case "User":
            account = split_account(name)
            # The user name of a service account: the same principal, written the long way.
            return (
                Principal(PrincipalKind.SERVICE_ACCOUNT, *account)
                if account
                else Principal(PrincipalKind.USER, "", name)
            )
        case "Group":
            return Principal(PrincipalKind.GROUP, "", name)
        case _:
            return None
