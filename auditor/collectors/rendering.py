"""Which charts and Kustomize folders are rendered, and what became of each.

A library chart renders to nothing by itself. Of Kustomize folders those are rendered that no other one uses; where that
fails, those that they use, so that one broken overlay does not hide its base.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from auditor.collectors import render
from auditor.collectors.ignores import EXCLUDED, Ignores
from auditor.collectors.render import Rendered
from auditor.collectors.sources import Source, SourceKind, printable
from auditor.model.coverage import Gap, GapReason
from auditor.model.errors import ToolMissingError

LIBRARY = "library chart"

_LIBRARY = re.compile(rb"^type:[ \t]*[\"']?library\b", re.MULTILINE)


class Rendering:
    """What was rendered below one named path."""

    def __init__(self, *, named: Collection[str], exclude: Sequence[str], progress: Callable[[str], None]) -> None:
        self.sources: list[Source] = []
        self.gaps: list[Gap] = []
        self.lost = 0
        """Gaps that stand for a whole folder."""
        self.skipped: Counter[str] = Counter()
        self.covered: set[str] = set()
        """Files that a rendered Kustomize folder is made of."""
        self._named = named
        self._excluded = Ignores(".", exclude=exclude, honour_gitignore=False).inside(".", has_own=False)
        self._progress = progress

    def charts(self, folders: Sequence[str], *, values: Sequence[Path], sets: Sequence[str]) -> None:
        """Render the Helm charts in `folders`.

        Raises `ToolMissingError` when one that was named itself cannot be, for lack of the program.
        """
        charts = [folder for folder in folders if not _is_library(folder)]
        if len(charts) < len(folders):
            self.skipped[LIBRARY] += len(folders) - len(charts)
        if charts:
            self._progress(f"rendering {len(charts)} Helm charts")
        outcomes = _in_parallel(lambda folder: render.helm_chart(folder, values=values, sets=sets), charts)
        for folder, outcome in zip(charts, outcomes, strict=True):
            if isinstance(outcome, Gap):
                self._raise_if_named(folder, outcome)
                self.gaps.append(outcome)
                self.lost += 1
            else:
                self._keep(outcome)

    def kustomizations(self, folders: Sequence[str]) -> None:
        """Render every one of `folders` that no other one uses. Raises `ToolMissingError` as `charts`."""
        todo = render.roots(folders) if folders else []
        tried: set[str] = set()
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
                        self.gaps.append(outcome)
                    following += [
                        path
                        for path in render.references(folder)[0]
                        if path in folders and path not in tried and not render.is_component(path)
                    ]
                else:
                    self.covered |= render.covered(folder)
                    self._keep(outcome)
            todo = sorted(set(following))

    def _keep(self, outcome: Sequence[Rendered]) -> None:
        for entry in outcome:
            if self._excluded.reason(entry.file, folder=False) is not None:
                self.skipped[EXCLUDED] += 1
                continue
            self.sources.append(
                Source(
                    file=printable(entry.file),
                    kind=SourceKind.YAML,
                    size=len(entry.content),
                    content=entry.content,
                    rendered_from=printable(entry.rendered_from),
                )
            )

    def _raise_if_named(self, folder: str, gap: Gap) -> None:
        if gap.reason is GapReason.TOOL_MISSING and folder in self._named:
            raise ToolMissingError(f"{folder} cannot be rendered", hint=gap.detail)


def _is_library(folder: str) -> bool:
    try:
        with open(f"{folder}/Chart.yaml", "rb") as file:  # noqa: PTH123 - strings throughout, as where it is found
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
