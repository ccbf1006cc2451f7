"""What is wrong with policy files: every mistake at once, each with file, line and column.

A policy that cannot fail is a defect, so one without a failing and a passing example is refused, as is one that
supports no requirement: a verdict that nobody asked for is noise.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor import authored
from auditor.authored import Mistake, MistakesError
from auditor.model.resource import Path as ItemPath
from auditor.model.verdict import Outcome
from auditor.policy import cel, document
from auditor.policy.cel import ExpressionError
from auditor.policy.document import Policy

if TYPE_CHECKING:
    import yaml


def lint(file: Path, *, requirements: Collection[str], references: Mapping[str, Collection[str]]) -> list[Mistake]:
    """Return every mistake in the policy `file`, in the order of its lines.

    `requirements` are the known ones (`soc2/CC6.1`); `references` the known ids by catalogue (`nist-800-53r5`).
    Raises `InputError` when the file cannot be read.
    """
    try:
        policy = document.read(file, checked=True)
    except MistakesError as error:
        return list(error.mistakes)
    text = file.read_text(encoding="utf-8")
    problems = [
        *_of_examples(policy),
        *_of_links(policy, requirements),
        *_of_references(policy, references),
        *_of_names(policy, file),
    ]
    mistakes = authored.at_positions(text, problems, file=str(file))
    return sorted([*mistakes, *_of_expressions(policy, text, str(file))])


def _of_examples(policy: Policy) -> Iterator[tuple[ItemPath, str]]:
    outcomes = {example.outcome for example in policy.examples}
    if Outcome.FAIL not in outcomes:
        yield ("examples",), "no example fails: add one with `outcome: fail`, or nobody knows that the policy can"
    if Outcome.PASS not in outcomes:
        yield ("examples",), "no example passes: add one with `outcome: pass`"
    seen: set[str] = set()
    for index, example in enumerate(policy.examples):
        if example.name in seen:
            yield ("examples", index, "name"), f"the example name `{example.name}` is taken"
        seen.add(example.name)


def _of_links(policy: Policy, requirements: Collection[str]) -> Iterator[tuple[ItemPath, str]]:
    if not policy.links:
        yield ("supports",), "it supports no requirement: name at least one"
    for index, link in enumerate(policy.links):
        if link.requirement not in requirements:
            yield (
                ("supports", index, "requirement"),
                f"`{link.requirement}` is no known requirement; `auditor frameworks show` lists them",
            )


def _of_references(policy: Policy, references: Mapping[str, Collection[str]]) -> Iterator[tuple[ItemPath, str]]:
    for index, reference in enumerate(policy.references):
        if "://" in reference:
            continue
        catalogue, _, identifier = reference.partition("/")
        if catalogue not in references:
            yield ("references", index), f"`{reference}` is neither a URL nor an id of {', '.join(sorted(references))}"
        elif identifier not in references[catalogue]:
            yield ("references", index), f"{catalogue} has no `{identifier}`"


def _of_names(policy: Policy, file: Path) -> Iterator[tuple[ItemPath, str]]:
    expected = f"{policy.id}-{policy.name}"
    if file.stem != expected:
        yield ("id",), f"the file should be called {expected}.yaml"
    used = " ".join(text for _, text, _, _ in _expressions(policy))
    for declared in policy.parameters:
        if f"params.{declared.name}" not in used:
            yield ("params", declared.name), f"no expression uses the parameter `{declared.name}`"


def _expressions(policy: Policy) -> Iterator[tuple[ItemPath, str, tuple[str, ...], str]]:
    """Yield (where, text, loop variables in reach, wanted type) of every expression."""
    if policy.when:
        yield ("when",), policy.when, (), "bool"
    for index, doubt in enumerate(policy.doubts):
        yield ("undecided", index, "when"), doubt.when, (), "bool"
        yield ("undecided", index, "reason"), doubt.reason, (), "string"
    variables: tuple[str, ...] = ()
    for index, loop in enumerate(policy.each):
        yield ("each", index, loop.variable), loop.items, variables, "list"
        variables = (*variables, loop.variable)
    yield ("expression",), policy.expression, variables, "bool"
    yield ("message_expression",), policy.message, variables, "string"
    for key, text in (("value", policy.value), ("about", policy.about)):
        if text:
            yield (key,), text, variables, "string"
    for name, text in policy.evidence:
        yield ("evidence", name), text, variables, "string"


def _of_expressions(policy: Policy, text: str, file: str) -> Iterator[Mistake]:
    import yaml  # noqa: PLC0415 - only when policies are checked

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for path, expression, variables, wanted in _expressions(policy):
        try:
            program = cel.compile_(expression, names=variables)
        except ExpressionError as error:
            line, column = _inside(root, path, text, expression, error)
            yield Mistake(file=file, line=line, column=column, message=f"{'.'.join(map(str, path))}: {error}")
            continue
        if program.returns not in {wanted, "dyn"} and not program.returns.startswith(wanted):
            problem = f"{'.'.join(map(str, path))} gives {program.returns}, and {wanted} is needed"
            yield from authored.at_positions(text, [(path, problem)], file=file)


def _inside(
    root: "yaml.Node | None", path: ItemPath, text: str, expression: str, error: ExpressionError
) -> tuple[int, int]:
    """Return line and column, in the file, of a position inside the scalar at `path`."""
    node: Any = root
    for step in path:
        if isinstance(step, int):
            node = node.value[step]
        else:
            node = next(value for key, value in node.value if key.value == str(step))
    offset = sum(len(line) + 1 for line in expression.split("\n")[: error.line - 1]) + error.column - 1
    mark = node.start_mark
    if node.style not in {"|", ">"}:
        return mark.line + 1, mark.column + 1 + (1 if node.style else 0) + offset
    # In a block each line lost its indentation, and its line break became one character.
    for number, raw in enumerate(text.splitlines()[mark.line + 1 : node.end_mark.line + 1], start=mark.line + 2):
        line = raw.strip()
        if offset <= len(line):
            return number, len(raw) - len(raw.lstrip()) + offset + 1
        offset -= len(line) + 1
    return mark.line + 1, mark.column + 1
