"""A rule's own examples, run: what it says of them is either so, or the rule is wrong."""

from collections.abc import Iterable, Iterator

from auditor.detection.engine import Engine
from auditor.detection.rules import Example, Rule, RuleSet


def broken(rules: RuleSet, of: Iterable[Rule]) -> Iterator[tuple[Rule, Example]]:
    """Yield each example of the rules `of` that turns out otherwise than the rule claims, with all `rules` at work."""
    engine = Engine(rules, fingerprint=lambda _: "")
    for rule in of:
        for example in rule.examples:
            found = {hit.rule for hit in engine.scan(example.text.encode(), path=example.file)}
            if (rule.id in found) != example.found:
                yield rule, example
