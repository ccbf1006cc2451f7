"""Patterns that were compiled beforehand are those that `re` makes, and whatever is amiss with them, made anew."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor import data, patterns, prepared

TEXTS: tuple[tuple[str | bytes, int], ...] = (
    (r"(?P<key>[a-z]+)=(?P<value>\w*)|(x)", re.IGNORECASE),
    (rb"a+(?=b)|\xff", 0),
    ("\ud800?é{2,3}", re.VERBOSE | re.DOTALL),
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the place of a prepared file that stands for the installation's."""
    path = tmp_path / "prepared.bin"
    monkeypatch.setattr(data, "prepared_name", lambda: str(path))
    monkeypatch.setattr(patterns, "_asked", {})
    prepared.forget()
    yield path
    prepared.forget()


def packed(*, runtime: str = patterns.RUNTIME) -> bytes:
    """Return a prepared file with TEXTS."""
    for text, flags in TEXTS:
        patterns.compile_(text, flags)
    prepared.forget()
    return prepared.pack({}, {}, runtime="", patterns=patterns.asked(), patterns_runtime=runtime)


def compiled(monkeypatch: pytest.MonkeyPatch) -> tuple[list[re.Pattern[str] | re.Pattern[bytes]], int]:
    """Return TEXTS compiled, and how many of them `re` was asked for."""
    asked: list[object] = []
    make = re.compile
    with monkeypatch.context() as patch:
        patch.setattr(re, "compile", lambda *given: asked.append(given) or make(*given))
        return [patterns.compile_(text, flags) for text, flags in TEXTS], len(asked)


def test_prepared_patterns_are_those_that_re_makes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_bytes(packed())
    made, asked = compiled(monkeypatch)
    assert asked == 0
    # Patterns are equal if text, flags and code are.
    assert made == [re.compile(text, flags) for text, flags in TEXTS]
    found = made[0].fullmatch("Key=1")  # type: ignore[arg-type]
    assert found is not None
    assert found.groupdict() == {"key": "Key", "value": "1"}
    assert found.lastgroup == "value"


@pytest.mark.parametrize("runtime", ["", "3.12 of another build"])
def test_patterns_of_another_interpreter_are_not_used(
    runtime: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(packed(runtime=runtime))
    made, asked = compiled(monkeypatch)
    assert asked == len(TEXTS)
    assert made == [re.compile(text, flags) for text, flags in TEXTS]


def test_what_the_interpreter_refuses_is_made_anew(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed()
    wrong = [(text, flags, one._replace(numbers=b"\xff" * 8)) for text, flags, one in patterns.asked()]
    file.write_bytes(prepared.pack({}, {}, runtime="", patterns=wrong, patterns_runtime=patterns.RUNTIME))
    prepared.forget()
    made, asked = compiled(monkeypatch)
    assert asked == len(TEXTS)
    assert made == [re.compile(text, flags) for text, flags in TEXTS]


def test_a_pattern_that_is_none_is_told_as_re_tells_it() -> None:
    with pytest.raises(re.error, match="unterminated"):
        patterns.compile_("[")
