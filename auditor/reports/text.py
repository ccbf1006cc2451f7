"""Text from outside, made safe to show: names, messages and file names are written by others.

Markup is escaped by each format. What no markup escapes is handled here: control characters that a terminal or a
viewer would act upon, direction overrides that make a text read as another (CVE-2021-42574), and lone surrogates, which
cannot be written as UTF-8 at all. They are shown as their code point, so that nothing is lost and nothing is hidden.
"""

import re

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks, overrides and isolates
    "\u2028\u2029"  # ends a line in JavaScript and in some readers
    "\u200b\ufeff"  # invisible
    "\ud800-\udfff]"  # half a character
)


def visible(text: str) -> str:
    """Return `text` with what cannot or must not be shown written as its code point, in braces after a backslash."""
    return _UNSAFE.sub(lambda match: f"\\u{{{ord(match[0]):04X}}}", text)
