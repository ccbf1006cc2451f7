"""What the CI definitions of one repository do together: facts of type `fact/repository`.

There is one for each repository that was walked from its root. What could hold a gate and was not read is listed: who
finds no gate must not conclude that there is none while that list is not empty.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditor import ci_tools
from auditor.ci_tools import CiTools
from auditor.facts.ci import scans
from auditor.facts.ci.definitions import Definitions
from auditor.facts.ci.gates import Effect, Gate, gates, runs_for_changes
from auditor.facts.ci.shape import BEFORE_MERGE, Definition, Start
from auditor.facts.shapes import mapping, text
from auditor.model import ci
from auditor.model.ci import CiFile, Repository
from auditor.model.resource import Origin, Path, Resource

TYPE = "fact/repository"

_ORDER = (Effect.GATES, Effect.UNCLEAR, Effect.NONE)


def repositories(found: Sequence[Repository], definitions: Definitions, lost: Iterable[str]) -> list[Resource]:
    """Return one fact for each repository in `found`, in their order. `lost` are files that could not be read."""
    if not found:
        return []
    tools = ci_tools.load()
    folders = sorted((repository.folder for repository in found), key=len, reverse=True)
    members: dict[str, list[Resource]] = {folder: [] for folder in folders}
    elsewhere: dict[str, list[str]] = {folder: [] for folder in folders}
    for resource in definitions.resources:
        folder = _folder(resource.origin.file, folders)
        if folder is None:
            continue
        if _counts(resource, folder, definitions):
            members[folder].append(resource)
        elif resource.type == CiFile.JENKINSFILE.type:
            elsewhere[folder].append(f"{resource.origin.file}, if Jenkins runs it")
    for file in lost:
        folder = _folder(file, folders)
        if folder is not None and ci.recognise(file, file.rpartition("/")[2]) and ci.home(file) == folder:
            elsewhere[folder].append(f"{file}, which cannot be read")
    return [
        _fact(repository, members[repository.folder], definitions, elsewhere[repository.folder], tools)
        for repository in found
    ]


def _folder(file: str, folders: Sequence[str]) -> str | None:
    """Return the repository that a file belongs to: the innermost."""
    for folder in folders:
        if folder == ".":
            continue
        if file.startswith(folder.rstrip("/") + "/"):
            return folder
    return "." if "." in folders and not file.startswith(("/", "../")) else None


def _counts(resource: Resource, folder: str, definitions: Definitions) -> bool:
    """Return whether a host would run the definition: it looks at the root alone, and at what is included there."""
    file = resource.origin.file
    if resource.type in ci.TEKTON and "/.tekton/" not in f"/{file}":
        # A pipeline that others start, for whatever repository.
        return False
    if resource.type == CiFile.GITLAB_CI.type:
        # Parts of a tree often have pipelines of their own, which the one at the root includes or starts.
        return ci.home(definitions.main(file)) == folder or definitions.has_gitlab(folder)
    return ci.home(file) == folder


def _fact(
    repository: Repository,
    members: Sequence[Resource],
    definitions: Definitions,
    elsewhere: Sequence[str],
    tools: CiTools,
) -> Resource:
    pipelines: dict[str, tuple[Definition, Origin]] = {}
    for resource in members:
        definition = definitions.of(resource)
        if definition is not None and definition.jobs:
            # Several Tekton pipelines may stand in one file; of GitLab's, several files are one.
            own = f"{definition.file} {resource.name}" if resource.type in ci.TEKTON else definition.file
            if own not in pipelines or resource.origin.file == definition.file:
                pipelines[own] = (definition, resource.origin)
    ordered = [pipelines[own] for own in sorted(pipelines)]
    read = [definition for definition, _ in ordered]
    hooks = definitions.hooks(repository.folder)
    included = {resource.origin.file: resource for resource in members if resource.type == CiFile.GITLAB_CI.type}
    found = gates(read, hooks, tools, {file: mapping(resource.body) for file, resource in included.items()})
    found.sort(key=lambda gate: (_ORDER.index(gate.effect), gate.file, gate.job, gate.tool))
    others = {file: resource.origin for file, resource in included.items()}
    origin, related = _places(repository, ordered, found, others)
    body = {
        "definitions": [
            {"file": definition.file, "system": definition.system, "starts": _starts(definition)} for definition in read
        ],
        "runs_for_changes": runs_for_changes(read),
        "gates": [
            {
                "tool": gate.tool,
                "file": gate.file,
                "job": gate.job,
                "effect": gate.effect.value,
                "why": gate.why,
            }
            for gate in found
        ],
        "hooks": _hooks(hooks, tools),
        "unread": _unread(repository, members, read, elsewhere),
    }
    return Resource(type=TYPE, name=repository.folder, body=body, origin=origin, related=related)


def _starts(definition: Definition) -> list[str]:
    kinds = {start for job in definition.jobs for _, start in job.starts}
    return [start.name.lower() for start in Start if start in kinds]


def _unread(
    repository: Repository, members: Sequence[Resource], definitions: Sequence[Definition], elsewhere: Sequence[str]
) -> list[str]:
    """Return what may hold a gate and is not in the input, in words."""
    others = [
        f"{resource.origin.file} ({text(mapping(resource.body).get('system'))})"
        for resource in members
        if resource.type == CiFile.OTHER.type
    ]
    called = [what for definition in definitions for what in definition.unread]
    called += [what for definition in definitions for job in definition.jobs for what in job.unread]
    left_out = [f"{path}, which is left out" for path in repository.left_out]
    return list(dict.fromkeys((*sorted(elsewhere), *left_out, *sorted(others), *called)))


def _hooks(hooks: Mapping[str, Any] | None, tools: CiTools) -> dict[str, Any]:
    """Return which scanners the pre-commit configuration names, and whether pre-commit.ci is set up in it."""
    if hooks is None:
        return {"tools": [], "service": False}
    found = {tool: what for _, tool, what in scans.configured(hooks, tools)}
    return {"tools": sorted(found), "service": "ci" in hooks and "files" in found.values()}


def _places(
    repository: Repository,
    definitions: Sequence[tuple[Definition, Origin]],
    found: Sequence[Gate],
    included: Mapping[str, Origin],
) -> tuple[Origin, tuple[tuple[str, Origin, Path], ...]]:
    """Return where a finding about the repository points, and the definitions beside it.

    To the scan that comes nearest to a gate; else to the definition that a gate would belong in.
    """
    ranked = sorted(definitions, key=lambda entry: (_rank(entry[0]), entry[0].file))
    related = tuple((f"CI definition {definition.file}", origin, ()) for definition, origin in ranked)
    if found:
        gate = found[0]
        own = next(origin for definition, origin in definitions if definition is gate.definition)
        return _inside(own if gate.file == own.file else included.get(gate.file, own), gate.path), related
    if ranked:
        return ranked[0][1], related
    return Origin(file=repository.folder, line=None), related


def _rank(definition: Definition) -> int:
    kinds = {start for job in definition.jobs for _, start in job.starts}
    return 0 if Start.MERGE in kinds else 1 if kinds & BEFORE_MERGE else 2 if kinds & {Start.MAIN, Start.UNKNOWN} else 3


def _inside(origin: Origin, path: Path) -> Origin:
    return Origin(
        file=origin.file,
        document=origin.document,
        line=origin.line,
        prefix=(*origin.prefix, *path),
        rendered_from=origin.rendered_from,
        source=origin.source,
    )
