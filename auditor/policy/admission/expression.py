"""One policy's CEL for the types that an admission policy matches: what it asks, and why a server could not answer.

An API server evaluates `!(when) || undecided || rule`, and lets the object pass where that is true. So what is not
applicable or not evaluated passes: it must not be refused.
"""

import re
from collections.abc import Collection, Sequence
from functools import partial

from auditor.model.record import record
from auditor.model.resource import REDACTED
from auditor.policy import cel
from auditor.policy.admission import grant_view, pod_view, rewriting, views
from auditor.policy.admission.constants import constant
from auditor.policy.admission.kinds import kind
from auditor.policy.document import Loop, Policy

_FUNCTIONS = frozenset({
    "all", "bool", "bytes", "charAt", "contains", "double", "duration", "dyn", "endsWith", "exists", "exists_one",
    "filter", "format", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours",
    "getMilliseconds", "getMinutes", "getMonth", "getSeconds", "has", "hasValue", "indexOf", "int", "join",
    "lastIndexOf", "lowerAscii", "map", "matches", "optFlatMap", "optMap", "optional.none", "optional.of",
    "optional.ofNonZeroValue", "or", "orValue", "replace", "size", "split", "startsWith", "string", "substring",
    "timestamp", "trim", "type", "uint", "upperAscii", "value",
})  # fmt: skip
"""What CEL has in Kubernetes 1.30 as well as in this program."""
_REWRITTEN = frozenset({"cel.bind"})

_OF_SUBJECT = re.compile(r'variables\.subject\.(?P<field>kind|type)\s*(?P<sign>[=!]=)\s*"(?P<value>[^"]*)"')
_OF_GRANT = re.compile(r"has\(object\.principal\)")

_Chain = Sequence[tuple[str, str]]
"""Loops from the outside in, each a variable and its list."""


@record
class Text:
    """The CEL of a policy as it holds for some types."""

    when: str
    doubts: tuple[str, ...]
    loops: tuple[Loop, ...]
    expression: str
    message: str

    @property
    def asked(self) -> str:
        """Everything that the verdict rests on."""
        items = [loop.items for loop in self.loops if loop.items != views.LOOPED]
        return "\n".join([self.when, *self.doubts, *items, self.expression])


def text(policy: Policy, types: Collection[str]) -> Text:
    """Return the CEL of `policy` for subjects of `types` (none: of any), without the branches for other types."""
    known = partial(_known, types=frozenset(types))

    def fitted(part: str) -> str:
        return rewriting.folded(part, known)

    return Text(
        when=fitted(policy.when),
        doubts=tuple(
            doubted
            for doubt in policy.doubts
            # Where a failure stands, a server must refuse it.
            if not doubt.fail_stands and (doubted := fitted(doubt.when)) != "false"
        ),
        loops=tuple(Loop(variable=loop.variable, items=fitted(loop.items)) for loop in policy.each),
        expression=fitted(policy.expression),
        message=fitted(policy.message),
    )


def obstacles(text_: Text, *, grants: bool) -> list[str]:
    """Return why an API server cannot evaluate `text_`, each reason once."""
    of_grants = grant_view.obstacles(text_.asked) if grants else []
    if of_grants:
        return of_grants
    of_lists = [reason for loop in text_.loops for reason in _lacking(loop, text_.asked)]
    return list(dict.fromkeys([*_unknown_functions(text_.asked), *views.obstacles(text_.asked), *of_lists]))


def limits(text_: Text) -> list[str]:
    """Return what the exported policy does not see in an object, where it lets it pass."""
    if REDACTED in rewriting.literals(text_.asked):
        return ["it does not see a credential that stands there as a literal value: that needs the classification"]
    return []


def validation(text_: Text, name: str, *, grants: bool, subjects: str = "") -> tuple[str, str]:
    """Return the expression and the message expression (empty where a server can make none) of a validation.

    `name` stands before the message. `subjects`: CEL that tells whether an object that is matched is a subject; empty
    where all are.
    """
    chains = _chains(text_)
    rule, message = _rule(text_, chains, subjects), _message(text_, chains)
    if grants:
        rule, message = (rewriting.renamed(part, {"object": grant_view.GRANT}) for part in (rule, message))
        chain = [(grant_view.GRANT, "variables.grants")]
        message = _described(chain, rule, message) if message else ""
        rule = _looped(chain, rule)
    if message:
        message = f"{constant(f'{name}: ')} + string({message})"
    return _served(rule), _served(message)


