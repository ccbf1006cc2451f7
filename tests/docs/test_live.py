"""The page about live clusters says what the program does."""

from auditor.collectors.kubernetes.client import LARGEST, REQUEST_PATIENCE, SOURCE_PATIENCE
from auditor.collectors.kubernetes.kinds import KINDS
from auditor.collectors.kubernetes.normalise import COPIES
from auditor.model.collection import CallResult
from tests.docs import kinds


def test_the_table_of_kinds_is_the_programs_own() -> None:
    """`make docs` writes it again."""
    text = kinds.PAGE.read_text(encoding="utf-8")
    assert text == kinds.page()
    assert all(f"`{kind.resource}`" in text for kind in KINDS)


def test_every_result_of_a_list_is_explained() -> None:
    text = kinds.PAGE.read_text(encoding="utf-8")
    assert all(f"`{result.value}`" in text for result in CallResult)


def test_the_limits_on_the_page_are_those_of_the_program() -> None:
    text = kinds.PAGE.read_text(encoding="utf-8")
    assert f"{REQUEST_PATIENCE:.0f} seconds of pauses for one request, {SOURCE_PATIENCE:.0f} for a source" in text
    assert f"more than {LARGEST // 1_000_000} MB" in text
    assert sum(f"`{name}`" in text for name in COPIES) >= 2
