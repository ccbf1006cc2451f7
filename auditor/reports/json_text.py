"""JSON that is safe to show and that every reader takes."""

import json
import re
from typing import Any

# What a terminal or an editor acts upon although JSON allows it; and half characters, which UTF-8 cannot carry.
_RISKY = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def dump(value: Any) -> bytes:
    """Return `value` as JSON in UTF-8, ended by a newline; keys keep their order."""
    return tame(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)).encode() + b"\n"


def tame(text: str) -> str:
    """Return JSON text that means the same with risky characters escaped and half characters replaced."""
    return text if text.isascii() else _RISKY.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return "\ufffd" if "\ud800" <= character <= "\udfff" else f"\\u{ord(character):04x}"
