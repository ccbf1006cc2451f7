"""Policies as ValidatingAdmissionPolicies, for those that an API server can judge from the admitted object alone.

The exported policy gives the same verdict: it denies what `auditor` fails, and nothing that is not applicable or not
evaluated, so `when` and `undecided` become part of the condition, and an error in an expression lets the object pass.
A policy with several kinds of subjects is exported for those that can be; `Plan.left` tells the others.
Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditor.model.errors import ConfigurationError
from auditor.model.record import record
from auditor.model.stores import TYPES as STORE_TYPES
from auditor.policy import cel
from auditor.policy.admission import expression, file, grant_view, kinds, views
from auditor.policy.admission.action import Action
from auditor.policy.admission.constants import constant, names
from auditor.policy.admission.kinds import Admitted
from auditor.policy.document import Policy
from auditor.workloads import Workload, Workloads

_POD_VIEWS = frozenset({"pod_spec", "control_plane"})
_STORE = "store"
_EVERY_KIND = "object"

_PODS = "kubernetes/Pod"
_LONGEST_MESSAGE = 1000
"""Characters of the message that stands where the description of a failure cannot be made."""


@record
class Part:
    """The subjects of a policy that one ValidatingAdmissionPolicy judges."""

    admitted: tuple[Admitted, ...]
    """Sorted; empty where every kind is matched."""
    grants: bool = False
    """Whether the subjects are what the admitted bindings give, not the objects themselves."""

    def judges(self, type_: str) -> bool:
        """Return whether subjects of that type are judged."""
        if self.grants:
            return type_ == grant_view.FACT
        return not self.admitted or any(entry.type == type_ for entry in self.admitted)

    @property
    def types(self) -> tuple[str, ...]:
        """The types of its subjects; none where they can be of any."""
        return (grant_view.FACT,) if self.grants else tuple(entry.type for entry in self.admitted)


@record
class Plan:
    """What of a policy can be an admission policy."""

    policy: Policy
    parts: tuple[Part, ...]
    left: tuple[tuple[str, str], ...]
    """What is left out of the subjects (an entry of `applies_to`, or a kind), and why."""
    limits: tuple[str, ...]
    """What the exported policy does not see in an object, where it lets it pass."""

    @property
    def obstacle(self) -> str:
        """Why nothing of the policy can be exported, or an empty text."""
        return "" if self.parts else "; ".join(dict.fromkeys(reason for _, reason in self.left))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the exported policy does not guard, or why there is none: one line each."""
        if self.obstacle:
            return (f"{self.policy.id} cannot be exported: {self.obstacle}",)
        left = [f"{self.policy.id} is exported without {entry}: {reason}" for entry, reason in self.left]
        return (*left, *(f"{self.policy.id}, exported: {limit}" for limit in self.limits))


def plan(policy: Policy, workloads: Workloads) -> Plan:
    """Return what of `policy` an API server can judge. Raises `ConfigurationError` where it holds no CEL."""
    _check(policy)
    parts: list[Part] = []
    admitted: set[Admitted] = set()
    left: list[tuple[str, str]] = []
    every = False
    for entry in policy.applies_to:
        part, outside = _part(entry, workloads)
        reasons = [] if part is None else expression.obstacles(expression.text(policy, part.types), grants=part.grants)
        left += [(entry, reason) for reason in reasons] or outside
        if part is None or reasons:
            continue
        if part.grants:
            parts.append(part)
        every = every or not part.admitted
        admitted.update(() if part.grants else part.admitted)
    if admitted or every:
        parts.insert(0, Part(admitted=() if every else tuple(sorted(admitted))))
    limits = [limit for part in parts for limit in expression.limits(expression.text(policy, part.types))]
    return Plan(policy=policy, parts=tuple(parts), left=tuple(left), limits=tuple(dict.fromkeys(limits)))


def documents(
    planned: Plan,
    workloads: Workloads,
    given: Mapping[str, tuple[Any, str]] | None = None,
    *,
    action: Action = Action.WARN,
) -> list[dict[str, Any]]:
    """Return each ValidatingAdmissionPolicy of the plan and its binding, as objects.

    `given`: parameters of the user's, (value, reference) by name.
    """
    policy = planned.policy
    values = {name: value for name, (value, _, _) in _thresholds(policy, given or {}).items()}
    made: list[dict[str, Any]] = []
    for part in planned.parts:
        name = f"{policy.id}-{policy.name}{'-bindings' if part.grants and len(planned.parts) > 1 else ''}".lower()
        binding = {"policyName": name, "validationActions": action.validation_actions}
        made += [
            _object("ValidatingAdmissionPolicy", name, _spec(policy, part, workloads, values)),
            _object("ValidatingAdmissionPolicyBinding", name, binding),
        ]
    return made


def manifest(
    planned: Plan,
    workloads: Workloads,
    given: Mapping[str, tuple[Any, str]] | None = None,
    *,
    action: Action = Action.WARN,
) -> str:
    """Return the same objects as a YAML file, which says where each threshold comes from and what is not guarded."""
    policy = planned.policy
    head = [
        f"{policy.id} {policy.name}: {policy.title}",
        f"Written by `auditor policy export` from the policy with SHA-256 {policy.digest}",
        *(
            f"{name} = {constant(value)} ({origin}: {reference})"
            for name, (value, origin, reference) in _thresholds(policy, given or {}).items()
        ),
        *planned.notes,
    ]
    return file.written(head, documents(planned, workloads, given, action=action))


