"""Build hook of the wheel: what is made of the library beforehand is made here, once, by the program itself.

An editable installation reads the library where it stands; in a checkout `make` prepares it.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PreparedLibrary(BuildHookInterface[Any]):
    """Writes `auditor/_data/prepared.bin`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Prepare the library and add the file to the wheel."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from auditor.pipeline import preparing  # noqa: PLC0415 - from the folder that is being built

        file = Path(self.root) / "build" / "prepared.bin"
        preparing.write(file)
        build_data["force_include"][str(file)] = "auditor/_data/prepared.bin"
