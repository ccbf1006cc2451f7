"""Every sample is generated, so that no token stands in this file, and none was ever issued by a vendor."""

import base64
import json
import re
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.redaction.formats import Format, crc32_base62, formats, may_hold_token, tokens

ALPHANUMERIC = string.ascii_letters + string.digits


def packed(claims: dict[str, str]) -> str:
    text = json.dumps(claims, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def samples(format_: Format) -> st.SearchStrategy[str]:
    if format_.check is None:
        return st.from_regex(re.compile(format_.pattern, re.ASCII), fullmatch=True)
    if format_.rule == "jwt":
        names = st.text(string.ascii_letters, min_size=4)
        claims = st.dictionaries(names, st.text(ALPHANUMERIC, min_size=4), min_size=1, max_size=3)
        header = st.builds(lambda rest: {"alg": "ES256", **rest}, claims)
        return st.builds(lambda *parts: ".".join((*map(packed, parts), "aZ0_-" * 8)), header, claims)
    prefix = st.sampled_from(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"] if format_.rule == "github-token" else ["npm_"])
    body = st.text(ALPHANUMERIC, min_size=30, max_size=30)
    return st.builds(lambda head, middle: head + middle + crc32_base62(middle), prefix, body)


@pytest.mark.parametrize("format_", formats(), ids=lambda format_: format_.rule)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(data=st.data())
def test_a_generated_token_is_found_where_it_stands(format_: Format, data: st.DataObject) -> None:
    """Also holds the cheap look ahead (`may_hold_token`) to the patterns: it must never hide a token."""
    token = data.draw(samples(format_))
    text = f"see '{token}' there"
    assert may_hold_token(text)
    assert any(text[found.start : found.end] == token for found in tokens(text)) or any(
        found.start <= 5 and found.end >= 5 + len(token) for found in tokens(text)
    )


@given(prefix=st.sampled_from(["ghp_", "npm_"]), body=st.text(ALPHANUMERIC, min_size=30, max_size=30))
def test_a_wrong_checksum_is_no_token(prefix: str, body: str) -> None:
    wrong = "".join(chr(ord(c) + 1) if c not in "9Zz" else "0" for c in crc32_base62(body))
    assert not list(tokens(prefix + body + wrong))


def test_a_token_inside_a_longer_word_is_no_token() -> None:
    assert not list(tokens("x" + "AKIA" + "A" * 16))
    assert not list(tokens("AKIA" + "A" * 17))
    assert [found.rule for found in tokens("AKIA" + "A" * 16)] == ["aws-access-key-id"]


def test_every_format_names_its_vendors_page_and_has_no_group_of_its_own() -> None:
    for format_ in formats():
        assert format_.documentation.startswith("https://")
        assert re.compile(format_.pattern).groups == 0
    assert len({format_.rule for format_ in formats()}) == len(formats())
