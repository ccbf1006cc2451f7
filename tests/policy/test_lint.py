"""Mistakes in policy files are found, all at once, at their line and column."""

from pathlib import Path

import pytest

from auditor.policy.lint import lint
from auditor.policy.skeleton import skeleton

REQUIREMENTS = {"soc2/CC8.1", "pci-dss-4.0.1/8.6.2"}
REFERENCES = {"nist-800-53r5": {"IA-5"}}


def mistakes(folder: Path, text: str, *, name: str = "ACME-01-untagged-image") -> list[str]:
    file = folder / f"{name}.yaml"
    file.write_text(text)
    found = lint(file, requirements=REQUIREMENTS, references=REFERENCES)
    return [f"{mistake.line}:{mistake.column}: {mistake.message}" for mistake in found]


@pytest.fixture
def good() -> str:
    return skeleton("ACME-01", "untagged-image")


def test_the_skeleton_has_no_mistake(tmp_path: Path, good: str) -> None:
    assert mistakes(tmp_path, good) == []


def test_a_syntax_error_in_cel_points_into_the_expression(tmp_path: Path, good: str) -> None:
    (line,) = mistakes(tmp_path, good.replace('contains(":")', 'contains(":"'))
    row, column, message = line.split(":", 2)
    assert good.splitlines()[int(row) - 1].startswith("expression:")
    assert int(column) > len("expression: ")
    assert "Syntax error" in message


def test_an_unknown_name_in_a_folded_block_points_to_its_line(tmp_path: Path, good: str) -> None:
    block = 'expression: >-\n  container.?image.orValue("") != "" &&\n  contaner.image.contains(":")\n'
    text = "".join(block if line.startswith("expression:") else f"{line}\n" for line in good.splitlines())
    (found,) = mistakes(tmp_path, text)
    row, column, _ = found.split(":", 2)
    # CEL names the whole selection; its position lies on the second line of the block.
    assert text.splitlines()[int(row) - 1].strip().startswith("contaner")
    assert int(column) >= 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("outcome: fail", "outcome: pass", "no example fails"),
        ("outcome: pass", "outcome: fail", "no example passes"),
        ("soc2/CC8.1", "soc2/CC99.9", "no known requirement"),
        ("severity: medium", "severity: grave", "must be one of"),
        ("severity: medium", "sverity: medium", "unknown key `sverity`"),
        ("  - {requirement: soc2/CC8.1, strength: supporting}", "  []", "supports no requirement"),
        ("id: ACME-01 ", "id: ACME-02 ", "should be called ACME-02-untagged-image.yaml"),
        ("tags: [workload]", "references: [nist-800-53r5/ZZ-1]", "has no `ZZ-1`"),
        ("tags: [workload]", "references: [hearsay/1]", "neither a URL nor an id"),
        (
            "tags: [workload]",
            "params: {most: {default: 1, origin: entity, reference: a guess}}",
            "no expression uses the parameter `most`",
        ),
        ('contains(":")   #', "size() #", "gives int, and bool is needed"),
    ],
)
def test_each_kind_of_mistake_is_named(tmp_path: Path, good: str, old: str, new: str, words: str) -> None:
    assert old in good
    found = mistakes(tmp_path, good.replace(old, new))
    assert any(words in line for line in found), found


def test_all_mistakes_are_told_at_once(tmp_path: Path, good: str) -> None:
    text = good.replace("soc2/CC8.1", "soc2/CC99.9").replace("outcome: fail", "outcome: pass")
    assert len(mistakes(tmp_path, text.replace('contains(":")', "contains("))) == 3
