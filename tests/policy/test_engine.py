"""What the engine says: nothing passes by error, each failing item is found with its place and its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.judgement import Failure, Judgement
from auditor.model.verdict import Outcome, SubjectKind
from auditor.policy.engine import Engine
from tests.policy.builders import pod, policy, seen

CONTAINERS = """
spec:
  containers:
    - {name: web, env: [{name: A, value: x}, {name: B, value: y}]}
    - {name: side}
    - {name: last, env: [{name: B, value: z}]}
"""
NO_B = """
each:
  - container: variables.containers
  - item: container.?env.orValue([])
expression: item.name != "B"
message_expression: '"container " + container.name + " has " + item.name'
evidence: {value: item.value}
about: '"workload"'
"""


def judge(text: str, body: str = CONTAINERS, **variables: object) -> Judgement | None:
    """Return the judgement of one policy on one Pod, `None` for a pass."""
    resource = pod(body)
    judged = Engine([policy(text)]).judge(resource, seen(resource, **variables))
    assert bool(judged.passed) != bool(judged.others)
    return judged.others[0] if judged.others else None


def failures(text: str, body: str = CONTAINERS, **variables: object) -> tuple[Failure, ...]:
    judgement = judge(text, body, **variables)
    assert judgement is not None
    assert judgement.outcome is Outcome.FAIL
    return judgement.failures


def test_each_failing_item_has_its_place_name_message_and_evidence() -> None:
    first, second = failures(NO_B)
    assert first.path == ("spec", "containers", 0, "env", 1)
    assert first.item == "spec.containers[web].env[B]"
    assert first.message == "container web has B"
    assert first.evidence == (("value", "y"),)
    assert first.about is SubjectKind.WORKLOAD
    assert second.path == ("spec", "containers", 2, "env", 0)


def test_a_pass_counts_the_items_it_looked_at() -> None:
    resource = pod(CONTAINERS)
    judged = Engine([policy(NO_B.replace('"B"', '"C"'))]).judge(resource, seen(resource))
    assert judged.passed == (0,)
    assert judged.items == ((0, 3),)


def test_an_expression_that_errs_is_not_evaluated() -> None:
    """Law 2: the runtime returns errors as values that are true in Python."""
    judgement = judge("expression: object.nope == 1")
    assert judgement is not None
    assert judgement.outcome is Outcome.NOT_EVALUATED
    assert "cannot be evaluated" in judgement.reason


def test_an_expression_that_gives_no_boolean_is_not_evaluated() -> None:
    judgement = judge("expression: '\"yes\"'")
    assert judgement is not None
    assert judgement.outcome is Outcome.NOT_EVALUATED


def test_an_item_that_errs_does_not_hide_the_failure_of_another() -> None:
    body = "spec: {containers: [{name: a, env: [{value: x}]}, {name: b, env: [{name: B, value: y}]}]}"
    (failure,) = failures(NO_B, body)
    assert failure.item == "spec.containers[b].env[B]"


def test_an_item_that_errs_beside_items_that_pass_is_not_evaluated() -> None:
    body = "spec: {containers: [{name: a, env: [{value: x}]}, {name: b, env: [{name: A, value: y}]}]}"
    judgement = judge(NO_B, body)
    assert judgement is not None
    assert judgement.outcome is Outcome.NOT_EVALUATED
    assert "name" in judgement.reason


def test_a_message_that_errs_still_fails_with_the_title() -> None:
    (failure,) = failures("{expression: 'false', message_expression: object.nope}")
    assert failure.message.startswith("A test")


def test_when_false_is_not_applicable_with_its_reason() -> None:
    judgement = judge("{when: 'false', when_reason: a Job ends by itself, expression: 'false'}")
    assert judgement == Judgement(policy=0, outcome=Outcome.NOT_APPLICABLE, reason="a Job ends by itself")


def test_a_condition_that_errs_is_not_evaluated_although_the_rule_holds() -> None:
    """A policy that cannot tell whether it applies has not passed."""
    judgement = judge("{when: object.nope == 1, when_reason: it is no web, expression: 'true'}")
    assert judgement is not None
    assert judgement.outcome is Outcome.NOT_EVALUATED
    assert "`when`" in judgement.reason


def test_a_doubt_that_errs_is_not_evaluated() -> None:
    judgement = judge("""{undecided: [{when: object.nope == 1, reason: '"x"'}], expression: 'true'}""")
    assert judgement is not None
    assert judgement.outcome is Outcome.NOT_EVALUATED
    assert "`undecided`" in judgement.reason


def test_undecided_comes_before_the_rule() -> None:
    judgement = judge("""{undecided: [{when: 'true', reason: '"who " + "knows"'}], expression: 'true'}""")
    assert judgement == Judgement(policy=0, outcome=Outcome.NOT_EVALUATED, reason="who knows")


@pytest.mark.parametrize(("holds", "outcome"), [("true", None), ("false", Outcome.NOT_EVALUATED)])
def test_with_pass_stands_only_a_failure_is_undecided(holds: str, outcome: Outcome | None) -> None:
    judgement = judge(
        f"""{{undecided: [{{when: 'true', reason: '"unbound"', pass_stands: true}}], expression: '{holds}'}}"""
    )
    assert (judgement and judgement.outcome) == outcome


@pytest.mark.parametrize(("holds", "outcome"), [("true", Outcome.NOT_EVALUATED), ("false", Outcome.FAIL)])
@pytest.mark.parametrize("beside", ["true", "object.nope == 1"], ids=["jointly", "alone"])
def test_with_fail_stands_only_a_pass_is_undecided(holds: str, outcome: Outcome, beside: str) -> None:
    """A pass may rest on the absence of something that was not read; a failure that was seen stays one."""
    doubt = """{when: 'true', reason: '"more may be there"', fail_stands: true}"""
    doubted = policy(f"{{undecided: [{doubt}], expression: '{holds}'}}")
    # A policy that errs takes the joint expression along, so that each is asked alone.
    other = policy(expression=beside)
    resource = pod(CONTAINERS)
    judgement = Engine([doubted, other]).judge(resource, seen(resource)).others[0]
    assert (judgement.policy, judgement.outcome) == (0, outcome)
    assert judgement.reason == ("more may be there" if outcome is Outcome.NOT_EVALUATED else "")


def test_a_doubt_about_passes_that_does_not_hold_changes_nothing() -> None:
    assert judge("""{undecided: [{when: 'false', reason: '"x"', fail_stands: true}], expression: 'true'}""") is None


def test_computed_items_say_themselves_where_they_are() -> None:
    literals = [
        {"path": "/spec/containers/0/env/1/value", "key": "B", "kind": "credential", "fingerprint": "f1"},
        {"path": "/data/a.properties", "key": "a.properties: db.password", "kind": "credential", "fingerprint": "f2"},
    ]
    text = """
