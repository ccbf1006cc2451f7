"""The automaton: what was prepared fires as what is compiled does, and what cannot be read is compiled."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor import data, prepared
from auditor.detection import rules, triggers
from auditor.detection.triggers import Triggers

RULES = rules.load()
TEXT = "\n".join(example.text for rule in RULES.rules.values() for example in rule.examples).encode()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the place of a prepared file that stands for the installation's."""
    path = tmp_path / "prepared.bin"
    monkeypatch.setattr(data, "prepared_name", lambda: str(path))
    forget()
    yield path
    forget()


def forget() -> None:
    prepared.forget()
    triggers.database.cache_clear()
    triggers._prepared_database.cache_clear()


def write(path: Path, found: Triggers, *, content: bytes | None = None) -> None:
    expressions, automaton = triggers.serialised(found.expressions)
    automata = {expressions: automaton if content is None else content}
    packed = prepared.pack({}, {}, runtime="", automata=automata, automata_runtime=triggers.runtime())
    path.write_bytes(packed)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each automaton that is compiled."""
    compiled: list[int] = []
    whole = triggers._compiled_database

    def counting(opened: tuple[str, ...]) -> object:
        compiled.append(len(opened))
        return whole(opened)

    monkeypatch.setattr(triggers, "_compiled_database", counting)
    return compiled


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_what_was_prepared_fires_where_the_compiled_one_does(
    tier: int, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Triggers(RULES.of_tier(tier).rules)
    expected = found.find(TEXT)
    assert len(expected) > 100
    write(file, found)
    forget()
    compiled = counted(monkeypatch)
    assert Counter(found.find(TEXT)) == Counter(expected)
    assert compiled == []


@pytest.mark.parametrize("content", [b"", b"of another library", b"\0" * 4096])
def test_what_the_library_refuses_is_compiled(content: bytes, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Triggers(RULES.of_tier(2).rules)
    write(file, found, content=content)
    compiled = counted(monkeypatch)
    assert found.find(b"password = gull-and-anchor-9\n")
    assert compiled == [len(found.expressions)]


def test_rules_of_ones_own_are_compiled(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(file, Triggers(RULES.of_tier(2).rules))
    fewer = dict(list(RULES.of_tier(2).rules.items())[1:])
    compiled = counted(monkeypatch)
    assert Triggers(fewer).find(b"password = gull-and-anchor-9\n")
    assert len(compiled) == 1
