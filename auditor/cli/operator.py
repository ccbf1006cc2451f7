"""Who runs the program, where, and which program it is: for the record of whoever has to show it later."""

import getpass
import hashlib
import socket
from collections.abc import Mapping
from pathlib import Path

from auditor.snapshot.manifest import Operator

_JOBS = (
    # GitLab CI, Jenkins, CircleCI, Buildkite, Drone, Woodpecker, Travis CI, AWS CodeBuild: one variable has it all.
    ("CI_JOB_URL",),
    ("CIRCLE_BUILD_URL",),
    ("BUILDKITE_BUILD_URL",),
    ("DRONE_BUILD_LINK",),
    ("CI_PIPELINE_URL",),
    ("TRAVIS_JOB_WEB_URL",),
    ("CODEBUILD_PUBLIC_BUILD_URL",),
    # GitHub Actions, Azure Pipelines, Bitbucket: parts of an address, with what stands between them.
    ("GITHUB_SERVER_URL", "/", "GITHUB_REPOSITORY", "/actions/runs/", "GITHUB_RUN_ID"),
    ("SYSTEM_COLLECTIONURI", "", "SYSTEM_TEAMPROJECT", "/_build/results?buildId=", "BUILD_BUILDID"),
    ("BITBUCKET_GIT_HTTP_ORIGIN", "/pipelines/results/", "BITBUCKET_BUILD_NUMBER"),
    ("BUILD_URL",),
)
"""Variables at even places, what joins them at odd ones; the first of which all are set is the job."""


def operator(environ: Mapping[str, str]) -> Operator:
    """Return who runs the program: the user of the system, the machine, and the CI job where one runs it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A user id without a name, as in a container.
        user = ""
    return Operator(user=user, host=socket.gethostname(), job=job(environ))


def job(environ: Mapping[str, str]) -> str:
    """Return the URL of the CI job that the environment speaks of, or the empty text."""
    for parts in _JOBS:
        values = [environ.get(name, "") for name in parts[::2]]
        if all(values):
            joints = [*parts[1::2], ""]
            return "".join(value + joint for value, joint in zip(values, joints, strict=True))
    return ""


def program_digest(root: Path = Path(__file__).parent.parent) -> str:
    """Return the SHA-256 over the names and contents of the program's own files, sorted by name."""
    whole = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()
