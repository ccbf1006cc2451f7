"""The CI definitions of an input, each read once, with what they call in their own repository."""

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.facts.ci import github, gitlab, jenkins, tekton
from auditor.facts.ci.shape import Definition
from auditor.facts.shapes import mapping
from auditor.model import ci
from auditor.model.ci import CiFile
from auditor.model.resource import Resource

_MAIN = ".gitlab-ci.yml"


class Definitions:
    """Look-ups over the CI files of an input."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(resources)
        self._bodies: dict[str, Mapping[str, Any]] = {}
        self._gitlab: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._known: dict[tuple[str, str], Definition] = {}
        files = {resource.origin.file for resource in self.resources if resource.type == CiFile.GITLAB_CI.type}
        self._mains = sorted((file for file in files if file.rpartition("/")[2] == _MAIN), key=len, reverse=True)
        for resource in self.resources:
            file = resource.origin.file
            if resource.type == CiFile.GITLAB_CI.type:
                self._gitlab.setdefault(self.main(file), {})[file] = mapping(resource.body)
            elif resource.type in ci.TYPES:
                self._bodies[file] = mapping(resource.body)

    def of(self, resource: Resource) -> Definition | None:
        """Return the pipeline that a resource defines or is a part of, `None` where it defines none by itself."""
        file, type_ = resource.origin.file, resource.type
        if type_ == CiFile.GITLAB_CI.type:
            file = self.main(file)
        # Several objects of a kind may stand in one file.
        key = (file, resource.id if type_ in ci.TEKTON else type_)
        if key not in self._known:
            found = self._read(resource, file)
            if found is None:
                return None
            self._known[key] = found
        return self._known[key]

    def has_gitlab(self, folder: str) -> bool:
        """Return whether a pipeline of GitLab's stands at the root of a repository."""
        return (_MAIN if folder == "." else f"{folder.rstrip('/')}/{_MAIN}") in self._gitlab

    def hooks(self, home: str) -> Mapping[str, Any] | None:
        """Return the pre-commit configuration at the root of a repository."""
        prefix = "" if home == "." else home.rstrip("/") + "/"
        names = (".pre-commit-config.yaml", ".pre-commit-config.yml")
        return next((self._bodies[prefix + name] for name in names if prefix + name in self._bodies), None)

    def _read(self, resource: Resource, file: str) -> Definition | None:
        match resource.type:
            case CiFile.GITHUB_WORKFLOW.type:
                return github.definition(file, mapping(resource.body), self._bodies.get)
            case CiFile.GITLAB_CI.type:
                return gitlab.definition(file, self._gitlab[file])
            case CiFile.JENKINSFILE.type:
                return jenkins.definition(file, mapping(resource.body))
            case _ if resource.type in ci.TEKTON:
                return tekton.definition(file, mapping(resource.body))
            case _:
                return None

    def main(self, file: str) -> str:
        """Return the `.gitlab-ci.yml` that a file of GitLab's belongs to: the nearest above it, else itself."""
        for main in self._mains:
            folder = main[: -len(_MAIN)]
            if file.startswith(folder):
                return main
        return file
