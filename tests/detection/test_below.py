"""Values that stand on a line below their name."""

import pytest

from auditor.detection.below import REACH, below

CASES = [
    ('variable "db_password" {\n  type = string\n  default = "mast-3"\n}\n', "mast-3"),
    ('variable "db_password" {\n  type = string\n}\nvariable "x" {\n  default = "no"\n}\n', ""),
    ('variable "db_host" {\n  default = "mast-3"\n}\n', ""),
    ("  --admin-password\n  mast-3\n", "mast-3"),
    ('  "--admin-password",\n  "mast-3",\n', "mast-3"),
    ("  --admin-password\n  --user\n", ""),
    ('  "--ask-password",\n  action="store_true",\n', ""),
    ("DbPassword:\n  Type: String\n  Default: mast-3\n", "mast-3"),
    ("DbPassword:\n  Type: String\nDefault: mast-3\n", ""),
    ("password: |\n  mast-3\n", "mast-3"),
    ("passwords:\n  - mast-3\n", "mast-3"),
    ('resource "aws_ssm_parameter" "p" {\n  type = "SecureString"\n  value = "mast-3"\n}\n', "mast-3"),
    ('resource "aws_ssm_parameter" "p" {\n  type = "String"\n  value = "mast-3"\n}\n', ""),
    ('set_sensitive {\n  name = "a"\n  value = "mast-3"\n}\n', "mast-3"),
    ('resource "vault_generic_secret" "s" {\n  data_json = jsonencode({\n    "pin" = "mast-3"\n  })\n}\n', "mast-3"),
    ('  "clientAuthenticatorType": "client-secret",\n  "secret": "mast-37f"\n', "mast-37f"),
    ('  "clientId": "shop",\n  "enabled": true,\n  "secret": "secret"\n}\n', "secret"),
    ('  "clientId": "shop"\n},\n{"secret": "secret"}\n', ""),
    ('"credentials": {\n  "secret": "secret"\n}\n', "secret"),
    ('"credentials": {\n  "secret": "${SHOP_SECRET}"\n}\n', ""),
    ('{"D":"' + "Ab1-" * 12 + '","Kty":"RSA"}\n', "Ab1-" * 12),
    ('  "kty": "EC",\n  "crv": "P-256",\n  "d": "' + "Ab1_" * 12 + '"\n', "Ab1_" * 12),
    ('  "kty": "RSA",\n  "n": "' + "Ab1_" * 12 + '"\n', ""),
    ('  "kty": "RSA",\n  "n": "x"\n}, {\n  "d": "' + "Ab1_" * 12 + '"\n', ""),
    ("password:\n", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "value"), CASES)
def test_the_value_is_found_under_its_name(text: str, value: str) -> None:
    found = below(text.encode(), 0, text.find("\n"))
    assert [item.value for item in found] == ([value] if value else [])
    assert all(text[item.start : item.end] == item.value for item in found)


def test_places_are_in_bytes() -> None:
    content = 'variable "db_password" {\n  description = "für alle"\n  default = "mäst-3"\n}\n'.encode()
    (item,) = below(content, 0, content.find(b"\n"))
    assert content[item.start : item.end].decode() == item.value == "mäst-3"


def test_nothing_is_looked_for_beyond_the_reach() -> None:
    text = 'variable "db_password" {\n' + "\n" * REACH + '  default = "mast-3"\n}\n'
    assert below(text.encode(), 0, text.find("\n")) == []
