"""What is said of folders before anything in them is read; patterns themselves are tested through discovery."""

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
