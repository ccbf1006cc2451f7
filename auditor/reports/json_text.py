"""JSON that is safe to show and that every reader takes."""

import json
import re
from typing import Any

# What a terminal or an editor acts upon although JSON allows it; and half characters, which UTF-8 cannot carry.
_RISKY = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def dump(value: Any, *, depth: int) -> bytes:
    """Return `value` as JSON in UTF-8, ended by a newline; keys keep their order.

    Down to `depth` each entry has its lines; what lies deeper stands on one, so that long lists hold one entry a line.
    """
    return tame(_lines(value, depth, "")).encode() + b"\n"


def tame(text: str) -> str:
    """Return JSON text that means the same with risky characters escaped and half characters replaced."""
    return text if text.isascii() and "\x7f" not in text else _RISKY.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return "\ufffd" if "\ud800" <= character <= "\udfff" else f"\\u{ord(character):04x}"


def _lines(value: Any, depth: int, margin: str) -> str:
    if not depth or not value or not isinstance(value, dict | list):
        return _ENCODER.encode(value)
    inner = margin + " "
    if isinstance(value, dict):
        entries = [f"{_ENCODER.encode(key)}: {_lines(entry, depth - 1, inner)}" for key, entry in value.items()]
        opening, closing = "{}"
    else:
        entries = [_lines(entry, depth - 1, inner) for entry in value]
        opening, closing = "[]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(entries) + f"\n{margin}{closing}"
