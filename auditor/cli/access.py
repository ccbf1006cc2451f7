"""`auditor access`: who can do a thing in a cluster, and why somebody can or cannot, from manifests or a snapshot."""

import gc
import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from auditor.cli import access_question as questions
from auditor.cli import terminal
from auditor.cli.access_question import Question
from auditor.model.errors import InputError

if TYPE_CHECKING:
    from auditor.access.kubernetes.bindings import Principal
    from auditor.access.kubernetes.rbac import Request
    from auditor.pipeline.access import Cluster

app = typer.Typer(
    help="Effective access: who can do a thing in a cluster, and why.",
    no_args_is_help=True,
    epilog=(
        "Examples:  auditor access who-can get secrets deploy/   |   "
        "auditor access explain sa:shop/web get secrets/db -n shop estate.snapshot"
    ),
)

_WHO_CAN = """
Examples:

  auditor access who-can get secrets deploy/            each row says where

  auditor access who-can list secrets -n shop deploy/   in this namespace

  auditor access who-can list secrets -A estate/        over all at once

  auditor access who-can create pods/exec               by the manifests here

  auditor access who-can get secrets/db -n shop -o json deploy/

  auditor access who-can impersonate users              any verb of RBAC

  auditor access who-can get /metrics                   a path

Groups are rows of their own: who is in them is not in a cluster. Principals of the platform itself are counted, and
listed with --system. What cannot be decided is listed apart, with the reason.

Exit codes: 0 answered, 2 wrong use or input, 3 something could not be read or is not known, so that nobody can say
that these are all, 4 internal error.
"""

_EXPLAIN = """
Examples:

  auditor access explain ada get secrets/db -n shop deploy/

  auditor access explain sa:shop/web list secrets -n shop deploy/

  auditor access explain ada --group devs create pods/exec -n shop deploy/

  auditor access explain group:devs delete nodes estate/

  auditor access explain ada get secrets -n shop --as sa:shop/web deploy/

A principal is a user name, sa:NAMESPACE/NAME or group:NAME; user:NAME where a name holds a colon or a slash. The groups
that authentication adds by itself are added; groups of people have to be said (--group). With --as, the principal
impersonates somebody.

Exit codes: 0 answered yes or no, 2 wrong use or input, 3 not known, 4 internal error.
"""


class Format(StrEnum):
    """How an answer is written."""

    CONSOLE = "console"
    JSON = "json"


_Verb = Annotated[
    str, typer.Argument(metavar="VERB", help="get, list, watch, create, delete, impersonate, bind, ... or a method.")
]
_Resource = Annotated[
    str,
    typer.Argument(
        metavar="RESOURCE",
        help="secrets, secret, secrets/NAME, pods/exec, deploy, jobs.batch, *, or a path as /metrics.",
    ),
]
_Rest = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME] [PATH]...",
        help="The object's name, unless that is a path here; then manifests as for scan, or snapshots (default: here).",
        show_default=False,
    ),
]
_Namespace = Annotated[str, typer.Option("--namespace", "-n", help="In this namespace.")]
_All = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Over all namespaces at once, as kubectl -A asks.")]
_Format = Annotated[Format, typer.Option("--format", "-o", help="How to write it.")]
_Live = Annotated[
    bool,
    typer.Option(
        "--live",
        help="The manifests are all that a cluster holds (kubectl get -A -o yaml): nothing is filled in or computed.",
    ),
]
_Source = Annotated[str, typer.Option(help="Only this cluster of a snapshot.")]
_Version = Annotated[str, typer.Option("--cluster-version", help="Kubernetes version, such as 1.34.")]
_Authorizers = Annotated[
    str, typer.Option(help="Authorisers of the cluster in their order, such as Node,RBAC,Webhook (default: unknown).")
]
_Incomplete = Annotated[
    bool, typer.Option("--allow-incomplete", help="Exit 0 instead of 3 when something is missing or not known.")
]
_Values = Annotated[list[Path] | None, typer.Option("--values", "-f", help="Helm values file. Repeatable.")]
_NoRender = Annotated[bool, typer.Option("--no-render", help="Do not render charts and overlays.")]
_NoIgnore = Annotated[bool, typer.Option("--no-ignore", help="Also read what .gitignore excludes.")]
_Exclude = Annotated[list[str] | None, typer.Option(help="Leave out paths, as a .gitignore pattern. Repeatable.")]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]


