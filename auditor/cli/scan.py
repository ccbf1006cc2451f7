"""`auditor scan`: manifests, charts and overlays; collect, evaluate and report in one pass. The CI gate."""

import gc
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli import options, output, terminal
from auditor.model.errors import InputError
from auditor.redaction.redactor import redact_text

_EXAMPLES = """
Examples:

  auditor scan deploy/                      judge every manifest below deploy/

  helm template . | auditor scan -          judge what a pipe delivers

  auditor scan charts/web -f prod.yaml      render a chart with values, then judge it

  auditor scan . --report sarif=out.sarif --report html=audit.html

  auditor scan . --select 'K-RBAC-*' --fail-on high

  auditor scan dumps/prod                   judge what kubectl get -A -o json wrote

Exit codes: 0 nothing failed at or above --fail-on, 1 something did, 2 wrong use or input, 3 something in scope could
not be read and nothing failed, 4 internal error.
"""


def scan(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="Files, folders, globs, Helm charts, Kustomize folders, or - for standard input (default: here).",
            show_default=False,
        ),
    ] = None,
    format_: options.Format = "console",
    report: options.Report = None,
    fail_on: options.FailOn = None,
    allow_incomplete: options.AllowIncomplete = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Exit 0 when there is nothing to judge, as a commit hook needs.")
    ] = False,
    select: options.Select = None,
    ignore: options.Ignore = None,
    policy: options.Policies = None,
    config: options.Config = None,
    waivers: options.Waivers = None,
    waivers_from: options.WaiversFrom = None,
    baseline: options.Baseline = None,
    values: Annotated[list[Path] | None, typer.Option("--values", "-f", help="Helm values file. Repeatable.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Helm value, NAME=VALUE. Repeatable.")] = None,
    no_render: Annotated[
        bool, typer.Option("--no-render", help="Do not render charts and overlays; count them as not read.")
    ] = False,
    no_ignore: Annotated[bool, typer.Option("--no-ignore", help="Also read what .gitignore excludes.")] = False,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Leave out paths, as a .gitignore pattern. Repeatable.")
    ] = None,
    templates: options.Templates = None,
    show_all: options.ShowAll = False,
    jobs: options.Jobs = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")] = False,
) -> None:
    """Judge manifests before they are applied."""
    # Nothing that a scan makes is garbage before it ends, so looking for garbage only costs time.
    gc.disable()
    base = options.base_of(waivers_from)
    settings = options.load(config, base=base)
    for file in values or ():
        if not file.is_file():
            raise InputError(f"the values file {file} does not exist", hint="Check --values.")
    for pair in set_ or ():
        # Helm would take it for a value that is unset, and render another chart than was meant.
        if not pair.partition("=")[0] or "=" not in pair:
            raise InputError(f"--set {redact_text(pair)} is not NAME=VALUE", hint="For example --set replicas=2.")
    targets = output.targets(format_, report or (), stdout_is_terminal=sys.stdout.isatty())
    with terminal.Progress(quiet=quiet) as progress:
        from auditor.pipeline import scan as pipeline  # noqa: PLC0415 - after wrong use has been refused

        assessment = pipeline.scan(
            pipeline.Request(
                **options.terms(
                    settings,
                    select=select,
                    ignore=ignore,
                    policy=policy,
                    waivers=waivers,
                    baseline=baseline,
                    jobs=jobs,
                    base=base,
                ),
                paths=tuple(paths or (".",)),
                helm_values=tuple(values or ()),
                helm_set=tuple(set_ or ()),
                render=not no_render,
                honour_gitignore=not no_ignore,
                exclude=(*settings.exclude, *(exclude or ())),
                allow_empty=allow_empty,
                fingerprint_key=options.fingerprint_key(),
            ),
            now=datetime.now(UTC),
            stdin=sys.stdin.buffer,
            progress=progress.say,
        )
        progress.say("writing reports")
        output.write(assessment, targets, templates=templates, show_all=show_all)
    if not quiet:
        exports = [f"{source.endpoint} {_EXPORT}" for source in assessment.sources]
        output.notes(assessment, targets, more=(*exports, *(base.notes if base else ())))
    raise typer.Exit(
        output.exit_code(assessment, fail_on=options.fail_on(fail_on, settings), allow_incomplete=allow_incomplete)
    )


_EXPORT = "was taken from a cluster: judged as `collect --from` and `audit` would, whatever options of manifests say"


scan.__doc__ = f"{scan.__doc__}\n{_EXAMPLES}"
