"""What conditions leave of the events that start a job."""

import pytest

from auditor.facts.ci import conditions
from auditor.facts.ci.shape import Start, Starts

BOTH: Starts = (("pull_request", Start.MERGE), ("push", Start.BRANCH))
MERGE = [("pull_request", Start.MERGE)]
PUSH = [("push", Start.BRANCH)]
MAIN = [("push", Start.MAIN)]


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("", list(BOTH)),
        ("always()", list(BOTH)),
        ("${{ !cancelled() }}", list(BOTH)),
        ("false", []),
        ("${{ failure() }}", []),
        ("github.event_name == 'pull_request'", MERGE),
        ("github.event_name != 'pull_request'", PUSH),
        ("${{ github.event_name == 'push' && github.ref == 'refs/heads/main' }}", MAIN),
        ("github.ref_name == 'main'", MAIN),
        ("github.ref == format('refs/heads/{0}', github.event.repository.default_branch)", MAIN),
        ("startsWith(github.ref, 'refs/tags/')", [("push", Start.RELEASE)]),
        ("github.event.pull_request.merged == true", [("pull_request", Start.MAIN), ("push", Start.BRANCH)]),
        ("github.repository == 'acme/shop'", list(BOTH)),
        ("github.actor != 'dependabot[bot]'", list(BOTH)),
        ("github.event.pull_request.draft == false && !contains(github.actor, 'bot')", list(BOTH)),
        ("github.event_name == 'push' || github.event_name == 'pull_request'", [*PUSH, *MERGE]),
        ("(github.event_name == 'push') || (github.event_name == 'schedule')", PUSH),
    ],
)
def test_plain_conditions_are_understood(condition: str, left: list[tuple[str, Start]]) -> None:
    starts, unsure = conditions.narrow(condition, BOTH)
    assert (list(starts), unsure) == (left, "")


@pytest.mark.parametrize(
    "condition",
    [
        "inputs.scan",
        "env.X == 'y'",
        "github.event_name == 'push' || vars.SCAN",
        "(github.event_name == 'push' || vars.SCAN) && github.ref == 'refs/heads/main'",
        "contains(github.event.pull_request.labels.*.name, 'scan')",
    ],
)
def test_any_other_condition_leaves_it_open(condition: str) -> None:
    assert conditions.narrow(condition, BOTH) == (BOTH, conditions.UNCLEAR)


@pytest.mark.parametrize(
    ("condition", "start"),
    [
        ("", Start.BRANCH),
        ("$CI_COMMIT_BRANCH", Start.BRANCH),
        ('$CI_PIPELINE_SOURCE == "push"', Start.BRANCH),
        ("$CI_COMMIT_BRANCH != $CI_DEFAULT_BRANCH", Start.BRANCH),
        ('$CI_PIPELINE_SOURCE == "merge_request_event"', Start.MERGE),
        ("$CI_PIPELINE_SOURCE == 'merge_request_event'", Start.MERGE),
        ("$CI_MERGE_REQUEST_IID", Start.MERGE),
        ("($CI_MERGE_REQUEST_ID)", Start.MERGE),
        ("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", Start.MAIN),
        ('$CI_COMMIT_REF_NAME == "main"', Start.MAIN),
        ("$CI_COMMIT_TAG", Start.RELEASE),
        ("$CI_COMMIT_TAG =~ /^v/", Start.RELEASE),
        ('$CI_PIPELINE_SOURCE == "schedule"', Start.SCHEDULE),
        ("$SCAN == 'true'", None),
        ("$CI_COMMIT_BRANCH && $SCAN", None),
    ],
)
def test_rules_of_gitlab_say_for_what_a_job_runs(condition: str, start: Start | None) -> None:
    assert conditions.gitlab_start(condition) is start


def test_what_a_plain_part_rules_out_stays_ruled_out() -> None:
    assert conditions.narrow("github.event_name == 'push' && vars.SCAN", BOTH) == (tuple(PUSH), conditions.UNCLEAR)
    assert conditions.narrow("github.event_name == 'schedule' && vars.SCAN", BOTH) == ((), "")
