"""Primary account numbers of payment cards: issuer range, length, check digit, and what stands around them.

Ranges and lengths are those that the card schemes publish (ISO/IEC 7812); the check digit is that of its annex B. One
number in ten passes the check, and ids are long, so a bare row of digits is only a doubtful one: a name beside it, a
word of the trade near it, or the grouping of an embossed card makes it likely.
"""

import re
from collections.abc import Iterator

from auditor.detection.found import Found
from auditor.model import sighting
from auditor.patterns import compile_

CARD_NUMBER = sighting.CARD_NUMBER
_NUMBER = compile_(
    r"""[2-6]\d{3}(?:
        \d{9,15}
        | (?P<gap>[ \-])\d{4}(?P=gap)\d{4}(?P=gap)\d{4}(?:(?P=gap)\d{1,3})?
        | (?P<other>[ \-])\d{6}(?P=other)\d{4,5}
    )(?![\w\-]|\.\d)""",
    re.VERBOSE,
)
"""In one row, in fours, or as American Express (4-6-5) and Diners Club (4-6-4) emboss it."""
_BEFORE = frozenset(" \t\r\n:=\"',;>[({|")
_RANGES: tuple[tuple[str, int, int, frozenset[int]], ...] = (
    # (scheme, first and last of the leading six digits, lengths)
    ("Diners Club", 300000, 305999, frozenset(range(14, 20))),
    ("Diners Club", 309500, 309599, frozenset(range(14, 20))),
    ("Diners Club", 360000, 369999, frozenset(range(14, 20))),
    ("Diners Club", 380000, 399999, frozenset(range(16, 20))),
    ("American Express", 340000, 349999, frozenset({15})),
    ("American Express", 370000, 379999, frozenset({15})),
    ("JCB", 352800, 358999, frozenset(range(16, 20))),
    ("Visa", 400000, 499999, frozenset({13, 16, 19})),
    ("Mastercard", 510000, 559999, frozenset({16})),
    ("Mastercard", 222100, 272099, frozenset({16})),
    ("Mir", 220000, 220499, frozenset(range(16, 20))),
    ("Discover", 601100, 601199, frozenset(range(16, 20))),
    ("Discover", 644000, 659999, frozenset(range(16, 20))),
    ("UnionPay", 620000, 629999, frozenset(range(16, 20))),
    ("Maestro", 501800, 501899, frozenset(range(13, 20))),
    ("Maestro", 502000, 502099, frozenset(range(13, 20))),
    ("Maestro", 503800, 503899, frozenset(range(13, 20))),
    ("Maestro", 675900, 676399, frozenset(range(13, 20))),
)
TRADE = (
    r"(?i:card|\bpan\b|visa|amex|maestro|discover|diners|\bjcb\b|unionpay|\bcc(?:n|[_\-]?num(?:ber)?)?\b|credit|debit|kredit"
    r"|carte|tarjeta|\bcv[vc]2?\b|expir)"
)
"""Words of the trade."""
NEAR = 60
"""Characters between such a word and a number that belong together."""
_TRADE = compile_(TRADE)
_ANOTHER = compile_(
    r"(?i)(?:id|uuid|guid|sha\d*|hash|commit|digest|imei|isbn|ean|gtin|phone|tel|mobile|time(?:stamp)?|epoch|nonce|trace"
    r"|span|order|invoice|tracking|serial|iban|offset|size|bytes|version|seed|revision|port|ts|created|updated|date)"
    r"[\"']?[ \t]*[:=#]?[ \t]*[\"']?\Z"
)
"""A name right before the number that says that it is something else."""
_TESTS = frozenset(
    {
        "4242424242424242", "4111111111111111", "4012888888881881", "4222222222222", "4000056655665556",
        "4917484589897107", "4917610000000000", "4444333322221111", "4035501000000008", "4360000001000005",
        "5555555555554444", "5105105105105100", "5200828282828210", "5431111111111111", "5454545454545454",
        "2223003122003222", "2222400070000005", "5555341244441115", "5577000055770004", "5136333333333335",
        "378282246310005", "371449635398431", "378734493671000", "370000000000002", "374251018720955",
        "6011111111111117", "6011000990139424", "6011601160116611", "6445644564456445", "36227206271667",
        "30569309025904", "38520000023237", "3056930009020004", "36006666333344", "3566002020360505",
        "3530111333300000", "3569990010095841", "6200000000000005", "6205500000000000004", "6243030000000001",
        "6759649826438453", "6771798021000008", "6304000000000000", "5018000000000009",
    }
)  # fmt: skip
"""Numbers that payment services publish for tests; they belong to nobody."""
_FEW = 3
_RUN = compile_(r"(\d)\1{5}")


def card_numbers(text: str) -> list[Found]:
    """Return the card numbers on a line; those of which only the digits speak are doubtful."""
    return list(_found(text))


def _found(text: str) -> Iterator[Found]:
    for match in _NUMBER.finditer(text):
        digits = match[0].replace(" ", "").replace("-", "")
        if match.start() and text[match.start() - 1] not in _BEFORE:
            continue
        if not scheme(digits) or not luhn(digits) or made_up(digits):
            continue
        if _ANOTHER.search(text, max(0, match.start() - 40), match.start()) is not None:
            continue
        trade = _TRADE.search(text, max(0, match.start() - NEAR), match.end() + NEAR) is not None
        start = len(text[: match.start()].encode("utf-8", "surrogateescape"))
        likely = trade or len(digits) < len(match[0])
        yield Found(start, start + len(match[0]), "", CARD_NUMBER, digits, doubtful=not likely)


def scheme(digits: str) -> str:
    """Return the scheme that issues numbers of that beginning and length; empty where none does."""
    head = int(digits[:6])
    return next(
        (name for name, first, last, lengths in _RANGES if first <= head <= last and len(digits) in lengths), ""
    )


def luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = sum(int(digit) for digit in digits[-1::-2])
    return (total + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])) % 10 == 0


def made_up(digits: str) -> bool:
    """Return whether a number is published for tests, or made of too few digits to belong to anybody."""
    return digits in _TESTS or len(set(digits)) <= _FEW or _RUN.search(digits) is not None
