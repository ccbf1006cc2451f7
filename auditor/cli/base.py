"""What a run judges by, as a ref has it: the branch that a change goes to, so that the change cannot excuse itself.

Read through git's objects, so nothing is checked out and nothing of the work tree counts: configuration (which may
switch policies off), waivers and the baseline. What a user names and the ref lacks is an error. What stands in the
work tree alone, at its usual place, does not count yet, and a note says so.
"""

import os
from pathlib import Path

from auditor import configuration
from auditor.authored import Stated
from auditor.collectors.git import refs
from auditor.collectors.git.command import Repository
from auditor.configuration import WAIVERS, Configuration
from auditor.model.errors import InputError
from auditor.redaction.redactor import for_terminal


class Base:
    """The tree of a ref of the repository that this folder lies in."""

    def __init__(self, ref: str) -> None:
        """Raise `InputError` where this is no repository or `ref` no commit of it."""
        self._ref = for_terminal(ref)
        self._repository = Repository(".", environ=os.environ)
        self._commit = refs.commit(self._repository, ref)
        self.notes: list[str] = []
        """What the user should know of what was left out."""

    def configuration(self, path: Path | None, *, home: Path | None) -> Configuration:
        """Return the configuration in `path`, else in `auditor.yaml` of this folder, else an empty one."""
        usual = Path(configuration.FILE_NAME)
        stated = self._stated(path, "configuration", "--config") if path else self._usual(usual)
        return configuration.load(path or usual, home=home, stated=stated) if stated else Configuration()

    def waivers(self, path: Path | None) -> Stated | None:
        """Return the waivers file to read: the one named, else the usual one."""
        if path is not None:
            return self._stated(path, "waivers", "--waivers and auditor.yaml")
        found = self._usual(WAIVERS)
        if found is None and not WAIVERS.exists():
            self.notes.append(f"{self._ref} has no {WAIVERS}, so nothing is waived")
        return found

    def baseline(self, path: Path | None) -> Stated | None:
        """Return the baseline to read, if one is named."""
        return None if path is None else self._stated(path, "baseline", "--baseline")

    def _stated(self, path: Path, what: str, where: str) -> Stated:
        content = refs.read(self._repository, self._commit, path)
        if content is None:
            raise InputError(
                f"the {what} file {path} does not exist at {self._ref}",
                hint=f"Check {where}. A change that adds it is judged by it once it is merged there.",
            )
        return Stated(f"{self._ref}:{path.as_posix()}", content)

    def _usual(self, path: Path) -> Stated | None:
        content = refs.read(self._repository, self._commit, path)
        if content is not None:
            return Stated(f"{self._ref}:{path.as_posix()}", content)
        if path.exists():
            self.notes.append(f"{path} is not at {self._ref}: it does not count until it is merged there")
        return None