@app.command("who-can")
def who_can(
    verb: _Verb,
    resource: _Resource,
    rest: _Rest = None,
    namespace: _Namespace = "",
    all_namespaces: _All = False,
    system: Annotated[bool, typer.Option("--system", help="List the principals of the platform, too.")] = False,
    format_: _Format = Format.CONSOLE,
    live: _Live = False,
    source: _Source = "",
    cluster_version: _Version = "",
    authorizers: _Authorizers = "",
    allow_incomplete: _Incomplete = False,
    values: _Values = None,
    no_render: _NoRender = False,
    no_ignore: _NoIgnore = False,
    exclude: _Exclude = None,
    quiet: _Quiet = False,
) -> None:
    """List everybody who can do a thing, and through which binding, role and rule."""
    name, paths = questions.name_and_paths(resource, rest)
    question = Question(verb, resource, name, namespace, all_namespaces)
    reading = _Reading(paths, live, source, cluster_version, authorizers, values, no_render, no_ignore, exclude, quiet)
    asked, clusters = _prepared(question, reading)
    from auditor.access.kubernetes import holders  # noqa: PLC0415 - after wrong use has been refused
    from auditor.cli import access_console, access_json  # noqa: PLC0415 - the same

    where = question.where(asked)
    answers = [(cluster, holders.who_can(cluster.evaluator, asked, where)) for cluster in clusters]
    if format_ is Format.JSON:
        _json(access_json.holders(asked, where, answers))
    else:
        _say(access_console.holders(asked, where, answers, system=system, width=_width()))
    open_ = any(cluster.gaps or any(doubt.kind.of_input for doubt in found.doubts) for cluster, found in answers)
    raise typer.Exit(3 if open_ and not allow_incomplete else 0)


@app.command()
def explain(
    principal: Annotated[
        str, typer.Argument(metavar="PRINCIPAL", help="USER, sa:NAMESPACE/NAME, group:NAME, system:anonymous, ...")
    ],
    verb: _Verb,
    resource: _Resource,
    rest: _Rest = None,
    namespace: _Namespace = "",
    all_namespaces: _All = False,
    group: Annotated[list[str] | None, typer.Option(help="A group that the user is in. Repeatable.")] = None,
    as_: Annotated[str, typer.Option("--as", help="Impersonating this user or sa:NAMESPACE/NAME.")] = "",
    as_group: Annotated[
        list[str] | None, typer.Option("--as-group", help="Impersonating this group, beside --as. Repeatable.")
    ] = None,
    format_: _Format = Format.CONSOLE,
    live: _Live = False,
    source: _Source = "",
    cluster_version: _Version = "",
    authorizers: _Authorizers = "",
    allow_incomplete: _Incomplete = False,
    values: _Values = None,
    no_render: _NoRender = False,
    no_ignore: _NoIgnore = False,
    exclude: _Exclude = None,
    quiet: _Quiet = False,
) -> None:
    """Say whether somebody can do a thing, by what, and what a refusal lacks."""
    from auditor.access.kubernetes import callers  # noqa: PLC0415 - start-up: help needs none of it

    name, paths = questions.name_and_paths(resource, rest)
    question = Question(verb, resource, name, namespace, all_namespaces)
    reading = _Reading(paths, live, source, cluster_version, authorizers, values, no_render, no_ignore, exclude, quiet)
    asker = callers.parse(principal, groups=group or ())
    target = questions.target(as_, as_group or ())
    asked, clusters = _prepared(question, reading, one=True, about=(asker.principal,))
    from auditor.access.kubernetes import explaining  # noqa: PLC0415 - after wrong use has been refused
    from auditor.access.kubernetes.answers import Answer  # noqa: PLC0415 - the same
    from auditor.cli import access_console, access_json  # noqa: PLC0415 - the same

    answers = [(cluster, explaining.explain(cluster.evaluator, asker, asked, target=target)) for cluster in clusters]
    if format_ is Format.JSON:
        _json(access_json.explanations(answers))
    else:
        _say(access_console.explanations(answers))
    open_ = any(found.answer is Answer.UNKNOWN for _, found in answers)
    raise typer.Exit(3 if open_ and not allow_incomplete else 0)


