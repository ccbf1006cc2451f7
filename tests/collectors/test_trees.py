"""Walking a tree while others change it."""

import os
from pathlib import Path
from typing import Any

import pytest

from auditor.collectors import trees


def _refusing(monkeypatch: pytest.MonkeyPatch, name: str, error: OSError) -> None:
    """Make the system refuse to say anything of one file, which cannot be timed with a real one."""
    real = os.stat

    def stat(path: Any, **options: Any) -> os.stat_result:
        if str(path).endswith(name):
            raise error
        return real(path, **options)

    monkeypatch.setattr(os, "stat", stat)


def _walked(tmp_path: Path) -> trees.Tree:
    (tmp_path / "a.env").write_text("A=1\n")
    (tmp_path / "gone.env").write_text("B=2\n")
    return trees.walk([str(tmp_path)])


def test_a_file_that_is_deleted_after_its_folder_was_listed_is_no_part_of_the_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build deletes its files while the tree is searched: that is neither an error nor a gap."""
    _refusing(monkeypatch, "gone.env", FileNotFoundError(2, "No such file or directory"))
    tree = _walked(tmp_path)
    assert [Path(item.path).name for item in tree.items] == ["a.env"]
    assert not tree.gaps


def test_a_file_of_which_nothing_can_be_learned_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _refusing(monkeypatch, "gone.env", PermissionError(13, "Permission denied"))
    tree = _walked(tmp_path)
    assert [Path(item.path).name for item in tree.items] == ["a.env"]
    assert [(Path(gap.file).name, gap.detail) for gap in tree.gaps] == [
        ("gone.env", "It cannot be read (Permission denied).")
    ]
