"""Every rule of the library: its examples, its form, and that it is written for both engines."""

from pathlib import Path

import pytest

from auditor import data
from auditor.authored import MistakesError
from auditor.detection import rules
from auditor.detection.engine import Engine
from auditor.detection.rules import Example, Rule
from auditor.model.errors import InputError

LIBRARY = rules.load()
EXAMPLES = [(rule, example) for rule in LIBRARY.rules.values() for example in rule.examples]


@pytest.fixture(scope="module", params=[True, False], ids=["prefilter", "plain"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(LIBRARY, fingerprint=lambda _: "f" * 32, prefilter=request.param)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=lambda value: getattr(value, "id", None))
def test_a_rule_says_of_its_examples_what_they_claim(engine: Engine, rule: Rule, example: Example) -> None:
    found = {hit.rule for hit in engine.scan(example.text.encode(), path=example.file)}
    assert (rule.id in found) == example.found, example.text


@pytest.mark.parametrize("file", sorted((data.policies() / "detection").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_rule_stands_in_a_file_of_its_name_and_has_examples_of_both_kinds(file: Path) -> None:
    rule = rules.read(file.read_text(), file=file.name)
    assert rule.id == file.stem
    assert {example.found for example in rule.examples} == {True, False}


def test_a_rule_that_the_library_lacks_is_added_and_one_is_switched_off(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(
        "id: acme-token\ntitle: Acme token\ntier: 1\ndocumentation: https://acme.example/tokens\nheads: [acme_]\n"
        "pattern: 'acme_[0-9a-f]{32}'\nremediation: Revoke it on the page.\nexamples:\n"
        "  - {found: 'acme_<>0123456789abcdef0123456789abcdef'}\n  - {passed_over: acme_1, why: short}\n"
    )
    loaded = rules.load([tmp_path], off=["github-*"])
    assert loaded.off == ("github-fine-grained-token", "github-token")
    engine = Engine(loaded, fingerprint=lambda _: "f" * 32)
    (hit,) = engine.scan(b"t: acme_" + b"0123456789abcdef" * 2)
    assert (hit.rule, hit.masked, hit.tier) == ("acme-token", "acme_***", 1)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("'a(b'", "not a regular expression"),
        ("'(abc)'", "groups"),
        ("'(?<=x)abc'", "look-around"),
        ("'a\\sb'", "cross a line"),
    ],
)
def test_a_pattern_that_the_two_engines_would_read_differently_is_refused(
    tmp_path: Path, pattern: str, why: str
) -> None:
    (tmp_path / "x.yaml").write_text(
        f"id: x-token\ntitle: X token\ntier: 1\ndocumentation: https://x.example\nheads: [ab]\npattern: {pattern}\n"
        "remediation: Revoke it there.\nexamples: [{found: a}, {passed_over: b, why: not it}]\n"
    )
    with pytest.raises(MistakesError, match=why) as raised:
        rules.load([tmp_path])
    assert "x.yaml:6:" in str(raised.value)


def test_a_name_that_no_rule_has_is_told() -> None:
    with pytest.raises(InputError, match="no detection rule is called git-hub"):
        rules.load(off=["git-hub"])
