"""Trees of CI definitions as they stand in a repository, read by the real reader."""

from typing import Any

from auditor.collectors import manifests
from auditor.collectors.sources import Source, SourceKind
from auditor.facts.ci.repositories import repositories
from auditor.facts.ci.shape import Definition, Job
from auditor.facts.estate import Estate, merge
from auditor.facts.views import views
from auditor.model import ci
from auditor.model.ci import CiFile, Repository
from auditor.model.resource import Resource
from tests.facts.builders import NOW, WORKLOADS

WORKFLOW = ".github/workflows/ci.yml"
GITLAB = ".gitlab-ci.yml"


def read(files: dict[str, str], *, included: tuple[str, ...] = ()) -> list[Resource]:
    """Return the resources of the files; those `included` are what a GitLab definition includes."""
    sources = []
    for name, text in files.items():
        kind = SourceKind.YAML if name.endswith((".yml", ".yaml")) else SourceKind.JENKINSFILE
        kind = SourceKind.JSON if name.endswith(".json") else kind
        marked = CiFile.GITLAB_CI if name in included else ci.recognise(name, name.rpartition("/")[2])
        content = text.encode()
        sources.append(Source(file=name, kind=kind, size=len(content), content=content, ci=marked))
    reading = manifests.read(sources, workloads=WORKLOADS, fingerprint=lambda _: "f" * 32)
    assert not reading.coverage.gaps
    return reading.resources


def estate(files: dict[str, str], *, included: tuple[str, ...] = ()) -> Estate:
    built = Estate()
    for resource in read(files, included=included):
        built.add(resource)
    return merge([built])


def definition(files: dict[str, str] | str, file: str = WORKFLOW, *, included: tuple[str, ...] = ()) -> Definition:
    """Return the pipeline of `file`; a text alone is that file."""
    built = estate({file: files} if isinstance(files, str) else files, included=included)
    resource = next(entry for entry in built.ci if entry.origin.file == file)
    found = built.definitions.of(resource)
    assert found is not None
    return found


def job(text: str, name: str, file: str = WORKFLOW) -> Job:
    """Return one job of a definition."""
    return next(job for job in definition(text, file).jobs if job.name == name)


def seen(files: dict[str, str] | str, file: str = WORKFLOW, *, included: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the variables of the definition in `file`."""
    built = estate({file: files} if isinstance(files, str) else files, included=included)
    resource = next(entry for entry in built.ci if entry.origin.file == file)
    return dict(views(resource, built, workloads=WORKLOADS, now=NOW).variables)


def repository(
    files: dict[str, str],
    *,
    folder: str = ".",
    included: tuple[str, ...] = (),
    left_out: tuple[str, ...] = (),
    lost: tuple[str, ...] = (),
) -> Resource:
    """Return the fact about the repository that holds the files."""
    built = estate(files, included=included)
    (fact,) = repositories([Repository(folder=folder, left_out=left_out)], built.definitions, lost)
    return fact