def _rule(text_: Text, chains: Sequence[_Chain], subjects: str) -> str:
    rules = [_looped(chain, text_.expression) for chain in chains]
    rule = "true" if not rules else rules[0] if len(rules) == 1 else "\n  && ".join(f"({entry})" for entry in rules)
    conditions = [f"!({part})" for part in (subjects, text_.when) if part] + [f"({doubt})" for doubt in text_.doubts]
    if conditions:
        return "\n|| ".join([*conditions, f"({rule})"])
    # A server refuses an expression of which it cannot tell beforehand that it is a boolean.
    return rule if cel.compile_(rule).returns == "bool" else f"({rule}) == true"


def _message(text_: Text, chains: Sequence[_Chain]) -> str:
    of_lists = [reason for loop in text_.loops for reason in _lacking(loop, text_.message)]
    if _unknown_functions(text_.message) or views.obstacles(text_.message) or of_lists:
        return ""
    parts = [_described(chain, text_.expression, text_.message) if chain else text_.message for chain in chains]
    return parts[0] if len(parts) == 1 else "[" + ",\n  ".join(parts) + '].filter(said, said != "").join("; ")'


def _looped(chain: _Chain, expression: str) -> str:
    for variable, items in reversed(chain):
        expression = f"{items}.all({variable},\n  {expression})"
    return expression


def _described(chain: _Chain, expression: str, message: str) -> str:
    """Return CEL for the messages of all items that fail, joined."""
    *outer, (variable, items) = chain
    text_ = f'{items}.filter({variable},\n  !({expression}))\n  .map({variable},\n  {message}).join("; ")'
    for variable, items in reversed(outer):
        text_ = f'{items}.map({variable},\n  {text_}).filter(said, said != "").join("; ")'
    return text_


def _chains(text_: Text) -> list[_Chain]:
    """Return the loops; several where a view is several lists."""
    chains: list[_Chain] = [()]
    for loop in text_.loops:
        if loop.items == views.LOOPED:
            lists = [
                entry
                for entry in pod_view.REFERENCES
                if not _passes_anyway(loop.variable, {"via": entry.via}, text_.expression)
            ]
            chains = [(*chain, *entry.loops, (loop.variable, entry.elements)) for chain in chains for entry in lists]
        else:
            chains = [(*chain, (loop.variable, loop.operand)) for chain in chains]
    return chains


def _passes_anyway(variable: str, fields: dict[str, str], expression: str) -> bool:
    """Return whether an element passes by the `fields` that are the same for all of its list."""
    element = "{" + ", ".join(f"{constant(name)}: {constant(value)}" for name, value in fields.items()) + "}"
    try:
        program = cel.compile_(f"[{element}].all({variable}, {expression})")
    except cel.ExpressionError:
        # It also looks at something of a loop further inside.
        return False
    return program.truth(cel.activation({})) is True


def _lacking(loop: Loop, asked: str) -> list[str]:
    return views.lacking(loop.variable, asked) if loop.items == views.LOOPED else []


def _unknown_functions(asked: str) -> list[str]:
    return [
        f"it uses the function {name}, which CEL of Kubernetes 1.30 does not have"
        for name in sorted(rewriting.called(asked) - _FUNCTIONS - _REWRITTEN)
    ]


def _served(part: str) -> str:
    # A declared variable is always there in a server; what is no control-plane program has the empty name instead.
    part = part.replace("has(variables.component)", '(variables.component != "")')
    return rewriting.portable(rewriting.constants(part))


def _known(condition: str, *, types: frozenset[str]) -> bool | None:
    """Return whether a condition about the subject's type holds for all of `types`, `None` where it depends."""
    if not types:
        return None
    if _OF_GRANT.fullmatch(condition):
        return True if types == {grant_view.FACT} else None if grant_view.FACT in types else False
    asked = _OF_SUBJECT.fullmatch(condition)
    if asked is None:
        return None
    values = {type_ if asked["field"] == "type" else kind(type_) for type_ in types}
    if asked["value"] in values and len(values) > 1:
        return None
    return (asked["value"] in values) is (asked["sign"] == "==")
