"""What a policy asks, as CEL: its rule, its loops and what a failure says, each as one expression.

Only text is made here; the engine compiles and runs it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from auditor.policy.document import Loop, Policy
from auditor.policy.places import Place

PASSES: Final = 0
FAILS: Final = 1
NOT_APPLICABLE: Final = 2
ASK: Final = 3
"""What the joint expression says of a policy. A doubt is asked again alone for its reason, a failure for its items."""

_PARAMS = re.compile(r"\bparams\b")


def with_params(text: str, values: Mapping[str, Any]) -> str:
    """Return `text` with the parameters bound, where it names them."""
    return f"cel.bind(params, {json.dumps(values)}, {text})" if _PARAMS.search(text) else text


def joint(policy: Policy) -> str:
    """Return a list of an answer and the number of items, as the joint expression of several policies holds it."""
    passes, fails = str(PASSES), str(FAILS)
    for doubt in policy.doubts:
        if doubt.fail_stands:
            passes = f"(({doubt.when}) ? {ASK} : {passes})"
        elif doubt.pass_stands:
            fails = f"(({doubt.when}) ? {ASK} : {fails})"
    answer = f"({policy.rule}) ? {passes} : {fails}"
    for doubt in reversed(policy.doubts):
        if not doubt.pass_stands and not doubt.fail_stands:
            answer = f"({doubt.when}) ? {ASK} : ({answer})"
    if policy.when:
        answer = f"({policy.when}) ? ({answer}) : {NOT_APPLICABLE}"
    return f"[{answer}, {sizes(policy.each) if policy.each else 0}]"


def sizes(loops: Sequence[Loop]) -> str:
    """Return the numbers of items that the loops meet, nested as the loops are."""
    *outer, last = loops
    text = f"size({last.items})"
    for loop in reversed(outer):
        text = f"{loop.operand}.map({loop.variable}, {text})"
    return text


def details(policy: Policy, places: Sequence[Place]) -> str:
    """Return what the failures say, nested as the loops are, with an empty list for an item that passes."""
    text = described(policy, places)
    if policy.each:
        text = f"({policy.expression}) ? [] : {text}"
        for loop in reversed(policy.each):
            text = f"{loop.operand}.map({loop.variable}, {text})"
    return text


def described(policy: Policy, places: Sequence[Place]) -> str:
    """Return a list of what a failure says: message, value, subject kind, pointer, key, evidence."""
    pointer = key = '""'
    if places and places[-1].base in {"computed", "view"}:
        variable = places[-1].variable
        pointer = f'(type({variable}) == map && has({variable}.path) ? string({variable}.path) : "")'
        key = f'(type({variable}) == map && has({variable}.key) ? string({variable}.key) : "")'
        if places[-1].base == "view" and places[-1].name in {"containers", "volumes"}:
            # Read from the body: a `path` in it is the manifest's own.
            pointer = key = '""'
    texts = [policy.message, policy.value or '""', policy.about or '"any"', pointer, key]
    return "[" + ", ".join([*texts, *(text for _, text in policy.evidence)]) + "]"


def at_position(text: str, loops: Sequence[Loop]) -> str:
    """Return `text` for one item alone, whose indices are the variables of `positions`."""
    for position, loop in reversed(list(zip(positions(loops), loops, strict=True))):
        text = f"[{loop.operand}[{position}]].map({loop.variable}, {text})[0]"
    return text


def positions(loops: Sequence[Loop]) -> tuple[str, ...]:
    """Return the names of the variables that hold the index of each loop."""
    return tuple(f"at{depth}" for depth in range(len(loops)))
