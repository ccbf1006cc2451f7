"""Reading JSON-like data of any shape. What is not of the wanted shape is absent, as for a reader that cannot use it.

Kubernetes' own reader takes a null for a missing field, so null is absent here too, at any depth.
"""

from typing import Any

EMPTY: dict[str, Any] = {}
"""Stands for a map that is not there. Never written to."""


def mapping(value: Any) -> dict[str, Any]:
    """Return `value` if it is a map, else an empty one."""
    return value if isinstance(value, dict) else EMPTY


def elements(value: Any) -> list[Any]:
    """Return `value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def maps(value: Any) -> list[tuple[int, dict[str, Any]]]:
    """Return the maps in the list `value`, each with its position."""
    if not isinstance(value, list):
        return []
    return [(index, item) for index, item in enumerate(value) if isinstance(item, dict)]


def text(value: Any) -> str:
    """Return `value` if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def texts(value: Any) -> dict[str, str]:
    """Return the entries of the map `value` whose key and value are texts, as labels and annotations must be."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, str) and isinstance(key, str)}


def dig(value: Any, *steps: str) -> Any:
    """Return what lies at `steps` below `value`, or `None`."""
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def without_nulls(value: Any) -> Any:
    """Return `value` without map entries that are null, at any depth; the same object where there are none.

    Positions in lists stay as they are, since paths count on them.
    """
    return _drop_nulls(value) if isinstance(value, (dict, list)) and _has_null(value) else value


def _has_null(value: dict[Any, Any] | list[Any]) -> bool:
    for item in value.values() if isinstance(value, dict) else value:
        # Exact types: this runs over every element of every pod.
        kind = type(item)
        if (kind is dict or kind is list) and _has_null(item):
            return True
        if item is None:
            return True
    return False


def _drop_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _drop_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_drop_nulls(item) for item in value]
    return value
