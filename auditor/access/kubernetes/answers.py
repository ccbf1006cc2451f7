"""What the evaluator says: a decision, the grant that made it, and what would have to be known."""

from collections.abc import Callable
from enum import StrEnum

from auditor.access.kubernetes.bindings import Binding, Principal
from auditor.access.kubernetes.roles import EffectiveRule, Role
from auditor.model.record import record


class Answer(StrEnum):
    """Three-valued: what rests on something that was not read is unknown, not denied."""

    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"


class DoubtKind(StrEnum):
    """Why something cannot be decided."""

    MISSING_ROLE = "missing-role"
    """A binding refers to a role that is neither in the input nor built in."""
    ROLE_PARTS = "role-parts"
    """An aggregated role whose parts are not in the input."""
    OVERWRITTEN_RULE = "overwritten-rule"
    """A rule that the aggregation controller keeps only if a role outside the input carries it."""
    NO_NAMESPACE = "no-namespace"
    """A RoleBinding, or an account in a binding, without a namespace: where it is applied decides."""
    AUTHORISER = "authoriser"
    """Another authoriser may allow or deny it."""
    NODE = "node"
    """The Node authoriser decides by the pods of the kubelet's node."""
    UNREAD = "unread"
    """Something in scope was not read."""
    VERSION = "version"
    """It depends on a version that is not known."""

    @property
    def of_input(self) -> bool:
        """Whether more input would settle it, rather than knowing how the cluster is set up."""
        return self not in {DoubtKind.AUTHORISER, DoubtKind.NODE, DoubtKind.VERSION}


@record
class Doubt:
    """One thing that would have to be known."""

    kind: DoubtKind
    text: str
    """One clause, without a full stop."""
    binding: Binding | None = None
    principal: Principal | None = None
    """Whom the binding names."""
    position: int = 0
    """Of the principal among the binding's subjects."""


@record
class Grant:
    """One rule as it reaches one principal, with the objects that make it."""

    principal: Principal
    position: int
    """Of the principal among the binding's subjects."""
    binding: Binding
    role: Role
    """To which the binding refers; the rule may stand in another one that it takes in."""
    rule: EffectiveRule

    @property
    def names(self) -> tuple[str, ...]:
        """The `resourceNames` to which the rule is limited; empty: it is not."""
        return tuple(self.rule.content["resourceNames"])


@record
class Decision:
    """The answer and what decided it."""

    answer: Answer
    grant: Grant | None = None
    """What RBAC allows it by; `None` where it does not, or where another authoriser decided."""
    by: str = ""
    """In words who decided, where it was not RBAC."""
    doubts: tuple[Doubt, ...] = ()
    """Why it is unknown. Empty beside an allow or a deny."""


Unread = Callable[[str, str | None], str]
"""Takes a resource type and a namespace (empty for types without one, `None` for any), and returns why an object that
is not in the input may exist all the same; empty where it does not."""


def nothing(_type: str, _namespace: str | None) -> str:
    """Return that nothing is unread (as `Unread`)."""
    return ""


def missing_role(binding: Binding, *, live: bool, unread: Unread = nothing) -> str:
    """Return why nobody can say what a role gives that is not there; empty where it is known that there is none.

    On a live cluster whose roles were all read such a binding grants nothing until somebody makes the role.
    """
    if not live:
        return f"{binding.role_label} is neither in the input nor built into Kubernetes"
    why = unread(f"kubernetes/{binding.role_kind}", binding.role_namespace)
    return f"{binding.role_label} may exist: {why}" if why else ""
