"""Which files define continuous integration, told by their names alone: nothing is opened to find out.

Hosts look in fixed places of a repository, so a name also says which folder is the repository's root.
GitHub: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
GitLab: https://docs.gitlab.com/ci/yaml/
"""

from enum import StrEnum

from auditor.model.record import record


class CiFile(StrEnum):
    """What a file is to a CI system; the value is the second part of its resource type."""

    GITHUB_WORKFLOW = "github-workflow"
    GITHUB_ACTION = "github-action"
    """A composite action: steps that a workflow of the same repository may call."""
    GITLAB_CI = "gitlab-ci"
    JENKINSFILE = "jenkinsfile"
    PRE_COMMIT = "pre-commit"
    """No pipeline by itself: the hooks that a pipeline step or a developer's machine runs."""
    OTHER = "other-ci"
    """The definition of a system that is not read: only that it is there."""

    @property
    def type(self) -> str:
        """The type of resources read from such a file."""
        return f"file/{self.value}"


TYPES = frozenset(kind.type for kind in CiFile)
"""Types of files."""

PIPELINES = frozenset({CiFile.GITHUB_WORKFLOW.type, CiFile.GITLAB_CI.type, CiFile.JENKINSFILE.type})
"""Types of files that define a pipeline by themselves."""

AWS_TRUST = "file/aws-trust-policy"
"""Type of a JSON file that holds the trust policy of an AWS role."""

TRUST_TYPES = frozenset(
    {
        AWS_TRUST,
        "kubernetes/Role.iam.services.k8s.aws",
        "kubernetes/Role.iam.aws.upbound.io",
        "kubernetes/Role.iam.aws.m.upbound.io",
        "kubernetes/Role.iam.aws.crossplane.io",
        "kubernetes/FederatedIdentityCredential.managedidentity.azure.com",
        "kubernetes/FederatedIdentityCredential.managedidentity.azure.upbound.io",
        "kubernetes/FederatedIdentityCredential.managedidentity.azure.m.upbound.io",
        "kubernetes/IAMWorkloadIdentityPoolProvider.iam.cnrm.cloud.google.com",
        "kubernetes/WorkloadIdentityPoolProvider.iam.gcp.upbound.io",
        "kubernetes/WorkloadIdentityPoolProvider.iam.gcp.m.upbound.io",
        "kubernetes/JWTOIDCAuthEngineRole.redhatcop.redhat.io",
        "kubernetes/AuthBackendRole.jwt.vault.upbound.io",
        "kubernetes/AuthBackendRole.jwt.vault.m.upbound.io",
    }
)
"""Types that can say which CI jobs may take an identity."""

TEKTON = frozenset({"kubernetes/Pipeline.tekton.dev", "kubernetes/PipelineRun.tekton.dev"})
"""Kubernetes kinds that define one."""

MEMBERS = TYPES | TEKTON
"""Everything that says what pipelines of the input do."""


@record(order=True)
class Repository:
    """The root folder of a repository, all of which was looked at."""

    folder: str
    """POSIX path relative to the working folder; `.` for that folder itself."""
    left_out: tuple[str, ...] = ()
    """CI files and folders in it that an ignore rule or `--exclude` left out."""


_WORKFLOWS = ".github/workflows/"
_OTHER = {
    "azure-pipelines.yml": "Azure Pipelines",
    "azure-pipelines.yaml": "Azure Pipelines",
    "bitbucket-pipelines.yml": "Bitbucket Pipelines",
    ".travis.yml": "Travis CI",
    ".drone.yml": "Drone",
    ".drone.yaml": "Drone",
    ".woodpecker.yml": "Woodpecker",
    ".woodpecker.yaml": "Woodpecker",
    ".cirrus.yml": "Cirrus CI",
    ".appveyor.yml": "AppVeyor",
    "appveyor.yml": "AppVeyor",
    "buildspec.yml": "AWS CodeBuild",
    "buildspec.yaml": "AWS CodeBuild",
    "cloudbuild.yaml": "Google Cloud Build",
    "cloudbuild.yml": "Google Cloud Build",
    ".prow.yaml": "Prow",
    ".cds.yml": "CDS",
    "codefresh.yml": "Codefresh",
    "wercker.yml": "Wercker",
}
"""Names of other systems' files at the root of a repository."""
_OTHER_FOLDERS = {
    ".circleci": "CircleCI",
    ".buildkite": "Buildkite",
    ".semaphore": "Semaphore",
    ".woodpecker": "Woodpecker",
    ".azure-pipelines": "Azure Pipelines",
    ".azuredevops": "Azure Pipelines",
    ".prow": "Prow",
    ".forgejo": "Forgejo Actions",
    ".gitea": "Gitea Actions",
    ".harness": "Harness",
    ".teamcity": "TeamCity",
}
"""Folders of other systems at the root of a repository."""
_BY_NAME = {
    ".gitlab-ci.yml": CiFile.GITLAB_CI,
    "action.yml": CiFile.GITHUB_ACTION,
    "action.yaml": CiFile.GITHUB_ACTION,
    ".pre-commit-config.yaml": CiFile.PRE_COMMIT,
    ".pre-commit-config.yml": CiFile.PRE_COMMIT,
    **dict.fromkeys(_OTHER, CiFile.OTHER),
}
_FOLDERS = frozenset({".github", ".gitlab", ".tekton", *_OTHER_FOLDERS})


def recognise(path: str, name: str) -> CiFile | None:
    """Return what the file at `path` (POSIX, relative), called `name`, is to a CI system, `None` for nothing."""
    if name.startswith("Jenkinsfile") or name.endswith(".jenkinsfile"):
        return CiFile.JENKINSFILE
    if not name.endswith((".yml", ".yaml")):
        return None
    known = _BY_NAME.get(name)
    # Nearly every path ends here: no step of it is hidden.
    if known or ("/." not in path and path[0] != "."):
        return known
    if path == f"{_WORKFLOWS}{name}" or path.endswith(f"/{_WORKFLOWS}{name}"):
        return CiFile.GITHUB_WORKFLOW
    return CiFile.OTHER if any(step in _OTHER_FOLDERS for step in path.split("/")[:-1]) else None


def is_ci_folder(name: str) -> bool:
    """Return whether a folder of that name holds CI definitions and little else."""
    return name in _FOLDERS


def system(path: str) -> str:
    """Return the name of the CI system whose file stands at `path`, for a file that is `CiFile.OTHER`."""
    *folders, name = path.split("/")
    return _OTHER.get(name) or next((_OTHER_FOLDERS[step] for step in folders if step in _OTHER_FOLDERS), "")


def home(path: str) -> str:
    """Return the folder that must be a repository's root for the file at `path` to count there; `.` for the top.

    A Jenkinsfile counts wherever it stands, since Jenkins is told its path; the folder is then its own.
    """
    steps = path.split("/")[:-1]
    for position, step in enumerate(steps):
        if step in _FOLDERS:
            steps = steps[:position]
            break
    return "/".join(steps) or ("/" if path.startswith("/") else ".")
