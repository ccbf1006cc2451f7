"""One shape for the pipelines of all CI systems, as far as the questions about them need it.

A definition has jobs, a job has steps in order. What a definition calls elsewhere is not guessed: it is listed under
`unread`, and whoever finds nothing must look there before saying that there is nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from auditor.model.record import field, record
from auditor.model.resource import Path


class Start(StrEnum):
    """What a job runs for."""

    MERGE = "a merge request"
    """Before a merge: pull or merge requests, merge queues."""
    BRANCH = "a push to any branch"
    """Before a merge as well, where changes come by branches."""
    MAIN = "a push to named branches"
    """After the merge."""
    RELEASE = "a tag or release"
    SCHEDULE = "a schedule"
    MANUAL = "a person who starts it"
    CALLED = "another pipeline"
    EVENT = "another event"
    UNKNOWN = "what the CI server is told"
    """The definition does not say it (Jenkins)."""


BEFORE_MERGE = frozenset({Start.MERGE, Start.BRANCH})

Starts = tuple[tuple[str, Start], ...]
"""Event by the system's own name, and what it means."""


@record
class Step:
    """One step of a job."""

    path: Path
    """In the body of the resource that `file` names."""
    file: str
    name: str = ""
    id: str = ""
    """The name by which other steps look at its outcome."""
    uses: str = ""
    """Action or task that it runs, without its version, in lower case; empty for commands."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    """Command lines: comments gone, continued lines joined."""
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    ignored: bool = False
    """Whether the job goes on as if it had succeeded when it fails."""


@record
class Job:
    """One job."""

    name: str
    path: Path
    file: str
    steps: tuple[Step, ...] = ()
    after: frozenset[str] = frozenset()
    """Jobs whose success it waits for, all of them, also by way of others."""
    environment: str = ""
    token: bool = False
    """Whether it may ask for a token of its own that others trust (OIDC)."""
    audiences: tuple[tuple[str, Path], ...] = ()
    """For whom it is given such tokens in any case (GitLab), each with its place in the job's file."""
    condition: str = ""
    ignored: bool = False
    starts: Starts = ()
    unsure: str = ""
    """Why nobody can say for what it runs: a condition that is not understood; empty where it is plain."""
    unread: tuple[str, ...] = ()
    """What it calls that is not in the input."""
    at: Path = ()
    """Where the definition itself calls it, for a job that stands in another file."""


@record
class Trigger:
    """One thing that starts a definition."""

    event: str
    start: Start
    branches: tuple[str, ...] = ()
    """As the definition writes them; empty: all."""
    path: Path = ()


@record
class Definition:
    """One pipeline."""

    system: str
    """`github`, `gitlab`, `jenkins` or `tekton`."""
    file: str
    triggers: tuple[Trigger, ...] = ()
    jobs: tuple[Job, ...] = ()
    unread: tuple[str, ...] = ()
    """What it includes that is not in the input."""
    starts: Starts = ()


_LONGEST = 4_096
"""Characters of a command line, or of an input's value, that are looked at."""
_COMMENT = re.compile(r"(?:^|\s)#.*$")


def command_lines(script: str) -> tuple[str, ...]:
    """Return the command lines of a script: continued lines joined, comments and empty lines gone, long ones cut."""
    lines = []
    for raw in script.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        line = raw.strip()
        if line.startswith("#"):
            continue
        # A `#` inside of quotes is no comment; a line with quotes keeps what stands behind it.
        line = line if "'" in line or '"' in line else _COMMENT.sub("", line).strip()
        if line:
            lines.append(line[:_LONGEST])
    return tuple(lines)


def closures(needs: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Return, for each name, everything that it needs, directly or by way of others. Loops end."""
    names = list(dict.fromkeys((*needs, *(other for others in needs.values() for other in others))))
    bit = {name: 1 << position for position, name in enumerate(names)}
    # As bits: a pipeline of hundreds of jobs in stages has tens of thousands of edges.
    known = {name: _bits(needs.get(name, ()), bit) for name in names}
    changed = True
    while changed:
        changed = False
        for name in names:
            wider = known[name]
            for other in needs.get(name, ()):
                wider |= known[other]
            changed = changed or wider != known[name]
            known[name] = wider
    return {name: frozenset(other for other in names if known[name] & bit[other]) for name in needs}


def _bits(names: Iterable[str], bit: Mapping[str, int]) -> int:
    found = 0
    for name in names:
        found |= bit[name]
    return found


def words(value: object) -> str:
    """Return a value of YAML as the text that a CI system makes of it; maps, lists and nothing give an empty one."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:
            return ""


def plain(value: object) -> dict[str, str]:
    """Return a map's entries as texts: variables and inputs."""
    return {str(key): words(item) for key, item in value.items()} if isinstance(value, dict) else {}
