"""The policy file as data: reading, and nothing of what it means in CEL.

The library that ships with the program is checked by `auditor policy lint` in its tests, so a scan reads it without
the schema; folders of a user's own are always checked, since a misspelt key must not switch a rule off.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from auditor import authored, data, prepared
from auditor.model.errors import ConfigurationError, InputError
from auditor.model.policy import Condition, Link, PolicyInfo, Strength
from auditor.model.record import record
from auditor.model.verdict import Outcome, Severity

PLANES = ("kubernetes", "federation", "leaks", "operations")
"""Folders of the library that hold policies; the others hold catalogues, schemas and tables."""


@record
class ParameterDeclaration:
    """A threshold that a policy takes, with its default."""

    name: str
    default: Any
    unit: str
    origin: str
    reference: str


@record
class Doubt:
    """When a verdict is not evaluated although everything was read."""

    when: str
    reason: str
    """CEL string."""
    pass_stands: bool
    """Only a failure becomes not evaluated."""
    fail_stands: bool = False
    """Only a pass becomes not evaluated: it rests on the absence of something."""


@record
class Loop:
    """One of the ordered loops of `each`."""

    variable: str
    items: str
    """CEL list."""

    @property
    def operand(self) -> str:
        """The list as something that `.all(...)` can follow: a ternary needs parentheses."""
        return f"({self.items})" if any(character.isspace() for character in self.items) else self.items


@record
class Example:
    """A manifest, as a user writes it, and what the policy says of it."""

    name: str
    outcome: Outcome
    objects: tuple[Mapping[str, Any], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    """(name, content) of files that are no manifests: the whole of a repository."""
    params: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    cluster: Mapping[str, Any] | None = None
    """For objects that were read from a cluster: its `version` and `provider`, and what was `unread` of it."""
    committed: str = ""
    """When the files were committed, ISO 8601: they are a history, and the objects stand on a cluster meanwhile."""
    where: str = "tree"
    """What the files were searched as: `tree`, `log` or `image`."""
    items: tuple[str, ...] | None = None
    """Stable names of exactly the items that fail."""


@record
class Policy:
    """One policy file. Fields as in `docs/policy-format.md`; CEL is text here."""

    id: str
    name: str
    title: str
    severity: Severity
    applies_to: tuple[str, ...]
    tags: tuple[str, ...]
    links: tuple[Link, ...]
    references: tuple[str, ...]
    parameters: tuple[ParameterDeclaration, ...]
    when: str
    when_reason: str
    doubts: tuple[Doubt, ...]
    each: tuple[Loop, ...]
    expression: str
    message: str
    value: str
    about: str
    evidence: tuple[tuple[str, str], ...]
    absent: str
    """Why finding no subject leaves the question open; empty where it does not."""
    absent_where: str = ""
    """`repository`: the question is asked only of input in a git repository; empty: of any."""
    absent_managed: str = ""
    """The same where a provider runs the control plane: what it decides, what the customer does, and where."""
    rationale: str
    remediation: str
    snippet: str
    examples: tuple[Example, ...]
    file: str
    digest: str
    """SHA-256 of the file."""
    shipped: bool
    """Whether it belongs to the library, whose CEL the tests have checked."""

    def info(self, severity: Severity | None = None) -> PolicyInfo:
        """Return what reports show, with the severity that holds in this run."""
        return PolicyInfo(
            id=self.id,
            name=self.name,
            title=self.title,
            severity=severity or self.severity,
            rationale=self.rationale,
            remediation=self.remediation,
            snippet=self.snippet,
            tags=self.tags,
            links=self.links,
            references=self.references,
            expression=self.rule,
            digest=self.digest,
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """Every CEL text that decides about a verdict."""
        doubts = (text for doubt in self.doubts for text in (doubt.when, doubt.reason))
        return (self.when, *doubts, *(loop.items for loop in self.each), self.expression)

    @property
    def rule(self) -> str:
        """The rule as one CEL expression: the loops around `expression`."""
        text = self.expression
        for loop in reversed(self.each):
            text = f"{loop.operand}.all({loop.variable}, {text})"
        return text


@record
class Library:
    """Every policy of the folders, by id."""

    policies: tuple[Policy, ...]


def load(folders: Sequence[Path], *, own: Sequence[Path] = ()) -> Library:
    """Return the policies of the library's `folders` and, checked against the schema, of the user's `own`.

    Raises `InputError` for a folder that is not there, `MistakesError` for a file with mistakes and
    `ConfigurationError` for an id that two files claim.
    """
    policies: dict[str, Policy] = {}
    for folder, checked in (*((folder, False) for folder in folders), *((folder, True) for folder in own)):
        for file in files(folder):
            policy = read(file, checked=checked)
            if policy.id in policies:
                raise ConfigurationError(
                    f"{file}: the id {policy.id} belongs to {policies[policy.id].file}",
                    hint="Give your policy an id of its own, for example with a prefix of your company.",
                )
            policies[policy.id] = policy
    return Library(policies=tuple(policies[key] for key in sorted(policies)))


def built_in() -> tuple[Path, ...]:
    """Return the folders of the library that ships with the program."""
    return tuple(folder for plane in PLANES if (folder := data.policies() / plane).is_dir())


def files(folder: Path) -> list[Path]:
    """Return the policy files below `folder`, sorted. Raises `InputError` when it is not a folder."""
    if not folder.is_dir():
        raise InputError(f"the policy folder {folder} does not exist", hint="Check --policy and `policies`.")
    return sorted(file for pattern in ("*.yaml", "*.yml") for file in folder.rglob(pattern))


def read(file: Path, *, checked: bool) -> Policy:
    """Return the policy in `file`. Raises `MistakesError` with every mistake when `checked`."""
    try:
        content = file.read_bytes()
        text = content.decode()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", hint="Check the file's permissions.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text", hint="Save the policy as UTF-8.") from error
    if checked:
        raw = authored.read(
            text,
            file=str(file),
            schema=data.policies() / "policy.schema.json",
            hint="docs/policy-format.md explains each key; `auditor policy new` writes a skeleton.",
        )
    else:
        raw = prepared.document(content)
    return parse(raw, file=str(file), digest=hashlib.sha256(content).hexdigest(), shipped=not checked)


def parse(raw: Mapping[str, Any], *, file: str, digest: str, shipped: bool = False) -> Policy:
    """Return the policy that `raw` describes; it must obey the schema."""
    absent = raw.get("absent", {})
    return Policy(
        id=raw["id"],
        name=raw["name"],
        title=raw["title"],
        severity=Severity(raw["severity"]),
        applies_to=tuple(raw["applies_to"]),
        tags=tuple(raw.get("tags", ())),
        links=tuple(_link(entry) for entry in raw["supports"]),
        references=tuple(raw.get("references", ())),
        parameters=tuple(_parameter(name, entry) for name, entry in raw.get("params", {}).items()),
        when=raw.get("when", "").strip(),
        when_reason=raw.get("when_reason", "").strip() or "the policy's condition does not hold",
        doubts=tuple(_doubt(entry) for entry in raw.get("undecided", ())),
        each=tuple(
            Loop(variable=name, items=items.strip()) for entry in raw.get("each", ()) for name, items in entry.items()
        ),
        expression=raw["expression"].strip(),
        message=raw["message_expression"].strip(),
        value=raw.get("value", "").strip(),
        about=raw.get("about", "").strip(),
        evidence=tuple((name, text.strip()) for name, text in raw.get("evidence", {}).items()),
        absent=absent["reason"].strip() if absent.get("outcome") == "not_evaluated" else "",
        absent_where=absent.get("where", ""),
        absent_managed=absent.get("managed", "").strip(),
        rationale=raw["rationale"].strip(),
        remediation=raw["remediation"].strip(),
        snippet=raw.get("snippet", ""),
        examples=tuple(_example(entry) for entry in raw["examples"]),
        file=file,
        digest=digest,
        shipped=shipped,
    )


def _link(raw: Mapping[str, Any]) -> Link:
    return Link(
        requirement=raw["requirement"],
        strength=Strength(raw["strength"]),
        conditions=tuple(Condition(name) for name in raw.get("conditions", ())),
    )


def _parameter(name: str, raw: Mapping[str, Any]) -> ParameterDeclaration:
    return ParameterDeclaration(
        name=name,
        default=raw["default"],
        unit=raw.get("unit", ""),
        origin=raw["origin"],
        reference=raw["reference"],
    )


def _doubt(raw: Mapping[str, Any]) -> Doubt:
    return Doubt(
        when=raw["when"].strip(),
        reason=raw["reason"].strip(),
        pass_stands=bool(raw.get("pass_stands", False)),
        fail_stands=bool(raw.get("fail_stands", False)),
    )


def _example(raw: Mapping[str, Any]) -> Example:
    return Example(
        name=raw["name"],
        outcome=Outcome(raw["outcome"]),
        objects=tuple(raw["objects"]) if "objects" in raw else (raw["object"],) if "object" in raw else (),
        files=tuple(
            (entry["name"], entry["content"]) for entry in raw.get("files", [*filter(None, [raw.get("file")])])
        ),
        params=raw.get("params", {}),
        path=raw.get("path", ""),
        cluster=raw.get("cluster"),
        committed=raw.get("committed", ""),
        where=raw.get("where", "tree"),
        items=tuple(raw["items"]) if "items" in raw else None,
    )
