"""Which policies touch which requirement: the other direction of the links that policy files state."""

from collections.abc import Sequence

from auditor.model.framework import Framework, Requirement
from auditor.model.policy import Link, PolicyInfo, Strength
from auditor.model.record import record


@record
class Touched:
    """One requirement and the policies that say something about it."""

    framework_id: str
    requirement: Requirement
    links: tuple[tuple[str, Link], ...]
    """Policy id and its link, direct ones first, then by policy."""

    @property
    def direct(self) -> bool:
        """Whether any policy can decide about a technical element of it."""
        return any(link.strength is Strength.DIRECT for _, link in self.links)


def coverage(frameworks: Sequence[Framework], policies: Sequence[PolicyInfo]) -> tuple[Touched, ...]:
    """Return every requirement of `frameworks`, in their order, also those that no policy touches."""
    links: dict[str, list[tuple[str, Link]]] = {}
    for policy in policies:
        for link in policy.links:
            links.setdefault(link.requirement, []).append((policy.id, link))
    return tuple(
        Touched(
            framework_id=framework.id,
            requirement=requirement,
            links=tuple(sorted(links.get(f"{framework.id}/{requirement.id}", ()), key=_order)),
        )
        for framework in frameworks
        for requirement in framework.requirements
    )


def _order(entry: tuple[str, Link]) -> tuple[bool, str, Link]:
    policy_id, link = entry
    return (link.strength is not Strength.DIRECT, policy_id, link)