each: [{item: "variables.literals.filter(l, l.kind == 'credential')"}]
expression: "false"
message_expression: item.key
value: item.fingerprint
"""
    first, second = failures(text, CONTAINERS, literals=literals)
    assert first.path == ("spec", "containers", 0, "env", 1, "value")
    assert first.item == "spec.containers[web].env[B].value"
    assert first.value_fingerprint == "f1"
    assert second.item == "data[a.properties] (a.properties: db.password)"


def test_a_rule_of_a_fact_points_to_the_object_it_came_from() -> None:
    text = """
applies_to: [fact/x]
each: [{rule: object.rules}]
expression: '!grants(rule, "get", "", "secrets")'
message_expression: rule.label
"""
    rule = "{verbs: [get], apiGroups: [''], resources: [secrets], source: 1, label: get secrets}"
    resource = pod(f"rules: [{rule}]", type_="fact/x")
    judged = Engine([policy(text)]).judge(resource, seen(resource))
    (failure,) = judged.others[0].failures
    assert (failure.source, failure.item) == (1, "get secrets")


def test_parameters_are_the_defaults_unless_the_user_sets_them() -> None:
    text = """
params: {most: {default: 1, unit: containers, origin: tool-default, reference: a guess}}
expression: size(variables.containers) <= params.most
message_expression: '"more than " + string(params.most)'
"""
    resource = pod(CONTAINERS)
    by_default = Engine([policy(text)]).judge(resource, seen(resource))
    assert by_default.others[0].failures[0].message == "more than 1"
    engine = Engine([policy(text)], {"T-01": {"most": (3, "entity", "standard 4.2")}})
    assert engine.judge(resource, seen(resource)).passed == (0,)
    (parameter,) = engine.parameters(0)
    assert (parameter.value, parameter.origin, parameter.reference) == ("3", "entity", "standard 4.2")


def test_a_policy_for_another_type_says_nothing() -> None:
    resource = pod(CONTAINERS, type_="kubernetes/Service")
    judged = Engine([policy()]).judge(resource, seen(resource))
    assert judged.passed == ()
    assert judged.others == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(st.fixed_dictionaries({}, optional={"name": json_values, "env": json_values}), max_size=4))
def test_whatever_an_object_holds_the_engine_answers(containers: list[object]) -> None:
    """A malformed object is judged or said to be not evaluated; it is never a crash and never a pass by error."""
    resource = pod("{}")
    body = {"spec": {"containers": containers}}
    resource = type(resource)(type="kubernetes/Pod", name="p", body=body, origin=resource.origin)
    judged = Engine([policy(NO_B)]).judge(resource, seen(resource))
    assert len(judged.passed) + len(judged.others) == 1


def test_an_evaluation_of_too_many_steps_is_open_and_hides_no_other_policy() -> None:
    """The runtime raises then, where every other error is a value."""
    endless = (
        "{expression: 'object.spec.a.all(x, object.spec.a.all(y, x <= y || x >= y))', message_expression: '\"x\"'}"
    )
    resource = pod(f"spec: {{a: {list(range(200))}}}")
    engine = Engine([policy(endless), policy("{expression: 'false', message_expression: '\"no\"'}")])
    first, second = engine.judge(resource, seen(resource)).others
    assert (first.outcome, second.outcome) == (Outcome.NOT_EVALUATED, Outcome.FAIL)
    assert "Iteration budget exceeded" in first.reason
