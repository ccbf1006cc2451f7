import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.errors import ConfigurationError
from auditor.redaction.fingerprint import KEY_VARIABLE, Fingerprinter, load_key

KEY = b"a key of the project, long enough"


@given(st.text(), st.text())
def test_equal_values_have_equal_fingerprints_and_others_do_not(one: str, other: str) -> None:
    fingerprinter = Fingerprinter(KEY)
    assert (fingerprinter.of(one) == fingerprinter.of(other)) == (one == other)


def test_a_fingerprint_is_the_hmac_of_the_value_in_its_own_domain() -> None:
    """Computed here with the standard library, so that a report can be checked years later."""
    digest = hmac.new(KEY, b"auditor/fingerprint/value/v1\x00hunter2", hashlib.sha256).hexdigest()
    assert Fingerprinter(KEY).of("hunter2") == digest[:32]


def test_a_lone_surrogate_has_a_fingerprint() -> None:
    assert len(Fingerprinter(KEY).of("\ud800")) == 32


def test_another_key_gives_other_fingerprints_and_another_key_id() -> None:
    one, other = Fingerprinter(KEY), Fingerprinter(KEY + b"!")
    assert one.of("hunter2") != other.of("hunter2")
    assert one.key_id != other.key_id
    assert len(one.key_id) == 8
    int(one.key_id, 16)


def test_without_a_key_two_runs_cannot_be_compared_and_say_so() -> None:
    one, other = Fingerprinter(None), Fingerprinter(None)
    assert one.key_id == other.key_id == ""
    assert one.of("hunter2") != other.of("hunter2")
    assert one.key_name.startswith("random:")
    assert one.key_name != other.key_name
    named = Fingerprinter(KEY)
    assert named.key_name == named.key_id


def test_the_variable_wins_over_the_file(tmp_path: Path) -> None:
    usual = tmp_path / "key"
    usual.write_text("the key in the file of the project")
    usual.chmod(0o600)
    assert load_key({KEY_VARIABLE: "the key in the environment"}, usual=usual) == b"the key in the environment"
    assert load_key({}, usual=usual) == b"the key in the file of the project"


def test_no_key_anywhere_is_none(tmp_path: Path) -> None:
    assert load_key({}, usual=tmp_path / "missing") is None
    assert load_key({}, usual=tmp_path / "missing" / "deeper") is None


@pytest.mark.parametrize("text", ["", "short", " " * 40, "fifteen letters"])
def test_a_key_that_is_too_short_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_key({KEY_VARIABLE: text}, usual=Path("missing"))
    assert "16 characters" in str(caught.value)
    assert not text.strip() or text.strip() not in str(caught.value) + caught.value.hint


def test_a_key_file_that_everybody_can_read_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    usual = tmp_path / "key"
    usual.write_text("the key in the file of the project")
    usual.chmod(0o644)
    with pytest.raises(ConfigurationError) as caught:
        load_key({}, usual=usual)
    assert caught.value.hint == f"Run `chmod 600 {usual}`."


def test_a_folder_or_binary_file_in_the_place_of_the_key_is_an_error_not_a_random_key(tmp_path: Path) -> None:
    folder, binary = tmp_path / "folder", tmp_path / "binary"
    folder.mkdir()
    binary.write_bytes(b"\xff\xfe" * 20)
    binary.chmod(0o600)
    for usual in (folder, binary):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            load_key({}, usual=usual)
