"""`auditor frameworks`: the catalogues of requirements, and which policies touch each."""

import csv
import io
import json
import textwrap
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from auditor.cli import terminal
from auditor.frameworks import catalogue
from auditor.frameworks import coverage as touching
from auditor.frameworks.coverage import Touched
from auditor.model.errors import InputError
from auditor.model.framework import Automation, Framework, Requirement
from auditor.model.policy import Strength

app = typer.Typer(
    help="Catalogues of requirements: list, show, coverage.",
    no_args_is_help=True,
    epilog="Examples:  auditor frameworks show soc2 CC6.1   |   auditor frameworks coverage -o csv > coverage.csv",
)

_Folders = Annotated[
    list[Path] | None,
    typer.Option("--policy", help="Folder with policies of your own, beside the library. Repeatable."),
]


class TableFormat(StrEnum):
    """How a table is written."""

    CONSOLE = "console"
    JSON = "json"
    CSV = "csv"


@app.command("list")
def list_() -> None:
    """List the frameworks.

    Example:  auditor frameworks list
    """
    frameworks = catalogue.load(catalogue.built_in())
    width = max(len(framework.id) for framework in frameworks)
    for framework in frameworks:
        testable = sum(requirement.automation is Automation.PARTIAL for requirement in framework.requirements)
        _say(
            f"{framework.id:<{width}}  {framework.title}, {framework.version}: {len(framework.requirements)} "
            f"requirements; a technical test can say something about {testable}"
        )
    _say("\nIds that policies refer to beside these:")
    for name, ids in catalogue.reference_ids().items():
        _say(f"  {name}: {len(ids)}")


@app.command()
def show(
    framework_id: Annotated[str, typer.Argument(metavar="FRAMEWORK", help="Its id, for example soc2.")],
    requirement_id: Annotated[
        str | None,
        typer.Argument(metavar="[REQUIREMENT]", help="One requirement, for example CC6.1.", show_default=False),
    ] = None,
    policy: _Folders = None,
) -> None:
    """Show a framework, or one requirement with the policies that touch it.

    Example:  auditor frameworks show pci-dss-4.0.1 8.6.2
    """
    (framework,) = catalogue.load(catalogue.built_in(), [framework_id])
    if requirement_id is None:
        for line in _framework(framework):
            _say(line)
        return
    rows = [row for row in _coverage([framework], policy) if row.requirement.id == requirement_id]
    if not rows:
        raise InputError(
            f"{framework_id} has no requirement {requirement_id} here",
            hint=f"`auditor frameworks show {framework_id}` lists those that secrets and access touch.",
        )
    for line in _requirement(framework, rows[0]):
        _say(line)


@app.command()
def coverage(
    framework: Annotated[list[str] | None, typer.Option(help="Only this framework. Repeatable.")] = None,
    policy: _Folders = None,
    format_: Annotated[TableFormat, typer.Option("--format", "-o", help="How to write it.")] = TableFormat.CONSOLE,
) -> None:
    """Show which policies touch each requirement, and which requirements none touches.

    Example:  auditor frameworks coverage --framework soc2
    """
    frameworks = catalogue.load(catalogue.built_in(), framework or ())
    rows = _coverage(frameworks, policy)
    match format_:
        case TableFormat.CONSOLE:
            for line in _table(frameworks, rows):
                _say(line)
        case TableFormat.JSON:
            typer.echo(json.dumps([_plain(row) for row in rows], indent=1))
        case TableFormat.CSV:
            terminal.put(_csv(rows))


def _coverage(frameworks: Sequence[Framework], folders: Sequence[Path] | None) -> tuple[Touched, ...]:
    from auditor.policy import document  # noqa: PLC0415 - only where policies are needed

    library = document.load(document.built_in(), own=tuple(folders or ()))
    return touching.coverage(frameworks, [policy.info() for policy in library.policies])


