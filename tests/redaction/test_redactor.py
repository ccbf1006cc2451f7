import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.resource import REDACTED
from auditor.redaction.redactor import for_terminal, redact_text

CANARY = "Zx9-canary-4711q"
PEM = (
    "-----BEGIN {0}PRIVATE KEY-----\n"
    + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY\n" * 3
    + "-----END {0}PRIVATE KEY-----"
)

SENTENCES = [
    "token: not found",
    "password is missing",
    "Secret payments/db",
    "the Secret payments/db holds 3 keys, password and token among them",
    "container web reads Secret db-password through its environment",
    "error: secret: it is not set",
    "K-SEC-02 secret-in-env: container api takes DB_PASSWORD from a literal",
    "--> deploy/web.yaml:12:9",
    "DB_PASSWORD_FILE=/run/secrets/db is a path",
    "DB_PASSWORD=${DB_PASSWORD}",
    "password: ${{ secrets.DB }}",
    "use `valueFrom.secretKeyRef` with name: db and key: password",
    "https://docs.example.org/token?x=1#secret",
    "ServiceAccount shop/web may get secrets",
    "Run `auditor secrets scan --token-file FILE`",
    "token: missing",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_of_ours_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        f"postgres://app:{CANARY}@db:5432/shop",
        f"redis://:{CANARY}@cache",
        f"DB_PASSWORD={CANARY}",
        f"password: {CANARY}",
        f'{{"password":"{CANARY}"}}',
        f'{{\\"password\\":\\"{CANARY}\\"}}',
        f"db.password = '{CANARY}'",
        f"Server=db;User Id=sa;Password={CANARY};Encrypt=true",
        f"helm: error: --set auth.password={CANARY} failed",
        f"https://api/?api_key={CANARY}&page=2",
        f"Authorization: Bearer {CANARY.replace('-', '')}",
        "Authorization: Basic " + base64.b64encode(f"me:{CANARY}".encode()).decode(),
        f"first line\nclient_secret={CANARY}\nlast line",
    ],
)
def test_a_credential_in_a_message_is_masked_and_the_rest_stays(text: str) -> None:
    redacted = redact_text(text)
    assert CANARY not in redacted
    assert CANARY.replace("-", "") not in redacted
    assert base64.b64encode(f"me:{CANARY}".encode()).decode() not in redacted
    assert REDACTED in redacted
    before = re.split(rf"{CANARY}|Bearer|Basic", text, maxsplit=1)[0]
    assert redacted.startswith(before)


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_is_masked_whole_also_in_base64_and_on_one_line(kind: str) -> None:
    pem = PEM.format(kind)
    for text in (pem, pem.replace("\n", "\\n"), base64.b64encode(pem.encode()).decode(), pem.split("-----END")[0]):
        redacted = redact_text(f"key: |\n{text}")
        assert "QUJDREVG" not in redacted
        assert "LS0tLS1CRUdJTi" not in redacted


def test_a_certificate_is_no_secret() -> None:
    text = PEM.format("").replace("PRIVATE KEY", "CERTIFICATE")
    assert redact_text(text) == text


words = st.sampled_from(
    [
        "password", "=", ":", " ", "token", "x1Y2z3", "\n", '"', "'",
        "://", "@", "u:p@h", "Bearer ", "Basic ", "dXNlcjpwYXNz",
        ";",
        "&",
        "[redacted]", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "QUJDREVGR0hJSktMTU5PUFFSU1Q", "<",
        "/", ">", "${",
        "}", "--", "AKIA" + "Q" * 16, "LS0tLS1CRUdJTi", "curl -u a:b", "a",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(words, st.text(max_size=6)), max_size=14).map("".join))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


@given(st.text())
def test_a_terminal_gets_no_control_character_and_every_newline(text: str) -> None:
    shown = for_terminal(text)
    assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert shown.count("\n") == text.count("\n")


def test_a_terminal_gets_no_escape_sequence_and_no_direction_override() -> None:
    assert for_terminal("a\x1b[31mb\u202ec\u2066d\u200be\tf\ng\r") == "a[31mbcde f\ng"
