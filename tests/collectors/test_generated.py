"""What differs between two renderings of a chart was made up by it."""

from pathlib import Path

import pytest

from auditor.collectors.generated import makes_up_values, replaced

ONE = b"""\
---
# Source: shop/templates/secret.yaml
data:
  password: "c29tZXRoaW5nLXJhbmRvbQ=="
  written: "aHVudGVyMg=="
  tls.crt: "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURJ"
stringData:
  settings: |
    user=shop
    password=one-random
"""
OTHER = ONE.replace(b"c29tZXRoaW5nLXJhbmRvbQ==", b"b3RoZXItcmFuZG9t").replace(b"one-random", b"two").replace(
    b"MIIDI", b"X").replace(b"Ck1JSURJ", b"Ck1JSUVK")  # fmt: skip


def test_a_value_that_differs_is_replaced_and_what_was_written_stays() -> None:
    text = replaced(ONE, OTHER).decode()
    assert '  password: "${generated-when-rendered}"\n' in text
    assert '  written: "aHVudGVyMg=="\n' in text
    assert "    user=shop\n    password=${generated-when-rendered}\n" in text
    assert "random" not in text


def test_certificates_stay_as_they_are() -> None:
    """They hold no secret, and their dates and names can be judged."""
    assert b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURJ" in replaced(ONE, OTHER)
    block = b"a: |\n  -----BEGIN CERTIFICATE-----\n  MIIDone\n  -----END CERTIFICATE-----\n  secret-%d\n"
    text = replaced(block % 1, (block % 2).replace(b"MIIDone", b"MIIDtwo"))
    assert b"  MIIDone\n" in text
    assert b"secret-${generated-when-rendered}" in text


def test_a_name_with_a_random_end_keeps_what_was_written() -> None:
    one, other = b'metadata:\n  name: "web-test-x7k2p"\n', b'metadata:\n  name: "web-test-x9abc"\n'
    assert replaced(one, other) == b'metadata:\n  name: "web-test-${generated-when-rendered}"\n'
    assert replaced(b"name: abc\n", b"name: abd\n") == b'name: "${generated-when-rendered}"\n'


def test_the_order_of_the_two_makes_no_difference() -> None:
    """So that two runs report the same bytes."""
    without = [b"\n".join(line for line in text.split(b"\n") if b"tls.crt" not in line) for text in (ONE, OTHER)]
    assert replaced(*without) == replaced(*reversed(without))


@pytest.mark.parametrize("again", [ONE, b"", ONE + b"more\n"])
def test_equal_renderings_and_those_of_another_length_change_nothing(again: bytes) -> None:
    assert replaced(ONE, again) == ONE


@pytest.mark.parametrize(
    ("file", "text", "wanted"),
    [
        ("templates/a.yaml", "x: {{ randAlphaNum 8 }}", True),
        ("templates/_h.tpl", '{{- genSignedCert "a" nil nil 3 .ca }}', True),
        ("charts/db/templates/a.yaml", "x: {{ htpasswd .u .p }}", True),
        ("charts/db-1.0.tgz", "", True),
        ("templates/a.yaml", "x: random, now generated", False),
        ("templates/NOTES.txt", "{{ randAlphaNum 8 }}", False),
        ("values.yaml", "x: randAlphaNum", False),
    ],
)
def test_a_chart_that_calls_such_a_function_is_known(tmp_path: Path, file: str, text: str, *, wanted: bool) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert makes_up_values(str(tmp_path)) is wanted
