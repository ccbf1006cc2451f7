"""Whether bytes are text, and in which encoding: UTF-8 and its relatives as they are, UTF-16 and UTF-32 made UTF-8."""

import codecs
import re

from auditor.patterns import compile_

_HEAD = 8_192
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def as_text(content: bytes) -> bytes | None:
    """Return `content` as bytes to search in, `None` where it is binary.

    A NUL in its head is what git decides by, and a single one must not hide a text: binary is what has further control
    characters there, or little else than NULs. Files of Windows programs in UTF-16 have NULs too; a byte order mark
    tells them apart, or that nearly every second byte is one.
    """
    if content.find(b"\0", 0, _HEAD) < 0:
        return content
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace").encode("utf-8", "surrogatepass")
    head = content[:_HEAD]
    nuls = head.count(b"\0")
    if len(head.translate(None, _CONTROLS)) < len(head) or nuls == len(head):
        return None
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        units = head[first::2].count(b"\0")
        if units == nuls and units * 2 * _NEARLY > len(head):
            return content.decode(encoding, "replace").encode("utf-8", "surrogatepass")
    return content if nuls * 2 < len(head) and _utf8(head) else None


def _utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


_CONTROLS = bytes({*range(1, 32), 127} - {*b"\t\n\r\f\b\x1b"})
"""Characters that texts do without; ESC and backspace stand in what terminals wrote."""
_NEARLY = 1.5
"""Two in three of the bytes that would be NUL in a text of Latin letters."""


_LONE = compile_("[\ud800-\udfff]")
_BYTES = 0xDC80
_PAGE = 0xDC00


def shown(text: str) -> str:
    r"""Return a name of a file, or one beside a value, as Unicode text: a byte that was none as `\xe9`.

    Whatever judges or writes it wants Unicode, and one odd name must not keep the rest from being judged.
    """
    return text if text.isascii() else _LONE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code - _PAGE:02x}" if _BYTES <= code < _BYTES + 128 else f"\\u{code:04x}"