who_can.__doc__ = f"{who_can.__doc__}\n{_WHO_CAN}"
explain.__doc__ = f"{explain.__doc__}\n{_EXPLAIN}"


class _Reading(NamedTuple):
    """What is to be read, as it was said."""

    paths: tuple[str, ...]
    live: bool
    source: str
    version: str
    authorizers: str
    values: list[Path] | None
    no_render: bool
    no_ignore: bool
    exclude: list[str] | None
    quiet: bool


def _prepared(
    question: Question, reading: _Reading, *, one: bool = False, about: "Sequence[Principal]" = ()
) -> "tuple[Request, Sequence[Cluster]]":
    """Return the request and what it is asked of; say what may be mistyped of it, and of whom it is `about`.

    `one`: it has to be a single request, as an API server gets it.
    """
    from auditor.access.kubernetes import dialect  # noqa: PLC0415 - start-up: help needs none of it
    from auditor.pipeline import access as pipeline  # noqa: PLC0415 - the same

    gc.disable()
    names = [part for part in reading.authorizers.split(",") if part.strip()] if reading.authorizers else None
    for file in reading.values or ():
        if not file.is_file():
            raise InputError(f"the values file {file} does not exist", hint="Check --values.")
    request = pipeline.Request(
        paths=reading.paths,
        live=reading.live,
        source=reading.source,
        dialect=dialect.of(version=reading.version, authorisers=names),
        helm_values=tuple(reading.values or ()),
        render=not reading.no_render,
        honour_gitignore=not reading.no_ignore,
        exclude=tuple(reading.exclude or ()),
    )
    asked = questions.request(question, one=one)
    if question.name and reading.paths == (".",) and not reading.quiet:
        terminal.note(f"{question.name} is taken as the name of the object: there is no such file or folder")
    with terminal.Progress(quiet=reading.quiet) as progress:
        clusters = pipeline.read(
            request, clock=lambda: datetime.now(UTC), stdin=sys.stdin.buffer, progress=progress.say
        )
    if isinstance(asked, InputError):
        # Roles of the input may tell in which API group the resource is.
        seen = {resource: groups for cluster in clusters for resource, groups in cluster.groups_of.items()}
        asked = questions.request(question, one=one, seen=seen)
        if isinstance(asked, InputError):
            raise asked
    if not reading.quiet:
        for note in (*questions.notes(question, asked), *questions.absences(clusters, asked, about)):
            terminal.note(note)
    return asked, clusters


def _width() -> int | None:
    """Return the columns to write in; `None` where nobody looks or says (`COLUMNS`), so that rows stay whole."""
    return terminal.width() if sys.stdout.isatty() or os.environ.get("COLUMNS") else None


def _say(lines: Iterable[str]) -> None:
    from auditor.reports.text import visible  # noqa: PLC0415 - only here

    # A name may hold a newline, and would then look like a row of its own.
    whole = terminal.fitted((visible(line).replace("\n", "\\u{000A}") for line in lines), _width())
    terminal.put(terminal.clean("".join(f"{line}\n" for line in whole)).encode("utf-8", "replace"))


def _json(content: Any) -> None:
    from auditor.reports import json_text  # noqa: PLC0415 - only here

    terminal.put(json_text.tame(json.dumps(_clean(content), indent=1, ensure_ascii=False) + "\n").encode())


def _clean(content: Any) -> Any:
    """Return plain data with every text redacted: names and reasons come from files of others."""
    match content:
        case str():
            return terminal.clean(content)
        case dict():
            return {key: _clean(value) for key, value in content.items()}
        case list():
            return [_clean(value) for value in content]
        case _:
            return content
