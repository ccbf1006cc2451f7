"""The engine as a whole: what is found, where, in which notation, and that the fast stage misses nothing."""

import random
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditor.detection import rules, triggers
from auditor.detection.engine import Engine, Hit
from auditor.detection.triggers import Look, Trigger
from auditor.redaction.fingerprint import Fingerprinter
from auditor.redaction.names import Label, label

RULES = rules.load().of_tier(2)
FINGERPRINT = Fingerprinter(b"a key for these tests only").of
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(RULES, fingerprint=FINGERPRINT)


@pytest.fixture(scope="module")
def plain() -> Engine:
    return Engine(RULES, fingerprint=FINGERPRINT, prefilter=False)


def found(hits: list[Hit], content: bytes) -> list[tuple[str, bytes]]:
    return [(hit.rule, content[hit.start : hit.end]) for hit in hits]


def test_a_hit_tells_the_place_and_never_the_value(engine: Engine) -> None:
    content = "# größe\nenv:\n  - name: DB_PASS\n    value: 'gehe1m-ä'\n".encode()
    (hit,) = engine.scan(content, path="deployment.yaml")
    assert content[hit.start : hit.end].decode() == "gehe1m-ä"
    assert (hit.line, hit.column, hit.key, hit.length) == (4, 13, "DB_PASS", 8)
    assert hit.fingerprint == FINGERPRINT("gehe1m-ä")
    assert "gehe1m" not in repr(hit)


def test_the_values_of_a_secret_are_found_decoded(engine: Engine) -> None:
    """The fingerprint is that of the value itself, so that the same password elsewhere has the same."""
    content = (
        b"kind: Secret\napiVersion: v1\ndata:\n  a.txt: aHVudGVyMg==\n  user: aHVudGVyMg==\n"
        b"stringData:\n  x: |\n    hunter2\n"
    )
    hits = engine.scan(content, path="s.yaml")
    assert {hit.fingerprint for hit in hits} == {FINGERPRINT("hunter2")}
    assert {hit.rule for hit in hits} == {"secret-value"}
    packed = b'{"kind": "Secret", "data": {"pin": "aHVudGVyMg=="}}'
    assert found(engine.scan(packed, path="s.json"), packed) == [("secret-value", b"aHVudGVyMg==")]


def test_templates_of_secrets_hold_none(engine: Engine) -> None:
    content = b"kind: Secret\ndata:\n  {{- range .Values.keys }}\n  {{ .name }}: {{ .value | b64enc }}\n  {{- end }}\n"
    assert engine.scan(content, path="templates/secret.yaml") == []


@pytest.mark.parametrize("count", [1, 3, 400])
def test_a_token_on_an_endless_line_is_found_wherever_it_stands(engine: Engine, count: int) -> None:
    """Long lines are read in windows, and no border may hide a token."""
    token = b"glpat-" + b"Aa1_-" * 4
    for offset in (0, 1, 4095, 4096, 4097, 8180, 8191, 8192, 12_288, 50_000):
        content = b"x" * (offset - 1) + b";" + token + b";" + b"y;" * 10_000 * count
        content = content if offset else token + b";" + b"y;" * 10_000
        assert token in [content[hit.start : hit.end] for hit in engine.scan(content, path="bundle.js")], offset


OBJECTS = st.lists(
    st.text("ab,{}", max_size=6).map(lambda text: text * 3_000) | st.text("ab}", max_size=40), min_size=1
)


@given(objects=OBJECTS, joint=st.sampled_from(["},{", "}, {", ";"]), before=st.sampled_from(["", "head\n"]))
@settings(max_examples=60, deadline=None)
def test_the_pieces_of_a_long_line_leave_no_byte_out(objects: list[str], joint: str, before: str) -> None:
    content = (before + "x" + joint.join(objects) + "\ntail").encode()
    start = len(before)
    end = content.rindex(b"\n")
    found = [Trigger(Look.LINE, at) for at in triggers.along(content, start, end)]
    pieces = triggers.lines(content, found)[Look.LINE]
    assert all(stop - first <= triggers.LONGEST_LINE or (first, stop) == (start, end) for first, stop in pieces)
    reached = start
    for first, stop in pieces:
        assert first <= reached
        reached = max(reached, stop)
    assert reached >= end
    single = [triggers.lines(content, [one])[Look.LINE] for one in found]
    assert {piece for some in single for piece in some} == set(pieces), "each trigger by itself names the same pieces"
    assert all(any(first < one.end <= stop for first, stop in some) for one, some in zip(found, single, strict=True))


