"""Policies over resources: which apply, what they say, and which items of a resource fail.

For a policy and a resource, in this order: `when` (false: not applicable), `undecided` (not evaluated), the rule with
its loops as one expression (true: pass, unless an `undecided` with `fail_stands` holds), `undecided` with
`pass_stands`, and only then the same loops once more to learn which items failed. Whatever does not answer with a
boolean is not evaluated; nothing passes by error.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from auditor.model.errors import ConfigurationError
from auditor.model.judgement import Failure, Judged, Judgement
from auditor.model.resource import Resource
from auditor.model.verdict import Outcome, Parameter, SubjectKind
from auditor.model.views import Views
from auditor.policy import cel, naming, questions
from auditor.policy.cel import Program, Unanswered
from auditor.policy.document import Policy
from auditor.policy.places import path_of, places
from auditor.policy.questions import ASK, FAILS, NOT_APPLICABLE, PASSES

ParameterValue = tuple[Any, str, str]
"""Value, origin, reference."""

_SUBJECT_KINDS = frozenset(SubjectKind)


class Engine:
    """A set of policies, ready to judge one resource after the other."""

    def __init__(
        self, policies: Sequence[Policy], parameters: Mapping[str, Mapping[str, ParameterValue]] | None = None
    ) -> None:
        given = parameters or {}
        self.policies = tuple(policies)
        self._compiled = [_Compiled(policy, given.get(policy.id, {})) for policy in policies]
        self._applying: dict[tuple[str, frozenset[str]], _Applying] = {}

    def judge(self, resource: Resource, views: Views) -> Judged:
        """Return what every policy that applies to `resource` says about it."""
        applying = self.applying(resource.type, views.names)
        if not applying.policies:
            return _NOTHING
        activation = cel.activation({"object": resource.body, "variables": views.variables})
        answers = applying.answers(activation)
        passed: list[int] = []
        others: list[Judgement] = []
        items: list[tuple[int, int]] = []
        for index, policy, answer, size in answers:
            if answer == PASSES:
                passed.append(index)
            else:
                judgement = policy.judgement(index, answer, activation, resource, views)
                if judgement is None:
                    passed.append(index)
                else:
                    others.append(judgement)
                    if judgement.outcome is Outcome.NOT_APPLICABLE:
                        continue
            if policy.loops:
                items.append((index, size if size >= 0 else policy.count(activation)))
        return Judged(passed=tuple(passed), others=tuple(others), items=tuple(items))

    def applying(self, type_: str, names: frozenset[str]) -> "_Applying":
        """Return the policies that apply to resources of that type and views."""
        key = (type_, names)
        if key not in self._applying:
            wanted = names | {type_}
            self._applying[key] = _Applying(
                [
                    (index, compiled)
                    for index, compiled in enumerate(self._compiled)
                    if not wanted.isdisjoint(compiled.policy.applies_to)
                ]
            )
        return self._applying[key]

    def programs(self, kinds: Iterable[tuple[str, frozenset[str]]]) -> Iterator[Program]:
        """Yield what judging resources of `kinds` (type, names of its views) runs, but for items that err."""
        for type_, names in kinds:
            yield from self.applying(type_, names).programs()
        for compiled in self._compiled:
            yield from compiled.programs()

    def parameters(self, index: int) -> tuple[Parameter, ...]:
        """Return the thresholds of the policy at `index` as they were used."""
        return self._compiled[index].parameters


NO_ANSWER = "cannot be evaluated"
"""What a reason says where an expression gave no answer: a fault of the policy, or of what it was given."""
_NOTHING = Judged(passed=(), others=())

_Answer = tuple[Outcome, str, tuple[Failure, ...]]


class _Applying:
    """The policies of one kind of resource, asked by one joint expression: a call costs more than what is in it."""

    def __init__(self, policies: Sequence[tuple[int, "_Compiled"]]) -> None:
        self.policies = policies

    def answers(self, activation: Any) -> Iterable[tuple[int, "_Compiled", int, int]]:
        """Return position, policy, answer, and the number of its items (-1: not known) for each policy."""
        joint = self._joint.plain(activation) if self._joint else None
        if joint is None or isinstance(joint, Unanswered):
            # One of them errs; which one, only asking each alone can tell.
            return [(index, policy, ASK, -1) for index, policy in self.policies]
        return [
            (index, policy, answer, _total(size))
            for (index, policy), (answer, size) in zip(self.policies, joint, strict=True)
        ]

    def programs(self) -> Iterator[Program]:
        """Yield the joint expression."""
        if self.policies and self._joint:
            yield self._joint

    @cached_property
    def _joint(self) -> Program | None:
        try:
            text = "[" + ", ".join(policy.joint() for _, policy in self.policies) + "]"
            return cel.compile_(text, checked=not all(entry.policy.shipped for _, entry in self.policies))
        except cel.ExpressionError:
            # One of them is not what it should be; asked alone, it says so with its own name.
            return None


class _Compiled:
    """One policy with its programs, compiled when first needed: most runs need few of them."""

    def __init__(self, policy: Policy, given: Mapping[str, ParameterValue]) -> None:
        self.policy = policy
        self.loops = policy.each
        self.parameters = tuple(
            Parameter(
                name=declared.name,
                value=_shown(given[declared.name][0] if declared.name in given else declared.default),
                unit=declared.unit,
                origin=given[declared.name][1] if declared.name in given else declared.origin,
                reference=given[declared.name][2] if declared.name in given else declared.reference,
            )
            for declared in policy.parameters
        )
        values = {
            declared.name: given[declared.name][0] if declared.name in given else declared.default
            for declared in policy.parameters
        }
        self._values = values
        self._places = places(policy)
        self._not_applicable: Judgement | None = None

    def joint(self) -> str:
        """Return what the joint expression of several policies holds of this one."""
        return questions.with_params(questions.joint(self.policy), self._values)

    def judgement(self, index: int, answer: int, activation: Any, resource: Resource, views: Views) -> Judgement | None:
        """Return what the policy says, `None` for a pass."""
        if answer == NOT_APPLICABLE:
            if self._not_applicable is None:
                # One for all resources: there are very many, and they say the same.
                reason = self.policy.when_reason
                self._not_applicable = Judgement(policy=index, outcome=Outcome.NOT_APPLICABLE, reason=reason)
            return self._not_applicable
        told = (
            self._found(False, activation, resource, views)
            if answer == FAILS
            else self._alone(activation, resource, views)
        )
        if told is None:
            return None
        outcome, reason, failures = told
        return Judgement(policy=index, outcome=outcome, reason=reason, failures=failures)

    def _alone(self, activation: Any, resource: Resource, views: Views) -> _Answer | None:
        """Ask the policy step by step, so that each step's error is its own."""
        if self.policy.when:
            applies = self._when.truth(activation)
            if isinstance(applies, Unanswered):
                return _open("its condition `when`", applies)
            if not applies:
                return Outcome.NOT_APPLICABLE, self.policy.when_reason, ()
        doubt = _first(self._doubts, activation)
        if doubt is not None:
            return doubt
        holds = self._rule.truth(activation)
        if holds is True:
            return _first(self._doubts_of_passes, activation)
        doubt = _first(self._doubts_of_failures, activation)
        return self._found(holds, activation, resource, views) if doubt is None else doubt

    def _found(self, holds: bool | Unanswered, activation: Any, resource: Resource, views: Views) -> _Answer:
        """Return which items fail, where nothing stands in the way of that."""
        if isinstance(holds, Unanswered) and not self.loops:
            return _open("its expression", holds)
        failures, unanswered = self._failures(activation, resource, views)
        if failures:
            return Outcome.FAIL, "", tuple(failures)
        return _open("its expression", unanswered or Unanswered("no item of it can be judged"))

    def count(self, activation: Any) -> int:
        """Return how many items the loops meet in the resource."""
        sizes = self._sizes.plain(activation)
        return 0 if isinstance(sizes, Unanswered) else _total(sizes)

    def _failures(self, activation: Any, resource: Resource, views: Views) -> tuple[list[Failure], Unanswered | None]:
        if not self.loops:
            details = self._details.plain(activation)
            if isinstance(details, Unanswered):
                return [self._failure((), _undescribed(self.policy, details), resource, views)], None
            return [self._failure((), details, resource, views)], None
        every = self._details.plain(activation)
        if not isinstance(every, Unanswered):
            return [
                self._failure(position, details, resource, views)
                for position, details in _leaves(every, len(self.loops))
                if details
            ], None
        return self._one_by_one(activation, resource, views)

    def _one_by_one(self, activation: Any, resource: Resource, views: Views) -> tuple[list[Failure], Unanswered | None]:
        """Judge each item alone, where one of them has no answer: it must not hide the failures of the others."""
        sizes = self._sizes.plain(activation)
        if isinstance(sizes, Unanswered):
            return [], sizes
        failures: list[Failure] = []
        unanswered: Unanswered | None = None
        for position in _positions(sizes, len(self.loops)):
            values = dict(zip(questions.positions(self.loops), position, strict=True))
            own = cel.activation({"object": resource.body, "variables": views.variables, **values})
            holds = self._item_rule.truth(own)
            if holds is False:
                details = self._item_details.plain(own)
                if isinstance(details, Unanswered):
                    details = _undescribed(self.policy, details)
                failures.append(self._failure(position, details, resource, views))
            elif isinstance(holds, Unanswered):
                unanswered = holds
        return failures, unanswered

    def _failure(self, position: tuple[int, ...], details: list[Any], resource: Resource, views: Views) -> Failure:
        message, value, about, pointer, key, *evidence = details
        path = path_of(position, self._places, pointer=pointer, resource=resource, views=views)
        element = naming.follow(resource.body, path)
        item = naming.name(resource.body, path)
        source = -1
        if isinstance(element, Mapping) and isinstance(element.get("source"), int) and "label" in element:
            # A rule of a fact: it stands in another object, and has a name of its own.
            item, source = str(element["label"]), element["source"]
        if key and f"{key}]" not in item and not f".{item}".endswith(f".{key}"):
            item += f" ({key})"
        return Failure(
            path=path,
            item=item,
            message=str(message),
            evidence=tuple(
                (name, str(text)) for (name, _), text in zip(self.policy.evidence, evidence, strict=False) if text
            ),
            value_fingerprint=str(value),
            about=SubjectKind(about) if about in _SUBJECT_KINDS else SubjectKind.ANY,
            source=source,
        )

    # Programs.

    def programs(self) -> Iterator[Program]:
        """Yield every program but those for single items."""
        yield from (self._rule, self._details)
        if self.loops:
            yield self._sizes
        doubts = ((doubt.when, doubt.reason) for doubt in self.policy.doubts)
        for text in (self.policy.when, *chain.from_iterable(doubts)):
            if text:
                yield self._compile(text)

    @cached_property
    def _when(self) -> Program:
        return self._compile(self.policy.when)

    @cached_property
    def _rule(self) -> Program:
        return self._compile(self.policy.rule)

    @cached_property
    def _doubts(self) -> tuple[Callable[[Any], _Answer | None], ...]:
        return tuple(
            self._doubt(doubt.when, doubt.reason)
            for doubt in self.policy.doubts
            if not doubt.pass_stands and not doubt.fail_stands
        )

    @cached_property
    def _doubts_of_failures(self) -> tuple[Callable[[Any], _Answer | None], ...]:
        return tuple(self._doubt(doubt.when, doubt.reason) for doubt in self.policy.doubts if doubt.pass_stands)

    @cached_property
    def _doubts_of_passes(self) -> tuple[Callable[[Any], _Answer | None], ...]:
        return tuple(self._doubt(doubt.when, doubt.reason) for doubt in self.policy.doubts if doubt.fail_stands)

    def _doubt(self, when: str, reason: str) -> Callable[[Any], _Answer | None]:
        condition, text = self._compile(when), self._compile(reason)

        def ask(activation: Any) -> _Answer | None:
            holds = condition.truth(activation)
            if isinstance(holds, Unanswered):
                return _open("its condition `undecided`", holds)
            if not holds:
                return None
            words = text.text(activation)
            return Outcome.NOT_EVALUATED, words if isinstance(words, str) else "it is undecided", ()

        return ask

    @cached_property
    def _sizes(self) -> Program:
        return self._compile(questions.sizes(self.loops))

    @cached_property
    def _details(self) -> Program:
        return self._compile(questions.details(self.policy, self._places))

    @cached_property
    def _item_rule(self) -> Program:
        return self._at_position(self.policy.expression)

    @cached_property
    def _item_details(self) -> Program:
        return self._at_position(questions.described(self.policy, self._places))

    def _at_position(self, text: str) -> Program:
        return self._compile(questions.at_position(text, self.loops), names=questions.positions(self.loops))

    def _compile(self, text: str, *, names: tuple[str, ...] = ()) -> Program:
        try:
            return cel.compile_(questions.with_params(text, self._values), names=names, checked=not self.policy.shipped)
        except cel.ExpressionError as error:
            raise ConfigurationError(
                f"{self.policy.file}: the policy {self.policy.id} has an expression that is not CEL: {error}",
                hint=f"`auditor policy lint {self.policy.file}` shows the line and column.",
            ) from error


