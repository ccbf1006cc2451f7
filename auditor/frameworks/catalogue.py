"""Catalogues of requirements, and the ids of other standards that policies refer to.

`policies/frameworks/*.yaml` are the catalogues: ids of the framework, every sentence our own. A requirement that no
test can answer stands in them too, with the reason, so that a report can list it as untested instead of leaving it out.
`policies/frameworks/references/*.yaml` are pinned lists of ids (NIST, CIS) of one version each, without any text.
Which policy supports which requirement is stated in the policy files alone.

What ships is checked against its schema by the tests, so that a scan need not; any other folder is always checked.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from auditor import authored, data, prepared
from auditor.model.errors import ConfigurationError, InputError
from auditor.model.framework import Automation, Framework, Requirement
from auditor.model.policy import Condition


def built_in() -> Path:
    """Return the folder of the catalogues that ship with the program."""
    return data.policies() / "frameworks"


def load(folder: Path, ids: Sequence[str] = ()) -> tuple[Framework, ...]:
    """Return the frameworks whose catalogues lie in `folder`, by id; only those that `ids` names where it names any.

    Raises `InputError` for a folder or an id that is not there and `MistakesError` for a catalogue with mistakes.
    """
    files = {file.stem: file for file in sorted(folder.glob("*.yaml"))}
    if not files:
        raise InputError(f"{folder} holds no catalogue of requirements", hint="Name the folder of the catalogues.")
    unknown = sorted(set(ids) - files.keys())
    if unknown:
        raise InputError(
            f"{', '.join(unknown)}: no such framework",
            hint=f"Choose among {', '.join(files)} (`auditor frameworks list`).",
        )
    return tuple(_read(file) for name, file in files.items() if not ids or name in ids)


def requirement_ids(frameworks: Sequence[Framework]) -> frozenset[str]:
    """Return every requirement as a policy's link names it: `soc2/CC6.1`."""
    return frozenset(
        f"{framework.id}/{requirement.id}" for framework in frameworks for requirement in framework.requirements
    )


def reference_ids(folder: Path | None = None) -> Mapping[str, frozenset[str]]:
    """Return the known ids of each standard that a policy's `references` may name: `nist-800-53r5` -> `IA-5(7)`, ..."""
    lists = [_authored(file, "reference") for file in sorted((folder or built_in()).glob("references/*.yaml"))]
    return {entry["id"]: frozenset(entry["ids"]) for entry in lists}


def _read(file: Path) -> Framework:
    raw = _authored(file, "framework")
    ids = [entry["id"] for entry in raw["requirements"]]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        problems = [
            (("requirements", index, "id"), f"the requirement {name} stands here a second time")
            for index, name in enumerate(ids)
            if name in ids[:index]
        ]
        raise authored.MistakesError(authored.at_positions(_text(file), problems, file=str(file)))
    return Framework(
        id=raw["id"],
        title=raw["title"],
        version=raw["version"],
        notice=_line(raw["notice"]),
        requirements=tuple(_requirement(entry) for entry in raw["requirements"]),
    )


def _requirement(entry: Mapping[str, Any]) -> Requirement:
    return Requirement(
        id=entry["id"],
        paraphrase=_line(entry["paraphrase"]),
        automation=Automation(entry["automation"]),
        tested=_line(entry.get("tested", "")),
        needs_people=_line(entry["needs_people"]),
        conditions=tuple(Condition(name) for name in entry.get("conditions", ())),
        points_of_focus=tuple(entry.get("points_of_focus", ())),
        since=entry.get("since", ""),
        category=entry.get("category", ""),
    )


def _authored(file: Path, kind: str) -> Mapping[str, Any]:
    raw = _content(file, kind)
    if raw["id"] != file.stem:
        # A policy's link and `--select framework:ID` find a catalogue by this name.
        raise ConfigurationError(f"{file}: its id is {raw['id']}", hint="Name the file after the id.")
    return raw


def _content(file: Path, kind: str) -> Mapping[str, Any]:
    if file.is_relative_to(built_in()):
        return cast("Mapping[str, Any]", prepared.document(_text(file).encode()))
    schema = data.policies() / f"{kind}.schema.json"
    raw: Mapping[str, Any] = authored.read(_text(file), file=str(file), schema=schema, hint=f"See {schema.name}.")
    return raw


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", hint="Check the file's permissions.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text", hint="Save it as UTF-8.") from error


def _line(text: str) -> str:
    return " ".join(text.split())
