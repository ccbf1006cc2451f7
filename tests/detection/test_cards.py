"""Card numbers: which are issued, which are checked, and what has to stand around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.detection import rules
from auditor.detection.cards import card_numbers, luhn, made_up, scheme
from auditor.detection.engine import Engine

DIGITS = "0123456789"
ENGINE = Engine(rules.load(), fingerprint=lambda _: "f" * 32)


def checked(body: str) -> str:
    """Return `body` with its check digit: made here, so that no number of a person stands in this file."""
    return next(body + digit for digit in DIGITS if luhn(body + digit))


VISA = checked("453957876362148")
AMEX = checked("37141234567891")
DINERS = checked("3671234567891")
LONGEST = checked("621234567891234567")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (f"card_number: {VISA}", VISA),
        (f'{{"pan":"{VISA}"}}', VISA),
        (f"paid with {VISA[:4]} {VISA[4:8]} {VISA[8:12]} {VISA[12:]} today", VISA),
        (f"{VISA[:4]}-{VISA[4:8]}-{VISA[8:12]}-{VISA[12:]}", VISA),
        (f"amex {AMEX}", AMEX),
        (f"{AMEX[:4]} {AMEX[4:10]} {AMEX[10:]}", AMEX),
        (f"{DINERS[:4]} {DINERS[4:10]} {DINERS[10:]}", DINERS),
        (f"cc={LONGEST};exp=12/29", LONGEST),
    ],
)
def test_a_card_number_is_found_with_a_word_of_the_trade_or_in_groups(text: str, number: str) -> None:
    (found,) = card_numbers(text)
    assert (found.value, found.doubtful) == (number, False)
    assert text[found.start : found.end].replace(" ", "").replace("-", "") == number


def test_digits_alone_are_doubtful_and_told_in_the_third_tier_only() -> None:
    (found,) = card_numbers(f"value {VISA}")
    assert found.doubtful
    content = f"value {VISA}\n".encode()
    assert [hit.tier for hit in ENGINE.scan(content, path="a.log")] == [3]
    second = Engine(rules.load().of_tier(2), fingerprint=lambda _: "f" * 32)
    assert second.scan(content, path="a.log") == []


@pytest.mark.parametrize(
    "text",
    [
        f"card {VISA[:-1]}{(int(VISA[-1]) + 1) % 10}",
        f"card id={VISA}",
        f"card order #{VISA}",
        f"card {VISA}.5",
        f"card x{VISA}",
        f"card {VISA}-01",
        "card 4242424242424242",
        "card 4111 1111 1111 1111",
        "card 378282246310005",
        "card " + checked("400000000000000"),
        "card " + checked("900000123456789"),
        "card 1600000000000",
    ],
)
def test_what_is_no_persons_card_number_is_passed_over(text: str) -> None:
    assert card_numbers(text) == []


@given(body=st.text(DIGITS, min_size=12, max_size=18))
def test_one_check_digit_fits_and_no_single_wrong_digit_passes(body: str) -> None:
    number = checked(body)
    assert sum(luhn(body + digit) for digit in DIGITS) == 1
    wrong = str((int(number[0]) + 1) % 10) + number[1:]
    assert not luhn(wrong)


@given(body=st.text(DIGITS, min_size=12, max_size=18))
def test_what_the_reader_finds_the_trigger_fires_on(body: str) -> None:
    number = checked(body)
    told = [hit.rule for hit in ENGINE.scan(f"card: {number}\n".encode(), path="a.log")]
    assert ("card-number" in told) == (scheme(number) != "" and not made_up(number))


@pytest.mark.parametrize(
    ("number", "name"), [(VISA, "Visa"), (AMEX, "American Express"), (DINERS, "Diners Club"), (LONGEST, "UnionPay")]
)
def test_what_is_shown_of_a_number_is_its_scheme_and_no_digit(number: str, name: str) -> None:
    (hit,) = ENGINE.scan(f"card: {number}\n".encode(), path="a.log")
    assert (hit.masked, hit.length) == (f"{name} ***", len(number))
