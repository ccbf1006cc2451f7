from typing import Any

from auditor.collectors import dockerfile


def instructions(text: str) -> list[tuple[str, str, int, str]]:
    found: list[dict[str, Any]] = dockerfile.parse(text)["instructions"]
    return [(entry["instruction"], entry["arguments"], entry["line"], entry["stage"]) for entry in found]


def test_stages_have_their_names_or_numbers_and_before_the_first_there_is_none() -> None:
    text = "ARG A=1\nFROM --platform=x golang:1 AS build\nENV B=2\nfrom scratch\nlabel C=3\n"
    assert instructions(text) == [
        ("ARG", "A=1", 1, ""),
        ("FROM", "--platform=x golang:1 AS build", 2, "build"),
        ("ENV", "B=2", 3, "build"),
        ("FROM", "scratch", 4, "1"),
        ("LABEL", "C=3", 5, "1"),
    ]


def test_a_continued_line_keeps_the_line_it_began_on_and_loses_comments_inside() -> None:
    text = "FROM a\nRUN one \\\n  # a comment\n\n  two \\  \n  three\nENV X=1\n"
    assert instructions(text)[1:] == [("RUN", "one two three", 2, "0"), ("ENV", "X=1", 7, "0")]


def test_the_escape_directive_changes_what_continues_a_line() -> None:
    text = "# escape=`\nFROM a\nRUN dir C:\\\nENV X=1 `\n  Y=2\n"
    assert instructions(text)[1:] == [("RUN", "dir C:\\", 3, "0"), ("ENV", "X=1 Y=2", 4, "0")]


def test_a_directive_after_a_comment_is_a_comment() -> None:
    assert instructions("# note\n# escape=`\nFROM a \\\n AS b\n") == [("FROM", "a AS b", 3, "b")]


def test_heredocs_belong_to_their_instruction_and_hold_no_instructions() -> None:
    text = "FROM a\nRUN <<EOF cat <<-'TWO'\nENV NO=1\nEOF\n\tx\n\tTWO\nCOPY <<E /f\nok\nE\nENV X=<<EOF\nENV Y=1\n"
    assert instructions(text)[1:] == [
        ("RUN", "<<EOF cat <<-'TWO'\nENV NO=1\nx", 2, "0"),
        ("COPY", "<<E /f\nok", 7, "0"),
        ("ENV", "X=<<EOF", 10, "0"),
        ("ENV", "Y=1", 11, "0"),
    ]


def test_windows_line_ends_and_an_unfinished_end_are_read() -> None:
    assert instructions("FROM a\r\nENV X=1 \\\r\n Y=2\r\n") == [("FROM", "a", 1, "0"), ("ENV", "X=1 Y=2", 2, "0")]
    assert instructions("FROM a\nRUN <<EOF\nx") == [("FROM", "a", 1, "0"), ("RUN", "<<EOF\nx", 2, "0")]
    assert instructions("RUN x \\") == [("RUN", "x", 1, "")]
    assert instructions("") == []
    assert instructions("??? what\n") == []
