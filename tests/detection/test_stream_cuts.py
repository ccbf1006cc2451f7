"""Long tokens on a line without an end: none is passed on in part, wherever the line is cut."""

import base64
import json

import pytest

from auditor.detection import rules, stream
from auditor.detection.engine import Engine
from auditor.detection.stream import Mask

ENGINE = Engine(rules.load(), fingerprint=lambda _: "")


def _part(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def web_token(length: int) -> bytes:
    """Return a JSON web token of about `length` bytes, of letters that differ everywhere."""
    claims = json.dumps({"roles": [f"role-{number:05}" for number in range(length // 20)]}).encode()
    return b".".join((_part(b'{"alg":"HS256","typ":"JWT"}'), _part(claims), _part(bytes(range(32)))))


def masked(content: bytes, size: int) -> bytes:
    mask = Mask(ENGINE)
    out = [mask.feed(content[start : start + size]) for start in range(0, len(content), size)]
    return b"".join((*out, mask.end()))


@pytest.mark.parametrize("length", [200, 900, 4_000])
@pytest.mark.parametrize("size", [1_000, 65_536, 1 << 20])
@pytest.mark.parametrize("before", [b";token=", b"; "], ids=["named", "bare"])
def test_a_long_token_over_a_cut_is_masked_whole(length: int, size: int, before: bytes) -> None:
    """At every place of a line where it may be cut, and around it: a part of a token would be most of it."""
    token = web_token(length)
    cut = stream.LONGEST - stream._OVERLAP
    for start in range(cut - len(token) - 40, cut + 40, max(len(token) // 12, 1)):
        line = b"x" * (start - len(before)) + before + token + b";" + b"y" * stream.LONGEST + b"\n"
        told = masked(line, size)
        assert told.count(b"[redacted]") == 1
        for at in range(0, len(token) - 24, 24):
            assert token[at : at + 24] not in told, (start, at)
