"""What breaks a JSON Schema, told to whoever wrote the file: where, what is wrong, what would be right.

The validator's own sentences quote values, so none of them is used. What would be right comes from the schema: its
limits, its keys, and the words that stand beside a pattern (`$comment`) or a key (`description`).
"""

from collections.abc import Mapping
from typing import Any

from auditor.model.resource import Path as ItemPath

_TYPES = {
    "object": "a mapping (`key: value`)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_FORMATS = {"date": "a date such as 2026-11-25"}
_LIMITS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "minItems": "must have at least {} entries",
    "maxItems": "must have at most {} entries",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minProperties": "must have at least {} keys",
    "maxProperties": "must have at most {} keys",
}
_FEW = 12
"""So many keys are named where none comes near the one that was written."""


def breaches(error: Any, schema: Mapping[str, Any]) -> list[tuple[ItemPath, str]]:
    """Return the places and sentences of one error of the validator."""
    path: ItemPath = tuple(error.instance_path)
    rule = _rule(schema, error.schema_path)
    if error.kind.name in {"additionalProperties", "unevaluatedProperties"}:
        return [((*path, key), _unknown(str(key), _place(path), rule)) for key in error.kind.unexpected]
    return [(path, _sentence(error.kind, _place(path), rule))]


def _sentence(kind: Any, where: str, rule: Mapping[str, Any]) -> str:  # noqa: PLR0911 - one line for each keyword
    match kind.name:
        case "required":
            about = rule.get("properties", {}).get(kind.property, {}).get("description", "")
            return f"`{kind.property}` is missing in {where}{_after(about)}"
        case "type":
            types = [kind.types] if isinstance(kind.types, str) else list(kind.types)
            words = [_TYPES.get(str(one), str(one)) for one in sorted(types, key=lambda one: one == "null")]
            return f"{where} must be {_or(words)}"
        case "enum":
            return f"{where} must be one of {', '.join(map(str, kind.options))}"
        case "const":
            return f"{where} must be {rule.get('const')}"
        case "pattern":
            right = rule.get("$comment")
            form = f": {right}" if right else f" (`{kind.pattern}`){_after(rule.get('description', ''))}"
            return f"{where} does not have the right form{form}"
        case "format":
            return f"{where} must be {_FORMATS.get(kind.format, f'a {kind.format}')}"
        case "uniqueItems":
            return f"{where} has an entry twice; each may stand there once"
        case "minItems" | "minLength" | "minProperties" if kind.limit == 1:
            return f"{where} must not be empty{_after(rule.get('description', ''))}"
        case name if name in _LIMITS:
            return f"{where} {_LIMITS[name].format(kind.limit)}{_after(rule.get('description', ''))}"
        case name:
            about = rule.get("$comment") or rule.get("description", "")
            return f"{where} breaks the rule `{name}`{_after(about)}"


def _unknown(key: str, where: str, rule: Mapping[str, Any]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    known = sorted(rule.get("properties", {}))
    near = get_close_matches(key.lower().replace("_", "-"), known, n=1) or get_close_matches(key.lower(), known, n=1)
    if near:
        right = f"; did you mean `{near[0]}`?"
    else:
        right = f"; it has {_or([f'`{name}`' for name in known])}" if 0 < len(known) <= _FEW else ""
    return f"unknown key `{key}` in {where}{right}"


def _rule(schema: Mapping[str, Any], steps: Any) -> Mapping[str, Any]:
    """Return the part of the schema whose keyword, the last step, was broken; empty where it cannot be found."""
    rule: Any = schema
    for step in list(steps)[:-1]:
        try:
            rule = rule[step]
        except (KeyError, IndexError, TypeError):
            return {}
    return rule if isinstance(rule, Mapping) else {}


def _place(path: ItemPath) -> str:
    return ".".join(map(str, path)) or "the file"


def _after(about: str) -> str:
    """Return what the schema says of the place as a further sentence."""
    return f". {about}" if about else ""


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
