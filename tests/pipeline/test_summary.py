"""One leaked key in twelve files is one credential with twelve places: the summary says both, and what is left."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from auditor.facts import credentials
from auditor.model.assessment import Subject
from auditor.model.leaks import Leaks
from auditor.model.resource import Location
from auditor.model.sighting import Searched, Sighting, Where
from auditor.model.verdict import Finding, Outcome, Severity
from auditor.pipeline.summary import summary

DAY = datetime(2021, 5, 6, tzinfo=UTC)
SEARCHED = Searched(where=Where.HISTORY, name=".", read=3, bytes_read=90, found=1, complete=True)


def place(path: str, value: str = "a", **more: object) -> Sighting:
    given: dict[str, object] = {
        "where": Where.HISTORY, "line": 1, "column": 1, "rule": "github-token", "tier": 1, "key": "", "length": 40,
        "masked": "ghp_***", "commit": "c1", "date": DAY, "in_head": True,
    } | more  # fmt: skip
    return Sighting(path=path, fingerprint=value * 32, **given)  # type: ignore[arg-type]


def told(*places: Sighting, outcomes: dict[str, Outcome] | None = None, searched: Searched = SEARCHED) -> Leaks:
    """Return the summary of `places`; `outcomes` are those of findings by path."""
    named = [(one, outcome) for one in places if (outcome := (outcomes or {}).get(one.path))]
    subjects = [
        Subject(
            id=f"{credentials.FACT}:/{credentials.name(one)}",
            type=credentials.FACT,
            namespace="",
            name=credentials.name(one),
            location=Location(file=one.path),
        )
        for one, _ in named
    ]
    findings = [
        Finding(
            policy_id="L-GIT-01",
            subject=index,
            fingerprint="0" * 32,
            value_fingerprint=one.fingerprint,
            message="",
            location=Location(file=one.path),
            severity=Severity.CRITICAL,
            outcome=outcome,
        )
        for index, (one, outcome) in enumerate(named)
    ]
    return summary(places, [searched], findings, subjects, titles={"github-token": "GitHub access token"})


def test_one_key_in_twelve_files_is_one_credential_in_twelve_places() -> None:
    found = told(*(place(f"{number}.env") for number in range(12)))
    assert (found.credentials, found.places, found.files, found.commits) == (1, 12, 12, 1)
    (rule,) = found.rules
    assert (rule.title, rule.credentials, rule.places) == ("GitHub access token", 1, 12)


def test_one_value_under_two_names_is_one_credential_in_two_places_of_one_file() -> None:
    found = told(place("a", key="TOKEN"), place("a", key="OTHER"))
    assert (found.credentials, found.places, found.files) == (1, 2, 1)


def test_a_value_that_two_rules_know_counts_once_for_the_surer_one() -> None:
    found = told(place("a"), place("b", rule="named-credential", tier=2), place("c", rule="named-credential", tier=2))
    assert found.credentials == 1
    assert [(rule.rule, rule.credentials, rule.places) for rule in found.rules] == [("github-token", 1, 3)]


def test_since_is_the_oldest_commit_and_nothing_where_no_history_was_read() -> None:
    assert told(place("a", date=DAY.replace(year=2023)), place("b", date=DAY)).since == DAY
    assert told(place("a", where=Where.TREE, commit="", date=None, in_head=None)).since is None


@pytest.mark.parametrize(
    ("places", "counts"),
    [
        ([place("a"), place("b", in_head=False)], (1, 0, 0)),
        ([place("a", in_head=False)], (0, 1, 0)),
        ([place("a", where=Where.TREE, in_head=None)], (1, 0, 0)),
        ([place("a", where=Where.LOG, in_head=None)], (1, 0, 0)),
        ([place("a", where=Where.CHANGE, in_head=None)], (0, 0, 1)),
        ([place("a"), place("b", "b", in_head=False), place("c", "c", where=Where.CHANGE, in_head=None)], (1, 1, 1)),
    ],
)
def test_each_credential_is_there_or_history_or_not_asked(places: list[Sighting], counts: tuple[int, ...]) -> None:
    found = told(*places)
    assert (found.present, found.historical, found.unasked) == counts
    assert sum(counts) == found.credentials


def test_a_credential_is_waived_when_every_place_of_it_is() -> None:
    """One place that nobody accepted keeps the whole credential open."""
    places = (place("a"), place("b"))
    assert told(*places, outcomes={"a": Outcome.WAIVED, "b": Outcome.WAIVED}).waived == 1
    assert told(*places, outcomes={"a": Outcome.WAIVED, "b": Outcome.FAIL}).waived == 0
    assert told(*places).waived == 0, "what no policy judged is not accepted"


def test_what_only_looks_random_is_counted_apart() -> None:
    found = told(place("a"), place("b", "b", tier=3, rule="high-entropy"), place("c", tier=3, rule="high-entropy"))
    assert (found.credentials, found.places, found.possible) == (1, 1, 1)


def test_it_is_complete_when_every_search_is() -> None:
    assert told().complete
    assert not told(searched=replace(SEARCHED, complete=False)).complete