def test_an_object_further_on_in_its_long_line_is_an_equal_piece() -> None:
    """So one that a hundred versions of an index hold is judged once."""
    rest = b'{"text":"a"},' * 2_000
    one = b',{"location":"x","text":"token: abc"}'
    for content in (b"[" + rest[:-1] + one + b"," + rest, b"[" + rest[13:-1] + one + b"," + rest):
        at = content.index(b"abc") + 3
        ((start, end),) = triggers.lines(content, [Trigger(Look.LINE, at)])[Look.LINE]
        assert content[start:end] == one


def test_a_private_key_is_one_hit_whatever_its_length(engine: Engine) -> None:
    body = "".join(
        random.Random(3).choices(  # noqa: S311 - a text, no key
            "ABCDEFabcdef0123456789+/", k=3200
        )
    )
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    content = f"before\n-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\nafter\n".encode()
    (hit,) = engine.scan(content, path="tls.key")
    assert (hit.rule, hit.line) == ("private-key", 2)
    assert content[hit.start : hit.end].startswith(b"-----BEGIN")
    assert content[hit.end :].startswith(b"\nafter") or content[hit.end :].startswith(b"\n")


WORDS = st.sampled_from(
    [
        "db",
        "pass",
        "password",
        "Pwd",
        "secret",
        "token",
        "key",
        "api",
        "access",
        "auth",
        "client",
        "prod",
        "2",
        "value",
        "private",
        "id",
        "base",
        "name",
        "file",
        "url",
        "my",
        "root",
        "creds",
        "credentials",
        "jwt",
        "cookie",
        "erlang",
        "encryption",
        "PAT",
        "passphrase",
        "signing",
    ]
)
NAMES = st.builds(
    lambda words, mark: mark.join(words), st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["_", "-", ".", ""])
)
VALUES = st.sampled_from(["hunter2", "q8Zt3LvP0xW7kYb5NcRm2JdH", "correct horse", "s3cr.t-x", "a" * 3, "Passw0rd!"])
NOTATIONS = st.sampled_from(
    [
        '{n}: "{v}"', "{n}={v}", "{n} = '{v}'", '"{n}": "{v}",', "export {n}={v}", "--{n} {v}", "--{n}={v}",
        "<{n}>{v}</{n}>", "${{{n}:-{v}}}", "{n} => '{v}'", "- name: {n}\n  value: {v}", "x;{n}={v};y", "?a=b&{n}={v}",
        '{{"name": "{n}", "value": "{v}"}}', "{n}:\n  - {v}",
    ]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(name=NAMES, value=VALUES, notation=NOTATIONS, path=st.sampled_from(["a.yaml", "a.go", "a.sh", "README.md"]))
@example(name="encryption_encryption_encryption_pass", value="hunter2", notation="--{n} {v}", path="a.yaml")
def test_a_trigger_fires_wherever_the_closer_look_would_find_something(
    engine: Engine, name: str, value: str, notation: str, path: str
) -> None:
    """The second stage on every line and pair, against the second stage where the first one fired."""
    content = notation.format(n=name, v=value).encode()
    ends = [match.end() for match in re.finditer(rb"[^\n]+", content)]
    everywhere = [Trigger(look, end) for look in (Look.LINE, Look.PAIR) for end in ends]
    assert found(engine.scan(content, path=path), content) == found(
        engine.confirm(content, everywhere, path=path), content
    )


@given(name=NAMES)
def test_every_name_of_a_credential_is_one_to_the_triggers(name: str) -> None:
    if label(name) >= Label.SECRET:
        assert re.search(triggers.KEYS, name, re.IGNORECASE)


def corpus() -> list[Path]:
    folders = ["auditor", "policies", "fixtures", "tests", "docs"]
    return [
        file
        for folder in folders
        for file in sorted((ROOT / folder).rglob("*"))
        if file.is_file() and file.stat().st_size < 200_000
    ]


def test_both_engines_and_no_engine_find_the_same_in_real_files(engine: Engine, plain: Engine) -> None:
    """Hyperscan against Python's `re`, and both against a look at every line."""
    every = Engine(RULES, fingerprint=FINGERPRINT, every_line=True)
    hits = 0
    for file in corpus():
        content = file.read_bytes()
        if b"\0" in content:
            continue
        fast = found(engine.scan(content, path=file.name), content)
        assert fast == found(plain.scan(content, path=file.name), content), file
        assert fast == found(every.scan(content, path=file.name), content), file
        hits += len(fast)
    assert hits > 100
