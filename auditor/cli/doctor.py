"""`auditor doctor`: before a collection, what it would ask, as whom, and what it lacks."""

import os
import random
import sys
import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli import options, terminal
from auditor.model.errors import InputError

if TYPE_CHECKING:
    from auditor.pipeline.doctor import Examination

_EXAMPLES = """
Examples:

  auditor doctor                            every source of auditor.yaml

  auditor doctor --source prod              one of them

  auditor doctor --source prod --grants | kubectl apply -f -

Exit codes: 0 all that would be asked is allowed, 2 wrong use, or a source that gives no answer, 3 something is not
allowed, or an export does not tell all, 4 internal error.
"""
_NAMED = 4
"""Kinds that are named on one line; more are counted."""
_WIDTH = 88
"""Columns of a text beside its label."""
_FAR_OFF = 5.0
"""Seconds between two clocks, above which times of two systems no longer tell what came first."""


def doctor(
    grants: Annotated[
        bool, typer.Option("--grants", help="Print the smallest grant that a collection needs, as YAML.")
    ] = False,
    source: Annotated[
        list[str] | None, typer.Option("--source", metavar="NAME", help="Look at this source alone. Repeatable.")
    ] = None,
    config: options.Config = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Say what a collection would ask, with which identity, what of it is allowed, and what would stay open."""
    settings = options.load(config)
    known = {one.name: one for one in settings.sources}
    unknown = sorted(set(source or ()) - known.keys())
    if unknown or not known:
        raise InputError(
            f"no source is called {', '.join(unknown)}" if unknown else "there is no source to ask",
            hint=f"auditor.yaml names {', '.join(known)}." if known else "`auditor init` writes an auditor.yaml.",
        )
    from auditor.pipeline import doctor as pipeline  # noqa: PLC0415 - after wrong use has been refused

    with terminal.Progress(quiet=quiet) as progress:
        found = pipeline.examine(
            settings,
            [one for one in settings.sources if not source or one.name in source],
            clock=lambda: datetime.now(UTC),
            environ=os.environ,
            jitter=random.random,
            progress=progress.say,
        )
    if grants:
        sys.stdout.write("".join(one.grant for one in found))
        for one in found:
            if one.failure is not None:
                terminal.complain(one.failure)
    else:
        sys.stdout.write(terminal.clean("\n".join("\n".join(_lines(one)) for one in found)) + "\n")
    raise typer.Exit(_exit_code(found, grants=grants))


doctor.__doc__ = f"{doctor.__doc__}\n{_EXAMPLES}"


def _exit_code(found: Iterable["Examination"], *, grants: bool) -> int:
    if any(one.failure is not None for one in found):
        return 2
    return 3 if not grants and any(one.missing or one.unknown or one.in_part or one.without for one in found) else 0


def _lines(one: "Examination") -> list[str]:
    head = f"{one.source} ({one.plane})"
    if one.failure is not None:
        return [head, f"  error      {one.failure}", f"             {one.failure.hint}", ""]
    if one.files:
        version = f", version {one.version}" if one.version else ""
        lines = [head, f"  export     {one.endpoint}: {one.files} file{'s' if one.files > 1 else ''}{version}"]
        lines.append(f"  tells      all of {one.told} kinds, of {len(one.in_part)} a part, of {one.without} nothing")
        lines += _block("lacks", [f"{_kind(type_)}: {reason}" for type_, reason in one.in_part])
        return [*lines, *_open(one), ""]
    lines = [head, f"  at         {one.endpoint} (context {one.context})", f"  as         {_who(one)}"]
    lines.append(f"  version    {one.version or 'not told'}{f', run by {one.provider}' if one.provider else ''}")
    lines.append(f"  clock      {_clock(one)}")
    asked = (textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False) for text in _asked(one))
    lines += _block("asks", [text for texts in asked for text in texts])
    allowed = len(one.rights) - len(one.missing)
    lines.append(f"  allowed    {allowed} of {len(one.rights)} requests; {one.not_served} kinds are not served")
    lines += _block("lacks", [str(right) + _unsure(one, right) for right in one.missing])
    lines += _block("unknown", [f"{_kind(type_)}: {reason}" for type_, reason in one.unknown])
    lines += _block("not asked", [f"{_kind(type_)}: {reason}" for type_, reason in one.unasked])
    lines += _open(one)
    if one.missing:
        lines.append(f"  next       auditor doctor --source {one.source} --grants   prints what is lacking, as YAML")
    return [*lines, ""]


def _asked(one: "Examination") -> Iterator[str]:
    """Yield what a collection would ask: each verb with its resources, and where."""
    by_place: dict[tuple[str, str], list[str]] = {}
    for right, _ in one.rights:
        what = f"{right.resource}.{right.group}" if right.group else right.resource
        by_place.setdefault((right.verb, right.namespace), []).append(f"{what} {right.name}".strip())
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (verb, namespace), resources in by_place.items():
        alike.setdefault((verb, tuple(resources)), []).append(namespace)
    for (verb, same), namespaces in alike.items():
        where = f" in {', '.join(namespaces)}" if any(namespaces) else ""
        yield f"{verb} {', '.join(same)}{where}"


def _open(one: "Examination") -> list[str]:
    """Return the policies that could not say all, those that could say nothing first."""
    return [
        line
        for label, whole in (("silent", True), ("in part", False))
        for line in _block(label, [f"{of.policy}: without {_kinds(of.types)}" for of in one.open if of.whole is whole])
    ]


def _who(one: "Examination") -> str:
    if one.identity is None or not one.identity.user:
        return "the server does not tell"
    groups = ", ".join(filter(None, one.identity.groups))
    groups = f" in {groups}" if groups else ""
    by = f", impersonated by {one.identity.impersonated_by}" if one.identity.impersonated_by else ""
    told = "" if one.identity_from == "server" else " (as the credential says; the server does not tell)"
    return f"{one.identity.user}{groups}{by}{told}"


def _clock(one: "Examination") -> str:
    if one.clock_offset is None:
        return "not told"
    if abs(one.clock_offset) < _FAR_OFF:
        return "as ours"
    side = "ahead of" if one.clock_offset > 0 else "behind"
    return f"{abs(one.clock_offset):.0f} s {side} ours: set one of them right, or ages and orders are wrong by that"


def _unsure(one: "Examination", right: object) -> str:
    unsure = any(asked == right and allowed is None for asked, allowed in one.rights)
    return " (the server would not say)" if unsure else ""


def _block(label: str, texts: list[str]) -> list[str]:
    return [f"  {label if not number else '':<11}{text}" for number, text in enumerate(texts)]


def _kinds(types: tuple[str, ...]) -> str:
    named = [_kind(type_) for type_ in types[:_NAMED]]
    more = len(types) - len(named)
    return ", ".join(named) + (f" and {more} more kind{'s' if more > 1 else ''}" if more else "")


def _kind(type_: str) -> str:
    return type_.partition("/")[2]
