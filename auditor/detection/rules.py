"""The rules of detection: which kinds of credentials are looked for, each in one YAML file.

A rule of the first tier with a `pattern` stands for a documented token format. One with a `detector` names, describes
and switches a reader of structure that is written in code. A user's folder adds rules with patterns; a rule of the same
id replaces the library's.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from auditor import data, prepared
from auditor.digests import sha256
from auditor.model.errors import InputError
from auditor.model.record import record
from auditor.redaction.formats import checksum

if TYPE_CHECKING:
    from pathlib import Path

MARK = "<>"
"""Stands in examples where it is taken out again, so that no scanner takes a rule for a leak."""
_SCHEMA = "detection.schema.json"
_ENDINGS = frozenset({".yaml", ".yml"})
_HINT = "The page docs/secrets.md describes a rule's file."


@record
class Example:
    """A text with what the rule says of it."""

    text: str
    found: bool
    why: str = ""
    file: str = ""
    """Name of the file that holds the text, where it matters."""


@record
class Rule:
    """One kind of credential."""

    id: str
    title: str
    tier: int
    """1: a documented format; 2: a name or structure with a literal; 3: looks random."""
    documentation: str
    remediation: str
    pattern: str = ""
    heads: tuple[str, ...] = ()
    """Texts of which every match holds at least one."""
    check: Callable[[str], bool] | None = None
    detector: str = ""
    examples: tuple[Example, ...] = ()
    own: bool = False
    """Whether it is the user's."""


@record
class RuleSet:
    """The rules of one run, by id."""

    rules: Mapping[str, Rule]
    off: tuple[str, ...] = ()
    """Ids of rules that were switched off."""
    digest: str
    """SHA-256 over the files and the switches: with the program's version it names what was looked for."""
    highest: int = 3
    """The tier up to which findings are told."""

    def of_tier(self, highest: int) -> "RuleSet":
        """Return the rules up to a tier."""
        kept = {id_: rule for id_, rule in self.rules.items() if rule.tier <= highest}
        return RuleSet(rules=kept, off=self.off, digest=f"{self.digest}:{highest}", highest=highest)


def load(own: "Sequence[Path]" = (), *, off: Iterable[str] = ()) -> RuleSet:
    """Return the library's rules and those in the folders `own`, without those whose id a glob of `off` matches.

    Raises `InputError` for a folder that is none and a glob that matches nothing, `MistakesError` for wrong files.
    """
    hasher = sha256()
    rules: dict[str, Rule] = {}
    for content, raw in prepared.library("detection"):
        hasher.update(content)
        rules[raw["id"]] = _rule(raw, own=False)
    for folder in own:
        if not folder.is_dir():
            what = "is no folder" if folder.exists() else "does not exist"
            raise InputError(f"the folder of detection rules {folder} {what}", hint="Check --rules.")
        files = sorted(file for file in folder.iterdir() if file.suffix in _ENDINGS)
        if not files:
            raise InputError(f"the folder of detection rules {folder} holds no rule", hint="A rule is a file *.yaml.")
        for file in files:
            content = file.read_bytes()
            hasher.update(content)
            rule = read(content.decode("utf-8-sig", "replace"), file=str(file))
            rules[rule.id] = rule
    switched = set()
    for glob in off:
        matched = {id_ for id_ in rules if fnmatchcase(id_, glob)}
        if not matched:
            raise unknown(glob, rules)
        switched |= matched
    for id_ in sorted(switched):
        hasher.update(f"-{id_}\n".encode())
        del rules[id_]
    return RuleSet(rules=dict(sorted(rules.items())), off=tuple(sorted(switched)), digest=hasher.hexdigest())


def unknown(id_: str, rules: Iterable[str]) -> InputError:
    """Return the error about a rule that does not exist, with what may be meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only where somebody made a mistake

    wanted = id_.lower().strip("*")
    near = [one for one in rules if wanted and wanted in one] or get_close_matches(wanted, rules)
    meant = f"Perhaps {' or '.join(near[:3])}; " if near else ""
    return InputError(f"no detection rule is called {id_}", hint=f"{meant}`auditor secrets rules` lists them.")


def read(text: str, *, file: str) -> Rule:
    """Return the rule of a user's in `text`. Raises `MistakesError` with every mistake."""
    from auditor import authored  # noqa: PLC0415 - start-up: the library needs no check

    raw = authored.read(text, file=file, schema=data.policies() / _SCHEMA, hint=_HINT, contradictions=_contradictions)
    return _rule(raw, own=True)


def _rule(raw: Any, *, own: bool) -> Rule:
    return Rule(
        id=raw["id"],
        title=raw["title"],
        tier=raw["tier"],
        documentation=raw["documentation"],
        remediation=raw["remediation"].strip(),
        pattern=raw.get("pattern", ""),
        heads=tuple(raw.get("heads", ())),
        check=checksum(raw.get("checksum")),
        detector=raw.get("detector", ""),
        examples=tuple(_example(entry) for entry in raw["examples"]),
        own=own,
    )


def _example(raw: Mapping[str, str]) -> Example:
    found = "found" in raw
    text = raw["found"] if found else raw["passed_over"]
    return Example(text=text.replace(MARK, ""), found=found, why=raw.get("why", ""), file=raw.get("file", ""))


def _contradictions(raw: Any) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """Yield what the schema cannot say of a rule's file."""
    pattern = raw.get("pattern") if isinstance(raw, dict) else None
    if isinstance(pattern, str):
        try:
            compiled = re.compile(pattern, re.ASCII)
        except re.error as error:
            yield ("pattern",), f"not a regular expression: {error.msg}"
            return
        if compiled.groups or "(?=" in pattern or "(?!" in pattern or "(?<" in pattern or r"\b" in pattern:
            yield ("pattern",), "groups and look-around cannot be used here; write (?:...) and leave out the rest"
        if compiled.search("\n") or r"\s" in pattern:
            yield ("pattern",), "it can cross a line; write [ \\t] for blanks"
    if isinstance(raw, dict) and "detector" in raw and raw.get("detector") not in DETECTORS:
        yield ("detector",), "no reader of structure of that name"


DETECTORS = frozenset(
    {
        "private-key",
        "url-password",
        "authorization-header",
        "named-credential",
        "command-line-password",
        "azure-shared-access-signature",
        "secret-value",
        "docker-auth",
        "high-entropy",
        "card-number",
    }
)
"""Readers of structure that are written in code."""
