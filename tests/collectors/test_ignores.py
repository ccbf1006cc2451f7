"""What is said of folders before anything in them is read; patterns themselves are tested through discovery."""

import time
from pathlib import Path

from auditor.collectors import ignores


def test_the_repository_of_a_path_is_the_innermost_with_a_git_folder(tmp_path: Path) -> None:
    """A work tree and a submodule have a file `.git` instead of a folder."""
    inner = tmp_path / "outer" / "inner" / "deep"
    inner.mkdir(parents=True)
    assert ignores.repository_of(str(inner)) == ""
    (tmp_path / "outer" / ".git").mkdir()
    assert ignores.repository_of(str(inner)) == str(tmp_path / "outer")
    (tmp_path / "outer" / "inner" / ".git").write_text("gitdir: elsewhere\n")
    assert ignores.repository_of(str(inner / "file.yaml")) == str(tmp_path / "outer" / "inner")


def _rules(folder: Path, patterns: str) -> ignores.Rules:
    (folder / ".git").mkdir()
    (folder / ".gitignore").write_text(patterns)
    root = str(folder)
    return ignores.Ignores(root, exclude=(), honour_gitignore=True).inside(root, has_own=True)


def test_a_pattern_of_many_wildcards_costs_no_more_than_its_length(tmp_path: Path) -> None:
    """With five wildcards `re` takes minutes for this one name, and more than the age of the universe with forty."""
    rules = _rules(tmp_path, "*a" * 40 + "*b\n" + "**/a/" * 40 + "b\nlogs/\n")
    before = time.process_time()
    assert rules.reason(f"{tmp_path}/{'a' * 250}", folder=False) is None
    assert rules.reason(f"{tmp_path}/logs", folder=True) == ignores.IGNORED
    assert time.process_time() - before < 5


def test_a_file_of_patterns_beyond_any_use_leaves_nothing_out(tmp_path: Path) -> None:
    """Reading more than was wanted hides nothing; compiling a million patterns would take minutes."""
    rules = _rules(tmp_path, "a.env\n" * 100_000)
    assert rules.reason(f"{tmp_path}/a.env", folder=False) is None
