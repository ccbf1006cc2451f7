"""Token formats that a vendor documents: prefix, length, alphabet and, where there is one, the checksum.

The table is the detection library, `policies/detection/*.yaml`: its rules of the first tier that have a pattern. Each
is written from the page that it names, never from another scanner's rules. A format that matches is a credential with
certainty, so only formats that hardly anything else can match stand there. Patterns have no groups and never cross a
line, so that they hold in a window of text as in the whole.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from auditor import prepared
from auditor.patterns import compile_


class Format(NamedTuple):
    """One documented token format."""

    rule: str
    pattern: str
    documentation: str
    heads: tuple[str, ...]
    """Texts of which every token holds at least one."""
    check: Callable[[str], bool] | None = None
    """Whether the checksum inside the token is right; `None` where the format has none that is published."""


class Token(NamedTuple):
    """Where in a text a token stands."""

    start: int
    end: int
    rule: str


_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def crc32_base62(body: str) -> str:
    """Return the six checksum characters that GitHub and npm append to the random part `body` of a token."""
    value, digits = zlib.crc32(body.encode()), ""
    while value:
        value, digit = divmod(value, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0")


def _crc32_base62(token: str) -> bool:
    """Return whether the last six characters are the checksum of the random part before them."""
    return crc32_base62(token.rsplit("_", 1)[1][:-6]) == token[-6:]


def _json_web_token(token: str) -> bool:
    """Return whether the first part is a header of RFC 7515, which names an algorithm, and the second an object."""
    header, payload, _ = token.split(".")
    return '"alg"' in _decoded(header) and _decoded(payload).startswith("{")


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


_CHECKSUMS: Mapping[str, Callable[[str], bool]] = {"crc32-base62": _crc32_base62, "json-web-token": _json_web_token}
"""By the name that a rule gives."""


@cache
def formats() -> tuple[Format, ...]:
    """Return every format of the library, by name. Read at the first text that looks like a token: it takes 5 ms."""
    found = []
    for _, rule in prepared.library("detection"):
        if "pattern" in rule and rule["tier"] == 1:
            heads = tuple(rule["heads"])
            check = checksum(rule.get("checksum"))
            found.append(Format(rule["id"], rule["pattern"], rule["documentation"], heads, check))
    return tuple(found)


def checksum(name: str | None) -> Callable[[str], bool] | None:
    """Return what tells whether a token's checksum is right; `None` for formats without one."""
    return _CHECKSUMS[name] if name else None


_SIGNS = ("_", "-", ".", "")
"""What heads hold: a text without the sign needs no look for its heads."""


@cache
def _heads() -> tuple[tuple[str, tuple[tuple[str, Format], ...]], ...]:
    """Return the heads of all formats by the first of the signs that they hold."""
    groups: dict[str, list[tuple[str, Format]]] = {sign: [] for sign in _SIGNS}
    for format_ in formats():
        for head in format_.heads:
            groups[next(sign for sign in _SIGNS if sign in head)].append((head, format_))
    return tuple((sign, tuple(heads)) for sign, heads in groups.items())


@cache
def _loose(pattern: str) -> re.Pattern[str]:
    """Return a format alone. It begins with a literal, so a text without one is passed over at once."""
    return compile_(pattern)


@cache
def _exact(pattern: str) -> re.Pattern[str]:
    """Return a format as a whole word."""
    return compile_(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])")


_HEAD = compile_(
    r"A(?:KIA|SIA)[A-Z2-7]|gh[pousr]_|github_pat_|npm_|gl[a-z]{2,5}-[A-Za-z0-9_-]{20}|xox[abepor][-.]|xapp-|hooks\.slack"
    r"|discord|AIza|GOCSPX-|\dQ~"
    r"|[sr]k_(?:live|test)_|whsec_|SG\.|hv[sbr]\.|\.atlasv1\.|dckr_|do[opr]_v1_|dapi[0-9a-f]{8}|glsa_|glc_|pypi-"
    r"|AGE-SECRET|sk-(?<![A-Za-z0-9]sk-)|hf_[A-Za-z]{8}|NRAK-"
    r"|shp(?:at|ca|pa|ss)_|lin_api_|pul-|dp\.[a-z]|sntry[su]_|ATATT3|PMAK-|rubygems_|tskey-|dt0[a-z]|fig[dou]r?_"
    r"|packagist_|:AA[A-Za-z0-9_-]|eyJ"
    r"|bk(?:ua|a[aj])_|sb_secret_|sbp_|sq[upa]_[0-9a-f]|x(?:key|smtp)sib-|CCIP(?:AT|RJ)_|CFPAT-|HRKU-|lsv2_|pat[A-Za-z0-9]{14}\."
    r"|sgp_|AZDO|ABSKQ|pscale_|r8_[A-Za-z0-9]{20}|gsk_|ntn_\d|v1\.0-[0-9a-f]|LTAI[45]|cio(?:_tp_)?[A-Za-z0-9]{20}|cf(?:k|ut|at)_[A-Za-z0-9_-]{20}"
)
"""What every token starts with or holds; a test holds it to the patterns."""
_SHORTEST = 20
_SHORT = 80
"""Characters from which on a look for each head in turn is quicker than the pattern of all of them."""


def may_hold_token(text: str) -> bool:
    """Return whether a look for tokens is worth its price; false means that there is none."""
    return len(text) >= _SHORTEST and _HEAD.search(text) is not None


def tokens(text: str) -> Iterator[Token]:
    """Yield every token in `text` with its place, left to right. A wrong checksum is no token."""
    if len(text) < _SHORTEST or (len(text) < _SHORT and _HEAD.search(text) is None):
        return
    found: list[Token] = []
    held: dict[Format, None] = {}
    for sign, heads in _heads():
        if sign in text:
            held.update(dict.fromkeys([format_ for head, format_ in heads if head in text]))
    for format_ in held:
        found += of_format(format_, text)
    end = 0
    for token in sorted(found, key=_FIRST) if len(found) > 1 else found:
        if token.start >= end:
            yield token
            end = token.end


def of_format(format_: Format, text: str) -> list[Token]:
    """Return the tokens of one format in `text`."""
    if _loose(format_.pattern).search(text) is None:
        return []
    return [
        Token(match.start(), match.end(), format_.rule)
        for match in _exact(format_.pattern).finditer(text)
        if format_.check is None or format_.check(match[0])
    ]


_FIRST = attrgetter("start")
"""Of two that begin together the one whose rule comes first by name stays."""
