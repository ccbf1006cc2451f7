"""What the policy engine says about one resource, before it is joined with waivers, baselines and lines."""

from auditor.model.record import record
from auditor.model.resource import Path
from auditor.model.verdict import Outcome, SubjectKind


@record
class Failure:
    """One item of a resource that fails one policy."""

    path: Path
    """From the root of the body to the item; `()` for the object as a whole."""
    item: str
    """Stable name of the item, positions replaced by names: `spec.template.spec.containers[web].env[DB_PASSWORD]`."""
    message: str
    evidence: tuple[tuple[str, str], ...] = ()
    value_fingerprint: str = ""
    about: SubjectKind = SubjectKind.ANY
    source: int = -1
    """For facts: index into `Resource.related` of the object that the finding points to; -1: the fact's own origin."""


@record
class Judgement:
    """What one policy says about one resource, where that is not simply a pass."""

    policy: int
    """Position of the policy in the engine's list."""
    outcome: Outcome
    """`FAIL`, `NOT_EVALUATED` or `NOT_APPLICABLE` (by its `when`)."""
    reason: str = ""
    """One redacted line, unless it fails."""
    failures: tuple[Failure, ...] = ()


@record
class Judged:
    """What all policies that apply to a resource say about it. Passes are bare numbers: there are very many."""

    passed: tuple[int, ...]
    """Positions of the policies that the resource passes."""
    others: tuple[Judgement, ...]
    items: tuple[tuple[int, int], ...] = ()
    """Policy and number of items judged inside the resource, for policies with `each`."""
