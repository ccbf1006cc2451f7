"""How many jobs a trust reaches: from the claims that it compares to the widest set of jobs whose tokens have them.

GitHub's default subject is `repo:OWNER/NAME:` with `ref:...`, `environment:...` or `pull_request`; owners may choose
other claims for it. GitLab's is `project_path:GROUP/NAME:ref_type:...:ref:...`. A `*` also crosses colons.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import total_ordering
from itertools import zip_longest

from auditor.ci_tools import Issuer
from auditor.model.record import record


class Kind(StrEnum):
    """How many jobs, from the fewest to the most."""

    BOUND = "bound"
    """Of one repository, on certain branches, tags or environments, or by one reviewed workflow."""
    UNCLEAR = "unclear"
    """Nobody can say here. What is open for certain outweighs it, and what is bound for certain narrows it."""
    PULL_REQUESTS = "pull-requests"
    """Of every pull request of a repository."""
    ANY_BRANCH = "any-branch"
    """Of one repository, whatever the branch or environment."""
    OWNER = "owner"
    """Of several repositories of one owner."""
    EVERYONE = "everyone"


_WIDTH = {kind: width for width, kind in enumerate(Kind)}


@total_ordering
@record(kw_only=False)
class Reach:
    """How many jobs, and which in words. Compares by width."""

    kind: Kind
    who: str

    def __lt__(self, other: "Reach") -> bool:
        return (_WIDTH[self.kind], self.who) < (_WIDTH[other.kind], other.who)

    @property
    def open(self) -> bool:
        """Whether more jobs than those of certain branches or environments of one repository are reached."""
        return self.kind is not Kind.BOUND

    @classmethod
    def unclear(cls, why: str) -> "Reach":
        """Return that nobody can say."""
        return cls(Kind.UNCLEAR, why)

    @classmethod
    def bound(cls, who: str) -> "Reach":
        """Return that certain jobs are reached."""
        return cls(Kind.BOUND, who)

    @classmethod
    def nobody(cls) -> "Reach":
        """Return that no job is reached at all."""
        return cls(Kind.BOUND, "no job")


@record(kw_only=False)
class Pattern:
    """One accepted value of a claim."""

    text: str
    wild: bool
    """Whether `*` and `?` in it mean anything."""

    @property
    def prefix(self) -> str:
        """What stands before the first wildcard."""
        return re.split(r"[*?]", self.text, maxsplit=1)[0] if self.wild else self.text

    @property
    def exact(self) -> bool:
        """Whether it means one value."""
        return self.prefix == self.text


Claims = Mapping[str, Sequence[Pattern]]
"""Claim to its accepted values, one of which is enough. Values that stand in a subject are there as well."""

_KEYS = {
    "github": (
        "repo", "repository", "repository_id", "repository_owner", "repository_owner_id", "repository_visibility",
        "enterprise", "enterprise_id", "ref", "ref_type", "environment", "job_workflow_ref", "workflow_ref", "workflow",
        "actor", "actor_id", "event_name", "base_ref", "head_ref", "runner_environment", "pull_request",
    ),
    "gitlab": (
        "project_path", "project_id", "namespace_path", "namespace_id", "ref_type", "ref", "environment",
        "user_login", "user_email",
    ),
}  # fmt: skip
_REPOSITORY = ("repo", "repository", "project_path")
_REPOSITORY_IDS = ("repository_id", "project_id")
_OWNERS = ("repository_owner", "repository_owner_id", "namespace_path", "namespace_id")
_WORKFLOWS = ("job_workflow_ref", "workflow_ref", "ci_config_ref_uri")
_PEOPLE = ("actor", "actor_id", "user_login", "user_email", "user_id")
_PROTECTED = ("ref_protected", "environment_protected")
_NO_REF = frozenset({"", "refs", "refs/", "refs/heads", "refs/heads/", "refs/tags", "refs/tags/", "refs/pull/"})
_IDS = re.compile(r"@(?:\*|\d+)(?=[/:]|$)")


def subject_claims(issuer: Issuer, subject: Pattern) -> Claims:
    """Return the claims that a subject is built from. One that is built otherwise is a claim of its own."""
    keys = _KEYS.get(issuer.claims)
    if keys is None:
        return {"sub": [subject]}
    # GitHub can put ids behind the names of owner and repository: they make the name no wider.
    text = _IDS.sub("", subject.text)
    found: dict[str, list[Pattern]] = {}
    marks = list(re.finditer(rf"(?:(?<=:)|^)(?:{'|'.join(keys)})(?=:|$)", text))
    for mark, following in zip_longest(marks, marks[1:]):
        value = text[mark.end() + 1 : following.start() - 1 if following else len(text)]
        if mark.group() in _REPOSITORY:
            # What stands behind a colon is no part of the name: `repo:acme/shop:*`.
            value = value.partition(":")[0]
        found[mark.group()] = [Pattern(value, wild=subject.wild)]
    if not marks and text.strip("*"):
        found["sub"] = [subject]
    return found


def reach(issuer: Issuer, claims: Claims) -> Reach:  # noqa: PLR0911 - from the narrowest to the widest
    """Return the widest set of jobs whose tokens have such claims."""
    if issuer.claims not in _KEYS:
        return _other(issuer, claims)
    owner, repository = _repository(claims)
    workflow = any(_all(claims, name, _fixed_workflow) for name in _WORKFLOWS)
    if workflow and (owner or repository):
        return Reach.bound("jobs of one workflow at one version")
    if not repository:
        if owner:
            return Reach(Kind.OWNER, f"jobs of any repository of {owner}")
        if "sub" in claims:
            return Reach.unclear("its subject is of a form that is not known")
        where = issuer.name if issuer.shared else f"that {issuer.name} installation"
        return Reach(Kind.EVERYONE, f"jobs of any repository of {where}")
    if _is_bound(claims):
        return Reach.bound(f"certain jobs of {repository}")
    if "pull_request" in claims:
        return Reach(Kind.PULL_REQUESTS, f"jobs of any pull request of {repository}")
    return Reach(Kind.ANY_BRANCH, f"jobs of {repository} on any branch and in any environment")


def _repository(claims: Claims) -> tuple[str, str]:
    """Return the owner and the repository that every accepted token has, empty where that is not one."""
    owners, names = set(), set()
    wide = wild = False
    for name in _REPOSITORY:
        for pattern in claims.get(name, ()):
            owner, slash, _ = pattern.prefix.rpartition("/") if not pattern.exact else (pattern.text, "", "")
            if pattern.exact and pattern.text:
                names.add(pattern.text)
            elif slash and owner:
                owners.add(owner)
                wild = True
            else:
                wide = True
    for name in _REPOSITORY_IDS:
        names |= {f"the repository {pattern.text}" for pattern in claims.get(name, ()) if pattern.exact}
    if names and not wide and not wild:
        return "", ", ".join(sorted(names))
    own = {pattern.text for name in _OWNERS for pattern in claims.get(name, ()) if pattern.exact and pattern.text}
    if own:
        return ", ".join(sorted(own)), ""
    return (", ".join(sorted(owners | names)), "") if owners and not wide else ("", "")


def _is_bound(claims: Claims) -> bool:
    """Return whether claims beside the repository leave only jobs that somebody has let through."""
    return (
        _all(claims, "environment", lambda pattern: bool(pattern.prefix))
        or _all(claims, "ref", lambda pattern: pattern.exact or pattern.prefix not in _NO_REF)
        or any(_all(claims, name, lambda pattern: pattern.text == "true") for name in _PROTECTED)
        or any(_all(claims, name, lambda pattern: pattern.exact) for name in _PEOPLE)
    )


def _fixed_workflow(pattern: Pattern) -> bool:
    """Return whether a workflow is named with its version: without, whoever writes to a branch can change it."""
    file, at, _ = pattern.prefix.partition("@")
    return bool(at) and bool(file) and (pattern.exact or pattern.prefix.partition("@")[2] not in _NO_REF)


def _all(claims: Claims, name: str, holds: Callable[[Pattern], bool]) -> bool:
    patterns = claims.get(name, ())
    return bool(patterns) and all(map(holds, patterns))


def _other(issuer: Issuer, claims: Claims) -> Reach:
    subjects = claims.get("sub", ())
    if not subjects and not claims:
        where = issuer.name if issuer.shared else f"that {issuer.name} organisation"
        return Reach(Kind.EVERYONE, f"any job of {where}")
    if subjects and all(pattern.exact for pattern in subjects):
        return Reach.bound("one subject")
    return Reach.unclear(f"how {issuer.name} builds its subjects is not known here")
