"""What breaks a schema, as whoever wrote the file reads it."""

import json
from typing import Any

import jsonschema_rs
import pytest

from auditor.breaches import breaches
from auditor.data import policies

# The rule of `x`, what was written, what is said.
CASES: dict[str, tuple[dict[str, Any], Any, str]] = {
    "type": ({"type": "integer"}, "a", "x must be a whole number"),
    "types": ({"type": ["array", "null"]}, 1, "x must be a list or nothing"),
    "enum": ({"enum": ["a", "b"]}, "c", "x must be one of a, b"),
    "const": ({"const": "a"}, "c", "x must be a"),
    "pattern": ({"pattern": "^a$", "$comment": "the letter a"}, "b", "x does not have the right form: the letter a"),
    "pattern-without-words": ({"pattern": "^a$"}, "b", "x does not have the right form (`^a$`)"),
    "format": ({"format": "date"}, "soon", "x must be a date such as 2026-11-25"),
    "twice": ({"uniqueItems": True}, [1, 1], "x has an entry twice; each may stand there once"),
    "empty": ({"minItems": 1, "description": "Who."}, [], "x must not be empty. Who."),
    "short": ({"minLength": 3}, "ab", "x must have at least 3 characters"),
    "long": ({"maxLength": 3}, "abcd", "x must have at most 3 characters"),
    "small": ({"minimum": 1, "description": "Seconds."}, 0, "x must be at least 1. Seconds."),
    "large": ({"exclusiveMaximum": 9}, 9, "x must be less than 9"),
    "missing": (
        {"required": ["user"], "properties": {"user": {"description": "Whom to act as."}}},
        {},
        "`user` is missing in x. Whom to act as.",
    ),
    "unknown": (
        {"additionalProperties": False, "properties": {"fail-on": {}}},
        {"fail_on": 1},
        "unknown key `fail_on` in x; did you mean `fail-on`?",
    ),
    "unknown-and-nothing-near": (
        {"additionalProperties": False, "properties": {"a": {}, "b": {}}},
        {"zebra": 1},
        "unknown key `zebra` in x; it has `a` or `b`",
    ),
    "unknown-among-very-many": (
        {"additionalProperties": False, "properties": {f"a{number}": {} for number in range(13)}},
        {"zebra": 1},
        "unknown key `zebra` in x",
    ),
    "another-rule": ({"not": {"type": "string"}, "$comment": "A number."}, "b", "x breaks the rule `not`. A number."),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("referred", [False, True])
def test_it_is_said_where_what_is_wrong_and_what_would_be_right(name: str, *, referred: bool) -> None:
    rule, written, said = CASES[name]
    schema = {"properties": {"x": {"$ref": "#/$defs/x"} if referred else rule}, "$defs": {"x": rule}}
    (error,) = jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors({"x": written})
    assert [sentence for _, sentence in breaches(error, schema)] == [said]


def test_no_sentence_quotes_what_was_written() -> None:
    rules = {f"k{number}": rule for number, (rule, _, _) in enumerate(CASES.values())}
    schema = {"properties": rules}
    found = list(jsonschema_rs.validator_for(schema).iter_errors(dict.fromkeys(rules, "tr0ut9")))
    assert len(found) > 3
    assert all("tr0ut9" not in sentence for error in found for _, sentence in breaches(error, schema))


@pytest.mark.parametrize("name", ["configuration", "waivers"])
def test_every_pattern_of_what_users_write_has_words(name: str) -> None:
    """A regular expression is no sentence."""

    def patterns(rule: Any) -> list[Any]:
        if isinstance(rule, dict):
            inner = [found for value in rule.values() for found in patterns(value)]
            return [rule, *inner] if isinstance(rule.get("pattern"), str) else inner
        return [found for value in rule for found in patterns(value)] if isinstance(rule, list) else []

    found = patterns(json.loads((policies() / f"{name}.schema.json").read_text()))
    assert found
    assert [rule for rule in found if not (rule.get("$comment") or rule.get("description"))] == []
