"""Who owns a file, by CODEOWNERS as GitHub and GitLab read it; and who owns an object, by its labels.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
https://docs.gitlab.com/user/project/codeowners/reference/

Of the lines that match a path the last one counts, in each section of GitLab's on its own. A line without owners takes
those of its section; where there is none, the path has no owner.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from auditor.facts.shapes import dig, texts
from auditor.model.record import record

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where the file may be: the first of them counts."""

_SECTION = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>(?:\s.*)?)")
_NAMED = frozenset({"owner", "owners", "owned-by", "team", "squad", "contact", "maintainer", "responsible"})
"""Last part of a label's or annotation's key that names people."""
_MADE_BY = (
    ("app.kubernetes.io/managed-by", "managed by"),
    ("meta.helm.sh/release-name", "Helm release"),
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
)
"""What says which program's definitions to change; in this order, each word once."""
_LONGEST = 120


@record
class _Line:
    section: str
    match: re.Pattern[str]
    owners: tuple[str, ...]


class CodeOwners:
    """The content of one CODEOWNERS file; empty where there is none."""

    def __init__(self, text: str = "") -> None:
        self._lines = tuple(_lines(text))

    def of(self, path: str) -> tuple[str, ...]:
        """Return the owners of a path from the top of the repository."""
        found: dict[str, tuple[str, ...]] = {}
        for line in self._lines:
            if line.match.fullmatch(path):
                found[line.section] = line.owners
        return tuple(dict.fromkeys(owner for owners in found.values() for owner in owners))


def of_object(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return who owns an object of the API, as its labels and annotations say: `team payments`, `managed by Helm`."""
    found: dict[str, str] = {}
    said = [texts(dig(body, "metadata", "labels")), texts(dig(body, "metadata", "annotations"))]
    for key, value in ((key, value) for entries in said for key, value in sorted(entries.items())):
        word = key.rpartition("/")[2].lower()
        if word in _NAMED and value.strip():
            found.setdefault(word, value)
    for key, word in _MADE_BY:
        value = next((entries[key] for entries in said if entries.get(key)), "")
        if value:
            found.setdefault(word, value.partition(":")[0] if word == "Argo CD" else value)
    return tuple(f"{word} {' '.join(value.split())[:_LONGEST]}" for word, value in found.items())


def _lines(text: str) -> Iterable[_Line]:
    section = ""
    default: tuple[str, ...] = ()
    for raw in text.splitlines():
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if not line:
            continue
        head = _SECTION.fullmatch(line)
        if head is not None:
            # A section that is opened again goes on; its name is the same in any case.
            section, default = head["name"].strip().lower(), tuple(head["owners"].split())
            continue
        pattern, *owners = re.split(r"(?<!\\)\s+", line)
        yield _Line(section=section, match=_pattern(pattern.replace("\\ ", " ")), owners=tuple(owners) or default)


def _pattern(text: str) -> re.Pattern[str]:
    """Return what a pattern matches: a path, everything below it, or with `/*` at its end the files right in it."""
    parts = text.strip("/").split("/")
    anchored = text.startswith("/") or len(parts) > 1
    shown = "/".join(_part(part) for part in parts).replace("**/", "(?:.*/)?").replace("**", ".*")
    below = ".*" if text.endswith("/") else "" if parts[-1] == "*" and anchored else "(?:/.*)?"
    middle = "/" if text.endswith("/") else ""
    return re.compile(("" if anchored else "(?:.*/)?") + shown + middle + below, re.DOTALL)


def _part(part: str) -> str:
    if part == "**":
        return "**"
    return "".join({"*": "[^/]*", "?": "[^/]"}.get(character, re.escape(character)) for character in part)
