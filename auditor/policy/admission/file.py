"""Objects as a YAML file that people read: comments in front, and each expression on lines of its own."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

_WIDTH = 118
_SHORT = 90
"""Characters of a list that stands on one line."""


def written(head: Iterable[str], documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the file with a comment for each text of `head`."""
    import yaml  # noqa: PLC0415 - only here

    comments = (textwrap.fill(line, _WIDTH, initial_indent="# ", subsequent_indent="#   ") for line in head)
    body = yaml.dump_all(
        documents, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=2**20, explicit_start=True
    )
    return "\n".join(comments) + f"\n{body}"


@cache
def _dumper() -> Any:
    import yaml  # noqa: PLC0415 - only here

    class Dumper(yaml.SafeDumper):
        """Indents lists, as people do."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the signature is PyYAML's
            super().increase_indent(flow, False)

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    def entries(dumper: Any, value: list[Any]) -> Any:
        short = all(isinstance(entry, str) for entry in value) and sum(map(len, value)) < _SHORT
        return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=short)

    Dumper.add_representer(str, text)
    Dumper.add_representer(list, entries)
    return Dumper