def _framework(framework: Framework) -> Iterator[str]:
    yield f"{framework.title}, {framework.version}  ({framework.id})\n"
    yield _wrapped(framework.notice) + "\n"
    width = max(len(requirement.id) for requirement in framework.requirements)
    for requirement in framework.requirements:
        people = " (people only)" if requirement.automation is Automation.NONE else ""
        yield _wrapped(requirement.paraphrase + people, first=f"{requirement.id:<{width}}  ")


def _requirement(framework: Framework, row: Touched) -> Iterator[str]:
    requirement = row.requirement
    yield f"{framework.title} {requirement.id}, {framework.version}  ({framework.id}/{requirement.id})\n"
    yield _wrapped(requirement.paraphrase) + "\n"
    for name, said in _facets(requirement):
        yield _wrapped(said, first=f"{name:<16}")
    yield ""
    if not row.links:
        yield "No policy touches it."
    for policy_id, link in row.links:
        conditions = f", only with {', '.join(link.conditions)}" if link.conditions else ""
        yield f"{link.strength.value:<10}  {policy_id}{conditions}"
    yield "\n" + _wrapped(framework.notice)


def _facets(requirement: Requirement) -> Iterator[tuple[str, str]]:
    yield "a tool can test", requirement.tested or "nothing"
    yield "needs people", requirement.needs_people
    if requirement.conditions:
        yield "applies only to", ", ".join(requirement.conditions)
    if requirement.since:
        yield "mandatory since", requirement.since
    if requirement.points_of_focus:
        yield "points of focus", "; ".join(requirement.points_of_focus)


def _table(frameworks: Sequence[Framework], rows: Sequence[Touched]) -> Iterator[str]:
    for framework in frameworks:
        own = [row for row in rows if row.framework_id == framework.id]
        touched = [row for row in own if row.links]
        yield (
            f"{framework.title}, {framework.version}: {len(touched)} of {len(own)} requirements touched by a policy, "
            f"{sum(row.direct for row in own)} of them directly\n"
        )
        width = max(len(row.requirement.id) for row in own)
        for row in touched:
            yield _wrapped(_policies(row), first=f"{row.requirement.id:<{width}}  ")
        yield f"\nNo policy touches ({framework.id}):\n"
        for row in own:
            if not row.links:
                yield _wrapped(row.requirement.needs_people, first=f"{row.requirement.id:<{width}}  ")
        yield ""


def _policies(row: Touched) -> str:
    groups = []
    for strength in Strength:
        names = [policy_id for policy_id, link in row.links if link.strength is strength]
        if names:
            groups.append(f"{strength.value}: {', '.join(dict.fromkeys(names))}")
    return "; ".join(groups)


def _plain(row: Touched) -> dict[str, Any]:
    return {
        "framework": row.framework_id,
        "requirement": row.requirement.id,
        "paraphrase": row.requirement.paraphrase,
        "automation": row.requirement.automation.value,
        "needs_people": row.requirement.needs_people,
        "policies": [
            {"id": policy_id, "strength": link.strength.value, "conditions": list(link.conditions)}
            for policy_id, link in row.links
        ],
    }


def _csv(rows: Sequence[Touched]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("framework", "requirement", "policy", "strength", "conditions", "needs people"))
    for row in rows:
        requirement = row.requirement
        for policy_id, link in row.links:
            writer.writerow(
                (
                    row.framework_id,
                    requirement.id,
                    policy_id,
                    link.strength.value,
                    " ".join(link.conditions),
                    requirement.needs_people,
                )
            )
        if not row.links:
            writer.writerow((row.framework_id, requirement.id, "", "", "", requirement.needs_people))
    return text.getvalue().encode()


def _wrapped(said: str, *, first: str = "") -> str:
    return textwrap.fill(
        said, width=max(60, min(terminal.width(), 110)), initial_indent=first, subsequent_indent=" " * len(first)
    )


def _say(line: str) -> None:
    typer.echo(terminal.clean(line))
