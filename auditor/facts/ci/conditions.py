"""What the conditions of jobs and steps leave of the events that start them.

Only conditions whose meaning is plain are understood; with any other nobody can say here whether the job runs, and the
answer says so. A condition that keeps out drafts, bots, forks or other repositories still lets ordinary changes in.
"""

import re

from auditor.facts.ci.shape import Start, Starts

UNCLEAR = "a condition decides whether it runs"

_SPACE = re.compile(r"\s+")
_EVENT = re.compile(r"github\.event_name ([=!])= ['\"]([\w]+)['\"]")
_BRANCH = re.compile(
    r"(?:github\.(?:ref|ref_name|event\.ref) == ['\"](?:refs/heads/)?[\w./-]+['\"]"
    r"|github\.(?:ref|ref_name) == (?:format\([^)]*\)|github\.event\.repository\.default_branch))"
)
_TAG = re.compile(r"startsWith\(github\.ref, ['\"]refs/tags/[^'\"]*['\"]\)|github\.ref_type == ['\"]tag['\"]")
_MERGED = re.compile(r"github\.event\.pull_request\.merged(?: == true)?")
_HARMLESS = re.compile(
    r"""(?x)
    always\(\) | success\(\) | !\s?cancelled\(\) | !\s?failure\(\) | true
    | github\.(?:repository|repository_owner|event\.repository\.\w+)\ [=!]=\ ['"][^'"]*['"]
    | (?:github\.(?:actor|triggering_actor)|github\.event\.pull_request\.user\.login)\ !=\ ['"][^'"]*['"]
    | github\.event\.pull_request\.draft\ ==\ false | !\s?github\.event\.pull_request\.draft
    | github\.event\.pull_request\.draft\ !=\ true
    | github\.event\.pull_request\.head\.repo\.full_name\ ==\ github\.repository
    | github\.event\.pull_request\.head\.repo\.fork\ ==\ false | !\s?github\.event\.pull_request\.head\.repo\.fork
    | !\s?github\.event\.repository\.fork
    | needs\.[\w-]+\.result\ ==\ ['"]success['"]
    | !\s?(?:contains|startsWith)\(github\.(?:actor|head_ref|event\.\S*),\ ['"][^'"]*['"]\)
    """
)


def narrow(condition: str, starts: Starts) -> tuple[Starts, str]:
    """Return what `condition` (GitHub's `if`) leaves of `starts`, and why nobody can say; empty where it is plain."""
    text = _SPACE.sub(" ", condition.replace("${{", "").replace("}}", "")).strip()
    if not text:
        return starts, ""
    if "||" in text:
        return _any_of(text, starts)
    unsure = ""
    for part in text.split("&&"):
        kept = _one(_unwrapped(part), starts)
        if kept is None:
            unsure = UNCLEAR
        else:
            # What one part rules out stays ruled out, whatever the others mean.
            starts = kept
    return starts, unsure if starts else ""


def _any_of(text: str, starts: Starts) -> tuple[Starts, str]:
    """Return what alternatives leave, where each is plain and none of them is inside of parentheses."""
    kept: list[tuple[str, Start]] = []
    for alternative in _unwrapped(text).split("||"):
        if alternative.count("(") != alternative.count(")"):
            return starts, UNCLEAR
        left, unclear = narrow(alternative, starts)
        if unclear:
            return starts, UNCLEAR
        kept += [start for start in left if start not in kept]
    return tuple(kept), ""


def _unwrapped(text: str) -> str:
    text = text.strip()
    while text.startswith("(") and text.endswith(")") and _balanced(text[1:-1]):
        text = text[1:-1].strip()
    return text


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def _one(condition: str, starts: Starts) -> Starts | None:  # noqa: PLR0911 - one line a form
    """Return what one plain condition leaves, `None` where it is not plain."""
    if _HARMLESS.fullmatch(condition):
        return starts
    if condition in {"false", "failure()", "cancelled()"}:
        return ()
    if event := _EVENT.fullmatch(condition):
        same = event[1] == "="
        return tuple(start for start in starts if (start[0] == event[2]) is same)
    if _BRANCH.fullmatch(condition):
        # Of a pull request the ref is that of the merge it would make.
        return tuple(
            (event, Start.MAIN if start is Start.BRANCH else start)
            for event, start in starts
            if start is not Start.MERGE
        )
    if _TAG.fullmatch(condition):
        return tuple((event, Start.RELEASE) for event, start in starts if start in {Start.BRANCH, Start.RELEASE})
    if _MERGED.fullmatch(condition):
        return tuple((event, Start.MAIN if start is Start.MERGE else start) for event, start in starts)
    return None


_MERGE_EVENT = re.compile(
    r"\$\{?CI_PIPELINE_SOURCE\}? == ['\"](?:merge_request_event|external_pull_request_event)['\"]"
    r"|\$\{?CI_MERGE_REQUEST_(?:IID|ID)\}?"
)
_NAMED_BRANCH = re.compile(r"\$\{?CI_COMMIT_(?:BRANCH|REF_NAME)\}? == (?:\$\{?CI_DEFAULT_BRANCH\}?|['\"][^'\"]+['\"])")
_ANY_BRANCH = re.compile(r"\$\{?CI_COMMIT_BRANCH\}?|\$\{?CI_PIPELINE_SOURCE\}? == ['\"]push['\"]")
_ANY_TAG = re.compile(r"\$\{?CI_COMMIT_TAG\}?(?: =~ \S+)?")
_OTHER_BRANCHES = re.compile(
    r"\$\{?CI_COMMIT_(?:BRANCH|REF_NAME)\}? != (?:\$\{?CI_DEFAULT_BRANCH\}?|['\"][^'\"]+['\"])"
)
_SOURCES = {
    "schedule": Start.SCHEDULE,
    "web": Start.MANUAL,
    "trigger": Start.CALLED,
    "pipeline": Start.CALLED,
    "parent_pipeline": Start.CALLED,
    "api": Start.MANUAL,
}
_SOURCE = re.compile(r"\$\{?CI_PIPELINE_SOURCE\}? == ['\"](\w+)['\"]")


def gitlab_start(condition: str) -> Start | None:
    """Return for what a rule's `if` of GitLab lets a job run, `None` where that is not plain; for none, any branch."""
    text = _unwrapped(_SPACE.sub(" ", condition))
    if not text or _ANY_BRANCH.fullmatch(text) or _OTHER_BRANCHES.fullmatch(text):
        return Start.BRANCH
    if _MERGE_EVENT.fullmatch(text):
        return Start.MERGE
    if _NAMED_BRANCH.fullmatch(text):
        return Start.MAIN
    if _ANY_TAG.fullmatch(text):
        return Start.RELEASE
    source = _SOURCE.fullmatch(text)
    return _SOURCES.get(source[1]) if source else None
