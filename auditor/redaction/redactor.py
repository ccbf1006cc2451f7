"""The redactor that every text passes on its way out: the last net, after credentials were taken out while reading.

It masks what is a credential by its own form (token formats, private keys, URL passwords, `Authorization` headers) and
values beside a credential's name. It leaves sentences alone: `token: not found` is a message, not a token.
"""

from auditor.model.resource import REDACTED
from auditor.patterns import compile_
from auditor.redaction.notation import Notation
from auditor.redaction.spans import spans

_UNPRINTABLE = compile_(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_ROUNDS = 4
"""Masking one credential may uncover another beside it; each round finds fewer."""


def redact_text(text: str) -> str:
    """Return `text` with every credential in it replaced by `REDACTED`."""
    for _ in range(_ROUNDS):
        found = spans(text, Notation.PROSE)
        if not found:
            return text
        text = mask(text, [(span.start, span.end) for span in found])
    return text


def mask(text: str, places: list[tuple[int, int]]) -> str:
    """Return `text` with `REDACTED` at each of `places`, which are in order and do not overlap."""
    parts: list[str] = []
    position = 0
    for start, end in places:
        parts += (text[position:start], REDACTED)
        position = end
    return "".join(parts) + text[position:]


def for_terminal(text: str) -> str:
    """Return `text` without control, invisible and direction characters; newlines stay, tabs become blanks."""
    return _UNPRINTABLE.sub("", text.replace("\t", " "))
