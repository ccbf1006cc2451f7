"""Streams in UTF-16, and those that only begin so: nothing planted passes, and no other byte changes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.detection import stream, wide
from auditor.detection.stream import Mask
from auditor.detection.wide import Wide
from tests.detection.test_stream import ENGINE, KEY, PLANTED, TOKEN, VALUE

ENCODINGS = ("utf-16-le", "utf-16-be")
MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


def masked(content: bytes, encoding: str, cuts: list[int] | None = None) -> tuple[bytes, int]:
    made = Wide(encoding, wide=Mask(ENGINE), plain=Mask(ENGINE))
    out: list[bytes] = []
    start = 0
    for cut in [*sorted(cuts or []), len(content)]:
        out.append(made.feed(content[start:cut]))
        start = cut
    out.append(made.end())
    assert made.counts.bytes_read == len(content)
    assert not made.held
    return b"".join(out), made.counts.masked


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_text_in_utf_16_is_masked_and_stays_utf_16(encoding: str, end: str) -> None:
    text = f"\ufeffföne 密码 😀\r\npassword={VALUE}\nx\ntoken={TOKEN}\n{KEY}last{end}"
    out, count = masked(text.encode(encoding), encoding)
    assert count == 3
    shown = out.decode(encoding)
    assert not [value for value in PLANTED if value in shown]
    assert shown.startswith("\ufeffföne 密码 😀\r\npassword=[redacted]\nx\ntoken=[redacted]\n-----BEGIN")
    assert shown.endswith(f"last{end}")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("half", [b"", b"\0", b"z", b"\x00\xd8", b"\xd8\x00\xd8"])
def test_bytes_that_only_begin_as_utf_16_are_masked_and_none_is_lost(encoding: str, half: bytes) -> None:
    for head in (MARKS[encoding], MARKS[encoding] + b" bad \x80"):
        content = head + f'token: "{VALUE}"\npassword={VALUE}\nx=12\n'.encode() + half
        for cuts in ([], [1], [2], [3], list(range(len(content)))):
            out, count = masked(content, encoding, cuts)
            assert (out, count) == (content.replace(VALUE.encode(), b"[redacted]"), 2)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_turns_from_one_into_the_other_is_masked_in_both(encoding: str) -> None:
    plain, as_wide = f"password={VALUE}\n", f"\npassword={VALUE}\n".encode(encoding)
    for lead in ("", "x"):
        # The bytes between are even, so that what comes behind them is read as it is meant.
        between = (plain + " " * (len(plain + lead) % 2) + lead).encode()
        out, count = masked(MARKS[encoding] + as_wide + between + as_wide + between, encoding)
        assert count == 4
        assert VALUE.encode() not in out
        assert VALUE.encode(encoding) not in out


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_line_is_passed_on_as_soon_as_it_is_whole(encoding: str) -> None:
    made = Wide(encoding, wide=Mask(ENGINE), plain=Mask(ENGINE))
    for line in ("\ufefffirst\n", "second\r\n", f"password={VALUE}\n"):
        assert made.feed(line.encode(encoding)) == line.replace(VALUE, "[redacted]").encode(encoding)
        assert made.held == 0


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000), st.lists(st.integers(0, 2000), max_size=6), st.sampled_from(ENCODINGS))
def test_other_bytes_pass_as_they_came(content: bytes, cuts: list[int], encoding: str) -> None:
    out, count = masked(MARKS[encoding] + content, encoding, [min(cut, len(content)) for cut in cuts])
    if not count:
        assert out == MARKS[encoding] + content


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_line_that_never_ends_is_cut_within_no_character(encoding: str) -> None:
    text = "\ufeff" + "密码é😀" * 30_000 + f" password={VALUE} " + "密x" * 40_000
    content = text.encode(encoding)
    for size in (len(content), 4_097):
        out, count = masked(content, encoding, list(range(0, len(content), size)))
        assert count == 1
        assert out == text.replace(VALUE, "[redacted]").encode(encoding)
    assert len(content) > 4 * stream.LONGEST


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xffx", "utf-16-be"),
        (b"\xff", ""),
        ("password=x\n".encode("utf-16-le"), "utf-16-le"),
        ("Grüße, Straße é\n".encode("utf-16-be"), "utf-16-be"),
        (b"", ""),
        (b"a\0b", ""),
        (b"plain text with one \0 in it", ""),
        (b"\0" * 5_000 + b"2026-11-25 INFO x\n", ""),
        (b"\0" * 5_000, ""),
        (b"password=x\n" * 900, ""),
    ],
)
def test_the_head_tells_the_encoding(head: bytes, encoding: str) -> None:
    assert wide.encoding_of(head) == encoding
