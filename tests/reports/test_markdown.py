import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from auditor import reports
from auditor.model.assessment import Assessment
from auditor.reports import markdown
from tests.reports import sample

READER = MarkdownIt("commonmark", {"html": True}).enable("table")
ALLOWED = {"details", "summary", "b", "br", "sub", "code"}
"""The HTML that the template writes itself; Markdown lets everything through."""


def text_of(whole: Assessment) -> str:
    return reports.render("markdown", whole).decode()


def html_of(text: str) -> str:
    return str(READER.render(text))


def test_raw_html_is_the_templates_own() -> None:
    tags = set()
    for token in READER.parse(text_of(sample.rich())):
        for part in [token, *(token.children or ())]:
            if part.type in {"html_inline", "html_block"}:
                tags |= set(re.findall(r"</?([a-zA-Z][^\s>/]*)", part.content))
    assert tags <= ALLOWED


def test_no_text_makes_a_link_an_image_or_emphasis() -> None:
    html = html_of(text_of(sample.rich()))
    assert "<a " not in html
    assert "<img" not in html
    assert "<em>" not in html


def test_every_table_row_has_the_cells_of_its_header() -> None:
    """A `|` in a name would move all cells behind it."""
    html = html_of(text_of(sample.rich()))
    tables = re.findall(r"<table>.*?</table>", html, re.DOTALL)
    assert len(tables) >= 8
    for table in tables:
        heads = table.count("<th>") + table.count("<th ")
        for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)[1:]:
            assert row.count("</td>") == heads
            assert "|" not in row or "a | b" in row or "odd | name" in row or "=cmd|" in row


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_an_escaped_text_is_shown_as_it_is(text: str) -> None:
    """Up to invisible spaces, which keep GitHub from making mentions and references of it."""
    shown = str(markdown.escape(text))
    html = html_of(f"| a | b |\n|---|---|\n| x{shown}x | y |\n")
    cells = re.findall(r"<td>(.*?)</td>", html, re.DOTALL)
    assert len(cells) == 2
    assert cells[1] == "y"
    assert "<" not in cells[0], "no markup came of it"


@pytest.mark.parametrize("text", ["@team", "#12", "see #12, @a/b"])
def test_mentions_and_references_are_broken(text: str) -> None:
    html = html_of(str(markdown.escape(text)))
    assert not re.search(r"@\w|#\d", html)


def test_backticks_of_a_policy_are_code_and_nothing_else() -> None:
    assert str(markdown.prose("Set `a|<b>` *now*")) == r"Set <code>a\|&lt;b&gt;</code> \*now\*"


@given(st.text(alphabet="`~ab\n", max_size=60))
def test_nothing_in_a_snippet_ends_its_fence(snippet: str) -> None:
    tokens = READER.parse(f"{markdown.fence(snippet)}\n\nafter\n")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


@pytest.mark.parametrize("findings", [100, 2_000, 20_000])
def test_it_fits_a_comment_and_hidden_findings_are_counted(findings: int) -> None:
    """GitHub refuses a comment of more than 65,536 characters."""
    text = text_of(sample.large(findings))
    assert len(text) < 65_536
    hidden = sum(int(number.replace(",", "")) for number in re.findall(r"\.\.\. and ([\d,]+) more\.", text))
    assert hidden + text.count("<br><sub>") == findings


def test_worst_policies_are_open_and_the_rest_is_folded() -> None:
    text = text_of(sample.rich())
    assert "<details open><summary><b>critical</b> K-RBAC-01" in text
    assert "<details><summary><b>low</b> K-SEC-02" in text


def test_what_was_not_read_is_a_warning() -> None:
    assert "> [!WARNING]\n> 5 things in scope could not be read" in text_of(sample.rich())
    assert "[!WARNING]" not in text_of(sample.clean())