def _thresholds(policy: Policy, given: Mapping[str, tuple[Any, str]]) -> dict[str, tuple[Any, str, str]]:
    """Return value, origin and reference of each parameter."""
    return {
        entry.name: (given[entry.name][0], "entity", given[entry.name][1])
        if entry.name in given
        else (entry.default, entry.origin, entry.reference)
        for entry in policy.parameters
    }


def _part(entry: str, workloads: Workloads) -> tuple[Part | None, list[tuple[str, str]]]:
    """Return the subjects that an entry of `applies_to` means, and which of them no API server shows, with reasons."""
    if entry == _EVERY_KIND:
        return Part(admitted=()), []
    if entry == grant_view.FACT:
        return Part(admitted=tuple(filter(None, map(kinds.admitted, grant_view.BINDINGS))), grants=True), []
    types = _types(entry, workloads)
    outside = [(type_, reason) for type_ in types if (reason := _unseen(type_))]
    admitted = {found for type_ in types if not _unseen(type_) and (found := kinds.admitted(type_))}
    return (Part(admitted=tuple(sorted(admitted))) if admitted else None), outside


def _types(entry: str, workloads: Workloads) -> Sequence[str]:
    if entry in _POD_VIEWS:
        return [workload.type for workload in _pods(workloads)]
    return sorted(STORE_TYPES) if entry == _STORE else [entry]


def _pods(workloads: Workloads) -> list[Workload]:
    """Return the kinds with an ordinary pod spec; the pods of the others are judged when they are made."""
    found = (workloads.of(type_) for type_ in workloads.types)
    return [workload for workload in found if workload is not None and not workload.places]


def _unseen(type_: str) -> str:
    """Return why no admission policy sees subjects of that type, or an empty text."""
    plane, _, name = type_.partition("/")
    if plane == "file":
        return "it judges files that no API server sees"
    if plane == "fact":
        return f"it judges what many objects make together ({name}), and an admission policy sees one object"
    if type_ in kinds.VIEWS:
        return kinds.VIEWS[type_]
    if type_ in kinds.FILES:
        return f"it judges {kinds.FILES[type_]}, which are files that no API server admits"
    if type_ in kinds.UNSEEN:
        return kinds.UNSEEN[type_]
    return "" if kinds.admitted(type_) else f"the resource name of {name} is not known to this export"


def _check(policy: Policy) -> None:
    variables = tuple(loop.variable for loop in policy.each)
    for text in (policy.when, policy.rule, policy.message, *(doubt.when for doubt in policy.doubts)):
        try:
            cel.compile_(text or "true", names=variables)
        except cel.ExpressionError as error:
            raise ConfigurationError(
                f"{policy.file}: the policy {policy.id} has an expression that is not CEL: {error}",
                hint=f"`auditor policy lint {policy.file}` shows the line and column.",
            ) from error


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def _spec(policy: Policy, part: Part, workloads: Workloads, values: Mapping[str, Any]) -> dict[str, Any]:
    pods = [workload for workload in _pods(workloads) if not part.grants and part.judges(workload.type)]
    text = expression.text(policy, part.types)
    rule, message = expression.validation(text, policy.id, grants=part.grants, subjects=_subjects(policy, part, pods))
    scope = views.Scope(pods=pods, texts=(rule, message), grants=part.grants)
    validation = {"expression": rule}
    if message:
        validation["messageExpression"] = message
    # Where the description cannot be made, a server says this.
    fixed = f"{policy.id}: {policy.title}. {policy.remediation}"[:_LONGEST_MESSAGE]
    validation["message"] = " ".join(fixed.split())
    used = [name for name in values if f"variables.param_{name}" in f"{rule} {message}"]
    return {
        # What cannot be judged is not evaluated, and that is no reason to refuse it.
        "failurePolicy": "Ignore",
        "matchConstraints": {"resourceRules": _rules(part.admitted)},
        "matchConditions": _conditions(part.admitted),
        "variables": [
            *({"name": f"param_{name}", "expression": constant(values[name])} for name in used),
            *views.variables(scope),
        ],
        "validations": [validation],
    }


def _subjects(policy: Policy, part: Part, pods: Sequence[Workload]) -> str:
    """Return CEL that tells the subjects among the matched objects, or an empty text where all are."""
    if not pods or "pod_spec" in policy.applies_to or "control_plane" not in policy.applies_to:
        return ""
    others = len(pods) < len(part.admitted)
    where = f"!(object.kind in {names(kinds.kind(pod.type) for pod in pods)}) || " if others else ""
    return f'{where}variables.component != ""'


def _rules(admitted: Sequence[Admitted]) -> list[dict[str, Any]]:
    groups: dict[str, set[str]] = {}
    for entry in admitted:
        groups.setdefault(entry.group, set()).add(entry.resource)
        if entry.type == _PODS:
            groups[entry.group].add("pods/ephemeralcontainers")
    if not admitted:
        groups = {"*": {"*", "pods/ephemeralcontainers"}}
    return [
        {
            "apiGroups": [group],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE"],
            "resources": sorted({"*"} if "*" in resources and group != "*" else resources),
        }
        for group, resources in sorted(groups.items())
    ]


def _conditions(admitted: Iterable[Admitted]) -> list[dict[str, str]]:
    conditions = [{"name": "not-being-deleted", "expression": "!has(object.metadata.deletionTimestamp)"}]
    wanted: dict[str, set[str]] = {}
    for entry in admitted:
        if entry.resource == "*":
            wanted.setdefault(entry.group, set()).add(entry.kind)
    for group, found in sorted(wanted.items()):
        expression = f"!{kinds.of_group(group)} || object.kind in {names(found)}"
        conditions.append({"name": f"kinds-of-{group}", "expression": expression})
    return conditions
