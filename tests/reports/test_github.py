import re
from collections import Counter
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from auditor import reports
from auditor.model.assessment import Assessment
from auditor.reports import github
from tests.reports import sample


def lines(whole: Assessment) -> list[str]:
    return reports.render("github", whole).decode().splitlines()


def test_every_line_is_one_command() -> None:
    for line in lines(sample.rich()):
        assert re.match(r"::(error|warning|notice) [a-z]+=[^:,]*(,[a-z]+=[^:,]*)*::\S", line)


def test_a_finding_stands_at_its_place() -> None:
    assert lines(sample.rich())[1].startswith(
        "::error title=K-SEC-01 (high),file=deploy/payments/api.yaml,line=27,col=15::container api: DB_PASSWORD"
    )


def test_no_level_gets_more_than_github_keeps_and_the_rest_is_counted() -> None:
    found = lines(sample.large(500))
    counted = Counter(line.partition(" ")[0] for line in found)
    assert counted == {"::error": 10, "::warning": 9, "::notice": 10}
    # 10 errors, 9 warnings and 9 notices are findings; one warning is kept for gaps, one notice for the counts.
    assert "472 findings without an annotation" in found[-1]


def test_worst_findings_come_first() -> None:
    assert all("(critical)" in line for line in lines(sample.large(500))[:10])


def test_known_findings_are_notices_and_waived_ones_are_none() -> None:
    found = lines(sample.rich())
    assert "::notice title=K-SEC-01 (high%2C known),file=deploy/payments/db.yaml,line=8,col=3::Secret db" in "\n".join(
        found
    )
    assert not [line for line in found if "deploy/payments/legacy.yaml" in line]


def test_what_was_not_read_is_a_warning_of_its_own() -> None:
    assert "::warning title=5 things in scope could not be read::" in "\n".join(lines(sample.rich()))


def test_last_line_counts_the_verdicts() -> None:
    assert lines(sample.clean()) == [
        "::notice title=auditor%3A verdicts::2 pass, 0 fail, 0 waived, 0 not applicable, 0 not evaluated"
    ]


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), min_size=1))
def test_what_github_reads_is_what_was_written(text: str) -> None:
    """GitHub undoes %25, %0D and %0A, and in properties also %3A and %2C."""
    line = github._command("error", text, title=text)
    title, _, message = line.removeprefix("::error title=").partition("::")
    assert unquote(title) == text
    assert unquote(message) == text


@given(st.text())
def test_no_text_makes_a_second_line_or_property(text: str) -> None:
    line = github._command("error", text, title=text, file="a.yaml")
    assert len(line.splitlines()) == 1
    assert line.partition("::")[2].partition("::")[0].count(",") == 1
