"""Why somebody may or may not do a thing: the decision, everything that makes it, and what would change it."""

from collections.abc import Iterator

from auditor.access.kubernetes import connecting, misses
from auditor.access.kubernetes.answers import Answer, Decision, Doubt, Grant
from auditor.access.kubernetes.callers import Asker
from auditor.access.kubernetes.evaluator import Evaluator
from auditor.access.kubernetes.impersonation import Impersonation, Target, impersonate
from auditor.access.kubernetes.misses import Membership, Miss
from auditor.access.kubernetes.rbac import Caller, Request
from auditor.model.record import record


@record
class Explanation:
    """One question, answered."""

    asker: Asker
    target: Target | None
    """Whom the asker acts as; `None`: as themselves."""
    request: Request
    impersonation: Impersonation | None
    """Whether the asker may act as the target; `None` without a target."""
    decision: Decision
    """On the request itself, of the target if there is one."""
    caller: Caller | None
    """Whom `decision` is about; `None` where the impersonation is refused, so that the request is never asked."""
    grants: tuple[Grant, ...]
    """Everything by which RBAC allows it."""
    misses: tuple[Miss, ...]
    """What comes nearest to allowing it, where nothing does."""
    memberships: tuple[Membership, ...]
    """Groups whose members would be allowed, where the membership is open."""
    entering: Decision | None
    """On running a command in the pod and the like, which may take more than the request alone."""
    reservations: tuple[str, ...]
    """What the answer takes for granted, in words."""

    @property
    def answer(self) -> Answer:
        """The answer on all of it."""
        answers = {self.decision.answer, *([self.impersonation.answer] if self.impersonation else ())}
        if self.caller is None or Answer.DENY in answers:
            return Answer.DENY
        return Answer.UNKNOWN if Answer.UNKNOWN in answers else Answer.ALLOW

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Why the answer is unknown."""
        return (*(self.impersonation.doubts if self.impersonation else ()), *self.decision.doubts)


def explain(evaluator: Evaluator, asker: Asker, request: Request, *, target: Target | None = None) -> Explanation:
    """Return the answer to one question, with its reasons."""
    impersonation = impersonate(evaluator, asker.caller, target, request) if target else None
    callers = (asker.caller,) if impersonation is None else impersonation.becomes
    decided = [(one, evaluator.decide(one, request)) for one in callers]
    # Where two may come of an impersonation, what the one may do that may do more.
    decided.sort(key=lambda pair: (Answer.ALLOW, Answer.UNKNOWN, Answer.DENY).index(pair[1].answer))
    caller, decision = decided[0] if decided else (None, Decision(answer=Answer.DENY))
    refused = caller is not None and decision.answer is not Answer.ALLOW
    enters = caller is not None and connecting.applies(request)
    return Explanation(
        asker=asker,
        target=target,
        request=request,
        impersonation=impersonation,
        decision=decision,
        caller=caller,
        grants=tuple(evaluator.grants(caller, request)) if caller else (),
        misses=misses.nearest(evaluator, caller, request) if refused and caller else (),
        memberships=misses.memberships(evaluator, caller, request) if refused and caller else (),
        entering=connecting.decide(evaluator, caller, request) if enters and caller else None,
        reservations=tuple(_reservations(evaluator, decision)),
    )


def _reservations(evaluator: Evaluator, decision: Decision) -> Iterator[str]:
    if decision.by:
        # Decided by who stands first, or lets everybody through.
        return
    denied = decision.answer is not Answer.ALLOW
    if evaluator.dialect.authorisers is None:
        effect = "another one may allow it" if denied else "one that stands before RBAC may refuse it"
        yield f"RBAC is all that decides; which authorisers the cluster asks is not known, and {effect}"
    if denied and not evaluator.live:
        yield "the input holds all bindings that matter"