def _total(sizes: Any) -> int:
    return sizes if isinstance(sizes, int) else sum(_total(inner) for inner in sizes)


def _first(doubts: Iterable[Callable[[Any], _Answer | None]], activation: Any) -> _Answer | None:
    for ask in doubts:
        answer = ask(activation)
        if answer is not None:
            return answer
    return None


def _open(what: str, answer: Unanswered) -> _Answer:
    return Outcome.NOT_EVALUATED, f"{what} {NO_ANSWER}: {answer.why}", ()


def _undescribed(policy: Policy, answer: Unanswered) -> list[Any]:
    return [f"{policy.title} (no closer description: {answer.why})", "", "any", "", ""]


def _leaves(value: Any, depth: int, position: tuple[int, ...] = ()) -> Iterable[tuple[tuple[int, ...], list[Any]]]:
    for index, element in enumerate(value):
        if depth == 1:
            yield (*position, index), element
        else:
            yield from _leaves(element, depth - 1, (*position, index))


def _positions(sizes: Any, depth: int, position: tuple[int, ...] = ()) -> Iterable[tuple[int, ...]]:
    if depth == 1:
        yield from ((*position, index) for index in range(sizes))
    else:
        for index, inner in enumerate(sizes):
            yield from _positions(inner, depth - 1, (*position, index))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
