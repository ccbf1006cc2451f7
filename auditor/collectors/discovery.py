"""What the user named, to the files that are candidates for manifests, and the ledger of what was passed over.

A file is a candidate by its name alone; nothing is opened here but `.gitignore` files, kustomizations and GitLab's
definitions (for what they include). Charts and Kustomize folders are rendered (`collectors.render`) where that was not
switched off. The order is that of the paths, and of names below each. `.git` is never entered. Loops of symbolic
links end, since no folder is walked twice.
"""

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from auditor.collectors import render
from auditor.collectors.ignores import IGNORED, Ignores, Rules, repository_of
from auditor.collectors.rendering import Rendering
from auditor.collectors.sources import STDIN, Source, SourceKind, is_values_file, kind_of, kind_of_stream, printable
from auditor.model import ci
from auditor.model.ci import CiFile, Repository
from auditor.model.coverage import Coverage, Gap, GapReason
from auditor.model.errors import InputError

NOT_A_MANIFEST = "not a manifest"
RENDERED = "rendered, not read raw"
LINKED = "symbolic link to what is read elsewhere"
NAMED_TWICE = "named more than once"


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
    in_repository: bool = False
    """Whether something that was named lies in a git repository, or holds one."""


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
    in_repository = False
    for named in request.paths:
        walk = _Walk(request, progress)
        if named == STDIN:
            content = stdin.read()
            found = [Source(file=STDIN, kind=kind_of_stream(content), size=len(content), content=content)]
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
        in_repository = in_repository or walk.in_repository()
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
        in_repository=in_repository,
    )


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
        rendered = self._rendered()
        every = [*rendered, *self._sources.values()]
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
        shown = printable(path)
        self._sources[path] = Source(
            file=shown,
            path="" if shown == path else path,
            kind=kind,
            size=size,
            named=explicit,
            ci=ci.recognise(path, name),
        )

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
        files = [(source.file, source.ci) for source in self._sources.values() if source.ci is not None]
        if not files and not self._roots:
            return []
        from auditor.collectors import repositories  # noqa: PLC0415 - start-up: only where there is one

        named = [printable(path) for path in self._named if os.path.isdir(path)]  # noqa: PTH112 - as above
        marked = set(map(printable, self._roots))
        return repositories.find(files, marked=marked, named=named, left_out=list(map(printable, self._left_out)))

    def in_repository(self) -> bool:
        """Return whether what was named lies in a git repository, or holds one."""
        return bool(self._roots) or any(repository_of(path) for path in self._named)

    def _mark_included(self) -> None:
        """Mark what a GitLab definition includes: such a file has no name to know it by."""
        definitions = [file for file, source in self._sources.items() if source.ci is CiFile.GITLAB_CI]
        if not definitions:
            return
        from auditor.collectors import repositories  # noqa: PLC0415 - start-up, as above

        files = [file for file, source in self._sources.items() if source.kind is SourceKind.YAML]
        for file in repositories.included(definitions, files):
            self._sources[file] = replace(self._sources[file], ci=CiFile.GITLAB_CI)

    def _rendered(self) -> list[Source]:
        """Return what charts and Kustomize folders render to; what a folder is made of is then not read raw."""
        if not self._request.render:
            for folder in self._kustomizations:
                self._gap(_raw(render.kustomization_file(folder)), whole=False)
            return []
        rendering = Rendering(named=self._named, exclude=self._request.exclude, progress=self._progress)
        rendering.charts(self._charts, values=self._request.helm_values, sets=self._request.helm_set)
        rendering.kustomizations(self._kustomizations)
        self.gaps += rendering.gaps
        self.lost += rendering.lost
        self.skipped += rendering.skipped
        for file in rendering.covered:
            # The kustomization itself is read as well: its generators hold literals.
            source = self._sources.get(file)
            if source is not None and os.path.basename(file) not in render.KUSTOMIZATION_NAMES:  # noqa: PTH119 - as above
                del self._sources[file]
                self.skipped[RENDERED] += 1
        return rendering.sources

    # Gaps.

    def _gap(self, gap: Gap, *, whole: bool = True) -> None:
        self.gaps.append(replace(gap, file=printable(gap.file)))
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
