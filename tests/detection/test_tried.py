"""Rules of a user's own, tried: one that finds what it says, and those that do not."""

from pathlib import Path

import pytest

from tests.cli.running import run

RULE = """\
id: acme-token
title: Token of ACME
tier: 1
documentation: https://docs.acme.example/tokens
heads: [acme_]
pattern: 'acme_[0-9a-f]{32}'
remediation: Revoke it on the page.
examples:
  - {found: 'acme_<>0123456789abcdef0123456789abcdef'}
  - {passed_over: 'acme_<>0123', why: cut off}
"""


def tried(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str], name: str = "acme.yaml") -> tuple[int, str]:
    """Return the exit code and what standard error said."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / name).write_text(text)
    code = run(["secrets", "rules", "--rules", folder])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("name", ["acme.yaml", "acme.yml"])
def test_a_rule_that_does_what_it_says_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert tried(tmp_path, RULE, capsys, name) == (0, "2 of 2 examples of 1 rule of your own hold\n")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (RULE.replace("{32}", "{40}"), "acme-token: example 1 is not found"),
        (RULE.replace("acme_<>0123'", "acme_<>fedcba9876543210fedcba9876543210'"), "acme-token: example 2 is found"),
    ],
    ids=["too-long", "what-should-be-passed-over"],
)
def test_a_rule_whose_example_does_not_hold_is_told_without_the_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str, said: str
) -> None:
    """A pattern with a slip finds nothing for ever, and that looks like a clean repository."""
    code, told = tried(tmp_path, wrong, capsys)
    assert code == 1
    assert said in told
    assert "1 of 2 examples of 1 rule of your own hold" in told
    assert "0123456789abcdef" not in told


def test_a_folder_without_a_rule_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever names a folder means to look for more than the library does."""
    code, told = tried(tmp_path, RULE, capsys, name="acme.txt")
    assert code == 2
    assert "holds no rule" in told


def test_a_file_that_is_no_text_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    assert run(["secrets", "rules", "--rules", tmp_path]) == 2
    assert "x.yaml:1" in capsys.readouterr().err
