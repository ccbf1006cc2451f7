from pathlib import Path

import pytest

from auditor import reports
from auditor.model.errors import AuditorError
from tests.reports import sample


def rendered(folder: Path, text: str) -> str:
    (folder / "report.md.j2").write_text(text)
    return reports.render("markdown", sample.rich(), templates=folder).decode()


def test_users_template_comes_before_the_built_in_one(tmp_path: Path) -> None:
    assert rendered(tmp_path, "{{ verdicts.fail }} of mine") == "8 of mine"


def test_a_folder_without_the_template_leaves_the_built_in_one(tmp_path: Path) -> None:
    built_in = reports.render("markdown", sample.rich())
    assert reports.render("markdown", sample.rich(), templates=tmp_path) == built_in


def test_users_template_can_build_on_the_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "head.md.j2").write_text("# Ours\n")
    assert rendered(tmp_path, '{% include "head.md.j2" %}{{ run.tool_version }}') == "# Ours\n0.1.0"


def test_texts_are_escaped_in_users_templates_too(tmp_path: Path) -> None:
    text = rendered(tmp_path, "{% for policy in policies %}{{ policy.info.title }}\n{% endfor %}")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("fine\n{% if %}\n", 2),
        ("fine\n\n{{ nothing_of_that_name }}\n", 3),
        ("{{ 1 / 0 }}", 1),
        ("a\nb\n{{ verdicts.fail + 'text' }}", 3),
        ("a\n{% include 'missing.j2' %}", 2),
        ("a\n{{ run | no_such_filter }}", 2),
    ],
)
def test_a_mistake_in_a_template_is_told_with_file_and_line(tmp_path: Path, template: str, line: int) -> None:
    with pytest.raises(AuditorError) as caught:
        rendered(tmp_path, template)
    assert str(caught.value).startswith(f"{tmp_path / 'report.md.j2'}:{line}: ")
    assert caught.value.hint


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(AuditorError, match="is no folder"):
        reports.render("markdown", sample.rich(), templates=tmp_path / "missing")
