"""What is text: a NUL alone must not hide one, and what a program wrote for itself is none."""

import pytest

from auditor.detection.text import as_text, shown

TEXT = "DB_PASSWORD=gull-and-anchor-9\r\nGröße=1\r\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32", "utf-8", "utf-8-sig"])
def test_a_text_is_one_in_every_encoding_that_shows_itself(encoding: str) -> None:
    found = as_text(TEXT.encode(encoding))
    assert found is not None
    assert found.decode("utf-8-sig").lstrip("\ufeff") == TEXT


@pytest.mark.parametrize(
    "content",
    [
        b"a=1\n\0\npassword=x\n",
        b"x\0\0\0password=gull\n",
        b"\0password=gull-and-anchor\n",
        b"\x1b[31mred\0\x1b[0m gull\n",
    ],
)
def test_a_few_nuls_hide_no_text(content: bytes) -> None:
    assert as_text(content) == content


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 100,
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\x7fELF\2\1\1\0\0\0",
        b"\0" * 60 + b"text" * 10,
        b"GIF89a\xe8\x03\0\0",
    ],
)
def test_what_programs_write_for_themselves_is_binary(content: bytes) -> None:
    assert as_text(content) is None


def test_a_name_that_is_no_unicode_is_shown_with_escapes() -> None:
    assert shown(b"caf\xe9.env".decode("utf-8", "surrogateescape")) == r"caf\xe9.env"
    assert shown("\ud800x") == r"\ud800x"
    assert shown("ё.env") == "ё.env"
