import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from auditor.reports import json_text

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(VALUES, st.integers(min_value=0, max_value=5))
def test_what_is_written_is_what_is_read(value: Any, depth: int) -> None:
    assert json.loads(json_text.dump(value, depth=depth)) == value


@given(st.text())
@example("\x7f")
def test_any_text_can_be_written_and_no_risky_character_is_bare(text: str) -> None:
    """Half characters, which UTF-8 cannot carry, are replaced."""
    written = json_text.dump([text], depth=1).decode()
    assert not set(written) & {"\x7f", "\x85", "\x9b", "\u202e", "\u2028", "\u2066", "\ufeff"}
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert json.loads(written) == [text]
