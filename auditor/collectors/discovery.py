"""What the user named, to the files that are candidates for manifests, and the ledger of what was passed over.

A file is a candidate by its name alone; nothing is opened here but `.gitignore` files, kustomizations and GitLab's
definitions (for what they include). Charts and Kustomize folders are rendered (`collectors.render`) where that was not
switched off. The order is that of the paths, and of names below each. `.git` is never entered. Loops of symbolic
links end, since no folder is walked twice.
"""

import glob
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from auditor.collectors import render
from auditor.collectors.ignores import EXCLUDED, IGNORED, Ignores, Rules
from auditor.collectors.render import Rendered
from auditor.model import ci
from auditor.model.ci import CiFile, Repository
from auditor.model.coverage import Coverage, Gap, GapReason
from auditor.model.errors import InputError, ToolMissingError

NOT_A_MANIFEST = "not a manifest"
RENDERED = "rendered, not read raw"
LINKED = "symbolic link to what is read elsewhere"
NAMED_TWICE = "named more than once"
LIBRARY = "library chart"

STDIN = "-"


class SourceKind(StrEnum):
    """How a source is read."""

    YAML = "yaml"
    JSON = "json"
    DOCKERFILE = "dockerfile"
    JENKINSFILE = "jenkinsfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One stream of bytes to read."""

    file: str
    """POSIX path relative to the working folder, `-` for standard input (as `Location.file`)."""
    kind: SourceKind
    size: int
    content: bytes | None = None
    """`None`: read the file; bytes: rendered output or standard input."""
    rendered_from: str = ""
    """`Helm chart charts/web`; empty for a file read as it is."""
    named: bool = False
    """Whether the user named this very file, rather than a folder that holds it."""
    ci: CiFile | None = None
    """What it is to a CI system, by its name or because a definition includes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to look for."""

    paths: tuple[str, ...]
    """Files, folders, globs, or `-`."""
    render: bool = True
    honour_gitignore: bool = True
    exclude: tuple[str, ...] = ()
    """Patterns as in a `.gitignore` in the working folder."""
    helm_values: tuple[Path, ...] = ()
    helm_set: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is to read."""

    sources: tuple[Source, ...]
    coverage: tuple[Coverage, ...]
    """One a named path: what was found, passed over and out of reach."""
    repositories: tuple[Repository, ...] = ()
    """Repositories that were walked from their root, in the order of their folders."""


def discover(request: Request, *, stdin: BinaryIO, progress: Callable[[str], None]) -> Found:
    """Return every source that `request` names, each once, and one coverage record a named path.

    `Coverage.files_found` is the number of sources and of gaps that stand for a whole file.
    Raises `InputError` for a path that does not exist, and `ToolMissingError` when a chart or Kustomize folder was
    named itself and the program that renders it is not installed.
    """
    sources: list[Source] = []
    coverage: list[Coverage] = []
    repositories: dict[str, Repository] = {}
    known: set[tuple[str, bool]] = set()
    for named in request.paths:
        walk = _Walk(request, progress)
        if named == STDIN:
            content = stdin.read()
            found = [Source(file=STDIN, kind=_kind_of_stream(content), size=len(content), content=content)]
        else:
            found = walk.sources(_expand(named))
        kept = []
        for source in found:
            key = (source.file, bool(source.rendered_from))
            if key in known:
                walk.skipped[NAMED_TWICE] += 1
            else:
                kept.append(source)
        known.update((source.file, bool(source.rendered_from)) for source in kept)
        sources += kept
        repositories.update((repository.folder, repository) for repository in walk.repositories())
        coverage.append(
            Coverage(
                source="manifests: standard input" if named == STDIN else f"manifests: {named}",
                files_found=len(kept) + walk.lost,
                skipped=tuple(sorted(walk.skipped.items())),
                gaps=tuple(sorted(walk.gaps, key=lambda gap: (gap.file, gap.reason))),
            )
        )
    return Found(
        sources=tuple(sources),
        coverage=tuple(coverage),
        repositories=tuple(repositories[folder] for folder in sorted(repositories)),
    )


def kind_of(name: str) -> SourceKind | None:
    """Return how a file of that name is read, `None` where it is no candidate."""
    if name.endswith((".yaml", ".yml")):
        return SourceKind.YAML
    if name.endswith(".json"):
        return SourceKind.JSON
    if name.startswith(("Dockerfile", "Containerfile")) or name.lower().endswith((".dockerfile", ".containerfile")):
        return None if name.endswith((".dockerignore", ".containerignore")) else SourceKind.DOCKERFILE
    if name.startswith("Jenkinsfile") or name.endswith(".jenkinsfile"):
        return None if name.endswith(_PROSE) else SourceKind.JENKINSFILE
    return SourceKind.YAML if name == "Kustomization" else None


_PROSE = (".md", ".txt", ".adoc", ".rst", ".html")


def _expand(named: str) -> list[str]:
    """Return the existing paths that one argument means. Raises `InputError` for none."""
    if os.path.lexists(named):
        return [named]
    if glob.has_magic(named):
        found = sorted(glob.glob(named, recursive=True))  # noqa: PTH207 - the user's own text, relative as it is
        if found:
            return found
        raise InputError(
            f"no file or folder matches {named}",
            hint="Check the pattern; quote it so that the shell leaves it alone, and use ** for any depth.",
        )
    raise InputError(
        f"{named} does not exist", hint="Check the path; it is relative to the folder in which the command runs."
    )


def _relative(path: str) -> str:
    """Return a path as reports show it: relative where it lies below the working folder, else as it was named."""
    path = os.path.normpath(path)
    if os.path.isabs(path):  # noqa: PTH117 - strings throughout: thousands of files are looked at
        here = os.getcwd()  # noqa: PTH109 - as above
        for base in (here, os.path.realpath(here)):
            if path == base:
                return "."
            if path.startswith(base.rstrip(os.sep) + os.sep):
                path = path[len(base.rstrip(os.sep)) + 1 :]
                break
    return path.replace(os.sep, "/")


# Beside a chart's templates: what Helm takes from other charts, and what it installs without rendering.
_CHART_FOLDERS = frozenset({"templates", "charts", "crds"})
_VALUES = re.compile(r"(?:.*[-_.])?values(?:[-_.].*)?\.ya?ml\Z")
_LIBRARY = re.compile(rb"^type:[ \t]*[\"']?library\b", re.MULTILINE)


def is_values_file(name: str) -> bool:
    """Return whether a file of that name holds values for Helm."""
    return _VALUES.match(name) is not None


def _kind_of_stream(content: bytes) -> SourceKind:
    """Return JSON for a row of JSON objects (`kubectl get -o json`, `jq -c`); one alone is YAML as well."""
    try:
        text = content.decode("utf-8-sig").lstrip()
        if not text.startswith("{"):
            return SourceKind.YAML
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        # Neither JSON nor text: reading it as YAML tells what is wrong, and where.
        return SourceKind.YAML
    return SourceKind.JSON if text[end:].lstrip().startswith("{") else SourceKind.YAML


class _Walk:
    """One named path: what was found below it."""

    def __init__(self, request: Request, progress: Callable[[str], None]) -> None:
        self.gaps: list[Gap] = []
        self.skipped: Counter[str] = Counter()
        self.lost = 0
        """Gaps that stand for a whole file or folder."""
        self._request = request
        self._progress = progress
        self._sources: dict[str, Source] = {}
        self._rendered: list[Source] = []
        self._charts: list[str] = []
        self._kustomizations: list[str] = []
        self._folders: set[str] = set()
        self._links: list[tuple[str, str, str]] = []
        self._roots: set[str] = set()
        """Folders with a `.git`."""
        self._left_out: list[str] = []
        """CI definitions, and folders of them, that a rule leaves out."""
        self._named: set[str] = set()

    def sources(self, paths: Iterable[str]) -> list[Source]:
        """Return the sources below `paths`: in the order of file names, rendered output before a file itself."""
        for path in paths:
            shown = _relative(path)
            self._named.add(shown)
            if os.path.isdir(path):  # noqa: PTH112 - as above
                self._root(shown)
            elif not os.path.exists(path):  # noqa: PTH110 - as above
                self._dangling(shown)
            else:
                self._file(shown, os.path.basename(path), explicit=True)  # noqa: PTH119 - as above
        self._mark_included()
        if self._request.render:
            self._render_charts()
            self._render_kustomizations()
        else:
            for folder in self._kustomizations:
                self._gap(_raw(render.kustomization_file(folder)), whole=False)
        every = [*self._rendered, *self._sources.values()]
        return sorted(every, key=lambda source: (source.file.split("/"), not source.rendered_from))

    # Walking.

    def _root(self, folder: str) -> None:
        real = os.path.realpath(folder)
        ignores = Ignores(folder, exclude=self._request.exclude, honour_gitignore=self._request.honour_gitignore)
        todo = [(folder, real)]
        while todo:
            while todo:
                self._folder(*todo.pop(), ignores=ignores, todo=todo)
            # Links last: what is read under its own name is not read again under another.
            links, self._links = self._links, []
            real_files = {os.path.realpath(file) for file in self._sources} if links else set()
            for path, name, target in links:
                self._link(path, name, target, real=real, real_files=real_files, todo=todo)

    def _folder(  # noqa: C901, PLR0912 - one branch for each thing that can stand in a folder
        self, folder: str, real: str, *, ignores: Ignores, todo: list[tuple[str, str]]
    ) -> None:
        if real in self._folders:
            return
        self._folders.add(real)
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self._unreadable(folder, error, what="folder")
            return
        names = {entry.name for entry in entries}
        rules = ignores.inside(folder, has_own=".gitignore" in names)
        chart = "Chart.yaml" in names
        if chart:
            self._charts.append(folder)
        elif not names.isdisjoint(render.KUSTOMIZATION_NAMES):
            self._kustomizations.append(folder)
        if ".git" in names:
            self._roots.add(folder)
        prefix = "" if folder == "." else f"{folder}/" if folder != "/" else folder
        folders = []
        for entry in entries:
            name = entry.name
            path = prefix + name
            if entry.is_symlink():
                if rules.reason(path, folder=False) is None:
                    self._links.append((path, name, os.path.realpath(path)))
                else:
                    self.skipped[rules.reason(path, folder=False) or IGNORED] += 1
            elif entry.is_dir(follow_symlinks=False):
                if name == ".git":
                    continue
                reason = rules.reason(path, folder=True)
                if reason is not None:
                    self.skipped[reason] += 1
                    if ci.is_ci_folder(name):
                        self._left_out.append(path)
                elif chart and name in _CHART_FOLDERS:
                    self._chart_part(path, name, rules)
                else:
                    folders.append((path, f"{real}{os.sep}{name}"))
            elif kind_of(name) is None:
                self.skipped[NOT_A_MANIFEST] += 1
            elif (reason := rules.reason(path, folder=False)) is not None:
                self.skipped[reason] += 1
                if ci.recognise(path, name) is not None:
                    self._left_out.append(path)
            elif chart and name in {"Chart.yaml", "values.schema.json"}:
                self.skipped[RENDERED] += 1
            elif not entry.is_file(follow_symlinks=False):
                self.skipped[NOT_A_MANIFEST] += 1
            else:
                self._file(path, name, entry=entry)
        # A stack: the last one in is the first one out.
        todo += reversed(folders)

    def _chart_part(self, folder: str, name: str, rules: Rules) -> None:
        """Pass over what Helm reads in a chart; without rendering, every template is a gap."""
        for base, folders, files in os.walk(folder):
            folders.sort()
            for file in sorted(files):
                path = f"{base}/{file}".replace(os.sep, "/")
                if kind_of(file) is None:
                    self.skipped[NOT_A_MANIFEST] += 1
                elif (reason := rules.reason(path, folder=False)) is not None:
                    self.skipped[reason] += 1
                elif name == "charts" and is_values_file(file) and "/templates/" not in path:
                    self._file(path, file)
                elif self._request.render or name != "templates":
                    self.skipped[RENDERED if self._request.render else NOT_A_MANIFEST] += 1
                else:
                    self._gap(_raw(path))

    def _file(self, path: str, name: str, *, entry: "os.DirEntry[str] | None" = None, explicit: bool = False) -> None:
        kind = kind_of(name) or (SourceKind.YAML if explicit else None)
        if kind is None:
            self.skipped[NOT_A_MANIFEST] += 1
            return
        try:
            size = (entry.stat(follow_symlinks=False) if entry else os.stat(path)).st_size  # noqa: PTH116 - as above
        except OSError as error:
            self._unreadable(path, error, what="file")
            return
        self._sources[path] = Source(file=path, kind=kind, size=size, named=explicit, ci=ci.recognise(path, name))

    def _link(
        self, path: str, name: str, target: str, *, real: str, real_files: set[str], todo: list[tuple[str, str]]
    ) -> None:
        if not os.path.exists(path):  # noqa: PTH110 - as above
            # A loop of links does not exist either.
            if kind_of(name) is not None:
                self._dangling(path)
            else:
                self.skipped[NOT_A_MANIFEST] += 1
        elif os.path.isdir(target):  # noqa: PTH112 - as above
            if not _within(target, real):
                self._outside(path)
            elif target in self._folders or ".git" in target[len(real) :].replace(os.sep, "/").split("/"):
                self.skipped[LINKED] += 1
            else:
                todo.append((path, target))
        elif kind_of(name) is None:
            self.skipped[NOT_A_MANIFEST] += 1
        elif not _within(target, real):
            self._outside(path)
        elif target in real_files:
            self.skipped[LINKED] += 1
        else:
            real_files.add(target)
            self._file(path, name)

    # Repositories and their CI definitions.

    def repositories(self) -> list[Repository]:
        """Return the repositories all of whose files were looked at."""
        files = [(file, source.ci) for file, source in self._sources.items() if source.ci is not None]
        if not files and not self._roots:
            return []
        from auditor.collectors import repositories  # noqa: PLC0415 - start-up: only where there is one

        named = [path for path in self._named if os.path.isdir(path)]  # noqa: PTH112 - as above
        return repositories.find(files, marked=self._roots, named=named, left_out=self._left_out)

    def _mark_included(self) -> None:
        """Mark what a GitLab definition includes: such a file has no name to know it by."""
        definitions = [file for file, source in self._sources.items() if source.ci is CiFile.GITLAB_CI]
        if not definitions:
            return
        from auditor.collectors import repositories  # noqa: PLC0415 - start-up, as above

        files = [file for file, source in self._sources.items() if source.kind is SourceKind.YAML]
        for file in repositories.included(definitions, files):
            self._sources[file] = replace(self._sources[file], ci=CiFile.GITLAB_CI)

    # Rendering.

    def _render_charts(self) -> None:
        charts = []
        for folder in self._charts:
            if _is_library(folder):
                self.skipped[LIBRARY] += 1
            else:
                charts.append(folder)
        if charts:
            self._progress(f"rendering {len(charts)} Helm charts")
        values, sets = self._request.helm_values, self._request.helm_set
        outcomes = _in_parallel(lambda folder: render.helm_chart(folder, values=values, sets=sets), charts)
        for folder, outcome in zip(charts, outcomes, strict=True):
            if isinstance(outcome, Gap):
                self._raise_if_named(folder, outcome)
                self._gap(outcome)
            else:
                self._keep(outcome)

    def _render_kustomizations(self) -> None:
        """Render every Kustomize folder that no other one uses; where that fails, those that it uses."""
        todo = render.roots(self._kustomizations) if self._kustomizations else []
        tried: set[str] = set()
        covered: set[str] = set()
        while todo:
            self._progress(f"rendering {len(todo)} Kustomize folders")
            outcomes = _in_parallel(render.kustomize_folder, todo)
            tried.update(todo)
            following: list[str] = []
            for folder, outcome in zip(todo, outcomes, strict=True):
                if isinstance(outcome, Gap):
                    self._raise_if_named(folder, outcome)
                    if outcome not in self.gaps:
                        # A fault of a base is met again in each overlay.
                        self._gap(outcome, whole=False)
                    following += [
                        path
                        for path in render.references(folder)[0]
                        if path in self._kustomizations and path not in tried and not render.is_component(path)
                    ]
                else:
                    covered |= render.covered(folder)
                    self._keep(outcome)
            todo = sorted(set(following))
        for file in covered:
            # The kustomization itself is read as well: its generators hold literals.
            source = self._sources.get(file)
            if source is not None and os.path.basename(file) not in render.KUSTOMIZATION_NAMES:  # noqa: PTH119 - as above
                del self._sources[file]
                self.skipped[RENDERED] += 1

    def _keep(self, outcome: Sequence[Rendered]) -> None:
        ignores = Ignores(".", exclude=self._request.exclude, honour_gitignore=False)
        for entry in outcome:
            if ignores.inside(".", has_own=False).reason(entry.file, folder=False) is not None:
                self.skipped[EXCLUDED] += 1
                continue
            self._rendered.append(
                Source(
                    file=entry.file,
                    kind=SourceKind.YAML,
                    size=len(entry.content),
                    content=entry.content,
                    rendered_from=entry.rendered_from,
                )
            )

    def _raise_if_named(self, folder: str, gap: Gap) -> None:
        if gap.reason is GapReason.TOOL_MISSING and folder in self._named:
            raise ToolMissingError(f"{folder} cannot be rendered", hint=gap.detail)

    # Gaps.

    def _gap(self, gap: Gap, *, whole: bool = True) -> None:
        self.gaps.append(gap)
        self.lost += whole

    def _unreadable(self, path: str, error: OSError, *, what: str) -> None:
        detail = f"The {what} cannot be read ({error.strerror}); check its permissions, or leave it out (--exclude)."
        self._gap(Gap(file=path, reason=GapReason.UNREADABLE, detail=detail))

    def _dangling(self, path: str) -> None:
        detail = "The symbolic link points to nothing; mend it, or leave it out (--exclude)."
        self._gap(Gap(file=path, reason=GapReason.DANGLING_LINK, detail=detail))

    def _outside(self, path: str) -> None:
        detail = "The symbolic link leaves the folder that was named; name its target as well if it belongs to it."
        self._gap(Gap(file=path, reason=GapReason.OUTSIDE, detail=detail))


def _raw(file: str) -> Gap:
    return Gap(
        file=file,
        reason=GapReason.RAW_TEMPLATE,
        detail="It was not rendered (--no-render), so it was not evaluated; scan without that option, or pipe the "
        "rendered output to: auditor scan -",
    )


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _is_library(folder: str) -> bool:
    try:
        with open(f"{folder}/Chart.yaml", "rb") as file:  # noqa: PTH123 - as above
            return _LIBRARY.search(file.read(100_000)) is not None
    except OSError:
        # Rendering it will say why.
        return False


def _in_parallel(work: Callable[[str], list[Rendered] | Gap], folders: Sequence[str]) -> Sequence[list[Rendered] | Gap]:
    if len(folders) < 2:
        return [work(folder) for folder in folders]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up: only where several are rendered

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        return list(pool.map(work, folders))
