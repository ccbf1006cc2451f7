"""Values as CEL writes them."""

import json
from typing import Any


def constant(value: Any) -> str:
    """Return a text, number, boolean or list as a CEL literal."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(constant(entry) for entry in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def names(values: Any) -> str:
    """Return a set of texts as a CEL list, sorted."""
    return constant(sorted(values))


def with_name(name: str, value: str, text: str) -> str:
    """Return `text` with `value` known as `name` in it: what `cel.bind` does elsewhere."""
    return f"[{value}].map({name},\n  {text})[0]"
